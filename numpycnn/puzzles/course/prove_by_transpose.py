"""Write a test: the dot-product test

A layer without bias is a matrix A, and its backward is the transpose. Then for any x and dy

    sum(y * dy) = sum(x * dx)        with y = forward(x), dx = backward(dy)

The test requires neither derivatives nor a step size. Write it for a convolution without bias, with
two input channels, four taps, and stride 1 or 2. Which x and which dy do you choose? The test is
run on two correct convolutions and on eight incorrect ones. It must pass the correct ones and fail
the others.
"""

import numpy as np


def test(layer):
    """Raise AssertionError if backward is not the transpose of forward."""
    ...  # draw x (N, L, 2); y, cache = layer.forward(x); draw dy like y; dx, _ = layer.backward(…)


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import Case
from numpycnn.puzzles.reasons import of_a_test

SECTION = "The layer as a matrix"
HINTS = (
    "Draw both at random. With ones, a shifted gradient has the same sum as a correct one.",
    "Use more than one trace and about ten samples, so that a wrong order changes the sums.",
    "assert np.isclose((y * dy).sum(), (x * dx).sum())",
)
SOLUTION = """\
rng = np.random.default_rng(0)
x = rng.standard_normal((3, 9, 2))
y, cache = layer.forward(x)
dy = rng.standard_normal(y.shape)
dx, _ = layer.backward(dy, cache)
assert np.isclose((y * dy).sum(), (x * dx).sum())"""
FORMS = (
    "x = np.random.default_rng(1).normal(size=(4, 12, 2))\ny, cache = layer.forward(x)\n"
    "dy = np.random.default_rng(2).normal(size=y.shape)\ndx = layer.backward(dy, cache)[0]\n"
    "np.testing.assert_allclose(np.vdot(y, dy), np.vdot(x, dx))",
)
_ASSERT = "assert np.isclose((y * dy).sum(), (x * dx).sum())"
WRONG = {
    SOLUTION.replace("rng.standard_normal((3, 9, 2))", "np.ones((3, 9, 2))").replace(
        "rng.standard_normal(y.shape)", "np.ones(y.shape)"
    ): "passes",
    SOLUTION.replace("rng.standard_normal(y.shape)", "np.ones(y.shape)"): "passes",
    SOLUTION.replace("(3, 9, 2)", "(1, 9, 2)"): "passes",
    SOLUTION.replace(_ASSERT, "assert dx.shape == x.shape"): "never fails",
    SOLUTION.replace(_ASSERT, "pass"): "never fails",
    SOLUTION.replace(_ASSERT, _ASSERT[7:]): "never fails",
    SOLUTION.replace(_ASSERT, f"return {_ASSERT[7:]}"): "never fails",
    SOLUTION.replace("rng.standard_normal(y.shape)", "0 * y"): "never fails",
    SOLUTION.replace("(y * dy).sum(), (x * dx).sum()", "y.sum(), x.sum()"): "false alarm",
    SOLUTION.replace(
        "(y * dy).sum(), (x * dx).sum()", "(y * dy).mean(), (x * dx).mean()"
    ): "false alarm",
    SOLUTION.replace(_ASSERT, "assert (y * dy).sum() == (x * dx).sum()"): "false alarm",
    SOLUTION.replace("(3, 9, 2)", "(3, 9, 1)"): "ValueError",
    SOLUTION.replace("(3, 9, 2)", "(9, 2)"): "ValueError",
}
LESSON = "Two sums, equal up to rounding. Geophysicists check their migration with this test."

CORRECT = "a convolution", "a convolution with stride 2"
INCORRECT = (
    "one that computes dx with the taps in reverse order",
    "one whose dx is one sample late",
    "one whose channels are exchanged",
    "one that computes the first channel only",
    "one that computes the first trace only",
    "one that is averaged over the batch",
    "one that averages dy over the samples first",
    "one that leaves out the first sample",
)


def cases():
    places = range(len(CORRECT) + len(INCORRECT))
    return [
        Case("test", "test", {}, (), {"group": "convolution", "place": place}) for place in places
    ]


def assess(trials):
    return of_a_test(trials, CORRECT, INCORRECT)
