"""Metrics: how often a network is correct, and which classes it confuses.

They are measured on traces on which the network was not trained. A loss is made for the optimizer,
the *accuracy* and the *confusion matrix* for people: row `i`, column `j` of the matrix counts the
examples of class `i` that were predicted as class `j`. The diagonal counts the correct predictions.
"""

from __future__ import annotations

import numpy as np

from numpycnn._targets import require_labels
from numpycnn._types import Array, ArrayLike, Loss
from numpycnn._validation import check_int, require_loss_result
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_layer
from numpycnn.training.examples import Examples, prepare_data
from numpycnn.training.losses import of_rows, softmax_cross_entropy

# Evaluate in chunks of 32,768 input values (512 traces of 64 samples): large enough to be fast,
# small enough for memory.

EVAL_CHUNK = 1 << 15


def evaluate(
    model: Layer, x: Array, targets: ArrayLike, *, loss: Loss = softmax_cross_entropy
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
    """Return the loss and its gradient; raise if a custom loss returns something else."""
    if loss is softmax_cross_entropy:  # `prepare_data` has checked its targets, once for all steps
        value, dscores = of_rows(scores, y, y.shape[-1] / y.size)
        return float(value), dscores
    return require_loss_result("fit", loss(scores, y), scores.shape)


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


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int | None = None) -> Array:
    """Count how often class i was predicted as class j.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (N,)
        True and predicted labels; any shape, if it is the same for both.
    n_classes : int, optional
        Number of classes; by default the largest label plus one.

    Returns
    -------
    ndarray of int, shape (n_classes, n_classes)
        The true class is the row, the predicted class the column.

    Raises
    ------
    TypeError, ValueError
        If the labels are not integers from 0 to n_classes - 1, or differ in shape.

    Examples
    --------
    >>> counts = confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    >>> counts
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    >>> counts.diagonal() / counts.sum(axis=1)      # accuracy per class
    array([1. , 0.5, 1. ])
    """
    if n_classes is not None:
        n_classes = check_int("confusion_matrix", "n_classes", n_classes)
    true = require_labels("confusion_matrix", "y_true", y_true, n_classes)
    predicted = require_labels("confusion_matrix", "y_pred", y_pred, n_classes, shape=true.shape)
    size = n_classes or 1 + int(max(true.max(initial=0), predicted.max(initial=0)))
    counts = np.zeros((size, size), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return counts
