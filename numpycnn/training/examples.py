"""Training examples: traces and their targets, in the form in which a training step uses them.

They are converted and checked once, before the first step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import as_array, as_type, require_finite
from numpycnn.layers.layer import Layer
from numpycnn.training.losses import Loss, softmax_cross_entropy
from numpycnn.training.targets import labels_in, to_probabilities


class Examples(NamedTuple):
    """Traces `x`, their targets `y` in the form that the loss takes, and their `labels`, if any."""

    x: Array
    y: Array
    labels: Array | None

    def some(self, which: Array | slice) -> Examples:
        """Return the examples at these indices."""
        labels = None if self.labels is None else self.labels[which]
        return Examples(self.x[which], self.y[which], labels)


def prepare_data(
    caller: str, model: Layer, x: Array, targets: npt.ArrayLike, loss: Loss, of: str = ""
) -> Examples:
    """Return `x` in the type of the model's parameters, and its targets, or raise.

    For a custom loss the targets keep their form; there must be one for each example, and no NaN.
    """
    require_finite(caller, f"{of}x", x, "... D")
    dtype = np.result_type(*(model.params.values() or [x]))
    converted = as_type(caller, f"{of}x", x, dtype)
    try:
        scores, _ = model.forward(converted[:1])
    except (TypeError, ValueError):
        model.forward(converted)  # raises the same with the whole shape in the message
        raise
    shape = len(x), *scores.shape[1:]
    if loss is softmax_cross_entropy:
        y = to_probabilities(caller, targets, shape, scores.dtype, f"{of}targets")
        return Examples(converted, y, y.argmax(axis=-1))
    y = as_array(caller, f"{of}targets", targets)
    if y.shape[:1] != (len(x),):
        raise ValueError(
            f"{caller}: {of}targets must have one entry for each of the {len(x)} examples, got "
            f"shape {y.shape}."
        )
    if y.dtype.kind in "fc":
        require_finite(caller, f"{of}targets", y)
    labels = labels_in(y, shape)
    return Examples(converted, y.astype(dtype, copy=False) if y.dtype.kind == "f" else y, labels)


def batches(data: Examples, batch_size: int, rng: np.random.Generator) -> Iterator[Examples]:
    """Yield each mini-batch of an epoch: all examples, or `batch_size` of them in random order."""
    n = len(data.x)
    if batch_size >= n:
        yield data
        return
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield data.some(order[start : start + batch_size])
