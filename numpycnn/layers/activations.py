"""Activations: the output of every layer of a network.

A network is observed without taking it apart. In a copy, every layer gets a `forward` that records
the output. Then the `forward` of the copy is called.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_layer


class Activation(NamedTuple):
    """The output of one layer, whose place is "0", or "2.1" in a container in the container."""

    place: str
    layer: Layer
    output: Array


def activations(model: Layer, x: Array) -> list[Activation]:
    """Return the output of every layer, from first to last.

    Parameters
    ----------
    model : Layer
        A network. It is not changed.
    x : ndarray, shape (N, L, C)
        Traces.

    Returns
    -------
    list of Activation
        The last output is `model(x)`. The layers inside a container are listed before the
        container itself, which is left out if it returns the output of its last layer.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a layer, or if the traces do not fit.

    Examples
    --------
    >>> from numpycnn import Conv1D, MaxPool1D, ReLU, Sequential
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), MaxPool1D(2))
    >>> for place, layer, output in activations(model, np.zeros((1, 64, 1))):
    ...     print(place, layer, output.shape)
    0 Conv1D(1, 8, 5) (1, 60, 8)
    1 ReLU() (1, 60, 8)
    2 MaxPool1D(2, stride=2) (1, 30, 8)
    """
    require_layer("activations", model)
    seen: list[Activation] = []

    def record(place: str, layer: Layer, forward: Any, x: Array) -> tuple[Array, Any]:
        y, cache = forward(x)
        seen.append(Activation(place, layer, y))
        return y, cache

    observed = model.with_params(model.params)
    for (place, layer), (_, new) in zip(model.walk(), observed.walk(), strict=True):
        vars(new)["forward"] = partial(record, place, layer, new.forward)  # hides the class's own
    observed.forward(x)
    return seen


def summary(model: Layer, input_shape: tuple[int, ...]) -> str:
    """Return a table with a line for each layer: output shape and number of parameters."""
    rows = [("", "layer", "output shape", "parameters")]
    for place, layer, output in activations(model, np.zeros((1, *input_shape))):
        name, count = repr(layer), sum(array.size for array in layer.params.values())
        if hasattr(layer, "children"):  # the layers inside it have their own lines
            name, count = f"{type(layer).__name__}(...)", 0
        shape = ", ".join(("N", *map(str, output.shape[1:])))
        rows.append((place, name, f"({shape})", f"{count:,}"))
    total = sum(array.size for array in model.params.values())
    rows.append(("", "total", "", f"{total:,}"))
    a, b, c, d = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(
        f"{place:>{a + 2}}  {layer:<{b}}  {shape:<{c}}  {count:>{d}}"
        for place, layer, shape, count in rows
    )
