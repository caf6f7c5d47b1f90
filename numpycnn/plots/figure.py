"""Figure: the parts that all plots share.

Each function of `numpycnn.plots` returns a Matplotlib `Figure`. The figure is not shown on a
screen and not kept in a list of open figures. Save it with `figure.savefig("traces.png")`,
change it before that, open it in a window with `show`, or leave it as the last line of a
notebook cell.

The colors are those of M. Okabe and K. Ito, which color-blind readers can distinguish. Curves
in one panel also differ in line style, for print in black and white. Sizes are in pixels, and
the text is large enough to be read on a telephone, where a figure has half its width.

This package is the only part that requires Matplotlib. `import numpycnn` does not load it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn._types import Array

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.textpath import text_to_path
    from matplotlib.ticker import LogFormatter, MaxNLocator
except ModuleNotFoundError as error:
    raise ImportError(
        "numpycnn.plots requires the package matplotlib, which is not installed. Install it from "
        "the folder that holds numpycnn's setup.cfg: python -m pip install -e '.[plots]'"
    ) from error
except ValueError as error:  # of the environment variable MPLBACKEND or a matplotlibrc file
    raise ImportError(f"numpycnn.plots: matplotlib cannot be loaded: {error}") from error

DPI = 100  # so a hundredth of an inch is a pixel, and sizes can be given in pixels
WIDTH = 640  # pixels
FONT = 12  # points, which is 17 pixels
GRID = ("black", 0.12)  # light gray on white; also light gray on black after inversion

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
"""The color map of values of both signs: blue below zero, white at zero, red above."""

# Backends that only write files. Matplotlib falls back on one of them without a screen.
WINDOWLESS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")

# One style
# ---------
# A user's style may be `dark_background`, with white text, or `ggplot`, with a gray panel. Black
# curves would disappear in the first one. So every figure has a white background, and takes
# no color, width or margin from the user's style. The fonts are the user's, as class names
# may need them.
#
# Matplotlib reads its settings at two times: when an artist is made, and again when a figure is
# drawn, for ticks. `own_style` therefore covers each plot function, and `StyledFigure` the drawing.
#
# Without `text.parse_math` a dollar sign in a name is a dollar sign.

FAMILIES = (
    *("axes.", "figure.", "grid.", "hatch.", "image.", "legend.", "lines.", "markers.", "patch."),
    *("path.", "text.", "xaxis.", "xtick.", "yaxis.", "ytick."),
)
STYLE: Any = {
    name: value for name, value in matplotlib.rcParamsDefault.items() if name.startswith(FAMILIES)
}
STYLE |= {"text.parse_math": False, "savefig.facecolor": "auto", "savefig.edgecolor": "auto"}


@contextmanager
def own_style() -> Iterator[None]:
    """Use Matplotlib's default colors, in a `with` statement or as a decorator."""
    with matplotlib.rc_context(STYLE):
        yield


class StyledFigure(Figure):
    """A figure that looks the same under every Matplotlib style and shows itself in a notebook.

    Parameters
    ----------
    *args, **options
        As for `matplotlib.figure.Figure`.
    """

    def draw(self, renderer: Any) -> None:
        """Draw the figure with its own style."""
        with own_style():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save the figure as `matplotlib.figure.Figure.savefig` does, on its own background."""
        with own_style():
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        """Return the picture that a notebook shows below a cell."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def blank_figure(width: int, height: int) -> StyledFigure:
    """Return an empty figure of this size in pixels, with a layout that makes room for labels."""
    margins = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    return StyledFigure(figsize=(width / DPI, height / DPI), dpi=DPI, layout=margins)


def pixel_figure(width: int, height: int) -> tuple[StyledFigure, Axes]:
    """Return a figure without axes, and its panel, measured in pixels from the top left corner."""
    figure = StyledFigure(figsize=(width / DPI, height / DPI), dpi=DPI)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, width), ylim=(height, 0))
    panel.set_axis_off()
    return figure, panel


def stacked_panels(
    n_panels: int, width: int, height: int, sharex: bool = True, **options: Any
) -> tuple[StyledFigure, Array]:
    """Return a figure with panels one below another.

    Parameters
    ----------
    n_panels : int
        Number of panels.
    width, height : int
        Size of the figure in pixels.
    sharex : bool
        Whether the panels share the horizontal axis, so that they zoom together, and their
        labels are aligned. The time for both grows with the square of `n_panels`.
    **options
        Passed to `Figure.subplots`: `height_ratios=[2, 1, 1]` for example.

    Returns
    -------
    figure : StyledFigure
    panels : ndarray of Axes, shape (n_panels,)
    """
    figure = blank_figure(width, height)
    panels = figure.subplots(n_panels, 1, sharex=sharex, squeeze=False, **options)[:, 0]
    for panel in panels:
        dress(panel)
        panel.tick_params(labelbottom=panel is panels[-1])
        whole_numbers_below(panel)
    if sharex:
        figure.align_ylabels()
    return figure, panels


