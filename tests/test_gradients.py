"""The gradient checker: accuses what is wrong, passes what is right, changes nothing."""

import numpy as np
import pytest
from corpora.spoils import Foreign, Forgetful, NoBias, OneEntryOff, StdConstant, StraightThrough
from hypothesis import given, settings
from refusals import refused

import numpycnn as nn
from numpycnn.checks.case import Case
from numpycnn.checks.strategies import distinct, generators, layers_and_inputs

METHODS = ["complex", "central"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "index"), [("input", (1, 2)), ("w", (0, 3)), ("w", (2, 0)), ("b", (1,))]
)
def test_one_entry_that_is_slightly_off_is_found(method, name, index):
    x = np.random.default_rng(0).standard_normal((2, 3))
    report = nn.check_gradients(OneEntryOff(3, 4, name=name, index=index), x, method=method, rng=1)
    assert not report.ok
    wrong = [line for line in report.results if not line.ok]
    assert [(line.name, line.worst) for line in wrong] == [(name, index)]
    assert wrong[0].actual == pytest.approx(1.0001 * wrong[0].expected, rel=1e-6)
    assert f"worst at [{', '.join(map(str, index))}]" in str(report)


@pytest.mark.parametrize("method", METHODS)
def test_the_upstream_gradient_is_not_all_ones(method):
    x = np.random.default_rng(0).standard_normal((2, 3))
    assert not nn.check_gradients(Forgetful(), x, method=method, rng=0).ok


@pytest.mark.parametrize("method", METHODS)
def test_any_object_with_the_contract_can_be_checked(method):
    x = np.random.default_rng(0).standard_normal((4, 2))
    nn.assert_gradients(Foreign(), x, method=method, rng=0)
    with pytest.raises(nn.GradientError, match=r"a +INCORRECT") as caught:
        nn.assert_gradients(Foreign(slope=4.0), x, method=method, rng=0)
    assert caught.value.report.results[0].name == "input"


def test_a_bug_deep_in_a_network_is_reported_under_its_name():
    model = nn.Sequential(
        nn.Dense(3, 4, rng=0), nn.ReLU(), nn.Sequential(OneEntryOff(4, 2, name="w", index=(0, 1)))
    )
    x = np.random.default_rng(0).standard_normal((5, 3))
    report = nn.check_gradients(model, x, rng=0)
    assert [line.name for line in report.results if not line.ok] == ["2.0.w"]


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_can_be_checked(method):
    scores = np.random.default_rng(0).standard_normal((4, 3))
    labels = np.array([0, 2, 1, 1])
    nn.assert_gradients(lambda x: nn.softmax_cross_entropy(x, labels), scores, method=method, rng=0)

    def sum_instead_of_mean(x):
        loss, gradient = nn.softmax_cross_entropy(x, labels)
        return loss, gradient * len(x)

    assert not nn.check_gradients(sum_instead_of_mean, scores, method=method, rng=0).ok


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=settings.default.max_examples // 4)
@given(case=layers_and_inputs(), rng=generators)
def test_checking_changes_nothing(method, case, rng):
    layer, x = case
    layer = layer.astype(np.float32)
    x_before = x.copy()
    before = {name: array.copy() for name, array in layer.params.items()}
    nn.check_gradients(layer, x, method=method, rng=rng)
    np.testing.assert_array_equal(x, x_before)
    for name, array in layer.params.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, before[name])


class Returns(nn.Layer):
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
        (np.ones(3), None, r"Returns.forward .*\(y, cache\).*array of shape \(3,\)"),
        (
            (np.ones(3), None),
            np.ones(3),
            r"Returns.backward .*\(dx, grads\).*array of shape \(3,\)",
        ),
        ((np.ones(3), None), None, r"Returns.backward .*NoneType"),
        ((np.ones(3), None), (np.ones(3), None), r"Returns.backward .*\(dx, grads\).*tuple"),
    ],
)
def test_a_layer_that_returns_something_else_is_refused(forward, backward, words):
    with pytest.raises(TypeError, match=words):
        nn.check_gradients(Returns(forward, backward), np.ones(3), rng=0)


# Bad arguments
# -------------


def without(name):
    parts = {part: None for part in ("forward", "backward", "params") if part != name}
    return type("Half", (), parts)()


