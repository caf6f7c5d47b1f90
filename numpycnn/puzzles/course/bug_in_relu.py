"""Find the bug: ReLU

Two lines compute a value, and one of them is incorrect. Find it and fix it.
"""

import numpy as np

from numpycnn import Layer


class ReLU(Layer):
    def forward(self, x):
        y = np.maximum(x, 0)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = np.where(y >= 0, dy, 0)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "The checker"
GAP = "dx = np.where(y >= 0, dy, 0)"
HINTS = (
    "Which value has y where x is negative? Which gradient does backward return there?",
    "y is never below zero, so y >= 0 is always true.",
)
SOLUTION = "dx = np.where(y > 0, dy, 0)"
FORMS = ("dx = dy * (y > 0)", "dx = dy * np.sign(y)")
WRONG = {
    "dx = np.where(dy > 0, dy, 0)": "mask of dy: negative dy are set to zero. The mask must come from y.",
    "dx = np.where(y > 0, dy, 0.01 * dy)": "leaky: where y is zero, a hundredth of dy passes; dx must be "
    "zero there.",
    "dx = np.where(y > 0, y, 0)": "dy ignored: dx is y itself. It must be dy where y is positive.",
    "dx = dy": "mask missing: dy passes everywhere; where y is zero, dx must be zero.",
    "dx = np.where(y >= 0, dy, 0) * 1": "mask missing",
    "dx = dy * (y >= 0)": "mask missing",
    "dx = np.where(y > 0, 1, 0)": "dy ignored: this is the mask. Multiply it with dy.",
    "dx = np.where(y > 0, 0, dy)": "mask inverted: dy passes where y is zero, and must pass where y is "
    "positive.",
    "dx = np.where(y < 0, dy, 0)": "zero",
    "dx = y * dy": "factor y: dy is multiplied with y; the slope is 1 where y is positive.",
    "dx = np.maximum(dy, 0)": "mask of dy",
    "dx = np.where((y > 0) & (dy > 0), dy, 0)": "mask of dy: negative dy are set to zero, too. Only the sign "
    "of x decides.",
    "dx = np.where(y > 1, dy, 0)": "threshold: small positive y are blocked; the threshold is 0.",
    "dx = -np.where(y > 0, dy, 0)": "sign",
    "dx = np.where(y > 0, dy, 0).sum(axis=0)": "wrong shape",
}
LESSON = "One character. The mask passed every gradient, as if the backward pass had no ReLU. A similar bug: https://github.com/deeplearning4j/nd4j/issues/271"


def opening():
    return (
        f"With this ReLU the trace classifier is correct on {accuracy(relu=ReLU):.0%} of the test set. "
        "Which line is incorrect?"
    )


def case(draw):
    return layer("ReLU", {}, draw.array(draw(1, 4), draw(1, 5)))
