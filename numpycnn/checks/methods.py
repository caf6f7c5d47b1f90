"""The method for each array: the complex step, or central differences.

The complex step is exact to rounding, and has one trap that it cannot detect. `abs`,
`std`, `var`, norms and `vdot` accept complex numbers and are not *analytic*: the length of a
complex number does not change with a step along the imaginary axis. A term computed with them
counts as a constant, and a backward pass that forgot this term agrees with it to sixteen digits.

So forward is evaluated on a small circle around the arrays first, at `a + r exp(i t) v`. The
Fourier series of an analytic function over the angle `t` has no term `exp(-i t)`: its Taylor series
contains powers of `exp(i t)` only. In |z|^2 = z conj(z) there is one. Each output is examined
separately, because a small term in one may be far below the last digits of another. A circle
around a kink is not evidence, so smaller circles follow, for as long as the term would be visible.

Where this term exists, central differences are the method. So they are where the complex step does
not find the term `exp(i t)`: a function that computes with complex numbers itself rounds to their
last digit, and a step of 1e-30 is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.case import SAFETY, Case
from numpycnn.checks.derivatives import Method, own_step
from numpycnn.checks.directions import relative_direction

N_POINTS = 8  # on the circle; powers 7, 15, … of its radius are mistaken for the power -1
RADII = 10.0 ** np.arange(-2, -11, -1)
ANGLES = 2 * np.pi * (np.arange(N_POINTS) + 0.5) / N_POINTS
"""None is on the imaginary axis, where the last digit decides which of two values is larger."""


class How(NamedTuple):
    """A method, and the reason for it if it is not the more exact one.

    >>> How("complex").notes, How("central", "forward rounds").notes
    ((), ('by central differences, because forward rounds',))
    >>> How("central").is_blind, How("central").is_alone
    (False, False)
    """

    method: Method
    why: str = ""
    is_blind: bool = False  # whether the complex step takes something for a constant
    is_alone: bool = False  # whether rounding hides what a real step changes

    @property
    def notes(self) -> tuple[str, ...]:
        """The reason, for the report."""
        return (f"by central differences, because {self.why}",) if self.why else ()


def choose(
    case: Case, names: Collection[str], requested: Method | None, rng: np.random.Generator
) -> dict[str, How]:
    """Return the method for each of these arrays.

    Raises `TypeError` if the complex step was requested and an array does not allow it.

    >>> from types import SimpleNamespace
    >>> def method(function, x):
    ...     layer = SimpleNamespace(forward=lambda x: (function(x), x), backward=None, params={})
    ...     case = Case.of(layer, np.array(x), np.random.default_rng(0))
    ...     return choose(case, ["input"], None, np.random.default_rng(0))["input"]
    >>> [method(f, [4.5, 2.5]).method for f in (np.tanh, np.abs, lambda x: x + 1e-6 * x.std())]
    ['complex', 'central', 'central']
    >>> [method(f, [4.5, 2.5]).is_blind for f in (np.abs, lambda x: x * np.conj(x))]
    [False, True]

    A constant of 1e30 hides what a real step changes, and not what the complex step shows:

    >>> [method(lambda x: 1e30 + size * x, [3.0]).is_alone for size in (1.0, 1e30)]
    [True, False]

    Each array has a method. Here forward is analytic in the bias, but not in the input:

    >>> from numpycnn import Dense
    >>> class Sizes(Dense):
    ...     def forward(self, x):
    ...         return super().forward(np.abs(x))
    >>> case = Case.of(Sizes(1, 1), np.ones((1, 1)), np.random.default_rng(0))
    >>> def methods(requested):
    ...     found = choose(case, ["input", "b"], requested, np.random.default_rng(0))
    ...     return [how.method for how in found.values()]
    >>> methods(None), methods("central")
    (['central', 'complex'], ['central', 'central'])
    >>> methods("complex")
    Traceback (most recent call last):
    ...
    TypeError: the complex step does not suit Sizes: the function gives real numbers ...
    """
    if requested == "central":
        return {name: How("central") for name in names}
    off_kinks = next(case.neighbors(rng), case)  # at a kink nothing is analytic
    directions = {name: relative_direction(case.arrays[name], rng) for name in names}
    rounding = off_kinks.rounding(lambda near: near.output, rng)
    together = _opinion(off_kinks, directions, rounding)
    if together.method == "complex":
        return dict.fromkeys(names, together)
    chosen = {name: _opinion(off_kinks, {name: directions[name]}, rounding) for name in names}
    for how in chosen.values():
        if requested == "complex" != how.method:
            raise TypeError(f"the complex step does not suit {case.subject}: {how.why}")
    return chosen


def again(how: How, case: Case, name: str, rng: np.random.Generator) -> How:
    """Return the method for the same array of another case: as requested, or chosen anew.

    >>> from numpycnn import ReLU
    >>> case, rng = Case.of(ReLU(), np.ones(1), np.random.default_rng(0)), np.random.default_rng(0)
    >>> requested, chosen = How("central"), How("central", "forward casts")
    >>> [again(how, case, "input", rng).method for how in (requested, chosen)]
    ['central', 'complex']
    """
    requested: Method | None = "central" if how == How("central") else None
    return choose(case, [name], requested, rng)[name]


def _opinion(case: Case, directions: Params, rounding: Array) -> How:
    """Return the method for these arrays, moved together.

    Where the measured rounding is too small, the smallest circles show more of it:

    >>> from types import SimpleNamespace
    >>> def noisy(x):  # by 1e-9, up or down with the 14th digit of x
    ...     return x + 1e-9 * np.sign(np.sin(1e14 * np.real(x)))
    >>> layer = SimpleNamespace(forward=lambda x: (noisy(x), x), backward=None, params={})
    >>> case = Case.of(layer, np.ones(1), np.random.default_rng(0))
    >>> directions, rounding = {"input": np.ones(1)}, np.full(1, 1e-12)
    >>> [f(case, directions, rounding).method for f in (_on_circles, _opinion)]
    ['central', 'complex']
    """
    how = _on_circles(case, directions, rounding)
    if how is BLIND and ((noise := _noise(case, directions)) > rounding).any():
        return _on_circles(case, directions, np.maximum(noise, rounding))
    return how


def _on_circles(case: Case, directions: Params, rounding: Array) -> How:
    """Return the method that circles show, from large to small, beyond the rounding.

    >>> from types import SimpleNamespace
    >>> def method(function, rounding=0.0):
    ...     layer, rng = SimpleNamespace(backward=None, params={}), np.random.default_rng(0)
    ...     layer.forward = lambda x: (function(x), x)
    ...     case = Case.of(layer, np.ones(1), rng)
    ...     return _on_circles(case, {"input": np.ones(1)}, np.asarray(rounding))

    A function may be defined on smaller circles only, and a kink, here at 1.003, may be far away:

    >>> def within(limit):
    ...     def function(x):
    ...         if np.abs(x - 1).max() > limit:
    ...             raise ValueError("outside the domain")
    ...         return x
    ...     return function
    >>> [method(within(limit)).method for limit in (5e-3, 5e-4)]
    ['complex', 'central']
    >>> method(within(5e-4)).why
    'the layer does not accept complex numbers: ValueError: outside the domain'
    >>> method(lambda x: np.where(abs(x - 1) > 5e-3, np.nan, x * np.conj(x))).is_blind
    True
    >>> method(lambda x: np.where(abs(x - 1) > 1e-15, np.nan, x)).why == UNDEFINED
    True
    >>> method(lambda x: np.append(x + np.maximum(x - 1.003, 0), x), [0, 1]).method
    'complex'

    A small term that is not analytic may be visible on the largest circle only, if at all. A term
    of 1e-10 could be rounding:

    >>> def size(size, rounding, scale=1e3):
    ...     return method(lambda x: scale * (x + size * np.conj(x)), scale * rounding).is_blind
    >>> [size(1e-6, rounding) for rounding in (0.0, 0.9e-8, 1.1e-8)]
    [True, True, False]
    >>> [size(number, 2e-13) for number in (0.9e-10, 1.1e-10)]
    [False, True]

    The complex step must agree with the circles to 1e-4, and ten times the rounding:

    >>> def lost(share):
    ...     step = lambda x: (x + 1j) - 1j if np.iscomplexobj(x) else x
    ...     return lambda x: 100 * (x + share * step(x))
    >>> [method(lost(share)).why == LOST for share in (0.9e-4, 1.1e-4)]
    [False, True]
    >>> [method(lost(share), 1e-4).why == LOST for share in (1.05e-3, 1.15e-3)]
    [False, True]

    A rounding that hides a thousandth of every change leaves the complex step alone:

    >>> [method(lambda x: 0.5 * x, 0.5 * rounding).is_alone for rounding in (0.9e-5, 1.1e-5)]
    [False, True]
    >>> [method(lambda x: x * [1, factor], [1.1e-5, 0]).is_alone for factor in (1, 0)]
    [False, True]
    """
    before = None
    for radius in RADII:
        try:
            terms = _circle(case, directions, radius)
            step = case.derivative("complex", directions).middle
        except TypeError as error:
            if radius < RADII[0]:
                return How("central", str(error))
            continue  # the largest circle may leave the domain
        if not np.isfinite(terms).all():
            continue
        forth, back = np.abs(terms)
        floor = _floor(terms, rounding, radius)
        is_back = back > floor
        if is_back.any():
            before = np.where(is_back, back, 0)
        elif before is not None and ((before > 1e-10 * forth) & (before < floor)).any():
            return BLIND  # it may be there, below the rounding
        elif (np.abs(terms[0] - step) > 10 * floor + 1e-4 * forth).any():
            return How("central", LOST)
        else:
            is_alone = bool((floor > 1e-3 * forth)[forth > 0].all() and forth.any())
            return How("complex", is_alone=is_alone)
    return How("central", UNDEFINED) if before is None else BLIND


BLIND = How(
    "central",
    "forward is not analytic: abs, std, var, a norm or a similar function accepts complex "
    "numbers, and the complex step takes a part of it for a constant",
    is_blind=True,
)
LOST = (
    "forward computes with complex numbers itself, as an FFT does, and the complex step is lost in "
    "their rounding"
)
UNDEFINED = "forward is not defined, or overflows, for complex numbers next to these values"


def _circle(case: Case, directions: Params, radius: float) -> Array:
    """Return the terms exp(i t) and exp(-i t) of each output on a circle, divided by its radius.

    Raises `TypeError` if forward returns real numbers for complex ones.

    In x conj(x) + x, the second factor has a term exp(-i t), here at x = 1:

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(
    ...     forward=lambda x: (x * np.conj(x) + x, x), backward=None, params={}
    ... )
    >>> case = Case.of(layer, np.ones(1), np.random.default_rng(0))
    >>> _circle(case, {"input": np.ones(1)}, 0.5).real.round(9).tolist()
    [[2.0], [1.0]]
    """
    return _series(case, directions, radius, (1, -1)) / radius


def _series(case: Case, directions: Params, radius: float, powers: tuple[int, ...]) -> Array:
    """Return the terms exp(i n t) of each output on a circle, for each of these n.

    Of an analytic function they are the terms of its Taylor series at this radius:

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(
    ...     forward=lambda x: (x + 2 * x**2 + 3 * x**3, x), backward=None, params={}
    ... )
    >>> case = Case.of(layer, np.zeros(1), np.random.default_rng(0))
    >>> _series(case, {"input": np.ones(1)}, 0.5, (1, 2, 3)).real.round(9).tolist()
    [[0.5], [0.5], [0.375]]

    A constant has no terms, not even by rounding. Real values that vary are not those of a
    function of complex numbers:

    >>> layer.forward = lambda x: (np.full(1, 0.1), x)
    >>> abs(_series(case, {"input": np.ones(1)}, 0.5, (1, 2, 3))).tolist()
    [[0.0], [0.0], [0.0]]
    >>> layer.forward = lambda x: (np.real(x), x)
    >>> _series(case, {"input": np.ones(1)}, 0.5, (1, 2, 3))
    Traceback (most recent call last):
    ...
    TypeError: the function gives real numbers for complex ones: abs, .real or a cast?
    """
    first, *others = [case.along(directions, radius * np.exp(1j * angle)) for angle in ANGLES]
    if not np.iscomplexobj(first) and any((other != first).any() for other in others):
        raise TypeError("the function gives real numbers for complex ones: abs, .real or a cast?")
    y = np.stack([first, *others]) - first
    waves = np.exp(-1j * np.outer(powers, ANGLES)) / N_POINTS
    return np.asarray(np.tensordot(waves, y, 1))


def _noise(case: Case, directions: Params) -> Array:
    """Return the rounding that the smallest circles show: the terms in which nothing else remains.

    A few changes of the last digits can show no rounding in an output by chance, in a sum whose
    order differs from call to call.

    The powers 3 to 5 are measured, as they vanish for a smooth function:

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(forward=lambda x: (np.sin(x), x), backward=None, params={})
    >>> case = Case.of(layer, np.zeros(1), np.random.default_rng(0))
    >>> float(_noise(case, {"input": np.ones(1)})[0]) < 1e-20
    True
    >>> def noise(power, least=0.0):  # of exp(i power t), on circles of at least this radius
    ...     wave = lambda x: np.where(abs(x) > least, np.exp(1j * power * np.angle(x)), 0)
    ...     layer.forward = lambda x: (wave(x), x)
    ...     return round(float(_noise(case, {"input": np.ones(1)})[0]), 6)
    >>> [noise(power) for power in range(2, 7)]
    [0.0, 16.0, 16.0, 16.0, 0.0]
    >>> noise(3, least=5e-9), noise(3, least=5e-8)
    (16.0, 0.0)
    """
    terms = [_series(case, directions, radius, (3, 4, 5)) for radius in RADII[-3:]]
    return np.asarray(SAFETY * np.nan_to_num(np.max(np.abs(terms), axis=(0, 1))))


def _floor(terms: Array, rounding: Array, radius: float) -> Array:
    """By how much a term may be off: the rounding of the output, and that of the larger term.

    >>> floor = _floor(np.array([[2.0], [0.0]]), np.array([1e-9]), 0.01)
    >>> f"{floor[0]:.6g}"
    '1.0002e-07'
    """
    return np.asarray(rounding / radius + 1e-11 * np.abs(terms[0]))


def forgotten(case: Case, name: str, direction: Array, rng: np.random.Generator) -> float:
    """Return the part of the derivative of sum(dy * y) that the complex step takes for a constant.

    A step to the right changes the output by the terms exp(i t) and exp(-i t) of the circle, and
    the complex step sees their difference.

    In x |x|, the complex step takes a part of |x| for a constant. At x = 3, where a step of 1 along
    the direction is a step of 2 in x, this part is 6 of a slope of 12:

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(
    ...     forward=lambda x: (x * np.sqrt(x * np.conj(x)), x), backward=None, params={}
    ... )
    >>> case = Case.of(layer, np.array([3.0]), np.random.default_rng(0))
    >>> part = forgotten(case, "input", np.array([2.0]), np.random.default_rng(0))
    >>> round(part / float(case.dy[0]), 4)
    6.0

    Two circles must agree to a hundredth. Here the part grows with the radius:

    >>> def growing(rate):
    ...     layer.forward = lambda x: (np.conj(x - 3) * (1 + rate * abs(x - 3)), x)
    ...     return forgotten(case, "input", np.array([1.0]), np.random.default_rng(0))
    >>> [round(growing(rate) / float(case.dy[0]), 3) for rate in (3.6, 3.8)]
    [2.002, 0.0]
    """
    rounding, parts = case.rounding(lambda near: near.output, rng), []
    for radius in own_step(case.arrays[name], direction) * np.array([1e-3, 1e-4]):
        terms = _circle(case, {name: direction}, radius)
        found, floor = 2 * np.real(terms[1]), _floor(terms, rounding, radius)
        is_seen = np.abs(found) > floor
        parts.append(float((case.dy * found)[is_seen].sum()))
        noise = float(np.abs(case.dy * floor)[is_seen].sum())
    large, small = parts
    is_sure = abs(small) > noise and abs(large - small) <= 0.01 * abs(small) + noise
    return small if is_sure else 0.0
