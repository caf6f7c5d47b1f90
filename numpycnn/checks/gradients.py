"""Is it right? A layer's gradients held against derivatives that owe it nothing.

A network with a wrong gradient does not crash. It trains, as a rule it trains
*well*, and nobody notices. So every layer has to be checked, and the check is
short to state: what `backward` returns has to be the derivative of what
`forward` does. Three things make it work.

*A scalar.* The output is an array; weigh it with random numbers `dy` and add up,
`sum(dy * y)`. Then `dy` is also what backward is to be given. Random, not ones: a
softmax that forgot its gradient and returned zeros would pass with ones, since
its outputs always sum to one.

*A direction.* Instead of one entry after another, move all entries of an array
together along a random direction `v`. If the gradient `g` is right, the scalar
changes at the rate `sum(g * v)`; if any entry is wrong, that fails, but for a
coincidence. One look then checks ten thousand weights.

*A derivative* along `v` from another source: see the chapter `derivatives`.

If the two disagree, the entries are tried one by one, to say which is wrong; and
then the error is compared with the mistakes that people make, to say why.
"""

from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from numpycnn.checks.case import Case, HasGradients, Loss, unit
from numpycnn.checks.derivatives import Method, OneSided
from numpycnn.checks.mistakes import Evidence, Mistake, name_mistake
from numpycnn.layers.sequential import Sequential
from numpycnn.types import Array, Rng

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""The largest relative error of a right gradient, in float64, by method."""


# The report
# ----------


INDENT: Any = {"initial_indent": 6 * " ", "subsequent_indent": 8 * " "}


class GradientLine(NamedTuple):
    """The result for the input or one parameter."""

    name: str
    ok: bool
    method: Method
    error: float  # the largest difference found, relative to the size of the gradient
    worst: tuple[int, ...] | None = None  # the entry that is furthest off; None where all is well
    analytic: float = np.nan  # what backward says it is
    numeric: float = np.nan  # what it is
    corners: int = 0  # entries at which there is no derivative
    mistake: Mistake | None = None

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "WRONG"
        how = {"complex": "complex step", "central": "central differences"}[self.method]
        text = [f"  {self.name:<8} {verdict:<5} relative error {self.error:.1e} by {how}"]
        if self.worst is not None:
            where = ", ".join(map(str, self.worst))
            text.append(
                f"worst at [{where}]: backward says {self.analytic:.6g}, it is {self.numeric:.6g}"
            )
        if self.corners:
            text.append(
                f"at {self.corners} of its entries the function has a corner and no derivative; "
                "there the gradient has to lie between the one-sided ones"
            )
        if self.mistake is not None:
            text.append(f"{self.mistake.name}: {self.mistake.sentence}")
        return "\n".join([text[0], *(fill(note, 92, **INDENT) for note in text[1:])])


class GradientReport(NamedTuple):
    """What `check_gradients` found, a line for the input and each parameter."""

    subject: str
    lines: list[GradientLine]
    broken: Mistake | None = None  # a breach of the contract, whatever the numbers are

    @property
    def ok(self) -> bool:
        """Whether every gradient is right to within the tolerance and the contract is kept."""
        return self.broken is None and all(line.ok for line in self.lines)

    @property
    def mistakes(self) -> list[Mistake]:
        """What is wrong, in order; empty where all is well."""
        found = [self.broken, *(line.mistake for line in self.lines)]
        return [mistake for mistake in found if mistake is not None]

    def __str__(self) -> str:
        verdict = "right" if self.ok else "WRONG"
        text = [f"Gradients of {self.subject}: {verdict}"]
        text += map(str, self.lines)
        if self.broken is not None:
            text.append(fill(f"{self.broken.name}: {self.broken.sentence}", 92, **INDENT))
        return "\n".join(text)


class GradientError(AssertionError):
    """Raised by `assert_gradients`; `report` is the `GradientReport`."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


# The check
# ---------


def check_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    rng: Rng = None,
) -> GradientReport:
    """Compare what `layer.backward` returns for `x` with what it should, and say what is wrong.

    Args:
        layer: a layer, a whole `Sequential`, any object with their contract, or a loss:
            a function of `x` that returns its value and its gradient.
        x: an input. It and the parameters are converted to float64 first; the layer is
            not changed.
        method: `"complex"` step, exact to rounding, or `"central"` differences; by
            default the first, and the second where the layer cannot take complex numbers.
        tolerance: the largest relative error that passes; 1e-10 and 1e-6 by default.
        rng: draws the upstream gradient and the directions.

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
    Gradients of Hasty: WRONG
      input    ok    relative error ... by complex step
      w        ok    relative error ... by complex step
      b        WRONG relative error 5.0e-01 by complex step
          worst at [2]: backward says 0.501009, it is 1.00202
          bias averaged: too small by the factor 2 = N = D: averaged where it has to be summed

    Raises `TypeError` for what is neither a layer nor a function, `ValueError` for an
    input that is not finite.
    """
    rng = np.random.default_rng(rng)
    case = Case.of(layer, x, rng)
    with np.errstate(all="ignore"):  # what is not finite is reported
        if (broken := case.breach()) is not None:
            return GradientReport(case.subject, [], broken)
        grads = case.gradients()
        lines = [
            _check_array(case, name, grads[name], method, tolerance, rng) for name in case.arrays
        ]
    return GradientReport(case.subject, lines)


