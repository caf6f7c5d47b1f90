"""Source pages: a Sphinx extension that makes a page of each file.

There are two parsers. One reads Python files: `pieces` splits them, prose is parsed as Markdown
like the chapters, code is shown with its line numbers, and each piece of a script in `examples/` is
followed by its output and figures. The other reads Markdown files. For those in `docs/`, `running`
compares the output of every block with the page and inserts the figures.

Both return a list of Markdown tokens with the line numbers of the file, so that a warning about a
link or a formula names the line to fix.
"""

from __future__ import annotations

import ast
import contextlib
import html
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from matplotlib.figure import Figure
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

import numpycnn
from docs.builder.docstrings import code_of, parts, with_formulas
from docs.builder.live import wrapped
from docs.builder.names import Library, Place
from docs.builder.pictures import is_stale, least_width, name_of, picture_of
from docs.builder.pieces import Fence, Piece, cut, cut_chapter
from docs.builder.running import Fault, Outcome, run_chapter, run_script, words_of

logger = logging.getLogger(__name__)

# Figures
# -------
# A figure passes through Sphinx as SVG text and is written to a file with its page. If a chapter
# shows the figure from a file in `docs/images`, that file is used and must be the same picture.


class drawing(nodes.General, nodes.Element):  # noqa: N801  (Sphinx names its methods after it)
    """A figure: its `svg`, its `name`, its `width` and `height` in pixels, and its `alt` text."""


def drawing_of(figure: Figure, alt: str) -> drawing:
    """Return the node for a figure."""
    width, height = figure.get_size_inches() * figure.dpi
    return drawing(svg=picture_of(figure), alt=alt, width=round(width), height=round(height))


def write_drawing(translator: HTML5Translator, node: drawing) -> None:
    """Save the SVG in the folder of the images, and write the tag that shows it."""
    folder = Path(translator.builder.outdir, translator.builder.imagedir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / node["name"]).write_text(node["svg"], encoding="utf-8")
    source = f"{translator.builder.imgpath}/{node['name']}"
    size = {"width": node["width"], "height": node["height"]}
    tag = translator.emptytag(node, "img", src=source, alt=node["alt"], CLASS="drawing", **size)
    translator.body.append(tag)
    raise nodes.SkipNode


def describe(name: str, figure: Figure) -> str:
    """Say what a figure without an alt text shows, from its variable's name and its axes.

    >>> figure = Figure()
    >>> _ = figure.subplots().set(xlabel="epoch", ylabel="loss", title="Training")
    >>> describe("learning_curve", figure)
    'learning curve: Training, loss against epoch'
    """
    panels = []
    below = next((axes.get_xlabel() for axes in reversed(figure.axes) if axes.get_xlabel()), "")
    for axes in figure.axes:
        curves = axes.get_legend_handles_labels()[1]
        against = f"{axes.get_ylabel()} against {below}" if axes.get_ylabel() and below else ""
        parts = [axes.get_title(), against, f"curves {', '.join(curves)}" if curves else ""]
        panels.append(", ".join(part for part in parts if part))
    return f"{name.replace('_', ' ')}: " + "; ".join(panel for panel in panels if panel)


# From tokens to nodes
# --------------------


