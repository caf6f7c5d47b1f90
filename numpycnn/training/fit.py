"""Training: the loop around forward, loss, backward and step.

All of deep learning is trained by the same four lines, repeated:

1. forward: compute the scores of some traces;
2. loss: measure how wrong they are, and compute the gradient for the scores;
3. backward: compute the gradient for every parameter;
4. step: change every parameter a little.

One pass over the training set is an *epoch*. All traces may go through at once, which
gives the exact gradient of the mean loss and one step an epoch, or in *mini-batches*,
shuffled anew in each epoch, which gives many cheap steps along noisy gradients.

A falling training loss does not show that the network learns anything about other traces.
The *validation set* does: traces that are measured after each epoch and never trained on.

Two layers, batch normalization and dropout, compute something else in training than at
inference. `fit` therefore trains `model.for_training(rng)`, which shares the arrays of the model,
and validates the model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array, Optimizer, Params, Rng
from numpycnn._validation import check_int, generator, require_parameters
from numpycnn.layers.layer import Layer
from numpycnn.training.adam import Adam
from numpycnn.training.checkpoints import Checkpoints, arrays_of, copied
from numpycnn.training.evaluate import Mean, accuracy, loss_and_gradient, measure
from numpycnn.training.examples import Examples, batches, prepare_data
from numpycnn.training.losses import Loss, softmax_cross_entropy
from numpycnn.training.progress import progress, table_by_epoch

LR = 5e-3  # of the Adam that fit creates


@dataclass
class History:
    """The course of a training: one value per epoch in each list.

    Attributes
    ----------
    loss, accuracy : list of float
        Means over the training traces, each computed *before* the step on its batch. An accuracy
        is NaN where the targets are neither labels nor class probabilities.
    val_loss, val_accuracy : list of float
        Measured at the end of each epoch; empty without validation.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return table_by_epoch(vars(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show in a notebook what `print` shows."""
        printer.text(str(self))


def fit(
    model: Layer,
    x: Array,
    targets: npt.ArrayLike,
    *,
    epochs: int,
    lr: float = LR,
    optimizer: Optimizer | None = None,
    loss: Loss = softmax_cross_entropy,
    batch_size: int | None = None,
    validation: tuple[Array, npt.ArrayLike] | None = None,
    patience: int | None = None,
    rng: Rng = None,
    on_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train `model` in place on traces `x` and their `targets`.

    All arguments are checked before the first parameter changes. On a terminal, a training of
    more than a few seconds shows its progress.

    Parameters
    ----------
    model : Layer
        Ends in scores, not in a softmax.
    x : ndarray, shape (N, L, C)
        The traces, or whatever the model takes; converted to the type of its parameters.
    targets : array-like, shape (N,) or (N, D)
        Labels, or rows of class probabilities, or what a custom `loss` requires.
    epochs : int
        Number of passes over all traces.
    lr : float
        Step size of the Adam that is used without an `optimizer`.
    optimizer : Optimizer, optional
        Created for `model.params`, or for some of them: the others are not trained.
    loss : callable
        `loss(scores, targets)` returns its value, a mean over examples, and the gradient for
        the scores.
    batch_size : int, optional
        Traces per step; by default all of them.
    validation : tuple, optional
        `(x, targets)` that are measured after each epoch and not trained on.
    patience : int, optional
        Stop when the validation loss has not fallen for this number of epochs. However the
        training ends, the model then has the parameters with the lowest validation loss,
        those at the start included.
    rng : Generator, int or None
        Shuffles the mini-batches, and draws what `Dropout` sets to zero.
    on_epoch : callable, optional
        Called as `on_epoch(epoch, history)` after each epoch, counted from 1.

    Returns
    -------
    History
        Loss and accuracy of each epoch.

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit, with the position of NaN or infinity.
    FloatingPointError
        When the loss or a gradient stops being finite. Without `patience` the model then gets
        back the parameters with which the last epoch with a finite loss began. The state of an
        `optimizer` that was passed in is not restored.

    Examples
    --------
    >>> from numpycnn import Dense
    >>> x = np.array([[0.0], [1.0]])
    >>> history = fit(Dense(1, 2, rng=0), x, np.array([0, 1]), epochs=100, lr=0.1)
    >>> history.loss[0] > 0.5 > 0.1 > history.loss[-1], history.accuracy[-1]
    (True, 1.0)
    """
    epochs = check_int("fit", "epochs", epochs)
    require_trainable("fit", model)
    optimizer = _known_optimizer(model, optimizer, lr)
    if patience is not None and check_int("fit", "patience", patience) and validation is None:
        raise ValueError("fit: patience requires validation data. Pass validation=(x, targets).")
    rng, history = generator("fit", rng), History()

    # An overflow ends in a loss that is not finite, and that is reported at the end.
    with np.errstate(all="ignore"):
        data = prepare_data("fit", model, x, targets, loss)
        size = len(x) if batch_size is None else check_int("fit", "batch_size", batch_size)
        train_model = model.for_training(rng)
        _try_last_batch(train_model, loss, data, size)
        checkpoints = Checkpoints(model, patience)
        val_data = None if validation is None else _validation_data(model, validation, loss)
        if val_data:
            checkpoints.compare(0, measure(model, loss, val_data)[0])

        try:
            for epoch in progress("epoch", epochs, history.loss):
                before, mean = copied(model), Mean()
                for batch in batches(len(x), size, rng):
                    some = data.some(batch)
                    mean.add(*train_step(train_model, optimizer, loss, *some), len(some.x))
                history.loss.append(mean.loss)
                history.accuracy.append(mean.accuracy)
                checkpoints.last = before
                if val_data:
                    _validate(model, loss, val_data, history)
                    checkpoints.compare(epoch, history.val_loss[-1])
                if on_epoch:
                    on_epoch(epoch, history)
                if checkpoints.is_out_of_patience(epoch):
                    break
            # No loss is computed after the last step, so its parameters are checked themselves.
            _require_all_finite("parameter", arrays_of(model))
        except DivergenceError as error:
            checkpoints.restore_last()
            raise FloatingPointError(
                f"fit: {error} in epoch {epoch}. {checkpoints.restored} Reduce lr, or scale x to a "
                "standard deviation near 1."
            ) from error
        finally:
            checkpoints.restore_best()
    return history


def train_step(
    train_model: Layer,
    optimizer: Optimizer,
    loss: Loss,
    x: Array,
    y: Array,
    labels: Array | None = None,
) -> tuple[float, float]:
    """Take one step on traces `x` with the targets `y`; return loss and accuracy before it.

    Raises `DivergenceError`, and takes no step, if the loss or a gradient is not finite.
    """
    scores, cache = train_model.forward(x)
    value, dscores = _finite(*loss_and_gradient(loss, scores, y))
    _, grads = train_model.backward(dscores, cache)
    _step(optimizer, grads)
    train_model.update_state(cache)
    return value, accuracy(scores, labels)


# What can go wrong in a step
# ---------------------------


class DivergenceError(FloatingPointError):
    """A loss, a gradient or a parameter became NaN or infinite in training."""


def _finite(value: float, dscores: Array) -> tuple[float, Array]:
    """Return a loss and its gradient, or raise `DivergenceError` if the loss is not finite."""
    if not np.isfinite(value):
        raise DivergenceError(f"the loss became {value}")
    return value, dscores


def _step(optimizer: Optimizer, grads: Params) -> None:
    """Change the parameters of the optimizer, which may be some of the network's."""
    own = optimizer.params
    try:
        optimizer.step({name: grad for name, grad in grads.items() if name in own})
    except ValueError:  # what Adam and SGD raise for a gradient that is not finite
        _require_all_finite("gradient", grads)
        raise


def _require_all_finite(kind: str, arrays: Params) -> None:
    """Raise `DivergenceError` if a gradient or parameter contains NaN or infinity."""
    for name, array in arrays.items():
        if not (finite := np.isfinite(array)).all():
            raise DivergenceError(f"the {kind} {name} became {array[~finite][0]}")


def _try_last_batch(train_model: Layer, loss: Loss, data: Examples, batch_size: int) -> None:
    """Run forward and loss on as many examples as the last batch of an epoch has.

    It may be smaller than the others, and batch normalization refuses a batch of one row. Every
    other batch has the size of the first, whose step checks all of this before it changes anything.
    """
    n_last = len(data.x) % batch_size
    if n_last and batch_size < len(data.x):
        x, y, _ = data.some(slice(n_last))
        loss_and_gradient(loss, train_model.forward(x)[0], y)


# Validation
# ----------


def _validation_data(model: Layer, validation: object, loss: Loss) -> Examples:
    """Return the validation examples, or raise unless they are a pair (x, targets)."""
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"fit: validation must be a pair (x, targets), got {validation!r:.80}.")
    x, targets = validation
    return prepare_data("fit", model, x, targets, loss, of="validation ")


def _validate(model: Layer, loss: Loss, data: Examples, history: History) -> None:
    """Append loss and accuracy of the model at inference, or raise if the loss is not finite."""
    value, fraction = measure(model, loss, data)
    if not np.isfinite(value):
        raise DivergenceError(f"the validation loss became {value}")
    history.val_loss.append(value)
    history.val_accuracy.append(fraction)


# The model and the optimizer
# ---------------------------


def require_trainable(caller: str, model: object) -> None:
    """Raise unless `model` is a layer with parameters, all of them floats."""
    if not isinstance(model, Layer) or not model.params:
        raise TypeError(f"{caller}: model must be a layer with parameters to train, got {model!r}.")
    require_parameters(caller, model.params)


def _known_optimizer(model: Layer, optimizer: Optimizer | None, lr: float) -> Optimizer:
    """Return the optimizer given, or an Adam, or raise if it does not belong to the model."""
    if optimizer is None:
        return Adam(model.params, lr)
    if lr != LR:
        raise ValueError(
            f"fit: lr must not be given together with an optimizer, got lr={lr}. Give the "
            "optimizer its lr: Adam(model.params, lr)."
        )
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"fit: optimizer must have params and step(grads), got {optimizer!r}. "
            "Create one: Adam(model.params)."
        )
    own = model.params
    if any(own.get(name) is not array for name, array in optimizer.params.items()):
        raise ValueError(
            "fit: optimizer must be created for arrays of this model under their names, got one "
            f"for {', '.join(optimizer.params)}. Create it anew: Adam(model.params), or with some "
            "of them, Adam({name: model.params[name] for name in ...})."
        )
    return optimizer