def with_a_parameter(name):
    layer = nn.ReLU()
    layer.params[name] = np.ones(1)
    return layer


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"method": "foo"}, ["method", "'foo'"]),
        *(({"tolerance": value}, ["tolerance", value]) for value in (-1, 0, 1, 1.5, np.nan)),
        ({"rng": -1}, ["rng", -1]),
        ({"x": np.ones((0, 3))}, ["x", "(0, 3)"]),
        ({"x": np.ma.masked_less(np.arange(3.0), 1)}, ["x", "x.filled(0)"]),
        ({"x": np.array([[1, None]])}, ["x", "object"]),
        ({"x": np.ones((2, 3), complex)}, ["x", "complex128"]),
        ({"x": np.full((2, 3), np.nan)}, ["x", "nan", "x[0, 0]"]),
        ({"x": None}, ["x", "NoneType"]),
        ({"x": (n for n in range(3))}, ["x", "generator"]),
        ({"tolerance": "1e-3"}, ["tolerance", "1e-3"]),
        ({"only": ("w", "v")}, ["only", "'v'"]),
        ({"only": 3}, ["only", "int"]),
        ({"skip": None}, ["skip", "NoneType"]),
        ({"skip": "x"}, ["skip", "'x'"]),
        ({"only": "w", "skip": "w"}, ["only='w'", "skip='w'"]),
        ({"layer": "relu"}, ["layer", "forward, backward and params", "str"]),
        ({"layer": without("backward")}, ["layer", "Half", "backward"]),
        ({"layer": with_a_parameter("input")}, ["params", "'input'"]),
    ],
)
def test_bad_arguments_are_refused(change, parts):
    arguments = {"layer": nn.Dense(3, 2), "x": np.ones((2, 3))} | change
    with refused((TypeError, ValueError), "check_gradients", *parts):
        nn.check_gradients(arguments.pop("layer"), arguments.pop("x"), **arguments)


# The three statuses
# ------------------


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1, 1e6, 1e7, 1e8, 1e12])
@pytest.mark.parametrize("seed", range(2))
def test_a_gradient_of_zeros_is_wrong_at_every_scale(scale, seed):
    x = scale * np.random.default_rng(seed).standard_normal((4, 3))
    report = nn.check_gradients(NoBias(3, 2, rng=seed), x, rng=seed)
    assert [line.status for line in report.results] == ["correct", "correct", "incorrect"]


@pytest.mark.parametrize(("gap", "status"), [(1, "correct"), (15, "correct"), (1000, "undecided")])
def test_where_a_gradient_has_vanished_nothing_is_called_correct(gap, status):
    scores = np.array([[0.0, gap]])
    report = nn.check_gradients(nn.Softmax(), scores, rng=0)
    assert report.status == status
    assert report.ok == (status == "correct")
    assert status in str(report).splitlines()[0]
    if not report.ok:
        with pytest.raises(nn.GradientError, match=status):
            nn.assert_gradients(nn.Softmax(), scores, rng=0)
    assert nn.check_gradients(Forgetful(), scores, rng=0).status == "incorrect"


# Two opinions
# ------------


def test_a_term_that_the_complex_step_does_not_see_is_seen():
    x = np.random.default_rng(0).standard_normal((3, 5))
    (line,) = nn.check_gradients(StdConstant(), x, rng=0).results
    assert (line.status, line.method) == ("incorrect", "central")
    assert line.mistake.name == "constant term"
    assert "forward is not analytic" in " ".join(str(line).split())


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1, 1e12])
def test_nor_is_it_missed_where_it_is_too_small_to_see(scale):
    class Softsign(nn.Layer):
        def forward(self, x):
            size = 1 + np.abs(x)
            return x / size, size

        def backward(self, dy, cache):
            return dy / cache, {}

    x = scale * np.random.default_rng(0).standard_normal((3, 5))
    assert nn.check_gradients(Softsign(), x, rng=0).status == "incorrect"


def test_the_error_within_the_tolerance_is_the_measured_one():
    class Nearly(nn.Dense):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return (1 + 1e-11) * dx, grads

    x = np.random.default_rng(0).standard_normal((3, 4))
    report = nn.check_gradients(Nearly(4, 2, rng=0), x, rng=0, tolerance=1e-8)
    assert report.ok
    assert 1e-14 < report.results[0].error <= 1.01e-11


# A selection of the arrays
# -------------------------


@pytest.mark.parametrize("options", [{"only": ("w",)}, {"only": "w"}, {"skip": ["input", "b"]}])
def test_skipped_gradients_are_not_compared(options):
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = nn.check_gradients(StraightThrough(3, 2, rng=0), x, rng=0, **options)
    assert report.ok, str(report)
    assert [result.name for result in report.results] == ["w"]
    nn.assert_gradients(StraightThrough(3, 2, rng=0), x, rng=0, **options)


