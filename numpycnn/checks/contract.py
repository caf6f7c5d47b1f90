"""The contract: forward and backward are functions.

A gradient is the derivative of a function. So the result of forward and backward may depend on
their arguments and the parameters only, and the arrays that they return belong to the caller. A
mask that is drawn at each call, a buffer that is used again, a cache that is kept on the layer, a
batch size that is stored at the first call: each breaks the contract, and makes gradients
that are correct once and incorrect the next time.

So before any gradient is compared, both are called several times, with the same values and with
others in between, and every earlier result is compared with the later one.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.checks.arguments import HasGradients, run_backward, run_forward
from numpycnn.checks.arrays import largest, rows
from numpycnn.checks.case import Case
from numpycnn.checks.report import Mistake

BREACHES = {
    "not finite": "forward returned {} for finite values; to mask a score, add -1e30 in place of "
    "-inf",
    "argument changed": "{} changed in place; work on a copy",
    "random": "two forwards of the same input differ: something is drawn, or counted, at each "
    "call; draw from a generator with a fixed seed that is created within forward",
    "parameter created": "forward added {} to params: an optimizer that was given params before "
    "does not update it; create every parameter in the constructor",
    "wrong key": "backward returned grads for {}",
    "wrong shape": "the gradient for {}",
    "wrong type": "the gradient for {}",
    "cache changed": "a second backward from the same cache returns another result: backward "
    "writes to its cache; work on a copy",
    "accumulated": "a second backward returns another result: gradients are kept between calls and "
    "added to; return new ones every time",
    "output overwritten": "another {} changes what an earlier one returned: it is kept on the "
    "layer and used again; return a new array every time",
    "cache overwritten": "after another forward, backward returns another result: what it needs is "
    "kept on the layer and has been overwritten; return it as the cache",
    "state": "the result of {} depends on earlier calls: something is counted or kept on the "
    "layer; it must depend on its arguments and the parameters only",
}

SAME = 1e-12
"""The relative difference of two sums of the same terms in another order, in float64 …"""

SAME_IN_SINGLE = 1e-6
"""… and in float32."""


def breach(case: Case, rng: np.random.Generator) -> Mistake | None:
    """Return how the layer breaks the contract, or None if it keeps it.

    >>> class Scale:
    ...     def __init__(self):
    ...         self.params = {"w": np.array([1.5, -1.0])}
    ...
    ...     def forward(self, x):
    ...         return x * self.params["w"], [x]
    ...
    ...     def backward(self, dy, cache):
    ...         return dy * self.params["w"], {"w": (dy * cache[0]).sum(axis=0)}
    >>> class KeepsX(Scale):
    ...     def forward(self, x):
    ...         self.cache = [x]
    ...         return super().forward(x)
    ...
    ...     def backward(self, dy, cache):
    ...         return super().backward(dy, self.cache)
    >>> class KeepsW(Scale):
    ...     def forward(self, x):
    ...         self.w = getattr(self, "w", self.params["w"].copy())
    ...         return x * self.w, [x]
    >>> class EmptiesCache(Scale):
    ...     def backward(self, dy, cache):
    ...         return super().backward(dy, [cache.pop()])
    >>> class WritesToY(Scale):
    ...     def forward(self, x):
    ...         y = x * self.params["w"]
    ...         return y, [x, y]
    ...
    ...     def backward(self, dy, cache):
    ...         cache[1][...] = 0
    ...         return super().backward(dy, cache)
    >>> class ReturnsABuffer(Scale):
    ...     buffer = np.empty((9, 2))
    ...
    ...     def backward(self, dy, cache):
    ...         dx = np.multiply(dy, self.params["w"], out=self.buffer[: len(dy)])
    ...         return dx, super().backward(dy, cache)[1]
    >>> for kind in Scale, KeepsX, KeepsW, EmptiesCache, WritesToY, ReturnsABuffer:
    ...     rng = np.random.default_rng(0)
    ...     found = breach(Case.of(kind(), np.array([[1.0, 2.0], [3.0, -4.0]]), rng), rng)
    ...     print(f"{kind.__name__}: {found and found.name}")
    Scale: None
    KeepsX: cache overwritten
    KeepsW: state
    EmptiesCache: cache changed
    WritesToY: output overwritten
    ReturnsABuffer: output overwritten
    """
    for name, is_kept, detail in _promises(case, rng):
        if not is_kept:
            return Mistake(name, BREACHES[name].format(detail))
    return None


def _promises(case: Case, rng: np.random.Generator) -> Iterator[tuple[str, bool, str]]:
    """One promise after the other, whether it is kept, and a detail for the sentence."""
    x, dy, names = case.arrays["input"].copy(), case.dy.copy(), case.names
    params = [name for name in case.arrays if name != "input"]
    with case.holding({n: array.copy() for n, array in case.arrays.items()}) as layer:

        def unchanged() -> tuple[bool, str]:
            given = {**case.arrays, "dy": case.dy}
            return _unchanged({"input": x, "dy": dy, **layer.params}, given)

        y, cache = run_forward(layer, x)
        not_finite = _first_not_finite(y)
        yield "not finite", not not_finite, not_finite
        created = [name for name in layer.params if name not in params]
        yield "parameter created", not created, " and ".join(created)
        yield "argument changed", *unchanged()
        first_y = np.array(y)
        yield "random", _agree(run_forward(layer, x)[0], first_y), ""

        saved = _copy_of(cache)
        result = run_backward(layer, dy, cache)
        is_kept = {*names} - {"input"} <= result[1].keys() <= {*params}
        yield "wrong key", is_kept, f"{[*result[1]]}, and the parameters are {params}"
        for name in names:
            actual = result[0] if name == "input" else result[1][name]
            yield from _is_gradient(name, actual, case.arrays[name])
        first = _gradients(result, names)
        yield "argument changed", *unchanged()
        same = partial(_same, case=case, rng=rng)

        again = _second_backward(layer, dy, cache, names)
        if not same(again, first):
            retry = _second_backward(layer, dy, saved, names) if saved is not None else None
            yield "cache changed", again is not None and not same(retry, first), ""
            yield "accumulated", False, ""

        _second_backward(layer, -dy, cache, names)
        yield "output overwritten", same(_gradients(result, names), first), "backward"
        for other in _other_batches(x):
            yield from _as_if_new(case, layer, other, rng)
            yield "output overwritten", _agree(y, first_y), "forward"
            yield (
                "cache overwritten",
                same(_second_backward(layer, dy, cache, names), first),
                "",
            )
        yield "state", _agree(run_forward(layer, x)[0], first_y), "forward"
        moved = {**case.arrays, **{n: _moved(case.arrays[n]) for n in params}}
        for name in params:  # as an optimizer does
            layer.params[name][...] = moved[name]
        yield from _as_if_new(replace(case, arrays=moved), layer, x, rng)


def _moved(array: Array) -> Array:
    """Another value of a parameter, of the same sign and of a like magnitude.

    >>> _moved(np.array([2.0, -1.0, 0.0])).tolist()
    [2.2, -1.1, 0.2]
    """
    return np.where(array == 0, 0.1 * largest(array), 1.1 * array)


def _is_gradient(name: str, actual: Any, array: Array) -> Iterator[tuple[str, bool, str]]:
    """Require an array of real numbers of the shape of its array.

    >>> w = np.zeros(3)
    >>> [is_kept for name, is_kept, detail in _is_gradient("w", np.ones(3, int), w)]
    [True, True, True]
    >>> next(_is_gradient("w", None, w))
    ('wrong type', False, 'w is None; return an array of shape (3,)')
    >>> next(_is_gradient("w", np.ma.masked_array([0.0, 1.0, 2.0]), w))
    ('wrong type', False, 'w is a MaskedArray; return an array of shape (3,)')
    >>> [*_is_gradient("w", np.zeros(2, complex), w)][1:]
    [('wrong shape', False, 'w has the shape (2,), its array (3,)'),
     ('wrong type', False, 'w is of type complex128')]
    """
    is_array = isinstance(actual, np.ndarray | np.generic) and not np.ma.isMaskedArray(actual)
    what = "None" if actual is None else f"a {type(actual).__name__}"
    yield "wrong type", is_array, f"{name} is {what}; return an array of shape {array.shape}"
    shapes = f"{name} has the shape {actual.shape}, its array {array.shape}"
    yield "wrong shape", actual.shape == array.shape, shapes
    yield "wrong type", actual.dtype.kind in "iuf", f"{name} is of type {actual.dtype}"


def _other_batches(x: Array) -> Iterator[Array]:
    """The same rows in another order, and one row more.

    Rows are permuted, and not the values within a row: each column may have its own domain.
    Rows that are all equal are scaled, and change their signs if they have both.

    >>> [batch.tolist() for batch in _other_batches(np.array([[1.0, -2.0], [3.0, 4.0]]))]
    [[[3.0, 4.0], [1.0, -2.0]], [[3.0, 4.0], [1.0, -2.0], [3.0, 4.0]]]
    >>> [batch.tolist() for batch in _other_batches(np.array([[1.0, -0.5]]))]
    [[[-1.0, 0.5]], [[1.1, -0.55]], [[1.0, -0.5], [1.0, -0.5]]]
    >>> [len(batch) for x in ([[0.0, 1.0]], [[-1.0, 0.0]]) for batch in _other_batches(np.array(x))]
    [1, 2, 1, 2]
    >>> [ids.tolist() for ids in _other_batches(np.array([7]))]
    [[7], [7, 7]]
    """
    rolled = rows(x, len(x))
    if x.dtype.kind == "f" and np.array_equal(rolled, x):
        rolled = 1.1 * x
        if (x < 0).any() and (x > 0).any():  # a mask is another, too
            yield -x
    yield rolled
    yield rows(x, len(x) + 1)


def _as_if_new(
    case: Case,
    layer: HasGradients,
    other: Array,
    rng: np.random.Generator,
) -> Iterator[tuple[str, bool, str]]:
    """Compare the results of a layer that was called before with those of a new copy."""
    try:
        with case.holding(case.arrays) as new:
            new_y, new_cache = run_forward(new, other.copy())
            new_y = np.array(new_y)
            dy = rng.standard_normal(new_y.shape)
            expected = _gradients(run_backward(new, dy.copy(), new_cache), case.names)
    except Exception:  # outside the layer's domain, or of another size: not evidence
        return
    try:
        y, cache = run_forward(layer, other.copy())
        y = np.array(y)
        actual = _gradients(run_backward(layer, dy.copy(), cache), case.names)
    except Exception:
        yield "state", False, "forward or backward"
        return
    yield "state", _agree(y, new_y), "forward"
    yield "state", _same(actual, expected, case, rng), "backward"


def _unchanged(now: Params, before: Params) -> tuple[bool, str]:
    """Whether arrays have their values from before, rounded to their type; the names of the others.

    >>> before = {"w": np.array([0.1]), "b": np.array([0.2])}
    >>> _unchanged({"w": np.array([0.1], np.float32), "b": np.array([0.3])}, before)
    (False, 'the array b was')
    >>> _unchanged({"w": np.zeros(1), "b": np.zeros(1)}, before)
    (False, 'the arrays w and b were')
    >>> _unchanged(before, before)[0]
    True
    """
    changed = [n for n in before if not np.array_equal(now[n], before[n].astype(now[n].dtype))]
    what = "the array {} was" if len(changed) == 1 else "the arrays {} were"
    return not changed, what.format(" and ".join(changed))


def _gradients(result: tuple[Array, Params], names: tuple[str, ...]) -> Params:
    """Copies of the gradients with these names.

    >>> _gradients((np.zeros(2), {"w": np.float32(1), "b": np.ones(2)}), ("input", "w"))
    {'input': array([0., 0.]), 'w': array(1., dtype=float32)}
    """
    dx, grads = result
    found = {**grads, "input": dx}
    return {name: np.array(found[name]) for name in names}


def _second_backward(
    layer: HasGradients, dy: Array, cache: Any, names: tuple[str, ...]
) -> Params | None:
    """Return the gradients of another call of backward, or None if it raises."""
    try:
        return _gradients(run_backward(layer, dy, cache), names)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _copy_of(cache: Any) -> Any:
    """A copy of the cache, or None if it holds an object that cannot be copied.

    >>> _copy_of({"x": [1.0]}), _copy_of(x for x in [1.0])
    ({'x': [1.0]}, None)
    """
    try:
        return deepcopy(cache)
    except Exception:  # whatever a class raises that refuses to be copied
        return None


def _first_not_finite(y: Array) -> str:
    """The first value that is NaN or infinite, with its index, or nothing.

    >>> _first_not_finite(np.array([[1.0, np.nan], [np.inf, 2.0]]))
    'nan at y[0, 1]'
    >>> _first_not_finite(np.float64(np.inf)), _first_not_finite(np.zeros(2))
    ('inf', '')
    """
    indices = np.argwhere(~np.isfinite(y)).tolist()
    if not indices:
        return ""
    first = indices[0]
    place = f" at y{first}" if first else ""
    return f"{np.asarray(y)[tuple(first)]}{place}"


def _agree(y: Any, first: Array) -> bool:
    """Whether an array is the first one again, except for its last digits.

    >>> first = np.array([2.0, 0.0])
    >>> [_agree(first + [0, change], first) for change in (0, -2e-12, 2e-12, -2.1e-12, 2.1e-12)]
    [True, True, True, False, False]
    >>> first = first.astype(np.float32)
    >>> [_agree(np.array([2, change], np.float32), first) for change in (1.9e-6, 2.1e-6)]
    [True, False]
    >>> _agree(np.array([np.nan]), np.array([np.nan])), _agree(np.nan, np.array(1e300))
    (True, False)
    >>> _agree(np.zeros(2), np.zeros(3)), _agree(np.zeros((0, 2)), np.zeros((0, 2)))
    (False, True)
    """
    y = np.asarray(y)
    if np.array_equal(y, first):
        return True
    if y.shape != first.shape or not np.array_equal(np.isfinite(y), np.isfinite(first)):
        return False
    both = np.nan_to_num(np.stack([y, first]))
    is_single = np.array_equal(both.astype(np.float32), both)
    same = SAME_IN_SINGLE if is_single else SAME
    y, first = both
    return bool(np.max(np.abs(y - first)) <= same * largest(first))


def _same(again: Params | None, first: Params, case: Case, rng: np.random.Generator) -> bool:
    """Whether gradients are the first ones again, except for their last digits.

    Each of two numbers near 1e8 is off by about 1e-8, and so is their difference.

    >>> class Square:
    ...     params = {}
    ...
    ...     def forward(self, x):
    ...         return (x - 1e8) ** 2 / 2, x
    ...
    ...     def backward(self, dy, x):
    ...         return dy * (x - 1e8), {}
    >>> rng = np.random.default_rng(0)
    >>> case = Case.of(Square(), np.array([1e8 + 1, 1e8 + 2]), rng)
    >>> first = case.gradients
    >>> [_same({"input": first["input"] + e}, first, case, rng) for e in (0, 1e-9, 1e-3)]
    [True, True, False]
    >>> _same(None, first, case, rng)
    False
    """
    return again is not None and all(
        _agree(again[name], array) or is_rounding(again[name], array, name, case, rng)
        for name, array in first.items()
    )


def is_rounding(
    again: Array, first: Array, name: str, case: Case, rng: np.random.Generator
) -> bool:
    """Whether two gradients are as close as rounding lets them be: sums that cancel.

    >>> from numpycnn import ReLU
    >>> rng = np.random.default_rng(0)
    >>> case = Case.of(ReLU(), np.array([-1.0, -2.0]), rng)
    >>> dx = case.gradients["input"]
    >>> [is_rounding(each, dx, "input", case, rng) for each in (dx, dx + 1e-9, dx[None])]
    [True, False, False]
    """
    if again.shape != first.shape:
        return False
    rounding = case.rounding(lambda near: near.gradients[name], rng)
    return bool(np.max(np.abs(again - first)) <= np.max(rounding))
