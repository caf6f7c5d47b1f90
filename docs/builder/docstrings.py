"""Docstrings: as prose on the pages of the site, with formulas where they have equations.

In the file a docstring is written for an editor and `help()`: equations as plain text,
sections and lists in the form of numpydoc, an example after `>>>`. On a page it becomes a
paragraph, a formula, a list, a block of code. The content is the same, and so is the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it.token import Token

from docs.builder.equations import split, tex_of


class Part(NamedTuple):
    """A stretch of a docstring: prose in Markdown, or an example to be typed at a prompt."""

    is_example: bool
    row: int  # of its first line within the docstring, counted from 0
    text: str


def parts(docstring: str) -> Iterator[Part]:
    r"""Cut a docstring at its examples; one begins with a prompt and ends at a blank line.

    >>> for part in parts("Half of x.\n\n>>> half(4)\n2\n\nNo more."):
    ...     print(part.is_example, part.row, part.text.split("\n"))
    False 0 ['Half of x.', '']
    True 2 ['>>> half(4)', '2']
    False 4 ['', 'No more.']
    """
    lines = docstring.split("\n")
    is_example, begin = False, 0
    for at in range(len(lines) + 1):
        if at == len(lines) or (not lines[at] if is_example else lines[at].startswith(">>>")):
            text = "\n".join(lines[begin:at])
            if text.strip():
                yield Part(is_example, begin, text if is_example else as_list(text))
            is_example, begin = not is_example, at


LISTS = ("Parameters", "Returns", "Yields", "Raises", "Attributes")
PROSE = ("Notes", "Examples", "References", "See Also", "Warnings")
"""The sections of numpydoc: those that are lists, and those that are prose."""


def as_list(text: str) -> str:
    r"""Make Markdown of the sections of numpydoc, and of a list of arguments, line for line.

    >>> print(as_list("Parameters\n----------\nx : ndarray, shape (N, D)\n    Any\n    array."))
    **Parameters**
    <BLANKLINE>
    - `x` (ndarray, shape (N, D)):
      Any
      array.
    >>> print(as_list("Notes\n-----\nAll in place."))
    **Notes**
    <BLANKLINE>
    All in place.
    >>> print(as_list("Args:\n    x: an array;\n        any shape.\n    lr: the step."))
    Args:
    - `x`: an array;
      any shape.
    - `lr`: the step.
    """
    lines, inside = [], ""  # the name of the list that a line is in
    rows = text.split("\n")
    for above, line, below in zip(["", *rows[:-1]], rows, [*rows[1:], ""], strict=True):
        if line in LISTS + PROSE and below == "-" * len(line):
            inside = line if line in LISTS else ""
            lines.append(f"**{line}**")
        elif above in LISTS + PROSE and line == "-" * len(above):
            lines.append("")
        elif inside in LISTS and line and not line.startswith(" "):
            names, _, kind = line.partition(" : ")
            names = ", ".join(f"`{name}`" for name in names.split(", "))
            lines.append(f"- {names} ({kind}):" if kind else f"- {names}:")
        elif inside in LISTS:
            lines.append(line.removeprefix("  "))
        elif found := inside == "Args:" and re.match(r" {4}(\w+): (.*)", line):
            lines.append(f"- `{found[1]}`: {found[2]}")
        else:
            lines.append(line.removeprefix(" " * 6) if inside else line)
        if line == "Args:" or (inside == "Args:" and not line):
            inside = line
    return "\n".join(lines)


def code_of(example: str) -> str:
    r"""Return the code of an example without its prompts, and a blank line for each of output.

    >>> code_of(">>> for n in range(2):\n...     n\n0\n1")
    'for n in range(2):\n    n\n\n'
    """
    lines = example.split("\n")
    return "\n".join(line[4:] if line.startswith((">>>", "...")) else "" for line in lines)


def with_formulas(tokens: list[Token], *, in_sentences: bool) -> list[Token]:
    """Return Markdown tokens with formulas in the place of equations.

    An indented block of equations becomes one, and with `in_sentences` also a paragraph that is
    nothing else, and an equation in the middle of a sentence. An indented block that is Python
    is shown as such.
    """
    done: list[Token] = []
    for token in tokens:
        if token.type == "code_block":
            tex = tex_of([line.strip() for line in token.content.strip("\n").split("\n")])
            done.append(_formula(tex, token) if tex else _as_python(token))
        elif token.type == "inline" and in_sentences and done[-1].type == "paragraph_open":
            if tex := tex_of(token.content.split("\n")):
                done[-1:] = [_formula(tex, done[-1])]
            else:
                token.children = [piece for child in token.children or [] for piece in _cut(child)]
                done.append(token)
        elif token.type == "paragraph_close" and done[-1].type == "math_block":
            continue
        else:
            done.append(token)
    return done


def _formula(tex: str, of: Token) -> Token:
    return Token("math_block", "math", 0, map=of.map, content=tex)


def _as_python(token: Token) -> Token:
    """Return an indented block as a block of Python, if it is that."""
    try:
        compile(token.content, "", "exec")
    except SyntaxError:
        return token
    return Token("fence", "code", 0, map=token.map, content=token.content, info="python")


def _cut(child: Token) -> list[Token]:
    """Cut the text of a sentence at its equations."""
    if child.type != "text":
        return [child]
    return [
        Token("math_inline", "math", 0, content=piece)
        if at % 2
        else Token("text", "", 0, content=piece)
        for at, piece in enumerate(split(child.content))
    ]
