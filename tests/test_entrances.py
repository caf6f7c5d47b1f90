"""The same mistake raises the same message at every entrance, and nothing is silently ignored."""

import copy
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from numpycnn import (
    SGD,
    Adam,
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    Layer,
    ReLU,
    Residual,
    Sequential,
    SkipConcat,
    Softmax,
    check_adam,
    confusion_matrix,
    cross_entropy,
    diagnose,
    evaluate,
    fit,
    one_hot,
    softmax_cross_entropy,
    standardize,
    weighted_cross_entropy,
)
from numpycnn.inspection.explain import probabilities, saliency

seeds = st.integers(0, 2**32 - 1)


def network():
    return Sequential(Conv1D(1, 2, 3, rng=0), ReLU(), GlobalAveragePool1D(), Dense(2, 3, rng=1))


def traces(n=6):
    return np.random.default_rng(0).standard_normal((n, 10, 1)).astype(np.float32)


LABELS = np.array([0, 1, 2, 0, 1, 2])

# Functions that take traces, as (name in the message, call).
TAKE_X = {
    "fit": lambda x: fit(network(), x, LABELS, epochs=1),
    "fit, validation": lambda x: fit(network(), traces(), LABELS, epochs=1, validation=(x, LABELS)),
    "evaluate": lambda x: evaluate(network(), x, LABELS),
    "predict": lambda x: network().predict(x),
    "predict, batches": lambda x: network().predict(x, batch_size=4),
    "classify": lambda x: network().classify(x),
    "probabilities": lambda x: probabilities(network(), x),
    "saliency": lambda x: saliency(network(), x, 0),
    "diagnose": lambda x: diagnose(network(), x, LABELS),
    "standardize": standardize,
}


def message_of(call, *arguments, kind=(TypeError, ValueError)):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value)


def without_owner(name, message):
    caller, _, rest = message.partition(": ")
    assert caller == name.split(",")[0]
    return rest.replace("validation x", "x")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named_alike_at_every_entrance(bad):
    x = traces()
    x[3, 7, 0] = bad
    messages = {without_owner(name, message_of(call, x)) for name, call in TAKE_X.items()}
    assert len(messages) == 1
    assert f"{bad} at x[3, 7, 0]" in messages.pop()


@pytest.mark.parametrize(
    ("spoil", "values"),
    [
        (lambda x: np.ma.masked_array(x, mask=x > 1), ["masked"]),
        (lambda x: x.tolist(), ["list"]),
        (lambda x: np.array(["a"]), ["<U1"]),
        (lambda x: x[:0], ["(0, 10, 1)"]),
    ],
    ids=["masked", "list", "text", "empty"],
)
def test_what_is_not_an_array_of_floats_is_named_alike(spoil, values):
    found = {
        without_owner(name, message_of(call, spoil(traces()))) for name, call in TAKE_X.items()
    }
    assert len(found) == 1
    message = found.pop()
    assert message.startswith("x ")
    assert all(value in message for value in values)


@pytest.mark.parametrize(
    "name", [name for name in TAKE_X if name not in ("saliency", "standardize")]
)
def test_a_missing_channel_axis_is_named_by_the_first_layer(name):
    message = message_of(TAKE_X[name], traces()[..., 0])
    assert re.search(r"Conv1D: x .*C=1.*\(\d+, 10\).*x\[\.\.\., None\]", message)


def test_forward_passes_nan_through():
    x = traces()
    x[3, 7, 0] = np.nan
    for output in (network()(x), network().forward(x)[0]):
        assert np.isnan(output[3]).all()
        assert np.isfinite(np.delete(output, 3, axis=0)).all()


# Targets
# -------

TAKE_TARGETS = {
    "fit": lambda y: fit(network(), traces(), y, epochs=1),
    "evaluate": lambda y: evaluate(network(), traces(), y),
    "diagnose": lambda y: diagnose(network(), traces(), y),
    "softmax_cross_entropy": lambda y: softmax_cross_entropy(np.zeros((6, 3)), y),
    "weighted_cross_entropy": lambda y: weighted_cross_entropy([1, 1, 1])(np.zeros((6, 3)), y),
    "cross_entropy": lambda y: cross_entropy(np.full((6, 3), 1 / 3), y),
}


