"""Small functions of arrays that several chapters of the checker use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numpycnn._types import Array, Params


def in_a_row(arrays: Params, names: list[str]) -> Array:
    """Return the values of these arrays in one array without a copy if there is one only.

    >>> arrays = {"w": np.array([[1, 2], [3, 4]]), "b": np.array([5]), "c": np.array([6])}
    >>> in_a_row(arrays, ["b", "w"]).tolist(), in_a_row(arrays, ["w"]).tolist()
    ([5, 1, 2, 3, 4], [1, 2, 3, 4])
    >>> np.shares_memory(in_a_row(arrays, ["w"]), arrays["w"])
    True
    """
    parts = [arrays[name].ravel() for name in names]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def increased(array: Array) -> Array:
    """Return values that differ from the given ones, and are not all the same multiple of them.

    >>> increased(np.array([-1.0, 0.0, 4.0])).tolist()
    [-0.5, 0.25, 5.25]
    """
    return np.asarray(array + 0.25 * (1 + np.abs(array)))


def stretched(array: Array, shares: Array) -> Array:
    """Return an array of type float with every value changed by a share of itself.

    >>> stretched(np.array([2.0, 4.0]), np.array([0.5, -0.25])).tolist()
    [3.0, 3.0]
    >>> stretched(np.array([2, 4]), np.array([0.5, -0.25])).tolist()
    [2, 4]
    """
    return array * (1 + shares) if array.dtype.kind == "f" else array


def moved_by_little(array: Array) -> Array:
    """Return values that differ by some 0.2 %, and are not numbers of float32.

    >>> moved_by_little(np.array([0.0, 3.0])).round(6).tolist()
    [0.00191, 3.00791]
    """
    return np.asarray(array + (array + largest(array) / np.pi) / 500)


def signed(sizes: Array, rng: np.random.Generator) -> Array:
    """Return the values, each with a random sign.

    >>> sorted(set(signed(np.full(99, 5.0), np.random.default_rng(0)).tolist()))
    [-5.0, 5.0]
    """
    return np.asarray(sizes * rng.choice([-1, 1], sizes.shape))


def changed(arrays: Params, change: Callable[[Array], Array]) -> Params:
    """Return the arrays with those of type float changed.

    >>> arrays = changed({"x": np.array([1.5]), "ids": np.array([3])}, np.negative)
    >>> arrays["x"].tolist(), arrays["ids"].tolist()
    ([-1.5], [3])
    """
    return {n: change(a) if a.dtype.kind == "f" else a for n, a in arrays.items()}


def rows(x: Array, n: int) -> Array:
    """Return `n` rows of x from the second on, and then from the first again.

    >>> rows(np.array([10, 20, 30]), 4).tolist(), rows(np.array([10, 20, 30]), 2).tolist()
    ([20, 30, 10, 20], [20, 30])
    """
    return np.asarray(x[np.arange(1, n + 1) % len(x)])


def largest(array: Array) -> float:
    """The largest magnitude in `array`, or one if all are zero.

    >>> largest(np.array([2.0, -3.0])), largest(np.zeros(2)), largest(np.array([0.5]))
    (3.0, 1.0, 0.5)
    """
    return float(np.max(np.abs(array))) or 1.0


def unit(array: Array, index: tuple[int, ...]) -> Array:
    """Zeros like `array`, but for a single one.

    >>> unit(np.array([[5.0, 6.0], [7.0, 8.0]]), (1, 0)).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    one = np.zeros_like(array)
    one[index] = 1
    return one
