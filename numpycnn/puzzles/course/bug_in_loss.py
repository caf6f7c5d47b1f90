"""Find the bug: softmax cross-entropy

The loss is right, and its gradient points the right way. Still one line is wrong. Which?
"""

import numpy as np


def softmax_cross_entropy(x, labels):
    """The loss for scores x (N, D) and labels (N,), and its gradient (N, D)."""
    y = np.eye(x.shape[1])[labels]  # (N, D)
    shifted = x - x.max(axis=1, keepdims=True)
    z = np.exp(shifted).sum(axis=1, keepdims=True)
    log_p = shifted - np.log(z)
    loss = -(y * log_p).sum() / len(x)
    dx = (np.exp(log_p) - y) / y.size
    return loss, dx


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import accuracy, check_layers

GAP = "dx = (np.exp(log_p) - y) / y.size"
HINTS = (
    "The loss is a mean. Over what? And of what is the gradient a mean?",
    "y.size is N times D.",
)
SOLUTION = "dx = (np.exp(log_p) - y) / len(x)"
WRONG = {
    "dx = np.exp(log_p) - y": "mean missing",
    "dx = (y - np.exp(log_p)) / len(x)": "sign",
    "dx = (np.exp(log_p) - y) / len(x) ** 2": "divided twice",
    "dx = (log_p - y) / len(x)": "unknown",
}
LESSON = (
    "The loss was a mean over traces, its gradient one over traces and classes. Somebody divided "
    "twice: https://github.com/d2l-ai/d2l-en/pull/1000"
)


def opening():
    share = accuracy(loss=softmax_cross_entropy)
    return (
        f"With this loss the trace classifier is right on {share:.0%} of the traces that it has not "
        "seen. Which line is wrong?"
    )


def case(part, draw):
    n, d = draw(2, 5), draw(2, 4)
    labels = [draw(0, d - 1) for _ in range(n)]

    def softmax_cross_entropy(x):
        return part.softmax_cross_entropy(x, labels)

    return softmax_cross_entropy, draw.array(n, d)


def check(answer, right):
    check_layers(answer, right, case)