@pytest.mark.parametrize(
    ("targets", "values"),
    [
        ([0, 1, 2, 0, 1, 3], "3 at targets[5]"),
        ([0, 1, -1, 0, 1, 2], "-1 at targets[2]"),
        ([0, 1, 2], "(3,)"),
        ([0.0, 1, 2, 0, 1, 2], "float64"),
        (list("abcabc"), "<U1"),
        (np.ma.masked_array(LABELS, mask=LABELS == 1), "masked"),
        (np.full((6, 3), 0.3), "targets[0]"),
        (np.full((6, 3), np.nan), "targets[0]"),
    ],
    ids=["too large", "negative", "too few", "floats", "text", "masked", "sums", "nan"],
)
def test_wrong_targets_are_named_alike(targets, values):
    messages = {name: message_of(call, targets) for name, call in TAKE_TARGETS.items()}
    found = {without_owner(name, message) for name, message in messages.items()}
    assert len(found) == 1
    message = found.pop()
    assert message.startswith("targets ")
    assert values in message


@pytest.mark.parametrize("loss", [softmax_cross_entropy, weighted_cross_entropy([1, 1, 1])])
@given(seed=seeds)
@settings(max_examples=10)
def test_labels_in_a_column_are_labels(loss, seed):
    labels = np.random.default_rng(seed).integers(3, size=6)
    plain, column = (
        fit(network(), traces(), y, epochs=2, loss=loss) for y in (labels, labels[:, None])
    )
    assert plain == column
    assert not np.isnan(plain.accuracy).any()


def own_cross_entropy(scores, y):
    return softmax_cross_entropy(scores, y.reshape(len(scores), -1)[:, 0])


def squared_error(scores, y):
    return float(((scores - y) ** 2).mean()), 2 * (scores - y) / scores.size


def binary(scores, y):
    """Return the cross-entropy of one score for the classes 0 and 1."""
    y = np.asarray(y).reshape(scores.shape)
    p = 1 / (1 + np.exp(-scores))
    return float(np.logaddexp(0, scores).mean() - (y * scores).mean()), (p - y) / scores.size


def test_accuracy_with_a_custom_loss():
    model = Sequential(Flatten(), Dense(2, 2, rng=0))
    model.params["1.w"][:] = np.eye(2)
    x = np.array([[3.0, 1], [1, 3], [5, 2]])[..., None]
    for labels in (np.array([0, 1, 0]), np.array([[0], [1], [0]]), np.array([0, 1, 0], np.uint8)):
        assert evaluate(model, x, labels, loss=own_cross_entropy)[1] == 1
    assert evaluate(model, x, np.eye(2)[[0, 1, 1]], loss=squared_error)[1] == pytest.approx(2 / 3)
    for numbers in (np.array([[0.2, 3], [1, 1], [0, 0]]), np.array([[1, 1], [0, 1], [1, 0]])):
        assert np.isnan(evaluate(model, x, numbers, loss=squared_error)[1])


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_a_single_score_decides_between_two_classes(shape):
    model = Sequential(Flatten(), Dense(10, 1, rng=0))
    x, labels = traces(), np.array([0, 1, 1, 0, 1, 0])
    history = fit(model, x, labels.reshape(shape), epochs=200, lr=0.05, loss=binary)
    assert history.accuracy[-1] == 1
    assert_array_equal(model.classify(x), labels)
    p = probabilities(model, x)
    assert p.shape == (6, 2)
    assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert_allclose(p[:, 1], 1 / (1 + np.exp(-model(x)[:, 0])), rtol=1e-5)
    assert evaluate(model, x, labels.reshape(shape), loss=binary)[1] == 1


# Probabilities
# -------------


