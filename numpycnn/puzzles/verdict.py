"""The verdict: what became of a reader's file, in plain words.

The file is code that nobody has read yet. It may not parse, it may raise, it may print or never
end. So it is run in a process of its own, which is given ten seconds; whatever happens there,
what comes back is a verdict: *right*, *wrong*, or *open* where nothing has been typed yet.
"""

import ast
import io
import json
import os
import re
import subprocess
import sys
import time
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from threading import Thread
from typing import Literal, NamedTuple

import numpy as np

from numpycnn.puzzles.grading import Wrong
from numpycnn.puzzles.puzzle import Puzzle, find, gaps_in, run

TIME_LIMIT = 10.0
"""Seconds for which a reader's file may compute. On a busy machine that is longer by the clock."""

PATIENCE = 6
"""How many times as long it may take by the clock, if it sleeps or waits for something."""


class Verdict(NamedTuple):
    """What became of an answer."""

    verdict: Literal["right", "wrong", "open"]
    text: str
    mistakes: tuple[str, ...] = ()  # what the checker calls them
    printed: str = ""  # what the reader's code printed


# A process of its own
# --------------------


def judge_file(puzzle: Puzzle, path: Path, time_limit: float = TIME_LIMIT) -> Verdict:
    """Judge the reader's file in a process of its own."""
    if not path.exists():
        return Verdict("open", f"There is no file {path}. A reset makes it again.")
    if puzzle.is_untouched(path.read_text(encoding="utf-8", errors="replace")):
        return Verdict("open", puzzle.asks)
    command = [sys.executable, "-m", "numpycnn.puzzles.verdict", puzzle.name, path, time_limit]
    try:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE * time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return endless(time_limit)
    try:
        verdict, text, mistakes, printed = json.loads(done.stdout.decode().splitlines()[-1])
        return Verdict(verdict, text, tuple(mistakes), printed)
    except (ValueError, IndexError, TypeError):
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Verdict(
            "wrong",
            f"Its process ended with the code {done.returncode} before there was a verdict. "
            + " ".join(words),
            ("ended",),
        )


def endless(time_limit: float) -> Verdict:
    """What to say of a file that takes longer."""
    return Verdict(
        "wrong",
        f"It was not done after {time_limit:g} seconds, and was stopped. Is there a loop that "
        "never ends?",
        ("endless",),
    )


def _judge_here(name: str, path: str, time_limit: str) -> None:
    """Print the verdict on a file, as JSON, in the last line: what the new process does."""
    begin = time.process_time()

    def watch() -> None:
        while time.process_time() - begin < float(time_limit):
            time.sleep(0.1)
        say(endless(float(time_limit)))

    def say(verdict: Verdict) -> None:
        print("\n" + json.dumps(verdict), file=sys.__stdout__, flush=True)
        os._exit(0)

    Thread(target=watch, daemon=True).start()
    say(judge(find(name), Path(path).read_text(encoding="utf-8")))


class Beginning(io.StringIO):
    """What is printed, up to a limit, so that an endless print does not fill the memory."""

    limit = 2000

    def write(self, text: str) -> int:
        """Keep the text while there is room."""
        super().write(text[: max(0, self.limit - self.tell())])
        return len(text)


# In this process
# ---------------


def judge(puzzle: Puzzle, source: str) -> Verdict:
    """Judge the text of a reader's file.

    >>> judge(find("slope"), find("slope").answered("3")).verdict
    'right'
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(Beginning()) as out:
        warnings.simplefilter("ignore")
        verdict = _judge(puzzle, source)
    return verdict._replace(printed=out.getvalue())


def _judge(puzzle: Puzzle, source: str) -> Verdict:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else " it"
        what = error.msg if isinstance(error, SyntaxError) else error
        return Verdict("wrong", f"Python cannot read{line}: {what}.", ("syntax",))
    if puzzle.is_untouched(source):
        return Verdict("open", puzzle.asks)
    if gaps := gaps_in(source):
        return Verdict("open", f"There is still a `...` in line {gaps[0].line}.")
    if words := taken_from_the_package(tree, ast.parse(puzzle.stub)):
        return Verdict("wrong", words, ("imported",))
    try:
        puzzle.module.check(run(source, puzzle.filename), puzzle.right())
    except Wrong as wrong:
        return Verdict("wrong", str(wrong), wrong.mistakes)
    except (Exception, SystemExit) as error:
        return Verdict("wrong", _in_words(error, source, puzzle.filename), (type(error).__name__,))
    return Verdict("right", puzzle.module.LESSON)


def _in_words(error: BaseException, source: str, filename: str) -> str:
    """What stopped the code, and in which line of the reader's file."""
    what = f"{type(error).__name__}: {error}"
    places = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == filename and frame.lineno
    ]
    if isinstance(error, AttributeError) and "SimpleNamespace" in str(error):
        return f"The file has to define {str(error).rpartition('attribute ')[2]}, and does not."
    if not places:
        return f"It could not be checked. {what}"
    line = source.splitlines()[places[-1] - 1].strip()
    return f"It stopped in line {places[-1]}:\n\n    {line}\n\n{what}"


# What may be imported
# --------------------
# A puzzle about max pooling is solved in one line by whoever imports MaxPool1D. That is a way to
# fool the grader, and no way to learn. NumPy and the standard library are free; of this
# package a file may import what it was given.


def taken_from_the_package(tree: ast.Module, given: ast.Module) -> str:
    """Say kindly what the file takes from the package beyond what it was given, or nothing.

    >>> given = ast.parse("from numpycnn import Layer")
    >>> taken_from_the_package(ast.parse("from numpycnn import Layer, Dense"), given)
    'Line 1 takes Dense from the package, ...'
    """
    allowed = {name for _, name in _imports(given)}
    for line, name in _imports(tree):
        if name not in allowed:
            return (
                f"Line {line} takes {name.rpartition('.')[2]} from the package, and to write this "
                "is what the puzzle is about. Read how the package does it, as often as you like; "
                "then come back and write it here."
            )
    return ""


def _imports(tree: ast.Module) -> list[tuple[int, str]]:
    """The line and the full name of everything from numpycnn, also by `import_module("…")`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
    return [(line, name) for line, name in found if re.fullmatch(r"numpycnn(\.\w+)*", name)]


if __name__ == "__main__":
    _judge_here(*sys.argv[1:])
