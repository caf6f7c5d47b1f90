"""Max pooling with overlapping windows, backward

    y[n,m,c] = max over j < P of  x[n, m S + j, c]

The maximum of a window receives the gradient of its output. If S is smaller than P, a sample may be
the maximum of several windows. Of equal samples, the first counts as the maximum and receives the
whole gradient.

`n` and `c` are index arrays of shapes (N, 1) and (1, C): dx[n, index, c] with an index array
(N, C) picks one sample for each trace and channel.
"""

import numpy as np

from numpycnn import Layer


class MaxPool(Layer):
    def __init__(self, pool_size, stride):
        super().__init__()
        self.pool_size, self.stride = pool_size, stride

    def windows(self, x):
        n_windows = (x.shape[1] - self.pool_size) // self.stride + 1
        starts = [m * self.stride for m in range(n_windows)]
        return np.stack([x[:, s : s + self.pool_size] for s in starts], axis=1)  # (N, M, P, C)

    def forward(self, x):
        return self.windows(x).max(axis=2), x

    def backward(self, dy, cache):
        x = cache
        dx = np.zeros(x.shape)
        argmax = self.windows(x).argmax(axis=2)  # (N, M, C): its position in the window, 0 … P - 1
        n, c = np.ogrid[: dy.shape[0], : dy.shape[2]]  # so that dx[n, index, c] is (N, C)
        for m in range(dy.shape[1]):
            ...  # add dy[:, m] (N, C) to dx at the maximum of window m
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Every layer in NumPy"
HINTS = (
    "argmax counts from the beginning of the window. Where is that in the trace?",
    "dx[n, index, c] with index = m * self.stride + argmax[:, m].",
    "A sample may be the maximum of two windows.",
)
SOLUTION = "dx[n, m * self.stride + argmax[:, m], c] += dy[:, m]"
FORMS = (
    "np.add.at(dx, (n, m * self.stride + argmax[:, m], c), dy[:, m])",
    "for j in range(self.pool_size):\n    dx[:, m * self.stride + j] += dy[:, m] * (argmax[:, m] == j)",
)
_WINDOW = "window = slice(m * self.stride, m * self.stride + self.pool_size)\n"
WRONG = {
    "dx[n, m * self.stride + argmax[:, m], c] = dy[:, m]": "overwritten: where windows overlap only the "
    "last window is left. Add with `+=`.",
    "dx[n, argmax[:, m], c] += dy[:, m]": "start missing: argmax counts from the beginning of the "
    "window. Add m * self.stride.",
    "dx[n, argmax[:, m], c] = dy[:, m]": "start missing: argmax counts from the beginning of the "
    "window. Add m * self.stride, and add with `+=`.",
    "dx[n, m + argmax[:, m], c] += dy[:, m]": "stride missing: window m begins at m * self.stride, not "
    "at m.",
    "dx[n, m * self.pool_size + argmax[:, m], c] += dy[:, m]": "stride: window m begins at m * "
    "self.stride, not at m * self.pool_size.",
    "dx[n, m * self.stride, c] += dy[:, m]": "first sample: the gradient goes to the first sample of "
    "each window; it must go to the maximum.",
    "dx[n, m * self.stride + self.pool_size - 1, c] += dy[:, m]": "last sample: the gradient goes to "
    "the last sample of each window; it must go to the maximum.",
    "dx[:, m * self.stride : m * self.stride + self.pool_size] += dy[:, m : m + 1]": "all samples: the "
    "gradient goes to all samples of the window; it must go to the maximum only.",
    _WINDOW
    + "dx[:, window] += dy[:, m : m + 1] / self.pool_size": "average pooling: the gradient is "
    "divided among all samples of the window; it must go to the maximum only.",
    _WINDOW + "top = x[:, window].max(axis=1, keepdims=True)\n"
    "dx[:, window] += dy[:, m : m + 1] * (x[:, window] == top)": "ties: each of several equal maxima "
    "receives the whole gradient; only the first may.",
    _WINDOW + "top = x[:, window].max(axis=1, keepdims=True)\nis_max = x[:, window] == top\n"
    "dx[:, window] += dy[:, m : m + 1] * is_max / is_max.sum(axis=1, keepdims=True)": "ties: several equal "
    "maxima share the gradient; the first must receive all.",
    "at = m * self.stride + self.pool_size - 1 - self.windows(x)[:, m, ::-1].argmax(axis=1)\n"
    "dx[n, at, c] += dy[:, m]": "ties: of several equal maxima the last receives the gradient; it must "
    "be the first.",
    "dx[n, m * self.stride + argmax[:, m], c] += dy[:, m] / self.pool_size": "averaged: the gradient is "
    "divided by the pool size. The slope of a maximum is 1.",
    "dx[n, m * self.stride + argmax[:, m], c] += 1": "dy ignored",
    "dx[n, m * self.stride + argmax[:, m], c] -= dy[:, m]": "sign",
    "dx[n, m * self.stride + argmax[:, m], c] += dy[:, 0]": "first window: every window uses the dy of the "
    "first one.",
    "dx[n, m * self.stride + argmax[:, m], c] += dy[:, m] * self.windows(x)[:, m].max(axis=1)": "value: "
    "the slope of a maximum is 1, not its value.",
    "at = m * self.stride + self.windows(x)[:, m].argmin(axis=1)\ndx[n, at, c] += dy[:, m]": "minimum: "
    "the gradient goes to the minimum of the window.",
}
LESSON = (
    "The maximum receives all of dy. The gradients are added where a sample is the maximum of two "
    "windows. Of equal samples, one receives the gradient."
)


def case(draw):
    options = {"pool_size": draw(2, 3), "stride": draw(1, 4)}
    shape = draw(1, 3), draw(options["pool_size"] + 1, options["pool_size"] + 5), draw(1, 2)
    return layer("MaxPool", options, draw.ties(*shape) if draw(0, 2) == 0 else draw.array(*shape))
