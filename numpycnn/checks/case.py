"""One case: a layer, an input, and a random gradient from above.

Everything the checker wants to know about a layer is asked here: what backward
says, what the derivatives really are, and whether the layer keeps the contract
while it answers. All in float64, on copies, so that the layer is left as it was.
"""

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.exceptions import ComplexWarning

from numpycnn.checks.derivatives import DERIVATIVES, Method, OneSided
from numpycnn.checks.mistakes import Mistake
from numpycnn.layers.layer import Layer
from numpycnn.types import Array, Params


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


class Case(NamedTuple):
    """A layer with an input, its parameters, and a random upstream gradient dy."""

    subject: str
    layer: HasGradients
    arrays: Params  # the input and the parameters
    dy: Array

    @classmethod
    def of(cls, layer: Any, x: Array, rng: np.random.Generator) -> "Case":
        """Convert to float64 and draw dy."""
        if not hasattr(layer, "forward") and not callable(layer):
            raise TypeError(
                "check_gradients expected a layer with forward, backward and params, or a "
                f"function that returns a loss and its gradient, got {type(layer).__name__}"
            )
        subject = type(layer).__name__
        if not hasattr(layer, "forward"):
            subject, layer = getattr(layer, "__name__", "the loss"), LossAsLayer(layer)
        x = np.asarray(x, np.float64)
        if not np.isfinite(x).all():
            raise ValueError("check_gradients expected an x of finite numbers, got NaN or infinity")
        arrays = {name: np.asarray(array, np.float64) for name, array in layer.params.items()}
        if "input" in arrays:
            raise ValueError("check_gradients wants the name input for x; rename the parameter")
        arrays = {"input": x, **arrays}
        case = cls(subject, layer, arrays, np.zeros(()))
        with np.errstate(all="ignore"):
            return case._replace(dy=rng.standard_normal(case.output().shape))

    def output(self) -> Array:
        """What forward gives."""
        layer = _with_params(self.layer, self.arrays)
        y, _ = _forward(layer, self.arrays["input"].copy())
        return np.asarray(y)

    def gradients(self) -> Params:
        """What the layer says."""
        layer = _with_params(self.layer, self.arrays)
        _, cache = _forward(layer, self.arrays["input"].copy())
        dx, grads = _backward(layer, self.dy.copy(), cache)
        return {"input": np.asarray(dx), **grads}

    def breach(self) -> Mistake | None:
        """How the layer breaks the contract, if it does."""
        given = {name: array.copy() for name, array in {**self.arrays, "dy": self.dy}.items()}
        layer, x, dy = _with_params(self.layer, given), given["input"], given["dy"]
        y, cache = _forward(layer, x)
        if not np.isfinite(y).all():
            return Mistake("not finite", "forward gives NaN or infinity for finite numbers")
        dx, grads = _backward(layer, dy, cache)
        first = {"input": np.array(dx), **{name: np.array(grad) for name, grad in grads.items()}}

        if first.keys() != self.arrays.keys():
            names = [*first], [*self.arrays]
            return Mistake("wrong key", "there are gradients for {}, not for {}".format(*names))
        for name, array in self.arrays.items():
            if first[name].shape != array.shape:
                shapes = f"{first[name].shape}, its array {array.shape}"
                return Mistake("wrong shape", f"the gradient for {name} has the shape {shapes}")
        for name, array in {**self.arrays, "dy": self.dy}.items():
            if not np.array_equal(given[name], array):
                return Mistake(
                    "argument changed", f"the array {name} was changed in place; work on a copy"
                )
        if not _same(layer.backward(dy, cache), first):
            return Mistake(
                "accumulated",
                "a second backward gives another result: gradients are kept between calls and "
                "added to; return new ones every time",
            )
        layer.forward(np.roll(x, 1))  # the same numbers elsewhere, so any input is a fair one
        if not _same(layer.backward(dy, cache), first):
            return Mistake(
                "cache overwritten",
                "after another forward, backward gives another result: what it needs is kept on "
                "the layer and has been overwritten; return it as the cache",
            )
        return None

    def derivative(self, method: Method, name: str, direction: Array) -> OneSided:
        """How each output changes as the array `name` moves along `direction`.

        Raises `TypeError` if the method is the complex step and the layer cannot do it.
        """

        def output(moved: Array) -> Array:
            arrays = {**self.arrays, name: moved}
            return np.asarray(_with_params(self.layer, arrays).forward(arrays["input"])[0])

        with warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)
            try:
                return DERIVATIVES[method](output, self.arrays[name], direction)
            except ComplexWarning as error:
                raise TypeError(f"the layer casts complex numbers to real ones: {error}") from error

    def columns(self, method: Method, name: str) -> OneSided:
        """How each output changes with each single entry of the array `name`."""
        array = self.arrays[name]
        shape = (*array.shape, *self.dy.shape)
        both = OneSided(np.zeros(shape), np.zeros(shape))
        for index in np.ndindex(*array.shape):
            one = self.derivative(method, name, unit(array, index))
            both.right[index], both.left[index] = one.right, one.left
        return both

    def shaken(self, rng: np.random.Generator, share: float) -> "Case":
        """The same case with every number changed a little, by at most this share of itself.

        A zero is changed by that share of the largest number in its array.
        """

        def shake(array: Array) -> Array:
            sizes = np.where(array == 0, float(np.max(np.abs(array))) or 1.0, array)
            return np.asarray(array + share * sizes * rng.uniform(-1, 1, array.shape))

        arrays = {name: shake(array) for name, array in self.arrays.items()}
        return self._replace(arrays=arrays, dy=shake(self.dy))

    def of_size_one(self) -> "Case":
        """The same case with every array that is larger brought down to numbers up to one."""
        arrays = {name: a / max(1.0, float(np.max(np.abs(a)))) for name, a in self.arrays.items()}
        return self._replace(arrays=arrays)

    def sizes(self) -> dict[str, int]:
        """The sizes by their letters, for naming a factor."""
        x_shape = self.arrays["input"].shape
        letters = {3: "NLC", 2: "ND", 1: "D"}.get(len(x_shape), "")
        sizes = dict(zip(letters, x_shape, strict=False))
        if self.dy.ndim == 3:
            sizes |= {"M": self.dy.shape[1], "F": self.dy.shape[2]}
        for letter, name in (("K", "kernel_size"), ("P", "pool_size")):
            if hasattr(self.layer, name):
                sizes[letter] = getattr(self.layer, name)
        for second in ("M", "L", "D"):
            if "N" in sizes and second in sizes:
                sizes[f"N·{second}"] = sizes["N"] * sizes[second]
        return sizes