class PageRenderer(SphinxRenderer):
    """The renderer of MyST with folded code, outcomes, and comments to skip."""

    def render_fence(self, token: SyntaxTreeNode) -> None:
        """Render code, folded if required, then its output and figures."""
        words, outcome = token.meta.get("words", {}), token.meta.get("outcome")
        if fold := words.get("fold"):
            summary = "Code of this figure" if fold.startswith("Draw ") else html.escape(fold)
            self._html(f'<details class="fold"><summary>{summary}</summary>')
        super().render_fence(token)
        self.current_node[-1]["words"] = words
        if names := token.meta.get("names"):
            self.current_node[-1]["names"] = names
        if fold:
            self._html("</details>")
        if outcome:
            self._render_outcome(token, outcome, words.get("alt"))

    def _render_outcome(self, token: SyntaxTreeNode, outcome: Outcome, alt: str | None) -> None:
        if outcome.printed.strip():
            text = outcome.printed.strip("\n")
            shown = nodes.literal_block(text, text, language="none", classes=["output"])
            self.current_node += shown
        for name, figure in outcome.figures.items():
            node = drawing_of(figure, alt or describe(name, figure))
            self.add_line_and_source_path(node, token)
            page = self.sphinx_env.docname.replace("/", "-")
            node["name"] = f"{page}-{node.line}-{name}.svg"
            self.current_node += node

    def render_docstring(self, token: SyntaxTreeNode) -> None:
        """Render the docstring of a class or function in a box."""
        box = nodes.container(classes=["docstring"])
        self.add_line_and_source_path(box, token)
        with self.current_node_context(box, append=True):
            self.render_children(token)

    def _html(self, text: str) -> None:
        self.current_node += nodes.raw("", text, format="html")

    def render_html_block(self, token: SyntaxTreeNode) -> None:
        """Render HTML, except the claims, which are for `running`."""
        if not token.content.startswith(("<!-- says:", "<!-- source:")):
            super().render_html_block(token)


# From files to tokens
# --------------------


def _parser_of(document: nodes.document) -> MarkdownIt:
    parser = create_md_parser(document.settings.env.myst_config, PageRenderer)
    parser.options["document"] = document
    return parser


class ChapterParser(MystParser):
    """Reads Markdown files, and runs the code of those in `docs/`."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Fill the document."""
        env = document.settings.env
        parser = _parser_of(document)
        references: dict[str, Any] = {}
        tokens = parser.parse(inputstring, references)
        names = _names_by_fence(_library_of(env), inputstring)
        if env.docname.startswith("docs/"):
            path = env.doc2path(env.docname)
            outcomes, faults = run_chapter(path)
            outcomes, stale = _not_shown(Path(path), inputstring, outcomes)
            _report(env, faults + stale)
            for token in tokens:
                if token.type == "fence" and token.map:
                    token.meta["names"] = names.get(token.map[0] + 1)
                    with contextlib.suppress(ValueError):  # which is one of the faults
                        token.meta["words"] = words_of(token.info)
                    if outcome := outcomes.get(token.map[0] + 1):
                        # What is printed stands on the page already.
                        token.meta["outcome"] = outcome._replace(printed="")
            if re.match(r"docs/\d", env.docname):
                last_line = inputstring.count("\n")
                tokens += _prose(parser, references, _source_of(env, inputstring), last_line)
        parser.renderer.render(tokens, parser.options, references)


def _not_shown(
    chapter: Path, text: str, outcomes: dict[int, Outcome]
) -> tuple[dict[int, Outcome], list[Fault]]:
    """Return the outcomes without the figures that the text shows, and which of these are stale."""
    left, stale = {}, []
    for line, outcome in outcomes.items():
        names = {variable: name_of(chapter, variable) for variable in outcome.figures}
        shown = [variable for variable, name in names.items() if f"](../images/{name}.svg" in text]
        for variable in shown:
            kept = chapter.parents[1] / "images" / f"{names[variable]}.svg"
            if is_stale(picture_of(outcome.figures[variable]), kept):
                again = f"python -m docs.builder.pictures docs/{chapter.parent.name}/{chapter.name}"
                stale.append(Fault(line, f"{kept.name} is stale: {again}"))
        figures = {name: figure for name, figure in outcome.figures.items() if name not in shown}
        left[line] = outcome._replace(figures=figures)
    return left, stale


