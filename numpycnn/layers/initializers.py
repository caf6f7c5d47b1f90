"""Where the weights start: Glorot's uniform distribution.

If all weights began at zero, all filters would compute the same thing, get the
same gradient and stay the same for ever; so they begin random. How large? An
output that adds up `fan_in` products has the variance of its terms times
`fan_in`, and a gradient on its way back adds up `fan_out` of them. Weights of
variance `1 / fan_in` keep the signals at one size on the way forward, of
variance `1 / fan_out` on the way back. Glorot and Bengio take the middle:

    Var(w) = 2 / (fan_in + fan_out),    w uniform on [-limit, limit],
    limit = sqrt(6 / (fan_in + fan_out))

because a uniform number on [-a, a] has the variance a² / 3.

Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep
feedforward neural networks", AISTATS 2010, equation 16.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from numpycnn._types import Array


def glorot_uniform(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> Array:
    """Draw float32 weights of this `shape`, uniform within ±sqrt(6 / (fan_in + fan_out)).

    >>> w = glorot_uniform((256, 16), fan_in=256, fan_out=16, rng=np.random.default_rng(0))
    >>> w.dtype, bool(abs(w).max() <= (6 / (256 + 16)) ** 0.5)
    (dtype('float32'), True)
    """
    limit = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape).astype(np.float32, copy=False)
