"""Find the bug: a convolution as a correlation

    dx is dy, padded with zeros, correlated with the taps

It works in the classifier, but one line is incorrect. Find it and fix it.
"""

import numpy as np

from numpycnn import Layer


def correlate(x, w):
    """Multiply every window of x (N, L, C) with w (K, C, F): (N, L - K + 1, F)."""
    n_outputs = x.shape[1] - len(w) + 1
    return sum(x[:, k : k + n_outputs] @ w[k] for k in range(len(w)))


class Convolution(Layer):
    def __init__(self, channels, filters, taps, rng=None):
        limit = np.sqrt(6 / (taps * (channels + filters)))
        w = np.random.default_rng(rng).uniform(-limit, limit, (taps, channels, filters))
        super().__init__(w=w.astype(np.float32), b=np.zeros(filters, np.float32))
        self.channels, self.filters, self.taps = channels, filters, taps

    def forward(self, x):
        return correlate(x, self.params["w"]) + self.params["b"], x

    def backward(self, dy, cache):
        x, w = cache, self.params["w"]
        zeros = self.taps - 1
        padded = np.pad(dy, ((0, 0), (zeros, zeros), (0, 0)))
        dx = correlate(padded, w.transpose(0, 2, 1))
        n_outputs = dy.shape[1]
        dw = [np.tensordot(x[:, k : k + n_outputs], dy, ((0, 1), (0, 1))) for k in range(len(w))]
        return dx, {"w": np.array(dw), "b": dy.sum(axis=(0, 1))}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import Sequential
from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "Stride, dilation and the backward pass"
GAP = "dx = correlate(padded, w.transpose(0, 2, 1))"
HINTS = (
    "dw and db are correct. Compute one dx by hand: with which tap is the first sample multiplied?",
    "The first output multiplies sample 0 with tap 0. With which tap does window 0 of `padded` multiply it?",
    "In the backward pass the taps are in reverse order: w[::-1].",
)
SOLUTION = "dx = correlate(padded, w[::-1].transpose(0, 2, 1))"
FORMS = (
    "dx = correlate(padded, np.flip(w, 0).swapaxes(1, 2))",
    "dx = correlate(padded[:, ::-1], w.transpose(0, 2, 1))[:, ::-1]",
)
WRONG = {
    "dx = correlate(padded[:, ::-1], w.transpose(0, 2, 1))": "reversed",
    "dx = correlate(padded, w[::-1].transpose(0, 2, 1)) / len(w)": "averaged: dx is divided by the number of "
    "taps. Do not divide.",
    "dx = correlate(padded, w[::-1].transpose(0, 2, 1)) / len(x)": "averaged: dx is divided by the number of "
    "traces. Do not divide.",
    "dx = correlate(padded, w[::-1])": "channels not exchanged: w is not transposed: dx goes from F filters "
    "back to C channels. If C = F the shapes fit all the same.",
    "dx = correlate(padded, w)": "channels not exchanged: w is neither reversed nor transposed.",
    "dx = correlate(padded, w[::-1].reshape(len(w), self.filters, self.channels))": "reshape: w is reshaped, "
    "which does not transpose. Use transpose(0, 2, 1).",
    "dx = correlate(padded, w[:, ::-1].transpose(0, 2, 1))": "wrong axis: the channels of w are reversed; the "
    "taps, axis 0, must be.",
    "dx = correlate(padded, w[:, :, ::-1].transpose(0, 2, 1))": "wrong axis: the filters of w are reversed; "
    "the taps, axis 0, must be.",
    "dx = correlate(padded, w.transpose(0, 2, 1)[:, ::-1])": "wrong axis: the filters of w are reversed; "
    "the taps, axis 0, must be.",
    "dx = correlate(np.roll(padded, 1, axis=1), w[::-1].transpose(0, 2, 1))": "shifted",
    "dx = correlate(padded, -w[::-1].transpose(0, 2, 1))": "sign",
    "dx = correlate(np.ones_like(padded), w[::-1].transpose(0, 2, 1))": "dy ignored: dy is not used: the "
    "padded array is all ones.",
    "dx = correlate(padded, w[::-1].transpose(2, 1, 0))": "transpose: transpose(2, 1, 0) moves the taps; "
    "only the last two axes must be exchanged.",
    "dx = correlate(dy, w[::-1].transpose(0, 2, 1))": "padding missing: dy is not padded, so dx is too short.",
    "dx = correlate(padded, w[::-1].transpose(0, 2, 1))[:, :: 1][:, : dy.shape[1]]": "wrong shape",
    "dx = correlate(padded[:, : x.shape[1]], w[::-1].transpose(0, 2, 1))": "wrong shape",
}
LESSON = (
    "The classifier has two convolutions, and only the first one received an incorrect gradient. "
    "A kernel that was not reversed: https://github.com/llvm/torch-mlir/pull/4437"
)
N_CASES = 40


def opening():
    def two(channels, filters, taps, padding, rng):
        return Sequential(
            Convolution(channels, filters, 3, rng), Convolution(filters, filters, 3, rng)
        )

    return (
        f"With two of these the trace classifier is correct on {accuracy(conv=two, n_flat=240):.0%} of the "
        "test set. Which line is incorrect?"
    )


def case(draw):
    taps, channels = draw(2, 4), draw(1, 3)
    x = draw.array(draw(1, 2), draw(taps, taps + 3), channels)
    return layer("Convolution", {"channels": channels, "filters": draw(1, 3), "taps": taps}, x)
