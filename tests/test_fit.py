"""Training: the job of the task over many seeds, and what the loop promises."""

import re
import tracemalloc
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused
from task import task_network

from numpycnn import (
    Adam,
    Conv1D,
    Dense,
    Flatten,
    History,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    evaluate,
    fit,
    make_traces,
    softmax_cross_entropy,
    train_test_split,
    weighted_cross_entropy,
)
from numpycnn.training.examples import prepare_data


def train_as_in_the_task(seed, epochs=60, **options):
    """Everything from one generator; return the network, its history and the held-out traces."""
    rng = np.random.default_rng(seed)
    x, labels = make_traces(180, rng=rng)
    x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=rng)
    model = task_network(rng)
    history = fit(model, x_train, y_train, epochs=epochs, lr=5e-3, rng=rng, **options)
    return model, history, (x_test, y_test)


def small_problem(n_traces=20, rng=0):
    """Traces of ten samples with three labels, and a network for them."""
    rng = np.random.default_rng(rng)
    x = rng.standard_normal((n_traces, 10, 1), dtype=np.float32)
    model = Sequential(
        Conv1D(1, 2, 3, rng=rng), ReLU(), MaxPool1D(2), Flatten(), Dense(8, 3, rng=rng)
    )
    return model, x, rng.integers(3, size=n_traces)


def weights(model):
    """All the weights, as bytes: to be compared to the bit."""
    return {name: array.tobytes() for name, array in model.params.items()}


# The job
# -------


@pytest.fixture(scope="module")
def twenty_runs():
    return [train_as_in_the_task(seed) for seed in range(20)]


def test_held_out_accuracy_over_twenty_seeds(twenty_runs):
    accuracies = [evaluate(model, *held_out)[1] for model, _, held_out in twenty_runs]
    assert np.mean(accuracies) >= 0.99
    assert min(accuracies) >= 0.94


def test_the_loss_begins_near_that_of_not_knowing_and_ends_near_zero(twenty_runs):
    first = [history.loss[0] for _, history, _ in twenty_runs]
    last = [history.loss[-1] for _, history, _ in twenty_runs]
    assert_allclose(np.mean(first), log(3), atol=0.05)
    assert_allclose(first, log(3), atol=0.3)
    assert max(last) < 0.02


def test_the_same_seed_gives_the_same_bits(twenty_runs):
    model, history, _ = train_as_in_the_task(0)
    assert weights(model) == weights(twenty_runs[0][0])
    assert history == twenty_runs[0][1]
    assert weights(model) != weights(twenty_runs[1][0])


def test_with_mini_batches_too_the_same_seed_gives_the_same_bits_and_learns():
    model, history, held_out = train_as_in_the_task(0, epochs=10, batch_size=16)
    again, history_again, _ = train_as_in_the_task(0, epochs=10, batch_size=16)
    assert weights(model) == weights(again)
    assert history == history_again
    assert evaluate(model, *held_out)[1] >= 0.94


# The loop
# --------


@given(st.integers(1, 5), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=20)
def test_full_batch_training_is_forward_loss_backward_step(epochs, dtype):
    model, x, labels = small_problem()
    model, x = model.astype(dtype), x.astype(dtype)
    by_hand = model.astype(dtype)
    history = fit(model, x, labels, epochs=epochs, lr=0.01)

    optimizer = Adam(by_hand.params, lr=0.01)
    losses = []
    for _ in range(epochs):
        scores, cache = by_hand.forward(x)
        loss, dscores = softmax_cross_entropy(scores, labels)
        _, grads = by_hand.backward(dscores, cache)
        optimizer.step(grads)
        losses.append(loss)
    assert weights(model) == weights(by_hand)
    assert_allclose(history.loss, losses, rtol=1e-6)


class Spy(Layer):
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
    history = fit(
        Sequential(spy, Flatten(), Dense(1, 2, rng=0)),
        x,
        np.arange(n_traces) % 2,
        epochs=epochs,
        lr=1e-4,
        **options,
    )
    return spy.seen, history


