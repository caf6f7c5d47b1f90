"""Training: the job of the task over many seeds, and what the loop promises."""

import copy
from functools import partial
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import is_same, with_two_modes
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused, refused_value
from task import task_network

import numpycnn as nn


def train_as_in_the_task(seed, epochs=60, **options):
    """Everything from one generator; return the network, its history and the held-out traces."""
    rng = np.random.default_rng(seed)
    x, labels = nn.make_traces(180, rng=rng)
    x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)
    model = task_network(rng)
    history = nn.fit(model, x_train, y_train, epochs=epochs, lr=5e-3, rng=rng, **options)
    return model, history, (x_test, y_test)


def small_problem(n_traces=20, rng=0):
    """Traces of ten samples with three labels, and a network for them."""
    rng = np.random.default_rng(rng)
    x = rng.standard_normal((n_traces, 10, 1), dtype=np.float32)
    model = nn.Sequential(
        nn.Conv1D(1, 2, 3, rng=rng),
        nn.ReLU(),
        nn.MaxPool1D(2),
        nn.Flatten(),
        nn.Dense(8, 3, rng=rng),
    )
    return model, x, rng.integers(3, size=n_traces)


def weights(model):
    """All the weights, as bytes: to be compared to the bit."""
    return {name: array.tobytes() for name, array in model.params.items()}


# The job
# -------


def test_the_task_is_learned_with_every_seed():
    runs = [train_as_in_the_task(seed) for seed in range(3)]
    accuracies = [nn.evaluate(model, *held_out)[1] for model, _, held_out in runs]
    assert np.mean(accuracies) >= 0.99
    assert min(accuracies) >= 0.94
    first = [history.loss[0] for _, history, _ in runs]
    assert_allclose(np.mean(first), log(3), atol=0.15)
    assert_allclose(first, log(3), atol=0.3)
    assert max(history.loss[-1] for _, history, _ in runs) < 0.02


@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_same_seed_gives_the_same_bits(batch_size):
    (model, history, held_out), (again, history_again, _), (other, _, _) = (
        train_as_in_the_task(seed, epochs=10, batch_size=batch_size) for seed in (0, 0, 1)
    )
    assert weights(model) == weights(again) != weights(other)
    assert history == history_again
    assert batch_size is None or nn.evaluate(model, *held_out)[1] >= 0.94


# The loop
# --------


