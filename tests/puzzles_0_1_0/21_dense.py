# Puzzle 21, after docs/05-backwards.md
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


if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
