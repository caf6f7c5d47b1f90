"""Evaluation: the loss and the accuracy of a network on traces that it was not trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer, require_layer
from numpycnn.training.examples import Examples, prepare_data
from numpycnn.training.losses import Loss, of_rows, softmax_cross_entropy

# Evaluate in chunks of 32,768 input values (512 traces of 64 samples): large enough to be fast,
# small enough for memory.

EVAL_CHUNK = 1 << 15


def evaluate(
    model: Layer, x: Array, targets: npt.ArrayLike, *, loss: Loss = softmax_cross_entropy
) -> tuple[float, float]:
    """Compute the mean loss and the accuracy of a network.

    Parameters
    ----------
    model : Layer
        A network that returns scores.
    x : ndarray, shape (N, L, C)
        Traces, or another input of the model.
    targets : array-like, shape (N,) or (N, D)
        Labels, or rows of class probabilities, or the targets of a custom `loss`.
    loss : callable
        The loss with which the model was trained by `fit`.

    Returns
    -------
    loss : float
        Mean over the traces.
    accuracy : float
        Fraction of traces that are classified correctly; NaN if the targets are neither labels
        nor class probabilities.

    Raises
    ------
    TypeError, ValueError
        For arguments that `fit` refuses too.
    """
    with np.errstate(all="ignore"):
        require_layer("evaluate", model)
        return measure(model, loss, prepare_data("evaluate", model, x, targets, loss))


def measure(model: Layer, loss: Loss, data: Examples) -> tuple[float, float]:
    """Return loss and accuracy of all examples, in chunks that keep memory constant."""
    sums = np.zeros(2)
    for chunk in data.batches(max(1, EVAL_CHUNK // data.x[0].size)):
        scores, _ = model.forward(chunk.x)
        value, _ = loss_and_gradient(loss, scores, chunk.y)
        sums += len(chunk.x) * np.array([value, accuracy(scores, chunk.labels)])
    return float(sums[0] / len(data.x)), float(sums[1] / len(data.x))


def loss_and_gradient(loss: Loss, scores: Array, y: Array) -> tuple[float, Array]:
    """Return the loss and its gradient, or raise if a custom loss returns something else."""
    if loss is softmax_cross_entropy:  # `prepare_data` has checked its targets, once for all steps
        value, dscores = of_rows(scores, y, y.shape[-1] / y.size)
        return float(value), dscores
    result = loss(scores, y)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"fit: loss must return its value and its gradient, got {result!r:.80}.")
    value, dscores = result
    if np.ndim(value) != 0:
        raise ValueError(
            f"fit: loss must return a single value, got shape {np.shape(value)}. "
            "Return the mean over the examples first, then the gradient."
        )
    require_array("fit", "the gradient that loss returns", dscores, "...", shape=scores.shape)
    return float(value), dscores


# Accuracy
# --------
# For labels the accuracy is the fraction of examples whose largest score is that of the true
# class. A single score decides between the classes 0 and 1: above 0 it means 1. Where the targets
# are neither labels nor class probabilities, as in a regression, the accuracy is NaN.


def accuracy(scores: Array, labels: Array | None) -> float:
    """Return the fraction of examples classified correctly, or NaN without labels."""
    if labels is None:
        return np.nan
    predicted = scores[..., 0] > 0 if scores.shape[-1] == 1 else scores.argmax(axis=-1)
    return float(np.count_nonzero(predicted == labels) / labels.size)
