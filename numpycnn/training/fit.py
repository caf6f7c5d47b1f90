"""Fit: the training loop.

Everything is in place for the loop that all of deep learning runs:

1. forward: what does the network say about these traces?
2. loss: how wrong is that, and which way should each score move?
3. backward: which way should each weight move, then?
4. step: move them a little.

One pass over all training traces is an *epoch*. The traces may go through all
at once, which gives the exact gradient of the mean loss and one step an epoch,
or in *mini-batches*, shuffled anew each time, which gives many cheap steps
along noisy gradients.

While it learns the training traces, is it learning anything about others? Only
traces it is not trained on can tell: the *validation* set.

Two layers, batch normalisation and dropout, do one thing in training and another in
use. What is trained is therefore `model.training(rng)`, a twin with the same arrays;
the model itself is always the one for use, and is the one that is validated. A model
without such layers is its own twin.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from numpycnn.layers.layer import Layer
from numpycnn.training.adam import Adam
from numpycnn.training.losses import Loss, as_rows, softmax_cross_entropy
from numpycnn.training.machine import keep_freed_memory
from numpycnn.training.progress import steps_told
from numpycnn.types import Array, Optimizer, Params, Rng
from numpycnn.validation import (
    as_array,
    generator,
    require_array,
    require_finite,
    whole_number,
)

# So many numbers are measured together, those of 512 traces of 64 samples: enough to be fast, and
# few in memory.

AT_ONCE = 1 << 15


@dataclass
class History:
    """What happened in each epoch, a number per epoch in each list.

    `loss` and `accuracy` are means over the training traces as they went through
    the network, that is *before* the step that learned from them; `val_loss` and
    `val_accuracy` are measured at the end of the epoch, and empty without validation.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)


