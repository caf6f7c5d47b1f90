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
inference. `fit` therefore trains `model.training(rng)`, a copy that shares the model's arrays, and
validates the model itself. A model without such layers is its own copy.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# A step needs a layer, a loss and an optimizer, each from its own file.
from numpycnn.layers.layer import Layer, require_layer
from numpycnn.training.adam import Adam
from numpycnn.training.losses import (
    Loss,
    are_probabilities,
    as_rows,
    of_rows,
    softmax_cross_entropy,
)
from numpycnn.training.progress import steps_told, table_by_epoch
from numpycnn.types import Array, Optimizer, Params, Rng
from numpycnn.validation import (
    as_array,
    as_type,
    generator,
    require_array,
    require_finite,
    require_parameters,
    whole_number,
)

LR = 5e-3  # of the Adam that fit creates

# Values that are measured together, those of 512 traces of 64 samples: fast, and little memory.

AT_ONCE = 1 << 15


@dataclass
class History:
    """The course of a training: one value per epoch in each list.

    `loss` and `accuracy` are means over the training traces as they went through the network,
    *before* the step that learned from them. `val_loss` and `val_accuracy` are measured at
    the end of the epoch, and empty without validation. An accuracy is NaN where the targets
    are neither labels nor class probabilities.
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
    epochs = whole_number("fit", "epochs", epochs)
    require_trainable("fit", model)
    optimizer = _known_optimizer(model, optimizer, lr)
    if patience is not None and whole_number("fit", "patience", patience) and validation is None:
        raise ValueError("fit: patience requires validation data. Pass validation=(x, targets).")
    rng, history = generator("fit", rng), History()

    # An overflow ends in a loss that is not finite, and that is reported at the end.
    with np.errstate(all="ignore"):
        data = examples("fit", model, x, targets, loss)
        size = len(x) if batch_size is None else whole_number("fit", "batch_size", batch_size)
        train_model = model.training(rng)
        _try_last_batch(train_model, loss, data, size)
        kept = _Kept(model, patience)
        held_out = None if validation is None else _held_out(model, validation, loss)
        if held_out:
            kept.compare(0, _measure(model, loss, held_out)[0])

        try:
            for epoch in steps_told("epoch", epochs, history.loss):
                before = _copied(model)
                step = partial(learn, train_model, optimizer, loss)
                value, accuracy = _average(step, data, _batches(len(x), size, rng))
                history.loss.append(value)
                history.accuracy.append(accuracy)
                kept.last = before

                # What counts is the model at inference: it is measured, not the copy for training.
                if held_out:
                    value, accuracy = _measure(model, loss, held_out)
                    _require_finite("the validation loss", value)
                    history.val_loss.append(value)
                    history.val_accuracy.append(accuracy)
                    kept.compare(epoch, value)
                if on_epoch:
                    on_epoch(epoch, history)
                if kept.is_out_of_patience(epoch):
                    break
            # No loss is computed after the last step, so its parameters are checked themselves.
            _require_all_finite("parameter", _arrays(model))
        except DivergenceError as error:
            kept.restore_last()
            raise FloatingPointError(
                f"fit: {error} in epoch {epoch}. {kept.restored} Reduce lr, or scale x to a "
                "standard deviation near 1."
            ) from error
        finally:
            kept.restore_best()
    return history


# One step
# --------


def learn(
    train_model: Layer,
    optimizer: Optimizer,
    loss: Loss,
    x: Array,
    y: Array,
    labels: Array | None = None,
) -> tuple[float, float]:
    """Take one step on examples `x` with the targets `y`; return loss and accuracy before it.

    Raises `DivergenceError`, and takes no step, if the loss or a gradient is not finite.
    """
    scores, cache = train_model.forward(x)
    value, dscores = _checked(loss, scores, y)
    _require_finite("the loss", value)
    _, grads = train_model.backward(dscores, cache)
    try:
        own = optimizer.params
        optimizer.step({name: grad for name, grad in grads.items() if name in own})
    except ValueError:  # what Adam and SGD raise for a gradient that is not finite
        _require_all_finite("gradient", grads)
        raise
    train_model.remember(cache)
    return value, _accuracy(scores, labels)


def look(
    model: Layer, loss: Loss, x: Array, y: Array, labels: Array | None = None
) -> tuple[float, float]:
    """Return loss and accuracy of the model on examples `x` with the targets `y`."""
    scores, _ = model.forward(x)
    value, _ = _checked(loss, scores, y)
    return value, _accuracy(scores, labels)


def _checked(loss: Loss, scores: Array, y: Array) -> tuple[float, Array]:
    """Return the loss as a float and its gradient, or raise if a custom loss returns others."""
    if loss is softmax_cross_entropy:  # `examples` has checked its targets, once for all steps
        value, dscores = of_rows(scores, y, y.shape[-1] / y.size)
        return float(value), dscores
    result = loss(scores, y)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"fit: loss must return its value and the gradient for the scores, got {result!r:.80}."
        )
    value, dscores = result
    if np.ndim(value) != 0:
        raise ValueError(
            f"fit: loss must return one number as its value, got shape {np.shape(value)}. "
            "Return the mean over the examples first, then the gradient."
        )
    require_array("fit", "the gradient that loss returns", dscores, "...", shape=scores.shape)
    return float(value), dscores


class DivergenceError(FloatingPointError):
    """A loss, a gradient or a parameter became NaN or infinite in training."""


def _require_finite(what: str, value: float) -> None:
    """Raise `DivergenceError` for a loss that is NaN or infinite."""
    if not np.isfinite(value):
        raise DivergenceError(f"{what} became {value}")


def _require_all_finite(kind: str, arrays: Params) -> None:
    """Raise `DivergenceError` if a gradient or parameter holds NaN or infinity."""
    for name, array in arrays.items():
        if not (finite := np.isfinite(array)).all():
            raise DivergenceError(f"the {kind} {name} became {array[~finite][0]}")


# Accuracy
# --------
# For labels the accuracy is the fraction of examples whose largest score is that of the true
# class. A single score decides between the classes 0 and 1: above 0 it means 1. Where the targets
# are neither labels nor class probabilities, as in a regression, there is no accuracy: NaN.


def _accuracy(scores: Array, labels: Array | None) -> float:
    """Return the fraction of scores that decide for the label; NaN without labels."""
    if labels is None:
        return np.nan
    decided = scores[..., 0] > 0 if scores.shape[-1] == 1 else scores.argmax(axis=-1)
    return float(np.count_nonzero(decided == labels) / labels.size)


def _labels_in(y: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the labels (...,) that targets mean for scores of this shape (..., D), or None.

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


# One epoch
# ---------


class Examples(NamedTuple):
    """Traces `x`, what the loss takes as their targets `y`, and their `labels` if they have any."""

    x: Array
    y: Array
    labels: Array | None

    def some(self, which: Array | slice) -> "Examples":
        """Return the examples at these indices."""
        labels = None if self.labels is None else self.labels[which]
        return Examples(self.x[which], self.y[which], labels)


def _batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array | slice]:
    """Yield the indices of each batch: all examples, or `batch_size` of them in random order."""
    if batch_size >= n:
        yield slice(None)
        return
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def _average(
    act: Callable[..., tuple[float, float]], data: Examples, batches: Iterable[Array | slice]
) -> tuple[float, float]:
    """Act on one batch after the other; return the mean loss and accuracy over all examples."""
    loss_sum = accuracy_sum = 0.0
    for batch in batches:
        some = data.some(batch)
        loss, accuracy = act(*some)
        loss_sum += loss * len(some.y)
        accuracy_sum += accuracy * len(some.y)
    return loss_sum / len(data.x), accuracy_sum / len(data.x)


def _try_last_batch(train_model: Layer, loss: Loss, data: Examples, batch_size: int) -> None:
    """Run forward and loss on as many examples as the last batch of an epoch has.

    It may be smaller than the others: batch normalization, say, refuses a batch of one row. Every
    other batch has the size of the first, whose step checks all of this before it changes anything.
    """
    n_last = len(data.x) % batch_size
    if n_last and batch_size < len(data.x):
        x, y, _ = data.some(slice(n_last))
        _checked(loss, train_model.forward(x)[0], y)


# Parameters to return to
# -----------------------


class _Kept:
    """Copies of the parameters: of the last sound epoch, and with the lowest validation loss."""

    def __init__(self, model: Layer, patience: int | None) -> None:
        self.model, self.patience = model, patience
        self.last = self.best = _copied(model)
        self.best_epoch, self.lowest = 0, np.inf

    def compare(self, epoch: int, val_loss: float) -> None:
        """Copy the parameters if their validation loss is the lowest so far."""
        if self.patience is not None and val_loss < self.lowest:
            self.best_epoch, self.lowest, self.best = epoch, val_loss, _copied(self.model)

    def is_out_of_patience(self, epoch: int) -> bool:
        """Return whether the validation loss has not fallen for `patience` epochs."""
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    def restore_last(self) -> None:
        """Give the model the parameters with which the last epoch with a finite loss began."""
        _put_back(self.model, self.last)

    def restore_best(self) -> None:
        """Give the model the best parameters, if `patience` asks for them."""
        if self.patience is not None:
            _put_back(self.model, self.best)

    @property
    def restored(self) -> str:
        """The sentence that says which parameters the model has after an error."""
        if self.patience is not None:
            when = f"epoch {self.best_epoch}" if self.best_epoch else "the start"
            return f"The parameters with the lowest validation loss were restored, those of {when}."
        return "The parameters were restored to the start of the last epoch with a finite loss."


def _arrays(model: Layer) -> dict[str, Array]:
    """Return all arrays that training changes: by gradients, or as running statistics."""
    return {**model.params, **model.state}


def _copied(model: Layer) -> dict[str, Array]:
    return {name: array.copy() for name, array in _arrays(model).items()}


def _put_back(model: Layer, kept: dict[str, Array]) -> None:
    for name, array in _arrays(model).items():
        array[...] = kept[name]


# Evaluation
# ----------


def evaluate(
    model: Layer, x: Array, targets: npt.ArrayLike, *, loss: Loss = softmax_cross_entropy
) -> tuple[float, float]:
    """Return the mean loss of `model` on these traces, and its accuracy.

    Parameters
    ----------
    model : Layer
        Ends in scores.
    x : ndarray, shape (N, L, C)
        The traces, or whatever the model takes.
    targets : array-like, shape (N,) or (N, D)
        Labels, or rows of class probabilities, or what `loss` requires.
    loss : callable
        As for `fit`: give both the same.

    Returns
    -------
    loss, accuracy : float
        The accuracy is NaN where the targets are neither labels nor class probabilities.

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit, as `fit` does.
    """
    with np.errstate(all="ignore"):
        require_layer("evaluate", model)
        return _measure(model, loss, examples("evaluate", model, x, targets, loss))


def _measure(model: Layer, loss: Loss, data: Examples) -> tuple[float, float]:
    """Return loss and accuracy of all examples, in batches that keep memory constant."""
    size = max(1, AT_ONCE // data.x[0].size)
    batches = (slice(start, start + size) for start in range(0, len(data.x), size))
    return _average(partial(look, model, loss), data, batches)


# What may be passed
# ------------------


def require_trainable(owner: str, model: object) -> None:
    """Raise unless `model` is a layer with parameters, all of them floats."""
    if not isinstance(model, Layer) or not model.params:
        raise TypeError(f"{owner}: model must be a layer with parameters to train, got {model!r}.")
    require_parameters(owner, model.params)


def examples(
    owner: str, model: Layer, x: Array, targets: npt.ArrayLike, loss: Loss, of: str = ""
) -> Examples:
    """Return `x` in the type of the model's parameters, and its targets, or raise.

    For a custom loss the targets keep their form; there must be one for each example, and no NaN.
    """
    require_finite(owner, f"{of}x", x, "... D")
    dtype = np.result_type(*(model.params.values() or [x]))
    converted = as_type(owner, f"{of}x", x, dtype)
    try:
        scores, _ = model.forward(converted[:1])
    except (TypeError, ValueError):
        model.forward(converted)  # raises the same with the whole shape in the message
        raise
    shape = len(x), *scores.shape[1:]
    if loss is softmax_cross_entropy:
        y = as_rows(owner, targets, shape, scores.dtype, f"{of}targets")
        return Examples(converted, y, y.argmax(axis=-1))
    y = as_array(owner, f"{of}targets", targets)
    if y.shape[:1] != (len(x),):
        raise ValueError(
            f"{owner}: {of}targets must have one entry for each of the {len(x)} examples, got "
            f"shape {y.shape}."
        )
    if y.dtype.kind in "fc":
        require_finite(owner, f"{of}targets", y)
    labels = _labels_in(y, shape)
    return Examples(converted, y.astype(dtype, copy=False) if y.dtype.kind == "f" else y, labels)


def _held_out(model: Layer, validation: object, loss: Loss) -> Examples:
    """Return the validation examples, or raise unless they are a pair (x, targets)."""
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"fit: validation must be a pair (x, targets), got {validation!r:.80}.")
    x, targets = validation
    return examples("fit", model, x, targets, loss, of="validation ")


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
