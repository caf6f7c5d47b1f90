"""Is it right? A layer's gradients checked against derivatives that owe it nothing.

A network with a wrong gradient does not crash. It trains, usually it trains
*well*, and nobody notices. So every layer has to be checked, and the check is
short to state: what `backward` returns has to be the derivative of what
`forward` does. Three things make it work.

*A scalar.* The output is an array; weigh it with random numbers `dy` and add up,
`sum(dy * y)`. Then `dy` is also what backward is to be given. Random, not ones: a
softmax that forgot its gradient and returned zeros would pass with ones, since
its outputs always sum to one.

*A direction.* Instead of one entry after another, move all entries of an array
together along a random direction `v`. If the gradient `g` is right, the scalar
changes at the rate `sum(g * v)`; if any entry is wrong it does not, except by
coincidence. One look then checks ten thousand weights.

*A derivative* along `v` from another source: see the chapter `derivatives`.

If the two disagree, the entries are tried one by one, to say which is wrong; and
then the error is compared with the mistakes that people make, to say why.

A check can fail in two ways: it accuses what is right, or it calls right what is wrong. The
second is worse. So no gradient is called right on the word of one method, and none where
rounding would hide a mistake.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from numpycnn.checks.case import Case, HasGradients, Loss, Names, largest
from numpycnn.checks.contract import breach
from numpycnn.checks.derivatives import Method, OneSided
from numpycnn.checks.mistakes import Evidence, Mistake, name_mistake
from numpycnn.checks.report import GradientError, GradientReport, GradientResult
from numpycnn.layers.container import Container
from numpycnn.types import Array, Rng
from numpycnn.validation import generator

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""The largest relative error of a right gradient, in float64, by method."""


# The check
# ---------


def check_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    only: Names | None = None,
    skip: Names = (),
    rng: Rng = None,
) -> GradientReport:
    """Compare what `layer.backward` returns for `x` with what it should, and say what is wrong.

    Parameters
    ----------
    layer : object or callable
        A layer, a whole `Sequential`, any object with the same contract, or a loss: a function
        of `x` that returns its value and its gradient.
    x : array_like
        The input. It and the parameters are converted to float64 first; the layer is not changed.
    method : {"complex", "central"}, optional
        The complex step, exact to rounding, or central differences. By default the first, and
        the second where the layer cannot take complex numbers.
    tolerance : float, optional
        The largest relative error of a correct gradient; 1e-10 and 1e-6 by default.
    only, skip : str or collection of str, optional
        Names of the arrays whose gradients are compared, and of those that are not: `"input"`
        and the names of the parameters. What backward returns for a skipped array is ignored.
    rng : numpy.random.Generator or int, optional
        Draws the upstream gradient and the directions.

    Returns
    -------
    GradientReport
        `report.ok`, `report.status`, `report.results`, and a readable `str(report)`.

    Raises
    ------
    TypeError
        If `layer` is neither a layer nor a function.
    ValueError
        If `x` is not finite, or a name in `only` or `skip` is unknown.

    Examples
    --------
    >>> from numpycnn import Dense, softmax_cross_entropy
    >>> x = np.array([[1.0, 2.0], [3.0, -4.0]])
    >>> check_gradients(Dense(2, 3), x).ok
    True
    >>> check_gradients(lambda x: softmax_cross_entropy(x, np.array([1, 0])), x).ok
    True

    A mistake is reported with the entry that is furthest off, and by name:

    >>> class Hasty(Dense):
    ...     def backward(self, dy, cache):
    ...         dx, grads = super().backward(dy, cache)
    ...         return dx, {"w": grads["w"], "b": dy.mean(axis=0)}
    >>> print(check_gradients(Hasty(2, 3), x, rng=0))
    Gradients of Hasty: INCORRECT
      input    correct   relative error ... by complex step
      w        correct   relative error ... by complex step
      b        INCORRECT relative error 5.0e-01 by complex step
          worst at [0]: backward returned 0.724784, expected 1.44957
          bias averaged: too small by the factor 2 = N = D: averaged where it has to be summed
    """
    if method not in (None, *TOLERANCE):
        raise ValueError(
            f"check_gradients expected method 'complex' or 'central', got {method!r}; leave it "
            "out, and the layer decides"
        )
    if tolerance is not None and not 0 < tolerance < 1:
        raise ValueError(f"check_gradients expected a tolerance from 0 to 1, got {tolerance}")
    stream = generator("check_gradients", rng)
    if stream is not rng:  # x may have been drawn with this seed, and dy must not be x again
        (stream,) = stream.spawn(1)
    case = Case.of(layer, x, stream, only, skip)
    with np.errstate(all="ignore"):  # what is not finite is reported
        if (broken := breach(case)) is not None:
            return GradientReport(case.subject, [], broken)
        lines = [_judge(_Look(case, name, (method, tolerance), stream)) for name in case.names]
    return GradientReport(case.subject, lines)