@given(st.integers(1, 30), st.integers(1, 35), st.integers(1, 4), st.integers(0, 9))
def test_in_every_epoch_every_trace_is_learned_from_once(n_traces, batch_size, epochs, seed):
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


def test_mini_batches_are_shuffled_anew_in_each_epoch_by_the_seed():
    batches, _ = spied_on(30, epochs=3, batch_size=10, rng=0)
    assert len({tuple(batch) for batch in batches}) == 9
    assert batches == spied_on(30, epochs=3, batch_size=10, rng=0)[0]
    assert batches != spied_on(30, epochs=3, batch_size=10, rng=1)[0]


def test_without_a_batch_size_all_traces_go_through_together_and_in_order():
    assert spied_on(5, epochs=2)[0] == [[0, 1, 2, 3, 4]] * 2


@given(st.integers(1, 12))
@settings(max_examples=12)
def test_the_loss_is_the_mean_over_traces_whatever_the_batches(batch_size):
    """With steps too small to move a float32 weight, all batches see the same network."""
    model, x, labels = small_problem(n_traces=11)
    loss, accuracy = evaluate(model, x, labels)
    history = fit(model, x, labels, epochs=2, lr=1e-30, batch_size=batch_size, rng=0)
    assert_allclose(history.loss, loss, rtol=1e-6)
    assert_allclose(history.accuracy, accuracy, rtol=1e-12)


def test_the_history_is_of_the_network_before_each_step():
    model, x, labels = small_problem()
    expected = []
    for _ in range(3):
        expected.append(evaluate(model, x, labels))
        one_epoch = fit(model.astype(np.float32), x, labels, epochs=1)
        assert_allclose((one_epoch.loss[0], one_epoch.accuracy[0]), expected[-1], rtol=1e-6)
        fit(model, x, labels, epochs=1)


# Validation, callback, optimizer
# -------------------------------


@pytest.mark.parametrize("batch_size", [None, 6])
def test_validation_is_measured_and_changes_nothing(batch_size):
    _, x, labels = small_problem()
    val_x, val_labels = small_problem(n_traces=7, rng=1)[1:]
    options = {"epochs": 5, "batch_size": batch_size, "rng": 0}
    alone, watched = small_problem()[0], small_problem()[0]
    history = fit(alone, x, labels, **options)
    with_validation = fit(watched, x, labels, validation=(val_x, val_labels), **options)

    assert weights(alone) == weights(watched)
    assert (with_validation.loss, with_validation.accuracy) == (history.loss, history.accuracy)
    assert history.val_loss == history.val_accuracy == []
    assert len(with_validation.val_loss) == len(with_validation.val_accuracy) == 5
    last = with_validation.val_loss[-1], with_validation.val_accuracy[-1]
    assert last == evaluate(watched, val_x, val_labels)


def test_on_epoch_is_called_after_each_epoch_counted_from_one():
    model, x, labels = small_problem()
    calls = []

    def note(epoch, history):
        calls.append((epoch, len(history.loss), len(history.val_loss), weights(model)))

    history = fit(model, x, labels, epochs=4, validation=(x, labels), on_epoch=note)
    assert [call[:3] for call in calls] == [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)]
    assert len({tuple(call[3].items()) for call in calls}) == 4
    assert calls[-1][3] == weights(model)
    assert isinstance(history, History)


def test_an_optimiser_that_is_handed_on_continues_the_training():
    whole, x, labels = small_problem()
    in_parts = whole.astype(np.float32)
    history = fit(whole, x, labels, epochs=7, lr=0.01)

    optimizer = Adam(in_parts.params, lr=0.01)
    first = fit(in_parts, x, labels, epochs=3, optimizer=optimizer)
    second = fit(in_parts, x, labels, epochs=4, optimizer=optimizer)
    assert weights(whole) == weights(in_parts)
    assert first.loss + second.loss == history.loss
    assert optimizer.t == 7


