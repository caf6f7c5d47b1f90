"""Matrices: a linear layer as a matrix, and backward as its transpose."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn._validation import require_finite
from numpycnn.checks.matrix import as_matrix, backward_as_matrix
from numpycnn.layers.layer import Layer
from numpycnn.plots.figure import (
    FONT,
    SIGNED,
    WIDTH,
    blank_figure,
    dress,
    largest,
    own_style,
    width_of,
)


@own_style()
def plot_matrices(layer: Layer, x_shape: tuple[int, ...]) -> Figure:
    """Draw the matrix of a linear layer, and next to it that of its backward pass.

    Parameters
    ----------
    layer : Layer
        A layer that is linear apart from a bias.
    x_shape : tuple of int
        A small shape of its input, (1, 7, 1) for example. Cells are labeled if there is room.

    Returns
    -------
    Figure
        The first matrix is computed by `forward` only, the second by `backward` only. If
        `backward` is correct, the second is the transpose of the first. Zeros are white, other
        values are colored by sign and magnitude, so that the taps of a kernel can be followed
        from cell to cell.

    Raises
    ------
    ValueError
        If the layer is not linear, or a parameter is NaN or infinite.

    Examples
    --------
    >>> from numpycnn import Dense
    >>> figure = plot_matrices(Dense(3, 2, rng=0), (1, 3))
    >>> [panel.get_title() for panel in figure.axes]
    ['forward: y = A x', 'backward: dx = B dy']
    """
    for name, array in layer.params.items():
        require_finite("plot_matrices", f"layer.params[{name!r}]", array, fix="Replace it.")
    there, back = as_matrix(layer, x_shape), backward_as_matrix(layer, x_shape)
    cell = (WIDTH - 140) / (there.shape[1] + back.shape[1])  # pixels; the rest is for labels
    figure = blank_figure(WIDTH, round(110 + cell * max(len(there), len(back))))
    left, right = figure.subplots(1, 2, width_ratios=[there.shape[1], back.shape[1]])
    _cells(left, there, cell)
    left.set(title="forward: y = A x", xlabel="index in x", ylabel="index in y")
    _cells(right, back, cell)
    right.set(title="backward: dx = B dy", xlabel="index in dy", ylabel="index in dx")
    return figure


def _cells(panel: Axes, matrix: Array, cell: float) -> None:
    """Draw a matrix as colored cells of this width in pixels, with the values if they fit."""
    limit = largest(matrix)
    panel.imshow(matrix, cmap=SIGNED, vmin=-limit, vmax=limit)
    words = {where: f"{value:.3g}" for where, value in np.ndenumerate(matrix) if value}
    if max(map(width_of, words.values()), default=0) < cell:
        for (row, column), value in words.items():
            ink = "white" if abs(matrix[row, column]) > 0.6 * limit else "black"
            panel.text(column, row, value, ha="center", va="center", color=ink, fontsize=FONT)
    dress(panel)
    panel.grid(visible=False)
    panel.spines[["top", "right"]].set_visible(True)  # the brackets of the matrix
    step = -(-width_of("00") // cell)  # so that the labels of two ticks do not overlap
    panel.set_xticks(np.arange(0, matrix.shape[1], step))
    panel.set_yticks(np.arange(0, matrix.shape[0], step))
