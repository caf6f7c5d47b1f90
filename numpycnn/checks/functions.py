"""Check a pair of functions: one computes the output, the other the gradients.

A vector-Jacobian product need not belong to a layer. Much code has two functions,

    y, cache = fwd(x, w, b)
    dx, dw, db = bwd(dy, cache)

and `check_vjp` checks them in one line. It gives them the form of a layer: one array is
the input, the others are its parameters. The checker then moves each array of floats.
All other arguments are constants: integers (ids, labels), Boolean masks, Python numbers,
strings, and the arrays that `skip` names.

The checker also runs the functions with one row more and one fewer. Labels and other arrays with
a row for each row of the input then have as many, if `fwd` requires it.

An adapter must not hide an error. The functions therefore receive the checker's arrays
themselves and return their own, so that a function that writes to its arguments or uses
a buffer again is found. Ambiguous results are errors: a missing gradient, a gradient
for an array that is not differentiated, an output that is not an array.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numpycnn._types import Array, Rng
from numpycnn._validation import as_array, require_finite
from numpycnn.checks.arguments import Names, described, selected, some_dy
from numpycnn.checks.arrays import rows
from numpycnn.checks.derivatives import Method
from numpycnn.checks.gradients import check_gradients
from numpycnn.checks.report import GradientReport, Mistake
from numpycnn.layers.layer import Layer

Function = Callable[..., Any]


def check_vjp(
    fwd: Function,
    bwd: Function,
    *arrays: Any,
    only: Names | None = None,
    skip: Names = (),
    method: Method | None = None,
    tolerance: float | None = None,
    rng: Rng = None,
) -> GradientReport:
    """Compare the gradients that `bwd` returns with the derivatives of `fwd`.

    Parameters
    ----------
    fwd : callable
        `fwd(*arrays)` returns `(y, cache)` or `y`. The output `y` is an array or, for
        several outputs, a tuple of arrays; a tuple of outputs needs a cache, if only None.
    bwd : callable
        `bwd(dy, cache)` returns the gradients as a tuple in the order of the arrays. For one
        array it may return the gradient itself. `dy` has the form of `y`. If `fwd` returns no
        cache, `cache` is the array, or the tuple of the arrays if there are several.
    *arrays
        The arguments of `fwd`. Arrays of floats are converted to float64 and differentiated.
        Integer and Boolean arrays, Python numbers and other objects are passed as they are,
        and `bwd` returns None for them or leaves them out.
    only, skip : str or collection of str, optional
        Names of the arrays to check, or not to check. An array that is not checked is held
        constant, and `bwd` returns anything for it or leaves it out. The names are those of
        the parameters of `fwd`.
    method : {"complex", "central"}, optional
        As in `check_gradients`.
    tolerance : float, optional
        As in `check_gradients`.
    rng : Generator, int or None
        Draws the upstream gradient and the directions.

    Returns
    -------
    GradientReport
        With one result for each array, under the name that it has in the signature of `fwd`.

    Raises
    ------
    TypeError
        If an argument, an output or a gradient has a type that cannot be checked, or if a
        nonzero gradient is returned for an array that is not differentiated.
    ValueError
        If the number of gradients does not match, or a name is unknown.

    Notes
    -----
    Keyword arguments of `fwd` are fixed with `functools.partial(fwd, stride=2)`.

    Examples
    --------
    >>> def fwd(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def bwd(dy, cache):
    ...     x, w = cache
    ...     return dy @ w.T, x.T @ dy, dy.mean(axis=0)
    >>> x, w, b = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[0.5], [-1.0]]), np.ones(1)
    >>> report = check_vjp(fwd, bwd, x, w, b, rng=0)
    >>> [(result.name, result.status) for result in report.results]
    [('x', 'correct'), ('w', 'correct'), ('b', 'incorrect')]
    >>> report.mistakes[0].name
    'bias averaged'
    """
    for name, function in {"fwd": fwd, "bwd": bwd}.items():
        if not callable(function):
            raise TypeError(
                f"check_vjp: {name} must be a function, got {type(function).__name__}. "
                "Call check_vjp(fwd, bwd, x, w)."
            )
    values = dict(zip(_names_of(fwd, arrays), arrays, strict=True))
    _require_dy_and_cache(bwd)
    chosen = selected("check_vjp", [*values], only, skip)
    values = {name: _argument(name, value) for name, value in values.items()}
    checked = [name for name in chosen if _is_float(values[name])]
    if not checked:
        raise TypeError(
            "check_vjp: arrays must contain an array of floats to be checked, got "
            f"{described([values[name] for name in chosen])}. Convert it: x.astype(float)."
        )
    for name in checked:
        require_finite("check_vjp", name, values[name], "...")
    pair_class = type(_name_of(fwd), (_Pair,), {})  # the checker reports the name of the class
    pair = pair_class(fwd, bwd, values, chosen)
    with np.errstate(all="ignore"):  # infinite values are reported
        pair.try_out()
    if pair.changed():
        return GradientReport(_name_of(fwd), [], pair.changed())
    x = np.atleast_1d(values[pair.input])
    report = check_gradients(pair, x, method=method, tolerance=tolerance, rng=rng)
    report = _renamed(report, pair.input)
    # The checker's note on unlisted arrays would name the constants.
    return report._replace(breach=report.breach or pair.changed(), notes=())


class _Pair(Layer):
    """Two functions in the form of a layer, whose input is one of the arrays.

    The input is the array with the name x, input or inputs, or else the first one.

    >>> for names in (("w", "b"), ("w", "X"), ("w", "b", "inputs")):
    ...     pair = _Pair(np.add, np.add, dict.fromkeys(names, np.ones(1)), names)
    ...     print(pair.input, [*pair.params])
    w ['b']
    X ['w']
    inputs ['w', 'b']
    """

    def __init__(
        self, fwd: Function, bwd: Function, values: dict[str, Any], chosen: tuple[str, ...]
    ) -> None:
        self.fwd, self.bwd, self.values, self.chosen = fwd, bwd, values, chosen
        self.floats = [name for name, value in values.items() if _is_float(value)]
        self.checked = [name for name in self.floats if name in chosen]
        # The checker treats the first axis of the input as the batch.
        named = [name for name in self.checked if name.lower() in ("input", "inputs", "x")]
        self.input = (named or self.checked)[0]
        super().__init__(**{name: values[name] for name in self.checked if name != self.input})
        self.constants = {name: values[name] for name in values if name not in self.checked}
        self.before = {name: _bytes(value) for name, value in self.constants.items()}
        self.scales: list[float] = []  # of the outputs, if there are several

    def forward(self, x: Array) -> tuple[Any, Any]:
        """Return the output and the cache; several outputs are one vector.

        Without a cache, backward receives the arrays:

        >>> pair = _Pair(np.add, np.add, {"x": np.ones(2), "w": np.ones(2)}, ("x", "w"))
        >>> y, (cache, _, _) = pair.forward(np.array([1.0, 2.0]))
        >>> y.tolist(), cache
        ([2.0, 3.0], (array([1., 2.]), array([1., 1.])))
        >>> pair = _Pair(np.sin, np.cos, {"x": np.array(0.0)}, ("x",))  # an array without axes
        >>> pair.forward(np.array([0.0]))[1][0]
        array(0.)

        The outputs 4 and 16 times as large are scaled as for the given x, and so they stay:

        >>> fwd, x = lambda x: ((4 * x, x > 1, 16 * x), None), np.ones(1)
        >>> pair = _Pair(fwd, abs, {"x": x}, ("x",))
        >>> pair.forward(x)[0].tolist(), pair.scales, pair.forward(3 * x)[0].tolist()
        ([1.0, 1.0], [0.25, 1.0, 0.0625], [3.0, 3.0])

        Labels have as many rows as x, and are repeated like those of x if x has others:

        >>> fwd = lambda x, labels, factor: (x + factor * labels, None)
        >>> values = {"x": np.zeros(3), "labels": np.array([1, 2, 3]), "factor": 10}
        >>> pair = _Pair(fwd, abs, values, ("x",))
        >>> pair.forward(np.zeros(4))[0].tolist(), pair.forward(np.zeros(2))[0].tolist()
        ([20.0, 30.0, 10.0, 20.0], [20.0, 30.0])
        """
        if np.ndim(self.values[self.input]) == 0:
            x = x.reshape(())  # a view, so that a function that writes to it is found
        values = {**self.values, **self.params, self.input: x}
        index = None
        try:
            result = self.fwd(*values.values())
        except Exception:
            if self.has_own_rows(x):
                raise
            index = np.arange(1, len(x) + 1) % len(self.values[self.input])  # as those of x
            values = {
                name: value[index] if name != self.input and self.has_own_rows(value) else value
                for name, value in values.items()
            }
            result = self.fwd(*values.values())
        if isinstance(result, tuple) and len(result) != 2:
            raise TypeError(
                f"check_vjp: fwd must return y or (y, cache), got {described(result)}. For "
                "several outputs return ((y1, y2), cache)."
            )
        own = next(iter(values.values())) if len(values) == 1 else tuple(values.values())
        y, cache = result if isinstance(result, tuple) else (result, own)
        if not isinstance(y, tuple | list):
            return y, (cache, index, None)
        # Each output is scaled to a magnitude near one: a large one would hide a small one.
        outputs = [np.asarray(one) for one in y]
        if not self.scales:  # in `try_out`; copies of this object share the list
            self.scales += [_scale(one) for one in outputs]
        moved = [
            one.ravel() * scale
            for one, scale in zip(outputs, self.scales, strict=True)
            if one.dtype.kind in "fc"
        ]
        row = np.concatenate(moved) if moved else None
        return row, (cache, index, [(one.shape, one.dtype.kind) for one in outputs])

    def has_own_rows(self, value: Any) -> bool:
        """Whether an array has as many rows as the input that was given.

        >>> pair = _Pair(np.sin, np.cos, {"x": np.ones((2, 3))}, ("x",))
        >>> [pair.has_own_rows(value) for value in (np.ones((2, 5)), np.ones(2), np.ones(3), "ab")]
        [True, True, False, False]
        """
        own = np.shape(self.values[self.input])
        return isinstance(value, np.ndarray) and value.shape[:1] == own[:1]

    def backward(self, dy: Array, cache: Any) -> tuple[Any, dict[str, Any]]:
        """Return the gradient for the input, and those for the other arrays by name.

        >>> def bwd(dy, cache):
        ...     x, w = cache
        ...     return dy * w, dy * x
        >>> one, two, three = np.array(2.0), np.array([2.0, 5.0]), np.array([1.0, 2.0, 4.0])
        >>> for x, moved in ((one, np.array([2.0])), (two, two), (two, three)):
        ...     pair = _Pair(np.multiply, bwd, {"x": x, "w": x}, ("x", "w"))
        ...     y, cache = pair.forward(moved)
        ...     dx, grads = pair.backward(np.ones(y.shape), cache)
        ...     print(dx.tolist(), grads["w"].tolist())
        [2.0] 2.0
        [2.0, 5.0] [2.0, 5.0]
        [5.0, 2.0, 5.0] [2.0, 5.0]
        """
        grads = self.by_name(self.all_gradients(dy, cache))
        dx, index = grads.pop(self.input), cache[1]
        if index is not None:
            grads = {name: self.in_own_rows(name, grad, index) for name, grad in grads.items()}
        return (dx if np.ndim(self.values[self.input]) else np.asarray(dx)[None]), grads

    def in_own_rows(self, name: str, grad: Any, index: Array) -> Any:
        """Return the gradient for an array whose rows at `index` were used.

        >>> pair = _Pair(np.add, np.add, {"x": np.ones(2), "w": np.ones(2), "b": np.ones(1)}, "xwb")
        >>> pair.in_own_rows("w", np.array([1.0, 2.0, 4.0]), np.array([1, 0, 1])).tolist()
        [2.0, 5.0]

        Other gradients are returned as they are: the checker tests their shape.

        >>> pair.in_own_rows("w", np.ones(4), np.array([1, 0, 1])).tolist()
        [1.0, 1.0, 1.0, 1.0]
        >>> pair.in_own_rows("b", np.ones(1), np.array([1, 0, 1])).tolist()
        [1.0]
        """
        array = self.params[name]
        if not self.has_own_rows(array) or np.shape(grad) != array[index].shape:
            return grad
        total = np.zeros_like(array)
        np.add.at(total, index, grad)
        return total

    def all_gradients(self, dy: Array, cache: Any) -> Any:
        """Call bwd with the gradients of the outputs in the form that fwd gave them.

        >>> def bwd(dy, cache):
        ...     dy[0][:] *= cache
        ...     return dy[0].tolist(), dy[1].tolist()
        >>> pair, dy = _Pair(abs, bwd, {"x": np.ones(1)}, ("x",)), np.array([1.0, 2.0, 3.0])
        >>> pair.scales = [1.0, 10.0]
        >>> for factor in (1, 5):
        ...     pair.all_gradients(dy, (factor, None, [((2,), "f"), ((1,), "f")])), dy.tolist()
        (([1.0, 2.0], [30.0]), [1.0, 2.0, 3.0])
        (([5.0, 10.0], [30.0]), [nan, nan, nan])
        """
        own, _, outputs = cache
        if outputs is None:
            return self.bwd(dy, own)
        dys = _split(dy, outputs, self.scales)
        before = [one.copy() for one in dys]
        result = self.bwd(dys, own)
        if not all(map(np.array_equal, dys, before)):
            dy[...] = np.nan  # the function wrote to its copy; the checker compares dy
        return result

    def by_name(self, result: Any) -> dict[str, Any]:
        """Return the gradients of the arrays that are checked.

        A function may return a gradient for each argument, for each array of floats, or for
        each array that is checked. These lists contain each other, so their lengths differ.

        >>> values = {"ids": np.array([1]), "w": np.ones(1), "b": np.ones(1)}
        >>> pair = _Pair(abs, abs, values, ("w",))
        >>> [pair.by_name(grads) for grads in ((None, 1, 2), [1, 2], (1,), 1)]
        [{'w': 1}, {'w': 1}, {'w': 1}, {'w': 1}]
        """
        grads = result if isinstance(result, tuple | list) else (result,)
        for names in ([*self.values], self.floats, self.checked):
            if len(names) == len(grads):
                by_name = dict(zip(names, grads, strict=True))
                self.refuse_gradients_of_constants(by_name)
                return {name: by_name[name] for name in self.checked}
        raise ValueError(
            f"check_vjp: bwd must return {len(self.floats)} gradients, of "
            f"{', '.join(self.floats)}, got {described(result)}. Return a tuple in the order of "
            "the arrays; skip=(...) names arrays that are not differentiated."
        )

    def refuse_gradients_of_constants(self, grads: dict[str, Any]) -> None:
        """Raise for a gradient that would not be checked although it should be.

        >>> pair = _Pair(abs, abs, {"x": np.ones(1), "w": np.ones(1), "n": 2, "m": 3}, ("x", "n"))
        >>> pair.refuse_gradients_of_constants({"x": 5, "w": 5, "n": 0, "m": 5})
        >>> pair.refuse_gradients_of_constants({"n": 5})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        TypeError: check_vjp: n must be an array of floats to be differentiated, got int, and ...
        """
        for name, grad in grads.items():
            is_constant = name not in self.floats and name in self.chosen
            if is_constant and _is_nonzero(grad):
                raise TypeError(
                    f"check_vjp: {name} must be an array of floats to be differentiated, got "
                    f"{described(self.values[name])}, and bwd returned a gradient for it. "
                    f"Pass {name} as an array of floats, or return None for it."
                )

    def try_out(self) -> None:
        """Call both functions once, and raise for an output that cannot be checked.

        Set `is_loss`, whether the functions may keep a target for each row of x: if y is one
        number or an array is constant, and `fwd` accepts one row more of x.

        >>> for fwd, *constants in ((np.sum,), (np.sin,), (np.add, [[1]]), (np.add, [1, 2, 3])):
        ...     values = dict(zip("xw", [np.ones(3), *map(np.array, constants)]))
        ...     pair = _Pair(fwd, lambda dy, cache: dy, values, ("x",))
        ...     pair.try_out()
        ...     print(pair.is_loss)
        True
        False
        True
        False
        """
        params = {name: array.copy() for name, array in self.params.items()}
        copy = self.with_params(params)
        y, cache = copy.forward(np.atleast_1d(self.values[self.input]).copy())
        kind = np.asarray(y).dtype.kind
        if kind != "f":
            raise TypeError(
                f"check_vjp: y must be an array of floats or a tuple of them, got "
                f"{described(y)}. Return y, or (y, cache)."
            )
        copy.backward(some_dy(y), cache)
        may_hold_rows = np.size(y) == 1 or any(map(_is_array, self.constants.values()))
        self.is_loss = may_hold_rows and self.accepts_another_row()

    def accepts_another_row(self) -> bool:
        """Whether fwd takes one row more of x, although ids or labels have as many as before.

        >>> for labels in (np.array([1, 2]), np.array([1])):
        ...     pair = _Pair(np.add, np.add, {"x": np.ones(2), "labels": labels}, ("x",))
        ...     pair.accepts_another_row()
        False
        True
        >>> pairs_of_rows = _Pair(lambda x: x.reshape(-1, 2), abs, {"x": np.ones(2)}, ("x",))
        >>> pairs_of_rows.accepts_another_row()
        False
        """
        x = np.atleast_1d(self.values[self.input])
        try:
            self.fwd(*{**self.values, self.input: rows(x, len(x) + 1)}.values())
        except Exception:  # whatever a function raises for arrays that do not fit
            return False
        return True

    def changed(self) -> Mistake | None:
        """Return the breach of the contract if a function wrote to a constant.

        >>> ids, words = np.array([1, 2]), ["a"]
        >>> pair = _Pair(abs, abs, {"x": np.ones(1), "ids": ids, "words": words}, ("x",))
        >>> words.append("b")
        >>> pair.changed()
        >>> ids[1] = 3
        >>> pair.changed().message
        'ids changed in place; work on a copy'
        """
        names = [
            name for name, value in self.constants.items() if _bytes(value) != self.before[name]
        ]
        if not names:
            return None
        return Mistake(
            "argument changed", f"{' and '.join(names)} changed in place; work on a copy"
        )


# Arguments
# ---------


def _require_dy_and_cache(bwd: Function) -> None:
    """Raise unless `bwd` accepts two arguments; NumPy's own functions have no signature."""
    try:
        signature = inspect.signature(bwd)
    except (TypeError, ValueError):
        return
    try:
        signature.bind("dy", "cache")
    except TypeError as error:
        raise TypeError(
            f"check_vjp: bwd must accept (dy, cache), got {_name_of(bwd)}{signature}: {error}."
        ) from None


