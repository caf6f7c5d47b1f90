"""Batch normalisation, backwards

For each channel, over all R samples of all traces:

    m = mean of x        v = mean of (x - m)²        z = (x - m) / sqrt(v + eps)

One x moves its own z. It moves the mean, too, and the variance, and with them every z of its
channel. So there are three terms. Two of them are what people forget.
"""

import numpy as np

from numpycnn import Layer


class BatchNorm(Layer):
    def forward(self, x):
        m = x.mean(axis=(0, 1))
        s = np.sqrt(((x - m) ** 2).mean(axis=(0, 1)) + 1e-5)
        z = (x - m) / s
        return z, (z, s)

    def backward(self, dy, cache):
        z, s = cache  # (N, L, C) and (C,)
        dx = ...  # (N, L, C), from dy, z and s
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "If m and v were constants: dy / s. What m does to all is taken off as the mean of dy.",
    "What v does to all: z times the mean of dy z.",
    "All means are over the axes 0 and 1, and all three terms are divided by s.",
)
SOLUTION = "(dy - dy.mean(axis=(0, 1)) - z * (dy * z).mean(axis=(0, 1))) / s"
WRONG = {
    "dy / s": "batch mean and variance",
    "(dy - dy.mean(axis=(0, 1))) / s": "batch variance",
    "(dy - z * (dy * z).mean(axis=(0, 1))) / s": "batch mean",
    "dy - dy.mean(axis=(0, 1)) - z * (dy * z).mean(axis=(0, 1))": "unknown",
    "(dy - dy.mean() - z * (dy * z).mean()) / s": "batch mean and variance",
    "(dy - dy.sum(axis=(0, 1)) - z * (dy * z).sum(axis=(0, 1))) / s": "batch mean and variance",
}
LESSON = (
    "Raise all x of a channel alike, and nothing changes: so dx sums to zero over each channel."
)


def case(part, draw):
    return part.BatchNorm(), draw.array(draw(2, 3), draw(2, 4), draw(1, 2))


def check(answer, right):
    check_layers(answer, right, case)
