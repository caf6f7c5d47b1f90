"""Previews: a Sphinx extension that describes each page to search engines and messengers.

`sphinxext-opengraph` reads title and description from the text of a page. This module completes
it: a description for pages that are made of a template, the picture that all previews share, and
one viewport instead of two.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinxext.opengraph import get_tags

from docs.living.drag_the_arrival import trace, trained
from numpycnn.plots import plot_inside

ABOUT = (
    "A convolutional neural network in NumPy that you can read to the last line: a tutorial, "
    "puzzles, and a checker for the gradients of your layers. It runs in the page."
)


def complete(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Complete the tags in the head of a page."""
    if not document:
        about = re.sub(r"<[^>]*>", "", context.get("task", "")).strip()
        document = new_document("")
        document += nodes.paragraph("", about or ABOUT)
        context["metatags"] = context.get("metatags", "") + get_tags(
            {"meta": None, "metatags": "", "pagename": page} | {"title": context.get("title", "")},
            document,
            srcdir=app.srcdir,
            outdir=app.outdir,
            config=app.config,
            builder=app.builder,
            env=app.env,
        )
    if 'name="description"' not in context["metatags"]:  # a page without a sentence
        context["metatags"] += f'\n<meta name="description" content="{ABOUT}">'
    lines = context["metatags"].splitlines()
    is_relative = not app.config.ogp_site_url
    context["metatags"] = "\n".join(
        line
        for line in lines
        if 'name="viewport"' not in line  # the theme writes one, too
        and not (is_relative and re.search(r'"og:(url|image)"', line))
    )


def draw(path: Path) -> None:
    """Draw the picture of all previews, 1200 by 630 pixels: a trace and its feature maps."""
    figure = plot_inside(trained("flatten"), trace(32, 1))
    figure.set_size_inches(12, 6.3)
    figure.savefig(path, dpi=100, facecolor="white")


def write_picture(app: Sphinx, error: Exception | None) -> None:
    """Write the picture to the folder of the pages, if previews can show it."""
    if not error and app.builder.format == "html" and app.config.ogp_site_url:
        draw(Path(app.outdir, app.config.ogp_image))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinxext.opengraph")
    app.connect("html-page-context", complete, priority=600)  # after sphinxext-opengraph
    app.connect("build-finished", write_picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
