"""Windows: convolution and pooling, number by number and as pictures.

Five samples and three taps are few enough to write every number down. So the first
figure shows each step of a window that slides: what lies under it, what it is
multiplied with, what comes out. The others show the same at the size of real traces,
where a response is a curve, and in two dimensions, where it is a picture.

All numbers drawn come from the layers or are handed over by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from numpycnn._types import Array
from numpycnn._validation import require_finite
from numpycnn.layers import Conv1D, MaxPool1D
from numpycnn.plots.figure import (
    AMBER,
    DPI,
    FONT,
    GRAY,
    SIGNED,
    SKY,
    STYLES,
    WIDTH,
    blank_figure,
    legend_above,
    samples_of,
    stacked_panels,
)

# Traces
# ------


def plot_responses(layer: Conv1D, traces: Mapping[str, Array]) -> Figure:
    """Draw traces (L,) in one panel and below it what the layer's only filter makes of each.

    Args:
        layer: a convolution of one channel with one filter that gives as many samples as it
            gets, so that both panels have one axis: stride 1 and padding "same", say.
        traces: up to five, of one length, by name.

    >>> layer = Conv1D(1, 1, 5, padding="same")
    >>> figure = plot_responses(layer, {"a trace": np.ones(64)})
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['amplitude', 'response']

    Raises `ValueError` for no trace or more than five, for another layer, and for traces that
    differ in length.
    """
    if not 1 <= len(traces) <= len(STYLES):
        raise ValueError(f"plot_responses expected 1 to {len(STYLES)} traces, got {len(traces)}")
    length = len(next(iter(traces.values())))
    for name, trace in traces.items():
        require_finite("plot_responses", name, trace, f"L={length}")
    x = np.stack(list(traces.values()))[:, :, None]  # (N, L, 1)
    y, _ = layer.forward(x)
    if y.shape != x.shape:
        raise ValueError(
            f"plot_responses expected a layer with one filter that keeps L={length} samples, "
            f"got {layer!r}, which gives {y.shape[1]} samples and {y.shape[2]} channels"
        )
    figure, panels = stacked_panels(2, WIDTH, 440)
    for panel, curves, label in zip(panels, (x, y), ("amplitude", "response"), strict=True):
        for name, curve, style in zip(traces, curves[:, :, 0], STYLES, strict=False):
            panel.plot(samples_of(length), curve, label=name, linewidth=1.8, **style)
        top = 1.1 * float(np.abs(curves).max()) or 1.0
        panel.set(ylabel=label, ylim=(-top, top))
    legend_above(panels[0])
    panels[-1].set(xlabel="sample", xlim=(0.5, length + 0.5))
    return figure


# A window that slides
# --------------------
# A row for each output. The cells are the samples, with the padding's in dashes, and
# those under the window are colored. Below each stands the tap that it is multiplied with,
# and at the right end what comes out. Lengths are in pixels.

PITCH = 62  # from one row to the next
CELL = 46  # height of a cell, and its width at most
CELLS_END = 510  # what comes out stands to the right
N_CELLS = 10  # as many as leave room for a number in each
CENTERED: dict[str, Any] = {"fontsize": FONT, "ha": "center", "va": "center"}


def plot_windows(layer: Conv1D | MaxPool1D, x: Array) -> Figure:
    """Draw each step of a window that slides over x (L,): what it covers, and what comes out.

    Args:
        layer: a convolution of one channel with one filter, or a pooling.
        x: up to ten samples, padding included. Round numbers are the easiest to follow.

    Under a convolution's window the taps are written below the samples. Of a pooling's
    window the sample that won, the first in a tie, has another color.

    >>> layer = Conv1D(1, 1, 2)
    >>> layer.params["w"][:, 0, 0] = [-1.0, 1.0]
    >>> figure = plot_windows(layer, np.array([0.0, 1.0, 3.0]))
    >>> [text.get_text() for text in figure.axes[0].texts if "y" in text.get_text()]
    ['y[0] = 1', 'y[1] = 2']

    Raises `TypeError` or `ValueError` for another layer, or one of several channels or
    filters, and for more samples than fit.
    """
    if not isinstance(layer, Conv1D | MaxPool1D):
        raise TypeError(f"plot_windows expected a Conv1D or a MaxPool1D, got {layer!r}")
    require_finite("plot_windows", "x", x, "L")
    y, _ = layer.forward(x[None, :, None])
    if y.shape[2] != 1:
        raise ValueError(f"plot_windows expected one filter, got {y.shape[2]} in {layer!r}")
    left, right = (0, 0) if isinstance(layer, MaxPool1D) else layer.pad_widths(len(x))
    padded = np.pad(x, (left, right))
    if len(padded) > N_CELLS:
        raise ValueError(
            f"plot_windows expected at most {N_CELLS} samples with their padding, "
            f"got {len(padded)}; take a shorter piece"
        )

    figure, panel = _paper(PITCH * y.shape[1] + 16)
    for m, result in enumerate(y[0, :, 0]):
        top = 8 + PITCH * m
        first = m * layer.stride
        for i, sample in enumerate(padded):
            is_padding = not left <= i < left + len(x)
            _draw_cell(panel, i, len(padded), top, is_padding)
            begin, width = _cell_left(i, len(padded))
            height = CELL / 3 if isinstance(layer, Conv1D) else CELL / 2  # room for the tap
            panel.text(begin + width / 2, top + height, _short(sample), **CENTERED)
        if isinstance(layer, Conv1D):
            for k, tap in enumerate(layer.params["w"][:, 0, 0]):
                _cover(panel, first + k * layer.dilation, len(padded), top, SKY, tap)
        else:
            winner = int(x[first : first + layer.pool_size].argmax())
            for j in range(layer.pool_size):
                color = AMBER if j == winner else SKY
                _cover(panel, first + j, len(padded), top, color)
        words = f"y[{m}] = {_short(result)}"
        panel.text(CELLS_END + 12, top + CELL / 2, words, fontsize=FONT, va="center")
    return figure


def _paper(height: int) -> tuple[Figure, Axes]:
    """Return an empty sheet of this height: pixels from the top left corner, no axes."""
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, WIDTH), ylim=(height, 0))
    panel.set_axis_off()
    return figure, panel


def _cell_left(i: int, n_cells: int) -> tuple[float, float]:
    """Where cell i of a row begins, and how wide it is. Short rows end where long ones do."""
    width = min(80.0, (CELLS_END - 12) / n_cells)
    return CELLS_END - (n_cells - i) * width, width


def _draw_cell(panel: Axes, i: int, n_cells: int, top: float, is_padding: bool) -> None:
    """Draw a cell's frame, dashed where it is padding."""
    begin, width = _cell_left(i, n_cells)
    dashes = "dashed" if is_padding else "solid"
    panel.add_patch(
        Rectangle((begin, top), width, CELL, facecolor="none", edgecolor=GRAY, linestyle=dashes)
    )


