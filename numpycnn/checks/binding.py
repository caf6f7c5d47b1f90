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
from itertools import combinations
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
WITHOUT_MEMBERS = np.ndarray, str, int, float, complex, type, ModuleType, FunctionType


def with_params(layer: Any, arrays: Params) -> Any:
    """Return a copy of `layer` that holds the parameters in `arrays`.

    >>> from types import SimpleNamespace
    >>> buffer = np.arange(4.0)
    >>> layer = SimpleNamespace(buffer=buffer, params={"w": buffer[:2]}, mean=np.zeros(1))
    >>> copy = with_params(layer, {"w": np.array([7.0, 8.0])})
    >>> copy.buffer, copy.params["w"], layer.buffer
    (array([7., 8., 2., 3.]), array([7., 8.]), array([0., 1., 2., 3.]))
    """
    return Copies(layer).with_params(arrays)


class Copies:
    """Copies of one layer, whose arrays are found once for all copies.

    A layer of the package copies itself, and its copy refers to the arrays that it is given.

    >>> from types import SimpleNamespace
    >>> from numpycnn import Dense
    >>> dense, custom = Dense(2, 1), SimpleNamespace(params={"w": np.ones((2, 1))})
    >>> arrays = {"w": np.zeros((2, 1)), "b": np.zeros(1)}
    >>> [Copies(each).with_params(arrays).params["w"] is arrays["w"] for each in (dense, custom)]
    [True, False]
    >>> w = np.ones(2)
    >>> [Copies(SimpleNamespace(params={"a": w, "b": b})).is_tied for b in (w, w + 1)]
    [True, False]
    """

    def __init__(self, layer: Any) -> None:
        self.has_copies = isinstance(layer, Layer) and holds_only_parameters(layer)
        self.kept = {} if self.has_copies else uncopyable(layer)
        self.is_tied = not self.has_copies and share_memory(layer.params)
        self.layer = untied(layer, self.kept) if self.is_tied else layer
        self.own = dict(self.layer.params)
        self.roots = {name: root_of(array) for name, array in self.own.items()}
        inside = {} if self.has_copies else dict(parts(self.layer, "", set()))
        owners = {id(root) for root in self.roots.values()}
        arrays = {id(a): a for a in (*self.own.values(), *inside.values()) if type(a) is np.ndarray}
        found = [(part, root_of(part)) for part in arrays.values()]
        self.views = [
            (a, root) for a, root in found if id(root) in owners and a.dtype == root.dtype
        ]

    def share_arrays(self) -> bool:
        """Whether a copy would hold an array of the layer, as one that belongs to the class.

        >>> from numpycnn import Dense
        >>> class Shared:
        ...     params = {"w": np.ones(2)}
        >>> Copies(Shared()).share_arrays(), Copies(Dense(2, 1)).share_arrays()
        (True, False)
        """
        if self.has_copies:
            return False
        held = self.with_params(self.own).params
        return any(np.may_share_memory(held[name], array) for name, array in self.own.items())

    def with_params(self, arrays: Params) -> Any:
        """Return a copy of the layer that holds these parameters."""
        params = {name: arrays[name] for name in self.own}
        if self.has_copies:
            return self.layer.with_params(params)
        memo = dict(self.kept)
        buffers: dict[int, Array] = {}
        for name, root in self.roots.items():
            dtype = np.result_type(params[name], buffers.get(id(root), np.float64))
            buffers[id(root)] = root.ravel("K").astype(dtype)
        for part, root in self.views:
            memo[id(part)] = same_view(part, root, buffers[id(root)])
        copy = deepcopy(self.layer, memo)
        held = copy.params
        for name, array in params.items():
            held[name][...] = array
        return copy


# One array under several names
# -----------------------------


def share_memory(params: Params) -> bool:
    """Whether two parameters are one array, or an array and a view of it.

    >>> w = np.ones(4)
    >>> share_memory({"a": w[:2], "b": w[2:]}), share_memory({"a": w, "b": w[::2]})
    (False, True)
    """
    return any(np.shares_memory(a, b) for a, b in combinations(params.values(), 2))


