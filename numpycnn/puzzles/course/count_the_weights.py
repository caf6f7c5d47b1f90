"""Count the parameters

    Conv1D(3, 16, 7)      3 input channels, 16 filters, 7 taps
    ReLU()
    Conv1D(16, 32, 5)     16 input channels, 32 filters, 5 taps

How many parameters does training determine? Count weights and biases by hand first.
"""

n_weights = ...  # an integer

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "Several channels, several filters"
HINTS = (
    "Each filter has its own taps for each input channel.",
    "Each filter has one bias. ReLU has no parameters.",
)
SOLUTION = "(7 * 3 * 16 + 16) + (5 * 16 * 32 + 32)"
FORMS = ("(7 * 3 + 1) * 16 + (5 * 16 + 1) * 32",)
WRONG = {
    "7 * 3 * 16 + 5 * 16 * 32": "biases: these are the weights. Each filter has a bias, too.",
    "7 * 3 * 16 + 1 + 5 * 16 * 32 + 1": "biases: there is one bias for each filter, not for each layer.",
    "7 * 3 * 16 + 3 + 5 * 16 * 32 + 16": "biases: there is one bias for each filter, not for each "
    "input channel.",
    "7 * 16 + 16 + 5 * 32 + 32": "channels: a filter has taps for each input channel.",
    "7 * 16 + 5 * 32": "channels: a filter has taps for each input channel, and a bias.",
    "7 * 3 * 16 + 16 + 5 * 3 * 32 + 32": "channels: the second layer has 16 input channels, the "
    "outputs of the first layer.",
    "7 * 3 * 16 + 16": "one layer: this is the first convolution. The second has parameters, too.",
    "5 * 16 * 32 + 32": "one layer: this is the second convolution. The first has parameters, too.",
    "7 * 3 * 16 * 5 * 16 * 32": "product: the parameters of the layers are added, not multiplied.",
    "'2944'": "wrong type",
}
LESSON = "352 and 2,592. The length of the trace does not matter: the same taps are used at all positions."


def cases():
    return [value("n_weights")]
