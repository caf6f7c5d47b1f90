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
from collections.abc import Iterator
from copy import copy
from math import gcd, lcm
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import (
    entry,
    first_true,
    require_finite,
    require_parameters,
    whole_number,
)

Kind = TypeVar("Kind", bound="Layer")


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
        require_parameters(self, params)
        self._params = params
        self._state: dict[str, Array] = {}

    @property
    def params(self) -> Params:
        """The layer's own arrays by name, not copies: an optimizer changes them in place."""
        # A layer without parameters may leave super().__init__() out.
        params: Params = vars(self).setdefault("_params", {})
        return params

    @property
    def state(self) -> dict[str, Array]:
        """Arrays by names of their own that are kept with `params` and moved by no gradient."""
        state: dict[str, Array] = vars(self).setdefault("_state", {})
        return state

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("params", "state"):
            raise AttributeError(
                f"{type(self).__name__}: {name} must not be replaced. Write into its arrays, "
                f"layer.{name}[name][...] = values; a new layer passes its own to "
                "super().__init__(w=w, b=b)."
            )
        super().__setattr__(name, value)

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return the output for `x` and the cache that `backward` will want."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return the loss's gradient for the input and, by name, for each parameter."""
        raise NotImplementedError(f"{type(self).__name__} defines no backward")

    # In training
    # -----------
    # A layer is the one for use: nothing has to be switched and nothing can be forgotten. Some
    # layers do something else while they are trained, and give a *twin* for that, with the same
    # arrays. The twin's forward and backward are functions as well, and what a step should leave
    # behind, `remember` takes from its cache. Most layers are their own twins.

    def training(self, rng: Rng = None) -> "Layer":
        """Return what stands in for this layer while it is trained, with the same arrays.

        `rng` is where a twin's randomness comes from. A layer that has none draws nothing.
        """
        return self

    def remember(self, cache: Any) -> None:
        """Keep what is to be kept of a forward of the twin, after the step."""

    def _as(self, kind: type[Kind]) -> Kind:
        """A layer of another class with everything this one has, the same arrays among it."""
        twin = object.__new__(kind)
        vars(twin).update(vars(self))
        return twin

    # What follows from forward
    # -------------------------

    def __call__(self, x: Array) -> Array:
        """Return the output for `x` without the cache: `layer(x)`."""
        y, _ = self.forward(x)
        return y

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the output for `x`, computed for `batch_size` traces at a time if that is given.

        While it runs, a network keeps the caches of all its layers, as for training. Where
        memory is short, pass a `batch_size`.

        Raises `TypeError` or `ValueError` for arrays that do not fit, and for NaN and infinity
        with their position. A plain `layer(x)` passes these through.
        """
        return self._predicted("predict", x, batch_size)

    def classify(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the class with the highest score, by number: the argmax over the last axis.

        For a single score these are the classes 0 and 1, and 1 where the score is above 0.

        Raises what `predict` raises, and `ValueError` for scores that are NaN.
        """
        scores = self._predicted("classify", x, batch_size)
        if (gaps := np.isnan(scores)).any():
            raise ValueError(
                f"classify: the scores must not be NaN, got {entry('scores', first_true(gaps))}. "
                "Are the parameters finite? A network that diverged in training has to be trained "
                "again."
            )
        if scores.shape[-1] == 1:
            return (scores[..., 0] > 0).astype(np.intp)
        labels: Array = scores.argmax(axis=-1)
        return labels

    def _predicted(self, owner: str, x: Array, batch_size: int | None) -> Array:
        """Return the output for x, checked first in the name of the function `owner`."""
        require_finite(owner, "x", x)
        if batch_size is None:
            return self(x)
        size = whole_number(owner, "batch_size", batch_size)
        return np.concatenate([self(x[start : start + size]) for start in range(0, len(x), size)])

    def window(self, length: int) -> "Window":
        """Return which stretch of an input of this length each output looks at.

        Raises `NotImplementedError` for a layer whose class does not say, and `ValueError` for
        an input that is too short.
        """
        raise NotImplementedError(
            f"{type(self).__name__} defines no window(length), so nobody knows which samples its "
            "outputs look at; define one that returns a numpycnn.layers.Window"
        )

    # Copies, and what a layer says of itself
    # ---------------------------------------

    def with_params(self: Kind, params: Params) -> Kind:
        """A copy of this layer that holds `params` in place of its own.

        Its `state` is a copy, except for arrays whose names are among `params`.
        """
        twin = copy(self)
        twin._params = {name: params[name] for name in self.params}
        twin._state = {name: params.get(name, own.copy()) for name, own in self.state.items()}
        return twin

    def astype(self: Kind, dtype: npt.DTypeLike) -> Kind:
        """A copy of this layer whose parameters have another type of float, float64 say.

        The `state`, statistics of data, is not made narrower than float64.
        """
        if np.dtype(dtype).kind not in "fc":
            raise TypeError(f"astype: dtype must be a type of floats, got {np.dtype(dtype)}.")
        wide = np.result_type(dtype, np.float64)
        arrays = {name: array.astype(dtype) for name, array in self.params.items()}
        state = {name: array.astype(wide) for name, array in self.state.items()}
        return self.with_params(arrays | state)

    def stages(self, place: str = "") -> Iterator[tuple[str, "Layer"]]:
        """Every layer in which something is computed, with its place: here, only this one."""
        yield place, self

    def options(self) -> dict[str, Any]:
        """The arguments that would build this layer again, weights apart.

        Raises `TypeError` if an argument is not stored under its own name.
        """
        for name in self._arguments():
            if not hasattr(self, name):
                raise TypeError(
                    f"{type(self).__name__}: the argument {name} must be stored under its own "
                    f"name, so that the layer can be built again. Write self.{name} = {name}."
                )
        return {name: getattr(self, name) for name in self._arguments()}

    def __repr__(self) -> str:
        shown: list[str] = []
        for name, argument in self._arguments().items():
            value = repr(getattr(self, name)) if hasattr(self, name) else "..."
            if argument.kind is argument.VAR_POSITIONAL:
                shown += map(repr, getattr(self, name, ()))
            elif argument.kind is not argument.KEYWORD_ONLY:
                shown.append(value)
            elif value != repr(argument.default):
                shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _arguments(self) -> dict[str, inspect.Parameter]:
        """The constructor's arguments by name, without `rng` and without a bare `**params`."""
        return {
            name: argument
            for name, argument in inspect.signature(type(self)).parameters.items()
            if name != "rng" and argument.kind is not argument.VAR_KEYWORD
        }


