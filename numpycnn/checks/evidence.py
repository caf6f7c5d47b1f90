"""Evidence: the data about one incorrect gradient.

The raw material is `columns`, the derivative of every output with respect to every entry. Weighted
with the upstream gradient `dy` and summed it is the gradient; summed in part, it is the gradient of
a loop that leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arrays import changed, largest
from numpycnn.checks.case import Case
from numpycnn.checks.derivatives import Method
from numpycnn.checks.directions import error_along, levelled, random_direction
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
    is_used: Callable[[], bool] = bool  # whether any change of the array changes the output
    is_linear: Callable[[], bool] = bool  # whether backward is linear in dy
    is_times: Callable[[float], bool] = bool  # whether this factor holds for the entries left out

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
        """Collect the data about the gradient for one array of a case.

        Here backward forgot the derivative of `abs`, as does the complex step:

        >>> from types import SimpleNamespace
        >>> from numpycnn.checks.entries import EntryByEntry
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (x * np.abs(x), x),
        ...     backward=lambda dy, x: (dy * np.abs(x), {}),
        ...     params={},
        ... )
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(layer, np.array([[1.0, 2.0], [3.0, 4.0]]), rng)
        >>> case.dy[:] = 10
        >>> def of(*places, noise=0.0, is_blind=True):
        ...     each = EntryByEntry(case, "input", "central", 1e-4, rng)
        ...     found = each.compare(case.gradients["input"], [*places])
        ...     found = found._replace(noise=np.array([0, noise]))
        ...     return Evidence.of(case, "input", "central", found, is_blind, rng)

        >>> e = of((0, 0), (0, 1), (1, 0), (1, 1), is_blind=False)
        >>> e.actual.tolist(), e.expected.round(6).tolist(), e.blind
        ([[10.0, 20.0], [30.0, 40.0]], [[20.0, 40.0], [60.0, 80.0]], None)
        >>> e.right_with({"input": 3 * case.arrays["input"]}).round(6).tolist()
        [[60.0, 120.0], [180.0, 240.0]]
        >>> [round(twice.factor, 6) for twice in e.doubled()], e.is_times(0.5), e.is_sample
        ([0.5, 0.5], True, False)

        Of a large array these are some entries, in a row:

        >>> e = of((0, 1), (1, 1))
        >>> e.actual.tolist(), e.blind.tolist(), e.arrays["input"].tolist(), e.columns.shape
        ([20.0, 40.0], [20.0, 40.0], [2.0, 4.0], (2, 2, 2))
        >>> [round(of((0, 1), (1, 1), noise=noise).same, 9) for noise in (0, 0.4, 4)]
        [1e-07, 0.005, 0.01]
        """
        shape, arrays = case.arrays[name].shape, case.arrays
        n_axes = arrays["input"].ndim
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
            cache(lambda: [Doubled.of(case, name, method, rng, axis) for axis in range(n_axes)]),
            float(np.clip(np.max(found.noise) / largest(found.expected), SAME, 1e-2)),
            lambda: _is_used(case, name, rng),
            lambda: _is_linear(case, name),
            lambda factor: _is_times(case, name, method, rng, factor),
        )

    def partial(self, dy: Array) -> Array:
        """The gradient for another upstream gradient.

        >>> columns = np.array([[1, 2], [3, 4]])  # of two outputs by two entries
        >>> e = Evidence("w", columns[0], columns[0], columns, columns[0], columns[0], {}, {}, None)
        >>> e.partial(np.array([10, 100])).tolist()
        [210, 430]
        """
        axes = tuple(range(self.expected.ndim, self.columns.ndim))
        return np.asarray((self.columns * dy).sum(axis=axes))

    def axis_names(self) -> tuple[str, ...]:
        """Names of the axes of the gradient.

        >>> x = np.ones((2, 9, 4))
        >>> e = Evidence("input", x, x, x, x, x, {}, {}, None)
        >>> e.axis_names()
        ('the traces', 'the samples', 'the channels')
        >>> e._replace(name="w").axis_names()
        ('the taps', 'the channels', 'the filters')
        >>> e._replace(expected=x[0, 0]).axis_names()
        ('axis 0',)
        """
        known = INPUT_AXES if self.name == "input" else WEIGHT_AXES
        n_axes = self.expected.ndim
        return known.get(n_axes, tuple(f"axis {i}" for i in range(n_axes)))

    def factor(self) -> float:
        """The number that comes closest to what backward returned, times the derivative.

        >>> dx = np.array([1.0, 2.0])
        >>> e = Evidence("input", 3 * dx, dx, dx, dx, dx, {}, {}, None)
        >>> e.factor(), e._replace(actual=np.array([5.0, 0])).factor()
        (3.0, 1.0)
        >>> e._replace(expected=0 * dx).factor()
        0.0
        """
        square = float((self.expected * self.expected).sum())
        return float((self.expected * self.actual).sum()) / square if square else 0.0

    def terms(self) -> Array:
        """The sum of the absolute terms that make up each entry.

        >>> columns, dy = np.array([[1, -2], [3, 4]]), np.array([10, 100])
        >>> Evidence("w", dy, dy, columns, dy, dy, {}, {}, None).terms().tolist()
        [210, 430]
        """
        axes = tuple(range(self.expected.ndim, self.columns.ndim))
        return np.asarray(np.abs(self.columns * self.dy).sum(axis=axes))

    def is_average(self) -> bool:
        """Whether each output is a weighted mean of inputs, as after a maximum or a mean.

        >>> def is_average(columns):
        ...     columns = np.array(columns)
        ...     e = Evidence("", columns[0], columns[0], columns, columns, columns, {}, {}, None)
        ...     return e.is_average()

        >>> is_average([[0.25, 1], [0.75, 0]]), is_average([[-0.25, 1], [1.25, 0]])
        (True, False)
        >>> is_average([[-SAME, 1], [1 + SAME, 0]])  # up to rounding
        True
        >>> is_average([[0.5, 1], [0.4, 0]]), is_average([[0.5, 1], [0.5, 1]])
        (False, False)
        """
        weights = self.columns.sum(axis=tuple(range(self.expected.ndim)))
        is_weight = (self.columns >= -SAME).all()
        return bool(is_weight and np.allclose(weights, 1, atol=self.same))

    def is_mean(self) -> bool:
        """Whether each output is the mean of several inputs.

        >>> def is_mean(columns):
        ...     columns = np.array(columns)
        ...     e = Evidence("", columns[0], columns[0], columns, columns, columns, {}, {}, None)
        ...     return e.is_mean()

        >>> is_mean([[0.5, 0], [0.5, 0.5], [0, 0.5]]), is_mean([[0.25, 0.5], [0.75, 0.5]])
        (True, False)
        >>> is_mean([[1 - SAME, 0], [0, 1 - SAME]]), is_mean([[1, 1], [1, 1]])
        (False, False)
        """
        largest_weight = self.columns.max(axis=tuple(range(self.expected.ndim)))
        is_equal = np.isclose(self.columns, largest_weight, atol=self.same) | (self.columns == 0)
        is_one = np.max(largest_weight) >= 1 - SAME
        return self.is_average() and bool(is_equal.all() and not is_one)

    def is_mask(self, stopped: Array) -> bool:
        """Whether entries without effect could have one, unlike samples that fill no window.

        >>> def is_mask(stopped, right_with=lambda arrays: 0 * arrays["input"]):
        ...     stopped = np.array(stopped, bool)
        ...     x = np.ones(stopped.shape)
        ...     e = Evidence("input", x, x, x, x, x, {"input": x}, {}, right_with)
        ...     return e.is_mask(stopped)

        >>> is_mask([[1, 0], [0, 0]]), is_mask([[[1, 0], [0, 1]]] * 2)
        (True, True)

        The same rows or columns everywhere have no effect at other values either, if they fill no
        window:

        >>> is_mask([[1, 0], [1, 0]]), is_mask([[1, 1], [0, 0]])
        (False, False)
        >>> is_mask([[1, 1], [0, 0]], lambda arrays: np.maximum(-arrays["input"], 0))
        True
        """
        for axis in range(stopped.ndim):
            others = tuple(i for i in range(stopped.ndim) if i != axis)
            if (stopped == stopped.all(axis=others, keepdims=True)).all():
                break  # the same indices everywhere
        else:
            return True
        negated = changed(self.arrays, np.negative)
        at_others = negated, {**self.arrays, "input": negated["input"]}
        return any(self.right_with(arrays)[stopped].any() for arrays in at_others)

    def follows(self, letter: str, is_product: bool) -> bool:
        """Whether a factor changes with this size, and with no other.

        The size of a window does not change with the input: it counts for a mean over the window.
        A loss may hold a target for each row: then a factor of N is likely, and a 2 is not.

        >>> y, columns = np.ones(2), np.ones((1, 1))
        >>> def follows(letter, *doubled, n=3, is_product=True, dy=y, columns=columns):
        ...     e = Evidence("w", dy, dy[:1], columns, dy, dy, {}, {"N": n, "K": 3, "L": 3}, None)
        ...     return e._replace(doubled=lambda: [*doubled]).follows(letter, is_product)

        >>> follows("N", Doubled(6, {"N": 6})), follows("N", Doubled(3, {"N": 6}))
        (True, False)
        >>> follows("N", Doubled(6, {"N": 6}), Doubled(6, {"N": 3}))
        False
        >>> follows("N", Doubled(3, {"N": 3}))
        False
        >>> follows("N", Doubled(1 / 6, {"N": 6}), is_product=False)
        True
        >>> follows("N", Doubled(None, {}))
        False
        >>> [follows("N", n=n, dy=np.ones(1)) for n in (2, 3)], follows("L", dy=np.ones(1))
        ([False, True], False)
        >>> follows("K"), follows("K", columns=np.array([[0.5], [0.5]]))
        (False, True)
        """
        size = self.sizes[letter]
        doubled = [twice for twice in self.doubled() if twice.factor is not None]
        if not all(twice.follows(letter, size, is_product) for twice in doubled):
            return False
        if letter.startswith(("K", "P")):
            return self.is_mean()
        is_loss = self.dy.size == 1 and letter.startswith("N")
        is_tested = any(twice.sizes[letter] != size for twice in doubled)
        return is_tested or (is_loss and size > 2)

    def explained_by(self, gradient: Array) -> bool:
        """Whether backward returned this gradient, and it is not the correct one.

        >>> dx = np.array([1.0, 2.0])
        >>> e = Evidence("w", 3 * dx, dx, dx, dx, dx, {}, {}, None)
        >>> e.explained_by(3 * dx), e.explained_by(2 * dx), e._replace(actual=dx).explained_by(dx)
        (True, False, False)

        If only some entries are known, the factor must hold for the others, too:

        >>> e = e._replace(is_times=lambda factor: factor == 2)
        >>> e.explained_by(3 * dx), e._replace(is_sample=True).explained_by(3 * dx)
        (True, False)
        >>> e._replace(actual=2 * dx, is_sample=True).explained_by(2 * dx)
        True
        """
        if not same(self.actual, gradient, self.same) or same(self.expected, gradient, self.same):
            return False
        return not (self.is_sample and self.factor()) or self.is_times(self.factor())


class Doubled(NamedTuple):
    """The same comparison with an input of twice the size along one axis."""

    factor: float | None  # between backward and the derivative; None if it is not known
    sizes: dict[str, int]

    @classmethod
    def of(
        cls, case: Case, name: str, method: Method, rng: np.random.Generator, axis: int
    ) -> Doubled:
        """Compare along one direction; the layer may accept the given sizes only.

        Here backward forgot to divide by the number of rows:

        >>> from types import SimpleNamespace
        >>> def of(shape, *axes, backward=lambda dy, x: (dy + 0 * x, {})):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (x.mean(axis=0), x), backward=backward, params={}
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.ones(shape), rng)
        ...     return [Doubled.of(case, "input", "complex", rng, axis) for axis in axes]

        >>> rows, columns = of((3, 2), 0, 1)
        >>> round(rows.factor, 9), rows.sizes, round(columns.factor, 9), columns.sizes
        (6.0, {'N': 6, 'D': 2, 'N·D': 12}, 3.0, {'N': 3, 'D': 4, 'N·D': 12})
        >>> of((3, 2), 0, backward=lambda dy, x: (np.ones((3, 2)) * dy, {}))
        [Doubled(factor=None, sizes={})]
        """
        twice = case.at({**case.arrays, "input": repeated(case.arrays["input"], axis)}, rng)
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
        """Whether a factor changes with this size.

        >>> twice = Doubled(6, {"N": 6, "C": 2})
        >>> twice.follows("N", 3, True), twice.follows("C", 2, True), twice.follows("F", 6, True)
        (True, False, True)
        >>> Doubled(0.167, {"N": 6}).follows("N", 3, False)
        True
        >>> Doubled(0.2, {"N": 6}).follows("N", 3, False)
        False
        >>> Doubled(6.05, {"N": 6}).follows("N", 3, True)
        True
        >>> Doubled(6.07, {"N": 6}).follows("N", 3, True)
        False
        >>> Doubled(None, {}).follows("N", 3, True)
        False
        """
        size = self.sizes.get(letter, size)
        expected = size if is_product else 1 / size
        return self.factor is not None and bool(np.isclose(self.factor, expected, rtol=1e-2))


def _is_used(case: Case, name: str, rng: np.random.Generator) -> bool:
    """Whether the output depends on an array; the units that are zero here need other values.

    >>> from types import SimpleNamespace
    >>> def is_used(f):
    ...     layer = SimpleNamespace(forward=lambda x: (f(x), x), backward=None, params={})
    ...     rng = np.random.default_rng(0)
    ...     return _is_used(Case.of(layer, np.full(9, 5.0), rng), "input", rng)

    >>> is_used(np.sin), is_used(np.zeros_like), is_used(lambda x: x + np.nan)
    (True, False, False)
    >>> is_used(lambda x: np.minimum(x + 11, 0))  # zero for these values
    True
    """
    given, negated = case.arrays, changed(case.arrays, np.negative)
    for arrays in (given, negated, {**negated, "input": given["input"]}):
        moved = arrays[name] + largest(arrays[name]) * random_direction(arrays[name], rng)
        y = case.evaluate(arrays)
        if not np.array_equal(y, case.evaluate({**arrays, name: moved}), equal_nan=True):
            return True
    return False


def _is_linear(case: Case, name: str) -> bool:
    """Whether backward returns twice the gradient for twice the dy, and minus it for minus dy.

    >>> from types import SimpleNamespace
    >>> def is_linear(f):
    ...     layer = SimpleNamespace(
    ...         forward=lambda x: (x, x), backward=lambda dy, x: (f(dy), {}), params={}
    ...     )
    ...     return _is_linear(Case.of(layer, np.ones(2), np.random.default_rng(0)), "input")

    >>> is_linear(np.negative), is_linear(np.abs), is_linear(lambda dy: dy**3)
    (True, False, False)
    """
    actual = case.gradients[name]
    return all(
        same(replace(case, dy=factor * case.dy).gradients[name], factor * actual)
        for factor in (2, -1)
    )


def _is_times(
    case: Case, name: str, method: Method, rng: np.random.Generator, factor: float
) -> bool:
    """Whether a gradient is the correct one times a factor, along a random direction.

    >>> from numpycnn import ReLU
    >>> rng = np.random.default_rng(0)
    >>> case = Case.of(ReLU(), np.ones(1), rng)
    >>> [_is_times(case, "input", "complex", rng, 1 + off) for off in (9e-6, 1.1e-5)]
    [True, False]
    """
    actual = case.gradients[name] / factor
    error, _ = error_along(case, method, {name: actual}, {name: levelled(actual, rng)})
    return error < 1e-5


def repeated(x: Array, axis: int) -> Array:
    """Return x with its values once more along an axis; within a row no two maxima are equal.

    >>> x, ids = np.array([[1.0, 2.0]]), np.array([[3, 4]])
    >>> repeated(x, 0).tolist(), repeated(x, 1).round(3).tolist(), repeated(ids, 1).tolist()
    ([[1.0, 2.0], [1.0, 2.0]], [[1.0, 2.0, 0.999, 1.998]], [[3, 4, 3, 4]])
    """
    again = x if axis == 0 or x.dtype.kind != "f" else 0.999 * x
    return np.concatenate([x, again], axis)


def sizes(case: Case) -> dict[str, int]:
    """The sizes by their letters, and products of them over which one takes a mean.

    >>> from types import SimpleNamespace
    >>> def of(x_shape, y_shape, **window):
    ...     arrays, layer = {"input": np.ones(x_shape)}, SimpleNamespace(**window)
    ...     return sizes(SimpleNamespace(arrays=arrays, dy=np.ones(y_shape), layer=layer))

    >>> of((2, 3), (2, 5))
    {'N': 2, 'D': 3, 'N·D': 6}
    >>> of((2, 9, 4), (2, 7, 5), kernel_size=3)
    {'N': 2, 'L': 9, 'C': 4, 'M': 7, 'F': 5, 'K': 3, 'N·M': 14, 'N·L': 18}
    >>> found = of((2, 6, 8, 3), (2, 3, 2, 3), pool_size=(2, 4))
    >>> {letter: found[letter] for letter in ("H", "W", "H_out", "W_out", "F", "P", "P·P")}
    {'H': 6, 'W': 8, 'H_out': 3, 'W_out': 2, 'F': 3, 'P': 2, 'P·P': 8}
    >>> [found[letter] for letter in ("H·W", "H_out·W_out", "N·H·W", "N·H_out·W_out")]
    [48, 6, 96, 12]
    >>> of((2, 6, 8, 3), (2, 3), pool_size=2)["P·P"]
    4
    >>> of((2, 1, 1, 1, 1), (2,))  # more axes have no letters
    {}
    """
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
    """Whether two gradients agree, relative to the largest entry of both.

    >>> same(np.array([0.0, 100.0]), np.array([0.9e-5, 100.0]))
    True
    >>> same(np.array([0.0, 100.0]), np.array([1.1e-5, 100.0]))
    False
    >>> same(np.array([0.0, -4.0]), np.array([1.0, -4.0]), 0.25)
    True
    """
    size = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))))
    return bool(np.max(np.abs(a - b)) <= tolerance * size)
