"""Dense, backwards

    y[n,j] = sum over i of  x[n,i] w[i,j]  +  b[j]

Three gradients. For each write the sum with its indices first. Then the shapes leave hardly any choice.
"""

import numpy as np

from numpycnn import Layer


class Dense(Layer):
    def __init__(self, d_in, d_out):
        w, b = np.zeros((d_in, d_out), np.float32), np.zeros(d_out, np.float32)
        super().__init__(w=w, b=b)
        self.d_in, self.d_out = d_in, d_out

    def forward(self, x):
        return x @ self.params["w"] + self.params["b"], x

    def backward(self, dy, cache):
        x, w = cache, self.params["w"]
        dx, dw, db = ...  # of the shapes of x (N, D_in), w (D_in, D_out) and b (D_out,)
        return dx, {"w": dw, "b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "dx[n,i] = sum over j of dy[n,j] w[i,j]: which of the two has to be transposed?",
    "dw[i,j] = sum over n of x[n,i] dy[n,j]: the sum runs over traces.",
    "dx is dy @ w.T; for dw the transpose is on x, and on the left.",
)
SOLUTION = "dy @ w.T, x.T @ dy, dy.sum(axis=0)"
WRONG = {
    "dy @ w.reshape(w.shape[::-1]), x.T @ dy, dy.sum(axis=0)": "transposed",
    "dy @ w.T, x.T @ dy, dy.mean(axis=0)": "bias averaged",
    "dy @ w.T, x.T @ dy / len(x), dy.sum(axis=0)": "divided twice",
    "dy @ w.T, x[:1].T @ dy[:1], dy.sum(axis=0)": "only one share",
    "dy @ w.T, dy.T @ x, dy.sum(axis=0)": "transposed",
    "dy @ w.T, (dy.T @ x).reshape(w.shape), dy.sum(axis=0)": "transposed",
    "dy @ w, x.T @ dy, dy.sum(axis=0)": "transposed",
    "np.ones_like(dy) @ w.T, x.T @ dy, dy.sum(axis=0)": "dy ignored",
}
LESSON = "Two products and a sum. With w square, a transpose too few fits as well, and is wrong."


def case(part, draw):
    d_in, d_out = draw(2, 4), draw(2, 4)
    return part.Dense(d_in, d_out), draw.array(draw(2, 4), d_in)


def check(answer, right):
    check_layers(answer, right, case)
