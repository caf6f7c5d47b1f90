"""Read a puzzle from its file, and make the reader's file from it.

The upper part of a puzzle's file is the reader's file: the task as a docstring, the given code,
and one gap. The gap is a `...`, and the comment next to it describes the missing code. In a puzzle
about a bug, the gap is the incorrect line instead.

The lower part, below a line of dashes, is for the grader:

    SECTION       the section of the chapter that explains it
    HINTS         two or three, the last one nearly the answer
    GAP           the incorrect lines, if the gap is not a `...`
    SOLUTION      the text that replaces the gap
    FORMS         other correct answers, shown after success
    WRONG         incorrect answers, and for each "name: the reason, in a sentence"
    LESSON        a sentence or two, shown after success
    case          draws a case: what the answer is run on
    LOOPS         a pair of cases that show a loop, where the text forbids one
    FORBIDDEN     names that the text forbids, and the reasons
    ALTERNATIVES  correct answers with other results than the solution
    assess        compares the results, if equality with the solution is not required

Solutions and incorrect answers are texts for the gap. The tests try all of them.
"""

from __future__ import annotations

import ast
import inspect
from functools import cached_property
from importlib import import_module
from pathlib import PurePath
from textwrap import dedent, indent
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

from numpycnn.puzzles.course import COURSE

END = "\n# ---- what follows is for the grader; the reader's file ends here ----\n"

RUN = """

if __name__ == "__main__":
    import numpycnn.puzzles

    numpycnn.puzzles.check_file(__file__)
"""


class Gap(NamedTuple):
    """The position of a `...` to replace."""

    line: int  # from 1
    column: int


def gaps_in(source: str) -> list[Gap]:
    """Find every `...` in a program, except in an index such as `x[..., 0]`.

    >>> gaps_in("dx = ...  # what?")
    [Gap(line=1, column=5)]
    """
    tree = ast.parse(source)
    indices = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    in_index = {id(node) for index in indices for node in ast.walk(index)}
    return [
        Gap(node.lineno, node.col_offset)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value is ... and id(node) not in in_index
    ]


def without_ending(tree: ast.Module) -> ast.Module:
    """Return a reader's file without its last lines, which judge it when it is run."""
    body = [node for node in tree.body if not _is_ending(node)]
    return ast.Module(body, [])


def _is_ending(node: ast.stmt) -> bool:
    return ast.dump(node) == ast.dump(ast.parse(RUN).body[0])


