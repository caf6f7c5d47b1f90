"""Numbers: each number in the prose of a chapter is computed on the page, or its source is stated.

A number is bound if a block of the page contains or prints it, or if a comment `<!-- says: … -->`
computes it. Any other number is a fault, unless a comment after its paragraph states the source:

    <!-- source: counted in the paper -->

Not examined are integers up to ten, years, formulas, code in a sentence, links, headings, and the
lists of puzzles and of further reading. A number that occurs in a block may have another meaning
there, so this check finds numbers without a source, not every incorrect number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from docs.builder.pieces import Fence, cut_chapter

NUMBER = re.compile(r"(?<![\w.,/#-])\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?(?![\w/]|[.,]\d)")
SOURCE = "<!-- source:"
NOT_EXAMINED = re.compile(
    r"""\$\$.*?\$\$ | \$[^$\n]*\$ | `[^`\n]*`  # formulas and code
    | \]\([^)]*\) | !\[.*?\]  # links and pictures
    | ^\#.*?$ | ^\*\*\d+\.\*\* | ^\d+\.\ | ^Now\ do\ \[.*?$  # headings, exercises, lists, puzzles
    | <!--.*?-->""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def unbound(text: str, computed: Iterable[str]) -> Iterator[tuple[int, str]]:
    r"""Yield the line of each paragraph with numbers of unknown source, and these numbers.

    `computed` are the values of the claims.

    >>> page = "There are 42.\n\n```python\nn = 17\n```\n\nThere are 17 and 2 and 1,234.\n"
    >>> list(unbound(page, ["1,234"]))
    [(1, '42')]
    >>> list(unbound(page.replace("2.\n", "2.\n\n<!-- source: counted -->\n", 1), ["1,234"]))
    []
    """
    text = text.partition("\n## Further reading\n")[0]
    fences = [part for part in cut_chapter(text) if isinstance(part, Fence)]
    known = {*computed}
    for fence in fences:
        known |= {fence.text, fence.shown or ""}
    bound = {_value(number) for one in known for number in re.findall(r"\d[\d,]*(?:\.\d+)?", one)}
    has_source = False  # whether the comments below a paragraph state its source
    for line, paragraph in reversed(list(_paragraphs(_without(fences, text)))):
        if paragraph.startswith("<!--"):
            has_source |= paragraph.startswith(SOURCE)
            continue
        numbers = NUMBER.findall(NOT_EXAMINED.sub(" ", paragraph))
        left = [one for one in numbers if not (_is_common(one) or _value(one) in bound)]
        if left and not has_source:
            yield line, ", ".join(left)
        has_source = False


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _is_common(number: str) -> bool:
    """Return True for an integer up to ten and for a year."""
    return bool(re.fullmatch(r"\d|10|(19|20)\d\d", number))


def _without(fences: list[Fence], text: str) -> str:
    """Return the text with blank lines in place of the fences."""
    lines = text.split("\n")
    for fence in fences:
        end = fence.line + fence.text.count("\n") + 1
        lines[fence.line - 1 : end] = [""] * (end - fence.line + 1)
    return "\n".join(lines)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a text, each with its line."""
    line = 1
    for block in re.split(r"(\n(?:[ \t]*\n)+)", text):
        if block.strip():
            yield line, block.strip("\n")
        line += block.count("\n")