@given(seed=seeds, wrong=st.sampled_from(["below", "sum"]), dtype=st.sampled_from("fd"))
def test_scores_are_refused_as_probabilities(seed, wrong, dtype):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(3), 5).astype(dtype)
    cross_entropy(rows, np.zeros(5, int))
    row = int(rng.integers(5))
    rows[row] = [-0.01, 0.5, 0.51] if wrong == "below" else rows[row] + 0.01
    message = message_of(partial(cross_entropy, rows), np.zeros(5, int))
    assert f"probabilities[{row}]" in message
    assert "softmax_cross_entropy" in message


def test_a_softmax_is_not_applied_twice():
    x = traces()
    model = Sequential(Flatten(), Dense(10, 3, rng=0))
    expected = Softmax()(model(x))
    for end in ([Softmax()], [Softmax(), Dropout(0.5)], [Sequential(Softmax()), Dropout(0.1)]):
        assert_array_equal(probabilities(Sequential(*model, *end), x), expected)
    each = Sequential(Dense(1, 3, rng=0), Softmax())
    for end in (AveragePool1D(2), GlobalAveragePool1D()):
        assert_allclose(probabilities(Sequential(*each, end), x).sum(axis=-1), 1, rtol=1e-6)
        assert_array_equal(probabilities(Sequential(*each, end), x), end(each(x)))
    assert_allclose(probabilities(Sequential(*model, Softmax(), ReLU()), x), Softmax()(expected))


def test_the_softmax_of_one_score_is_refused():
    message = message_of(probabilities, Sequential(Flatten(), Dense(10, 1), Softmax()), traces())
    assert message.startswith("probabilities: model")


def test_scores_that_are_nan_have_no_class():
    model = network()
    model.params["3.w"][:] = np.nan
    assert "scores[0, 0]" in message_of(model.classify, traces())


# Custom losses and the order of the checks
# -----------------------------------------


def unchanged(model, call, kind=(TypeError, ValueError)):
    """Expect that this call raises and changes no array of the model; return the message."""
    before = copy.deepcopy({**model.params, **model.state})
    message = message_of(call, kind=kind)
    for name, array in {**model.params, **model.state}.items():
        assert_array_equal(array, before[name])
    return message


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (lambda s, y: 1.0, "1.0"),
        (lambda s, y: None, "None"),
        (lambda s, y: (np.zeros(len(s)), np.zeros_like(s)), "(6,)"),
        (lambda s, y: (np.zeros_like(s), 0.0), "(6, 3)"),
        (lambda s, y: (0.0, np.zeros_like(s)[:, :2]), "(6, 2)"),
        (lambda s, y: (0.0, np.zeros_like(s)[0]), "(3,)"),
        (lambda s, y: (0.0, None), "NoneType"),
        (lambda s, y: (0.0, np.zeros(s.shape, int)), "int"),
    ],
)
def test_what_a_custom_loss_returns_is_checked_before_a_step(loss, value):
    model = network()
    message = unchanged(model, lambda: fit(model, traces(), LABELS, epochs=1, loss=loss))
    assert message.startswith("fit: ")
    assert "loss" in message
    assert value in message


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_in_the_targets_of_a_custom_loss_is_named(bad):
    model, y = network(), np.zeros((6, 3))
    y[4, 2] = bad
    call = partial(fit, model, traces(), epochs=1, loss=squared_error)
    assert f"{bad} at targets[4, 2]" in unchanged(model, lambda: call(y))
    held_out = traces(), y
    assert "validation targets[4, 2]" in unchanged(
        model, lambda: call(np.zeros((6, 3)), validation=held_out)
    )


def test_targets_that_the_loss_refuses_are_refused_before_a_step():
    model, wrong = network(), np.zeros((6, 2), int)
    call = partial(fit, model, traces(), epochs=2, loss=squared_error)
    unchanged(model, lambda: call(wrong))
    unchanged(model, lambda: call(np.zeros((6, 3)), validation=(traces(), wrong)))
    unchanged(
        model, lambda: call(np.zeros((6, 3)), validation=(traces()[..., 0], np.zeros((6, 3))))
    )