def untied(layer: Any, kept: dict[int, Any]) -> Any:
    """Return a copy of a layer in which each parameter is a separate array.

    The gradient for each name is then that of the places where forward uses this name.

    >>> from types import SimpleNamespace
    >>> w = np.ones(2)
    >>> layer = SimpleNamespace(encode=w, params={"encode": w, "decode": w})
    >>> layer.child = SimpleNamespace(parent=layer, w=[w])
    >>> copy = untied(layer, {})
    >>> copy.params["encode"] is copy.encode, share_memory({**copy.params, "c": copy.child.w[0]})
    (True, False)
    >>> class Twice:
    ...     def __init__(self):
    ...         self.w = self.v = np.ones(2)
    ...
    ...     @property
    ...     def params(self):
    ...         return {"w": self.w, "v": self.v}
    >>> share_memory(Twice().params), share_memory(untied(Twice(), {}).params)
    (True, False)
    >>> class Once(Twice):
    ...     @property
    ...     def params(self):
    ...         return {"w": self.w, "v": self.w}
    >>> untied(Once(), {})
    Traceback (most recent call last):
    TypeError: check_gradients: params must hold one array under each name, got ['w', 'v'], ...
    """
    copy = deepcopy(layer, dict(kept))  # which makes a separate array of each view
    _separate(copy, {*map(id, copy.params.values())}, set())
    attributes = getattr(copy, "__dict__", {})
    for name, array in copy.params.items():
        if isinstance(attributes.get(name), np.ndarray):
            attributes[name] = array
    if share_memory(copy.params):
        raise tied_arrays(copy.params)
    return copy


def tied_arrays(params: Params) -> TypeError:
    """The error for an array with two names that no copy can separate."""
    return TypeError(
        f"check_gradients: params must hold one array under each name, got {[*params]}, of "
        "which two are the same array. List it once, with the sum of its gradients."
    )


def _separate(found: Any, tied: set[int], seen: set[int]) -> None:
    """Replace each reference to one of these arrays by a copy of the array."""
    if id(found) in seen:
        return
    seen.add(id(found))
    if isinstance(found, dict | list):
        for key, each in [*(found.items() if isinstance(found, dict) else enumerate(found))]:
            if id(each) in tied:
                found[key] = each.copy()
    for name, each in attributes(found).items():
        if id(each) in tied:
            object.__setattr__(found, name, each.copy())
    for each in members(found).values():
        _separate(each, tied, seen)


# Objects inside a layer
# ----------------------


def holds_only_parameters(layer: Layer) -> bool:
    """Whether nothing else in a layer can change or refer to its arrays, such as a view or a list.

    Then its own `with_params`, which copies nothing, is enough.

    >>> from numpycnn import Dense, ReLU, Residual, Sequential
    >>> class Named(Dense):
    ...     @property
    ...     def params(self):
    ...         return {"weights": super().params["w"]}
    >>> view, another = Dense(2, 2), Residual(ReLU())
    >>> view.rows, another.head = [*view.params["w"]], ReLU()
    >>> layers = Residual(Dense(2, 2), shortcut=ReLU()), another, view, Named(2, 2)
    >>> [holds_only_parameters(layer) for layer in layers]
    [True, False, False, False]
    >>> [holds_only_parameters(Sequential(layer)) for layer in layers]
    [True, False, False, False]
    """
    for _, part in layer.walk():
        children = part.children.values() if isinstance(part, Container) else ()
        others = [each for name, each in vars(part).items() if name not in PARTS_OF_A_LAYER]
        if defining(part, "params") not in (Arrays, Container) or not all(
            is_constant(each) or any(each is child for child in children) for each in others
        ):
            return False
    return True


def is_constant(found: object) -> bool:
    """Whether an attribute can neither change nor refer to an array.

    >>> [is_constant(each) for each in (None, "same", 3, 0.5, 2j, (1, (2, "a")))]
    [True, True, True, True, True, True]
    >>> [is_constant(each) for each in ([1], np.ones(2), (1, [2]), {}, len)]
    [False, False, False, False, False]
    """
    if isinstance(found, tuple):
        return all(map(is_constant, found))
    return found is None or isinstance(found, str | int | float | complex)


def root_of(array: Array) -> Array:
    """Return the array that owns the memory, or one of which several entries are one value.

    >>> w, one = np.ones((2, 3)), np.ones(1)
    >>> root_of(w.T[1:]) is w, root_of(w) is w
    (True, True)
    >>> spread = np.broadcast_to(one, (4,))
    >>> root_of(spread[1:]).shape
    (3,)
    """
    while (
        isinstance(array.base, np.ndarray)
        and array.base.dtype.fields is None
        and 0 not in array.strides
    ):
        array = array.base
    return array