def unit(array: Array, index: tuple[int, ...]) -> Array:
    """Zeros like `array`, but for a single one."""
    one = np.zeros_like(array)
    one[index] = 1
    return one


def _forward(layer: HasGradients, x: Array) -> tuple[Array, Any]:
    """Run forward, and see that it keeps its side of the contract."""
    result = layer.forward(x)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(
            f"check_gradients expected {type(layer).__name__}.forward to return (y, cache), got "
            f"{type(result).__name__}; return y, None if backward needs nothing"
        )
    return result


def _backward(layer: HasGradients, dy: Array, cache: Any) -> tuple[Array, Params]:
    """Run backward, and see that it keeps its side of the contract."""
    result = layer.backward(dy, cache)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
        raise TypeError(
            f"check_gradients expected {type(layer).__name__}.backward to return (dx, grads), got "
            f"{type(result).__name__}; return dx, {{}} if there are no parameters"
        )
    return result


def _with_params(layer: HasGradients, arrays: Params) -> HasGradients:
    """A copy of `layer` that holds the parameters in `arrays`."""
    params = {name: arrays[name] for name in layer.params}
    if isinstance(layer, Layer):
        return layer.with_params(params)
    twin = deepcopy(layer)
    twin.params.update(params)
    return twin


def _same(result: tuple[Array, Params], first: Params) -> bool:
    """Whether a result of backward is the first one again, to the bit."""
    again = {"input": result[0], **result[1]}
    return all(np.array_equal(again[name], grad, equal_nan=True) for name, grad in first.items())