def require_layer(owner: str, model: object) -> None:
    """Raise `TypeError` unless `model` is a layer, or a network, which is one as well."""
    if not isinstance(model, Layer):
        raise TypeError(f"{owner}: model must be a layer, such as a Sequential, got {model!r}.")


def defining(layer: Layer, *methods: str) -> type[Layer]:
    """Return the class whose `forward`, say, a layer has: its own, or one that it extends.

    Of several methods, the class that comes first with any of them. Whoever knows by heart
    what the package's layers compute asks this first: a chain with a constructor of your own
    computes what `Sequential` does, a convolution with a `forward` of your own may do anything.
    """
    return next(kind for kind in type(layer).__mro__ if vars(kind).keys() & set(methods))


# What an output looks at
# -----------------------
# An output of a convolution or a pooling depends on the few samples under its window, and the
# next output on those one stride further. That is all one has to know to run a network over
# a record too long for memory, or to say how far it sees.
#
# Windows add up from layer to layer. An output that looks at some numbers of the map before
# it sees from the first sample that the first of them sees to the last sample of the last. A
# map moves on by `S` samples from one number to the next. So `K` neighbours see `(K - 1) S` samples
# more than one of them, and a stride in the next layer makes `S` so many times larger: behind two
# poolings by 2, each further tap of a filter adds four samples. ReLU and a dense layer at each
# sample leave the windows as they are.
#
# Behind a layer that makes a trace longer, several outputs in turn look at the same
# sample, and a filter behind that sees now more and now less of it. But after a few outputs the
# pattern begins anew, some samples further on. So a window is one turn of that pattern.


