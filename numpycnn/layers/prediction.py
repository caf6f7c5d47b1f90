"""Prediction: the output for new traces, and the class with the highest score."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn._validation import check_int, entry, first_true, require_finite, require_parameters


class Predictor:
    """An object that can predict because it has a method `forward`."""

    forward: Any
    params: Any

    def __call__(self, x: Array) -> Array:
        """Return the output for `x` without the cache: `layer(x)`."""
        output: Array = self.forward(x)[0]
        return output

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the output for `x`, computed `batch_size` traces at a time, by default all.

        NaN and infinity in `x` are errors here, in contrast to a call `layer(x)`.
        """
        return self._predict("predict", x, batch_size)

    def classify(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the index of the highest score for `x`; for one score, 1 where it is above 0.

        `batch_size` is that of `predict`. A score that is NaN is an error.
        """
        scores = self._predict("classify", x, batch_size)
        if (gaps := np.isnan(scores)).any():
            raise ValueError(
                f"classify: the scores must not be NaN, got {entry('scores', first_true(gaps))}. "
                "Check that the parameters are finite; train a network that diverged again."
            )
        if scores.shape[-1] == 1:
            return (scores[..., 0] > 0).astype(np.intp)
        return np.asarray(scores.argmax(axis=-1))

    def _predict(self, caller: str, x: Array, batch_size: int | None) -> Array:
        """Return the output for x, which is checked in the name of the function `caller`."""
        require_finite(caller, "x", x)
        if batch_size is None:
            return self(x)
        n = check_int(caller, "batch_size", batch_size)
        return np.concatenate([self(x[start : start + n]) for start in range(0, len(x), n)])


def require_layer(caller: str, model: object) -> None:
    """Raise `TypeError` unless `model` is a layer, such as a network."""
    if not isinstance(model, Predictor):
        raise TypeError(f"{caller}: model must be a layer, such as a Sequential, got {model!r}.")


def require_trainable(caller: str, model: object) -> None:
    """Raise `TypeError` unless `model` is a layer with parameters, all of them floats."""
    if not isinstance(model, Predictor) or not model.params:
        raise TypeError(f"{caller}: model must be a layer with parameters to train, got {model!r}.")
    require_parameters(caller, model.params)
