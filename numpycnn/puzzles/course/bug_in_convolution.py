"""Find the bug: convolution as one correlation

With K taps and no padding, dx is itself a convolution: of dy, with K - 1 zeros on either side. This
layer makes use of that. One line is wrong. Which?
"""

import numpy as np

from numpycnn import Layer


def correlate(x, w):
    """Every window of x (N, L, C) times w (K, C, F): (N, L - K + 1, F)."""
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
from numpycnn.checks.reference import Geometry, conv1d_backward
from numpycnn.puzzles.grading import accuracy, check_function, check_layers

GAP = "dx = correlate(padded, w.transpose(0, 2, 1))"
HINTS = (
    "dw and db are right. Follow one dx by hand: which tap does the first sample meet?",
    "The first output takes sample 0 with tap 0. What does window 0 of `padded` take it with?",
    "On the way back the kernel turns round: w[::-1].",
)
SOLUTION = "dx = correlate(padded, w[::-1].transpose(0, 2, 1))"
WRONG = {
    "dx = correlate(padded[:, ::-1], w.transpose(0, 2, 1))": "reversed",
    "dx = correlate(padded, w[::-1].transpose(0, 2, 1)) / len(w)": "factor",
    "dx = correlate(padded, w[::-1])": "transposed",
    "dx = correlate(np.roll(padded, 1, axis=1), w[::-1].transpose(0, 2, 1))": "shifted",
}
LESSON = (
    "Two convolutions in the classifier, and only the first suffered from a wrong dx of the second. "
    "A kernel that was not turned round: https://github.com/llvm/torch-mlir/pull/4437"
)


def opening():
    def two(channels, filters, taps, padding, rng):
        return Sequential(
            Convolution(channels, filters, 3, rng), Convolution(filters, filters, 3, rng)
        )

    return (
        f"With two of these the trace classifier is right on {accuracy(conv=two, n_flat=240):.0%} of "
        "the traces that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    taps, channels = draw(2, 3), draw(2, 3)
    x = draw.array(draw(1, 2), draw(taps + 1, taps + 3), channels)
    return part.Convolution(channels, draw(2, 3), taps, rng=0), x


def check(answer, right):
    check_layers(answer, right, case, n_cases=6)

    def gradient(dy, x, w):
        layer = answer.Convolution(w.shape[1], w.shape[2], len(w))
        return layer.with_params({"w": w, "b": 0 * w[0, 0]}).backward(dy, x)[0]

    def loops(dy, x, w):
        return conv1d_backward(dy, x, w, Geometry())[0]

    def arguments(draw):
        taps, m = draw(1, 3), draw(1, 4)
        return draw.array(2, m, 2), draw.array(2, m + taps - 1, 3), draw.array(taps, 3, 2)

    check_function(gradient, loops, arguments)
