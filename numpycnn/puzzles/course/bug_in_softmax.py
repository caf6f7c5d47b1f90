"""Find the bug: softmax as a layer

This layer is the last one of a network; a cross-entropy that expects probabilities follows. One
line is incorrect. Find it and fix it.
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
from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "The checker"
GAP = "dx = dy * y * (1 - y)"
HINTS = (
    "y (1 - y) is the slope of a sigmoid. What differs here?",
    "A larger x makes the other outputs of its row smaller.",
    "dx = y times (dy minus the mean of dy in the row, weighted with y).",
)
SOLUTION = "dx = y * (dy - (dy * y).sum(axis=-1, keepdims=True))"
FORMS = (
    "dx = y * dy - y * np.einsum('...d,...d->...', y, dy)[..., None]",
    "dx = np.stack([(np.diag(p) - np.outer(p, p)) @ d for p, d in zip(y, dy)])",
)
WRONG = {
    "dx = dy": "derivative missing",
    "dx = dy * y": "cross terms missing: the second term, y times a sum over the row, is missing.",
    "dx = y * (1 - y)": "dy ignored: dy is not used, and the other outputs of the row are left out.",
    "dx = dy * y - y": "sum missing: dy must be weighted with y and summed over the row before it is "
    "subtracted.",
    "dx = y * (dy - (dy * y).sum())": "whole batch: the sum runs over all rows; each row has its own.",
    "dx = y * (dy - dy.sum(axis=-1, keepdims=True))": "not weighted: the sum of dy in the row must be "
    "weighted with y.",
    "dx = y * (dy - dy.mean(axis=-1, keepdims=True))": "plain mean: the mean of dy in the row must be "
    "weighted with y.",
    "dx = y * (dy - (dy * y).mean(axis=-1, keepdims=True))": "mean for sum: use the sum of dy y: the weights "
    "y already sum to one.",
    "dx = y * (dy - (dy * y).sum(axis=0))": "wrong axis: the sum runs over the traces; it must run over the "
    "row.",
    "dx = -y * (dy - (dy * y).sum(axis=-1, keepdims=True))": "sign",
    "dx = y * (dy + (dy * y).sum(axis=-1, keepdims=True))": "sign of a term: the sum over the row is "
    "subtracted.",
    "dx = dy - (dy * y).sum(axis=-1, keepdims=True)": "factor y missing: all of it must be multiplied with "
    "y.",
    "dx = dy * y * (1 - y) - y * (dy * y).sum(axis=-1, keepdims=True)": "counted twice: the term of each "
    "x on its own y is subtracted twice.",
    "dx = dy - y": "loss: this is the gradient of a loss, not of softmax alone.",
    "dx = dy / y": "reciprocal: dy is divided by y; it must be multiplied.",
    "dx = dy * (1 - y)": "factor y missing: the factor y is missing, and the other outputs of the row are "
    "left out.",
}
LESSON = (
    "Only the diagonal was computed; the effect of the other inputs was missing. A similar bug: "
    "https://github.com/deeplearning4j/libnd4j/issues/440"
)


def opening():
    share = accuracy(last=(Softmax(),), loss=cross_entropy)
    return (
        f"With this softmax the trace classifier is correct on {share:.0%} of the test set. Which line is "
        "incorrect?"
    )


def case(draw):
    x = draw.array(draw(1, 3), draw(2, 4))
    return layer("Softmax", {}, x / 4 if draw.is_small else x)
