"""Targets: labels, and rows of class probabilities.

*Labels* are the numbers of the true classes, 0 … D - 1. *Targets* are labels or, where more
than one class may be true, rows of probabilities `y` (..., D). A label is short for a row with a
single 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Array, ArrayLike
from numpycnn._validation import as_array, check_int, entry, first_true, name_of, require_finite


def one_hot(labels: ArrayLike, n_classes: int, dtype: DTypeLike = np.float32) -> Array:
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


def require_labels(
    caller: object,
    name: str,
    labels: object,
    n_classes: int | None = None,
    shape: tuple[int, ...] | None = None,
) -> np.ndarray[Any, Any]:
    """Return `labels` as an array, or raise unless they are integers from 0 on.

    They must be below `n_classes` and have this `shape`, if these are given.

    >>> require_labels("saliency", "labels", [0, -1], n_classes=3)
    Traceback (most recent call last):
        ...
    ValueError: saliency: labels must be from 0 to 2, got -1 at labels[1]. Count the classes from 0.

    Raises `TypeError` for labels of another type, `ValueError` for another shape or range.
    """
    known, who = as_array(caller, name, labels), name_of(caller)
    if known.dtype.kind not in "iu":
        words = known.dtype.kind in "OSU"
        unique = f"Number the classes: names, numbers = np.unique({name}, return_inverse=True)"
        fix = unique if words else f"Convert them: np.asarray({name}).astype(int)"
        raise TypeError(f"{who}: {name} must be integers, got {known.dtype}. {fix}.")
    if shape not in (None, known.shape):
        raise ValueError(f"{who}: {name} must have shape {shape}, got {known.shape}.")
    limit = np.inf if n_classes is None else n_classes
    wrong = (known < 0) | (known >= limit)
    if wrong.any():
        where = first_true(wrong)
        limits = "0 or more" if n_classes is None else f"from 0 to {n_classes - 1}"
        more = "" if known.max() < limit else f", or allow {int(known.max()) + 1} classes"
        raise ValueError(
            f"{who}: {name} must be {limits}, got {known[where]} at {entry(name, where)}. "
            f"Count the classes from 0{more}."
        )
    return known


def to_probabilities(
    caller: str, targets: ArrayLike, shape: tuple[int, ...], dtype: Any, name: str = "targets"
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
        fix = "Pass labels, or divide each row by its sum."
        require_probabilities(caller, name, y, are_probabilities(y), fix)

    # The gradient of `softmax_cross_entropy` is `p - y` only for rows whose sum is exactly 1. Rows
    # whose sum is off by a rounding error are therefore divided by it.

    return (y if error == 0 else y / sums).astype(dtype, copy=False)


def require_probabilities(caller: str, name: str, rows: Array, are_fine: Array, fix: str) -> None:
    """Raise `ValueError` with the first of the `rows` (..., D) for which `are_fine` is False."""
    if not are_fine.all():
        where = first_true(~are_fine)
        raise ValueError(
            f"{caller}: {name} must be rows of probabilities, none below 0 and with the sum 1, "
            f"got {rows[where]} at {entry(name, where)}. {fix}"
        )


def require_targets(caller: str, name: str, targets: ArrayLike, n: int) -> Array:
    """Return the targets of a custom loss as an array, or raise.

    They may have any form, with one entry for each of `n` examples. Floats must be finite.
    """
    y = as_array(caller, name, targets)
    if y.shape[:1] != (n,):
        raise ValueError(
            f"{caller}: {name} must have one entry for each of the {n} examples, got shape "
            f"{y.shape}."
        )
    if y.dtype.kind in "fc":
        require_finite(caller, name, y)
    return y


def class_weights(caller: str, weights: ArrayLike) -> Array:
    """Return weights of classes as an array, or raise unless they are finite and 0 or more."""
    of_class = as_array(caller, "weights", weights)
    if of_class.dtype.kind not in "iuf" or of_class.ndim != 1:
        raise ValueError(f"{caller}: weights must be one number for each class, got {weights!r}.")
    wrong = ~((of_class >= 0) & np.isfinite(of_class))
    if wrong.any():
        where = first_true(wrong)
        raise ValueError(
            f"{caller}: weights must be finite and 0 or more, got {of_class[where]} at "
            f"{entry('weights', where)}. Set the weight of a class without labels to 0."
        )
    return of_class


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
