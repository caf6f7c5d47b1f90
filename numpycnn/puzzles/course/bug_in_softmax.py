"""Find the bug: softmax as a layer

With a cross-entropy behind it that is given probabilities. One line is wrong. Which?
"""

import numpy as np

from numpycnn import Layer


class Softmax(Layer):
    def forward(self, x):
        exps = np.exp(x - x.max(axis=-1, keepdims=True))
        y = exps / exps.sum(axis=-1, keepdims=True)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = dy * y * (1 - y)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import cross_entropy
from numpycnn.checks.reference import softmax_backward
from numpycnn.puzzles.grading import accuracy, check_function, check_layers

GAP = "dx = dy * y * (1 - y)"
HINTS = (
    "y (1 - y) is the slope of a sigmoid. What is it here that a sigmoid does not do?",
    "A larger x makes the other outputs of its row smaller.",
    "dx = y times (dy minus the mean of dy in the row, weighted with y).",
)
SOLUTION = "dx = y * (dy - (dy * y).sum(axis=-1, keepdims=True))"
WRONG = {
    "dx = dy": "derivative missing",
    "dx = dy * y - y": "unknown",
    "dx = y * (dy - (dy * y).sum())": "unknown",
    "dx = y * (dy - dy.sum(axis=-1, keepdims=True))": "unknown",
    "dx = -y * (dy - (dy * y).sum(axis=-1, keepdims=True))": "sign",
}
LESSON = (
    "The diagonal alone: what the other inputs do was missing. Somebody made it, or one like it: "
    "https://github.com/deeplearning4j/libnd4j/issues/440"
)


def opening():
    share = accuracy(last=(Softmax(),), loss=cross_entropy)
    return (
        f"With this softmax the trace classifier is right on {share:.0%} of the traces that it has "
        "not seen. Which line is wrong?"
    )


def case(part, draw):
    return part.Softmax(), draw.array(draw(2, 4), draw(2, 4))


def check(answer, right):
    check_layers(answer, right, case)

    def gradient(dy, x):
        layer = answer.Softmax()
        return layer.backward(dy, layer.forward(x)[1])[0]

    def arguments(draw):
        n, d = draw(1, 3), draw(2, 4)
        return draw.array(n, d), draw.array(n, d)

    check_function(gradient, softmax_backward, arguments)
