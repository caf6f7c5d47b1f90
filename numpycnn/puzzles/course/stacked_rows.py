"""Concatenated rows, backward

A two-dimensional filter is a one-dimensional one over concatenated rows: row i of y has the
channels of the rows i, i + 1, … i + K - 1 of x.

    y[n, i, j, a C + c] = x[n, i + a, j, c],    a = 0 … K - 1

Each row of the picture was copied up to K times, fewer at the ends. Compute its gradient.
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
            ...  # add the channels a C … a C + C - 1 of dy to the rows of dx that forward read
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "The backward pass"
HINTS = (
    "Forward read x[:, a : a + n_rows]. Backward adds to the same rows of dx.",
    "The channels of step a are dy[..., a * c : (a + 1) * c].",
)
SOLUTION = "dx[:, a : a + n_rows] += dy[..., a * c : (a + 1) * c]"
FORMS = (
    "dx[:, a : a + n_rows] = dx[:, a : a + n_rows] + np.split(dy, self.taps, axis=-1)[a]",
    "for i in range(n_rows):\n    dx[:, a + i] += dy[:, i, :, a * c : a * c + c]",
)
_PART = "dy[..., a * c : (a + 1) * c]"
WRONG = {
    f"dx[:, a : a + n_rows] = {_PART}": "overwritten: where the copies overlap only the last one is left. "
    "Add with `+=`.",
    "dx[:, a : a + n_rows] += dy[..., :c]": "first channels: every step uses the first C channels of dy; "
    "step a has the channels from a C on.",
    "dx[:, a : a + n_rows] += dy[..., -c:]": "last channels: every step uses the last C channels of dy; "
    "step a has the channels from a C on.",
    "dx[:, a : a + n_rows] += dy[..., a : a + c]": "channel offset: step a begins at channel a C, not at a.",
    f"dx[:, :n_rows] += {_PART}": "rows: every step adds to the first rows; step a begins at row a.",
    f"dx[:, self.taps - 1 - a : self.taps - 1 - a + n_rows] += {_PART}": "reversed: the steps are in "
    "reverse order: the channels of step a go to the rows from a on.",
    "dx[:, a : a + n_rows] += dy[..., (self.taps - 1 - a) * c : (self.taps - a) * c]": "reversed: the steps "
    "are in reverse order: step a has the channels from a C on.",
    f"dx[:, a : a + n_rows] += {_PART} / self.taps": "averaged: it is divided by the number of taps; copies "
    "are summed.",
    f"dx[:, a : a + n_rows] += {_PART} / n_rows": "averaged: it is divided by the number of rows; copies "
    "are summed.",
    f"dx[:, a : a + n_rows] += {_PART} / len(dy)": "averaged: it is divided by the number of pictures. Do not "
    "divide.",
    f"dx[:, a : a + n_rows] -= {_PART}": "sign",
    "dx[:, a : a + n_rows] += dy[..., a :: self.taps]": "interleaved: every K-th channel is taken; the "
    "channels of a step are side by side.",
    f"dx[:, a] += {_PART}[:, 0]": "first row: only one row per step is added; step a covers n_rows rows.",
    "dx[:, a : a + n_rows] += 1": "dy ignored",
    f"dx[:, a : a + n_rows] += {_PART}.sum(axis=2, keepdims=True)": "columns summed: it is summed over "
    "the columns; each column has its own gradient.",
    f"{_PART}": "zero",
}
LESSON = "With this layer and Conv1D, a network can learn from pictures."


def case(draw):
    taps = draw(2, 4)
    shape = draw(1, 2), draw(taps, taps + 2), draw(1, 3), draw(1, 2)
    return layer("StackedRows", {"taps": taps}, draw.array(*shape))