def _names_of(fwd: Function, arrays: Sequence[Any]) -> list[str]:
    """Return a name for each array: those in the signature, or their positions.

    >>> _names_of(lambda x, *w: x, [1, 2, 3]), _names_of(lambda x, b=0: x, [1])
    (['x', 'w[0]', 'w[1]'], ['x'])
    """
    try:
        signature = inspect.signature(fwd)
    except (TypeError, ValueError):  # NumPy's own functions have none
        return [f"array {position}" for position in range(len(arrays))]
    try:
        bound = signature.bind(*arrays)
    except TypeError as error:
        raise TypeError(
            f"check_vjp: fwd must accept the {len(arrays)} arrays, got "
            f"{_name_of(fwd)}{signature}: {error}. Pass one array for each parameter; "
            "functools.partial fixes keyword arguments."
        ) from None
    names: list[str] = []
    for name, value in bound.arguments.items():
        is_starred = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        names += [f"{name}[{i}]" for i in range(len(value))] if is_starred else [name]
    return names


def _argument(name: str, value: Any) -> Any:
    """Return an argument as the functions receive it: arrays copied, floats in float64.

    >>> x, ids = np.ones(2, np.float32), np.array([1, 2])
    >>> [_argument("x", array).dtype.kind for array in (x, ids)], _argument("x", x).itemsize
    (['f', 'i'], 8)
    >>> _argument("ids", ids) is ids, _argument("name", "abc"), float(_argument("n", np.float64(2)))
    (False, 'abc', 2.0)

    An array of another library is not converted: the functions might not accept the result.

    >>> class Tensor:
    ...     __array__ = None
    >>> _argument("x", Tensor())
    Traceback (most recent call last):
    TypeError: check_vjp: x must be a NumPy array, got Tensor. Convert it: np.asarray(x).
    """
    if np.ma.isMaskedArray(value):
        as_array("check_vjp", name, value)  # raises
    if type(value) is np.ndarray:
        return value.astype(np.float64) if value.dtype.kind == "f" else value.copy()
    if isinstance(value, np.ndarray) or (
        hasattr(value, "__array__") and not isinstance(value, np.generic)
    ):
        raise TypeError(
            f"check_vjp: {name} must be a NumPy array, got {type(value).__name__}. "
            f"Convert it: np.asarray({name})."
        )
    return value


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_nonzero(grad: Any) -> bool:
    """Return True if a gradient, or one of several, has an entry that is not zero.

    >>> [_is_nonzero(grad) for grad in (None, 0, [0, None], np.zeros(2))]
    [False, False, False, False]
    >>> [_is_nonzero(grad) for grad in (2, [0, -1.0], (None, np.array([0, 1])), [[np.nan]])]
    [True, True, True, True]
    """
    if isinstance(grad, tuple | list):
        return any(map(_is_nonzero, grad))
    return grad is not None and bool(np.any(np.asarray(grad) != 0))