def test_an_optimiser_may_have_settings_of_its_own():
    one, x, labels = small_problem()
    other = one.astype(np.float32)
    fit(one, x, labels, epochs=2, optimizer=Adam(one.params, lr=0.1, betas=(0.5, 0.5)))
    fit(other, x, labels, epochs=2, lr=0.1)
    assert weights(one) != weights(other)
    assert abs(one.params["0.w"] - other.params["0.w"]).max() > 1e-3


class Descent:
    """The plainest optimizer there is."""

    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self, grads):
        for name, array in self.params.items():
            array -= self.lr * grads[name]


def test_an_optimiser_of_ones_own_will_do():
    model, x, labels = small_problem()
    by_hand = model.astype(np.float32)
    history = fit(model, x, labels, epochs=1, optimizer=Descent(model.params, 0.1))
    scores, cache = by_hand.forward(x)
    loss, dscores = softmax_cross_entropy(scores, labels)
    Descent(by_hand.params, 0.1).step(by_hand.backward(dscores, cache)[1])
    assert weights(model) == weights(by_hand)
    assert_allclose(history.loss, [loss], rtol=1e-6)


def test_without_settings_adam_steps_by_five_thousandths():
    one, x, labels = small_problem()
    other = one.astype(np.float32)
    fit(one, x, labels, epochs=2)
    fit(other, x, labels, epochs=2, lr=5e-3)
    assert weights(one) == weights(other)


def test_an_lr_beside_an_optimiser_is_refused():
    """It would have been ignored, and nobody told."""
    model, x, labels = small_problem()
    before = weights(model)
    with refused(ValueError, "fit", "lr", "lr=0.1", "Adam(model.params, lr)"):
        fit(model, x, labels, epochs=1, lr=0.1, optimizer=Adam(model.params))
    assert weights(model) == before


def test_an_optimiser_of_other_arrays_is_refused():
    """Else the loss would never move, and nothing would say why."""
    model, x, labels = small_problem()
    stranger = Adam(model.astype(np.float32).params)
    with refused(ValueError, "fit", "optimizer", "Adam(model.params)"):
        fit(model, x, labels, epochs=1, optimizer=stranger)


# What goes in
# ------------


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_traces_are_converted_to_the_type_of_the_model(dtype):
    model, x, labels = small_problem()
    x = x.astype(dtype)
    twin = model.astype(np.float32)
    fit(model, x, labels, epochs=3, validation=(x, labels))
    fit(twin, x.astype(np.float32), labels, epochs=3)
    assert {array.dtype for array in model.params.values()} == {np.dtype(np.float32)}
    assert weights(model) == weights(twin)
    assert x.dtype == dtype


@pytest.mark.parametrize("dtype", [bool, int, np.float32, np.float64])
def test_labels_and_one_hot_rows_of_any_type_train_the_same(dtype):
    model, x, labels = small_problem()
    twin = model.astype(np.float32)
    fit(model, x, labels, epochs=3, batch_size=6, rng=0)
    fit(twin, x, np.eye(3, dtype=dtype)[labels], epochs=3, batch_size=6, rng=0)
    assert weights(model) == weights(twin)


def peak(function, *arguments, **options):
    """The most memory that was in use at once while this ran, in bytes."""
    tracemalloc.start()
    function(*arguments, **options)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_in_mini_batches_training_takes_less_memory_than_the_traces():
    x, labels = np.zeros((160_000, 64), np.float32), np.zeros(160_000, int)
    assert peak(fit, Dense(64, 3), x, labels, epochs=1, batch_size=10_000) < x.nbytes


def test_a_label_for_every_sample_can_be_learned():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 20, 1), dtype=np.float32)
    labels = (x[:, :, 0] > 0).astype(int)
    model = Sequential(Conv1D(1, 4, 3, padding="same", rng=rng), ReLU(), Dense(4, 2, rng=rng))
    history = fit(model, x, labels, epochs=150, lr=0.05, batch_size=3, rng=rng)
    assert_allclose(history.loss[0], log(2), atol=0.4)
    assert history.accuracy[-1] > 0.95


