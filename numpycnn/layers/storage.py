"""Saving and loading: a model in one file that holds no code.

The file is NumPy's `.npz`: an archive of arrays. One of them is a text, the
architecture in JSON, such as

    {"layer": "Sequential", "layers": [{"layer": "Dense", "in_features": 4, "out_features": 3}]}

the kind of each layer and the arguments that build it. The others are the
parameters and the state under their names and, if there are any, notes, in JSON too.
A pickle would be shorter to write, but loading one can run any code it holds, so
none is written and none is read.

A file may have been damaged, or made by someone who means harm. So nothing in
it is believed before it has been compared with something else: the size of each
array with the bytes that are there, and then with the size of the parameter
that it is to be.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, NoReturn

import numpy as np

from numpycnn._reductions import wide
from numpycnn._types import Array
from numpycnn._validation import require_parameters
from numpycnn.layers.layer import Layer

ARCHITECTURE, NOTES = "architecture", "notes"  # the names of the texts among the arrays
RETIRED = {"Beside": "SkipConcat"}  # names of layers in files of version 0.1.0


def save_layer(layer: Layer, path: str | os.PathLike[str], notes: Any = None) -> None:
    """Write a layer to a file, which is replaced only once the new one is whole.

    Parameters
    ----------
    layer : Layer
        A network or another layer. All its parameters are floats.
    path : str, bytes or path-like
        The file. If there is one, the new file has the same permissions. A link is followed.
    notes : optional
        Anything that JSON can express.

    Raises
    ------
    TypeError
        For a path, notes or a layer that cannot be written.
    OSError
        If the path is a folder, a device, a read-only file or in a folder that cannot be written.
        Whatever the reason, a file that was there is as it was.
    """
    whole = Path(os.path.realpath(_file_name("save", path)))  # a link is followed, not replaced
    permissions = _require_writable(whole)
    own = {**layer.params, **layer.state}
    require_parameters("save", own)
    arrays = {ARCHITECTURE: np.array(json.dumps(layer, default=_described)), **own}
    if notes is not None:
        arrays[NOTES] = np.array(json.dumps(notes, default=_refused))
    # Each thread writes to a name of its own, which is not too long where the path is not. The file
    # begins with the old permissions, so that a private model is private all the time.
    part = whole.with_name(f".{whole.name[:32]}.{token_hex(8)}.part")
    mode = 0o666 if permissions is None else permissions
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # takes any name but allow_pickle
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave an empty file
        if permissions is not None:
            part.chmod(permissions)  # with those that the umask would take off
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)


def _file_name(caller: str, path: str | bytes | os.PathLike[str]) -> str:
    """Return a path as text, or raise for another thing than a path, and for one to no file."""
    if not isinstance(path, str | bytes | os.PathLike):
        name = getattr(path, "name", None)  # of an open file
        name = name if isinstance(name, str) else "model.npz"
        raise TypeError(f"{caller}: path must be a path, got {path!r}. Pass its name: {name!r}.")
    name = os.fsdecode(path)
    if os.path.isdir(name) or os.path.basename(name) in ("", "."):
        raise IsADirectoryError(f"{caller}: path must lead to a file, got the folder {name!r}.")
    if os.path.exists(name) and not os.path.isfile(name):
        raise OSError(f"{caller}: path must lead to a file, got the pipe or device {name!r}.")
    return name


def _require_writable(whole: Path) -> int | None:
    """Return the permissions of the file that is there, if any, or raise if it is read-only."""
    if not whole.parent.is_dir():
        raise FileNotFoundError(
            f"save: path must lie in a folder, got {whole}. Make {whole.parent}."
        )
    try:
        permissions = stat.S_IMODE(whole.stat().st_mode)
    except FileNotFoundError:
        permissions = None
    # The permissions count for an administrator, too, whom the system lets write anything.
    if permissions is not None and not (permissions & 0o222 and os.access(whole, os.W_OK)):
        raise PermissionError(
            f"save: path must be a file that can be written, got the read-only {whole}. Save under "
            "another name, or change its permissions."
        )
    if not os.access(whole.parent, os.W_OK):
        raise PermissionError(
            f"save: path must lie in a folder that can be written, got {whole}. Save elsewhere."
        )
    return permissions


def _described(layer: object) -> dict[str, Any]:
    """Say in JSON what kind a layer is and which arguments build it."""
    if not isinstance(layer, Layer):
        _refused(layer)
    options = layer.options()
    if "layer" in options:
        raise TypeError(
            f"save: an argument of a layer must not be named layer, got {layer!r}. Rename it."
        )
    return {"layer": type(layer).__name__, **options}


def _refused(thing: object) -> NoReturn:
    """Raise for what JSON has no words for."""
    raise TypeError(
        "save: notes, and arguments of layers, must be plain numbers, texts, lists or layers, got "
        f"{type(thing).__name__}: {thing!r}."
    )


def load_layer(path: str | os.PathLike[str], *own_layers: type[Layer]) -> Layer:
    """Build the layer that `save_layer` wrote to `path`, from the package's layers and your own.

    Raises `ValueError` for anything else than such a file, and `FileNotFoundError`
    (or another `OSError`) where there is none to read.
    """
    for kind in own_layers:
        if not isinstance(kind, type) or not issubclass(kind, Layer):
            raise TypeError(
                f"load: own_layers must be classes of layers, got {kind!r}. Pass the class: "
                "load(path, MyLayer)."
            )
    kinds = _kinds() | {kind.__name__: kind for kind in own_layers}

    def build(options: dict[str, Any]) -> Layer | dict[str, Any]:
        if "layer" not in options:
            return options  # a dict among the arguments of a layer
        name = options.pop("layer")
        name = name if name in kinds else RETIRED.get(name, name)
        if name not in kinds:
            raise ValueError(f"unknown layer {name}, whose class is passed as load(path, {name})")
        signature = inspect.signature(kinds[name])
        if unknown := options.keys() - signature.parameters.keys():
            raise ValueError(f"unknown arguments {unknown} of {name}")
        # The initial parameters, all one, take memory although they are replaced.
        if isinstance(channels := options.get("channels"), int) and channels > n_bytes:
            raise ValueError(f"a {name} with {channels} channels in {n_bytes} bytes")
        if "rng" in signature.parameters and kinds[name] not in own_layers:
            options["rng"] = _Undrawn(np.random.PCG64(0))
        arguments = inspect.BoundArguments(signature, options)
        return kinds[name](*arguments.args, **arguments.kwargs)

    with _arrays_in(_file_name("load", path)) as arrays:
        n_bytes = sum(array.nbytes for array in arrays.values())
        arrays.pop(NOTES, None)
        layer = json.loads(str(arrays.pop(ARCHITECTURE)), object_hook=build)
        if not isinstance(layer, Layer):
            raise ValueError(f"an architecture that is not a layer: {layer!r:.50}")
        own = {**layer.params, **layer.state}
        expected = {name: array.shape for name, array in own.items()}
        found = {name: array.shape for name, array in arrays.items()}
        if found != expected:
            raise ValueError(f"layers with arrays {expected}, and arrays {found}")
        for name, array in arrays.items():
            if array.dtype.kind not in "fc":
                raise ValueError(f"an array {name} of type {array.dtype}")
        # Running statistics are float64, also those of files of version 0.1.0, which had float32.
        state = {name: arrays[name].astype(wide(arrays[name])) for name in layer.state}
        return layer.with_params(arrays | state)


def load_notes(path: str | os.PathLike[str]) -> Any:
    """Return the notes that `model.save(path, notes)` wrote beside the model, or `None`.

    >>> from tempfile import TemporaryDirectory
    >>> from numpycnn import Dense, Sequential
    >>> with TemporaryDirectory() as folder:
    ...     Sequential(Dense(4, 2)).save(f"{folder}/model.npz", {"classes": ["noise", "arrival"]})
    ...     load_notes(f"{folder}/model.npz")
    {'classes': ['noise', 'arrival']}

    Raises `ValueError` for anything else than a saved model, and `OSError` as `load` does.
    """
    with _arrays_in(_file_name("load_notes", path)) as arrays:
        return json.loads(str(arrays[NOTES])) if NOTES in arrays else None


def _kinds(kind: type[Layer] = Layer) -> dict[str, type[Layer]]:
    """The package's own layers by name. Of two with one name the subclass is meant."""
    kinds = {kind.__name__: kind} if kind.__module__.startswith("numpycnn.layers.") else {}
    for subclass in kind.__subclasses__():
        kinds |= _kinds(subclass)
    return kinds


