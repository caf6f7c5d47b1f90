"""Moved pages: a Sphinx extension that leads from addresses of earlier versions to the new ones.

Each entry of `moved_pages` in `conf.py` becomes a small page at the old address. It opens the new
page at once, from a disk as well, and has a link for browsers that do not.
"""

from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a page for each old address: name, context and template."""
    for old, new in app.config.moved_pages.items():
        yield old, {"address": app.builder.get_relative_uri(old, new)}, "moved.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("moved_pages", {}, "html")
    app.connect("html-collect-pages", collect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
