"""Correct and incorrect layers (*suspects*) on which a reader's test is run.

`SUSPECTS` lists them by group. This file does not state which are correct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from numpycnn import Conv1D, Layer, MaxPool1D, Softmax
from numpycnn._types import Array

# A tanh
# ------


class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return y, which backward needs."""
        y = np.tanh(x)
        return y, y

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
        """Multiply with 1 - y²."""
        return dy * (1 - cache**2), {}


def tanh_with(change: Callable[[Array, Array, Array], Array]) -> Callable[[], Layer]:
    """A tanh whose dx is `change(dx, dy, y)`."""

    class Changed(Tanh):
        def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
            return change(super().backward(dy, cache)[0], dy, cache), {}

    return Changed


# A convolution without bias
# --------------------------


class Convolution(Conv1D):
    """A convolution of two channels without bias."""

    def __init__(self, taps: int = 4, stride: int = 1) -> None:
        super().__init__(2, 3, taps, stride=stride, rng=0)
        self._params = {"w": self.params["w"].astype(np.float64), "b": np.zeros(3)}


def convolution_with(change: Callable[[Any, Array, Any, Array], Array]) -> Callable[[], Layer]:
    """A convolution whose dx is `change(layer, dy, cache, dx)`."""

    class Changed(Convolution):
        def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
            dx, grads = super().backward(dy, cache)
            return change(self, dy, cache, dx), grads

    return Changed


def not_flipped(layer: Any, dy: Array, cache: Any, dx: Array) -> Array:
    """The dx of a convolution with the taps in reverse order."""
    w = layer.params["w"]
    other = Convolution(len(w), layer.stride).with_params({**layer.params, "w": w[::-1]})
    return Conv1D.backward(other, dy, cache)[0]


def of_averaged_dy(layer: Any, dy: Array, cache: Any, dx: Array) -> Array:
    """The dx for the mean of dy over the samples."""
    mean = np.repeat(dy.mean(axis=1, keepdims=True), dy.shape[1], axis=1)
    return Conv1D.backward(layer, mean, cache)[0]


# Max pooling
# -----------


def pooling_with(change: Callable[[Any, Array, Any, Array], Array]) -> Callable[..., Layer]:
    """Max pooling whose dx is `change(layer, dy, cache, dx)`."""

    class Changed(MaxPool1D):
        def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
            dx, grads = super().backward(dy, cache)
            return change(self, dy, cache, dx), grads

    return of_class(Changed)


def of_class(kind: Any) -> Callable[..., Layer]:
    """Make a layer from a pool size and a stride."""
    return lambda pool_size, stride: kind(pool_size, stride=stride)


def overwritten(layer: Any, dy: Array, cache: Any, dx: Array) -> Array:
    """Assign where windows overlap, instead of adding."""
    dx = np.zeros_like(dx)
    for n, m, c in np.ndindex(dy.shape):
        dx[n, m * layer.stride + cache.argmax[n, m, c], c] = dy[n, m, c]
    return dx


def to_the_first_sample(layer: Any, dy: Array, cache: Any, dx: Array) -> Array:
    """The gradient goes to the first sample of each window."""
    return MaxPool1D.backward(layer, dy, cache._replace(argmax=0 * cache.argmax))[0]


class ToAllMaxima(MaxPool1D):
    """Each of several equal maxima receives the whole gradient."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Keep x and y."""
        y, _ = super().forward(x)
        return y, (x, y)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
        """Compare with the maximum."""
        x, y = cache
        dx = np.zeros(x.shape, dy.dtype)
        for m in range(y.shape[1]):
            window = slice(m * self.stride, m * self.stride + self.pool_size)
            dx[:, window] += dy[:, m : m + 1] * (x[:, window] == y[:, m : m + 1])
        return dx, {}


class OfMagnitudes(MaxPool1D):
    """The maximum of the magnitudes, correctly differentiated."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Pool the magnitudes."""
        y, cache = super().forward(x * np.sign(x.real))
        return y, (cache, np.sign(x))

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Mapping[str, Array]]:
        """Multiply with the sign."""
        dx, grads = super().backward(dy, cache[0])
        return dx * cache[1], grads


class InPlace(MaxPool1D):
    """Max pooling that changes its input."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Subtract the mean from x itself."""
        y, cache = super().forward(x)
        x -= x.mean()
        return y, cache


SUSPECTS: dict[str, list[Callable[[], Any]]] = {
    "tanh": [
        Tanh,
        Softmax,
        tanh_with(lambda dx, dy, y: dy),
        tanh_with(lambda dx, dy, y: 0 * dx),
        tanh_with(lambda dx, dy, y: -dx),
        tanh_with(lambda dx, dy, y: 1.01 * dx),
        tanh_with(lambda dx, dy, y: 1 - y**2),
        tanh_with(lambda dx, dy, y: dx * (np.arange(dx.shape[1]) < dx.shape[1] - 1)),
        tanh_with(lambda dx, dy, y: dy * (1 - y)),
        tanh_with(lambda dx, dy, y: dx * np.nan),
    ],
    "convolution": [
        Convolution,
        lambda: Convolution(4, stride=2),
        convolution_with(not_flipped),
        convolution_with(lambda layer, dy, cache, dx: np.roll(dx, 1, 1)),
        convolution_with(lambda layer, dy, cache, dx: dx[:, :, ::-1]),
        convolution_with(lambda layer, dy, cache, dx: dx * [1.0, 0.0]),
        convolution_with(
            lambda layer, dy, cache, dx: dx * (np.arange(len(dx)) == 0)[:, None, None]
        ),
        convolution_with(lambda layer, dy, cache, dx: dx / len(dx)),
        convolution_with(of_averaged_dy),
        convolution_with(lambda layer, dy, cache, dx: dx * (np.arange(dx.shape[1]) > 0)[:, None]),
    ],
    "pooling": [
        lambda: of_class(MaxPool1D),
        lambda: pooling_with(overwritten),
        lambda: of_class(ToAllMaxima),
        lambda: pooling_with(to_the_first_sample),
        lambda: pooling_with(
            lambda layer, dy, cache, dx: dx * (np.arange(len(dx)) == 0)[:, None, None]
        ),
        lambda: pooling_with(lambda layer, dy, cache, dx: dx * (np.arange(dx.shape[2]) == 0)),
        lambda: of_class(OfMagnitudes),
        lambda: lambda pool_size, stride: MaxPool1D(pool_size),
        lambda: of_class(InPlace),
    ],
}
"""For each group, functions without arguments that make a suspect."""