def fit(
    model: Layer,
    x: Array,
    targets: npt.ArrayLike,
    *,
    epochs: int,
    lr: float | None = None,
    optimizer: Optimizer | None = None,
    loss: Loss = softmax_cross_entropy,
    batch_size: int | None = None,
    validation: tuple[Array, npt.ArrayLike] | None = None,
    patience: int | None = None,
    rng: Rng = None,
    on_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train `model` in place on traces `x` and their `targets`.

    Args:
        model: ends in scores, not in a softmax.
        x: (N, L, C) or whatever the model takes; converted to the type of its weights.
        targets: labels (N,) or rows of probabilities (N, D), or what a `loss` of yours takes.
        epochs: how often all traces go through.
        lr: the step size of Adam, 0.005 unless given.
        optimizer: in place of that Adam, one that was made for `model.params`, to go on with
            or with other settings; it has an lr of its own.
        loss: `loss(scores, targets)` returns its value, a mean over examples, and the gradient
            for the scores. With one of your own, accuracy is NaN if the targets are no labels.
        batch_size: traces per step; None for all of them at once.
        validation: `(x, targets)` that are measured, not learned, after each epoch.
        patience: stop when the validation loss has not fallen for so many epochs. However it
            stops, the model then gets the weights with which that loss was lowest.
        rng: shuffles the mini-batches, and draws what `Dropout` leaves out.
        on_epoch: called as `on_epoch(epoch, history)` after each epoch, counted from 1.

    >>> from numpycnn import Dense
    >>> x = np.array([[0.0], [1.0]])
    >>> history = fit(Dense(1, 2, rng=0), x, np.array([0, 1]), epochs=100, lr=0.1)
    >>> history.loss[0] > 0.5 > 0.1 > history.loss[-1], history.accuracy[-1]
    (True, 1.0)

    Raises `TypeError` or `ValueError` for arguments that do not fit, saying where x holds
    NaN or infinity, and `FloatingPointError` when the loss stops being finite; the model
    then gets back the weights with which the last epoch began whose loss was finite (an
    `optimizer` that was passed in is then spoilt). On a terminal, a training of more than a
    few seconds says how far it is.
    """
    epochs = whole_number("fit", "epochs", epochs)
    require_trainable("fit", model)
    if validation is not None and len(validation) != 2:
        raise ValueError(f"fit expected validation=(x, targets), got {len(validation)} items")
    if patience is not None and whole_number("fit", "patience", patience) and not validation:
        raise ValueError("fit expected validation=(x, targets) beside patience, to be patient with")
    optimizer = _known_optimizer(model, optimizer, lr)
    rng, history = generator("fit", rng), History()
    keep_freed_memory()

    # What overflows ends in a loss that is not finite, and that is reported in fit's own words.
    # A `step` is what `learn` does with some of the examples; it is the twin that learns.
    with np.errstate(all="ignore"):
        x, y = examples("fit", model, x, targets, loss)
        held_out = validation and examples("fit", model, *validation, loss, of="validation ")
        size = len(x) if batch_size is None else whole_number("fit", "batch_size", batch_size)
        step = partial(learn, model.training(rng), optimizer, loss)

        # An epoch is a step with each batch, and the mean of what they said. An epoch with a
        # finite loss began with sound weights, and those are `kept` in case the next has none.
        for epoch in steps_told("epoch", epochs, history.loss):
            before = _copied(model)
            value, accuracy = _average(step, x, y, _batches(len(x), size, rng))
            if epoch == 1 or np.isfinite(value):
                kept = before
            _require_finite(model, kept, epoch, "loss", value)
            history.loss.append(value)
            history.accuracy.append(accuracy)

            # Then come the traces it does not learn from. The model is asked, not its twin: what
            # counts is how good it will be in use.
            if held_out:
                value, accuracy = _measure(model, loss, *held_out)
                _require_finite(model, kept, epoch, "validation loss", value)
                history.val_loss.append(value)
                history.val_accuracy.append(accuracy)
            if on_epoch:
                on_epoch(epoch, history)

            # Whoever is patient keeps the best weights so far, and waits a while for better ones.
            if patience is not None:
                best_epoch = int(np.argmin(history.val_loss)) + 1
                if best_epoch == epoch:
                    best = _copied(model)
                elif epoch - best_epoch >= patience:
                    break

        # The last step has no loss after it that would tell, so its weights are looked at.
        total = sum(float(array.sum()) for array in _arrays(model).values())
        _require_finite(model, kept, epoch, "sum of the weights", total)
    if patience is not None:
        _put_back(model, best)
    return history


# One step
# --------


def learn(live: Layer, optimizer: Optimizer, loss: Loss, x: Array, y: Array) -> tuple[float, float]:
    """Take one step on examples `x` and their `y`; return what `look` says before it."""
    scores, cache = live.forward(x)
    value, dscores = loss(scores, y)
    _, grads = live.backward(dscores, cache)
    optimizer.step(grads)
    live.remember(cache)
    return float(value), _share_right(scores, y)


def look(model: Layer, loss: Loss, x: Array, y: Array) -> tuple[float, float]:
    """Return the loss of the model on examples `x` with their `y`, and the share it gets right."""
    scores, _ = model.forward(x)
    value, _ = loss(scores, y)
    return float(value), _share_right(scores, y)


def _share_right(scores: Array, y: Array) -> float:
    """How often the largest score is the true class's; NaN if `y` are no labels and no rows."""
    if scores.shape[-1] == 1 or not (y.shape == scores.shape or y.dtype.kind in "iu"):
        return np.nan
    labels = y.argmax(axis=-1) if y.shape == scores.shape else y
    right = scores.argmax(axis=-1) == labels
    return float(np.count_nonzero(right) / right.size)


# One epoch
# ---------


def _batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array | slice]:
    """Which examples go through together: all of them, or in random order so many at a time."""
    if batch_size >= n:
        yield slice(None)
        return
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def _average(
    act: Callable[[Array, Array], tuple[float, float]],
    x: Array,
    y: Array,
    batches: Iterable[Array | slice],
) -> tuple[float, float]:
    """Act on one batch after the other; return the mean loss and accuracy over all examples."""
    loss_sum = n_right = 0.0
    for batch in batches:
        loss, accuracy = act(x[batch], y[batch])
        loss_sum += loss * len(y[batch])
        n_right += accuracy * len(y[batch])
    return loss_sum / len(x), n_right / len(x)


