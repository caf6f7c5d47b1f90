"""Compare the results of an answer with the expected ones.

Any kind of number is accepted: a list in place of an array, float32 in place of float64, a NumPy
integer or a boolean. A result is correct if its error is at most `TOLERANCE` times the largest
expected value. float32 achieves this with a margin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.puzzles.cases import Case, Outcome, Strange

TOLERANCE = 5e-5

What = Literal["failure", "missing", "none", "type", "count", "changed", "shape", "nan", "value"]


class Difference(NamedTuple):
    """One result that differs from the expected one."""

    what: What
    name: str
    actual: Any = None
    expected: Any = None
    off: Array | None = None  # which entries differ


def differences(case: Case, actual: Outcome, expected: Outcome) -> list[Difference]:
    """Compare the outcome of an answer with that of the solution.

    Parameters
    ----------
    case : Case
        The case.
    actual, expected : Outcome
        The outcomes of the answer and of the solution.

    Returns
    -------
    list of Difference
        The differences; empty if the answer is correct.
    """
    if actual.failure:
        return [Difference("failure", actual.failure.kind, actual.failure)]
    return list(_differences(case, actual, expected))


def _differences(case: Case, actual: Outcome, expected: Outcome) -> Iterator[Difference]:
    for whole in ("forward", "backward", "the results"):
        if whole in actual.results:
            found = actual.results[whole]
            yield Difference("none" if found is None else "count", whole, found)
            return
    if actual.results.get("replaced"):
        yield Difference("changed", "replaced", actual.results["replaced"])
    for name, right in expected.results.items():
        if name in ("m", "v", "replaced"):
            continue
        if name not in actual.results:
            yield Difference("missing", name, None, right)
        elif (found := difference(name, actual.results[name], right)) is not None:
            yield found
    for name in actual.changed:
        yield Difference("changed", name)


def difference(name: str, actual: Any, expected: Any) -> Difference | None:
    """Compare one result; return how it differs, if it does."""
    if actual is None:
        return Difference("none", name, actual, expected)
    values, right = numbers(actual), numbers(expected)
    if right is None or values is None:
        is_same = right is None and type(actual) is type(expected) and actual == expected
        return None if is_same else Difference("type", name, actual, expected)
    if right.ndim == 0 and values.size == 1:
        values = values.reshape(())
    if values.shape != right.shape:
        return Difference("shape", name, values, right)
    if np.isfinite(right).all() and not np.isfinite(values).all():
        return Difference("nan", name, values, right, ~np.isfinite(values))
    off = ~close(values, right)
    return Difference("value", name, values, right, off) if off.any() else None


def numbers(value: Any) -> Array | None:
    """Return the value as an array of float64, or None if it does not consist of numbers.

    >>> numbers([1, True]), numbers("2944") is None
    (array([1., 1.]), True)
    """
    if isinstance(value, str | dict | Strange) or value is None:
        return None
    if isinstance(value, list | tuple) and _holds_text(value):
        return None
    try:
        array = np.asarray(value)
        return None if array.dtype.kind not in "biuf" else array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _holds_text(values: Any) -> bool:
    return any(isinstance(one, str | Strange) for one in values)


def close(a: Array, b: Array, tolerance: float = TOLERANCE) -> Array:
    """Return a mask of the entries that agree, relative to the largest entry of `b`."""
    finite = b[np.isfinite(b)]
    size = float(np.abs(finite).max()) if finite.size else 0.0
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= tolerance * size + 1e-7
    agrees: Array = near | (a == b) | (np.isnan(a) & np.isnan(b))
    return agrees


def same(a: Any, b: Any) -> bool:
    """Return True if two plain results are the same up to rounding."""
    x, y = numbers(a), numbers(b)
    if x is None or y is None:
        return type(a) is type(b) and a == b
    return x.shape == y.shape and bool(close(x, y).all())
