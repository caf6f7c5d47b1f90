"""What comes out?

    x                                        (32, 103, 3)
    Conv1D(3, 8, kernel_size=5, stride=2)    no padding
    ReLU()
    MaxPool1D(3)                             the windows stand side by side
    Conv1D(8, 16, kernel_size=3, padding="same")
    Flatten()

Follow the shape down, on paper.
"""

shape = ...  # of what comes out at the end

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_value

HINTS = (
    "Without padding there are (L - K) / S + 1 outputs, rounded down.",
    "(103 - 5) / 2 + 1 is 50. How many windows of 3 are there in 50?",
    "16, and two samples are dropped. Now 16 filters, and all of a trace in one row.",
)
SOLUTION = "(32, 256)"
WRONG = {
    "(32, 272)": "dropped",
    "(32, 16, 16)": "Flatten",
    "(32, 128)": "filters",
    "(32, 800)": "pooling",
    "(8192,)": "trace",
}
LESSON = "103, 50, 16 and still 16 samples; 16 filters for each make 256 numbers a trace."


def check(answer, right):
    known = {
        (32, 272): "What does not fill a window is dropped.",
        (32, 16, 16): "And then Flatten puts all of a trace in one row.",
        (32, 128): "The last convolution has 16 filters.",
        (32, 800): "And the pooling?",
        (8192,): "Flatten keeps every trace to itself: the first axis stays.",
    }
    check_value(answer.shape, right.shape, known)
