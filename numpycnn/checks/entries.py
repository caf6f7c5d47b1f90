"""Entry by entry: a gradient compared with the derivative of every output.

For each entry the checker moves this entry alone and computes the derivative of every output: a
column of the matrix of derivatives. The derivative of `sum(dy * y)` is the sum of the column
weighted with `dy`, and the terms of this sum are the measure of the error.

Of a large array only a sample of the entries is compared. If all of them are correct although the
array is not, halving the array finds an incorrect one in few steps: a random direction for one half
shows which half contains the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.arrays import largest, unit
from numpycnn.checks.case import EPS, SAFETY, Case
from numpycnn.checks.derivatives import Method, OneSided
from numpycnn.checks.directions import error_along, levelled, random_direction
from numpycnn.checks.kinks import KINK, allowed, between, kinks, summed

N_ENTRIES: dict[Method, int] = {"complex": 1000, "central": 250}
"""An array of at most this size is compared entry by entry, a larger one at `N_SAMPLED`."""

N_SAMPLED = 8

Place = tuple[int, ...]


class Entries(NamedTuple):
    """Some or all entries of a gradient, in a row, compared with the derivative."""

    places: list[Place]
    actual: Array  # the gradient that backward returned
    expected: Array  # the derivative
    off: Array  # the error
    terms: Array  # the sum of the absolute terms that make up this entry
    noise: Array  # the error that the derivative may have itself
    kinks: Array  # where the function has no derivative
    undefined: Array  # where not even a one-sided derivative exists
    columns: OneSided  # the derivative of each output with respect to each entry


@dataclass
class EntryByEntry:
    """The comparison of single entries of the gradient for one array."""

    case: Case
    name: str
    method: Method
    tolerance: float
    rng: np.random.Generator

    def places(self, actual: Array, is_sampled: bool) -> list[Place]:
        """All entries or, of a large array, a sample in which an error shows if there is one.

        >>> from numpycnn import ReLU
        >>> def n_places(x, error=0.0, is_sampled=False):
        ...     case = Case.of(ReLU(), x, np.random.default_rng(0))
        ...     each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        ...     return len(each.places((1 + error) * case.gradients["input"], is_sampled))
        >>> [n_places(np.ones(size)) for size in (1000, 1001)]  # 8 at random, the largest, one more
        [1000, 10]
        >>> [n_places(np.ones(size), is_sampled=True) for size in (8, 1000)]
        [8, 10]
        >>> n_places(np.ones(1001), error=0.9e-10), n_places(-np.ones(1001))
        (10, 10)

        If one of them is off or at a kink, one more is not needed:

        >>> n_places(np.ones(1001), error=1.1e-10), n_places(np.zeros(1001))
        (9, 9)
        """
        most = N_SAMPLED if is_sampled else most_entries(self.method, self.case.dy.size)
        if actual.size <= most:
            return list(np.ndindex(*actual.shape))
        flat = {
            *map(int, self.rng.integers(actual.size, size=N_SAMPLED)),
            int(np.argmax(abs(actual))),
        }
        places = [tuple(map(int, np.unravel_index(i, actual.shape))) for i in sorted(flat)]
        found = self.compare(actual, places)
        if not (found.kinks.any() or (found.off > self.tolerance * found.terms).any()):
            places.append(self.bisected(actual))
        return places

    def bisected(self, actual: Array) -> Place:
        """Return an entry that is off or at a kink, by halving the array along its entries.

        >>> from numpycnn import ReLU
        >>> def bisected(*place, error=0.0, value=1.0):
        ...     x = np.ones((20, 50))
        ...     x[place] = value
        ...     case = Case.of(ReLU(), x, np.random.default_rng(0))
        ...     gradient = case.gradients["input"].copy()
        ...     gradient[place] += error
        ...     each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        ...     return each.bisected(gradient)
        >>> bisected(13, 7, error=1e-9), bisected(0, 0, error=1e-9), bisected(19, 49, error=1e-9)
        ((13, 7), (0, 0), (19, 49))
        >>> bisected(13, 7, value=0.0)
        (13, 7)
        """
        along = levelled(actual, self.rng)
        low, high = 0, actual.size
        while high - low > 1:
            middle = (low + high) // 2
            half = np.zeros(actual.shape)
            half.flat[low:middle] = along.flat[low:middle]
            gradients, directions = {self.name: actual}, {self.name: half}
            error, slopes = error_along(self.case, self.method, gradients, directions)
            if error > self.tolerance / 100 or kinks(slopes, self.case.dy, self.method):
                high = middle
            else:
                low = middle
        return tuple(map(int, np.unravel_index(low, actual.shape)))

    def compare(self, gradient: Array, places: list[Place]) -> Entries:
        """Compute the derivative for these entries, and the errors.

        At a kink, here at zero, a gradient may be between the slopes on both sides, here 0 and 3:

        >>> from numpycnn import ReLU
        >>> case = Case.of(ReLU(), np.array([0.0, 2.0]), np.random.default_rng(0))
        >>> case.dy[:] = 3, 5
        >>> each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        >>> [each.compare(np.array([g, 5.5]), [(0,), (1,)]).off.tolist() for g in (-1.0, 2.0, 4.0)]
        [[1.0, 0.5], [0.0, 0.5], [1.0, 0.5]]
        >>> found = each.compare(np.array([3.0, np.nan]), [(1,), (0,)])
        >>> found.expected.tolist(), found.terms.tolist(), found.off.tolist()
        ([5.0, 1.5], [5.0, 1.5], [inf, 0.0])
        >>> found.kinks.tolist(), found.undefined.tolist(), found.noise.tolist()
        ([False, True], [False, False], [0.0, 0.0])

        An infinite slope, the end of a domain, and a kink that is too small to be one:

        >>> from types import SimpleNamespace
        >>> def compare(function, x, gradient):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (function(x), x), backward=lambda dy, x: (dy, {}), params={}
        ...     )
        ...     case = Case.of(layer, np.array(x), np.random.default_rng(0))
        ...     case.dy[:] = 1
        ...     each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        ...     return each.compare(np.array(gradient), [(0,), (1,)])
        >>> found = compare(np.sqrt, [0.0, 4.0], [7.0, 0.5])
        >>> found.undefined.tolist(), found.kinks.tolist(), found.noise.tolist()
        ([True, False], [False, False], [0.0, 0.0])
        >>> found.expected.tolist(), found.terms.tolist(), found.off.tolist()
        ([0.0, 0.25], [0.0, 0.25], [0.0, 0.25])
        >>> found = compare(lambda x: x * np.where(x < 0, np.nan, 2), [0.0, 1.0], [2.0, 2.5])
        >>> found.expected.tolist(), found.off.tolist(), found.undefined.tolist()
        ([2.0, 2.0], [0.0, 0.5], [False, False])
        >>> found = compare(lambda x: x * np.where(x == 1, 1, np.nan), [1.0, 1.0], [7.0, np.nan])
        >>> found.expected.tolist(), found.off.tolist(), found.undefined.tolist()
        ([0.0, 0.0], [0.0, inf], [True, True])
        >>> found = compare(lambda x: x + 1e-10 * np.maximum(x - 1, 0), [1.0, 0.5], [1.0, 1.0])
        >>> found.kinks.tolist(), [f"{noise:.1e}" for noise in found.noise]  # 16 times 1e-10
        ([False, False], ['1.6e-09', '0.0e+00'])
        """
        columns, dy = self.case.columns(self.method, self.name, places), self.case.dy
        actual = np.array([gradient[place] for place in places], np.float64)
        # At the end of a domain there is a derivative on one side only.
        right, left = (np.where(np.isnan(a), b, a) for a, b in (columns[:2], columns[1::-1]))
        columns = OneSided(right, left, np.nan_to_num(columns.noise, nan=np.inf))
        at_kink = kinks(columns, dy, self.method, 1, float(np.max(np.abs(actual))))
        if self.method == "complex":  # two steps that differ have not converged
            is_smooth = ~at_kink.reshape(len(places), *(1,) * dy.ndim)
            columns = columns._replace(noise=np.where(is_smooth, np.abs(right - left), 0))
        terms = dy * columns.middle
        expected = summed(terms, 1)
        undefined = ~np.isfinite(expected)
        for i in np.flatnonzero(at_kink):
            undefined[i] |= self.is_infinite(places[i], right[i])
        low, high = between(columns, dy, 1)
        outside = np.maximum(low - actual, actual - high).clip(0)
        off: Array = np.where(at_kink, outside, np.abs(actual - expected))
        if (where := np.flatnonzero(at_kink & (off > 0))).size:
            off[where] = self.off_neighbors(actual, low, high, where, places)
        noise = SAFETY * summed(np.abs(dy * columns.noise), 1)
        off = np.where(undefined, 0, off)
        off[~np.isfinite(actual)] = np.inf
        return Entries(
            places,
            actual,
            np.where(undefined, 0, expected),
            off,
            np.where(undefined, 0, summed(np.abs(terms), 1)),
            np.where(undefined, 0, noise),
            at_kink & ~undefined,
            undefined,
            columns,
        )

    def is_infinite(self, place: Place, right: Array) -> bool:
        """Whether a slope grows without end as the step shrinks, as that of sqrt(x) at 0.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(forward=lambda x: (np.sqrt(x), x), backward=None, params={})
        >>> case = Case.of(layer, np.array([0.0, 1e-8]), np.random.default_rng(0))
        >>> def is_infinite(method, i):
        ...     each = EntryByEntry(case, "input", method, 1e-10, np.random.default_rng(0))
        ...     return each.is_infinite((i,), case.columns("complex", "input", [(i,)]).right[0])
        >>> is_infinite("complex", 0), is_infinite("complex", 1)  # a slope of 5000 is finite
        (True, False)
        >>> is_infinite("central", 0)  # not known from differences
        False
        """
        if self.method != "complex":
            return False
        one = {self.name: unit(self.case.arrays[self.name], place)}
        smaller = np.imag(self.case.along(one, 1e-60j)) / 1e-60
        return bool((np.abs(smaller) > 1e3 * np.maximum(np.abs(right), EPS)).any())

    def off_neighbors(
        self, actual: Array, low: Array, high: Array, where: Array, places: list[Place]
    ) -> Array:
        """Return the errors at kinks, with the gradients on all sides of the kink allowed.

        At zero, `2 relu(x) - relu(-x)` has the slopes 2 and 1, and backward may return 0, the sum
        of the gradients of two ReLUs. Below, dy is 1 for one value, and -1 for the other:

        >>> from types import SimpleNamespace
        >>> def off(function, backward, gradient, dy):
        ...     layer = SimpleNamespace(
        ...         forward=lambda x: (function(x), x),
        ...         backward=lambda dy, x: (dy * backward(x), {}),
        ...         params={},
        ...     )
        ...     case = Case.of(layer, np.zeros(2), np.random.default_rng(0))
        ...     case.dy[:] = dy
        ...     each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        ...     return each.compare(np.array(gradient), [(0,), (1,)]).off.tolist()
        >>> def two(x):
        ...     return 2 * np.maximum(x, 0) - np.maximum(-x, 0)
        >>> for gradient in ([0.0, 0.0], [-0.5, 0.5], [2.5, -2.5]):
        ...     print(off(two, lambda x: np.where(x > 0, 2, 1), gradient, [1, -1]))
        [0.0, 0.0]
        [0.5, 0.5]
        [0.5, 0.5]

        For x[0] alone, `2 relu(x[0]) - max(x)` has the slopes 0 and 1. Next to zero, its gradient
        is 2, 1, 0 or -1:

        >>> def of_all(x):
        ...     return 2 * np.maximum(x[:1], 0) - np.maximum(x[:1], x[1:])
        >>> def gradient_of_all(x):
        ...     return np.array([2 * (x[0] > 0) - (x[0] > x[1]), -1 * (x[0] <= x[1])])
        >>> [off(of_all, gradient_of_all, [g, 0.0], 1)[0] for g in (-1.5, -1.0, 1.5, 2.0, 2.5)]
        [0.5, 0.0, 0.0, 0.0, 0.5]
        """
        low, high = np.minimum(low, 0)[where], np.maximum(high, 0)[where]
        for aside in self.case.neighbors(self.rng):
            near = aside.gradients[self.name]
            there = np.array([near[places[i]] for i in where])
            low, high = np.fmin(low, there), np.fmax(high, there)
        return np.asarray(np.maximum(low - actual[where], actual[where] - high).clip(0))

    def agree_together(self, actual: Array, found: Entries) -> bool:
        """Whether the gradient is between the slopes at kinks in other directions, too.

        This must hold for maxima, whose slope increases at every kink, for each entry as for all
        together. A function that adds and subtracts maxima has other gradients too.

        Of two equal values, one may receive the gradient, or they share it:

        >>> from types import SimpleNamespace
        >>> def agree_together(function, gradient):
        ...     layer = SimpleNamespace(params={}, backward=lambda dy, x: (x, {}))
        ...     layer.forward = lambda x: (function(x[:1], x[1:]), x)
        ...     case = Case.of(layer, np.zeros(2), np.random.default_rng(0))
        ...     case.dy[:] = 1
        ...     each = EntryByEntry(case, "input", "complex", 1e-10, np.random.default_rng(0))
        ...     gradient = np.array(gradient)
        ...     return each.agree_together(gradient, each.compare(gradient, [(0,), (1,)]))
        >>> gradients = [[1, 0], [0.3, 0.7], [1, 1], [0, 0], [1, 1e-7], [1, 1e-10]]
        >>> [agree_together(np.maximum, gradient) for gradient in gradients]
        [True, True, False, False, False, True]
        >>> [agree_together(np.minimum, gradient) for gradient in gradients[1:3]]
        [True, False]
        >>> def relus(share):
        ...     return lambda a, b: np.maximum(a, 0) + share * np.maximum(b, 0)
        >>> [agree_together(relus(share), [7, 7]) for share in (-1, -0.1, 0, 0.1)]
        [True, True, False, False]

        Several layers in one function may give zero at a kink, whatever the slopes around it:

        >>> leaky = lambda a: np.maximum(a, a / 2)
        >>> [agree_together(lambda a, b: leaky(a) + b, [a, 1]) for a in (-0.1, 0, 0.5, 1.1)]
        [False, True, True, False]
        """
        dy, kink = self.case.dy, KINK[self.method]
        # The other entries are correct. If not all entries are compared, all of them move.
        is_sample = len(found.places) < actual.size
        moves = np.ones(actual.shape) if is_sample else 1.0 * found.kinks.reshape(actual.shape)
        directions = [moves, *(moves * random_direction(actual, self.rng) for _ in range(8))]
        slopes = [self.case.derivative(self.method, {self.name: along}) for along in directions]
        each_alone = found.columns.right - found.columns.left
        bends = np.concatenate([each_alone, [each.right - each.left for each in slopes]])
        bends[np.abs(bends) <= kink * np.max(np.abs(bends))] = 0
        if ((bends > 0).any(axis=0) & (bends < 0).any(axis=0)).any():
            return True
        for along, each in zip(directions, slopes, strict=True):
            low, high = map(float, allowed(each, dy, kinks(each, dy, self.method)))
            slope = float((actual * along).sum())
            if max(low - slope, slope - high) > kink * largest(actual):
                return False
        return True


def most_entries(method: Method, n_outputs: int) -> int:
    """Return the size up to which an array is compared entry by entry: less with many outputs.

    >>> most_entries("complex", 5000), most_entries("complex", 5001), most_entries("central", 5001)
    (1000, 999, 250)
    >>> most_entries("complex", 5_000_000), most_entries("complex", 5_000_001)
    (1, 0)
    """
    return min(N_ENTRIES[method], 5_000_000 // n_outputs)
