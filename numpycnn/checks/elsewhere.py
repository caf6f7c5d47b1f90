"""Other points: a gradient that is correct at one point may be incorrect at the next.

One comparison at one point covers one point. A value that was kept in the constructor is correct
until the first step of training. A batch size that was written into the code is correct for this
batch. A clipped dy is correct while dy is small. And where a ReLU returns zero for all rows, every
gradient is zero, and one that is never computed is zero too.

So each gradient that is correct is compared again: a small step away from every kink, with
parameters moved by 10 %, the rows permuted, one row more and one fewer, dy multiplied by 1000 and
0.001, and with other values where it is zero. One direction for all arrays together keeps this
cheap; only where that fails is each array compared as before.

A point outside the domain of the layer, where forward raises or returns NaN, is not evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arguments import LossAsLayer
from numpycnn.checks.case import EPS, SAFETY, Case, changed, largest
from numpycnn.checks.comparison import UNDECIDED, Comparison, random_direction
from numpycnn.checks.methods import How, choose
from numpycnn.checks.mistakes import Mistake
from numpycnn.checks.report import GradientResult

NEXT_TO_A_KINK = Mistake(
    "next to a kink", "correct where the function has a kink, incorrect a small step away from it"
)
AFTER_A_STEP = Mistake(
    "kept value",
    "correct at the given parameters, incorrect after a step: a value is kept from construction or "
    "from an earlier call",
)
OTHER_ROWS = Mistake(
    "kept value",
    "correct for the given rows, incorrect with the rows permuted: a value is kept from an earlier "
    "call, or the code depends on the position of a row",
)
NOT_LINEAR = (
    "correct for the given dy, incorrect for dy times {}: backward must be linear in dy; is it "
    "clipped, cut off or normalized?"
)
WHERE_ZERO = "its gradient is zero at the given values; incorrect at others of the same magnitude"
NOTHING_TESTED = "its gradient is zero here: nothing was tested; try other values"


COARSE = 0.05  # the error that counts at another point where forward computes in low precision


class Point(NamedTuple):
    """The case at another point, and the mistake that an error there shows."""

    case: Case
    mistake: Mistake


class Elsewhere:
    """The comparisons at other points, for gradients that are correct at the given one."""

    def __init__(
        self,
        case: Case,
        methods: dict[str, How],
        tolerance: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.case, self.methods, self.tolerance, self.rng = case, methods, tolerance, rng
        self.is_coarse = False  # whether forward computes in low precision

    def results(self, results: list[GradientResult]) -> list[GradientResult]:
        """Return the results, with what the other points add to them."""
        found = {result.name: result for result in results}
        self.is_coarse = any(result.is_coarse for result in results)
        self.scale_dy(found)
        for point in (*self.next_to_kinks(found), *self.after_a_step(), *self.other_sizes()):
            self.visit(found, point)
        self.where_zero(found)
        return [found[result.name] for result in results]

    # Each kind of point
    # ------------------

    def next_to_kinks(self, found: dict[str, GradientResult]) -> Iterator[Point]:
        """A small step away from the given values, if there is a kink at them."""
        if any(result.kinks for result in found.values()):
            for aside in islice(self.case.neighbors(self.rng), 1):
                yield Point(aside, NEXT_TO_A_KINK)

    def rows(self) -> Params:
        """The arrays with the rows of x in another order."""
        return {**self.case.arrays, "input": np.roll(self.case.arrays["input"], 1, axis=0)}

    def parameters_moved(self, arrays: Params) -> Params:
        """The arrays with every parameter changed by up to 10 %; a zero counts as the largest."""

        def move(array: Array) -> Array:
            share = 0.1 * self.rng.uniform(0.5, 1, array.shape)
            sign = self.rng.choice([-1, 1], array.shape)
            return np.where(array == 0, share * largest(array), array * (1 + sign * share))

        return {**changed(arrays, move), "input": arrays["input"]}

    def after_a_step(self) -> Iterator[Point]:
        """Parameters moved and rows permuted."""
        case = self.moved(self.rows())
        if case is not None:
            yield Point(case, AFTER_A_STEP)

    def moved(self, arrays: Params) -> Case | None:
        """The case with parameters moved, off every kink; with less change outside the domain."""
        moved = self.parameters_moved(arrays)
        aside = self.case._replace(arrays=moved).aside(self.rng, 1e-6).arrays
        return self.at(aside) or self.at(moved) or self.at(arrays)

    def other_sizes(self) -> Iterator[Point]:
        """One row more and one fewer; a loss may hold targets, one for each row."""
        x, n = self.case.arrays["input"], len(self.case.arrays["input"])
        is_loss = isinstance(self.case.layer, LossAsLayer)
        for size in (n + 1, n - 1):
            if size < 2 or (is_loss and size < max(n, 3)):
                continue
            rows = self.moved({**self.case.arrays, "input": x[np.arange(size) % n]})
            if rows is None or (is_loss and self.ignores_last_row(rows)):
                continue
            sentence = (
                f"correct for N = {n}, incorrect for N = {size}: a batch size is fixed or kept "
                "from an earlier call, or a row is left out"
            )
            yield Point(rows, Mistake("batch size", sentence))

    def ignores_last_row(self, case: Case) -> bool:
        """Whether a loss takes as many rows as it has targets, and no more."""
        x = case.arrays["input"].copy()
        x[-1] = 1.25 * x[-1] + 0.25 * largest(x)
        return bool(np.array_equal(case.evaluate({**case.arrays, "input": x}), case.output()))

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
        points = [point]
        if point.mistake is AFTER_A_STEP:  # which of the two changes shows the error?
            rows = self.at(self.rows())
            points = [*([] if rows is None else [Point(rows, OTHER_ROWS)]), point]
        for case, mistake in points:
            for name in names:
                result = self.compare(case, name, mistake)
                if result.status == "incorrect" and result.error > (
                    COARSE if self.is_coarse else 0
                ):
                    name_found = result.mistake.name if result.mistake else "unknown"
                    is_named = name_found == "precision" or (
                        mistake is NEXT_TO_A_KINK and name_found != "unknown"
                    )
                    found[name] = result._replace(
                        kinks=found[name].kinks,
                        mistake=result.mistake if is_named else mistake,
                        notes=(*result.notes, mistake.sentence) if is_named else result.notes,
                    )
            if any(found[name].status == "incorrect" for name in names):
                return

    def compare(self, case: Case, name: str, mistake: Mistake) -> GradientResult:
        """Compare one gradient at another point."""
        how = self.methods[name]
        if not self.is_gradient(case, name):
            return GradientResult(name, "incorrect", how.method, np.inf, mistake=mistake)
        return Comparison(case, name, how, self.tolerance, self.rng).result()

    def is_gradient(self, case: Case, name: str) -> bool:
        """Whether backward returns an array of the right shape."""
        try:
            return case.gradients()[name].shape == case.arrays[name].shape
        except Exception:  # forward accepts this point, so backward must, too
            return False

    def agrees(self, case: Case, names: list[str]) -> bool:
        """Compare the gradients for these arrays along one direction for all of them."""
        try:
            gradients = case.gradients()
        except Exception:  # forward accepts this point, so backward must, too
            return False
        if any(gradients[name].shape != case.arrays[name].shape for name in names):
            return False
        directions = {}
        for name in names:
            sizes = np.maximum(np.abs(gradients[name]) / largest(gradients[name]), 1e-6)
            along = random_direction(sizes, self.rng) * largest(case.arrays[name])
            is_exact = self.methods[name].method == "complex"
            directions[name] = along * (np.min(sizes) / sizes if is_exact else 1)
        slope = sum(float((gradients[name] * v).sum()) for name, v in directions.items())
        size = sum(float(np.abs(gradients[name] * v).sum()) for name, v in directions.items())
        if all(self.methods[name].method == "complex" for name in names):
            try:
                slopes = np.imag(case.along(directions, 1e-30j)) / 1e-30
            except TypeError:
                return False
            off = float(abs((case.dy * slopes).sum() - slope))
            return off <= (self.tolerance or 1e-10) * size
        h, tolerance = (1e-2, COARSE) if self.is_coarse else (1e-6, self.tolerance or 1e-5)
        y = [case.along(directions, t) for t in (h, -h)]
        noise = 16 * EPS * np.abs(case.dy * y[0])[y[0] != y[1]].sum() / h
        off = abs((case.dy * (y[0] - y[1])).sum() / (2 * h) - slope)
        return bool(off <= tolerance * size + noise)

    def scale_dy(self, found: dict[str, GradientResult]) -> None:
        """Compare the gradients for a larger and a smaller dy with the given ones."""
        case = self.case
        names = [name for name, result in found.items() if result.ok]
        first, near = case.gradients(), case.gradients(1.001 * case.dy)
        for factor in (1000, 0.001):
            scaled = case.gradients(factor * case.dy)
            for name in names:
                came, expected = scaled[name] / factor, first[name]
                rounding = SAFETY * np.max(np.abs(near[name] / 1.001 - expected))
                off = np.abs(came - expected)
                if not (off > 1e-6 * np.abs(expected) + rounding).any():
                    continue
                worst = tuple(map(int, np.unravel_index(np.argmax(off), off.shape)))
                found[name] = found[name]._replace(
                    status="incorrect",
                    error=float(np.max(off)) / largest(expected),
                    worst=worst,
                    actual=float(factor * came[worst]),
                    expected=float(factor * expected[worst]),
                    mistake=Mistake("not linear", NOT_LINEAR.format(factor)),
                )
            names = [name for name in names if found[name].ok]

    # Where a gradient is zero
    # ------------------------

    def where_zero(self, found: dict[str, GradientResult]) -> None:
        """Compare at other values where a whole gradient is zero."""
        gradients = self.case.gradients()
        for name, result in found.items():
            if result.status == "correct" and not gradients[name].any():
                found[name] = self.at_other_values(result)

    def at_other_values(self, result: GradientResult) -> GradientResult:
        """Return the result at values where the gradient is not zero, or undecided."""
        name = result.name
        for arrays in self.other_values(name):
            case = self.case.at(arrays)
            if case is None:
                continue
            how = choose(
                case, "central" if self.methods[name].method == "central" else None, self.rng
            )
            there = Comparison(case, name, how[name], self.tolerance, self.rng).result()
            if there.status == "incorrect":
                return there._replace(notes=(*there.notes, WHERE_ZERO))
            if there.ok and case.gradients()[name].any():
                return result
        array = self.case.arrays[name]
        moved = array + largest(array) * random_direction(array, self.rng)
        if not np.array_equal(
            self.case.evaluate({**self.case.arrays, name: moved}), self.case.output()
        ):
            return result  # it changes last digits: a bias before a layer that subtracts the mean
        return result._replace(status="undecided", notes=(*result.notes, NOTHING_TESTED))

    def other_values(self, name: str) -> Iterator[Params]:
        """The array negated, random, and with random values for all arrays."""
        arrays = self.case.arrays

        def draw(array: Array) -> Array:
            return np.asarray(largest(array) * self.rng.uniform(-1, 1, array.shape))

        yield {**arrays, name: -arrays[name]}
        yield {**arrays, name: draw(arrays[name])}
        yield changed(arrays, draw)
        yield changed(arrays, lambda array: -array)
        yield changed(arrays, draw)
