"""Average pooling, backward

    y[n,m,c] = 1/P  sum over j < P of  x[n, m S + j, c]

A window of P samples begins at every S-th sample. If S is smaller than P the windows overlap; if S
is larger than P, some samples are in no window.
"""

import numpy as np

from numpycnn import Layer


class AveragePool(Layer):
    def __init__(self, pool_size, stride):
        super().__init__()
        self.pool_size, self.stride = pool_size, stride

    def forward(self, x):
        n_windows = (x.shape[1] - self.pool_size) // self.stride + 1
        starts = [m * self.stride for m in range(n_windows)]
        y = np.stack([x[:, s : s + self.pool_size].mean(axis=1) for s in starts], axis=1)
        return y, x.shape

    def backward(self, dy, cache):
        dx = np.zeros(cache)
        for m in range(dy.shape[1]):
            window = slice(m * self.stride, m * self.stride + self.pool_size)
            ...  # add to dx[:, window] (N, P, C) the contribution of dy[:, m : m + 1] (N, 1, C)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Derivation"
HINTS = (
    "Differentiate the mean with respect to one sample of the window.",
    "A sample may be in several windows, and receives a contribution from each.",
)
SOLUTION = "dx[:, window] += dy[:, m : m + 1] / self.pool_size"
FORMS = (
    "for i in range(self.pool_size):\n    dx[:, m * self.stride + i] += dy[:, m] / self.pool_size",
    "dx[:, window] = dx[:, window] + np.repeat(dy[:, m : m + 1], self.pool_size, axis=1) / self.pool_size",
)
WRONG = {
    "dx[:, window] = dy[:, m : m + 1] / self.pool_size": "overwritten: where windows overlap only the "
    "last window is left. Add with `+=`.",
    "dx[:, window] = dy[:, m : m + 1]": "overwritten: where windows overlap only the last window is left, "
    "and the division by the pool size is missing.",
    "dx[:, window] += dy[:, m : m + 1]": "mean missing: too large by the factor pool_size: the slope of "
    "a mean of P samples is 1 / P.",
    "dx[:, window] += dy[:, m : m + 1] * self.pool_size": "multiplied: dy is multiplied with the pool "
    "size; divide by it.",
    "dx[:, window] += dy[:, m : m + 1] / self.stride": "wrong divisor: it is divided by the stride. The "
    "mean is over pool_size samples.",
    "dx[:, window] += dy[:, m : m + 1] / len(dy)": "wrong divisor: it is divided by the number of "
    "traces. The mean is over pool_size samples.",
    "dx[:, window] += dy[:, m : m + 1] / dy.shape[1]": "wrong divisor: it is divided by the number of "
    "windows. The mean is over pool_size samples.",
    "dx[:, m * self.stride] += dy[:, m]": "first sample: only the first sample of each window receives "
    "dy. Every sample of the window contributes to the mean.",
    "dx[:, m * self.stride] += dy[:, m] / self.pool_size": "first sample: only the first sample of each "
    "window receives its contribution. Every sample of the window contributes to the mean.",
    "dx[:, window] += dy[:, m : m + 1].mean() / self.pool_size": "mixed: dy is averaged over the traces "
    "and channels. Each has its own.",
    "dx[:, window] += dy[:, m : m + 1].mean(axis=0) / self.pool_size": "mixed: dy is averaged over the "
    "traces. Each trace has its own.",
    "dx[:, window] -= dy[:, m : m + 1] / self.pool_size": "sign",
    "dx[:, window] += 1 / self.pool_size": "dy ignored",
    "dx[:, window] += dy[:, :1] / self.pool_size": "first window: every window uses the dy of the first "
    "one.",
    "dx[:, m : m + self.pool_size] += dy[:, m : m + 1] / self.pool_size": "stride ignored: window m "
    "begins at m * self.stride, not at m.",
    "dx[:, window] += dy[:, m] / self.pool_size": "axis lost: dy[:, m] has lost its second axis, "
    "so that traces are taken for samples. Use dy[:, m : m + 1].",
    "dx[:, window].mean(axis=1)": "zero",
}
LESSON = "Forward reads a window; backward adds to the same window, with the same factor."


def case(draw):
    options = {"pool_size": draw(2, 4), "stride": draw(1, 5)}
    x = draw.array(draw(1, 3), draw(options["pool_size"] + 1, options["pool_size"] + 6), draw(1, 2))
    return layer("AveragePool", options, x)
