"""Convolution without a loop over samples

    y[n,m,f] = sum over k and c of  x[n,m+k,c] w[k,c,f]

Written out, the equation is five loops:

    for n in range(n_traces):
        for m in range(n_outputs):
            for f in range(n_filters):
                for k in range(n_taps):
                    for c in range(n_channels):
                        y[n, m, f] += x[n, m + k, c] * w[k, c, f]

Keep the loop over taps, because there are few of them. Replace the other four loops by one array
operation. No other loop is allowed.
"""

import numpy as np


def convolve(x, w):
    """Convolve traces (N, L, C) with weights (K, C, F) to y (N, L - K + 1, F)."""
    n_taps, _, n_filters = w.shape
    n_outputs = x.shape[1] - n_taps + 1
    y = np.zeros((len(x), n_outputs, n_filters))
    for k in range(n_taps):
        ...  # add to y the products of tap k, for all n, m and f at once
    return y


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function, loop_test

SECTION = "Several channels, several filters"
HINTS = (
    "Which samples are multiplied with tap k, for m from 0 to n_outputs - 1? A slice of x.",
    "The sum over c is a matrix product: (N, M, C) @ (C, F) is (N, M, F).",
    "Add to y the product of x[:, k : k + n_outputs] and w[k].",
)
SOLUTION = "y += x[:, k : k + n_outputs] @ w[k]"
FORMS = (
    "y += np.einsum('nmc,cf->nmf', x[:, k : k + n_outputs], w[k])",
    "y = y + np.tensordot(x[:, k : k + n_outputs], w[k], axes=1)",
)
WRONG = {
    "y = x[:, k : k + n_outputs] @ w[k]": "overwritten: `=` keeps only the last tap. Add with `+=`.",
    "y += x[:, :n_outputs] @ w[k]": "not shifted: every tap is multiplied with the same samples. Tap k "
    "begins k samples later.",
    "y += x[:, k : k + n_outputs] @ w[n_taps - 1 - k]": "reversed: the taps are in reverse order.",
    "y += x[:, n_taps - 1 - k : n_taps - 1 - k + n_outputs] @ w[k]": "reversed: the taps are in reverse "
    "order.",
    "y += x[:, k:] @ w[k]": "too long: x[:, k:] has more samples than there are outputs, except for "
    "the last tap.",
    "y += x[:, k : k + n_outputs] @ w[0]": "first tap: every step uses the weights of the first tap.",
    "y += x[:, k : k + n_outputs].sum(axis=2, keepdims=True) * w[k].sum(axis=0)": "sum of products: the "
    "sum over c of the products is not the product of two sums.",
    "y -= x[:, k : k + n_outputs] @ w[k]": "sign",
    "y += x[:, k : k + n_outputs] @ w[k] / n_taps": "averaged: a convolution sums over the taps. Do not divide.",
    "for m in range(n_outputs):\n    y[:, m] += x[:, m + k] @ w[k]": "loop",
    "for c in range(x.shape[2]):\n    y += x[:, k : k + n_outputs, c : c + 1] * w[k, c]": "loop",
}
LESSON = "K matrix products of whole arrays. numpycnn/layers/conv1d.py contains this loop."
LOOPS = loop_test(
    "convolve",
    (np.ones((1, 5, 2)), np.ones((3, 2, 2))),
    (np.ones((4, 50, 4)), np.ones((3, 4, 5))),
    "traces, samples, channels and filters",
)


def case(draw):
    taps, channels = draw(1, 4), draw(1, 3)
    x = draw.array(draw(1, 3), draw(taps, taps + 5), channels)
    return function("convolve", {"x": x, "w": draw.array(taps, channels, draw(1, 3))})
