# Puzzle 27, after docs/06-adam.md
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


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