def assert_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    only: Names | None = None,
    skip: Names = (),
    rng: Rng = None,
) -> None:
    """Raise `GradientError` with the report unless `check_gradients` finds all in order.

    What cannot be decided has not been found in order, and raises too.
    """
    report = check_gradients(
        layer, x, method=method, tolerance=tolerance, only=only, skip=skip, rng=rng
    )
    if not report.ok:
        raise GradientError(report)


# Which method
# ------------
# The complex step is the better one, and it has one trap that it cannot see by itself. `abs`,
# `std`, `var`, norms and `vdot` take complex numbers and do something else with them: the
# length of a complex number does not show a step along the imaginary axis. A term made with
# them then counts as a constant. And a backward that forgot this very term agrees with it to
# sixteen digits.
#
# So before its word is taken, a central difference is asked along the same direction. It
# knows no more than some six digits, but a missing term shows in the first. If the two
# disagree, the array is judged by central differences.
#
# Six digits of a sum are none of a part that is a millionth of it. So entries of like size are
# moved together, and apart from the others: what is wrong about a column in small units has to
# be seen beside one in large units.


class _How(NamedTuple):
    """A method, and why not the better one."""

    method: Method
    why: str = ""
    is_blind: bool = False  # whether the complex step takes something for a constant
    is_alone: bool = False  # whether no second opinion was to be had

    @property
    def notes(self) -> tuple[str, ...]:
        """The reason, for the report."""
        return (f"by central differences, because {self.why}",) if self.why else ()


def _choose(case: Case, name: str, asked: Method | None, rng: np.random.Generator) -> _How:
    """The complex step, if the layer takes it as it is meant, or what was asked for."""
    if asked == "central":
        return _How(asked)
    how = _two_opinions(case, name, rng)
    if how is None:
        # What changes the output by less than its last digits shows nothing at this scale; and
        # what does so at size one, too, has no influence at all.
        one = case.of_size_one()
        how = one and _two_opinions(one, name, rng)
        how = how or _How("complex", is_alone=one is None)
    if asked == "complex" and how.method != asked:
        raise TypeError(f"the complex step does not suit {case.subject}: {how.why}")
    return how


def _two_opinions(case: Case, name: str, rng: np.random.Generator) -> _How | None:
    """The method to be trusted here; None where differences see nothing but rounding."""
    trusted = None
    for along in _directions(case.gradients()[name], case.arrays[name], rng):
        if (how := _opinion(case, name, along)) is not None:
            trusted = how
            if how.method == "central":
                break
    return trusted


