"""Glossary links: a Sphinx extension that links terms to their glossary entries.

The first occurrence of a term of `glossary.md` in the prose of a page becomes a link to its entry,
and shows the entry as a tooltip. Code, headings, captions and links are not changed.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx

PAGE = "docs/reference/glossary"
LINKED = "docs/[0-9]", "numpycnn/", "examples/"  # how the names of pages begin that have links
NO_PROSE = (
    nodes.literal,
    nodes.literal_block,
    nodes.title,
    nodes.caption,
    nodes.reference,
    nodes.raw,
)

# Words with another everyday meaning. They become links only on pages to which their entry links.
EVERYDAY = {"Fault", "Phase", "Pick", "Section", "State"}

# Words that can also be verbs become links only after one of these words.
LOOSE = "pick", "picks", "scores", "strides"
BEHIND = re.compile(r"\b(?:an?|are|as|between|by|for|from|have|in|into|its|of|the|three|to) $")


class Term(NamedTuple):
    """An entry of the glossary, with all the words that it is for."""

    words: list[str]
    anchor: str
    meaning: str
    pages: list[str]  # that it leads to

    @property
    def pattern(self) -> str:
        """How the words look in a sentence: "batch", "Batches"; but "ReLU" only so."""
        return "|".join(
            (f"[{word[0]}{word[0].lower()}]" if word[1:].islower() else re.escape(word[0]))
            + re.escape(word[1:])
            for word in self.words
        )


def terms_of(glossary: str) -> list[Term]:
    """Return the entries of the glossary.

    >>> term, = terms_of("**Filter.** The *taps*. [Chapter 2](../1-evening/2-convolution.md#taps).")
    >>> term.words, term.meaning, term.pages
    (['Filter'], 'The taps.', ['docs/1-evening/2-convolution'])
    """
    terms = []
    for title, text in re.findall(r"^\*\*(.+?)\.\*\* (.*)$", glossary, re.MULTILINE):
        links = re.findall(r"\]\(([\w./-]+)\.(?:md|py)", text)
        pages = [posixpath.normpath(f"{PAGE}/../{link}") for link in links]
        meaning = re.split(r" \(?(?:See )?\[[^]]*\]\(", text)[0]
        meaning = "" if "$" in meaning else re.sub("[*`]", "", meaning)  # no place for a formula
        terms.append(Term(title.split(", "), anchor_of(title), meaning, pages))
    return terms


def anchor_of(title: str) -> str:
    """Return the anchor of an entry.

    >>> anchor_of("STA/LTA"), anchor_of("Filter, kernel")
    ('term-sta-lta', 'term-filter')
    """
    return "term-" + re.sub(r"\W+", "-", title.split(", ")[0].lower())


def add_anchors(app: Sphinx, document: nodes.document) -> None:
    """Give each entry of the glossary its anchor."""
    if app.env.docname == PAGE:
        for paragraph in document.findall(nodes.paragraph):
            first = next(child for child in paragraph if child.astext())
            if isinstance(first, nodes.strong):
                paragraph["ids"].append(anchor_of(first.astext().removesuffix(".")))


@cache
def _terms(glossary: str) -> tuple[list[Term], re.Pattern[str]]:
    """Return the terms, and what finds any of them, the longest first, in group `t` and number."""
    terms = terms_of(glossary)
    terms.sort(key=lambda term: -max(map(len, term.words)))
    every = "|".join(f"(?P<t{at}>{term.pattern})" for at, term in enumerate(terms))
    return terms, re.compile(rf"(?<![\w/-])(?:{every})(?:e?s)?(?![\w/-])")


def link_terms(app: Sphinx, document: nodes.document, page: str) -> None:
    """Make links of the first words on a page that the glossary explains."""
    if not re.match("|".join(LINKED), page):
        return
    terms, pattern = _terms(Path(app.srcdir, f"{PAGE}.md").read_text(encoding="utf-8"))
    done = {
        at for at, term in enumerate(terms) if term.words[0] in EVERYDAY and page not in term.pages
    }
    address = app.builder.get_relative_uri(page, PAGE)
    for text in list(document.findall(nodes.Text)):
        words, end, pieces = text.astext(), 0, list[nodes.Node]()
        for found in pattern.finditer(words):
            at = int((found.lastgroup or "")[1:])
            loose = found[0] in LOOSE and not BEHIND.search(words[: found.start()])
            if at not in done and not loose and _is_prose(text):
                done.add(at)
                link = nodes.reference("", found[0], internal=True, classes=["term"])
                link["refuri"] = f"{address}#{terms[at].anchor}"
                if terms[at].meaning:
                    link["reftitle"] = terms[at].meaning
                pieces += [nodes.Text(words[end : found.start()]), link]
                end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(words[end:])])


def _is_prose(node: nodes.Node) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, NO_PROSE):
            return False
    return True


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", add_anchors)
    app.connect("doctree-resolved", link_terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
