"""Circuit: a calculation as a graph, with values forwards and gradients backwards.

Each number of a calculation is a box, and an arrow leads to it from each number that it is
made of. In the box stand how it is made, what it is, in blue, and how fast the loss grows with
it, in orange. Both are handed over by the caller, who has computed them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from numpycnn.plots.figure import BLUE, DPI, FONT, GRAY, ORANGE, WIDTH

PITCH = 128, 116  # pixels from one box to the next, across and down
BOX = 106, 78  # pixels
MARGIN = 8  # pixels

Step = tuple[str, str, Sequence[str]]


def plot_circuit(
    steps: Sequence[Step],
    values: Mapping[str, float],
    gradients: Mapping[str, float],
    places: Mapping[str, tuple[float, float]],
) -> Figure:
    """Draw the steps of a calculation, what comes out of each, and the gradient of each.

    Args:
        steps: for each its name, its sign, and the names it uses.
        values: a number for each step, and for each name that is used and is no step.
        gradients: the derivative of the last step with respect to each of them.
        places: column (up to 4) and row of each, counted from 0; halves stand between.

    >>> figure = plot_circuit(
    ...     [("y", "+", "ab")],
    ...     {"a": 1, "b": 2, "y": 3},
    ...     {"a": 1, "b": 1, "y": 1},
    ...     {"a": (0, 0), "b": (0, 1), "y": (1, 0.5)},
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts][-3:]
    ['+', 'y = 3', 'dy = 1']

    Raises `ValueError` where the three do not speak of the same names.
    """
    names = {name for name, _, _ in steps}.union(*(sources for _, _, sources in steps))
    for what, given in ("values", values), ("gradients", gradients), ("places", places):
        if set(given) != names:
            raise ValueError(
                f"plot_circuit expected {what} of {', '.join(sorted(names))}, "
                f"got {', '.join(sorted(given))}"
            )
    n_rows = max(row for _, row in places.values())
    height = n_rows * PITCH[1] + BOX[1] + 2 * MARGIN
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, WIDTH), ylim=(height, 0))  # pixels from the top left corner
    panel.set_axis_off()
    middles = {name: _middle(*place) for name, place in places.items()}
    for name, _, sources in steps:
        for source in sources:
            _draw_arrow(panel, middles[source], middles[name])
    signs = {name: sign for name, sign, _ in steps}
    for name, middle in middles.items():
        sign, value, gradient = signs.get(name, ""), values[name], gradients[name]
        _draw_box(panel, middle, sign, f"{name} = {_short(value)}", f"d{name} = {_short(gradient)}")
    return figure


def _middle(column: float, row: float) -> tuple[float, float]:
    return MARGIN + BOX[0] / 2 + column * PITCH[0], MARGIN + BOX[1] / 2 + row * PITCH[1]


def _draw_arrow(panel: Axes, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow from the right edge of one box to the left edge of another."""
    half = np.array([BOX[0] / 2 + 2, 0])
    style = {"arrowstyle": "->", "color": GRAY, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    start, stop = np.array(begin) + half, np.array(end) - half
    panel.annotate("", xy=tuple(stop), xytext=tuple(start), arrowprops=style)


def _draw_box(panel: Axes, middle: tuple[float, float], sign: str, out: str, back: str) -> None:
    """Draw a box with a sign, what comes out, and what comes back."""
    (x, y), (width, height) = middle, BOX
    shape = "round,pad=0,rounding_size=8"
    corner = x - width / 2, y - height / 2
    panel.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=shape, facecolor="none", edgecolor="black")
    )
    for words, color, down in (sign, "black", -24), (out, BLUE, 1), (back, ORANGE, 25):
        panel.text(x, y + down, words, color=color, fontsize=FONT, ha="center", va="center")


def _short(number: float) -> str:
    """A number with three digits at most, a proper minus, and no minus before a zero."""
    return f"{number + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")
