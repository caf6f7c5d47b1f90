"""Saving and loading: a model in one file that contains no code.

The file is an `.npz` of NumPy: an archive of arrays. One of them is a text, the architecture in
JSON, such as

    {"layer": "Sequential", "layers": [{"layer": "Dense", "in_features": 4, "out_features": 3}]}

with the class of each layer and its arguments. The others are the parameters and the state under
their names and, if there are any, notes, also in JSON. A pickle would need less code, but loading a
pickle can run any code that it contains. None is written or read.

A file may be damaged or malicious. Every size in it is therefore verified before it is used: the
size of each array must match [the bytes in the file](../system/files.py#reading-arrays), and its
shape that of the parameter.
"""

from __future__ import annotations

import inspect
import json
import os
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from numpycnn._reductions import wide
from numpycnn._validation import require_parameters
from numpycnn.layers.layer import Kind, Layer
from numpycnn.system.files import arrays_in, file_name, permissions_to_keep, replacing

ARCHITECTURE, NOTES = "architecture", "notes"  # the arrays with the texts
RETIRED = {"Beside": "SkipConcat"}  # names of layers in files of version 0.1.0


class Stored(Layer):
    """A layer that can be saved to a file and loaded from it."""

    def save(self, path: str | os.PathLike[str], notes: Any = None) -> None:
        """Save architecture, parameters and state to an `.npz` file.

        Parameters
        ----------
        path : str or path-like
            The file. An existing file is replaced only after the new one is complete.
        notes : object, optional
            Data that JSON can represent; `numpycnn.layers.storage.load_notes` returns them.
        """
        target = Path(os.path.realpath(file_name("save", path)))
        own = {**self.params, **self.state}
        require_parameters("save", own)
        arrays = {ARCHITECTURE: np.array(json.dumps(self, default=_described)), **own}
        if notes is not None:
            arrays[NOTES] = np.array(json.dumps(notes, default=_refused))
        with replacing(target, permissions_to_keep("save", target)) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # takes any name but allow_pickle

    @classmethod
    def load(cls: type[Kind], path: str | os.PathLike[str], *own_layers: type[Layer]) -> Kind:
        """Load a model from a file that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file.
        *own_layers : type
            Custom layer classes in the model: `load(path, MyLayer)`.
        """
        kinds = _kinds()
        for kind in (cls, *own_layers):
            if not isinstance(kind, type) or not issubclass(kind, Layer):
                raise TypeError(
                    f"load: own_layers must be classes of layers, got {kind!r}. Pass the class: "
                    "load(path, MyLayer)."
                )
            kinds[kind.__name__] = kind

        # The architecture is built first. The arrays are accepted only if their names and shapes
        # are exactly those of the layers.

        with arrays_in(file_name("load", path), ARCHITECTURE) as arrays:
            n_bytes = sum(array.nbytes for array in arrays.values())
            arrays.pop(NOTES, None)
            hook = partial(_build, kinds, n_bytes)
            layer = json.loads(str(arrays.pop(ARCHITECTURE)), object_hook=hook)
            if not isinstance(layer, Layer):
                raise ValueError(f"an architecture that is not a layer: {layer!r:.50}")
            own = {**layer.params, **layer.state}
            expected = {name: array.shape for name, array in own.items()}
            actual = {name: array.shape for name, array in arrays.items()}
            if actual != expected:
                raise ValueError(f"layers with arrays {expected}, and arrays {actual}")
            require_parameters("load", arrays)

            # Running statistics are float64, also of files of version 0.1.0, which had float32.

            state = {name: arrays[name].astype(wide(arrays[name])) for name in layer.state}
            layer = layer.with_params(arrays | state)
        if not isinstance(layer, cls):
            raise ValueError(
                f"load: path must be a saved {cls.__name__}, got {path}: a {type(layer).__name__}. "
                f"Call {type(layer).__name__}.load."
            )
        return layer


def load_notes(path: str | os.PathLike[str]) -> Any:
    """Return the notes that were saved with a model.

    Parameters
    ----------
    path : str, bytes or path-like
        A file that `model.save(path, notes)` wrote.

    Returns
    -------
    object
        The notes, or None.

    Raises
    ------
    ValueError
        If the file is damaged or of another kind.
    OSError
        If there is no such file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from numpycnn import Dense, Sequential
    >>> with TemporaryDirectory() as folder:
    ...     Sequential(Dense(4, 2)).save(f"{folder}/model.npz", {"classes": ["noise", "arrival"]})
    ...     load_notes(f"{folder}/model.npz")
    {'classes': ['noise', 'arrival']}
    """
    with arrays_in(file_name("load_notes", path), ARCHITECTURE) as arrays:
        return json.loads(str(arrays[NOTES])) if NOTES in arrays else None


# The architecture
# ----------------
# A layer is described by its class and its arguments, and built again by calling the class.


def _described(layer: object) -> dict[str, Any]:
    """Return the class and the arguments of a layer, for JSON."""
    if not isinstance(layer, Layer):
        _refused(layer)
    options = layer.options()
    if "layer" in options:
        raise TypeError(f"save: an argument must not be named layer, got {layer!r}. Rename it.")
    return {"layer": type(layer).__name__, **options}


def _refused(thing: object) -> NoReturn:
    """Raise for an object that JSON cannot express."""
    raise TypeError(
        "save: notes, and arguments of layers, must be plain numbers, texts, lists or layers, got "
        f"{type(thing).__name__}: {thing!r}."
    )


def _build(kinds: dict[str, type[Layer]], n_bytes: int, options: dict[str, Any]) -> Any:
    """Build a layer from its description, in a file with `n_bytes` of arrays."""
    if "layer" not in options:
        return options  # a dict among the arguments of a layer
    name = options.pop("layer")
    name = name if name in kinds else RETIRED.get(name, name)
    if name not in kinds:
        raise ValueError(f"unknown layer {name}, whose class is passed as load(path, {name})")
    signature = inspect.signature(kinds[name])
    if unknown := options.keys() - signature.parameters.keys():
        raise ValueError(f"unknown arguments {unknown} of {name}")

    # Initial parameters are replaced by those of the file, but need memory before. A malicious file
    # could describe a layer that is larger than the memory.

    if isinstance(channels := options.get("channels"), int) and channels > n_bytes:
        raise ValueError(f"a {name} with {channels} channels in {n_bytes} bytes")
    if "rng" in signature.parameters and _is_ours(kinds[name]):
        options["rng"] = _Undrawn(np.random.PCG64(0))
    arguments = inspect.BoundArguments(signature, options)
    return kinds[name](*arguments.args, **arguments.kwargs)


def _kinds(kind: type[Layer] = Layer) -> dict[str, type[Layer]]:
    """Return the classes of the package's layers by name; of equal names, the subclass."""
    kinds = {kind.__name__: kind} if _is_ours(kind) else {}
    for subclass in kind.__subclasses__():
        kinds |= _kinds(subclass)
    return kinds


def _is_ours(kind: type[Layer]) -> bool:
    return kind.__module__.startswith("numpycnn.layers.")


class _Undrawn(np.random.Generator):
    """A generator of weights that need no memory, until they are replaced by those of the file."""

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return an array of this size in which all entries share one float in memory."""
        return np.broadcast_to(np.float32(low), size)
