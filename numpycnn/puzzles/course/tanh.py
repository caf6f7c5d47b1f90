"""Tanh, backwards

    y = tanh(x)

Its derivative is 1 - tanh(x)². So backward needs x, or something that is even better to keep.
"""

import numpy as np

from numpycnn import Layer


class Tanh(Layer):
    def forward(self, x):
        y = np.tanh(x)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = ...  # of the shape of x, from dy and y
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "tanh(x) has been computed already: it is y.",
    "What comes back is dy, times the slope.",
)
SOLUTION = "dy * (1 - y**2)"
WRONG = {
    "dy * (1 - y)": "unknown",
    "1 - y**2": "dy ignored",
    "dy": "derivative missing",
    "dy * (1 - np.tanh(y) ** 2)": "unknown",
    "dy * (y**2 - 1)": "sign",
    "dy - y**2": "unknown",
}
LESSON = "It keeps its own output, and needs nothing else. So do ReLU, the sigmoid and softmax."


def case(part, draw):
    return part.Tanh(), draw.array(draw(1, 4), draw(2, 5))


def check(answer, right):
    check_layers(answer, right, case)
