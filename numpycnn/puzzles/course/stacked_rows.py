"""Rows beside each other, backwards

A filter in two directions is one in one direction, over rows that lie beside each other: row i
gets the channels of the rows i, i + 1, … i + K - 1.

    y[n, i, j, a C + c] = x[n, i + a, j, c],    a = 0 … K - 1

A row of the picture was laid down K times, at the ends less often. What comes back to it?
"""

import numpy as np

from numpycnn import Layer


class StackedRows(Layer):
    def __init__(self, taps):
        super().__init__()
        self.taps = taps

    def forward(self, x):
        n_rows = x.shape[1] - self.taps + 1
        y = np.concatenate([x[:, a : a + n_rows] for a in range(self.taps)], axis=-1)
        return y, x.shape  # (N, H - K + 1, W, K C)

    def backward(self, dy, cache):
        dx = np.zeros(cache)  # (N, H, W, C)
        n_rows, c = dy.shape[1], cache[3]
        for a in range(self.taps):
            ...  # the channels a C … a C + C - 1 of dy go back to the rows they came from
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "Forward read x[:, a : a + n_rows]. Backward adds to the same rows of dx.",
    "The channels of step a are dy[..., a * c : (a + 1) * c].",
)
SOLUTION = "dx[:, a : a + n_rows] += dy[..., a * c : (a + 1) * c]"
WRONG = {
    "dx[:, a : a + n_rows] = dy[..., a * c : (a + 1) * c]": "overwritten",
    "dx[:, a : a + n_rows] += dy[..., :c]": "unknown",
    "dx[:, :n_rows] += dy[..., a * c : (a + 1) * c]": "misplaced",
    "dx[:, a : a + n_rows] += dy[..., a * c : (a + 1) * c] / self.taps": "factor",
    "dx[:, a : a + n_rows] -= dy[..., a * c : (a + 1) * c]": "sign",
    "dx[:, a : a + n_rows] += dy[..., a :: self.taps]": "unknown",
}
LESSON = "With this, and the convolution that you know, a picture can be learned from."


def case(part, draw):
    taps = draw(2, 3)
    shape = draw(1, 2), draw(taps + 1, taps + 2), draw(2, 3), draw(1, 2)
    return part.StackedRows(taps), draw.array(*shape)


def check(answer, right):
    check_layers(answer, right, case)
