"""Write a test: a gradient check

Below is half of a test. It draws an input x, an upstream gradient dy and a direction v, and
computes the dx of a layer. Write the other half: along v, compare dx with a central difference of
forward.

    sum(dx * v)  must equal  sum(dy * (forward(x + h v) - forward(x - h v)) / 2 h)

The test is run on two correct layers and on eight incorrect ones. It must pass the correct ones and
fail the others.
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

from numpycnn.puzzles.cases import Case
from numpycnn.puzzles.reasons import of_a_test

SECTION = "Central differences"
HINTS = (
    "h = 1e-5 is a good step. Chapter 8 explains why it is neither larger nor smaller.",
    "Both sides are one number each. They agree to about ten digits, not to sixteen.",
    "assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6",
)
SOLUTION = """\
h = 1e-5
difference = (layer.forward(x + h * v)[0] - layer.forward(x - h * v)[0]) / (2 * h)
assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6"""
FORMS = (
    "f = lambda t: (dy * layer.forward(x + t * v)[0]).sum()\n"
    "assert np.isclose((f(1e-6) - f(-1e-6)) / 2e-6, np.vdot(dx, v), rtol=1e-6)",
)
_START = (
    "h = 1e-5\ndifference = (layer.forward(x + h * v)[0] - layer.forward(x - h * v)[0]) / (2 * h)\n"
)
WRONG = {
    "pass": "never fails",
    "assert dx.shape == x.shape": "never fails",
    _START + "np.isclose((dx * v).sum(), (dy * difference).sum())": "never fails",
    _START + "return abs((dx * v).sum() - (dy * difference).sum()) < 1e-6": "never fails",
    "assert np.isfinite(dx).all()": "passes",
    _START + "assert abs((dx * v).sum() - (dy * difference).sum()) < 1": "passes",
    _START + "assert np.sign((dx * v).sum()) == np.sign((dy * difference).sum())": "passes",
    _START + "assert (dx * v).sum() == (dy * difference).sum()": "false alarm",
    _START + "assert np.allclose(dx, difference)": "false alarm",
    _START + "assert abs(dx.sum() - (dy * difference).sum()) < 1e-6": "false alarm",
    _START + "assert not abs((dx * v).sum() - (dy * difference).sum()) > 1e-6": "passes",
    "difference = layer.forward(x + 1e-5 * v)[0] - layer.forward(x - 1e-5 * v)[0]\n"
    "assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6": "false alarm",
    _START.replace("1e-5", "1e-16")
    + "assert abs((dx * v).sum() - (dy * difference).sum()) < 1e-6": ("false alarm"),
}
LESSON = "A few lines check any layer. check_gradients is based on the same test."

CORRECT = "a tanh", "a softmax"
INCORRECT = (
    "one that returns dy",
    "one that returns zeros",
    "one with the wrong sign",
    "one that is too large by a hundredth",
    "one that does not use dy",
    "one that is incorrect in its last column only",
    "one with 1 - y for 1 - y²",
    "one that returns NaN, which is neither smaller nor larger than anything",
)


def cases():
    places = range(len(CORRECT) + len(INCORRECT))
    return [Case("test", "test", {}, (), {"group": "tanh", "place": place}) for place in places]


def assess(trials):
    return of_a_test(trials, CORRECT, INCORRECT)
