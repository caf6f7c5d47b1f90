"""Argument checks: report the expected value, the actual value, and a fix.

Most mistakes with networks are mistakes with shapes, and most of those are the
same few: a missing channel axis, channels first instead of last, integers
in place of floats. Every layer and every function checks its arguments with the functions
below, so the same mistake raises the same message everywhere:

    <function or class>: <argument> must be <expected>, got <actual>. <Fix>.

NaN and infinity are refused where a user passes data (`require_finite`: training, evaluation,
prediction), and not in `forward`: a record may have a gap, and a network passes it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf, prod
from numbers import Real
from typing import Any, TypeGuard

import numpy as np

from numpycnn._types import Array, Optimizer, Params, Rng

# Shapes are given in letters, as in the docstrings: `"N L C=3"` for three axes of which the last
# has 3 entries, `"... D"` for one or more axes.


def require_array(
    caller: object, name: str, array: Any, axes: str, shape: tuple[int, ...] | None = None
) -> None:
    """Raise unless `array` is a non-empty NumPy array of floats with these `axes`.

    If every size is known, as for the gradient of an output, `shape` has all of them and `axes`
    only their letters.

    >>> require_array("Pool", "x", np.zeros((9, 64)), "N L C=1")
    Traceback (most recent call last):
        ...
    ValueError: Pool: x must have shape (N, L, C=1), got (9, 64). Add a channel axis: x[..., None].
    >>> require_array("Dense", "dy", np.zeros((9, 64)), "... D_out", shape=(9, 3))
    Traceback (most recent call last):
        ...
    ValueError: Dense: dy must have shape (9, D_out=3), got (9, 64).

    Raises `TypeError` unless it is an array of floats, `ValueError` for an incorrect shape.
    """
    if type(array) is not np.ndarray:
        _require_plain(caller, name, array)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{name_of(caller)}: {name} must hold floats, got {array.dtype}. "
            f"Convert it: {name}.astype(np.float32)."
        )
    actual = array.shape
    if actual != shape and not (shape is None and _has_axes(axes, actual)):
        raise ValueError(
            f"{name_of(caller)}: {name} must have shape {_in_letters(axes, shape)}, got {actual}."
            + _fix(name, actual, axes, shape)
        )
    if 0 in actual:
        raise ValueError(f"{name_of(caller)}: {name} must not be empty, got shape {actual}.")


@lru_cache(maxsize=1024)
def _has_axes(axes: str, actual: tuple[int, ...]) -> bool:
    """Return True if a shape has these axes. Cached, because each step repeats the same checks."""
    letters, n_axes, sizes = _parsed(axes)
    enough = len(actual) >= n_axes if "..." in letters else len(actual) == n_axes
    return enough and all(actual[axis] == size for axis, size in sizes)


def _parsed(axes: str) -> tuple[list[str], int, list[tuple[int, int]]]:
    """Split "... L C=3" into its words, the number of axes it names, and the sizes it fixes.

    Each size comes with its axis, counted from the last.
    """
    words = axes.split()
    named = [word for word in words if word != "..."]
    sizes = [
        (place - len(named), int(word.partition("=")[2]))
        for place, word in enumerate(named)
        if "=" in word
    ]
    return words, len(named), sizes


def _require_plain(caller: object, name: str, array: object) -> None:
    """Raise unless this is an array that follows the usual rules: not masked, not a matrix."""
    _refuse_mask(caller, name, array)
    if not isinstance(array, np.ndarray) or isinstance(array, np.matrix):
        fix = f"np.asarray({name}, dtype=np.float32)"
        if hasattr(array, "to_numpy"):  # a table of pandas or xarray
            fix = f"{name}.to_numpy()"
        raise TypeError(
            f"{name_of(caller)}: {name} must be a NumPy array of floats, "
            f"got {type(array).__name__}. Convert it: {fix}."
        )


def _refuse_mask(caller: object, name: str, array: object) -> None:
    """Raise for a masked array, whose mask NumPy would drop silently."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name_of(caller)}: {name} must be an array without a mask, got a masked array. Fill "
            f"the masked entries, {name}.filled(0), or leave those examples out."
        )


def as_array(caller: object, name: str, values: object) -> np.ndarray[Any, Any]:
    """Return `values`, such as a list or a column of a table, as an array of any type.

    Raises `TypeError` for a masked array, `ValueError` for rows that differ in length.
    """
    _refuse_mask(caller, name, values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name_of(caller)}: {name} must have rows of equal length, got "
            f"{type(values).__name__} that NumPy refuses: {error}."
        ) from None


