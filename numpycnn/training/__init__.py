"""Training: losses, optimizers and the training loop."""

from __future__ import annotations

from numpycnn.training.adam import Adam
from numpycnn.training.evaluate import evaluate
from numpycnn.training.fit import History, fit
from numpycnn.training.losses import (
    cross_entropy,
    softmax_cross_entropy,
    weighted_cross_entropy,
)
from numpycnn.training.metrics import confusion_matrix
from numpycnn.training.sgd import SGD
from numpycnn.training.targets import one_hot

# All of these names can also be imported from `numpycnn`.

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