def _arrays(model: Layer) -> Params:
    """All that training moves: by gradients, and by what was seen."""
    return {**model.params, **model.state}


def _copied(model: Layer) -> Params:
    return {name: array.copy() for name, array in _arrays(model).items()}


def _put_back(model: Layer, kept: Params) -> None:
    for name, array in _arrays(model).items():
        array[...] = kept[name]


def _require_finite(model: Layer, kept: Params, epoch: int, what: str, number: float) -> None:
    """Put the weights back that were `kept`, and raise, if this number is not finite."""
    if np.isfinite(number):
        return
    _put_back(model, kept)
    raise FloatingPointError(
        f"fit: the {what} became {number} in epoch {epoch}; the model got back the weights with "
        "which the last epoch with a finite loss began. Try a smaller lr, or scale x down to a "
        "standard deviation near 1"
    )


# Around the loop
# ---------------


def evaluate(model: Layer, x: Array, targets: npt.ArrayLike) -> tuple[float, float]:
    """Return the mean cross-entropy of `model` on these traces, and the share it gets right.

    Raises `TypeError` or `ValueError` for arguments that do not fit, as `fit` does.
    """
    with np.errstate(all="ignore"):
        loss = softmax_cross_entropy
        return _measure(model, loss, *examples("evaluate", model, x, targets, loss))


def _measure(model: Layer, loss: Loss, x: Array, y: Array) -> tuple[float, float]:
    """Look at all examples, so many at a time that memory does not grow with their number."""
    size = max(1, AT_ONCE // x[0].size)
    batches = (slice(start, start + size) for start in range(0, len(x), size))
    return _average(partial(look, model, loss), x, y, batches)


def require_trainable(owner: str, model: object) -> None:
    """Raise unless `model` is a layer with parameters."""
    if not isinstance(model, Layer) or not model.params:
        raise TypeError(f"{owner} expected a model with parameters to train, got {model!r}")


def examples(
    owner: str, model: Layer, x: Array, targets: npt.ArrayLike, loss: Loss, of: str = ""
) -> tuple[Array, Array]:
    """Return `x` in the type of the model's weights and `targets` as rows, or raise.

    The targets of a loss that is not ours are its own business, if there is one for each x.
    """
    require_array(owner, f"{of}x", x, "... D")
    x = x.astype(np.result_type(*(model.params.values() or [x])), copy=False)
    require_finite(owner, f"{of}x", x, "... D")
    scores, _ = model.forward(x[:1])
    if loss is not softmax_cross_entropy:
        y = as_array(owner, f"{of}targets", targets)
        if y.shape[:1] != (len(x),):
            raise ValueError(
                f"{owner} expected {of}targets for {len(x)} examples, got shape {y.shape}"
            )
        return x, y.astype(scores.dtype, copy=False) if y.dtype.kind == "f" else y
    shape = len(x), *scores.shape[1:]
    return x, as_rows(owner, targets, shape, scores.dtype, f"{of}targets")


def _known_optimizer(model: Layer, optimizer: Optimizer | None, lr: float | None) -> Optimizer:
    """Return the optimizer given, or an Adam, or raise where the two are mixed up."""
    if optimizer is None:
        return Adam(model.params, 5e-3 if lr is None else lr)
    if lr is not None:
        raise ValueError(
            f"fit expected an lr or an optimizer, got both, lr={lr} and an optimizer with settings "
            "of its own; give it the lr: Adam(model.params, lr)"
        )
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"fit expected an optimizer that has params and step(grads), got {optimizer!r}; "
            "make one: Adam(model.params)"
        )
    if any(optimizer.params.get(name) is not array for name, array in model.params.items()):
        raise ValueError("fit expected an optimizer made for this model: Adam(model.params)")
    return optimizer