def generator(caller: object, rng: Rng) -> np.random.Generator:
    """Return the generator that `rng` is, or seeds, or a fresh one for `None`; or raise.

    >>> generator("fit", -1)
    Traceback (most recent call last):
        ...
    ValueError: fit: rng must be a seed of 0 or more, got -1.
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return np.random.default_rng(rng)
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise TypeError(
            f"{name_of(caller)}: rng must be an integer seed, a generator such as "
            f"np.random.default_rng(0), or None, got {rng!r}."
        )
    if rng < 0:
        raise ValueError(f"{name_of(caller)}: rng must be a seed of 0 or more, got {rng}.")
    return np.random.default_rng(rng)


def check_int(caller: object, name: str, value: object, at_least: int = 1) -> int:
    """Return `value` as an `int`, or raise unless it is an integer and at least `at_least`.

    >>> check_int("Conv1D", "stride", 0)
    Traceback (most recent call last):
        ...
    ValueError: Conv1D: stride must be 1 or more, got 0.
    """
    who = name_of(caller)
    if not is_whole(value):
        raise TypeError(f"{who}: {name} must be an integer, got {value!r}.")
    if value < at_least:
        raise ValueError(f"{who}: {name} must be {at_least} or more, got {value}.")
    return int(value)


def boolean(caller: object, name: str, value: object) -> bool:
    """Return `value` as a `bool`, or raise `TypeError` if it is anything else.

    >>> boolean("Dense", "bias", "no")
    Traceback (most recent call last):
        ...
    TypeError: Dense: bias must be True or False, got 'no'.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name_of(caller)}: {name} must be True or False, got {value!r}.")
    return bool(value)


def number(
    caller: object, name: str, value: object, kind: str, is_fit: Callable[[float], bool]
) -> float:
    """Return `value` as a `float`, or raise unless it is a real number that `is_fit`.

    >>> number("make_traces", "noise", -1, "a finite number of 0 or more", zero_or_more)
    Traceback (most recent call last):
        ...
    ValueError: make_traces: noise must be a finite number of 0 or more, got -1.

    Raises `TypeError` for another type, `ValueError` for another range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name_of(caller)}: {name} must be {kind}, got {value!r}.")
    if not is_fit(float(value)):
        raise ValueError(f"{name_of(caller)}: {name} must be {kind}, got {value!r}.")
    return float(value)


def positive(caller: object, name: str, value: object) -> float:
    """Return `value` as a `float`, or raise unless it is a finite number above 0."""
    return number(caller, name, value, "a finite number above 0", above_zero)


def fraction(caller: object, name: str, value: object) -> float:
    """Return `value` as a `float`, or raise unless it is a number from 0 to below 1."""
    return number(caller, name, value, "a number from 0 to below 1", lambda n: 0 <= n < 1)


def require_pair(caller: object, name: str, value: object, kind: str) -> tuple[Any, Any]:
    """Return `value` if it is a tuple or list of two, described by `kind`; else raise."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name_of(caller)}: {name} must be {kind}, got {value!r:.80}.")
    return value[0], value[1]


def require_range(
    caller: object, name: str, limits: object, kind: str, is_fit: Callable[[Any], bool]
) -> tuple[Any, Any]:
    """Return `limits`, a pair (low, high) in this order, as two numbers of Python.

    Parameters
    ----------
    caller, name : object, str
        The function and its argument, for the message.
    limits : tuple or list
        Two real numbers.
    kind : str
        The numbers that fit, in words: "finite numbers above 0".
    is_fit : callable
        Return True if a number is of this kind.

    Returns
    -------
    low, high : int or float

    Raises
    ------
    TypeError
        If `limits` is not a pair of numbers.
    ValueError
        If one of them does not fit, or the first is the larger one.

    Examples
    --------
    >>> require_range("make_traces", "width", (3, 2), "finite numbers above 0", above_zero)
    Traceback (most recent call last):
        ...
    ValueError: make_traces: width must be a pair (low, high) of finite numbers above 0 in \
this order, got (3, 2).
    """
    kind = f"a pair (low, high) of {kind} in this order"
    message = f"{name_of(caller)}: {name} must be {kind}, got {limits!r}."
    pair = require_pair(caller, name, limits, kind)
    if not all(isinstance(limit, Real) for limit in pair):
        raise TypeError(message)
    low, high = (limit.item() if isinstance(limit, np.generic) else limit for limit in pair)
    if not (is_fit(low) and is_fit(high) and low <= high):
        raise ValueError(message)
    return low, high


def above_zero(number: float) -> bool:
    """Return True if a number is positive and finite."""
    return 0 < number < inf