class Puzzle:
    """One puzzle of the course.

    >>> puzzle = find("slope")
    >>> puzzle.title, puzzle.filename
    ('The slope of a line', '..._slope.py')
    """

    def __init__(self, number: int, name: str, chapter: str) -> None:
        self.number, self.name, self.chapter = number, name, chapter

    @cached_property
    def module(self) -> ModuleType:
        """The file as a module, with the hints, the solution and the cases."""
        return import_module(f"numpycnn.puzzles.course.{self.name}")

    @cached_property
    def stub(self) -> str:
        """The unchanged reader's file."""
        given, end, _ = inspect.getsource(self.module).partition(END)
        if not end:
            raise ValueError(f"puzzle {self.name}: its file must contain this line:{END}")
        return (
            f"# Puzzle {self.number}, after docs/{self.chapter}.md\n" + given.rstrip() + "\n" + RUN
        )

    @property
    def filename(self) -> str:
        """The name of the reader's file."""
        return f"{self.number:02}_{self.name}.py"

    @property
    def title(self) -> str:
        """The first line of the task."""
        return self.task.partition("\n")[0]

    @property
    def task(self) -> str:
        """The docstring of the reader's file."""
        text = ast.get_docstring(ast.parse(self.stub), clean=False)  # also under python -OO
        return str(text).strip()

    @property
    def section(self) -> str:
        """The heading of the section that explains it."""
        return str(self.module.SECTION)

    @property
    def anchor(self) -> str:
        """The section as a link target: `1-evening/1-the-problem.md#the-shape-of-a-batch`.

        >>> find("shape_of_a_batch").anchor
        '1-evening/1-the-problem.md#the-shape-of-a-batch'
        """
        words = "".join(c for c in self.section.lower() if c.isalnum() or c in " -_")
        return f"{self.chapter}.md#{words.replace(' ', '-')}"

    @property
    def gap(self) -> str:
        """The text to replace."""
        return getattr(self.module, "GAP", "...")

    @property
    def defines(self) -> str:
        """The name of the variable, function or class that the answer defines."""
        from numpycnn.puzzles.prepared import prepared

        return prepared(self)[0][0].name

    @cached_property
    def asks(self) -> str:
        """The message for an unchanged file."""
        if opening := getattr(self.module, "opening", None):
            return str(opening())
        (gap,) = gaps_in(self.stub)
        line = self.stub.splitlines()[gap.line - 1]
        return f"Replace the `...` in line {gap.line}. Required: {line.partition('# ')[2]}."

    def is_untouched(self, source: str) -> bool:
        """Return True if only comments, docstrings and names of variables have changed.

        They may have changed in the course, too, since the reader's file was written.
        """
        try:
            return _code_of(source) == _code_of(self.stub)
        except (SyntaxError, ValueError):
            return False

    def answered(self, answer: str) -> str:
        """Return the reader's file with this text in the gap."""
        if self.gap != "...":
            first = self.gap.splitlines()[0]
            line = next(line for line in self.stub.splitlines() if line.strip() == first)
            margin = line.removesuffix(first)
            return self.stub.replace(indent(self.gap, margin), indent(answer, margin))
        (gap,) = gaps_in(self.stub)
        lines = self.stub.splitlines(keepends=True)
        before, after = lines[gap.line - 1][: gap.column], lines[gap.line - 1][gap.column + 3 :]
        margin = before if before.isspace() else ""
        lines[gap.line - 1] = before + indent(answer, margin).removeprefix(margin) + after
        return "".join(lines)

    def completed(self, answer: str) -> str:
        """Return the reader's file for source text: a whole file, or a text for the gap."""
        text = dedent(answer).strip("\n")
        try:
            names = {
                name
                for node in ast.parse(text).body
                for name in (getattr(node, "name", ""), *_assigned(node))
            }
        except (SyntaxError, ValueError):
            names = set()
        return text if self.defines in names else self.answered(text)

    def right(self) -> SimpleNamespace:
        """Return the names that the solved file defines."""
        return run(self.answered(self.module.SOLUTION), self.filename)


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _code_of(source: str) -> str:
    """Return a program without comments and docstrings, its variables numbered, for comparison.

    >>> _code_of("a = min(x)") == _code_of("b = min(x)  # renamed")
    True
    >>> _code_of("a = min(x)") == _code_of("a = max(x)")
    False
    """
    tree = ast.parse(source)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assigned = dict.fromkeys(name.id for name in names if isinstance(name.ctx, ast.Store))
    variables = {name: f"variable {number}" for number, name in enumerate(assigned)}
    for name in names:
        name.id = variables.get(name.id, name.id)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                del body[0]
    return ast.dump(tree)


def run(source: str, filename: str) -> SimpleNamespace:
    """Run a reader's file as if it were imported, and return the names it defines."""
    names = {"__name__": "answer", "__file__": filename}
    exec(compile(source, filename, "exec"), names)
    return SimpleNamespace(**names)


# The course
# ----------

PUZZLES = [
    Puzzle(number, name, chapter)
    for number, (name, chapter) in enumerate(
        ((name, chapter) for chapter, names in COURSE.items() for name in names), 1
    )
]


RETIRED = {"bug_in_beside": "bug_in_skip_concat"}  # puzzle names in version 0.1.0


def find(what: str) -> Puzzle:
    """Return the puzzle with this number, name or file name.

    >>> find("07").name == find("7").name == find("puzzles/07_far_enough.py").name
    True

    Raises `ValueError` if there is none.
    """
    name = PurePath(what).stem.lstrip("0123456789_")
    name = RETIRED.get(name, name)
    for puzzle in PUZZLES:
        if puzzle.name == name or str(puzzle.number) == what.lstrip("0"):
            return puzzle
    raise ValueError(
        f"find: puzzle must be a number from 1 to {len(PUZZLES)} or a name, got {what!r}. `list` "
        "shows them all."
    )
