"""One case: a layer, an input, and a random gradient from above.

Everything the checker wants to know about a layer is asked here: what backward
says, and what the derivatives really are, at these numbers or at others near by.
All in float64, on copies, so that the layer is left as it was.
"""

import warnings
from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.exceptions import ComplexWarning

from numpycnn.checks.derivatives import (
    DERIVATIVES,
    Method,
    OneSided,
    central_difference,
    difference,
    own_step,
)
from numpycnn.layers.container import Container
from numpycnn.layers.layer import Layer, defining
from numpycnn.types import Array, Params
from numpycnn.validation import as_array, require_finite

PARTS_OF_A_LAYER = "forward", "backward", "params"


class HasGradients(Protocol):
    """What can be checked: anything that keeps the layer's contract, of whatever class."""

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
    """A loss in the form of a layer: its output is one number, its cache the gradient."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return the loss and, as the cache, its gradient."""
        value, gradient = self.loss(x)
        return np.asarray(value), gradient

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return the gradient, times the one number dy."""
        return dy * cache, {}


LETTERS_IN = {1: ["D"], 2: ["N", "D"], 3: ["N", "L", "C"], 4: ["N", "H", "W", "C"]}
LETTERS_OUT = {3: ["M", "F"], 4: ["H_out", "W_out", "F"]}
"""What the sizes of an input, and of an output after N, are called; four axes are a picture's."""


class Case(NamedTuple):
    """A layer with an input, its parameters, and a random upstream gradient dy."""

    subject: str
    layer: HasGradients
    arrays: Params  # the input and the parameters
    dy: Array
    names: tuple[str, ...]  # the arrays whose gradients are compared

    @classmethod
    def of(
        cls,
        layer: Any,
        x: Array,
        rng: np.random.Generator,
        only: Names | None = None,
        skip: Names = (),
    ) -> "Case":
        """Convert to float64 and draw dy."""
        missing = [part for part in PARTS_OF_A_LAYER if not hasattr(layer, part)]
        if missing and ("forward" not in missing or not callable(layer)):
            lacks = "" if "forward" in missing else f", which has no {' and no '.join(missing)}"
            raise TypeError(
                "check_gradients expected a layer with forward, backward and params, or a "
                f"function that returns a loss and its gradient, got {type(layer).__name__}{lacks}"
            )
        subject = type(layer).__name__
        if missing:
            subject, layer = getattr(layer, "__name__", "the loss"), LossAsLayer(layer)
        arrays = {name: np.asarray(array, np.float64) for name, array in layer.params.items()}
        if "input" in arrays:
            raise ValueError("check_gradients wants the name input for x; rename the parameter")
        arrays = {"input": _numbers(x), **arrays}
        case = cls(subject, layer, arrays, np.zeros(()), _selected(arrays, only, skip))
        with np.errstate(all="ignore"):
            return case._replace(dy=rng.standard_normal(case.output().shape))

    def output(self) -> Array:
        """What forward gives."""
        layer = with_params(self.layer, self.arrays)
        y, _ = run_forward(layer, self.arrays["input"].copy())
        return np.asarray(y)

    def gradients(self) -> Params:
        """What the layer says."""
        layer = with_params(self.layer, self.arrays)
        _, cache = run_forward(layer, self.arrays["input"].copy())
        dx, grads = run_backward(layer, self.dy.copy(), cache)
        found = {**grads, "input": dx}
        return {name: np.asarray(found[name]) for name in self.names}

    # Derivatives
    # -----------

    def derivative(self, method: Method, name: str, direction: Array) -> OneSided:
        """How each output changes as the array `name` moves along `direction`.

        Raises `TypeError` if the method is the complex step and the layer cannot do it.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)
            try:
                return DERIVATIVES[method](self.function_of(name), self.arrays[name], direction)
            except ComplexWarning as error:
                raise TypeError(f"the layer casts complex numbers to real ones: {error}") from error

    def differences(self, name: str, direction: Array) -> Iterator[OneSided]:
        """The same from differences: first over one step, then over the steadiest of many."""
        f, at = self.function_of(name), self.arrays[name]
        yield difference(f, f(at), at, direction, 1e-5 * own_step(at, direction))
        yield central_difference(f, at, direction)

    def entry(self, method: Method, name: str, place: tuple[int, ...]) -> tuple[float, float]:
        """The gradient's entry at this place, and the sum of its absolute terms."""
        terms = self.dy * self.derivative(method, name, unit(self.arrays[name], place)).middle
        return float(terms.sum()), float(np.abs(terms).sum())

    def function_of(self, name: str) -> Callable[[Array], Array]:
        """The output as a function of the array `name` alone."""

        def output(moved: Array) -> Array:
            arrays = {**self.arrays, name: moved}
            return np.asarray(with_params(self.layer, arrays).forward(arrays["input"])[0])

        return output

    def columns(self, method: Method, name: str) -> OneSided:
        """How each output changes with each single entry of the array `name`."""
        array = self.arrays[name]
        shape = (*array.shape, *self.dy.shape)
        right, left, noise = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(*array.shape):
            right[index], left[index], noise[index] = self.derivative(
                method, name, unit(array, index)
            )
        return OneSided(right, left, noise)

    # The same case with other numbers
    # --------------------------------

    def shaken(self, rng: np.random.Generator, share: float) -> "Case":
        """With every number changed a little, dy too, by at most this share of itself."""

        def shake(array: Array) -> Array:
            return np.asarray(array * (1 + share * rng.uniform(-1, 1, array.shape)))

        arrays = {name: shake(array) for name, array in self.arrays.items()}
        return self._replace(arrays=arrays, dy=shake(self.dy))

    def aside(self, rng: np.random.Generator, share: float) -> "Case":
        """A little way off: every array moved by at most this share of its largest number."""

        def move(array: Array) -> Array:
            return np.asarray(array + share * largest(array) * rng.uniform(-1, 1, array.shape))

        return self._replace(arrays={name: move(array) for name, array in self.arrays.items()})

    def of_size_one(self) -> "Case | None":
        """With the largest number of every array scaled to one; None if forward fails there."""
        arrays = {name: array / largest(array) for name, array in self.arrays.items()}
        one = self._replace(arrays=arrays)
        try:
            return one if np.isfinite(one.output()).all() else None
        except (ValueError, ArithmeticError):
            return None

    def is_far_from_one(self) -> bool:
        """Whether the largest number of some array is below a tenth, or above ten."""
        return any(not 0.1 <= largest(array) <= 10 for array in self.arrays.values())

    def sizes(self) -> dict[str, int]:
        """The sizes by their letters, and products of them over which one takes a mean."""
        x_shape, y_shape = self.arrays["input"].shape, self.dy.shape
        sizes = dict(zip(LETTERS_IN.get(len(x_shape), ()), x_shape, strict=False))
        sizes |= dict(zip(LETTERS_OUT.get(len(y_shape), ()), y_shape[1:], strict=False))
        for letter, name in (("K", "kernel_size"), ("P", "pool_size")):
            window = np.asarray(getattr(self.layer, name, None))
            if window.dtype.kind in "iu" and window.size:  # one size for all directions, or each
                sizes[letter] = int(window.flat[0])
                if len(x_shape) == 4:
                    sizes[f"{letter}·{letter}"] = int(np.broadcast_to(window, 2).prod())
        for height, width in (("H", "W"), ("H_out", "W_out")):
            if height in sizes:
                sizes[f"{height}·{width}"] = sizes[height] * sizes[width]
        for places in ("M", "L", "D", "H·W", "H_out·W_out"):
            if "N" in sizes and places in sizes:
                sizes[f"N·{places}"] = sizes["N"] * sizes[places]
        return sizes


