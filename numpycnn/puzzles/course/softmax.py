"""Softmax, backwards

    y[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])

One x moves all the y of its row: its own up, the others down. With the slopes

    dy[n,i]/dx[n,j]  =  y[n,i] ((1 if i = j else 0) - y[n,j])

the gradient is a sum over i. Write it out, and it becomes short.
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
        dx = ...  # (N, D), from dy and y
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "dx[j] = sum over i of dy[i] y[i] (i = j) minus the sum over i of dy[i] y[i] y[j].",
    "Take y[j] out of both: dx[j] = y[j] times (dy[j] minus a number of the whole row).",
    "That number is the mean of dy in the row, weighted with y; keepdims=True keeps it a column.",
)
SOLUTION = "y * (dy - (dy * y).sum(axis=1, keepdims=True))"
WRONG = {
    "dy * y * (1 - y)": "cross terms missing",
    "dy": "derivative missing",
    "y * dy": "unknown",
    "y * ((dy * y).sum(axis=1, keepdims=True) - dy)": "sign",
    "y * (dy - dy.mean(axis=1, keepdims=True))": "unknown",
    "dy - (dy * y).sum(axis=1, keepdims=True)": "unknown",
    "y * (1 - y)": "unknown",
}
LESSON = (
    "If dy is the same for all classes, dx is zero: the probabilities sum to one whatever you do."
)


def case(part, draw):
    return part.Softmax(), draw.array(draw(1, 3), draw(2, 4))


def check(answer, right):
    check_layers(answer, right, case)
