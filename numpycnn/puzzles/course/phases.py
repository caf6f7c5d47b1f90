"""Windows side by side

Multiply all windows of K samples of a long trace with K taps. Written out, this is a loop over the
windows:

    for m in range(n_outputs):
        y[m] = x[m : m + K] @ w

Windows that begin K samples apart do not overlap. A reshape gives all of them, and one product
multiplies all of them with the taps. Begin at sample 0, then at sample 1, … up to K - 1: together
these K phases contain each window once. Keep the loop over the phases, but no other loop; do not
use np.correlate or np.convolve.
"""

import numpy as np


def correlate(x, w):
    """Correlate x (L,) with w (K,): y (L - K + 1,)."""
    n_taps = len(w)
    y = np.zeros(len(x) - n_taps + 1)
    for phase in range(n_taps):
        n_windows = (len(x) - phase) // n_taps  # windows that fit from here on
        ...  # fill every n_taps-th entry of y, from y[phase] on
    return y


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function, loop_test

SECTION = "Views"
HINTS = (
    "Which samples of x are in the windows of this phase? There are n_windows * n_taps of them.",
    "Reshaped to (n_windows, n_taps), each row is a window. One product with w computes them all.",
    "The results belong to y[phase::n_taps].",
)
SOLUTION = """\
windows = x[phase : phase + n_windows * n_taps].reshape(n_windows, n_taps)
y[phase::n_taps] = windows @ w"""
FORMS = (
    "part = x[phase:][: n_windows * n_taps]\ny[phase::n_taps] = np.dot(part.reshape(-1, n_taps), w)",
    "at = phase + np.arange(n_windows * n_taps).reshape(n_windows, n_taps)\n"
    "y[phase::n_taps] = (x[at] * w).sum(axis=1)",
)
WRONG = {
    SOLUTION.replace(
        "y[phase::n_taps]", "y[:n_windows]"
    ): "positions: the results of every phase are "
    "written to the first entries of y; they belong to every n_taps-th, from y[phase] on.",
    SOLUTION.replace("y[phase::n_taps]", "y[phase : phase + n_windows]"): "positions: the results "
    "are written to neighboring entries of y; they belong to every n_taps-th.",
    SOLUTION.replace(
        "x[phase : phase + n_windows * n_taps]", "x[: n_windows * n_taps]"
    ): "phase missing: every phase uses the windows from sample 0 on; phase p begins at sample p.",
    "windows = x[phase:].reshape(n_windows, n_taps)\ny[phase::n_taps] = windows @ w": "remaining samples: "
    "reshape needs exactly n_windows * n_taps samples. Remove those that fill no window.",
    "windows = x[phase : phase + n_windows * n_taps].reshape(n_taps, n_windows)\n"
    "y[phase::n_taps] = w @ windows": "axis order: reshaped to (n_taps, n_windows), a row is not a window.",
    SOLUTION.replace(
        "windows @ w", "windows @ w[::-1]"
    ): "reversed: the taps are in reverse order.",
    SOLUTION.replace(
        "windows @ w", "windows.sum(axis=1)"
    ): "taps missing: the windows are summed without the taps.",
    SOLUTION.replace(
        "windows @ w", "windows.mean(axis=1)"
    ): "taps missing: the mean of each window is taken, without the taps.",
    SOLUTION.replace("windows @ w", "-windows @ w"): "sign",
    SOLUTION.replace("windows @ w", "windows @ w / n_taps"): "averaged: the products are "
    "divided by the number of taps; they must be summed only.",
    SOLUTION.replace(
        "y[phase::n_taps]", "y[::n_taps][:n_windows]"
    ): "phase missing: the results of every phase are written to the entries of phase 0.",
    "y[phase] = x[phase : phase + n_taps] @ w": "first window: only the first window of each phase is "
    "computed.",
    "for m in range(phase, len(y), n_taps):\n    y[m] = x[m : m + n_taps] @ w": "loop",
    "y = np.correlate(x, w, 'valid')": "forbidden",
}
LESSON = (
    "K products, and nothing is copied. numpycnn/layers/_conv1d_kernels.py does this"
    " for channels and strides."
)
LOOPS = loop_test("correlate", (np.ones(6), np.ones(3)), (np.ones(60), np.ones(3)), "windows")
FORBIDDEN = dict.fromkeys(
    ("correlate", "convolve"), "this puzzle is about computing it with a reshape and a product"
)


def case(draw):
    taps = draw(1, 5)
    return function("correlate", {"x": draw.array(draw(taps, 3 * taps + 4)), "w": draw.array(taps)})
