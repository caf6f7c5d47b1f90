"""Convolution without a loop over samples

    y[n,m,f] = sum over k and c of  x[n,m+k,c] w[k,c,f]

Written as it stands, that is five loops:

    for n in range(n_traces):
        for m in range(n_outputs):
            for f in range(n_filters):
                for k in range(n_taps):
                    for c in range(n_channels):
                        y[n, m, f] += x[n, m + k, c] * w[k, c, f]

Keep the one over taps, of which there are few. One operation is to do the other four.
"""

import numpy as np


def convolve(x, w):
    """Traces (N, L, C) and weights (K, C, F) make y (N, L - K + 1, F)."""
    n_taps, _, n_filters = w.shape
    n_outputs = x.shape[1] - n_taps + 1
    y = np.zeros((len(x), n_outputs, n_filters))
    for k in range(n_taps):
        ...  # add to y what tap k gives, for all n, m and f at once
    return y


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn.checks.reference import Geometry, conv1d_forward
from numpycnn.puzzles.grading import check_function, check_iterations

HINTS = (
    "Which samples lie under tap k, while m goes from 0 to n_outputs - 1? A slice of x.",
    "The sum over c is a matrix product: (N, M, C) @ (C, F) is (N, M, F).",
    "So add to y the product of x[:, k : k + n_outputs] and w[k].",
)
SOLUTION = "y += x[:, k : k + n_outputs] @ w[k]"
WRONG = {
    "y = x[:, k : k + n_outputs] @ w[k]": "it should be",
    "y += x[:, :n_outputs] @ w[k]": "it should be",
    "y += x[:, k : k + n_outputs] @ w[n_taps - 1 - k]": "it should be",
    "y += x[:, k:] @ w[k]": "stopped in line",
    "for m in range(n_outputs):\n    y[:, m] += x[:, m + k] @ w[k]": "goes round",
}
LESSON = "K products of whole arrays. This is the plain layer, numpycnn/layers/conv1d.py."


def check(answer, right):
    def arguments(draw):
        taps, channels = draw(1, 4), draw(1, 3)
        x = draw.array(draw(1, 3), draw(taps, taps + 5), channels)
        return x, draw.array(taps, channels, draw(1, 3))

    def loops(x, w):
        return conv1d_forward(x, w, np.zeros(w.shape[2]), Geometry())

    check_function(answer.convolve, loops, arguments)
    w = np.ones((3, 2, 2))
    small, large = (np.ones((1, 5, 2)), w), (np.ones((4, 50, 2)), w)
    check_iterations(answer.convolve, small, large, "samples")
