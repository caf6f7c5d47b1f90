"""Prediction: the output for new traces, and the class with the highest score."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn._validation import check_int, entry, first_true, require_finite


class Predictor:
    """An object that can predict because it has a method `forward`."""

    forward: Any

    def __call__(self, x: Array) -> Array:
        """Return the output for `x` without the cache: `layer(x)`."""
        output: Array = self.forward(x)[0]
        return output

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Compute the output for `x` in chunks of `batch_size` traces.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces, or another input of the layer.
        batch_size : int, optional
            Traces per chunk; by default all of them.

        Returns
        -------
        ndarray, shape (N, ...)
            The output.

        Raises
        ------
        TypeError, ValueError
            If `x` has another type or shape, or contains NaN or infinity. A call `layer(x)`
            accepts NaN and infinity.
        """
        return self._predict("predict", x, batch_size)

    def classify(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the index of the class with the highest score.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces, or another input of the layer.
        batch_size : int, optional
            Traces per chunk; by default all of them.

        Returns
        -------
        ndarray of int, shape (N, ...)
            The argmax of the scores over the last axis. For a single score, 1 where it is above 0
            and else 0.

        Raises
        ------
        TypeError, ValueError
            For arguments that `predict` refuses too, and if a score is NaN.
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
