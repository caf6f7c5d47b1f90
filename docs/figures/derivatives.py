"""Derivatives: how good a derivative is that was found by looking."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn.checks.derivatives import complex_step, step_sweep
from numpycnn.plots.figure import FONT, STYLES, WIDTH, stacked_panels


def plot_step_sweep(
    function: Callable[[Array], Array], exact: Callable[[Array], Array], at: float = 1.0
) -> Figure:
    """Draw the error of a derivative against the step: the V of central differences.

    Args:
        function: takes an array and returns one; it has to take complex numbers too.
        exact: its derivative, which the errors are taken against.
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
