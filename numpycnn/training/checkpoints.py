"""Checkpoints: copies of the parameters that can be restored.

After an epoch with a loss that is not finite, the parameters of the last finite one are restored.
With `patience`, the parameters with the lowest validation loss are restored at the end (*early
stopping*).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.layer import Layer


class DivergenceError(FloatingPointError):
    """A loss, a gradient or a parameter became NaN or infinite in training."""


class Checkpoints:
    """Copies of the parameters, restored at the end of `with`.

    `fit` calls `begin` at the start of an epoch, and `keep` when its training loss is known to be
    finite. `compare` receives the validation loss.
    """

    def __init__(self, model: Layer, patience: int | None) -> None:
        self.model, self.patience = model, patience
        self.start = self.kept = self._copies()
        self.epoch, self.best_epoch, self.lowest = 0, 0, np.inf

    def begin(self, epoch: int) -> None:
        """Copy the parameters with which an epoch starts."""
        self.epoch, self.start = epoch, self._copies()

    def keep(self) -> None:
        """Without `patience`, keep the copy of this epoch, whose training loss is finite."""
        if not self.patience:
            self.kept = self.start

    def compare(self, val_loss: float) -> None:
        """Copy the parameters if their validation loss is the lowest so far."""
        if self.patience and val_loss < self.lowest:
            self.best_epoch, self.lowest, self.kept = self.epoch, val_loss, self._copies()

    def is_out_of_patience(self) -> bool:
        """Return True if the validation loss has not fallen for `patience` epochs."""
        return self.patience is not None and self.epoch - self.best_epoch >= self.patience

    def _copies(self) -> dict[str, Array]:
        return {name: array.copy() for name, array in arrays_of(self.model).items()}

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Restore the kept parameters with `patience` or after a divergence, and report that."""
        restored = "to the start of the last epoch with a finite loss"
        if self.patience:
            when = f"epoch {self.best_epoch}" if self.best_epoch else "the start"
            restored = f"to those of {when}, with the lowest validation loss"
        if self.patience or isinstance(error, DivergenceError):
            for name, array in arrays_of(self.model).items():
                array[...] = self.kept[name]
        if isinstance(error, DivergenceError):
            raise FloatingPointError(
                f"fit: {error} in epoch {self.epoch}. The parameters were restored {restored}. "
                "Reduce lr, or scale x to a standard deviation near 1."
            ) from error


def require_all_finite(arrays: Mapping[str, Array | float], kind: str = "") -> None:
    """Raise `DivergenceError` if a loss, gradient or parameter contains NaN or infinity."""
    for name, array in arrays.items():
        finite = np.isfinite(array)
        if not finite.all():
            raise DivergenceError(f"the {kind}{name} became {np.asarray(array)[~finite][0]}")


def arrays_of(model: Layer) -> dict[str, Array]:
    """Return all arrays that training changes: by gradients, or as running statistics."""
    return {**model.params, **model.state}
