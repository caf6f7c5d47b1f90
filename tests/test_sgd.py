"""Gradient descent with momentum, step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused
from task import task_network

from numpycnn import SGD, fit, make_traces
from numpycnn.checks.strategies import generators


@given(generators, st.floats(0.001, 1), st.sampled_from([0, 0.5, 0.9]), st.integers(1, 5))
def test_every_weight_walks_as_the_rule_says(rng, lr, momentum, n_steps):
    params = {"w": rng.standard_normal((2, 3)), "b": rng.standard_normal(3)}
    start = {name: array.copy() for name, array in params.items()}
    steps = [{n: rng.standard_normal(a.shape) for n, a in params.items()} for _ in range(n_steps)]
    optimizer = SGD(params, lr, momentum)
    for grads in steps:
        optimizer.step(grads)
    for name, first in start.items():
        for index in np.ndindex(*first.shape):
            w, u = float(first[index]), 0.0
            for grads in steps:
                u = momentum * u + grads[name][index]
                w -= lr * u
            assert_allclose(params[name][index], w, rtol=1e-12, atol=1e-12)


def test_without_momentum_it_forgets_and_with_it_a_steady_gradient_adds_up():
    plain, heavy = ({"w": np.zeros(1)} for _ in range(2))
    for params, momentum in ((plain, 0.0), (heavy, 0.9)):
        optimizer = SGD(params, 0.1, momentum)
        for _ in range(200):
            before = params["w"].copy()
            optimizer.step({"w": np.ones(1)})
        assert_allclose(before - params["w"], 0.1 / (1 - momentum))


def test_arrays_keep_their_type_and_gradients_are_not_touched():
    params, grads = {"w": np.ones(2, np.float32)}, {"w": np.ones(2)}
    array = params["w"]
    SGD(params, 0.5).step(grads)
    assert params["w"] is array
    assert array.dtype == np.float32
    assert_array_equal(array, [0.5, 0.5])
    assert_array_equal(grads["w"], [1, 1])


def test_it_trains_the_trace_classifier():
    x, labels = make_traces(90, rng=0)
    model = task_network()
    fit(model, x, labels, epochs=60, optimizer=SGD(model.params, lr=0.1, momentum=0.9))
    assert (model.classify(x) == labels).mean() > 0.95


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0),
        ("lr", -1),
        ("lr", float("inf")),
        ("lr", float("nan")),
        ("lr", "a"),
        ("momentum", 1),
        ("momentum", -0.1),
        ("momentum", None),
    ],
)
def test_settings_that_do_not_fit_are_refused(name, value):
    kind = ValueError if isinstance(value, int | float) else TypeError
    with refused(kind, "SGD", name, repr(value)):
        SGD({"w": np.zeros(2)}, **{"lr": 0.1, name: value})
