"""Adam: a step size for every weight.

The gradient says which way each weight should go, not how far. One
step size for all is a poor answer, because gradients of different weights
differ in size by orders of magnitude. Adam keeps two running averages for each
weight, of its gradient `g` and of its square,

    m = beta1 m + (1 - beta1) g          which way, lately
    v = beta2 v + (1 - beta2) g²         how large, lately

and steps by their ratio, `m / sqrt(v)`: about one `lr` while the gradient keeps
its sign, less when it wavers. The size of the gradient cancels; only where it
jumps is a step longer for a while, since `m` follows sooner than `v`.

Both averages begin at zero and are too small at first, by exactly the factor
`1 - beta^t` at step `t`, so they are divided by it. Without that the first step
would be `0.1 / sqrt(0.001)`, three times too long.

Source: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR
2015, Algorithm 1. Its `eps` is added *after* the square root of the corrected
average; the variant at the end of the paper's section 2, which some libraries use, adds it
before the correction and takes slightly different steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import (
    above_zero,
    number,
    require_array,
    require_finite,
    require_parameters,
)


class Adam:
    """Adam for the arrays in `params`, which `step` changes in place.

    `params` is `model.params`, or a dict of some of its arrays under the same names: then only
    these are trained.

    >>> params = {"w": np.array([1.0, 1.0])}
    >>> optimizer = Adam(params, lr=0.1)
    >>> optimizer.step({"w": np.array([20.0, -0.003])})     # any size: a step of lr
    >>> params["w"].round(6)
    array([0.9, 1.1])

    `lr` may be changed between steps. Raises `TypeError` or `ValueError` for settings
    out of range and for gradients that do not belong to the parameters.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        require_trainable_arrays(self, params)
        self.params = dict(params)
        self.lr = number(self, "lr", lr, "a finite number above 0", above_zero)
        self.eps = number(self, "eps", eps, "a finite number above 0", above_zero)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"Adam: betas must be a pair of numbers, got {betas!r}.")
        for beta in betas:
            number(self, "betas", beta, "two numbers from 0 to below 1", lambda b: 0 <= b < 1)
        self.betas = betas
        # In float16 the square of a gradient below 2e-4 is 0, and so is eps.
        g = _end_to_end(params)
        self.m = np.zeros_like(g, dtype=np.result_type(g, np.float32))
        self.v = np.zeros_like(self.m)
        self.t = 0

    def step(self, grads: Params) -> None:
        """Move every parameter one step against its gradient.

        With g the gradient at step t, in the paper's letters:

        m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t)
        w     = w - lr m_hat / (sqrt(v_hat) + eps)

        The rule is the same for every weight, so all of them lie end to end in one vector:
        a few operations on a long array take less time than many on short ones. One array
        at a time, the training of the trace classifier took 5 % longer.
        """
        require_gradients(self, self.params, grads)
        (beta1, beta2), m, v = self.betas, self.m, self.v
        g = _end_to_end({name: grads[name] for name in self.params}).astype(m.dtype, copy=False)
        if not np.isfinite(g).all():
            require_finite_gradients(self, grads)
        self.t += 1
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        m_hat = m / (1 - beta1**self.t)
        v_hat = v / (1 - beta2**self.t)
        steps = self.lr * m_hat / (np.sqrt(v_hat) + self.eps)

        begin = 0
        for array in self.params.values():
            array -= steps[begin : begin + array.size].reshape(array.shape)
            begin += array.size


def require_trainable_arrays(caller: object, params: object) -> None:
    """Raise `TypeError` unless `params` is a mapping of names to arrays of floats, not empty."""
    who = type(caller).__name__
    if hasattr(params, "params"):
        raise TypeError(
            f"{who}: params must be a dict of arrays, got {type(params).__name__}. "
            "Pass its parameters: model.params."
        )
    if not isinstance(params, Mapping) or not params:
        raise TypeError(
            f"{who}: params must be a dict with at least one array, got {params!r:.80}. "
            "Pass model.params."
        )
    require_parameters(caller, params)


def require_gradients(caller: object, params: Params, grads: Params) -> None:
    """Raise unless there is a gradient of its shape for every parameter, and no other."""
    who = type(caller).__name__
    if not isinstance(grads, Mapping):
        raise TypeError(f"{who}: grads must be a dict of arrays, got {type(grads).__name__}.")
    if grads.keys() != params.keys():
        missing = [name for name in params if name not in grads]
        unknown = [name for name in grads if name not in params]
        raise ValueError(
            f"{who}: grads must have the names of params, got {unknown} more and {missing} less. "
            "For a part of the parameters pass {name: grads[name] for name in optimizer.params}."
        )
    for name, array in params.items():
        grad = grads[name]
        grad = np.asarray(grad) if isinstance(grad, np.generic) else grad  # the sum of an array
        require_array(caller, f"grads[{name!r}]", grad, "...", shape=array.shape)


def require_finite_gradients(caller: object, grads: Params) -> None:
    """Raise `ValueError` with the position of NaN or infinity in a gradient."""
    fix = "Reduce lr, or scale x to a standard deviation near 1."
    for name, grad in grads.items():
        require_finite(caller, f"grads[{name!r}]", np.asarray(grad), fix=fix)


def _end_to_end(arrays: Params) -> Array:
    """All numbers of several arrays in one vector."""
    return np.concatenate([array.ravel() for array in arrays.values()])