def test_the_traces_and_targets_are_read_and_never_written():
    model, x, labels = small_problem()
    rows = np.eye(3, dtype=np.float32)[labels]
    copies = x.copy(), rows.copy()
    x.flags.writeable = rows.flags.writeable = False
    fit(model, x, rows, epochs=2, batch_size=6, rng=0, validation=(x, rows))
    assert_array_equal(x, copies[0])
    assert_array_equal(rows, copies[1])


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_trace_with_nan_or_infinity_is_named(number):
    model, x, labels = small_problem()
    before = weights(model)
    bad = x.copy()
    bad[13, 4, 0] = bad[17, 0, 0] = number
    with refused(ValueError, "fit", "x", number, "x[13, 4, 0]"):
        fit(model, bad, labels, epochs=1)
    with refused(ValueError, "fit", "validation x", number, "x[13, 4, 0]"):
        fit(model, x, labels, epochs=1, validation=(bad, labels))
    with refused(ValueError, "evaluate", "x", number, "x[13, 4, 0]"):
        evaluate(model, bad, labels)
    assert weights(model) == before


def test_a_number_too_large_for_the_type_of_the_model_is_named_as_well():
    model, x, labels = small_problem()
    bad = x.astype(np.float64)
    bad[3, 2, 0] = 1e300
    with refused(ValueError, "fit", "x", "float32", "1e+300", "x[3, 2, 0]"):
        fit(model, bad, labels, epochs=1)


THREE = np.zeros((3, 10, 1))
BAD_ARGUMENTS = [
    ({"epochs": 0}, ValueError, "epochs", 0),
    ({"epochs": 1.5}, TypeError, "epochs", 1.5),
    ({"epochs": True}, TypeError, "epochs", True),
    ({"batch_size": 0}, ValueError, "batch_size", 0),
    ({"batch_size": 2.0}, TypeError, "batch_size", 2.0),
    ({"patience": 3}, ValueError, "patience", "validation"),
    ({"patience": 0, "validation": (THREE, [0, 1, 2])}, ValueError, "patience", 0),
    ({"targets": [0, 1, 2]}, ValueError, "targets", "(4,)", "(4, 3)", "(3,)"),
    ({"targets": [0] * 5}, ValueError, "targets", "(4,)", "(4, 3)", "(5,)"),
    ({"targets": np.eye(3)}, ValueError, "targets", "(4,)", "(4, 3)", "(3, 3)"),
    ({"targets": [0, 1, 2, 3]}, ValueError, "targets", 2, 3, "targets[3]"),
    ({"targets": list("abab")}, TypeError, "targets", "<U1", "np.unique"),
    ({"targets": [0.0, 1.0, 2.0, 0.0]}, TypeError, "targets", "float64"),
    ({"targets": np.ma.masked_array([0] * 4)}, TypeError, "targets", "masked"),
    ({"targets": np.ones((4, 3))}, ValueError, "targets", "[1. 1. 1.]", "targets[0]"),
    ({"x": np.ma.zeros((4, 10, 1))}, TypeError, "x", "masked"),
    ({"x": np.full((4, 10, 1), "a")}, TypeError, "x", "<U1"),
    ({"x": np.full((4, 10, 1), None)}, TypeError, "x", "object"),
    ({"x": np.zeros((4, 10, 1), int)}, TypeError, "x", "int64"),
    ({"x": [[[0.0]] * 10] * 4}, TypeError, "x", "list"),
    ({"x": None}, TypeError, "x", "NoneType"),
    ({"x": np.zeros((0, 10, 1)), "targets": []}, ValueError, "x", "(0, 10, 1)"),
    ({"x": np.array(1.0)}, ValueError, "x", "()"),
    ({"rng": "a"}, TypeError, "rng", "'a'"),
    ({"validation": (THREE, [0, 1])}, ValueError, "validation targets", "(3,)", "(2,)"),
    ({"validation": (THREE,)}, TypeError, "validation", "(array"),
    ({"validation": 0.2}, TypeError, "validation", 0.2),
    ({"model": Sequential(ReLU())}, TypeError, "model", "ReLU()"),
    ({"model": Dense}, TypeError, "model", "Dense"),
    ({"optimizer": "adam"}, TypeError, "optimizer", "'adam'", "Adam(model.params)"),
    ({"optimizer": Adam}, TypeError, "optimizer", "Adam", "Adam(model.params)"),
]
REFUSED_INSIDE = [
    ({"lr": 0}, ValueError, "Adam", "lr", 0),
    ({"lr": float("nan")}, ValueError, "Adam", "lr", "nan"),
    ({"lr": "a"}, TypeError, "Adam", "lr", "'a'"),
    ({"x": np.zeros((4, 10), np.float32)}, ValueError, "Conv1D", "x", "C=1", "x[..., None]"),
]


