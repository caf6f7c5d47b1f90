"""The loss is nan. Why?

Training stopped in the third epoch: the loss was `nan`. The scores of one trace were then
(900, 20, -700), and class 2 was the true one.

    surprise = -log p[t],    p[i] = exp(x[i]) / sum over j of exp(x[j])

The formula is right, and so is the line below, on paper. Write it so that it holds for all scores.
"""

import numpy as np


def surprise(x, t):
    """-log of the probability that the scores x (D,) give to class t."""
    return -np.log(np.exp(x[t]) / np.exp(x).sum())


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_function

GAP = "return -np.log(np.exp(x[t]) / np.exp(x).sum())"
HINTS = (
    "Where does infinity come in? And if that is mended, where does zero?",
    "The logarithm of a quotient is a difference, and log exp(x[t]) needs neither log nor exp.",
    "log Z - x[t] is left. Take the largest score out of the sum: log Z = top + log(sum exp(x - top)).",
)
SOLUTION = """\
top = x.max()
return top + np.log(np.exp(x - top).sum()) - x[t]"""
WRONG = {
    "x = x - x.max()\nreturn -np.log(np.exp(x[t]) / np.exp(x).sum())": "inf",
    "x = x - x.max()\nreturn -np.log(np.exp(x[t]) / np.exp(x).sum() + 1e-7)": "it should be",
    "return np.log(np.exp(x).sum()) - x[t]": "inf",
    "return np.log(np.exp(x - x.max()).sum()) - x[t]": "it should be",
}
LESSON = (
    "exp(900) is infinite, and infinity over infinity is nan. With the largest score taken off it "
    "is exp(-1600) = 0, and its log is infinite. Only the logarithm done on paper is safe."
)


def opening():
    return (
        "With scores (1, 2, 3) and class 2 it gives 0.408, as it should. With (900, 20, -700) it "
        "gives nan; it should be 1600. What is infinite on the way?"
    )


def check(answer, right):
    def arguments(draw):
        classes = draw(1, 4)
        return draw.array(classes) * 10.0 ** draw(0, 3), draw(0, classes - 1)

    check_function(answer.surprise, right.surprise, arguments)