def dress(panel: Axes) -> None:
    """Set the font size, the grid and the open frame that all panels have."""
    panel.grid(color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=FONT)
    for text in (panel.title, panel.xaxis.label, panel.yaxis.label):
        text.set_fontsize(FONT)


def whole_numbers_below(panel: Axes) -> None:
    """Put the ticks of the horizontal axis on integers only, if necessary on a single one."""
    whole = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    panel.xaxis.set_major_locator(whole)


# Names
# -----
# Names come from a user's data. They may be numbers, begin with an underscore, which hides a curve
# from Matplotlib's legends, or be longer than the figure is wide.


def fit_name(name: object, width: float, lines: int = 1) -> str:
    r"""Return a name in at most `lines` lines of at most `width` pixels.

    Parameters
    ----------
    name : object
        Usually a `str`; anything else is converted.
    width : float
        Pixels for a line, at the font size of the figures.
    lines : int
        Lines that are available. A longer name is cut, and ends with "…".

    Returns
    -------
    str

    Examples
    --------
    >>> fit_name("Positive arrival", 100, lines=2)
    'Positive\narrival'
    >>> fit_name("Positive arrival", 100)
    'Positive…'
    >>> fit_name(7, 100)
    '7'
    """
    words, rows = str(name).split(), [""]
    while words:
        longer = f"{rows[-1]} {words[0]}".lstrip()
        if width_of(longer) <= width:
            rows[-1] = longer
            del words[0]
        elif len(rows) == lines:
            return "\n".join([*rows[:-1], _cut(longer, width - width_of("…")) + "…"])
        elif rows[-1]:
            rows.append("")
        else:  # a word that is longer than a line
            rows[-1] = _cut(longer, width) or longer[0]
            words[0] = longer[len(rows[-1]) :]
            rows.append("")
    return "\n".join(rows)


def _cut(text: str, width: float) -> str:
    """Return the beginning of a text that is at most this wide, without a part of a second word."""
    n = next((n for n in range(1, len(text)) if width_of(text[:n]) > width), len(text)) - 1
    whole_words = text[: n + 1].rpartition(" ")[0]
    return whole_words or text[: max(n, 0)]


def width_of(text: str) -> float:
    """Return the width in pixels of a line of text at the font size of the figures."""
    font = FontProperties(size=FONT)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) * DPI / 72


LEGEND_SIGN = 80  # pixels of a legend's column that are not its name
MARGIN = 110  # pixels left and right of a panel, with the labels of its vertical axis


def legend_above(panel: Axes, ncols: int = 3) -> None:
    """Put a legend with all names above a panel, where it hides no curve.

    Parameters
    ----------
    panel : Axes
        A panel whose artists have names, by the argument `label`.
    ncols : int
        Columns, at most. Long names get fewer.
    """
    artists = [one for one in panel.get_children() if isinstance(one, Line2D | Patch | Collection)]
    named = {one: str(one.get_label()) for one in artists if _has_name(one)}
    room = panel.figure.bbox.width - MARGIN
    names = [fit_name(name, room - LEGEND_SIGN, lines=2) for name in named.values()]
    widths = [max(map(width_of, name.split("\n"))) + LEGEND_SIGN for name in names]
    while ncols > 1 and sum(max(c, default=0) for c in np.array_split(widths, ncols)) > room:
        ncols -= 1
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": ncols}
    panel.legend(list(named), names, frameon=False, fontsize=FONT, **place)


def _has_name(artist: Any) -> bool:
    """Return False for an artist with the label that Matplotlib gives to those without one."""
    return not re.fullmatch(r"|_child\d+|_nolegend_", str(artist.get_label()))


# Curves
# ------
# A line from one point to the next shows nothing where there is one point, or where both
# neighbors of a point are NaN. Such a point is drawn as a dot.


def draw_curve(panel: Axes, at: ArrayLike, values: ArrayLike, **style: Any) -> Line2D:
    """Draw a curve with a gap where a value is NaN or infinite, and a dot for a single value.

    Parameters
    ----------
    panel : Axes
        Where to draw.
    at, values : array_like, shape (M,)
        Horizontal and vertical positions.
    **style
        Passed to `Axes.plot`.

    Returns
    -------
    Line2D
    """
    seen = np.asarray(values, dtype=float)
    seen = np.where(np.isfinite(seen), seen, np.nan)
    (line,) = panel.plot(at, seen, **style)
    alone = single_points(seen)
    if alone.size and line.get_marker() in ("", "None", None):
        line.set(marker="o", markevery=alone.tolist())
    return line


def single_points(values: Array) -> Array:
    """Return the indices of the finite values without a finite neighbor.

    >>> single_points(np.array([1.0, np.nan, 2.0, 3.0, np.nan, 4.0]))
    array([0, 5])
    """
    finite = np.concatenate([[False], np.isfinite(values), [False]])
    return np.flatnonzero(finite[1:-1] & ~finite[:-2] & ~finite[2:])