def _cover(
    panel: Axes, i: int, n_cells: int, top: float, color: str, tap: float | None = None
) -> None:
    """Color a cell that is under the window, and write the tap below its sample."""
    begin, width = _cell_left(i, n_cells)
    panel.add_patch(
        Rectangle((begin, top), width, CELL, facecolor=color, edgecolor="black", zorder=0.5)
    )
    if tap is not None:
        words = f"\N{MULTIPLICATION SIGN} {_short(tap)}"
        panel.text(begin + width / 2, top + 0.73 * CELL, words, **CENTERED)


def _short(number: float) -> str:
    """A number with three digits at most, and a proper minus."""
    return f"{number:.3g}".replace("-", "\N{MINUS SIGN}")


# In two dimensions
# -----------------
# Blue is below zero, white is zero, red is above. A few cells are labeled with their
# numbers; where there are many, the colors have to do.

FEW_CELLS = 6  # columns


def plot_pictures(pictures: Mapping[str, Array]) -> Figure:
    """Draw two-dimensional arrays (H, W) beside each other, each with its name above.

    All have cells of one size. Up to six columns are labeled with their numbers. Each picture has
    its own range of colors.

    >>> figure = plot_pictures({"picture": np.eye(3), "filter": np.ones((2, 2))})
    >>> [panel.get_title() for panel in figure.axes]
    ['picture', 'filter']

    Raises `ValueError` for less than one picture or more than three, and for arrays that are no
    pictures.
    """
    if not 1 <= len(pictures) <= 3:
        raise ValueError(f"plot_pictures expected 1 to 3 pictures, got {len(pictures)}")
    for name, picture in pictures.items():
        require_finite("plot_pictures", name, picture, "H W")
    return _beside_each_other([(name, one, one) for name, one in pictures.items()])