def is_finite(number: float) -> bool:
    """Return True if a number is neither NaN nor infinite."""
    return -inf < number < inf


def zero_or_more(number: float) -> bool:
    """Return True if a number is finite and not negative."""
    return 0 <= number < inf


def is_whole(number: object) -> TypeGuard[int]:
    """Return True if this is an integer."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def require_finite(
    caller: object,
    name: str,
    x: Any,
    axes: str = "...",
    shape: tuple[int, ...] | None = None,
    fix: str = "Fill the gap, or leave out {example}.",
) -> None:
    """Raise what `require_array` raises, and `ValueError` with the position of NaN or infinity.

    >>> require_finite("fit", "x", np.array([[1.0, np.nan]]))
    Traceback (most recent call last):
        ...
    ValueError: fit: x must be finite, got nan at x[0, 1]. Fill the gap, or leave out x[0].
    """
    require_array(caller, name, x, axes, shape)
    finite = np.isfinite(x)
    if not finite.all():
        where = first_true(~finite)
        raise ValueError(
            f"{name_of(caller)}: {name} must be finite, got {x[where]} at {entry(name, where)}. "
            + fix.format(example=entry(name, where[:1]))
        )


def require_real(caller: object, name: str, x: Any, axes: str) -> None:
    """Raise unless `x` is an array of finite real numbers, floats or integers, with these `axes`.

    Statistics of data take the counts of an instrument as they are; layers require floats.

    Parameters
    ----------
    caller, name : object, str
        The function and its argument, for the message.
    x : ndarray
        The data.
    axes : str
        The axes in letters, as for `require_array`.

    Raises
    ------
    TypeError
        If `x` is not an array, is masked, or does not hold real numbers.
    ValueError
        If it has another shape, holds no number, or holds NaN or infinity.

    Examples
    --------
    >>> require_real("standardize", "x", np.zeros((2, 9, 1), np.uint8), "N L C")
    >>> require_real("standardize", "x", np.zeros((2, 9, 1), complex), "N L C")
    Traceback (most recent call last):
        ...
    TypeError: standardize: x must hold real numbers, got complex128. Pass x.real or abs(x).
    """
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu":
        _require_plain(caller, name, x)
        require_array(caller, name, np.broadcast_to(np.float32(0), x.shape), axes)  # its shape
        return
    require_finite(caller, name, x, axes)
    if x.dtype.kind == "c":
        raise TypeError(
            f"{name_of(caller)}: {name} must hold real numbers, got {x.dtype}. "
            f"Pass {name}.real or abs({name})."
        )


def as_type(caller: object, name: str, x: Any, dtype: np.dtype[Any]) -> Any:
    """Return the finite array `x` in another type of floats, or raise if a value is too large."""
    converted = x.astype(dtype, copy=False)
    finite = np.isfinite(converted)
    if converted is not x and not finite.all():
        where = first_true(~finite)
        raise ValueError(
            f"{name_of(caller)}: {name} must fit into {dtype}, the type of the parameters, got "
            f"{x[where]} at {entry(name, where)}. Scale {name} to a standard deviation near 1."
        )
    return converted


def require_parameters(caller: object, params: Mapping[str, Any]) -> None:
    """Raise `TypeError` unless every parameter is an array of floats: integers cannot be trained.

    >>> require_parameters("Dense", {"w": np.ones((2, 3), int)})
    Traceback (most recent call last):
        ...
    TypeError: Dense: params['w'] must be an array of floats, got int64. \
