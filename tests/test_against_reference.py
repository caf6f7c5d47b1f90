"""The layers compute what the literal loops compute, forward and backward."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from plain import plain_of

from numpycnn import (
    AveragePool1D,
    Conv1D,
    Dense,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
    Softmax,
    Upsample1D,
)
from numpycnn.checks import reference
from numpycnn.checks.strategies import (
    convolutions,
    denses,
    distinct,
    generators,
    inputs,
    pools,
    sizes,
)

CLOSE = {"rtol": 1e-11, "atol": 1e-12}


def geometry_of(layer: Conv1D, length: int) -> reference.Geometry:
    """Read the layer's options as the documentation explains them, not as the layer does."""
    stride, dilation = layer.stride, layer.dilation
    match layer.padding:
        case "valid":
            left, right = 0, 0
        case "same":
            left, right = reference.same_padding(length, layer.kernel_size, stride, dilation)
        case "causal":
            left, right = dilation * (layer.kernel_size - 1), 0
        case (left, right):
            pass
        case both:
            left, right = both, both
    return reference.Geometry(stride, dilation, left, right)


def in_type(array, dtype, rng):
    """The same numbers in another type; in a complex one with imaginary parts as large."""
    if np.dtype(dtype).kind == "c":
        return array + 1j * rng.standard_normal(array.shape)
    return array.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@given(case=convolutions(), rng=generators)
def test_convolution_is_the_same_by_loops_by_taps_and_by_phases(dtype, case, rng):
    fast, x = case
    x = in_type(x, dtype, rng)
    fast = fast.with_params({name: in_type(p, dtype, rng) for name, p in fast.params.items()})
    w, b, geometry = fast.params["w"], fast.params["b"], geometry_of(fast, x.shape[1])
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else CLOSE
    expected_y = reference.conv1d_forward(x, w, b, geometry)
    dy = in_type(rng.standard_normal(expected_y.shape), dtype, rng)
    expected = reference.conv1d_backward(dy, x, w, geometry)

    for layer in fast, plain_of(fast):
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        assert list(grads) == ["w", "b"]
        assert_allclose(y, expected_y, **close)
        for found, wanted in zip((dx, grads["w"], grads["b"]), expected, strict=True):
            assert_allclose(found, wanted, **close)
            assert found.dtype == dtype
        assert y.dtype == dtype


def test_convolution_over_many_blocks_of_rows():
    # Large enough for several blocks, of a million multiplications and of 512 windows.
    rng = np.random.default_rng(0)
    for n_channels, n_filters, length in (1, 4, 60_000), (20, 40, 4000):
        fast = Conv1D(n_channels, n_filters, 5, padding="same", rng=rng).astype(np.float64)
        x = rng.standard_normal((2, length, n_channels))
        dy = rng.standard_normal((2, length, n_filters))
        for (y, cache), layer in ((layer.forward(x), layer) for layer in (fast, plain_of(fast))):
            dx, grads = layer.backward(dy, cache)
            if layer is fast:
                expected = y, dx, grads["w"], grads["b"]
        for found, wanted in zip((y, dx, grads["w"], grads["b"]), expected, strict=True):
            assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@given(pools(MaxPool1D), generators, st.booleans())
def test_max_pooling_with_and_without_ties(case, rng, ties):
    layer, x = case
    if ties:
        x = np.round(2 * x)  # few different values, so windows hold several equal maxima
    y, cache = layer.forward(x)
    assert_array_equal(y, reference.maxpool1d_forward(x, layer.pool_size, layer.stride))
    dy = rng.standard_normal(y.shape)
    dx, _ = layer.backward(dy, cache)
    expected = reference.maxpool1d_backward(dy, x, layer.pool_size, layer.stride)
    assert_allclose(dx, expected, **CLOSE)


def test_max_pooling_over_more_samples_than_a_byte_counts():
    x = np.random.default_rng(0).standard_normal((2, 1000, 2))
    layer = MaxPool1D(300, stride=100)
    y, cache = layer.forward(x)
    assert_array_equal(y, reference.maxpool1d_forward(x, 300, 100))
    assert_allclose(
        layer.backward(y, cache)[0], reference.maxpool1d_backward(y, x, 300, 100), **CLOSE
    )


