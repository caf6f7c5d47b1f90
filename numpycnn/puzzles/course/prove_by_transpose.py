"""Prove it: the dot-product test

A layer without bias is a matrix A, and its backward is the transpose. Then for any x and dy

    sum(y * dy) = sum(x * dx)        with y = forward(x), dx = backward(dy)

No derivative is needed, and no step. Write the test for a convolution without bias that reads two
channels. Which x and which dy? It is run on right convolutions and on eight wrong ones.
"""

import numpy as np


def test(layer):
    """Raise AssertionError if backward is not the transpose of forward."""
    ...  # draw x (N, L, 2); y, cache = layer.forward(x); draw dy like y; dx, _ = layer.backward(…)


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn import Conv1D
from numpycnn.puzzles.grading import check_test

HINTS = (
    "Draw both at random. With ones a shifted gradient has the same sum as a right one.",
    "More than one trace, and a length of about ten, so that there is something to mix up.",
    "assert np.isclose((y * dy).sum(), (x * dx).sum())",
)
SOLUTION = """\
rng = np.random.default_rng(0)
x = rng.standard_normal((3, 9, 2))
y, cache = layer.forward(x)
dy = rng.standard_normal(y.shape)
dx, _ = layer.backward(dy, cache)
assert np.isclose((y * dy).sum(), (x * dx).sum())"""
WRONG = {
    SOLUTION.replace("rng.standard_normal((3, 9, 2))", "np.ones((3, 9, 2))").replace(
        "rng.standard_normal(y.shape)", "np.ones(y.shape)"
    ): "lets pass",
    SOLUTION.replace("(3, 9, 2)", "(1, 9, 2)"): "lets pass",
    SOLUTION.replace(
        "assert np.isclose((y * dy).sum(), (x * dx).sum())", "assert dx.shape == x.shape"
    ): ("cannot fail"),
    SOLUTION.replace("rng.standard_normal(y.shape)", "0 * y"): "cannot fail",
    SOLUTION.replace("(y * dy).sum(), (x * dx).sum()", "y.sum(), x.sum()"): "accuses",
    SOLUTION.replace("dy = rng.standard_normal(y.shape)", "dy = y"): "",
}
del WRONG[SOLUTION.replace("dy = rng.standard_normal(y.shape)", "dy = y")]
LESSON = "Two sums, exact to rounding. Geophysicists check their migration with it."


class Convolution(Conv1D):
    """A convolution without bias."""

    def __init__(self, taps=4, stride=1):
        super().__init__(2, 3, taps, stride=stride, rng=0)
        self._params = {"w": self.params["w"].astype(np.float64), "b": np.zeros(3)}


def spoilt(spoil, **options):
    """A convolution whose dx is `spoil(layer, dy, cache, dx)`."""

    class Spoilt(Convolution):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return spoil(self, dy, cache, dx), grads

    return Spoilt(**options)


def turned(layer, dy, cache, dx):
    w = layer.params["w"]
    twin = Convolution(len(w), layer.stride).with_params({**layer.params, "w": w[::-1]})
    return Conv1D.backward(twin, dy, cache)[0]


def check(answer, right):
    right_ones = {"a convolution": Convolution(), "one with stride 2": Convolution(4, stride=2)}
    wrong_ones = {
        "one with the kernel not turned round": spoilt(turned),
        "one whose dx is one sample late": spoilt(lambda layer, dy, cache, dx: np.roll(dx, 1, 1)),
        "one whose channels are exchanged": spoilt(lambda layer, dy, cache, dx: dx[:, :, ::-1]),
        "one that fills in the first channel only": spoilt(
            lambda layer, dy, cache, dx: dx * [1.0, 0.0]
        ),
        "one that fills in the first trace only": spoilt(
            lambda layer, dy, cache, dx: dx * (np.arange(len(dx)) == 0)[:, None, None]
        ),
        "one that is averaged over the batch": spoilt(lambda layer, dy, cache, dx: dx / len(dx)),
        "one that spreads its gradient evenly over the samples": spoilt(
            lambda layer, dy, cache, dx: np.repeat(dx.mean(axis=1, keepdims=True), dx.shape[1], 1)
        ),
        "one that forgets the first sample": spoilt(
            lambda layer, dy, cache, dx: dx * (np.arange(dx.shape[1]) > 0)[:, None]
        ),
    }
    check_test(answer.test, right_ones, wrong_ones)
