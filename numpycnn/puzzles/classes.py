"""Grade the answers of many students into one table.

    python -m numpycnn.puzzles grade ANNA BEN --csv results.csv

Each folder belongs to one student. If a folder contains only such folders, all of them are graded.
Answers run in separate processes, which do not contain the expected results; the results are
compared in this process. Nothing is written into the folders. The processes limit time, memory and
output. They do not protect the files of this machine: grade answers that you do not trust in a
container, or on a machine without secrets.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from numpycnn.puzzles.process import judge_file
from numpycnn.puzzles.puzzle import PUZZLES, Puzzle

COLUMNS = ("student", "number", "puzzle", "status", "mistakes", "text")

WARNING = (
    "Warning: this runs other people's code with your permissions. Its time, memory and output are "
    "limited; its access to your files and to the network is not. Run it in a container."
)


def grade(folders: Sequence[Path], target: Path | None = None) -> int:
    """Grade all puzzle files in some folders, and write or print a CSV table.

    Parameters
    ----------
    folders : sequence of Path
        The students' folders, or folders that contain these.
    target : Path, optional
        The CSV file; standard output if left out.

    Returns
    -------
    int
        The exit code: 0, or 2 if there is nothing to grade or the file cannot be written.
    """
    students = [student for folder in folders for student in _students(folder)]
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing or not students:
        what = f"{missing[0]} is not a folder" if missing else "no folder contains a puzzle file"
        print(f"grade: {what}. Pass the students' folders.", file=sys.stderr)
        return 2
    print(WARNING, file=sys.stderr)
    rows = (
        row for student in students for row in _rows(student)
    )  # each row is written as soon as it is computed
    try:
        if target is None:
            _write(rows, sys.stdout)
        else:
            with target.open("w", newline="", encoding="utf-8") as file:
                _write(rows, file)
            print(f"The results of {len(students)} students are in {target}.")
    except OSError as error:
        print(f"grade: the results cannot be written: {error}", file=sys.stderr)
        return 2
    return 0


def _write(rows: Iterator[tuple[str, ...]], file: object) -> None:
    writer = csv.writer(file)  # type: ignore[arg-type]
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_no_formula(cell) for cell in row])


def _no_formula(cell: str) -> str:
    """Return a cell that no spreadsheet reads as a formula: its text may come from a student."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell


def _students(folder: Path) -> list[Path]:
    """Return the students' folders in or at this path."""
    if _files(folder):
        return [folder]
    inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [path for path in inside if _files(path)]


def _files(folder: Path) -> list[tuple[Puzzle, Path]]:
    """Return a student's puzzle files, in the folder or in its folder `puzzles`."""
    found = []
    for puzzle in PUZZLES:
        for place in (folder, folder / "puzzles"):
            paths = sorted(place.glob(f"[0-9]*_{puzzle.name}.py"))
            paths = [p for p in paths if p.stem.lstrip("0123456789").lstrip("_") == puzzle.name]
            if paths:
                found.append((puzzle, paths[0]))
                break
    return found


def _rows(student: Path) -> Iterator[tuple[str, ...]]:
    files = _files(student)
    print(f"{student.resolve().name}: {len(files)} files", file=sys.stderr, flush=True)
    for puzzle, path in files:
        result = judge_file(puzzle, path)
        text = " ".join(result.text.split()) if result.status == "incorrect" else ""
        row = str(puzzle.number), puzzle.name, result.status, "; ".join(result.mistakes), text
        yield (student.resolve().name, *row)
