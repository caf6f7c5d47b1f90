"""Examples: traces and their targets, in the form in which a training step uses them.

They are converted and checked once, before the first step, so that no step has to do it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array
from numpycnn._validation import as_array, as_type, require_finite
from numpycnn.layers.layer import Layer
from numpycnn.training.losses import (
    Loss,
    are_probabilities,
    softmax_cross_entropy,
    to_probabilities,
)


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


def labels_in(y: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the labels (...,) that targets stand for for scores of this shape (..., D), or None.

    Labels are integers (...,) or (..., 1), or rows of class probabilities (..., D). Floats that
    are neither are the targets of a regression, also where they happen to be 0 and 1.
    """
    if len(shape) < 2 or y.dtype.kind not in "biuf":
        return None
    n_scores = shape[-1]
    if y.shape == shape and n_scores > 1:
        return y.argmax(axis=-1) if are_probabilities(y).all() else None
    if y.shape == (*shape[:-1], 1):
        y = y[..., 0]
    if y.shape != shape[:-1] or y.dtype.kind == "f":
        return None
    return y if y.min() >= 0 and y.max() < max(n_scores, 2) else None


def batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array | slice]:
    """Yield the indices of each batch: all examples, or `batch_size` of them in random order."""
    if batch_size >= n:
        yield slice(None)
        return
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
