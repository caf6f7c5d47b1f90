"""Check a layer that keeps its parameters and gradients as attributes.

Many programs that build networks from scratch have layers of this form:

    layer.W, layer.b               the parameters
    y = layer.forward(x)           stores the input on the layer
    dx = layer.backward(dy)        sets layer.dW, layer.db

`check_attributes` gives such a layer the contract of this package. A layer of this form
keeps the last input only, so forward runs again before each backward. The gradients are
copied, and set to zero before each backward because some layers add to them.

The adapter hides nothing else: a layer that writes to x or dy, that returns the same
buffer at each call, or that updates its parameters in backward, breaks the contract and
is reported as incorrect. With `stateful=True` each call runs on a fresh copy of the layer
with copies of its arguments, and the breach is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import as_array, boolean, require_finite
from numpycnn.checks.arguments import (
    Names,
    described,
    numbers,
    require_instance,
    selected,
    some_dy,
)
from numpycnn.checks.binding import root_of, same_view, with_params
from numpycnn.checks.derivatives import Method
from numpycnn.checks.gradients import check_gradients
from numpycnn.checks.report import GradientReport, Mistake
from numpycnn.checks.unlisted import unlisted


def check_attributes(
    layer: Any,
    x: Array,
    grads: Mapping[str, str] | None = None,
    *,
    stateful: bool = False,
    only: Names | None = None,
    skip: Names = (),
    method: Method | None = None,
    tolerance: float | None = None,
    rng: Rng = None,
) -> GradientReport:
    """Check a layer that keeps its parameters and their gradients as attributes.

    Parameters
    ----------
    layer : object
        With `forward(x)`, which returns y, and `backward(dy)`, which returns dx. The layer is
        not changed: the check runs on copies.
    x : ndarray
        An input.
    grads : mapping of str to str, optional
        For each parameter the attribute that holds its gradient, such as
        `{"W": "dW", "b": "db"}`. Leave it out for a layer without parameters.
    stateful : bool, optional
        If True, a breach of the contract is a note and not an error: each call then runs on a
        fresh copy of the layer, with copies of its arguments and the same global random state.
    only, skip : str or collection of str, optional
        Names of the parameters to check, or not to check; `"input"` is x. Use `skip="input"`
        for a layer that returns no dx.
    method : {"complex", "central"}, optional
        As in `check_gradients`.
    tolerance : float, optional
        As in `check_gradients`.
    rng : Generator, int or None
        Draws the upstream gradient and the directions.

    Returns
    -------
    GradientReport
        With a result for the input and for each parameter.

    Raises
    ------
    TypeError
        If `layer` is a class, lacks a method, or returns something that is not an array.
    ValueError
        If an attribute is missing.

    Examples
    --------
    >>> class Linear:
    ...     def __init__(self, W, b):
    ...         self.W, self.b = W, b
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.W + self.b
    ...
    ...     def backward(self, dy):
    ...         self.dW, self.db = self.x.T @ dy, dy.mean(axis=0)
    ...         return dy @ self.W.T
    >>> x, layer = np.array([[1.0, 2.0], [3.0, -4.0]]), Linear(np.ones((2, 1)), np.zeros(1))
    >>> report = check_attributes(layer, x, grads={"W": "dW", "b": "db"}, rng=0)
    >>> [(result.name, result.status) for result in report.results]
    [('input', 'correct'), ('W', 'correct'), ('b', 'incorrect')]
    """
    grads = {} if grads is None else grads
    boolean("check_attributes", "stateful", stateful)
    _require_layer(layer, grads)
    chosen = selected("check_attributes", ["input", *grads], only, skip)
    checked = {name: grads[name] for name in chosen if name != "input"}
    x = numbers("check_attributes", x, keep_integers="input" not in chosen)
    options: dict[str, Any] = {"method": method, "tolerance": tolerance, "rng": rng}
    options["skip"] = () if "input" in chosen else "input"

    subject = type(layer).__name__  # the checker reports the name of the class
    adapter = type(subject, (_Attributes,), {})(layer, checked)
    with _same_random_state(stateful), np.errstate(all="ignore"):  # infinite values are reported
        breach, notes = adapter.try_out(x, needs_dx="input" in chosen)
        report = GradientReport(subject, [], breach)
        if breach is None:
            report = check_gradients(adapter, x, **options)
        if stateful and (breach := report.breach) is not None:
            fresh = type(subject, (_FreshEachTime,), {})(layer, checked)
            report = check_gradients(fresh, x, **options)
            notes.append(f"{breach.name}: {breach.message}")
    missed = unlisted(layer, [getattr(layer, name) for name in grads], x)
    notes += [f"{name} is not in grads, so its gradient was not checked" for name in missed]
    return report._replace(notes=tuple(notes))


class _Attributes:
    """A layer with attributes in the form that the checker expects."""

    def __init__(self, layer: Any, grads: Mapping[str, str]) -> None:
        self.layer, self.grads = layer, grads

    @property
    def params(self) -> Params:
        """The parameters by name."""
        return {name: getattr(self.layer, name) for name in self.grads}

    def __deepcopy__(self, memo: dict[int, Any]) -> _Attributes:
        """Return a copy with a copy of the layer, whose gradients are zero and in float64.

        A float32 array that backward adds to would round the gradients. Gradients that are views
        of one buffer stay views of one buffer. One array under two names becomes two arrays.

        >>> from types import SimpleNamespace
        >>> w = np.ones(2)
        >>> layer = SimpleNamespace(a=w, b=w, c=0, da=np.ones(2, np.float32), db=np.array([3]))
        >>> own = deepcopy(_Attributes(layer, {"a": "da", "b": "db", "c": "dc"})).layer
        >>> own.da.tolist(), own.da.itemsize, own.db.tolist(), own.a is own.b
        ([0.0, 0.0], 8, [3], False)
        """
        for name in self.grads.values():
            grad = getattr(self.layer, name, None)
            if isinstance(grad, np.ndarray) and grad.dtype.kind == "f":
                _map_to_zeros(grad, memo)
        other = copy(self)
        other.layer = deepcopy(self.layer, memo)
        seen: set[int] = set()
        for name, array in other.params.items():
            if id(array) in seen:
                setattr(other.layer, name, array.copy())
            seen.add(id(array))
        return other

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return the output, and x in place of a cache."""
        return self.layer.forward(x), x

    def backward(self, dy: Array, x: Array) -> tuple[Any, Params]:
        """Run forward again, then backward; return dx and copies of the gradients."""
        self.layer.forward(x)
        return self.layer_backward(dy, x), self.copied_gradients()

    def layer_backward(self, dy: Array, *others: Any, is_cleared: bool = True) -> Any:
        """Return dx; the gradients are zero before, and share no memory with dy or others."""
        if is_cleared:
            self.clear()
        dx = self.layer.backward(dy)
        self.detach(dy, dx, *others)
        return dx

    def copied_gradients(self) -> Params:
        """Return the gradients by the names of the parameters.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(dw=np.ones(1))
        >>> copied = _Attributes(layer, {"w": "dw"}).copied_gradients()
        >>> copied["w"].tolist(), copied["w"] is layer.dw
        ([1.0], False)
        """
        return {name: np.array(getattr(self.layer, grad)) for name, grad in self.grads.items()}

    def clear(self) -> None:
        """Set the gradients to zero, in place: another name may refer to the same array.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(dw=np.ones(2), db=np.broadcast_to(1.0, 2), dg=0.5)
        >>> dw = layer.dw
        >>> _Attributes(layer, {"w": "dw", "b": "db", "g": "dg", "v": "dv"}).clear()
        >>> dw.tolist(), layer.db.tolist(), float(layer.dg), layer.dw is dw
        ([0.0, 0.0], [0.0, 0.0], 0.0, True)
        """
        for name in self.grads.values():
            grad = getattr(self.layer, name, None)
            if isinstance(grad, np.ndarray) and grad.flags.writeable:
                grad[...] = 0
            elif grad is not None:
                setattr(self.layer, name, np.zeros(np.shape(grad)))

    def detach(self, *others: Any) -> None:
        """Copy each gradient that shares memory with another array, which `clear` would change.

        >>> from types import SimpleNamespace
        >>> dy, w, dv = np.ones(2), np.ones(1), np.ones(1)
        >>> layer = SimpleNamespace(b=0, db=dy[:1], w=w, dw=w, v=0, dv=dv)
        >>> _Attributes(layer, {"b": "db", "w": "dw", "v": "dv"}).detach(dy, None)
        >>> [np.shares_memory(*pair) for pair in ((layer.db, dy), (layer.dw, w), (layer.dv, dv))]
        [False, False, True]
        >>> layer.db.tolist(), layer.dw.tolist()
        ([1.0], [1.0])
        """
        arrays = [a for a in (*others, *self.params.values()) if isinstance(a, np.ndarray)]
        for name in self.grads.values():
            grad = getattr(self.layer, name, None)
            if isinstance(grad, np.ndarray) and any(np.may_share_memory(grad, a) for a in arrays):
                setattr(self.layer, name, grad.copy())

    def try_out(self, x: Array, needs_dx: bool) -> tuple[Mistake | None, list[str]]:
        """Run both methods on a copy; raise unless they can be checked.

        Return a breach of the contract if the parameters change, and a note for each gradient
        that backward adds to.

        >>> class Scale:
        ...     def __init__(self, changes):
        ...         self.w, self.dw, self.changes = np.ones(2), [0.0, 0.0], changes
        ...
        ...     def forward(self, x):
        ...         self.w = self.w + (self.changes == "forward")
        ...         return x * self.w
        ...
        ...     def backward(self, dy):
        ...         self.w = self.w + (self.changes == "backward")
        ...         self.dw += dy
        ...         return dy * self.w
        >>> for changes in ("forward", "backward"):
        ...     breach, notes = _Attributes(Scale(changes), {"w": "dw"}).try_out(np.ones(2), True)
        ...     print(breach.message.partition(";")[0], notes)
        forward changes the parameter w []
        backward changes the parameter w []
        >>> _Attributes(Scale("nothing"), {"w": "dw"}).try_out(np.ones(2), True)
        (None, ['backward adds to dw: set it to zero before each backward'])
        """
        run: Any = with_params(
            self, {name: array.astype(float) for name, array in self.params.items()}
        )
        before = {name: array.copy() for name, array in run.params.items()}
        y = self.output_of(run, x, needs_dx)
        if (changed := _changed(before, run.params)) is not None:
            return _updates("forward", changed), []
        dx = run.layer_backward(some_dy(y))
        if needs_dx and not isinstance(dx, np.ndarray):
            raise TypeError(
                f"check_attributes: {type(self).__name__}.backward must return dx, an array, got "
                f"{type(dx).__name__}. Return dx, or pass skip='input' if it is not computed."
            )
        for name, grad in self.grads.items():
            found = getattr(run.layer, grad, None)
            if found is None or np.asarray(found).dtype.kind not in "iuf":
                raise ValueError(
                    f"check_attributes: backward must set {grad}, the gradient of {name}, to an "
                    f"array of floats, got {described(found)}. {type(self).__name__} has "
                    f"{_names(run.layer)}."
                )
        if (changed := _changed(before, run.params)) is not None:
            return _updates("backward", changed), []
        return None, [
            f"backward adds to {self.grads[name]}: set it to zero before each backward"
            for name in run.accumulated(x)
        ]

    def accumulated(self, x: Array) -> list[str]:
        """Return the parameters whose gradient doubles, unless it is set to zero in between.

        >>> from types import SimpleNamespace
        >>> layer = SimpleNamespace(forward=abs, w=0, dw=np.ones(1), b=0)
        >>> def backward(dy):
        ...     layer.dw += dy
        ...     layer.db = 2 * dy
        >>> layer.backward = backward
        >>> _Attributes(layer, {"w": "dw", "b": "db"}).accumulated(np.ones(1))
        ['w']
        """
        found = []
        for is_cleared in (True, False, True):
            y = self.layer.forward(x.copy())
            self.layer_backward(some_dy(y), is_cleared=is_cleared)
            found.append(self.copied_gradients())
        return [name for name in self.grads if _doubles(*(grads[name] for grads in found))]

    def output_of(self, run: _Attributes, x: Array, needs_dx: bool) -> Array:
        """Return the output, or raise unless it is an array of floats.

        A layer that requires ids raises for an x of floats, which a gradient for x requires.

        >>> from types import SimpleNamespace
        >>> run = _Attributes(SimpleNamespace(forward=np.eye(2).__getitem__), {})
        >>> run.output_of(run, np.array([1]), needs_dx=False).tolist()
        [[0.0, 1.0]]
        >>> run.output_of(run, np.array([2]), needs_dx=False)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        IndexError: index 2 is out of bounds...
        >>> run.output_of(run, np.array([1.0]), needs_dx=True)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        TypeError: check_attributes: x must be an array of floats to be differentiated, got ids...
        """
        try:
            y = run.layer.forward(x.copy())
        except IndexError as error:
            if not needs_dx:
                raise
            raise TypeError(
                f"check_attributes: x must be an array of floats to be differentiated, got ids, it "
                f"seems: {error}. Pass them as integers with skip='input'."
            ) from error
        if isinstance(y, tuple | list) or np.asarray(y).dtype.kind != "f":
            raise TypeError(
                f"check_attributes: {type(self).__name__}.forward must return an array of floats, "
                f"got {type(y).__name__}. A layer that returns (y, cache) is checked with "
                "check_gradients, functions with check_vjp."
            )
        return np.asarray(y)


