"""Train with a part that contains a bug, for the accuracy stated in these puzzles."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn import (
    Adam,
    Conv1D,
    Dense,
    Flatten,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    softmax_cross_entropy,
)
from numpycnn.checks.bugs import trained_accuracy


def accuracy(
    *,
    conv: Any = Conv1D,
    relu: Any = ReLU,
    pool: Any = MaxPool1D,
    dense: Any = Dense,
    chain: Any = Sequential,
    loss: Any = softmax_cross_entropy,
    optimizer: Any = Adam,
    n_flat: int = 256,
    last: tuple[Layer, ...] = (),
) -> float:
    """Return the test accuracy of the trace classifier, trained with the given parts."""

    def build(rng: np.random.Generator) -> tuple[Any, Any]:
        layers = conv(1, 8, 5, padding="same", rng=rng), relu(), pool(2), Flatten()
        head = dense(n_flat, 16, rng=rng), relu(), dense(16, 3, rng=rng)
        return chain(*layers, *head, *last), loss

    return trained_accuracy(build, optimizer, seed=0)
