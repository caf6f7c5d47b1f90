"""Sequential: a chain of layers.

This is the network itself. Forward passes the output of each layer to the next, and stores the
caches in a list. Backward visits the layers in reverse order: the gradient with respect to the
input of one layer is the gradient with respect to the output of the layer before it. This is the
chain rule, in three lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from numpycnn._types import Array, Params
from numpycnn.layers.container import Container
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Sequential(Container):
    """A chain of layers, which is itself a layer.

    A slice, such as `model[:-1]`, is a chain that shares its layers with the model.

    Parameters
    ----------
    *layers : Layer
        At least one layer; no layer occurs twice.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a Layer, there is no layer, or a layer occurs twice.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Dense, ReLU
    >>> model = Sequential(Dense(4, 3, rng=0), ReLU(), Dense(3, 2, rng=1))
    >>> list(model.params)
    ['0.w', '0.b', '2.w', '2.b']
    >>> model(np.zeros((5, 4), dtype=np.float32)).shape
    (5, 2)
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__(*layers)

    @overload
    def __getitem__(self, index: int) -> Layer: ...

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...

    def __getitem__(self, index: int | slice) -> Layer:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Call the layers in order, the first with `x`; the cache is the list of their caches."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            caches.append(cache)
        return x, caches

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Call the layers in reverse order; dx of a layer is dy of the layer before it.

        Parameters
        ----------
        dy : ndarray
            Gradient of the loss with respect to the output.
        cache : list
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray
            Gradient with respect to the input of the first layer.
        grads : dict of str to ndarray
            Gradients for all parameters, under names such as "0.w".
        """
        grads: dict[str, Array] = {}
        for index in reversed(range(len(self.layers))):
            dy, layer_grads = self.layers[index].backward(dy, cache[index])
            grads |= {f"{index}.{name}": grad for name, grad in layer_grads.items()}
        return dy, grads

    # The receptive field is composed from layer to layer. A subclass with a custom `forward` may
    # compute something else, and must define its own `receptive_field`.

    def receptive_field(self, length: int) -> ReceptiveField:
        if "receptive_field" not in vars(defining(self, "forward", "receptive_field")):
            return super().receptive_field(length)  # raises
        field = ReceptiveField.each_sample(length)
        for layer in self.layers:
            field = field.through(layer)
        return field

    # A chain computes nothing itself, except in a subclass with a custom `forward`.

    def walk(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        for stage in super().walk(place):
            if stage[1] is not self or defining(self, "forward") is not Sequential:
                yield stage
