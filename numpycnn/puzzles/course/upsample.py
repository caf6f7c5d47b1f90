"""Upsampling, backward

    y[n, i R + j, c] = x[n,i,c],    j = 0 … R - 1

Each sample is repeated R times, which restores the length of a pooled map.
"""

import numpy as np

from numpycnn import Layer


class Upsample(Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return np.repeat(x, self.factor, axis=1), x.shape

    def backward(self, dy, cache):
        n, length, channels = cache
        dx = ...  # the gradient with respect to x, shape (N, L, C), from dy (N, L R, C)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "U-Net, 2015"
HINTS = (
    "R neighboring y depend on one x, each with the slope 1.",
    "Reshape dy to (N, L, R, C), and sum over one axis.",
)
SOLUTION = "dy.reshape(n, length, self.factor, channels).sum(axis=2)"
FORMS = (
    "sum(dy[:, j :: self.factor] for j in range(self.factor))",
    "np.add.reduceat(dy, np.arange(0, dy.shape[1], self.factor), axis=1)",
)
_R = "dy.reshape(n, length, self.factor, channels)"
WRONG = {
    f"{_R}.mean(axis=2)": "averaged: the copies are averaged; their gradients must be summed.",
    "dy[:, :: self.factor]": "first copy: only the first copy of each sample counts; the gradients of all "
    "R copies must be summed.",
    "dy[:, self.factor - 1 :: self.factor]": "last copy: only the last copy of each sample counts; the "
    "gradients of all R copies must be summed.",
    "dy[:, :length]": "first samples: these are the first L samples of dy; sum R neighboring ones.",
    "self.factor * dy[:, :: self.factor]": "first copy: the first copy of each sample is multiplied with R; "
    "sum the gradients of all R copies.",
    "dy.reshape(n, self.factor, length, channels).sum(axis=1)": "axis order: samples that are L apart are "
    "summed; the R copies of a sample are neighbors.",
    f"{_R}.max(axis=2)": "maximum: of the copies the largest gradient is kept; they must be summed.",
    f"{_R}.sum(axis=1)": "wrong axis: it is summed over the samples; sum over the R copies, axis 2.",
    f"{_R}.sum(axis=2) / n": "averaged: it is divided by the number of traces. Do not divide.",
    f"{_R}.sum(axis=2) / length": "averaged: it is divided by the number of samples. Do not divide.",
    f"{_R}.sum(axis=(2, 3))[..., None] * np.ones(channels)": "channels summed: it is summed over the "
    "channels as well. Each channel has its own gradient.",
    "np.cumsum(dy, axis=1)[:, self.factor - 1 :: self.factor]": "cumulative: the sums include all samples "
    "before.",
    "self.factor * np.ones(cache)": "dy ignored",
    "np.ones(cache)": "dy ignored: dx is 1 whatever dy is.",
    "dy": "wrong shape",
    "np.repeat(dy, self.factor, axis=1)": "forward: dy is repeated as in forward; backward sums.",
    f"-{_R}.sum(axis=2)": "sign",
}
LESSON = "The gradients of copies are summed; the gradient of a sum is copied to its terms."


def case(draw):
    factor = draw(2, 4)
    x = draw.array(draw(1, 3), draw(1, 4), draw(1, 2))
    return layer("Upsample", {"factor": factor}, x)
