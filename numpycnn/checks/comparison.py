"""One gradient at one point: compared along a direction, and entry by entry where that fails.

An entry of a gradient is a sum of terms, one for each output. It is correct if its error is at
most the tolerance times the sum of the *absolute* terms. A mistake is far above that. Rounding can
be above it too, where values of size one cancel to 1e-12 on the way. Its size is measured: change
every value in its last digit a few times, and see by how much this entry changes.

Rounding is absent where every array is scaled to values up to one: nothing is saturated then, and
nothing overflows. So where an entry is off, or the values are far from one, the comparison is made
again at size one. A gradient that is incorrect there is incorrect. One that is correct there, and
off here by no more than its rounding, is correct. One that is correct there but lost in rounding
here is undecided: after a softmax that is certain to thirty digits, a mistake is not visible.

One thing needs no derivative: at size one, move an array by all its size. If no output changes by
more than its rounding, as for a bias before a layer that subtracts the mean, the gradient is
zero, and what backward returns is the rounding of sums that cancel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.case import EPS, SAFETY, Case, largest
from numpycnn.checks.derivatives import Method, OneSided
from numpycnn.checks.kinks import KINK, between, kinks, summed
from numpycnn.checks.methods import How, choose, forgotten, rounding_of_output
from numpycnn.checks.mistakes import SAME, Evidence, Mistake, name_mistake
from numpycnn.checks.report import GradientResult
from numpycnn.layers.container import Container

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""The largest relative error of a correct gradient, in float64, by method."""

N_SUSPECTS = 20  # entries that are examined more closely, the worst first
N_SHAKES = 6
N_ENTRIES = 1000  # an array of at most so many is compared entry by entry, a larger one at some
N_SAMPLED = 8

NEAR_ROUNDING, ALL_ZERO = "near rounding", "zero everywhere"  # the doubts there may be
UNDECIDED = (
    "cannot be decided at this scale, where rounding alone could do this; try an x, and "
    "parameters, of size 1"
)
SEEN_AT_SIZE_ONE = "found with every array scaled to values up to one; here rounding hides it"
UNSTEADY = (
    "cannot be decided: differences converge to no value, whatever the step; does forward compute "
    "in low precision?"
)
UNDEFINED = (
    "cannot be decided: the derivative is infinite or not defined at these values; try an x, and "
    "parameters, inside the domain of the function"
)

TO_DIGITS = "compared to {} digits: the rounding of forward hides the others"

Place = tuple[int, ...]


class _Entries(NamedTuple):
    """Some or all entries of a gradient, in a row, compared with the derivative."""

    places: list[Place]
    came: Array  # what backward returned
    right: Array  # the derivative
    off: Array  # the error
    terms: Array  # the sum of the absolute terms that make up this entry
    noise: Array  # the error that the derivative may have itself
    kinks: Array  # where the function has no derivative
    undefined: Array  # where not even a one-sided derivative exists
    columns: OneSided  # the derivative of each output with respect to each entry


