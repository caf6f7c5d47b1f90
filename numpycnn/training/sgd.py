"""SGD: one step size for all, and a little inertia.

The oldest rule: step against the gradient, as far as the gradient is large, times
one number `lr` for all weights. In a long narrow valley this goes from side to side,
because the gradient points across it and hardly along. *Momentum* lets the steps add up:

    u = momentum u + g
    w = w - lr u

What points the other way at every step cancels out, and what keeps its direction
grows, up to `1 / (1 - momentum)` times as long. A heavy ball rolls down like that.

It is called *stochastic* gradient descent because the gradient comes from a few
traces drawn at random, not from all there are.

Source: B. T. Polyak, "Some methods of speeding up the convergence of iteration
methods", USSR Computational Mathematics and Mathematical Physics 4 (1964).
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Params
from numpycnn._validation import above_zero, number
from numpycnn.training.adam import (
    require_finite_gradients,
    require_gradients,
    require_trainable_arrays,
)


class SGD:
    """Gradient descent with momentum for the arrays in `params`, which `step` changes in place.

    >>> params = {"w": np.array([1.0])}
    >>> optimizer = SGD(params, lr=0.1, momentum=0.5)
    >>> for _ in range(3):
    ...     optimizer.step({"w": np.array([2.0])})
    ...     print(params["w"].round(3))
    [0.8]
    [0.5]
    [0.15]

    `lr` may be changed between steps. Raises `TypeError` or `ValueError` for settings
    out of range and for gradients that do not belong to the parameters.
    """

    def __init__(self, params: Params, lr: float, momentum: float = 0.0) -> None:
        require_trainable_arrays(self, params)
        self.params = dict(params)
        self.lr = number(self, "lr", lr, "a finite number above 0", above_zero)
        self.momentum = number(
            self, "momentum", momentum, "a number from 0 to below 1", lambda m: 0 <= m < 1
        )
        self.u = {name: np.zeros_like(array) for name, array in params.items()}

    def step(self, grads: Params) -> None:
        """Move every parameter: u = momentum u + g, then w = w - lr u."""
        require_gradients(self, self.params, grads)
        require_finite_gradients(self, grads)
        for name, array in self.params.items():
            u = self.u[name]
            u *= self.momentum
            u += grads[name]
            array -= self.lr * u
