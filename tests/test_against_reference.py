"""The layers compute the same as the literal loops of the reference, forward and backward."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from plain import plain_of

import numpycnn as nn
from numpycnn.checks import reference
from numpycnn.checks.strategies import convolutions, denses, generators, inputs, pools

DTYPES = [np.float32, np.float64, np.complex128]


def geometry_of(layer: nn.Conv1D, length: int) -> reference.Geometry:
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
    """The same values in another type; in a complex one with random imaginary parts."""
    if np.dtype(dtype).kind == "c":
        return array + 1j * rng.standard_normal(array.shape)
    return array.astype(dtype)


def assert_same(actual, expected, dtype):
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-12}
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        assert_allclose(one, other, **close)
        assert one.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=2 * settings.default.max_examples)
@given(case=convolutions(), rng=generators)
def test_convolution_is_the_same_by_loops_by_taps_and_by_phases(dtype, case, rng):
    fast, x = case
    x = in_type(x, dtype, rng)
    fast = fast.with_params({name: in_type(p, dtype, rng) for name, p in fast.params.items()})
    w, b, geometry = fast.params["w"], fast.params["b"], geometry_of(fast, x.shape[1])
    expected_y = reference.conv1d_forward(x, w, b, geometry)
    dy = in_type(rng.standard_normal(expected_y.shape), dtype, rng)
    expected = reference.conv1d_backward(dy, x, w, geometry)
    for layer in fast, plain_of(fast):
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        assert_same((y, dx, grads["w"], grads["b"]), (expected_y, *expected), dtype)


# Layers without parameters: (cases, name in the reference, options of its loops).
LOOPS = {
    "MaxPool1D": (pools(nn.MaxPool1D), "maxpool1d", ["pool_size", "stride"]),
    "AveragePool1D": (pools(nn.AveragePool1D), "averagepool1d", ["pool_size", "stride"]),
    "GlobalMaxPool1D": (inputs().map(lambda x: (nn.GlobalMaxPool1D(), x)), "global_maxpool1d", []),
    "GlobalAveragePool1D": (
        inputs().map(lambda x: (nn.GlobalAveragePool1D(), x)),
        "global_averagepool1d",
        [],
    ),
    "Upsample1D": (
        st.tuples(st.integers(1, 4).map(nn.Upsample1D), inputs()),
        "upsample1d",
        ["factor"],
    ),
    "Softmax": (inputs().map(lambda x: (nn.Softmax(), x[0])), "softmax", []),
}


@pytest.mark.parametrize("kind", LOOPS)
@given(data=st.data(), rng=generators, dtype=st.sampled_from(DTYPES), ties=st.booleans())
def test_layers_without_parameters_are_the_same_by_loops(kind, data, rng, dtype, ties):
    cases, name, options = LOOPS[kind]
    layer, x = data.draw(cases)
    if "Max" in kind or kind == "Softmax":
        dtype = np.float64
        x = np.round(2 * x) if ties else x  # few different values: windows with equal maxima
    x = in_type(x, dtype, rng)
    options = [getattr(layer, option) for option in options]
    y, cache = layer.forward(x)
    dy = in_type(rng.standard_normal(y.shape), dtype, rng)
    dx, grads = layer.backward(dy, cache)
    assert grads == {}
    forward, backward = (getattr(reference, f"{name}_{way}") for way in ("forward", "backward"))
    assert_same((y, dx), (forward(x, *options), backward(dy, x, *options)), dtype)


def test_max_pooling_over_more_samples_than_a_byte_counts():
    x = np.random.default_rng(0).standard_normal((2, 1000, 2))
    layer = nn.MaxPool1D(300, stride=100)
    y, cache = layer.forward(x)
    dx, _ = layer.backward(y, cache)
    expected = reference.maxpool1d_forward(x, 300, 100)
    assert_same((y, dx), (expected, reference.maxpool1d_backward(y, x, 300, 100)), np.float64)


@given(denses(), generators)
def test_dense(case, rng):
    layer, x = case
    rows = x.reshape(-1, layer.in_features)
    w, b = layer.params["w"], layer.params["b"]
    y, cache = layer.forward(x)
    dy = rng.standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    expected = reference.dense_backward(dy.reshape(len(rows), -1), rows, w)
    actual = y.reshape(len(rows), -1), dx.reshape(rows.shape), grads["w"], grads["b"]
    assert_same(actual, (reference.dense_forward(rows, w, b), *expected), np.float64)


def test_the_reference_by_hand():
    # Two taps, the second ten times the first, on four samples; then the gradients.
    x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)
    w, b = np.array([1.0, 10.0]).reshape(2, 1, 1), np.array([0.5])
    one = reference.Geometry()
    assert reference.conv1d_forward(x, w, b, one).ravel().tolist() == [21.5, 32.5, 43.5]
    dx, dw, db = reference.conv1d_backward(np.ones((1, 3, 1)), x, w, one)
    assert dx.ravel().tolist() == [1, 11, 11, 10]
    assert dw.ravel().tolist() == [6, 9]
    assert db.tolist() == [3]
