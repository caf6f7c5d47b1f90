"""The folder: the reader's files, and how far they have come.

All that the course writes lies in one folder, `puzzles` in the place where it was started: a
file for each puzzle, and `progress.json`. A file that is there is never written over. A reset
puts the old one aside, under a name of its own, before it makes a new one.
"""

import json
from contextlib import suppress
from pathlib import Path

from numpycnn.puzzles.puzzle import PUZZLES, Puzzle, find


class Folder:
    """The reader's files, and which of them are right."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = PUZZLES[0]
        self.right: set[str] = set()
        self.tried: set[str] = set()
        self.hints: dict[str, int] = {}
        with suppress(OSError, ValueError, TypeError, LookupError):  # not there, or spoilt
            progress = json.loads((path / "progress.json").read_text(encoding="utf-8"))
            names = {puzzle.name for puzzle in PUZZLES}
            self.right = names & set(progress["right"])
            self.tried = names & set(progress["tried"])
            self.hints = dict(progress["hints"])
            self.now = next((p for p in PUZZLES if p.name == progress["now"]), self.now)

    def save(self) -> None:
        """Write down how far the reader has come."""
        progress = {
            "now": self.now.name,
            "right": sorted(self.right),
            "tried": sorted(self.tried),
            "hints": self.hints,
        }
        text = json.dumps(progress, indent=1)
        (self.path / "progress.json").write_text(text, encoding="utf-8")

    def file(self, puzzle: Puzzle) -> Path:
        """Where the reader's file for this puzzle is."""
        numbered = sorted(self.path.glob(f"[0-9]*_{puzzle.name}.py"))  # in another order once, say
        return next(
            (file for file in numbered if find(file.name) is puzzle), self.path / puzzle.filename
        )

    def fill(self) -> None:
        """Make the folder, and every file that is not there.

        Raises `FileExistsError` for a folder that holds something else.
        """
        self.path.mkdir(exist_ok=True)
        is_ours = any(self.file(puzzle).exists() for puzzle in PUZZLES)
        if not is_ours and any(self.path.iterdir()):
            raise FileExistsError(
                f"the folder {self.path.resolve()} holds something else; start in another folder"
            )
        for puzzle in PUZZLES:
            if not self.file(puzzle).exists():
                self.file(puzzle).write_text(puzzle.stub, encoding="utf-8")
        self.save()

    def reset(self, puzzle: Puzzle) -> Path | None:
        """Make a puzzle's file anew; return where the old one went, if it had been changed."""
        file, aside = self.file(puzzle), None
        if file.exists() and file.read_text(encoding="utf-8") != puzzle.stub:
            numbers = (n for n in range(1, 10**6) if not file.with_suffix(f".old{n}").exists())
            aside = file.rename(file.with_suffix(f".old{next(numbers)}"))
        file.write_text(puzzle.stub, encoding="utf-8")
        return aside

    def next(self) -> Puzzle:
        """The next puzzle that is not right yet, after the present one and then from the start."""
        at = self.now.number
        in_order = [*PUZZLES[at:], *PUZZLES[:at]]
        return next((p for p in in_order if p.name not in self.right), self.now)
