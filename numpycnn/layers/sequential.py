"""Sequential: one layer after the other.

The network itself. Forward hands each layer's output to the next and keeps the
caches in a list. Backward walks the list from its end: the gradient that one
layer returns for its input is the gradient of the output of the layer before.
That is the chain rule, and it is three lines.
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
    """A chain of layers that is itself a layer.

    >>> import numpy as np
    >>> from numpycnn import Dense, ReLU
    >>> model = Sequential(Dense(4, 3, rng=0), ReLU(), Dense(3, 2, rng=1))
    >>> list(model.params)
    ['0.w', '0.b', '2.w', '2.b']
    >>> model(np.zeros((5, 4), dtype=np.float32)).shape
    (5, 2)

    Raises `TypeError` for what is not a layer and `ValueError` for a layer that
    occurs twice or for no layer at all.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__(*layers)

    @overload
    def __getitem__(self, place: int) -> Layer: ...

    @overload
    def __getitem__(self, place: slice) -> Sequential: ...

    def __getitem__(self, place: int | slice) -> Layer:
        """Return one layer, or with a slice a chain of several: `model[:-1]` shares its layers."""
        return Sequential(*self.layers[place]) if isinstance(place, slice) else self.layers[place]

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Run the layers in order; the cache is the list of their caches."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            caches.append(cache)
        return x, caches

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Run the layers in reverse; each one's dx is the dy of the one before it."""
        grads: dict[str, Array] = {}
        for place in reversed(range(len(self.layers))):
            dy, layer_grads = self.layers[place].backward(dy, cache[place])
            grads |= {f"{place}.{name}": grad for name, grad in layer_grads.items()}
        return dy, grads

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each layer's window seen through those before it, up to the one that sees it all."""
        if "receptive_field" not in vars(defining(self, "forward", "receptive_field")):
            return super().receptive_field(length)  # raises: that forward may look elsewhere
        seen = ReceptiveField.each_sample(length)
        for layer in self.layers:
            seen = seen.through(layer)
        return seen

    def walk(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        """The layers inside. A chain itself computes nothing, unless its class has a forward."""
        for stage in super().walk(place):
            if stage[1] is not self or defining(self, "forward") is not Sequential:
                yield stage
