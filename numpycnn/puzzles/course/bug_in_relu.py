"""Find the bug: ReLU

Two lines do something, and one of them is wrong. Which is it? Find it, and mend it.
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

from numpycnn.puzzles.grading import accuracy, check_layers

GAP = "dx = np.where(y >= 0, dy, 0)"
HINTS = (
    "What is y where x was negative? What does backward make of that?",
    "y is never below zero, so y >= 0 is always true.",
)
SOLUTION = "dx = np.where(y > 0, dy, 0)"
WRONG = {
    "dx = np.where(dy > 0, dy, 0)": "mask of dy",
    "dx = np.where(y > 0, dy, 0.01 * dy)": "mask missing",
    "dx = np.where(y > 0, y, 0)": "unknown",
    "dx = dy": "mask missing",
}
LESSON = (
    "One character. The mask let everything through, as if there were no ReLU on the way back. "
    "A mask that did not fit its ReLU: https://github.com/deeplearning4j/nd4j/issues/271"
)


def opening():
    return (
        f"With this ReLU the trace classifier is right on {accuracy(relu=ReLU):.0%} of the traces "
        "that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    return part.ReLU(), draw.array(draw(2, 4), draw(2, 4))


def check(answer, right):
    check_layers(answer, right, case)
