"""Search: a Sphinx extension that lists what can be found, section by section.

Sphinx has a search of its own. It finds whole pages, shows no text where pages may not be
fetched, as from a folder, and cuts names at their digits. So the site brings a list of its
sections with their text, and of all functions and classes with the first lines of their
docstrings, as one script; `_static/search.js` ranks them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx

from docs.builder.names import anchor, definitions


class Entry(NamedTuple):
    """Something that can be found: a section, or a definition, which has a name."""

    page: str
    anchor: str
    title: str
    within: str  # the title of the page
    name: str
    text: str


def sections(page: str, document: nodes.document) -> Iterator[Entry]:
    """Yield the sections of a page with their own text, without that of sections in them.

    Docstrings are left out: they belong to the definitions, which are listed separately. Of
    equal cells of a table one is kept.
    """
    title = ""
    for section in document.findall(nodes.section):
        heading = section[0].astext()
        title = title or heading
        words = [
            " ".join(block.astext().split())
            for block in section.findall(nodes.TextElement)
            if isinstance(block, nodes.paragraph | nodes.term | nodes.math_block)
            and _nearest_box(block) is section
        ]
        place = "" if heading == title else section["ids"][0]
        yield Entry(page, place, heading, title, "", " ".join(dict.fromkeys(words)))


def _nearest_box(node: nodes.Node) -> nodes.Node:
    while not isinstance(node, nodes.section | nodes.container):
        node = node.parent
    return node


def defined(page: str, title: str, source: str) -> Iterator[Entry]:
    """Yield the public classes, functions and methods of a file."""
    for node, name in definitions(ast.parse(source)):
        if not re.search(r"(^|\.)_", name):
            text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
            yield Entry(page, anchor(name), name, title, name, text)


def entries(app: Sphinx) -> Iterator[Entry]:
    """Yield all entries in reading order, the README last: it repeats what other pages say.

    Left out are the changelog, which describes the same things as they were before, and what
    readers do not search for: the source of the puzzles' runner, and the page for contributors.
    """
    for pages in [*app.config.reading_order.values(), ["README"]]:
        for page in pages:
            if page in ("CHANGELOG", "CONTRIBUTING") or page.startswith("numpycnn/puzzles/"):
                continue
            if page not in app.env.titles:
                continue  # of a missing page Sphinx has warned
            yield from sections(page, app.env.get_doctree(page))
            path = Path(app.env.doc2path(page))
            if path.suffix == ".py":
                title = app.env.titles[page].astext()
                yield from defined(page, title, path.read_text(encoding="utf-8"))


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the list beside the pages."""
    if error or app.builder.format != "html":
        return
    pages = [
        (page, title, [(entry.anchor, entry.title, entry.name, entry.text) for entry in found])
        for (page, title), found in groupby(entries(app), key=lambda one: (one.page, one.within))
    ]
    rows = json.dumps(pages, separators=(",", ":"), ensure_ascii=False)
    path = Path(app.outdir, "_static", "search-entries.js")
    path.write_text(f"const entries = {rows};\n", encoding="utf-8")


def switch_off(app: Sphinx) -> None:
    """Spare the build the list that Sphinx would make for its own search."""
    app.builder.search = False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", switch_off)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
