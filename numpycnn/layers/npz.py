"""Files of arrays: written completely or not at all, and read without trust.

An `.npz` file is a ZIP archive of arrays. `write_arrays` writes a temporary file and then gives it
the final name, so that an error never leaves half a file. `arrays_in` reads a file that may be
damaged or malicious: the arrays are never larger than the file.
"""

from __future__ import annotations

import glob
import io
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import numpy as np

from numpycnn._types import Array, Params

ARCHITECTURE = "architecture"  # the array with the text that describes the layers
A_DAY = 24 * 60 * 60  # seconds: no file takes as long to write


def file_name(caller: str, path: str | bytes | os.PathLike[str]) -> str:
    """Return a path as text, or raise unless it is a path that leads to a file or to nothing."""
    if not isinstance(path, str | bytes | os.PathLike):
        name = getattr(path, "name", "model.npz")  # of an open file
        raise TypeError(f"{caller}: path must be a path, got {path!r}. Pass its name: {name!r}.")
    name = os.fsdecode(path)
    if os.path.isdir(name) or os.path.basename(name) in ("", "."):
        raise IsADirectoryError(f"{caller}: path must lead to a file, got the folder {name!r}.")
    if os.path.exists(name) and not os.path.isfile(name):
        raise OSError(f"{caller}: path must lead to a file, got the pipe or device {name!r}.")
    return name


def write_arrays(path: str, arrays: Params) -> None:
    """Write arrays to a file, or raise `OSError` and leave an older file unchanged."""
    target = Path(os.path.realpath(path))  # a link is followed, not replaced
    if not os.access(target.parent, os.W_OK):
        kind = PermissionError if target.parent.is_dir() else FileNotFoundError
        raise kind(
            f"save: path must be in a folder that can be written, got {target}. Create the folder, "
            "or save elsewhere."
        )
    permissions = stat.S_IMODE(target.stat().st_mode) if os.path.lexists(target) else None
    # The permissions count for an administrator, too, whom the system lets write anything.
    if permissions is not None and not (permissions & 0o222 and os.access(target, os.W_OK)):
        raise PermissionError(
            f"save: path must be a file that can be written, got the read-only {target}. Save "
            "under another name, or change its permissions."
        )
    with replacing(target, permissions) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # takes any name but allow_pickle


@contextmanager
def replacing(target: Path, permissions: int | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `target` at the end of `with`, unless an error occurs."""
    # Each thread writes to a different temporary name, which is not too long if the path is not.
    # The file has the old permissions from the beginning, so that a private model stays private.

    _remove_old_parts(target)
    part = target.with_name(f".{target.name[:32]}.{token_hex(8)}.part")
    mode = 0o666 if permissions is None else permissions
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power failure could leave an empty file
        if permissions is not None:
            part.chmod(permissions)  # with those that the umask would remove
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _remove_old_parts(target: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote this file."""
    name = glob.escape(f".{target.name[:32]}.")
    for part in target.parent.glob(f"{name}{'[0-9a-f]' * 16}.part"):
        with suppress(OSError):  # another process may remove it, too
            if time.time() - part.stat().st_mtime > A_DAY:
                part.unlink()


# Reading a file
# --------------
# The parts are not compressed, so no array can be larger than the file. `ZipFile.read` verifies the
# checksum of each part.


@contextmanager
def arrays_in(path: str) -> Iterator[dict[str, Array]]:
    """Read the arrays of a saved model; every error about them names the file."""
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                parts, n_bytes = archive.infolist(), file.seek(0, os.SEEK_END)
                is_packed = any(part.compress_type != zipfile.ZIP_STORED for part in parts)
                if is_packed or sum(part.file_size for part in parts) > n_bytes:
                    raise ValueError("compressed parts")
                contents = {
                    part.filename.removesuffix(".npy"): archive.read(part) for part in parts
                }
            if ARCHITECTURE not in contents:
                raise ValueError(f"no {ARCHITECTURE}")
            yield {name: _array(npy) for name, npy in contents.items()}
        except Exception as error:  # a damaged file can raise anything
            raise ValueError(
                f"load: path must be a complete numpycnn model, got {path}: {error}. Pass "
                "a file that model.save wrote."
            ) from error


def _array(npy: bytes) -> Array:
    """Return the array in the bytes of an .npy file; raise unless they match its shape and type."""
    header = io.BytesIO(npy)
    np.lib.format.read_magic(header)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(header)
    values = np.frombuffer(npy, dtype, offset=header.tell())
    return values.reshape(shape, order="F" if is_fortran else "C").copy(order="K")
