"""Other values: the arrays at the points where a gradient is compared again.

A layer may be undefined for values of another magnitude or sign. So the values stay near those
given: a parameter changes by at most 10 %, a value of x by at most a factor of two, and x gets no
sign that it does not contain. Only where a gradient is zero, and nothing was tested, the changes
are larger.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arrays import changed, largest


def stepped(arrays: Params, rng: np.random.Generator) -> Params:
    """Return the arrays with parameters moved by 5 to 10 %; a zero counts as the largest.

    >>> w = np.repeat([1.0, -2.0, 0.0], 500)
    >>> moved = stepped({"input": np.ones(1), "w": w}, np.random.default_rng(0))
    >>> shares = (moved["w"] - w).reshape(3, 500) / [[1], [2], [2]]
    >>> [[round(float(f(abs(each))), 2) for f in (np.min, np.max)] for each in shares]
    [[0.05, 0.1], [0.05, 0.1], [0.05, 0.1]]
    >>> [sorted(set(np.sign(each).tolist())) for each in shares]
    [[-1.0, 1.0], [-1.0, 1.0], [1.0]]
    >>> moved["input"].tolist()
    [1.0]
    """

    def move(array: Array) -> Array:
        share = 0.1 * rng.uniform(0.5, 1, array.shape)
        sign = rng.choice([-1, 1], array.shape)
        return np.where(array == 0, share * largest(array), array * (1 + sign * share))

    return {**changed(arrays, move), "input": arrays["input"]}


def other_signs_and_sizes(x: Array, rng: np.random.Generator, other_signs: bool) -> Array:
    """Return values up to twice as large or half as large, of signs that x has; zeros move, too.

    >>> rng, x = np.random.default_rng(0), np.repeat([-1.0, 4.0, 0.0], 500)
    >>> moved = other_signs_and_sizes(x, rng, other_signs=True).reshape(3, 500)
    >>> [[round(float(f(abs(m))), 1) for f in (np.min, np.max)] for m in moved]
    [[0.5, 2.0], [2.0, 8.0], [0.2, 0.8]]
    >>> [sorted(set(np.sign(m).tolist())) for m in moved]
    [[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]
    >>> moved = other_signs_and_sizes(x, rng, other_signs=False).reshape(3, 500)
    >>> [sorted(set(np.sign(m).tolist())) for m in moved]
    [[-1.0], [1.0], [-1.0, 1.0]]
    >>> bool((other_signs_and_sizes(abs(x), rng, other_signs=True) > 0).all())
    True

    If all are zero, a value of magnitude one is assumed:

    >>> moved = other_signs_and_sizes(np.zeros(500), rng, other_signs=True)
    >>> [round(float(f(m)), 2) for m in (moved, abs(moved)) for f in (np.min, np.max)]
    [-0.2, 0.2, 0.05, 0.2]
    """
    found = np.unique(np.sign(x[x != 0])) if x.any() else [-1, 1]
    signs = rng.choice(found, x.shape)
    sizes = np.where(x == 0, 0.1 * largest(x), np.abs(x))
    signs = signs if other_signs else np.where(x == 0, signs, np.sign(x))
    return np.asarray(signs * sizes * 2 ** rng.uniform(-1, 1, x.shape))


def numbers_of_rows(n: int, is_loss: bool) -> list[int]:
    """Return how many rows to try besides n: one more and one fewer, but not a single row.

    A loss may hold a target for each row, so it gets more rows only, and at least three.

    >>> [numbers_of_rows(n, is_loss=False) for n in (1, 2, 3)]
    [[2, 3], [3], [4, 2]]
    >>> [numbers_of_rows(n, is_loss=True) for n in (1, 2, 3, 4)]
    [[3], [3], [4], [5]]
    """
    least = max(n, 3) if is_loss else 2
    return [size for size in (n + 1, n - 1 if n > 1 else n + 2) if size >= least]


def with_other_last_row(x: Array) -> Array:
    """Return x with every value of the last row changed.

    They do not change by the same amount, to which a softmax is invariant.

    >>> with_other_last_row(np.array([[1.0, 2.0], [0.0, -4.0]])).tolist()
    [[1.0, 2.0], [2.0, -3.0]]
    """
    other = x.copy()
    other[-1] = 1.25 * x[-1] + 0.5 * largest(x)
    return other


def negated_or_small(arrays: Params) -> Iterator[Params]:
    """The arrays with parameters at which units work that a ReLU or a clip makes constant.

    >>> arrays = {"input": np.array([5.0]), "w": np.array([1.0, -200.0])}
    >>> for other in negated_or_small(arrays):
    ...     print(other["input"].tolist(), other["w"].tolist())
    [5.0] [-1.0, 200.0]
    [5.0] [0.01, -2.0]
    [5.0] [-0.01, 2.0]
    """
    for factor in (-1, 0.01, -0.01):
        yield {**changed(arrays, partial(np.multiply, factor)), "input": arrays["input"]}


def other_values(arrays: Params, name: str, rng: np.random.Generator) -> Iterator[Params]:
    """The array negated, random, and with random values for all arrays.

    >>> arrays = {"input": np.array([1.0, -4.0]), "w": np.array([2.0])}
    >>> values = [*other_values(arrays, "input", np.random.default_rng(0))]
    >>> len(values), [other["w"].tolist() for other in values[:3]]
    (9, [[2.0], [2.0], [-2.0]])
    >>> [values[i]["input"].tolist() for i in (0, 2)]
    [[-1.0, 4.0], [-1.0, 4.0]]
    >>> drawn = [other["input"] for other in (values[1], *values[3:])]
    >>> float(np.floor(np.min(drawn))), float(np.ceil(np.max(drawn)))
    (-4.0, 4.0)
    """

    def draw(array: Array) -> Array:
        return np.asarray(largest(array) * rng.uniform(-1, 1, array.shape))

    yield {**arrays, name: -arrays[name]}
    yield {**arrays, name: draw(arrays[name])}
    yield changed(arrays, np.negative)
    for _ in range(6):  # half of all values make a layer with one ReLU zero
        yield changed(arrays, draw)
