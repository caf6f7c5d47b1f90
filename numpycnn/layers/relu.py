"""ReLU: keep what is positive.

A chain of weighted sums is itself one weighted sum, so without something bent
in between, ten layers could do no more than one. The rectified linear unit is
the simplest bend there is:

    y = max(x, 0)

Where `x` is positive the layer is transparent, and a small change of `x` is a
change of `y` of the same size: slope 1. Where `x` is negative the output stays
zero whatever `x` does: slope 0. So backward needs to remember one thing about
each number, whether it got through, and the output itself tells.

At exactly zero there is a corner and no slope; the layer takes 0 there.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class ReLU(Layer):
    """Rectified linear unit, y = max(x, 0), for arrays of any shape. No parameters.

    >>> ReLU().forward(np.array([-2.0, 0.0, 3.0]))[0]
    array([0., 0., 3.])

    Raises `TypeError` or `ValueError` for inputs that are not arrays of floats.
    """

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return y = max(x, 0), and again y: it is positive exactly where x got through."""
        require_array(self, "x", x, "...")
        y = np.maximum(x, np.zeros_like(x))  # NumPy is faster with an array than with a number
        return y, y

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return dx = dy where x was positive, else 0."""
        y = cache
        require_array(self, "dy", dy, "...", shape=y.shape)
        return dy * (y > 0), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each sample is rectified by itself."""
        return ReceptiveField.each_sample(length)
