"""Write a test: the cases that find the bug

You may use `check_gradients`, but it checks one input only, and most bugs appear only for special
inputs. `make(pool_size, stride)` creates a max pooling. Choose the sizes, strides and values. Also
compare forward with the loops of the formula.

    y[n,m,c] = max over j < P of  x[n, m S + j, c]

The test is run on a correct max pooling and on eight incorrect ones. It must pass the correct one
and fail the others.
"""

import numpy as np

from numpycnn import check_gradients


def test(make):
    """Raise AssertionError unless make(pool_size, stride) makes a correct max pooling."""
    ...  # draw cases; assert check_gradients(layer, x).ok, and that forward is correct


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import Case
from numpycnn.puzzles.reasons import of_a_test

SECTION = "The checker"
HINTS = (
    "Windows that overlap, windows side by side, windows with gaps; several traces and channels.",
    "Equal values: np.round of random numbers has many.",
    "check_gradients accepts a forward that is not a maximum, if backward is its derivative. "
    "So loop over n, m and c, and compare y with x[n, m * S : m * S + P, c].max().",
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
FORMS = (
    """\
rng = np.random.default_rng(7)
for P in (1, 2, 3):
    for S in (1, 2, 4):
        for x in (rng.normal(size=(3, 9, 2)), rng.integers(-1, 2, (3, 9, 2)).astype(float)):
            layer, before = make(P, S), x.copy()
            y = layer.forward(x)[0]
            right = np.lib.stride_tricks.sliding_window_view(x, P, axis=1)[:, ::S].max(axis=-1)
            assert np.array_equal(x, before) and np.array_equal(y, right)
            assert check_gradients(layer, x).ok""",
)
WRONG = {
    SOLUTION.replace("((2, 2), (3, 1), (2, 3), (3, 2))", "((2, 2), (3, 3))"): "passes",
    SOLUTION.replace("((2, 2), (3, 1), (2, 3), (3, 2))", "((2, 2),)"): "passes",
    SOLUTION.replace(
        "np.round(rng.standard_normal((2, 8, 3)))", "rng.standard_normal((2, 8, 3))"
    ): ("passes"),
    SOLUTION.replace("assert check_gradients(layer, x).ok", "pass"): "passes",
    SOLUTION.replace("assert check_gradients(layer, x).ok", "check_gradients(layer, x)"): "passes",
    "x = np.random.default_rng(0).standard_normal((2, 8, 3))\n"
    "assert check_gradients(make(3, 1), x).ok": "passes",
    "x = np.arange(24.0).reshape(2, 4, 3)\nassert check_gradients(make(2, 2), x).ok": "passes",
    "assert make(2, 2) is not None": "never fails",
    "check_gradients(make(2, 2), np.ones((2, 8, 3)))": "never fails",
    "x = np.ones((2, 8, 3))\nassert make(2, 2).forward(x)[0].shape == (2, 4, 3)": "never fails",
    SOLUTION.replace("// stride + 1", "// stride"): "false alarm",
    SOLUTION.replace(".max()", ".argmax()"): "false alarm",
    SOLUTION.replace(
        "assert check_gradients(layer, x).ok", "assert check_gradients(layer, x) is True"
    ): ("false alarm"),
}
LESSON = "A test finds only the bugs that its cases reveal. Hypothesis draws cases and shrinks a failing one: numpycnn/checks/strategies.py."

CORRECT = ("the max pooling of numpycnn",)
INCORRECT = (
    "one that assigns where windows overlap, and must add",
    "one where each of two equal maxima receives the whole gradient",
    "one that passes the gradient to the first sample of each window",
    "one that works for the first trace only",
    "one that works for the first channel only",
    "one that takes the maximum of the magnitudes, and is differentiated correctly",
    "one that ignores the stride",
    "one that changes x in place",
)


def cases():
    places = range(len(CORRECT) + len(INCORRECT))
    return [Case("test", "test", {}, (), {"group": "pooling", "place": place}) for place in places]


def assess(trials):
    return of_a_test(trials, CORRECT, INCORRECT)
