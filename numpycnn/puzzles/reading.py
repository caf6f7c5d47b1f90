"""Reading the course: the commands of the runner, for the folder of one reader."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.grader import Result
from numpycnn.puzzles.process import Stopped, judge_file
from numpycnn.puzzles.puzzle import PUZZLES, Puzzle, find
from numpycnn.puzzles.screen import (
    GRAY,
    GREEN,
    clear,
    code,
    edit,
    heading,
    in_words,
    is_interactive,
    is_terminal,
    link,
    paint,
    prose,
    wrapped,
)

if TYPE_CHECKING:
    from numpycnn.puzzles.keys import Keys

KEYS = "h hint   s solution   n next   p previous   l list   e editor   r reset   q quit"
DOCS = Path(__file__).parents[2] / "docs"


class Course:
    """The commands, for one reader's folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.keys: Keys | None = None
        self.typed = ""  # digits of a number
        self.seen = 0.0  # time stamp of the file that is judged

    def run(self, asked: argparse.Namespace, puzzle: Puzzle | None, is_command: bool) -> int:
        """Execute the command line; return the exit code."""
        if self.folder.bad:
            print(f"progress.json could not be read. It is kept as {self.folder.bad}.")
        if asked.command == "list":
            return self.show_list(asked.json)
        self.folder.fill()
        if asked.command == "check":
            return self.check([puzzle] if puzzle else PUZZLES, asked.json)
        if puzzle and not is_command:
            self.folder.save(now=puzzle)
        if not is_command:
            return self.once() if asked.once else self.watch()
        puzzle = puzzle or self.folder.now
        if asked.command == "reset":
            if not (asked.yes or self._agrees(f"Reset puzzle {puzzle.number}?")):
                print("Nothing was changed.")
                return 1
            print(self.reset(puzzle))
        else:
            print({"hint": self.hint, "solution": self.solution}[asked.command](puzzle))
        return 0

    # Commands
    # --------

    def check(self, puzzles: Sequence[Puzzle], as_json: bool = False) -> int:
        """Judge puzzles and print the results; return 0 if all are correct."""
        rows = []
        for puzzle in puzzles:
            result = self.judge(puzzle)
            rows.append({"number": puzzle.number, "name": puzzle.name, **result._asdict()})
            if not as_json:
                print(f"{heading(puzzle)}\n{indent(in_words(result), '    ')}\n", flush=True)
        if as_json:
            print(json.dumps(rows, indent=1))
        return int(any(row["status"] != "correct" for row in rows))

    def judge(self, puzzle: Puzzle) -> Result:
        """Judge a puzzle and record the result; stop if `q` is typed."""
        result = judge_file(puzzle, self.folder.file(puzzle), keep_going=self._keep_going)
        self.folder.note(puzzle, result.status)
        return result

    def _keep_going(self) -> bool:
        """Return False if `q` was typed or the file was saved again; keep other keys."""
        if self.keys is None:
            return True
        key = self.keys.read(0)
        if key:
            self.keys.back.append(key)
        is_terminal_key = is_interactive(sys.stdin) and key == "q"
        return not is_terminal_key and self.saved_at(self.folder.now) == self.seen

    def show_list(self, as_json: bool = False) -> int:
        """Print all puzzles by chapter."""
        if as_json:
            rows = [
                {
                    "number": p.number,
                    "name": p.name,
                    "chapter": p.chapter,
                    "section": p.section,
                    "status": self.folder.status(p),
                }
                for p in PUZZLES
            ]
            print(json.dumps(rows, indent=1))
            return 0
        print(self.progress())
        chapter = ""
        for puzzle in PUZZLES:
            if puzzle.chapter != chapter:
                chapter = puzzle.chapter
                print(f"\n  after docs/{chapter}.md")
            status = self.folder.status(puzzle)
            mark = {"correct": paint("done ", GREEN), "incorrect": "tried", "open": "     "}[status]
            here = ">" if puzzle is self.folder.now else " "
            print(f"{here} {mark} {puzzle.number:3}  {puzzle.title}")
        return 0

    def hint(self, puzzle: Puzzle) -> str:
        """Return the hints so far and one more."""
        hints = puzzle.module.HINTS

        def one_more() -> None:
            seen = self.folder.hints.get(puzzle.name, 0)
            self.folder.hints[puzzle.name] = min(seen + 1, len(hints))

        self.folder.change(one_more)
        n_shown = self.folder.hints[puzzle.name]
        more = len(hints) - n_shown
        end = f"({more} more)" if more else "(That was the last one.)"
        lines = [f"Hint {i}: {hint}" for i, hint in enumerate(hints[:n_shown], 1)]
        return wrapped("\n".join([*lines, end]))

    def reset(self, puzzle: Puzzle) -> str:
        """Write a new file and return a message."""
        aside = self.folder.reset(puzzle)
        where = f" Your previous file is now {aside}." if aside else ""
        return f"{self.folder.file(puzzle)} was reset.{where}"

    def reset_all(self, yes: bool) -> int:
        """Write new files for all puzzles."""
        if not (yes or self._agrees(f"Reset all {len(PUZZLES)} puzzles?")):
            print("Nothing was changed.")
            return 1
        self.folder.fill()
        kept = [aside for puzzle in PUZZLES if (aside := self.folder.reset(puzzle))]
        self.folder.save(now=PUZZLES[0], tried=set(), hints={})
        print(f"All puzzles were reset. Previous files kept: {len(kept)}.")
        return 0

    def _agrees(self, question: str) -> bool:
        """Return True if the reader confirms; without a terminal, print how to confirm."""
        if self.keys is None:
            if not is_interactive(sys.stdin):
                print(f"{question} Confirm with --yes.")
                return False
            return input(f"{question} Your file is kept under another name. [y/N] ").strip() == "y"
        print(f"\n{question} Your file is kept under another name. Press y to confirm.", flush=True)
        while not (key := self.keys.get(60)):
            pass
        return key == "y"

    def solution(self, puzzle: Puzzle) -> str:
        """Return the solution after an attempt, and other correct answers after success."""
        if puzzle.name not in self.folder.tried:
            return wrapped(
                "The solution is shown after an attempt. Change the file and save it; the result "
                "may be enough. There are also hints."
            )
        parts = [
            f"In place of `{puzzle.gap.splitlines()[0]}`:",
            code(puzzle.module.SOLUTION.rstrip()),
        ]
        if puzzle.name in self.folder.correct:
            for form in puzzle.module.FORMS:
                parts += ["Also correct:", code(form.rstrip())]
        return "\n\n".join(parts)

    # Watching
    # --------

    def once(self) -> int:
        """Show and judge the current puzzle once; if it is correct, go to the next."""
        result = self.show(self.folder.now)
        if result.status == "correct" and (following := self.folder.next()):
            self.folder.save(now=following)
            print(f"\nNext: {heading(following)}, in {self.folder.file(following)}")
        return int(result.status != "correct")

    def watch(self) -> int:
        """Show the current puzzle and judge it after every save, until `q` is typed."""
        from numpycnn.puzzles.keys import typed_keys  # not available in a browser

        with typed_keys() as self.keys:
            while True:
                puzzle = self.folder.now
                self.seen = self.saved_at(puzzle)
                try:
                    self.show(puzzle)
                except (Stopped, KeyboardInterrupt):  # Ctrl-C ends the answer, not the course
                    if self.saved_at(puzzle) != self.seen:
                        continue
                    print("The answer was stopped. Save the file to run it again.")
                print(f"\n{paint(KEYS, GRAY)}", flush=True)
                while self.saved_at(puzzle) == self.seen and self.folder.now is puzzle:
                    if not (key := self.keys.get(0.2)):
                        continue
                    if key[:1] == "q":
                        print(f"{self.progress()}\nThe same command continues here.")
                        return 0
                    self.press(key, puzzle)

    def press(self, key: str, puzzle: Puzzle) -> None:
        """Execute the command of a key, or in a pipe of a line."""
        if key.isdigit() and is_terminal():
            self.typed += key
            print(key, end="", flush=True)
            return
        if key == "\n" or key.isdigit():
            number, self.typed = (key if key.isdigit() else self.typed), ""
            self._go_to(number, puzzle)
            return
        self.typed = ""
        letter = key[:1]
        if letter in "hs":
            print(f"\n{(self.hint if letter == 'h' else self.solution)(puzzle)}", flush=True)
        elif letter == "r":
            agreed = self._agrees(f"Reset puzzle {puzzle.number}?")
            print(f"\n{self.reset(puzzle) if agreed else 'Nothing was changed.'}", flush=True)
            if agreed:
                self.seen = self.saved_at(puzzle)  # keep the message on the screen
        elif letter == "l":
            print()
            self.show_list()
            print("\nType a number and Enter to continue there.", flush=True)
        elif letter in "np":
            self._step(letter, puzzle)
        elif letter == "e":
            self._edit(puzzle)

    def _go_to(self, number: str, puzzle: Puzzle) -> None:
        if number:
            try:
                self.folder.save(now=find(number))
            except ValueError as error:
                print(f"\n{error}", flush=True)

    def _step(self, letter: str, puzzle: Puzzle) -> None:
        """Go to the next open puzzle, or to the previous one whether open or not."""
        if letter == "p":
            self.folder.save(now=PUZZLES[max(0, puzzle.number - 2)])
        elif (following := self.folder.next()) in (None, puzzle):
            print("All other puzzles are done.", flush=True)
        else:
            self.folder.save(now=following)

    def _edit(self, puzzle: Puzzle) -> None:
        """Open the file in the reader's editor."""
        if self.keys is not None:
            with self.keys.paused():
                edit(self.folder.file(puzzle))

    def show(self, puzzle: Puzzle) -> Result:
        """Print the progress, the task and the result."""
        if is_terminal():  # first the task alone, then with the result
            clear()
            self._head(puzzle)
            print(paint("Running your file …", GRAY), flush=True)
        result = self.judge(puzzle)
        clear()
        self._head(puzzle)
        print(in_words(result))
        if result.status == "correct":
            following = self.folder.next()
            if following is None:
                print("\nAll puzzles are done.")
            elif self.keys is not None:
                print(f"\nNext: {heading(following)}. Press n. Other correct answers: s.")
        return result

    def _head(self, puzzle: Puzzle) -> None:
        chapter = DOCS / f"{puzzle.chapter}.md"
        where = f"docs/{puzzle.chapter}.md"
        where = link(chapter, where) if chapter.exists() else where
        file = self.folder.file(puzzle)
        print(f"{self.progress()}\n\n{heading(puzzle)}   after {where}, “{puzzle.section}”")
        print(paint(link(file, str(file)), GRAY))
        print(f"\n{prose(puzzle.task.partition(chr(10))[2])}\n", flush=True)

    def saved_at(self, puzzle: Puzzle) -> float:
        """Return the time stamp of the file; 0 if it does not exist."""
        try:
            return self.folder.file(puzzle).stat().st_mtime_ns
        except OSError:
            return 0

    def progress(self) -> str:
        """Return a progress bar as a line."""
        n, of, columns = len(self.folder.correct), len(PUZZLES), 30
        bar = "#" * (columns * n // of)
        return f"[{paint(bar, GREEN)}{'.' * (columns - len(bar))}] {n} of {of} done"
