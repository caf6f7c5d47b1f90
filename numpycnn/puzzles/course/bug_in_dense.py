"""Find the bug: a dense layer

One line is wrong, and the classifier does not care. Which is it? Find it, and mend it.
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

from numpycnn.checks.reference import dense_backward
from numpycnn.puzzles.grading import accuracy, check_function, check_layers

GAP = "db = dy.mean(axis=0)"
HINTS = (
    "Three gradients. Write down each with its indices, and compare.",
    "Who divides by N? The loss does, and nobody else.",
)
SOLUTION = "db = dy.sum(axis=0)"
WRONG = {
    "db = dy.sum(axis=0) / self.d_out": "bias averaged",
    "db = dy[0]": "only one share",
    "db = dy.sum(axis=1)": "wrong shape",
    "db = dy.sum()": "wrong shape",
}
LESSON = (
    "A bias that learns N times too slowly; Adam does not even notice. Somebody made it, or one like it: "
    "https://github.com/kvfrans/notes/issues/5"
)


def opening():
    return (
        f"With this layer the trace classifier is right on {accuracy(dense=Dense):.0%} of the traces "
        "that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    d_in = draw(2, 4)
    return part.Dense(d_in, draw(2, 4), rng=0), draw.array(draw(2, 4), d_in)


def check(answer, right):
    check_layers(answer, right, case)

    def gradients(dy, x, w):
        layer = answer.Dense(*w.shape).with_params({"w": w, "b": 0 * w[0]})
        dx, grads = layer.backward(dy, x)
        return dx, grads["w"], grads["b"]

    def arguments(draw):
        n, i, j = draw(1, 4), draw(1, 4), draw(1, 4)
        return draw.array(n, j), draw.array(n, i), draw.array(i, j)

    check_function(gradients, dense_backward, arguments)
