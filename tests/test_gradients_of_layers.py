"""Every layer's backward, against two derivatives that owe it nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import plain_of
from task import task_network

from numpycnn import (
    AveragePool1D,
    Conv1D,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    Upsample1D,
    assert_gradients,
    check_gradients,
    make_traces,
)
from numpycnn.checks.strategies import (
    convolutions,
    denses,
    generators,
    inputs,
    networks,
    pools,
    with_random_params,
)

FEW = settings(max_examples=settings.default.max_examples // 4)  # a check takes some 20 ms
TO_ROUNDING = 1e-10
PLAIN = [ReLU(), Flatten(), Softmax(), GlobalMaxPool1D(), GlobalAveragePool1D(), Upsample1D(3)]


def assert_both_ways(layer, x, rng):
    for options in ({"method": "complex", "tolerance": TO_ROUNDING}, {"method": "central"}):
        for result in check_gradients(layer, x, rng=rng, **options).results:
            # With a stride, one window may cover nothing but padding.
            is_tested = "nothing was tested" not in " ".join(result.notes)
            assert result.ok or not is_tested, str(result)


@settings(max_examples=settings.default.max_examples // 2)
@given(convolutions(), generators)
def test_convolution(case, rng):
    assert_both_ways(*case, rng)


@FEW
@given(convolutions(), generators)
def test_the_plain_convolution(case, rng):
    layer, x = case
    assert_both_ways(plain_of(layer), x, rng)


@FEW
@given(pools(MaxPool1D) | pools(AveragePool1D), generators)
def test_pooling(case, rng):
    assert_both_ways(*case, rng)


@FEW
@given(denses(), generators)
def test_dense(case, rng):
    assert_both_ways(*case, rng)


@FEW
@given(st.sampled_from(PLAIN), inputs(), generators)
def test_layers_without_parameters(layer, x, rng):
    assert_both_ways(layer, x, rng)


@FEW
@given(convolutions(), st.data(), generators)
def test_two_stacked_convolutions(case, data, rng):
    first, x = case
    second = Conv1D(first.out_channels, 2, 3, stride=2, padding="same", dilation=2)
    model = data.draw(with_random_params(Sequential(first, second)))
    assert_both_ways(model, x, rng)


@FEW
@given(networks(), generators)
def test_whole_networks(case, rng):
    model, x = case
    assert_gradients(model, x, tolerance=TO_ROUNDING, rng=rng)


@settings(max_examples=3)
@given(st.integers(0, 2**32 - 1))
def test_the_trace_classifier(seed):
    rng = np.random.default_rng(seed)
    x, _ = make_traces(6, rng=rng)
    assert_gradients(task_network(rng), x, tolerance=TO_ROUNDING, rng=rng)


def test_convolution_with_as_many_samples_as_taps_has_one_output():
    layer, x = Conv1D(2, 3, 4, rng=0), np.random.default_rng(0).standard_normal((2, 4, 2))
    assert layer.forward(x)[0].shape == (2, 1, 3)
    assert_both_ways(layer, x, rng=0)


def test_an_input_gradient_does_not_depend_on_the_batch():
    # Who divides by N? Not the layers: a trace's gradient is the same alone and in company.
    layer, x = Conv1D(1, 2, 3, rng=0), np.random.default_rng(0).standard_normal((5, 9, 1))
    y, cache = layer.forward(x)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    alone = [layer.backward(dy[n : n + 1], layer.forward(x[n : n + 1])[1]) for n in range(5)]
    np.testing.assert_allclose(dx, np.concatenate([one[0] for one in alone]))
    np.testing.assert_allclose(grads["w"], sum(one[1]["w"] for one in alone))
