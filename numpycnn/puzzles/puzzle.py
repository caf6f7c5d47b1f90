"""The puzzle: one file that a teacher writes, and the file that a reader gets of it.

The upper part of a puzzle's file, as it stands, is what the reader gets: the task as a
docstring, what is given, and one gap. The gap is a `...`, and the comment beside it says what
belongs there. Where a mistake is to be found, there is no `...`, and the gap is the wrong line.

The lower part, below a line of dashes, is for the grader:

    HINTS      two or three, from a nudge to nearly the answer
    GAP        the wrong lines, if the gap is not a `...`
    SOLUTION   what belongs into the gap
    WRONG      what people put there, and a word that the verdict has to say then
    LESSON     a sentence or two, for whoever has got it right
    check      raises `Wrong` unless the reader's names do what they should

Because a solution is nothing but the text for the gap, every wrong answer is one as well, and
the tests try them all.
"""

import ast
from functools import cached_property
from importlib import import_module
from pathlib import Path
from textwrap import indent
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
    """Where a `...` begins that is to be replaced."""

    line: int  # from 1
    column: int


def gaps_in(source: str) -> list[Gap]:
    """Every `...` in a program but those that are part of an index, as in `x[..., 0]`.

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
        """The file as a module: the hints, the solution, the check."""
        return import_module(f"numpycnn.puzzles.course.{self.name}")

    @cached_property
    def stub(self) -> str:
        """What the reader begins with."""
        source = Path(str(self.module.__file__)).read_text(encoding="utf-8")
        given, end, _ = source.partition(END)
        if not end:
            raise ValueError(f"the puzzle {self.name} expected this line in its file:{END}")
        return (
            f"# Puzzle {self.number}, after docs/{self.chapter}.md\n" + given.rstrip() + "\n" + RUN
        )

    @property
    def filename(self) -> str:
        """What the reader's file is called."""
        return f"{self.number:02}_{self.name}.py"

    @property
    def title(self) -> str:
        """The first line of the task."""
        return self.task.partition("\n")[0]

    @property
    def task(self) -> str:
        """What is to be done, as it stands at the head of the reader's file."""
        return str(self.module.__doc__).strip()

    @property
    def gap(self) -> str:
        """The text that is to be replaced."""
        return getattr(self.module, "GAP", "...")

    @property
    def asks(self) -> str:
        """What to say of a file in which nothing was changed yet."""
        if opening := getattr(self.module, "opening", None):
            return str(opening())
        (gap,) = gaps_in(self.stub)
        line = self.stub.splitlines()[gap.line - 1]
        return f"Line {gap.line} still says `...`. What belongs there: {line.partition('# ')[2]}."

    def is_untouched(self, source: str) -> bool:
        """Whether a reader's file is still what it was, but for comments and blank lines."""
        try:
            return ast.dump(ast.parse(source)) == ast.dump(ast.parse(self.stub))
        except (SyntaxError, ValueError):
            return False

    def answered(self, answer: str) -> str:
        """The reader's file with this text in the gap."""
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

    def right(self) -> SimpleNamespace:
        """The names that the solved file defines."""
        return run(self.answered(self.module.SOLUTION), self.filename)


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


def find(what: str) -> Puzzle:
    """Return the puzzle with this number, name or file.

    >>> find("07").name == find("7").name == find("puzzles/07_far_enough.py").name
    True

    Raises `ValueError` if there is none.
    """
    name = Path(what).stem.lstrip("0123456789_")
    for puzzle in PUZZLES:
        if puzzle.name == name or str(puzzle.number) == what.lstrip("0"):
            return puzzle
    raise ValueError(
        f"expected the number of a puzzle, 1 to {len(PUZZLES)}, or its name, got {what!r}"
    )
