"""Pooling without a loop

Max pooling with windows side by side:

    y[n,m,c] = max over j < P of x[n, m P + j, c]

Write it without a loop, and without a function that makes a list of windows, such as np.split:
arrange the samples as windows, and take the maximum along one axis.
"""

import numpy as np


def pool(x, size):
    """The maximum of each window of `size` samples: x (N, L, C) becomes y (N, M, C)."""
    n_traces, length, n_channels = x.shape
    n_windows = length // size
    windows = ...  # x as (N, M, P, C), without the remaining samples
    return windows.max(axis=2)


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function, loop_test

SECTION = "Pooling"
HINTS = (
    "reshape reads the values in the order in which they are stored.",
    "In this order sample m P + j is the j-th of window m, so axis M is before axis P.",
    "First remove the remaining samples: x[:, : n_windows * size].",
)
SOLUTION = "x[:, : n_windows * size].reshape(n_traces, n_windows, size, n_channels)"
FORMS = (
    "np.reshape(x[:, : length - length % size], (n_traces, -1, size, n_channels))",
    "x[:, np.arange(n_windows * size).reshape(n_windows, size)]",
)
WRONG = {
    "x.reshape(n_traces, n_windows, size, n_channels)": "remaining samples: reshape needs exactly "
    "n_windows * size samples. Remove the others first.",
    "x[:, : n_windows * size].reshape(n_traces, size, n_windows, n_channels).swapaxes(1, 2)": (
        "axis order: window m holds every n_windows-th sample. Neighboring samples belong together, so "
        "the windows are the second axis and the samples within one the third."
    ),
    "x[:, -n_windows * size :].reshape(n_traces, n_windows, size, n_channels)": "wrong end: the samples "
    "that fill no window are dropped at the end of the trace, not at the beginning.",
    "x[:, : n_windows * size].reshape(n_traces, n_windows, n_channels, size).swapaxes(2, 3)": "channels "
    "mixed: the channels are the last axis in memory, and must stay the last axis.",
    "x[:, : n_windows * size].reshape(n_traces, size, n_windows, n_channels)": "axis order: the maximum "
    "is taken along axis 2, which must be the samples of a window.",
    "x[:, :n_windows, None]": "first samples: this takes the first n_windows samples, not the windows.",
    "x[:, None]": "one window: the whole trace is one window here.",
    "x[:, :: size, None]": "first sample only: of each window only the first sample is used.",
    "np.stack([x[:, m * size : (m + 1) * size] for m in range(n_windows)], axis=1)": "loop",
    "np.stack(np.split(x[:, : n_windows * size], n_windows, axis=1), axis=1)": "forbidden",
}
LESSON = "Windows side by side are a reshape. The chapter Fast convolution builds on this."
FORBIDDEN = dict.fromkeys(("split", "array_split"), "that makes a list of windows in a loop")
LOOPS = loop_test("pool", (np.ones((1, 6, 1)), 3), (np.ones((3, 60, 2)), 3), "windows")


def case(draw):
    size = draw(1, 4)
    x = draw.array(draw(1, 3), draw(size, size + 7), draw(1, 3))
    return function("pool", {"x": x, "size": size})
