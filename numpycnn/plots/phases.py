"""Phases: how windows that overlap come out of memory without a copy.

The convolution takes every window of `K` samples, and in one phase those that begin `K` samples
apart. Here the layer's own function takes windows of indices, and the result is drawn. The
figure therefore shows the windows that are computed, including those whose result is not used.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType

from numpycnn._validation import check_int, require_array
from numpycnn.layers._conv1d_kernels import windows
from numpycnn.plots.figure import (
    AMBER,
    FONT,
    GRAY,
    GRID,
    SKY,
    WIDTH,
    blank_figure,
    dress,
    own_style,
)

TRACE_COLORS = SKY, AMBER  # in turn
THICKNESS = 0.7  # of the rows' distance


@own_style()
def plot_phases(x: np.ndarray, kernel_size: int) -> Figure:
    """Draw samples in the order of memory, and below them the windows of each phase.

    Parameters
    ----------
    x : ndarray, shape (N, L, 1)
        A few short traces. Every sample is labeled, so about a dozen in all are legible.
    kernel_size : int
        Samples under a window, K. This is also the number of phases.

    Returns
    -------
    Figure
        A window has the color of its trace and the number of its first sample, counted from 0
        through all traces. A window that extends from one trace into the next is gray: its product
        is computed with the others, and is not part of the output.

    Raises
    ------
    TypeError, ValueError
        If the traces have another shape, or are shorter than a window.

    Examples
    --------
    >>> figure = plot_phases(np.arange(8.0).reshape(1, 8, 1), kernel_size=3)
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['memory', 'phase 0', 'phase 1', 'phase 2']
    """
    require_array("plot_phases", "x", x, "N L C=1")
    kernel_size = check_int("plot_phases", "kernel_size", kernel_size)
    length = x.shape[1]
    if kernel_size > length:
        raise ValueError(
            f"plot_phases: kernel_size must be at most L={length}, got {kernel_size}. "
            "Use longer traces or a smaller kernel."
        )
    figure = blank_figure(WIDTH, 70 + 56 * (1 + kernel_size))
    panel = figure.subplots()
    for i, value in enumerate(x.ravel()):
        color = TRACE_COLORS[i // length % 2]
        _box(panel, i, row=0, width=1, color=color, words=f"{value:.3g}")
    for window in windows(np.arange(x.size).reshape(-1, 1), kernel_size, kernel_size):
        first, last = int(window[0]), int(window[-1])
        whole = first // length == last // length
        shade: ColorType = TRACE_COLORS[first // length % 2] if whole else GRID
        row = 1 + first % kernel_size
        _box(panel, first, row, width=len(window), color=shade, words=f"window {first}")
    _finish(panel, x.size, kernel_size)
    return figure


def _box(panel: Axes, left: int, row: int, width: int, color: ColorType, words: str) -> None:
    """Draw a frame over some samples, with a word in its middle."""
    corner = left - 0.5, row - THICKNESS / 2
    panel.add_patch(Rectangle(corner, width, THICKNESS, facecolor=color, edgecolor="black"))
    middle = left + (width - 1) / 2
    panel.text(middle, row, words, ha="center", va="center", fontsize=FONT)


def _finish(panel: Axes, n_samples: int, kernel_size: int) -> None:
    """Name the rows on the left, and count the samples below."""
    dress(panel)
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    phases = [f"phase {phase}" for phase in range(kernel_size)]
    panel.set_yticks(range(1 + kernel_size), ["memory", *phases])
    panel.set_xticks(range(n_samples))
    panel.set(xlabel="sample", xlim=(-0.6, n_samples - 0.4), ylim=(kernel_size + 0.5, -0.5))
    panel.tick_params(axis="x", color=GRAY)