class _FreshEachTime(_Attributes):
    """The same with a fresh copy of the layer, and of the arguments, for each call."""

    def __init__(self, layer: Any, grads: Mapping[str, str]) -> None:
        super().__init__(layer, grads)
        self.random_state = np.random.get_state()  # noqa: NPY002  (layers may draw from it)

    def run(self, x: Array) -> tuple[Any, Array]:
        """Return a copy of the layer after forward, and a copy of the output."""
        np.random.set_state(self.random_state)  # noqa: NPY002
        params = {name: array.copy() for name, array in self.params.items()}
        fresh: Any = with_params(_Attributes(self.layer, self.grads), params)
        return fresh, np.array(fresh.layer.forward(x.copy()))

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return the output, and x in place of a cache."""
        return self.run(x)[1], x.copy()

    def backward(self, dy: Array, x: Array) -> tuple[Any, dict[str, Any]]:
        """Return copies of dx and the gradients."""
        fresh, _ = self.run(x)
        dx = fresh.layer_backward(dy.copy())
        return None if dx is None else np.array(dx), fresh.copied_gradients()


# Gradients
# ---------


def _doubles(grad: Array, after: Array, again: Array) -> bool:
    """Whether a gradient is twice as large `after` a first one, and not if it is cleared `again`.

    >>> grad = np.array([1.0, -3.0])
    >>> [_doubles(grad, factor * grad, grad) for factor in (2, 2 + 1e-10, 2 + 1e-8, 1)]
    [True, True, False, False]
    >>> [_doubles(grad, 2 * grad, factor * grad) for factor in (1, 1 + 1e-10, 1 + 1e-8, 2)]
    [True, True, False, False]
    >>> _doubles(np.zeros(2), np.zeros(2), np.zeros(2))
    False
    """
    return bool(
        grad.any()
        and np.allclose(after, 2 * grad, rtol=1e-9, atol=0)
        and np.allclose(again, grad, rtol=1e-9, atol=0)
    )


def _map_to_zeros(array: Array, memo: dict[int, Any]) -> None:
    """Have `deepcopy` replace an array, and the array whose memory it uses, by zeros.

    The zeros are in float64, and a view of the array becomes a view of the zeros.

    >>> vector, memo = np.ones(4, np.float32), {}
    >>> views = vector[1:3], vector[::2]
    >>> for view in views:
    ...     _map_to_zeros(view, memo)
    >>> memo[id(vector)][2] = 7
    >>> [memo[id(array)].tolist() for array in (vector, *views)]
    [[0.0, 0.0, 7.0, 0.0], [0.0, 7.0], [0.0, 7.0]]

    A view of an array in another order or of another type becomes a separate array.

    >>> columns, raw, memo = np.ones((2, 2), order="F"), np.ones(16, np.uint8), {}
    >>> views = columns[0], raw.view(float)
    >>> for view in views:
    ...     _map_to_zeros(view, memo)
    >>> [memo[id(view)].tolist() for view in views], len(memo)
    ([[0.0, 0.0], [0.0, 0.0]], 2)
    """
    root = root_of(array)
    if not root.flags.c_contiguous or root.dtype != array.dtype:
        root = array
    zeros = memo.setdefault(id(root), np.zeros(root.shape))
    if root is not array:
        memo[id(array)] = same_view(array, root, zeros.ravel())


# Requirements of a layer
# -----------------------


def _require_layer(layer: Any, grads: Mapping[str, str]) -> None:
    """Raise unless the layer has its methods, and an array for each parameter.

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(forward=abs, backward=abs, w=np.ones(1))
    >>> for grads in ({"w": "dw"}, ["w"], {"w": 1}, {1: "dw"}):
    ...     try:
    ...         _require_layer(layer, grads)
    ...     except TypeError as error:
    ...         print(str(error).partition(". ")[0])
    check_attributes: grads must be a mapping of names, got list
    check_attributes: grads must map names to names, got 'w': 1
    check_attributes: grads must map names to names, got 1: 'dw'
    """
    require_instance("check_attributes", layer)
    name = type(layer).__name__
    for method in ("forward", "backward"):
        if not callable(getattr(layer, method, None)):
            raise TypeError(
                f"check_attributes: layer must have a method {method}, got {name} without it. "
                "Functions are checked with check_vjp."
            )
    if not isinstance(grads, Mapping):
        raise TypeError(
            f"check_attributes: grads must be a mapping of names, got {type(grads).__name__}. "
            'Pass grads={"W": "dW", "b": "db"}.'
        )
    for param, grad in grads.items():
        if not (isinstance(param, str) and isinstance(grad, str)):
            raise TypeError(
                f"check_attributes: grads must map names to names, got {param!r}: {grad!r}. "
                'Pass grads={"W": "dW", "b": "db"}.'
            )
        if param == "input":
            raise ValueError(
                "check_attributes: grads must not contain 'input', got grads['input']; this is the "
                "name of x in the report. Rename the parameter."
            )
        if not hasattr(layer, param):
            raise ValueError(
                f"check_attributes: grads must name attributes of {name}, got {param!r}. "
                f"It has {_names(layer)}."
            )
        array = as_array("check_attributes", param, getattr(layer, param))
        if array is not getattr(layer, param) or array.dtype.kind != "f" or not array.size:
            raise TypeError(
                f"check_attributes: {param} must be an array of floats, got "
                f"{described(getattr(layer, param))}. "
                f"Convert it: layer.{param} = np.asarray(layer.{param}, float)."
            )
        require_finite("check_attributes", param, array, fix="Set its initial values.")


def _names(layer: Any) -> str:
    """Return the names of a layer's attributes, for an error message.

    >>> from types import SimpleNamespace
    >>> _names(SimpleNamespace(w=1, b=2)), _names(object())
    ('b, w', 'no attributes')
    """
    return ", ".join(sorted(getattr(layer, "__dict__", {}))) or "no attributes"


def _changed(before: Params, after: Params) -> str | None:
    """Return the name of a parameter whose values changed.

    >>> before = {"w": np.ones(2), "b": np.zeros(2)}
    >>> _changed(before, {"w": np.ones(2), "b": np.ones(2)}), _changed(before, dict(before))
    ('b', None)
    """
    return next((n for n in before if not np.array_equal(before[n], after[n])), None)


def _updates(method: str, name: str) -> Mistake:
    return Mistake(
        "argument changed",
        f"{method} changes the parameter {name}; compute its gradient only, and update it in a "
        "separate step",
    )


@contextmanager
def _same_random_state(is_kept: bool) -> Iterator[None]:
    """Restore the state of NumPy's global generator afterwards."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        if is_kept:
            np.random.set_state(state)  # noqa: NPY002