Convert it: np.asarray(params['w'], dtype=np.float32).
    """
    for name, array in params.items():  # at every forward pass, so the usual case is quick
        if type(array) is np.ndarray and array.dtype.kind in "fc":
            continue
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fc":
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(
                f"{name_of(caller)}: params[{name!r}] must be an array of floats, got {kind}. "
                f"Convert it: np.asarray(params[{name!r}], dtype=np.float32)."
            )


# Optimizers and losses
# ---------------------


def require_arrays(caller: object, params: object) -> None:
    """Raise `TypeError` unless `params` is a mapping of names to arrays of floats, not empty."""
    if hasattr(params, "params"):
        raise TypeError(
            f"{name_of(caller)}: params must be a dict of arrays, got {type(params).__name__}. "
            "Pass its parameters: model.params."
        )
    if not isinstance(params, Mapping) or not params:
        raise TypeError(
            f"{name_of(caller)}: params must be a dict with at least one array, got "
            f"{params!r:.80}. Pass model.params."
        )
    require_parameters(caller, params)


def require_gradients(caller: object, params: Params, grads: Params) -> Array:
    """Return all gradients as one vector, in the order of the parameters, or raise.

    Every parameter must have a gradient of its shape, without NaN and infinity, and no other name
    may have one.
    """
    who = name_of(caller)
    if not isinstance(grads, Mapping):
        raise TypeError(f"{who}: grads must be a dict of arrays, got {type(grads).__name__}.")
    if grads.keys() != params.keys():
        missing = [name for name in params if name not in grads]
        unknown = [name for name in grads if name not in params]
        raise ValueError(
            f"{who}: grads must have the names of params, got {unknown} more and {missing} less. "
            "For a part of the parameters pass {name: grads[name] for name in optimizer.params}."
        )
    for name, array in params.items():
        grad = grads[name]
        grad = np.asarray(grad) if isinstance(grad, np.generic) else grad  # the sum of an array
        require_array(caller, f"grads[{name!r}]", grad, "...", shape=array.shape)
    vector: Array = np.concatenate([grads[name].ravel() for name in params])
    if not np.isfinite(vector).all():
        fix = "Reduce lr, or scale x to a standard deviation near 1."
        for name, grad in grads.items():
            require_finite(caller, f"grads[{name!r}]", np.asarray(grad), fix=fix)
    return vector


def require_optimizer(caller: object, optimizer: object, params: Params) -> None:
    """Raise unless `optimizer` was created for some of these arrays, under their names."""
    if isinstance(optimizer, type) or not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{name_of(caller)}: optimizer must have params and step(grads), got {optimizer!r}. "
            "Create one: Adam(model.params)."
        )
    if any(params.get(name) is not array for name, array in optimizer.params.items()):
        raise ValueError(
            f"{name_of(caller)}: optimizer must be created for arrays of this model under their "
            f"names, got one for {', '.join(optimizer.params)}. Create a new one: "
            "Adam(model.params), or for some of them, "
            "Adam({name: model.params[name] for name in ...})."
        )


def require_loss_result(caller: object, result: Any, shape: tuple[int, ...]) -> tuple[float, Array]:
    """Return the value and the gradient that a custom loss returns for scores of this shape."""
    value, dscores = require_pair(caller, "the result of loss", result, "its value and gradient")
    if np.ndim(value) != 0:
        raise ValueError(
            f"{name_of(caller)}: the value of loss must be a single number, got shape "
            f"{np.shape(value)}. Return the mean over the examples first, then the gradient."
        )
    require_array(caller, "the gradient that loss returns", dscores, "...", shape=shape)
    return float(value), dscores


# The words of a message
# ----------------------


def first_true(mask: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Return the index of the first true entry."""
    return tuple(int(i) for i in np.argwhere(mask)[0])


def entry(name: str, where: tuple[int, ...]) -> str:
    """Return the name of the entry at this index: x[3, 10, 0]."""
    return f"{name}{list(where)}" if where else name


def name_of(caller: object) -> str:
    """Return the name of a layer or function in a message."""
    # The copy of BatchNorm for training is a BatchNorm to its user.
    return caller if isinstance(caller, str) else type(caller).__name__.removesuffix("InTraining")


def _in_letters(axes: str, shape: tuple[int, ...] | None) -> str:
    """Spell `axes` as a shape, "N L C=1" as "(N, L, C=1)", with the sizes of `shape` if given."""
    words = axes.split()
    if shape is not None:
        named = [word for word in words if word != "..."]
        letters = [""] * (len(shape) - len(named)) + named
        words = [
            f"{letter}={size}".lstrip("=") for letter, size in zip(letters, shape, strict=True)
        ]
    return f"({', '.join(words)})"


def _fix(name: str, actual: tuple[int, ...], axes: str, shape: tuple[int, ...] | None) -> str:
    """Return the likely fix of a wrong shape as a sentence, or nothing if none is likely."""
    letters, n_axes, sizes = _parsed(axes)
    last = shape[-1] if shape else dict(sizes).get(-1)
    if shape is None and "..." in letters and len(actual) > 1 and prod(actual[1:]) == last:
        return " Put a Flatten() before it."
    n_axes = n_axes if shape is None else len(shape)
    if n_axes in (3, 4):
        missing, one = n_axes - len(actual), {3: "trace", 4: "picture"}[n_axes]
        if missing == 1 and actual[-1] == last:
            return f" For one {one} add a batch axis: {name}[None]."
        if missing == 1 and last in (1, None):
            return f" Add a channel axis: {name}[..., None]."
        if missing == 2 and last in (1, None):
            return f" For one {one} add both axes: {name}[None{', :' * len(actual)}, None]."
        if missing == 0 and actual[1] == last:
            return f" Channels go last: {name}.transpose{(0, *range(2, n_axes), 1)}."
    return ""
