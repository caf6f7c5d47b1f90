"""Dense, backward

    y[n,j] = sum over i of  x[n,i] w[i,j]  +  b[j]

First write each of the three gradients as a sum with indices. The shapes then almost determine the
matrix products.
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
        (
            dx,
            dw,
            db,
        ) = ...  # three gradients, of the shapes of x (N, D_in), w (D_in, D_out) and b (D_out,)
        return dx, {"w": dw, "b": db}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "Every layer in NumPy"
HINTS = (
    "dx[n,i] = sum over j of dy[n,j] w[i,j]: which of the two must be transposed?",
    "dw[i,j] = sum over n of x[n,i] dy[n,j]: the sum runs over traces.",
    "dx is dy @ w.T; for dw, x is transposed and on the left.",
)
SOLUTION = "dy @ w.T, x.T @ dy, dy.sum(axis=0)"
FORMS = (
    "np.einsum('nj,ij->ni', dy, w), np.einsum('ni,nj->ij', x, dy), dy.sum(0)",
    "(w @ dy.T).T, (dy.T @ x).T, np.ones(len(dy)) @ dy",
)
_DW, _DB = "x.T @ dy", "dy.sum(axis=0)"
WRONG = {
    f"dy @ w.reshape(w.shape[::-1]), {_DW}, {_DB}": "reshape: dx is computed with w.reshape(...); "
    "that does not transpose. Use w.T.",
    f"dy @ w, {_DW}, {_DB}": "transpose missing: dx is computed with w; it must be w.T. With w square "
    "the shapes fit all the same.",
    f"np.ones_like(dy) @ w.T, {_DW}, {_DB}": "dy ignored",
    f"dy @ w.T / self.d_out, {_DW}, {_DB}": "dx averaged: dx is divided by the number of outputs; "
    "it must be the sum over them.",
    f"dy @ w.T / len(x), {_DW}, {_DB}": "dx averaged: dx is divided by the number of traces. Each trace "
    "has its own dx.",
    f"x @ w @ w.T, {_DW}, {_DB}": "forward: dx is computed from x; it must be computed from dy.",
    f"dy @ w.T, x.T @ dy / len(x), {_DB}": "dw averaged: dw is divided by the number of traces. dy "
    "already contains the mean of the loss.",
    f"dy @ w.T, x[:1].T @ dy[:1], {_DB}": "first trace: dw contains only the first trace.",
    f"dy @ w.T, x[-1:].T @ dy[-1:], {_DB}": "last trace: dw contains only the last trace: it is "
    "overwritten in a loop. Add with `+=`.",
    f"dy @ w.T, dy.T @ x, {_DB}": "transposed: dw is transposed: it must have the shape of w.",
    f"dy @ w.T, (dy.T @ x).reshape(w.shape), {_DB}": "reshape: dw has the values of the transposed "
    "array, in the wrong order. Use .T, not reshape.",
    f"dy @ w.T, np.outer(x.sum(axis=0), dy.sum(axis=0)), {_DB}": "product of sums: dw is the product of "
    "two sums over the traces. Multiply first, then sum.",
    f"dy @ w.T, x.T @ np.ones_like(dy), {_DB}": "dy ignored",
    f"dy @ w.T, x.T @ (x @ w), {_DB}": "y for dy: dw is computed from y in place of dy.",
    f"dy @ w.T, {_DW}, dy.mean(axis=0)": "bias averaged: db is the mean over the traces; it must be the "
    "sum.",
    f"dy @ w.T, {_DW}, dy[0]": "first trace: db contains only the first trace.",
    f"dy @ w.T, {_DW}, dy[-1]": "last trace: db contains only the last trace.",
    f"dy @ w.T, {_DW}, dy.sum(axis=1)": "wrong axis: db is summed over the outputs; it must be summed "
    "over the traces, axis 0.",
    f"dy @ w.T, {_DW}, dy.sum()": "wrong shape",
    f"dy @ w.T, {_DW}, dy.sum(axis=0) / self.d_out": "bias averaged: db is divided by the number of "
    "outputs. Do not divide.",
    f"-dy @ w.T, {_DW}, {_DB}": "sign",
    f"dy @ w.T, {_DW}, np.zeros(self.d_out)": "zero",
}
LESSON = (
    "Two matrix products and a sum. If w is square, the result without the transpose has the correct "
    "shape too, but is incorrect."
)


def case(draw):
    d_in, d_out = draw(1, 4), draw(1, 4)
    if draw(0, 3) == 1:
        d_out = d_in  # with w square a missing transpose fits
    return layer("Dense", {"d_in": d_in, "d_out": d_out}, draw.array(draw(1, 4), d_in))
