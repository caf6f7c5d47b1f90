"""Sums, means and variances do not depend on the type, the byte order or an offset of the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import numpycnn as nn

seeds = st.integers(0, 2**32 - 1)


# The layers
# ----------

RESOLVED = {"float16": 10.0, "float32": 1e5, "float64": 1e13}  # offsets, for a deviation of 1


@pytest.mark.parametrize("dtype", RESOLVED)
@given(seed=seeds, shape=st.sampled_from([(4, 50, 3), (200, 3)]))
def test_batch_normalization_does_not_see_an_offset(dtype, seed, shape):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(shape) * [1, 2, 4]
    x = (signal + RESOLVED[dtype] * np.array([1, -1, 0.5])).astype(dtype)
    layer = nn.BatchNorm(3).astype(dtype)
    y, cache = layer.for_training().forward(x)
    rows = y.reshape(-1, 3).astype(np.float64)
    assert_allclose(rows.mean(axis=0), 0, atol=2e-3)
    assert_allclose(rows.std(axis=0), 1, rtol=5e-3)
    assert y.dtype == dtype
    for _ in range(400):
        layer.for_training().update_state(cache)
    exact = x.reshape(-1, 3).astype(np.longdouble)
    resolved = 5 * np.spacing(layer.state["mean"].max())  # of float64: 0.01 at an offset of 1e13
    assert_allclose(layer.state["mean"] - exact.mean(axis=0), 0, atol=2e-3 + resolved)
    assert_allclose(layer.state["var"], exact.var(axis=0, ddof=1), rtol=1e-3)
    assert_allclose(layer(x).astype(np.float64).reshape(-1, 3).mean(axis=0), 0, atol=2e-2)


@pytest.mark.parametrize("dtype", RESOLVED)
@given(seed=seeds, pool=st.integers(1, 9), stride=st.integers(1, 4))
def test_average_pooling_is_exact_on_an_offset(dtype, seed, pool, stride):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((2, 20, 3)) + RESOLVED[dtype]).astype(dtype)
    exact = np.stack(
        [
            x[:, m : m + pool].astype(np.longdouble).mean(axis=1)
            for m in range(0, 21 - pool, stride)
        ],
        axis=1,
    )
    spacing = np.spacing(x.max())
    assert_allclose(nn.AveragePool1D(pool, stride=stride)(x) - exact, 0, atol=float(spacing))
    whole = nn.GlobalAveragePool1D()(x) - x.astype(np.longdouble).mean(axis=1)
    assert_allclose(whole, 0, atol=float(spacing))


# NaN in pooling
# --------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(seed=seeds, pool=st.integers(1, 5), stride=st.integers(1, 4))
def test_max_pooling_returns_nan_and_sends_the_gradient_to_the_first_one(dtype, seed, pool, stride):
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (3, 11, 2)).astype(dtype)
    x[rng.random(x.shape) < 0.2] = np.nan
    y, cache = nn.MaxPool1D(pool, stride=stride).forward(x)
    dy = rng.standard_normal(y.shape)
    dx, _ = nn.MaxPool1D(pool, stride=stride).backward(dy, cache)
    expected, expected_dx = np.empty_like(y), np.zeros(x.shape)
    for n, m, c in np.ndindex(*y.shape):
        window = x[n, m * stride : m * stride + pool, c]
        expected[n, m, c] = window[window.argmax()]  # NumPy: the first NaN, or the first maximum
        expected_dx[n, m * stride + window.argmax(), c] += dy[n, m, c]
    assert_array_equal(y, expected)
    assert_allclose(dx, expected_dx, atol=1e-15)


# Losses
# ------


@given(seed=seeds, n=st.integers(1, 400))
def test_a_loss_in_float32_has_the_value_of_float64(seed, n):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((n, 4)).astype(np.float32) * 3
    labels = rng.integers(4, size=n)
    for loss in (nn.softmax_cross_entropy, nn.weighted_cross_entropy([1, 2, 3, 4])):
        narrow, exact = loss(logits, labels)[0], loss(logits.astype(np.float64), labels)[0]
        assert abs(narrow - exact) <= np.spacing(np.float32(exact))
