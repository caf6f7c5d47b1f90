"""The folder: the reader's files, and how far they have come.

All that the course writes lies in one folder, `puzzles` in the place where it was started: a
file for each puzzle, and `progress.json`. A file that is there is never written over. A reset
puts the old one aside, under a name of its own, before it makes a new one.
"""

import json
from pathlib import Path
from typing import Any

from numpycnn.puzzles.puzzle import PUZZLES, Puzzle, find


class Folder:
    """The reader's files, and which of them are right."""

    def __init__(self, path: Path) -> None:
        self.path = path
        progress = self._read()
        names = {puzzle.name for puzzle in PUZZLES}
        self.right: set[str] = names & set(progress.get("right", ()))
        self.tried: set[str] = names & set(progress.get("tried", ()))
        self.hints: dict[str, int] = dict(progress.get("hints", {}))
        now = progress.get("now")
        self.now = find(now) if now in names else PUZZLES[0]

    def _read(self) -> dict[str, Any]:
        """What was saved; nothing if that is not there, or spoilt."""
        try:
            progress = json.loads((self.path / "progress.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return progress if isinstance(progress, dict) else {}

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
                self.file(puzzle).write_text(self.text(puzzle), encoding="utf-8")
        self.save()

    @staticmethod
    def text(puzzle: Puzzle) -> str:
        """What a new file holds."""
        return puzzle.stub

    def reset(self, puzzle: Puzzle) -> Path | None:
        """Make a puzzle's file anew; return where the old one went, if it had been changed."""
        file, aside = self.file(puzzle), None
        if file.exists() and file.read_text(encoding="utf-8") != self.text(puzzle):
            numbers = (n for n in range(1, 10**6) if not file.with_suffix(f".old{n}").exists())
            aside = file.rename(file.with_suffix(f".old{next(numbers)}"))
        file.write_text(self.text(puzzle), encoding="utf-8")
        return aside

    def next(self) -> Puzzle:
        """The next puzzle that is not right yet, after the present one and then from the start."""
        at = self.now.number
        in_order = [*PUZZLES[at:], *PUZZLES[:at]]
        return next((p for p in in_order if p.name not in self.right), self.now)
