"""What the report says: of kinks, of layers that take no complex numbers, of new mistakes."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from numpycnn import (
    Conv1D,
    Dense,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    assert_gradients,
    check_gradients,
)
from numpycnn.checks.strategies import inputs

EXAMPLES = Path(__file__).parent.parent / "examples"


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


# Kinks
# -----


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (ReLU(), np.array([-1.0, 0.0, 2.0, 0.0])),
        (MaxPool1D(2), np.array([1.0, 1.0, 3.0, 2.0]).reshape(1, 4, 1)),
        (MaxPool1D(3, stride=1), np.ones((2, 6, 2))),
        (GlobalMaxPool1D(), np.array([1.0, 5.0, 5.0, 5.0]).reshape(1, 4, 1)),
    ],
)
def test_at_a_tie_the_report_says_so_and_a_gradient_between_both_sides_passes(layer, x, method):
    report = check_gradients(layer, x, method=method, rng=0)
    assert report.ok, str(report)
    assert report.results[0].kinks > 0
    assert "the function has a kink" in " ".join(str(report).split())


@pytest.mark.parametrize("seed", [16, 26, 58, 84, 92, 115])
def test_a_tie_is_seen_where_little_comes_from_above(seed):
    report = check_gradients(MaxPool1D(3, stride=1), np.ones((2, 6, 2)), method="central", rng=seed)
    assert report.ok, str(report)


def test_without_a_tie_no_kink_is_reported():
    assert check_gradients(ReLU(), normal(3, 4), rng=0).results[0].kinks == 0


@pytest.mark.parametrize("slope", [-0.5, 1.5])
def test_a_slope_beyond_both_sides_of_a_kink_is_wrong(slope):
    class Odd(ReLU):
        def backward(self, dy, cache):
            return dy * np.where(cache > 0, 1, np.where(self.x == 0, slope, 0)), {}

        def forward(self, x):
            self.x = np.zeros(4)
            self.x[:] = [-1, 0, 2, 0]
            return super().forward(x)

    report = check_gradients(Odd(), np.array([-1.0, 0.0, 2.0, 0.0]), rng=0)
    assert not report.ok
    assert report.results[0].kinks == 2


def test_a_network_at_a_tie_is_checked_a_little_way_off():
    model = Sequential(ReLU(), MaxPool1D(2), Conv1D(1, 2, 2, rng=0))
    x = np.array([0.0, 0.0, 3.0, 3.0, 5.0, 5.0]).reshape(1, 6, 1)
    report = check_gradients(model, x, rng=0)
    assert report.ok, str(report)
    assert report.results[0].kinks > 0


# The report as data
# ------------------


class NoBiasGradient(Dense):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": np.full_like(grads["b"], np.nan)}


class Grows(Layer):
    """Breaks the contract: each forward returns more than the one before."""

    n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        return self.n_calls * x, self.n_calls

    def backward(self, dy, cache):
        return cache * dy, {}


@pytest.mark.parametrize(
    ("layer", "status"),
    [(Dense(4, 2, rng=0), "correct"), (NoBiasGradient(4, 2), "incorrect"), (Grows(), "incorrect")],
)
def test_a_report_is_data_too(layer, status):
    report = check_gradients(layer, normal(3, 4), rng=0)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["status"] == status == report.status
    assert data["ok"] == report.ok == (status == "correct")
    assert [one["name"] for one in data["mistakes"]] == [one.name for one in report.mistakes]
    assert len(data["results"]) == len(report.results)
    for found, result in zip(data["results"], report.results, strict=True):
        assert found["name"] == result.name
        assert found["status"] == result.status
        assert found["method"] == result.method
        assert found["notes"] == list(result.notes)
        assert (found["mistake"] is None) == (result.mistake is None)


def test_the_kinks_of_all_arrays_are_counted():
    report = check_gradients(ReLU(), np.array([-1.0, 0.0, 2.0, 0.0]), rng=0)
    assert report.kinks == report.to_dict()["kinks"] == 2


# Layers that the complex step does not suit
# ------------------------------------------


class Abs(Layer):
    def forward(self, x):
        return np.abs(x), x

    def backward(self, dy, cache):
        return dy * np.sign(cache), {}


class RootOfSquares(Layer):
    """Takes complex numbers and, by abs, makes of them what has no derivative."""

    def forward(self, x):
        return x * np.abs(x), x

    def backward(self, dy, cache):
        return dy * 2 * np.abs(cache), {}


class Casts(Layer):
    def forward(self, x):
        return x.astype(float) ** 2, x

    def backward(self, dy, cache):
        return dy * 2 * cache, {}


class Floors(Layer):
    def forward(self, x):
        return np.floor(x) + x, None

    def backward(self, dy, cache):
        return dy, {}


@pytest.mark.parametrize("layer", [Abs(), RootOfSquares(), Casts(), Floors()])
def test_a_layer_that_takes_no_complex_numbers_is_checked_by_central_differences(layer):
    report = check_gradients(layer, normal(3, 4), rng=0)
    assert report.ok, str(report)
    assert report.results[0].method == "central"
    assert "by central differences" in str(report)


def test_asked_for_the_complex_step_such_a_layer_says_why_not():
    with pytest.raises(TypeError, match="real numbers for complex ones"):
        check_gradients(Abs(), normal(3, 4), method="complex", rng=0)
    with pytest.raises(TypeError, match="does not accept complex numbers: ComplexWarning"):
        check_gradients(Casts(), normal(3, 4), method="complex", rng=0)


def test_what_forward_does_not_use_is_no_reason_to_leave_the_complex_step():
    class Leaves(Abs):
        def __init__(self):
            super().__init__(a=np.ones(2))

        def backward(self, dy, cache):
            return dy * np.sign(cache), {"a": np.zeros(2)}

    lines = check_gradients(Leaves(), normal(3, 4), rng=0).results
    assert [(line.method, line.status) for line in lines] == [
        ("central", "correct"),
        ("complex", "undecided"),  # nothing was tested
    ]


def test_by_central_differences_too_a_mistake_is_named():
    class Negative(Abs):
        def backward(self, dy, cache):
            return -dy * np.sign(cache), {}

    assert check_gradients(Negative(), normal(3, 4), rng=0).mistakes[0].name == "sign"


# Mistakes that are in no zoo
# ---------------------------


def test_a_parameter_that_forward_reads_from_elsewhere():
    class Elsewhere(Layer):
        def __init__(self):
            super().__init__(a=np.array([2.0]))
            self.a = self.params["a"]

        def forward(self, x):
            return x * self.a, x

        def backward(self, dy, cache):
            return dy * self.a, {"a": np.array([(dy * cache).sum()])}

    # The array is the same, and an optimizer changes it in place.
    assert check_gradients(Elsewhere(), normal(4), rng=0).ok


class DoublesOneTap(Conv1D):
    """One tap of one filter counts twice."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        grads["w"][1, :, 2] *= 2
        return dx, grads


