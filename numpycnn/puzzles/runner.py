"""The runner: what a reader of the course sees and types.

    python -m numpycnn.puzzles              show the puzzle, watch its file, judge every save
    python -m numpycnn.puzzles 12           go to another one
    python -m numpycnn.puzzles --once       judge it once
    python -m numpycnn.puzzles list         all puzzles, and which are done
    python -m numpycnn.puzzles check 12     judge one (or all, without a number)
    python -m numpycnn.puzzles hint 12      a hint; the next time the next
    python -m numpycnn.puzzles reset 12     a fresh file; the old one is put aside
    python -m numpycnn.puzzles solution 12  the solution, after an attempt

With `--json`, `check` and `list` print a list for programs, with an entry for each puzzle. `check`
returns 0 if all that it judged is right, and 1 if not.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from queue import Empty
from textwrap import fill, indent

from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.keys import typed_keys
from numpycnn.puzzles.puzzle import PUZZLES, Puzzle, find
from numpycnn.puzzles.verdict import Verdict, judge_file

KEYS = "h hint   l list   n next   r reset   s solution   q quit"


def main(arguments: list[str] | None = None) -> int:
    """Run the course from the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m numpycnn.puzzles",
        description="Small steps from one derivative to a network. Without a command, the puzzle "
        "you are at is shown, and its file is judged whenever you save it.",
    )
    parser.add_argument("command", nargs="?", help="list, check, hint, reset or solution")
    parser.add_argument("puzzle", nargs="?", help="its number or name; without a command, go there")
    parser.add_argument("--once", action="store_true", help="judge it once, and do not watch")
    parser.add_argument("--json", action="store_true", help="for programs: of list and check")
    asked = parser.parse_args(arguments)
    course = Course(Folder(Path("puzzles")))
    commands = {"hint": course.hint, "reset": course.reset, "solution": course.solution}
    is_command = asked.command in ("list", "check", *commands)
    what = asked.puzzle if is_command else asked.command
    try:
        puzzle = find(what) if what else None
    except ValueError as error:
        parser.error(str(error))
    try:
        if not is_command:
            course.folder.now = puzzle or course.folder.now
            return course.once() if asked.once else course.watch()
        if asked.command == "list":
            return course.show_list(asked.json)
        if asked.command == "check":
            return course.check([puzzle] if puzzle else PUZZLES, asked.json)
        course.folder.fill()
        print(commands[asked.command](puzzle or course.folder.now))
    except KeyboardInterrupt:
        print("\nStopped. All is kept; start again where you were.")
        return 130
    except (FileExistsError, PermissionError) as error:
        print(f"The puzzles cannot be written: {error}")
        return 2
    return 0


def check_file(file: str) -> None:
    """Judge the reader's file that calls this in its last line, and print the verdict."""
    path = Path(file)
    puzzle, folder = find(path.name), Folder(path.parent)
    verdict = judge_file(puzzle, path)
    if (path.parent / "progress.json").exists():
        note(folder, puzzle, verdict)
    print(in_words(verdict))


def note(folder: Folder, puzzle: Puzzle, verdict: Verdict) -> None:
    """Write down what a verdict means for the progress."""
    if verdict.verdict != "open":
        folder.tried.add(puzzle.name)
    if verdict.verdict == "right":
        folder.right.add(puzzle.name)
    folder.save()


def in_words(verdict: Verdict) -> str:
    """The verdict as a paragraph, with what the reader's code printed."""
    said, colour = SAID[verdict.verdict]
    text = f"{said} {verdict.text}"
    if verdict.printed.strip():
        text += f"\n\nYour code printed:\n\n{indent(verdict.printed.rstrip(), '    ')}"
    lines = (fill(line, 96, subsequent_indent=margin_of(line)) for line in text.splitlines())
    return "\n".join(lines).replace(said, paint(said, colour), 1)


