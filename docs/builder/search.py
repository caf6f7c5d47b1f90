"""Search: a Sphinx extension that lists what can be found, section by section.

The search of Sphinx is not used. It finds whole pages, shows no text where pages may not be
fetched, as from a folder, and cuts names at their digits. So the site brings a list of its
sections with their text, and of all functions and classes with the first lines of their
docstrings, as one script; `_static/search.js` ranks them.

Misspelled words are found by MiniSearch, a package of npm. Its file is used only if it has the
SHA-256 below, and is kept in the cache of `runtime`. Without it, words are found as they are
written.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from docs.builder import runtime
from docs.builder.names import anchor, definitions

logger = logging.getLogger(__name__)


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
            " ".join(_readable(block).split())
            for block in section.findall(nodes.TextElement)
            if isinstance(block, nodes.paragraph | nodes.term)
            and _nearest_box(block) is section
            and not _is_term(block)
            and not block.astext().startswith(f"{page}.py")  # the address of a source file
        ]
        place = "" if heading == title else section["ids"][0]
        yield Entry(page, place, heading, title, "", " ".join(dict.fromkeys(words)))
    for paragraph in document.findall(_is_term):
        name = next(paragraph.findall(nodes.strong)).astext().removesuffix(".")
        yield Entry(page, paragraph["ids"][0], name, title, "", _readable(paragraph))


def _is_term(node: nodes.Node) -> bool:
    """Whether a node explains a word of the glossary."""
    return isinstance(node, nodes.paragraph) and bool(
        node["ids"] and node["ids"][0].startswith("term-")
    )


def _readable(block: nodes.Element) -> str:
    r"""Return the text of a block, with short formulas as plain text and "…" for the others.

    >>> formulas = nodes.math("", "x_0"), nodes.math("", r"\frac{a}{b}")
    >>> _readable(nodes.paragraph("", "", formulas[0], nodes.Text(" is "), formulas[1]))
    'x0 is …'
    """
    texts = []
    for node in block.findall(lambda node: isinstance(node, nodes.Text | nodes.math)):
        if isinstance(node, nodes.math):
            tex = re.sub(r"[_{}$]|\\[,;]", "", node.astext())
            texts.append("…" if "\\" in tex else tex)
        elif not isinstance(node.parent, nodes.math):
            texts.append(node.astext())
    return "".join(texts)


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
    """Write the list to the folder of the pages."""
    if error or app.builder.format != "html":
        return
    pages = [
        (page, title, [(entry.anchor, entry.title, entry.name, entry.text) for entry in found])
        for (page, title), found in groupby(entries(app), key=lambda one: (one.page, one.within))
    ]
    rows = json.dumps(pages, separators=(",", ":"), ensure_ascii=False)
    static = Path(app.outdir, "_static")
    (static / "search-entries.js").write_text(f"search.pages = {rows};\n", encoding="utf-8")
    place_library(static)


# MiniSearch
# ----------

PACKAGE = "minisearch@7.2.0"
HASHES = {
    "dist/umd/index.js": "03c27931eb603af1d3358579e9885eafdb6a2f5fa9929557b3e77d7e99d06d03",
    "LICENSE.txt": "70d37354d6395629fb99edb28cb37a5d356ffa24a48cd02a5def5b83a300a899",
}
PLACES = {"dist/umd/index.js": "minisearch.js", "LICENSE.txt": "minisearch.LICENSE.txt"}


def place_library(folder: Path) -> None:
    """Copy MiniSearch and its license into a folder; fetch them first if necessary."""
    kept = runtime.cache().with_name(PACKAGE.replace("@", "-"))
    if differing(kept):
        fetch(kept)
    if differing(kept):
        logger.info("search: only words as they are written, because npm has no %s.", PACKAGE)
        (folder / "minisearch.js").write_text("", encoding="utf-8")  # so that no page misses it
        return
    for name in PLACES.values():
        shutil.copyfile(kept / name, folder / name)


def differing(folder: Path) -> list[str]:
    """Return the names of the files that are missing in a folder or have another hash."""
    paths = {name: folder / place for name, place in PLACES.items()}
    return [
        name
        for name, path in paths.items()
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != HASHES[name]
    ]


def fetch(folder: Path) -> None:
    """Download the package with npm, and keep the files that are used."""
    if not (npm := shutil.which("npm")):
        return
    with TemporaryDirectory() as scratch:
        options = ["--fetch-retries=0", "--silent", "--pack-destination", scratch]
        subprocess.run([npm, "pack", *options, PACKAGE], capture_output=True, check=False)
        folder.mkdir(parents=True, exist_ok=True)
        for archive in Path(scratch).glob("*.tgz"):
            with tarfile.open(archive) as package:
                for name, place in PLACES.items():
                    if member := package.extractfile(f"package/{name}"):
                        (folder / place).write_bytes(member.read())


def switch_off(app: Sphinx) -> None:
    """Spare the build the list that Sphinx would make for its own search."""
    app.builder.search = False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", switch_off)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