@given(st.integers(1, 5), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=settings.default.max_examples // 4)
def test_full_batch_training_is_forward_loss_backward_step_and_update_state(epochs, dtype):
    _, x, labels = small_problem()
    model, by_hand = with_two_modes().astype(dtype), with_two_modes().astype(dtype)
    x = x.astype(dtype)
    history = nn.fit(model, x, labels, epochs=epochs, lr=0.01, rng=7)

    train_model = by_hand.for_training(np.random.default_rng(7))
    optimizer = nn.Adam(by_hand.params, lr=0.01)
    losses = []
    for _ in range(epochs):
        scores, cache = train_model.forward(x)
        loss, dscores = nn.softmax_cross_entropy(scores, labels)
        _, grads = train_model.backward(dscores, cache)
        optimizer.step(grads)
        train_model.update_state(cache)
        losses.append(loss)
    assert is_same(model, by_hand)
    assert_allclose(history.loss, losses, rtol=1e-6)


class Spy(nn.Layer):
    """Passes traces on and notes the first number of each one that is learned from."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        return x, x

    def backward(self, dy, cache):
        self.seen.append(cache[:, 0, 0].astype(int).tolist())
        return dy, {}


def spied_on(n_traces, epochs, **options):
    """Train on numbered traces; return which went through together, and the history."""
    x = np.arange(n_traces, dtype=np.float32)[:, None, None]
    spy = Spy()
    history = nn.fit(
        nn.Sequential(spy, nn.Flatten(), nn.Dense(1, 2, rng=0)),
        x,
        np.arange(n_traces) % 2,
        epochs=epochs,
        lr=1e-4,
        **options,
    )
    return spy.seen, history


@given(st.integers(1, 30), st.integers(1, 35), st.integers(1, 4), st.integers(0, 9))
def test_every_epoch_uses_every_trace_once(n_traces, batch_size, epochs, seed):
    batches, history = spied_on(n_traces, epochs, batch_size=batch_size, rng=seed)
    per_epoch = -(-n_traces // batch_size)
    assert len(batches) == epochs * per_epoch
    for start in range(0, len(batches), per_epoch):
        sizes = [len(batch) for batch in batches[start : start + per_epoch]]
        assert set(sizes[:-1]) <= {batch_size}
        assert 0 < sizes[-1] <= batch_size
        seen = [trace for batch in batches[start : start + per_epoch] for trace in batch]
        assert sorted(seen) == list(range(n_traces))
    assert len(history.loss) == len(history.accuracy) == epochs


@given(st.integers(1, 12))
@settings(max_examples=settings.default.max_examples // 2)
def test_the_loss_is_the_mean_over_traces_for_any_batch_size(batch_size):
    """With steps too small to move a float32 weight, all batches see the same network."""
    model, x, labels = small_problem(n_traces=11)
    loss, accuracy = nn.evaluate(model, x, labels)
    history = nn.fit(model, x, labels, epochs=2, lr=1e-30, batch_size=batch_size, rng=0)
    assert_allclose(history.loss, loss, rtol=1e-6)
    assert_allclose(history.accuracy, accuracy, rtol=1e-12)


# Validation, callback, optimizer
# -------------------------------


@pytest.mark.parametrize("batch_size", [None, 6])
def test_validation_is_measured_and_changes_nothing(batch_size):
    _, x, labels = small_problem()
    val_x, val_labels = small_problem(n_traces=7, rng=1)[1:]
    options = {"epochs": 5, "batch_size": batch_size, "rng": 0}
    alone, watched = small_problem()[0], small_problem()[0]
    history = nn.fit(alone, x, labels, **options)
    with_validation = nn.fit(watched, x, labels, validation=(val_x, val_labels), **options)

    assert weights(alone) == weights(watched)
    assert (with_validation.loss, with_validation.accuracy) == (history.loss, history.accuracy)
    assert history.val_loss == history.val_accuracy == []
    assert len(with_validation.val_loss) == len(with_validation.val_accuracy) == 5
    last = with_validation.val_loss[-1], with_validation.val_accuracy[-1]
    assert last == nn.evaluate(watched, val_x, val_labels)


def test_an_optimizer_that_is_passed_again_continues_the_training():
    whole, x, labels = small_problem()
    in_parts = whole.astype(np.float32)
    history = nn.fit(whole, x, labels, epochs=7, lr=0.01)

    optimizer = nn.Adam(in_parts.params, lr=0.01)
    first = nn.fit(in_parts, x, labels, epochs=3, optimizer=optimizer)
    second = nn.fit(in_parts, x, labels, epochs=4, optimizer=optimizer)
    assert weights(whole) == weights(in_parts)
    assert first.loss + second.loss == history.loss
    assert optimizer.t == 7


# What goes in
# ------------


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_traces_are_converted_to_the_type_of_the_model(dtype):
    model, x, labels = small_problem()
    x = x.astype(dtype)
    other = model.astype(np.float32)
    nn.fit(model, x, labels, epochs=3, validation=(x, labels))
    nn.fit(other, x.astype(np.float32), labels, epochs=3)
    assert {array.dtype for array in model.params.values()} == {np.dtype(np.float32)}
    assert weights(model) == weights(other)
    assert x.dtype == dtype


THREE = np.zeros((3, 10, 1))


@bad_values(
    {
        "epochs": [0, 1.5, True],
        "batch_size": [0, 2.0],
        "lr": [0, float("nan"), "a"],
        "patience": [0, 1.5],
        "rng": ["a"],
        "x": [np.zeros((4, 10)), np.zeros((4, 10, 1), int), np.array(1.0), None],
        "targets": [[0, 1, 2], [0, 1, 2, 3], np.eye(3), [0.0, 1.0, 2.0, 0.0]],
        "validation": [0.2, "x", (1, 2, 3)],
        "model": [nn.Sequential(nn.ReLU()), nn.Dense],
        "optimizer": ["adam", nn.Adam, nn.Adam(small_problem()[0].params)],
    }
)
def test_bad_arguments_are_refused_before_training(name, value):
    model, x, labels = small_problem(n_traces=4)
    before = weights(model)
    arguments = {"model": model, "x": x, "targets": labels, "epochs": 1, name: value}
    if name == "patience":
        arguments["validation"] = (x, labels)
    caller = {"lr": "Adam"}.get(name, "Conv1D" if np.shape(value) == (4, 10) else "fit")
    if name in ("targets", "optimizer"):
        error = refused((TypeError, ValueError), caller, name)
    else:
        error = refused_value(caller, name, value)
    with error:
        nn.fit(**arguments)
    assert weights(model) == before


def test_arguments_that_do_not_fit_together_are_refused():
    model, x, labels = small_problem()
    before = weights(model)
    for parts, options in (
        (("lr", "lr=0.1"), {"lr": 0.1, "optimizer": nn.Adam(model.params)}),
        (("optimizer",), {"optimizer": nn.Adam({"w": model.params["0.w"]})}),
        (("patience", "validation"), {"patience": 3}),
        (("validation targets", "(2,)"), {"validation": (THREE, [0, 1])}),
    ):
        with refused(ValueError, "fit", *parts):
            nn.fit(model, x, labels, epochs=1, **options)
    assert weights(model) == before
    nn.fit(model, x, labels, epochs=1, lr=5e-3, optimizer=nn.Adam(model.params))


# When the loss explodes
# ----------------------


def explode(model, x, labels, lr, after, batch_size=None):
    """Train well for some epochs, then with an absurd step size.

    NumPy's own warnings of overflow are not the point here.
    """
    optimizer = nn.Adam(model.params, lr=0.01)

    def go_wild(epoch, history):
        if epoch == after:
            optimizer.lr = lr

    with np.errstate(all="ignore"), pytest.raises(FloatingPointError):
        nn.fit(
            model,
            x,
            labels,
            epochs=50,
            optimizer=optimizer,
            on_epoch=go_wild,
            batch_size=batch_size,
            rng=0,
        )


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("lr", [1e20, 1e37])
def test_the_weights_are_restored_to_the_start_of_the_last_epoch_of_finite_loss(lr, batch_size):
    """A replay, one step at a time, finds the same ones."""
    model, x, labels = small_problem()
    replay = model.astype(np.float32)
    explode(model, x, labels, lr, 3, batch_size)

    optimizer, rng = nn.Adam(replay.params, lr=0.01), np.random.default_rng(0)
    size, losses = batch_size or len(x), [0.0]
    while np.isfinite(losses).all() and len(losses) < 50:
        before, losses = weights(replay), []
        order = rng.permutation(len(x)) if batch_size else np.arange(len(x))
        for start in range(0, len(x), size):
            batch = order[start : start + size]
            with np.errstate(all="ignore"):
                scores, cache = replay.forward(x[batch])
                loss, dscores = nn.softmax_cross_entropy(scores, labels[batch])
                try:
                    optimizer.step(replay.backward(dscores, cache)[1])
                except ValueError:  # a gradient that is not finite
                    loss = np.nan
            losses.append(loss)
        if np.isfinite(losses).all():
            kept = before
        optimizer.lr = lr if optimizer.t == 3 * len(losses) else optimizer.lr
    assert weights(model) == kept
    assert all(np.isfinite(array).all() for array in model.params.values())
    with np.errstate(all="ignore"):
        assert np.isfinite(nn.evaluate(model, x, labels)[0])


def test_a_first_loss_that_is_not_finite_leaves_the_weights():
    model, x, labels = small_problem()
    model.params["0.w"] *= 1e30
    model.params["4.w"] *= 1e30
    before = weights(model)
    with refused(FloatingPointError, "fit", "loss", "epoch 1"):
        nn.fit(model, x, labels, epochs=1)
    assert weights(model) == before


def test_a_last_step_to_infinite_weights_is_noticed_and_undone():
    """No loss comes after it that could tell."""
    model, x, labels = small_problem()
    before = weights(model)
    with refused(FloatingPointError, "fit", "epoch 1"):
        nn.fit(model, x, labels, epochs=1, lr=1e39)
    assert weights(model) == before


# Evaluation
# ----------


def test_evaluate_returns_the_mean_loss_and_the_accuracy():
    model = nn.Sequential(nn.Dense(1, 2))
    model.params["0.w"][:] = [[1.0, 0.0]]
    x = np.array([[log(3.0)], [-log(3.0)], [0.5]], np.float32)  # class 0: 3/4, 1/4, more than 1/2
    loss, accuracy = nn.evaluate(model, x, [0, 1, 1])
    sure = np.exp(0.5) / (1 + np.exp(0.5))
    assert_allclose(loss, -(2 * log(3 / 4) + log(1 - sure)) / 3, rtol=1e-6)
    assert accuracy == 2 / 3
    assert nn.evaluate(model, x, np.eye(2)[[0, 1, 1]]) == (loss, accuracy)
    assert type(loss) is type(accuracy) is float


@given(st.integers(1, 1500))
@settings(max_examples=settings.default.max_examples // 4)
def test_evaluate_gives_the_mean_over_traces_however_many(n_traces):
    x, labels = nn.make_traces(n_traces, rng=0)
    model = task_network()
    loss, accuracy = nn.evaluate(model, x, labels)
    scores = model.predict(x)
    assert_allclose(loss, nn.softmax_cross_entropy(scores, labels)[0], rtol=1e-5)
    assert_allclose(accuracy, (scores.argmax(axis=-1) == labels).mean(), rtol=1e-12)


def test_evaluate_overflows_without_a_warning():
    with refused(ValueError, "evaluate", "x", "1e+300", "x[0, 0]"):
        nn.evaluate(nn.Dense(1, 2), np.array([[1e300]]), np.array([0]))
    model = nn.Dense(1, 2)
    model.params["w"][:] = 3e38
    loss, _ = nn.evaluate(model, np.array([[10.0]], np.float32), np.array([0]))
    assert np.isnan(loss)


# Custom losses
# -------------


def squared_error(scores, targets):
    difference = scores - targets
    return float(np.mean(difference**2)), 2 * difference / difference.size


def test_accuracy_with_a_custom_loss():
    def own(scores, y):
        return nn.softmax_cross_entropy(scores, y.reshape(len(scores), -1)[:, 0])

    model = nn.Sequential(nn.Flatten(), nn.Dense(2, 2, rng=0))
    model.params["1.w"][:] = np.eye(2)
    x = np.array([[3.0, 1], [1, 3], [5, 2]])[..., None]
    for labels in (np.array([0, 1, 0]), np.array([[0], [1], [0]]), np.array([0, 1, 0], np.uint8)):
        assert nn.evaluate(model, x, labels, loss=own)[1] == 1
    assert nn.evaluate(model, x, np.eye(2)[[0, 1, 1]], loss=squared_error)[1] == pytest.approx(
        2 / 3
    )
    for numbers in (np.array([[0.2, 3], [1, 1], [0, 0]]), np.array([[1, 1], [0, 1], [1, 0]])):
        assert np.isnan(nn.evaluate(model, x, numbers, loss=squared_error)[1])


def assert_refused_and_unchanged(model, error, *arguments, **options):
    before = copy.deepcopy({**model.params, **model.state})
    with error:
        nn.fit(model, *arguments, epochs=1, **options)
    for name, array in {**model.params, **model.state}.items():
        assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (lambda s, y: 1.0, "1.0"),
        (lambda s, y: None, "None"),
        (lambda s, y: (np.zeros(len(s)), np.zeros_like(s)), "(6,)"),
        (lambda s, y: (0.0, np.zeros_like(s)[:, :2]), "(6, 2)"),
        (lambda s, y: (0.0, None), "NoneType"),
        (lambda s, y: (0.0, np.zeros(s.shape, int)), "int64"),
    ],
)
def test_a_loss_that_returns_something_else_is_refused_before_a_step(loss, value):
    error = refused((TypeError, ValueError), "fit", "loss", value)
    assert_refused_and_unchanged(*small_problem(6)[:1], error, *small_problem(6)[1:], loss=loss)


def test_bad_targets_of_a_custom_loss_are_refused_before_a_step():
    model, x, _ = small_problem(6)
    good, bad, wrong = np.zeros((6, 3)), np.zeros((6, 3)), np.zeros((6, 2), int)
    bad[4, 2] = np.inf
    refuse = partial(assert_refused_and_unchanged, model, loss=squared_error)
    refuse(refused(ValueError, "fit", "inf", "targets[4, 2]"), x, bad)
    refuse(refused(ValueError, "fit", "validation targets[4, 2]"), x, good, validation=(x, bad))
    refuse(refused(TypeError, "fit", "targets", "masked"), x, np.ma.masked_array(good))
    refuse(pytest.raises(ValueError, match="shape"), x, wrong)
    refuse(pytest.raises(ValueError, match="shape"), x, good, validation=(x, wrong))
    error = refused(ValueError, "fit", "validation targets", "(3,)")
    refuse(error, x, good, validation=(x, np.ones(3)))


@pytest.mark.parametrize("make", [nn.Adam, partial(nn.SGD, lr=0.1)])
def test_a_gradient_that_is_not_finite_is_reported_and_changes_nothing(make):
    model, x, labels = small_problem()
    error = refused(FloatingPointError, "fit", "nan")
    optimizer = make(model.params)
    nan = lambda scores, y: (1.0, np.full_like(scores, np.nan))  # noqa: E731
    assert_refused_and_unchanged(model, error, x, labels, loss=nan, optimizer=optimizer)


# Patience
# --------


def test_patience_stops_the_training_and_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    x, labels = nn.make_traces(12, rng=rng, noise=0.3)
    others = nn.make_traces(100, rng=rng, noise=0.3)
    model, kept = task_network(1), {}
    history = nn.fit(
        model,
        x,
        labels,
        epochs=200,
        validation=others,
        patience=5,
        on_epoch=lambda epoch, _: kept.update({epoch: weights(model)}),
    )
    best = int(np.argmin(history.val_loss)) + 1
    assert len(history.loss) == best + 5 < 200
    assert weights(model) == kept[best]
    assert_allclose(nn.evaluate(model, *others)[0], history.val_loss[best - 1], rtol=1e-6)


def overfitting():
    """Return a model, traces and a validation set whose loss first falls and then rises."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((12, 10, 1)).astype(np.float32)
    held_out = rng.standard_normal((30, 10, 1)).astype(np.float32), np.arange(30) % 3
    return nn.Sequential(nn.Flatten(), nn.Dense(10, 3, rng=0)), x, np.arange(12) % 3, held_out


class StopError(Exception):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopError, FloatingPointError])
@pytest.mark.parametrize(("at", "lr"), [(1, 1.0), (3, 0.1), (12, 0.01), (12, 1.0)])
def test_with_patience_the_best_weights_are_kept_however_the_training_ends(error, at, lr):
    model, x, labels, held_out = overfitting()
    losses, seen = [nn.evaluate(model, *held_out)[0]], []
    optimizer = nn.SGD(model.params, lr=lr)

    def on_epoch(epoch, history):
        losses.append(history.val_loss[-1])
        seen.append(nn.evaluate(model, *held_out)[0])
        if epoch == at and error is FloatingPointError:
            optimizer.lr = np.inf
        elif epoch == at:
            raise error

    options = {"optimizer": optimizer, "validation": held_out, "patience": 40}
    with pytest.raises(error):
        nn.fit(model, x, labels, epochs=50, on_epoch=on_epoch, **options)
    assert_allclose(nn.evaluate(model, *held_out)[0], min(losses), rtol=1e-6)
    assert_allclose(seen, losses[1:], rtol=1e-6)  # measured before on_epoch, of these weights


def test_the_initial_weights_may_be_the_best():
    model, x, labels, held_out = overfitting()
    nn.fit(model, x, labels, epochs=100, lr=0.02, validation=held_out, patience=5)
    before = nn.evaluate(model, *held_out)[0]
    nn.fit(model, x, labels, epochs=5, lr=2.0, validation=held_out, patience=2)
    assert nn.evaluate(model, *held_out)[0] <= before
