"""A bias over a batch

    y[n,m,f] = x[n,m,f] + b[f]

One number is added to all samples of all traces of a channel. It is the simplest weight there
is, and the one that is most often got wrong.
"""

import numpy as np

from numpycnn import Layer


class Bias(Layer):
    def __init__(self, filters):
        super().__init__(b=np.zeros(filters, np.float32))
        self.filters = filters

    def forward(self, x):
        return x + self.params["b"], None

    def backward(self, dy, cache):
        db = ...  # (F,), from dy (N, M, F)
        return dy, {"b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "b[f] touches every y[n,m,f], each with the slope 1.",
    "Sum, over the two axes that b does not have.",
)
SOLUTION = "dy.sum(axis=(0, 1))"
WRONG = {
    "dy.mean(axis=(0, 1))": "bias averaged",
    "dy.sum(axis=(0, 1)) / len(dy)": "bias averaged",
    "dy.sum(axis=1).mean(axis=0)": "bias averaged",
    "dy[0].sum(axis=0)": "only one share",
    "dy[:, 0].sum(axis=0)": "overwritten",
    "dy.sum(axis=0)": "wrong shape",
    "np.ones(self.filters) * dy.shape[0] * dy.shape[1]": "dy ignored",
}
LESSON = "A sum, and never a mean: the loss has divided by N already, and that is in dy."


def case(part, draw):
    filters = draw(1, 3)
    return part.Bias(filters), draw.array(draw(2, 4), draw(2, 5), filters)


def check(answer, right):
    check_layers(answer, right, case)
