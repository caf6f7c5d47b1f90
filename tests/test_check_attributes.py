"""check_attributes: layers that keep parameters and gradients on themselves, good and bad."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpycnn import Sequential, check_attributes, check_gradients
from numpycnn.checks.bugs import PLANTED_BUGS, typical_case
from numpycnn.checks.strategies import ids, layers_and_inputs
from numpycnn.layers import Layer
from numpycnn.training import Adam

X = np.random.default_rng(0).standard_normal((4, 3))
GRADS = {"W": "dW", "b": "db"}
N_CLASSES = 5


def names_and_statuses(report):
    return {result.name: result.status for result in report.results}


def names(report):
    return [mistake.name for mistake in report.mistakes]


class Linear:
    """The commonest form."""

    def __init__(self, dtype=np.float64):
        rng = np.random.default_rng(1)
        self.W, self.b = rng.standard_normal((3, 2)).astype(dtype), np.zeros(2, dtype)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


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


# Forward runs again before each backward, so a changed cache does no harm.
HARMLESS = ("relu_changes_cache",)


@pytest.mark.parametrize(
    "name",
    [n for n, b in PLANTED_BUGS.items() if b.part not in (Adam, Sequential) and n not in HARMLESS],
)
def test_no_planted_bug_passes(name):
    subject, x = typical_case(PLANTED_BUGS[name], np.random.default_rng(0))
    if not isinstance(subject, Layer):
        return
    grads = {name: f"d{name}" for name in subject.params}
    with np.errstate(all="ignore"):
        expected = check_gradients(subject, x, rng=0).ok
        try:
            found = check_attributes(Keeper(subject), x, grads, rng=0).ok
        except ValueError:  # a gradient that is not computed
            found = False
    assert found <= expected


# Gradients
# ---------


class Adds(Linear):
    """Gradients in arrays that are made once and added to."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def backward(self, dy):
        self.dW += self.x.T @ dy
        self.db += dy.sum(axis=0)
        return dy @ self.W.T


class AddsAnew(Adds):
    def backward(self, dy):
        self.dW = self.dW + self.x.T @ dy
        self.db = self.db + dy.sum(axis=0)
        return dy @ self.W.T


class Fills(Adds):
    """The same arrays each time."""

    def backward(self, dy):
        self.dW[...] = self.x.T @ dy
        np.sum(dy, axis=0, out=self.db)
        return dy @ self.W.T


class Dicts(Linear):
    """The arrays are in dicts, and the attributes are the same arrays."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.weights = {"W": self.W, "b": self.b}
        self.gradients = {"W": np.zeros_like(self.W), "b": np.zeros_like(self.b)}
        self.dW, self.db = self.gradients.values()

    def forward(self, x):
        self.x = x
        return x @ self.weights["W"] + self.weights["b"]

    def backward(self, dy):
        self.gradients["W"] += self.x.T @ dy
        self.gradients["b"] += dy.sum(axis=0)
        return dy @ self.weights["W"].T


class Views(Linear):
    """Parameters and gradients are views of two vectors."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.theta = np.concatenate([self.W.ravel(), self.b])
        self.gradient = np.zeros(8, dtype)
        self.W, self.b = self.theta[:6].reshape(3, 2), self.theta[6:]
        self.dW, self.db = self.gradient[:6].reshape(3, 2), self.gradient[6:]

    def backward(self, dy):
        self.gradient[:6] += (self.x.T @ dy).ravel()
        self.gradient[6:] += dy.sum(axis=0)
        return dy @ self.W.T


def halved(kind, which):
    """The same class with half the gradient."""

    class Halved(kind):
        def backward(self, dy):
            dx = super().backward(dy)
            getattr(self, which)[...] *= 0.5
            return dx

    return Halved


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [Linear, Adds, AddsAnew, Fills, Dicts, Views])
@pytest.mark.parametrize("used", [False, True])
def test_gradients_are_those_of_one_call(kind, dtype, used):
    layer = kind(dtype)
    if used:  # in a training before
        layer.backward(layer.forward(X.astype(dtype)))
    before = layer.W.copy(), getattr(layer, "dW", np.zeros(0)).copy()
    report = check_attributes(layer, X, GRADS, rng=0)
    assert report.ok, str(report)
    assert max(result.error for result in report.results) < 1e-12
    assert any("dW" in note for note in report.notes) == (kind in (Adds, AddsAnew, Dicts, Views))
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


