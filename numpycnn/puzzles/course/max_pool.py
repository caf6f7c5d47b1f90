"""Max pooling with windows that overlap, backwards

    y[n,m,c] = max over j < P of  x[n, m S + j, c]

The winner of a window gets what comes back to it. With S below P a sample may win several windows.
Of equal samples the first wins.
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
        winner = self.windows(x).argmax(axis=2)  # (N, M, C): its place in the window, 0 … P - 1
        n, c = np.ogrid[: dy.shape[0], : dy.shape[2]]  # so that dx[n, place, c] is (N, C)
        for m in range(dy.shape[1]):
            ...  # dy[:, m] (N, C) goes to the winner of window m
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "winner counts from where the window begins. Where is that in the trace?",
    "dx[n, place, c] with place = m * self.stride + winner[:, m].",
    "And a sample may win twice.",
)
SOLUTION = "dx[n, m * self.stride + winner[:, m], c] += dy[:, m]"
WRONG = {
    "dx[n, m * self.stride + winner[:, m], c] = dy[:, m]": "overwritten",
    "dx[n, winner[:, m], c] += dy[:, m]": "misplaced",
    "dx[n, m + winner[:, m], c] += dy[:, m]": "misplaced",
    "dx[:, m * self.stride : m * self.stride + self.pool_size] += dy[:, m : m + 1]": "mask missing",
    "window = slice(m * self.stride, m * self.stride + self.pool_size)\n"
    "dx[:, window] += dy[:, m : m + 1] / self.pool_size": "misplaced",
    "window = slice(m * self.stride, m * self.stride + self.pool_size)\n"
    "top = x[:, window].max(axis=1, keepdims=True)\n"
    "dx[:, window] += dy[:, m : m + 1] * (x[:, window] == top)": "ties",
}
LESSON = "All to the winner, added up where it won twice, and to one alone where two are equal."


def case(part, draw):
    pool_size, stride = draw(2, 3), draw(1, 3)
    shape = draw(1, 2), draw(pool_size + 2, pool_size + 5), draw(1, 2)
    x = draw.ties(*shape) if draw(0, 3) == 0 else draw.array(*shape)
    return part.MaxPool(pool_size, stride), x


def check(answer, right):
    check_layers(answer, right, case)