class _Undrawn(np.random.Generator):
    """Hands out weights that take no memory, for layers whose weights come from the file.

    So an architecture that claims to have weights without end can be built, and refused.
    """

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return an array of this size that holds one number only, in every place."""
        return np.broadcast_to(np.float32(low), size)


@contextmanager
def _arrays_in(path: str) -> Iterator[dict[str, Array]]:
    """Read the arrays of a saved model; every error about them names the file."""
    with open(path, "rb") as file:
        try:
            yield _read_arrays(file)
        except Exception as error:  # a damaged file can raise anything
            raise ValueError(
                f"load: path must be a complete numpycnn model, got {path}: {error}. Pass "
                "a file that model.save wrote."
            ) from error


def _read_arrays(file: BinaryIO) -> dict[str, Array]:
    """Read every array of an .npz file; raise if it is another kind of file, or damaged."""
    if not zipfile.is_zipfile(file):
        raise ValueError("not a complete .npz file")
    arrays: dict[str, Array] = {}
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        is_packed = any(part.compress_type != zipfile.ZIP_STORED for part in parts)
        if is_packed or sum(part.file_size for part in parts) > file.seek(0, os.SEEK_END):
            raise ValueError("compressed parts")
        if damaged := archive.testzip():
            raise ValueError(f"a damaged part {damaged}")
        for part in parts:
            name = part.filename.removesuffix(".npy")
            if name in arrays:
                raise ValueError(f"the part {name} twice")
            arrays[name] = _array(name, archive.read(part))
    if ARCHITECTURE not in arrays:
        raise ValueError(f"no {ARCHITECTURE}")
    return arrays


def _array(name: str, npy: bytes) -> Array:
    """Return the array in the bytes of an .npy file, which has to fill them exactly."""
    header = io.BytesIO(npy)
    np.lib.format.read_magic(header)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(header)
    if dtype.hasobject or prod(shape) * dtype.itemsize != len(npy) - header.tell():
        raise ValueError(f"a part {name} that is not {dtype} of shape {shape}")
    order: Any = "F" if is_fortran else "C"
    return np.ndarray(shape, dtype, npy, offset=header.tell(), order=order).copy(order="K")
