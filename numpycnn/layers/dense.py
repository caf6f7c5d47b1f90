"""Dense layer: every output depends on every input.

Each output is a weighted sum of all inputs plus a constant, the *bias*. With `D_in` inputs and
`D_out` outputs,

    y[n,j] = sum_i x[n,i] w[i,j] + b[j]

which is a single matrix product. At the end of the trace classifier, two dense layers combine the
features found by the filters into one score per class.
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

    Parameters
    ----------
    in_features : int
        Number of inputs D_in.
    out_features : int
        Number of outputs D_out.
    bias : bool
        Add a bias. It has no effect directly before a `BatchNorm`, which subtracts any constant.
    rng : Generator, int or None
        Source of randomness for the initial weights.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or range.

    Notes
    -----
    The parameters are `w`, shape (D_in, D_out), drawn from Glorot's uniform distribution, and
    `b`, shape (D_out,), initially zero.

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> layer.params["w"][:] = [[10.0], [1.0]]
    >>> layer.params["b"][:] = 0.5
    >>> layer(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[12.5],
           [34.5]])
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, rng: Rng = None
    ) -> None:
        self.in_features = d_in = check_int(self, "in_features", in_features)
        self.out_features = d_out = check_int(self, "out_features", out_features)
        self.bias = boolean(self, "bias", bias)
        w = glorot_uniform((d_in, d_out), generator(self, rng))
        b = {"b": np.zeros(d_out, dtype=np.float32)} if self.bias else {}
        super().__init__(w=w, **b)

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Compute y[n,j] = sum_i x[n,i] w[i,j] + b[j].

        Parameters
        ----------
        x : ndarray, shape (..., D_in)
            Input.

        Returns
        -------
        y : ndarray, shape (..., D_out)
            Output.
        cache : ndarray, shape (..., D_in)
            The input x itself, which backward needs for dw.
        """
        require_array(self, "x", x, f"... D_in={self.in_features}")
        require_parameters(self, self.params)
        y = x @ self.params["w"]
        return y + self.params["b"] if self.bias else y, x

    # The backward pass
    # -----------------
    # Which outputs depend on a value, and with what factor? The input `x[n,i]` contributes to
    # every output `j` of trace `n`, multiplied by `w[i,j]`. The weight `w[i,j]` contributes to
    # output `j` of every trace, multiplied by `x[n,i]`. The bias `b[j]` contributes to output `j`
    # of every trace, with the factor 1. Summing these contributions, each multiplied by the
    # gradient of its output, gives two matrix products and a column sum.
    #
    # There is no division by N here. If the loss is a mean over traces, its gradient already
    # contains the factor `1 / N`, and so does `dy`.

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Compute the gradients with respect to the input and the parameters.

        Parameters
        ----------
        dy : ndarray, shape (..., D_out)
            Gradient of the loss with respect to the output.
        cache : ndarray, shape (..., D_in)
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (..., D_in)
            Gradient with respect to the input.
        grads : dict of str to ndarray
            Gradients for `"w"`, shape (D_in, D_out), and, if the layer has a bias, for `"b"`,
            shape (D_out,).

        Notes
        -----
        The index n runs over all leading axes:

        dx[n,i] = sum_j dy[n,j] w[i,j]
        dw[i,j] = sum_n x[n,i] dy[n,j]
        db[j]   = sum_n dy[n,j]
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
        return ReceptiveField.each_sample(length)
