"""Puzzles: what a page shows of a puzzle, and the result for an answer."""

from __future__ import annotations

import ast
import re
from typing import Any

from numpycnn.puzzles.grader import judge as result_of
from numpycnn.puzzles.puzzle import RUN, Puzzle, find


def given(puzzle: Puzzle) -> str:
    """Return the code around the gap: the reader's file without the task and the last lines.

    >>> given(find("slope"))
    'slope = ...  # a number: the change of y divided by the change of x'
    """
    return _cut(puzzle)[1]


def _cut(puzzle: Puzzle) -> tuple[int, str]:
    """Return the number of lines above the code, and the code."""
    file = puzzle.stub.partition(RUN)[0]
    lines = file.splitlines()
    above = ast.parse(file).body[0].end_lineno or 0
    while not lines[above].strip():
        above += 1
    return above, "\n".join(lines[above:])


def judge(name: str, code: str, send: Any = None) -> dict[str, Any]:
    """Judge the code of a puzzle's page.

    >>> judge("slope", "slope = 4")["status"], judge("slope", "slope = 3")["solution"]
    ('incorrect', '3')
    """
    puzzle, file = find(name), code + RUN
    result = result_of(puzzle, file)
    shown = {"status": result.status, "text": result.text, "case": result.case}
    shown["printed"] = result.printed.rstrip()
    if result.status == "open" and puzzle.is_untouched(file):  # the question counts in the file
        above = _cut(puzzle)[0]
        shown["text"] = re.sub(r"(?<=in line )\d+", lambda n: str(int(n[0]) - above), result.text)
    if result.status == "correct":
        shown["solution"] = puzzle.module.SOLUTION
        shown["forms"] = getattr(puzzle.module, "FORMS", ())
    return shown
