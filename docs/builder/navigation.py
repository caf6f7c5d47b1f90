"""Navigation: a Sphinx extension for the sidebar and the breadcrumb.

The theme lists all pages in one list. In this sidebar the parts of the reading order can be folded,
and the part with the current page is open. The title of a source file begins with its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import numpycnn


def add_parts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Give the templates the parts of the reading order, and the front page as the master.

    Remove the data from which the theme would build its own list for every page.
    """
    context.pop("toctree", None)
    context["master_doc"] = "index"
    context["parts"] = {
        part: _groups(app, pages) for part, pages in app.config.reading_order.items()
    }
    opened = [part for part, pages in app.config.reading_order.items() if page in pages]
    context["open_part"] = opened[0] if opened else next(iter(app.config.reading_order))
    context["trail"] = _trail(context["parts"][opened[0]], opened[0], page) if opened else []
    context["is_source"] = page.startswith(("numpycnn/", "examples/"))
    context["version"] = numpycnn.__version__


def _groups(app: Sphinx, pages: list[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Return pages by the folder within the package, "" for none; each with its name and title."""
    groups: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for page in pages:
        if page not in app.env.titles:
            continue  # of which Sphinx has warned
        path = PurePosixPath(page)
        title = app.env.titles[page].astext()
        is_source = path.parts[0] in ("numpycnn", "examples")
        folder = path.parent.name if path.parts[0] == "numpycnn" and len(path.parts) > 2 else ""
        name = f"{path.name}.py" if is_source else ""
        groups[folder].append((page, name, head(title) if is_source else title))
    return groups


def _trail(groups: dict[str, list[tuple[str, str, str]]], part: str, page: str) -> list[str]:
    """Return the names above a page: its part, its folder if it has one, and its own."""
    for folder, pages in groups.items():
        for one, name, title in pages:
            if one == page:
                return [step for step in (part, folder, name or title) if step]
    return [part]


def head(title: str) -> str:
    """Return the first words of a title.

    >>> head("Adam: how far to step"), head("Is it right? The check")
    ('Adam', 'Is it right?')
    """
    return re.split(r"(?<=[?])|[:.,]", title)[0]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", add_parts, priority=400)  # before the theme, which has 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
