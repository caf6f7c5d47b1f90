"""Batch normalization, backward

For each channel, over all R samples of all traces:

    m = mean of x        v = mean of (x - m)²        z = (x - m) / sqrt(v + eps)

Each x affects its own z and, through the mean and the variance, every z of its channel. The
gradient therefore has three terms; two of them are often forgotten.
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
        dx = ...  # the gradient with respect to x, shape (N, L, C), from dy, z and s
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "The backward pass"
HINTS = (
    "If m and v were constant: dy / s. The effect through m subtracts the mean of dy.",
    "The effect through v subtracts z times the mean of dy z.",
    "All means are over the axes 0 and 1, and all three terms are divided by s.",
)
SOLUTION = "(dy - dy.mean(axis=(0, 1)) - z * (dy * z).mean(axis=(0, 1))) / s"
FORMS = (
    "dy / s - dy.mean((0, 1)) / s - z * np.mean(dy * z, axis=(0, 1)) / s",
    "(dy - (dy.sum(axis=(0, 1)) + z * np.einsum('nlc,nlc->c', dy, z)) / (dy.shape[0] * dy.shape[1])) / s",
)
_M, _V = "dy.mean(axis=(0, 1))", "z * (dy * z).mean(axis=(0, 1))"
WRONG = {
    "dy / s": "mean and variance: two terms are missing, those through the mean and the variance.",
    f"(dy - {_M}) / s": "variance: the term through the variance is missing.",
    f"(dy - {_V}) / s": "mean: the term through the mean is missing.",
    f"dy - {_M} - {_V}": "division missing: the division by s is missing.",
    f"(dy - {_M} - {_V}) * s": "multiplied: it is multiplied with s; divide by s.",
    f"(dy - {_M} - {_V}) / s**2": "divided twice: it is divided by s twice: s is the standard deviation.",
    f"(dy - {_M} - {_V}) / np.sqrt(s)": "root: s is the standard deviation already. Do not take the root.",
    f"(dy + {_M} + {_V}) / s": "sign of two terms: both means are subtracted, not added.",
    f"(dy - {_M} + {_V}) / s": "sign of a term: the term through the variance is subtracted.",
    f"(dy + {_M} - {_V}) / s": "sign of a term: the term through the mean is subtracted.",
    f"(dy - {_M}) / s - {_V}": "parentheses: the term through the variance must be divided by s, too.",
    f"dy / s - {_M} - {_V}": "parentheses: all three terms must be divided by s.",
    f"(dy - {_M} - (dy * z).mean(axis=(0, 1))) / s": "factor z missing: the term through the variance must be "
    "multiplied with z.",
    f"(dy - {_M} - z * dy.mean(axis=(0, 1))) / s": "z missing: the term through the variance contains the "
    "mean of dy z, not of dy.",
    f"(dy - {_M} - 2 * {_V}) / s": "factor 2: the factor 2 of the square cancels with the root.",
    "(dy - dy.mean() - z * (dy * z).mean()) / s": "channels mixed: the means are over all channels; each "
    "channel has its own: axes 0 and 1.",
    "(dy - dy.mean(axis=0) - z * (dy * z).mean(axis=0)) / s": "wrong axes: the means are over the traces "
    "only; they must be over traces and samples, axes 0 and 1.",
    "(dy - dy.mean(axis=1, keepdims=True) - z * (dy * z).mean(axis=1, keepdims=True)) / s": "wrong axes: the "
    "means are over the samples only; they must be over traces and samples, axes 0 and 1.",
    "(dy - dy.sum(axis=(0, 1)) - z * (dy * z).sum(axis=(0, 1))) / s": "sums: the means are replaced by sums.",
    "dy": "derivative missing",
    "z": "forward: this is z, the output of forward.",
    f"-(dy - {_M} - {_V}) / s": "sign",
}
LESSON = "Adding a constant to all x of a channel does not change y, so dx sums to zero over each channel."


def case(draw):
    return layer("BatchNorm", {}, draw.array(draw(1, 3), draw(3, 5), draw(1, 2)))
