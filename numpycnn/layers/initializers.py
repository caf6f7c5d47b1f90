"""Initial weights: Glorot's uniform distribution.

If all weights were zero at first, all filters would compute the same, receive the same gradient
and remain equal. Initial weights are therefore random. Their variance matters: an output that sums
`fan_in` products has `fan_in` times the variance of one product, and a gradient in the backward
pass sums `fan_out` products. In a *linear* layer, weights with the variance `1 / fan_in` preserve
the variance of the signal, and weights with the variance `1 / fan_out` that of the gradient. Glorot
and Bengio use the mean of the two numbers:

    Var(w) = 2 / (fan_in + fan_out),    w uniform on [-limit, limit],
    limit = sqrt(6 / (fan_in + fan_out))

because a uniform number on [-a, a] has the variance a² / 3. A ReLU between the layers removes about
half of the signal's power, so in a deep network with ReLU the signal decreases from layer to layer.

References
----------
X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
AISTATS 2010, equation 16.
"""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

from numpycnn._types import Array


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw float32 weights of this `shape`, (D_in, D_out) or (K, C, F), within the limit.

    >>> w = glorot_uniform((256, 16), np.random.default_rng(0))
    >>> w.dtype, bool(abs(w).max() <= (6 / (256 + 16)) ** 0.5)
    (dtype('float32'), True)
    """
    fan_in, fan_out = prod(shape[:-1]), prod(shape) // shape[-2]
    limit = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape).astype(np.float32, copy=False)
