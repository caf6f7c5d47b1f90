"""About the puzzles: what README.md and the chapters say of them, written from the course itself.

    python -m docs.builder.about_puzzles

draws `docs/images/puzzles.svg`, ends the exercises of each chapter with the numbers of its puzzles,
and lists all of them in `docs/reference/puzzles.md`. Run it after adding a puzzle; tests compare
these with the course.
"""

from __future__ import annotations

import contextlib
import html
import io
import os
import re
import tempfile
import unittest.mock
from collections.abc import Iterator
from pathlib import Path

from numpycnn.puzzles import main
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.puzzle import PUZZLES, find

DOCS = Path(__file__).parents[1]
PICTURE = DOCS / "images" / "puzzles.svg"

# The picture
# -----------

STYLES = {"1": "font-weight:bold", "31": "fill:#ff8a80", "32": "fill:#9ccc65", "90": "fill:#9aa5ae"}
COLUMN, ROW, MARGIN = 8.43, 19, 18  # of a letter of 14 pixels


class Screen(io.StringIO):
    """Output that takes itself for a terminal."""

    def isatty(self) -> bool:
        """Return True, so that colors are printed."""
        return True


def session(name: str, answer: str) -> str:
    """Return what a reader sees for this answer, when all puzzles before are done."""
    puzzle = find(name)
    environment = {**os.environ, "COLUMNS": "101", "TERM": "xterm"}
    with (
        elsewhere(),
        contextlib.redirect_stdout(Screen()) as screen,
        unittest.mock.patch.dict(os.environ, environment),
    ):
        folder = Folder(Path("puzzles"))
        folder.fill()
        folder.save(now=puzzle, correct={done.name for done in PUZZLES[: puzzle.number - 1]})
        folder.file(puzzle).write_text(puzzle.answered(answer), encoding="utf-8")
        main(["--once"])
    text = screen.getvalue().rpartition("\x1b[2J\x1b[H")[2]
    return re.sub(r"\x1b\]8;;[^\x1b]*\x1b\\", "", text)


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Work in an empty folder for a while."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        try:
            yield
        finally:
            os.chdir(before)


def draw(text: str, alt: str) -> str:
    """Draw the text of a terminal, with its colors, as an SVG."""
    lines = text.strip("\n").split("\n")
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    width = round(max(map(len, plain)) * COLUMN + 2 * MARGIN)
    height = len(lines) * ROW + 2 * MARGIN
    rows = []
    for number, line in enumerate(lines):
        spans, style = [], ""
        for code, piece in re.findall(r"(?:\x1b\[(\d+)m)?([^\x1b]*)", line):
            style = STYLES.get(code, "") if code else style
            if piece:
                look = f' style="{style}"' if style else ""
                spans.append(f"<tspan{look}>{html.escape(piece)}</tspan>")
        y = MARGIN + (number + 0.75) * ROW
        rows.append(f'<text x="{MARGIN}" y="{y:g}">{"".join(spans)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{html.escape(alt)}</title>\n"
        "<style>text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; "
        "fill: #eceff1; white-space: pre; }</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#20272b"/>\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def picture() -> str:
    """The picture for the README: a backward pass with `=` for `+=`."""
    answer = "dx[:, window] = dy[:, m : m + 1] / self.pool_size"
    return draw(
        session("average_pool", answer),
        "An incorrect answer to a puzzle, the mistake, and a case that fails",
    )


# The chapters and the list
# -------------------------


def last_line(chapter: str) -> str:
    """Return the last line of the exercises of a chapter."""
    numbers = [puzzle.number for puzzle in PUZZLES if puzzle.chapter == chapter]
    first, last = numbers[0], numbers[-1]
    words = {1: f"puzzle {first}", 2: f"puzzles {first} and {last}"}
    which = words.get(len(numbers), f"puzzles {first} to {last}")
    return f"Now do [{which}](../reference/puzzles.md): `python -m numpycnn.puzzles {first}`."


def write() -> None:
    """Update the picture, the chapters and the list."""
    PICTURE.write_text(picture(), encoding="utf-8")
    for chapter in COURSE:
        path = DOCS / f"{chapter}.md"
        text, heading, after = re.split(
            r"(\n## (?:Further reading|Where to read on)\n)", path.read_text(encoding="utf-8")
        )
        text = re.sub(r"\n\nNow do \[puzzles? [^\n]*$", "", text.rstrip())
        path.write_text(f"{text}\n\n{last_line(chapter)}\n{heading}{after}", encoding="utf-8")
    page = DOCS / "reference" / "puzzles.md"
    before, _, after = page.read_text(encoding="utf-8").partition("\n| # | puzzle |")
    rest = after.partition("\n\n")[2]
    page.write_text(f"{before}\n{table()}\n\n{rest}", encoding="utf-8")


def table() -> str:
    """All puzzles, and the sections that explain them."""
    rows = ["| # | puzzle | explained in |", "| --: | --- | --- |"]
    for puzzle in PUZZLES:
        text = (DOCS / f"{puzzle.chapter}.md").read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        where = f"{title}: [{puzzle.section}](../{puzzle.anchor})"
        rows.append(f"| {puzzle.number} | {puzzle.title} | {where} |")
    return "\n".join(rows)


if __name__ == "__main__":
    write()
