"""Losses: the error of a network as one number.

The network returns a probability `p` for each class. One of the classes is the true class. The
*cross-entropy* is

    loss = mean over traces of -log p[true class]

The loss is 0 for a network that gives every true class the probability 1. A network that cannot
distinguish three classes gives each the probability 1/3, and its loss is `log 3 = 1.0986`: an
untrained network should begin near this value. As the probability of a true class goes to 0, the
loss goes to infinity. `cross_entropy` limits the loss by adding a small number to each probability.

Every loss also returns its gradient, which is the start of backpropagation. It contains the factor
`1 / N` of the mean over traces, so no layer divides by N again.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from numpycnn._reductions import total, wide
from numpycnn._targets import class_weights, require_probabilities, row_sums, to_probabilities
from numpycnn._types import Array, ArrayLike, Loss
from numpycnn._validation import require_array

Scalar: TypeAlias = np.inexact[Any]
"""A single value of the same type as the arrays from which it was computed."""

# Cross-entropy of probabilities
# ------------------------------
# The derivative of `-log p` is `-1 / p`, and the mean over N traces divides it by N. This function
# is for networks that end in a softmax. The logarithm of a probability that is rounded to zero
# would be infinite. `eps` prevents this.


def cross_entropy(
    probabilities: Array, targets: ArrayLike, eps: float = 1e-7
) -> tuple[Scalar, Array]:
    """Compute the cross-entropy of probabilities, and its gradient.

    Parameters
    ----------
    probabilities : ndarray, shape (..., D)
        The output of a softmax.
    targets : array-like, shape (...,) or (..., D)
        Labels, or rows of probabilities.
    eps : float
        Added to each probability. The loss is at least `-log(1 + eps)` and at most `-log(eps)`.

    Returns
    -------
    loss : float
        The mean over all axes but the last.
    gradient : ndarray, shape (..., D)
        Gradient with respect to the probabilities.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type, shape or range, or the rows are not probabilities.

    Notes
    -----
    loss    = -1 / N sum_n sum_j y[n,j] log(p[n,j] + eps)
    dp[n,j] = -1 / N y[n,j] / (p[n,j] + eps)

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.array([[0.5, 0.25, 0.25]]), np.array([0]))
    >>> round(float(loss), 4), gradient.round(3)
    (0.6931, array([[-2., -0., -0.]]))
    """
    require_array("cross_entropy", "probabilities", probabilities, "... D")
    # NaN is accepted: the loss is then NaN.
    p = probabilities.real
    are_off = (p < -1e-3).any(axis=-1) | (abs(row_sums(p)[..., 0] - 1) > 1e-3)
    fix = "For scores without a softmax use softmax_cross_entropy."
    require_probabilities("cross_entropy", "probabilities", probabilities, ~are_off, fix)
    y = to_probabilities("cross_entropy", targets, probabilities.shape, probabilities.dtype)
    n_rows = y.size // y.shape[-1]
    safe = probabilities.astype(wide(probabilities)) + eps
    surprise = -np.log(np.where(y == 0, 1, safe))  # only the true class counts
    gradient = -y / safe / n_rows
    loss = total(y * surprise) / n_rows
    return probabilities.dtype.type(loss), gradient.astype(probabilities.dtype)


# Softmax and cross-entropy in one function
# -----------------------------------------
# Together the two are simpler. The logarithm and the exponential cancel,
#
# $$-\log p_t = \log \sum_j e^{x_j} - x_t$$
#
# so no probability is rounded to zero before its logarithm is taken. The derivative of the
# right-hand side with respect to a score `x[j]` is the softmax, minus one for the true class:
#
# $$\frac{\partial}{\partial x_j} = p_j - y_j$$
#
# This is the predicted minus the true probability. If the network gives the true class a
# probability near 1, the gradient is near 0. If it gives another class a probability near 1, the
# entry of the true class is near -1.


def softmax_cross_entropy(logits: Array, targets: ArrayLike) -> tuple[Scalar, Array]:
    """Compute the cross-entropy of softmax(logits), and its gradient.

    Parameters
    ----------
    logits : ndarray, shape (..., D)
        Scores of any magnitude: the output of the last `Dense` layer, without a softmax. A score
        of -inf means the probability 0.
    targets : array-like, shape (...,) or (..., D)
        Labels, or rows of probabilities.

    Returns
    -------
    loss : float
        The mean over all axes but the last.
    gradient : ndarray, shape (..., D)
        Gradient with respect to the logits.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type, shape or range.

    Examples
    --------
    >>> loss, gradient = softmax_cross_entropy(np.zeros((1, 3)), np.array([2]))
    >>> round(float(loss), 4), gradient.round(3)
    (1.0986, array([[ 0.333,  0.333, -0.667]]))
    """
    require_array("softmax_cross_entropy", "logits", logits, "... D")
    y = to_probabilities("softmax_cross_entropy", targets, logits.shape, logits.dtype)
    return of_rows(logits, y, y.shape[-1] / y.size)


def of_rows(logits: Array, y: Array, weight: Array | float) -> tuple[Scalar, Array]:
    """Return -sum_n weight[n] sum_j y[n,j] log softmax(x[n])[j], and its gradient for x."""
    scores = logits.astype(wide(logits))
    with np.errstate(over="ignore"):  # a difference that overflows to -inf: probability 0
        shifted = scores - scores.max(axis=-1, keepdims=True)
    exps = np.exp(shifted)
    sums = row_sums(exps)
    surprise = np.log(sums) - shifted
    if shifted.min() == -np.inf:  # only the true class counts: 0 times infinity would be NaN
        surprise[y == 0] = 0
    y = weight * y
    gradient = exps * (weight / sums) - y
    return logits.dtype.type((y * surprise).sum()), gradient.astype(logits.dtype)


# Class weights
# -------------
# If one sample in a hundred is an arrival, a network that never predicts an arrival is correct for
# 99 % of the samples. Its loss is only slightly higher than that of a good network. *Class weights*
# increase the influence of the rare class: they multiply the loss of each trace, and therefore its
# gradient, by the weight of its true class.


def weighted_cross_entropy(weights: ArrayLike) -> Loss:
    """Return a softmax_cross_entropy in which each class has a weight.

    Parameters
    ----------
    weights : array-like, shape (D,)
        The weight of each class, finite and 0 or more. A usual choice is
        `n_labels / (n_classes * np.bincount(labels))`: all classes then have the same total
        weight, and the mean weight over traces is 1. For a class without labels this is
        infinite; set its weight to 0.

    Returns
    -------
    callable
        A loss with the arguments and results of `softmax_cross_entropy`.

    Raises
    ------
    TypeError, ValueError
        If the weights are not finite numbers of 0 or more, one for each class.

    Examples
    --------
    >>> loss = weighted_cross_entropy([1, 10])
    >>> scores = np.zeros((2, 2))
    >>> [round(float(loss(scores, [label, label])[0]), 3) for label in (0, 1)]
    [0.693, 6.931]
    """
    caller = "weighted_cross_entropy"
    of_class = class_weights(caller, weights)

    def loss(logits: Array, targets: ArrayLike) -> tuple[Scalar, Array]:
        require_array(caller, "logits", logits, f"... D={len(of_class)}")
        y = to_probabilities(caller, targets, logits.shape, logits.dtype)
        return of_rows(logits, y, (y @ of_class[:, None].astype(y.dtype)) * (y.shape[-1] / y.size))

    return loss
