"""Live pages: a Sphinx extension for the pages that are made for the browser alone.

A page for each puzzle and the list of them. They exist if there is a runtime.
"""

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx

from docs.builder.live import use
from docs.live.puzzles import given
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.puzzle import PUZZLES, Puzzle

Page = tuple[str, dict[str, Any], str]
SCRIPTS_OF = {
    "puzzle.html": ["kernel", "sizes", "editor", "puzzles"],
    "puzzles.html": ["kernel", "sizes", "editor", "puzzles"],
}
TITLES = {"puzzles/index": "Puzzles in the page"}
"""The pages that the sidebar names."""


def collect(app: Sphinx) -> Iterator[Page]:
    """Yield the pages: name, context and template."""
    if not app.config.live_runtime:
        return
    titles = {chapter: app.env.titles[f"docs/{chapter}"].astext() for chapter in COURSE}
    yield "puzzles/index", {"title": TITLES["puzzles/index"], "chapters": _by_chapter(titles)}, "puzzles.html"
    for puzzle in PUZZLES:
        yield _page_of(puzzle), _context(puzzle, titles), "puzzle.html"


# Puzzles
# -------


def _page_of(puzzle: Puzzle) -> str:
    return f"puzzles/{puzzle.name}"


def _by_chapter(titles: dict[str, str]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    return [
        (titles[chapter], [_link(p) for p in PUZZLES if p.chapter == chapter]) for chapter in COURSE
    ]


def _link(puzzle: Puzzle) -> tuple[str, str, str]:
    return puzzle.name, _page_of(puzzle), f"{puzzle.number}. {puzzle.title}"


def _context(puzzle: Puzzle, titles: dict[str, str]) -> dict[str, Any]:
    markdown = MarkdownIt()
    _, _, task = puzzle.task.partition("\n")
    chapter, _, anchor = puzzle.anchor.partition(".md#")
    around = [PUZZLES[n] if 0 <= n < len(PUZZLES) else None for n in (puzzle.number - 2, puzzle.number)]
    return {
        "title": f"Puzzle {puzzle.number}: {puzzle.title}",
        "puzzle": puzzle,
        "task": markdown.render(task),
        "given": given(puzzle),
        "hints": [markdown.render(hint) for hint in puzzle.module.HINTS],
        "chapter": (f"docs/{chapter}", anchor, titles[chapter], puzzle.section),
        "previous": around[0] and _link(around[0]),
        "next_puzzle": around[1] and _link(around[1]),
    }


# Around the pages
# ----------------


def add_links(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Load the scripts of these pages, and name them in the sidebar and on related pages."""
    if not app.config.live_runtime:
        return
    context["parts"] = context["parts"] | {
        "In the page": {"": [(name, "", title) for name, title in TITLES.items()]}
    }
    if page in TITLES or page.startswith("puzzles/"):
        context["open_part"] = "In the page"
    if scripts := SCRIPTS_OF.get(template):
        use(app, scripts)
    if page == "docs/puzzles":
        address = context["pathto"]("puzzles/index")
        context["body"] = context["body"].replace(
            "</h1>", f'</h1>\n<p><a href="{address}">Solve them in the page</a>: nothing to install.</p>', 1
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-collect-pages", collect)
    app.connect("html-page-context", add_links, priority=450)  # after the parts of the sidebar
    return {"parallel_read_safe": True, "parallel_write_safe": True}
