"""Windows: convolution and pooling, value by value.

For five samples and three taps every value can be written into the figure: the samples under the
window, the taps, and the output of each step. Another figure shows traces of ordinary length, where
the response is a curve.

All values are computed by the layers or passed by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from numpycnn import Conv1D, MaxPool1D
from numpycnn._types import Array
from numpycnn._validation import require_finite
from numpycnn.plots.figure import (
    AMBER,
    FONT,
    GRAY,
    SKY,
    STYLES,
    WIDTH,
    draw_curve,
    largest,
    legend_above,
    own_style,
    pixel_figure,
    samples_of,
    stacked_panels,
)

# Traces
# ------


@own_style()
def plot_responses(layer: Conv1D, traces: Mapping[str, Array]) -> Figure:
    """Draw traces in one panel, and below it the response of a filter to each.

    Parameters
    ----------
    layer : Conv1D
        A convolution of one channel with one filter that keeps the length, so that both panels
        have the same axis: stride 1 and padding "same", for example.
    traces : mapping of str to ndarray, shape (L,)
        Up to five traces of one length by name.

    Returns
    -------
    Figure
        Two panels with one time axis and one legend.

    Raises
    ------
    ValueError
        If there are not one to five traces, if the layer changes the length or has several
        filters, or if the traces differ in length.

    Examples
    --------
    >>> layer = Conv1D(1, 1, 5, padding="same")
    >>> figure = plot_responses(layer, {"a trace": np.ones(64)})
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['amplitude', 'response']
    """
    if not 1 <= len(traces) <= len(STYLES):
        raise ValueError(
            f"plot_responses: traces must be 1 to {len(STYLES)}, got {len(traces)}. "
            "Draw several figures."
        )
    length = len(next(iter(traces.values())))
    for name, trace in traces.items():
        require_finite("plot_responses", name, trace, f"L={length}")
    x = np.stack(list(traces.values()))[:, :, None]  # (N, L, 1)
    y, _ = layer.forward(x)
    if y.shape != x.shape:
        raise ValueError(
            f"plot_responses: layer must have one filter and keep L={length} samples, got "
            f"{layer!r}, which returns {y.shape[1]} samples and {y.shape[2]} channels. "
            'Use padding="same" and stride 1.'
        )
    figure, panels = stacked_panels(2, WIDTH, 440)
    for panel, curves, label in zip(panels, (x, y), ("amplitude", "response"), strict=True):
        for name, curve, style in zip(traces, curves[:, :, 0], STYLES, strict=False):
            draw_curve(panel, samples_of(length), curve, label=name, linewidth=1.8, **style)
        top = 1.1 * largest(curves)
        panel.set(ylabel=label, ylim=(-top, top))
    legend_above(panels[0])
    panels[-1].set(xlabel="sample", xlim=(0.5, length + 0.5))
    return figure


# A window that slides
# --------------------
# A row for each output. The cells are the samples, with the padding's in dashes, and
# those under the window are colored. The tap of each sample is written below it, and
# the output at the right end. Lengths are in pixels.

PITCH = 62  # from one row to the next
CELL = 46  # height of a cell, and its width at most
CELLS_END = 510  # the output is right of this
N_CELLS = 10  # as many as leave room for a number in each
CENTERED: dict[str, Any] = {"fontsize": FONT, "ha": "center", "va": "center"}


@own_style()
def plot_windows(layer: Conv1D | MaxPool1D, x: Array) -> Figure:
    """Draw each step of a sliding window over x: the samples under the window, and the output.

    Parameters
    ----------
    layer : Conv1D or MaxPool1D
        A convolution of one channel with one filter, or a max pooling.
    x : ndarray, shape (L,)
        Up to ten samples, padding included. Integers are the easiest to follow.

    Returns
    -------
    Figure
        For a convolution the taps are written below the samples. For a pooling the maximum of
        each window, the first of equal ones, has another color.

    Raises
    ------
    TypeError, ValueError
        If the layer is of another kind or has several channels or filters, or if there are more
        samples than fit.

    Examples
    --------
    >>> layer = Conv1D(1, 1, 2)
    >>> layer.params["w"][:, 0, 0] = [-1.0, 1.0]
    >>> figure = plot_windows(layer, np.array([0.0, 1.0, 3.0]))
    >>> [text.get_text() for text in figure.axes[0].texts if "y" in text.get_text()]
    ['y[0] = 1', 'y[1] = 2']
    """
    if not isinstance(layer, Conv1D | MaxPool1D):
        raise TypeError(f"plot_windows: layer must be a Conv1D or a MaxPool1D, got {layer!r}.")
    require_finite("plot_windows", "x", x, "L")
    y, _ = layer.forward(x[None, :, None])
    if y.shape[2] != 1:
        raise ValueError(
            f"plot_windows: layer must have one filter, got {y.shape[2]} in {layer!r}."
        )
    left, right = (0, 0) if isinstance(layer, MaxPool1D) else layer.pad_widths(len(x))
    padded = np.pad(x, (left, right))
    if len(padded) > N_CELLS:
        raise ValueError(
            f"plot_windows: x must have at most {N_CELLS} samples with the padding, "
            f"got {len(padded)}. Shorten x."
        )

    figure, panel = pixel_figure(WIDTH, PITCH * y.shape[1] + 16)
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
