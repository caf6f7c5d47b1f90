"""The network map: one trace through all layers, and the gradients of the backward pass.

The picture opens the tutorial and the README. A small version at the head of a chapter shows
which part of the network the chapter explains. The picture of the backward pass adds a second
row with the gradient of each array. All values are computed from one trace and the trained
network of the first example. This module is also the Sphinx extension that adds the small maps.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from docutils import nodes
from sphinx.application import Sphinx

from docs import living
from docs.living.drag_the_arrival import trace, trained
from numpycnn._types import Array
from numpycnn.inspection.explain import probabilities
from numpycnn.training.losses import softmax_cross_entropy

WIDTH, HEIGHT = 640, 190
BACKWARD = 158  # from the forward row down to the row of gradients
MIDDLE = 92
WITHOUT_WORDS = "@media (max-width: 500px) { svg.living text { display: none } }"  # too small there
CLASSES = "Quiet", "Positive", "Negative"
STAGES = {  # position, width and number of values of each array
    "trace": (4, 112, "64 x 1"),
    "maps": (150, 112, "64 x 8"),
    "pooled": (300, 62, "32 x 8"),
    "features": (388, 12, "256"),
    "hidden": (432, 12, "16"),
    "scores": (478, 12, "3"),
    "probabilities": (524, 112, "probabilities"),
}
LAYERS = {  # middle and width of each label
    "Conv1D, ReLU": (131, 96),
    "MaxPool1D": (281, 76),
    "Flatten": (375, 50),
    "Dense": (455, 46),
    "Softmax": (560, 58),
}


class Part(NamedTuple):
    """The part of the network that a chapter explains."""

    description: str
    lit: tuple[str, ...] = ()  # arrays and layers on a colored ground
    forward: bool = True  # arrows from left to right
    backward: bool = False  # arrows from right to left


CHAPTERS = {
    "2-convolution": Part("from the trace to the feature maps", ("trace", "maps")),
    "3-relu-and-pooling": Part("from the feature maps to the pooled maps", ("maps", "pooled")),
    "4-softmax-and-cross-entropy": Part(
        "from the features to the probabilities", ("features", "hidden", "scores", "probabilities")
    ),
    "5-backpropagation": Part(
        "the gradients, from right to left", tuple(STAGES), forward=False, backward=True
    ),
    "6-gradient-descent-and-adam": Part(
        "the layers that have parameters", ("Conv1D, ReLU", "Dense")
    ),
    "7-training": Part("forward and backward passes, repeated", (), backward=True),
    "8-checking-gradients": Part(
        "each gradient, compared with a derivative of the forward pass",
        ("Conv1D, ReLU", "MaxPool1D", "Flatten", "Dense", "Softmax"),
        backward=True,
    ),
    "1-data-leaks": Part(
        "the properties of a trace that determine the prediction", ("trace", "probabilities")
    ),
    "1-transpose": Part(
        "the gradients, from right to left", tuple(STAGES), forward=False, backward=True
    ),
    "1-fast-convolution": Part("from the trace to the feature maps", ("trace", "maps")),
}


@cache
def _passes() -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the arrays of each stage and their gradients, each scaled to at most 1."""
    model, x = trained("flatten"), trace(32, 1)
    outputs, caches = [x], []
    for layer in model.layers:
        y, kept = layer.forward(outputs[-1])
        outputs.append(y)
        caches.append(kept)
    _, dy = softmax_cross_entropy(outputs[-1], np.array([1]))
    gradients = [dy]
    for layer, kept in zip(model.layers[::-1], caches[::-1], strict=True):
        dy, _ = layer.backward(dy, kept)
        gradients.insert(0, dy)
    # The stages are the outputs of the layers that the map shows: not the convolution's and not
    # the first dense layer's, which ReLU changes before anything else reads them.
    shown = 0, 2, 3, 4, 6, 7
    names = [name for name in STAGES if name != "probabilities"]
    values = {name: outputs[at] for name, at in zip(names, shown, strict=True)}
    values["probabilities"] = probabilities(model, x)
    slopes = {name: gradients[at] for name, at in zip(names, shown, strict=True)}
    return _scaled(values), _scaled(slopes)


def _scaled(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array[0] / np.abs(array).max() for name, array in arrays.items()}


def draw(part: Part | None = None) -> str:
    """Return the map as SVG, with the arrays and layers of `part` on a colored ground."""
    part = part or Part("the whole network")
    values, _ = _passes()
    parts = []
    for name in part.lit:
        if name in STAGES:
            left, width, _ = STAGES[name]
            parts.append(_lit(left - 4, 24, width + 8, 136))
        else:
            middle, width = LAYERS[name]
            parts.append(_lit(middle - width / 2, 1, width, 20))
    for left, width, size in STAGES.values():
        parts.append(_label(left + width / 2, 180, size))
    parts += _row(values, "filled", "other")
    parts += _probabilities(values["probabilities"])
    parts += [_label(middle, 16, text) for text, (middle, _) in LAYERS.items()]
    if part.forward:
        parts += _arrows(MIDDLE - 8 * part.backward)
    if part.backward:
        parts += _arrows(MIDDLE + 8 * part.forward, backward=True)
    return _svg(HEIGHT, parts)


