"""The method for each array: the complex step, or central differences.

The complex step is exact to rounding, and has one trap that it cannot detect by itself. `abs`,
`std`, `var`, norms and `vdot` accept complex numbers and are not *analytic*: the length of a
complex number does not change with a step along the imaginary axis. A term computed with them
counts as a constant, and a backward pass that forgot this term agrees with it to sixteen digits.

So forward is evaluated on a small circle around the arrays first, at `a + r exp(i t) v`. The
Fourier series of an analytic function over the angle `t` has no term `exp(-i t)`: its Taylor series
contains powers of `exp(i t)` only. In |z|^2 = z conj(z) there is one. Each output is examined
separately, because a small term in one may be far below the last digits of another. A circle
around a kink is no evidence, so smaller circles follow, for as long as the term would be visible.

Where this term exists, central differences are the method.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.case import EPS, SAFETY, Case, largest
from numpycnn.checks.derivatives import Method, own_step

N_POINTS = 8  # on the circle; powers 7, 15, … of its radius are mistaken for the power -1
RADII = 10.0 ** np.arange(-3, -11, -1)
ANGLES = 2 * np.pi * np.arange(N_POINTS) / N_POINTS


class How(NamedTuple):
    """A method, and the reason for it if it is not the more exact one."""

    method: Method
    why: str = ""
    is_blind: bool = False  # whether the complex step takes something for a constant
    is_alone: bool = False  # whether rounding hides what a real step changes

    @property
    def notes(self) -> tuple[str, ...]:
        """The reason, for the report."""
        return (f"by central differences, because {self.why}",) if self.why else ()


def choose(case: Case, asked: Method | None, rng: np.random.Generator) -> dict[str, How]:
    """Return the method for each array whose gradient is compared.

    Raises `TypeError` if the complex step was asked for and an array does not allow it.
    """
    if asked == "central":
        return {name: How("central") for name in case.names}
    off_kinks = next(case.neighbors(rng), case)  # at a kink nothing is analytic
    together = _opinion(off_kinks, case.names, rng)
    if together.method == "complex":
        return dict.fromkeys(case.names, together)
    chosen = {name: _opinion(off_kinks, (name,), rng) for name in case.names}
    for how in chosen.values():
        if asked == "complex" and how.method != asked:
            raise TypeError(f"the complex step does not suit {case.subject}: {how.why}")
    return chosen


def _opinion(case: Case, names: tuple[str, ...], rng: np.random.Generator) -> How:
    """Return the method for these arrays, examined together."""
    directions = relative_directions(case, names, rng)
    y = case.output()
    noise = rounding_of_output(case, y, rng)
    before = None
    for radius in RADII:
        try:
            found = _on_circle(case, directions, radius)
        except TypeError as error:
            return How("central", str(error))
        if found is None:
            continue
        forth, back = found
        floor = noise / radius + 1e-11 * forth
        is_back = back > floor
        if not is_back.any():
            hidden = before is not None and bool(((before > 0) & (before < floor)).any())
            if hidden:
                return _blind()
            is_alone = bool((floor > 1e-3 * forth)[forth > 0].all() and forth.any())
            return How("complex", is_alone=is_alone)
        before = np.where(is_back, back, 0)
    return _blind()


def _on_circle(case: Case, directions: Params, radius: float) -> tuple[Array, Array] | None:
    """Return the magnitudes of the terms exp(i t) and exp(-i t) per radius; None if undefined."""
    values = [case.along(directions, radius * np.exp(1j * angle)) for angle in ANGLES]
    if not np.iscomplexobj(values[0]):
        if all(np.array_equal(value, values[0]) for value in values):
            return np.zeros(values[0].shape), np.zeros(values[0].shape)
        raise TypeError("the function gives real numbers for complex ones: abs, .real or a cast?")
    y = np.stack(values) - values[0]
    turn = np.exp(1j * ANGLES).reshape(-1, *(1,) * (y.ndim - 1))
    forth, back = (np.abs((y * factor).mean(axis=0)) / radius for factor in (1 / turn, turn))
    is_defined = np.isfinite(forth).all() and np.isfinite(back).all()
    return (forth, back) if is_defined else None


def _blind() -> How:
    return How(
        "central",
        "forward is not analytic: abs, std, var, a norm or a similar function accepts complex "
        "numbers, and the complex step takes a part of it for a constant",
        is_blind=True,
    )


def forgotten(case: Case, name: str, direction: Array) -> float:
    """Return the part of the derivative of sum(dy * y) that the complex step takes for a constant.

    A step to the right changes the output by the terms exp(i t) and exp(-i t) of the circle, and
    the complex step sees their difference.
    """
    parts = []
    for radius in own_step(case.arrays[name], direction) * np.array([1e-3, 1e-4]):
        values = [case.along({name: direction}, radius * np.exp(1j * angle)) for angle in ANGLES]
        terms = [value * np.exp(1j * angle) for value, angle in zip(values, ANGLES, strict=True)]
        parts.append(float((case.dy * 2 * np.real(np.mean(terms, axis=0)) / radius).sum()))
        noise = SAFETY * EPS * float(np.abs(case.dy * values[0]).sum()) / radius
    is_sure = abs(parts[1]) > noise and abs(parts[0] - parts[1]) <= 0.01 * abs(parts[1]) + noise
    return parts[1] if is_sure else 0.0


def relative_directions(
    case: Case, names: tuple[str, ...], rng: np.random.Generator
) -> dict[str, Array]:
    """A direction for each array that moves every entry by about as much as its magnitude."""
    directions = {}
    for name in names:
        array = case.arrays[name]
        sizes = np.where(array == 0, largest(array), np.abs(array))
        directions[name] = (
            sizes * rng.uniform(0.5, 1, array.shape) * rng.choice([-1, 1], array.shape)
        )
    return directions


def rounding_of_output(case: Case, y: Array, rng: np.random.Generator) -> Array:
    """By how much each output may change when every value changes in its last digit, measured."""
    moved = np.abs(case.shaken(rng, 4 * EPS).output() - y)
    return np.asarray(SAFETY * (moved + EPS * np.abs(y)))
