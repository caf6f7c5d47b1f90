"""Format values in a sentence and the failing case as a table.

    AveragePool(pool_size=2, stride=1)

    x            (1, 3, 1)   -1   2   1
    dy           (1, 2, 1)    2  -2
    your dx      (1, 3, 1)    1  -1* -1
    expected dx  (1, 3, 1)    1   0  -1

A star marks an incorrect entry. Axes of size 1 are omitted; each trace has its own row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn.puzzles.cases import Case, Strange
from numpycnn.puzzles.compare import Difference, numbers

MANY = 60
"""Largest number of entries of an array that is printed."""

WIDTH = 100
"""Characters in a line of the table."""


def show(value: Any) -> str:
    """Return a value as text for a sentence.

    >>> show((40, 1500)), show(np.float32(0.5)), show((3,)), show(np.zeros((2, 9)))
    ('(40, 1500)', '0.5', '(3,)', 'an array of shape (2, 9)')
    """
    if isinstance(value, Strange):
        return value.text
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.ndarray):
        if value.size > 9:
            return f"an array of shape {value.shape}"
        return str(value.tolist()) if value.dtype.kind in "biu" else _nested(value.tolist())
    if isinstance(value, tuple | list):
        inside = ", ".join(map(show, value))
        left, right = "()" if isinstance(value, tuple) else "[]"
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        text = f"{left}{inside}{comma}{right}"
        return text if len(text) <= 80 else f"a {type(value).__name__} of {len(value)} values"
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    return " ".join(repr(value).split())[:80]


def _nested(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_nested, values))}]"
    return f"{values:.4g}"


def kind_of(value: Any) -> str:
    """Describe a result that is not the expected number or array."""
    if isinstance(value, Strange):
        return f"{article(value.kind)} ({value.text})"
    if isinstance(value, str):
        return f"the text {value!r}"
    return f"{article(type(value).__name__)}, {show(value)}"


def article(noun: str) -> str:
    """Return the noun with `a` or `an`."""
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


# The failing case
# ----------------


def table(case: Case, found: Sequence[Difference]) -> str:
    """Return the case and the results that differ, as text."""
    rows: list[tuple[str, Any, Array | None]] = []
    head = _head(case)
    if case.kind == "function":
        rows += [(name, value, None) for name, value in case.arguments.items()]
    for name, value in _given(case):
        rows.append((name, value, None))
    for difference in found:
        if difference.what in ("value", "nan", "shape"):
            label = "your" if difference.name != case.returns[0] or len(case.returns) > 1 else ""
            name = difference.name if label else "result"
            rows.append((f"your {name}", difference.actual, difference.off))
            rows.append((f"expected {name}", difference.expected, None))
    lines = [head, ""] if head else []
    return "\n".join([*lines, *_lines(rows)]).rstrip()


def _head(case: Case) -> str:
    """Return the call, in one line."""
    if case.kind == "layer":
        options = ", ".join(
            f"{name}={value!r}" if isinstance(value, int | float) else " ".join(repr(value).split())
            for name, value in case.arguments.items()
        )
        return f"{case.name}({options})"
    if case.kind == "optimizer":
        options = ", ".join(f"{name}={value}" for name, value in case.more["options"].items())
        return f"{case.name}(params, {options})"
    return ""


def _given(case: Case) -> Iterator[tuple[str, Any]]:
    more = case.more
    if case.kind == "layer":
        yield "x", more["x"]
        yield from (more.get("params") or {}).items()
        if more.get("between") is not None:
            yield "another x", more["between"]
        if more.get("dy") is not None:
            yield "dy", more["dy"]
    elif case.kind == "optimizer":
        yield from ((f"{name} before", array) for name, array in more["params"].items())
        for step, grads in enumerate(more["gradients"], 1):
            yield from ((f"gradient {name}, step {step}", array) for name, array in grads.items())


def _lines(rows: list[tuple[str, Any, Array | None]]) -> Iterator[str]:
    width = max((len(label) for label, _, _ in rows), default=0)
    arrays = [(label, value, numbers(value), off) for label, value, off in rows]
    drawn = [array for _, _, array, _ in arrays if array is not None and 0 < array.size <= MANY]
    digits = _digits(rows)
    cells = [f"{v:.{digits}g}" for array in drawn for v in array.ravel()]
    cell = max(map(len, cells), default=1)
    shape_width = max((len(str(a.shape)) for a in drawn if a.ndim), default=0)
    for label, value, array, off in arrays:
        start = f"{label:<{width}}  "
        if array is None:
            yield start + show(value)
        elif array.size == 0:
            yield f"{start}{array.shape}  (empty)"
        elif array.size > MANY:
            yield f"{start}{array.shape!s:<{shape_width}}"
            if off is not None:
                yield from _worst(array, off)
        elif array.ndim == 0:
            star = "*" if off is not None and off.any() else ""
            yield f"{start}{float(array):.{digits}g}{star}"
        else:
            shape = f"{array.shape!s:<{shape_width}}  "
            room = WIDTH - len(start + shape)
            for i, line in enumerate(_drawn(array, off, cell, digits, room)):
                yield ((start + shape) if i == 0 else " " * len(start + shape)) + line


def _digits(rows: list[tuple[str, Any, Array | None]]) -> int:
    """Return the number of digits that shows the difference of entries that differ."""
    for digits in (4, 7):
        pairs = pairwise(rows)
        seen = [
            f"{a:.{digits}g}" != f"{b:.{digits}g}"
            for (_, actual, off), (_, right, _) in pairs
            if off is not None and np.shape(actual) == np.shape(right)
            for a, b in zip(actual[off], right[off], strict=True)
        ]
        if all(seen):
            return digits
    return 10


def _worst(array: Array, off: Array) -> Iterator[str]:
    """Yield the first entries that differ."""
    for place in np.argwhere(off)[:5]:
        yield f"    at {place.tolist()}: {array[tuple(place)]:.6g}"


def _drawn(array: Array, off: Array | None, cell: int, digits: int, room: int) -> Iterator[str]:
    """Yield the entries row by row, without axes of size 1; a long row takes several lines."""
    marks = np.zeros(array.shape, bool) if off is None else off
    shape = [size for size in array.shape if size != 1] or [1]
    columns = shape[-1]
    block = shape[-2] if len(shape) > 2 else 0
    values, stars = array.reshape(-1, columns), marks.reshape(-1, columns)
    for number, (row, star) in enumerate(zip(values, stars, strict=True)):
        if block and number and number % block == 0:
            yield ""
        parts = [
            f"{v + 0.0:>{cell}.{digits}g}{'*' if s else ' '}"
            for v, s in zip(row, star, strict=True)
        ]
        fit = max(1, (room - 1) // (cell + 2))
        for first in range(0, columns, fit):
            indent = " " if first else ""
            yield indent + " ".join(parts[first : first + fit]).rstrip()
