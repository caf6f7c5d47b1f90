"""Stochastic gradient descent: one step size for all weights, with momentum.

The oldest rule changes each weight against its gradient, in proportion to the gradient, with one
factor `lr` for all weights. In a long narrow valley of the loss these steps alternate from side
to side, because the gradient is nearly perpendicular to the valley. *Momentum* accumulates the
steps:

    u = momentum u + g
    w = w - lr u

Components that alternate in sign cancel. Components of constant sign accumulate, up to
`1 / (1 - momentum)` times the length of a single step.

The method is called *stochastic* because the gradient is usually that of a few traces drawn at
random, and not of all traces.

References
----------
B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR
Computational Mathematics and Mathematical Physics 4 (1964).
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Params
from numpycnn._validation import fraction, positive, require_arrays, require_gradients


class SGD:
    """Gradient descent with momentum: `step` changes the parameters in place.

    Parameters
    ----------
    params : mapping of str to ndarray
        The parameters: `model.params`, or a dict of some of its arrays under the same names.
    lr : float
        Step size. The attribute `lr` may be changed between steps.
    momentum : float
        Fraction of the previous step that is added to the next one, from 0 to below 1.

    Raises
    ------
    TypeError, ValueError
        If `params` is not a mapping of names to arrays of floats, or a setting is out of range.

    Examples
    --------
    >>> params = {"w": np.array([1.0])}
    >>> optimizer = SGD(params, lr=0.1, momentum=0.5)
    >>> for _ in range(3):
    ...     optimizer.step({"w": np.array([2.0])})
    ...     print(params["w"].round(3))
    [0.8]
    [0.5]
    [0.15]
    """

    def __init__(self, params: Params, lr: float, momentum: float = 0.0) -> None:
        require_arrays(self, params)
        self.params = dict(params)
        self.lr = positive(self, "lr", lr)
        self.momentum = fraction(self, "momentum", momentum)
        self.u = {name: np.zeros_like(array) for name, array in params.items()}

    def step(self, grads: Params) -> None:
        """Change every parameter by one step: u = momentum u + g, then w = w - lr u.

        Parameters
        ----------
        grads : mapping of str to ndarray
            A gradient for every parameter, of the same name and shape.

        Raises
        ------
        TypeError, ValueError
            If the gradients do not match the parameters, or hold NaN or infinity.
        """
        require_gradients(self, self.params, grads)
        for name, array in self.params.items():
            u = self.u[name]
            u *= self.momentum
            u += grads[name]
            array -= self.lr * u
