"""Other points: a gradient that is correct at one point may be incorrect at the next.

One comparison at one point covers one point. A value that was kept in the constructor is correct
until the first step of training. A batch size that was written into the code is correct for this
batch. A clipped dy is correct while dy is small. And where a ReLU returns zero for all rows, every
gradient is zero, and one that is never computed is zero too.

So each gradient that is correct is compared again: a small step away from every kink, with
parameters moved by 10 %, the rows permuted and their values up to twice as large or half as large,
one row more and one fewer, dy much larger and smaller, and with other values where it, or a part
of it, is zero. One direction for all arrays together keeps this cheap; only where that fails is
each array compared as before. If one output is far larger than another, dy is chosen such that
both count.

A point outside the domain of the layer, where forward raises, or returns NaN or numbers that are
too large for backward, is not evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.case import EPS, Case, changed, largest, rows
from numpycnn.checks.comparison import ONLY_AT_SIZE_ONE, TOLERANCE, UNDECIDED, Comparison
from numpycnn.checks.contract import SAME, is_rounding
from numpycnn.checks.derivatives import Method
from numpycnn.checks.directions import error_along, random_direction
from numpycnn.checks.methods import How, again
from numpycnn.checks.points import (
    AFTER_A_STEP,
    AT_ZERO_OR_ONE,
    NEXT_TO_A_KINK,
    NOT_LINEAR,
    NOTHING_TESTED,
    ONE_ROW,
    OTHER_DY,
    OTHER_ROWS,
    OTHER_SIZE,
    OTHER_VALUES,
    SMALL_OUTPUT,
    WHERE_ZERO,
    Point,
    named,
)
from numpycnn.checks.report import GradientResult, Mistake

DENORMAL = 1e4 * float(np.finfo(np.float32).tiny)
"""A value below it may have lost digits, in code that computes in float32 …"""

OVERFLOW = 1e-4 * float(np.finfo(np.float32).max)
"""… and so may a value above this one."""

UNEQUAL = 1e6
"""Outputs whose slopes differ by a larger factor are compared with a dy that makes them equal."""

SMALL_SHARE = 1e-3
"""An array with a smaller part of the derivative than this is compared alone."""


@dataclass
class Elsewhere:
    """The comparisons at other points, for gradients that are correct at the given one.

    >>> from numpycnn import Dense
    >>> rng = np.random.default_rng(0)
    >>> case = Case.of(Dense(2, 1, rng=0), np.array([[1.0, -2.0], [3.0, 5.0]]), rng)
    >>> elsewhere = Elsewhere(case, dict.fromkeys(case.names, How("complex")), None, rng)

    A point after a step has its rows permuted and other signs, values and parameters. The next
    has one row more; one fewer would be a single row.

    >>> (after,), sizes = elsewhere.after_a_step(), [*elsewhere.other_sizes()]
    >>> shares = after.case.arrays["w"] / case.arrays["w"]
    >>> bool((abs(shares - 1) > 0.049).all()), bool((abs(shares - 1) < 0.101).all())
    (True, True)
    >>> [len(point.case.arrays["input"]) for point in sizes]
    [3]
    >>> [point.mistake.name for point in elsewhere.simpler()]
    ['unknown', 'kept value', 'special value', 'kept value', 'special value']
    """

    case: Case
    methods: dict[str, How]
    tolerance: float | None
    rng: np.random.Generator

    def results(self, results: list[GradientResult]) -> list[GradientResult]:
        """Return the results, with what the other points add to them."""
        found = {result.name: result for result in results}
        equal = self.with_equal_outputs(self.case)
        self.scale_dy(found, equal or self.case)
        if equal is not None:
            self.visit(found, Point(equal, SMALL_OUTPUT))
        if any(result.kinks for result in results):
            for aside in islice(self.case.neighbors(self.rng), 1):
                self.visit(found, Point(aside, NEXT_TO_A_KINK))
        for point in (*self.after_a_step(), *self.other_sizes()):
            self.visit(found, point)
            if equal is not None:
                self.visit(
                    found, Point(self.with_equal_outputs(point.case) or equal, point.mistake)
                )
        self.where_zero(found)
        self.kept_values(found)
        return [found[result.name] for result in results]

    # Other points
    # ------------

    def with_equal_outputs(self, case: Case) -> Case | None:
        """The case with a dy that is smaller for large outputs; None if they hide no others.

        >>> from types import SimpleNamespace
        >>> def smaller(factor):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (x * [1, factor, 0], x), backward=None, params={}
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.ones(3), rng)
        ...     elsewhere = Elsewhere(case, {"input": How("complex")}, None, rng)
        ...     equal = elsewhere.with_equal_outputs(case)
        ...     return equal and np.round(np.log10(equal.dy / case.dy)).tolist()
        >>> smaller(1e5), smaller(1e7), smaller(1e17)
        (None, [0.0, -7.0, -7.0], None)
        """
        method: Method = "complex" if self.is_complex(case.names) else "central"
        directions = {
            name: largest(array) * random_direction(array, self.rng)
            for name, array in case.arrays.items()
            if name in case.names
        }
        try:
            found = case.derivative(method, directions)
        except TypeError:
            return None
        slopes = np.abs(found.middle)
        moves = (slopes > 10 * found.noise) & (slopes > EPS * np.max(slopes))
        if not moves.any() or np.max(slopes) <= UNEQUAL * np.min(slopes[moves]):
            return None
        sizes = np.where(moves, slopes, np.max(slopes)) / np.min(slopes[moves])
        return replace(case, dy=case.dy / sizes)

    def after_a_step(self) -> Iterator[Point]:
        """The rows permuted, and the values of x and the parameters moved."""
        x = self.case.arrays["input"]
        case = self.moved({**self.case.arrays, "input": rows(x, len(x))})
        if case is not None:
            yield Point(case, AFTER_A_STEP)

    def simpler(self) -> Iterator[Point]:
        """Another dy, row order, x, and other parameters, those of 0 or 1 last: one at a time."""
        given, x = self.case.arrays, self.case.arrays["input"]
        special = {n: a for n, a in given.items() if n != "input" and np.isin(a, (0, 1)).all()}
        others = {**self.stepped(given), "input": x}
        for arrays, mistake in (
            (given, OTHER_DY),
            ({**given, "input": rows(x, len(x))}, OTHER_ROWS),
            ({**given, "input": self.other_x(x, other_signs=True)}, OTHER_VALUES),
            ({**others, **special}, AFTER_A_STEP),
            (others, AT_ZERO_OR_ONE),
        ):
            if (case := self.at(arrays)) is not None:
                yield Point(case, mistake)

    def other_sizes(self) -> Iterator[Point]:
        """One row more and one fewer, with other values of x and the parameters moved."""
        x, n = self.case.arrays["input"], len(self.case.arrays["input"])
        is_loss = getattr(self.case.layer, "is_loss", False)  # it may hold a target for each row
        for size in (n + 1, n - 1 if n > 1 else n + 2):
            if size < 2 or (is_loss and size < max(n, 3)):
                continue
            case = self.moved({**self.case.arrays, "input": rows(x, size)})
            if case is not None and not (is_loss and self.is_of_fixed_size(case)):
                message = ONE_ROW if n == 1 else OTHER_SIZE
                yield Point(case, Mistake("batch size", message.format(n, size)))

    def is_of_fixed_size(self, case: Case) -> bool:
        """Whether a loss takes as many rows as it has targets, and no more."""
        if case.dy.size == 1 and not self.has_gradients(case, [*case.names]):
            return True
        x = case.arrays["input"].copy()
        x[-1] = 1.25 * x[-1] + 0.25 * largest(x)
        return bool(np.array_equal(case.evaluate({**case.arrays, "input": x}), case.output))

    def moved(self, arrays: Params) -> Case | None:
        """The case with other values, off every kink; with less change outside the domain."""
        moved, x = self.stepped(arrays), arrays["input"]
        aside = replace(self.case, arrays=moved).aside(self.rng, 1e-6).arrays
        other_x = ({**moved, "input": self.other_x(x, signs)} for signs in (True, False))
        tries = map(self.at, (*other_x, aside, moved, arrays))
        return next((case for case in tries if case is not None), None)

    def stepped(self, arrays: Params) -> Params:
        """The arrays with parameters moved by up to 10 %; a zero counts as the largest.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> elsewhere = Elsewhere(Case.of(ReLU(), np.ones(2), rng), {}, None, rng)
        >>> w = np.repeat([1.0, -2.0, 0.0], 500)
        >>> moved = elsewhere.stepped({"input": np.ones(1), "w": w})
        >>> shares = np.abs(moved["w"] - w).reshape(3, 500) / [[1], [2], [2]]
        >>> [[round(float(f(each)), 2) for f in (np.min, np.max)] for each in shares]
        [[0.05, 0.1], [0.05, 0.1], [0.05, 0.1]]
        >>> moved["input"].tolist()
        [1.0]
        """

        def move(array: Array) -> Array:
            share = 0.1 * self.rng.uniform(0.5, 1, array.shape)
            sign = self.rng.choice([-1, 1], array.shape)
            return np.where(array == 0, share * largest(array), array * (1 + sign * share))

        return {**changed(arrays, move), "input": arrays["input"]}

    def other_x(self, x: Array, other_signs: bool) -> Array:
        """Values up to twice as large or half as large, of signs that x has; zeros move, too.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> elsewhere = Elsewhere(Case.of(ReLU(), np.ones(2), rng), {}, None, rng)
        >>> x = np.repeat([-1.0, 4.0, 0.0], 500)
        >>> moved = elsewhere.other_x(x, other_signs=True).reshape(3, 500)
        >>> [[round(float(f(abs(m))), 1) for f in (np.min, np.max)] for m in moved]
        [[0.5, 2.0], [2.0, 8.0], [0.2, 0.8]]
        >>> [sorted(set(np.sign(m).tolist())) for m in moved]
        [[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]
        >>> moved = elsewhere.other_x(x, other_signs=False).reshape(3, 500)
        >>> [sorted(set(np.sign(m).tolist())) for m in moved]
        [[-1.0], [1.0], [-1.0, 1.0]]
        >>> bool((elsewhere.other_x(abs(x), other_signs=True) > 0).all())
        True
        """
        if "input" not in self.case.names:
            return x
        found = np.unique(np.sign(x[x != 0])) if x.any() else [-1, 1]
        signs = self.rng.choice(found, x.shape)
        sizes = np.where(x == 0, 0.1 * largest(x), np.abs(x))
        signs = signs if other_signs else np.where(x == 0, signs, np.sign(x))
        return np.asarray(signs * sizes * 2 ** self.rng.uniform(-1, 1, x.shape))

    def at(self, arrays: Params) -> Case | None:
        """The case with these arrays and another dy, or None outside the domain."""
        return self.case.at(arrays, self.rng)

    # Comparisons
    # -----------

    def visit(self, found: dict[str, GradientResult], point: Point) -> None:
        """Compare at a point; if that fails, compare each array, and keep the errors found."""
        names = [
            name
            for name, result in found.items()
            if result.ok or (result.status == "undecided" and UNDECIDED in result.notes)
        ]
        if not names or self.agrees(point.case, names):
            return
        # Of several changes one alone may show the error.
        is_single = point.mistake in (NEXT_TO_A_KINK, SMALL_OUTPUT)
        is_found, n_rows = False, len(self.case.arrays["input"])
        for case, mistake in (*(() if is_single else self.simpler()), point):
            if case is not point.case and self.agrees(case, names):
                continue
            alone = [name for name in names if not self.agrees(case, [name])]
            for name in alone or names:
                result = self.compare(case, name, mistake)
                if result.status == "incorrect":
                    # At a kink the given point is not evidence of a correct gradient.
                    shown = NEXT_TO_A_KINK if (kinks := found[name].kinks) else mistake
                    found[name] = named(result, shown, n_rows)._replace(kinks=kinks)
                    is_found = True
            if is_found:
                return

    def kept_values(self, found: dict[str, GradientResult]) -> None:
        """Compare after a step what is incorrect at size one only: a value may be kept."""
        for name in [name for name in found if ONLY_AT_SIZE_ONE in found[name].notes]:
            if (case := self.case.at(self.stepped(self.case.arrays))) is not None:
                after = self.compare(case, name, AFTER_A_STEP)
                if after.status == "incorrect" and ONLY_AT_SIZE_ONE not in after.notes:
                    found[name] = named(after, AFTER_A_STEP, len(case.arrays["input"]))

    def compare(self, case: Case, name: str, mistake: Mistake) -> GradientResult:
        """Compare one gradient at another point."""
        if not self.has_gradients(case, [name]):
            method = self.methods[name].method
            return GradientResult(name, "incorrect", method, np.inf, mistake=mistake)
        how = again(self.methods[name], case, name, self.rng)  # other code may run there
        return Comparison(case, name, how, self.tolerance, self.rng).result()

    def has_gradients(self, case: Case, names: list[str]) -> bool:
        """Whether backward returns arrays of the right shapes."""
        try:
            return all(case.gradients[name].shape == case.arrays[name].shape for name in names)
        except Exception:  # forward accepts this point, so backward must, too
            return False

    def agrees(self, case: Case, names: list[str]) -> bool:
        """Compare the gradients for these arrays along one direction for all of them."""
        if not self.has_gradients(case, names):
            return False
        method: Method = "complex" if self.is_complex(names) else "central"
        directions, shares = {}, {}
        for name in names:
            sizes = np.maximum(np.abs(case.gradients[name]) / largest(case.gradients[name]), 1e-6)
            along = random_direction(sizes, self.rng) * largest(case.arrays[name])
            directions[name] = along * (np.min(sizes) / sizes if method == "complex" else 1)
            shares[name] = float(np.abs(case.gradients[name] * directions[name]).sum())
        # A large array would hide the error of a small one.
        small = [name for name in names if shares[name] < SMALL_SHARE * max(shares.values())]
        together = [name for name in names if name not in small]
        try:
            errors = [
                error_along(case, method, case.gradients, {name: directions[name] for name in each})
                for each in (together, *([name] for name in small))
            ]
        except TypeError:
            return False
        return all(error <= (self.tolerance or TOLERANCE[method]) for error, _ in errors)

    def is_complex(self, names: Collection[str]) -> bool:
        """Whether the complex step suits all these arrays."""
        return all(self.methods[name].method == "complex" for name in names)

    def scale_dy(self, found: dict[str, GradientResult], given: Case) -> None:
        """Compare the gradients for a larger and a smaller dy with the given ones."""
        for factor in (2.0**40, -(2.0**-40)):  # powers of two, so that rounding is the same
            scaled = replace(given, dy=factor * given.dy).gradients
            for name, result in found.items():
                actual, expected = scaled[name] / factor, given.gradients[name]
                off = np.abs(actual - expected)
                least = 1e-6 * np.abs(expected) + SAME * largest(expected) + DENORMAL / abs(factor)
                is_off = ~(off <= least) & (np.abs(factor * expected) < OVERFLOW)
                if not (result.ok and is_off.any()):
                    continue
                if is_rounding(actual, expected, name, given, self.rng):
                    continue  # a sum whose order differs from call to call
                off = np.where(is_off, np.nan_to_num(off, nan=np.inf), 0)
                worst = tuple(map(int, np.unravel_index(np.argmax(off), off.shape)))
                found[name] = result._replace(
                    status="incorrect",
                    error=float(np.max(off)) / largest(expected),
                    worst=worst,
                    actual=float(factor * actual[worst]),
                    expected=float(factor * expected[worst]),
                    mistake=Mistake("not linear", NOT_LINEAR.format(factor)),
                )

    # Where a gradient is zero
    # ------------------------

    def where_zero(self, found: dict[str, GradientResult]) -> None:
        """Compare at other values where a gradient is zero, or that of some unit."""
        for name, result in found.items():
            gradient = self.case.gradients[name]
            if result.ok and not gradient.any():
                found[name] = self.at_other_values(result)
            elif result.ok and name != "input" and not gradient.all():
                found[name] = self.at_other_parameters(result)

    def at_other_parameters(self, result: GradientResult) -> GradientResult:
        """Return the result with the units at work that a ReLU or a clip makes constant."""
        name = result.name
        is_zero = self.case.gradients[name] == 0
        for factor in (-1, 0.01, -0.01):
            params = changed(self.case.arrays, partial(np.multiply, factor))
            case = self.case.at({**params, "input": self.case.arrays["input"]})
            if case is None:
                continue
            if not self.agrees(case, [name]):
                there = self.compare(case, name, AFTER_A_STEP)
                if there.status == "incorrect":
                    return there._replace(notes=(*there.notes, WHERE_ZERO))
            elif not (is_zero := is_zero & (case.gradients[name] == 0)).any():
                break
        return result

    def at_other_values(self, result: GradientResult) -> GradientResult:
        """Return the result at values where the gradient is not zero, or undecided."""
        name = result.name
        for case in filter(None, map(self.case.at, self.other_values(name))):
            there = self.compare(case, name, OTHER_VALUES)
            if there.status == "incorrect":
                return there._replace(notes=(*there.notes, WHERE_ZERO))
            if there.ok and case.gradients[name].any():
                return result
        array = self.case.arrays[name]
        moved = array + largest(array) * random_direction(array, self.rng)
        y = self.case.evaluate({**self.case.arrays, name: moved})
        if not np.array_equal(y, self.case.output):
            return result  # it changes last digits: a bias before a layer that subtracts the mean
        return result._replace(status="undecided", notes=(*result.notes, NOTHING_TESTED))

    def other_values(self, name: str) -> Iterator[Params]:
        """The array negated, random, and with random values for all arrays.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> elsewhere = Elsewhere(Case.of(ReLU(), np.array([1.0, -4.0]), rng), {}, None, rng)
        >>> values = [arrays["input"] for arrays in elsewhere.other_values("input")]
        >>> len(values), values[0].tolist(), values[2].tolist()
        (9, [-1.0, 4.0], [-1.0, 4.0])
        >>> float(np.floor(np.min(values[3:]))), float(np.ceil(np.max(values[3:])))
        (-4.0, 4.0)
        """
        arrays = self.case.arrays

        def draw(array: Array) -> Array:
            return np.asarray(largest(array) * self.rng.uniform(-1, 1, array.shape))

        yield {**arrays, name: -arrays[name]}
        yield {**arrays, name: draw(arrays[name])}
        yield changed(arrays, np.negative)
        for _ in range(6):  # half of all values make a layer with one ReLU zero
            yield changed(arrays, draw)