def assert_gradients(
    layer: HasGradients | Loss,
    x: Array,
    *,
    method: Method | None = None,
    tolerance: float | None = None,
    rng: Rng = None,
) -> None:
    """Raise `GradientError` with the report unless `check_gradients` finds all in order."""
    report = check_gradients(layer, x, method=method, tolerance=tolerance, rng=rng)
    if not report.ok:
        raise GradientError(report)


def _check_array(
    case: Case,
    name: str,
    came: Array,
    method: Method | None,
    tolerance: float | None,
    rng: np.random.Generator,
) -> GradientLine:
    """Check one gradient by `method`, or by the one that suits the layer."""

    def by(method: Method) -> GradientLine:
        limit = TOLERANCE[method] if tolerance is None else tolerance
        return _compare(case, name, came, method, limit, rng)

    if method is not None:
        return by(method)
    try:
        line = by("complex")
    except TypeError:  # the layer cannot take complex numbers
        return by("central")
    # A layer may take complex numbers and do something else with them, as `abs` does. Before
    # it is accused of a large error, the other method is asked about the worst entry.
    if line.worst is None or line.error < 1e-3:
        return line
    one = unit(case.arrays[name], line.worst)
    second_opinion = float((case.dy * case.derivative("central", name, one).middle).sum())
    doubt = abs(second_opinion - line.numeric) > abs(second_opinion - line.analytic)
    return by("central") if doubt else line


def _compare(
    case: Case,
    name: str,
    came: Array,
    method: Method,
    tolerance: float,
    rng: np.random.Generator,
    is_aside: bool = False,
) -> GradientLine:
    """Compare along a random direction; if that fails, entry by entry."""
    along = _random_direction(came.shape, rng)
    slopes = case.derivative(method, name, along)
    numeric = float((case.dy * slopes.middle).sum())
    # Many terms may cancel in the sum; its size is that of the terms, not of what is left.
    size = max(float(np.linalg.norm(came * along)), abs(numeric))
    error = _relative(float((came * along).sum()) - numeric, size)
    if error <= tolerance and not _corners(slopes, case.dy, method):
        return GradientLine(name, True, method, error)

    columns = case.columns(method, name)
    corners = _corners(columns, case.dy, method, came.ndim)
    n_corners = int(corners.sum())
    if n_corners and isinstance(case.layer, Sequential) and not is_aside:
        # A chain adds corners and subtracts them, and the rule below does not hold for it.
        # A little way off there is a derivative to compare with.
        aside = case.shaken(rng, 1e-6)
        there = _compare(aside, name, aside.gradients()[name], method, tolerance, rng, True)
        return there._replace(corners=n_corners)

    right = _summed(case.dy * columns.middle, came.ndim)
    low, high = _between(columns, case.dy, came.ndim)
    off = np.where(corners, np.maximum(low - came, came - high).clip(0), np.abs(came - right))
    off = np.nan_to_num(off, nan=np.inf)
    worst = tuple(int(i) for i in np.unravel_index(off.argmax(), off.shape))
    size = max(_largest(came), _largest(right))
    error = _relative(float(off[worst]), size)
    if error <= tolerance or _is_rounding(case, name, method, worst, float(off[worst]), size, rng):
        ties = _at_the_ties(case, name, came, method, size, rng) if n_corners else None
        return GradientLine(name, ties is None, method, error, corners=n_corners, mistake=ties)

    evidence = Evidence(
        name,
        came,
        right,
        columns.middle,
        case.dy,
        case.arrays,
        case.sizes(),
        lambda weights: _summed(
            case.dy * case._replace(arrays=weights).columns(method, name).middle, came.ndim
        ),
    )
    return GradientLine(
        name,
        False,
        method,
        error,
        worst,
        float(came[worst]),
        float(right[worst]),
        n_corners,
        name_mistake(evidence),
    )


