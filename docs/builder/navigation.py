"""Navigation: a Sphinx extension for the sidebar, in groups that fold, and for the breadcrumb.

The theme lists every page under the last, seventy of them. Here the parts of the reading order
fold, the one with the page in it is open, and a source file has its name before its title.
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

    Take from the theme what it would make its list of, for every page anew and for nobody.
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
