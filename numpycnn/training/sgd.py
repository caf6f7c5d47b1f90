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

from numbers import Real

import numpy as np

from numpycnn.training.adam import require_gradients
from numpycnn.types import Params


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
        for name, number in {"lr": lr, "momentum": momentum}.items():
            if not isinstance(number, Real):
                raise TypeError(f"SGD expected {name} to be a number, got {number!r}")
        if not (np.isfinite(lr) and lr > 0 and 0 <= momentum < 1):
            raise ValueError(
                "SGD expected an lr above zero and a momentum from 0 to below 1, got "
                f"lr={lr}, momentum={momentum}"
            )
        self.params, self.lr, self.momentum = params, lr, momentum
        self.u = {name: np.zeros_like(array) for name, array in params.items()}

    def step(self, grads: Params) -> None:
        """Move every parameter: u = momentum u + g, then w = w - lr u."""
        require_gradients("SGD", self.params, grads)
        for name, u in self.u.items():
            u *= self.momentum
            u += grads[name]
            self.params[name] -= self.lr * u
