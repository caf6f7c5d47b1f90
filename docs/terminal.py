"""Terminal: the picture of the puzzles for README.md, drawn from what the course really prints.

    python docs/terminal.py

writes `docs/images/puzzles.svg`. A test compares the file with what is printed today.
"""

import contextlib
import html
import io
import os
import re
import tempfile
from pathlib import Path

from numpycnn.puzzles import main
from numpycnn.puzzles.folder import Folder
from numpycnn.puzzles.puzzle import PUZZLES, find

PICTURE = Path(__file__).parent / "images" / "puzzles.svg"
STYLES = {"1": "font-weight:bold", "31": "fill:#ff8a80", "32": "fill:#9ccc65", "90": "fill:#9aa5ae"}
COLUMN, ROW, MARGIN = 8.43, 19, 18  # of a letter of 14 pixels


class Screen(io.StringIO):
    """What is printed, by someone who takes it for a terminal."""

    def isatty(self) -> bool:
        """Yes, and colours are welcome."""
        return True


def session(name: str, answer: str) -> str:
    """What a reader sees with this answer to this puzzle, when all before it are done."""
    puzzle, before = find(name), Path.cwd()
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(Screen()) as screen:
        os.chdir(place)
        try:
            folder = Folder(Path("puzzles"))
            folder.now = puzzle
            folder.right = {done.name for done in PUZZLES[: puzzle.number - 1]}
            folder.fill()
            folder.file(puzzle).write_text(puzzle.answered(answer), encoding="utf-8")
            main(["--once"])
        finally:
            os.chdir(before)
    return screen.getvalue()


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


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
