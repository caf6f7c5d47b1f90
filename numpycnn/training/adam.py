"""Adam: an optimizer with a step size for every weight.

The gradient gives the direction in which each weight should change, but not how far. The
gradients of different weights may differ by orders of magnitude, so a single step size does not
suit all of them. Adam keeps two running averages for each weight, of its gradient `g`
and of the square of its gradient,

    m = beta1 m + (1 - beta1) g
    v = beta2 v + (1 - beta2) g²

and changes the weight in proportion to their ratio, `m / sqrt(v)`. While the gradient keeps its
sign, a step has about the length `lr`; where the sign alternates, `m` is small and the step is
shorter. The magnitude of the gradient cancels. Only after a sudden increase are the steps longer
for a while, because `m` follows the gradient faster than `v` does.

Both averages start at zero and are therefore too small at first, by exactly the factor
`1 - beta^t` at step `t`. Adam divides them by this factor. Without the division the first step
would be `0.1 / sqrt(0.001)`, about three times too long.

References
----------
D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, Algorithm 1. There
`eps` is added *after* the square root of the corrected average. The variant at the end of
section 2 of the paper, which some libraries use, adds it before the correction and takes slightly
different steps.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Params
from numpycnn._validation import fraction, positive, require_arrays, require_gradients, require_pair


class Adam:
    """Adam optimizer: `step` changes the parameters in place.

    Parameters
    ----------
    params : mapping of str to ndarray
        The parameters: `model.params`, or a dict of some of its arrays under the same names. Only
        these are trained.
    lr : float
        Step size. The attribute `lr` may be changed between steps.
    betas : tuple of float
        Decay rates of the two running averages, each from 0 to below 1.
    eps : float
        Added to the denominator, so that a zero gradient is not divided by zero.

    Raises
    ------
    TypeError, ValueError
        If `params` is not a mapping of names to arrays of floats, or a setting is out of range.

    Examples
    --------
    The first step has the length `lr`, whatever the magnitude of the gradient:

    >>> params = {"w": np.array([1.0, 1.0])}
    >>> optimizer = Adam(params, lr=0.1)
    >>> optimizer.step({"w": np.array([20.0, -0.003])})
    >>> params["w"].round(6)
    array([0.9, 1.1])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        require_arrays(self, params)
        self.params = dict(params)
        self.lr = positive(self, "lr", lr)
        self.eps = positive(self, "eps", eps)
        beta1, beta2 = require_pair(self, "betas", betas, "a pair of numbers")
        self.betas = fraction(self, "betas[0]", beta1), fraction(self, "betas[1]", beta2)
        # In float16 the square of a gradient below 2e-4 is 0, and so is eps.
        dtype = np.result_type(np.float32, *(array.dtype for array in params.values()))
        self.m = np.zeros(sum(array.size for array in params.values()), dtype)
        self.v = np.zeros_like(self.m)
        self.t = 0

    def step(self, grads: Params) -> None:
        """Change every parameter by one step against its gradient.

        Parameters
        ----------
        grads : mapping of str to ndarray
            A gradient for every parameter, of the same name and shape.

        Raises
        ------
        TypeError, ValueError
            If the gradients do not match the parameters, or contain NaN or infinity.

        Notes
        -----
        With the gradient g at step t and the symbols of the paper:

        m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t)
        w     = w - lr m_hat / (sqrt(v_hat) + eps)

        The rule is the same for every weight, so all gradients are concatenated to one vector. A
        few operations on a long array take less time than many operations on short arrays: with
        one array at a time, training the trace classifier took 5 % longer.
        """
        (beta1, beta2), m, v = self.betas, self.m, self.v
        g = require_gradients(self, self.params, grads).astype(m.dtype, copy=False)
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
