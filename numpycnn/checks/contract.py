"""The contract: are forward and backward functions?

A gradient can only be compared with anything if there is something that it is the
gradient of. Forward and backward have to be functions: what they return depends on
what they are given and on nothing else, and it belongs to the caller. A mask that is
drawn anew at each call, a buffer that is used again, a cache kept on the layer: each
breaks that, and each makes gradients that are right once and wrong the next time.

So before anything is compared, both are called a few times, with the same numbers and
with others in between, and every earlier result is looked at again.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from numpycnn.checks.case import (
    Case,
    HasGradients,
    largest,
    run_backward,
    run_forward,
    with_params,
)
from numpycnn.checks.mistakes import Mistake
from numpycnn.types import Array, Params

BREACHES = {
    "not finite": "forward gives NaN or infinity for finite numbers",
    "argument changed": "{} changed in place; work on a copy",
    "random": "two forwards of the same input differ: something is drawn, or counted, anew at each "
    "call; draw from a generator of a fixed seed that is made within forward",
    "wrong key": "backward returned grads for {}",
    "wrong shape": "the gradient for {}",
    "wrong type": "the gradient for {}",
    "cache changed": "a second backward from the same cache gives another result: backward writes "
    "to its cache; work on a copy",
    "accumulated": "a second backward gives another result: gradients are kept between calls and "
    "added to; return new ones every time",
    "output overwritten": "another {} changes what an earlier one returned: it is kept on the "
    "layer and used again; return a new array every time",
    "cache overwritten": "after another forward, backward gives another result: what it needs is "
    "kept on the layer and has been overwritten; return it as the cache",
    "state": "what {} returns depends on the calls before: something is counted or kept on the "
    "layer; it has to depend on what it is given and the parameters alone",
}


def breach(case: Case) -> Mistake | None:
    """How the layer breaks the contract, or None if it keeps it."""
    for name, is_kept, detail in _promises(case):
        if not is_kept:
            return Mistake(name, BREACHES[name].format(detail))
    return None


def _promises(case: Case) -> Iterator[tuple[str, bool, str]]:
    """One promise after the other, whether it is kept, and what to say of it if not."""
    arrays = {**case.arrays, "dy": case.dy}
    given = {name: array.copy() for name, array in arrays.items()}
    layer, x, dy = with_params(case.layer, given), given["input"], given["dy"]

    y, cache = run_forward(layer, x)
    yield "not finite", bool(np.isfinite(y).all()), ""
    yield "argument changed", *_unchanged(given, arrays)
    first_y = np.array(y)
    yield "random", _agree(run_forward(layer, x)[0], first_y), ""

    saved = _copy_of(cache)
    result = run_backward(layer, dy, cache)
    params = [name for name in case.arrays if name != "input"]
    is_kept = {*case.names} - {"input"} <= result[1].keys() <= {*params}
    yield "wrong key", is_kept, f"{[*result[1]]}, and the parameters are {params}"
    first = _gradients(result, case.names)
    for name in case.names:
        came, array = first[name], case.arrays[name]
        shapes = f"{name} has the shape {came.shape}, its array {array.shape}"
        yield "wrong shape", came.shape == array.shape, shapes
        yield "wrong type", came.dtype.kind in "biuf", f"{name} is of type {came.dtype}"
    yield "argument changed", *_unchanged(given, arrays)

    again = _second_backward(layer, dy, cache, case.names)
    if not _same(again, first):
        is_mended = saved is not None and _same(
            _second_backward(layer, dy, saved, case.names), first
        )
        yield "cache changed", again is not None and not is_mended, ""
        yield "accumulated", False, ""

    other = np.roll(x, 1)  # the same numbers elsewhere, so any input is a fair one
    other_y, other_cache = run_forward(layer, other)
    other_y = np.array(other_y)
    yield "output overwritten", _agree(y, first_y), "forward"
    yield "cache overwritten", _same(_second_backward(layer, dy, cache, case.names), first), ""
    run_backward(layer, 2 * dy, cache)
    yield "output overwritten", _same(_gradients(result, case.names), first), "backward"
    fresh = with_params(case.layer, case.arrays)  # one that has never seen x
    fresh_y, fresh_cache = run_forward(fresh, other)
    yield "state", _agree(fresh_y, other_y), "forward"
    expected = _gradients(run_backward(fresh, dy, fresh_cache), case.names)
    for name, came in _gradients(run_backward(layer, dy, other_cache), case.names).items():
        yield "state", _agree(np.nan_to_num(came), np.nan_to_num(expected[name])), "backward"
    yield "state", _agree(run_forward(layer, x)[0], first_y), "forward"


def _unchanged(given: Params, arrays: Params) -> tuple[bool, str]:
    """Whether the layer left alone what it was given, and what it did not."""
    changed = [name for name in arrays if not np.array_equal(given[name], arrays[name])]
    what = "the array {} was" if len(changed) == 1 else "the arrays {} were"
    return not changed, what.format(" and ".join(changed))


def _gradients(result: tuple[Array, Params], names: tuple[str, ...]) -> Params:
    """Copies of the gradients with these names."""
    dx, grads = result
    found = {**grads, "input": dx}
    return {name: np.array(found[name]) for name in names}


def _second_backward(
    layer: HasGradients, dy: Array, cache: Any, names: tuple[str, ...]
) -> Params | None:
    """What backward returns when it is called again, or None if it cannot be."""
    try:
        return _gradients(run_backward(layer, dy, cache), names)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _copy_of(cache: Any) -> Any:
    """A copy of the cache, or None if it holds what cannot be copied."""
    try:
        return deepcopy(cache)
    except TypeError:
        return None


def _agree(y: object, first: Array) -> bool:
    """Whether an output is the first one again, but for its last digits."""
    y = np.asarray(y)
    return y.shape == first.shape and bool(np.max(np.abs(y - first)) <= 1e-12 * largest(first))


def _same(again: Params | None, first: Params) -> bool:
    """Whether gradients are the first ones again, to the bit."""
    return (
        again is not None
        and again.keys() == first.keys()
        and all(np.array_equal(again[name], first[name], equal_nan=True) for name in first)
    )