@pytest.mark.parametrize("batch_size", [5, 2, 1])
def test_a_last_batch_of_one_row_is_refused_before_a_step(batch_size):
    model = Sequential(Flatten(), Dense(10, 4, rng=0), BatchNorm(4), Dense(4, 3, rng=1))
    n = 6 if batch_size != 2 else 5
    call = partial(fit, model, traces(n), LABELS[:n], epochs=1, batch_size=batch_size)
    assert "BatchNorm: x" in unchanged(model, call)


@pytest.mark.parametrize("value", [0.2, "x", (1,), (1, 2, 3), [traces()]])
def test_validation_is_a_pair(value):
    model = network()
    message = unchanged(model, lambda: fit(model, traces(), LABELS, epochs=1, validation=value))
    assert message.startswith("fit: validation ")


# Optimizers
# ----------


@pytest.mark.parametrize("optimizer", [Adam, partial(SGD, lr=0.1)])
def test_what_an_optimizer_takes(optimizer):
    model = network()
    assert "model.params" in message_of(optimizer, model)
    assert "params" in message_of(optimizer, [])
    assert "params" in message_of(optimizer, {})
    assert re.search(r"params\['w'\].*int", message_of(optimizer, {"w": np.zeros(3, int)}))
    assert re.search(r"params\['w'\].*list", message_of(optimizer, {"w": [1.0]}))
    own = optimizer({"w": np.zeros((2, 3)), "b": np.zeros(3)})
    good = {"w": np.ones((2, 3)), "b": np.ones(3)}
    bad = good["w"].copy()
    bad[1, 2] = np.nan
    for grads, values in (
        ({"w": good["w"]}, ["grads", "b"]),
        (good | {"c": good["b"]}, ["grads", "c"]),
        (good | {"b": np.ones((3, 1))}, ["grads['b']", "(3, 1)"]),
        (good | {"b": 1.0}, ["grads['b']", "float"]),
        (good | {"w": bad}, ["nan", "grads['w'][1, 2]"]),
        (None, ["grads", "NoneType"]),
    ):
        message = message_of(own.step, grads)
        assert all(value in message for value in values), message
    for array in own.params.values():
        assert_array_equal(array, 0)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ({"lr": 0}, "lr", "0"),
        ({"lr": float("nan")}, "lr", "nan"),
        ({"lr": "a"}, "lr", "'a'"),
        ({"lr": True}, "lr", "True"),
        ({"eps": -1.0}, "eps", "-1.0"),
        ({"betas": 0.9}, "betas", "0.9"),
        ({"betas": (0.9, 1.0)}, "betas", "1.0"),
        ({"betas": (0.9, "b")}, "betas", "'b'"),
    ],
)
def test_settings_of_adam(options, name, value):
    message = message_of(partial(Adam, {"w": np.zeros(1)}, **options))
    assert message.startswith(f"Adam: {name} ")
    assert value in message


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_a_zero_gradient_moves_nothing_and_a_small_one_does(dtype):
    params = {"w": np.ones(3, dtype)}
    optimizer = Adam(params, lr=0.01)
    optimizer.step({"w": np.zeros(3, dtype)})
    assert_array_equal(params["w"], 1)
    optimizer.step({"w": np.array([1e-5, -1e-5, 0], dtype)})
    assert params["w"][0] < 1 < params["w"][1]
    assert params["w"][2] == 1
    assert np.isfinite(params["w"]).all()


def test_an_optimizer_of_some_parameters_trains_these_only():
    for make in (Adam, partial(SGD, lr=0.1)):
        model = network()
        before = copy.deepcopy(dict(model.params))
        some = {name: model.params[name] for name in ("3.w", "3.b")}
        fit(model, traces(), LABELS, epochs=3, optimizer=make(some))
        moved = {name for name, array in model.params.items() if (array != before[name]).any()}
        assert moved == set(some)


