"""Gradient descent with momentum, step by step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused_value

from numpycnn import SGD
from numpycnn.checks.strategies import generators


@given(generators, st.floats(0.001, 1), st.sampled_from([0, 0.5, 0.9]), st.integers(1, 5))
def test_every_parameter_follows_the_update_rule(rng, lr, momentum, n_steps):
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


def test_arrays_keep_their_type_and_gradients_are_never_written():
    params, grads = {"w": np.ones(2, np.float32)}, {"w": np.ones(2)}
    array = params["w"]
    SGD(params, 0.5).step(grads)
    assert params["w"] is array
    assert array.dtype == np.float32
    assert_array_equal(array, [0.5, 0.5])
    assert_array_equal(grads["w"], [1, 1])


@bad_values({"lr": [0, -1, float("inf"), float("nan"), "a"], "momentum": [1, -0.1, None]})
def test_bad_settings_are_refused(name, value):
    with refused_value("SGD", name, value):
        SGD({"w": np.zeros(2)}, **{"lr": 0.1, name: value})
