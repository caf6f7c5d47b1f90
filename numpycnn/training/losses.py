"""Losses: how wrong is the network, in one number?

The network gives each class a probability `p`, and one class is the true one.
The *cross-entropy* is the surprise at being told which:

    loss = mean over traces of -log p[true class]

It is 0 for a network that was sure and right. One that cannot tell three
classes apart gives each a third and scores `log 3 = 1.0986`: what an untrained
network should start near. One that was sure and wrong pays without limit.

Every loss returns its gradient along with its value, because that gradient is
where backpropagation begins. It is also the one place where the mean over
the traces, the `1 / N`, enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from numpycnn._reductions import total, wide
from numpycnn._types import Array
from numpycnn._validation import (
    as_array,
    check_int,
    entry,
    first_true,
    require_array,
    require_labels,
)

Scalar: TypeAlias = np.inexact[Any]
"""One number of the same type as the arrays it was computed from."""

Loss: TypeAlias = Callable[[Array, Any], tuple[Any, Array]]
"""`loss(scores, targets)` returns its value, a mean over examples, and the gradient for scores."""

# What is true
# ------------
# *Labels* are the numbers of the true classes, 0 … D - 1. *Targets* are labels or, where more
# than one class may be true, rows of probabilities `y` (..., D). A label is short for a row with a
# single 1.


def one_hot(labels: npt.ArrayLike, n_classes: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Return a row for each label: 1 in the column of its class, else 0.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)

    Raises `TypeError` or `ValueError` for labels that are not integers from 0 to n_classes - 1.
    """
    n_classes = check_int("one_hot", "n_classes", n_classes)
    classes = require_labels("one_hot", "labels", labels, n_classes)
    rows: Array = np.eye(n_classes, dtype=dtype)[classes]
    return rows