@pytest.mark.parametrize(
    ("arguments", "kind", "parts"),
    [(arguments, kind, ("fit", *parts)) for arguments, kind, *parts in BAD_ARGUMENTS]
    + [(arguments, kind, parts) for arguments, kind, *parts in REFUSED_INSIDE],
)
def test_bad_arguments_are_refused_before_anything_is_learned(arguments, kind, parts):
    model, x, labels = small_problem(n_traces=4)
    before = weights(model)
    sound = {"model": model, "x": x, "targets": labels, "epochs": 1}
    with refused(kind, *parts):
        fit(**{**sound, **arguments})
    assert weights(model) == before


# When the loss explodes
# ----------------------


def explode(model, x, labels, lr, after, batch_size=None):
    """Train well for some epochs, then with an absurd step size; return the message and history.

    NumPy's own warnings of overflow are not the point here.
    """
    optimizer, histories = Adam(model.params, lr=0.01), []

    def go_wild(epoch, history):
        histories.append(history)
        if epoch == after:
            optimizer.lr = lr

    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught:
        fit(
            model,
            x,
            labels,
            epochs=50,
            optimizer=optimizer,
            on_epoch=go_wild,
            batch_size=batch_size,
            rng=0,
        )
    return str(caught.value), histories[-1]


@pytest.mark.parametrize("lr", [1e20, 1e25, 1e30, 1e37])
@pytest.mark.parametrize("after", [1, 4])
def test_a_loss_that_stops_being_finite_names_the_epoch_and_what_to_try(lr, after):
    message, history = explode(*small_problem(), lr, after)
    assert re.search(rf"^fit: .*\bepoch {len(history.loss) + 1}\b.*\blr\b", message)
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("lr", [1e20, 1e25, 1e37])
def test_the_weights_are_those_with_which_the_last_epoch_of_finite_loss_began(lr, batch_size):
    """A replay, one step at a time, finds the same ones."""
    model, x, labels = small_problem()
    replay = model.astype(np.float32)
    explode(model, x, labels, lr, 3, batch_size)

    optimizer, rng = Adam(replay.params, lr=0.01), np.random.default_rng(0)
    size, losses = batch_size or len(x), [0.0]
    while np.isfinite(losses).all() and len(losses) < 50:
        before, losses = weights(replay), []
        order = rng.permutation(len(x)) if batch_size else np.arange(len(x))
        for start in range(0, len(x), size):
            batch = order[start : start + size]
            with np.errstate(all="ignore"):
                scores, cache = replay.forward(x[batch])
                loss, dscores = softmax_cross_entropy(scores, labels[batch])
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
        assert np.isfinite(evaluate(model, x, labels)[0])


def test_a_loss_that_never_was_finite_leaves_the_weights_as_they_came():
    model, x, labels = small_problem()
    model.params["0.w"] *= 1e30
    model.params["4.w"] *= 1e30
    before = weights(model)
    with refused(FloatingPointError, "fit", "loss", "epoch 1"):
        fit(model, x, labels, epochs=1)
    assert weights(model) == before


def test_a_last_step_into_infinity_is_noticed_by_the_weights_and_taken_back():
    """No loss comes after it that could tell."""
    model, x, labels = small_problem()
    before = weights(model)
    with refused(FloatingPointError, "fit", "epoch 1"):
        fit(model, x, labels, epochs=1, lr=1e39)
    assert weights(model) == before


