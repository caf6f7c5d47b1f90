"""Softmax of a batch, also for large scores

    p[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])

Each row is a trace. Do all rows at once, and mind that scores may be 1000.
"""

import numpy as np


def softmax(x):
    """Scores (N, D) become probabilities (N, D); each row sums to one."""
    ...  # return p, from np.exp and sums along the right axis


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn.puzzles.grading import check_function, check_iterations

HINTS = (
    "keepdims=True leaves the axis that was summed with a size of 1, so that (N, D) / (N, 1) works.",
    "exp(1000) is infinite. Adding the same number to all scores of a row changes nothing.",
    "Subtract from each row its largest score before np.exp.",
)
SOLUTION = """\
exps = np.exp(x - x.max(axis=1, keepdims=True))
return exps / exps.sum(axis=1, keepdims=True)"""
WRONG = {
    "return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)": "NaN",
    "exps = np.exp(x - x.max())\nreturn exps / exps.sum()": "it should be",
    "exps = np.exp(x - x.max(axis=1, keepdims=True))\nreturn exps / exps.sum(axis=0)": (
        "it should be"
    ),
    """\
rows = [np.exp(row - row.max()) for row in x]
return np.array([row / row.sum() for row in rows])""": "goes round",
}
LESSON = "Taking off the largest score changes nothing on paper, and everything in the computer."


def check(answer, right):
    def arguments(draw):
        return (draw.array(draw(1, 4), draw(1, 4)) * 10.0 ** draw(0, 3),)

    check_function(answer.softmax, right.softmax, arguments)
    check_iterations(answer.softmax, (np.ones((2, 3)),), (np.ones((20, 30)),), "rows")
