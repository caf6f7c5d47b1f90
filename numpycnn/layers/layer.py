"""The layer: a function that can also run backwards.

A network is a chain of functions. Each link takes an array and hands on
another, and holds a few arrays of numbers, its *parameters*, that decide what
it computes. Training asks every link one question, starting from the last:
*if your output changed by a little, how much would the loss change?* Knowing
that for its output, a layer can work it out for its input and its parameters.
That is all of backpropagation, and a layer is the pair of functions that do it:

    y, cache  = layer.forward(x)
    dx, grads = layer.backward(dy, cache)

`dy` stands for "d loss / d y", the same shape as `y`; so do `dx` for `x` and
`grads["w"]` for `params["w"]`.

The *cache* is whatever backward needs to know about forward, and nothing else.
The caller carries it from one to the other; the layer keeps nothing. So a
layer can run forward twice before it runs backward, on training data and then
on validation data, and nothing gets mixed up. Neither function changes what it
was given.
"""

import inspect
from copy import copy
from math import lcm
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from numpycnn.types import Array, Params

Kind = TypeVar("Kind", bound="Layer")


class Window(NamedTuple):
    """Which stretch of the input an output looks at: `reach` samples, `stride` further each time.

    Output 0 begins `left` samples before sample 0, where the padding is. `n_outputs` of them
    there are. A layer that makes a trace longer has `repeat` outputs in turn that look at the
    same stretch, and the next `repeat` at the one after it. Outputs that all look at the
    whole trace have stride 0.

    >>> window = Window(reach=5, stride=2, left=2, n_outputs=32)
    >>> window.of(0), window.of(10)
    ((-2, 2), (18, 22))
    """

    reach: int
    stride: int
    left: int
    n_outputs: int
    repeat: int = 1

    def of(self, m: int) -> tuple[int, int]:
        """Return the first and the last sample, counted from 0, that output m looks at.

        Beyond the ends of the trace, below 0 or from L on, lies the padding.
        """
        first = m // self.repeat * self.stride - self.left
        return first, first + self.reach - 1

    def under(self, k: int) -> slice:
        """Return the samples at place `k` of every window, one for each output.

        They are counted in the padded trace, whose first sample is where output 0 begins.

        >>> Window(reach=5, stride=2, left=2, n_outputs=3).under(1)
        slice(1, 6, 2)
        """
        return slice(k, k + (self.n_outputs - 1) * self.stride + 1, self.stride)

    def then(self, after: "Window") -> "Window":
        """Return what the outputs of the next layer look at, whose window onto ours is `after`.

        >>> conv, pool = Window(5, 1, 2, n_outputs=64), Window(2, 2, 0, n_outputs=32)
        >>> conv.then(pool)
        Window(reach=6, stride=2, left=2, n_outputs=32, repeat=1)
        """
        # After so many of our outputs both patterns, ours and the next layer's, begin anew.
        period = lcm(self.repeat, after.stride)
        # The first and the last of our windows that the next layer's outputs up to there need.
        first = -after.left // self.repeat
        last = (period - after.stride - after.left + after.reach - 1) // self.repeat
        return Window(
            reach=self.reach + (last - first) * self.stride,
            stride=period // self.repeat * self.stride,
            left=self.left - first * self.stride,
            n_outputs=after.n_outputs,
            repeat=after.repeat * period // after.stride if after.stride else 1,
        )


class Layer:
    """The contract every layer keeps, and the little that all of them share.

    A subclass hands its parameters to `Layer.__init__` and defines `forward` and
    `backward`. It stores each argument of its constructor, `rng` apart, under the
    argument's own name: that is how a layer can be printed, saved and rebuilt.

    >>> class Scale(Layer):
    ...     def __init__(self, factor):
    ...         super().__init__(factor=np.array([factor]))
    ...         self.factor = factor
    ...
    ...     def forward(self, x):
    ...         return x * self.params["factor"], x
    ...
    ...     def backward(self, dy, cache):
    ...         return dy * self.params["factor"], {"factor": np.array([np.sum(dy * cache)])}
    >>> layer = Scale(3.0)
    >>> layer
    Scale(3.0)
    >>> y, cache = layer.forward(np.array([1.0, 2.0]))
    >>> dx, grads = layer.backward(np.array([1.0, 1.0]), cache)
    >>> y, dx, grads["factor"]
    (array([3., 6.]), array([3., 3.]), array([3.]))
    """

    def __init__(self, **params: Array) -> None:
        self._params: Params = params

    @property
    def params(self) -> Params:
        """The layer's own arrays by name, not copies: an optimiser changes them in place."""
        if not hasattr(self, "_params"):
            raise TypeError(
                f"{type(self).__name__} expected super().__init__() at the start of its "
                "constructor, with its parameters by name if it has any"
            )
        return self._params

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return the output for `x` and the cache that `backward` will want."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return the loss's gradient for the input and, by name, for each parameter."""
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    def window(self, length: int) -> Window:
        """Return which stretch of an input of this length each output looks at.

        Raises `NotImplementedError` for a layer whose class does not say, and `ValueError` for
        an input that is too short.
        """
        raise NotImplementedError(
            f"{type(self).__name__} defines no window(length), so nobody knows which samples its "
            "outputs look at; define one that returns a numpycnn.layers.Window"
        )

    def with_params(self: Kind, params: Params) -> Kind:
        """A copy of this layer that holds `params` in place of its own."""
        twin = copy(self)
        twin._params = dict(params)
        return twin

    def astype(self: Kind, dtype: npt.DTypeLike) -> Kind:
        """A copy of this layer whose parameters have another type of float, float64 say."""
        if np.dtype(dtype).kind not in "fc":
            raise TypeError(f"astype expected a type of floats, got {np.dtype(dtype)}")
        return self.with_params({name: array.astype(dtype) for name, array in self.params.items()})

    def options(self) -> dict[str, Any]:
        """The arguments that would build this layer again, weights apart."""
        return {name: getattr(self, name) for name in self._arguments()}

    def __repr__(self) -> str:
        shown = []
        for name, argument in self._arguments().items():
            value = getattr(self, name)
            if argument.kind is not argument.KEYWORD_ONLY:
                shown.append(repr(value))
            elif value != argument.default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _arguments(self) -> dict[str, inspect.Parameter]:
        """The constructor's arguments by name, without `rng` and without a bare `**params`."""
        return {
            name: argument
            for name, argument in inspect.signature(type(self)).parameters.items()
            if name != "rng" and argument.kind is not argument.VAR_KEYWORD
        }