def test_an_optimizer_of_other_arrays_or_names_is_refused():
    model = network()
    for params in (network().params, {"w": model.params["3.w"]}):
        message = unchanged(
            model, lambda p=params: fit(model, traces(), LABELS, epochs=1, optimizer=Adam(p))
        )
        assert message.startswith("fit: optimizer ")
    own = Adam(model.params)
    message = unchanged(
        model, lambda: fit(model, traces(), LABELS, epochs=1, lr=0.1, optimizer=own)
    )
    assert "lr=0.1" in message
    fit(model, traces(), LABELS, epochs=1, lr=5e-3, optimizer=own)


def test_check_adam_names_the_form_with_eps_before_the_correction():
    class EpsHat(Adam):
        def step(self, grads):
            self.t += 1
            (beta1, beta2), begin = self.betas, 0
            for name, array in self.params.items():
                part = slice(begin, begin + array.size)
                begin += array.size
                g = grads[name].ravel()
                self.m[part] = beta1 * self.m[part] + (1 - beta1) * g
                self.v[part] = beta2 * self.v[part] + (1 - beta2) * g**2
                rate = self.lr * np.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
                array -= (rate * self.m[part] / (np.sqrt(self.v[part]) + self.eps)).reshape(
                    array.shape
                )

    report = check_adam(EpsHat, rng=0)
    assert not report.ok
    assert [mistake.name for mistake in report.mistakes] == ["eps before the bias correction"]


# Parameters and containers
# -------------------------


def test_the_params_of_a_container_are_read_only():
    for model in (network(), Residual(Dense(2, 2)), SkipConcat(Dense(2, 2))):
        name = next(iter(model.params))
        message = message_of(model.params.__setitem__, name, model.params[name].copy())
        assert f"params[{name!r}][...] =" in message
        before = model.params[name].copy()
        model.params[name][...] += 1
        model.params[name] -= 0.5
        assert_allclose(model.params[name], before + 0.5, atol=1e-6)
        with pytest.raises((TypeError, AttributeError)):
            del model.params[name]
        with pytest.raises(AttributeError, match="params"):
            model.params = {}
        kept = copy.deepcopy(model.params)
        model.params[name][...] = 7
        assert (kept[name] != 7).all()
        assert dict(model.params) | {} == model.params | {}


@pytest.mark.parametrize("which", [slice(None, -1), slice(1, 3), slice(None, None, 2), slice(2, 3)])
def test_a_slice_of_a_network_is_a_network_of_the_same_layers(which):
    for model in (network(), Residual(ReLU(), ReLU(), ReLU(), ReLU())):
        part = model[which]
        assert type(part) is Sequential
        assert all(a is b for a, b in zip(part, list(model)[which], strict=True))
    model, x = network(), traces()
    assert_array_equal(Sequential(model[:2], model[2:])(x), model(x))


def test_a_sequential_refuses_layers_by_name():
    with pytest.raises(TypeError, match="head"):
        Sequential(Dense(2, 2), head=Dense(2, 2))
    assert "shortcut.w" in Residual(Dense(2, 2), shortcut=Dense(2, 2)).params


@pytest.mark.parametrize("layer", [Dense(3, 2), Conv1D(3, 2, 1), BatchNorm(3)])
@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_integer_parameters_are_refused(layer, dtype, tmp_path):
    for name in layer.params:
        whole = layer.with_params({**layer.params, name: layer.params[name].astype(dtype)})
        model = Sequential(whole)
        calls = [
            lambda m=model: m(np.ones((2, 4, 3))),
            lambda m=model: Adam(m.params),
            lambda m=model: SGD(m.params, lr=1.0),
            lambda m=model: fit(m, np.ones((2, 4, 3)), np.zeros((2, 4), int), epochs=1),
            lambda m=model: m.save(tmp_path / "model.npz"),
        ]
        for call in calls:
            message = message_of(call, kind=TypeError)
            assert name in message
            assert str(np.dtype(dtype)) in message
    assert not list(tmp_path.iterdir())


