"""Containers: layers that consist of other layers.

A network is a container. `Sequential` connects its layers one after the other; `Residual` and
`SkipConcat` add a skip connection. This base class implements the common parts: indexing, parameter
names, copying, summaries and saving.

A container has the interface of a layer. It can therefore be part of another container, and
every function that checks or trains a layer also works on a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import generator
from numpycnn.layers.activations import summary
from numpycnn.layers.arrays import ParamsInside
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Kind, Layer
from numpycnn.layers.storage import Stored


class Container(Stored):
    """A layer that contains layers; a subclass defines `forward` and `backward` with them.

    The parameters are the arrays of the layers. Their names begin with the index of the layer:
    `"0.w"`, `"0.b"`, `"3.w"`, and `"3.1.w"` for a container inside a container. The constructor of
    a subclass must call `super().__init__(*layers)`.

    Parameters
    ----------
    *layers : Layer
        At least one layer; no layer occurs twice.
    **others : Layer or None
        Named layers that are not part of the chain; None is ignored.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Sequential
    >>> model = Sequential(Dense(4, 3), Sequential(ReLU(), Dense(3, 2)))
    >>> len(model), model[0], list(model.params)
    (2, Dense(4, 3), ['0.w', '0.b', '1.1.w', '1.1.b'])
    """

    def __init__(self, *layers: Layer, **others: Layer | None) -> None:
        caller = type(self).__name__
        if not layers:
            raise ValueError(f"{caller}: layers must hold at least one layer, got none.")
        named = {name: layer for name, layer in others.items() if layer is not None}
        for layer in (*layers, *named.values()):
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"{caller}: layers must be Layer objects, got {layer!r}. "
                    f"List them, each one created: {caller}(Dense(4, 3), ReLU())."
                )
        super().__init__()
        self._layers, self._named = layers, named
        inside = [id(layer) for _, layer in self.walk()]
        for _, layer in self.walk():
            if inside.count(id(layer)) > 1:
                raise ValueError(
                    f"{caller}: layers must be different objects, got the same {layer!r} twice. "
                    f"Create a second {type(layer).__name__} with its own parameters."
                )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers inside, in order."""
        if "_layers" not in vars(self):
            raise TypeError(
                f"{type(self).__name__}: its constructor must call super().__init__(*layers)."
            )
        return self._layers

    @property
    def children(self) -> dict[str, Layer]:
        """All layers inside by name: "0", "1" and so on, then the named layers."""
        return {str(index): layer for index, layer in enumerate(self.layers)} | self._named

    @property
    def params(self) -> Params:
        """The parameters of the layers, under names such as "0.w", as a read-only mapping."""
        return ParamsInside(type(self).__name__, self._inside("params"))

    @property
    def state(self) -> dict[str, Array]:
        """The state of the layers, under names such as "1.mean"."""
        return self._inside("state")

    def _inside(self, kind: str) -> dict[str, Array]:
        owned = [(i, getattr(layer, kind)) for i, layer in self.children.items()]
        return {f"{i}.{name}": array for i, arrays in owned for name, array in arrays.items()}

    def walk(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        """Iterate over the layers inside and this one with their names; `place` is its own name."""
        for inside, layer in self.children.items():
            yield from layer.walk(f"{place}.{inside}" if place else inside)
        yield place, self

    # Containers are copied without calling the constructor. The dictionary `copies` contains the
    # new layer for each old one. `deepcopy` looks up every layer in it, so that all attributes of
    # the copy refer to the new layers.

    def with_params(self: Kind, params: Params) -> Kind:
        copies = {}
        for place, layer in _leaves(self):
            names = {name: f"{place}.{name}" for name in (*layer.params, *layer.state)}
            own = {name: params[full] for name, full in names.items() if full in params}
            copies[id(layer)] = layer.with_params(own)
        return deepcopy(self, copies)

    def for_training(self, rng: Rng = None) -> Layer:
        rng = generator(self, rng)
        copies = {id(layer): layer.for_training(rng) for _, layer in _leaves(self)}
        if all(id(new) in copies for new in copies.values()):
            return self
        return deepcopy(self, copies)

    def update_state(self, cache: Any) -> None:
        """Update the running statistics of the layers inside from `cache`, a list of caches."""
        children = self.children.values()
        if isinstance(cache, list) and len(cache) == len(children):
            for layer, part in zip(children, cache, strict=True):
                layer.update_state(part)
        elif any(defining(layer, "update_state") is not Layer for _, layer in _leaves(self)):
            raise TypeError(
                f"{type(self).__name__}: cache must be a list of the caches of its layers, got "
                f"{type(cache).__name__}. Its forward creates the cache, so define "
                "update_state(cache) as well."
            )

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Layer:
        return self.layers[index]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def summary(self, input_shape: tuple[int, ...]) -> str:
        """Return a table of output shapes and numbers of parameters; `input_shape` is (L, C).

        Examples
        --------
        >>> from numpycnn import Dense, Flatten, Sequential
        >>> print(Sequential(Flatten(), Dense(6, 2)).summary((3, 2)))
             layer        output shape  parameters
          0  Flatten()    (N, 6)                 0
          1  Dense(6, 2)  (N, 2)                14
             total                              14
        """
        return summary(self, input_shape)


def _leaves(container: Layer) -> Iterator[tuple[str, Layer]]:
    """Iterate over all layers inside that contain no layers, with their names."""
    return (stage for stage in container.walk() if not isinstance(stage[1], Container))
