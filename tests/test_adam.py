"""Adam and SGD: the update rules, computed again here with one number at a time."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused, refused_value

from numpycnn import SGD, Adam, Dense, Sequential
from numpycnn.checks.strategies import generators


def algorithm_1(theta, gradients, alpha, beta1, beta2, epsilon):
    """The loop of the paper, line for line, for a single number; yields theta after each step."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - alpha * m_hat / (sqrt(v_hat) + epsilon)
        yield theta


def test_the_default_settings_are_those_of_the_paper():
    theta = np.array([5.0])
    optimizer, gradients = Adam({"theta": theta}), [1.0, -2.0, 3.0]
    for g in gradients:
        optimizer.step({"theta": np.array([g])})
    *_, expected = algorithm_1(5.0, gradients, 1e-3, 0.9, 0.999, 1e-8)
    assert_allclose(theta, expected, rtol=1e-14)


@given(
    generators,
    st.lists(st.integers(1, 3), max_size=2),
    st.integers(1, 8),
    st.floats(1e-5, 1),
    st.floats(0.1, 0.99),
    st.floats(0.1, 0.9999),
    st.floats(1e-10, 1e-2),
)
def test_every_parameter_follows_algorithm_1(rng, shape, n_steps, lr, beta1, beta2, eps):
    start = rng.standard_normal((2, *shape))
    gradients = 10 ** rng.uniform(-3, 2) * rng.standard_normal((n_steps, 2, *shape))
    params = {"a": np.array(start[0]), "b": np.array(start[1])}
    optimizer = Adam(params, lr, (beta1, beta2), eps)
    for g in gradients:
        optimizer.step({"b": g[1], "a": g[0]})  # the order of the names does not matter
    expected = np.empty_like(start)
    for index in np.ndindex(*start.shape):
        own = gradients[(slice(None), *index)]
        *_, expected[index] = algorithm_1(start[index], own, lr, beta1, beta2, eps)
    assert_allclose([params["a"], params["b"]], expected, rtol=1e-9, atol=1e-9)


@given(generators, st.floats(0.001, 1), st.sampled_from([0, 0.5, 0.9]), st.integers(1, 5))
def test_every_parameter_follows_the_update_rule_of_sgd(rng, lr, momentum, n_steps):
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


optimizers = pytest.mark.parametrize("kind", [Adam, SGD])


@optimizers
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("lr", [100.0, np.float64(100), np.float32(100)])
def test_parameters_keep_their_type_and_gradients_are_never_written(kind, dtype, lr):
    params = {"w": np.ones(3, dtype)}
    array, optimizer = params["w"], kind(params, lr)
    optimizer.step({"w": np.zeros(3, dtype)})
    assert_array_equal(params["w"], 1)
    g = np.array([1e-5, -1e-5, 0], np.float32)
    g.flags.writeable = False
    optimizer.step({"w": g})
    assert params["w"] is array
    assert array.dtype == np.dtype(dtype)
    assert params["w"][0] < 1 < params["w"][1]
    assert params["w"][2] == 1


# Bad arguments
# -------------


@bad_values(
    {
        "lr": [0, -1e-3, float("nan"), float("inf"), "a", True],
        "eps": [0, -1e-8, None],
        "betas": [(0.9,), (0.9, 0.99, 0.999), 0.9],
    }
)
def test_bad_settings_are_refused(name, value):
    with refused_value("Adam", name, value):
        Adam({"w": np.zeros(2)}, **{name: value})


@bad_values({"lr": [0, -1, float("inf"), float("nan"), "a"], "momentum": [1, -0.1, None]})
def test_bad_settings_of_sgd_are_refused(name, value):
    with refused_value("SGD", name, value):
        SGD({"w": np.zeros(2)}, **{"lr": 0.1, name: value})


@pytest.mark.parametrize("value", [1.0, -0.1, float("nan"), "b"])
def test_a_bad_beta_is_refused(value):
    for betas in (0.9, value), (value, 0.9):
        with refused((TypeError, ValueError), "Adam", "betas", repr(value)):
            Adam({"w": np.zeros(2)}, betas=betas)


BAD_GRADIENTS = {
    "none": ({}, ["grads", "'w'"]),
    "other name": ({"v": np.zeros((2, 3))}, ["grads", "'w'"]),
    "one too many": ({"w": np.zeros((2, 3)), "b": np.zeros(3)}, ["grads", "'b'"]),
    "transposed": ({"w": np.zeros((3, 2))}, ["grads['w']", (3, 2)]),
    "list": ({"w": [[1.0] * 3] * 2}, ["grads['w']", "list"]),
    "nan": ({"w": np.diag([np.nan, 0, 0])[:2]}, ["nan", "grads['w'][0, 0]"]),
    "infinite": ({"w": np.diag([0, np.inf, 0])[:2]}, ["inf", "grads['w'][1, 1]"]),
    "array": (np.zeros((2, 3)), ["grads", "ndarray"]),
}


@pytest.mark.parametrize(("grads", "parts"), BAD_GRADIENTS.values(), ids=BAD_GRADIENTS.keys())
@optimizers
def test_bad_gradients_are_refused_and_change_nothing(kind, grads, parts):
    params, same, new = ({"w": np.ones((2, 3))} for _ in range(3))
    optimizer = kind(params, 0.1)
    with refused((TypeError, ValueError), kind.__name__, *parts):
        optimizer.step(grads)
    assert_array_equal(params["w"], 1)
    optimizer.step(new)
    kind(same, 0.1).step(new)
    assert_array_equal(params["w"], same["w"])


@optimizers
def test_bad_parameters_are_refused(kind):
    for params, parts in (
        (Sequential(Dense(2, 2)), ["model.params"]),
        ([], ["params"]),
        ({}, ["params"]),
        ({"w": np.zeros(3, int)}, ["params['w']", "int64"]),
        ({"w": [1.0]}, ["params['w']", "list"]),
    ):
        with refused((TypeError, ValueError), kind.__name__, *parts):
            kind(params, 0.1)