def plot_pooling(picture: Array, pool_size: int) -> Figure:
    """Draw max pooling of a picture (H, W): its windows and their winners, and what is left.

    The windows are squares of `pool_size` side by side. What does not fit is left out, and so
    has no frame. In each window the winner has a ring, the first in a tie.

    >>> figure = plot_pooling(np.arange(16.0).reshape(4, 4), 2)
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['5', '7', '13', '15']

    Raises `TypeError` or `ValueError` for what is no picture, or one smaller than a window.
    """
    require_finite("plot_pooling", "picture", picture, "H W")
    down, across = (side // pool_size for side in picture.shape)
    if not (down and across):
        raise ValueError(
            f"plot_pooling expected a picture of at least {pool_size} x {pool_size}, "
            f"got {picture.shape}"
        )
    windows = picture[: down * pool_size, : across * pool_size]
    windows = windows.reshape(down, pool_size, across, pool_size).swapaxes(1, 2)
    windows = windows.reshape(down, across, -1)  # each window's samples in a row
    winners = windows.argmax(axis=2)
    figure = _beside_each_other(
        [("before", picture, picture), ("after", windows.max(axis=2), picture)]
    )
    before = figure.axes[0]
    for (row, column), winner in np.ndenumerate(winners):
        top, left = row * pool_size, column * pool_size
        corner = left - 0.5, top - 0.5
        before.add_patch(
            Rectangle(corner, pool_size, pool_size, fill=False, edgecolor="black", linewidth=3)
        )
        j, i = divmod(int(winner), pool_size)
        ring = Circle((left + i, top + j), 0.36, fill=False, edgecolor=AMBER, linewidth=3)
        before.add_patch(ring)
    return figure


def _beside_each_other(pictures: Sequence[tuple[str, Array, Array]]) -> Figure:
    """Draw pictures, given as name, numbers, and the numbers whose range the colors span.

    A cell is as large in one as in any other: a small filter is a small picture.
    """
    shapes = [picture.shape for _, picture, _ in pictures]
    columns = [width for _, width in shapes]
    cell = (WIDTH - 40 - 20 * len(pictures)) / sum(columns)  # in pixels
    figure = blank_figure(WIDTH, round(60 + cell * max(height for height, _ in shapes)))
    panels = figure.subplots(1, len(pictures), squeeze=False, width_ratios=columns)[0]
    for panel, (name, picture, scale) in zip(panels, pictures, strict=True):
        _draw_picture(panel, picture, float(np.abs(scale).max()) or 1.0)
        panel.set_title(name, fontsize=FONT)
    return figure


def _draw_picture(panel: Axes, picture: Array, strongest: float) -> None:
    """Draw a picture in colors from blue to red, with its numbers if they are few."""
    panel.imshow(picture, cmap=SIGNED, vmin=-strongest, vmax=strongest)
    panel.set(xticks=[], yticks=[])
    if picture.shape[1] > FEW_CELLS:
        return
    for (row, column), value in np.ndenumerate(picture):
        ink = "white" if abs(value) > 0.6 * strongest else "black"
        panel.text(column, row, _short(value), fontsize=FONT, color=ink, ha="center", va="center")
