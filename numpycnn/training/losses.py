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

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from numpycnn.types import Array
from numpycnn.validation import require_array, require_targets

Scalar: TypeAlias = np.inexact[Any]
"""One number of the same type as the arrays it was computed from."""


def one_hot(
    targets: object,
    shape: tuple[int, ...],
    dtype: npt.DTypeLike = np.float32,
    owner: str = "one_hot",
) -> Array:
    """Return `targets` as rows of probabilities of this `shape`, (..., D).

    Integer targets (...,) are labels 0 … D - 1 and become rows with a single 1.
    Floating targets (..., D) are such rows already, or any probabilities.

    >>> one_hot(np.array([2, 0]), (2, 3))
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)

    Raises `TypeError` or `ValueError` for targets of another type, shape or range.
    """
    targets = np.asarray(targets)
    require_targets(owner, targets, shape)
    if targets.shape == shape:
        return targets.astype(dtype, copy=False)
    rows: Array = np.eye(shape[-1], dtype=dtype)[targets]
    return rows


def cross_entropy(probabilities: Array, targets: object, eps: float = 1e-7) -> tuple[Scalar, Array]:
    """Return -mean sum_j y[n,j] log(p[n,j] + eps), and its gradient for the probabilities.

    `probabilities` (..., D) come from a softmax; `targets` are integer labels (...,)
    or one-hot rows (..., D). The small `eps` keeps the logarithm of a probability
    that was rounded to zero finite, at the price of a loss that cannot exceed
    `-log eps`, however wrong the network is.

    >>> loss, gradient = cross_entropy(np.array([[0.5, 0.25, 0.25]]), np.array([0]))
    >>> round(float(loss), 4), gradient.round(3)
    (0.6931, array([[-2., -0., -0.]]))

    Raises `TypeError` or `ValueError` for arguments of another type, shape or range.
    """
    require_array("cross_entropy", "probabilities", probabilities, "... D")
    y = one_hot(targets, probabilities.shape, probabilities.dtype, "cross_entropy")
    n_rows = y.size // y.shape[-1]
    safe = probabilities + eps
    return -(y * np.log(safe)).sum() / n_rows, -y / safe / n_rows


# Softmax and cross-entropy in one
# --------------------------------
# Taken together the two become simpler. The logarithm undoes the exponential,
#
# $$-\log p_t = \log \sum_j e^{x_j} - x_t$$
#
# so nothing is rounded to zero that has to be logged, and the derivative of the
# right-hand side by a score `x[j]` is the softmax again, minus one for the true class:
#
# $$\frac{\partial}{\partial x_j} = p_j - y_j$$
#
# What the network said minus what was true. A trace that is already told apart
# surely and rightly pulls at nothing; one that is wrong pulls with a force near 1.


def softmax_cross_entropy(logits: Array, targets: object) -> tuple[Scalar, Array]:
    """Return the cross-entropy of softmax(logits), and its gradient for the logits.

    `logits` (..., D) are scores as the last `Dense` layer gives them, before any
    softmax; `targets` are integer labels (...,) or one-hot rows (..., D). The mean
    is over all axes but the last. Stable for scores of any size.

    >>> loss, gradient = softmax_cross_entropy(np.zeros((1, 3)), np.array([2]))
    >>> round(float(loss), 4), gradient.round(3)
    (1.0986, array([[ 0.333,  0.333, -0.667]]))

    Raises `TypeError` or `ValueError` for arguments of another type, shape or range.
    """
    require_array("softmax_cross_entropy", "logits", logits, "... D")
    return score(logits, one_hot(targets, logits.shape, logits.dtype, "softmax_cross_entropy"))


def score(logits: Array, y: Array) -> tuple[Scalar, Array]:
    """Return what `softmax_cross_entropy` does, for one-hot rows `y` that are known to be good."""
    n_rows = y.size // y.shape[-1]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    exps = np.exp(shifted)
    sums = exps.sum(axis=-1, keepdims=True)
    loss = (y * (np.log(sums) - shifted)).sum() / n_rows
    return loss, (exps / sums - y) / n_rows
