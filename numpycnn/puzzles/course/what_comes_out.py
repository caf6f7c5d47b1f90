"""The shape of the output

    x                                        (32, 103, 3)
    Conv1D(3, 8, kernel_size=5, stride=2)    no padding
    ReLU()
    MaxPool1D(3)                             windows side by side
    Conv1D(8, 16, kernel_size=3, padding="same")
    Flatten()

Follow the shape from layer to layer, on paper. What is the shape of the output?
"""

shape = ...  # the shape of the output of Flatten, a tuple of integers

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "Pooling"
HINTS = (
    "Without padding there are (L - K) / S + 1 outputs, rounded down.",
    "(103 - 5) / 2 + 1 is 50. How many windows of 3 fit into 50?",
    "16 windows; two samples are dropped. The last convolution has 16 filters, and each trace one row.",
)
SOLUTION = "(32, 256)"
FORMS = ("(32, 16 * 16)",)
WRONG = {
    "(32, 272)": "dropped: samples that do not fill a window are dropped: 50 samples make 16 windows.",
    "(32, 16, 16)": "Flatten: Flatten puts the values of a trace into one row.",
    "(32, 128)": "filters: the last convolution has 16 filters.",
    "(32, 800)": "pooling: the pooling is missing. Of 50 samples 16 windows are left.",
    "(32, 224)": 'padding: with padding "same" the length does not change.',
    "(8192,)": "one row: Flatten keeps the first axis: each trace has its own row.",
    "(1, 8192)": "one row: Flatten keeps the first axis: each trace has its own row.",
    "(32, 768)": "channels: the last convolution sums over its input channels; 16 remain.",
    "(32, 544)": "stride: the first convolution has stride 2.",
    "(32, 528)": "stride: the first convolution has stride 2.",
    "(256,)": "traces: there are 32 traces, each with a row of 256 values.",
    "(256, 32)": "axis order: the traces are the first axis.",
    "256": "traces: the shape has two axes, the traces and the values of each.",
}
LESSON = "103, 50, 16 and still 16 samples; with 16 filters this makes 256 values per trace."


def cases():
    return [value("shape")]
