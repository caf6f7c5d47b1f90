"""Cross-entropy with softmax, and its gradient

    p[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])
    loss   = -1/N  sum over n and i of  y[n,i] log p[n,i]

y[n,i] is 1 for the true class of trace n, and 0 for the others. The loss is computed below. What
is its gradient with respect to the scores x?
"""

import numpy as np


def cross_entropy(x, labels):
    """The loss for scores x (N, D) and labels (N,), and its gradient (N, D)."""
    n, d = x.shape
    exps = np.exp(x - x.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)  # (N, D)
    y = np.eye(d)[labels]  # (N, D)
    loss = -np.log((p * y).sum(axis=1)).mean()
    dx = ...  # (N, D): the gradient, from p, y and n
    return loss, dx


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "For one trace: log Z - x[t]. What is the derivative of log Z? Of x[t]?",
    "What the network said, minus what was true. And then there is the mean.",
)
SOLUTION = "(p - y) / n"
WRONG = {
    "p - y": "mean missing",
    "(y - p) / n": "sign",
    "p / n": "unknown",
    "(p - y) / n**2": "divided twice",
    "(p - y) / (n * d)": "divided twice",
}
LESSON = "What it said minus what was true, and here, once and for all, the division by N."


def case(part, draw):
    n, d = draw(2, 5), draw(2, 4)
    labels = [draw(0, d - 1) for _ in range(n)]

    def cross_entropy(x):
        return part.cross_entropy(x, labels)

    return cross_entropy, draw.array(n, d)


def check(answer, right):
    check_layers(answer, right, case)
