"""Convolution, backward

    y[n,m,f] = b[f] + sum over k and c of  x[n, m S + k, c] w[k,c,f]

Forward loops over the taps. For each tap it reads every S-th sample and adds to y. Differentiate
that line twice: once with respect to x, once with respect to w.
"""

import numpy as np

from numpycnn import Layer


class Convolution(Layer):
    def __init__(self, channels, filters, taps, stride):
        w = np.zeros((taps, channels, filters), np.float32)
        super().__init__(w=w, b=np.zeros(filters, np.float32))
        self.channels, self.filters, self.taps, self.stride = channels, filters, taps, stride

    def tap_slice(self, k, n_outputs):
        """The samples that meet tap k."""
        return slice(k, k + (n_outputs - 1) * self.stride + 1, self.stride)

    def forward(self, x):
        n_outputs = (x.shape[1] - self.taps) // self.stride + 1
        y = np.zeros((len(x), n_outputs, self.filters)) + self.params["b"]
        for k in range(self.taps):
            y = y + x[:, self.tap_slice(k, n_outputs)] @ self.params["w"][k]
        return y, x

    def backward(self, dy, cache):
        x, w = cache, self.params["w"]
        dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), dy.sum(axis=(0, 1))
        for k in range(self.taps):
            read = self.tap_slice(k, dy.shape[1])
            ...  # add to dx[:, read] (N, M, C), and set dw[k] (C, F)
        return dx, {"w": dw, "b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Every layer in NumPy"
HINTS = (
    "Two lines. For dx: forward multiplied with w[k], from C to F; backward goes from F to C.",
    "dx[:, read] += dy @ w[k].T",
    "dw[k][c, f] sums x[n, m, c] dy[n, m, f] over n and m: np.einsum('nmc,nmf->cf', …).",
)
SOLUTION = """\
dx[:, read] += dy @ w[k].T
dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy)"""
FORMS = (
    "dx[:, read] += np.einsum('nmf,cf->nmc', dy, w[k])\n"
    "dw[k] = np.tensordot(x[:, read], dy, axes=((0, 1), (0, 1)))",
    "dx[:, read] += dy @ w[k].T\nfor n in range(len(x)):\n    dw[k] += x[n, read].T @ dy[n]",
)
DW = '\ndw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy)'
DX = "dx[:, read] += dy @ w[k].T\n"
WRONG = {
    "dx[:, read] = dy @ w[k].T"
    + DW: "overwritten: dx is assigned; where windows overlap only the last "
    "tap is left. Add with `+=`.",
    "dx[:, read] += dy @ w[self.taps - 1 - k].T"
    + DW: "taps reversed: dx is computed with the taps in "
    "reverse order. Tap k reads the samples `read` in forward, and backward adds to the same.",
    "dx[:, k : k + dy.shape[1]] += dy @ w[k].T" + DW: "stride ignored: dx is added to neighboring "
    "samples; tap k reads every S-th sample.",
    "dx[:, self.tap_slice(0, dy.shape[1])] += dy @ w[k].T"
    + DW: "not shifted: every tap adds dx to the same samples; tap k begins at sample k.",
    "dx[:, read] += dy.sum(axis=2, keepdims=True)"
    + DW: "weights missing: dx does not contain w. Multiply dy with w[k].T.",
    "dx[:, read] += dy @ w[k].T / self.taps"
    + DW: "averaged: dx is divided by the number of taps. Do not divide.",
    "dx[:, read] += dy @ w[k].T / self.stride"
    + DW: "averaged: dx is divided by the stride. Do not divide.",
    "dx[:, read] += dy @ w[k].T / len(x)"
    + DW: "averaged: dx is divided by the number of traces. Do not divide.",
    "dx[:, read] -= dy @ w[k].T" + DW: "sign",
    "dx[:, read] += np.ones_like(dy) @ w[k].T" + DW: "dy ignored",
    "dx[:, read] += dy @ w[0].T"
    + DW: "first tap: dx is computed with the weights of the first tap at every step.",
    "dx[:, read] += dy @ w[k].T.reshape(w.shape[2], -1)[::-1]" + DW: "unknown",
    "dx[:, read] += dy @ w[k].reshape(w.shape[2], w.shape[1])"
    + DW: "reshape: w[k] is reshaped, which does not transpose. Use w[k].T.",
    DX
    + 'dw[k] = np.einsum("mc,mf->cf", x[0, read], dy[0])': "first trace: dw contains only the first "
    "trace.",
    DX
    + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy) / len(x)': "averaged: dw is divided by the "
    "number of traces. dy already contains the mean of the loss.",
    DX
    + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy) / dy.shape[1]': "averaged: dw is divided by the "
    "number of outputs. Do not divide.",
    DX
    + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy) / self.taps': "averaged: dw is divided by the "
    "number of taps. Do not divide.",
    DX
    + 'dw[self.taps - 1 - k] = np.einsum("nmc,nmf->cf", x[:, read], dy)': "taps reversed: dw has the "
    "taps in reverse order.",
    DX
    + 'dw[0] += np.einsum("nmc,nmf->cf", x[:, read], dy)': "first tap: the gradients of all taps are "
    "added to dw[0]; each tap has its own.",
    DX
    + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, self.tap_slice(0, dy.shape[1])], dy)': "not shifted: dw uses "
    "the same samples for every tap; tap k begins at sample k.",
    DX
    + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, k : k + dy.shape[1]], dy)': "stride ignored: dw uses "
    "neighboring samples; tap k reads every S-th sample.",
    DX
    + "dw[k] = np.outer(x[:, read].sum(axis=(0, 1)), dy.sum(axis=(0, 1)))": "product of sums: dw is the "
    "product of two sums. Multiply first, then sum.",
    DX + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, read], np.ones_like(dy))': "dy ignored",
    DX + 'dw[k] = -np.einsum("nmc,nmf->cf", x[:, read], dy)': "sign",
    DX: "zero",
    DW.strip(): "zero",
}
LESSON = "This is a complete convolutional layer. numpycnn/layers/conv1d.py contains these lines."
N_CASES = 40


def case(draw):
    taps, channels = draw(1, 4), draw(1, 3)
    x = draw.array(draw(1, 3), draw(taps + 1, taps + 5), channels)
    options = {"channels": channels, "filters": draw(1, 3), "taps": taps, "stride": draw(1, 3)}
    return layer("Convolution", options, x)
