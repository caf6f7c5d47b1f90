"""Draw random cases, on which answers are run.

One correct result does not prove an answer correct. A puzzle therefore defines how a *case* is
drawn, with random sizes, strides, signs and ties:

    def case(draw):
        width = draw(1, 4)
        return layer("Scale", {"width": width}, draw.array(draw(1, 3), width))

A case is data: the name of the function or class in the reader's file, and its arguments. `observe`
runs it and returns an `Outcome`, which is data as well. An answer can therefore run in a process
that holds neither the solution nor the expected results.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from numpycnn._types import Array

Kind = Literal["value", "function", "layer", "optimizer", "network", "lines", "test"]


class Case(NamedTuple):
    """One experiment with an answer."""

    kind: Kind
    name: str  # of the object that the reader's file defines
    arguments: dict[str, Any]  # of a function, or of a constructor
    returns: tuple[str, ...]  # names of the results
    more: dict[str, Any]  # x, dy, parameters, gradients, by kind


class Failure(NamedTuple):
    """An exception in the reader's code."""

    kind: str
    message: str
    line: int | None = None  # in the reader's file
    source: str = ""


class Strange(NamedTuple):
    """A returned object that is not a number, an array or a collection of these."""

    kind: str
    text: str


class Outcome(NamedTuple):
    """The result of one case."""

    results: dict[str, Any]
    failure: Failure | None = None
    changed: tuple[str, ...] = ()  # arguments that the answer wrote to
    printed: str = ""


# Drawing
# -------


class Draw:
    """Random sizes and arrays for a case: the same for the same seed.

    The first `N_SMALL` seeds draw mostly the smallest size and small integers, so that a failing
    case can be followed by hand.

    >>> draw = Draw(0)
    >>> draw(1, 3) in (1, 2, 3), draw.array(2, 2).shape
    (True, (2, 2))
    >>> set(draw.ties(50).tolist()) <= {-1.0, 0.0, 1.0, 2.0}
    True
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.is_small = seed < N_SMALL
        self.dtype = np.float32 if seed % 7 == 6 else np.float64

    def __call__(self, at_least: int, at_most: int) -> int:
        """Draw an integer."""
        if self.is_small and self.rng.random() < 0.6:
            return at_least
        return int(self.rng.integers(at_least, at_most, endpoint=True))

    def array(self, *shape: int) -> Array:
        """Draw values around zero, no two of them equal and none of them zero."""
        size = int(np.prod(shape))
        if self.is_small and size <= 100:
            values = np.array([v for v in range(-size, size + 1) if v])
            return self.rng.permutation(values)[:size].reshape(shape).astype(self.dtype)
        return self.rng.standard_normal(shape).astype(self.dtype)

    def ties(self, *shape: int) -> Array:
        """Draw small integers, so that many are equal."""
        return self.rng.integers(-1, 2, shape, endpoint=True).astype(self.dtype)


N_SMALL = 24


def value(name: str) -> Case:
    """Make a case that reads a variable of the reader's file.

    Parameters
    ----------
    name : str
        The variable.

    Returns
    -------
    Case
        The case.
    """
    return Case("value", name, {}, (name,), {})


def function(name: str, arguments: dict[str, Any], *returns: str) -> Case:
    """Make a case that calls a function.

    Parameters
    ----------
    name : str
        The function.
    arguments : dict
        Its arguments by name, in order.
    *returns : str
        Names of the results, if there are several.

    Returns
    -------
    Case
        The case.
    """
    return Case("function", name, arguments, returns or ("the result",), {})


def layer(name: str, options: dict[str, Any], x: Array, between: Array | None = None) -> Case:
    """Make a case that runs a layer forward and backward.

    The grader adds parameters and an upstream gradient.

    Parameters
    ----------
    name : str
        The class.
    options : dict
        Arguments of the constructor by name, in order.
    x : ndarray
        The input.
    between : ndarray, optional
        Another input, on which forward is run before and after that on x.

    Returns
    -------
    Case
        The case.
    """
    return Case("layer", name, options, ("y", "dx"), {"x": x, "between": between})


def loop_test(
    name: str, small: tuple[Any, ...], large: tuple[Any, ...], over: str
) -> tuple[Case, str]:
    """Make a case that counts the lines run for small and for large arguments.

    Parameters
    ----------
    name : str
        The function.
    small, large : tuple
        Arguments; `large` is longer along each axis over which no loop is allowed.
    over : str
        The name of these axes, for the message.

    Returns
    -------
    tuple of Case and str
        The case and `over`.
    """
    return Case("lines", name, {}, ("lines",), {"small": small, "large": large}), over


# As data
# -------


def plain(result: Any, depth: int = 0) -> Any:
    """Convert a result to data: numbers, text, arrays of numbers, and lists and dicts of these.

    >>> plain((np.float32(2), [None, {1}]))
    (2.0, [None, Strange(kind='set', text='{1}')])
    """
    if result is None or isinstance(result, bool | int | float | str | complex):
        return result[:200] if isinstance(result, str) else result
    if isinstance(result, np.generic):
        return plain(result.item())
    if isinstance(result, np.ndarray) and result.dtype.kind in "biufc":
        if result.size > 10**6:
            return Strange("ndarray", f"an array of shape {result.shape}")
        return np.array(result, subok=False)
    if isinstance(result, Failure):
        return list(result)
    if depth < 4 and isinstance(result, list | tuple) and len(result) <= 10**4:
        kept = [plain(one, depth + 1) for one in result]
        return tuple(kept) if isinstance(result, tuple) else kept
    if depth < 4 and isinstance(result, dict) and len(result) <= 100:
        return {str(name): plain(one, depth + 1) for name, one in result.items()}
    try:
        text = repr(result)[:80]
    except Exception:
        text = "an object whose repr fails"
    return Strange(type(result).__name__, text)


def encoded(result: Any) -> Any:
    """Encode a plain result for JSON: `decoded(encoded(r))` is `r`."""
    if isinstance(result, np.ndarray):
        if result.dtype.kind == "c":
            parts = [result.real.tolist(), result.imag.tolist()]
        else:
            parts = [result.tolist()]
        return {"array": parts, "dtype": result.dtype.str, "shape": result.shape}
    if isinstance(result, Strange):
        return {"strange": list(result)}
    if isinstance(result, tuple):
        return {"tuple": [encoded(one) for one in result]}
    if isinstance(result, list):
        return [encoded(one) for one in result]
    if isinstance(result, dict):
        return {"dict": {name: encoded(one) for name, one in result.items()}}
    return {"strange": ["complex", str(result)]} if isinstance(result, complex) else result


def decoded(data: Any) -> Any:
    """Decode a plain result from JSON."""
    if isinstance(data, list):
        return [decoded(one) for one in data]
    if not isinstance(data, dict):
        return data
    if "array" in data:
        dtype, shape = np.dtype(data["dtype"]), tuple(data["shape"])
        parts = [np.array(part) for part in data["array"]]
        whole = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
        return whole.astype(dtype).reshape(shape)
    if "strange" in data:
        return Strange(*data["strange"])
    if "tuple" in data:
        return tuple(decoded(one) for one in data["tuple"])
    return {name: decoded(one) for name, one in data["dict"].items()}
