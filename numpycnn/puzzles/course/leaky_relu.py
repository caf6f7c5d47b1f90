"""Leaky ReLU, backwards

    y = x        where x > 0
    y = 0.1 x    elsewhere

It lets a tenth of what is negative through, so that no number is cut off for good.
"""

import numpy as np

from numpycnn import Layer


class LeakyReLU(Layer):
    def forward(self, x):
        return np.where(x > 0, x, 0.1 * x), x

    def backward(self, dy, cache):
        x = cache
        dx = ...  # of the shape of x
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "Two slopes: which, and where?",
    "Whether a number was let through is seen from x, not from dy.",
)
SOLUTION = "np.where(x > 0, dy, 0.1 * dy)"
WRONG = {
    "np.where(dy > 0, dy, 0.1 * dy)": "unknown",
    "np.where(x > 0, dy, 0)": "unknown",
    "dy": "derivative missing",
    "np.where(x > 0, 1, 0.1)": "dy ignored",
    "np.where(x > 0, dy, 0.1)": "unknown",
    "np.where(x > 0, dy, 0.1 * x)": "unknown",
}
LESSON = "A slope of 1 or of 0.1, chosen by x and multiplied with dy."


def case(part, draw):
    shape = draw(1, 4), draw(2, 5)
    return part.LeakyReLU(), draw.array(*shape)


def check(answer, right):
    check_layers(answer, right, case)