def test_one_array_under_two_names():
    class Square:
        def __init__(self):
            self.W = self.V = np.random.default_rng(0).standard_normal((3, 3))

        def forward(self, x):
            self.x = x
            return x @ self.W @ self.V

        def backward(self, dy):
            self.dW, self.dV = self.x.T @ dy @ self.V.T, (self.x @ self.W).T @ dy
            return dy @ self.V.T @ self.W.T

    grads = {"W": "dW", "V": "dV"}
    assert check_attributes(Square(), X, grads, rng=0).ok
    exchanged = check_attributes(Square(), X, {"W": "dV", "V": "dW"}, rng=0)
    assert names_and_statuses(exchanged) == {
        "input": "correct",
        "W": "incorrect",
        "V": "incorrect",
    }


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


@pytest.mark.parametrize("shape", [(4, 2), (1, 2), ()])
def test_a_gradient_of_another_shape_is_incorrect(shape):
    class Shaped(Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.db = np.zeros(shape)
            return dx

    assert names(check_attributes(Shaped(), X, GRADS, rng=0)) == ["wrong shape"]


# Where the parameters are
# ------------------------


class Locked(Linear):
    """An attribute that cannot be copied."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.lock = threading.Lock()


class Closed(Linear):
    """Forward reads the array from a closure, where no copy of the layer has its own."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        w = self.W
        self.product = lambda x: x @ w

    def forward(self, x):
        self.x = x
        return self.product(x) + self.b


class ReadsVector(Views):
    """Forward reads the vector of which the attributes are views."""

    def forward(self, x):
        self.x = x
        return x @ self.theta[:6].reshape(3, 2) + self.theta[6:]


class TransposedView(Linear):
    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.transposed = self.W.T

    def backward(self, dy):
        super().backward(dy)
        return dy @ self.transposed


class TransposedCopy(TransposedView):
    """Correct until the first step of an optimizer."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.transposed = self.W.T.copy()


@pytest.mark.parametrize("kind", [Locked, Closed, ReadsVector, TransposedView])
def test_parameters_in_other_places(kind):
    assert check_attributes(kind(), X, GRADS, rng=0).ok
    report = check_attributes(halved(kind, "dW")(), X, GRADS, rng=0)
    assert names_and_statuses(report) == {"input": "correct", "W": "incorrect", "b": "correct"}


def test_a_copy_of_a_parameter_that_is_kept():
    report = check_attributes(TransposedCopy(), X, GRADS, rng=0)
    assert names_and_statuses(report)["input"] == "incorrect"


# Breaches of the contract
# ------------------------


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * (self.x > 0)


class ChangesDy(ReLU):
    def backward(self, dy):
        dy[self.x <= 0] = 0
        return dy


class ChangesX(ReLU):
    def forward(self, x):
        self.x = x.copy()
        x[self.x < 0] = 0
        return x


class Counts(ReLU):
    n = 0

    def forward(self, x):
        self.n += 1
        return self.n * super().forward(x)

    def backward(self, dy):
        return self.n * super().backward(dy)


class Drops(ReLU):
    """Dropout that draws from NumPy's global generator, or from one of its own."""

    draw = staticmethod(np.random.random)

    def forward(self, x):
        self.x = x
        self.mask = 2 * (self.draw(x.shape) < 0.5)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DropsItsOwn(Drops):
    def __init__(self):
        self.draw = np.random.default_rng(0).random


class Buffers(ReLU):
    def forward(self, x):
        y = super().forward(x)
        if not hasattr(self, "y") or self.y.dtype != y.dtype:
            self.y = np.zeros_like(y)
        self.y[...] = y
        return self.y


class BuffersDx(ReLU):
    dx = np.zeros(X.shape)

    def backward(self, dy):
        if self.dx.shape != dy.shape:
            self.dx = np.zeros(dy.shape)
        self.dx[...] = super().backward(dy)
        return self.dx


class Updates(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W -= 0.1 * self.dW
        return dx


class UpdatesAnew(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W = self.W - 0.1 * self.dW
        return dx


class Normalizes(Linear):
    """Forward changes a parameter, as an early weight normalization does."""

    def forward(self, x):
        self.b = self.b + 1
        return super().forward(x)


BREACHES = {
    ChangesDy: "argument changed",
    ChangesX: "argument changed",
    Counts: "random",
    Drops: "random",
    DropsItsOwn: "random",
    Buffers: "output overwritten",
    BuffersDx: "output overwritten",
    Updates: "argument changed",
    UpdatesAnew: "argument changed",
    Normalizes: "argument changed",
}


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
    class NoDx(Linear):
        def backward(self, dy):
            super().backward(dy)

    report = check_attributes(NoDx(), X, GRADS, skip="input", rng=0)
    assert names_and_statuses(report) == {"W": "correct", "b": "correct"}
    for options in {"only": "W"}, {"skip": ("b", "input")}:
        report = check_attributes(halved(NoDx, "db")(), X, GRADS, rng=0, **options)
        assert names_and_statuses(report) == {"W": "correct"}
        assert not report.notes
    report = check_attributes(halved(NoDx, "dW")(), X, GRADS, only="W", rng=0)
    assert names_and_statuses(report) == {"W": "incorrect"}
    with pytest.raises(TypeError, match=r"NoDx.*dx.*NoneType.*skip='input'"):
        check_attributes(NoDx(), X, GRADS)


class Embedding:
    def __init__(self):
        self.W = np.random.default_rng(0).standard_normal((N_CLASSES, 2))

    def forward(self, numbers):
        self.numbers = numbers
        return self.W[numbers]

    def backward(self, dy):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.numbers, dy)


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


def test_ids_without_skip():
    with pytest.raises(TypeError, match=r"check_attributes: x .*skip='input'"):
        check_attributes(Embedding(), np.arange(3), {"W": "dW"})


# Bad input
# ---------


class Pair(Linear):
    def forward(self, x):
        return super().forward(x), x


class Forward:
    forward = Linear.forward


def with_attribute(**values):
    layer = Linear()
    vars(layer).update(values)
    return layer


@pytest.mark.parametrize(
    ("layer", "grads", "error", "match"),
    [
        (Linear, GRADS, TypeError, r"the class Linear.*Linear\(\.\.\.\)"),
        (Forward(), None, TypeError, "method backward, got Forward"),
        (lambda x: x, None, TypeError, "method forward, got function"),
        (Linear(), {"V": "dV"}, ValueError, "Linear, got 'V'.* W, b"),
        (Linear(), {"W": "dV"}, ValueError, "dV, the gradient of W, .*dW, db"),
        (Linear(), ["W", "b"], TypeError, "grads must be a mapping.*list"),
        (Linear(), {"W": Linear}, TypeError, "grads must map names to names, got 'W'"),
        (Linear(), {"input": "dx"}, ValueError, "grads .*'input'"),
        (with_attribute(b=0.5), GRADS, TypeError, "b must be an array of floats, got float"),
        (with_attribute(b=[0, 0]), GRADS, TypeError, "b must be an array of floats, got list"),
        (with_attribute(b=np.zeros(2, int)), GRADS, TypeError, "b must .* got ndarray int64"),
        (Pair(), GRADS, TypeError, "Pair.forward must return an array of floats, got tuple"),
        (with_attribute(forward=lambda x: None), GRADS, TypeError, "forward.*NoneType"),
    ],
)
def test_bad_input_is_refused(layer, grads, error, match):
    with pytest.raises(error, match=match):
        check_attributes(layer, X, grads)


@pytest.mark.parametrize("x", [X * np.nan, X[:0], [[1.0, 2.0], [3.0]], X + 0j, "x"])
def test_a_bad_x_is_refused(x):
    with pytest.raises((TypeError, ValueError), match="check_attributes"):
        check_attributes(Linear(), x, GRADS)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"skip .*'input', 'W', 'b', got 'w'"):
        check_attributes(Linear(), X, GRADS, skip="w")
