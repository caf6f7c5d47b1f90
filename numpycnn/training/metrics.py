"""Metrics: where is it right, and what does it take for what?

A loss is made for the optimizer. A person wants to know how often the network
is right, in which classes, and which ones it confuses. The *confusion matrix*
shows all three: row `i`, column `j` counts the examples of class `i` that were called
class `j`. The right answers lie on its diagonal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import check_int, require_labels


def confusion_matrix(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int | None = None
) -> Array:
    """Count how often class i was called class j: an integer matrix (n_classes, n_classes).

    Both are labels of the same shape. Without `n_classes` there are as many as the largest
    label among them needs.

    >>> counts = confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    >>> counts
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    >>> counts.diagonal() / counts.sum(axis=1)      # accuracy per class
    array([1. , 0.5, 1. ])

    Raises `TypeError` or `ValueError` for what are no labels from 0 to n_classes - 1, and if
    the two differ in shape.
    """
    if n_classes is not None:
        n_classes = check_int("confusion_matrix", "n_classes", n_classes)
    true = require_labels("confusion_matrix", "y_true", y_true, n_classes)
    called = require_labels("confusion_matrix", "y_pred", y_pred, n_classes, shape=true.shape)
    largest = max(true.max(initial=0), called.max(initial=0))
    size = int(largest) + 1 if n_classes is None else n_classes
    counts = np.zeros((size, size), dtype=int)
    np.add.at(counts, (true, called), 1)
    return counts