def same_view(view: Array, root: Array, buffer: Array) -> Array:
    """Return the part of `buffer`, a flat copy of `root`, that `view` is of `root`.

    >>> w = np.arange(6, dtype=np.float32).reshape(2, 3)
    >>> buffer = 10.0 * np.arange(6)
    >>> same_view(w, w, buffer).tolist(), same_view(w[1, ::2], w, buffer).tolist()
    ([[0.0, 10.0, 20.0], [30.0, 40.0, 50.0]], [30.0, 50.0])
    >>> same_view(w.T, w, buffer).tolist()
    [[0.0, 30.0], [10.0, 40.0], [20.0, 50.0]]
    >>> spread = np.broadcast_to(np.ones(1), (3,))
    >>> same_view(spread, spread, buffer[:3]).tolist()
    [0.0, 10.0, 20.0]
    """
    if view is root and (view.flags.c_contiguous or 0 in view.strides):
        return buffer.reshape(view.shape)
    first = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    strides = [s // root.itemsize * buffer.itemsize for s in view.strides]
    return as_strided(buffer[first // root.itemsize :], view.shape, strides)


def parts(found: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Array]]:
    """Yield every array to which an object refers, with its name.

    A layer inside has its parameters under their names, such as `"conv.w"`.

    >>> from numpycnn import Dense, ReLU, Sequential
    >>> model = Sequential(Dense(2, 1), ReLU())
    >>> layer = {"a": [np.ones(1)], "net": model}
    >>> layer["itself"] = layer
    >>> [name for name, _ in parts(layer, "", set())]
    ["['a'][0]", "['net'].0.w", "['net'].0.b"]
    """
    if id(found) in seen:
        return
    seen.add(id(found))
    if isinstance(found, np.ndarray):
        yield path, found
    inside = members(found)
    if isinstance(found, Layer):
        own = found.children if isinstance(found, Container) else found.params
        inside = {key: each for key, each in inside.items() if key[1:] not in PARTS_OF_A_LAYER}
        inside |= {f".{name}": each for name, each in own.items()}
    for key, each in inside.items():
        yield from parts(each, f"{path}{key}".lstrip("."), seen)


def members(found: Any) -> dict[str, Any]:
    """Return the objects to which an object refers: `"[0]"`, `"['w']"` or `".w"`.

    >>> members({"w": 1}), members((1, 2)), members("ab"), members(slice(1)), members(np)
    ({"['w']": 1}, {'[0]': 1, '[1]': 2}, {}, {}, {})
    """
    if found is None or isinstance(found, WITHOUT_MEMBERS):
        return {}
    inside = {f".{name}": each for name, each in attributes(found).items()}
    if isinstance(found, dict):
        inside |= {f"[{key!r}]": each for key, each in found.items()}
    elif isinstance(found, list | tuple | set | frozenset):
        inside |= {f"[{position}]": each for position, each in enumerate(found)}
    return inside


def attributes(found: Any) -> dict[str, Any]:
    """Return the attributes of an object, those in slots too.

    >>> class Slots:
    ...     __slots__ = "a", "missing"
    >>> class One(Slots):
    ...     __slots__ = "b"
    >>> class Both(One):
    ...     pass
    >>> both = Both()
    >>> both.a, both.b, both.c = 1, 2, 3
    >>> sorted(attributes(both).items())
    [('a', 1), ('b', 2), ('c', 3)]
    """
    slots = [vars(each).get("__slots__", ()) for each in type(found).__mro__]
    names = [name for each in slots for name in ([each] if isinstance(each, str) else each)]
    inside = {
        name: getattr(found, name)
        for name in names
        if name not in ("__dict__", "__weakref__") and hasattr(found, name)
    }
    return {**inside, **getattr(found, "__dict__", {})}


def uncopyable(layer: Any) -> dict[int, Any]:
    """Return the objects inside a layer that `deepcopy` refuses, such as a lock or a file, by id.

    Copies of the layer refer to the same ones.

    >>> from threading import Lock
    >>> lock = Lock()
    >>> uncopyable({"a": [1, lock], "b": 2}) == {id(lock): lock}, uncopyable([1, 2])
    (True, {})
    >>> class Refusing:
    ...     def __init__(self):
    ...         self.path = "a.npy"
    ...
    ...     def __deepcopy__(self, memo):
    ...         raise TypeError("a file")
    >>> first, second = Refusing(), Refusing()
    >>> uncopyable([[first], second]) == {id(first): first, id(second): second}
    True
    """
    kept: dict[int, Any] = {}
    if _is_copyable(layer, kept):
        return kept
    found: dict[int, Any] = {id(layer): layer}
    waiting = [layer]
    while waiting:
        inside = [each for each in members(waiting.pop()).values() if id(each) not in found]
        found |= {id(each): each for each in inside}
        waiting += inside
    # The smallest first; a refusal of an object may be that of another inside.
    leaves = [each for each in found.values() if not members(each)]
    for group in leaves, reversed(found.values()):
        for each in group:
            if not _is_copyable(each, kept):
                kept[id(each)] = each
        if _is_copyable(layer, kept):
            break
    return kept


def _is_copyable(found: Any, kept: dict[int, Any]) -> bool:
    """Whether `deepcopy` copies an object whose parts in `kept` it need not copy.

    >>> from threading import Lock
    >>> lock = Lock()
    >>> [_is_copyable(*each) for each in (([1], {}), ([lock], {}), ([lock], {id(lock): lock}))]
    [True, False, True]
    """
    try:
        deepcopy(found, dict(kept))
    except Exception:  # whatever a class raises that refuses to be copied
        return False
    return True
