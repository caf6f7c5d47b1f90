"""The three lines of Adam

    m = beta1 m + (1 - beta1) g          running mean of the gradient
    v = beta2 v + (1 - beta2) g²         running mean of its square
    w = w - lr  (m / (1 - beta1^t))  /  (sqrt(v / (1 - beta2^t)) + eps)

Write them for one array. All three must change in place: `m *= …` and `m += …`, not `m = …`, which
only binds the name to another array. self.params may be read-only: w is one of its arrays.
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
            ...  # change m, v and w in place, with self.t, self.lr and self.eps


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import Case

SECTION = "Two steps by hand"
HINTS = (
    "In place: m += (1 - beta1) * (g - m) is the first line. Why?",
    "m and v are zero at the beginning. After t steps they contain the fraction 1 - beta**t.",
    "np.sqrt of the corrected v first, and eps after it.",
)
SOLUTION = """\
m += (1 - beta1) * (g - m)
v += (1 - beta2) * (g * g - v)
w -= self.lr * m / (1 - beta1**self.t) / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)"""
FORMS = (
    "m[...] = beta1 * m + (1 - beta1) * g\nv[...] = beta2 * v + (1 - beta2) * g**2\n"
    "w[...] = w - self.lr * (m / (1 - beta1**self.t)) / ((v / (1 - beta2**self.t)) ** 0.5 + self.eps)",
    "m *= beta1\nm += (1 - beta1) * g\nv *= beta2\nv += (1 - beta2) * np.square(g)\n"
    "m_hat, v_hat = m / (1 - beta1**self.t), v / (1 - beta2**self.t)\n"
    "w -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)",
)
_M, _V, _W = SOLUTION.splitlines()
WRONG = {
    f"{_M}\n{_V}\nw -= self.lr * m / (np.sqrt(v) + self.eps)": "bias correction missing: m and v must "
    "be divided by 1 - beta**t; without that the first steps have the wrong length.",
    f"{_M}\n{_V}\nw -= self.lr * m / (1 - beta1**self.t) / (np.sqrt(v) + self.eps)": "bias correction "
    "missing: v must be divided by 1 - beta2**t, like m.",
    f"{_M}\n{_V}\nw -= self.lr * m / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)": "bias correction "
    "missing: m must be divided by 1 - beta1**t, like v.",
    f"{_M}\n{_V}\nw -= self.lr * m / (1 - beta1**self.t) / np.sqrt(v / (1 - beta2**self.t) + self.eps)": (
        "eps under the root: eps is added under the root; it must be added after the root."
    ),
    f"{_M}\n{_V}\nw -= self.lr * m / (1 - beta1**self.t) / np.sqrt(v / (1 - beta2**self.t))": (
        "eps missing: eps is missing; where all gradients are zero this divides zero by zero."
    ),
    f"{_M}\n{_V}\nw -= self.lr * m / (1 - beta1**self.t) / (v / (1 - beta2**self.t) + self.eps)": (
        "root missing: the square root of v is missing."
    ),
    SOLUTION.replace(
        "g * g", "np.abs(g)"
    ): "square missing: v is the running mean of g²; here it is the mean of |g|.",
    SOLUTION.replace(
        "g * g", "g"
    ): "square missing: v is the running mean of g²; here it is the mean of g.",
    SOLUTION.replace(
        "g * g", "m * m"
    ): "m for g: v is the running mean of g²; here it is the mean of m².",
    SOLUTION.replace("beta1", "beta")
    .replace("beta2", "beta1")
    .replace("beta*", "beta2*")
    .replace("beta)", "beta2)"): "betas swapped: m must use beta1 and v must use beta2.",
    SOLUTION.replace("(1 - beta1) * (g", "beta1 * (g").replace("(1 - beta2) * (g", "beta2 * (g"): (
        "weights exchanged: beta weights the old value, and 1 - beta the new one."
    ),
    SOLUTION.replace(
        "**self.t", ""
    ): "t missing: the correction is 1 - beta**t, with the number of steps t.",
    SOLUTION.replace(
        "**self.t", " * self.t"
    ): "power: the correction is 1 - beta to the power of t, not times t.",
    SOLUTION.replace(
        "**self.t", "**(self.t - 1)"
    ): "off by one: t is 1 in the first step already. Do not subtract 1.",
    SOLUTION.replace(
        "**self.t", "**(self.t + 1)"
    ): "off by one: t is 1 in the first step already. Do not add 1.",
    SOLUTION.replace("w -=", "w +="): "uphill: w goes up the gradient; subtract the step.",
    SOLUTION.replace(
        "w -= ", "w = w - "
    ): "w unchanged: w does not change. Is the third line there, "
    "and does it change the array, as `w -= …` does? `w = w - …` makes another array.",
    SOLUTION.replace(
        "m += ", "m = m + "
    ): "not in place: m is not kept from step to step: `m = …` makes another array. Use `m += …`.",
    SOLUTION.replace(
        "v += ", "v = v + "
    ): "not in place: v is not kept from step to step: `v = …` makes another array. Use `v += …`.",
    SOLUTION.replace("v += ", "v = v + ").replace(
        "m += ", "m = m + "
    ): "not in place: m and v are not "
    "kept from step to step: `m = …` makes another array. Use `m += …`.",
    f"m = beta1 * m + (1 - beta1) * g\nv = beta2 * v + (1 - beta2) * g * g\n{_W}": "not in place: m and v "
    "are not kept from step to step: `m = …` makes another array. Use `m *= …` and `m += …`.",
    f"{_W}\n{_M}\n{_V}": "order: w is changed before m and v. The step must use the new m and v.",
    f"{_M}\n{_W}\n{_V}": "order: w is changed before v. The step must use the new v.",
    f"{_M}\n{_V}\nw -= self.lr * g / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)": "g for m: the step "
    "uses g in place of the corrected m.",
    f"{_M}\n{_V}\nw -= m / (1 - beta1**self.t) / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)": (
        "lr missing: the step must be multiplied with self.lr."
    ),
    f"{_M}\n{_V}\nw -= self.lr * g": "plain gradient step: this is w - lr g. m and v are not used.",
    SOLUTION.replace("m += (1 - beta1) * (g - m)", "m += (1 - beta1) * g"): "old value: m must be "
    "multiplied with beta1 before the new part is added.",
    SOLUTION.replace(
        "v += (1 - beta2) * (g * g - v)", "v += (1 - beta2) * g * g"
    ): "old value: v must be multiplied with beta2 before the new part is added.",
    f"{_M}\n{_V}\nself.params[name] = {_W[5:].join(['w - ', ''])}": "replaced",
    f"{_M}\n{_V}": "w unchanged",
}
LESSON = (
    "This is the complete Adam. Its first step has the length lr for any magnitude of the gradient."
)


def cases():
    from numpycnn.puzzles.cases import Draw

    for seed in range(24):
        draw = Draw(seed)
        shapes = [(1,), (2,), (2, 2)][: draw(1, 3)]
        names = ["w", "b", "c"][: len(shapes)]
        params = {name: draw.array(*shape) for name, shape in zip(names, shapes, strict=True)}
        # A gradient of zero in every sixth case, so that eps counts.
        steps = [
            {name: draw.array(*array.shape) * (seed % 6 != 5) for name, array in params.items()}
            for _ in range(draw(1, 4) + (seed > 1))
        ]
        options = {"lr": 0.1, "betas": (0.5, 0.75) if seed % 2 else (0.8, 0.95), "eps": 0.5}
        more = {"params": params, "gradients": steps, "options": options}
        yield Case("optimizer", "Adam", {}, ("w",), more)
