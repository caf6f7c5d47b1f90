"""Pictures: save the figures of the chapters as files.

A block that draws has `alt="…"`. Below it the chapter shows the figure as a file in `docs/images`,
so that it is also visible on a code host. This module writes the files, and the lines that show
them:

    python -m docs.builder.pictures docs/1-evening/2-convolution.md
    python -m docs.builder.pictures            all chapters

The build compares each picture with the figure of its block, and fails if one is stale.

A picture has no background. In the dark theme its lightness is inverted and its hues are kept:
black becomes white, and a blue curve becomes light blue.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from docs import living
from docs.builder import network_map
from docs.builder.pieces import Fence, cut_chapter
from docs.builder.running import run_chapter, words_of

HERE = Path(__file__).parents[1]
IMAGES = HERE / "images"
SETTINGS = {
    "svg.hashsalt": "numpycnn",
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # with the same widths
}
NOTHING_ELSE = dict.fromkeys(["Date", "Creator", "Format", "Type"])
DARK = "@media (prefers-color-scheme: dark) { #figure_1 { filter: invert(1) hue-rotate(180deg) } }"

# A figure as a file
# ------------------
# Text is stored as text in a common font; as outlines it would be a third of a file. A map of many
# colored cells is stored as an image; as shapes it would be ten times as large.


def picture_of(figure: Figure) -> str:
    """Return a figure as SVG for both themes; the same figure, the same text."""
    for mesh in figure.findobj(lambda artist: isinstance(artist, QuadMesh | AxesImage)):
        mesh.set_rasterized(True)
    file = io.BytesIO()
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(file, format="svg", transparent=True, metadata=NOTHING_ELSE)
    svg = shorter(file.getvalue().decode())
    head, opening, rest = svg.partition("<defs>")
    return f"{head}<style>{DARK}{on_telephone(svg)}</style>\n{opening}{rest}"


TELEPHONE = 358  # pixels: the width of the text on a telephone
LETTERS = 11  # pixels: the smallest that can be read


def on_telephone(svg: str) -> str:
    """Return the rule by which all letters can be read on a telephone, where a picture shrinks.

    A figure with letters below 12 points has no room for larger ones, and gets no rule.

    >>> on_telephone('<svg viewBox="0 0 460.8 345.6"><style>.s1 {font: 12px sans-serif}</style>')
    ' @media (max-width: 400px) { text { font-size: 14.2px !important } }'
    """
    width, smallest = _width(svg), _smallest_letters(svg)
    if smallest < 12:
        return ""
    size = LETTERS * width / TELEPHONE
    return f" @media (max-width: 400px) {{ text {{ font-size: {size:.1f}px !important }} }}"


def least_width(svg: str) -> int:
    """Return the width in pixels below which the letters of a picture cannot be read.

    >>> least_width('<svg viewBox="0 0 460.8 345.6"><style>.s1 {font: 10px sans-serif}</style>')
    507
    """
    is_legible = "@media (max-width: 400px)" in svg
    return TELEPHONE if is_legible else round(_width(svg) * LETTERS / _smallest_letters(svg))


def _width(svg: str) -> float:
    return float(re.findall(r'viewBox="[\d.]+ [\d.]+ ([\d.]+)', svg)[0])


def _smallest_letters(svg: str) -> float:
    return min(map(float, re.findall(r"\bfont(?:-size)?: *(?:\w+ )?([\d.]+)px", svg)), default=12)


def shorter(svg: str) -> str:
    """Return an SVG of Matplotlib's in half as many letters, the same to the eye.

    Positions are rounded to a tenth of a point, each style is written once, and the blanks and
    the groups that are mere names are left out.

    >>> shorter('<style></style>\\n <path d="M 0.26 4 \\nL 2 -0.04 \\nz" style="fill: red"/>')
    '<style>.s0 {fill: red}</style>\\n<path d="M0.3 4L2 0z" class="s0"/>'
    """
    svg = re.sub(r' (?:d|x|y)="[^"]*"', lambda found: _rounded(found[0]), svg)
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    styles = list(dict.fromkeys(re.findall(r' style="([^"]*)"', svg)))
    svg = re.sub(r' style="([^"]*)"', lambda found: f' class="s{styles.index(found[1])}"', svg)
    rules = " ".join(f".s{number} {{{style}}}" for number, style in enumerate(styles))
    return _ungrouped(svg).replace("</style>", f"{rules}</style>", 1)


def _rounded(attribute: str) -> str:
    """Return ' d="M 0.123 1.96 \\nL 3 4 \\n"' as ' d="M0.1 2L3 4"'."""
    attribute = re.sub(
        r"-?\d+\.\d+(?:e-\d+)?", lambda found: f"{round(float(found[0]), 1) + 0:g}", attribute
    )
    return re.sub(r'\s*([A-Zz"])\s*', r"\1", attribute.replace("\n", " "))


def _ungrouped(svg: str) -> str:
    """Return the lines without blanks before them, and without groups that are mere names."""
    lines, kept = [], []  # and which of the groups that are open have a say
    for line in re.split(r"\n *", re.sub(r"\n *<g[^>]*/>", "", svg)):
        if line.startswith("<g"):
            wanted = not re.fullmatch(r'<g( id="(?!figure_1")[^"]*")?>', line)
            kept.append(wanted)
        else:
            wanted = line != "</g>" or kept.pop()
        if wanted:
            lines.append(line)
    return "\n".join(lines)


def name_of(chapter: Path, variable: str) -> str:
    """Return the name of the picture of a figure: "2-convolution-steps"."""
    return f"{chapter.stem}-{variable}".replace("_", "-")


def is_stale(picture: str, kept: Path) -> bool:
    """Whether a file is missing or shows something else than this picture.

    Other processors round differently: two pixels are nothing.
    """
    if not kept.exists():
        return True
    texts = picture, kept.read_text(encoding="utf-8")
    words, others = (re.findall(r"<text[^>]*>(.*?)</text>|\.s(\d+ {.*?})", text) for text in texts)
    if words != others:  # or colors, or widths of lines
        return True
    numbers, others = (_numbers(text) for text in texts)
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
    '![Three cells.](../images/02-x.svg "The three steps.")'
    >>> line_for("02-x", {"alt": "Three cells.", "fold": "Draw it"})
    '![Three cells.](../images/02-x.svg "Three cells.")'
    """
    drawn = words.get("fold", "").removeprefix("Draw ")
    says_something = "Draw " in words.get("fold", "") and drawn != "it"
    caption = drawn[:1].upper() + drawn[1:] + "." if says_something else words["alt"]
    return f'![{words["alt"]}](../images/{name}.svg "{caption}")'


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
    old = [at for at, other in enumerate(lines) if f"](../images/{name}.svg" in other]
    if old:
        lines[old[0]] = line
        return
    at = fence.line + fence.text.count("\n") + 1  # the line after the block
    if fence.shown is not None:
        at = lines.index("```", lines.index("```text", at)) + 1
    lines[at:at] = ["", line]


def main(chapters: list[Path]) -> None:
    """Bring the pictures of these chapters up to date."""
    for name, draw in network_map.PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(living.standing(draw()), encoding="utf-8")
    for chapter in chapters:
        for name in update(chapter):
            print(name)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]] or sorted(HERE.glob("*/*.md")))
