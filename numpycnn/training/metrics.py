"""Metrics: where is it right, and what does it take for what?

A loss is made for the optimiser. A person wants to know how often the network
is right, in which classes, and which ones it confuses. The *confusion matrix*
has it all: row `i`, column `j` counts the traces of class `i` that were called
class `j`. The right answers lie on its diagonal.
"""

import numpy as np

from numpycnn.types import Array


def confusion_matrix(labels: Array, predicted: Array, n_classes: int) -> Array:
    """Count how often class i was called class j: an integer matrix (n_classes, n_classes).

    >>> counts = confusion_matrix(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), 3)
    >>> counts
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    >>> counts.diagonal() / counts.sum(axis=1)      # accuracy per class
    array([1. , 0.5, 1. ])

    Raises `ValueError` if the two differ in length or hold anything but 0 … n_classes - 1.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape:
        raise ValueError(
            f"confusion_matrix expected as many predictions as labels, "
            f"got {predicted.shape} and {labels.shape}"
        )
    both = np.concatenate([labels.ravel(), predicted.ravel()])
    if both.dtype.kind not in "iu" or (both < 0).any() or (both >= n_classes).any():
        raise ValueError(
            f"confusion_matrix expected labels from 0 to {n_classes - 1}, got {set(both.tolist())}"
        )
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (labels, predicted), 1)
    return counts
