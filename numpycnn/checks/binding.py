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
from numpycnn.layers.arrays import Arrays
from numpycnn.layers.container import Container
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Layer

PARTS_OF_A_LAYER = "_params", "_state", "_layers", "_named"


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
    return Copies(layer).with_params(arrays)


class Copies:
    """Copies of one layer, whose arrays are found once for all copies."""

    def __init__(self, layer: Any) -> None:
        self.layer, self.own = layer, dict(layer.params)
        self.has_copies = isinstance(layer, Layer) and holds_only_parameters(layer)
        self.roots = {name: root_of(array) for name, array in self.own.items()}
        inside = {} if self.has_copies else dict(parts(layer, "", set()))
        self.shared = [part for part in inside.values() if not isinstance(part, np.ndarray)]
        owners = {id(root) for root in self.roots.values()}
        arrays = {id(a): a for a in (*self.own.values(), *inside.values()) if type(a) is np.ndarray}
        found = [(part, root_of(part)) for part in arrays.values()]
        self.views = [
            (a, root) for a, root in found if id(root) in owners and a.dtype == root.dtype
        ]
        self.is_one_array = len({*map(id, self.own.values())}) < len(self.own)

    def share_arrays(self) -> bool:
        """Whether a copy would hold an array of the layer, as one that belongs to the class."""
        if self.has_copies:
            return False
        held = self.with_params(self.own).params
        return any(np.may_share_memory(held[name], array) for name, array in self.own.items())

    def with_params(self, arrays: Params) -> Any:
        """Return a copy of the layer that holds these parameters."""
        params = {name: arrays[name] for name in self.own}
        if self.has_copies:
            return self.layer.with_params(params)
        memo: dict[int, Any] = {id(part): part for part in self.shared}
        buffers: dict[int, Array] = {}
        for name, root in self.roots.items():
            dtype = np.result_type(np.float64, params[name], buffers.get(id(root), 0.0))
            buffers[id(root)] = root.ravel("K").astype(dtype)
        for part, root in self.views:
            memo[id(part)] = same_view(part, root, buffers[id(root)])
        copy = deepcopy(self.layer, memo)
        if self.is_one_array:
            _split(copy, params)
        held = copy.params
        for name, array in params.items():
            held[name][...] = array
        return copy


def _split(layer: Any, params: Params) -> None:
    """Give each name a separate array where one array has several names."""
    held = layer.params
    if isinstance(held, dict) and held is layer.params:
        held.update({name: array.copy() for name, array in params.items()})
    attributes = getattr(layer, "__dict__", {})
    for name, array in held.items():
        if name in attributes and attributes[name] is array:
            setattr(layer, name, array.copy())
    if len({*map(id, layer.params.values())}) < len(params):
        raise TypeError(
            f"check_gradients: params must hold one array under each name, got {[*params]}, of "
            "which two are the same array. List it once, with the sum of its gradients."
        )


def holds_only_parameters(layer: Layer) -> bool:
    """Whether nothing else in a layer can change or refer to its arrays, such as a view or a list.

    Then its own `with_params`, which copies nothing, is enough.
    """
    return all(
        defining(part, "params") in (Arrays, Container)
        and all(is_constant(a) for name, a in vars(part).items() if name not in PARTS_OF_A_LAYER)
        for _, part in layer.walk()
    )


def is_constant(found: object) -> bool:
    """Whether an attribute can neither change nor refer to an array."""
    if isinstance(found, tuple):
        return all(map(is_constant, found))
    return found is None or isinstance(found, str | int | float | complex)


def root_of(array: Array) -> Array:
    """Return the array that owns the memory."""
    while isinstance(array.base, np.ndarray) and array.base.dtype.fields is None:
        array = array.base
    return array


def same_view(view: Array, root: Array, buffer: Array) -> Array:
    """Return the part of `buffer`, a flat copy of `root`, that `view` is of `root`."""
    if view is root and view.flags.c_contiguous:
        return buffer.reshape(view.shape)
    first = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    strides = [s // root.itemsize * buffer.itemsize for s in view.strides]
    return as_strided(buffer[first // root.itemsize :], view.shape, strides)


def parts(found: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield every array to which an object refers, and every object that cannot be copied, by name.

    A layer inside has its parameters under their names, such as `"conv.w"`.
    """
    if id(found) in seen or isinstance(found, str | int | float | type | ModuleType | FunctionType):
        return
    seen.add(id(found))
    inside: dict[str, Any] = {}
    if isinstance(found, np.ndarray):
        yield path, found
    elif isinstance(found, dict):
        inside = {f"{path}[{key!r}]": each for key, each in found.items()}
    elif isinstance(found, list | tuple | set | frozenset):
        inside = {f"{path}[{position}]": each for position, each in enumerate(found)}
    elif hasattr(found, "__dict__"):
        members = {key: each for key, each in vars(found).items() if key not in PARTS_OF_A_LAYER}
        if isinstance(found, Layer):
            members |= found.children if isinstance(found, Container) else found.params
        inside = {f"{path}.{key}".lstrip("."): each for key, each in members.items()}
    elif found is not None:
        try:
            deepcopy(found)
        except TypeError:  # a lock, a file, a generator
            yield path, found
    for name, each in inside.items():
        yield from parts(each, name, seen)
