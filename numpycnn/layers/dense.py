"""Dense: every output looks at every input.

The oldest layer and the plainest: each output is a weighted sum of all inputs,
plus a number of its own, the bias. With `D_in` inputs and `D_out` outputs,

    y[n,j] = sum_i x[n,i] w[i,j] + b[j]

which is one matrix product. At the end of the trace classifier two of these
weigh up what the filters have found and turn it into one score per class.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import boolean, check_int, generator, require_array, require_parameters
from numpycnn.layers.initializers import glorot_uniform
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Dense(Layer):
    """Weighted sums over the last axis: x (..., D_in) becomes y (..., D_out).

    Parameters: `w` (D_in, D_out), Glorot-uniform at first, and `b` (D_out,), zero. With
    `bias=False` there is no `b`: a batch normalization that follows subtracts any constant.

    >>> layer = Dense(2, 1)
    >>> layer.params["w"][:] = [[10.0], [1.0]]
    >>> layer.params["b"][:] = 0.5
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))[0]
    array([[12.5],
           [34.5]])

    Raises `TypeError` or `ValueError` for sizes that are not positive whole numbers
    and for inputs of another type or shape.
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, rng: Rng = None
    ) -> None:
        self.in_features = d_in = check_int(self, "in_features", in_features)
        self.out_features = d_out = check_int(self, "out_features", out_features)
        self.bias = boolean(self, "bias", bias)
        w = glorot_uniform((d_in, d_out), fan_in=d_in, fan_out=d_out, rng=generator(self, rng))
        b = {"b": np.zeros(d_out, dtype=np.float32)} if self.bias else {}
        super().__init__(w=w, **b)

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return y[n,j] = sum_i x[n,i] w[i,j] + b[j], and x, which backward needs for dw."""
        require_array(self, "x", x, f"... D_in={self.in_features}")
        require_parameters(self, self.params)
        y = x @ self.params["w"]
        return y + self.params["b"] if self.bias else y, x

    # The backward pass
    # -----------------
    # Ask of each number: which outputs did it touch, and with what factor? The
    # input `x[n,i]` entered every output `j` of its own trace, times `w[i,j]`.
    # The weight `w[i,j]` entered output `j` of every trace, times `x[n,i]`. The
    # bias `b[j]` entered output `j` of every trace, times one. Each collects
    # what it is owed, and the three sums are two products and a column sum.
    #
    # There is no `1 / N` here. Whether the loss is a mean or a sum over traces
    # is the loss's business, and it is in `dy` already.

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Send dy (..., D_out) back to the input and the parameters.

        dx[n,i] = sum_j dy[n,j] w[i,j]
        dw[i,j] = sum_n x[n,i] dy[n,j]
        db[j]   = sum_n dy[n,j]

        where n runs over all the leading axes.
        """
        x = cache
        require_array(self, "dy", dy, "... D_out", shape=(*x.shape[:-1], self.out_features))
        x_rows = x.reshape(-1, self.in_features)  # (N, D_in)
        dy_rows = dy.reshape(-1, self.out_features)  # (N, D_out)
        grads = {"w": x_rows.T @ dy_rows}
        if self.bias:
            grads["b"] = dy_rows.sum(axis=0)
        return dy @ self.params["w"].T, grads

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each sample is weighed up by itself."""
        return ReceptiveField.each_sample(length)
