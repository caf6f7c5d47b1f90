"""Average pooling, backwards

    y[n,m,c] = 1/P  sum over j < P of  x[n, m S + j, c]

Windows of P samples begin at every S-th sample. With S below P they overlap; with S above P there
are samples that no window covers.
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
            ...  # dx[:, window] (N, P, C) gets its share of dy[:, m : m + 1] (N, 1, C)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "With which slope does a sample of the window go into its mean?",
    "A sample may lie in several windows, and gets something from each.",
)
SOLUTION = "dx[:, window] += dy[:, m : m + 1] / self.pool_size"
WRONG = {
    "dx[:, window] = dy[:, m : m + 1] / self.pool_size": "overwritten",
    "dx[:, window] += dy[:, m : m + 1]": "mean missing",
    "dx[:, window] += dy[:, m : m + 1] / self.stride": "factor",
    "dx[:, m * self.stride] += dy[:, m]": "misplaced",
    "dx[:, window] += dy[:, m : m + 1].mean() / self.pool_size": "unknown",
    "dx[:, window] -= dy[:, m : m + 1] / self.pool_size": "sign",
}
LESSON = "Forward reads a window; backward adds to the same window, with the same factor."


def case(part, draw):
    pool_size, stride = draw(2, 4), draw(1, 3)
    x = draw.array(draw(1, 3), draw(pool_size + 1, pool_size + 5), draw(1, 2))
    return part.AveragePool(pool_size, stride), x


def check(answer, right):
    check_layers(answer, right, case)
