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
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from numpycnn.layers.layer import Layer
from numpycnn.training.adam import Adam
from numpycnn.training.losses import one_hot, score
from numpycnn.types import Array, Params, Rng
from numpycnn.validation import generator, require_array, require_finite, whole_number


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
    targets: Array,
    *,
    epochs: int,
    lr: float = 5e-3,
    optimizer: Adam | None = None,
    batch_size: int | None = None,
    validation: tuple[Array, Array] | None = None,
    rng: Rng = None,
    on_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train `model` in place on traces `x` and their `targets`, by softmax cross-entropy.

    Args:
        model: ends in scores, not in a softmax.
        x: (N, L, C) or whatever the model takes; converted to the type of its weights.
        targets: integer labels (N,) or one-hot rows (N, D).
        epochs: how often all traces go through.
        lr: the step size of the Adam that is made when no `optimizer` is given.
        optimizer: one that was made for `model.params`, to go on with or to set otherwise.
        batch_size: traces per step; None for all of them at once.
        validation: `(x, targets)` that are measured, not learned, after each epoch.
        rng: shuffles the mini-batches.
        on_epoch: called as `on_epoch(epoch, history)` after each epoch, counted from 1.

    >>> from numpycnn import Dense
    >>> x = np.array([[0.0], [1.0]])
    >>> history = fit(Dense(1, 2, rng=0), x, np.array([0, 1]), epochs=100, lr=0.1)
    >>> history.loss[0] > 0.5 > 0.1 > history.loss[-1], history.accuracy[-1]
    (True, 1.0)

    Raises `TypeError` or `ValueError` for arguments that do not fit, saying which
    trace holds NaN or infinity, and `FloatingPointError` when the loss stops being
    finite; the model then keeps the last weights for which it was (an `optimizer` that
    was passed in is then spoilt).
    """
    epochs = whole_number("fit", "epochs", epochs)
    batch_size = len(x) if batch_size is None else whole_number("fit", "batch_size", batch_size)
    if not isinstance(model, Layer) or not model.params:
        raise TypeError(f"fit expected a model with parameters to train, got {model!r}")
    if validation is not None and len(validation) != 2:
        raise ValueError(f"fit expected validation=(x, targets), got {len(validation)} items")
    optimizer = Adam(model.params, lr) if optimizer is None else optimizer
    own = getattr(optimizer, "params", {})
    if any(own.get(name) is not array for name, array in model.params.items()):
        raise ValueError("fit expected an optimizer made for this model: Adam(model.params)")

    rng = generator("fit", rng)
    history, guard = History(), _Guard(model.params)
    _keep_freed_memory()
    # What overflows ends in a loss that is not finite, and that is reported in fit's own words.
    with np.errstate(over="ignore", invalid="ignore"):
        x, y = _examples("x", model, x, targets)
        held_out = _examples("validation x", model, *validation) if validation else None
        for epoch in range(1, epochs + 1):
            guard.epoch = epoch
            batches = _batches(len(x), batch_size, rng)
            loss, accuracy = _one_epoch(model, optimizer, x, y, batches, guard)
            history.loss.append(loss)
            history.accuracy.append(accuracy)
            if held_out:
                val_loss, val_accuracy = evaluate(model, *held_out)
                guard.check("validation loss", val_loss)
                history.val_loss.append(val_loss)
                history.val_accuracy.append(val_accuracy)
            if on_epoch:
                on_epoch(epoch, history)
        # The last step has no loss after it that would tell.
        guard.check("sum of the weights", sum(float(w.sum()) for w in model.params.values()))
    return history


# One epoch
# ---------
# The four steps, for one batch after another.


def _one_epoch(
    model: Layer,
    optimizer: Adam,
    x: Array,
    y: Array,
    batches: Iterable[Array | slice],
    guard: "_Guard",
) -> tuple[float, float]:
    """Learn from every trace once; return their mean loss and the share that was right."""
    loss_sum = n_right = 0.0
    for batch in batches:
        scores, cache = model.forward(x[batch])
        loss, dscores = score(scores, y[batch])
        guard.check("loss", float(loss))
        guard.keep()
        _, grads = model.backward(dscores, cache)
        optimizer.step(grads)
        loss_sum += float(loss) * len(scores)
        n_right += _share_right(scores, y[batch]) * len(scores)
    return loss_sum / len(x), n_right / len(x)


class _Guard:
    """Keeps the last weights with a finite loss, and puts them back when a number is not."""

    def __init__(self, params: Params) -> None:
        self.params, self.epoch = params, 0
        self.keep()

    def keep(self) -> None:
        self.kept = {name: array.copy() for name, array in self.params.items()}

    def check(self, what: str, number: float) -> None:
        if np.isfinite(number):
            return
        for name, array in self.params.items():
            array[...] = self.kept[name]
        raise FloatingPointError(
            f"fit: the {what} became {number} in epoch {self.epoch}; the model keeps the last "
            "weights with a finite loss. Try a smaller lr, or scale the traces down to a "
            "standard deviation near 1"
        )


# Around the loop
# ---------------


def evaluate(model: Layer, x: Array, targets: Array) -> tuple[float, float]:
    """Return the mean cross-entropy of `model` on these traces, and the share it gets right.

    Raises `TypeError` or `ValueError` for arguments that do not fit, as `fit` does.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        x, y = _examples("x", model, x, targets, owner="evaluate")
        scores, _ = model.forward(x)
        loss, _ = score(scores, y)
    return float(loss), _share_right(scores, y)


def _keep_freed_memory() -> None:
    """Make the C library keep memory that was freed, for the arrays of the next step.

    Every step makes and drops the same arrays. The usual C library on Linux gives what is
    freed back to the system when there is more of it than twice the largest block it
    ever saw freed, and then the system has to hand out every page again, a quarter of the
    time of a step. One large block, freed untouched, raises that limit; elsewhere it
    does nothing.
    """
    np.empty(30 << 20, np.uint8)


def _share_right(scores: Array, y: Array) -> float:
    """How often the largest score is the true class's."""
    right = scores.argmax(axis=-1) == y.argmax(axis=-1)
    return float(np.count_nonzero(right) / right.size)


def _batches(n_traces: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array | slice]:
    """Which traces go through together: all of them, or in random order so many at a time."""
    if batch_size >= n_traces:
        yield slice(None)
        return
    order = rng.permutation(n_traces)
    for start in range(0, n_traces, batch_size):
        yield order[start : start + batch_size]


def _examples(
    name: str, model: Layer, x: Array, targets: Array, owner: str = "fit"
) -> tuple[Array, Array]:
    """Return `x` in the type of the model's weights and `targets` one-hot, or raise."""
    require_array(owner, name, x, "... D")
    n_targets = len(np.atleast_1d(targets))
    if n_targets != len(x):
        raise ValueError(
            f"{owner} expected a target for each trace, "
            f"got {len(x)} traces in {name} and {n_targets} targets"
        )
    x = x.astype(np.result_type(*(model.params.values() or [x])), copy=False)
    require_finite(owner, name, x)
    scores, _ = model.forward(x[:1])
    return x, one_hot(targets, (len(x), *scores.shape[1:]), scores.dtype, owner)
