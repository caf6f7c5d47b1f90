"""Adam's three lines

    m = beta1 m + (1 - beta1) g          which way, lately
    v = beta2 v + (1 - beta2) g²         how large, lately
    w = w - lr  (m / (1 - beta1^t))  /  (sqrt(v / (1 - beta2^t)) + eps)

Write them for one array after the other. All three change in place: `m *= …` and `m += …`, not
`m = …`, which would only give the name to another array.
"""

import numpy as np


class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.m = {name: np.zeros_like(w) for name, w in params.items()}
        self.v = {name: np.zeros_like(w) for name, w in params.items()}
        self.t = 0

    def step(self, grads):
        self.t += 1
        beta1, beta2 = self.betas
        for name, g in grads.items():
            w, m, v = self.params[name], self.m[name], self.v[name]
            ...  # change m, v and w, in place, with self.t, self.lr and self.eps


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.checks import check_adam
from numpycnn.puzzles.grading import Wrong

HINTS = (
    "In place: m += (1 - beta1) * (g - m) is the first line. Why?",
    "m and v were zero in the beginning. What has really been seen is the share 1 - beta**t.",
    "np.sqrt of the corrected v first, and eps after it.",
)
SOLUTION = """\
m += (1 - beta1) * (g - m)
v += (1 - beta2) * (g * g - v)
w -= self.lr * m / (1 - beta1**self.t) / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)"""
MV = "m += (1 - beta1) * (g - m)\nv += (1 - beta2) * (g * g - v)\n"
WRONG = {
    MV + "w -= self.lr * m / (np.sqrt(v) + self.eps)": "bias correction missing",
    MV + "w -= self.lr * m / (1 - beta1**self.t) / np.sqrt(v / (1 - beta2**self.t) + self.eps)": (
        "eps under the root"
    ),
    SOLUTION.replace("g * g", "np.abs(g)"): "square missing",
    SOLUTION.replace("beta1", "beta")
    .replace("beta2", "beta1")
    .replace("beta*", "beta2*")
    .replace("beta)", "beta2)"): "betas swapped",
    SOLUTION.replace("**self.t", ""): "time stands still",
    SOLUTION.replace("w -=", "w +="): "unknown",
    SOLUTION.replace("w -= ", "w = w - "): "in place",
}
LESSON = "That is all of Adam. A first step of lr, whatever the size of the gradient."


def check(answer, right):
    report = check_adam(answer.Adam, rng=0)
    if not report.ok:
        names = [mistake.name for mistake in report.mistakes]
        if not moves(answer.Adam):
            raise Wrong("After a step the parameters are what they were: change w in place.")
        raise Wrong(str(report), *names)


def moves(adam):
    import numpy as np

    w = np.ones(2)
    adam({"w": w}, lr=0.1).step({"w": np.ones(2)})
    return bool((w != 1).any())
