"""Training: the loop around forward, loss, backward and step.

Every neural network is trained by the same four lines, repeated:

1. forward: compute the scores of some traces;
2. loss: compute the loss, and its gradient with respect to the scores;
3. backward: compute the gradient with respect to every parameter;
4. step: change every parameter by a small amount against its gradient.

One pass over the training set is an *epoch*. If a step uses all traces, its gradient is that of the
mean loss, but an epoch has only one step. With *mini-batches*, the traces are shuffled and split in
each epoch; an epoch then has many fast steps with noisy gradients.

A decreasing training loss does not show that the network improves on other traces. Therefore the
traces of a *validation set*, which are not used for training, are evaluated after each epoch.

Batch normalization and dropout compute different outputs in training and at inference. `fit`
therefore trains `model.for_training(rng)`, which shares the arrays of the model, and validates the
model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from numpycnn._types import Array, ArrayLike, Loss, Optimizer, Params, Rng
from numpycnn._validation import check_int, generator, require_optimizer, require_pair
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_trainable
from numpycnn.system.progress import progress, table_by_epoch
from numpycnn.training.adam import Adam
from numpycnn.training.checkpoints import Checkpoints, arrays_of, require_all_finite
from numpycnn.training.examples import Examples, prepare_data
from numpycnn.training.losses import softmax_cross_entropy
from numpycnn.training.metrics import accuracy, loss_and_gradient, measure

# The step size of the Adam that `fit` creates without an optimizer:

LR = 5e-3


@dataclass
class History:
    """The course of a training: one value per epoch in each list.

    Parameters
    ----------
    loss, accuracy : list of float
        Means over the training traces, each computed *before* the step on its batch. An accuracy
        is NaN if the targets are neither labels nor class probabilities.
    val_loss, val_accuracy : list of float
        Computed at the end of each epoch; empty without validation.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        return table_by_epoch(vars(self))


def fit(
    model: Layer,
    x: Array,
    targets: ArrayLike,
    *,
    epochs: int,
    lr: float = LR,
    optimizer: Optimizer | None = None,
    loss: Loss = softmax_cross_entropy,
    batch_size: int | None = None,
    validation: tuple[Array, ArrayLike] | None = None,
    patience: int | None = None,
    rng: Rng = None,
    on_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train a network in place.

    All arguments are checked before the first parameter changes. On a terminal, a training of
    more than a few seconds shows its progress.

    Parameters
    ----------
    model : Layer
        A network that returns scores, without a softmax at the end.
    x : ndarray, shape (N, L, C)
        Traces, or another input of the model. They are converted to the type of the parameters.
    targets : array-like, shape (N,) or (N, D)
        Labels, or rows of class probabilities, or the targets of a custom `loss`.
    epochs : int
        Number of passes over all traces.
    lr : float
        Step size of Adam, if no `optimizer` is given.
    optimizer : Optimizer, optional
        An optimizer for `model.params`, or for some of them. Other parameters are not trained.
    loss : callable
        `loss(scores, targets)` returns its value, a mean over examples, and the gradient with
        respect to the scores.
    batch_size : int, optional
        Traces per step; by default all of them.
    validation : tuple, optional
        Traces and targets, `(x, targets)`, that are evaluated after each epoch and not used for
        training.
    patience : int, optional
        Stop after this number of epochs without a lower validation loss. At the end of the
        training, also if it ends with an error, the parameters with the lowest validation loss
        are restored. These may be the initial parameters.
    rng : Generator, int or None
        Source of randomness for the order of the mini-batches and for `Dropout`.
    on_epoch : callable, optional
        Called as `on_epoch(epoch, history)` after each epoch, counted from 1.

    Returns
    -------
    History
        Loss and accuracy of each epoch.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type, shape or range, or contains NaN or infinity.
    FloatingPointError
        If the loss, a gradient or a parameter becomes NaN or infinite. Without `patience` the
        parameters at the start of the last epoch with a finite loss are restored. The state of an
        `optimizer` argument is not restored.

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
    if optimizer is None:
        optimizer = Adam(model.params, lr)
    elif lr != LR:
        raise ValueError(
            f"fit: lr must not be given together with an optimizer, got lr={lr}. Give the "
            "optimizer its lr: Adam(model.params, lr)."
        )
    require_optimizer("fit", optimizer, model.params)
    if patience is not None and check_int("fit", "patience", patience) and validation is None:
        raise ValueError("fit: patience requires validation data. Pass validation=(x, targets).")
    rng, history = generator("fit", rng), History()

    # NumPy's warnings are switched off: an overflow makes the loss infinite or NaN, and this is
    # reported as an error.

    with np.errstate(all="ignore"):
        data = prepare_data("fit", model, x, targets, loss)
        size = len(x) if batch_size is None else check_int("fit", "batch_size", batch_size)
        train_model = model.for_training(rng)
        val_data = None
        if validation is not None:
            pair = require_pair("fit", "validation", validation, "a pair (x, targets)")
            val_data = prepare_data("fit", model, *pair, loss, of="validation ")

        # The last batch may be smaller than the others, and batch normalization refuses a single
        # row. So the last batch is tried before the first step.

        if 0 < (n_last := len(x) % size) < len(x):
            loss_and_gradient(loss, train_model.forward(data.x[:n_last])[0], data.y[:n_last])

        # One iteration of the outer loop is an epoch, one of the inner loop is a step.

        with Checkpoints(model, patience) as checkpoints:
            if val_data:
                checkpoints.compare(measure(model, loss, val_data)[0])
            for epoch in progress("epoch", epochs, history.loss):
                checkpoints.begin(epoch)
                sums = np.zeros(2)
                for batch in data.batches(size, rng):
                    means = train_step(train_model, optimizer, loss, batch)
                    sums += len(batch.x) * np.array(means)
                history.loss.append(float(sums[0] / len(x)))
                history.accuracy.append(float(sums[1] / len(x)))
                checkpoints.keep()
                if val_data:
                    val_loss, val_accuracy = measure(model, loss, val_data)
                    require_all_finite({"validation loss": val_loss})
                    history.val_loss.append(val_loss)
                    history.val_accuracy.append(val_accuracy)
                    checkpoints.compare(val_loss)
                if on_epoch:
                    on_epoch(epoch, history)
                if checkpoints.is_out_of_patience():
                    break
            # No loss is computed after the last step, so the parameters are checked directly.
            require_all_finite(arrays_of(model), "parameter ")
    return history


# The training step
# -----------------
# A step consists of the four lines of the introduction. Then `update_state` updates the running
# statistics of batch normalization; for most layers it does nothing.


def train_step(
    train_model: Layer, optimizer: Optimizer, loss: Loss, batch: Examples
) -> tuple[float, float]:
    """Take one step on a batch; return loss and accuracy before it.

    Raises `DivergenceError`, and takes no step, if the loss or a gradient is not finite.
    """
    scores, cache = train_model.forward(batch.x)
    value, dscores = loss_and_gradient(loss, scores, batch.y)
    require_all_finite({"loss": value})
    _, grads = train_model.backward(dscores, cache)
    _step(optimizer, grads)
    train_model.update_state(cache)
    return value, accuracy(scores, batch.labels)


def _step(optimizer: Optimizer, grads: Params) -> None:
    """Change the parameters of the optimizer: all those of the network, or some of them."""
    own = optimizer.params
    try:
        optimizer.step({name: grad for name, grad in grads.items() if name in own})
    except ValueError:  # which Adam and SGD raise for a gradient that is not finite
        require_all_finite(grads, "gradient ")
        raise
