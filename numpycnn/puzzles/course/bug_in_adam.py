"""Find the bug: Adam

This Adam trains the trace classifier well, but one line is incorrect. Find it and fix it.
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
            w, m, v = self.params[name], self.m[name], self.v[name]
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1**self.t)
            v_hat = v / (1 - beta2**self.t)
            w -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.course.adam import cases
from numpycnn.puzzles.trained import accuracy

SECTION = "Two steps by hand"
GAP = """\
for name, g in grads.items():
    self.t += 1
"""
HINTS = (
    "With one parameter it is correct. The classifier has six.",
    "Which quantity does t count? Which must it count?",
)
SOLUTION = """\
self.t += 1
for name, g in grads.items():
"""
FORMS = (
    "self.t = self.t + 1\nfor name in grads:\n    g = grads[name]\n",
    "for i, (name, g) in enumerate(grads.items()):\n    self.t += i == 0\n",
)
WRONG = {
    "for name, g in grads.items():\n": "t stays 0: t stays 0, so the correction divides by 1 - beta**0 = 0.",
    "self.t = 1\nfor name, g in grads.items():\n": "t stays 1: t stays 1, so every step is corrected like "
    "the first one.",
    "self.t = 0\nfor name, g in grads.items():\n    self.t += 1\n": "t restarts: t starts again at "
    "every step; it must count the steps.",
    "for name, g in grads.items():\n    self.t += 1 / 2\n": "step counter per parameter: t grows with every "
    "parameter, by a half; it must grow by 1 per step.",
    "for name, g in grads.items():\n    self.t += 1 / len(grads)\n": "step counter per parameter: t grows within "
    "a step, from parameter to parameter; it must grow by 1 before the first.",
    "self.t += len(grads)\nfor name, g in grads.items():\n": "step counter per parameter: t grows by the number of "
    "parameters; it must grow by 1 per step.",
    "self.t += 2\nfor name, g in grads.items():\n": "off by one: t grows by 2; it must grow by 1 per step.",
    "beta2, beta1 = self.betas\nself.t += 1\nfor name, g in grads.items():\n": "betas swapped: m must "
    "use beta1 and v must use beta2.",
    "self.t += 1\nfor name, g in list(grads.items())[:1]:\n": "one parameter: only the first parameter "
    "is changed.",
    "self.t += 1\nfor name, g in grads.items():\n    g = -g\n": "uphill: the parameters go up the gradient.",
    "self.t += 1\nfor name, g in grads.items():\n    self.t += 1\n": "counted twice: t grows once per step "
    "and once more with every parameter.",
}
LESSON = (
    "t counts steps; here it counted arrays, and the correction ended too soon. A similar bug was found "
    "in DiffSharp: https://github.com/DiffSharp/DiffSharp/issues/292"
)


def opening():
    return (
        f"With this Adam the trace classifier is correct on {accuracy(optimizer=Adam):.0%} of the "
        "test set. Which line is incorrect?"
    )
