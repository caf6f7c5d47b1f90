"""Pooling without a loop

Max pooling with windows that stand side by side:

    y[n,m,c] = max over j < P of x[n, m P + j, c]

No loop is needed. Look at the samples as windows, and take the maximum along one axis.
"""


def pool(x, size):
    """The maximum of each window of `size` samples: x (N, L, C) becomes y (N, M, C)."""
    n_traces, length, n_channels = x.shape
    n_windows = length // size
    windows = ...  # x as (N, M, P, C), without the samples that fill no window
    return windows.max(axis=2)


# ---- what follows is for the grader; the reader's file ends here ----

import numpy as np

from numpycnn.checks.reference import maxpool1d_forward
from numpycnn.puzzles.grading import check_function, check_iterations

HINTS = (
    "reshape goes through the numbers in the order in which they lie in memory.",
    "In memory sample m P + j is the j-th of window m, so M stands before P.",
    "First cut off what is left over: x[:, : n_windows * size].",
)
SOLUTION = "x[:, : n_windows * size].reshape(n_traces, n_windows, size, n_channels)"
WRONG = {
    "x.reshape(n_traces, n_windows, size, n_channels)": "cannot reshape",
    "x[:, : n_windows * size].reshape(n_traces, size, n_windows, n_channels).swapaxes(1, 2)": (
        "it should be"
    ),
    "x[:, -n_windows * size :].reshape(n_traces, n_windows, size, n_channels)": "it should be",
    "np.stack([x[:, m * size : (m + 1) * size] for m in range(n_windows)], axis=1)": "line",
    "__import__('numpy').stack([x[:, m * size : (m + 1) * size] for m in range(n_windows)], 1)": (
        "goes round"
    ),
}
LESSON = "Windows that lie back to back are a reshape. Chapter 10 makes a fast convolution of that."


def check(answer, right):
    def arguments(draw):
        size = draw(1, 4)
        return draw.array(draw(1, 3), draw(size, size + 7), draw(1, 3)), size

    def loops(x, size):
        return maxpool1d_forward(x, size, size)

    check_function(answer.pool, loops, arguments)
    small, large = (np.ones((1, 6, 1)), 3), (np.ones((3, 60, 2)), 3)
    check_iterations(answer.pool, small, large, "windows")
