"""Matrices: a linear layer as a matrix, and backward as its transpose."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn.checks.matrix import as_matrix, backward_as_matrix
from numpycnn.layers.layer import Layer
from numpycnn.plots.figure import FONT, SIGNED, WIDTH, blank_figure, dress


def plot_matrices(layer: Layer, x_shape: tuple[int, ...]) -> Figure:
    """Draw a linear layer's matrix, and beside it the matrix that its backward multiplies with.

    Args:
        layer: a layer that is linear, but for a bias.
        x_shape: a small shape of its input, (1, 7, 1) say: every cell is labeled.

    The first comes from `forward` alone, the second from `backward` alone. If backward is
    right, they are each other's transpose. Zeros are left blank, other numbers are colored by
    sign and size, so the taps of a kernel can be followed from cell to cell.

    >>> from numpycnn import Dense
    >>> figure = plot_matrices(Dense(3, 2, rng=0), (1, 3))
    >>> [panel.get_title() for panel in figure.axes]
    ['forward: y = A x', 'backward: dx = B dy']

    Raises `ValueError` for a layer that is not linear.
    """
    there, back = as_matrix(layer, x_shape), backward_as_matrix(layer, x_shape)
    cell = (WIDTH - 140) / (there.shape[1] + back.shape[1])  # pixels; the rest is for labels
    figure = blank_figure(WIDTH, round(110 + cell * max(len(there), len(back))))
    left, right = figure.subplots(1, 2, width_ratios=[there.shape[1], back.shape[1]])
    _cells(left, there)
    left.set(title="forward: y = A x", xlabel="place in x", ylabel="place in y")
    _cells(right, back)
    right.set(title="backward: dx = B dy", xlabel="place in dy", ylabel="place in dx")
    return figure


def _cells(panel: Axes, matrix: Array) -> None:
    """Draw a matrix with its numbers in colored cells."""
    largest = float(np.abs(matrix).max())
    panel.imshow(matrix, cmap=SIGNED, vmin=-largest, vmax=largest)
    for (row, column), value in np.ndenumerate(matrix):
        if value:
            ink = "white" if abs(value) > 0.6 * largest else "black"
            panel.text(
                column, row, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=FONT
            )
    dress(panel)
    panel.grid(visible=False)
    panel.spines[["top", "right"]].set_visible(True)  # the brackets of the matrix
    panel.set_xticks(range(matrix.shape[1]))
    panel.set_yticks(range(matrix.shape[0]))
