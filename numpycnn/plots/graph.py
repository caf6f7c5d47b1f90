"""Graph: a calculation as a graph, with the values and the gradients.

Each value of a calculation is a box with an arrow from each of its inputs. The box contains the
operation, the value in blue, and the gradient of the loss with respect to the value in orange. The
caller computes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from numpycnn.plots.figure import BLUE, FONT, GRAY, ORANGE, WIDTH, own_style, pixel_figure

PITCH = 128, 116  # pixels from one box to the next, across and down
BOX = 106, 78  # pixels
MARGIN = 8  # pixels

Step = tuple[str, str, Sequence[str]]


@own_style()
def plot_graph(
    steps: Sequence[Step],
    values: Mapping[str, float],
    gradients: Mapping[str, float],
    places: Mapping[str, tuple[float, float]],
) -> Figure:
    """Draw the steps of a calculation, with the value and the gradient of each.

    Parameters
    ----------
    steps : sequence of tuple
        For each step its name, the sign of its operation, and the names of its inputs.
    values : mapping of str to float
        The value of each step and of each input that is not a step.
    gradients : mapping of str to float
        The derivative of the last step with respect to each of them.
    places : mapping of str to tuple of float
        Column (up to 4) and row of each box, counted from 0. Halves are allowed.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the mappings do not have the same names as the steps.

    Examples
    --------
    >>> figure = plot_graph(
    ...     [("y", "+", "ab")],
    ...     {"a": 1, "b": 2, "y": 3},
    ...     {"a": 1, "b": 1, "y": 1},
    ...     {"a": (0, 0), "b": (0, 1), "y": (1, 0.5)},
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts][-3:]
    ['+', 'y = 3', 'dy = 1']
    """
    names = {name for name, _, _ in steps}.union(*(sources for _, _, sources in steps))
    for what, given in ("values", values), ("gradients", gradients), ("places", places):
        if set(given) != names:
            raise ValueError(
                f"plot_graph: {what} must have the names {', '.join(sorted(names))}, "
                f"got {', '.join(sorted(given))}. They are the names in steps."
            )
    n_rows = max(row for _, row in places.values())
    height = n_rows * PITCH[1] + BOX[1] + 2 * MARGIN
    figure, panel = pixel_figure(WIDTH, round(height))
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
    """Draw a box with a sign, a value and a gradient."""
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
