"""Training examples: traces and their targets, in the form in which a training step uses them.

They are converted and checked once, before the first step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn._targets import labels_in, require_targets, to_probabilities
from numpycnn._types import Array, ArrayLike, Loss
from numpycnn._validation import as_type, require_finite
from numpycnn.layers.layer import Layer
from numpycnn.training.losses import softmax_cross_entropy


class Examples(NamedTuple):
    """Traces `x`, their targets `y` in the form that the loss takes, and their `labels`, if any."""

    x: Array
    y: Array
    labels: Array | None

    def some(self, which: Array | slice) -> Examples:
        """Return the examples at these indices."""
        labels = None if self.labels is None else self.labels[which]
        return Examples(self.x[which], self.y[which], labels)

    def batches(self, size: int, rng: np.random.Generator | None = None) -> Iterator[Examples]:
        """Yield `size` examples at a time, in random order with `rng`, or all of them."""
        n = len(self.x)
        order = rng.permutation(n) if rng and size < n else None
        for start in range(0, n, size):
            part = slice(start, start + size)
            yield self.some(part if order is None else order[part])


def prepare_data(
    caller: str, model: Layer, x: Array, targets: ArrayLike, loss: Loss, of: str = ""
) -> Examples:
    """Return `x` in the type of the model's parameters, and its targets, or raise.

    For a custom loss the targets keep their form; there must be one for each example, and no NaN.
    """
    require_finite(caller, f"{of}x", x, "... D")
    dtype = np.result_type(*(model.params.values() or [x]))
    x = as_type(caller, f"{of}x", x, dtype)
    try:
        scores, _ = model.forward(x[:1])
    except (TypeError, ValueError):
        model.forward(x)  # raises the same with the whole shape in the message
        raise
    name, shape = f"{of}targets", (len(x), *scores.shape[1:])
    if loss is softmax_cross_entropy:
        y = to_probabilities(caller, targets, shape, scores.dtype, name)
        return Examples(x, y, y.argmax(axis=-1))
    y = require_targets(caller, name, targets, len(x))
    labels = labels_in(y, shape)
    return Examples(x, y.astype(dtype, copy=False) if y.dtype.kind == "f" else y, labels)