def _bytes(value: Any) -> bytes:
    """Return the content of an array, for comparison, and nothing for another object.

    >>> _bytes(np.array([97, 98], np.uint8)), _bytes("text")
    (b'ab', b'')
    """
    return value.tobytes() if isinstance(value, np.ndarray) else b""


def _name_of(function: Function) -> str:
    """Return the name of a function, also of a partial one.

    >>> from functools import partial
    >>> _name_of(np.cumsum), _name_of(partial(np.cumsum, axis=0)), _name_of(np.tanh)
    ('cumsum', 'cumsum', 'tanh')
    """
    function = getattr(function, "func", function)
    return str(getattr(function, "__name__", type(function).__name__))


# Outputs and the report
# ----------------------


def _scale(output: Array) -> float:
    """Return the power of two that brings the largest entry near one.

    >>> [_scale(np.array([0.1, -size])) for size in (1.0, 8.5, 0.25)]
    [1.0, 0.125, 4.0]
    >>> [_scale(output) for output in (np.zeros(2), np.array([np.inf]), np.array([8]), np.ones(0))]
    [1.0, 1.0, 1.0, 1.0]
    """
    if output.dtype.kind != "f" or output.size == 0:
        return 1.0
    size = float(np.max(np.abs(output)))
    return float(2.0 ** -np.round(np.log2(size))) if 0 < size < np.inf else 1.0


