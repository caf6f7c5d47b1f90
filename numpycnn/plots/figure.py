"""Figure: what every picture here has in common.

Each function of `numpycnn.plots` returns a matplotlib `Figure`, which belongs to the
caller alone: nothing is drawn on a screen and no list of open figures is kept. Save
it with `figure.savefig("traces.png")`, change it before that, or open it in a window
with `show`.

The colors are those of M. Okabe and K. Ito, chosen to be told apart by color-blind
readers too; where two curves share a panel their line styles differ as well, for
print in black and white. Sizes are in pixels, and the letters are large enough to be
read on a telephone, where a figure is shown at half its width.

This package is the only part that needs matplotlib, and `import numpycnn` leaves it out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as error:
    raise ImportError(
        "numpycnn.plots needs matplotlib, which is not installed; install it from the folder "
        "that holds numpycnn's setup.cfg: python -m pip install -e '.[plots]'"
    ) from error

DPI = 100  # so a hundredth of an inch is a pixel, and sizes can be given in pixels
WIDTH = 640  # pixels
FONT = 12  # points, which is 17 pixels
GRID = ("black", 0.12)  # a light gray on white; what turns black to white leaves it one

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, GRAY = "#56B4E9", "#E69F00", "0.45"
STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "solid"},
    {"color": ORANGE, "linestyle": "dashed"},
    {"color": GREEN, "linestyle": "dashdot"},
    {"color": PURPLE, "linestyle": "dotted"},
    {"color": GRAY, "linestyle": (0, (1, 3))},
)
"""How the first, second, … curve of a panel is drawn."""

SIGNED = "RdBu_r"
"""The color map of what may be negative: blue below zero, white at it, red above."""

# What matplotlib falls back on without a screen, and its like: they only write files.
WINDOWLESS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def blank_figure(width: int, height: int) -> Figure:
    """Return an empty figure of this size in pixels, which makes room for its labels itself."""
    margins = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout=margins)


def stacked_panels(n_panels: int, width: int, height: int, **options: Any) -> tuple[Figure, Array]:
    """Return a figure of this size in pixels, and its panels, which share the horizontal axis.

    `options` go to `Figure.subplots`: `height_ratios=[2, 1, 1]`, say.
    """
    figure = blank_figure(width, height)
    panels = figure.subplots(n_panels, 1, sharex=True, squeeze=False, **options)[:, 0]
    for panel in panels:
        dress(panel)
    whole_numbers_below(panels[-1])
    figure.align_ylabels()
    return figure, panels


def dress(panel: Axes) -> None:
    """Give a panel the letters, the grid and the open frame that all of them have."""
    panel.grid(color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=FONT)
    for text in (panel.title, panel.xaxis.label, panel.yaxis.label):
        text.set_fontsize(FONT)


def whole_numbers_below(panel: Axes) -> None:
    """Put ticks on whole numbers only: there is no sample or epoch 2.5.

    And where there is but one, one tick will do.
    """
    whole = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    panel.xaxis.set_major_locator(whole)


def legend_above(panel: Axes, ncols: int = 3) -> None:
    """Say above a panel which curve is which; within it the words would be in their way."""
    panel.legend(frameon=False, fontsize=FONT, loc="lower left", bbox_to_anchor=(0, 1), ncols=ncols)


def draw_band(panel: Axes, at: Array, rows: Array, label: str, style: dict[str, Any]) -> None:
    """Draw the mean of rows (n_rows, M) as a line, and a band from the smallest to the largest."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    panel.fill_between(at, low, high, color=style["color"], alpha=0.25, linewidth=0)
    panel.plot(at, rows.mean(axis=0), label=label, linewidth=2, **style)


def samples_of(length: int) -> Array:
    """The numbers of the samples, counted from 1."""
    return np.arange(1, length + 1)


def show(*figures: Figure) -> None:
    """Open a window for each figure, and return when all of them have been closed.

    Raises `RuntimeError` where no window can be opened: there is no screen, or
    nothing to draw windows with, such as tkinter.
    """
    from matplotlib import pyplot  # here, because it is the part that asks for a screen

    backend = pyplot.get_backend()
    if backend.lower() in WINDOWLESS:
        raise RuntimeError(
            "show expected a screen and a toolkit that draws windows on it, tkinter or Qt say; "
            f"matplotlib found none and fell back on {backend!r}. Save the figures instead: "
            "figure.savefig('figure.png'), or --output DIR in the examples"
        )
    for figure in figures:
        # pyplot wants to make the figure that goes into its window: it is given ours.
        pyplot.figure(FigureClass=lambda *_, ours=figure, **__: ours)  # type: ignore[arg-type]
    pyplot.show()