def _opinion(case: Case, name: str, along: Array) -> _How | None:
    """The method to be trusted along one direction; None where there is nothing but rounding."""
    try:
        steps = case.derivative("complex", name, along).middle
    except TypeError as error:
        return _How("central", str(error))
    apart = size = noise = 0.0
    for slopes in case.differences(name, along):  # one step; if that disagrees, the best of many
        apart = float(np.abs(case.dy * (slopes.middle - steps)).sum())
        size = float(np.abs(case.dy * slopes.middle).sum() + np.abs(case.dy * steps).sum())
        noise = SAFETY * float(np.abs(case.dy * slopes.noise).sum())
        if apart <= TOLERANCE["central"] * size:
            break
    if noise > 1e-3 * size:
        return None
    if apart <= TOLERANCE["central"] * size + noise:
        return _How("complex")
    why = (
        f"the complex step is off from them by {apart / size:.1g}: abs, std, var, a norm or their "
        "like takes complex numbers and does something else with them"
    )
    return _How("central", why, is_blind=True)


# The verdict
# -----------
# An entry of a gradient is a sum of terms, one for each output. It is right if it is off by no
# more than the tolerance times the sum of the *absolute* terms that make up this very entry.
# A mistake is far above that. Rounding can be above it too, where numbers of size one cancel
# to something of size 1e-12 on the way. It is known by two marks:
#
# - It is no larger than what the entry itself moves by when all numbers change in their last digit.
# - It is not there when every array is scaled to numbers up to one: nothing is saturated
#   then, and nothing overflows.
#
# So where an entry is off, or the numbers are far from one, there is a second look, at size
# one. What is wrong there is wrong. What is right there, and off here by no more than the
# last digits can do, is right. What is right there, but here is lost in rounding, is
# undecided: behind a softmax that is sure to thirty digits a mistake looks like the truth.
#
# One thing needs no derivative: at size one, move an array by all its size. If the output stays
# where it is, as with a bias that the next layer takes off again with the mean, then the
# gradient is zero, and what backward says is the rounding of sums that cancel.

SAFETY = 16
"""By how much rounding may exceed what is seen of it in a few trials."""

EPS = float(np.finfo(np.float64).eps)
N_SUSPECTS = 20  # entries that are looked at more closely, the worst first
N_SHAKES = 6

NEAR_ROUNDING, ALL_ZERO = "near rounding", "zero everywhere"  # the doubts there may be
UNDECIDED = (
    "cannot be decided at this scale, where rounding alone could do this; try an x, and "
    "parameters, of size 1"
)
SEEN_AT_SIZE_ONE = "seen with every array scaled to numbers up to one; here rounding hides it"
NOTHING = 1e-12  # a change of the output, relative to it, that is one of its last digits
UNSTEADY = (
    "cannot be decided: differences settle on no value, whatever the step; does forward compute "
    "in low precision?"
)

Place = tuple[int, ...]


class _Entries(NamedTuple):
    """Every entry of a gradient beside what it should be."""

    came: Array  # what backward says
    right: Array  # what it is
    off: Array  # by how much it is off
    terms: Array  # the sum of the absolute terms that make up this entry
    noise: Array  # how far off the right one may be itself
    kinks: Array  # where the function has no derivative
    columns: OneSided  # what each entry does to each output


def _judge(look: "_Look") -> GradientResult:
    """Look at a gradient as it is and, where that leaves a doubt, at size one."""
    here, doubt = look.line()
    is_far = look.case.is_far_from_one()
    if not (doubt or (here.status == "correct" and is_far)):
        return here
    notes = (*look.how.notes, UNDECIDED)
    undecided = here._replace(status="undecided", worst=None, mistake=None, notes=notes)
    one = look.case.of_size_one()
    if one is None:
        return undecided if here.status == "incorrect" or look.how.is_alone else here
    there, _ = replace(look, case=one).line()
    # A layer may have a unit of its own: of sin(x / 1e-9) differences see nothing at size one.
    is_steady = there.error > TOLERANCE["central"] and (doubt or look.how.method == "complex")
    if there.status == "incorrect" and here.ok and there.method == "central" and not is_steady:
        return undecided
    if there.status == "incorrect":
        is_seen_here = here.status == "incorrect" and not is_far
        return here if is_seen_here else there._replace(notes=(*there.notes, SEEN_AT_SIZE_ONE))
    # Dead ReLUs make a gradient zero, too; but far from one it may have been lost.
    is_lost = doubt == ALL_ZERO and is_far and one.gradients()[look.name].any()
    return undecided if here.status == "incorrect" or is_lost or not there.ok else here


