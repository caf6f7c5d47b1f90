"""Prove it: the cases that find it

`check_gradients` is allowed, but it looks at one input only, and most mistakes need a special one.
`make(pool_size, stride)` makes a max pooling. Which sizes, which strides, which numbers do you show
it? And who says that forward is right? Compare it with the loops of the formula.

    y[n,m,c] = max over j < P of  x[n, m S + j, c]
"""

import numpy as np

from numpycnn import check_gradients


def test(make):
    """Raise AssertionError if make(pool_size, stride) makes anything but a right max pooling."""
    ...  # draw cases; assert check_gradients(layer, x).ok, and that forward is what it should be


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn import MaxPool1D
from numpycnn.puzzles.grading import check_test

HINTS = (
    "Windows that overlap, windows side by side, windows with gaps; several traces and channels.",
    "Ties: np.round of random numbers has many.",
    "check_gradients is content with a forward that is not a maximum, if backward is its derivative. "
    "So go over n, m and c in loops, and compare y with x[n, m * S : m * S + P, c].max().",
)
SOLUTION = """\
rng = np.random.default_rng(0)
for pool_size, stride in ((2, 2), (3, 1), (2, 3), (3, 2)):
    for x in (rng.standard_normal((2, 8, 3)), np.round(rng.standard_normal((2, 8, 3)))):
        layer = make(pool_size, stride)
        y, _ = layer.forward(x)
        assert y.shape == (2, (8 - pool_size) // stride + 1, 3)
        for n, m, c in np.ndindex(y.shape):
            assert y[n, m, c] == x[n, m * stride : m * stride + pool_size, c].max()
        assert check_gradients(layer, x).ok"""
WRONG = {
    SOLUTION.replace("((2, 2), (3, 1), (2, 3), (3, 2))", "((2, 2), (3, 3))"): "overlap",
    SOLUTION.replace(
        "np.round(rng.standard_normal((2, 8, 3)))", "rng.standard_normal((2, 8, 3))"
    ): ("equal"),
    SOLUTION.replace("assert check_gradients(layer, x).ok", "pass"): "lets pass",
    "x = np.random.default_rng(0).standard_normal((2, 8, 3))\n"
    "assert check_gradients(make(3, 1), x).ok": "lets pass",
    "x = np.arange(24.0).reshape(2, 4, 3)\nassert check_gradients(make(2, 2), x).ok": "lets pass",
    "assert make(2, 2) is not None": "cannot fail",
}
LESSON = (
    "A test is as good as the cases it draws. Hypothesis draws them for you, and shrinks the one that "
    "fails: numpycnn/checks/strategies.py."
)


def spoilt(spoil):
    """Poolings whose dx is `spoil(layer, dy, cache, dx)`."""

    class Spoilt(MaxPool1D):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return spoil(self, dy, cache, dx), grads

    return lambda pool_size, stride: Spoilt(pool_size, stride=stride)


def overwritten(layer, dy, cache, dx):
    dx = np.zeros_like(dx)
    for n, m, c in np.ndindex(dy.shape):
        dx[n, m * layer.stride + cache.winner[n, m, c], c] = dy[n, m, c]
    return dx


class TakesAll(MaxPool1D):
    """Of equal maxima each takes the whole gradient."""

    def forward(self, x):
        y, cache = super().forward(x)
        return y, (x, y)

    def backward(self, dy, cache):
        x, y = cache
        dx = np.zeros(x.shape, dy.dtype)
        for m in range(y.shape[1]):
            window = slice(m * self.stride, m * self.stride + self.pool_size)
            dx[:, window] += dy[:, m : m + 1] * (x[:, window] == y[:, m : m + 1])
        return dx, {}


class OfSizes(MaxPool1D):
    """The maximum of the sizes, which forgets the sign."""

    def forward(self, x):
        y, cache = super().forward(x * np.sign(x.real))
        return y, (cache, np.sign(x))

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache[0])
        return dx * cache[1], grads


class SideBySide(MaxPool1D):
    """Windows that stand side by side, whatever the stride was to be."""

    def __init__(self, pool_size, stride):
        super().__init__(pool_size)


class InPlace(MaxPool1D):
    """Spoils the array that it was given."""

    def forward(self, x):
        y, cache = super().forward(x)
        x -= x.mean()
        return y, cache


def of_class(kind):
    return lambda pool_size, stride: kind(pool_size, stride=stride)


def check(answer, right):
    right_ones = {"numpycnn's own max pooling": of_class(MaxPool1D)}
    wrong_ones = {
        "one that assigns where windows overlap, and has to add": spoilt(overwritten),
        "one where each of two equal maxima takes all": of_class(TakesAll),
        "one that gives the gradient to the first sample of each window": spoilt(
            lambda layer, dy, cache, dx: MaxPool1D.backward(
                layer, dy, cache._replace(winner=0 * cache.winner)
            )[0]
        ),
        "one that works for the first trace only": spoilt(
            lambda layer, dy, cache, dx: dx * (np.arange(len(dx)) == 0)[:, None, None]
        ),
        "one that works for the first channel only": spoilt(
            lambda layer, dy, cache, dx: dx * (np.arange(dx.shape[2]) == 0)
        ),
        "one that takes the maximum of the sizes, and is differentiated correctly": of_class(
            OfSizes
        ),
        "one that ignores the stride": SideBySide,
        "one that changes x in place": of_class(InPlace),
    }
    check_test(answer.test, right_ones, wrong_ones)
