"""Pictures: what the chapters draw, as files that are seen wherever the chapters are read.

A block that draws has `alt="…"`. Below it the chapter shows the drawing as a picture of
`docs/images`, so that it is there on a code host, too. This writes the pictures, and the lines
that show them:

    python docs/pictures.py docs/02-convolution.md
    python docs/pictures.py            all chapters

The site compares each picture with what its block draws, and does not build if one is stale.

A picture has no ground of its own. In a dark window its lightness is turned round and its hues
are kept: black ink becomes white, a blue curve a lighter blue.
"""

import io
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for when this is run as a script

import matplotlib
import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

import living
import network_map
from pieces import Fence, cut_chapter
from running import run_chapter, words_of

HERE = Path(__file__).parent
IMAGES = HERE / "images"
DARK = "@media (prefers-color-scheme: dark) { #figure_1 { filter: invert(1) hue-rotate(180deg) } }"

# A figure as a file
# ------------------
# Letters are drawn as outlines, because the reader may not have the font. A map of many
# coloured cells goes in as an image: as so many shapes it would be ten times as large.


def picture_of(figure: Figure) -> str:
    """Return a figure as SVG for both themes; the same figure, the same text."""
    for mesh in figure.findobj(lambda artist: isinstance(artist, QuadMesh | AxesImage)):
        mesh.set_rasterized(True)
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "numpycnn"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    head, opening, rest = file.getvalue().decode().partition("<defs>")
    return f"{head}<style>{DARK}</style>\n {opening}{rest}"


def name_of(chapter: Path, variable: str) -> str:
    """Return the name of the picture of a figure: "02-convolution-steps"."""
    return f"{chapter.stem}-{variable}".replace("_", "-")


def is_stale(picture: str, kept: Path) -> bool:
    """Whether a file is missing or shows something else than this picture.

    Other processors round differently: two pixels are nothing.
    """
    if not kept.exists():
        return True
    numbers, others = (_numbers(text) for text in (picture, kept.read_text(encoding="utf-8")))
    return len(numbers) != len(others) or bool(np.abs(numbers - others).max(initial=0) > 2)


def _numbers(svg: str) -> np.ndarray:
    """Return all positions: in paths, and of letters and markers."""
    drawn = " ".join(re.findall(r'\s(?:d|x|y|transform)="([^"]*)"', svg))
    return np.array(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", drawn), float)


# A line in a chapter
# -------------------


def line_for(name: str, words: dict[str, str]) -> str:
    """Return the line that shows a picture, with a caption.

    >>> line_for("02-x", {"alt": "Three cells.", "fold": "Draw the three steps"})
    '![Three cells.](images/02-x.svg "The three steps.")'
    >>> line_for("02-x", {"alt": "Three cells.", "fold": "Draw it"})
    '![Three cells.](images/02-x.svg "Three cells.")'
    """
    drawn = words.get("fold", "").removeprefix("Draw ")
    says_something = "Draw " in words.get("fold", "") and drawn != "it"
    caption = drawn[:1].upper() + drawn[1:] + "." if says_something else words["alt"]
    return f'![{words["alt"]}](images/{name}.svg "{caption}")'


def update(chapter: Path) -> list[str]:
    """Write the pictures of a chapter and their lines; return the names of those that changed."""
    outcomes, _ = run_chapter(chapter)
    text = chapter.read_text(encoding="utf-8")
    lines, changed, wanted = text.split("\n"), [], set()
    fences = {part.line: part for part in cut_chapter(text) if isinstance(part, Fence)}
    for line, outcome in reversed(outcomes.items()):  # from below, so that lines keep their numbers
        for variable, figure in outcome.figures.items():
            name, picture = name_of(chapter, variable), picture_of(figure)
            wanted.add(f"{name}.svg")
            if is_stale(picture, IMAGES / f"{name}.svg"):
                (IMAGES / f"{name}.svg").write_text(picture, encoding="utf-8")
                changed.append(name)
            _put_line(lines, fences[line], name, line_for(name, words_of(fences[line].info)))
    chapter.write_text("\n".join(lines), encoding="utf-8")
    for path in IMAGES.glob(f"{chapter.stem}-*.svg"):
        if path.name not in wanted:
            path.unlink()
            changed.append(path.stem)
    return changed


def _put_line(lines: list[str], fence: Fence, name: str, line: str) -> None:
    """Put the line below a block and what it prints, in place of the one that is there."""
    old = [at for at, other in enumerate(lines) if f"](images/{name}.svg" in other]
    if old:
        lines[old[0]] = line
        return
    at = fence.line + fence.text.count("\n") + 1  # the line after the block
    if fence.shown is not None:
        at = lines.index("```", lines.index("```text", at)) + 1
    lines[at:at] = ["", line]


def main(chapters: list[Path]) -> None:
    """Bring the pictures of these chapters up to date."""
    (IMAGES / "network-map.svg").write_text(living.standing(network_map.draw()), encoding="utf-8")
    for chapter in chapters:
        for name in update(chapter):
            print(name)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]] or sorted(HERE.glob("*.md")))
