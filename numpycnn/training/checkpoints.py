"""Checkpoints: copies of the parameters to return to.

After an epoch with a loss that is not finite, the parameters of the last finite one are restored.
With `patience`, the parameters with the lowest validation loss are restored in the end (*early
stopping*).
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.layer import Layer


class Checkpoints:
    """Copies of the parameters: of the last sound epoch, and with the lowest validation loss."""

    def __init__(self, model: Layer, patience: int | None) -> None:
        self.model, self.patience = model, patience
        self.last = self.best = copied(model)
        self.best_epoch, self.lowest = 0, np.inf

    def compare(self, epoch: int, val_loss: float) -> None:
        """Copy the parameters if their validation loss is the lowest so far."""
        if self.patience is not None and val_loss < self.lowest:
            self.best_epoch, self.lowest, self.best = epoch, val_loss, copied(self.model)

    def is_out_of_patience(self, epoch: int) -> bool:
        """Return whether the validation loss has not fallen for `patience` epochs."""
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    def restore_last(self) -> None:
        """Give the model the parameters with which the last epoch with a finite loss began."""
        _restore(self.model, self.last)

    def restore_best(self) -> None:
        """Give the model the best parameters, if `patience` asks for them."""
        if self.patience is not None:
            _restore(self.model, self.best)

    @property
    def restored(self) -> str:
        """The sentence that says which parameters the model has after an error."""
        if self.patience is not None:
            when = f"epoch {self.best_epoch}" if self.best_epoch else "the start"
            return f"The parameters with the lowest validation loss were restored, those of {when}."
        return "The parameters were restored to the start of the last epoch with a finite loss."


def arrays_of(model: Layer) -> dict[str, Array]:
    """Return all arrays that training changes: by gradients, or as running statistics."""
    return {**model.params, **model.state}


def copied(model: Layer) -> dict[str, Array]:
    """Return copies of all arrays that training changes."""
    return {name: array.copy() for name, array in arrays_of(model).items()}


def _restore(model: Layer, kept: dict[str, Array]) -> None:
    for name, array in arrays_of(model).items():
        array[...] = kept[name]