def test_a_gradient_that_is_not_skipped_is_compared():
    x = np.random.default_rng(0).standard_normal((4, 3))
    report = nn.check_gradients(StraightThrough(3, 2, rng=0), x, rng=0, skip="input")
    assert [(r.name, r.status) for r in report.results] == [("w", "correct"), ("b", "incorrect")]
    with pytest.raises(nn.GradientError):
        nn.assert_gradients(StraightThrough(3, 2, rng=0), x, rng=0, skip="input")


# A little way off
# ----------------


def test_without_a_second_opinion_nothing_is_called_right():
    class FarAway(nn.Layer):
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
    assert nn.check_gradients(FarAway(), x, rng=0).status == "incorrect"
    assert nn.check_gradients(Hidden(), x, rng=0).status == "undecided"


def test_a_zero_that_is_wrong_is_wrong_where_weights_alone_saturate():
    class NoGradient(nn.Softmax):
        def backward(self, dy, cache):
            return 0 * dy, {}

    model = nn.Sequential(nn.Dense(3, 4, rng=0), nn.Dense(4, 2, rng=1), NoGradient()).astype(
        np.float64
    )
    for name in ("0.w", "1.w"):
        model.params[name][:] *= 9 / np.abs(model.params[name]).max()
    x = 9 * np.random.default_rng(0).standard_normal((1, 3))
    x *= 9 / np.abs(x).max()
    assert nn.check_gradients(model, x, rng=0).status == "incorrect"


# Entries of every size
# ---------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_small_entry_is_looked_at_as_closely_as_a_large_one(seed):
    """It is off by a hundred-millionth of itself, beside one a hundred thousand times as large."""
    scale = np.array([1.0, 1e-5])

    class Scale(nn.Layer):
        def forward(self, x):
            return scale * x, None

        def backward(self, dy, cache):
            return scale * [1, 1 + 1e-8] * dy, {}

    report = nn.check_gradients(Scale(), np.array([[0.7, -1.1]]), rng=seed)
    assert report.status == "incorrect"
    assert report.results[0].worst == (0, 1)


def test_an_array_that_moves_nothing_is_right_without_any_error():
    model = nn.Sequential(nn.Dense(3, 4, rng=0), nn.BatchNorm(4).for_training(0))
    report = nn.check_gradients(model, np.random.default_rng(1).standard_normal((6, 3)), rng=0)
    (line,) = (line for line in report.results if line.name == "0.b")
    assert (line.status, line.error, line.notes) == ("correct", 0.0, ())


# A little way off
# ----------------


@given(distinct((3, 4), scale=50.0), generators)
def test_aside_is_a_little_way_off_to_both_sides(x, rng):
    case = Case.of(nn.ReLU(), x, rng)
    moved = case.aside(rng, 1e-6).arrays["input"] - x
    assert 0 < np.abs(moved).max() <= 1e-6 * np.abs(x).max() * (1 + 1e-8)
    assert moved.min() < 0 < moved.max()


@given(distinct((3, 4), scale=50.0), generators)
def test_rounding_is_some_last_digits_of_a_product_and_none_of_zeros(x, rng):
    x[0] = 0
    case = Case.of(nn.ReLU(), x, rng)
    rounding = case.rounding(lambda near: near.arrays["input"] * near.dy, rng)
    product = np.abs(x * case.dy)
    assert (rounding >= 2e-16 * product).all()
    assert (rounding <= 1e-13 * product).all()


def test_the_rounding_of_a_difference_is_that_of_its_terms():
    x = np.linspace(1, 2, 50) + 1e8
    case = Case.of(nn.ReLU(), x, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    rounding = case.rounding(lambda near: near.arrays["input"] - 1e8, rng)
    assert (rounding > 1e-9).all()
    assert case.rounding(lambda near: near.dy, rng).max() < 1e-12


@given(distinct((3, 4), scale=50.0), generators)
def test_at_size_one_the_largest_number_is_one(x, rng):
    case = Case.of(nn.Dense(4, 2, rng=0), 1e9 * x, rng)
    assert case.is_far_from_one()
    one = case.of_size_one()
    assert not one.is_far_from_one()
    assert np.abs(one.arrays["input"]).max() == pytest.approx(1)
    assert np.abs(one.arrays["w"]).max() == pytest.approx(1)
    assert not one.arrays["b"].any()
    np.testing.assert_allclose(one.arrays["input"] * 1e9 * np.abs(x).max(), 1e9 * x)