@dataclass
class _Look:
    """A look at the gradient for one array."""

    case: Case
    name: str
    asked: tuple[Method | None, float | None]  # the method and the tolerance
    rng: np.random.Generator
    is_aside: bool = False  # every array is moved a little, off the kinks

    def __post_init__(self) -> None:
        method, tolerance = self.asked
        self.how = _choose(self.case, self.name, method, self.rng)
        self.tolerance = TOLERANCE[self.how.method] if tolerance is None else tolerance

    def moves_nothing(self, came: Array) -> bool:
        """Whether moving the array does nothing to the output, and backward says as much."""
        if (one := self.case.of_size_one()) is None:
            return False
        f, array = one.function_of(self.name), one.arrays[self.name]
        y, moved = f(array), f(array + _random_direction(array.shape, self.rng))
        stays = np.max(np.abs(moved - y)) <= NOTHING * largest(y)
        return bool(stays and np.max(np.abs(came)) <= NOTHING * self.unseen())

    def unseen(self) -> float:
        """The gradient of what moves the output by all of itself, all the way from zero."""
        case = self.case
        return float(np.abs(case.dy * case.output()).sum()) / largest(case.arrays[self.name])

    def line(self) -> tuple[GradientResult, str]:
        """Compare along random directions; if that fails, entry by entry.

        Returns the verdict as it seems here, and what doubt there is about it.
        """
        came, method = self.case.gradients()[self.name], self.how.method
        directions = _directions(came, self.case.arrays[self.name], self.rng)
        if method == "complex":  # exact for all at once, however small one is beside another
            directions = iter([_levelled(came, self.rng)])
        tolerance = self.tolerance / 100  # for in a mixture errors of both signs cancel
        largest_error = 0.0
        for along in directions:
            slopes = self.case.derivative(method, self.name, along)
            size = float(np.abs(came * along).sum())
            off = float((came * along).sum() - (self.case.dy * slopes.middle).sum())
            largest_error = max(largest_error, _relative(off, size))
            if largest_error > tolerance or _kinks(slopes, self.case.dy, method):
                break
        else:
            line = GradientResult(self.name, "correct", method, largest_error, notes=self.how.notes)
            return line, "" if came.any() else ALL_ZERO
        if self.moves_nothing(came):
            return GradientResult(self.name, "correct", method, 0.0, notes=self.how.notes), ""
        return self.by_entries(came)

    def by_entries(self, came: Array) -> tuple[GradientResult, str]:
        """Compare entry by entry, and see whether what is off could be rounding."""
        found = self.compare(came)
        n_kinks = int(found.kinks.sum())
        if n_kinks and isinstance(self.case.layer, Container) and not self.is_aside:
            # A network adds kinks and subtracts them, and the rule for them does not hold for it.
            # A little way off there is a derivative to compare with.
            aside = self.case.aside(self.rng, 1e-6)
            line, doubt = replace(self, case=aside, is_aside=True).line()
            return line._replace(kinks=n_kinks), doubt

        error = _relative(float(np.max(found.off)), max(largest(came), largest(found.right)))
        line = GradientResult(self.name, "correct", self.how.method, error, notes=self.how.notes)
        line = line._replace(kinks=n_kinks)
        suspects = _places(found.off > self.tolerance * found.terms, found.off)[:N_SUSPECTS]
        errors = self.beyond_rounding(found, suspects)
        if errors:
            is_sure = self.beyond_all_rounding(found, errors)
            return self.wrong(line, found, errors[0]), "" if is_sure else NEAR_ROUNDING
        in_doubt = found.kinks.copy()  # a staircase has a kink wherever one looks
        for place in suspects[:1]:
            in_doubt[place] = True
        if np.max(found.noise, initial=0.0, where=in_doubt) > 0.01 * np.max(found.terms):
            return line._replace(status="undecided", notes=(*line.notes, UNSTEADY)), ""
        if n_kinks and (ties := self.ties(came)) is not None:
            # Numbers may be equal by rounding alone, where a bias hides what it is added to.
            return line._replace(status="incorrect", mistake=ties), NEAR_ROUNDING
        return line, NEAR_ROUNDING if suspects else ""

    def compare(self, came: Array) -> _Entries:
        """Put every entry beside what it should be."""
        columns, dy = self.case.columns(self.how.method, self.name), self.case.dy
        terms = dy * columns.middle
        right = _summed(terms, came.ndim)
        low, high = _between(columns, dy, came.ndim)
        kinks = _kinks(columns, dy, self.how.method, came.ndim)
        off = np.where(kinks, np.maximum(low - came, came - high).clip(0), np.abs(came - right))
        return _Entries(
            came,
            right,
            np.nan_to_num(off, nan=np.inf),
            _summed(np.abs(terms), came.ndim),
            SAFETY * _summed(np.abs(dy * columns.noise), came.ndim),
            kinks,
            columns,
        )

    def beyond_rounding(self, found: _Entries, suspects: list[Place]) -> list[Place]:
        """Those that are off by more than a change of all last digits does to this very entry."""
        moves = dict.fromkeys(suspects, 0.0)
        for _ in range(N_SHAKES if suspects else 0):
            shaken = self.case.shaken(self.rng, 4 * EPS)
            came = shaken.gradients()[self.name]
            for place in suspects:
                move = abs(float(came[place] - found.came[place]))
                if self.how.method == "complex":  # of differences the noise is known already
                    right, _ = shaken.entry("complex", self.name, place)
                    move += abs(right - float(found.right[place]))
                moves[place] = max(moves[place], move)
        return [
            place
            for place, move in moves.items()
            if found.off[place] > max(SAFETY * move, found.noise[place])
        ]

    def beyond_all_rounding(self, found: _Entries, places: list[Place]) -> bool:
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
            found.off[place] > 1e-5 * found.terms[place]
            and found.off[place]
            > last_digits * max(unseen, one.entry(self.how.method, self.name, place)[1])
            for place in places
        )

    def wrong(self, line: GradientResult, found: _Entries, worst: Place) -> GradientResult:
        """Accuse, with the entry that is furthest off and the name of the mistake."""
        case, n_axes = self.case, found.came.ndim

        def gradient(case: Case, method: Method) -> Array:
            return _summed(case.dy * case.columns(method, self.name).middle, n_axes)

        evidence = Evidence(
            self.name,
            found.came,
            found.right,
            found.columns.middle,
            case.dy,
            case.output(),
            case.arrays,
            case.sizes(),
            lambda weights: gradient(case._replace(arrays=weights), self.how.method),
            gradient(case, "complex") if self.how.is_blind else None,
        )
        return line._replace(
            status="incorrect",
            worst=worst,
            actual=float(found.came[worst]),
            expected=float(found.right[worst]),
            mistake=name_mistake(evidence),
        )

    def ties(self, came: Array) -> Mistake | None:
        """What is wrong where single entries could be right, and not if they move together."""
        whole = np.ones(came.shape)
        for along in (whole, *(_random_direction(came.shape, self.rng) for _ in range(8))):
            slopes = self.case.derivative(self.how.method, self.name, along)
            low, high = _between(slopes, self.case.dy)
            slope = float((came * along).sum())
            if max(low - slope, slope - high) > KINK[self.how.method] * largest(came):
                return Mistake(
                    "ties",
                    "each entry alone could be right, but not all together: of several equal "
                    "maxima one has to take the gradient, or they share it",
                )
        return None


