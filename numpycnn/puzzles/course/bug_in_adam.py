"""Find the bug: Adam

This Adam trains the trace classifier as well as any. One thing in it is wrong all the same. Which?
Find it, and mend it.
"""

import numpy as np


class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.m = {name: np.zeros_like(w) for name, w in params.items()}
        self.v = {name: np.zeros_like(w) for name, w in params.items()}
        self.t = 0

    def step(self, grads):
        beta1, beta2 = self.betas
        for name, g in grads.items():
            self.t += 1
            m, v = self.m[name], self.v[name]
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1**self.t)
            v_hat = v / (1 - beta2**self.t)
            self.params[name] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.checks import check_adam
from numpycnn.puzzles.grading import Wrong, accuracy

GAP = """\
for name, g in grads.items():
    self.t += 1
"""
HINTS = (
    "With one parameter it is right. The classifier has six.",
    "What does t count? What should it count?",
)
SOLUTION = """\
self.t += 1
for name, g in grads.items():
"""
WRONG = {
    "for name, g in grads.items():\n": "not finite",
    "self.t = 1\nfor name, g in grads.items():\n": "time stands still",
    "for name, g in grads.items():\n    self.t += 1 / 2\n": "unknown",
    "beta2, beta1 = self.betas\nself.t += 1\nfor name, g in grads.items():\n": "betas swapped",
}
LESSON = (
    "t counts steps, and here it counted arrays: the correction was over too soon. Somebody made it, or one like it: "
    "https://github.com/DiffSharp/DiffSharp/issues/292"
)


def opening():
    return (
        f"With this Adam the trace classifier is right on {accuracy(optimizer=Adam):.0%} of the "
        "traces that it has not seen. Which line is wrong?"
    )


def check(answer, right):
    report = check_adam(answer.Adam, rng=0)
    if not report.ok:
        raise Wrong(str(report), *(mistake.name for mistake in report.mistakes))
