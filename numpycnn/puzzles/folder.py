"""Read and write the folder of the reader's files and progress.

Everything the course writes is in one folder: a file for each puzzle, and `progress.json`. An
existing file is never overwritten. A reset renames the old file before it writes a new one.

Two processes may use the folder at once. A change of the progress is therefore applied to the
present contents of the file, and the file is replaced as a whole. A damaged file is kept as
`progress.json.bad`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numpycnn.puzzles.puzzle import PUZZLES, RETIRED, Puzzle, find
from numpycnn.system.files import replacing

NAME = "progress.json"


class Folder:
    """The reader's files, and which of them are correct."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = PUZZLES[0]
        self.correct: set[str] = set()
        self.tried: set[str] = set()
        self.hints: dict[str, int] = {}
        self.bad: Path | None = None  # where a damaged progress file was kept
        self._read()

    # Progress
    # --------

    def _read(self) -> None:
        """Read the progress file; some names in files of version 0.1.0 are translated."""
        try:
            text = (self.path / NAME).read_text(encoding="utf-8")
            for old, new in RETIRED.items():
                text = text.replace(f'"{old}"', f'"{new}"')
            progress = json.loads(text)
            names = {puzzle.name for puzzle in PUZZLES}
            correct = names & set(progress.get("correct", progress.get("right")))
            tried = names & set(progress["tried"])
            hints = {str(name): int(n) for name, n in dict(progress["hints"]).items()}
            now = next((p for p in PUZZLES if p.name == progress["now"]), self.now)
        except FileNotFoundError:
            return
        except (ValueError, TypeError, LookupError, AttributeError):
            if self.is_ours():  # otherwise the file belongs to another program
                self.bad = self._set_aside(self.path / NAME, f"{NAME}.bad")
            return
        except OSError:
            return
        self.correct, self.tried, self.hints, self.now = correct, tried, hints, now

    def change(self, apply: Callable[[], None]) -> None:
        """Read the progress, apply a change to this object, and replace the file as a whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._read()
            apply()
            text = json.dumps(
                {
                    "now": self.now.name,
                    "correct": sorted(self.correct),
                    "tried": sorted(self.tried),
                    "hints": self.hints,
                },
                indent=1,
            )
            _write(self.path / NAME, text)

    def save(self, **values: Any) -> None:
        """Set attributes of this object and write them: `save(now=puzzle)`."""
        self.change(lambda: vars(self).update(values))

    def note(self, puzzle: Puzzle, status: str) -> None:
        """Record the result of a puzzle."""

        def apply() -> None:
            if status != "open":
                self.tried.add(puzzle.name)
            if status == "correct":
                self.correct.add(puzzle.name)

        self.change(apply)

    def status(self, puzzle: Puzzle) -> str:
        """Return the recorded status of a puzzle."""
        if puzzle.name in self.correct:
            return "correct"
        return "incorrect" if puzzle.name in self.tried else "open"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the progress against changes by other processes."""
        lock = self.path / f".{NAME}.lock"
        end = time.monotonic() + 5
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                break
            except FileExistsError:
                if time.monotonic() > end:  # left by a process that was killed
                    break
                time.sleep(0.02)
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()

    def next(self) -> Puzzle | None:
        """Return the next puzzle that is not correct; after the last one, start from the first."""
        at = self.now.number
        in_order = [*PUZZLES[at:], *PUZZLES[:at]]
        return next((p for p in in_order if p.name not in self.correct), None)

    # Files
    # -----

    def file(self, puzzle: Puzzle) -> Path:
        """Return the path of the reader's file, which may have the number of an earlier version."""
        names = [puzzle.name, *(old for old, new in RETIRED.items() if new == puzzle.name)]
        numbered = [path for name in names for path in sorted(self.path.glob(f"[0-9]*_{name}.py"))]
        return next(
            (file for file in numbered if find(file.name) is puzzle), self.path / puzzle.filename
        )

    def is_ours(self) -> bool:
        """Return True if the folder contains a puzzle file."""
        return any(self.file(puzzle).exists() for puzzle in PUZZLES)

    def fill(self) -> None:
        """Create the folder and every missing file.

        Raises `FileExistsError` if the folder contains other files only.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.is_ours() and any(self.path.iterdir()):
            raise FileExistsError(
                f"the folder {self.path.resolve()} contains other files. Start in another folder."
            )
        for puzzle in PUZZLES:
            if not self.file(puzzle).exists():
                _write(self.file(puzzle), puzzle.stub)
        if not (self.path / NAME).exists():
            self.save()

    def reset(self, puzzle: Puzzle) -> Path | None:
        """Write a new file for a puzzle; return the path of the old one if it had been changed.

        The puzzle no longer counts as correct.
        """
        file, aside = self.file(puzzle), None
        if file.exists() and (file.is_dir() or file.read_bytes() != puzzle.stub.encode()):
            aside = self._set_aside(file, f"{file.stem}.old")
        _write(file, puzzle.stub)
        self.change(lambda: self.correct.discard(puzzle.name))
        return aside

    def _set_aside(self, file: Path, name: str) -> Path:
        """Rename a file to this name, with a number if the name exists."""
        first = [] if name.endswith(".old") else [self.path / name]
        names = [*first, *(self.path / f"{name}{n}" for n in range(1, 1000))]
        return file.rename(next(path for path in names if not path.exists()))


def _write(file: Path, text: str) -> None:
    """Write a text to a file, completely or not at all."""
    with replacing(file) as part:
        part.write(text.encode())


def folder_here(where: Path | None = None) -> Folder:
    """Return the folder `puzzles` here, or the working directory if it contains puzzle files."""
    here = where or Path()
    names = {puzzle.name for puzzle in PUZZLES} | RETIRED.keys()
    files = here.glob("[0-9]*_*.py")
    is_inside = any(file.stem.lstrip("0123456789").lstrip("_") in names for file in files)
    return Folder(here if is_inside else here / "puzzles")