def draw_band(panel: Axes, at: Array, rows: Array, label: str, style: dict[str, Any]) -> None:
    """Draw the mean of several curves as a line, and a band from the smallest to the largest.

    Parameters
    ----------
    panel : Axes
        Where to draw.
    at : ndarray, shape (M,)
        Horizontal positions.
    rows : ndarray, shape (n_rows, M)
        The curves. Where one is NaN or infinite, mean and band have a gap.
    label : str
        Name for the legend.
    style : dict
        Color and line style, one of `STYLES`.
    """
    rows = np.where(np.isfinite(rows).all(axis=0), rows, np.nan)
    low, high = rows.min(axis=0), rows.max(axis=0)
    pale: dict[str, Any] = {"color": style["color"], "alpha": 0.25}
    panel.fill_between(at, low, high, linewidth=0, **pale)
    if (alone := single_points(low)).size:
        panel.vlines(at[alone], low[alone], high[alone], linewidth=6, **pale)
    draw_curve(panel, at, rows.mean(axis=0), label=label, linewidth=2, **style)


def note_if_empty(panel: Axes) -> None:
    """Write into a panel that none of its curves has a finite value, if this is so."""
    curves = [np.asarray(line.get_ydata(), dtype=float) for line in panel.lines]
    if not any(np.isfinite(curve).any() for curve in curves):
        middle: dict[str, Any] = {"transform": panel.transAxes, "ha": "center", "va": "center"}
        panel.text(0.5, 0.5, "no finite values", fontsize=FONT, **middle)


def largest(values: Array) -> float:
    """Return the largest finite absolute value, or 1 if there is none above 0.

    >>> largest(np.array([0.5, -2.0, np.inf, np.nan])), largest(np.zeros(3))
    (2.0, 1.0)
    """
    values = np.abs(values)
    return float(values.max(where=np.isfinite(values), initial=0)) or 1.0


def trace_limit(x: Array) -> float:
    """Return the upper end of the vertical axis for traces: 1.05, or more for larger traces.

    Traces that are all below 0.01, in meters for example, would look like a line at 0. They
    fill the axis.

    >>> trace_limit(np.array([0.3])), trace_limit(np.array([-2.0])), trace_limit(np.array([1e-7]))
    (1.05, 2.1, 1.05e-07)
    """
    top = largest(x)
    return 1.05 * (max(1.0, top) if top > 0.01 else top)


class PlainLogFormatter(LogFormatter):
    """Labels 0.6 and not 6e-01 between the powers of ten, where there is room."""

    def __call__(self, x: float, pos: Any = None) -> str:
        """Return the label of the tick at x."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def make_logarithmic(panel: Axes, values: ArrayLike, factor: float = 1) -> None:
    """Make the vertical axis logarithmic if all finite values are above 0, else leave it linear.

    Parameters
    ----------
    panel : Axes
        The panel, with everything drawn.
    values : array_like
        All values that it shows.
    factor : float
        The axis stays linear as well if the largest value is less than this times the smallest.
    """
    seen = np.asarray(values, dtype=float)
    seen = seen[np.isfinite(seen)]
    if not seen.size or seen.min() <= 0 or seen.max() < factor * seen.min():
        return
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter("{x:g}")  # 0.01 and not a power of ten
    panel.yaxis.set_minor_formatter(PlainLogFormatter())


def limits_around(at: ArrayLike) -> tuple[float, float]:
    """Return the first and the last of ascending positions; around a single one, some room.

    >>> limits_around([3, 5]), limits_around([3])
    ((3.0, 5.0), (2.5, 3.5))
    """
    first, last = float(np.min(at)), float(np.max(at))
    return (first, last) if first < last else (first - 0.5, last + 0.5)


def samples_of(length: int) -> Array:
    """Return the numbers of the samples, counted from 1."""
    return np.arange(1, length + 1)


def show(*figures: Figure) -> None:
    """Open a window for each figure, and return when all of them have been closed.

    Parameters
    ----------
    *figures : Figure
        The figures.

    Raises
    ------
    RuntimeError
        If no window can be opened: a screen is missing, or a toolkit for windows, such as tkinter.
    """
    from matplotlib import pyplot  # here, because this part requires a screen

    backend = pyplot.get_backend()
    if backend.lower() in WINDOWLESS:
        raise RuntimeError(
            "show: a screen and a toolkit that opens windows, tkinter or Qt, must be available, "
            f"got none: matplotlib uses {backend!r}. Save the figures instead: "
            "figure.savefig('figure.png'), or --output DIR in the examples"
        )
    for figure in figures:
        # pyplot makes the figure of a window itself, and gets this one in its place.
        pyplot.figure(FigureClass=lambda *_, ours=figure, **__: ours)  # type: ignore[arg-type]
    pyplot.show()
