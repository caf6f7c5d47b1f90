"""Layers that compute differently in training and at inference, alone and in networks."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import is_same, with_two_modes
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

import numpycnn as nn
from numpycnn.checks import reference
from numpycnn.checks.strategies import (
    distinct,
    generators,
    inputs,
    sizes,
    two_modes,
    with_random_params,
)

CLOSE = {"rtol": 1e-11, "atol": 1e-12}


@st.composite
def batchnorms(draw):
    """A batch normalization with random statistics, in float64, and at least two rows."""
    leading = draw(st.sampled_from([(2,), (5,), (1, 4), (3, 2)]))
    x = draw(distinct((*leading, draw(sizes(1, 3))), scale=3.0))
    layer = draw(with_random_params(nn.BatchNorm(x.shape[-1])))
    rng = draw(generators)
    layer.state["mean"] += rng.standard_normal(x.shape[-1])
    layer.state["var"] *= rng.uniform(0.5, 2, x.shape[-1])
    return layer.astype(np.float64), x


# Batch normalization
# -------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(batchnorms(), generators)
def test_batch_normalization_is_the_same_by_loops_in_both_modes(dtype, case, rng):
    layer, x = case[0].astype(dtype), case[1].astype(dtype)
    close = CLOSE if dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-3}
    rows = x.reshape(-1, layer.channels)
    gamma, beta = layer.params["gamma"], layer.params["beta"]
    dy = rng.standard_normal(x.shape).astype(dtype)
    dy_rows = dy.reshape(rows.shape)

    y, cache = layer.forward(x)
    mean, var = layer.state["mean"], layer.state["var"]
    assert y.dtype == dtype
    expected = reference.batchnorm_forward(rows, mean, var, gamma, beta)
    assert_allclose(y.reshape(rows.shape), expected, **close)
    dx, _ = layer.backward(dy, cache)
    assert_allclose(dx, dy * gamma / np.sqrt(var + 1e-5), **close)

    train_model = layer.for_training()
    y, cache = train_model.forward(x)
    mean, var = reference.batchnorm_statistics(rows)
    expected = reference.batchnorm_forward(rows, mean, var, gamma, beta)
    assert_allclose(y.reshape(rows.shape), expected, **close)
    dx, grads = train_model.backward(dy, cache)
    expected = reference.batchnorm_backward(dy_rows, rows, gamma)
    for found, wanted in zip((dx, grads["gamma"], grads["beta"]), expected, strict=True):
        assert found.dtype == dtype
        assert_allclose(found.reshape(wanted.shape), wanted, **close)

    expected = {
        "mean": reference.batchnorm_remember(layer.state["mean"], mean, len(rows), is_var=False),
        "var": reference.batchnorm_remember(layer.state["var"], var, len(rows), is_var=True),
    }
    train_model.update_state(cache)
    for name, wanted in expected.items():
        assert_allclose(layer.state[name], wanted, **close)


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 3)])
def test_a_mean_over_a_single_row_is_refused(shape):
    with refused(ValueError, "BatchNorm", "x", shape, "batch_size"):
        nn.BatchNorm(3).for_training().forward(np.zeros(shape))
    assert nn.BatchNorm(3)(np.zeros(shape)).shape == shape


# Dropout
# -------


@given(inputs(), st.floats(0, 0.9), generators)
def test_dropout_is_the_same_by_loops_and_backward_drops_the_same(x, rate, rng):
    train_model = nn.Dropout(rate).for_training(rng)
    y, keep = train_model.forward(x)
    assert_allclose(y, reference.dropout(x, keep, rate), **CLOSE)
    assert_array_equal(y != 0, keep)
    dy = rng.standard_normal(x.shape)
    assert_allclose(train_model.backward(dy, keep)[0], reference.dropout(dy, keep, rate), **CLOSE)


@given(inputs(), st.floats(0, 0.9))
def test_at_inference_nothing_is_dropped(x, rate):
    y, cache = nn.Dropout(rate).forward(x)
    assert_array_equal(y, x)
    assert_array_equal(nn.Dropout(rate).backward(2 * x, cache)[0], 2 * x)


@given(st.sampled_from([0.1, 0.5, 0.8]), st.integers(0, 2**32))
def test_dropout_keeps_the_mean_and_drops_the_given_fraction(rate, seed):
    y = nn.Dropout(rate).for_training(seed)(np.ones((40, 50, 10)))
    spread = np.sqrt(rate / (1 - rate) / y.size)
    assert abs(y.mean() - 1) < 6 * spread
    assert abs((y == 0).mean() - rate) < 6 * np.sqrt(rate * (1 - rate) / y.size)


@pytest.mark.parametrize(("momentum", "eps"), [(0.1, 1e-5), (0.5, 1e-3), (1.0, 1.0), (0.0, 1e-12)])
def test_momentum_and_eps_of_batch_normalization(momentum, eps, tmp_path):
    layer = nn.BatchNorm(2, momentum=momentum, eps=eps)
    x = np.random.default_rng(0).normal(3, 2, (50, 2))
    y, cache = layer.for_training().forward(x)
    assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + eps), rtol=1e-6)
    layer.for_training().update_state(cache)
    assert_allclose(layer.state["mean"], momentum * x.mean(0))
    assert_allclose(layer.state["var"], 1 - momentum + momentum * x.var(0, ddof=1))
    nn.Sequential(layer).save(tmp_path / "model.npz")
    loaded = nn.Sequential.load(tmp_path / "model.npz")[0]
    assert (loaded.momentum, loaded.eps) == (momentum, eps)
    assert_array_equal(loaded(x), layer(x))


# Gradients
# ---------


@settings(max_examples=settings.default.max_examples // 4)
@given(two_modes() | batchnorms(), generators)
def test_gradients_of_layers_in_both_modes(case, rng):
    layer, x = case
    for mode in (layer, layer.for_training(rng)):
        report = nn.check_gradients(mode, x, method="complex", tolerance=1e-10, rng=rng)
        assert report.ok or (not mode(x).any() and report.status == "undecided"), report


# Copies for training
# -------------------


def test_the_copy_for_training_shares_every_array_and_the_model_is_unchanged():
    model = with_two_modes()
    before = repr(model)
    train_model = model.for_training(0)
    assert repr(model) == before != repr(train_model)
    assert len(train_model.params) == len(model.params) > 0
    assert len(train_model.state) == len(model.state) == 6
    for name, array in train_model.params.items():
        assert array is model.params[name]
    for name, array in train_model.state.items():
        assert array is model.state[name]
    assert train_model[0] is model[0]  # a layer with one mode is not copied
    assert repr(train_model.for_training(0)) == repr(train_model)


def test_for_training_of_a_model_with_one_mode_returns_the_model():
    model, rng = nn.Sequential(nn.Dense(2, 2), nn.Residual(nn.ReLU())), np.random.default_rng(0)
    assert model.for_training(rng) is model
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    with refused(ValueError, "Sequential", "rng", -1):
        model.for_training(-1)


def test_only_update_state_changes_the_state():
    model, x = with_two_modes(), np.random.default_rng(0).standard_normal((4, 8, 1))
    train_model = model.for_training(0)
    before = copy.deepcopy((model.params, model.state))
    y, cache = train_model.forward(x)
    train_model.backward(y, cache)
    assert_array_equal(train_model(x), y)
    for found, wanted in zip((model.params, model.state), before, strict=True):
        for name, array in found.items():
            assert_array_equal(array, wanted[name])
    train_model.update_state(cache)
    for name, array in model.state.items():
        assert (array != before[1][name]).any()
    for name, array in model.params.items():
        assert_array_equal(array, before[0][name])
    assert (train_model(x) != y).any()


def test_copies_do_not_share_the_state():
    model = with_two_modes()
    others = [
        copy.deepcopy(model),
        model.astype(np.float32),
        model.with_params(model.params),
        model.with_params({name: array.copy() for name, array in model.params.items()}),
    ]
    for other in others:
        assert is_same(model, other)
        for name, array in other.state.items():
            assert not np.shares_memory(array, model.state[name])
    wide = model.astype(np.float64)
    assert {array.dtype for array in {**wide.params, **wide.state}.values()} == {np.dtype("f8")}
    moved = model.with_params({**model.params, "1.mean": np.full(4, 9.0)})
    assert_array_equal(moved.state["1.mean"], np.full(4, 9.0))
    assert not model.state["1.mean"].any()


# Custom containers
# -----------------


class Halves(nn.Sequential):
    """A custom forward with a custom cache."""

    def forward(self, x):
        y, caches = super().forward(x)
        return y / 2, {"inside": caches}

    def backward(self, dy, cache):
        return super().backward(dy / 2, cache["inside"])


class HalvesAndUpdates(Halves):
    def update_state(self, cache):
        super().update_state(cache["inside"])


def test_a_custom_cache_requires_a_custom_update_state():
    x = np.random.default_rng(0).standard_normal((4, 2))
    train_model = nn.Sequential(Halves(nn.Dense(2, 2), nn.Residual(nn.BatchNorm(2)))).for_training()
    with refused(TypeError, "Halves", "cache", "update_state(cache)"):
        train_model.update_state(train_model.forward(x)[1])
    train_model = nn.Sequential(
        HalvesAndUpdates(nn.Dense(2, 2), nn.Residual(nn.BatchNorm(2)))
    ).for_training()
    train_model.update_state(train_model.forward(x)[1])
    assert train_model.state["0.1.0.mean"].all()
    # Layers without a state need none.
    nn.fit(
        nn.Sequential(Halves(nn.Dense(2, 2), nn.Sequential(nn.ReLU()))), x, [0, 1, 0, 1], epochs=1
    )
