"""What a reader is told of each animal of the zoo, and of some that are no animals.

`reports.txt` holds it, with numbers masked. To see what a change does to it, and keep that:

    python tests/test_reports.py && git diff tests/reports.txt
"""

import re
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
from wrong_layers import WRONG

from numpycnn import Adam, Conv1D, Dense, MaxPool1D, ReLU, Softmax, check_adam, check_gradients
from numpycnn.checks import bugs
from numpycnn.layers import Layer

REPORTS = Path(__file__).with_name("reports.txt")


FROM_OTHERS = (
    "PermuteTwice SortTwice SkipForgotten OneTrace EmbeddingOverwritten StaleResult CachePopped "
    "ReusedGradient ComplexGradient LeakyAsReLU TanhOfInput MovingAverageOverwritten "
    "ClipTransparent UpsampleFirst NotThroughTime ScalePerTrace GradientChanged "
    "ParameterChanged"
)


class HalfPrecision(Layer):
    """Computes forward in float16, so that no derivative of it is known well."""

    def forward(self, x):
        return np.tanh(x.real.astype(np.float16)).astype(float), x

    def backward(self, dy, cache):
        return dy * (1 - np.tanh(cache) ** 2), {}


class Spoilt(Layer):
    """A layer of which one gradient is changed before it is handed on."""

    def __init__(self, layer, name, change):
        super().__init__(**layer.params)
        self.layer, self.name, self.change = layer, name, change

    def inside(self):
        return self.layer.with_params(self.params)

    def forward(self, x):
        return self.inside().forward(x)

    def backward(self, dy, cache):
        dx, grads = self.inside().backward(dy, cache)
        if self.name == "input":
            return self.change(dx), grads
        return dx, {**grads, self.name: self.change(grads[self.name])}


class Gate(Layer):
    """y = x tanh(x), and a parameter that nobody uses; backward takes one factor for constant."""

    def __init__(self, forgets):
        super().__init__(w=np.ones(2))
        self.forgets = forgets

    def forward(self, x):
        return x * np.tanh(x), x

    def backward(self, dy, x):
        gate, slope = np.tanh(x), 1 - np.tanh(x) ** 2
        dx = dy * (x * slope if self.forgets == "x" else gate)
        return dx, {"w": dy.reshape(-1, 2)[0]}


class MaskOfDy(Layer):
    """A matrix product that lets only positive gradients through."""

    def __init__(self, rng):
        super().__init__(w=rng.standard_normal((3, 3)))

    def forward(self, x):
        return x @ self.params["w"], x

    def backward(self, dy, x):
        return np.where(dy > 0, dy, 0) @ self.params["w"].T, {"w": x.T @ dy}


class Scribbles(Layer):
    """Doubles its input and its scale where they lie."""

    def __init__(self):
        super().__init__(w=np.array([3.0]))

    def forward(self, x):
        x *= 2
        self.params["w"] *= 2
        return x * self.params["w"], x

    def backward(self, dy, x):
        return dy * self.params["w"], {"w": np.array([(dy * x).sum()])}


class FirstSlope(Layer):
    """Squares, with the slope at the first x that backward ever saw."""

    def forward(self, x):
        return x * x, x

    def backward(self, dy, x):
        self.slope = getattr(self, "slope", 2 * x)
        return dy * self.slope, {}


def shifted(step, axis):
    """Move by one place, with zeros where nothing comes from."""

    def change(gradient):
        gradient = np.moveaxis(gradient, axis, 0)
        moved = np.zeros_like(gradient)
        if step > 0:
            moved[1:] = gradient[:-1]
        else:
            moved[:-1] = gradient[1:]
        return np.moveaxis(moved, 0, axis)

    return change


def nan_in_two(gradient):
    gradient = gradient.copy()
    gradient.ravel()[:2] = np.nan
    return gradient


SPOILT = {
    "a place too late": ("w", shifted(1, 0)),
    "a place too early": ("w", shifted(-1, 0)),
    "a sample too late": ("input", shifted(1, 1)),
    "a sample too early": ("input", shifted(-1, 1)),
    "two of them NaN": ("w", nan_in_two),
    "five digits": (
        "w",
        lambda gradient: gradient * (1 + 1e-6 * np.arange(len(gradient))[:, None, None]),
    ),
    "times 3.5": ("w", lambda gradient: 3.5 * gradient),
    "flipped": ("input", lambda gradient: gradient[:, ::-1]),
    "channels exchanged": ("w", lambda gradient: gradient[:, ::-1]),
    "filters exchanged": ("w", lambda gradient: gradient[..., ::-1]),
    "traces exchanged": ("input", lambda gradient: gradient[::-1]),
}


def everything():
    """Every report, in order."""
    for name, bug in bugs.PLANTED_BUGS.items():
        yield name, bugs.examine(bug, rng=0)
    x = np.random.default_rng(0).standard_normal((2, 6, 2))
    yield "a right layer", check_gradients(ReLU(), x, rng=0)
    yield "ties", check_gradients(MaxPool1D(3, stride=1), np.round(x), rng=0)
    yield "vanished", check_gradients(Softmax(), np.array([[0.0, 1000.0]]), rng=0)
    far = bugs.PLANTED_BUGS["softmax_plain_mean"].broken()
    yield "wrong, and hidden", check_gradients(far, np.array([[0.0, 1000.0]]), rng=0)
    yield "low precision", check_gradients(HalfPrecision(), x, rng=0)
    for name, (spoilt, change) in SPOILT.items():
        conv = Conv1D(2, 3, 4, rng=0).astype(float)
        yield name, check_gradients(Spoilt(conv, spoilt, change), x, rng=0)
    dense = Dense(3, 4, rng=0).astype(float)
    x = np.random.default_rng(0).standard_normal((5, 3))
    spoilt = Spoilt(dense, "input", lambda gradient: gradient[::-1])
    yield "traces of a table exchanged", check_gradients(spoilt, x, rng=0)
    yield "the mask of dy", check_gradients(MaskOfDy(np.random.default_rng(0)), x, rng=0)
    yield "a factor constant", check_gradients(Gate("gate"), x[:4, :2], rng=0)
    yield "the other factor constant", check_gradients(Gate("x"), x[:4, :2], rng=0)
    yield "two arrays changed", check_gradients(Scribbles(), x, rng=0)
    yield "the slope kept", check_gradients(FirstSlope(), x, rng=0)
    yield "a right optimizer", check_adam(Adam, rng=0)
    yield "an optimizer without a name", check_adam(partial(Adam), rng=0)
    for name in FROM_OTHERS.split():
        subject, x = WRONG[name].case(np.random.default_rng(0))
        yield name, check_gradients(subject, x, rng=0)


def entries():
    """All of them as text, a # for every number, each note on one line."""
    for name, report in everything():
        text = f"{name}\n{report}\n".replace("\n        ", " ")
        yield re.sub(r"-?\d+(\.\d+)?(e[-+]\d+)?", "#", text)


def test_the_reports_are_those_that_were_read_and_found_good():
    kept = REPORTS.read_text(encoding="utf-8").split("\n\n")
    for entry, then in zip_longest(entries(), kept):
        assert entry is not None, f"no longer reported:\n{then}"
        assert entry.rstrip() == (then or "").rstrip()


if __name__ == "__main__":
    REPORTS.write_text("\n".join(entries()), encoding="utf-8")
