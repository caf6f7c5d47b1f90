"""Leaky ReLU, backward

    y = x        where x > 0
    y = 0.1 x    elsewhere

It passes a tenth of negative values, so that every unit receives a gradient.
"""

import numpy as np

from numpycnn import Layer


class LeakyReLU(Layer):
    def forward(self, x):
        return np.where(x > 0, x, 0.1 * x), x

    def backward(self, dy, cache):
        x = cache
        dx = ...  # the gradient with respect to x, from x and dy
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Every layer in NumPy"
HINTS = (
    "There are two slopes. State both, and where each applies.",
    "The slope depends on the sign of x, not on the sign of dy.",
)
SOLUTION = "np.where(x > 0, dy, 0.1 * dy)"
FORMS = ("dy * np.where(x > 0, 1, 0.1)", "dy * (0.1 + 0.9 * (x > 0))")
WRONG = {
    "np.where(dy > 0, dy, 0.1 * dy)": "mask of dy: the slope is chosen by the sign of dy. It depends on "
    "the sign of x.",
    "np.where(x > 0, dy, 0)": "slope of ReLU: where x is negative the slope is 0.1, not 0.",
    "np.where(dy > 0, dy, 0)": "mask of dy: the slope is chosen by the sign of dy, and is 0 in place of "
    "0.1.",
    "dy": "derivative missing",
    "np.where(x > 0, 1, 0.1)": "dy ignored: these are the slopes. Multiply them with dy.",
    "np.where(x > 0, dy, 0.1)": "dy ignored: where x is negative dx is 0.1, without dy.",
    "np.where(x > 0, 1, 0.1 * dy)": "dy ignored: where x is positive dx is 1, without dy.",
    "np.where(x > 0, dy, 0.1 * x)": "x for dy: where x is negative dx is 0.1 x; it must be 0.1 dy.",
    "np.where(x > 0, x, 0.1 * x)": "forward: this is forward again. dx depends on dy.",
    "np.where(x > 0, 0.1 * dy, dy)": "exchanged: the two slopes are exchanged.",
    "np.where(x < 0, dy, 0.1 * dy)": "exchanged: the two slopes are exchanged.",
    "0.1 * dy": "one slope: where x is positive the slope is 1.",
    "np.where(x > 0, dy, -0.1 * dy)": "sign: where x is negative the sign is wrong: the slope is +0.1.",
    "np.where(x > 0, dy, 0.01 * dy)": "slope: where x is negative the slope is 0.1, not 0.01.",
    "np.where(x > 0, dy, dy / 0.1)": "reciprocal: where x is negative dy is divided by 0.1; multiply.",
    "-np.where(x > 0, dy, 0.1 * dy)": "sign",
}
LESSON = "A slope of 1 or 0.1, chosen by x and multiplied with dy."


def case(draw):
    return layer("LeakyReLU", {}, draw.array(draw(1, 4), draw(1, 5)))
