"""Every layer's backward, against two derivatives that owe it nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import plain_of
from task import task_network

import numpycnn as nn
from numpycnn.checks.strategies import convolutions, denses, generators, inputs, networks, pools

FEW = settings(max_examples=settings.default.max_examples // 4)  # a check takes some 20 ms
TO_ROUNDING = 1e-10
PLAIN = [
    nn.ReLU(),
    nn.Flatten(),
    nn.Softmax(),
    nn.GlobalMaxPool1D(),
    nn.GlobalAveragePool1D(),
    nn.Upsample1D(3),
]


def assert_both_ways(layer, x, rng):
    for options in ({"method": "complex", "tolerance": TO_ROUNDING}, {"method": "central"}):
        for result in nn.check_gradients(layer, x, rng=rng, **options).results:
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
@given(pools(nn.MaxPool1D) | pools(nn.AveragePool1D), generators)
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
@given(networks(), generators)
def test_whole_networks(case, rng):
    model, x = case
    nn.assert_gradients(model, x, tolerance=TO_ROUNDING, rng=rng)


@settings(max_examples=3)
@given(st.integers(0, 2**32 - 1))
def test_the_trace_classifier(seed):
    rng = np.random.default_rng(seed)
    x, _ = nn.make_traces(6, rng=rng)
    nn.assert_gradients(task_network(rng), x, tolerance=TO_ROUNDING, rng=rng)