def to_probabilities(
    caller: str,
    targets: npt.ArrayLike,
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    name: str = "targets",
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

    # The gradient of `softmax_cross_entropy` is `p - y` for rows with the sum 1, exactly: rows that
    # are off by a thousandth are divided by their sum.

    return (y if error == 0 else y / sums).astype(dtype, copy=False)


def row_sums(rows: Array) -> Array:
    """Return the sum of each row (..., D) as (..., 1) in float64.

    A product with ones: NumPy's own sums over a short last axis take twice as long.
    """
    return np.asarray(rows @ np.ones(rows.shape[-1]))[..., None]


def are_probabilities(rows: Array) -> Array:
    """Return whether each row (..., D) has no entry below 0 and the sum 1, to within 1e-3."""
    return (rows >= 0).all(axis=-1) & (abs(row_sums(rows)[..., 0] - 1) < 1e-3)


def cross_entropy(
    probabilities: Array, targets: npt.ArrayLike, eps: float = 1e-7
) -> tuple[Scalar, Array]:
    """Return -mean sum_j y[n,j] log(p[n,j] + eps), and its gradient for the probabilities.

    `probabilities` (..., D) come from a softmax; `targets` are labels (...,) or rows of
    probabilities (..., D). The small `eps` keeps the logarithm of a probability
    that was rounded to zero finite, at the price of a loss that cannot exceed
    `-log eps`, however wrong the network is.

    >>> loss, gradient = cross_entropy(np.array([[0.5, 0.25, 0.25]]), np.array([0]))
    >>> round(float(loss), 4), gradient.round(3)
    (0.6931, array([[-2., -0., -0.]]))

    Raises `TypeError` or `ValueError` for arguments of another type, shape or range.
    """
    require_array("cross_entropy", "probabilities", probabilities, "... D")
    _refuse_scores(probabilities)
    y = to_probabilities("cross_entropy", targets, probabilities.shape, probabilities.dtype)
    n_rows = y.size // y.shape[-1]
    safe = probabilities.astype(wide(probabilities)) + eps
    surprise = -np.log(np.where(y == 0, 1, safe))  # of other classes than the true one none is used
    gradient = -y / safe / n_rows
    loss = total(y * surprise) / n_rows
    return probabilities.dtype.type(loss), gradient.astype(probabilities.dtype)


def _refuse_scores(rows: Array) -> None:
    """Raise `ValueError` for rows that are not probabilities. NaN passes: the loss is then NaN."""
    wrong = (rows.real < -1e-3).any(axis=-1) | (abs(row_sums(rows.real)[..., 0] - 1) > 1e-3)
    if wrong.any():
        where = first_true(wrong)
        raise ValueError(
            "cross_entropy: probabilities must be rows of at least 0 with the sum 1, got "
            f"{rows[where]} at {entry('probabilities', where)}. For scores without a softmax use "
            "softmax_cross_entropy."
        )


# Softmax and cross-entropy in one
# --------------------------------
# Taken together the two become simpler. The logarithm undoes the exponential,
#
# $$-\log p_t = \log \sum_j e^{x_j} - x_t$$
#
# so nothing whose logarithm is needed is rounded to zero, and the derivative of the
# right-hand side with respect to a score `x[j]` is the softmax again, minus one for the true class:
#
# $$\frac{\partial}{\partial x_j} = p_j - y_j$$
#
# What the network said minus what was true. A trace that is classified confidently and
# correctly exerts no pull; one that is confidently wrong pulls with a force near 1.


def softmax_cross_entropy(logits: Array, targets: npt.ArrayLike) -> tuple[Scalar, Array]:
    """Return the cross-entropy of softmax(logits), and its gradient for the logits.

    `logits` (..., D) are scores as the last `Dense` layer gives them, before any
    softmax; `targets` are labels (...,) or rows of probabilities (..., D). The mean
    is over all axes but the last. Stable for scores of any size; a score of -inf is a
    probability of 0.

    >>> loss, gradient = softmax_cross_entropy(np.zeros((1, 3)), np.array([2]))
    >>> round(float(loss), 4), gradient.round(3)
    (1.0986, array([[ 0.333,  0.333, -0.667]]))

    Raises `TypeError` or `ValueError` for arguments of another type, shape or range.
    """
    require_array("softmax_cross_entropy", "logits", logits, "... D")
    y = to_probabilities("softmax_cross_entropy", targets, logits.shape, logits.dtype)
    return of_rows(logits, y, y.shape[-1] / y.size)


def of_rows(logits: Array, y: Array, weight: Array | float) -> tuple[Scalar, Array]:
    """Return -sum_n weight[n] sum_j y[n,j] log softmax(x[n])[j], and its gradient for x."""
    scores = logits.astype(wide(logits))
    with np.errstate(over="ignore"):  # of scores 1e308 apart the lower one has the probability 0
        shifted = scores - scores.max(axis=-1, keepdims=True)
    exps = np.exp(shifted)
    sums = row_sums(exps)
    surprise = np.log(sums) - shifted
    if shifted.min() == -np.inf:  # a class that is not true does not count: 0 times infinity
        surprise[y == 0] = 0
    y = weight * y
    gradient = exps * (weight / sums) - y
    return logits.dtype.type((y * surprise).sum()), gradient.astype(logits.dtype)


# Classes that count more than others
# -----------------------------------
# Where one sample in a hundred is an arrival, a network that never finds one is right 99 times
# out of 100, and its loss is hardly worse than that of a good one. Let the rare class count
# more: multiply the loss of each trace, and with it the gradient, by a number for its true class.
# These numbers are called *class weights*.


def weighted_cross_entropy(weights: npt.ArrayLike) -> Loss:
    """Return a softmax_cross_entropy in which a trace of class j counts `weights[j]` times.

    >>> loss = weighted_cross_entropy([1, 10])
    >>> scores = np.zeros((2, 2))
    >>> [round(float(loss(scores, [label, label])[0]), 3) for label in (0, 1)]
    [0.693, 6.931]

    Usual ones are `n_labels / (n_classes * np.bincount(labels))`: then each class counts the
    same in all, and the mean over traces is 1. Raises `ValueError` for weights that are not
    finite numbers of 0 or more, one for each class; the formula gives infinity for a class
    without labels.
    """
    caller = "weighted_cross_entropy"
    of_class = as_array(caller, "weights", weights)
    if of_class.dtype.kind not in "iuf" or of_class.ndim != 1:
        raise ValueError(f"{caller}: weights must be one number for each class, got {weights!r}.")
    wrong = ~((of_class >= 0) & np.isfinite(of_class))
    if wrong.any():
        where = first_true(wrong)
        raise ValueError(
            f"{caller}: weights must be finite and 0 or more, got {of_class[where]} at "
            f"{entry('weights', where)}. Give a class without labels the weight 0."
        )

    def loss(logits: Array, targets: npt.ArrayLike) -> tuple[Scalar, Array]:
        require_array("weighted_cross_entropy", "logits", logits, f"... D={len(of_class)}")
        y = to_probabilities("weighted_cross_entropy", targets, logits.shape, logits.dtype)
        return of_rows(logits, y, (y @ of_class[:, None].astype(y.dtype)) * (y.shape[-1] / y.size))

    return loss
