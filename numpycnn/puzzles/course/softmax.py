"""Softmax, backward

    y[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])

If one x increases, its own y increases and the other y of the row decrease. The slopes are

    dy[n,i]/dx[n,j]  =  y[n,i] ((1 if i = j else 0) - y[n,j])

and the gradient is a sum over i. Write the sum out, and simplify it.
"""

import numpy as np

from numpycnn import Layer


class Softmax(Layer):
    def forward(self, x):
        exps = np.exp(x - x.max(axis=1, keepdims=True))
        y = exps / exps.sum(axis=1, keepdims=True)
        return y, y

    def backward(self, dy, cache):
        y = cache
        dx = ...  # the gradient with respect to x, shape (N, D), from dy and y
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Every layer in NumPy"
HINTS = (
    "dx[j] = sum over i of dy[i] y[i] (i = j) minus the sum over i of dy[i] y[i] y[j].",
    "Factor y[j] out: dx[j] = y[j] times (dy[j] minus one number for the whole row).",
    "That number is the mean of dy in the row, weighted with y; keepdims=True keeps it a column.",
)
SOLUTION = "y * (dy - (dy * y).sum(axis=1, keepdims=True))"
FORMS = (
    "y * dy - y * np.einsum('nd,nd->n', dy, y)[:, None]",
    "np.stack([(np.diag(p) - np.outer(p, p)) @ d for p, d in zip(y, dy)])",
)
WRONG = {
    "dy * y * (1 - y)": "cross terms missing: this is the effect of each x on its own y only. x also "
    "lowers the other y of the row.",
    "dy": "derivative missing",
    "y * dy": "cross terms missing: the second term, y times a sum over the row, is missing.",
    "y * (1 - y)": "dy ignored: this does not depend on dy, and the other y of the row are left out.",
    "y": "forward: this is y, the output of forward.",
    "y * ((dy * y).sum(axis=1, keepdims=True) - dy)": "sign",
    "y * (dy - dy.mean(axis=1, keepdims=True))": "plain mean: the mean of dy in the row must be weighted "
    "with y.",
    "y * (dy - dy.sum(axis=1, keepdims=True))": "not weighted: the sum of dy in the row must be weighted "
    "with y.",
    "y * (dy - (dy * y).mean(axis=1, keepdims=True))": "mean for sum: the weighted mean is the sum of "
    "dy y, without a division by D: the weights y already sum to one.",
    "dy - (dy * y).sum(axis=1, keepdims=True)": "factor y missing: all of it must be multiplied with y.",
    "y * (dy - (dy * y).sum())": "whole batch: the sum runs over all rows; each row has its own.",
    "y * (dy - (dy * y).sum(axis=0))": "wrong axis: the sum runs over the traces; it must run over the "
    "row, axis 1.",
    "y * (dy - y.sum(axis=1, keepdims=True))": "dy missing: the sum over the row is of dy y, not of y.",
    "y * (dy + (dy * y).sum(axis=1, keepdims=True))": "sign of a term: the sum over the row is "
    "subtracted.",
    "dy - y": "loss: y minus something is the gradient of the cross-entropy with softmax, not of "
    "softmax alone.",
    "y - dy": "loss: y minus the labels is the gradient of the cross-entropy with softmax, not of "
    "softmax alone.",
    "y * (y - (y * y).sum(axis=1, keepdims=True))": "y for dy: y is used in place of dy.",
    "y * (1 - y) * dy - y * (dy * y).sum(axis=1, keepdims=True)": "counted twice: the term i = j of the "
    "sum is subtracted twice.",
}
LESSON = (
    "If dy is the same for all classes, dx is zero: the probabilities sum to one whatever x is."
)


def case(draw):
    x = draw.array(draw(1, 3), draw(2, 4))
    return layer("Softmax", {}, x / 4 if draw.is_small else x)