def _split(
    dy: Array, outputs: list[tuple[tuple[int, ...], str]], scales: list[float]
) -> tuple[Array, ...]:
    """Return one gradient for each output; zeros for outputs that are not floats.

    >>> dy, outputs = np.arange(1.0, 6.0), [((2, 1), "f"), ((2,), "i"), ((3,), "f")]
    >>> [part.tolist() for part in _split(dy, outputs, [1.0, 1.0, 2.0])]
    [[[1.0], [2.0]], [0.0, 0.0], [6.0, 8.0, 10.0]]
    """
    parts, start = [], 0
    for (shape, kind), scale in zip(outputs, scales, strict=True):
        size = int(np.prod(shape)) if kind in "fc" else 0
        part = dy[start : start + size].reshape(shape) * scale if size else np.zeros(shape)
        parts.append(part)
        start += size
    return tuple(parts)


def _renamed(report: GradientReport, name: str) -> GradientReport:
    """Return the report with the input under its own name.

    >>> from numpycnn.checks.report import GradientResult
    >>> results = [GradientResult(name, "correct", "complex", 0.0) for name in ("input", "w")]
    >>> breach = Mistake("argument changed", "the array input was changed, not the inputs")
    >>> report = _renamed(GradientReport("f", results, breach), "x")
    >>> [result.name for result in report.results], report.breach.message
    (['x', 'w'], 'the array x was changed, not the inputs')
    """
    results = [
        result._replace(name=name) if result.name == "input" else result
        for result in report.results
    ]
    breach = report.breach
    if breach is not None:
        breach = breach._replace(message=re.sub(r"\binput\b", name, breach.message))
    return report._replace(results=results, breach=breach)
