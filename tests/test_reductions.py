"""Sums, means and variances do not depend on the type, the byte order or an offset of the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import numpycnn as nn
from numpycnn._reductions import centered, difference, mean

FLOATS = ["float16", "float32", "float64", ">f4", ">f8", "longdouble"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i4", ">u8"]
seeds = st.integers(0, 2**32 - 1)


def on_offset(dtype, rng, shape):
    """Draw data whose offset is as large as the type resolves to 1 % of the signal.

    Returns the data, and the same numbers without the offset in float64.
    """
    dtype = np.dtype(dtype)
    signal = rng.integers(-100, 101, shape)  # in units of the last digit
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        offset = int(info.max) - 100 if rng.random() < 0.5 else int(info.min) + 100
        if info.bits == 8:
            signal, offset = signal // 2, (info.max + info.min + 1) // 2
        return (signal.astype(object) + offset).astype(dtype), signal.astype(np.float64)
    offset = min(2.0 ** (np.finfo(dtype).nmant - 1), 1e15)
    return (signal + np.array(offset, dtype)).astype(dtype), signal.astype(np.float64)


# The functions
# -------------


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@given(seed=seeds, n=st.integers(1, 300), axis=st.sampled_from([None, 0, 1, (0, 1)]))
def test_a_mean_is_exact_on_every_offset(dtype, seed, n, axis):
    x, signal = on_offset(dtype, np.random.default_rng(seed), (n, 3))
    middle, z = centered(x, axis)
    assert_allclose(z, signal - signal.mean(axis, keepdims=True), rtol=0, atol=1e-6)
    assert_array_equal(mean(x, axis, keepdims=True), middle)
    assert mean(x, axis).shape == signal.mean(axis).shape


@pytest.mark.parametrize("dtype", INTEGERS)
@given(seed=seeds)
def test_the_difference_of_two_integers_has_its_sign(dtype, seed):
    rng = np.random.default_rng(seed)
    info = np.iinfo(np.dtype(dtype).newbyteorder("="))
    a, b = (
        rng.integers(info.min, info.max, 20, info.dtype, endpoint=True).astype(dtype)
        for _ in range(2)
    )
    exact = [int(first) - int(second) for first, second in zip(a, b, strict=True)]
    assert_allclose(difference(a, b), np.array(exact, float), rtol=1e-15)
    assert difference(a, a).any() == 0
    one_more = np.where(a < info.max, a, a - 1) + np.ones((), a.dtype)
    assert_array_equal(difference(one_more, one_more - np.ones((), a.dtype)), 1)


@given(seeds)
def test_a_complex_mean_is_analytic(seed):
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, 7))
    _, z = centered(x + 1e6 + 1e-30j * v)
    assert_allclose((z * z).mean().imag / 1e-30, 2 * ((x - x.mean()) * v).mean(), atol=1e-8)


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
