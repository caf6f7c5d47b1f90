"""Directions along which arrays are moved: random, and such that no entry hides another.

One direction checks all entries of an array at once. The sum of their effects must then show an
error in any of them, so the magnitudes of the directions depend on those of the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arrays import largest
from numpycnn.checks.case import EPS, SAFETY, Case
from numpycnn.checks.derivatives import Method, OneSided


def random_direction(array: Array, rng: np.random.Generator) -> Array:
    """Values of random sign and of a magnitude from 1 to 2.

    None is near zero, or an error there would hardly show; and no two have the same
    magnitude, or two errors of opposite sign could cancel.

    >>> direction = random_direction(np.zeros(1000), np.random.default_rng(0))
    >>> sorted(set(np.floor(direction).tolist()))
    [-2.0, 1.0]
    """
    return np.asarray(rng.uniform(1, 2, array.shape) * rng.choice([-1, 1], array.shape))


def levelled(actual: Array, rng: np.random.Generator) -> Array:
    """A direction that gives every entry the same weight, so that no large one hides a small one.

    Entries below the last digit of the largest count as if they were that large.

    >>> gradient = np.array([1.0, -4.0, 1e3])
    >>> effects = levelled(gradient, np.random.default_rng(0)) * gradient
    >>> np.floor(abs(effects)).tolist()
    [1.0, 1.0, 1.0]
    """
    sizes = np.maximum(_shares(actual), EPS)
    return np.asarray(random_direction(actual, rng) * np.min(sizes) / sizes)


def by_magnitude(actual: Array, array: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Directions for differences: one for all entries that are alike, to a factor of a thousand.

    A difference shows some six digits of a sum, so entries that are far smaller than the others
    need a separate direction. And one step suits values of one magnitude: a column may have
    another unit.

    >>> rng, gradient = np.random.default_rng(0), np.array([1.0, 0.002, 0.0005])
    >>> [(along != 0).tolist() for along in by_magnitude(gradient, np.ones(3), rng)]
    [[False, False, True], [True, True, False]]
    >>> [(along != 0).tolist() for along in by_magnitude(np.ones(3), gradient, rng)]
    [[False, False, True], [True, True, False]]
    >>> [(along != 0).tolist() for along in by_magnitude(np.array([0.0, 1.0]), np.ones(2), rng)]
    [[True, False], [False, True]]
    """
    orders = np.stack([np.ceil(np.log10(_shares(a) + 1e-99) / 3) for a in (actual, array)], axis=-1)
    along = levelled(actual, rng)
    for order in np.unique(orders.reshape(-1, 2), axis=0):
        yield np.where((orders == order).all(axis=-1), along, 0)


def _shares(array: Array) -> Array:
    """The magnitude of each value relative to the largest.

    >>> _shares(np.array([1.0, -4.0, np.nan])).tolist(), _shares(np.zeros(2)).tolist()
    ([0.25, 1.0, 0.0], [0.0, 0.0])
    """
    sizes = np.abs(np.nan_to_num(array))
    return np.asarray(sizes / largest(sizes))


def relative_direction(array: Array, rng: np.random.Generator) -> Array:
    """A direction that moves every entry by about as much as its magnitude.

    A zero is moved by as much as the largest.

    >>> along = relative_direction(np.array([0.0, -2.0, 8.0]), np.random.default_rng(0))
    >>> np.ceil(2 * abs(along) / [8, 2, 8]).tolist()
    [2.0, 2.0, 2.0]
    >>> along = relative_direction(np.ones(1000), np.random.default_rng(0))
    >>> [round(float(limit), 2) for limit in (min(along), max(along), min(abs(along)))]
    [-1.0, 1.0, 0.5]
    """
    sizes = np.where(array == 0, largest(array), np.abs(array))
    return np.asarray(sizes * rng.uniform(0.5, 1, array.shape) * rng.choice([-1, 1], array.shape))


def error_along(
    case: Case, method: Method, gradients: Params, directions: Params
) -> tuple[float, OneSided]:
    """The error of gradients along directions, beyond the noise, and the derivatives.

    With y = x + b, x moves by 2 here and b by 3, so y should move by 5 and not by 2 * 4 + 3 * 1:

    >>> from numpycnn import Dense
    >>> layer, rng = Dense(1, 1), np.random.default_rng(0)
    >>> layer.params["w"][:] = 1
    >>> case = Case.of(layer, np.array([[1.0]]), rng)
    >>> case.dy[:] = 0.5
    >>> gradients = {"input": np.array([[2.0]]), "b": np.array([0.5])}
    >>> directions = {"input": np.array([[2.0]]), "b": np.array([3.0])}
    >>> error, slopes = error_along(case, "complex", gradients, directions)
    >>> error, slopes.middle.tolist()
    (0.5454545454545454, [[5.0]])

    With b = 1e10 the rounding of y hides a small error from differences:

    >>> layer.params["b"][:] = 1e10
    >>> case = Case.of(layer, np.array([[1.0]]), rng)
    >>> case.dy[:] = 1
    >>> for slope in (1.0001, 2):
    ...     gradients, directions = {"input": np.array([[slope]])}, {"input": np.ones((1, 1))}
    ...     print(round(error_along(case, "central", gradients, directions)[0], 1))
    0.0
    0.5
    """
    slopes = case.derivative(method, directions)
    actual = np.concatenate([(gradients[name] * v).ravel() for name, v in directions.items()])
    noise = SAFETY * float(np.abs(case.dy * slopes.noise).sum())
    return relative_error(actual, case.dy * slopes.middle, noise), slopes


def relative_error(actual: Array, terms: Array, noise: float = 0.0) -> float:
    """The difference of two sums beyond the noise, relative to the absolute terms of the first.

    >>> [relative_error(np.array([3.0, -1.0]), np.ones(1), noise) for noise in (0, 0.5, 1)]
    [0.25, 0.125, 0.0]
    >>> [relative_error(np.array([a]), np.ones(1)) for a in (1.0, 2.0, 0.0)]
    [0.0, 0.5, inf]
    >>> relative_error(np.zeros(1), np.zeros(1))
    0.0
    """
    off = abs(float(actual.sum() - terms.sum())) - noise
    if off <= 0:
        return 0.0
    with np.errstate(all="ignore"):
        error = float(off / np.abs(actual).sum())
    return error if np.isfinite(error) else np.inf