@dataclass
class Comparison:
    """A comparison of the gradient for one array with the derivative, at one point."""

    case: Case
    name: str
    how: How
    asked: float | None  # the tolerance
    rng: np.random.Generator
    is_central: bool = False  # whether central differences were asked for
    is_sampled: bool = False  # whether some entries are enough, to show where the error is
    is_aside: bool = False  # whether every array was moved a little, off the kinks

    def __post_init__(self) -> None:
        self.tolerance = TOLERANCE[self.how.method] if self.asked is None else self.asked

    def result(self) -> GradientResult:
        """Compare at the given values and, where that leaves a doubt, at size one."""
        here, doubt = self.here()
        is_far = self.case.is_far_from_one()
        if not (doubt or (here.status == "correct" and is_far)):
            return here
        notes = (*self.how.notes, UNDECIDED)
        undecided = here._replace(status="undecided", worst=None, mistake=None, notes=notes)
        one = self.case.of_size_one()
        if one is None:
            return undecided if here.status == "incorrect" or self.how.is_alone else here
        how = choose(one, "central" if self.is_central else None, self.rng)[self.name]
        there, _ = replace(self, case=one, how=how).here()
        # A layer may have a unit of its own: of sin(x / 1e-9) differences see nothing at size one.
        is_exact = self.how.method == "complex" or self.how.is_blind
        is_steady = there.error > TOLERANCE["central"] and (doubt or is_exact)
        if there.status == "incorrect" and here.ok and there.method == "central" and not is_steady:
            return undecided
        if there.status == "incorrect":
            is_seen_here = here.status == "incorrect" and not is_far
            return here if is_seen_here else there._replace(notes=(*there.notes, SEEN_AT_SIZE_ONE))
        # Dead ReLUs make a gradient zero, too; but far from one it may have been lost.
        is_lost = doubt == ALL_ZERO and is_far and one.gradients()[self.name].any()
        return undecided if here.status == "incorrect" or is_lost or not there.ok else here

    def here(self) -> tuple[GradientResult, str]:
        """Compare along random directions; if that fails, entry by entry.

        Returns the result at these values, and what doubt there is about it.
        """
        came, method = self.case.gradients()[self.name], self.how.method
        array, notes = self.case.arrays[self.name], self.how.notes
        if method == "complex":  # exact for all at once, however small one is beside another
            directions = iter([levelled(came, self.rng)])
        else:
            directions = _directions(came, array, self.rng)
        largest_error = 0.0
        for along in directions:
            if self.how.is_blind and (missing := self.forgotten(came, along)):
                found, doubt = self.by_entries(came)
                return (found, doubt) if found.status == "incorrect" else (missing, "")
            slopes = self.case.derivative(method, self.name, along)
            error = self.error_along(came, along, slopes)
            largest_error = max(largest_error, error)
            # In a mixture errors of both signs cancel.
            if error > self.tolerance / 100 or kinks(slopes, self.case.dy, method):
                break
        else:
            result = GradientResult(self.name, "correct", method, largest_error, notes=notes)
            return result, "" if came.any() else ALL_ZERO
        if self.moves_nothing(came):
            return GradientResult(self.name, "correct", method, 0.0, notes=notes), ""
        return self.by_entries(came)

    def error_along(self, came: Array, along: Array, slopes: OneSided) -> float:
        """Return the relative error of the gradient along one direction."""
        off = float((came * along).sum() - (self.case.dy * slopes.middle).sum())
        return _relative(off, float(np.abs(came * along).sum()))

    def forgotten(self, came: Array, along: Array) -> GradientResult | None:
        """Return the result if backward left out exactly the part that is not analytic."""
        try:
            steps = self.case.derivative("complex", self.name, along)
            part = forgotten(self.case, self.name, along)
        except TypeError:
            return None
        error = self.error_along(came, along, steps)
        size = float(np.abs(came * along).sum())
        if error > TOLERANCE["complex"] or abs(part) <= 10 * TOLERANCE["complex"] * size:
            return None
        mistake = Mistake(
            "constant term", "backward takes a term that depends on it for a constant"
        )
        return GradientResult(
            self.name,
            "incorrect",
            "central",
            _relative(part, size + abs(part)),
            mistake=mistake,
            notes=self.how.notes,
        )

    def moves_nothing(self, came: Array) -> bool:
        """Whether moving the array changes no output, and backward returns as much."""
        if (one := self.case.of_size_one()) is None:
            return False
        array = one.arrays[self.name]
        y = one.output()
        moved = one.evaluate({**one.arrays, self.name: array + random_direction(array, self.rng)})
        stays = np.abs(moved - y) <= rounding_of_output(one, y, self.rng)
        unseen = np.abs(one.dy * y)[moved != y].sum() / largest(self.case.arrays[self.name])
        return bool(stays.all() and np.max(np.abs(came)) <= 1e-12 * unseen)

    def by_entries(self, came: Array) -> tuple[GradientResult, str]:
        """Compare entry by entry, and decide whether an error could be rounding."""
        found = self.compare(came, self.places(came))
        n_kinks = int(found.kinks.sum())
        if n_kinks and isinstance(self.case.layer, Container) and not self.is_aside:
            # A network adds kinks and subtracts them, and the rule for them does not hold for it.
            # A little way off there is a derivative to compare with.
            aside = self.case.aside(self.rng, 1e-6)
            result, doubt = replace(self, case=aside, is_aside=True).here()
            return result._replace(kinks=n_kinks), doubt

        size = max(largest(found.came), largest(found.right))
        result = GradientResult(self.name, "correct", self.how.method, 0.0, notes=self.how.notes)
        result = result._replace(kinks=n_kinks)
        order = np.argsort(-found.off, kind="stable")
        suspects = [i for i in order if found.off[i] > self.tolerance * found.terms[i]][:N_SUSPECTS]
        errors = self.beyond_rounding(found, suspects)
        if errors:
            result = result._replace(error=_relative(float(found.off[errors[0]]), size))
            is_sure = self.beyond_all_rounding(found, errors)
            return self.wrong(result, found, errors[0]), "" if is_sure else NEAR_ROUNDING
        in_doubt = found.kinks.copy()  # a staircase has a kink at every value
        in_doubt[suspects[:1]] = True
        # The rest is within the tolerance, or rounding.
        with np.errstate(all="ignore"):
            errors_of_rest = np.nan_to_num(found.off / found.terms, posinf=0)
            precision = np.nan_to_num(found.noise / np.max(found.terms))
        is_within = found.off <= self.tolerance * found.terms
        result = result._replace(error=float(np.max(errors_of_rest, initial=0, where=is_within)))
        if self.how.method == "central" and np.max(precision) > 1e-4 and suspects:
            digits = int(-np.log10(np.max(precision)))
            notes = (*result.notes, TO_DIGITS.format(digits))
            result = result._replace(notes=notes, is_coarse=True)
        if found.undefined.any():
            return result._replace(status="undecided", notes=(*result.notes, UNDEFINED)), ""
        if np.max(found.noise, initial=0.0, where=in_doubt) > 0.01 * np.max(found.terms):
            return result._replace(status="undecided", notes=(*result.notes, UNSTEADY)), ""
        if n_kinks and (ties := self.ties(came)) is not None:
            # Values may be equal by rounding alone, where a bias hides what it is added to.
            return result._replace(status="incorrect", mistake=ties), NEAR_ROUNDING
        return result, NEAR_ROUNDING if suspects else ""

    # Entries
    # -------

    def places(self, came: Array) -> list[Place]:
        """All entries or, of a large array, a sample in which an error shows if there is one."""
        if came.size <= (N_SAMPLED if self.is_sampled else min(N_ENTRIES, 5e6 / self.case.dy.size)):
            return list(np.ndindex(*came.shape))
        flat = {*map(int, self.rng.integers(came.size, size=N_SAMPLED)), int(np.argmax(abs(came)))}
        places = [tuple(map(int, np.unravel_index(i, came.shape))) for i in sorted(flat)]
        found = self.compare(came, places)
        if not (found.kinks.any() or (found.off > self.tolerance * found.terms).any()):
            places.append(self.bisected(came))
        return places

    def bisected(self, came: Array) -> Place:
        """Return an entry that is off or at a kink, by halving the array along its entries."""
        along, dy = levelled(came, self.rng), self.case.dy
        low, high = 0, came.size
        while high - low > 1:
            middle = (low + high) // 2
            index = np.arange(came.size).reshape(came.shape)
            half = np.where((low <= index) & (index < middle), along, 0)
            slopes = self.case.derivative(self.how.method, self.name, half)
            is_off = self.error_along(came, half, slopes) > self.tolerance / 100
            if is_off or kinks(slopes, dy, self.how.method):
                high = middle
            else:
                low = middle
        return tuple(map(int, np.unravel_index(low, came.shape)))

    def compare(self, gradient: Array, places: list[Place]) -> _Entries:
        """Compute the derivative for these entries, and the errors."""
        columns, dy = self.case.columns(self.how.method, self.name, places), self.case.dy
        came = np.array([gradient[place] for place in places], np.float64)
        # At the end of a domain there is a derivative on one side only.
        right, left = (np.where(np.isnan(a), b, a) for a, b in (columns[:2], columns[1::-1]))
        columns = OneSided(right, left, np.nan_to_num(columns.noise, nan=np.inf))
        terms = dy * columns.middle
        low, high = between(columns, dy, 1)
        at_kink = kinks(columns, dy, self.how.method, 1, float(np.max(np.abs(came))))
        if self.how.method == "complex":  # two steps that differ have not converged
            gaps = np.where(
                at_kink.reshape(-1, *(1,) * dy.ndim), 0, np.abs(columns[0] - columns[1])
            )
            columns = columns._replace(noise=gaps)
        undefined = ~np.isfinite(summed(terms, 1))
        for i in np.flatnonzero(at_kink):
            undefined[i] |= self.is_infinite(places[i], columns.right[i])
        expected = summed(terms, 1)
        outside = np.maximum(low - came, came - high).clip(0)
        off: Array = np.where(at_kink, outside, np.abs(came - expected))
        if (off > 0).any() and (where := np.flatnonzero(at_kink & (off > 0))).size:
            off[where] = self.off_neighbors(came, low, high, where, places)
        noise = SAFETY * summed(np.abs(dy * columns.noise), 1)
        size = summed(np.abs(terms), 1)
        if self.how.method == "central" and np.median(noise) > 1e-4 * np.max(size):
            noise = np.maximum(noise, np.median(noise))  # low precision: alike for all entries
        off = np.where(undefined, 0, np.nan_to_num(off, nan=np.inf))
        off[~np.isfinite(came)] = np.inf
        return _Entries(
            places,
            came,
            np.where(undefined, 0, expected),
            off,
            np.where(undefined, 0, size),
            np.where(undefined, 0, noise),
            at_kink & ~undefined,
            undefined,
            columns,
        )

    def is_infinite(self, place: Place, right: Array) -> bool:
        """Whether a slope grows without end as the step shrinks, as that of sqrt(x) at 0."""
        if self.how.method != "complex":
            return False
        one = np.zeros(self.case.arrays[self.name].shape)
        one[place] = 1
        smaller = np.imag(self.case.along({self.name: one}, 1e-60j)) / 1e-60
        return bool((np.abs(smaller) > 1e3 * np.maximum(np.abs(right), EPS)).any())

    def off_neighbors(
        self, came: Array, low: Array, high: Array, where: Array, places: list[Place]
    ) -> Array:
        """Return the errors at kinks, if the gradients on all sides of the kink are allowed."""
        low, high = np.minimum(low, 0)[where], np.maximum(high, 0)[where]
        for aside in self.case.neighbors(self.rng):
            near = aside.gradients()[self.name]
            there = np.array([near[places[i]] for i in where])
            low, high = np.fmin(low, there), np.fmax(high, there)
        return np.asarray(np.maximum(low - came[where], came[where] - high).clip(0))

    # Rounding
    # --------

    def beyond_rounding(self, found: _Entries, suspects: list[int]) -> list[int]:
        """Those that are off by more than a change of all last digits does to this very entry.

        The changed ones are compared with each other: backward may be incorrect at one exact value.
        """
        seen: dict[int, list[float]] = {i: [] for i in suspects}
        for _ in range(N_SHAKES if suspects else 0):
            shaken = self.case.shaken(self.rng, 4 * EPS)
            came = shaken.gradients()[self.name]
            for i in suspects:
                error = float(came[found.places[i]])
                if self.how.method == "complex":  # of differences the noise is known already
                    error -= shaken.entry("complex", self.name, found.places[i])[0]
                seen[i].append(error)
        return [
            i
            for i, errors in seen.items()
            if not found.off[i] <= max(SAFETY * np.ptp(errors), found.noise[i])
        ]

    def beyond_all_rounding(self, found: _Entries, errors: list[int]) -> bool:
        """Whether one is off by more than rounding can ever do.

        That is the rounding of its terms at size one, times the size of all the numbers; for
        much of it can be lost where a gradient vanishes. Some functions lose digits, too. And what
        does not move the output by its last digit, all the way from zero, is nothing.
        """
        case = self.case
        one = case.of_size_one() or case
        gain = float(np.prod([max(1.0, largest(array)) for array in case.arrays.values()]))
        last_digits, unseen = 4 * SAFETY * EPS * gain, self.unseen()
        return any(
            found.off[i] > 1e-5 * found.terms[i]
            and found.off[i]
            > last_digits * max(unseen, one.entry(self.how.method, self.name, found.places[i])[1])
            for i in errors
        )

    def unseen(self) -> float:
        """The gradient of an array that moves the outputs by all of themselves, from zero.

        An output that does not depend on the array counts for nothing, however large it is.
        """
        case, array = self.case, self.case.arrays[self.name]
        y = case.output()
        moved = case.evaluate({**case.arrays, self.name: array + largest(array)})
        return float(np.abs(case.dy * y)[moved != y].sum()) / largest(array)

    # Mistakes
    # --------

    def wrong(self, result: GradientResult, found: _Entries, worst: int) -> GradientResult:
        """Return the result with the entry that has the largest error, and the mistake's name."""
        case, shape = self.case, self.case.arrays[self.name].shape
        result = result._replace(
            status="incorrect",
            worst=found.places[worst],
            actual=float(found.came[worst]),
            expected=float(found.right[worst]),
        )
        if self.is_sampled:
            return result
        is_sample = len(found.places) < int(np.prod(shape))
        if is_sample:
            shape = (len(found.places),)
            values = np.array([case.arrays[self.name][place] for place in found.places])

        def gradient(case: Case, method: Method) -> Array:
            columns = case.columns(method, self.name, found.places)
            return summed(case.dy * columns.middle, 1).reshape(shape)

        evidence = Evidence(
            self.name,
            found.came.reshape(shape),
            found.right.reshape(shape),
            found.columns.middle.reshape(*shape, *case.dy.shape),
            case.dy,
            case.output(),
            case.arrays if not is_sample else {**case.arrays, self.name: values},
            case.sizes(),
            lambda weights: gradient(case._replace(arrays=weights), self.how.method),
            gradient(case, "complex") if self.how.is_blind else None,
            is_sample,
            self.factor_at_twice_the_rows,
            float(np.clip(np.max(found.noise) / largest(found.right), SAME, 1e-2)),
        )
        return result._replace(mistake=name_mistake(evidence))

    def factor_at_twice_the_rows(self) -> tuple[float | None, dict[str, int]]:
        """Return the factor between backward and the derivative with every row twice, and sizes."""
        x = self.case.arrays["input"]
        twice = self.case.at({**self.case.arrays, "input": np.concatenate([x, x])}, self.rng)
        if twice is None:
            return None, {}
        try:
            came = twice.gradients()[self.name]
        except Exception:  # backward may be made for the given rows only
            return None, {}
        if came.shape != twice.arrays[self.name].shape:
            return None, {}
        along = levelled(came, self.rng)
        slopes = twice.derivative(self.how.method, self.name, along)
        with np.errstate(all="ignore"):
            factor = float((came * along).sum() / (twice.dy * slopes.middle).sum())
        return factor, twice.sizes()

    def ties(self, came: Array) -> Mistake | None:
        """What is wrong where single entries could be right, and not if they move together."""
        method, dy = self.how.method, self.case.dy
        for along in (np.ones(came.shape), *(random_direction(came, self.rng) for _ in range(8))):
            slopes = self.case.derivative(method, self.name, along)
            low, high = map(float, between(slopes, dy))
            slope = float((came * along).sum())
            off = max(low - slope, slope - high)
            if (
                kinks(slopes, dy, method)
                and low - slope <= max(0, low)
                and slope - high <= max(0, -high)
            ):
                continue
            if off > KINK[method] * largest(came):
                return Mistake(
                    "ties",
                    "each entry alone could be correct, but not all together: of several equal "
                    "maxima one has to take the gradient, or they share it",
                )
        return None


