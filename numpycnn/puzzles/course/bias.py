"""A bias, backward

    y[n,m,f] = x[n,m,f] + b[f]

One number is added to all samples of all traces of a channel. It is the simplest parameter, and the
one whose gradient is most often incorrect.
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
        db = ...  # the gradient with respect to b, shape (F,), from dy (N, M, F)
        return dy, {"b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "The method"
HINTS = (
    "Every y[n,m,f] depends on b[f], each with the slope 1.",
    "Sum over the two axes that b does not have.",
)
SOLUTION = "dy.sum(axis=(0, 1))"
FORMS = ("dy.reshape(-1, self.filters).sum(axis=0)", "np.einsum('nmf->f', dy)")
WRONG = {
    "dy.mean(axis=(0, 1))": "bias averaged: this is the mean over the traces and samples; it must be "
    "the sum. dy already contains every division.",
    "dy.sum(axis=(0, 1)) / len(dy)": "bias averaged: the sum is divided by the number of traces. dy "
    "already contains every division.",
    "dy.sum(axis=(0, 1)) / dy.shape[1]": "bias averaged: the sum is divided by the number of samples. "
    "Do not divide.",
    "dy.sum(axis=(0, 1)) / self.filters": "bias averaged: the sum is divided by the number of channels. "
    "Do not divide.",
    "dy[0].sum(axis=0)": "first trace: only the first trace is summed; b is added to all traces.",
    "dy[:, 0].sum(axis=0)": "first sample: only the first sample of each trace is summed.",
    "dy[:, -1].sum(axis=0)": "last sample: only the last sample of each trace is summed.",
    "dy[-1].sum(axis=0)": "last trace: only the last trace is summed; b is added to all traces.",
    "dy.sum(axis=0)": "wrong shape",
    "dy.sum(axis=1)": "wrong shape",
    "dy.sum()": "wrong shape",
    "dy.sum() * np.ones(self.filters)": "all channels: dy is summed over the channels as well. Each "
    "channel has its own bias.",
    "dy": "wrong shape",
    "np.ones(self.filters) * dy.shape[0] * dy.shape[1]": "dy ignored",
    "np.ones(self.filters)": "dy ignored: db is 1 whatever dy is: the slope of y is 1, and it must be "
    "multiplied with dy and summed.",
    "np.zeros(self.filters)": "zero",
    "-dy.sum(axis=(0, 1))": "sign",
    "dy.max(axis=(0, 1))": "maximum: this is the maximum of dy; it must be the sum.",
    "np.abs(dy).sum(axis=(0, 1))": "magnitudes: the magnitudes are summed; dy keeps its sign.",
}
LESSON = "A sum, not a mean: dy already contains the division by N of the loss."


def case(draw):
    filters = draw(1, 3)
    return layer("Bias", {"filters": filters}, draw.array(draw(1, 4), draw(1, 5), filters))