class Window(NamedTuple):
    """Which stretch of the input each output looks at.

    - `spans`: the first and the last sample that output 0 looks at, then those of output 1, and
      so on until the pattern begins anew; usually a single pair says it all
    - `stride`: by how many samples the pattern then has moved on; 0 if every output looks at
      the same ones, the whole trace
    - `n_outputs`: how many outputs there are, as many as fit

    Samples are counted from 0. Beyond the ends of the trace, below 0 or from L on, is the padding.

    >>> window = Window([(-2, 2)], stride=2, n_outputs=32)
    >>> window.of(0), window.of(10)
    ((-2, 2), (18, 22))
    """

    spans: list[tuple[int, int]]
    stride: int
    n_outputs: int

    @classmethod
    def each_sample(cls, length: int) -> "Window":
        """Every output looks at the one sample in its own place."""
        return cls([(0, 0)], 1, length)

    @classmethod
    def whole_trace(cls, length: int) -> "Window":
        """There is one output, or a row of them, and it looks at everything."""
        return cls([(0, length - 1)], 0, 1)

    @property
    def reach(self) -> int:
        """Samples of a stretch, of the longest where they differ."""
        return max(last - first + 1 for first, last in self.spans)

    @property
    def left(self) -> int:
        """By how many samples the first stretch begins before sample 0, where the padding is."""
        return -self.spans[0][0]

    def of(self, m: int) -> tuple[int, int]:
        """Return the first and the last sample that output m looks at."""
        turn, place = divmod(m, len(self.spans))
        first, last = self.spans[place]
        return first + turn * self.stride, last + turn * self.stride

    def under(self, k: int) -> slice:
        """Return the samples at place `k` of every window, one for each output.

        They are counted in the padded trace, whose first sample is where output 0 begins.

        >>> Window([(-2, 2)], stride=2, n_outputs=3).under(1)
        slice(1, 6, 2)
        """
        return slice(k, k + (self.n_outputs - 1) * self.stride + 1, self.stride)

    def then(self, after: "Window") -> "Window":
        """Return what the outputs of the next layer look at, whose window onto ours is `after`.

        >>> conv, pool = Window([(-2, 2)], 1, n_outputs=64), Window([(0, 1)], 2, n_outputs=32)
        >>> conv.then(pool)
        Window(spans=[(-2, 3)], stride=2, n_outputs=32)
        """
        ours = len(self.spans)
        turns = ours // gcd(ours, after.stride)  # of its pattern, until ours begins anew as well
        seen = map(after.of, range(turns * len(after.spans)))
        return Window(
            [(self.of(first)[0], self.of(last)[1]) for first, last in seen],
            turns * after.stride // ours * self.stride,
            after.n_outputs,
        )

    def through(self, layer: Layer) -> "Window":
        """Return what the outputs of `layer` look at, if its input is ours.

        Behind what looks at the whole trace no layer needs to be asked.
        """
        return self.then(layer.window(self.n_outputs)) if self.stride else self

    def joined(self, other: "Window") -> "Window":
        """Return what outputs look at that look through either, at the end of two ways.

        >>> Window([(-2, 2)], 1, 64).joined(Window([(0, 3)], 1, 64))
        Window(spans=[(-2, 3)], stride=1, n_outputs=64)
        """
        period = lcm(len(self.spans), len(other.spans))
        ends = [self.of(m) + other.of(m) for m in range(period)]
        return Window(
            [(min(four), max(four)) for four in ends],
            period // len(self.spans) * self.stride,
            self.n_outputs,
        )
