"""Find the bug: a dense layer

One line is incorrect, although the classifier trains well. Find it and fix it.
"""

import numpy as np

from numpycnn import Layer


class Dense(Layer):
    def __init__(self, d_in, d_out, rng=None):
        limit = np.sqrt(6 / (d_in + d_out))
        w = np.random.default_rng(rng).uniform(-limit, limit, (d_in, d_out))
        super().__init__(w=w.astype(np.float32), b=np.zeros(d_out, np.float32))
        self.d_in, self.d_out = d_in, d_out

    def forward(self, x):
        return x @ self.params["w"] + self.params["b"], x

    def backward(self, dy, cache):
        x, w = cache, self.params["w"]
        dx = dy @ w.T
        dw = x.T @ dy
        db = dy.mean(axis=0)
        return dx, {"w": dw, "b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "The checker"
GAP = "db = dy.mean(axis=0)"
HINTS = (
    "Three gradients. Write down each with its indices, and compare.",
    "Only the loss divides by N.",
)
SOLUTION = "db = dy.sum(axis=0)"
FORMS = ("db = np.ones(len(dy)) @ dy", "db = np.einsum('nj->j', dy)")
WRONG = {
    "db = dy.sum(axis=0) / self.d_out": "bias averaged: db is divided by the number of outputs. There is no "
    "division.",
    "db = dy.sum(axis=0) / self.d_in": "bias averaged: db is divided by the number of inputs. There is no "
    "division.",
    "db = dy.sum(axis=0) / dy.size": "bias averaged: db is divided by the number of entries of dy. There is "
    "no division.",
    "db = dy.sum(axis=0) / len(x)": "bias averaged: db is the mean over the traces; it must be the sum.",
    "db = dy[0]": "first trace: db contains only the first trace.",
    "db = dy[-1]": "last trace: db contains only the last trace.",
    "db = dy.sum(axis=1)": "wrong axis: db is summed over the outputs; it must be summed over the traces, "
    "axis 0.",
    "db = dy.mean(axis=1)": "wrong axis: db is a mean over the outputs; it must be the sum over the traces, "
    "axis 0.",
    "db = dy.sum()": "wrong shape",
    "db = dy": "wrong shape",
    "db = -dy.sum(axis=0)": "sign",
    "db = np.ones(self.d_out) * len(x)": "dy ignored",
    "db = dy.mean(axis=0)\ndw = x.T @ dy / len(x)": "averaged: db and dw are means over the traces; both "
    "must be sums.",
    "db = dy.mean(axis=0)\ndx = dy @ w.T / len(x)": "averaged: db and dx are divided by the number of "
    "traces. Neither must be.",
    "db = dy.max(axis=0)": "maximum: db is the maximum over the traces; it must be the sum.",
}
LESSON = (
    "The gradient of the bias was N times too small, and Adam hides that. A similar bug was found in a collection of "
    "notes: https://github.com/kvfrans/notes/issues/5"
)


def opening():
    return (
        f"With this layer the trace classifier is correct on {accuracy(dense=Dense):.0%} of the test set. "
        "Which line is incorrect?"
    )


def case(draw):
    d_in = draw(1, 4)
    return layer("Dense", {"d_in": d_in, "d_out": draw(1, 4)}, draw.array(draw(1, 4), d_in))