def margin_of(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


class Course:
    """The commands, for one reader's folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    # One thing at a time
    # -------------------

    def check(self, puzzles: list[Puzzle], as_json: bool = False) -> int:
        """Judge some puzzles; return 0 if all are right."""
        self.folder.fill()
        rows = []
        for puzzle in puzzles:
            verdict = self.judge(puzzle)
            rows.append({"number": puzzle.number, "name": puzzle.name, **verdict._asdict()})
            if not as_json:
                print(f"{heading(puzzle)}\n{indent(in_words(verdict), '    ')}\n")
        if as_json:
            print(json.dumps(rows, indent=1))
        return int(any(row["verdict"] != "right" for row in rows))

    def judge(self, puzzle: Puzzle) -> Verdict:
        """Judge one, and write down the outcome."""
        verdict = judge_file(puzzle, self.folder.file(puzzle))
        note(self.folder, puzzle, verdict)
        return verdict

    def show_list(self, as_json: bool = False) -> int:
        """Print all puzzles by chapters."""
        right = self.folder.right
        if as_json:
            rows = [
                {"number": p.number, "name": p.name, "chapter": p.chapter, "right": p.name in right}
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
            mark = paint("done", GREEN) if puzzle.name in right else "    "
            here = ">" if puzzle is self.folder.now else " "
            print(f"{here} {mark} {puzzle.number:3}  {puzzle.title}")
        return 0

    def hint(self, puzzle: Puzzle) -> str:
        """The next hint, or all there are."""
        hints, n_seen = puzzle.module.HINTS, self.folder.hints.get(puzzle.name, 0)
        n_shown = min(n_seen + 1, len(hints))
        self.folder.hints[puzzle.name] = n_shown
        self.folder.save()
        more = len(hints) - n_shown
        end = f"({more} more)" if more else "(That was the last.)"
        lines = [f"Hint {i}: {hint}" for i, hint in enumerate(hints[:n_shown], 1)]
        return "\n".join([*lines, end])

    def reset(self, puzzle: Puzzle) -> str:
        """A fresh file."""
        aside = self.folder.reset(puzzle)
        where = f" What you had is in {aside}." if aside else ""
        return f"{self.folder.file(puzzle)} is as it was in the beginning.{where}"

    def solution(self, puzzle: Puzzle) -> str:
        """The solution, for those who have tried."""
        if puzzle.name not in self.folder.tried:
            return (
                "The solution is shown after an attempt. Type something, however wrong, and save; "
                "the verdict may be all you need. There are hints, too."
            )
        return f"In place of `{puzzle.gap}`:\n\n{indent(puzzle.module.SOLUTION, '    ')}"

    # Watching
    # --------

    def once(self) -> int:
        """Show and judge the present puzzle once; if it is right, the next is the present one."""
        self.folder.fill()
        verdict = self.show(self.folder.now)
        if verdict.verdict == "right":
            self.go_on()
            print(f"\nNext: {heading(self.folder.now)}, in {self.folder.file(self.folder.now)}")
        return int(verdict.verdict != "right")

    def watch(self) -> int:
        """Show the present puzzle, and judge it at every save, until `q`."""
        self.folder.fill()
        with typed_keys() as typed:
            while True:
                puzzle = self.folder.now
                seen = self.saved_at(puzzle)
                self.show(puzzle)
                print(f"\n{paint(KEYS, GREY)}", flush=True)
                while self.saved_at(puzzle) == seen and self.folder.now is puzzle:
                    try:
                        key = typed.get(timeout=0.2)
                    except Empty:
                        continue
                    if key == "q":
                        print(
                            self.progress() + "\nStart again where you were, with the same command."
                        )
                        return 0
                    self.press(key, puzzle)

    def press(self, key: str, puzzle: Puzzle) -> None:
        """Do what a key stands for."""
        says = {"h": self.hint, "r": self.reset, "s": self.solution}
        if key in says:
            print(f"\n{says[key](puzzle)}", flush=True)
        elif key == "l":
            self.show_list()
        elif key == "n":
            self.go_on()
            if self.folder.now is puzzle:
                print("All the others are done.", flush=True)

    def go_on(self) -> None:
        """Make the next open puzzle the present one."""
        self.folder.now = self.folder.next()
        self.folder.save()

    def show(self, puzzle: Puzzle) -> Verdict:
        """Print the progress, the task and the verdict."""
        clear()
        print(f"{self.progress()}\n\n{heading(puzzle)}   after docs/{puzzle.chapter}.md")
        print(paint(str(self.folder.file(puzzle)), GREY))
        print(f"\n{puzzle.task.partition(chr(10))[2].strip(chr(10))}\n", flush=True)
        verdict = self.judge(puzzle)
        print(in_words(verdict))
        if verdict.verdict == "right":
            left = len(PUZZLES) - len(self.folder.right)
            print("\nThat was the last open one: all are done." if not left else "")
        return verdict

    def saved_at(self, puzzle: Puzzle) -> float:
        """When the file was saved; 0 if it is not there."""
        try:
            return self.folder.file(puzzle).stat().st_mtime_ns
        except OSError:
            return 0

    def progress(self) -> str:
        """A line with a bar."""
        n, of, width = len(self.folder.right), len(PUZZLES), 30
        bar = "#" * (width * n // of)
        return f"[{paint(bar, GREEN)}{'.' * (width - len(bar))}] {n} of {of} done"


# On the terminal
# ---------------

GREEN, RED, GREY, BOLD = "32", "31", "90", "1"
SAID = {"right": ("Right.", GREEN), "wrong": ("Not yet.", RED), "open": ("Your turn.", BOLD)}


def heading(puzzle: Puzzle) -> str:
    """Number and title."""
    return paint(f"{puzzle.number}. {puzzle.title}", BOLD)


def is_terminal() -> bool:
    """Whether what is printed goes to a terminal that knows colours."""
    knows = "WT_SESSION" in os.environ if os.name == "nt" else os.environ.get("TERM") != "dumb"
    return sys.stdout.isatty() and knows


def paint(text: str, colour: str) -> str:
    """The text in colour, on a terminal."""
    return f"\x1b[{colour}m{text}\x1b[0m" if is_terminal() else text


def clear() -> None:
    """Begin a new screen, on a terminal."""
    print("\x1b[2J\x1b[H" if is_terminal() else "", end="")
