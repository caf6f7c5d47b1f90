"""Kinks: where a function has no derivative.

At a tie of two maxima, or where the input of a ReLU is exactly zero, the slope to the right is not
the slope to the left, and no derivative exists. A correct gradient is between the two, for each
entry and in every other direction. One entry at a time is not enough: a max pooling that returns
the whole gradient for each of two equal maxima has a 1 for either, which is between 0 and 1. But
if all samples move up together, the ties remain, and the slope is 1.

If a function is made of several with kinks at the same values, as two layers in one class, the sum
of their one-sided slopes need not include the gradient. Then the gradients a small step away, on
all sides, count as well.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.derivatives import Method, OneSided

KINK: dict[Method, float] = {"complex": 1e-8, "central": 1e-2}
"""Relative difference from which the slopes of the two sides count as different …"""

SEEN: dict[Method, float] = {"complex": 1e-8, "central": 1e-4}
"""… if it is at least this fraction of the largest slope; less could be the error of the method."""


def kinks(
    slopes: OneSided, dy: Array, method: Method, n_axes: int = 0, scale: float = 0.0
) -> Array:
    """Return where the slopes from the right and from the left are not the same.

    `scale` is the magnitude of the gradient: a gap that is negligible relative to it is not a kink.

    >>> dy, slopes = np.ones((1, 2)), OneSided(np.ones((1, 2)), np.array([[0.98, 0.99]]))
    >>> [kinks(slopes, dy, "central", n_axes).tolist() for n_axes in (2, 1, 0)]
    [[[True, False]], [False], False]
    >>> [kinks(OneSided(s * dy, -s * dy), dy, "central").tolist() for s in (0.0, 1e-5)]
    [False, True]
    >>> [bool(kinks(slopes, dy, "central", 2, scale)[0, 0]) for scale in (199, 201)]
    [True, False]
    """
    gap = summed(np.abs(dy * (slopes.right - slopes.left)), n_axes)
    size = summed(np.abs(dy) * (np.abs(slopes.right) + np.abs(slopes.left)), n_axes)
    return np.asarray(
        gap > np.maximum(KINK[method] * size, SEEN[method] * max(np.max(size), scale))
    )


def between(slopes: OneSided, dy: Array, n_axes: int = 0) -> tuple[Array, Array]:
    """Return the least and the largest slope that the kinks of the single outputs allow.

    >>> slopes = OneSided(np.array([1.0, 2.0]), np.array([0.0, 3.0]))
    >>> [float(bound) for bound in between(slopes, np.array([1.0, -1.0]))]
    [-3.0, -1.0]
    """
    right, left = dy * slopes.right, dy * slopes.left
    return summed(np.minimum(right, left), n_axes), summed(np.maximum(right, left), n_axes)


def allowed(slopes: OneSided, dy: Array, at_kink: Array, n_axes: int = 0) -> tuple[Array, Array]:
    """Return the least and the largest slope that a correct gradient may have.

    Several layers in one function may give zero at a kink, whatever the slopes around it.

    >>> slopes = OneSided(np.array([1.0, 2.0, -3.0]), np.array([1.0, 3.0, -2.0]))
    >>> bounds = allowed(slopes, np.ones(3), np.array([False, True, True]), 1)
    >>> [bound.tolist() for bound in bounds]
    [[1.0, 0.0, -3.0], [1.0, 3.0, 0.0]]
    """
    low, high = between(slopes, dy, n_axes)
    return np.where(at_kink, np.minimum(low, 0), low), np.where(at_kink, np.maximum(high, 0), high)


def summed(terms: Array, n_axes: int) -> Array:
    """Sum over all but the first `n_axes`."""
    return np.asarray(terms.sum(axis=tuple(range(n_axes, terms.ndim))))
