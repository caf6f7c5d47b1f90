"""Flatten: the values of each trace as one vector.

The convolutions return maps, `C` values for each of `L` samples. A dense layer requires a vector of
features for each trace. Flatten computes nothing: it reads the same values as a vector, sample
after sample, and within a sample channel after channel,

    y[n, l C + c] = x[n, l, c]

and backward reads the gradients in the old shape again. After this layer each feature belongs to
one position in the trace. What the dense layer learns about sample 20 does not transfer to
sample 40.
"""

from __future__ import annotations

from math import prod

from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Flatten(Layer):
    """Reshape x (N, ...) to y (N, D), where D is the product of the other axes.

    The layer has no parameters.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.zeros((10, 32, 8))).shape
    (10, 256)
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Reshape the values of each trace to a vector.

        Parameters
        ----------
        x : ndarray, shape (N, ...)
            Input.

        Returns
        -------
        y : ndarray, shape (N, D)
            Output.
        cache : tuple of int
            The shape of x.
        """
        require_array(self, "x", x, "... D")
        return x.reshape(len(x), -1), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Reshape dy to the shape of x.

        Parameters
        ----------
        dy : ndarray, shape (N, D)
            Gradient of the loss with respect to the output.
        cache : tuple of int
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, ...)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        shape = cache
        require_array(self, "dy", dy, "N D", shape=(shape[0], prod(shape[1:])))
        return dy.reshape(shape), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.whole_trace(length)
