"""Flatten: one long row per trace.

The filters hand on maps, `C` numbers for each of `L` samples; a dense layer
wants one row of numbers per trace. Nothing is computed in between: the same
numbers are read in another order, channel by channel and sample after sample,

    y[n, l C + c] = x[n, l, c]

and backward reads the gradients back into the old order. From here on a
feature is tied to its place in the trace: what the dense layer learns about
sample 20 says nothing about sample 40.
"""

from __future__ import annotations

from math import prod

from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Flatten(Layer):
    """Turn x (N, ...) into y (N, D), where D is the product of the rest. No parameters.

    >>> import numpy as np
    >>> Flatten().forward(np.zeros((10, 32, 8)))[0].shape
    (10, 256)

    Raises `TypeError` or `ValueError` for inputs that are not arrays of floats.
    """

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Return the numbers of each trace in one row, and the shape they came in."""
        require_array(self, "x", x, "... D")
        return x.reshape(len(x), -1), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Return dy (N, D) in the shape that came in."""
        shape = cache
        require_array(self, "dy", dy, "N D", shape=(shape[0], prod(shape[1:])))
        return dy.reshape(shape), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """The row looks at the whole trace."""
        return ReceptiveField.whole_trace(length)
