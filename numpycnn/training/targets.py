"""Targets: labels, and rows of class probabilities.

*Labels* are the numbers of the true classes, 0 … D - 1. *Targets* are labels or, where more
than one class may be true, rows of probabilities `y` (..., D). A label is short for a row with a
single 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import as_array, check_int, entry, first_true, require_labels


def one_hot(labels: npt.ArrayLike, n_classes: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Return a row for each label: 1 in the column of its class, else 0.

    Parameters
    ----------
    labels : array-like of int, shape (...,)
        Labels from 0 to n_classes - 1.
    n_classes : int
        Number of classes D.
    dtype : dtype
        Type of the rows.

    Returns
    -------
    ndarray, shape (..., D)
        The rows.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If a label is outside 0 … n_classes - 1.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    n_classes = check_int("one_hot", "n_classes", n_classes)
    classes = require_labels("one_hot", "labels", labels, n_classes)
    rows: Array = np.eye(n_classes, dtype=dtype)[classes]
    return rows


def to_probabilities(
    caller: str, targets: npt.ArrayLike, shape: tuple[int, ...], dtype: Any, name: str = "targets"
) -> Array:
    """Return targets, labels (...,) or (..., 1) or rows, as rows of this `shape` (..., D).

    Raises `TypeError` or `ValueError` for targets of another type, shape or range.
    """
    y = as_array(caller, name, targets)
    if y.shape == (*shape[:-1], 1) != shape:
        y = y[..., 0]
    if y.shape == shape[:-1]:
        rows: Array = np.eye(shape[-1], dtype=dtype)[require_labels(caller, name, y, shape[-1])]
        return rows
    if y.shape != shape:
        raise ValueError(
            f"{caller}: {name} must be labels of shape {shape[:-1]} or rows of probabilities of "
            f"shape {shape}, got shape {y.shape}."
        )
    if y.dtype.kind not in "biuf":
        raise TypeError(f"{caller}: {name} must be rows of probabilities, got {y.dtype}.")
    sums = row_sums(y)
    error = abs(sums - 1).max()
    if not (y.min() >= 0 and error < 1e-3):
        where = first_true(~are_probabilities(y))
        raise ValueError(
            f"{caller}: {name} must be rows of probabilities, none below 0 and with the sum 1, "
            f"got {y[where]} at {entry(name, where)}. Pass labels, or divide each row by its sum."
        )

    # The gradient of `softmax_cross_entropy` is `p - y` only for rows whose sum is exactly 1. Rows
    # whose sum is off by a rounding error are therefore divided by it.

    return (y if error == 0 else y / sums).astype(dtype, copy=False)


def row_sums(rows: Array) -> Array:
    """Return the sum of each row (..., D) as (..., 1) in float64.

    A product with ones: NumPy's own sums over a short last axis take twice as long.
    """
    return np.asarray(rows @ np.ones(rows.shape[-1]))[..., None]


def are_probabilities(rows: Array) -> Array:
    """Return whether each row (..., D) has no entry below 0 and the sum 1, to within 1e-3."""
    return (rows >= 0).all(axis=-1) & (abs(row_sums(rows)[..., 0] - 1) < 1e-3)


def labels_in(y: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the labels (...,) in the targets of scores of this shape (..., D), or None.

    Labels are integers (...,) or (..., 1), or rows of class probabilities (..., D). Floats that
    are neither are the targets of a regression, even if all of them are 0 or 1.
    """
    if len(shape) < 2 or y.dtype.kind not in "biuf":
        return None
    n_scores = shape[-1]
    if y.shape == shape and n_scores > 1:
        return y.argmax(axis=-1) if are_probabilities(y).all() else None
    if y.shape == (*shape[:-1], 1):
        y = y[..., 0]
    if y.shape != shape[:-1] or y.dtype.kind == "f":
        return None
    return y if y.min() >= 0 and y.max() < max(n_scores, 2) else None
