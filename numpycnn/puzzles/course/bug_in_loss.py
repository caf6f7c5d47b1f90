"""Find the bug: softmax cross-entropy

The loss is correct, and its gradient has the correct direction. Still, one line is incorrect. Find
it and fix it.
"""

import numpy as np


def softmax_cross_entropy(x, labels):
    """Compute the loss for scores x (N, D) and labels (N,), and its gradient (N, D)."""
    y = np.eye(x.shape[1])[labels]  # (N, D)
    shifted = x - x.max(axis=1, keepdims=True)
    z = np.exp(shifted).sum(axis=1, keepdims=True)
    log_p = shifted - np.log(z)
    loss = -(y * log_p).sum() / len(x)
    dx = (np.exp(log_p) - y) / y.size
    return loss, dx


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function
from numpycnn.puzzles.trained import accuracy

SECTION = "The checker"
GAP = "dx = (np.exp(log_p) - y) / y.size"
HINTS = (
    "The loss is a mean. Over which axis? Over which is the gradient a mean?",
    "y.size is N times D.",
)
SOLUTION = "dx = (np.exp(log_p) - y) / len(x)"
FORMS = ("dx = (np.exp(shifted) / z - y) / x.shape[0]", "dx = np.exp(log_p) / len(y) - y / len(y)")
WRONG = {
    "dx = np.exp(log_p) - y": "mean missing: too large by the factor N, the number of traces.",
    "dx = (y - np.exp(log_p)) / len(x)": "sign",
    "dx = (np.exp(log_p) - y) / len(x) ** 2": "divided twice: it is divided by the number of traces twice.",
    "dx = (np.exp(log_p) - y) / x.shape[1]": "wrong divisor: it is divided by the number of classes. The loss "
    "is a mean over the traces.",
    "dx = (log_p - y) / len(x)": "exp missing: log_p is the logarithm of the probabilities; take np.exp of "
    "it.",
    "dx = np.exp(log_p) / len(x)": "labels ignored: the term of the true class, -y, is missing.",
    "dx = -y / len(x)": "softmax ignored: the probabilities are missing: p - y.",
    "dx = -y * log_p / len(x)": "loss: these are the terms of the loss, not its gradient.",
    "dx = (np.exp(log_p) - y) / z": "wrong divisor: it is divided by z, the sum of the exponentials. That "
    "division is contained in log_p already.",
    "dx = (np.exp(shifted) - y) / len(x)": "not normalized: np.exp(shifted) are not the probabilities: they "
    "do not sum to one.",
    "dx = (np.exp(log_p) - y).mean(axis=0)": "wrong shape",
    "dx = (np.exp(log_p) - y) / len(x) * loss": "loss: the gradient does not contain the loss itself.",
    "dx = (np.exp(log_p) - y) * log_p / len(x)": "factor: the difference is multiplied with log_p; it must "
    "not be.",
    "dx = (np.exp(log_p) - labels[:, None]) / len(x)": "labels: the numbers of the classes are subtracted; "
    "it must be y, which is 1 for the true class.",
}
LESSON = (
    "The loss is a mean over traces, but its gradient was divided by traces times classes. The same bug "
    "was in a textbook: https://github.com/d2l-ai/d2l-en/pull/1000"
)


def opening():
    share = accuracy(loss=softmax_cross_entropy)
    return (
        f"With this loss the trace classifier is correct on {share:.0%} of the test set. Which line is "
        "incorrect?"
    )


def case(draw):
    n, d = draw(1, 5), draw(2, 4)
    arguments = {"x": draw.array(n, d), "labels": draw.rng.integers(0, d, n)}
    return function("softmax_cross_entropy", arguments, "loss", "dx")
