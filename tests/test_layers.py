"""What holds for every layer: purity, types, any kind of array; then each layer's own laws."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import ways_around
from numpy.testing import assert_allclose, assert_array_equal
from plain import PlainConv1D, plain_of
from refusals import refused

from numpycnn import (
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
)
from numpycnn.checks.strategies import (
    convolutions,
    distinct,
    generators,
    inputs,
    layers_and_inputs,
    pools,
)
from numpycnn.layers import ReceptiveField


@st.composite
def windows(draw):
    """Windows of any pattern that moves on and never back, and those that see everything."""
    left, more = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    if draw(st.booleans()):
        return ReceptiveField([(-left, more)], 0, 1)
    stride, n = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    firsts, lasts = (
        sorted(draw(st.lists(st.integers(0, stride), min_size=n, max_size=n))) for _ in range(2)
    )
    spans = [(a - left, b - left + stride + more) for a, b in zip(firsts, lasts, strict=True)]
    return ReceptiveField(spans, stride, draw(st.integers(1, 9)))


layers_of_all_kinds = (
    layers_and_inputs()
    | ways_around()
    | convolutions().map(lambda case: (plain_of(case[0]), case[1]))
)
CLOSE = {"rtol": 1e-11, "atol": 1e-12}


def run(layer, x, dy=None):
    y, cache = layer.forward(x)
    dy = np.random.default_rng(0).standard_normal(y.shape).astype(y.dtype) if dy is None else dy
    dx, grads = layer.backward(dy, cache)
    return y, dx, grads


# The contract
# ------------


@given(layers_of_all_kinds)
def test_gradients_have_the_names_and_shapes_of_what_they_belong_to(case):
    layer, x = case
    _, dx, grads = run(layer, x)
    assert dx.shape == x.shape
    assert {n: g.shape for n, g in grads.items()} == {n: p.shape for n, p in layer.params.items()}


@given(layers_of_all_kinds, generators)
def test_forward_and_backward_change_nothing_they_were_given(case, rng):
    layer, x = case
    params = copy.deepcopy(layer.params)
    x_before = x.copy()
    y, cache = layer.forward(x)
    y_before, cache_before = y.copy(), copy.deepcopy(cache)
    dy = rng.standard_normal(y.shape)
    dy_before = dy.copy()
    first = layer.backward(dy, cache)
    second = layer.backward(dy, cache)

    assert_array_equal(x, x_before)
    assert_array_equal(y, y_before)
    assert_array_equal(dy, dy_before)
    assert repr(cache) == repr(cache_before)
    for name, array in layer.params.items():
        assert_array_equal(array, params[name])
        assert_array_equal(first[1][name], second[1][name])
    assert_array_equal(first[0], second[0])


@given(layers_of_all_kinds, generators)
def test_another_forward_before_backward_makes_no_difference(case, rng):
    layer, x = case
    y, cache = layer.forward(x)
    dy = rng.standard_normal(y.shape)
    expected, _ = layer.backward(dy, cache)
    layer.forward(-2 * x)
    assert_array_equal(layer.backward(dy, cache)[0], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(case=layers_of_all_kinds)
def test_the_type_of_float_is_kept(dtype, case):
    layer, x = case
    y, dx, grads = run(layer.astype(dtype), x.astype(dtype))
    assert {array.dtype for array in (y, dx, *grads.values())} == {np.dtype(dtype)}
    exact = run(layer, x, dy=np.random.default_rng(0).standard_normal(y.shape).astype(dtype))
    assert_allclose(y, exact[0], rtol=1e-4, atol=1e-5)
    assert_allclose(dx, exact[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [Conv1D(2, 3, 4), PlainConv1D(2, 3, 4), Dense(2, 3)])
@pytest.mark.parametrize("types", [("f4", "f8"), ("f8", "f4"), ("f8", "c16"), ("c16", "f8")])
def test_gradients_have_the_wider_type_of_what_they_are_made_of(layer, types):
    x_type, dy_type = types
    y, cache = layer.forward(np.ones((2, 7, 2), x_type))
    dx, grads = layer.backward(np.ones(y.shape, dy_type), cache)
    assert grads["w"].dtype == np.result_type(x_type, dy_type)
    assert dx.dtype == np.result_type(dy_type, np.float32)
    dx, _ = layer.astype(x_type).backward(np.ones(y.shape, dy_type), cache)
    assert dx.dtype == np.result_type(dy_type, x_type)


@pytest.mark.parametrize("dtype", [int, bool, str, object])
def test_a_layer_of_anything_but_floats_is_refused(dtype):
    with refused(TypeError, "astype", "dtype", np.dtype(dtype)):
        Dense(2, 1).astype(dtype)


def test_a_layer_without_forward_or_backward_says_so_by_name():
    class Hollow(Layer):
        pass

    with pytest.raises(NotImplementedError, match=r"^Hollow.* forward\b"):
        Hollow().forward(np.zeros(1))
    with pytest.raises(NotImplementedError, match=r"^Hollow.* backward\b"):
        Hollow().backward(np.zeros(1), None)


@given(layers_of_all_kinds)
def test_a_call_and_a_prediction_are_forward_without_the_cache(case):
    layer, x = case
    y, _ = layer.forward(x)
    assert_array_equal(layer(x), y)
    assert_array_equal(layer.predict(x), y)
    classes = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0] > 0
    assert_array_equal(layer.classify(x), classes)
    if x.ndim > 1:
        batches = [layer(x[start : start + 2]) for start in range(0, len(x), 2)]
        assert_array_equal(layer.predict(x, batch_size=2), np.concatenate(batches))


def test_labels_are_found_in_batches_too():
    class Counts(ReLU):
        sizes = []  # noqa: RUF012

        def forward(self, x):
            self.sizes.append(len(x))
            return super().forward(x)

    assert Counts().classify(np.eye(5), batch_size=2).tolist() == [0, 1, 2, 3, 4]
    assert Counts.sizes == [2, 2, 1]


def test_a_layer_without_parameters_may_leave_its_base_class_alone():
    class Forgets(Layer):
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            return self.factor * x, None

    layer = Forgets(3)
    assert layer.params == {} == layer.astype(np.float64).params
    layer.params["b"] = np.zeros(1)
    assert list(layer.params) == ["b"]
    assert layer(np.ones(1)) == 3


def test_a_layer_that_does_not_say_where_it_looks_is_named():
    with pytest.raises(NotImplementedError, match=r"^Layer.* receptive_field\(length\)"):
        Layer().receptive_field(5)


def samples_under(window, m):
    first, last = window.span(m)
    return range(first, last + 1)


@given(windows(), windows())
def test_a_window_through_a_window_is_all_that_its_outputs_look_at(ours, after):
    both = ours.compose(after)
    assert both.n_outputs == after.n_outputs
    for m in range(-12, 25):
        seen = {
            sample for middle in samples_under(after, m) for sample in samples_under(ours, middle)
        }
        assert both.span(m) == (min(seen), max(seen))


def test_a_window_is_one_turn_of_a_pattern():
    doubled = ReceptiveField([(-1, 1), (-1, 2)], stride=2, n_outputs=9)
    assert [doubled.span(m) for m in range(-1, 4)] == [(-3, 0), (-1, 1), (-1, 2), (1, 3), (1, 4)]
    assert (doubled.size, doubled.left) == (4, 1)
    assert ReceptiveField([(-2, 27)], 0, n_outputs=1).span(5) == (-2, 27)


def test_two_ways_look_at_what_either_of_them_looks_at():
    pooled, itself = ReceptiveField(3 * [(0, 1)], 3, n_outputs=9), ReceptiveField.each_sample(9)
    for ways in (pooled.union(itself), itself.union(pooled)):
        assert ways == ReceptiveField([(0, 1), (0, 1), (0, 2)], 3, n_outputs=9)
    other = ReceptiveField([(0, 0), (2, 2)], 2, n_outputs=9)
    assert [pooled.union(other).span(m) for m in range(6)] == [
        (0, 1),
        (0, 2),
        (0, 2),
        (3, 4),
        (3, 4),
        (3, 6),
    ]


@pytest.mark.parametrize("layer", [ReLU(), Softmax(), Dense(3, 2), Dropout(0.5), BatchNorm(3)])
def test_layers_that_take_each_sample_by_itself_say_so(layer):
    assert layer.receptive_field(9) == ReceptiveField([(0, 0)], stride=1, n_outputs=9)


def test_an_output_of_global_average_pooling_looks_at_the_whole_trace():
    assert GlobalAveragePool1D().receptive_field(64) == ReceptiveField(
        [(0, 63)], stride=0, n_outputs=1
    )


@pytest.mark.parametrize("layer", [Conv1D(1, 1, 5, padding=1), MaxPool1D(3), AveragePool1D(3)])
def test_a_trace_shorter_than_a_window_has_none(layer):
    assert layer.receptive_field(3).n_outputs == 1
    with refused(ValueError, type(layer).__name__, "x", 3, "L=2"):
        layer.receptive_field(2)


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


def column_major(x):
    return np.asfortranarray(x)


@pytest.mark.parametrize("lay_out", [read_only, strided, reversed_in_memory, column_major])
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


def test_a_layer_prints_as_the_call_that_makes_it():
    same = Conv1D(1, 8, 5, padding="same", dilation=2)
    assert repr(same) == "Conv1D(1, 8, 5, padding='same', dilation=2)"
    assert repr(Dense(256, 16)) == "Dense(256, 16)"
    assert repr(ReLU()) == "ReLU()"
    assert repr(MaxPool1D(3, stride=2)) == "MaxPool1D(3, stride=2)"


class Renames(Layer):
    """Keeps its arguments under other names, which its printed form has to live with."""

    def __init__(self, taps, width=3, *rest, mode="fast", size=None):
        super().__init__()
        self.t, self.width, self.size = taps, width, size


def test_an_argument_under_another_name_is_printed_as_dots_and_named_where_it_is_needed():
    assert repr(Renames([1, 2], 5, 6, 7)) == "Renames(..., 5, mode=...)"
    assert (
        repr(Renames(1, size=np.arange(4))) == "Renames(..., 3, mode=..., size=array([0, 1, 2, 3]))"
    )
    with refused(TypeError, "Renames", "taps", "self.taps = taps"):
        Renames(1).options()
    with refused(TypeError, "Renames", "taps", "self.taps = taps"):
        Sequential(Renames(1)).save("nowhere.npz")


@pytest.mark.parametrize(
    "make", [lambda rng: Conv1D(2, 3, 4, rng=rng), lambda rng: Dense(8, 9, rng=rng)]
)
def test_weights_start_within_glorots_limit_and_biases_at_zero(make):
    layer, again = make(7), make(np.random.default_rng(7))
    w = layer.params["w"]
    fan_in, fan_out = w[..., 0].size, w.size // w.shape[-2]
    limit = np.sqrt(6 / (fan_in + fan_out))
    assert 0.8 * limit < abs(w).max() <= limit
    assert w.dtype == layer.params["b"].dtype == np.float32
    assert not layer.params["b"].any()
    assert_array_equal(w, again.params["w"])


# Convolution
# -----------


@given(convolutions(), generators)
def test_convolution_is_linear(case, rng):
    layer, x = case
    layer.params["b"][:] = 0
    other, factor = rng.standard_normal(x.shape), rng.standard_normal()
    together = layer.forward(x + factor * other)[0]
    assert_allclose(together, layer.forward(x)[0] + factor * layer.forward(other)[0], **CLOSE)


@given(convolutions(), generators)
def test_backward_is_the_transpose_of_convolution(case, rng):
    # <conv(x), y> = <x, conv transposed (y)>, the dot-product test
    layer, x = case
    layer.params["b"][:] = 0
    y, cache = layer.forward(x)
    other = rng.standard_normal(y.shape)
    assert_allclose((y * other).sum(), (x * layer.backward(other, cache)[0]).sum(), **CLOSE)


@given(convolutions(max_stride=3), st.integers(1, 5))
def test_a_shifted_input_gives_a_shifted_map(case, n_outputs_later):
    layer, x = case
    layer.params["b"][:] = 0
    layer = Conv1D(**{**layer.options(), "padding": 20}).with_params(layer.params)
    shift = n_outputs_later * layer.stride
    later = np.concatenate([np.zeros_like(x[:, :1]).repeat(shift, axis=1), x], axis=1)
    y, y_later = layer.forward(x)[0], layer.forward(later)[0]
    assert_allclose(y_later[:, n_outputs_later:][:, : y.shape[1]], y, **CLOSE)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_gives_as_many_outputs_as_strides_fit(length, kernel_size, stride, dilation):
    layer = Conv1D(1, 1, kernel_size, stride=stride, padding="same", dilation=dilation)
    assert layer.forward(np.zeros((1, length, 1)))[0].shape[1] == int(np.ceil(length / stride))


def test_the_odd_zero_of_same_padding_goes_right():
    layer = Conv1D(1, 1, 2, padding="same")
    layer.params["w"][:, 0, 0] = 1, 10
    y, _ = layer.forward(np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1))
    assert y.ravel().tolist() == [21, 32, 3]


@given(convolutions(paddings=st.just("causal")), st.data())
def test_causal_padding_never_looks_ahead(case, data):
    layer, x = case
    now = data.draw(st.integers(0, x.shape[1] - 1))
    future_changed = x.copy()
    future_changed[:, now + 1 :] += 1
    n_past = now // layer.stride + 1  # outputs that end on `now` or before
    y, y_changed = layer.forward(x)[0], layer.forward(future_changed)[0]
    assert_array_equal(y[:, :n_past], y_changed[:, :n_past])


@pytest.mark.parametrize("kind", [Conv1D, PlainConv1D])
def test_a_convolution_says_what_does_not_fit(kind):
    layer = kind(2, 3, 4, dilation=2)
    with refused(ValueError, "Conv1D", "x", 7, "kernel_size=4", "dilation=2", "L=6"):
        layer.forward(np.zeros((1, 6, 2)))
    with refused(ValueError, "Conv1D", "x", "C=2", (1, 9, 3)):
        layer.forward(np.zeros((1, 9, 3)))
    _, cache = layer.forward(np.zeros((5, 9, 2)))
    for shape in (4, 3, 3), (5, 2, 3), (5, 3, 2):
        with refused(ValueError, "Conv1D", "dy", 5, 3, 3, shape):
            layer.backward(np.zeros(shape), cache)
    y, cache = layer.forward(np.zeros((1, 7, 2)))
    assert y.shape == (1, 1, 3)


@pytest.mark.parametrize("kind", [Conv1D, PlainConv1D])
def test_a_bias_of_a_wider_type_widens_the_output(kind):
    layer = kind(1, 2, 3, rng=0)
    wider = layer.with_params({**layer.params, "b": np.array([1 / 3, 2 / 3])})
    y, _ = wider.forward(np.zeros((1, 5, 1), np.float32))
    assert_array_equal(y, np.broadcast_to([1 / 3, 2 / 3], (1, 3, 2)))


# Pooling
# -------


def test_the_window_of_a_pooling():
    assert MaxPool1D(3, stride=2).receptive_field(10) == ReceptiveField(
        [(0, 2)], stride=2, n_outputs=4
    )


@given(pools(MaxPool1D), generators)
def test_the_gradient_of_max_pooling_sums_to_what_came_in(case, rng):
    layer, x = case
    y, cache = layer.forward(x)
    dy = rng.standard_normal(y.shape)
    dx, _ = layer.backward(dy, cache)
    assert_allclose(dx.sum(axis=1), dy.sum(axis=1), **CLOSE)


@given(inputs(), generators)
def test_the_gradient_of_global_max_pooling_sums_to_what_came_in(x, rng):
    y, cache = GlobalMaxPool1D().forward(x)
    dy = rng.standard_normal(y.shape)
    assert_array_equal(GlobalMaxPool1D().backward(dy, cache)[0].sum(axis=1), dy)


@given(inputs(min_length=3), generators)
def test_global_max_pooling_does_not_care_where(x, rng):
    order = rng.permutation(x.shape[1])
    assert_array_equal(GlobalMaxPool1D().forward(x)[0], GlobalMaxPool1D().forward(x[:, order])[0])


def test_of_equal_maxima_the_first_takes_the_gradient():
    x = np.array([0.0, 7.0, 7.0, 7.0]).reshape(1, 4, 1)
    for layer in (MaxPool1D(4), GlobalMaxPool1D()):
        y, cache = layer.forward(x)
        assert layer.backward(np.ones_like(y), cache)[0].ravel().tolist() == [0, 1, 0, 0]


def test_a_sample_that_wins_two_overlapping_windows_gets_both_gradients():
    x = np.array([0.0, 5.0, 1.0]).reshape(1, 3, 1)
    layer = MaxPool1D(2, stride=1)
    y, cache = layer.forward(x)
    dx, _ = layer.backward(np.array([10.0, 1.0]).reshape(y.shape), cache)
    assert dx.ravel().tolist() == [0, 11, 0]


@pytest.mark.parametrize(("pool_size", "n_bytes"), [(1, 1), (256, 1), (257, 2), (2**16 + 1, 4)])
def test_a_winner_is_remembered_in_as_few_bytes_as_count_to_the_end_of_its_window(
    pool_size, n_bytes
):
    _, (winner, _) = MaxPool1D(pool_size).forward(np.zeros((1, pool_size, 1), np.float32))
    assert winner.dtype == f"u{n_bytes}"


# ReLU and softmax
# ----------------


def test_relu_takes_zero_for_the_slope_at_its_corner():
    _, cache = ReLU().forward(np.array([-1.0, 0.0, -0.0, 1.0]))
    assert ReLU().backward(np.full(4, 3.0), cache)[0].tolist() == [0, 0, 0, 3]


@settings(max_examples=50)
@given(st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(distinct))
@pytest.mark.parametrize("constant", [0.0, 1.0, 1e4, -1e4])
def test_softmax_rows_sum_to_one_and_do_not_move_with_a_constant(constant, x):
    y = Softmax().forward(x + constant)[0]
    assert_allclose(y.sum(axis=-1), 1, rtol=1e-14)
    assert_allclose(y, Softmax().forward(x)[0], rtol=1e-9 if constant else 0)


def test_softmax_of_scores_far_apart_in_a_row_and_between_rows_is_finite():
    y = Softmax().forward(np.array([[1e4, -1e4, 0.0], [-1e4, -2e4, -1e4]]))[0]
    assert y.tolist() == [[1, 0, 0], [0.5, 0, 0.5]]


@given(st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(distinct))
def test_no_upstream_gradient_moves_the_sum_of_a_softmax(x):
    y, cache = Softmax().forward(x)
    assert_allclose(Softmax().backward(np.ones_like(y), cache)[0], 0, atol=1e-15)


def test_softmax_shares_out_each_sample_by_itself():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 2, 3, 4))
    x[0, 0] += 1e4
    y, cache = Softmax().forward(x)
    dx, _ = Softmax().backward(dy, cache)
    for n, s in np.ndindex(2, 3):
        alone, cache = Softmax().forward(x[n, s])
        np.testing.assert_allclose(y[n, s], alone, rtol=1e-12)
        np.testing.assert_allclose(dx[n, s], Softmax().backward(dy[n, s], cache)[0], rtol=1e-10)
