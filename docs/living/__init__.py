"""Living: a Sphinx extension for interactive figures.

If a page shows the picture `images/NAME.svg` and this folder contains `NAME.js`, the page loads
that script, the numbers returned by `data()` of `NAME.py`, and the common `figure.js`. The picture
remains in the page and is shown without scripts. `python -m docs.builder.browser` saves all
pictures from the figures.

The numbers are computed when the site is built, once for all pages, and only if a page shows them.
"""

from __future__ import annotations

import html
import importlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent / "images"
NAMES = sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "figure")


class living(nodes.General, nodes.Element):  # noqa: N801  (Sphinx names its methods after it)
    """An interactive figure: its `name`, around its picture."""


def enter(translator: HTML5Translator, node: living) -> None:
    """Open the figure, which shows its picture until the script is loaded."""
    translator.body.append(translator.starttag(node, "figure", "", **opening(node["name"])))


def leave(translator: HTML5Translator, node: living) -> None:
    """Write the caption and the task, and close the figure."""
    if caption := node.get("caption"):
        task = html.escape(task_of(node["name"]))
        translator.body.append(f"<figcaption>{html.escape(caption)} {task}</figcaption>")
    translator.body.append("</figure>\n")


def task_of(name: str) -> str:
    """Return what the reader is to do with a figure."""
    return f"Task: {importlib.import_module(f'docs.living.{name}').TASK}"


def opening(name: str) -> dict[str, str]:
    """Return the attributes of the figure's tag."""
    return {"CLASS": "living", "data-living": name}


def find(_: Sphinx, document: nodes.document) -> None:
    """Put a figure that answers around each picture that there is a script for."""
    for image in list(document.findall(nodes.image)):
        name = Path(image["uri"]).stem
        if name in NAMES and len(image.parent.children) == 1:
            caption = image.attributes.pop("title", "")
            image.parent.replace_self(living("", image, name=name, caption=caption))


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Load what the figures of this page want, and nothing on a page without one."""
    names = {node["name"] for node in document.findall(living)} if document else set()
    if not app.config.live_runtime:
        names |= set(app.config.living_pages.get(page, ()))
    if not names:
        return
    app.add_css_file("living/living.css")
    app.add_js_file("living/figure.js", loading_method="defer", priority=600)
    for name in sorted(names):
        app.add_js_file(f"living/{name}-data.js", loading_method="defer", priority=601)
        app.add_js_file(f"living/{name}.js", loading_method="defer", priority=602)


def write_data(app: Sphinx, error: Exception | None) -> None:
    """Write the scripts and the numbers of all figures to the folder of the pages."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "living")
    folder.mkdir(parents=True, exist_ok=True)
    for path in [*FOLDER.glob("*.js"), FOLDER / "living.css"]:
        shutil.copy(path, folder)
    pages = "".join(path.read_text("utf-8") for path in Path(app.srcdir, "docs").glob("*/*.md"))
    by_hand = {name for names in app.config.living_pages.values() for name in names}
    for name in NAMES:
        if name in by_hand:
            shutil.copy(PICTURES / f"{name}.svg", folder)
        elif f"/images/{name}.svg" not in pages:
            continue
        numbers = importlib.import_module(f"docs.living.{name}").data()
        text = f"living.data.{name} = {as_json(numbers)};\n"
        (folder / f"{name}-data.js").write_text(text, encoding="utf-8")


def as_json(numbers: Any) -> str:
    """Return the numbers as JavaScript reads them, without a blank."""
    return json.dumps(numbers, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def standing(svg: str) -> str:
    """Return an SVG element of a page as a file that can stand by itself, in both themes."""
    css = re.sub(
        r"/\*.*?\*/", "", (FOLDER / "living.css").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    plain = css.partition("@media (max-width")[0]
    rules = [
        rule
        for rule in re.findall(r"(?:\s*@media[^{]*\{[^}]*\}\s*\}|[^{}]*\{[^}]*\})", plain)
        if "svg.living" in rule and "figure" not in rule and not rule.strip().startswith("body")
    ]
    head, body = svg.split(">", 1)
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', head).groups()
    style = " ".join(" ".join(rules).split())
    return f'{head} width="{width}" height="{height}"><style>{style}</style>{body}\n'


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("living_pages", {}, "html")
    app.add_node(living, html=(enter, leave))
    app.connect("doctree-read", find)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_data)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
