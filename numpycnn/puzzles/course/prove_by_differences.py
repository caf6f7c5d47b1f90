"""Prove it: a gradient check of your own

Below is half of a test. It draws an input x, an upstream gradient dy and a direction v, and asks a
layer for its dx. The other half is yours: along v, compare dx with a central difference of forward.

    sum(dx * v)  should be  sum(dy * (forward(x + h v) - forward(x - h v)) / 2 h)

Your test is run on layers that are right and on eight that are wrong. It has to tell them apart.
"""

import numpy as np


def test(layer):
    """Raise AssertionError if backward is not the derivative of forward."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4))
    y, cache = layer.forward(x)
    dy, v = rng.standard_normal(y.shape), rng.standard_normal(x.shape)
    dx, _ = layer.backward(dy, cache)
    ...  # assert that both sides agree; layer.forward(…)[0] is the output


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn import Layer, Softmax
from numpycnn.puzzles.grading import check_test

HINTS = (
    "h = 1e-5 is a good step. Chapter 8 says why it is neither larger nor smaller.",
    "Both sides are one number each. They agree to about ten digits, not to sixteen.",
    "assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6",
)
SOLUTION = """\
h = 1e-5
difference = (layer.forward(x + h * v)[0] - layer.forward(x - h * v)[0]) / (2 * h)
assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6"""
START = (
    "h = 1e-5\ndifference = (layer.forward(x + h * v)[0] - layer.forward(x - h * v)[0]) / (2 * h)\n"
)
WRONG = {
    "pass": "cannot fail",
    "assert dx.shape == x.shape": "cannot fail",
    "assert np.isfinite(dx).all()": "lets pass",
    START + "assert abs((dx * v).sum() - (dy * difference).sum()) < 1": "lets pass",
    START + "assert (dx * v).sum() == (dy * difference).sum()": "accuses",
    START + "assert np.allclose(dx, difference)": "accuses",
    START + "assert not abs((dx * v).sum() - (dy * difference).sum()) > 1e-6": "NaN",
    "difference = layer.forward(x + 1e-5 * v)[0] - layer.forward(x - 1e-5 * v)[0]\n"
    "assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6": "accuses",
}
LESSON = (
    "A dozen lines check any layer there is. check_gradients is these, with care for the details."
)


class Tanh(Layer):
    def forward(self, x):
        y = np.tanh(x)
        return y, y

    def backward(self, dy, cache):
        return dy * (1 - cache**2), {}


def spoilt(spoil):
    """A tanh whose dx went through `spoil(dx, dy, y)`."""

    class Spoilt(Tanh):
        def backward(self, dy, cache):
            return spoil(super().backward(dy, cache)[0], dy, cache), {}

    return Spoilt()


def check(answer, right):
    right_ones = {"a tanh": Tanh(), "a softmax": Softmax()}
    wrong_ones = {
        "one that returns dy": spoilt(lambda dx, dy, y: dy),
        "one that returns zeros": spoilt(lambda dx, dy, y: 0 * dx),
        "one with the wrong sign": spoilt(lambda dx, dy, y: -dx),
        "one that is off by a hundredth": spoilt(lambda dx, dy, y: 1.01 * dx),
        "one that forgets dy": spoilt(lambda dx, dy, y: 1 - y**2),
        "one that is wrong in its last column only": spoilt(
            lambda dx, dy, y: dx * (np.arange(dx.shape[1]) < dx.shape[1] - 1)
        ),
        "one with 1 - y for 1 - y²": spoilt(lambda dx, dy, y: dy * (1 - y)),
        "one that returns NaN, which is neither below nor above anything": spoilt(
            lambda dx, dy, y: dx * np.nan
        ),
    }
    check_test(answer.test, right_ones, wrong_ones)
