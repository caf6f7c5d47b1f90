"""Derivatives: how good a derivative is, and what backward does, in pictures."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpycnn.checks.derivatives import complex_step, step_sweep
from numpycnn.checks.matrix import as_matrix, backward_as_matrix
from numpycnn.layers.layer import Layer
from numpycnn.plots.figure import (
    FONT,
    SIGNED,
    STYLES,
    WIDTH,
    blank_figure,
    dress,
    stacked_panels,
)
from numpycnn.types import Array


def plot_step_sweep(
    function: Callable[[Array], Array], exact: Callable[[Array], Array], at: float = 1.0
) -> Figure:
    """Draw the error of a derivative against the step: the V of central differences.

    Args:
        function: takes an array and returns one; it has to take complex numbers too.
        exact: its derivative, to hold the errors against.
        at: where the derivative is taken.

    Both axes are logarithmic. To the right of the tip the formula's own error grows with
    the square of the step; to the left the rounding of the subtraction grows as the step
    shrinks. The complex step subtracts nothing and is drawn as a level line.

    >>> figure = plot_step_sweep(np.exp, np.exp)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['central differences', 'complex step']
    """
    point, along = np.array([at]), np.array([1.0])
    truth = float(exact(point)[0])
    steps, found = step_sweep(function, point, along)
    errors = [abs(float(one.middle[0]) - truth) / abs(truth) for one in found]
    best = abs(float(complex_step(function, point, along).middle[0]) - truth) / abs(truth)

    figure, (panel,) = stacked_panels(1, width=WIDTH, height=380)
    smallest = np.finfo(np.float64).eps / 4  # so that an error of zero has a place on the axis
    at_least = np.maximum(errors, smallest)
    panel.loglog(steps, at_least, label="central differences", marker="o", **STYLES[0])
    panel.axhline(max(best, smallest), label="complex step", **STYLES[1])
    panel.set(xlabel="step", ylabel="relative error")
    panel.legend(frameon=False, fontsize=FONT)
    return figure


def plot_matrices(layer: Layer, x_shape: tuple[int, ...]) -> Figure:
    """Draw a linear layer's matrix, and beside it the matrix that its backward multiplies with.

    Args:
        layer: a layer that is linear, but for a bias.
        x_shape: a small shape of its input, (1, 7, 1) say: every cell is labelled.

    The first comes from `forward` alone, the second from `backward` alone. If backward is
    right, they are each other's transpose. Zeros are left blank, other numbers are coloured by
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
    """Draw a matrix with its numbers in coloured cells."""
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
