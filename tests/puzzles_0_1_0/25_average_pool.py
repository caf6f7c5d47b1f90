# Puzzle 25, after docs/05b-transpose.md
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
            dx[:, window] = dy[:, m : m + 1] / self.pool_size  # dx[:, window] (N, P, C) gets its share of dy[:, m : m + 1] (N, 1, C)
        return dx, {}


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
