"""Copies of a layer that hold other parameters.

A derivative with respect to a parameter requires the output for other values of it, and the layer
must not change. So every evaluation runs on a copy. An array of the layer may be a view of
another: `buffer[:4]`, or `w.T` stored under another name. An optimizer that updates `w` in place
changes the view too, and the copy must behave in the same way. `deepcopy` copies each view to
a separate array, so the arrays that share memory with a parameter are copied here first, as
views of one new buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from numpycnn._types import Array, Params
from numpycnn.layers.container import Container
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Layer


def with_params(layer: Any, arrays: Params) -> Any:
    """Return a copy of `layer` that holds the parameters in `arrays`.

    >>> class Flat:
    ...     def __init__(self):
    ...         self.buffer = np.arange(4.0)
    ...
    ...     @property
    ...     def params(self):
    ...         return {"w": self.buffer[:2], "b": self.buffer[2:]}
    >>> layer = Flat()
    >>> copy = with_params(layer, {"w": np.array([7.0, 8.0]), "b": np.zeros(2)})
    >>> copy.buffer, layer.buffer
    (array([7., 8., 0., 0.]), array([0., 1., 2., 3.]))
    """
    own = layer.params
    params = {name: arrays[name] for name in own}
    if isinstance(layer, Layer) and defining(layer, "params") in (Layer, Container):
        return layer.with_params(params)

    memo: dict[int, Any] = {}
    buffers: dict[int, Array] = {}
    for name, array in own.items():
        root = root_of(array)
        dtype = np.result_type(np.float64, params[name], buffers.get(id(root), 0.0))
        buffers[id(root)] = root.ravel("K").astype(dtype)
    for part in (*own.values(), *_parts(layer, set())):
        if not isinstance(part, np.ndarray):
            memo[id(part)] = part
        elif id(root := root_of(part)) in buffers and part.dtype == root.dtype:
            memo[id(part)] = same_view(part, root, buffers[id(root)])
    copy = deepcopy(layer, memo)
    held = copy.params
    if isinstance(held, dict) and held is copy.params and len({*map(id, held.values())}) < len(own):
        held.update({name: array.copy() for name, array in params.items()})  # one array, two names
    for name, array in params.items():
        held[name][...] = array
    return copy


def root_of(array: Array) -> Array:
    """Return the array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def same_view(view: Array, root: Array, buffer: Array) -> Array:
    """Return the part of `buffer`, a flat copy of `root`, that `view` is of `root`."""
    first = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    strides = [s // root.itemsize * buffer.itemsize for s in view.strides]
    return as_strided(buffer[first // root.itemsize :], view.shape, strides)


def _parts(part: Any, seen: set[int]) -> Iterator[Any]:
    """Every array to which a layer refers, and every object that cannot be copied."""
    if id(part) in seen or isinstance(part, str | int | float | type | ModuleType | FunctionType):
        return
    seen.add(id(part))
    inside: Any = ()
    if isinstance(part, np.ndarray):
        yield part
    elif isinstance(part, dict):
        inside = part.values()
    elif isinstance(part, list | tuple | set | frozenset):
        inside = part
    elif hasattr(part, "__dict__"):
        inside = vars(part).values()
    elif part is not None:
        try:
            deepcopy(part)
        except TypeError:  # a lock, a file, a generator
            yield part
    for each in inside:
        yield from _parts(each, seen)
