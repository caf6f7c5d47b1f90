"""The gradient checker: accuses what is wrong, passes what is right, changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpycnn import (
    Dense,
    GradientError,
    Layer,
    ReLU,
    Sequential,
    Softmax,
    assert_gradients,
    check_gradients,
    softmax_cross_entropy,
)
from numpycnn.checks.derivatives import central_difference, complex_step
from numpycnn.checks.strategies import denses, generators, layers_and_inputs

METHODS = ["complex", "central"]


class OneEntryOff(Dense):
    """A dense layer with one entry of one gradient wrong by one part in ten thousand."""

    def __init__(self, *sizes, name, index):
        super().__init__(*sizes, rng=0)
        self.name, self.index = name, index

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        wrong = {"input": dx, **grads}
        wrong[self.name] = wrong[self.name].copy()
        wrong[self.name][self.index] *= 1.0001
        return wrong.pop("input"), wrong


class Forgetful(Softmax):
    """A softmax whose backward returns zeros: a check with ones from above would pass it."""

    def backward(self, dy, cache):
        return np.zeros_like(dy), {}


class Foreign:
    """A layer that keeps the contract and inherits from nothing."""

    def __init__(self, slope=3.0):
        self.params = {"a": np.array([2.0, 5.0])}
        self.slope = slope

    def forward(self, x):
        return x * self.params["a"], x

    def backward(self, dy, cache):
        return dy * self.params["a"], {"a": self.slope / 3 * (dy * cache).sum(axis=0)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "index"), [("input", (1, 2)), ("w", (0, 3)), ("w", (2, 0)), ("b", (1,))]
)
def test_one_entry_that_is_slightly_off_is_found(method, name, index):
    x = np.random.default_rng(0).standard_normal((2, 3))
    report = check_gradients(OneEntryOff(3, 4, name=name, index=index), x, method=method, rng=1)
    assert not report.ok
    wrong = [line for line in report.lines if not line.ok]
    assert [(line.name, line.worst) for line in wrong] == [(name, index)]
    assert wrong[0].analytic == pytest.approx(1.0001 * wrong[0].numeric, rel=1e-6)
    assert f"worst at [{', '.join(map(str, index))}]" in str(report)


@pytest.mark.parametrize("method", METHODS)
def test_the_upstream_gradient_is_not_all_ones(method):
    x = np.random.default_rng(0).standard_normal((2, 3))
    assert not check_gradients(Forgetful(), x, method=method).ok


@pytest.mark.parametrize("method", METHODS)
def test_any_object_with_the_contract_can_be_checked(method):
    x = np.random.default_rng(0).standard_normal((4, 2))
    assert_gradients(Foreign(), x, method=method)
    with pytest.raises(GradientError, match=r"a +WRONG") as caught:
        assert_gradients(Foreign(slope=4.0), x, method=method)
    assert caught.value.report.lines[0].name == "input"


def test_a_bug_deep_in_a_network_is_reported_under_its_name():
    model = Sequential(
        Dense(3, 4, rng=0), ReLU(), Sequential(OneEntryOff(4, 2, name="w", index=(0, 1)))
    )
    x = np.random.default_rng(0).standard_normal((5, 3))
    report = check_gradients(model, x)
    assert [line.name for line in report.lines if not line.ok] == ["2.0.w"]


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_can_be_checked(method):
    scores = np.random.default_rng(0).standard_normal((4, 3))
    labels = np.array([0, 2, 1, 1])
    assert_gradients(lambda x: softmax_cross_entropy(x, labels), scores, method=method)

    def sum_instead_of_mean(x):
        loss, gradient = softmax_cross_entropy(x, labels)
        return loss, gradient * len(x)

    assert not check_gradients(sum_instead_of_mean, scores, method=method).ok


@pytest.mark.parametrize("method", METHODS)
@given(case=layers_and_inputs(), rng=generators)
def test_checking_changes_nothing(method, case, rng):
    layer, x = case
    layer = layer.astype(np.float32)
    x_before = x.copy()
    before = {name: array.copy() for name, array in layer.params.items()}
    check_gradients(layer, x, method=method, rng=rng)
    np.testing.assert_array_equal(x, x_before)
    for name, array in layer.params.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, before[name])


def test_the_same_seed_gives_the_same_report():
    x = np.random.default_rng(0).standard_normal((2, 3))
    assert check_gradients(Dense(3, 2, rng=0), x, rng=5) == check_gradients(
        Dense(3, 2, rng=0), x, rng=5
    )


@given(denses())
def test_a_gradient_that_is_not_a_number_is_wrong(case):
    class NotANumber(Dense):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx, {**grads, "b": grads["b"] * np.nan}

    layer, x = case
    broken = NotANumber(layer.in_features, layer.out_features).with_params(layer.params)
    report = check_gradients(broken, x)
    assert [line.name for line in report.lines if not line.ok] == ["b"]


def test_gradients_of_another_shape_or_name_are_refused():
    class Transposed(Dense):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx, {**grads, "w": grads["w"].T}

    class Nameless(Layer):
        def __init__(self):
            super().__init__(a=np.ones(1))

        def forward(self, x):
            return x * self.params["a"], x

        def backward(self, dy, cache):
            return dy * self.params["a"], {}

    x = np.ones((2, 3))
    assert check_gradients(Transposed(3, 2), x).broken.name == "wrong shape"
    assert check_gradients(Nameless(), x).broken.name == "wrong key"


@given(st.floats(0.1, 3), st.floats(-2, 2).filter(lambda v: abs(v) > 0.1))
def test_both_derivatives_of_a_smooth_function(at, direction):
    def f(x):
        return np.exp(x) * np.sin(3 * x)

    exact = direction * np.exp(at) * (np.sin(3 * at) + 3 * np.cos(3 * at))
    at, direction = np.array([at]), np.array([direction])
    near = {"abs": 1e-13 * np.exp(at[0])}
    assert complex_step(f, at, direction).middle == pytest.approx(exact, rel=1e-13, **near)
    near = {"abs": 1e-8 * np.exp(at[0])}
    assert central_difference(f, at, direction).middle == pytest.approx(exact, rel=1e-8, **near)


def test_at_a_corner_both_methods_find_both_slopes():
    at, along = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    for derivative in (complex_step, central_difference):
        right, left = derivative(lambda x: np.maximum(x, 0), at, along)
        assert (right[0], left[0]) == pytest.approx((1, 0))


class Returns(Layer):
    """A layer whose forward and backward return what they are told to."""

    def __init__(self, forward, backward):
        super().__init__()
        self.results = forward, backward

    def forward(self, x):
        return self.results[0]

    def backward(self, dy, cache):
        return self.results[1]


@pytest.mark.parametrize(
    ("forward", "backward", "words"),
    [
        (np.ones(3), None, r"Returns.forward to return \(y, cache\), got ndarray; return y, None"),
        ((np.ones(3), None), np.ones(3), r"Returns.backward to return \(dx, grads\), got ndarray"),
        ((np.ones(3), None), None, r"got NoneType; return dx, \{\} if there are no parameters"),
        ((np.ones(3), None), (np.ones(3), None), r"backward to return \(dx, grads\), got tuple"),
    ],
)
def test_a_layer_that_returns_something_else_is_told_what_to_return(forward, backward, words):
    with pytest.raises(TypeError, match=words):
        check_gradients(Returns(forward, backward), np.ones(3))


def test_a_layer_that_forgot_its_base_class_is_checked_all_the_same():
    class Forgets(ReLU):
        def __init__(self):
            pass

    assert check_gradients(Forgets(), np.ones(3), rng=0).ok
