"""Pieces: split a file into prose and code without loss.

A Python file is written as a chapter, by one rule. The module docstring is its title and
introduction. A run of whole-line comments after a blank line is prose, in Markdown, inside
functions and classes too, and so is every docstring. Everything else is code: a comment inside a
statement, after code, or tucked to code without a blank line before it.

A chapter in Markdown is prose with code in fences. Splitting it means finding the fences that are
run, their expected output, and the numbers in the prose that code computes.

This module knows neither Sphinx nor how anything is run; see `running` and `source_pages`.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

# Python files
# ------------


class Piece(NamedTuple):
    """A stretch of whole lines: "introduction", "prose", "docstring" or "code"."""

    kind: str
    line: int  # of its first line in the file, counted from 1
    text: str  # as it stands in the file

    @property
    def markdown(self) -> str:
        """Prose without its comment signs, docstrings without their quotes, line for line."""
        if self.kind in ("introduction", "docstring"):
            return inspect.cleandoc(ast.literal_eval(self.text.strip()))
        bare = (line.strip().removeprefix("#") for line in _lines_of(self.text))
        return "\n".join(line.removeprefix(" ") for line in bare)


TO_TOOLS = re.compile(r"# *(isort|fmt|ruff|type|mypy|noqa)\b|#!")
"""How a comment begins that speaks to a program, not to a reader."""


def cut(text: str, *, whole_statements: bool = False) -> list[Piece]:
    """Split Python source into pieces whose concatenation is the source.

    With `whole_statements`, no top-level statement is split, so that the pieces can be run one by
    one; comments and docstrings inside functions and loops then belong to the code.

    >>> [piece.kind for piece in cut("'''Title.'''\\n\\n# Why.\\nx = 1\\n")]
    ['introduction', 'prose', 'code']
    """
    lines = _lines_of(text)
    tree = ast.parse(text)
    body, kinds = tree.body, ["code"] * len(lines)
    if body and _is_docstring(body[0], lines):
        kinds[body[0].lineno - 1 : body[0].end_lineno] = ["introduction"] * _height(body[0])
    for statement in [] if whole_statements else _docstrings(tree):
        if _is_docstring(statement, lines):
            kinds[statement.lineno - 1 : statement.end_lineno] = ["docstring"] * _height(statement)
    closed = _inside(body) if whole_statements else set()
    loose = _loose_comments(text) - closed
    for number, line in enumerate(lines, start=1):
        after_blank = number == 1 or not lines[number - 2].strip()
        goes_on = kinds[number - 2] == "prose" and bool(lines[number - 2].strip())
        if number in loose and (goes_on or (after_blank and not TO_TOOLS.match(line.strip()))):
            kinds[number - 1] = "prose"
        elif not line.strip() and number > 1:
            kinds[number - 1] = kinds[number - 2]  # blank lines belong to the piece before
    return list(_gathered(lines, kinds))


def _lines_of(text: str) -> list[str]:
    return re.findall(r".*\n|.+", text)  # splitlines would also cut at a form feed


def _gathered(lines: list[str], kinds: list[str]) -> Iterator[Piece]:
    """Put neighboring lines of one kind together."""
    begin = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or kinds[end] != kinds[begin]:
            yield Piece(kinds[begin], begin + 1, "".join(lines[begin:end]))
            begin = end


def _is_docstring(statement: ast.stmt, lines: list[str]) -> bool:
    """Whether this statement is a string that has its lines to itself."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
        return False
    before = lines[statement.lineno - 1].encode()[: statement.col_offset]  # Python counts bytes
    after = lines[(statement.end_lineno or 0) - 1].encode()[statement.end_col_offset :]
    return isinstance(statement.value.value, str) and not before.strip() and not after.strip()


def _docstrings(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield strings in the position of a docstring: first in a definition, or after a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.body[0]
        if isinstance(node, ast.ClassDef | ast.Module):
            for before, statement in pairwise(node.body):
                if isinstance(before, ast.Assign | ast.AnnAssign):
                    yield statement


def _height(statement: ast.stmt) -> int:
    return (statement.end_lineno or statement.lineno) - statement.lineno + 1


def _inside(body: list[ast.stmt]) -> set[int]:
    """Return the numbers of all lines inside a top-level statement."""
    inside: set[int] = set()
    for statement in body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        inside.update(range(first, (statement.end_lineno or first) + 1))
    return inside


def _loose_comments(text: str) -> set[int]:
    """Return the numbers of the lines that are nothing but a comment, outside all brackets."""
    loose, depth = set(), 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        elif token.type == tokenize.COMMENT and depth == 0 and token.line.lstrip()[0] == "#":
            loose.add(token.start[0])
    return loose


# Chapters
# --------
# A fence begins with three backticks or more and a language, and ends with as many. Only
# fences at the margin are known: an indented one would be missed, so it is reported
# when the chapter is run.


class Fence(NamedTuple):
    """A block between backticks."""

    line: int  # of the opening backticks, counted from 1
    indent: str
    info: str  # what follows the opening backticks
    text: str
    shown: str | None  # the text fence that follows with nothing between them but blank lines


class Claim(NamedTuple):
    """Expressions whose values are in the paragraph before them: `<!-- says: len(x) -->`."""

    line: int
    expressions: list[str]
    paragraph: str


OPENING = re.compile(r"( *)(`{3,}|~{3,})(.*)")


def cut_chapter(text: str) -> list[Fence | Claim]:
    """Return the fences and the claims of a chapter in order.

    >>> fence, claim = cut_chapter("```python\\nx = 3\\n```\\nIt is 3.\\n<!-- says: x -->\\n")
    >>> fence.text, claim.expressions, claim.paragraph
    ('x = 3\\n', ['x'], 'It is 3.')
    """
    lines = text.split("\n")
    parts: list[Fence | Claim] = []
    paragraph: list[str] = []  # the lines since the last blank one
    at, closed = (
        0,
        -1,
    )  # this line, and the one after the last fence and the blank lines that follow
    while at < len(lines):
        if opening := OPENING.fullmatch(lines[at]):
            inside, end = _until_closed(lines, at, opening[2])
            previous = parts[-1] if parts else None
            if isinstance(previous, Fence) and closed == at and opening[3].strip() == "text":
                parts[-1] = previous._replace(shown=inside)
            parts.append(Fence(at + 1, opening[1], opening[3].strip(), inside, None))
            paragraph, closed = [], end
            at = end
        elif lines[at].startswith("<!-- says:"):
            end = next((n for n in range(at, len(lines)) if "-->" in lines[n]), len(lines) - 1)
            inside = "\n".join(lines[at : end + 1]).removeprefix("<!-- says:").split("-->")[0]
            expressions = [" ".join(one.split()) for one in inside.split(";") if one.strip()]
            parts.append(Claim(at + 1, expressions, "\n".join(paragraph)))
            at = end + 1
        else:
            if lines[at].strip():
                starts_anew = at > 0 and not lines[at - 1].strip()
                paragraph = [lines[at]] if starts_anew else [*paragraph, lines[at]]
            elif closed == at:
                closed += 1
            at += 1
    return parts


def _until_closed(lines: list[str], at: int, mark: str) -> tuple[str, int]:
    """Return what is inside the fence that opens at this line, and the line after its end."""
    for end in range(at + 1, len(lines)):
        closing = lines[end].strip()
        if closing.startswith(mark) and set(closing) == {mark[0]}:
            return "".join(line + "\n" for line in lines[at + 1 : end]), end + 1
    return "".join(line + "\n" for line in lines[at + 1 :]), len(lines)