def test_no_warning_comes_before_the_error():
    """The error says it all; a line from NumPy about overflow in matmul only frightens."""
    model, x, labels = small_problem()
    with refused(FloatingPointError, "fit", "epoch"):
        fit(model, x, labels, epochs=50, lr=1e25)


def test_a_validation_loss_that_is_not_finite_ends_the_training_too():
    model, x, labels = small_problem()
    huge = np.full((2, 10, 1), 3e38, np.float32)
    before = weights(model)
    with (
        np.errstate(all="ignore"),
        refused(FloatingPointError, "fit", "validation loss", "epoch 1"),
    ):
        fit(model, x, labels, epochs=3, validation=(huge, [0, 1]))
    assert weights(model) == before  # the last weights whose loss is known to be finite


# Evaluation
# ----------


def test_evaluate_gives_the_mean_loss_and_the_share_of_right_answers():
    model = Sequential(Dense(1, 2))
    model.params["0.w"][:] = [[1.0, 0.0]]
    x = np.array([[log(3.0)], [-log(3.0)], [0.5]], np.float32)  # class 0: 3/4, 1/4, more than 1/2
    loss, accuracy = evaluate(model, x, [0, 1, 1])
    sure = np.exp(0.5) / (1 + np.exp(0.5))
    assert_allclose(loss, -(2 * log(3 / 4) + log(1 - sure)) / 3, rtol=1e-6)
    assert accuracy == 2 / 3
    assert evaluate(model, x, np.eye(2)[[0, 1, 1]]) == (loss, accuracy)
    assert type(loss) is type(accuracy) is float


def test_traces_of_a_single_sample_have_an_accuracy_too():
    model, x = Dense(2, 3, rng=0), np.random.default_rng(0).standard_normal((6, 1, 2))
    labels = model(x).argmax(axis=-1)
    assert evaluate(model, x, labels)[1] == 1
    assert evaluate(model, x, (labels + 1) % 3)[1] == 0


def test_evaluate_changes_nothing():
    model, x, labels = small_problem()
    before = weights(model)
    x.flags.writeable = labels.flags.writeable = False
    evaluate(model, x, labels)
    assert weights(model) == before


def test_evaluate_speaks_for_itself_in_its_errors():
    model, x, labels = small_problem()
    with refused(ValueError, "evaluate", "targets", "(20,)", "(19,)"):
        evaluate(model, x, labels[:-1])
    with refused(ValueError, "evaluate", "targets", 3, "targets[0]"):
        evaluate(model, x, labels + 1)


def test_a_network_without_parameters_can_be_evaluated():
    loss, accuracy = evaluate(Sequential(ReLU()), np.array([[0.0, log(3.0)]]), [1])
    assert_allclose(loss, -log(3 / 4))
    assert accuracy == 1.0


def test_a_softmax_at_the_end_is_the_users_own_choice():
    """It trains, but slowly: the scores are squeezed twice. fit takes any layer with weights."""
    model, x, labels = small_problem()
    history = fit(Sequential(model, Softmax()), x, labels, epochs=2)
    assert len(history.loss) == 2


def test_evaluate_takes_no_more_memory_for_more_traces():
    """But for a mark, finite or not, for each of their numbers: a byte."""
    model = task_network()
    x, labels = np.zeros((20_000, 64, 1), np.float32), np.zeros(20_000, int)
    few = peak(evaluate, model, x[:1000], labels[:1000])
    assert peak(evaluate, model, x, labels) < few + x.nbytes / 2


@given(st.integers(1, 1500))
@settings(max_examples=10)
def test_evaluate_gives_the_mean_over_traces_however_many(n_traces):
    x, labels = make_traces(n_traces, rng=0)
    model = task_network()
    loss, accuracy = evaluate(model, x, labels)
    scores = model.predict(x)
    assert_allclose(loss, softmax_cross_entropy(scores, labels)[0], rtol=1e-5)
    assert_allclose(accuracy, (scores.argmax(axis=-1) == labels).mean(), rtol=1e-12)


