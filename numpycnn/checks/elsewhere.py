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

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arrays import largest, rows
from numpycnn.checks.case import EPS, Case
from numpycnn.checks.comparison import Comparison
from numpycnn.checks.contract import SAME, is_rounding
from numpycnn.checks.derivatives import TOLERANCE, Method
from numpycnn.checks.directions import error_along, random_direction
from numpycnn.checks.methods import How, again
from numpycnn.checks.other_values import (
    negated_or_small,
    numbers_of_rows,
    other_signs_and_sizes,
    other_values,
    stepped,
    with_other_last_row,
)
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
from numpycnn.checks.size_one import ONLY_AT_SIZE_ONE, UNDECIDED

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
        aside = any(each.kinks for each in results) and next(self.case.neighbors(self.rng), None)
        if aside:
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
        """Another dy, row order, x, and other parameters, those of 0 or 1 last: one at a time.

        >>> from types import SimpleNamespace
        >>> params = {"b": np.zeros(2), "scale": np.ones(2), "w": np.full(2, 2.0)}
        >>> layer = SimpleNamespace(forward=lambda x: (x, x), backward=None, params=params)
        >>> rng, x = np.random.default_rng(0), np.linspace(-4, 5, 10)
        >>> case = Case.of(layer, x, rng)
        >>> points = [point.case.arrays for point in Elsewhere(case, {}, None, rng).simpler()]
        >>> for arrays in points:
        ...     print(*(name for name in arrays if (arrays[name] != case.arrays[name]).all()))
        <BLANKLINE>
        input
        input
        w
        b scale w
        >>> bool((points[2]["input"] * x < 0).any()), bool((points[2]["input"] * x > 0).any())
        (True, True)
        """
        given, x = self.case.arrays, self.case.arrays["input"]
        special = {n: a for n, a in given.items() if n != "input" and np.isin(a, (0, 1)).all()}
        others = stepped(given, self.rng)
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
        """One row more and one fewer, with other values of x and the parameters moved.

        >>> from numpycnn import ReLU
        >>> for n in (1, 2, 3):
        ...     case = Case.of(ReLU(), np.ones((n, 1)), np.random.default_rng(0))
        ...     elsewhere = Elsewhere(case, {}, None, np.random.default_rng(0))
        ...     for point in elsewhere.other_sizes():
        ...         is_one_row = "with one row" in point.mistake.message
        ...         print(n, len(point.case.output), point.mistake.name, is_one_row)
        1 2 batch size True
        1 3 batch size True
        2 3 batch size False
        3 4 batch size False
        3 2 batch size False

        A loss is not called with more rows than it has targets:

        >>> def sizes(loss):
        ...     elsewhere = Elsewhere(Case.of(loss, np.ones(2), rng), {}, None, rng)
        ...     return [len(point.case.arrays["input"]) for point in elsewhere.other_sizes()]
        >>> rng = np.random.default_rng(0)
        >>> sizes(lambda x: ((x**2).sum(), 2 * x)), sizes(lambda x: ((x[:2] ** 2).sum(), 2 * x))
        ([3], [])
        """
        x, n = self.case.arrays["input"], len(self.case.arrays["input"])
        is_loss = getattr(self.case.layer, "is_loss", False)  # it may hold a target for each row
        for size in numbers_of_rows(n, is_loss):
            case = self.moved({**self.case.arrays, "input": rows(x, size)})
            if case is not None and not (is_loss and self.is_of_fixed_size(case)):
                message = ONE_ROW if n == 1 else OTHER_SIZE
                yield Point(case, Mistake("batch size", message.format(n, size)))

    def is_of_fixed_size(self, case: Case) -> bool:
        """Whether a loss takes as many rows as it has targets, and no more.

        >>> rng, x = np.random.default_rng(0), np.array([[1.0], [2.0], [-4.0]])
        >>> def is_of_fixed_size(loss):
        ...     case = Case.of(loss, x, rng)
        ...     return Elsewhere(case, {}, None, rng).is_of_fixed_size(case)
        >>> is_of_fixed_size(lambda x: ((x**2).sum(), 2 * x))
        False
        >>> is_of_fixed_size(lambda x: ((x[:2] ** 2).sum(), 2 * x))  # x[2] has no target
        True
        >>> is_of_fixed_size(lambda x: ((x**2).sum(), 2 * x[:2]))  # the gradient has another shape
        True
        """
        if case.dy.size == 1 and not self.has_gradients(case, [*case.names]):
            return True
        x = with_other_last_row(case.arrays["input"])
        return bool(np.array_equal(case.evaluate({**case.arrays, "input": x}), case.output))

    def moved(self, arrays: Params) -> Case | None:
        """The case with other values, off every kink; with less change outside the domain.

        >>> from types import SimpleNamespace
        >>> rng, x = np.random.default_rng(0), np.repeat([1.0, -2.0], 9)
        >>> def moved(is_inside):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (np.where(is_inside(x), x, np.nan), x),
        ...         backward=None,
        ...         params={},
        ...     )
        ...     case = Case.of(layer, x, rng)
        ...     return Elsewhere(case, {}, None, rng).moved(case.arrays).arrays["input"]

        The values of x have other signs, or at least other magnitudes, or are moved a small step:

        >>> everywhere = moved(lambda x: True)
        >>> bool((everywhere * x < 0).any()), bool((abs(everywhere - x) > 1e-3).all())
        (True, True)
        >>> same_signs = moved(lambda z: z * x > 0)
        >>> bool((same_signs * x > 0).all()), bool((abs(same_signs - x) > 1e-3).all())
        (True, True)
        >>> steps = abs(moved(lambda z: abs(z - x) < 1e-3) - x)
        >>> bool((steps > 0.99e-6).all()), bool((steps < 2.01e-6).all())
        (True, True)
        >>> bool((moved(lambda z: z == x) == x).all())
        True
        """
        moved, x = stepped(arrays, self.rng), arrays["input"]
        aside = replace(self.case, arrays=moved).aside(self.rng, 1e-6).arrays
        other_x = ({**moved, "input": self.other_x(x, signs)} for signs in (True, False))
        tries = map(self.at, (*other_x, aside, moved, arrays))
        return next((case for case in tries if case is not None), None)

    def other_x(self, x: Array, other_signs: bool) -> Array:
        """Other values of x, unless x holds ids, or only another array is compared."""
        is_compared = "input" in self.case.names
        return other_signs_and_sizes(x, self.rng, other_signs) if is_compared else x

    def at(self, arrays: Params) -> Case | None:
        """The case with these arrays and another dy, or None outside the domain."""
        return self.case.at(arrays, self.rng)

    # Comparisons
    # -----------

    def visit(self, found: dict[str, GradientResult], point: Point) -> None:
        """Compare at a point; if that fails, compare each array, and keep the errors found.

        This gradient is incorrect if a value is larger than one:

        >>> from types import SimpleNamespace
        >>> x, slopes = np.repeat([-1.0, 1.0], 8), np.arange(1, 17)
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (slopes * x, x),
        ...     backward=lambda dy, x: (dy * (slopes if abs(x).max() <= 1 else 3), {}),
        ...     params={},
        ... )
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(layer, x, rng)
        >>> other = replace(case, arrays={"input": 1.5 * x})
        >>> elsewhere = Elsewhere(case, {"input": How("complex")}, None, rng)
        >>> def visit(mistake, status, *notes, kinks=0):
        ...     given = GradientResult("input", status, "complex", 0.0, notes=notes, kinks=kinks)
        ...     found = {"input": given}
        ...     elsewhere.visit(found, Point(other, mistake))
        ...     return found["input"]
        >>> visit(NEXT_TO_A_KINK, "correct").mistake.name
        'next to a kink'

        The simplest change that shows the error gives it the name, here that of the values of x:

        >>> result = visit(AFTER_A_STEP, "correct")
        >>> result.status, result.mistake.name
        ('incorrect', 'special value')
        >>> result = visit(AFTER_A_STEP, "correct", kinks=2)
        >>> result.kinks, result.mistake.name
        (2, 'next to a kink')

        A result near the rounding is compared, too; one undecided for another reason is not:

        >>> visit(AFTER_A_STEP, "undecided", UNDECIDED).mistake.name
        'special value'
        >>> visit(AFTER_A_STEP, "undecided").status
        'undecided'
        >>> visit(AFTER_A_STEP, "incorrect", UNDECIDED).error
        0.0
        """
        names = [
            name
            for name, result in found.items()
            if result.ok or (result.status == "undecided" and UNDECIDED in result.notes)
        ]
        if not names or self.agrees(point.case, names):
            return
        # Of several changes one alone may show the error.
        is_single = point.mistake in (NEXT_TO_A_KINK, SMALL_OUTPUT)
        n_rows = len(self.case.arrays["input"])
        for case, mistake in (*(() if is_single else self.simpler()), point):
            if case is not point.case and self.agrees(case, names):
                continue
            alone = [name for name in names if not self.agrees(case, [name])]
            results = [self.compare(case, name, mistake) for name in alone or names]
            incorrect = [result for result in results if result.status == "incorrect"]
            for result in incorrect:
                # At a kink the given point is not evidence of a correct gradient.
                shown = NEXT_TO_A_KINK if (kinks := found[result.name].kinks) else mistake
                found[result.name] = named(result, shown, n_rows)._replace(kinks=kinks)
            if incorrect:
                return

    def kept_values(self, found: dict[str, GradientResult]) -> None:
        """Compare after a step what is incorrect at size one only: a value may be kept.

        >>> class Square:
        ...     def __init__(self, is_kept):
        ...         self.params, self.is_kept = {"w": np.array([2.0, 3.0])}, is_kept
        ...         self.kept = self.params["w"].copy()
        ...
        ...     def forward(self, x):
        ...         return x * self.params["w"] ** 2, x
        ...
        ...     def backward(self, dy, x):
        ...         w = self.kept if self.is_kept else self.params["w"]
        ...         return dy * self.params["w"] ** 2, {"w": 2 * w * (dy * x).sum(axis=0)}
        >>> def mistake(is_kept, *notes):
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(Square(is_kept), np.ones((3, 2)), rng)
        ...     found = {"w": GradientResult("w", "incorrect", "complex", 1.0, notes=notes)}
        ...     Elsewhere(case, {"w": How("complex")}, None, rng).kept_values(found)
        ...     return found["w"].mistake and found["w"].mistake.name
        >>> mistake(True, ONLY_AT_SIZE_ONE), mistake(False, ONLY_AT_SIZE_ONE), mistake(True)
        ('kept value', None, None)
        """
        for name in [name for name in found if ONLY_AT_SIZE_ONE in found[name].notes]:
            if (case := self.case.at(stepped(self.case.arrays, self.rng))) is not None:
                after = self.compare(case, name, AFTER_A_STEP)
                if after.status == "incorrect" and ONLY_AT_SIZE_ONE not in after.notes:
                    found[name] = named(after, AFTER_A_STEP, len(case.arrays["input"]))

    def compare(self, case: Case, name: str, mistake: Mistake) -> GradientResult:
        """Compare one gradient at another point.

        Where backward raises or returns another shape, the error is infinite:

        >>> from types import SimpleNamespace
        >>> def compare(backward):
        ...     layer = SimpleNamespace(forward=lambda x: (2 * x, x), backward=backward, params={})
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.ones(2), rng)
        ...     elsewhere = Elsewhere(case, {"input": How("complex")}, None, rng)
        ...     result = elsewhere.compare(case, "input", AFTER_A_STEP)
        ...     return result.status, round(result.error, 9)
        >>> compare(lambda dy, x: (2 * dy, {})), compare(lambda dy, x: (3 * dy, {}))
        (('correct', 0.0), ('incorrect', 0.333333333))
        >>> compare(lambda dy, x: (2 * dy[:1], {}))
        ('incorrect', inf)
        """
        if not self.has_gradients(case, [name]):
            method = self.methods[name].method
            return GradientResult(name, "incorrect", method, np.inf, mistake=mistake)
        how = again(self.methods[name], case, name, self.rng)  # other code may run there
        return Comparison(case, name, how, self.tolerance, self.rng).result()

    def has_gradients(self, case: Case, names: list[str]) -> bool:
        """Whether backward returns arrays of the right shapes.

        >>> from types import SimpleNamespace
        >>> def has_gradients(backward):
        ...     layer = SimpleNamespace(forward=lambda x: (x, x), backward=backward, params={})
        ...     case = Case.of(layer, np.ones(2), np.random.default_rng(0))
        ...     elsewhere = Elsewhere(case, {}, None, np.random.default_rng(0))
        ...     return elsewhere.has_gradients(case, ["input"])
        >>> has_gradients(lambda dy, x: (dy, {})), has_gradients(lambda dy, x: (dy[:1], {}))
        (True, False)
        >>> has_gradients(lambda dy, x: (dy[:, 5], {}))  # raises IndexError
        False
        """
        try:
            return all(case.gradients[name].shape == case.arrays[name].shape for name in names)
        except Exception:  # forward accepts this point, so backward must, too
            return False

    def agrees(self, case: Case, names: list[str]) -> bool:
        """Compare the gradients for these arrays along one direction for all of them.

        >>> from types import SimpleNamespace
        >>> def agrees(method, errors, slopes):
        ...     slopes, errors = np.array(slopes), np.array(errors)
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (slopes * x, x),
        ...         backward=lambda dy, x: (slopes * dy * (1 + errors), {}),
        ...         params={},
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.full(len(slopes), 5.0), rng)
        ...     return Elsewhere(case, {"input": How(method)}, None, rng).agrees(case, ["input"])
        >>> [agrees("complex", [error], [3.0]) for error in (0.9e-10, 1.1e-10)]
        [True, False]
        >>> [agrees("central", [error], [3.0]) for error in (0.9e-6, 1.1e-6)]
        [True, False]
        >>> agrees("complex", [0, 0], [3.0])  # a gradient of two values for one
        False

        An entry a million times smaller than the largest counts as much, a smaller one less:

        >>> [agrees("complex", [0, 1e-8], [1e3, small]) for small in (0.01, 1e-3, 1e-7)]
        [False, False, True]
        """
        if not self.has_gradients(case, names):
            return False
        method: Method = "complex" if self.is_complex(names) else "central"
        directions, shares = {}, {}
        for name in names:
            sizes = np.maximum(np.abs(case.gradients[name]) / largest(case.gradients[name]), 1e-6)
            along = random_direction(sizes, self.rng) * largest(case.arrays[name])
            directions[name] = along * np.min(sizes) / sizes if method == "complex" else along
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
        """Whether the complex step suits all these arrays.

        >>> from numpycnn import Dense
        >>> rng = np.random.default_rng(0)
        >>> methods = {"input": How("complex"), "w": How("central")}
        >>> elsewhere = Elsewhere(Case.of(Dense(1, 1), np.ones((1, 1)), rng), methods, None, rng)
        >>> elsewhere.is_complex(["input"]), elsewhere.is_complex(["input", "w"])
        (True, False)
        """
        return all(self.methods[name].method == "complex" for name in names)

    def scale_dy(self, found: dict[str, GradientResult], given: Case) -> None:
        """Compare the gradients for a larger and a smaller dy with the given ones.

        >>> from types import SimpleNamespace
        >>> def result(backward, status="correct"):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (x, x), backward=lambda dy, x: (backward(dy), {}), params={}
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = replace(Case.of(layer, np.ones(2), rng), dy=np.array([1.0, -2.0]))
        ...     found = {"input": GradientResult("input", status, "complex", 0.0)}
        ...     Elsewhere(case, {}, None, rng).scale_dy(found, case)
        ...     return found["input"]

        Gradients that are clipped, cut off, or do not change their sign with dy:

        >>> large, small = 2.0**40, 2.0**-40
        >>> [result(lambda dy: dy.clip(-s * large, s * large)).status for s in (1.5, 2.5)]
        ['incorrect', 'correct']
        >>> [result(lambda dy: dy * (abs(dy) > s * small)).status for s in (1.5, 0.75)]
        ['incorrect', 'correct']
        >>> result(abs).status, result(abs).mistake.name
        ('incorrect', 'not linear')
        >>> result(abs, status="incorrect").mistake  # its cause is another one
        >>> clipped = result(lambda dy: dy.clip(-1.5 * large, 1.5 * large))
        >>> clipped.worst, clipped.error, clipped.actual / large, clipped.expected / large
        ((1,), 0.25, -1.5, -2.0)
        """
        for factor in (2.0**40, -(2.0**-40)):  # powers of two, so that rounding is the same
            scaled = replace(given, dy=factor * given.dy).gradients
            for name, result in found.items():
                actual, expected = scaled[name] / factor, given.gradients[name]
                is_off = _is_off(actual, expected, factor)
                if not (result.ok and is_off.any()):
                    continue
                if is_rounding(actual, expected, name, given, self.rng):
                    continue  # a sum whose order differs from call to call
                off = np.where(is_off, np.nan_to_num(abs(actual - expected), nan=np.inf), 0)
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
        """Compare at other values where a gradient is zero, or that of some unit.

        A weight is clipped to values from -2 to 2. Below, one of them is, and a layer that never
        computes its gradient is incorrect only where it is not:

        >>> class Clipped:
        ...     def __init__(self, is_forgotten):
        ...         self.params, self.is_forgotten = {"w": np.array([1.0, 8.0])}, is_forgotten
        ...
        ...     def forward(self, x):
        ...         return x * np.clip(self.params["w"], -2, 2), x
        ...
        ...     def backward(self, dy, x):
        ...         w = self.params["w"]
        ...         dw = (abs(w) < 2) * (dy * x).sum(axis=0)
        ...         return dy * np.clip(w, -2, 2), {"w": dw * [1, not self.is_forgotten]}
        >>> def status(is_forgotten):
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(Clipped(is_forgotten), np.ones((3, 2)), rng)
        ...     found = {"w": GradientResult("w", "correct", "complex", 0.0)}
        ...     Elsewhere(case, {"w": How("complex")}, None, rng).where_zero(found)
        ...     return found["w"].status
        >>> status(is_forgotten=False), status(is_forgotten=True)
        ('correct', 'incorrect')
        """
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
        for case in filter(None, map(self.case.at, negated_or_small(self.case.arrays))):
            if not self.agrees(case, [name]):
                there = self.compare(case, name, AFTER_A_STEP)
                if there.status == "incorrect":
                    return there._replace(notes=(*there.notes, WHERE_ZERO))
            elif not (is_zero := is_zero & (case.gradients[name] == 0)).any():
                break
        return result

    def at_other_values(self, result: GradientResult) -> GradientResult:
        """Return the result at values where the gradient is not zero, or undecided.

        >>> from types import SimpleNamespace
        >>> def status(function, slope):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (function(x), x),
        ...         backward=lambda dy, x: (dy * slope(x), {}),
        ...         params={},
        ...     )
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.array([-1.0, -2.0]), rng)
        ...     elsewhere = Elsewhere(case, {"input": How("complex")}, None, rng)
        ...     return elsewhere.at_other_values(GradientResult("input", "correct", "complex", 0.0))
        >>> status(lambda x: np.maximum(x, 0), lambda x: x > 0).status
        'correct'
        >>> status(lambda x: np.maximum(x, 0), lambda x: 0 * x).status
        'incorrect'

        A function without a slope that changes with x is a staircase, one that does not change is
        a constant, or x is not used:

        >>> [status(f, lambda x: 0 * x).status for f in (lambda x: np.sign(x.real), np.zeros_like)]
        ['correct', 'undecided']
        """
        name = result.name
        for case in filter(None, map(self.case.at, other_values(self.case.arrays, name, self.rng))):
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


def _is_off(actual: Array, expected: Array, factor: float) -> Array:
    """Whether a gradient for `factor * dy`, divided by the factor, is not the gradient for dy.

    It may differ by a millionth, and by rounding where the terms of an entry cancel:

    >>> _is_off(np.array([1 + 0.9e-6, 1 + 1.1e-6]), np.ones(2), 1.0).tolist()
    [False, True]
    >>> _is_off(np.array([1.0, 1e-12, 1.1e-12]), np.array([1.0, 0.0, 0.0]), 1.0).tolist()
    [False, False, True]

    And code that computes in float32 loses very small values and overflows for large ones:

    >>> _is_off(np.zeros(2), np.array([1e-22, 2e-22]), 2.0**-40).tolist()
    [False, True]
    >>> _is_off(np.full(2, np.nan), np.array([OVERFLOW / 4, OVERFLOW / 2]), 2.0).tolist()
    [True, False]
    """
    least = 1e-6 * np.abs(expected) + SAME * largest(expected) + DENORMAL / abs(factor)
    is_near = np.abs(actual - expected) <= least
    return np.asarray(~is_near & (np.abs(factor * expected) < OVERFLOW))