def test_a_custom_layer_with_integer_parameters_is_refused_when_created():
    class Gain(Layer):
        def __init__(self, gain):
            super().__init__(gain=np.array([gain]))
            self.gain = gain

    assert "params['gain']" in message_of(Gain, 3, kind=TypeError)
    Gain(3.0)


# Options
# -------


@given(seed=seeds)
@settings(max_examples=20)
def test_a_layer_without_a_bias_computes_what_a_bias_of_zero_gives(seed):
    rng = np.random.default_rng(seed)
    for kind, sizes in ((Conv1D, (3, 2, 5)), (Dense, (3, 2))):
        plain, without = kind(*sizes, rng=seed), kind(*sizes, bias=False, rng=seed)
        assert list(without.params) == ["w"]
        x = rng.standard_normal((2, 9, 3))
        (y, cache), (y0, cache0) = plain.forward(x), without.forward(x)
        assert_array_equal(y, y0)
        dy = rng.standard_normal(y.shape)
        (dx, grads), (dx0, grads0) = plain.backward(dy, cache), without.backward(dy, cache0)
        assert list(grads0) == ["w"]
        assert_allclose(dx, dx0, rtol=1e-12)
        assert_allclose(grads["w"], grads0["w"], rtol=1e-12)


@pytest.mark.parametrize("kind", [partial(Conv1D, 1, 1, 1), partial(Dense, 1, 1)])
@pytest.mark.parametrize("value", ["no", 0, None])
def test_a_bias_is_true_or_false(kind, value):
    message = message_of(partial(kind, bias=value), kind=TypeError)
    assert "bias" in message
    assert repr(value) in message


@pytest.mark.parametrize(("momentum", "eps"), [(0.1, 1e-5), (0.5, 1e-3), (1.0, 1.0), (0.0, 1e-12)])
def test_momentum_and_eps_of_batch_normalization(momentum, eps, tmp_path):
    layer = BatchNorm(2, momentum=momentum, eps=eps)
    x = np.random.default_rng(0).normal(3, 2, (50, 2))
    y, cache = layer.for_training().forward(x)
    assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + eps), rtol=1e-6)
    layer.for_training().update_state(cache)
    assert_allclose(layer.state["mean"], momentum * x.mean(0))
    assert_allclose(layer.state["var"], 1 - momentum + momentum * x.var(0, ddof=1))
    Sequential(layer).save(tmp_path / "model.npz")
    loaded = Sequential.load(tmp_path / "model.npz")[0]
    assert (loaded.momentum, loaded.eps) == (momentum, eps)
    assert_array_equal(loaded(x), layer(x))


@pytest.mark.parametrize(
    ("options", "name"),
    [({"momentum": 1.5}, "momentum"), ({"momentum": "a"}, "momentum"), ({"eps": 0}, "eps")],
)
def test_bad_options_of_batch_normalization(options, name):
    message = message_of(partial(BatchNorm, 2, **options))
    assert message.startswith(f"BatchNorm: {name} ")
    assert repr(options[name]) in message


@pytest.mark.parametrize(
    ("call", "name", "value"),
    [
        (lambda: confusion_matrix([0], [0], n_classes="3"), "n_classes", "'3'"),
        (lambda: one_hot([0], n_classes=3.0), "n_classes", "3.0"),
        (lambda: weighted_cross_entropy([1, np.inf]), "weights", "inf at weights[1]"),
        (lambda: weighted_cross_entropy([1, -2]), "weights", "-2 at weights[1]"),
        (lambda: weighted_cross_entropy([np.nan, 1]), "weights", "nan at weights[0]"),
        (lambda: network().predict(traces(), batch_size=0), "batch_size", "0"),
        (lambda: fit(network(), traces(), LABELS, epochs=1, batch_size=0), "batch_size", "0"),
        (lambda: fit(network(), traces(), LABELS, epochs=1, patience=3), "patience", "validation"),
    ],
)
def test_wrong_options_are_named(call, name, value):
    message = message_of(call)
    assert name in message
    assert value in message


