# Puzzle 36, after docs/08-is-it-right.md
"""Find the bug: max pooling

In the classifier its windows stand side by side, and all is well. It is wrong all the same. Where?
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
            winner = start + x[:, start : start + self.pool_size].argmax(axis=1)  # (N, C)
            dx[n, winner, c] = dy[:, m]
        return dx, {}


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
