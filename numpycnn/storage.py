"""Saving and loading: a model in one file that holds no code.

The file is NumPy's `.npz`: an archive of arrays. One of them is a text, the
architecture in JSON, such as

    {"layer": "Sequential", "layers": [{"layer": "Dense", "in_features": 4, "out_features": 3}]}

and the others are the parameters under their names. A pickle would be shorter
to write, but loading one can run any code it holds, so none is written and
none is read.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from numpycnn.layers.layer import Layer

ARCHITECTURE = "architecture"  # the name of the text among the arrays


def save_layer(layer: Layer, path: str | os.PathLike[str]) -> None:
    """Write `layer` to `path`, replacing a file that is there only once the new one is whole."""

    def describe(part: object) -> dict[str, Any]:
        if not isinstance(part, Layer):
            raise TypeError(
                f"save expected layers whose arguments are plain numbers, texts, lists or layers, "
                f"got {type(part).__name__}: {part!r}"
            )
        return {"layer": type(part).__name__, **part.options()}

    arrays = {ARCHITECTURE: np.array(json.dumps(layer, default=describe)), **layer.params}
    whole = Path(os.path.realpath(path))  # a link is followed, not replaced
    if not whole.parent.is_dir():
        raise FileNotFoundError(f"save expected a folder to save in, {whole.parent} is none")
    part = whole.with_name(f".{whole.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # takes any name but allow_pickle
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave an empty file
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)


def load_layer(path: str | os.PathLike[str], kinds: Mapping[str, type[Layer]]) -> Layer:
    """Build the layer that `save_layer` wrote to `path`; `kinds` are the layer classes by name.

    Raises `ValueError` for anything else than such a file, and `FileNotFoundError`
    (or another `OSError`) where there is none to read.
    """

    def build(options: dict[str, Any]) -> Layer:
        kind = options.pop("layer")
        if kind not in kinds:
            raise ValueError(
                f"the layer {kind} is not known here; give its class: load(path, {kind})"
            )
        return kinds[kind](*options.pop("layers", ()), **options)

    with open(path, "rb") as file:
        try:
            arrays = _read_arrays(file)
            layer: Layer = json.loads(str(arrays.pop(ARCHITECTURE)), object_hook=build)
            expected = {name: array.shape for name, array in layer.params.items()}
            found = {name: array.shape for name, array in arrays.items()}
            if found != expected:
                raise ValueError(f"its layers want the weights {expected}, it holds {found}")
            return layer.with_params(arrays)
        except Exception as error:  # a damaged file can raise anything at all
            raise ValueError(f"{path} is not a whole numpycnn model: {error}") from error


def _read_arrays(file: BinaryIO) -> dict[str, Any]:
    """Read every array of an .npz file; raise if it is another kind of file, or damaged."""
    if not zipfile.is_zipfile(file):
        raise ValueError("it is no .npz file, or one that was cut off")
    with zipfile.ZipFile(file) as archive:
        if damaged := archive.testzip():  # reading alone does not always check the sums
            raise ValueError(f"its part {damaged} is damaged")
    file.seek(0)
    arrays = dict(np.load(file, allow_pickle=False))
    if ARCHITECTURE not in arrays:
        raise ValueError(f"there is no {ARCHITECTURE} in it")
    for name, array in arrays.items():
        if name != ARCHITECTURE and array.dtype.kind not in "fc":
            raise ValueError(f"its weights {name} are no floats but {array.dtype}")
    return arrays
