"""Find the bug: max pooling

It works in the classifier, where windows do not overlap, but one line is incorrect. Find it and fix
it. Of equal samples, the first counts as the maximum and receives the whole gradient.
"""

import numpy as np

from numpycnn import Layer


class MaxPool(Layer):
    def __init__(self, pool_size, stride=None):
        super().__init__()
        self.pool_size, self.stride = pool_size, stride or pool_size

    def starts(self, x):
        return range(0, x.shape[1] - self.pool_size + 1, self.stride)

    def forward(self, x):
        windows = [x[:, s : s + self.pool_size] for s in self.starts(x)]
        return np.stack([window.max(axis=1) for window in windows], axis=1), x

    def backward(self, dy, cache):
        x = cache
        dx = np.zeros_like(x)
        n, c = np.ogrid[: x.shape[0], : x.shape[2]]
        for m, start in enumerate(self.starts(x)):
            argmax = start + x[:, start : start + self.pool_size].argmax(axis=1)  # (N, C)
            dx[n, argmax, c] = dy[:, m]
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "The checker"
GAP = "dx[n, argmax, c] = dy[:, m]"
HINTS = (
    "With which stride can a sample be the maximum of two windows?",
    "Does dx keep the value that an earlier window wrote there?",
)
SOLUTION = "dx[n, argmax, c] += dy[:, m]"
FORMS = (
    "np.add.at(dx, (n, argmax, c), dy[:, m])",
    "dx[n, argmax, c] = dx[n, argmax, c] + dy[:, m]",
)
_WINDOW = "window = slice(start, start + self.pool_size)\n            "
WRONG = {
    "dx[n, argmax, c] = dx[n, argmax, c] * dy[:, m]": "zero",
    "dx[n, argmax, c] = np.maximum(dx[n, argmax, c], dy[:, m])": "maximum of dy: of the contributions of "
    "several windows, and of zero, the largest is kept; they must be added.",
    "dx[n, argmax, c] -= dy[:, m]": "sign",
    "dx[n, argmax - start, c] += dy[:, m]": "start subtracted: argmax already counts from the beginning of "
    "the trace.",
    "dx[n, start, c] += dy[:, m]": "first sample: the gradient goes to the first sample of each window; it "
    "must go to the maximum.",
    "dx[n, argmax, c] += dy[:, m] / self.pool_size": "averaged: the gradient is divided by the pool size. "
    "The slope of a maximum is 1.",
    "dx[n, argmax, c] = dy[:, m] / self.pool_size": "averaged: the gradient is divided by the pool size, and "
    "overwritten where windows overlap.",
    "dx[n, argmax, c] += 1": "dy ignored",
    "dx[n, argmax, c] += dy[:, 0]": "first window: every window uses the dy of the first one.",
    "dx[n, argmax, c] = dy[:, m] + dy[:, m - 1]": "neighbor: the dy of the window before is added, whether "
    "or not the sample is its maximum.",
    "dx[:, start : start + self.pool_size] += dy[:, m : m + 1]": "all samples: the gradient goes to all "
    "samples of the window; it must go to the maximum only.",
    "dx[:, start : start + self.pool_size] += dy[:, m : m + 1] / self.pool_size": "average pooling: the "
    "gradient is divided among all samples of the window; it must go to the maximum only.",
    "window = x[:, start : start + self.pool_size]\nis_max = window == window.max(axis=1, keepdims=True)\n"
    "dx[:, start : start + self.pool_size] += is_max * dy[:, m : m + 1]": "ties: each of several equal maxima "
    "receives the whole gradient; only the first may.",
    "window = x[:, start : start + self.pool_size]\nis_max = window == window.max(axis=1, keepdims=True)\n"
    "dx[:, start : start + self.pool_size] += is_max * dy[:, m : m + 1] / is_max.sum(axis=1, keepdims=True)": (
        "ties: several equal maxima share the gradient; the first must receive all."
    ),
    "dx[n, argmax, c] += dy[:, m] * (dx[n, argmax, c] == 0)": "first window kept: where windows overlap only "
    "the first one is kept; they must be added.",
}
LESSON = (
    "If windows do not overlap, no sample is the maximum of two, and `=` does the same as `+=`. A similar bug: "
    "https://github.com/0809zheng/CS231n-assignment2019/issues/19"
)


def opening():
    return (
        f"With this pooling the trace classifier is correct on {accuracy(pool=MaxPool):.0%} of the test "
        "set. Which line is incorrect?"
    )


def case(draw):
    options = {"pool_size": draw(2, 4), "stride": draw(1, 4)}
    shape = draw(1, 2), draw(options["pool_size"] + 1, options["pool_size"] + 5), draw(1, 2)
    return layer("MaxPool", options, draw.ties(*shape) if draw(0, 2) == 1 else draw.array(*shape))