def draw_backward() -> str:
    """Return the map with a second row: the gradient of each array, computed right to left."""
    values, gradients = _passes()
    parts = [_label(middle, 16, text) for text, (middle, _) in LAYERS.items()]
    parts += _row(values, "filled", "filled")
    parts += _probabilities(values["probabilities"])
    parts += _arrows(MIDDLE)
    below = _row(gradients, "other", "other", high=8) + _arrows(MIDDLE, backward=True)
    left, width, _ = STAGES["probabilities"]
    text = "(p \N{MINUS SIGN} target) / N"
    below.append(
        f'<text class="small middle" x="{left + width / 2:.0f}" y="{MIDDLE + 5}">{text}</text>'
    )
    for left, width, size in list(STAGES.values())[:-1]:
        below.append(_label(left + width / 2, 180, size))
    below.append(_label(STAGES["probabilities"][0] + 56, 180, "loss"))
    parts.append(f'<g transform="translate(0 {BACKWARD})">{"".join(below)}</g>')
    return _svg(HEIGHT + BACKWARD, parts)


PICTURES = {"network-map": draw, "network-backward": draw_backward}


def _svg(height: int, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="living" viewBox="0 0 {WIDTH} {height}" '
        f'role="img"><style>{WITHOUT_WORDS}</style>{"".join(parts)}</svg>'
    )


def _row(arrays: dict[str, Array], positive: str, negative: str, high: float = 15) -> list[str]:
    """Draw the trace as a curve, maps as areas up to `high`, and vectors as columns of cells."""
    parts = []
    left, width, _ = STAGES["trace"]
    curve = _line(arrays["trace"][:, 0], left, width, 60)
    if positive == "filled":
        parts.append(f'<path class="curve" d="{curve}"/>')
    else:
        parts.append(f'<path class="{positive}" d="{curve}V{MIDDLE}H{left}Z"/>')
    for name in "maps", "pooled":
        left, width, _ = STAGES[name]
        for at, row in enumerate(arrays[name].T):
            ground = 44 + at * 15
            d = _line(row, left, width, high, ground) + f"V{ground}H{left}Z"
            parts.append(f'<path class="{positive}" d="{d}"/>')
    for name, side in ("features", 0.5), ("hidden", 8), ("scores", 24):
        left, width, _ = STAGES[name]
        values = arrays[name].ravel()
        top = MIDDLE - len(values) * side / 2
        for at, value in enumerate(values):
            y, opacity = top + at * side, max(0.06, abs(value))
            parts.append(
                f'<rect class="{positive if value >= 0 else negative}" x="{left}" y="{y:.1f}" '
                f'width="{width}" height="{side * 0.86:.2f}" opacity="{opacity:.2f}"/>'
            )
    return parts


def _probabilities(values: Array) -> list[str]:
    """Draw a bar for the probability of each class."""
    parts = []
    left, width, _ = STAGES["probabilities"]
    for at, (name, value) in enumerate(zip(CLASSES, values, strict=True)):
        y = 50 + at * 40
        parts.append(f'<text class="small" x="{left}" y="{y}">{name}</text>')
        parts.append(f'<rect class="rule" x="{left}" y="{y + 5}" width="{width}" height="10"/>')
        parts.append(
            f'<rect class="filled" x="{left}" y="{y + 5}" width="{value * width:.1f}" height="10"/>'
        )
    return parts


def _arrows(y: float, *, backward: bool = False) -> list[str]:
    """Draw an arrow between neighboring stages, at this height."""
    ends = [(left, left + width) for left, width, _ in STAGES.values()]
    style = ' style="stroke: var(--orange)"' if backward else ""
    parts = []
    for (_, before), (after, _) in pairwise(ends):
        begin, end = (after - 8, before + 8) if backward else (before + 8, after - 8)
        tip = "m5 -4l-5 4l5 4" if backward else "m-5 -4l5 4l-5 4"
        parts.append(f'<path class="curve"{style} d="M{begin} {y}H{end}{tip}"/>')
    return parts


def _lit(left: float, top: float, width: float, height: float) -> str:
    return (
        f'<rect class="lit" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="5"/>'
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
        about = f"The network. This chapter: {CHAPTERS[name].description}."
        tag = (
            f'<img class="map" src="../../_static/map-{name}.svg" alt="{about}" '
            f'width="{WIDTH}" height="{HEIGHT}">'
        )
        title.parent.insert(1, nodes.raw("", tag, format="html"))


def write_maps(app: Sphinx, error: Exception | None) -> None:
    """Write the small maps to the folder of static files."""
    if not error and app.builder.format == "html":
        for name in CHAPTERS.keys() & {PurePosixPath(page).name for page in app.env.found_docs}:
            svg = living.standing(draw(CHAPTERS[name]))
            Path(app.outdir, "_static", f"map-{name}.svg").write_text(svg, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", add_map)
    app.connect("build-finished", write_maps)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
