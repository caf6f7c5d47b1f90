"""The map: one trace on its way through the network, with all that becomes of it.

It opens the tutorial and the README. Small, at the head of a chapter, it shows which part of
the network the chapter is about. What is drawn are the numbers of a real trace in the trained
network of the first example. This is also the Sphinx extension that puts it there.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from docutils import nodes
from sphinx.application import Sphinx

from docs import living
from docs.living.drag_the_arrival import trace, trained
from numpycnn._types import Array
from numpycnn.inspection.explain import activations, probabilities

WIDTH, HEIGHT = 640, 190
MIDDLE = 92
CLASSES = "Quiet", "Positive", "Negative"
STAGES = {  # what stands where, and how many numbers it is
    "trace": (4, 112, "64 x 1"),
    "maps": (150, 112, "64 x 8"),
    "pooled": (300, 62, "32 x 8"),
    "row": (388, 12, "256"),
    "hidden": (432, 12, "16"),
    "scores": (478, 12, "3"),
    "chances": (524, 112, "probabilities"),
}

# Which part a chapter is about, by the name of its file.
CHAPTERS = {
    "2-convolution": ("from the trace to the maps", ["trace", "maps"]),
    "3-relu-and-pooling": ("maps, and what pooling leaves of them", ["maps", "pooled"]),
    "4-softmax-and-cross-entropy": ("scores and probabilities", ["scores", "chances"]),
    "5-backpropagation": ("all of it, from the right to the left", list(STAGES)),
    "1-transpose": ("all of it, from the right to the left", list(STAGES)),
    "6-gradient-descent-and-adam": ("the weights between the stages", ["maps", "hidden", "scores"]),
    "7-training": ("all of it, many times", list(STAGES)),
    "1-data-leaks": ("what the answer rests on", ["trace", "maps", "chances"]),
    "1-fast-convolution": ("the convolution, once more", ["trace", "maps"]),
}


@cache
def _numbers() -> dict[str, Array]:
    """Return what each stage holds for a trace with a positive arrival, scaled to at most 1."""
    model, x = trained("flatten"), trace(32, 1)
    _, relu, pool, row, _, hidden, scores = (one.output for one in activations(model, x))
    chances = probabilities(model, x)
    arrays = dict(zip(STAGES, (x, relu, pool, row, hidden, scores, chances), strict=True))
    return {name: array[0] / np.abs(array).max() for name, array in arrays.items()}


def draw(lit: tuple[str, ...] = ()) -> str:
    """Return the map as SVG, with the stages in `lit` on a ground of their own."""
    numbers, parts = _numbers(), []
    for name, (left, width, size) in STAGES.items():
        if name in lit:
            parts.append(
                f'<rect class="lit" x="{left - 4}" y="24" width="{width + 8}" height="136" rx="5"/>'
            )
        parts.append(_label(left + width / 2, 180, size))
    left, width, _ = STAGES["trace"]
    parts.append(f'<path class="curve" d="{_line(numbers["trace"][:, 0], left, width, 60)}"/>')
    for name in "maps", "pooled":
        left, width, _ = STAGES[name]
        for at, row in enumerate(numbers[name].T):
            ground = 44 + at * 15
            d = _line(row, left, width, 15, ground) + f"V{ground}H{left}Z"
            parts.append(f'<path class="filled" d="{d}"/>')
    for name, high in ("row", 0.5), ("hidden", 8), ("scores", 24):
        left, width, _ = STAGES[name]
        values = numbers[name].ravel()
        top = MIDDLE - len(values) * high / 2
        for at, value in enumerate(values):
            y, share = top + at * high, max(0.06, abs(value))
            kind = "filled" if value >= 0 else "other"
            parts.append(
                f'<rect class="{kind}" x="{left}" y="{y:.1f}" width="{width}" '
                f'height="{high * 0.86:.2f}" opacity="{share:.2f}"/>'
            )
    left, width, _ = STAGES["chances"]
    for at, (name, share) in enumerate(zip(CLASSES, numbers["chances"], strict=True)):
        y = 50 + at * 40
        parts.append(f'<text class="small" x="{left}" y="{y}">{name}</text>')
        parts.append(f'<rect class="rule" x="{left}" y="{y + 5}" width="{width}" height="10"/>')
        parts.append(
            f'<rect class="filled" x="{left}" y="{y + 5}" width="{share * width:.1f}" height="10"/>'
        )
    ends = [(left, left + width) for left, width, _ in STAGES.values()]
    for (_, before), (after, _) in pairwise(ends):
        parts.append(f'<path class="curve" d="M{before + 8} {MIDDLE}H{after - 8}m-5 -4l5 4l-5 4"/>')
    for x, text in (131, "Conv1D, ReLU"), (281, "MaxPool1D"), (375, "Flatten"), (455, "Dense"):
        parts.append(_label(x, 14, text))
    parts.append(_label(560, 14, "Softmax"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="living" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img">{"".join(parts)}</svg>'
    )


def _label(x: float, y: float, text: str) -> str:
    return f'<text class="faint small middle" x="{x:.0f}" y="{y}">{text}</text>'


def _line(values: Array, left: float, width: float, high: float, ground: float = MIDDLE) -> str:
    step = width / (len(values) - 1)
    points = (f"{left + at * step:.1f} {ground - v * high:.1f}" for at, v in enumerate(values))
    return "M" + "L".join(points)


def add_map(app: Sphinx, document: nodes.document) -> None:
    """Put the small map below the title of a chapter."""
    name = PurePosixPath(app.env.docname).name
    title = next(document.findall(nodes.title), None)
    if name in CHAPTERS and title:
        about = f"The network, from the trace to the answer. This chapter: {CHAPTERS[name][0]}."
        tag = (
            f'<img class="map" src="../../_static/map-{name}.svg" alt="{about}" '
            'width="360" height="107">'
        )
        title.parent.insert(1, nodes.raw("", tag, format="html"))


def write_maps(app: Sphinx, error: Exception | None) -> None:
    """Write the small maps beside the pages."""
    if not error and app.builder.format == "html":
        for name in CHAPTERS.keys() & {PurePosixPath(page).name for page in app.env.found_docs}:
            svg = living.standing(draw(tuple(CHAPTERS[name][1])))
            Path(app.outdir, "_static", f"map-{name}.svg").write_text(svg, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", add_map)
    app.connect("build-finished", write_maps)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
