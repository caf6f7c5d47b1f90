"""Adam: Algorithm 1 of Kingma and Ba, worked out again here with one number at a time."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

from numpycnn import SGD, Adam, Dense, Sequential, softmax_cross_entropy
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


# The steps
# ---------


def test_the_first_three_steps_by_hand():
    """Gradients 1, -2, 3 at the default settings with lr = 0.1, from theta = 5."""
    theta = np.array([5.0])
    optimizer = Adam({"theta": theta}, lr=0.1)

    # m = 0.1, v = 0.001; corrected by 0.1 and 0.001: m_hat = v_hat = 1.
    optimizer.step({"theta": np.array([1.0])})
    assert_allclose(theta, 5 - 0.1, rtol=1e-8)

    # m = 0.09 - 0.2 = -0.11, v = 0.000999 + 0.004 = 0.004999; corrected by 0.19 and 0.001999.
    optimizer.step({"theta": np.array([-2.0])})
    second = 4.9 + 0.1 * (0.11 / 0.19) / sqrt(0.004999 / 0.001999)
    assert_allclose(theta, second, rtol=1e-8)

    # m = -0.099 + 0.3 = 0.201, v = 0.004994001 + 0.009 = 0.013994001;
    # corrected by 0.271 and 0.002997001.
    optimizer.step({"theta": np.array([3.0])})
    third = second - 0.1 * (0.201 / 0.271) / sqrt(0.013994001 / 0.002997001)
    assert_allclose(theta, third, rtol=1e-8)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=12),
    st.floats(-10, 10),
    st.floats(1e-5, 1),
    st.floats(0.1, 0.99),
    st.floats(0.1, 0.9999),
    st.floats(1e-10, 1e-2),
)
def test_any_sequence_of_steps_is_that_of_algorithm_1(gradients, start, lr, beta1, beta2, eps):
    theta = np.array([start])
    optimizer = Adam({"theta": theta}, lr, (beta1, beta2), eps)
    for g, expected in zip(
        gradients, algorithm_1(start, gradients, lr, beta1, beta2, eps), strict=True
    ):
        optimizer.step({"theta": np.array([g])})
        assert_allclose(theta, expected, rtol=1e-9, atol=1e-9)


@given(generators, st.lists(st.integers(1, 4), max_size=3), st.integers(1, 6))
def test_every_weight_moves_as_if_it_were_alone(rng, shape, n_steps):
    start = rng.standard_normal((2, *shape))
    gradients = rng.standard_normal((n_steps, 2, *shape))
    params = {"a": np.array(start[0]), "b": np.array(start[1])}
    optimizer = Adam(params, lr=0.01)
    for g in gradients:
        optimizer.step({"b": g[1], "a": g[0]})  # the order of the names does not matter
    alone = np.empty_like(start)
    for place in np.ndindex(*start.shape):
        *_, alone[place] = algorithm_1(
            start[place], gradients[(slice(None), *place)], 0.01, 0.9, 0.999, 1e-8
        )
    assert_allclose([params["a"], params["b"]], alone, rtol=1e-10, atol=1e-12)


@given(st.floats(1e-3, 1e3), st.sampled_from([-1, 1]), st.floats(1e-4, 0.5), st.integers(1, 30))
def test_a_constant_gradient_moves_each_weight_by_lr_whatever_its_size(size, sign, lr, n_steps):
    params = {"w": np.zeros(3)}
    optimizer = Adam(params, lr)
    for step in range(1, n_steps + 1):
        optimizer.step({"w": np.array([sign * size, -sign * size, 0.0])})
        # eps beside the gradient is all that is missing from a whole lr
        assert_allclose(params["w"], [-sign * lr * step, sign * lr * step, 0], rtol=1.1e-8 / size)


def test_eps_stands_after_the_root_of_the_corrected_average():
    """With a gradient as small as eps, Algorithm 1 takes half a step: g / (g + eps).

    The other form, sqrt(1 - beta2) g / (sqrt(1 - beta2) g + eps), would take a thirtieth.
    """
    params = {"w": np.zeros(1)}
    Adam(params, lr=1.0, eps=1e-8).step({"w": np.array([1e-8])})
    assert_allclose(params["w"], -0.5, rtol=1e-10)
    other_form = sqrt(0.001) / (sqrt(0.001) + 1)
    assert other_form < 0.031


def test_a_weight_without_gradient_stays_where_it_is():
    params = {"w": np.array([1.5])}
    Adam(params).step({"w": np.zeros(1)})
    assert params["w"] == 1.5


def test_without_averaging_adam_steps_by_the_sign():
    params = {"w": np.zeros(3)}
    optimizer = Adam(params, lr=0.1, betas=(0, 0))
    optimizer.step({"w": np.array([1e5, -1e-2, 0.0])})
    optimizer.step({"w": np.array([-1e-2, -1e5, 0.0])})
    assert_allclose(params["w"], [0, 0.2, 0], atol=1e-6)


def test_lr_can_be_changed_between_steps():
    params = {"w": np.zeros(1)}
    optimizer = Adam(params, lr=0.1)
    optimizer.step({"w": np.ones(1)})
    optimizer.lr = 0.01
    optimizer.step({"w": np.ones(1)})
    assert_allclose(params["w"], -0.11, rtol=1e-7)


# The arrays
# ----------


def test_the_arrays_of_the_model_are_changed_in_place():
    model = Sequential(Dense(2, 2, rng=0))
    w = model.params["0.w"]
    before = w.copy()
    optimizer = Adam(model.params, lr=0.1)
    y, cache = model.forward(np.ones((1, 2), np.float32))
    _, grads = model.backward(softmax_cross_entropy(y, [0])[1], cache)
    optimizer.step(grads)
    assert model.layers[0].params["w"] is w
    assert_allclose(abs(w - before), 0.1, rtol=1e-4)


def test_gradients_are_read_and_never_written():
    params = {"w": np.zeros(4)}
    g = np.arange(4.0)
    g.flags.writeable = False
    optimizer = Adam(params)
    optimizer.step({"w": g})
    optimizer.step({"w": g[::-1]})
    assert_array_equal(g, np.arange(4.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lr", [1e-3, np.float64(1e-3), np.float32(1e-3)])
def test_weights_and_averages_keep_their_type(dtype, lr):
    params = {"w": np.ones(3, dtype)}
    optimizer = Adam(params, lr)
    for g in (np.ones(3, dtype), np.ones(3, np.float32)):
        optimizer.step({"w": g})
    arrays = params["w"], optimizer.m, optimizer.v
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_two_optimisers_do_not_share_their_averages():
    one, other = Adam({"w": np.zeros(1)}), Adam({"w": np.zeros(1)})
    one.step({"w": np.ones(1)})
    assert (other.m[0], other.v[0], other.t) == (0, 0, 0)


# Bad arguments
# -------------


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("lr", 0, 0),
        ("lr", -1e-3, -1e-3),
        ("lr", float("nan"), "nan"),
        ("lr", float("inf"), "inf"),
        ("eps", 0, 0),
        ("eps", -1e-8, -1e-8),
        ("betas", (0.9, 1.0), 1.0),
        ("betas", (-0.1, 0.9), -0.1),
        ("betas", (0.9, float("nan")), "nan"),
    ],
)
def test_settings_out_of_range_are_refused(name, value, shown):
    with refused(ValueError, "Adam", name, shown):
        Adam({"w": np.zeros(2)}, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", "a"), ("eps", None), ("betas", (0.9,)), ("betas", (0.9, 0.99, 0.999)), ("betas", 0.9)],
)
def test_settings_of_another_type_are_refused(name, value):
    with refused(TypeError, "Adam", name, repr(value)):
        Adam({"w": np.zeros(2)}, **{name: value})


@pytest.mark.parametrize(
    ("grads", "parts"),
    [
        ({}, ["grads", "'w'"]),
        ({"v": np.zeros((2, 3))}, ["grads", "'w'"]),
        ({"w": np.zeros((2, 3)), "b": np.zeros(3)}, ["grads", "'b'"]),
        ({"w": np.zeros((3, 2))}, ["grads['w']", (2, 3), (3, 2)]),
        ({"w": np.zeros(3)}, ["grads['w']", (2, 3), (3,)]),  # would broadcast
        ({"w": [[1.0] * 3] * 2}, ["grads['w']", "list"]),
        ({"w": np.diag([np.nan, 0, 0])[:2]}, ["grads['w']", "nan", "grads['w'][0, 0]"]),
        ({"w": np.diag([0, np.inf, 0])[:2]}, ["grads['w']", "inf", "grads['w'][1, 1]"]),
        (np.zeros((2, 3)), ["grads", "ndarray"]),
    ],
    ids=[
        "none",
        "other name",
        "one too many",
        "transposed",
        "other rank",
        "list",
        "nan",
        "infinite",
        "array",
    ],
)
@pytest.mark.parametrize("kind", [Adam, SGD])
def test_gradients_that_do_not_belong_are_refused_and_change_nothing(kind, grads, parts):
    params = {"w": np.ones((2, 3))}
    optimizer = kind(params, 0.1)
    with refused((TypeError, ValueError), kind.__name__, *parts):
        optimizer.step(grads)
    assert_array_equal(params["w"], np.ones((2, 3)))
    same, new = {"w": np.ones((2, 3))}, {"w": np.ones((2, 3))}
    optimizer.step(new)
    kind(same, 0.1).step(new)
    assert_array_equal(params["w"], same["w"])