def test_evaluate_overflows_without_a_warning():
    with refused(ValueError, "evaluate", "x", "1e+300", "x[0, 0]"):
        evaluate(Dense(1, 2), np.array([[1e300]]), np.array([0]))
    model = Dense(1, 2)
    model.params["w"][:] = 3e38
    loss, _ = evaluate(model, np.array([[10.0]], np.float32), np.array([0]))
    assert np.isnan(loss)


# A loss of one's own
# -------------------


def squared_error(scores, targets):
    off = scores - targets
    return np.mean(off**2), 2 * off / off.size


def test_a_loss_of_ones_own_gets_the_targets_as_they_are():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3))
    targets = x @ [[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]] + 1
    model = Dense(3, 2, rng=0)
    history = fit(
        model, x, targets, epochs=300, lr=0.05, loss=squared_error, validation=(x, targets)
    )
    assert history.loss[-1] < 1e-6
    assert history.val_loss[-1] < 1e-6
    assert_allclose(model(x), targets, atol=0.02)


def test_without_labels_there_is_no_accuracy_and_with_them_there_is():
    x, numbers = np.ones((4, 2)), np.full((4, 1), 0.5)
    history = fit(Dense(2, 1, rng=0), x, numbers, epochs=1, loss=squared_error)
    assert np.isnan(history.accuracy[0])

    def own(scores, labels):
        assert labels.dtype.kind == "i"
        return softmax_cross_entropy(scores, labels)

    model, x, labels = small_problem()
    history = fit(model, x, labels, epochs=2, loss=own, rng=0)
    model, x, labels = small_problem()
    assert history == fit(model, x, labels, epochs=2, rng=0)


def test_weights_of_the_classes_bring_a_rare_one_forward():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 1)).astype(np.float32)
    labels = (x[:, 0] + rng.standard_normal(400) > 2).astype(int)
    found = []
    for loss in (softmax_cross_entropy, weighted_cross_entropy([1, 10])):
        model = Dense(1, 2, rng=0)
        fit(model, x, labels, epochs=200, lr=0.05, loss=loss)
        found.append((model.classify(x)[labels == 1] == 1).mean())
    assert found[0] < 0.6 < 0.8 < found[1]


def test_a_target_for_each_example_is_asked_for():
    with refused(ValueError, "fit", "validation targets", 4, "(3,)"):
        fit(
            Dense(2, 1),
            np.ones((4, 2)),
            np.ones((4, 1)),
            epochs=1,
            loss=squared_error,
            validation=(np.ones((4, 2)), np.ones(3)),
        )


def test_targets_of_a_loss_of_ones_own_are_without_a_mask_and_in_the_type_of_the_scores():
    seen = []

    def loss(scores, y):
        seen.append(y.dtype)
        return squared_error(scores, y)

    x, y = np.ones((4, 2)), np.ones((4, 1))
    fit(Dense(2, 1), x, y, epochs=1, loss=loss)
    assert seen == [np.float32]
    with refused(TypeError, "fit", "targets", "masked"):
        fit(Dense(2, 1), x, np.ma.masked_array(y), epochs=1, loss=loss)
    assert prepare_data("fit", Dense(2, 3), x, [0, 1, 2, 1], softmax_cross_entropy)[1].dtype == "f4"


# Patience
# --------


def test_patience_stops_when_the_validation_loss_does_and_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    x, labels = make_traces(12, rng=rng, noise=0.3)
    others = make_traces(100, rng=rng, noise=0.3)
    model, kept = task_network(1), {}
    history = fit(
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
    assert_allclose(evaluate(model, *others)[0], history.val_loss[best - 1], rtol=1e-6)


def test_patience_that_is_not_needed_still_keeps_the_best():
    model, x, labels = small_problem()
    other, _, _ = small_problem()
    history = fit(model, x, labels, epochs=10, validation=(x, labels), patience=50)
    assert history == fit(other, x, labels, epochs=10, validation=(x, labels))
    assert int(np.argmin(history.val_loss)) == 9
    assert weights(model) == weights(other)
