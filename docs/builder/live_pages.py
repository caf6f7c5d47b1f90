"""Live pages: a Sphinx extension for the pages that are made for the browser alone.

The playground, the page that checks a reader's layer, the list of the puzzles and a page for each.
They exist if there is a runtime.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx

from docs.builder.live import FOLDER, SCRIPTS, use
from docs.live import kernels, playground
from docs.live.puzzles import given
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.puzzle import PUZZLES, Puzzle

Page = tuple[str, dict[str, Any], str]
SCRIPTS_OF = {
    "puzzle.html": ["kernel", "sizes", "editor", "puzzles"],
    "puzzles.html": ["kernel", "sizes", "editor", "puzzles"],
    "check.html": [*SCRIPTS, "check"],
    "playground.html": [*SCRIPTS, "playground"],
    "front.html": ["kernel", "sizes", "playground"],
}
TITLES = {
    "playground": "Playground",
    "puzzles/index": "Puzzles in the browser",
    "check": "Check your own layer",
}
"""The pages that the sidebar names."""


def collect(app: Sphinx) -> Iterator[Page]:
    """Yield the pages: name, context and template."""
    if not app.config.live_runtime:
        return
    found = {chapter: app.env.titles.get(f"docs/{chapter}") for chapter in COURSE}
    titles = {chapter: title.astext() if title else chapter for chapter, title in found.items()}
    yield (
        "puzzles/index",
        {"title": TITLES["puzzles/index"], "chapters": _by_chapter(titles)},
        "puzzles.html",
    )
    for puzzle in PUZZLES:
        yield _page_of(puzzle), _context(puzzle, titles), "puzzle.html"

    yield "check", {"title": TITLES["check"], "kinds": kinds()}, "check.html"
    code = playground.code_of(playground.SETTINGS)
    yield "playground", {"title": TITLES["playground"], "code": code}, "playground.html"


# Check your own layer
# --------------------

KINDS = {
    "layer": (
        "A layer",
        "A class with <code>params</code>, <code>forward(x) -> y, cache</code> and "
        "<code>backward(dy, cache) -> dx, grads</code>.",
    ),
    "pair": (
        "A pair of functions",
        "<code>fwd(…) -> y, cache</code> for any number of arrays, and "
        "<code>bwd(dy, cache)</code>, which returns a gradient for each of them.",
    ),
}


def kinds() -> list[dict[str, Any]]:
    """Return the two kinds of code that can be checked, each with its examples."""
    return [
        {"name": name, "title": title, "text": text, "examples": list(examples(name))}
        for name, (title, text) in KINDS.items()
    ]


def examples(kind: str) -> Iterator[dict[str, str]]:
    """Yield the examples of a kind: the docstring is the title, the rest is the code."""
    for path in sorted(FOLDER.glob(f"layers_to_check/{kind}_*.py")):
        title, _, code = path.read_text(encoding="utf-8").partition("\n")
        yield {"name": path.stem, "title": title.strip('"'), "code": code.strip()}


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
    around = [
        PUZZLES[n] if 0 <= n < len(PUZZLES) else None for n in (puzzle.number - 2, puzzle.number)
    ]
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


# Change convolution itself
# -------------------------

KERNELS = """<section id="change-it"><h2>Change it</h2>
<p>These are the plain kernels. Edit them, then train the network of the tutorial with them or
check their gradients. The page writes <code>conv1d.py</code> with your kernels, removes the line
that selects the fast ones, and imports the package again. Every block of this page then runs on
them, until Reset.</p>
<div class="live" data-live="{number}" data-kernels data-within="#kernels"
data-verb="Train with this" data-open data-state="idle">
<div class="highlight"><pre>{code}</pre></div></div></section>
"""

# Around the pages
# ----------------


def add_links(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Load the scripts of these pages, and name them in the sidebar and on related pages."""
    if not app.config.live_runtime:
        return
    context["parts"] = context["parts"] | {
        "In the browser": {"": [(name, "", title) for name, title in TITLES.items()]}
    }
    if page in TITLES or page.startswith("puzzles/"):
        context["open_part"] = "In the browser"
    if template in ("playground.html", "front.html"):
        context["playground"] = _start()
        app.add_css_file("living/living.css")
        app.add_js_file("living/figure.js", loading_method="defer", priority=600)
    if scripts := SCRIPTS_OF.get(template):
        use(app, scripts)
    if page == "numpycnn/layers/conv1d":
        number = 1 + context["body"].count('data-live="')
        context["body"] += KERNELS.format(number=number, code=html.escape(kernels.plain()))
        use(app, [*SCRIPTS, "kernels"])
    if page.startswith("docs/") and document:  # not one that has moved
        context["body"] = _to_puzzles(context["body"], context["pathto"])
    if page == "docs/reference/puzzles":
        address = context["pathto"]("puzzles/index")
        context["body"] = context["body"].replace(
            "</h1>",
            f'</h1>\n<p><a href="{address}">Solve them in the page</a>: nothing to install.</p>',
            1,
        )


TO_PUZZLES = re.compile(
    r'href="[^"]*reference/puzzles\.html"(>(?:<[^>]*>)?puzzles? (\d+)[^:]*</a>): '
)


def _to_puzzles(body: str, pathto: Callable[[str], str]) -> str:
    """Let the last exercise of a chapter lead to the page of its first puzzle.

    >>> _to_puzzles('<a href="reference/puzzles.html">puzzle 1</a>: <code>', "{}.html".format)
    '<a href="puzzles/shape_of_a_batch.html">puzzle 1</a> in the page, or in a terminal: <code>'
    """

    def linked(found: re.Match[str]) -> str:
        page = pathto(_page_of(PUZZLES[int(found[2]) - 1]))
        return f'href="{page}"{found[1]} in the page, or in a terminal: '

    return TO_PUZZLES.sub(linked, body)


@cache
def _start() -> str:
    return json.dumps(playground.start(), separators=(",", ":"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-collect-pages", collect)
    app.connect("html-page-context", add_links, priority=450)  # after the parts of the sidebar
    return {"parallel_read_safe": True, "parallel_write_safe": True}
