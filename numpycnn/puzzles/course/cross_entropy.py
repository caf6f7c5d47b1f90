"""Cross-entropy with softmax, and its gradient

    p[n,i] = exp(x[n,i]) / sum over j of exp(x[n,j])
    loss   = -1/N  sum over n and i of  y[n,i] log p[n,i]

y[n,i] is 1 for the true class of trace n, and 0 for the others. The loss is computed below. What
is its gradient with respect to the scores x?
"""

import numpy as np


def cross_entropy(x, labels):
    """Compute the loss for scores x (N, D) and labels (N,), and its gradient (N, D)."""
    n, d = x.shape
    exps = np.exp(x - x.max(axis=1, keepdims=True))
    p = exps / exps.sum(axis=1, keepdims=True)  # (N, D)
    y = np.eye(d)[labels]  # (N, D)
    loss = -np.log((p * y).sum(axis=1)).mean()
    dx = ...  # (N, D): the gradient, from p, y and n
    return loss, dx


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function

SECTION = "The gradient of the loss"
HINTS = (
    "For one trace the loss is log Z - x[t]. Differentiate log Z and x[t] separately.",
    "The probabilities minus the true classes. Then there is the mean over the traces.",
)
SOLUTION = "(p - y) / n"
FORMS = (
    "p / n - y / n",
    "(p - y) / len(labels)",
    "(p - np.eye(d)[labels]) / len(x)",
)
WRONG = {
    "p - y": "mean missing: too large by the factor n, the number of traces: the loss is a mean over "
    "the traces.",
    "(y - p) / n": "sign: every sign is wrong. A larger score of a wrong class raises the loss.",
    "y - p": "sign: every sign is wrong, and the division by n is missing.",
    "p / n": "labels ignored: only the derivative of log Z is there. The term of the true class, -y, is "
    "missing.",
    "-y / n": "softmax ignored: only the term of the true class is there. The derivative of log Z, which "
    "is p, is missing.",
    "-y / p / n": "derivative with respect to p: this is the derivative with respect to the "
    "probabilities p, not the scores x.",
    "(p - y) / n**2": "divided twice: it is divided by n twice. Once is enough.",
    "(p - y) / (n * d)": "too many divisors: it is divided by n and by d. The loss is a mean over the "
    "n traces only.",
    "(p - y) / y.size": "too many divisors: y.size is n times d. The loss is a mean over the n traces "
    "only.",
    "(p - y) / d": "wrong divisor: it is divided by d, the number of classes. The loss is a mean over "
    "the n traces.",
    "p * (1 - p) / n": "labels ignored: p (1 - p) is a derivative of the softmax alone, without the "
    "labels.",
    "(p - y).mean(axis=0)": "wrong shape: the gradient has a row for each trace; here they are averaged.",
    "(p - y) * loss / n": "loss: the gradient does not contain the loss itself.",
}
LESSON = "The probabilities minus the true classes. The division by N is done here, once, and nowhere else."


def case(draw):
    n, d = draw(1, 5), draw(2, 4)
    labels = draw.rng.integers(0, d, n)
    return function("cross_entropy", {"x": draw.array(n, d), "labels": labels}, "loss", "dx")
