"""Metrics: how often a network is correct, and which classes it confuses.

A loss is made for the optimizer. The *confusion matrix* is made for people: row `i`, column `j`
counts the examples of class `i` that were predicted as class `j`. The diagonal counts the correct
predictions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import check_int, require_labels


def confusion_matrix(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int | None = None
) -> Array:
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
    largest = max(true.max(initial=0), predicted.max(initial=0))
    size = int(largest) + 1 if n_classes is None else n_classes
    counts = np.zeros((size, size), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return counts