# Directions
# ----------


def _random_direction(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers of random sign and of a size from 1 to 2.

    None is near zero, or an error there would hardly show; and no two are of the same
    size, or two errors of opposite sign could cancel.
    """
    return np.asarray(rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape))


def _levelled(came: Array, rng: np.random.Generator) -> Array:
    """A direction that gives every entry the same weight, so that no large one hides a small one.

    Entries below the last digit of the largest count as if they were that large.
    """
    sizes = np.maximum(_shares(came), EPS)
    return np.asarray(_random_direction(came.shape, rng) * np.min(sizes) / sizes)


def _directions(came: Array, array: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Directions for differences: one for all entries that are alike, to a factor of a thousand.

    A difference knows some six digits of a sum, so what is far smaller than the rest needs a look
    of its own. And one step suits numbers of one size: a column may have another unit.
    """
    kinds = np.stack([np.ceil(np.log10(_shares(a) + 1e-99) / 3) for a in (came, array)], axis=-1)
    along = _levelled(came, rng)
    for kind in np.unique(kinds.reshape(-1, 2), axis=0):
        yield np.where((kinds == kind).all(axis=-1), along, 0)


def _shares(array: Array) -> Array:
    """The size of each number as a share of the largest."""
    sizes = np.abs(np.nan_to_num(array))
    return np.asarray(sizes / largest(sizes))


# Kinks
# -----
# At a tie of two maxima, or where a ReLU gets exactly zero, the slope to the right is
# not the slope to the left, and there is no derivative to compare with. What can
# be asked of a gradient is that it lie between the two, in whatever direction one
# goes. One entry at a time is not enough: a max pooling that gives the whole gradient
# to each of two equal maxima has a 1 for either, which lies between 0 and 1. But move all
# samples up together, and the ties stay ties, and the slope has to be 1 and not 2.

KINK: dict[Method, float] = {"complex": 1e-8, "central": 1e-2}
"""From what relative difference on the slopes of the two sides count as different …"""

SEEN: dict[Method, float] = {"complex": 1e-8, "central": 1e-4}
"""… if it is as much as this of the largest of all slopes; less could be the method's own error."""


def _kinks(slopes: OneSided, dy: Array, method: Method, n_axes: int = 0) -> Array:
    """Where the slopes from the right and from the left are not the same."""
    gap = _summed(np.abs(dy * (slopes.right - slopes.left)), n_axes)
    size = _summed(np.abs(dy) * (np.abs(slopes.right) + np.abs(slopes.left)), n_axes)
    return np.asarray(gap > np.maximum(KINK[method] * size, SEEN[method] * np.max(size)))


def _between(slopes: OneSided, dy: Array, n_axes: int = 0) -> tuple[Array, Array]:
    """The least and the largest slope that the kinks of the single outputs allow."""
    right, left = dy * slopes.right, dy * slopes.left
    return _summed(np.minimum(right, left), n_axes), _summed(np.maximum(right, left), n_axes)


def _places(mask: Array, off: Array) -> list[Place]:
    """Where `mask` is true, those that are furthest off first."""
    places = [tuple(map(int, place)) for place in np.argwhere(mask)]
    return sorted(places, key=lambda place: -float(off[place]))


def _summed(terms: Array, n_axes: int) -> Array:
    """Sum over all but the first `n_axes`."""
    return np.asarray(terms.sum(axis=tuple(range(n_axes, terms.ndim))))


def _relative(difference: float, size: float) -> float:
    """The difference as a share of the size; infinite if either is not a number."""
    if difference == 0:
        return 0.0
    with np.errstate(all="ignore"):
        share = abs(difference) / np.float64(size)
    return float(share) if np.isfinite(share) else np.inf
