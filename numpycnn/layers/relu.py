"""ReLU, the rectified linear unit: negative values become zero.

A chain of weighted sums is itself a weighted sum. Ten linear layers in a row could therefore
compute no more than one. A nonlinear function between them is required, and the simplest is

    y = max(x, 0)

Where `x` is positive the output is `x`, and the derivative is 1. Where `x` is negative the output
is 0 and does not depend on `x`: the derivative is 0. At exactly zero there is a kink, where the
derivative does not exist; the layer uses 0 there. Backward only requires the output `y`, because
`y` is positive exactly where `x` is.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class ReLU(Layer):
    """Rectified linear unit, y = max(x, 0), for arrays of any shape.

    The layer has no parameters.

    Examples
    --------
    >>> ReLU()(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Compute y = max(x, 0).

        Parameters
        ----------
        x : ndarray, shape (...)
            Input.

        Returns
        -------
        y : ndarray, shape (...)
            Output.
        cache : ndarray, shape (...)
            The output again.
        """
        require_array(self, "x", x, "...")
        y = np.maximum(x, np.zeros_like(x))  # NumPy is faster with an array than with a number
        return y, y

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Compute dx = dy where x is positive, else 0.

        Parameters
        ----------
        dy : ndarray, shape (...)
            Gradient of the loss with respect to the output.
        cache : ndarray, shape (...)
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (...)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        y = cache
        require_array(self, "dy", dy, "...", shape=y.shape)
        return dy * (y > 0), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.each_sample(length)
