"""The gradient checker: accuses what is wrong, passes what is right, changes nothing."""

import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpycnn import (
    BatchNorm,
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
from numpycnn.checks.case import Case
from numpycnn.checks.derivatives import central_difference, complex_step
from numpycnn.checks.strategies import denses, distinct, generators, layers_and_inputs

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
    wrong = [line for line in report.results if not line.ok]
    assert [(line.name, line.worst) for line in wrong] == [(name, index)]
    assert wrong[0].actual == pytest.approx(1.0001 * wrong[0].expected, rel=1e-6)
    assert f"worst at [{', '.join(map(str, index))}]" in str(report)


@pytest.mark.parametrize("method", METHODS)
def test_the_upstream_gradient_is_not_all_ones(method):
    x = np.random.default_rng(0).standard_normal((2, 3))
    assert not check_gradients(Forgetful(), x, method=method, rng=0).ok


@pytest.mark.parametrize("method", METHODS)
def test_any_object_with_the_contract_can_be_checked(method):
    x = np.random.default_rng(0).standard_normal((4, 2))
    assert_gradients(Foreign(), x, method=method, rng=0)
    with pytest.raises(GradientError, match=r"a +INCORRECT") as caught:
        assert_gradients(Foreign(slope=4.0), x, method=method, rng=0)
    assert caught.value.report.results[0].name == "input"


def test_a_bug_deep_in_a_network_is_reported_under_its_name():
    model = Sequential(
        Dense(3, 4, rng=0), ReLU(), Sequential(OneEntryOff(4, 2, name="w", index=(0, 1)))
    )
    x = np.random.default_rng(0).standard_normal((5, 3))
    report = check_gradients(model, x, rng=0)
    assert [line.name for line in report.results if not line.ok] == ["2.0.w"]


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_can_be_checked(method):
    scores = np.random.default_rng(0).standard_normal((4, 3))
    labels = np.array([0, 2, 1, 1])
    assert_gradients(lambda x: softmax_cross_entropy(x, labels), scores, method=method, rng=0)

    def sum_instead_of_mean(x):
        loss, gradient = softmax_cross_entropy(x, labels)
        return loss, gradient * len(x)

    assert not check_gradients(sum_instead_of_mean, scores, method=method, rng=0).ok


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


def test_the_upstream_gradient_is_not_x_when_both_are_drawn_with_one_seed():
    class MaskOfDy(ReLU):
        def backward(self, dy, cache):
            return np.maximum(dy, 0), {}

    x = np.random.default_rng(0).standard_normal((4, 9))
    assert check_gradients(MaskOfDy(), x, rng=0).mistakes[0].name == "mask of dy"


@given(denses())
def test_a_gradient_that_is_not_a_number_is_wrong(case):
    class NotANumber(Dense):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx, {**grads, "b": grads["b"] * np.nan}

    layer, x = case
    broken = NotANumber(layer.in_features, layer.out_features).with_params(layer.params)
    report = check_gradients(broken, x, rng=0)
    assert [line.name for line in report.results if not line.ok] == ["b"]


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
    assert check_gradients(Transposed(3, 2), x, rng=0).breach.name == "wrong shape"
    assert check_gradients(Nameless(), x, rng=0).breach.name == "wrong key"


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


def test_at_a_kink_both_methods_find_both_slopes():
    at, along = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    for derivative in (complex_step, central_difference):
        slopes = derivative(lambda x: np.maximum(x, 0), at, along)
        assert (slopes.right[0], slopes.left[0]) == pytest.approx((1, 0))


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
        check_gradients(Returns(forward, backward), np.ones(3), rng=0)


def test_a_layer_that_forgot_its_base_class_is_checked_all_the_same():
    class Forgets(ReLU):
        def __init__(self):
            pass

    assert check_gradients(Forgets(), np.ones(3), rng=0).ok


# What nobody means
# -----------------


@pytest.mark.parametrize(
    ("x", "options", "kind", "words"),
    [
        (
            np.ones((2, 3)),
            {"method": "foo"},
            ValueError,
            "method 'complex' or 'central', got 'foo'",
        ),
        (np.ones((2, 3)), {"tolerance": -1}, ValueError, "a tolerance from 0 to 1, got -1"),
        (np.ones((2, 3)), {"tolerance": np.nan}, ValueError, "a tolerance from 0 to 1, got nan"),
        (np.ones((2, 3)), {"rng": "a"}, TypeError, "^check_gradients: rng .*'a'"),
        (np.ones((2, 3)), {"rng": -1}, ValueError, "^check_gradients: rng .*-1"),
        (2.0, {}, ValueError, r"at least one axis and one number, got shape \(\)"),
        (np.ones((0, 3)), {}, ValueError, r"at least one axis and one number, got shape \(0, 3\)"),
        (
            np.ma.masked_less(np.arange(3.0), 1),
            {},
            TypeError,
            r"^check_gradients: x .*x.filled\(0\)",
        ),
        (np.array([["1", "2"]]), {}, TypeError, "an x of real numbers, got <U1"),
        (np.array([[1, None]]), {}, TypeError, "an x of real numbers, got object"),
        (np.ones((2, 3), complex), {}, TypeError, "an x of real numbers, got complex128"),
    ],
)
def test_what_nobody_means_is_refused_in_words(x, options, kind, words):
    with pytest.raises(kind, match=words):
        check_gradients(Dense(3, 2), x, **options)


@pytest.mark.parametrize("tolerance", [0, 1, 1.5])
def test_a_tolerance_lies_between_zero_and_one(tolerance):
    with pytest.raises(ValueError, match=f"a tolerance from 0 to 1, got {tolerance}"):
        check_gradients(ReLU(), np.ones(3), tolerance=tolerance, rng=0)


def test_an_object_that_is_not_a_layer_is_refused():
    with pytest.raises(TypeError, match=r"layer .*forward, backward and params.*got str"):
        check_gradients("relu", np.ones(3), rng=0)


def test_a_parameter_may_not_be_called_input():
    layer = ReLU()
    layer.params["input"] = np.ones(1)
    with pytest.raises(ValueError, match=r"params .*'input'"):
        check_gradients(layer, np.ones(3), rng=0)


def test_a_loss_without_a_name_is_called_the_loss():
    loss = partial(softmax_cross_entropy, targets=np.array([0, 1]))
    assert check_gradients(loss, np.ones((2, 3)), rng=0).subject == "the loss"


# The three statuses
# ------------------


class NoBias(Dense):
    """The gradient for b is never computed."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": 0 * grads["b"]}


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1, 1e6, 1e7, 1e8, 1e12])
@pytest.mark.parametrize("seed", range(5))
def test_a_gradient_of_zeros_is_wrong_at_every_scale(scale, seed):
    x = scale * np.random.default_rng(seed).standard_normal((4, 3))
    report = check_gradients(NoBias(3, 2, rng=seed), x, rng=seed)
    assert [line.status for line in report.results] == ["correct", "correct", "incorrect"]


@pytest.mark.parametrize(("gap", "status"), [(1, "correct"), (15, "correct"), (1000, "undecided")])
def test_where_a_gradient_has_vanished_nothing_is_called_correct(gap, status):
    scores = np.array([[0.0, gap]])
    report = check_gradients(Softmax(), scores, rng=0)
    assert report.status == status
    assert report.ok == (status == "correct")
    assert status in str(report).splitlines()[0]


def test_undecided_is_not_passed():
    with pytest.raises(GradientError, match="cannot be decided at this scale"):
        assert_gradients(Softmax(), np.array([[0.0, 1000.0]]), rng=0)


def test_what_is_wrong_is_wrong_where_it_cannot_be_seen():
    report = check_gradients(Forgetful(), np.array([[0.0, 1000.0]]), rng=0)
    assert report.status == "incorrect"
    assert "found with every array scaled" in " ".join(str(report).split())


def test_a_gradient_that_is_zero_to_rounding_is_right():
    class Centered(Dense):
        """The mean is taken off the outputs, so a shift of all of them does nothing."""

        def forward(self, x):
            y, cache = super().forward(x)
            return y - y.mean(axis=-1, keepdims=True), cache

        def backward(self, dy, cache):
            return super().backward(dy - dy.mean(axis=-1, keepdims=True), cache)

    class Shift(Layer):
        def __init__(self):
            super().__init__(all=np.ones(1))
            self.inner = Centered(3, 4, rng=0).astype(np.float64)

        def forward(self, x):
            y, cache = self.inner.forward(x)
            y = y + self.params["all"]
            return y - y.mean(axis=-1, keepdims=True), cache

        def backward(self, dy, cache):
            dy = dy - dy.mean(axis=-1, keepdims=True)
            return self.inner.backward(dy, cache)[0], {"all": dy.sum(keepdims=True)[0]}

    x = np.random.default_rng(0).standard_normal((4, 3))
    assert check_gradients(Shift(), x, rng=0).ok


# Two opinions
# ------------


class StdConstant(Layer):
    """A layer norm whose backward takes the standard deviation for a constant."""

    def forward(self, x):
        std = x.std(axis=-1, keepdims=True)
        return (x - x.mean(axis=-1, keepdims=True)) / std, std

    def backward(self, dy, cache):
        return (dy - dy.mean(axis=-1, keepdims=True)) / cache, {}


def test_a_term_that_the_complex_step_does_not_see_is_seen():
    x = np.random.default_rng(0).standard_normal((3, 5))
    (line,) = check_gradients(StdConstant(), x, rng=0).results
    assert (line.status, line.method) == ("incorrect", "central")
    assert line.mistake.name == "constant term"
    assert "forward is not analytic" in " ".join(str(line).split())


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1, 1e12])
def test_nor_is_it_missed_where_it_is_too_small_to_see(scale):
    class Softsign(Layer):
        def forward(self, x):
            size = 1 + np.abs(x)
            return x / size, size

        def backward(self, dy, cache):
            return dy / cache, {}

    x = scale * np.random.default_rng(0).standard_normal((3, 5))
    assert check_gradients(Softsign(), x, rng=0).status == "incorrect"


def test_asked_for_the_complex_step_such_a_layer_is_refused():
    x = np.random.default_rng(0).standard_normal((3, 5))
    with pytest.raises(TypeError, match="the complex step does not suit StdConstant"):
        check_gradients(StdConstant(), x, method="complex", rng=0)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("factor", [1, -1, 0])
def test_a_layer_that_draws_numbers_is_reported_before_anything_is_compared(seed, factor):
    class Dropout(Layer):
        def __init__(self):
            super().__init__()
            self.rng = np.random.default_rng(seed)

        def forward(self, x):
            mask = self.rng.random(x.shape) < 0.5
            return x * mask, mask

        def backward(self, dy, cache):
            return factor * dy * cache, {}

    x = np.random.default_rng(seed).standard_normal((4, 8))
    report = check_gradients(Dropout(), x, rng=seed)
    assert report.results == []
    assert report.breach.name == "random"


def test_a_container_of_ones_own_is_not_accused_of_parameters_that_it_only_shows():
    class Pair:
        """Inherits from nothing, and makes its params anew each time they are asked for."""

        def __init__(self):
            self.parts = [Dense(3, 4, rng=0), Dense(4, 2, rng=1)]

        @property
        def params(self):
            parts = enumerate(self.parts)
            return {f"{i}{name}": array for i, p in parts for name, array in p.params.items()}

        def forward(self, x):
            h, first = self.parts[0].forward(x)
            y, second = self.parts[1].forward(h)
            return y, (first, second)

        def backward(self, dy, cache):
            dh, second = self.parts[1].backward(dy, cache[1])
            dx, first = self.parts[0].backward(dh, cache[0])
            own = {f"0{n}": g for n, g in first.items()}
            return dx, own | {f"1{n}": g for n, g in second.items()}

    x = np.random.default_rng(0).standard_normal((5, 3))
    report = check_gradients(Pair(), x, rng=0)
    assert report.ok, str(report)


def test_assert_gradients_hands_its_options_on():
    x = np.random.default_rng(0).standard_normal((3, 5))
    for options, kind in (
        ({"method": "complex"}, TypeError),
        ({"tolerance": -1}, ValueError),
        ({"rng": -1}, ValueError),
    ):
        with pytest.raises(kind):
            assert_gradients(StdConstant(), x, **options)


def test_a_tolerance_of_ones_own_lets_more_pass():
    x = np.random.default_rng(0).standard_normal((2, 3))
    layer = OneEntryOff(3, 4, name="w", index=(0, 1))
    assert check_gradients(layer, x, rng=0, tolerance=1e-3).ok
    assert not check_gradients(layer, x, rng=0, tolerance=1e-5).ok


# A selection of the arrays
# -------------------------


class StraightThrough(Dense):
    """Returns no gradient for the input, and a wrong one for the bias."""

    def backward(self, dy, cache):
        _, grads = super().backward(dy, cache)
        return None, {**grads, "b": 2 * grads["b"]}


@pytest.mark.parametrize("options", [{"only": ("w",)}, {"only": "w"}, {"skip": ["input", "b"]}])
def test_skipped_gradients_are_not_compared(options):
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = check_gradients(StraightThrough(3, 2, rng=0), x, rng=0, **options)
    assert report.ok, str(report)
    assert [result.name for result in report.results] == ["w"]
    assert_gradients(StraightThrough(3, 2, rng=0), x, rng=0, **options)


def test_a_gradient_that_is_not_skipped_is_compared():
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = check_gradients(StraightThrough(3, 2, rng=0), x, rng=0, skip="input")
    assert [(r.name, r.status) for r in report.results] == [("w", "correct"), ("b", "incorrect")]
    with pytest.raises(GradientError):
        assert_gradients(StraightThrough(3, 2, rng=0), x, rng=0, skip="input")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"only": ("w", "v")}, "only .*'v'"),
        ({"skip": "x"}, "skip .*'x'"),
        ({"only": "w", "skip": "w"}, "only='w' and skip='w'"),
        ({"only": ()}, r"only=\(\)"),
    ],
)
def test_a_selection_of_unknown_arrays_or_of_none_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        check_gradients(Dense(3, 2, rng=0), np.ones((4, 3)), **options)


# A little way off
# ----------------


@given(distinct((3, 4), scale=50.0), generators)
def test_aside_is_a_little_way_off_to_both_sides(x, rng):
    case = Case.of(ReLU(), x, rng)
    moved = case.aside(rng, 1e-6).arrays["input"] - x
    assert 0 < np.abs(moved).max() <= 1e-6 * np.abs(x).max() * (1 + 1e-8)
    assert moved.min() < 0 < moved.max()


@given(distinct((3, 4), scale=50.0), generators)
def test_shaken_changes_last_digits_and_leaves_zeros(x, rng):
    x[0] = 0
    case = Case.of(ReLU(), x, rng)
    shaken = case.shaken(rng, 1e-9)
    for old, new in ((x, shaken.arrays["input"]), (case.dy, shaken.dy)):
        assert (np.abs(new - old) <= 1.0001e-9 * np.abs(old)).all()
        assert (new != old).sum() >= (old != 0).sum() - 1


def test_shaken_goes_both_ways():
    x = np.arange(1.0, 100.0)
    moved = Case.of(ReLU(), x, np.random.default_rng(0)).shaken(np.random.default_rng(1), 1e-9)
    assert {-1, 1} <= set(np.sign(moved.arrays["input"] - x))
    assert len(np.unique(np.round((moved.arrays["input"] / x - 1) * 1e11))) > 50


@given(distinct((3, 4), scale=50.0), generators)
def test_at_size_one_the_largest_number_is_one(x, rng):
    case = Case.of(Dense(4, 2, rng=0), 1e9 * x, rng)
    assert case.is_far_from_one()
    one = case.of_size_one()
    assert not one.is_far_from_one()
    assert np.abs(one.arrays["input"]).max() == pytest.approx(1)
    assert np.abs(one.arrays["w"]).max() == pytest.approx(1)
    assert not one.arrays["b"].any()
    np.testing.assert_allclose(one.arrays["input"] * 1e9 * np.abs(x).max(), 1e9 * x)


def test_without_a_second_opinion_nothing_is_called_right():
    class FarAway(Layer):
        """Takes numbers beyond 1e9 only, where differences see nothing, and forgets |x|."""

        def forward(self, x):
            if np.abs(x).max() < 1e9:
                raise ValueError("too small")
            return 1e15 * np.abs(x) + 1e-15 * x, x

        def backward(self, dy, cache):
            return 1e-15 * dy, {}

    class Hidden(FarAway):
        """The same, and what differs is lost in the last digits of a constant."""

        def forward(self, x):
            if np.abs(x).max() < 1e9:
                raise ValueError("too small")
            return 1e60 + np.abs(x) + x, x

        def backward(self, dy, cache):
            return dy, {}

    x = 1e12 * np.random.default_rng(0).standard_normal((2, 3))
    assert check_gradients(FarAway(), x, rng=0).status == "incorrect"
    assert check_gradients(Hidden(), x, rng=0).status == "undecided"


def test_dead_relus_make_a_gradient_zero_and_that_is_right():
    model = Sequential(Dense(3, 4, rng=0), ReLU(), Dense(4, 2, rng=1)).astype(np.float64)
    model.params["0.b"][:] = -5  # nothing gets through, but it would with weights and x of size one
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = check_gradients(model, x, rng=0)
    assert report.ok, str(report)


def test_a_zero_that_is_wrong_is_wrong_where_weights_alone_saturate():
    class NoGradient(Softmax):
        def backward(self, dy, cache):
            return 0 * dy, {}

    model = Sequential(Dense(3, 4, rng=0), Dense(4, 2, rng=1), NoGradient()).astype(np.float64)
    for name in ("0.w", "1.w"):
        model.params[name][:] *= 9 / np.abs(model.params[name]).max()
    x = 9 * np.random.default_rng(0).standard_normal((1, 3))
    x *= 9 / np.abs(x).max()
    assert check_gradients(model, x, rng=0).status == "incorrect"


# Entries of every size
# ---------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_small_entry_is_looked_at_as_closely_as_a_large_one(seed):
    """It is off by a hundred-millionth of itself, beside one a hundred thousand times as large."""
    scale = np.array([1.0, 1e-5])

    class Scale(Layer):
        def forward(self, x):
            return scale * x, None

        def backward(self, dy, cache):
            return scale * [1, 1 + 1e-8] * dy, {}

    report = check_gradients(Scale(), np.array([[0.7, -1.1]]), rng=seed)
    assert report.status == "incorrect"
    assert report.results[0].worst == (0, 1)


def test_an_array_that_moves_nothing_is_right_without_any_error():
    model = Sequential(Dense(3, 4, rng=0), BatchNorm(4).for_training(0))
    report = check_gradients(model, np.random.default_rng(1).standard_normal((6, 3)), rng=0)
    (line,) = (line for line in report.results if line.name == "0.b")
    assert (line.status, line.error, line.notes) == ("correct", 0.0, ())
    assert re.search(r"\n  0\.b +correct +relative error 0\.0e\+00 by complex step\n", str(report))


@pytest.mark.parametrize("missing", ["backward", "params"])
def test_a_layer_with_a_part_missing_is_told_which(missing):
    parts = {name: None for name in ("forward", "backward", "params") if name != missing}
    with pytest.raises(TypeError, match=rf"got Half, which has no {missing}$"):
        check_gradients(type("Half", (), parts)(), np.ones((1, 2)))
