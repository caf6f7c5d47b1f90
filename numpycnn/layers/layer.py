"""The layer: a function that can also run backward.

A network is a chain of functions. Each takes an array, returns another, and holds a few
arrays of numbers, its *parameters*. Training computes, from the last layer to the first, how the
loss changes with each layer's input and parameters, given how it changes with the layer's output.
This is backpropagation, and a layer is a pair of functions:

    y, cache  = layer.forward(x)
    dx, grads = layer.backward(dy, cache)

`dy` is the derivative of the loss with respect to `y` and has its shape. So do `dx` for `x`, and
`grads["w"]` for `params["w"]`.

The *cache* is whatever `backward` needs of the forward pass, and nothing else. The caller
passes it on; the layer keeps nothing. A layer can therefore run forward on training data and
then on validation data before it runs backward. Neither function changes its arguments.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import check_int, entry, first_true, require_finite, require_parameters
from numpycnn.layers.copying import Copied
from numpycnn.layers.describing import Described
from numpycnn.layers.receptive_field import ReceptiveField

Kind = TypeVar("Kind", bound="Layer")


class Layer(Described, Copied):
    """Base class of all layers: the interface, and what follows from it.

    A subclass passes its parameters to `Layer.__init__`, stores each argument of its constructor
    under its own name, and defines `forward` and `backward`.

    >>> class Scale(Layer):
    ...     def __init__(self, factor):
    ...         super().__init__(factor=np.array([factor]))
    ...         self.factor = factor
    ...     def forward(self, x):
    ...         return x * self.params["factor"], x
    ...     def backward(self, dy, cache):
    ...         return dy * self.params["factor"], {"factor": np.array([np.sum(dy * cache)])}
    >>> layer = Scale(3.0)
    >>> y, cache = layer.forward(np.array([1.0, 2.0]))
    >>> dx, grads = layer.backward(np.array([1.0, 1.0]), cache)
    >>> layer, y, dx, grads["factor"]
    (Scale(3.0), array([3., 6.]), array([3., 3.]), array([3.]))
    """

    def __init__(self, **params: Array) -> None:
        require_parameters(self, params)
        self._params = params
        self._state: dict[str, Array] = {}

    @property
    def params(self) -> Params:
        """The layer's own arrays by name, not copies: an optimizer changes them in place."""
        params: Params = vars(self).setdefault("_params", {})  # without super().__init__(): none
        return params

    @property
    def state(self) -> dict[str, Array]:
        """Arrays that are saved with `params` and that no gradient changes."""
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
        """Compute the layer's output and the values `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} must define forward.")

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Compute the gradients with respect to the input and, by name, each parameter."""
        raise NotImplementedError(f"{type(self).__name__} must define backward.")

    def for_training(self, rng: Rng = None) -> Layer:
        """Return a training-mode version of this layer that shares its arrays.

        Nothing changes until the returned layer is used. Most layers return themselves; the layer
        itself is always in inference mode. `rng` is the source of randomness in training.
        """
        return self

    def update_state(self, cache: Any) -> None:
        """Update the running statistics from `cache` after an optimizer step.

        The cache is that of a layer returned by `for_training`. Nothing else changes the `state`.
        """

    def receptive_field(self, length: int) -> ReceptiveField:
        """Return which samples of an input of this length each output depends on."""
        raise NotImplementedError(f"{type(self).__name__} must define receptive_field(length).")

    def __call__(self, x: Array) -> Array:
        """Return the output for `x` without the cache: `layer(x)`."""
        return self.forward(x)[0]

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the output for `x`, computed in chunks of `batch_size` traces (default: all).

        Raises `TypeError` or `ValueError` for arrays that do not fit, and for NaN and infinity
        with their position; a plain `layer(x)` passes these through.
        """
        return self._predict("predict", x, batch_size)

    def classify(self, x: Array, batch_size: int | None = None) -> Array:
        """Return the index of the class with the highest score (the argmax over the last axis).

        For a single score the classes are 0 and 1, and 1 where the score is above 0. Raises what
        `predict` raises, and `ValueError` for scores that are NaN.
        """
        scores = self._predict("classify", x, batch_size)
        if (gaps := np.isnan(scores)).any():
            raise ValueError(
                f"classify: the scores must not be NaN, got {entry('scores', first_true(gaps))}. "
                "Check that the parameters are finite; train a network that diverged again."
            )
        if scores.shape[-1] == 1:
            return (scores[..., 0] > 0).astype(np.intp)
        return np.asarray(scores.argmax(axis=-1))

    def _predict(self, caller: str, x: Array, batch_size: int | None) -> Array:
        """Return the output for x, which is checked in the name of the function `caller`."""
        require_finite(caller, "x", x)
        if batch_size is None:
            return self(x)
        n = check_int(caller, "batch_size", batch_size)
        return np.concatenate([self(x[start : start + n]) for start in range(0, len(x), n)])


def require_layer(caller: str, model: object) -> None:
    """Raise `TypeError` unless `model` is a layer, such as a network."""
    if not isinstance(model, Layer):
        raise TypeError(f"{caller}: model must be a layer, such as a Sequential, got {model!r}.")
