"""Training: the losses, the optimizer and the loop around them."""

from __future__ import annotations

from numpycnn.training.adam import Adam
from numpycnn.training.evaluate import evaluate
from numpycnn.training.fit import History, fit
from numpycnn.training.losses import (
    cross_entropy,
    one_hot,
    softmax_cross_entropy,
    weighted_cross_entropy,
)
from numpycnn.training.metrics import confusion_matrix
from numpycnn.training.sgd import SGD

# These are the names that a user meets; `numpycnn` itself hands them on.

__all__ = [
    "SGD",
    "Adam",
    "History",
    "confusion_matrix",
    "cross_entropy",
    "evaluate",
    "fit",
    "one_hot",
    "softmax_cross_entropy",
    "weighted_cross_entropy",
]
