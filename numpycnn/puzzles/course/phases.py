"""Windows back to back

All windows of K samples of a long trace, times K taps. Written as it stands, it goes round once for
each window:

    for m in range(n_outputs):
        y[m] = x[m : m + K] @ w

Windows that begin K samples apart lie back to back: they are a reshape, and one product does them
all. Begin at sample 0, then at sample 1, … up to K - 1, and each window has turned up once.
"""

import numpy as np


def correlate(x, w):
    """x (L,) and w (K,) make y (L - K + 1,)."""
    n_taps = len(w)
    y = np.zeros(len(x) - n_taps + 1)
    for phase in range(n_taps):
        n_windows = (len(x) - phase) // n_taps  # as many as fit from here on
        ...  # fill every n_taps-th number of y, from y[phase] on
    return y


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn.puzzles.grading import check_function, check_iterations

HINTS = (
    "Which stretch of x is covered by the windows of this phase? It has n_windows * n_taps samples.",
    "Reshaped to (n_windows, n_taps), each row is a window. One product with w gives them all.",
    "They go to y[phase::n_taps].",
)
SOLUTION = """\
windows = x[phase : phase + n_windows * n_taps].reshape(n_windows, n_taps)
y[phase::n_taps] = windows @ w"""
WRONG = {
    SOLUTION.replace("y[phase::n_taps]", "y[:n_windows]"): "it should be",
    SOLUTION.replace("x[phase : phase + n_windows * n_taps]", "x[: n_windows * n_taps]"): (
        "it should be"
    ),
    "windows = x[phase:].reshape(n_windows, n_taps)\ny[phase::n_taps] = windows @ w": "reshape",
    "windows = x[phase : phase + n_windows * n_taps].reshape(n_taps, n_windows)\n"
    "y[phase::n_taps] = w @ windows": "it should be",
    "for m in range(phase, len(y), n_taps):\n    y[m] = x[m : m + n_taps] @ w": "goes round",
}
LESSON = (
    "K products, and nothing copied. numpycnn/layers/_conv1d_kernels.py does it for channels "
    "and strides."
)


def check(answer, right):
    def arguments(draw):
        taps = draw(1, 5)
        return draw.array(draw(taps, 3 * taps + 4)), draw.array(taps)

    def loops(x, w):
        return np.array([x[m : m + len(w)] @ w for m in range(len(x) - len(w) + 1)])

    check_function(answer.correlate, loops, arguments)
    small, large = (np.ones(6), np.ones(3)), (np.ones(60), np.ones(3))
    check_iterations(answer.correlate, small, large, "windows")