# Directions
# ----------


def random_direction(array: Array, rng: np.random.Generator) -> Array:
    """Numbers of random sign and of a size from 1 to 2.

    None is near zero, or an error there would hardly show; and no two are of the same
    size, or two errors of opposite sign could cancel.
    """
    return np.asarray(rng.uniform(1, 2, array.shape) * rng.choice([-1, 1], array.shape))


def levelled(came: Array, rng: np.random.Generator) -> Array:
    """A direction that gives every entry the same weight, so that no large one hides a small one.

    Entries below the last digit of the largest count as if they were that large.
    """
    sizes = np.maximum(_shares(came), EPS)
    return np.asarray(random_direction(came, rng) * np.min(sizes) / sizes)


def _directions(came: Array, array: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Directions for differences: one for all entries that are alike, to a factor of a thousand.

    A difference knows some six digits of a sum, so what is far smaller than the rest needs a look
    of its own. And one step suits numbers of one size: a column may have another unit.
    """
    orders = np.stack([np.ceil(np.log10(_shares(a) + 1e-99) / 3) for a in (came, array)], axis=-1)
    along = levelled(came, rng)
    for order in np.unique(orders.reshape(-1, 2), axis=0):
        yield np.where((orders == order).all(axis=-1), along, 0)


def _shares(array: Array) -> Array:
    """The size of each number as a share of the largest."""
    sizes = np.abs(np.nan_to_num(array))
    return np.asarray(sizes / largest(sizes))


def _relative(difference: float, size: float) -> float:
    """The difference as a share of the size; infinite if either is not a number."""
    if difference == 0:
        return 0.0
    with np.errstate(all="ignore"):
        share = abs(difference) / np.float64(size)
    return float(share) if np.isfinite(share) else np.inf
