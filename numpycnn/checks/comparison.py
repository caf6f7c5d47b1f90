"""One gradient at one point: compared along a direction, and entry by entry where that fails.

An entry of a gradient is a sum of terms, one for each output. It is correct if its error is at
most the tolerance times the sum of the *absolute* terms. A mistake is far above that. Rounding can
also exceed it, where values of magnitude one cancel to 1e-12. Its magnitude is measured: by how
much does this entry change when every value changes in its last digits?

Where an error could be a value that is lost in rounding completely, and where the values are far
from one, the comparison is repeated with every array scaled to values up to one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.arrays import changed, largest
from numpycnn.checks.case import EPS, EPS_SINGLE, SAFETY, Case
from numpycnn.checks.derivatives import TOLERANCE
from numpycnn.checks.directions import by_magnitude, levelled, random_direction, relative_error
from numpycnn.checks.entries import Entries, EntryByEntry
from numpycnn.checks.evidence import Evidence
from numpycnn.checks.kinks import allowed, kinks, summed
from numpycnn.checks.methods import How, again, forgotten
from numpycnn.checks.mistakes import CONSTANT_TERM, name_mistake
from numpycnn.checks.report import GradientResult, Mistake
from numpycnn.checks.size_one import ALL_ZERO, NEAR_ROUNDING, UNDECIDED, decided
from numpycnn.layers.container import Container

N_SUSPECTS = 20  # entries that are examined more closely, the worst first
FEW = 64  # entries; a name for fewer must hold at two other points, for more at one

UNSTEADY = (
    "cannot be decided: differences converge to no value, whatever the step; does forward compute "
    "in low precision?"
)
UNDEFINED = (
    "cannot be decided: the derivative is infinite or not defined at these values; try an x, and "
    "parameters, inside the domain of the function"
)

TIES = Mistake(
    "ties",
    "each entry alone could be correct, but not all together: of several equal maxima one receives "
    "the gradient, or they share it",
)
TO_DIGITS = "compared to {} digits: the rounding of forward hides the others"


@dataclass
class Comparison:
    """A comparison of the gradient for one array with the derivative, at one point."""

    case: Case
    name: str
    how: How
    asked: float | None  # the tolerance
    rng: np.random.Generator
    is_sampled: bool = False  # whether to check only some entries, to locate the error
    is_aside: bool = False  # whether all arrays were shifted slightly away from the kinks
    given: Case | None = None  # the given values, if these are scaled to size one

    def __post_init__(self) -> None:
        self.tolerance = TOLERANCE[self.how.method] if self.asked is None else self.asked

    def result(self) -> GradientResult:
        """Compare at the given values and, where that leaves a doubt, at size one.

        >>> from types import SimpleNamespace
        >>> rng = np.random.default_rng(0)
        >>> def result(method, error, tolerance=None):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (3 * x, x),
        ...         backward=lambda dy, x: (dy * [3, 3 + 3 * error], {}),
        ...         params={},
        ...     )
        ...     case = Case.of(layer, np.array([1.0, -2.0]), rng)
        ...     found = Comparison(case, "input", How(method), tolerance, rng).result()
        ...     return found.status, f"{found.error:.1e}", found.worst
        >>> result("complex", 0.9e-10), result("complex", 1.1e-10)
        (('correct', '9.0e-11', None), ('incorrect', '1.1e-10', (1,)))
        >>> result("central", 0.9e-6), result("central", 1.1e-6)
        (('correct', '9.0e-07', None), ('incorrect', '1.1e-06', (1,)))
        >>> result("complex", 0.9e-5, tolerance=1e-5), result("complex", 1.1e-5, tolerance=1e-5)
        (('correct', '9.0e-06', None), ('incorrect', '1.1e-05', (1,)))

        Here x is 100, and forward may be defined for large values only. An error near the rounding
        is confirmed at size one, or undecided, and so is a gradient that is lost here:

        >>> def far(function, gradient, least=0, is_alone=False):
        ...     def forward(x):
        ...         if np.abs(x).max() < least:
        ...             raise ValueError("outside the domain")
        ...         return function(x), x
        ...     layer = SimpleNamespace(forward=forward, params={})
        ...     layer.backward = lambda dy, x: (dy * gradient(x), {})
        ...     case = Case.of(layer, np.full(1, 100.0), rng)
        ...     how = How("complex", is_alone=is_alone)
        ...     return Comparison(case, "input", how, None, rng).result().status
        >>> [far(np.sin, lambda x: factor * np.cos(x)) for factor in (1, 1 + 1e-8)]
        ['correct', 'incorrect']
        >>> [far(np.sin, lambda x: factor * np.cos(x), least=2) for factor in (1, 1 + 1e-8, 2)]
        ['correct', 'undecided', 'incorrect']
        >>> far(np.sin, np.cos, least=2, is_alone=True)
        'undecided'
        >>> far(lambda x: np.minimum(x, 9), lambda x: x < 9), far(lambda x: 0 * x, lambda x: 0)
        ('undecided', 'correct')
        """
        here, doubt = self.by_either_method()
        is_far = self.case.is_far_from_one()
        if not (doubt or (here.status == "correct" and is_far)):
            return here
        notes = (*here.notes, UNDECIDED)
        undecided = here._replace(status="undecided", worst=None, mistake=None, notes=notes)
        one = self.case.of_size_one()
        if one is None:
            return undecided if here.status == "incorrect" or self.how.is_alone else here
        how = again(self.how, one, self.name, self.rng)
        there, doubt_there = replace(self, case=one, how=how, given=self.case).by_either_method()
        is_zero = not one.gradients[self.name].any()
        return decided(here, doubt, is_far, there, doubt_there, is_zero) or undecided

    def by_either_method(self) -> tuple[GradientResult, str]:
        """Compare `here`, by differences where the method does not suit the layer.

        A staircase is a constant to the small steps that choose the method.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(forward=lambda x: (3 * np.real(x), x), params={})
        >>> layer.backward = lambda dy, x: (3 * dy, {})
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(layer, np.ones(1), rng)
        >>> found, _ = Comparison(case, "input", How("complex"), None, rng).by_either_method()
        >>> found.status, found.method
        ('correct', 'central')
        """
        try:
            return self.here()
        except TypeError as error:
            if self.how.method == "central":
                raise
            return replace(self, how=How("central", str(error))).here()

    def here(self) -> tuple[GradientResult, str]:
        """Compare along random directions; if that fails, entry by entry.

        Returns the result at these values, and the doubt about it, if any.

        >>> from types import SimpleNamespace
        >>> def compare(slopes, errors, method="complex"):
        ...     slopes, rng = np.array(slopes), np.random.default_rng(0)
        ...     layer = SimpleNamespace(forward=lambda x: (x * slopes, x), params={})
        ...     layer.backward = lambda dy, x: (dy * slopes * (1 + np.array(errors)), {})
        ...     case = Case.of(layer, np.ones(slopes.shape), rng)
        ...     found, doubt = Comparison(case, "input", How(method), None, rng).here()
        ...     return found.status, found.error, doubt

        An error much below the tolerance is that of the direction, and less than that of an entry:

        >>> [0.3 < compare([3.0, 3.0], [0, e])[1] / e < 0.7 for e in (1.4e-12, 3.1e-12)]
        [True, False]
        >>> f"{compare([3.0, 3.0], [0, 3.1e-12])[1]:.1e}", compare([0.0, 0.0], [0, 0])
        ('3.1e-12', ('correct', 0.0, 'zero everywhere'))

        Differences need several directions. The error is the largest of them:

        >>> [f"{compare([1, 1e-5], errors, 'central')[1]:.0e}" for errors in ([0, 5e-9], [5e-9, 0])]
        ['5e-09', '5e-09']
        """
        actual, method = self.case.gradients[self.name], self.how.method
        array, notes = self.case.arrays[self.name], self.how.notes
        if method == "complex":  # exact for all at once, however small one is beside another
            directions = iter([levelled(actual, self.rng)])
        else:
            directions = by_magnitude(actual, array, self.rng)
        largest_error = 0.0
        for along in directions:
            if self.how.is_blind and (missing := self.forgotten(actual, along)):
                found, doubt = self.by_entries(actual)
                return (found, doubt) if found.status == "incorrect" else (missing, "")
            slopes = self.case.derivative(method, {self.name: along})
            error = relative_error(actual * along, self.case.dy * slopes.middle)
            largest_error = max(largest_error, error)
            # In a mixture errors of both signs cancel.
            if error > self.tolerance / 100 or kinks(slopes, self.case.dy, method):
                break
        else:
            result = GradientResult(self.name, "correct", method, largest_error, notes=notes)
            return result, "" if actual.any() else ALL_ZERO
        return self.by_entries(actual)

    def forgotten(self, actual: Array, along: Array) -> GradientResult | None:
        """Return the result if backward left out exactly the part that is not analytic.

        In x |x| at 3 this part is 3 of a slope of 6. A tenth more or less is not this mistake:

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (x * np.sqrt(x * np.conj(x)), x), backward=None, params={}
        ... )
        >>> case = Case.of(layer, np.array([3.0]), np.random.default_rng(0))
        >>> case.dy[:] = 1
        >>> comparison = Comparison(case, "input", How("central"), None, np.random.default_rng(0))
        >>> found = comparison.forgotten(np.array([3.0]), np.ones(1))
        >>> found.status, found.method, found.mistake.name, round(found.error, 3)
        ('incorrect', 'central', 'constant term', 0.5)
        >>> slopes = (2.69, 2.71, 3.29, 3.31, 6.0)
        >>> [comparison.forgotten(np.array([s]), np.ones(1)) is not None for s in slopes]
        [False, True, True, False, False]
        """
        for _ in range(3):  # along some directions the part may be zero
            mixed = along * random_direction(along, self.rng)
            try:
                steps = self.case.derivative("complex", {self.name: mixed})
                part = forgotten(self.case, self.name, mixed, self.rng)
            except TypeError:
                return None
            off = float((actual * mixed).sum() - (self.case.dy * steps.middle).sum())
            if abs(off) < 0.1 * abs(part):  # with this part it would be off by as much
                break
        else:
            return None
        size = float(np.abs(actual * mixed).sum())
        return GradientResult(
            self.name,
            "incorrect",
            "central",
            abs(part) / (size + abs(part)),
            mistake=CONSTANT_TERM,
            notes=self.how.notes,
        )

    def by_entries(self, actual: Array) -> tuple[GradientResult, str]:
        """Compare entry by entry, and decide whether an error could be rounding.

        Returns the result at these values, and the doubt about it, if any.

        >>> from types import SimpleNamespace
        >>> def compared(gradient, function=lambda x: 3 * x, x=(1.0, 2.0), method="complex"):
        ...     rng = np.random.default_rng(0)
        ...     given = gradient if callable(gradient) else lambda x: gradient
        ...     layer = SimpleNamespace(params={}, backward=lambda dy, x: (np.array(given(x)), {}))
        ...     layer.forward = lambda x: (function(x), x)
        ...     case = Case.of(layer, np.array(x), rng)
        ...     case.dy[...] = 1
        ...     comparison = Comparison(case, "input", How(method), None, rng)
        ...     return comparison.by_entries(case.gradients["input"])
        >>> def error(*gradient):
        ...     found, doubt = compared(gradient)
        ...     return found.status, f"{found.error:.1e}", found.worst, found.actual, doubt

        The error is relative to the absolute terms if it is within the tolerance, and otherwise to
        the largest entry. An error below 1e-5 could be rounding:

        >>> error(3, 3 + 6e-11), error(3, 0)
        (('correct', '2.0e-11', None, nan, ''), ('incorrect', '1.0e+00', (1,), 0.0, ''))
        >>> error(4, 6), error(np.nan, 3)
        (('incorrect', '5.0e-01', (1,), 6.0, ''), ('incorrect', 'inf', (0,), nan, ''))
        >>> error(3, 3.000029)
        ('incorrect', '9.7e-06', (1,), 3.000029, 'near rounding')
        >>> error(3, 3.000031)
        ('incorrect', '1.0e-05', (1,), 3.000031, '')

        The largest error may be near the rounding and a smaller one not, and the largest may be
        rounding, as in a difference of two products that loses nine digits:

        >>> found, doubt = compared((3e3 + 1e-2, 3 + 1e-3), lambda x: x * (3e3, 3))
        >>> found.worst, f"{found.error:.1e}", doubt
        ((0,), '3.3e-06', '')
        >>> def lossy(x):
        ...     return (1e9 + 2) * x - 1e9 * x
        >>> [compared(gradient, lambda x: x**2, (0.3, 0.7))[0].worst
        ...     for gradient in (lossy, lambda x: [lossy(x)[0], 2 * x[1] + 1e-9])]
        [None, (1,)]
        >>> [(found.status, found.error, doubt) for found, doubt in (
        ...     compared(lossy, lambda x: x**2, (0.3, 0.7)), compared((0, 0), lambda x: 0 * x))]
        [('correct', 0.0, 'near rounding'), ('correct', 0.0, '')]

        At a tie of two maxima either may receive the gradient, or they share it:

        >>> def pooled(*gradient):
        ...     found, doubt = compared(gradient, lambda x: x.max() * np.ones(3), (2.0, 2.0))
        ...     return found.status, found.kinks, found.worst, found.mistake and found.mistake.name
        >>> pooled(0, 3), pooled(1.5, 1.5)
        (('correct', 2, None, None), ('correct', 2, None, None))
        >>> pooled(3, 3 + 2e-10), pooled(3, 3.3)
        (('incorrect', 2, None, 'ties'), ('incorrect', 2, (1,), 'not linear'))

        A large constant in the output hides digits from differences, and in the end all of them:

        >>> for constant in (1e8, 1e9, 1e11, 1e12):
        ...     forward = lambda x: 3 * x + constant
        ...     found, _ = compared((3, 3.00002), forward, method="central")
        ...     n_digits = [n for n in range(9) if TO_DIGITS.format(n) in found.notes]
        ...     print(found.status, n_digits, UNSTEADY in found.notes)
        correct [] False
        correct [3] False
        undecided [1] True
        undecided [] True
        >>> found, _ = compared((1, 1), lambda x: np.maximum(x, 0) ** 0.5, (0.0, 0.25))
        >>> found.status, found.notes == (UNDEFINED,)
        ('undecided', True)

        A network is compared a small step away from a kink. There the gradient is not the given
        one, of 5 and 1, and the derivative of max(x, 0) + x^2 at 1 is still 3:

        >>> from numpycnn import Layer, Sequential
        >>> class Wrong(Layer):
        ...     def forward(self, x):
        ...         return np.maximum(x, 0) + x**2, x
        ...     def backward(self, dy, x):
        ...         return dy, {}
        >>> rng = np.random.default_rng(0)
        >>> for layer in (Wrong(), Sequential(Wrong())):
        ...     case = Case.of(layer, np.array([0.0, 1.0]), rng)
        ...     case.dy[:] = 1
        ...     comparison = Comparison(case, "input", How("complex"), None, rng)
        ...     found, _ = comparison.by_entries(np.array([5.0, 1.0]))
        ...     print(found.kinks, found.worst, found.actual, round(found.expected, 3))
        1 (0,) 5.0 0.5
        1 (1,) 1.0 3.0
        """
        entries = EntryByEntry(self.case, self.name, self.how.method, self.tolerance, self.rng)
        found = entries.compare(actual, entries.places(actual, self.is_sampled))
        n_kinks = int(found.kinks.sum())
        if n_kinks and isinstance(self.case.layer, Container) and not self.is_aside:
            # The rule for kinks does not hold where a network adds and subtracts them. A small
            # step away there is a derivative.
            aside = self.case.aside(self.rng, 1e-6)
            result, doubt = replace(self, case=aside, is_aside=True).here()
            return result._replace(kinks=n_kinks), doubt

        size = max(largest(found.actual), largest(found.expected))
        # The error of the rest, if no error is above the tolerance by more than the rounding.
        is_within = found.off <= self.tolerance * found.terms
        with np.errstate(all="ignore"):
            within = np.nan_to_num(found.off / found.terms)
            precision = np.nan_to_num(found.noise / np.max(found.terms))
        error = float(np.max(within, initial=0, where=is_within))
        result = GradientResult(self.name, "correct", self.how.method, error, kinks=n_kinks)
        result = result._replace(notes=self.how.notes)
        order = np.argsort(-found.off, kind="stable")
        suspects = [i for i in order if found.off[i] > self.tolerance * found.terms[i]][:N_SUSPECTS]
        errors = self.beyond_rounding(found, suspects[:1])  # a mistake mostly shows in the worst
        if not (errors and self.is_visible(found, errors)):
            errors = self.beyond_rounding(found, suspects)
        if errors:
            error = float(found.off[errors[0]]) / size
            result = result._replace(error=error if np.isfinite(error) else np.inf)
            is_sure = self.is_visible(found, errors)
            return self.incorrect(result, found, errors[0]), "" if is_sure else NEAR_ROUNDING
        in_doubt = found.kinks.copy()  # a staircase has a kink at every value
        in_doubt[suspects[:1]] = True
        if self.how.method == "central" and 1e-4 < np.max(precision) < 0.1 and suspects:
            digits = int(-np.log10(np.max(precision)))
            result = result._replace(notes=(*result.notes, TO_DIGITS.format(digits)))
        if found.undefined.any():
            return result._replace(status="undecided", notes=(*result.notes, UNDEFINED)), ""
        if np.max(found.noise, initial=0.0, where=in_doubt) > 0.01 * np.max(found.terms):
            return result._replace(status="undecided", notes=(*result.notes, UNSTEADY)), ""
        if n_kinks and self.name == "input" and not entries.agree_together(actual, found):
            # Values may be equal by rounding alone, where a large bias is added.
            low, high = allowed(found.columns, self.case.dy, found.kinks, 1)
            outside = np.maximum(low - found.actual, found.actual - high)
            if np.max(outside) > self.tolerance * size:  # not even alone
                return self.incorrect(result, found, int(np.argmax(outside))), NEAR_ROUNDING
            return result._replace(status="incorrect", mistake=TIES), NEAR_ROUNDING
        return result, NEAR_ROUNDING if suspects else ""

    # Rounding
    # --------

    def beyond_rounding(self, found: Entries, suspects: list[int]) -> list[int]:
        """Those that are off by more than the rounding of this very entry.

        Here backward loses nine digits, as the difference of two products:

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(
        ...     forward=lambda x: (x**2, x),
        ...     backward=lambda dy, x: (dy * ((1e9 + 2) * x - 1e9 * x), {}),
        ...     params={},
        ... )
        >>> def beyond(layer, *factors):
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(layer, np.array([0.3, 0.7]), rng)
        ...     entries = EntryByEntry(case, "input", "complex", 1e-10, rng)
        ...     found = entries.compare(case.gradients["input"] * factors, [(0,), (1,)])
        ...     comparison = Comparison(case, "input", How("complex"), None, rng)
        ...     return comparison.beyond_rounding(found, [0, 1])
        >>> beyond(layer, 1 + 1e-8, 1 + 1e-5)
        [1]

        A function that changes fast does not excuse more, as its derivative changes, too:

        >>> layer.forward = lambda x: (np.sin(1e6 * x), x)
        >>> layer.backward = lambda dy, x: (dy * 1e6 * np.cos(1e6 * x), {})
        >>> beyond(layer, 1 + 1e-10, 1)
        [0]

        In float32 the last digit of 1 is 1e-7. Here four outputs of 0.3 move with the first entry,
        so its gradient is known to 1.2 of such digits, times 64. The second has no effect, and
        counts as the largest terms, of 0.004:

        >>> rng = np.random.default_rng(0)
        >>> layer.forward = lambda x: (np.float32(0.3 + 0.001 * x[0] * np.ones(4)), x)
        >>> layer.backward = lambda dy, x: (np.array([0.004, 0.0]), {})
        >>> case = Case.of(layer, np.array([0.3, 0.7]), rng)
        >>> case.dy[:] = 1
        >>> entries = EntryByEntry(case, "input", "central", 1e-6, rng)
        >>> found = entries.compare(np.zeros(2), [(0,), (1,)])
        >>> found = found._replace(terms=np.array([0.004, 0.0]), noise=np.zeros(2))
        >>> comparison = Comparison(case, "input", How("central"), None, rng)
        >>> for digits in ([1.2, 0.0039], [1.21, 0.0041]):
        ...     off = 64 * EPS_SINGLE * np.array(digits)
        ...     print(comparison.beyond_rounding(found._replace(off=off), [0, 1]))
        []
        [0, 1]
        """
        if not suspects:
            return []
        places = [found.places[i] for i in suspects]
        index = tuple(np.transpose(places))

        def error(near: Case) -> Array:
            actual = np.atleast_1d(near.gradients[self.name][index])
            if self.how.method == "complex":  # of differences the noise is known already
                columns = near.columns("complex", self.name, places)
                actual = actual - summed(near.dy * columns.middle, 1)
            return actual

        rounding = self.case.rounding(error, self.rng)
        # A few measurements can miss rounding, but no output is exact beyond its last digit.
        values = slopes_of_outputs(self.case.dy, self.case.output, self.case.arrays[self.name])
        last_digit: Array | float = EPS * values.sum()
        if self.case.digit == EPS_SINGLE:  # values that cancel within it are as large as others
            moved = summed(values * (found.columns.middle[suspects] != 0), 1)
            last_digit = 4 * SAFETY * EPS_SINGLE * np.maximum(moved, np.max(found.terms))
        allowed = np.maximum(rounding, np.maximum(found.noise[suspects], last_digit))
        return [i for i, most in zip(suspects, allowed, strict=True) if not found.off[i] <= most]

    def is_visible(self, found: Entries, errors: list[int]) -> bool:
        """Whether an error is more than what can be lost in rounding completely.

        A part of the gradient that changes no output in its digits, all the way from zero, may
        be lost: the slope of tanh at 20. An output that does not depend on the array counts for
        nothing, however large it is. And where a gradient vanishes, as after a saturated softmax,
        the digits are lost that it has at size one. At size one it may vanish, too, if the
        function has a unit: then the digits are lost that it has at the given values.

        Any error of at most 1e-5 can be lost:

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(ReLU(), np.ones(2), rng)
        >>> comparison = Comparison(case, "input", How("complex"), None, rng)
        >>> entries = EntryByEntry(case, "input", "complex", 1e-10, rng)
        >>> found = entries.compare(np.ones(2), [(0,), (1,)])
        >>> found = found._replace(off=np.array([1.9e-5, 2.1e-5]), terms=np.array([2.0, 2.0]))
        >>> [comparison.is_visible(found, errors) for errors in ([0], [1], [0, 1])]
        [False, True, True]
        """
        limit = self.lost()
        return any(found.off[i] > max(1e-5 * found.terms[i], limit) for i in errors)

    def lost(self) -> float:
        """Return by how much a gradient can be off because its digits are lost.

        Each limit is for one output, in units of 64 times the last digit of 1. A large constant
        hides digits, but not of an output that does not depend on the array:

        >>> from types import SimpleNamespace
        >>> def limit(function, x, given=None, n=1000):
        ...     layer, rng = SimpleNamespace(backward=None, params={}), np.random.default_rng(0)
        ...     layer.forward = lambda x: (function(x), x)
        ...     case, given = (a and Case.of(layer, np.full(n, a), rng) for a in (x, given))
        ...     (given or case).dy[:] = case.dy[:] = 1
        ...     return Comparison(case, "input", How("complex"), None, rng, given=given).lost() / (
        ...         64 * EPS * n
        ...     )
        >>> halves = np.arange(1000) % 2
        >>> [round(limit(lambda x: 1e8 + x * factor, 20.0)) for factor in (1, 0, halves)]
        [1250000, 0, 625000]

        It does if the array is too small to move it, and if moving all values equally does not:

        >>> f"{limit(lambda x: 1e8 + x, 1e-9):.1e}", round(limit(lambda x: 1e8 + x - x[0], 20.0))
        ('2.5e+16', 1248750)

        The slope of tanh is 0 at 20, and 0.42 at 1. A step of 1 to 2 is 1.5 in the mean:

        >>> round(limit(np.tanh, 20.0) / 20, 1), round(1.5 * 0.42, 1)
        (0.6, 0.6)
        >>> round(limit(lambda x: np.tanh(1e9 * x), 1.0, given=1e-9), 1)
        0.6
        >>> round(limit(np.square, 0.5), 1)  # not less than at size one, where the slope is 2
        3.0
        >>> limit(lambda x: np.minimum(1e9 * x, 2e9), 8.0, n=5) / 8  # the slope counts as 1e3
        5000.0
        """
        case, array = self.case, self.case.arrays[self.name]
        along = random_direction(array, self.rng)
        # A bias of 1e-9 next to 1e8 is lost if it is doubled, too, and a softmax does not change
        # if all values move by the same amount.
        further = array + max(1.0, largest(array)) * np.abs(along)
        moved = case.evaluate({**case.arrays, self.name: further}) != case.output
        rounding = case.rounding(lambda near: near.output, self.rng)
        lost = float((np.abs(case.dy) * rounding)[moved].sum()) / largest(array)
        other = self.given or case.of_size_one() or case
        gain = float(np.prod([max(1.0, largest(array)) for array in case.arrays.values()]))
        # Along a direction: a ReLU may be zero there for this entry alone.
        along *= largest(self.given.arrays[self.name]) if self.given else 1
        slopes = other.slopes(self.how.method, {self.name: along})
        # A function without bounds, as exp(x / 1e-9), excuses nothing.
        moves = np.minimum(np.abs(slopes.middle), 1e3 * array.size)
        digit = max(case.digit, other.digit)  # a constant does not show its own
        return max(lost, 4 * SAFETY * digit * gain * float(np.abs(other.dy * moves).sum()))

    # Mistakes
    # --------

    def incorrect(self, result: GradientResult, found: Entries, worst: int) -> GradientResult:
        """Return the result with the entry that has the largest error, and the mistake's name."""
        result = result._replace(
            status="incorrect",
            worst=found.places[worst],
            actual=float(found.actual[worst]),
            expected=float(found.expected[worst]),
        )
        if self.is_sampled:
            return result
        return result._replace(mistake=name_mistake(self.evidence(found), self.others(found)))

    def evidence(self, found: Entries) -> Evidence:
        """Collect the data about the error."""
        how = self.how
        return Evidence.of(self.case, self.name, how.method, found, how.is_blind, self.rng)

    def others(self, found: Entries) -> list[Callable[[], Evidence | None]]:
        """The data for other dy, and at other values, computed where they are needed.

        The name of a mistake must hold for two other dy. An array of few entries could agree by
        chance, so it is compared at two other points as well, and an array of many entries at one:

        >>> from numpycnn import ReLU
        >>> def others(size, n_places):
        ...     rng = np.random.default_rng(0)
        ...     case = Case.of(ReLU(), np.ones(size), rng)
        ...     entries = EntryByEntry(case, "input", "complex", 1e-10, rng)
        ...     found = entries.compare(case.dy, [(i,) for i in range(n_places)])
        ...     return case, Comparison(case, "input", How("complex"), None, rng).others(found)
        >>> [len(others(*sizes)[1]) for sizes in ((63, 63), (64, 64), (64, 63))]
        [4, 3, 2]
        >>> case, (opposite, random) = others(64, 63)
        >>> bool((opposite().dy == -case.dy).all()), random() is random()
        (True, True)
        """
        dy = self.case.dy
        upstream = -dy, self.rng.standard_normal(dy.shape)
        others: list[Callable[[], Evidence | None]]
        others = [partial(self.with_dy, each, found) for each in upstream]
        size = self.case.arrays[self.name].size
        if len(found.places) == size:  # not a sample
            others += [partial(self.at_other_values, found)] * (2 if size < FEW else 1)
        return [cache(other) for other in others]

    def with_dy(self, dy: Array, found: Entries) -> Evidence:
        """The data for another upstream gradient.

        >>> from numpycnn import ReLU
        >>> rng = np.random.default_rng(0)
        >>> case = Case.of(ReLU(), np.array([1.0, -1.0, 2.0]), rng)
        >>> comparison = Comparison(case, "input", How("complex"), None, rng)
        >>> entries = EntryByEntry(case, "input", "complex", 1e-10, rng)
        >>> found = entries.compare(case.dy, [(0,), (1,)])
        >>> evidence = comparison.with_dy(np.array([4.0, 5.0, 6.0]), found)
        >>> evidence.dy.tolist(), evidence.actual.tolist(), evidence.expected.tolist()
        ([4.0, 5.0, 6.0], [4.0, 0.0], [4.0, 0.0])
        """
        case = replace(self.case, dy=dy)
        actual = np.array([case.gradients[self.name][place] for place in found.places])
        expected = summed(dy * found.columns.middle, 1)
        return replace(self, case=case).evidence(found._replace(actual=actual, expected=expected))

    def at_other_values(self, found: Entries) -> Evidence | None:
        """The data at other values in the domain of the layer, if the gradient is not zero there.

        Many functions are defined for all numbers, and others for positive ones only:

        >>> from types import SimpleNamespace
        >>> def others(function):
        ...     layer, rng = SimpleNamespace(params={}), np.random.default_rng(0)
        ...     layer.forward, layer.backward = lambda x: (function(x), x), lambda dy, x: (x, {})
        ...     case = Case.of(layer, np.full(40, 4.0), rng)
        ...     entries = EntryByEntry(case, "input", "complex", 1e-10, rng)
        ...     found = entries.compare(np.ones(40), [(i,) for i in range(40)])
        ...     found = Comparison(case, "input", How("complex"), None, rng).at_other_values(found)
        ...     return found and [round(float(f(found.arrays["input"]))) for f in (np.min, np.max)]
        >>> others(np.exp), others(np.sqrt), others(lambda x: 0 * x)
        ([-4, 4], [2, 6], None)
        """
        draw = self.rng.uniform
        for change in (
            lambda array: largest(array) * draw(-1, 1, array.shape),
            lambda array: largest(array) * draw(-1, 1, array.shape),
            lambda array: array * draw(0.5, 1.5, array.shape),
        ):
            with suppress(Exception):  # whatever a layer raises for values that it does not accept
                case = self.case.at(changed(self.case.arrays, change))
                if case is None:
                    continue
                how = again(self.how, case, self.name, self.rng)
                entries = EntryByEntry(case, self.name, how.method, self.tolerance, self.rng)
                there = entries.compare(case.gradients[self.name], found.places)
                if there.expected.any():
                    return replace(self, case=case, how=how).evidence(there)
        return None


def slopes_of_outputs(dy: Array, output: Array, array: Array) -> Array:
    """Return the slope of each output times dy if the output is proportional to the whole array.

    Large constants in the output and small arrays must not count more than at size one:

    >>> dy, output = np.array([2.0, -2.0]), np.array([-0.5, 8.0])
    >>> [slopes_of_outputs(dy, output, np.array([x])).tolist() for x in (0.5, -4.0)]
    [[1.0, 2.0], [0.25, 0.5]]
    """
    return np.asarray(np.abs(dy) * np.minimum(np.abs(output), 1) / max(1.0, largest(array)))