def test_a_new_mistake_is_placed_at_the_right_parameter_and_the_right_entries():
    report = check_gradients(DoublesOneTap(2, 3, 4, rng=0), normal(2, 9, 2))
    assert [line.name for line in report.results if not line.ok] == ["w"]
    (line,) = (line for line in report.results if not line.ok)
    assert line.worst[0] == 1
    assert line.worst[2] == 2
    assert line.actual == pytest.approx(2 * line.expected)
    assert line.mistake.name == "unknown"
    for words in (
        "2 of 24 entries are incorrect",
        "only at 1 along the taps",
        "only at 2 along the filters",
        "2 times the expected value",
    ):
        assert words in line.mistake.message


def test_a_new_mistake_deep_in_a_network_too():
    model = Sequential(Conv1D(1, 2, 3, rng=0), ReLU(), DoublesOneTap(2, 3, 4, rng=1))
    report = check_gradients(model, normal(2, 12, 1), rng=0)
    assert [line.name for line in report.results if not line.ok] == ["2.w"]


def test_a_mistake_where_the_input_is_negative_is_placed_there():
    class Softplus(Layer):
        def forward(self, x):
            return np.log(1 + np.exp(x)), x

        def backward(self, dy, cache):
            right = 1 / (1 + np.exp(-cache))
            return dy * np.where(cache > 0, right, right**2), {}

    (mistake,) = check_gradients(Softplus(), normal(4, 5), rng=0).mistakes
    assert "only where the input is negative" in mistake.message


def test_an_output_that_is_not_finite_is_reported_and_not_a_traceback():
    class Log(Layer):
        def forward(self, x):
            return np.log(x), x

        def backward(self, dy, cache):
            return dy / cache, {}

    assert check_gradients(Log(), np.array([1.0, 0.0]), rng=0).breach.name == "not finite"
    assert_gradients(Log(), np.array([1.0, 2.0]), rng=0)


@pytest.mark.parametrize(
    ("layer", "x", "kind", "words"),
    [
        ("dense", np.zeros(3), TypeError, "layer .*forward, backward and params.* str"),
        (ReLU(), np.array([np.nan]), ValueError, r"^check_gradients: x .*nan at x\[0\]"),
        (Dense(2, 3), np.zeros((4, 3)), ValueError, r"^Dense: x .*D_in=2"),
    ],
)
def test_what_cannot_be_checked_is_named(layer, x, kind, words):
    with pytest.raises(kind, match=words):
        check_gradients(layer, x, rng=0)


# The example
# -----------


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(EXAMPLES / "check_your_layer.py"))


def test_the_example_shows_correct_code_and_incorrect_code(capsys):
    runpy.run_path(str(EXAMPLES / "check_your_layer.py"))
    reports = capsys.readouterr().out.split("\n\n")
    statuses = [report.splitlines()[0].split(": ")[1] for report in reports]
    functions, attributes = ["correct", "INCORRECT"], ["correct", "INCORRECT"]
    assert statuses == ["correct", *["INCORRECT"] * 3, *functions, *attributes]
    assert "mean missing: too large by the factor 3 = P" in reports[1]
    assert "misplaced" in reports[2]
    assert "only at 1 along the traces" in reports[3]
    assert "note: b is not in grads" in reports[6]
    assert "bias averaged" in reports[7]


def test_the_property_test_that_the_example_recommends(example):
    pool = example["AveragePool1D"](3)

    @settings(max_examples=50)
    @given(inputs(min_length=3))
    def average_pooling(x):
        assert_gradients(pool, x, rng=0)

    average_pooling()