def largest(array: Array) -> float:
    """The largest size of a number in `array`, or one if all are zero."""
    return float(np.max(np.abs(array))) or 1.0


def unit(array: Array, index: tuple[int, ...]) -> Array:
    """Zeros like `array`, but for a single one."""
    one = np.zeros_like(array)
    one[index] = 1
    return one


def run_forward(layer: HasGradients, x: Array) -> tuple[Array, Any]:
    """Run forward, and see that it keeps its side of the contract."""
    result = layer.forward(x)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(
            f"check_gradients expected {type(layer).__name__}.forward to return (y, cache), got "
            f"{type(result).__name__}; return y, None if backward needs nothing"
        )
    return result


def run_backward(layer: HasGradients, dy: Array, cache: Any) -> tuple[Array, Params]:
    """Run backward, and see that it keeps its side of the contract."""
    result = layer.backward(dy, cache)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
        raise TypeError(
            f"check_gradients expected {type(layer).__name__}.backward to return (dx, grads), got "
            f"{type(result).__name__}; return dx, {{}} if there are no parameters"
        )
    return result


def with_params(layer: HasGradients, arrays: Params) -> HasGradients:
    """A copy of `layer` that holds the parameters in `arrays`."""
    params = {name: arrays[name] for name in layer.params}
    if isinstance(layer, Layer) and defining(layer, "params") in (Layer, Container):
        return layer.with_params(params)
    # A class that keeps its parameters in its own way. Told that the copy of each parameter
    # is the new array, deepcopy puts that wherever the old one stood.
    return deepcopy(layer, {id(array): params[name] for name, array in layer.params.items()})


def _selected(arrays: Params, only: Names | None, skip: Names) -> tuple[str, ...]:
    """Return the names of the arrays that are compared, in the order of `arrays`."""
    groups = {"only": arrays if only is None else only, "skip": skip}
    groups = {key: [names] if isinstance(names, str) else [*names] for key, names in groups.items()}
    for key, names in groups.items():
        for name in names:
            if name not in arrays:
                raise ValueError(
                    f"check_gradients: {key} must contain names out of {[*arrays]}, got {name!r}. "
                    "Pass 'input' for x, and the keys of params"
                )
    selected = tuple(n for n in arrays if n in groups["only"] and n not in groups["skip"])
    if not selected:
        raise ValueError(
            f"check_gradients: only and skip must leave an array to compare, got only={only!r} and "
            f"skip={skip!r}. Leave them out to compare {[*arrays]}"
        )
    return selected


def _numbers(x: object) -> Array:
    """Return x in float64, or raise for what is not an array of finite numbers."""
    array = as_array("check_gradients", "x", x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"check_gradients expected an x of real numbers, got {array.dtype}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"check_gradients expected an x with at least one axis and one number, got shape "
            f"{array.shape}; for a single number pass np.array([number])"
        )
    array = array.astype(np.float64)
    require_finite("check_gradients", "x", array, "...")
    return array
