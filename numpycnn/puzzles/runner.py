"""The command-line program of the puzzles.

    python -m numpycnn.puzzles              show the puzzle, watch its file, judge every save
    python -m numpycnn.puzzles 12           continue at puzzle 12
    python -m numpycnn.puzzles --once       judge it once
    python -m numpycnn.puzzles list         list all puzzles with their status
    python -m numpycnn.puzzles check 12     judge one puzzle (all, without a number)
    python -m numpycnn.puzzles hint 12      show one more hint
    python -m numpycnn.puzzles reset 12     write a new file; the old one is renamed
    python -m numpycnn.puzzles solution 12  show the solution, after an attempt
    python -m numpycnn.puzzles grade ANNA BEN --csv results.csv

With `--json`, `check` and `list` print a list with an entry for each puzzle. `check` returns 0 if
all judged answers are correct, otherwise 1.
"""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from pathlib import Path

from numpycnn.puzzles.classes import grade
from numpycnn.puzzles.folder import folder_here
from numpycnn.puzzles.process import judge_file
from numpycnn.puzzles.puzzle import PUZZLES, find
from numpycnn.puzzles.reading import Course
from numpycnn.puzzles.screen import in_words, take_every_letter

COMMANDS = ("list", "check", "hint", "reset", "solution", "grade")


def main(arguments: list[str] | None = None) -> int:
    """Run the course from the command line; return the exit code."""
    take_every_letter()
    parser = _parser()
    asked = parser.parse_args(arguments)
    if words := _mistyped(asked.command or "list") or _without_effect(asked):
        parser.error(words)
    if asked.command == "grade":
        try:
            return grade([Path(name) for name in asked.names], asked.csv)
        except KeyboardInterrupt:
            print("\nStopped. The rows so far are written.")
            return 130
    folder = folder_here()
    course = Course(folder)
    is_command = asked.command in COMMANDS
    what = asked.names[0] if is_command and asked.names else None
    if asked.command and not is_command:
        what = asked.command
    if asked.command == "reset" and what == "all":
        return course.reset_all(asked.yes)
    try:
        puzzle = find(what) if what else None
    except ValueError as error:
        parser.error(str(error))
    try:
        return course.run(asked, puzzle, is_command)
    except KeyboardInterrupt:
        print("\nStopped. Everything is saved; the same command continues here.")
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:  # such as a file in the way, or a full disk
        print(f"The puzzles cannot be read or written: {error}")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m numpycnn.puzzles",
        description="Programming exercises from one derivative to a network. Without a command, "
        "the current puzzle is shown, and its file is judged whenever you save it.",
    )
    parser.add_argument(
        "command", nargs="?", help=f"{', '.join(COMMANDS)}; or a puzzle, to continue there"
    )
    parser.add_argument("names", nargs="*", help="number or name of a puzzle; folders for grade")
    parser.add_argument("--once", action="store_true", help="judge the puzzle once and exit")
    parser.add_argument("--json", action="store_true", help="list, check: print JSON")
    parser.add_argument("--yes", action="store_true", help="reset: do not ask for confirmation")
    parser.add_argument("--csv", type=Path, help="grade: the file for the results")
    return parser


def _mistyped(command: str) -> str:
    """Return a message with the closest command, if the word is mistyped."""
    names = [name for puzzle in PUZZLES for name in (puzzle.name, str(puzzle.number))]
    near = get_close_matches(command, COMMANDS, 1)
    if command in (*COMMANDS, *names) or not near:
        return ""
    return f"unknown command {command!r}. Did you mean {near[0]!r}?"


def _without_effect(asked: argparse.Namespace) -> str:
    """Return a message about an option or argument without effect, or an empty text."""
    uses = {"once": (), "json": ("list", "check"), "yes": ("reset",), "csv": ("grade",)}
    for option, commands in uses.items():
        is_used = asked.command in commands or (option == "once" and asked.command not in COMMANDS)
        if getattr(asked, option) and not is_used:
            where = f"with {' or '.join(commands)}" if commands else "without a command"
            return f"--{option} has an effect only {where}."
    if len(asked.names) > (asked.command in COMMANDS) and asked.command != "grade":
        return f"expected one puzzle, got also {' '.join(asked.names)!r}."
    return ""


def check_file(file: str) -> None:
    """Judge the reader's file that calls this in its last line, and print the result."""
    path = Path(file)
    puzzle = find(path.name)
    result = judge_file(puzzle, path)
    folder = folder_here(path.parent)
    if folder.path == path.parent and (path.parent / "progress.json").exists():
        folder.note(puzzle, result.status)
    print(in_words(result))
