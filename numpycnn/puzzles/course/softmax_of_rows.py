"""Softmax of a batch, also for large scores

    p[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])

Each row is a trace. Compute all rows at once, without a loop. Scores may be as large as 1000.
"""

import numpy as np


def softmax(x):
    """Compute probabilities (N, D) from scores (N, D); each row sums to one."""
    ...  # return p, from np.exp and sums along the right axis


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function, loop_test

SECTION = "From scores to probabilities"
HINTS = (
    "keepdims=True keeps the summed axis with size 1, so that (N, D) / (N, 1) works.",
    "exp(1000) is infinite. Adding the same number to all scores of a row changes nothing.",
    "Subtract from each row its largest score before np.exp.",
)
SOLUTION = """\
exps = np.exp(x - x.max(axis=1, keepdims=True))
return exps / exps.sum(axis=1, keepdims=True)"""
FORMS = (
    "z = x - np.logaddexp.reduce(x, axis=1)[:, None]\nreturn np.exp(z)",
    "exps = np.exp(x.T - x.max(axis=1))\nreturn (exps / exps.sum(axis=0)).T",
)
WRONG = {
    "return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)": "overflow: exp of a large score is "
    "infinite, and infinity / infinity is NaN. Subtract the largest score of the row first.",
    "exps = np.exp(x - x.max())\nreturn exps / exps.sum()": "not by rows: all rows together sum to one; "
    "each row must.",
    "exps = np.exp(x - x.max())\nreturn exps / exps.sum(axis=1, keepdims=True)": "underflow: the "
    "largest score of all rows is subtracted. In a row of small scores every exp is then 0.",
    "exps = np.exp(x - x.max(axis=1, keepdims=True))\nreturn exps / exps.sum(axis=0)": "wrong axis: the "
    "columns sum to one. The sum must go along axis 1.",
    "exps = np.exp(x - x.max(axis=0))\nreturn exps / exps.sum(axis=0)": "wrong axis: the "
    "columns sum to one. Maximum and sum must go along axis 1.",
    "exps = np.exp(x - x.max(axis=1, keepdims=True))\nreturn exps": "not normalized: the rows do not sum "
    "to one. Divide by the sum of the row.",
    "exps = np.exp(x - x.mean(axis=1, keepdims=True))\nreturn exps / exps.sum(axis=1, keepdims=True)": (
        "overflow: the mean is subtracted. The largest score may be far above it; subtract the maximum."
    ),
    "z = x - x.max(axis=1, keepdims=True)\nreturn z / z.sum(axis=1, keepdims=True)": "exp missing: the "
    "scores are divided by their sum, without exp.",
    "z = x / np.abs(x).max(axis=1, keepdims=True)\nexps = np.exp(z)\n"
    "return exps / exps.sum(axis=1, keepdims=True)": "scaled: dividing the scores changes the "
    "probabilities. Subtracting a number does not.",
    "x -= x.max(axis=1, keepdims=True)\nexps = np.exp(x)\nreturn exps / exps.sum(axis=1, keepdims=True)": (
        "changes its argument"
    ),
    "exps = np.exp(x - x.max(axis=1, keepdims=True))\nexps / exps.sum(axis=1, keepdims=True)": "None",
    "rows = [np.exp(row - row.max()) for row in x]\nreturn np.array([row / row.sum() for row in rows])": (
        "loop"
    ),
}
LESSON = "The subtraction does not change the exact result. In floating point it prevents overflow."
LOOPS = loop_test("softmax", (np.ones((2, 3)),), (np.ones((20, 30)),), "rows")


def case(draw):
    x = draw.array(draw(1, 4), draw(1, 4))
    return function("softmax", {"x": x if draw.is_small and draw(0, 1) else x * 10.0 ** draw(0, 3)})
