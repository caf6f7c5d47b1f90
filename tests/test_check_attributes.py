"""check_attributes: layers that keep parameters and gradients on themselves, good and bad."""

import numpy as np
import pytest
from corpora.attributes import (
    BREACHES,
    GRADS,
    KINDS,
    N_CLASSES,
    Adds,
    AddsAnew,
    Closed,
    Dicts,
    Embedding,
    Forward,
    Linear,
    NamedGradient,
    NoDx,
    Pair,
    ReadsVector,
    ReLU,
    TransposedCopy,
    Views,
    X,
)
from hypothesis import given
from hypothesis import strategies as st

from numpycnn import check_attributes, check_gradients
from numpycnn.checks.strategies import ids, layers_and_inputs


def names_and_statuses(report):
    return {result.name: result.status for result in report.results}


def names(report):
    return [mistake.name for mistake in report.mistakes]


# Any layer in this form
# ----------------------


class Keeper:
    """A layer of this package that keeps its parameters, cache and gradients as attributes."""

    def __init__(self, layer):
        self.layer = layer
        for name, array in layer.params.items():
            setattr(self, name, array)

    @property
    def here(self):
        return self.layer.with_params({name: getattr(self, name) for name in self.layer.params})

    def forward(self, x):
        y, self.cache = self.here.forward(x)
        return y

    def backward(self, dy):
        dx, grads = self.here.backward(dy, self.cache)
        for name, grad in grads.items():
            setattr(self, f"d{name}", grad)
        return dx


@given(layers_and_inputs(), st.integers(0, 100), st.booleans())
def test_a_correct_layer_is_correct(case, seed, stateful):
    layer, x = case
    grads = {name: f"d{name}" for name in layer.params}
    report = check_attributes(Keeper(layer), x, grads, stateful=stateful, rng=seed)
    assert report.status == check_gradients(layer, x, rng=seed).status != "incorrect"


# Gradients
# ---------


def halved(kind, which):
    """The same class with half the gradient."""

    class Halved(kind):
        def backward(self, dy):
            dx = super().backward(dy)
            getattr(self, which)[...] *= 0.5
            return dx

    return Halved


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("used", [False, True])
def test_gradients_are_those_of_one_call(kind, dtype, used):
    layer = kind(dtype)
    if used:  # in a training before
        layer.backward(layer.forward(X.astype(dtype)))
    before = layer.W.copy(), getattr(layer, "dW", np.zeros(0)).copy()
    report = check_attributes(layer, X, GRADS, rng=0)
    assert report.ok, str(report)
    assert max(result.error for result in report.results) < 1e-12
    assert any("dW" in note for note in report.notes) == (
        kind in (Adds, AddsAnew, Dicts, Views, ReadsVector)
    )
    for array, kept in zip((layer.W, getattr(layer, "dW", np.zeros(0))), before, strict=True):
        assert np.array_equal(array, kept)  # the caller's layer is left alone
    for which in "dW", "db":
        report = check_attributes(halved(kind, which)(dtype), X, GRADS, rng=0)
        assert names_and_statuses(report) == {
            name: "incorrect" if GRADS.get(name) == which else "correct"
            for name in ("input", "W", "b")
        }


def test_a_gradient_of_an_earlier_call_is_not_taken_for_this_one():
    class Once(Linear):
        def backward(self, dy):
            return dy @ self.W.T if hasattr(self, "dW") else super().backward(dy)

    layer = Once()
    layer.backward(layer.forward(X))
    assert names_and_statuses(check_attributes(layer, X, GRADS, rng=0))["W"] == "incorrect"


