"""Count the weights

    Conv1D(3, 16, 7)      3 channels in, 16 filters, 7 taps
    ReLU()
    Conv1D(16, 32, 5)     16 channels in, 32 filters, 5 taps

How many numbers does training have to find? Count by hand, before you ask the computer.
"""

n_weights = ...  # a whole number

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_number

HINTS = (
    "Each filter has its own taps for each channel that it reads.",
    "And each filter has one bias. ReLU has nothing to find.",
)
SOLUTION = "(7 * 3 * 16 + 16) + (5 * 16 * 32 + 32)"
WRONG = {
    "7 * 3 * 16 + 5 * 16 * 32": "bias",
    "7 * 3 * 16 + 1 + 5 * 16 * 32 + 1": "each filter",
    "7 * 16 + 16 + 5 * 32 + 32": "channel",
    "7 * 3 * 16 + 16 + 5 * 3 * 32 + 32": "first layer",
}
LESSON = (
    "352 and 2,592. The length of the trace does not come in: the taps are the same everywhere."
)


def check(answer, right):
    known = {
        2896: "What about a bias for each filter?",
        2898: "There is a bias for each filter, not one for each layer.",
        320: "A filter has taps for every channel that it reads.",
        864: "The channels that the second layer reads are what the first layer puts out.",
    }
    check_number(answer.n_weights, right.n_weights, known)
