"""The contract of every layer: purity, types, layouts; then the properties of each layer."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nets import ways_around
from numpy.testing import assert_allclose, assert_array_equal
from plain import PlainConv1D, plain_of
from refusals import refused

import numpycnn as nn
from numpycnn.checks.strategies import (
    convolutions,
    distinct,
    generators,
    layers_and_inputs,
)
from numpycnn.layers.receptive_field import ReceptiveField

layers_of_all_kinds = (
    layers_and_inputs()
    | ways_around()
    | convolutions().map(lambda case: (plain_of(case[0]), case[1]))
)
rows = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(distinct)
CLOSE = {"rtol": 1e-11, "atol": 1e-12}


def run(layer, x, dy=None):
    y, cache = layer.forward(x)
    dy = np.random.default_rng(0).standard_normal(y.shape).astype(y.dtype) if dy is None else dy
    dx, grads = layer.backward(dy, cache)
    return y, dx, grads


# The contract
# ------------


@given(layers_of_all_kinds, generators)
def test_forward_and_backward_are_pure_and_gradients_have_the_names_and_shapes(case, rng):
    layer, x = case
    params, x_before = copy.deepcopy(layer.params), x.copy()
    y, cache = layer.forward(x)
    y_before, cache_before = y.copy(), copy.deepcopy(cache)
    dy = rng.standard_normal(y.shape)
    dy_before = dy.copy()
    dx, grads = layer.backward(dy, cache)
    layer.forward(-2 * x)  # another forward pass before the second backward pass
    again, grads_again = layer.backward(dy, cache)

    assert dx.shape == x.shape
    assert {n: g.shape for n, g in grads.items()} == {n: p.shape for n, p in layer.params.items()}
    for now, before in (x, x_before), (y, y_before), (dy, dy_before), (again, dx):
        assert_array_equal(now, before)
    assert repr(cache) == repr(cache_before)
    for name, array in layer.params.items():
        assert_array_equal(array, params[name])
        assert_array_equal(grads[name], grads_again[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(case=layers_of_all_kinds)
def test_the_type_of_float_is_kept(dtype, case):
    layer, x = case
    y, dx, grads = run(layer.astype(dtype), x.astype(dtype))
    assert {array.dtype for array in (y, dx, *grads.values())} == {np.dtype(dtype)}
    exact = run(layer, x, dy=np.random.default_rng(0).standard_normal(y.shape).astype(dtype))
    assert_allclose(y, exact[0], rtol=1e-4, atol=1e-5)
    assert_allclose(dx, exact[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [nn.Conv1D(2, 3, 4), PlainConv1D(2, 3, 4), nn.Dense(2, 3)])
@pytest.mark.parametrize("types", [("f4", "f8"), ("f8", "f4"), ("f8", "c16"), ("c16", "f8")])
def test_gradients_have_the_wider_type_of_their_factors(layer, types):
    x_type, dy_type = types
    y, cache = layer.forward(np.ones((2, 7, 2), x_type))
    dx, grads = layer.backward(np.ones(y.shape, dy_type), cache)
    assert grads["w"].dtype == np.result_type(x_type, dy_type)
    assert dx.dtype == np.result_type(dy_type, np.float32)
    dx, _ = layer.astype(x_type).backward(np.ones(y.shape, dy_type), cache)
    assert dx.dtype == np.result_type(dy_type, x_type)


@given(layers_of_all_kinds)
def test_a_call_and_a_prediction_are_forward_without_the_cache(case):
    layer, x = case
    y, _ = layer.forward(x)
    assert_array_equal(layer(x), y)
    assert_array_equal(layer.predict(x), y)
    classes = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0] > 0
    assert_array_equal(layer.classify(x), classes)
    for n in (1, 2, 9) if x.ndim > 1 else ():
        batches = np.concatenate([layer(x[start : start + n]) for start in range(0, len(x), n)])
        assert_array_equal(layer.predict(x, batch_size=n), batches)
        assert len(layer.classify(x, n)) == len(x)


class Plain(nn.Layer):
    """A custom layer with the least that a layer can have."""

    def __init__(self, factor):
        self.factor = factor  # without a call of the constructor of Layer

    def forward(self, x):
        return self.factor * x, None


def test_a_custom_layer_needs_only_forward():
    layer = Plain(3)
    assert layer.params == {} == layer.astype(np.float64).params
    assert layer(np.ones(1)) == 3
    layer.params["b"] = np.zeros(1)
    assert list(layer.params) == ["b"]
    for call, name in (
        (lambda: layer.backward(np.zeros(1), None), "backward"),
        (lambda: layer.receptive_field(5), "receptive_field"),
        (lambda: nn.Layer().forward(np.zeros(1)), "forward"),
    ):
        with pytest.raises(NotImplementedError, match=rf"^(Plain|Layer).* {name}\b"):
            call()


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def strided(x):
    roomy = np.full([2 * n for n in x.shape], np.nan)
    view = roomy[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def reversed_in_memory(x):
    turn = tuple(slice(None, None, -1) for _ in x.shape)
    return x[turn].copy()[turn]


@pytest.mark.parametrize("lay_out", [read_only, strided, reversed_in_memory, np.asfortranarray])
@given(case=layers_of_all_kinds)
def test_the_layout_in_memory_makes_no_difference(lay_out, case):
    layer, x = case
    expected_y, expected_dx, expected_grads = run(layer, x)
    dy = np.random.default_rng(0).standard_normal(expected_y.shape)
    y, dx, grads = run(layer, lay_out(x), lay_out(dy))
    assert_allclose(y, expected_y, **CLOSE)
    assert_allclose(dx, expected_dx, **CLOSE)
    for name, grad in grads.items():
        assert_allclose(grad, expected_grads[name], **CLOSE)


class Renames(nn.Layer):
    """Keeps its arguments under other names, so that the printed form cannot show them."""

    def __init__(self, taps, width=3, *rest, mode="fast", size=None):
        super().__init__()
        self.t, self.width, self.size = taps, width, size


def test_a_layer_prints_as_the_call_that_creates_it():
    for text in (
        "Conv1D(1, 8, 5, padding='same', dilation=2)",
        "Dense(256, 16)",
        "ReLU()",
        "MaxPool1D(3, stride=2)",
    ):
        assert repr(eval(text, vars(nn))) == text
    assert repr(Renames([1, 2], 5, 6, 7)) == "Renames(..., 5, mode=...)"
    for use in Renames(1).options, lambda: nn.Sequential(Renames(1)).save("nowhere.npz"):
        with refused(TypeError, "Renames", "taps", "self.taps = taps"):
            use()


@pytest.mark.parametrize(
    "make", [lambda rng: nn.Conv1D(2, 3, 4, rng=rng), lambda rng: nn.Dense(8, 9, rng=rng)]
)
def test_weights_start_within_the_limit_of_glorot_and_biases_at_zero(make):
    layer, again = make(7), make(np.random.default_rng(7))
    w = layer.params["w"]
    fan_in, fan_out = w[..., 0].size, w.size // w.shape[-2]
    limit = np.sqrt(6 / (fan_in + fan_out))
    assert 0.8 * limit < abs(w).max() <= limit
    assert w.dtype == layer.params["b"].dtype == np.float32
    assert not layer.params["b"].any()
    assert_array_equal(w, again.params["w"])


# Receptive fields
# ----------------


@st.composite
def windows(draw):
    """Receptive fields of any pattern that never moves back, and those of the whole trace."""
    left, more = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    if draw(st.booleans()):
        return ReceptiveField([(-left, more)], 0, 1)
    stride, n = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    firsts, lasts = (
        sorted(draw(st.lists(st.integers(0, stride), min_size=n, max_size=n))) for _ in range(2)
    )
    spans = [(a - left, b - left + stride + more) for a, b in zip(firsts, lasts, strict=True)]
    return ReceptiveField(spans, stride, draw(st.integers(1, 9)))


def samples_under(window, m):
    first, last = window.span(m)
    return range(first, last + 1)


@given(windows(), windows())
def test_the_composition_of_two_receptive_fields(ours, after):
    both = ours.compose(after)
    assert both.n_outputs == after.n_outputs
    for m in range(-12, 25):
        seen = {
            sample for middle in samples_under(after, m) for sample in samples_under(ours, middle)
        }
        assert both.span(m) == (min(seen), max(seen))


# Convolution
# -----------


@given(convolutions(max_stride=3), generators, st.integers(1, 5))
def test_convolution_is_linear_and_equivariant_and_backward_is_its_transpose(case, rng, later):
    layer, x = case
    layer.params["b"][:] = 0
    y, cache = layer.forward(x)
    other, factor = rng.standard_normal(x.shape), rng.standard_normal()
    assert_allclose(layer(x + factor * other), y + factor * layer(other), **CLOSE)
    dy = rng.standard_normal(y.shape)  # <conv(x), dy> = <x, conv transposed (dy)>
    assert_allclose((y * dy).sum(), (x * layer.backward(dy, cache)[0]).sum(), **CLOSE)

    wide = nn.Conv1D(**{**layer.options(), "padding": 20}).with_params(layer.params)
    zeros = np.zeros_like(x[:, :1]).repeat(later * layer.stride, axis=1)
    y, shifted = wide(x), wide(np.concatenate([zeros, x], axis=1))
    assert_allclose(shifted[:, later:][:, : y.shape[1]], y, **CLOSE)


@given(convolutions(paddings=st.just("causal")), st.data())
def test_with_causal_padding_outputs_do_not_depend_on_later_samples(case, data):
    layer, x = case
    now = data.draw(st.integers(0, x.shape[1] - 1))
    future_changed = x.copy()
    future_changed[:, now + 1 :] += 1
    n_past = now // layer.stride + 1  # outputs that end on `now` or before
    assert_array_equal(layer(x)[:, :n_past], layer(future_changed)[:, :n_past])


@given(generators)
def test_a_layer_without_a_bias_computes_the_same_as_with_a_bias_of_zero(rng):
    for kind, sizes in ((nn.Conv1D, (3, 2, 5)), (nn.Dense, (3, 2))):
        plain, without = kind(*sizes, rng=1), kind(*sizes, bias=False, rng=1)
        assert list(without.params) == ["w"]
        x = rng.standard_normal((2, 9, 3))
        y, dx, grads = run(plain, x)
        y0, dx0, grads0 = run(without, x)
        assert_array_equal(y, y0)
        assert list(grads0) == ["w"]
        assert_allclose(dx, dx0, rtol=1e-12)
        assert_allclose(grads["w"], grads0["w"], rtol=1e-12)


# ReLU and softmax
# ----------------


def test_the_slope_of_relu_at_zero_is_zero():
    _, cache = nn.ReLU().forward(np.array([-1.0, 0.0, -0.0, 1.0]))
    assert nn.ReLU().backward(np.full(4, 3.0), cache)[0].tolist() == [0, 0, 0, 3]


@given(rows, st.sampled_from([0.0, 1.0, 1e4, -1e4]))
def test_softmax_rows_sum_to_one_and_do_not_change_with_a_constant(x, constant):
    y, cache = nn.Softmax().forward(x + constant)
    assert_allclose(y.sum(axis=-1), 1, rtol=1e-14)
    assert_allclose(y, nn.Softmax()(x), rtol=1e-9 if constant else 0)
    assert_allclose(nn.Softmax().backward(np.ones_like(y), cache)[0], 0, atol=1e-15)


def test_softmax_of_scores_of_any_distance_is_finite():
    y = nn.Softmax().forward(np.array([[1e4, -1e4, 0.0], [-1e4, -2e4, -1e4]]))[0]
    assert y.tolist() == [[1, 0, 0], [0.5, 0, 0.5]]