@given(inputs(), generators, st.booleans())
def test_global_max_pooling_with_and_without_ties(x, rng, ties):
    x = np.round(2 * x) if ties else x
    y, cache = GlobalMaxPool1D().forward(x)
    assert_array_equal(y, reference.global_maxpool1d_forward(x))
    dy = rng.standard_normal(y.shape)
    dx, _ = GlobalMaxPool1D().backward(dy, cache)
    assert_array_equal(dx, reference.global_maxpool1d_backward(dy, x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@settings(max_examples=25)
@given(case=pools(AveragePool1D), rng=generators)
def test_average_pooling(dtype, case, rng):
    layer, x = case
    x = in_type(x, dtype, rng)
    assert_same_by_loops(layer, x, "averagepool1d", (layer.pool_size, layer.stride), rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@settings(max_examples=25)
@given(x=inputs(), rng=generators)
def test_global_average_pooling(dtype, x, rng):
    x = in_type(x, dtype, rng)
    assert_same_by_loops(GlobalAveragePool1D(), x, "global_averagepool1d", (), rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@settings(max_examples=25)
@given(x=inputs(), factor=sizes(), rng=generators)
def test_upsampling(dtype, x, factor, rng):
    x = in_type(x, dtype, rng)
    assert_same_by_loops(Upsample1D(factor), x, "upsample1d", (factor,), rng)


def assert_same_by_loops(layer, x, name, options, rng):
    """Compare a layer without parameters with the loops of this name in the reference."""
    close = {"rtol": 1e-5, "atol": 1e-5} if x.dtype == np.float32 else CLOSE
    y, cache = layer.forward(x)
    assert_allclose(y, getattr(reference, f"{name}_forward")(x, *options), **close)
    dy = in_type(rng.standard_normal(y.shape), x.dtype, rng)
    dx, grads = layer.backward(dy, cache)
    assert_allclose(dx, getattr(reference, f"{name}_backward")(dy, x, *options), **close)
    assert (y.dtype, dx.dtype, grads) == (x.dtype, x.dtype, {})


@given(denses(), generators)
def test_dense(case, rng):
    layer, x = case
    rows = x.reshape(-1, layer.in_features)
    w, b = layer.params["w"], layer.params["b"]
    y, cache = layer.forward(x)
    assert_allclose(y.reshape(len(rows), -1), reference.dense_forward(rows, w, b), **CLOSE)

    dy = rng.standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    expected = reference.dense_backward(dy.reshape(len(rows), -1), rows, w)
    assert_allclose(dx.reshape(rows.shape), expected[0], **CLOSE)
    assert_allclose(grads["w"], expected[1], **CLOSE)
    assert_allclose(grads["b"], expected[2], **CLOSE)


@given(st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(distinct), generators)
def test_softmax(x, rng):
    y, cache = Softmax().forward(x)
    assert_allclose(y, reference.softmax_forward(x), **CLOSE)
    dy = rng.standard_normal(y.shape)
    assert_allclose(Softmax().backward(dy, cache)[0], reference.softmax_backward(dy, x), **CLOSE)


def test_the_reference_by_hand():
    # Two taps, one of them doubled, on four samples; then its mirror backwards.
    x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)
    w, b = np.array([1.0, 10.0]).reshape(2, 1, 1), np.array([0.5])
    one = reference.Geometry()
    assert reference.conv1d_forward(x, w, b, one).ravel().tolist() == [21.5, 32.5, 43.5]
    dx, dw, db = reference.conv1d_backward(np.ones((1, 3, 1)), x, w, one)
    assert dx.ravel().tolist() == [1, 11, 11, 10]
    assert dw.ravel().tolist() == [6, 9]
    assert db.tolist() == [3]


def test_dense_is_a_convolution_with_one_tap():
    dense, conv = Dense(3, 2, rng=0), Conv1D(3, 2, 1)
    conv.params["w"][0] = dense.params["w"]
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    assert_allclose(conv.forward(x)[0], dense.forward(x)[0], **CLOSE)
