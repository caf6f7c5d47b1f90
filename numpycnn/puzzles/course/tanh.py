"""Tanh, backward

    y = tanh(x)

Its derivative is 1 - tanh(x)². Backward could cache x, but another array saves work.
"""

import numpy as np

from numpycnn import Layer


class Tanh(Layer):
    def forward(self, x):
        y = np.tanh(x)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = ...  # the gradient with respect to x, from dy and y
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "The cache of each layer"
HINTS = (
    "tanh(x) has already been computed: it is y.",
    "dx is dy times the slope.",
)
SOLUTION = "dy * (1 - y**2)"
FORMS = ("dy - dy * y * y", "dy * (1 - y) * (1 + y)")
WRONG = {
    "dy * (1 - y)": "square missing: the slope is 1 - y², not 1 - y.",
    "1 - y**2": "dy ignored: this is the slope. Multiply it with dy.",
    "dy": "derivative missing",
    "y": "forward: this is y, the output of forward.",
    "dy * y": "derivative: dy is multiplied with y; the slope is 1 - y².",
    "dy * y**2": "derivative: dy is multiplied with y²; the slope is 1 - y².",
    "dy * (1 - np.tanh(y) ** 2)": "tanh twice: y is tanh(x) already. Do not take tanh again.",
    "dy * np.tanh(y)": "tanh twice: y is tanh(x) already, and the slope is 1 - y².",
    "dy * (y**2 - 1)": "sign",
    "dy - y**2": "parentheses: dy must be multiplied with all of 1 - y².",
    "dy * 1 - y**2": "parentheses: dy must be multiplied with all of 1 - y².",
    "dy * (1 + y**2)": "sign of a term: the slope is 1 - y², not 1 + y².",
    "dy * y * (1 - y)": "sigmoid: y (1 - y) is the derivative of the sigmoid.",
    "dy * (1 - y) ** 2": "parentheses: the slope is 1 - y², not (1 - y)².",
    "dy / (1 - y**2)": "reciprocal: dy is divided by the slope; multiply.",
    "(1 - dy**2) * y": "exchanged: y and dy are exchanged.",
    "dy * (1 - dy**2)": "dy for y: the slope is 1 - y², and here dy is squared.",
    "dy @ (1 - y**2).T": "matrix product: multiply element by element with `*`.",
}
LESSON = "The layer caches only its output, as do ReLU, the sigmoid and softmax."


def case(draw):
    x = draw.array(draw(1, 4), draw(1, 5))
    return layer("Tanh", {}, x / 4 if draw.is_small else x)
