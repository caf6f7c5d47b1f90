"""About the puzzles: what README.md and the chapters say of them, written from the course itself.

    python docs/about_puzzles.py

draws `docs/images/puzzles.svg`, ends the exercises of each chapter with the numbers of its puzzles,
and lists them all in `docs/puzzles.md`. Run it when a puzzle was added; tests compare all that with
the course.
"""

import contextlib
import html
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from numpycnn.puzzles import main
from numpycnn.puzzles.course import COURSE
from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.puzzle import PUZZLES, find

DOCS = Path(__file__).parent
PICTURE = DOCS / "images" / "puzzles.svg"

# The picture
# -----------

STYLES = {"1": "font-weight:bold", "31": "fill:#ff8a80", "32": "fill:#9ccc65", "90": "fill:#9aa5ae"}
COLUMN, ROW, MARGIN = 8.43, 19, 18  # of a letter of 14 pixels


class Screen(io.StringIO):
    """What is printed, by someone who takes it for a terminal."""

    def isatty(self) -> bool:
        """Yes, and colours are welcome."""
        return True


def session(name: str, answer: str) -> str:
    """What a reader sees with this answer to this puzzle, when all before it are done."""
    puzzle = find(name)
    with elsewhere(), contextlib.redirect_stdout(Screen()) as screen:
        folder = Folder(Path("puzzles"))
        folder.now = puzzle
        folder.right = {done.name for done in PUZZLES[: puzzle.number - 1]}
        folder.fill()
        folder.file(puzzle).write_text(puzzle.answered(answer), encoding="utf-8")
        main(["--once"])
    return screen.getvalue()


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """In an empty folder, for a while."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        try:
            yield
        finally:
            os.chdir(before)


def draw(text: str, alt: str) -> str:
    """The text of a terminal, with its colours, as an SVG."""
    lines = re.sub(r"\x1b\[2J\x1b\[H", "", text).strip("\n").split("\n")
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
    return draw(session("average_pool", answer), "A wrong answer to a puzzle, and its verdict")


# The chapters and the list
# -------------------------


def last_line(chapter: str) -> str:
    """How the exercises of a chapter end."""
    numbers = [puzzle.number for puzzle in PUZZLES if puzzle.chapter == chapter]
    first, last = numbers[0], numbers[-1]
    words = {1: f"puzzle {first}", 2: f"puzzles {first} and {last}"}
    which = words.get(len(numbers), f"puzzles {first} to {last}")
    return f"Now do [{which}](puzzles.md): `python -m numpycnn.puzzles {first}`."


def write() -> None:
    """Bring the picture, the chapters and the list up to date."""
    PICTURE.write_text(picture(), encoding="utf-8")
    for chapter in COURSE:
        path = DOCS / f"{chapter}.md"
        text, heading, after = path.read_text(encoding="utf-8").partition("\n## Where to read on\n")
        text = re.sub(r"\n\nNow do \[puzzles? [^\n]*$", "", text.rstrip())
        path.write_text(f"{text}\n\n{last_line(chapter)}\n{heading}{after}", encoding="utf-8")
    with elsewhere(), contextlib.redirect_stdout(io.StringIO()) as listed:
        main(["list"])
    page = DOCS / "puzzles.md"
    before, call, after = page.read_text(encoding="utf-8").partition(
        'main(["list"])\n```\n\n```text\n'
    )
    rows = "\n".join(line.rstrip() for line in listed.getvalue().rstrip().splitlines())
    end = after[after.index("```") :]
    page.write_text(f"{before}{call}{rows}\n{end}", encoding="utf-8")


if __name__ == "__main__":
    write()
