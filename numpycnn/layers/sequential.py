"""Sequential: one layer after the other.

The network itself. Forward hands each layer's output to the next and keeps the
caches in a list. Backward walks the list from its end: the gradient that one
layer returns for its input is the gradient of the output of the layer before.
That is the chain rule, and it is three lines.

The result keeps the same contract as its parts, so a `Sequential` can stand
inside another, and whatever can check or train one layer can do it with all.
"""

from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np

from numpycnn.layers.layer import Layer
from numpycnn.storage import load_layer, save_layer
from numpycnn.types import Array, Params
from numpycnn.validation import whole_number


class Sequential(Layer):
    """A chain of layers that is itself a layer.

    Its parameters are those of its layers, the same arrays, under the layer's
    place in the chain: `"0.w"`, `"0.b"`, `"3.w"`.

    >>> from numpycnn import Dense, ReLU
    >>> model = Sequential(Dense(4, 3, rng=0), ReLU(), Dense(3, 2, rng=1))
    >>> list(model.params)
    ['0.w', '0.b', '2.w', '2.b']
    >>> model.predict(np.zeros((5, 4), dtype=np.float32)).shape
    (5, 2)

    Raises `TypeError` for what is not a layer and `ValueError` for a layer that
    occurs twice or for no layer at all.
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError("Sequential expected at least one layer, got none")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"Sequential expected layers, got {layer!r}; "
                    "list them, each one created: Sequential(Dense(4, 3), ReLU())"
                )
        super().__init__()
        self.layers = layers
        leaves = [layer for _, layer in self.leaves()]
        for place, layer in enumerate(leaves):
            if any(layer is other for other in leaves[:place]):
                raise ValueError(
                    f"Sequential expected each layer once, got the same {layer!r} twice; "
                    f"create a second {type(layer).__name__} with weights of its own"
                )

    @property
    def params(self) -> Params:
        """The layers' own arrays, under names such as "0.w"."""
        return {
            f"{place}.{name}": array
            for place, layer in enumerate(self.layers)
            for name, array in layer.params.items()
        }

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """Run the layers in order; the cache is the list of their caches."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x)
            caches.append(cache)
        return x, caches

    def backward(self, dy: Array, cache: list[Any]) -> tuple[Array, Params]:
        """Run the layers in reverse; each one's dx is the dy of the one before it."""
        grads: Params = {}
        for place in reversed(range(len(self.layers))):
            dy, layer_grads = self.layers[place].backward(dy, cache[place])
            grads |= {f"{place}.{name}": grad for name, grad in layer_grads.items()}
        return dy, grads

    # What a user of a network wants besides
    # --------------------------------------

    def predict(self, x: Array, batch_size: int | None = None) -> Array:
        """Run forward only, keeping no cache; with a `batch_size`, so many traces at a time.

        Returns what the last layer returns: scores, if that is a `Dense` layer.
        """
        if batch_size is not None:
            size = whole_number("predict", "batch_size", batch_size)
            batches = [x[start : start + size] for start in range(0, max(1, len(x)), size)]
            return np.concatenate([self.predict(batch) for batch in batches])
        for layer in self.layers:
            x, _ = layer.forward(x)
        return x

    def summary(self, input_shape: tuple[int, ...]) -> str:
        """A table with a line per layer: output shape and number of parameters.

        `input_shape` is the shape of one trace, `(L, C)`.

        >>> from numpycnn import Dense, Flatten
        >>> print(Sequential(Flatten(), Dense(6, 2)).summary((3, 2)))
             layer        output shape  parameters
          0  Flatten()    (N, 6)                 0
          1  Dense(6, 2)  (N, 2)                14
             total                              14
        """
        rows = [("", "layer", "output shape", "parameters")]
        x = np.zeros((1, *input_shape))
        for place, layer in self.leaves():
            x, _ = layer.forward(x)
            shape = ", ".join(("N", *map(str, x.shape[1:])))
            count = sum(array.size for array in layer.params.values())
            rows.append((place, repr(layer), f"({shape})", f"{count:,}"))
        total = sum(array.size for array in self.params.values())
        rows.append(("", "total", "", f"{total:,}"))
        a, b, c, d = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(
            f"{place:>{a + 2}}  {layer:<{b}}  {shape:<{c}}  {count:>{d}}"
            for place, layer, shape, count in rows
        )

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """Each layer with its place, and for a Sequential in the chain those inside it."""
        for place, layer in enumerate(self.layers):
            if isinstance(layer, Sequential):
                yield from layer.leaves(f"{prefix}{place}.")
            else:
                yield f"{prefix}{place}", layer

    def with_params(self, params: Params) -> "Sequential":
        """A copy of the whole chain that holds `params`, named as in `self.params`."""
        layers = []
        for place, layer in enumerate(self.layers):
            own = {name: params[f"{place}.{name}"] for name in layer.params}
            layers.append(layer.with_params(own))
        return type(self)(*layers)

    def save(self, path: str | PathLike[str]) -> None:
        """Save architecture and weights to an `.npz` file, whole or not at all."""
        save_layer(self, path)

    @staticmethod
    def load(path: str | PathLike[str], *own_layers: type[Layer]) -> "Sequential":
        """Load what `save` saved; name layer classes of your own: `load(path, MyLayer)`.

        Raises `ValueError` for a file that is damaged or of another kind.
        """
        from numpycnn import layers  # here, because that package imports this module

        own_kinds = {kind.__name__: kind for kind in own_layers}
        model = load_layer(path, layers.KINDS | own_kinds)
        if not isinstance(model, Sequential):
            raise ValueError(f"{path} holds a {type(model).__name__}, not a Sequential")
        return model

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
