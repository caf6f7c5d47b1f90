"""Sums, means and variances that keep their digits.

A float32 number has about seven decimal digits. Where many numbers are added in float32,
each addition rounds the sum to seven digits, and after 20 million ones the sum is
16,777,216. Where the numbers share an offset, as the counts of a seismometer do, most of
the seven digits are the offset: the variance of data around 10,000 is the small
difference of two large sums, and none of its digits is correct. Integers are worse,
because they wrap around: in uint8, 98 - 100 is 254.

The statistics of data and losses in this package are therefore accumulated in float64,
which has 16 digits: enough for the offset and the signal of a float32. Where the data are
float64 themselves, or integers of 64 bits, a reference value is subtracted first, the first
of the numbers that are reduced:

    mean(x) = r + 1/R sum_i (x[i] - r)        r = x[0]

The difference of two nearby float64 numbers is exact, so the offset is gone before
anything is rounded. The caller converts the result to the type of its data. (The gradients
of parameters are not reduced in this way. They are sums over products that cancel little,
the matrix product computes them, and it is fastest in the type of the data.)

Complex arrays are reduced by the same formulas, without conjugates: the
[complex step](checks/derivatives.py) requires functions of `x` that are analytic.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from numpycnn._types import Array

Axis = int | tuple[int, ...] | None
"""The axes of a reduction, as NumPy counts them; None for all."""


def wide(x: Array) -> np.dtype[np.inexact]:
    """Return the type in which `x` is reduced: float64 or complex128, or the wider type of `x`.

    >>> wide(np.ones(3, np.int8)), wide(np.ones(3, np.complex64))
    (dtype('float64'), dtype('complex128'))
    """
    return _wide(x.dtype)


@lru_cache
def _wide(dtype: np.dtype[Any]) -> np.dtype[np.inexact]:
    return np.result_type(dtype, np.float64)


def difference(x: Array, reference: Array) -> Array:
    """Return `x - reference` in float64, without wrapping and without loss for nearby numbers.

    Both have the same type, and shapes that broadcast.

    >>> picks, truth = np.array([98], np.uint32), np.array([100], np.uint32)
    >>> difference(picks, truth)
    array([-2.])
    """
    rough: Array = x.astype(wide(x)) - reference.astype(wide(x))
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8:
        return rough
    # A float64 cannot hold every integer of 64 bits. Unsigned integers wrap around modulo 2^64,
    # so the bits of a difference below 2^62 are those of the signed integer that it is.
    with np.errstate(over="ignore"):
        exact = np.asarray(x.astype(np.uint64) - reference.astype(np.uint64)).view(np.int64)
    return np.where(abs(rough) < 2.0**62, exact, rough)


def total(x: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Return the sum of `x` over these axes, accumulated and returned in float64.

    >>> float(total(np.full(1000, 60000, np.float16)))
    60000000.0
    """
    result: Array = x.sum(axis, dtype=wide(x), keepdims=keepdims)
    return result


def mean(x: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Return the mean of `x` over these axes in float64.

    >>> x = np.array([1e8, 1e8, 1e8 + 8], np.float32)
    >>> float(mean(x)), round(float(mean(x) - 1e8), 3)
    (100000002.66666667, 2.667)
    """
    reference, _, offset = _relative(x, axis)
    result: Array = reference + offset
    return result if keepdims else result.squeeze(_axes(x, axis))


def centered(x: Array, axis: Axis = None) -> tuple[Array, Array]:
    """Return the mean of `x` over these axes, which are kept, and `x` minus its mean.

    Both are in float64. The variance is the mean of the square of the second.

    >>> middle, z = centered(np.array([[1e4, 1e4 + 2]], np.float32), axis=1)
    >>> middle, z
    (array([[10001.]]), array([[-1.,  1.]]))
    """
    reference, z, offset = _relative(x, axis)
    return reference + offset, z - offset


def _relative(x: Array, axis: Axis) -> tuple[Array | float, Array, Array]:
    """Return the reference values, `x` minus these, and the means of these differences."""
    axes = _axes(x, axis)
    reference: Array | float = 0.0
    z = x
    if x.dtype.itemsize >= wide(x).itemsize:  # no digits to spare for an offset
        first = finite_or_zero(
            x[tuple(np.s_[:1] if i in axes else np.s_[:] for i in range(x.ndim))]
        )
        reference, z = first.astype(wide(x)), difference(x, first)
    return reference, z, total(z, axes, keepdims=True) / prod(x.shape[i] for i in axes)


def finite_or_zero(x: Array) -> Array:
    """Return `x` with 0 for NaN and infinity, which cannot serve as reference values."""
    return np.where(np.isfinite(x), x, np.zeros((), x.dtype))


def _axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """Return the axes of a reduction as a tuple, counted from the first."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(i % x.ndim for i in axes)
