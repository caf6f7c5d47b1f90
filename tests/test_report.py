"""What the report says: of kinks, of layers that take no complex numbers, of new mistakes."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nn

EXAMPLES = Path(__file__).parent.parent / "examples"


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


# Kinks
# -----


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.ReLU(), np.array([-1.0, 0.0, 2.0, 0.0])),
        (nn.MaxPool1D(2), np.array([1.0, 1.0, 3.0, 2.0]).reshape(1, 4, 1)),
        (nn.MaxPool1D(3, stride=1), np.ones((2, 6, 2))),
        (nn.GlobalMaxPool1D(), np.array([1.0, 5.0, 5.0, 5.0]).reshape(1, 4, 1)),
    ],
)
def test_at_a_tie_the_report_says_so_and_a_gradient_between_both_sides_passes(layer, x, method):
    report = nn.check_gradients(layer, x, method=method, rng=0)
    assert report.ok, str(report)
    assert report.results[0].kinks > 0
    assert "the function has a kink" in " ".join(str(report).split())


# The report as data
# ------------------


class NoBiasGradient(nn.Dense):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": np.full_like(grads["b"], np.nan)}


class Grows(nn.Layer):
    """Breaks the contract: each forward returns more than the one before."""

    n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        return self.n_calls * x, self.n_calls

    def backward(self, dy, cache):
        return cache * dy, {}


@pytest.mark.parametrize(
    ("layer", "status"),
    [
        (nn.Dense(4, 2, rng=0), "correct"),
        (NoBiasGradient(4, 2), "incorrect"),
        (Grows(), "incorrect"),
    ],
)
def test_a_report_is_data_too(layer, status):
    report = nn.check_gradients(layer, normal(3, 4), rng=0)
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


# Layers that the complex step does not suit
# ------------------------------------------


class Abs(nn.Layer):
    def forward(self, x):
        return np.abs(x), x

    def backward(self, dy, cache):
        return dy * np.sign(cache), {}


class Casts(nn.Layer):
    def forward(self, x):
        return x.astype(float) ** 2, x

    def backward(self, dy, cache):
        return dy * 2 * cache, {}


@pytest.mark.parametrize("layer", [Abs(), Casts()])
def test_a_layer_that_takes_no_complex_numbers_is_checked_by_central_differences(layer):
    report = nn.check_gradients(layer, normal(3, 4), rng=0)
    assert report.ok, str(report)
    assert report.results[0].method == "central"
    assert "by central differences" in str(report)


def test_asked_for_the_complex_step_such_a_layer_says_why_not():
    for layer in (Abs(), Casts()):
        with pytest.raises(TypeError, match="real numbers for complex ones"):
            nn.check_gradients(layer, normal(3, 4), method="complex", rng=0)


# The example
# -----------


def test_the_example_shows_correct_code_and_incorrect_code(capsys):
    runpy.run_path(str(EXAMPLES / "check_your_layer.py"))
    reports = capsys.readouterr().out.split("\n\n")
    statuses = [report.splitlines()[0].split(": ")[1] for report in reports]
    functions, attributes = ["correct", "INCORRECT"], ["correct", "INCORRECT"]
    assert statuses == ["correct", *["INCORRECT"] * 3, *functions, *attributes]
    assert "mean missing" in reports[1]
