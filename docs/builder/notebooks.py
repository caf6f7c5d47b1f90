"""Notebooks: a Sphinx extension that writes each chapter as a notebook, by jupytext.

What a block printed is left out: the reader runs it. A block that draws ends with the name of its
figure. Blocks that need more than the `plots` extra say so, and like those that raise on purpose
they have the tag `raises-exception`, so that a run from top to bottom goes on.
"""

import importlib.util
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from docs.builder.pieces import Fence, cut_chapter
from docs.builder.running import words_of

logger = logging.getLogger(__name__)

START = """*A chapter of the numpycnn tutorial as a notebook. It needs the package and Matplotlib:
in the checkout, `python -m pip install -e '.[plots]'`. Start Jupyter there.*
"""


def markdown_of(text: str, stem: str) -> str:
    r"""Return a chapter in the Markdown that jupytext reads.

    >>> chapter = "# 1\n\n```python alt='A'\nf = draw()\n```\n\n![A](../images/01-x-f.svg \"A.\")\n"
    >>> print(markdown_of(chapter.replace("'", '"'), "01-x").partition("*\n\n")[2].strip())
    ```python
    f = draw()
    f
    ```
    """
    lines = text.split("\n")
    for fence in reversed([part for part in cut_chapter(text) if isinstance(part, Fence)]):
        begin, end = fence.line - 1, fence.line + fence.text.count("\n")
        if fence.info == "text":
            continue
        if not fence.info.startswith("python"):  # jupytext would make cells of sh and julia
            lines[begin], lines[end] = f"~~~{fence.info}", "~~~"
            continue
        after = end + 1
        if fence.shown is not None:
            after = lines.index("```text", after) + fence.shown.count("\n") + 2
        lines[begin:after] = _cell(fence, _figure_after(lines, after, stem))
    body = "\n".join(lines)
    body = re.sub(r"^!\[.*?\]\(\.\./images/.*\n", "", body, flags=re.MULTILINE)
    body = re.sub(r"^<!-- (?:says|source):.*-->\n", "", body, flags=re.MULTILINE)
    body = re.sub(r"(?<!!)\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", body)  # there are no pages
    title, _, rest = body.partition("\n")
    return f"{title}\n\n{START}\n{rest.lstrip()}"


def _figure_after(lines: list[str], at: int, stem: str) -> str:
    """Return the variable of the picture that the next lines show, "" if they show none."""
    following = next((line for line in lines[at:] if line.strip()), "")
    found = re.match(rf"!\[.*\]\(\.\./images/{re.escape(stem)}-([\w-]+)\.svg", following)
    return found[1].replace("-", "_") if found else ""


def _cell(fence: Fence, figure: str) -> list[str]:
    words = words_of(fence.info)
    code = fence.text.rstrip("\n").split("\n") + ([figure] if figure else [])
    tags = ' tags=["raises-exception"]' if {"raises", "needs"} & set(words) else ""
    note = [f"The next block needs `{words['needs']}`.", ""] if "needs" in words else []
    return [*note, f"```python{tags}", *code, "```"]


def is_there() -> bool:
    """Whether jupytext is installed."""
    return importlib.util.find_spec("jupytext") is not None


def notebook_of(path: Path) -> str:
    """Return a chapter as the JSON of a notebook."""
    import jupytext

    text = markdown_of(path.read_text(encoding="utf-8"), path.stem)
    notebook = jupytext.reads(text, fmt="md")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # else it is drawn at random
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return str(jupytext.writes(notebook, fmt="ipynb"))


def add_link(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Link the notebook at the end of a chapter."""
    if re.match(r"docs/\d", page) and document and is_there():
        name = page.rpartition("/")[2]
        address = context["pathto"](f"_static/notebooks/{name}.ipynb", 1)
        context["body"] += f'<p><a href="{address}" download>This chapter as a notebook</a></p>\n'


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write the notebooks."""
    if error or app.builder.format != "html":
        return
    if not is_there():
        logger.info("notebooks: none, because jupytext is not installed")
        return
    folder = Path(app.outdir, "_static", "notebooks")
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(app.srcdir, "docs").glob("[0-9]*/*.md")):
        (folder / f"{path.stem}.ipynb").write_text(notebook_of(path), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", add_link)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
