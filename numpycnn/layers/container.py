"""Containers: layers inside a layer.

A network is a layer made of layers. What goes in, what comes out and how the
gradient comes back depends on the kind: one after the other in
`Sequential`, with a way around in `Residual` and `Beside`. What is alike in
all of them stands here, and nowhere else: which layer is where, what their
parameters are called, how the whole is copied, listed, watched and saved.

Whatever holds layers keeps the contract of a layer, so it can stand inside
another, and whatever can check or train one layer can do it with all.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from os import PathLike
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import generator
from numpycnn.layers.layer import Kind, Layer, defining, require_layer
from numpycnn.layers.storage import load_layer, save_layer


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
        owner = type(self).__name__
        if not layers:
            raise ValueError(f"{owner}: layers must hold at least one layer, got none.")
        named = {name: layer for name, layer in others.items() if layer is not None}
        for layer in (*layers, *named.values()):
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"{owner}: layers must be Layer objects, got {layer!r}. "
                    f"List them, each one created: {owner}(Dense(4, 3), ReLU())."
                )
        super().__init__()
        self._layers, self._named = layers, named
        seen = set()
        for _, layer in self.stages():
            if id(layer) in seen:
                raise ValueError(
                    f"{owner}: layers must be different objects, got the same {layer!r} twice. "
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

    def stages(self, place: str = "") -> Iterator[tuple[str, Layer]]:
        """Every layer in which something is computed, with its place: those inside, then this."""
        for inside, layer in self.children.items():
            yield from layer.stages(f"{place}.{inside}" if place else inside)
        yield place, self

    def with_params(self: Kind, params: Params) -> Kind:
        """A copy of all this that holds `params`, named as in `self.params`.

        No constructor is called. Wherever the original mentions one of its layers, under
        whatever name, the copy mentions the layer's copy.
        """
        twins = {}
        for place, layer in _leaves(self):
            names = {name: f"{place}.{name}" for name in (*layer.params, *layer.state)}
            own = {name: params[full] for name, full in names.items() if full in params}
            twins[id(layer)] = layer.with_params(own)
        return deepcopy(self, twins)

    def training(self, rng: Rng = None) -> Layer:
        """Return this itself, or if any layer inside has a twin, a copy that mentions the twins."""
        rng = generator(self, rng)
        twins = {id(layer): layer.training(rng) for _, layer in _leaves(self)}
        if all(id(twin) in twins for twin in twins.values()):
            return self
        return deepcopy(self, twins)

    def remember(self, cache: Any) -> None:
        """Hand each layer its part of the cache, which is a list of them, one for each child.

        Raises `TypeError` where a forward of one's own has made another cache of it, and there
        is a layer inside that has something to remember.
        """
        children = self.children.values()
        if isinstance(cache, list) and len(cache) == len(children):
            for layer, part in zip(children, cache, strict=True):
                layer.remember(part)
        elif any(defining(layer, "remember") is not Layer for _, layer in _leaves(self)):
            raise TypeError(
                f"{type(self).__name__}: cache must be a list of the caches of its layers, got "
                f"{type(cache).__name__}. Its forward creates the cache, so define remember(cache) "
                "as well."
            )

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, place: int) -> Layer:
        return self.layers[place]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def summary(self, input_shape: tuple[int, ...]) -> str:
        """A table with a line per layer: output shape and number of parameters.

        `input_shape` is the shape of one trace, `(L, C)`.

        >>> from numpycnn import Dense, Flatten, Sequential
        >>> print(Sequential(Flatten(), Dense(6, 2)).summary((3, 2)))
             layer        output shape  parameters
          0  Flatten()    (N, 6)                 0
          1  Dense(6, 2)  (N, 2)                14
             total                              14
        """
        rows = [("", "layer", "output shape", "parameters")]
        for place, layer, output in activations(self, np.zeros((1, *input_shape))):
            name, count = repr(layer), sum(array.size for array in layer.params.values())
            if isinstance(layer, Container):  # the layers inside have had their lines
                name, count = f"{type(layer).__name__}(...)", 0
            shape = ", ".join(("N", *map(str, output.shape[1:])))
            rows.append((place, name, f"({shape})", f"{count:,}"))
        total = sum(array.size for array in self.params.values())
        rows.append(("", "total", "", f"{total:,}"))
        a, b, c, d = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(
            f"{place:>{a + 2}}  {layer:<{b}}  {shape:<{c}}  {count:>{d}}"
            for place, layer, shape, count in rows
        )

    def save(self, path: str | PathLike[str], notes: Any = None) -> None:
        """Save architecture and weights to an `.npz` file, whole or not at all.

        `notes` are kept in the same file: whatever JSON can say, such as the names of the
        classes. `numpycnn.layers.storage.load_notes(path)` reads them back.
        """
        save_layer(self, path, notes)

    @classmethod
    def load(cls: type[Kind], path: str | PathLike[str], *own_layers: type[Layer]) -> Kind:
        """Load what `save` saved; name layer classes of your own: `load(path, MyLayer)`.

        Raises `ValueError` for a file that is damaged or of another kind.
        """
        model = load_layer(path, cls, *own_layers)
        if not isinstance(model, cls):
            raise ValueError(f"{path} holds a {type(model).__name__}, not a {cls.__name__}")
        return model


def _leaves(container: Layer) -> Iterator[tuple[str, Layer]]:
    """Every layer inside that holds no others, with its place."""
    return (stage for stage in container.stages() if not isinstance(stage[1], Container))


class ParamsInside(Mapping[str, Array]):
    """The parameters of the layers inside a container, a read-only mapping.

    The arrays belong to the layers. A new array in the mapping would change no layer, so the
    assignment is an error; an array is changed in place.

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


# Watching a network at work
# --------------------------
# What does each layer make of the trace? The network need not be taken apart to see it. In a
# copy, each layer is given a `forward` that notes down what comes out; the copy is run as the
# network would be, by its own `forward`, whatever that does.


Forward: TypeAlias = Callable[[Array], tuple[Array, Any]]


class Activation(NamedTuple):
    """What one layer made of the traces."""

    place: str  # as in the names of the parameters: "0", or "2.1" within a chain in the chain
    layer: Layer
    output: Array


def activations(model: Layer, x: Array) -> list[Activation]:
    """Return the output of every layer for the traces x (N, L, C), first to last.

    The last output is what `model.predict(x)` returns. Of a container the layers inside are
    listed, and then the container itself, unless it hands on what the last one returns.

    >>> from numpycnn import Conv1D, MaxPool1D, ReLU, Sequential
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), MaxPool1D(2))
    >>> for place, layer, output in activations(model, np.zeros((1, 64, 1))):
    ...     print(place, layer, output.shape)
    0 Conv1D(1, 8, 5) (1, 60, 8)
    1 ReLU() (1, 60, 8)
    2 MaxPool1D(2, stride=2) (1, 30, 8)

    Raises `TypeError` for what is no layer, and whatever layers raise for traces that do not fit.
    """
    require_layer("activations", model)
    seen: list[Activation] = []

    def noting(place: str, layer: Layer, forward: Forward, x: Array) -> tuple[Array, Any]:
        y, cache = forward(x)
        seen.append(Activation(place, layer, y))
        return y, cache

    watched = model.with_params(model.params)
    for (place, layer), (_, twin) in zip(model.stages(), watched.stages(), strict=True):
        # It goes before the forward of the class.
        vars(twin)["forward"] = partial(noting, place, layer, twin.forward)
    watched.forward(x)
    return seen
