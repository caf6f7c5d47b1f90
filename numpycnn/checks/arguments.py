"""Arguments of the checker: a layer or a loss, its parameters, and the values that it returns.

All values that a user passes to the checker, and all values that a user's code returns to it, are
tested here. An error states the expected value, the given value and how to fix it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import as_array, require_finite
from numpycnn.layers.layer import Layer

PARTS_OF_A_LAYER = "forward", "backward", "params"


class HasGradients(Protocol):
    """Any object that keeps the contract of a layer, of whatever class."""

    @property
    def params(self) -> Params:
        """The arrays that can be learned, by name."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return y and the cache."""

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx and the gradients by name."""


Loss = Callable[[Array], tuple[Any, Array]]  # its value and its gradient
Names = str | Collection[str]  # of the input and the parameters


class LossAsLayer(Layer):
    """A loss in the form of a layer: the output is its value, the cache its gradient.

    >>> x = np.array([3.0, 4.0])
    >>> half = LossAsLayer(lambda x: ((x**2).sum() / 2, x), "half")
    >>> value, gradient = half.forward(x)
    >>> float(value), half.backward(np.array([2.0]), gradient)[0].tolist(), half.params
    (12.5, [6.0, 8.0], {})
    >>> one = LossAsLayer(lambda x: (x**2 / 2, x), "half").forward(x[:1])
    >>> [part.tolist() for part in one]
    [[4.5], [3.0]]

    A common mistake has a message that names it:

    >>> for result in (12.5, (12.5, x, {}), ("12.5", x), (x, 12.5), (np.ones(3), x)):
    ...     try:
    ...         LossAsLayer(lambda x: result, "half").forward(x)
    ...     except (TypeError, ValueError) as error:
    ...         print(error)
    check_gradients: half must return (value, gradient), got float. ...
    check_gradients: half must return (value, gradient), got a tuple of 3: ...
    check_gradients: the value of half must be of type float, got str. ...
    check_gradients: half must return (value, gradient), got the gradient first. ...
    check_gradients: the value of half must be one number, got shape (3,). ...
    """

    is_loss = True  # which may hold a target for each row

    def __init__(self, loss: Loss, name: str) -> None:
        super().__init__()
        self.loss, self.name = loss, name

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return the loss and, as the cache, its gradient."""
        result = self.loss(x)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(
                f"check_gradients: {self.name} must return (value, gradient), got "
                f"{described(result)}. To check a function of several outputs, write it as a layer"
            )
        value, gradient = result
        for what, part in ("value", value), ("gradient", gradient):
            array = as_array("check_gradients", f"the {what} of {self.name}", part)
            if array.dtype.kind not in "iufc":
                raise TypeError(
                    f"check_gradients: the {what} of {self.name} must be of type float, got "
                    f"{described(part)}. Return (value, gradient)"
                )
        value, gradient = np.asarray(value), np.asarray(gradient)
        if value.shape == x.shape and value.size > 1 == gradient.size:
            raise TypeError(
                f"check_gradients: {self.name} must return (value, gradient), got the gradient "
                "first. Exchange them"
            )
        if value.size != 1:
            raise ValueError(
                f"check_gradients: the value of {self.name} must be one number, got shape "
                f"{value.shape}. Return the mean or the sum over the batch"
            )
        return value, gradient

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return the gradient, times the one number dy."""
        return dy.reshape(()) * cache, {}


def as_layer(layer: Any) -> tuple[str, HasGradients]:
    """Return the name of a layer or loss, and the layer; raise for any other object.

    >>> from types import SimpleNamespace
    >>> from numpycnn import ReLU
    >>> as_layer(ReLU())[0], as_layer(np.sum)[0], as_layer(np.sum)[1].name
    ('ReLU', 'sum', 'sum')
    >>> layer = SimpleNamespace(forward=len, backward=len, params={})
    >>> as_layer(layer) == ("SimpleNamespace", layer)
    True
    >>> half = SimpleNamespace(forward=len, params={})
    >>> wrong = [SimpleNamespace(**{**vars(layer), "params": each}) for each in (dict, ["w"])]
    >>> for each in ReLU, 3.0, half, *wrong:
    ...     try:
    ...         as_layer(each)
    ...     except TypeError as error:
    ...         print(error)
    check_gradients: layer must be an instance, got the class ReLU. Create one: ReLU(...).
    check_gradients: layer must have ..., or be a function that ..., got float
    check_gradients: layer must have ..., got SimpleNamespace, which has no backward
    check_gradients: SimpleNamespace.params must be a dict of arrays, got type. Write @property ...
    check_gradients: SimpleNamespace.params must be a dict of arrays, got a list of 1: str. ...
    """
    require_instance("check_gradients", layer)
    # A property that raises AttributeError is not missing: its error names the cause.
    missing = [
        part
        for part in PARTS_OF_A_LAYER
        if not (hasattr(type(layer), part) or hasattr(layer, part))
    ]
    if missing and ("forward" not in missing or not callable(layer)):
        lacks = "" if "forward" in missing else f", which has no {' and no '.join(missing)}"
        raise TypeError(
            "check_gradients: layer must have forward, backward and params, or be a function that "
            f"returns a loss and its gradient, got {type(layer).__name__}{lacks}"
        )
    if missing:
        name = getattr(layer, "__name__", "the loss")
        return name, LossAsLayer(layer, name)
    params = layer.params
    if callable(params) or not (hasattr(params, "keys") and hasattr(params, "__getitem__")):
        raise TypeError(
            f"check_gradients: {type(layer).__name__}.params must be a dict of arrays, got "
            f"{described(params)}. "
            + (
                "Write @property above a method of this name"
                if callable(params)
                else "Return the arrays by name"
            )
        )
    return type(layer).__name__, layer


def require_instance(caller: str, layer: Any) -> None:
    """Raise for a class in place of a layer."""
    if isinstance(layer, type):
        raise TypeError(
            f"{caller}: layer must be an instance, got the class {layer.__name__}. "
            f"Create one: {layer.__name__}(...)."
        )


def parameters(layer: HasGradients) -> Params:
    """Return the parameters of a layer in float64.

    >>> from types import SimpleNamespace
    >>> parameters(SimpleNamespace(params={"w": np.array([1, 2], np.float32)}))
    {'w': array([1., 2.])}
    >>> for params in {"input": 1}, {"w": [1.0]}, {"w": 1j * np.ones(2)}, {"w": np.array([np.nan])}:
    ...     try:
    ...         parameters(SimpleNamespace(params=params))
    ...     except (TypeError, ValueError) as error:
    ...         print(error)
    check_gradients: params must not contain the name 'input', ... Rename the parameter
    check_gradients: params['w'] must be ..., got a list of 1: float. Convert it: ...
    check_gradients: params['w'] must be ..., got a complex128 array ... as two real ones
    check_gradients: params['w'] must be finite, got nan at params['w'][0]. Set its initial values.
    """
    for name, array in layer.params.items():
        if name == "input":
            raise ValueError(
                "check_gradients: params must not contain the name 'input', the name of x, "
                f"got {[*layer.params]}. Rename the parameter"
            )
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise TypeError(
                f"check_gradients: params[{name!r}] must be an array of real numbers, got "
                f"{described(array)}. "
                + (
                    "Store a complex parameter as two real ones"
                    if np.iscomplexobj(array)
                    else f"Convert it: np.asarray(params[{name!r}], float)"
                )
            )
        require_finite(
            "check_gradients",
            f"params[{name!r}]",
            array.astype(np.float64),
            fix="Set its initial values.",
        )
    return {name: np.asarray(array, np.float64) for name, array in layer.params.items()}


def selected(caller: str, names: list[str], only: Names | None, skip: Names) -> tuple[str, ...]:
    """Return the names that `only` and `skip` leave to be checked, in their order.

    >>> selected("check_vjp", ["x", "w", "b"], None, "b")
    ('x', 'w')
    >>> selected("check_vjp", ["x", "w", "b"], ["b", "x"], ())
    ('x', 'b')
    >>> for only, skip in (3, ()), (["v"], ()), (None, "v"), ("w", "w"):
    ...     try:
    ...         selected("check_vjp", ["x", "w", "b"], only, skip)
    ...     except (TypeError, ValueError) as error:
    ...         print(error)
    check_vjp: only must be a name or several of them, got int. The names are 'x', 'w', 'b'.
    check_vjp: only must be among 'x', 'w', 'b', got 'v'. Check the spelling.
    check_vjp: skip must be among 'x', 'w', 'b', got 'v'. Check the spelling.
    check_vjp: only and skip must leave an array to be checked, got only='w' and skip='w'. ...

    Raises `ValueError` for an unknown name, and if no name is left.
    """
    for option, chosen in {"only": names if only is None else only, "skip": skip}.items():
        if not isinstance(chosen, str | Collection):
            raise TypeError(
                f"{caller}: {option} must be a name or several of them, got {described(chosen)}. "
                f"The names are {str(names)[1:-1]}."
            )
    kept = names if only is None else [only] if isinstance(only, str) else only
    skipped = [skip] if isinstance(skip, str) else skip
    for option, given in {"only": kept, "skip": skipped}.items():
        for name in given:
            if name not in names:
                raise ValueError(
                    f"{caller}: {option} must be among {str(names)[1:-1]}, got {name!r}. "
                    "Check the spelling."
                )
    left = tuple(name for name in names if name in kept and name not in skipped)
    if not left:
        raise ValueError(
            f"{caller}: only and skip must leave an array to be checked, got only={only!r} and "
            f"skip={skip!r}. Leave them out to check {str(names)[1:-1]}."
        )
    return left


def numbers(caller: str, x: object, keep_integers: bool) -> Array:
    """Return x in float64, or raise unless it is an array of finite real numbers.

    >>> numbers("check", [1, 2], keep_integers=False), numbers("check", [1, 2], keep_integers=True)
    (array([1., 2.]), array([1, 2]))
    >>> numbers("check", [True], keep_integers=True)
    array([1.])
    >>> for x in 1j * np.ones(2), "12", 1.0, [], [np.inf]:
    ...     try:
    ...         numbers("check", x, keep_integers=True)
    ...     except (TypeError, ValueError) as error:
    ...         print(error)
    check: x must be an array of real numbers, got a complex128 array of shape (2,). Pass x.real.
    check: x must be an array of real numbers, got str. Convert it: np.asarray(x, float).
    check: x must have at least one axis and one number, got shape (). ...
    check: x must have at least one axis and one number, got shape (0,). ...
    check: x must be finite, got inf at x[0]. Fill the gap, or leave out x[0].
    """
    array = as_array(caller, "x", x)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{caller}: x must be an array of real numbers, got {described(x)}. "
            + ("Pass x.real." if array.dtype.kind == "c" else "Convert it: np.asarray(x, float).")
        )
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{caller}: x must have at least one axis and one number, got shape {array.shape}. "
            "For a single number pass np.array([number])."
        )
    if keep_integers and array.dtype.kind in "iu":
        return array
    array = array.astype(np.float64)
    require_finite(caller, "x", array, "...")
    return array


def run_forward(layer: HasGradients, x: Array) -> tuple[Array, Any]:
    """Run forward, and require (y, cache) with an array of real numbers.

    >>> from types import SimpleNamespace
    >>> def forward_returns(result):
    ...     return run_forward(SimpleNamespace(forward=lambda x: result), np.ones(1))
    >>> forward_returns(([2.0], "the cache"))
    ([2.0], 'the cache')
    >>> for result in 2.0, (2.0, "the cache", 3), ("2.0", None), (np.zeros(0), None):
    ...     try:
    ...         forward_returns(result)
    ...     except TypeError as error:
    ...         print(error)
    check_gradients: SimpleNamespace.forward must return (y, cache), got float. ...
    check_gradients: SimpleNamespace.forward must return (y, cache), got a tuple of 3: ...
    check_gradients: SimpleNamespace.forward must return a y of real numbers, got str. ...
    check_gradients: SimpleNamespace.forward must ..., got a float64 array of shape (0,). ...
    """
    result = layer.forward(x)
    name = type(layer).__name__
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(
            f"check_gradients: {name}.forward must return (y, cache), got "
            f"{described(result)}. Return y, None if backward needs nothing."
        )
    y = as_array("check_gradients", f"the y of {name}.forward", result[0])
    if y.dtype.kind not in "iuf" or y.size == 0:
        raise TypeError(
            f"check_gradients: {name}.forward must return a y of real numbers, got "
            f"{described(result[0])}. A gradient exists for outputs of type float only"
        )
    return result


def run_backward(layer: HasGradients, dy: Array, cache: Any) -> tuple[Array, Params]:
    """Run backward, and require (dx, grads).

    >>> from types import SimpleNamespace
    >>> def backward_returns(result):
    ...     return run_backward(SimpleNamespace(backward=lambda *_: result), np.ones(1), None)
    >>> backward_returns((2.0, {"w": 3.0}))
    (2.0, {'w': 3.0})
    >>> for result in 2.0, (2.0, 3.0), (2.0, {}, {}), [2.0, {}]:
    ...     try:
    ...         backward_returns(result)
    ...     except TypeError as error:
    ...         print(error)
    check_gradients: SimpleNamespace.backward must return (dx, grads), got float. ...
    check_gradients: SimpleNamespace.backward must return (dx, grads), got a tuple of 2: ...
    check_gradients: SimpleNamespace.backward must return (dx, grads), got a tuple of 3: ...
    check_gradients: SimpleNamespace.backward must return (dx, grads), got a list of 2: ...
    """
    result = layer.backward(dy, cache)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping)):
        raise TypeError(
            f"check_gradients: {type(layer).__name__}.backward must return (dx, grads), got "
            f"{described(result)}. Return dx, {{}} if there are no parameters."
        )
    return result


def some_dy(y: Array) -> Array:
    """Return an upstream gradient for `y` to try backward with: different values from 1 to 2.

    All of them are positive, so that a sum of them is not zero.

    >>> some_dy(np.zeros((2, 2))).round(2).tolist(), float(some_dy(np.array(5.0)))
    ([[1.0, 1.41], [1.73, 2.0]], 1.0)
    """
    return np.asarray(np.sqrt(np.linspace(1, 4, np.size(y))).reshape(np.shape(y)))


def described(value: object) -> str:
    """Return type and shape of a value, for an error message.

    >>> described((np.zeros(3), 1.0))
    'a tuple of 2: a float64 array of shape (3,), float'
    >>> described([*range(4)]), described([*range(5)])
    ('a list of 4: int, int, int, int', 'a list of 5: int, int, int, int, …')
    """
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} array of shape {value.shape}"
    if isinstance(value, tuple | list):
        items = ", ".join(map(described, value[:4])) + ", …" * (len(value) > 4)
        return f"a {type(value).__name__} of {len(value)}: {items}"
    return type(value).__name__