def add_captions(app: Sphinx, document: nodes.document) -> None:
    """Give each picture that has a paragraph and a title for itself a number and a caption.

    A figure that answers has its caption already, and gets a number.
    """
    number = re.match(
        r"\d+\w?", next((title.astext() for title in document.findall(nodes.title)), "")
    )
    count = 0
    for image in list(document.findall(nodes.image)):
        around = image.parent
        title = image.attributes.pop("title", "") or around.get("caption", "")
        if len(around.children) == 1 and title:
            count += 1
            place = f"{number[0]}.{count}" if number else str(count)
            caption = nodes.caption("", f"Figure {place}. {title}")
            if "caption" in around:
                around["caption"] = caption.astext()
                continue
            image["classes"].append("drawing")
            image.parent.replace_self(
                nodes.figure("", image, caption, ids=[f"figure-{place.replace('.', '-')}"])
            )


class SourceParser(MystParser):
    """Reads Python files, and runs those in `examples/` that are not excepted."""

    supported = ("python",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Fill the document."""
        env = document.settings.env
        parser = _parser_of(document)
        references: dict[str, Any] = {}
        is_script = env.docname.startswith("examples/")
        why_not_run = env.config.scripts_not_run.get(env.docname)
        if is_script and not why_not_run:
            run, faults = run_script(env.doc2path(env.docname))
            _report(env, faults)
            pieces = [(_within(piece), outcome) for piece, outcome in run]
        else:
            pieces = [(cut(inputstring), None)]

        library, bindings = _library_of(env), dict[str, str]()
        places = library.places(inputstring, bindings, library.module_of(env.docname))
        begins = set(_beginnings(inputstring))
        read = partial(_prose, parser, references)
        tokens: list[Token] = []
        for together, outcome in pieces:
            for piece in together:
                if piece.kind == "code":
                    tokens += _code(piece, places, begins)
                else:
                    known = dict(bindings)  # to which the examples of a docstring add theirs
                    tokens += _told(piece, read, partial(library.places, bindings=known))
                    tokens += read(_figures(env, piece), piece.line)
            if outcome:
                _last_block(tokens).meta["outcome"] = outcome
        below_title = f"`{env.docname}.py`" + (f" ({why_not_run})" if why_not_run else "")
        if chapters := _chapters_that_lead_to(env):
            below_title += f", explained in {chapters[0]}"
        tokens[3:3] = read(below_title, 1)  # a heading is three tokens
        if chapters[1:]:
            tokens += read(f"Also in {', '.join(chapters[1:])}.", inputstring.count("\n"))
        parser.renderer.render(tokens, parser.options, references)


# From chapters to source pages, and back
# ---------------------------------------


def _chapters_that_lead_to(env: BuildEnvironment) -> list[str]:
    """Return a Markdown link to each chapter that leads to this page.

    First is the one that explains it: the first with a link to it, or else the one that uses most
    of its names.
    """
    chapters: list[tuple[int, str]] = []
    for path in sorted(Path(env.srcdir, "docs").glob("[0-9]*/*.md")):
        text = path.read_text(encoding="utf-8")
        env.note_dependency(path)
        library = _library_of(env)
        if env.docname in _pages_of(library, text):
            title = text.partition("\n")[0].removeprefix("# ")
            places = [place for row in _names_by_fence(library, text).values() for place in row]
            uses = sum(library.address(place.dotted)[0] == env.docname for place in places)
            has_link = f"/{env.docname}.py" in text
            link = f"[{title}](/docs/{path.parent.name}/{path.name})"
            chapters.append((1000 if has_link else uses, link))
    return [link for _, link in sorted(chapters, key=lambda chapter: -chapter[0])]


def _source_of(env: BuildEnvironment, text: str) -> str:
    """Return a line of Markdown that names the source pages to which a chapter leads."""
    pages = _pages_of(_library_of(env), text)
    order = [page for part in env.config.reading_order.values() for page in part if page in pages]
    names = [PurePosixPath(page.removesuffix("/__init__")) for page in order]
    links = [
        f"[`{name.name}{'.py' if page.endswith(name.name) else ''}`](/{page}.py)"
        for page, name in zip(order, names, strict=True)
    ]
    return f"The source behind this chapter: {', '.join(links)}." if links else ""


@cache
def _pages_of(library: Library, text: str) -> set[str]:
    """Return the source pages to which a chapter has a link, or whose names its code uses."""
    used = {
        library.address(place.dotted)[0]
        for places in _names_by_fence(library, text).values()
        for place in places
    }
    links = set(re.findall(r"\]\(\.\./\.\./((?:numpycnn|examples)/[\w/]+)\.py[#)]", text))
    return used | links


# Figures of the chapters on source pages
# ---------------------------------------


def _figures(env: BuildEnvironment, piece: Piece) -> str:
    """Return in Markdown the figures that belong below the headings of this piece.

    Raises `ValueError` for one that no chapter shows.
    """
    of_page = env.config.figures_of_source.get(env.docname, {})
    headings = re.findall(r"^(.+)\n-{4,}$", piece.markdown, re.MULTILINE)
    lines = []
    for heading in [""] if piece.kind == "introduction" else headings:
        if heading in of_page:
            picture, caption = of_page[heading]
            lines.append(f'![{_alt_of(env, picture)}](/docs/images/{picture}.svg "{caption}")')
    return "\n\n".join(lines)


def _alt_of(env: BuildEnvironment, picture: str) -> str:
    """Return what a chapter says of its picture to those who cannot see it."""
    for path in sorted(Path(env.srcdir, "docs").glob("[0-9]*/*.md")):
        if found := re.search(rf"!\[(.*?)\]\(\.\./images/{picture}\.svg", path.read_text("utf-8")):
            return found[1]
    raise ValueError(f"conf.py expected a chapter to show {picture}.svg, and none does")


@cache
def _library(root: Path) -> Library:
    return Library(root)


def _library_of(env: BuildEnvironment) -> Library:
    return _library(Path(env.srcdir))


@cache
def _names_by_fence(library: Library, text: str) -> dict[int, list[Place]]:
    """Return the names in the Python of a chapter, by the line of the opening backticks."""
    bindings: dict[str, str] = {}
    return {
        part.line: library.places(part.text, bindings)
        for part in cut_chapter(text)
        if isinstance(part, Fence) and part.info.startswith("python")
    }


def _prose(parser: MarkdownIt, references: dict[str, Any], text: str, line: int) -> list[Token]:
    """Parse Markdown that begins at this line of the file."""
    tokens = parser.parse(text + "\n", references)
    for token in tokens:
        if token.map:
            token.map = [row + line - 1 for row in token.map]
    return tokens


def _told(
    piece: Piece,
    read: Callable[[str, int], list[Token]],
    places_of: Callable[[str], list[Place]],
) -> list[Token]:
    """Return prose, or a docstring with its examples."""
    text = piece.markdown
    if piece.kind == "introduction":
        text = re.sub(r"^(.*?)\.?$", r"# \1", text, count=1, flags=re.MULTILINE)
    said: list[Token] = []
    for part in parts(text):
        line = piece.line + part.row
        if part.is_example:
            names = places_of(code_of(part.text))
            behind_prompt = [name._replace(column=name.column + len(">>> ")) for name in names]
            said.append(_block(part.text, line, behind_prompt, "pycon"))
        else:
            said += with_formulas(read(part.text, line), in_sentences=piece.kind == "docstring")
    return _in_box(said) if piece.kind == "docstring" else said


def _within(piece: Piece) -> list[Piece]:
    """Cut a piece of a script, which is whole statements, at the docstrings inside them."""
    if piece.kind != "code":
        return [piece]
    return [inner._replace(line=inner.line + piece.line - 1) for inner in cut(piece.text)]


def _last_block(tokens: list[Token]) -> Token:
    """Return the block below which stands what the code printed and drew."""
    return next(token for token in reversed(tokens) if token.type == "fence")


def _code(piece: Piece, places: list[Place], begins: set[int]) -> list[Token]:
    """Return the code and the names in it, a block for each definition; nothing for blank lines."""
    blocks: list[tuple[int, list[str]]] = []
    for line, text in enumerate(piece.text.split("\n"), start=piece.line):
        if not blocks or line in begins:
            blocks.append((line, []))
        blocks[-1][1].append(text)
    tokens = []
    for line, lines in blocks:
        text = "\n".join(lines)
        if text.strip():
            first = line + len(text) - len(text.lstrip("\n"))
            last = first + text.strip("\n").count("\n")
            names = [
                place._replace(line=place.line - first + 1)
                for place in places
                if first <= place.line <= last
            ]
            tokens.append(_block(text.strip("\n"), first, names, "python"))
    return tokens


def _block(text: str, line: int, names: list[Place], language: str) -> Token:
    """Return code under its own line numbers."""
    rows = [line - 1, line + text.count("\n")]
    token = Token("fence", "code", 0, map=rows, content=text + "\n", info=language)
    token.attrs["lineno-start"] = line
    token.meta["names"] = names
    return token


def _beginnings(source: str) -> Iterator[int]:
    """Yield the first line of every definition that says something of itself, and after its end."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            yield min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield (node.end_lineno or node.lineno) + 1


def _in_box(tokens: list[Token]) -> list[Token]:
    opening = Token("docstring_open", "div", 1, map=tokens[0].map)
    return [opening, *tokens, Token("docstring_close", "div", -1)]


def _report(env: BuildEnvironment, faults: list[Fault]) -> None:
    """Make a warning of each fault, and note that the page depends on all of the package."""
    for fault in faults:
        logger.warning("%s", fault.message, location=(env.docname, fault.line))
    for folder in Path(numpycnn.__file__).parent, Path(__file__).parents[1]:
        for path in folder.rglob("*.py"):
            env.note_dependency(path)


# Names that are links
# --------------------
# Sphinx converts code to HTML with a tag around each name, but without links to definitions. This
# section goes through the HTML character by character and adds a link around each known name. In
# prose, a word of code becomes a link if it is a single name.

TAG_OR_TEXT = re.compile(r'(<span class="linenos">.*?</span>)|(<[^>]*>)|([^<]+)')


class Translator(HTML5Translator):
    """Sphinx's writer of HTML, which turns names into links."""

    def visit_image(self, node: nodes.Element) -> None:
        """Write the tag of an image; a figure is fetched when the reader comes near it.

        It takes its place before that, so that nothing moves when it comes.
        """
        file = Path(self.builder.srcdir, node["uri"])
        super().visit_image(node)
        if "drawing" in node["classes"]:
            svg = file.read_text(encoding="utf-8")
            width, height = size_of(svg)
            attributes = f'<img loading="lazy" width="{width}" height="{height}" '
            attributes += f'style="--least: {least_width(svg)}px" '
            self.body[-1] = self.body[-1].replace("<img ", attributes, 1)

    def visit_literal_block(self, node: nodes.Element) -> None:
        """Write a block of code, then put the links into it."""
        try:
            super().visit_literal_block(node)
        except nodes.SkipNode:
            if names := node.get("names"):
                self.body[-1] = with_links(self.body[-1], names, self._tag_of)
            self.body[-1] = wrapped(node, self.body[-1], bool(self.config.live_runtime))
            raise

    def _tag_of(self, place: Place) -> str:
        page, anchor = _library(Path(self.builder.srcdir)).address(place.dotted)
        here = self.builder.current_docname
        address = "" if page == here and anchor else self.builder.get_relative_uri(here, page)
        identity = f' id="{anchor}"' if place.defines else ""
        return f'<a class="name"{identity} href="{address}{"#" if anchor else ""}{anchor}">'


def size_of(svg: str) -> tuple[int, int]:
    """Return the width and height of a picture in pixels, four of which are three points.

    >>> size_of('<svg width="460.8pt" height="345.6pt">'), size_of('<svg width="64" height="3">')
    ((614, 461), (64, 3))
    """
    sizes = re.findall(r' (?:width|height)="([\d.]+)(pt)?"', svg.partition("<svg")[2])[:2]
    width, height = (round(float(size) * (4 / 3 if unit else 1)) for size, unit in sizes)
    return width, height


def with_links(markup: str, places: list[Place], tag_of: Callable[[Place], str]) -> str:
    """Return highlighted code with a tag around the names at these places.

    >>> marked = '<pre><span class="n">nn</span>.<span class="n">fit</span> &lt; <b>fit</b></pre>'
    >>> with_links(marked, [Place(1, 9, 3, "a", False)], lambda place: "<a>")
    '<pre><span class="n">nn</span>.<span class="n">fit</span> &lt; <b><a>fit</a></b></pre>'
    """
    starts = {(place.line, place.column): place for place in places}
    head, opening, code = markup.partition("<pre>")
    done, line, column, until = [head, opening], 1, 0, None
    for number, tag, text in TAG_OR_TEXT.findall(code):
        if number or tag:
            done.append(number or tag)
            continue
        for letter in re.findall(r"&[^;]+;|.|\n", text):
            if until is None and (place := starts.get((line, column))):
                done.append(tag_of(place))
                until = column + place.length
            done.append(letter)
            line, column = (line + 1, 0) if letter == "\n" else (line, column + 1)
            if column == until:
                done.append("</a>")
                until = None
    return "".join(done)


def link_words(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Make a link of each word of code in prose that is a public name of the package."""
    library = _library(Path(app.srcdir))
    caller = app.config.names_without_owner.get(docname, library.module_of(docname))
    for word in list(document.findall(nodes.literal)):
        name = re.sub(r"\(.*\)$", "", word.astext()).removeprefix("nn.").removeprefix("numpycnn.")
        around = {type(one) for one in _ancestors(word)}
        if not re.fullmatch(r"[A-Za-z][\w.]*", name) or around & {nodes.reference, nodes.title}:
            continue
        own = library.find(f"{caller}.{name}")
        target = own or library.find(f"numpycnn.{name}")
        if target and target not in library.pages:
            page, anchor = library.address(target)
            address = app.builder.get_relative_uri(docname, page) if page != docname else ""
            link = nodes.reference("", "", refuri=f"{address}#{anchor}", internal=True)
            word.replace_self(link)
            link += word


def _ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


# The reading order
# -----------------
# README.md is the first page and carries no directives, so that it reads well on a code
# host. The tables of contents are added here, on the way into its parser. A page that
# stands in none of them gets a warning from Sphinx.


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append a hidden table of contents for each part of the reading order."""
    if docname == app.config.root_doc:
        for caption, pages in app.config.reading_order.items():
            entries = "\n".join(_entry(app.env, page) for page in pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def _entry(env: BuildEnvironment, page: str) -> str:
    """Return a line of a table of contents; of the title of a source file only the head."""
    path = Path(env.doc2path(page))
    env.note_dependency(path)
    if path.suffix != ".py" or not path.exists():
        return f"/{page}"
    title = cut(path.read_text(encoding="utf-8"))[0].markdown
    head = re.split(r"(?<=[?])|[:.,]", title)[0]
    return f"{head} </{page}>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("myst_parser")
    app.add_config_value("reading_order", {}, "env")
    app.add_config_value("scripts_not_run", {}, "env")
    app.add_config_value("figures_of_source", {}, "env")
    app.add_config_value("names_without_owner", {}, "env")
    app.add_source_suffix(".py", "python")
    app.add_source_parser(SourceParser)
    app.add_source_parser(ChapterParser, override=True)
    app.add_node(drawing, html=(write_drawing, None))
    app.connect("doctree-read", add_captions, priority=600)  # after the figures that answer
    app.set_translator("html", Translator)
    app.connect("source-read", add_contents)
    app.connect("doctree-resolved", link_words)
    app.connect("builder-inited", lambda _: (_library.cache_clear(), _names_by_fence.cache_clear()))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
