"""The loss is nan

Training stopped in the third epoch because the loss was `nan`. The scores of one trace were then
(900, 20, -700), and its true class was class 2, the last one (classes are counted from 0).

    surprise = -log p[t],    p[i] = exp(x[i]) / sum over j of exp(x[j])

The formula is correct, and the line below implements it. Rewrite the line so that it works for all
scores.
"""

import numpy as np


def surprise(x, t):
    """Compute -log of the probability of class t for the scores x (D,)."""
    return -np.log(np.exp(x[t]) / np.exp(x).sum())


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function

SECTION = "Large scores"
GAP = "return -np.log(np.exp(x[t]) / np.exp(x).sum())"
HINTS = (
    "Which value becomes infinite? After you fix that, which value becomes zero?",
    "The logarithm of a quotient is a difference, and log exp(x[t]) needs neither log nor exp.",
    "log Z - x[t] remains. Take the largest score out of the sum: log Z = top + log(sum exp(x - top)).",
)
SOLUTION = """\
top = x.max()
return top + np.log(np.exp(x - top).sum()) - x[t]"""
FORMS = (
    "return np.logaddexp.reduce(x - x[t])",
    "z = x - x.max()\nreturn np.log(np.exp(z).sum()) - z[t]",
)
WRONG = {
    "x = x - x.max()\nreturn -np.log(np.exp(x[t]) / np.exp(x).sum())": "infinite: it returns infinity "
    "if a score is far above that of the true class: a logarithm of zero, or exp of a large number. "
    "Replace log exp(x[t]) by x[t].",
    "x = x - x.max()\nreturn -np.log(np.exp(x[t]) / np.exp(x).sum() + 1e-7)": "eps: with 1e-7 added the "
    "surprise is never above 16, and the gradient of such a trace is lost.",
    "p = np.exp(x - x.max())\nreturn -np.log(np.clip(p[t] / p.sum(), 1e-12, 1))": "clipped: a clipped "
    "probability gives a surprise of 28 at most, and the gradient of such a trace is lost.",
    "return np.log(np.exp(x).sum()) - x[t]": "overflow: exp of a large score is infinite. Subtract the "
    "largest score first.",
    "return np.log(np.exp(x - x.max()).sum()) - x[t]": "shift missing: the largest score was "
    "subtracted in one term only.",
    "return x.max() + np.log(np.exp(x - x.max()).sum())": "score missing: this is log Z; the score of the "
    "true class is not subtracted.",
    "return x.max() - x[t]": "sum missing: log Z is taken for the largest score, which holds only if one "
    "score is far above the others.",
    "top = x.max()\nreturn x[t] - top - np.log(np.exp(x - top).sum())": "sign",
    "return np.nan_to_num(-np.log(np.exp(x[t]) / np.exp(x).sum()))": "replaced: nan_to_num replaces the "
    "nan by 0 and hides the error. The true value is finite.",
    "top = x.max()\ntop + np.log(np.exp(x - top).sum()) - x[t]": "None",
    "top = x.max()\nprint(top + np.log(np.exp(x - top).sum()) - x[t])": "printed",
}
LESSON = (
    "exp(900) is infinite, and infinity / infinity is nan. With the largest score subtracted there is "
    "exp(-1600) = 0, and its logarithm is infinite. Simplify the logarithm by hand before you compute it."
)


def opening():
    return (
        "With scores (1, 2, 3) and class 2 it returns 0.408, which is correct. With (900, 20, -700) it "
        "returns nan; expected 1600. Which intermediate value is infinite?"
    )


def case(draw):
    classes = draw(1, 4)
    x = draw.array(classes) * 10.0 ** (0 if draw.is_small and draw(0, 1) else draw(0, 3))
    return function("surprise", {"x": x, "t": draw(0, classes - 1)})
