"""Evidence: the data about one incorrect gradient.

The raw material is `columns`, the derivative of every output with respect to every entry. Weighted
with the upstream gradient `dy` and summed it is the gradient; summed in part, it is the gradient of
a loop that leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.case import Case, largest
from numpycnn.checks.derivatives import Method
from numpycnn.checks.directions import levelled
from numpycnn.checks.entries import Entries
from numpycnn.checks.kinks import summed

SAME = 1e-7
"""Relative difference up to which two gradients count as the same."""


# Names of the axes, by their number; an array of four axes is a batch of pictures.

PARTS = {
    2: ("trace", "output"),
    3: ("trace", "window", "channel"),
    4: ("picture", "row", "column", "channel"),
}
INPUT_AXES = {
    2: ("the traces", "the inputs"),
    3: ("the traces", "the samples", "the channels"),
    4: ("the pictures", "the rows", "the columns", "the channels"),
}
WEIGHT_AXES = {
    2: ("the inputs", "the outputs"),
    3: ("the taps", "the channels", "the filters"),
    4: ("the rows of taps", "the columns of taps", "the channels", "the filters"),
}

LETTERS_IN = {1: ["D"], 2: ["N", "D"], 3: ["N", "L", "C"], 4: ["N", "H", "W", "C"]}
LETTERS_OUT = {3: ["M", "F"], 4: ["H_out", "W_out", "F"]}
"""Names of the sizes of an input, and of an output after N; four axes belong to a picture."""


class Evidence(NamedTuple):
    """The data about one incorrect gradient."""

    name: str  # "input", or the name of the parameter
    actual: Array  # the gradient that backward returned
    expected: Array  # the derivative
    columns: Array  # (*expected.shape, *y.shape): the derivative of each output by each entry
    dy: Array  # the upstream gradient
    y: Array  # the output
    arrays: Params  # the input and the parameters
    sizes: dict[str, int]  # N, L, C, M, F … of this case
    right_with: Callable[[Params], Array]  # the derivative with other arrays
    blind: Array | None = None  # the derivative without the terms that are not analytic
    is_sample: bool = False  # whether these are some entries of a large array, in a row
    doubled: Callable[[], list[Doubled]] = list  # the same with more rows, samples or channels
    same: float = SAME  # relative difference up to which two gradients count as the same

    @classmethod
    def of(
        cls,
        case: Case,
        name: str,
        method: Method,
        found: Entries,
        is_blind: bool,
        rng: np.random.Generator,
    ) -> Evidence:
        """Collect the data about the gradient for one array of a case."""
        shape, arrays = case.arrays[name].shape, case.arrays
        if is_sample := len(found.places) < case.arrays[name].size:
            shape = (len(found.places),)
            arrays = {**arrays, name: np.array([arrays[name][place] for place in found.places])}

        def gradient(case: Case, method: Method) -> Array:
            columns = case.columns(method, name, found.places)
            return summed(case.dy * columns.middle, 1).reshape(shape)

        return cls(
            name,
            found.actual.reshape(shape),
            found.expected.reshape(shape),
            found.columns.middle.reshape(*shape, *case.dy.shape),
            case.dy,
            case.output,
            arrays,
            sizes(case),
            lambda others: gradient(replace(case, arrays=others), method),
            gradient(case, "complex") if is_blind else None,
            is_sample,
            lambda: [
                Doubled.of(case, name, method, rng, axis) for axis in range(arrays["input"].ndim)
            ],
            float(np.clip(np.max(found.noise) / largest(found.expected), SAME, 1e-2)),
        )

    def partial(self, dy: Array) -> Array:
        """The gradient for another upstream gradient."""
        axes = tuple(range(self.expected.ndim, self.columns.ndim))
        return np.asarray((self.columns * dy).sum(axis=axes))

    def axis_names(self) -> tuple[str, ...]:
        """Names of the axes of the gradient."""
        known = INPUT_AXES if self.name == "input" else WEIGHT_AXES
        n_axes = self.expected.ndim
        return known.get(n_axes, tuple(f"axis {i}" for i in range(n_axes)))

    def is_pooling(self) -> bool:
        """Whether each output is one of the inputs, or a mean of some."""
        weights = self.columns.sum(axis=tuple(range(self.expected.ndim)))
        return bool((self.columns >= -SAME).all() and np.allclose(weights, 1, atol=SAME))

    def explained_by(self, gradient: Array) -> bool:
        """Whether backward returned this gradient, and it is not the correct one."""
        return same(self.actual, gradient, self.same) and not same(
            self.expected, gradient, self.same
        )


class Doubled(NamedTuple):
    """The same comparison with an input of twice the size along one axis."""

    factor: float | None  # between backward and the derivative; None if it is not known
    sizes: dict[str, int]

    @classmethod
    def of(
        cls, case: Case, name: str, method: Method, rng: np.random.Generator, axis: int
    ) -> Doubled:
        """Compare along one direction; the layer may accept the given sizes only."""
        x = case.arrays["input"]
        again = x if axis == 0 or x.dtype.kind != "f" else 0.999 * x  # no two equal maxima
        twice = case.at({**case.arrays, "input": np.concatenate([x, again], axis)}, rng)
        if twice is None:
            return cls(None, {})
        try:
            actual = twice.gradients[name]
            along = levelled(actual, rng)
            slopes = twice.derivative(method, {name: along})
        except Exception:  # whatever a layer raises for other sizes
            return cls(None, {})
        with np.errstate(all="ignore"):
            factor = float((actual * along).sum() / (twice.dy * slopes.middle).sum())
        return cls(factor, sizes(twice))

    def follows(self, letter: str, size: int, is_product: bool) -> bool:
        """Whether a factor, where it is known, changes with this size."""
        size = self.sizes.get(letter, size)
        expected = size if is_product else 1 / size
        return self.factor is None or bool(np.isclose(self.factor, expected, rtol=1e-2))


def sizes(case: Case) -> dict[str, int]:
    """The sizes by their letters, and products of them over which one takes a mean."""
    x_shape, y_shape = case.arrays["input"].shape, case.dy.shape
    found = dict(zip(LETTERS_IN.get(len(x_shape), ()), x_shape, strict=False))
    found |= dict(zip(LETTERS_OUT.get(len(y_shape), ()), y_shape[1:], strict=False))
    for letter, name in (("K", "kernel_size"), ("P", "pool_size")):
        window = np.asarray(getattr(case.layer, name, None))
        if window.dtype.kind in "iu" and window.size:  # one size for all directions, or each
            found[letter] = int(window.flat[0])
            if len(x_shape) == 4:
                found[f"{letter}·{letter}"] = int(np.broadcast_to(window, 2).prod())
    for height, width in (("H", "W"), ("H_out", "W_out")):
        if height in found:
            found[f"{height}·{width}"] = found[height] * found[width]
    for places in ("M", "L", "D", "H·W", "H_out·W_out"):
        if "N" in found and places in found:
            found[f"N·{places}"] = found["N"] * found[places]
    return found


def same(a: Array, b: Array, tolerance: float = SAME) -> bool:
    """Whether two gradients agree, relative to the largest entry of both."""
    size = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))))
    return bool(np.max(np.abs(a - b)) <= tolerance * size)
