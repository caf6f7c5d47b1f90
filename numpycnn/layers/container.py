"""Containers: layers inside a layer.

A network is a layer made of layers. How the layers are connected depends on the container: one
after the other in `Sequential`, with a skip connection in `Residual` and `SkipConcat`. This class
implements what they share: indexing, parameter names, copying, summaries and saving.

A container has the interface of a layer. It can therefore be part of another container, and
every function that checks or trains a layer also works on a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from os import PathLike
from typing import Any

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import generator
from numpycnn.layers.activations import summary
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Kind, Layer


class Container(Layer):
    """A layer that holds layers; a subclass defines `forward` and `backward` with them.

    Its parameters are those of its layers, the same arrays, under the layer's
    place: `"0.w"`, `"0.b"`, `"3.w"`, and `"3.1.w"` in a container in a container.
    A subclass may have any constructor that hands the layers on: `super().__init__(*layers)`.
    A layer that does not stand in a row with the others goes by a name (`None` is no layer).

    >>> from numpycnn import Dense, ReLU, Sequential
    >>> model = Sequential(Dense(4, 3), Sequential(ReLU(), Dense(3, 2)))
    >>> list(model.params)
    ['0.w', '0.b', '1.1.w', '1.1.b']
    >>> len(model), model[0], [type(layer).__name__ for layer in model]
    (2, Dense(4, 3), ['Dense', 'Sequential'])

    Raises `TypeError` for what is not a layer and `ValueError` for a layer that
    occurs twice or for no layer at all.
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
        seen = set()
        for _, layer in self.walk():
            if id(layer) in seen:
                raise ValueError(
                    f"{caller}: layers must be different objects, got the same {layer!r} twice. "
                    f"Create a second {type(layer).__name__} with its own parameters."
                )
            seen.add(id(layer))

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
        """Every layer inside by its place: "0", "1", and then those that have a name."""
        return {str(place): layer for place, layer in enumerate(self.layers)} | self._named

    @property
    def params(self) -> Params:
        """The layers' own arrays, under names such as "0.w". The mapping is read-only."""
        children = self.children.items()
        return ParamsInside(self, _with_places({place: layer.params for place, layer in children}))

    @property
    def state(self) -> dict[str, Array]:
        """The layers' own state, under names such as "1.mean"."""
        return _with_places({place: layer.state for place, layer in self.children.items()})

    def walk(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        """Every layer in which something is computed, with its place: those inside, then this."""
        for inside, layer in self.children.items():
            yield from layer.walk(f"{place}.{inside}" if place else inside)
        yield place, self

    def with_params(self: Kind, params: Params) -> Kind:
        """A copy of all this that holds `params`, named as in `self.params`.

        No constructor is called. Wherever the original mentions one of its layers, under
        whatever name, the copy mentions the layer's copy.
        """
        copies = {}
        for place, layer in _leaves(self):
            names = {name: f"{place}.{name}" for name in (*layer.params, *layer.state)}
            own = {name: params[full] for name, full in names.items() if full in params}
            copies[id(layer)] = layer.with_params(own)
        return deepcopy(self, copies)

    def for_training(self, rng: Rng = None) -> Layer:
        """Return a training-mode version of the network that shares its arrays.

        Nothing changes until the returned network is used. If all layers compute the same in
        training and at inference, it is this network itself.
        """
        rng = generator(self, rng)
        copies = {id(layer): layer.for_training(rng) for _, layer in _leaves(self)}
        if all(id(new) in copies for new in copies.values()):
            return self
        return deepcopy(self, copies)

    def update_state(self, cache: Any) -> None:
        """Update the running statistics of the layers inside after an optimizer step.

        Raises `TypeError` if the cache is not a list of the layers' caches, as a custom `forward`
        may return another one, and a layer inside has running statistics.
        """
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

    def __getitem__(self, place: int) -> Layer:
        return self.layers[place]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def summary(self, input_shape: tuple[int, ...]) -> str:
        """Return a table with a line for each layer: output shape and number of parameters.

        `input_shape` is the shape of one trace, `(L, C)`.

        >>> from numpycnn import Dense, Flatten, Sequential
        >>> print(Sequential(Flatten(), Dense(6, 2)).summary((3, 2)))
             layer        output shape  parameters
          0  Flatten()    (N, 6)                 0
          1  Dense(6, 2)  (N, 2)                14
             total                              14
        """
        return summary(self, input_shape)

    def save(self, path: str | PathLike[str], notes: Any = None) -> None:
        """Save architecture and weights to an `.npz` file, whole or not at all.

        `notes` are kept in the same file: whatever JSON can say, such as the names of the
        classes. `numpycnn.layers.storage.load_notes(path)` reads them back.
        """
        from numpycnn.layers.storage import save_layer  # here: most programs save nothing

        save_layer(self, path, notes)

    @classmethod
    def load(cls: type[Kind], path: str | PathLike[str], *own_layers: type[Layer]) -> Kind:
        """Load what `save` saved; name layer classes of your own: `load(path, MyLayer)`.

        Raises `ValueError` for a file that is damaged or of another kind.
        """
        from numpycnn.layers.storage import load_layer

        model = load_layer(path, cls, *own_layers)
        if not isinstance(model, cls):
            raise ValueError(
                f"load: path must be a saved {cls.__name__}, got {path}: a {type(model).__name__}. "
                f"Call {type(model).__name__}.load."
            )
        return model


def _leaves(container: Layer) -> Iterator[tuple[str, Layer]]:
    """Every layer inside that holds no others, with its place."""
    return (stage for stage in container.walk() if not isinstance(stage[1], Container))


class ParamsInside(Mapping[str, Array]):
    """The parameters of the layers inside a container, a read-only mapping.

    The arrays belong to the layers. A new array in the mapping would change no layer, so the
    assignment is an error; an array is changed in place.

    >>> import numpy as np
    >>> from numpycnn import Dense, Sequential
    >>> model = Sequential(Dense(4, 2))
    >>> model.params["0.b"][:] = 1
    >>> model.params["0.b"] -= 0.5
    >>> model[0].params["b"]
    array([0.5, 0.5], dtype=float32)
    >>> model.params["0.b"] = np.zeros(2)
    Traceback (most recent call last):
        ...
    TypeError: Sequential: params must not be assigned to, got a new array for '0.b'. \
Write into the array: params['0.b'][...] = values.
    """

    def __init__(self, container: Layer, arrays: Params) -> None:
        self._name, self._arrays = type(container).__name__, arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    # `params[name] -= step` changes the array in place, and then assigns the same array.

    def __setitem__(self, name: str, array: Array) -> None:
        if self._arrays.get(name) is not array:
            raise TypeError(
                f"{self._name}: params must not be assigned to, got a new array for {name!r}. "
                f"Write into the array: params[{name!r}][...] = values."
            )

    def __or__(self, other: Params) -> dict[str, Array]:
        return {**self, **other}

    def __ror__(self, other: Params) -> dict[str, Array]:
        return {**other, **self}

    def __repr__(self) -> str:
        return repr(self._arrays)


def _with_places(arrays: dict[str, Params]) -> dict[str, Array]:
    """The arrays of each layer, with its place before the name."""
    return {
        f"{place}.{name}": array
        for place, of_layer in arrays.items()
        for name, array in of_layer.items()
    }
