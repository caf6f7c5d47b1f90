"""Convolution, backwards

    y[n,m,f] = b[f] + sum over k and c of  x[n, m S + k, c] w[k,c,f]

Forward goes over the taps. For each it reads every S-th sample, and adds to y. Turn that line
round, twice: once for x, once for w.
"""

import numpy as np

from numpycnn import Layer


class Convolution(Layer):
    def __init__(self, channels, filters, taps, stride):
        w = np.zeros((taps, channels, filters), np.float32)
        super().__init__(w=w, b=np.zeros(filters, np.float32))
        self.channels, self.filters, self.taps, self.stride = channels, filters, taps, stride

    def under(self, k, n_outputs):
        """The samples that lie under tap k."""
        return slice(k, k + (n_outputs - 1) * self.stride + 1, self.stride)

    def forward(self, x):
        n_outputs = (x.shape[1] - self.taps) // self.stride + 1
        y = np.zeros((len(x), n_outputs, self.filters)) + self.params["b"]
        for k in range(self.taps):
            y = y + x[:, self.under(k, n_outputs)] @ self.params["w"][k]
        return y, x

    def backward(self, dy, cache):
        x, w = cache, self.params["w"]
        dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), dy.sum(axis=(0, 1))
        for k in range(self.taps):
            read = self.under(k, dy.shape[1])
            ...  # add to dx[:, read] (N, M, C), and set dw[k] (C, F)
        return dx, {"w": dw, "b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "Two lines. For dx: forward multiplied with w[k], from C to F; backward goes from F to C.",
    "dx[:, read] += dy @ w[k].T",
    "dw[k][c, f] sums x[n, m, c] dy[n, m, f] over n and m: np.einsum('nmc,nmf->cf', …).",
)
SOLUTION = """\
dx[:, read] += dy @ w[k].T
dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy)"""
DW = '\ndw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy)'
DX = "dx[:, read] += dy @ w[k].T\n"
WRONG = {
    "dx[:, read] = dy @ w[k].T" + DW: "overwritten",
    "dx[:, read] += dy @ w[self.taps - 1 - k].T" + DW: "reversed",
    DX + 'dw[k] = np.einsum("mc,mf->cf", x[0, read], dy[0])': "only one share",
    DX + 'dw[k] = np.einsum("nmc,nmf->cf", x[:, read], dy) / len(x)': "divided twice",
    DX + 'dw[self.taps - 1 - k] = np.einsum("nmc,nmf->cf", x[:, read], dy)': "reversed",
    DX + 'dw[0] += np.einsum("nmc,nmf->cf", x[:, read], dy)': "unknown",
    "dx[:, read] += dy.sum(axis=2, keepdims=True)" + DW: "unknown",
    DX: "zero",
}
LESSON = "The whole of a convolutional layer, both ways. numpycnn/layers/conv1d.py has these lines."


def case(part, draw):
    taps, channels = draw(2, 4), draw(1, 3)
    x = draw.array(draw(2, 3), draw(taps + 2, taps + 4), channels)
    return part.Convolution(channels, draw(2, 3), taps, draw(1, 2)), x


def check(answer, right):
    check_layers(answer, right, case, n_cases=6)
