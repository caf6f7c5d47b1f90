"""The layer: a function that can also run backward.

A network is a chain of functions, the layers. Each holds a few arrays of numbers, its *parameters*.
Training computes, from the last layer to the first, how the loss changes with each layer's input
and parameters, given how it changes with the output. A layer is therefore a pair of functions:

    y, cache  = layer.forward(x)
    dx, grads = layer.backward(dy, cache)

`dy` is the derivative of the loss with respect to `y` and has its shape. So do `dx` for `x`, and
`grads["w"]` for `params["w"]`.

The *cache* contains the values of the forward pass that `backward` needs. The caller passes it on;
the layer stores nothing, so it can run forward on other data before it runs backward. Neither
function changes its arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from numpycnn._types import Array, Params, Rng
from numpycnn.layers.arrays import Arrays
from numpycnn.layers.describing import Described
from numpycnn.layers.prediction import Predictor
from numpycnn.layers.receptive_field import ReceptiveField

Kind = TypeVar("Kind", bound="Layer")


class Layer(Described, Arrays, Predictor):
    """Base class of all layers. A subclass defines `forward` and `backward`.

    It passes its parameters to `Layer.__init__`, and stores each argument under its own name.

    Parameters
    ----------
    **params : ndarray
        The parameters, arrays of floats.

    Examples
    --------
    >>> import numpy as np
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

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Compute the layer's output and the values `backward` needs.

        Parameters
        ----------
        x : ndarray
            Input.

        Returns
        -------
        y : ndarray
            Output.
        cache : object
            Argument of `backward`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward.")

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Compute the gradients with respect to the input and the parameters.

        Parameters
        ----------
        dy : ndarray
            Gradient of the loss with respect to the output.
        cache : object
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray
            Gradient with respect to the input.
        grads : dict of str to ndarray
            The gradient for each parameter, under its name.
        """
        raise NotImplementedError(f"{type(self).__name__} must define backward.")

    def for_training(self, rng: Rng = None) -> Layer:
        """Return the layer to train: itself, or one that shares its arrays and draws from `rng`."""
        return self

    def update_state(self, cache: Any) -> None:
        """Update the running statistics from the `cache` of a training step; nothing else does."""

    def receptive_field(self, length: int) -> ReceptiveField:
        """Return which of the `length` samples of the input each output depends on."""
        raise NotImplementedError(f"{type(self).__name__} must define receptive_field(length).")

    def walk(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        """Iterate over the layers inside and this one with their names; `place` is its own name."""
        yield place, self