def test_a_gradient_that_is_dy_itself():
    class Shift:
        def __init__(self):
            self.b = np.ones(X.shape)

        def forward(self, x):
            return x + self.b

        def backward(self, dy):
            self.db = dy
            return dy

    class FirstRow(Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.db = dy[0]
            return dx

    assert check_attributes(Shift(), X, {"b": "db"}, rng=0).ok
    assert names_and_statuses(check_attributes(FirstRow(), X, GRADS, rng=0))["b"] == "incorrect"


# Where the parameters are
# ------------------------


def test_a_parameter_that_forward_reads_from_a_closure():
    assert check_attributes(Closed(), X, GRADS, rng=0).ok
    report = check_attributes(halved(Closed, "dW")(), X, GRADS, rng=0)
    assert names_and_statuses(report) == {"input": "correct", "W": "incorrect", "b": "correct"}


def test_a_copy_of_a_parameter_that_is_kept():
    report = check_attributes(TransposedCopy(), X, GRADS, rng=0)
    assert names_and_statuses(report)["input"] == "incorrect"


# Breaches of the contract
# ------------------------


@pytest.mark.parametrize("kind", BREACHES)
def test_a_breach_is_incorrect_and_with_stateful_a_note(kind):
    grads = GRADS if issubclass(kind, Linear) else None
    report = check_attributes(kind(), X, grads, rng=0)
    assert report.status == "incorrect"
    assert names(report) == [BREACHES[kind]]
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    report = check_attributes(kind(), X, grads, stateful=True, rng=0)
    assert report.ok, str(report)
    assert [note for note in report.notes if note.startswith(f"{BREACHES[kind]}: ")]
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("kind", [*BREACHES, ReLU, Linear])
@pytest.mark.parametrize("stateful", [False, True])
def test_stateful_hides_no_incorrect_gradient(kind, stateful):
    class Wrong(kind):
        def backward(self, dy):
            return 2 * super().backward(dy)

    grads = GRADS if issubclass(kind, Linear) else None
    report = check_attributes(Wrong(), X, grads, stateful=stateful, rng=0)
    assert report.status == "incorrect"
    if stateful:
        assert names_and_statuses(report)["input"] == "incorrect"


def test_stateful_changes_nothing_for_a_layer_without_a_breach():
    report = check_attributes(Linear(), X, GRADS, stateful=True, rng=0)
    assert report == check_attributes(Linear(), X, GRADS, rng=0)
    assert not report.notes


# What is checked
# ---------------


def test_an_array_that_is_not_listed_is_named():
    report = check_attributes(Linear(), X, {"W": "dW"}, rng=0)
    assert report.ok
    assert report.notes == ("b is not in grads, so its gradient was not checked",)
    assert report.notes[0] in " ".join(str(report).split())
    assert report.to_dict()["notes"] == [*report.notes]


def test_only_and_skip():
    report = check_attributes(NoDx(), X, GRADS, skip="input", rng=0)
    assert names_and_statuses(report) == {"W": "correct", "b": "correct"}
    for options in {"only": "W"}, {"skip": ("b", "input")}:
        report = check_attributes(halved(NoDx, "db")(), X, GRADS, rng=0, **options)
        assert names_and_statuses(report) == {"W": "correct"}
        assert not report.notes
    report = check_attributes(halved(NoDx, "dW")(), X, GRADS, only="W", rng=0)
    assert names_and_statuses(report) == {"W": "incorrect"}


@given(ids(N_CLASSES), st.integers(0, 9))
def test_ids(numbers, seed):
    class Once(Embedding):
        def backward(self, dy):
            self.dW = np.zeros_like(self.W)
            self.dW[self.numbers] += dy

    options = {"grads": {"W": "dW"}, "skip": "input", "rng": seed}
    assert names_and_statuses(check_attributes(Embedding(), numbers, **options)) == {"W": "correct"}
    if len(np.unique(numbers)) < numbers.size:
        assert not check_attributes(Once(), numbers, **options).ok


# Bad input
# ---------


def with_attribute(**values):
    layer = Linear()
    vars(layer).update(values)
    return layer


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layer": Linear}, r"the class Linear.*Linear\(\.\.\.\)"),
        ({"layer": Forward()}, "backward.*Forward"),
        ({"layer": with_attribute(b=0.5)}, r"\bb\b.*float"),
        ({"layer": with_attribute(b=np.zeros(2, int))}, r"\bb\b.*int64"),
        ({"layer": with_attribute(b=np.ma.masked_less([1.0, -1.0], 0))}, r"\bb\b.*mask"),
        ({"layer": with_attribute(b=np.array([0, np.nan]))}, r"\bb\b.*nan.*\[1\]"),
        ({"layer": NamedGradient()}, "dW.*str"),
        ({"stateful": "no"}, "stateful.*'no'"),
        ({"layer": Pair()}, "Pair.forward.*tuple"),
        ({"layer": NoDx()}, "NoDx.*dx.*NoneType.*skip='input'"),
        ({"layer": Embedding(), "x": np.arange(3), "grads": {"W": "dW"}}, "x .*skip='input'"),
        ({"grads": {"V": "dV"}}, "Linear.*'V'.* W, b"),
        ({"grads": {"W": "dV"}}, "dV.* W.*dW, db"),
        (
            {"layer": with_attribute(input=X.copy(), dx=X.copy()), "grads": {"input": "dx"}},
            "grads.*'input'",
        ),
        ({"skip": "w"}, r"skip .*'input', 'W', 'b'.*'w'"),
        *(({"x": x}, "x") for x in (X * np.nan, X[:0], [[1.0, 2.0], [3.0]], X + 0j, "x")),
    ],
)
def test_bad_input_is_refused(change, words):
    arguments = {"layer": Linear(), "x": X, "grads": GRADS, **change}
    with pytest.raises((TypeError, ValueError), match=f"(?s){words}"):
        check_attributes(arguments.pop("layer"), arguments.pop("x"), **arguments)