# How a training ends
# -------------------


def overfitting():
    """Return a model, traces and a validation set whose loss first falls and then rises."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((12, 10, 1)).astype(np.float32)
    labels = np.arange(12) % 3
    held_out = rng.standard_normal((30, 10, 1)).astype(np.float32), np.arange(30) % 3
    return Sequential(Flatten(), Dense(10, 3, rng=0)), x, labels, held_out


class StopError(Exception):
    pass


def interrupt(epoch, history, *, at, error):
    if epoch == at:
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopError])
@given(at=st.integers(1, 12), lr=st.sampled_from([0.01, 0.1, 1.0]))
@settings(max_examples=15)
def test_with_patience_the_best_parameters_survive_every_end(error, at, lr):
    model, x, labels, held_out = overfitting()
    losses = [evaluate(model, *held_out)[0]]
    seen = []

    def on_epoch(epoch, history):
        losses.append(history.val_loss[-1])
        seen.append(evaluate(model, *held_out)[0])
        interrupt(epoch, history, at=at, error=error)

    with pytest.raises(error):
        fit(model, x, labels, epochs=50, lr=lr, validation=held_out, patience=40, on_epoch=on_epoch)
    assert_allclose(evaluate(model, *held_out)[0], min(losses), rtol=1e-6)
    assert_allclose(seen, losses[1:], rtol=1e-6)  # measured before on_epoch, of these parameters


def test_the_parameters_at_the_start_count():
    model, x, labels, held_out = overfitting()
    fit(model, x, labels, epochs=100, lr=0.02, validation=held_out, patience=5)
    before = evaluate(model, *held_out)[0]
    for seed in range(3):
        fit(model, x, labels, epochs=5, lr=2.0, validation=held_out, patience=2, rng=seed)
        assert evaluate(model, *held_out)[0] <= before


def test_what_on_epoch_changes_is_not_taken_for_the_best():
    model, x, labels, held_out = overfitting()
    lowest = []

    def on_epoch(epoch, history):
        lowest.append(history.val_loss[-1])
        model.params["1.w"][:] += 1

    fit(model, x, labels, epochs=6, validation=held_out, patience=6, on_epoch=on_epoch)
    assert evaluate(model, *held_out)[0] <= min(lowest) * (1 + 1e-6)


def test_an_explosion_with_patience_leaves_the_best_parameters():
    model, x, labels, held_out = overfitting()
    lowest = [evaluate(model, *held_out)[0]]
    optimizer = SGD(model.params, lr=0.1)

    def on_epoch(epoch, history):
        lowest.append(history.val_loss[-1])
        if epoch == 4:
            optimizer.lr = 1e38

    with pytest.raises(FloatingPointError, match=r"fit: .*epoch"):
        fit(
            model,
            x * 100,
            labels,
            epochs=50,
            optimizer=optimizer,
            validation=held_out,
            patience=40,
            on_epoch=on_epoch,
        )
    assert_allclose(evaluate(model, *held_out)[0], min(lowest), rtol=1e-6)


def test_a_gradient_that_is_not_finite_is_reported_and_changes_nothing():
    def loss(scores, y):
        return 1.0, np.full_like(scores, np.nan)

    for optimizer in (Adam, partial(SGD, lr=0.1)):
        model = network()
        message = unchanged(
            model,
            lambda m=model, o=optimizer: fit(
                m, traces(), LABELS, epochs=1, loss=loss, optimizer=o(m.params)
            ),
            kind=FloatingPointError,
        )
        assert message.startswith("fit: ")
        assert "nan" in message


def test_evaluate_takes_the_loss_of_fit():
    model, x, y = network(), traces(), np.random.default_rng(0).standard_normal((6, 3))
    history = fit(model, x, y, epochs=1, loss=squared_error, validation=(x, y))
    loss, accuracy = evaluate(model, x, y, loss=squared_error)
    assert_allclose(loss, history.val_loss[0], rtol=1e-6)
    assert np.isnan(accuracy)