def _random_direction(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers of random sign and of a size from 1 to 2.

    None is near zero, or an error there would hardly show; and no two are of the same
    size, or two errors of opposite sign could cancel.
    """
    return np.asarray(rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape))


# Corners
# -------
# At a tie of two maxima, or where a ReLU gets exactly zero, the slope to the right is
# not the slope to the left, and there is no derivative to be compared with. What can
# be asked of a gradient is that it lies between the two, in whatever direction one
# goes. One entry at a time is not enough: a max pooling that gives the whole gradient
# to each of two equal maxima has a 1 for either, which lies between 0 and 1. But move all
# samples up together, and the ties stay ties, and the slope has to be 1 and not 2.

CORNER: dict[Method, float] = {"complex": 1e-8, "central": 1e-2}
"""From what relative difference on the slopes of two sides count as two."""


def _corners(slopes: OneSided, dy: Array, method: Method, n_axes: int = 0) -> Array:
    """Where the slopes from the right and from the left are not the same."""
    gap = _summed(np.abs(dy * (slopes.right - slopes.left)), n_axes)
    size = _summed(np.abs(dy) * (np.abs(slopes.right) + np.abs(slopes.left)), n_axes)
    return np.asarray(gap > CORNER[method] * np.max(size))


def _between(slopes: OneSided, dy: Array, n_axes: int = 0) -> tuple[Array, Array]:
    """The least and the largest slope that the corners of the single outputs allow."""
    right, left = dy * slopes.right, dy * slopes.left
    return _summed(np.minimum(right, left), n_axes), _summed(np.maximum(right, left), n_axes)


def _at_the_ties(
    case: Case, name: str, came: Array, method: Method, size: float, rng: np.random.Generator
) -> Mistake | None:
    """Whether the gradient is between the slopes of both sides for entries that move together."""
    for along in (np.ones(came.shape), *(_random_direction(came.shape, rng) for _ in range(8))):
        low, high = _between(case.derivative(method, name, along), case.dy)
        slope = float((came * along).sum())
        if max(low - slope, slope - high) > CORNER[method] * size:
            return Mistake(
                "ties",
                "each entry alone could be right, but not all together: of several equal maxima "
                "one has to take the gradient, or they share it",
            )
    return None


# Rounding
# --------
# In a saturated network numbers of size one cancel to something of size 1e-12, and of
# sixteen digits four are left, in a right gradient too. How many are left no one can
# tell in advance, but one can try: change everything a little, `dy` too, a few times. An
# error that is rounding is then another one each time, now too large and now too small. A
# mistake stays on its side.
#
# How little? By 1e-12: enough to change the last digits, and too little to show in a
# float32, or computing in that would pass for rounding. But in a saturated network even
# that may move nothing. A probability of 1 - 1e-30 is 1, whatever is done to a score, and
# the gradient "probability minus one" is zero in place of 1e-30. So the error is also held
# against the slope that the function has with its numbers brought down to size one,
# where nothing is saturated: what would be rounding there is rounding here. And if that
# times the size of the numbers allows for it, a larger change may show what 1e-12 did not,
# and a gradient that has all but vanished is let pass.


def _is_rounding(
    case: Case,
    name: str,
    method: Method,
    index: tuple[int, ...],
    off: float,
    size: float,
    rng: np.random.Generator,
) -> bool:
    """Whether an error of this size is what rounding would do to a right gradient."""
    eps = float(np.finfo(np.float64).eps)
    along = _random_direction(case.arrays[name].shape, rng)
    slopes = case.of_size_one().derivative(method, name, along).middle
    rounding = 64 * eps * float(np.abs(case.dy * slopes).sum())
    gain = float(np.prod([max(1.0, _largest(array)) for array in case.arrays.values()]))
    return (
        off <= rounding
        or _changes_sides(case, name, method, index, off, 1e-12, rng)
        or size <= 16 * rounding * gain
        or (off <= rounding * gain and _changes_sides(case, name, method, index, off, 1e-3, rng))
    )


def _changes_sides(
    case: Case,
    name: str,
    method: Method,
    index: tuple[int, ...],
    off: float,
    change: float,
    rng: np.random.Generator,
) -> bool:
    """Whether the error is now above and now below zero as all numbers change by this share."""
    one = unit(case.arrays[name], index)
    errors = []
    for _ in range(24):
        shaken = case.shaken(rng, change)
        slope = shaken.derivative(method, name, one).middle
        errors.append(float(shaken.gradients()[name][index]) - float((shaken.dy * slope).sum()))
        if len(errors) == 4 and np.ptp(errors) < off / 100:
            return False  # it hardly moves
    return min(errors) <= -off / 32 and max(errors) >= off / 32


def _summed(terms: Array, n_axes: int) -> Array:
    """Sum over all but the first `n_axes`."""
    return np.asarray(terms.sum(axis=tuple(range(n_axes, terms.ndim))))


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array)))


def _relative(difference: float, size: float) -> float:
    """The difference as a share of the size; infinite if either is not a number."""
    if difference == 0:
        return 0.0
    with np.errstate(all="ignore"):
        share = abs(difference) / np.float64(size)
    return float(share) if np.isfinite(share) else np.inf
