"""Files: written completely or not at all, and read without trust.

A file is written under a temporary name in the same folder, and gets its final name at the end. An
error or a full disk therefore never leaves half a file, and an older file remains until the new one
is complete. Saved models, the progress of the puzzles and the results of the example scripts are
written in this way.
"""

from __future__ import annotations

import glob
import io
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import numpy as np

from numpycnn._types import Array

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


def permissions_to_keep(caller: str, target: Path) -> int | None:
    """Return the permissions of an old file, None without one, or raise if it must not be replaced.

    They count for an administrator, too, whom the system lets write anything.
    """
    permissions = stat.S_IMODE(target.stat().st_mode) if os.path.lexists(target) else None
    is_writable = permissions is None or (permissions & 0o222 and os.access(target, os.W_OK))
    if not (is_writable and os.access(target.parent, os.W_OK)):
        kind = PermissionError if target.parent.is_dir() else FileNotFoundError
        raise kind(
            f"{caller}: path must be a file that can be written, got {target}. Create the folder, "
            "change the permissions, or save elsewhere."
        )
    return permissions


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


# Reading arrays
# --------------
# An `.npz` file is a ZIP archive of arrays. It may be damaged or malicious. The parts are not
# compressed, so no array can be larger than the file. `ZipFile.read` verifies the checksum of each
# part.


@contextmanager
def arrays_in(path: str, required: str) -> Iterator[dict[str, Array]]:
    """Read the arrays of a saved model, one of them `required`; every error names the file."""
    import zipfile  # imported here, because most programs do not load models

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
            if required not in contents:
                raise ValueError(f"no {required}")
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
