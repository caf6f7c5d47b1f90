"""Derivatives: the error of numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn.checks.derivatives import complex_step, step_sweep
from numpycnn.plots.figure import FONT, STYLES, WIDTH, own_style, stacked_panels

# The exponent as raised digits, since the figures do not interpret formulas between dollar signs.
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@own_style()
def plot_step_sweep(
    function: Callable[[Array], Array], exact: Callable[[Array], Array], at: float = 1.0
) -> Figure:
    """Draw the error of a derivative against the step: the V of central differences.

    Parameters
    ----------
    function : callable
        Takes an array, real or complex, and returns one.
    exact : callable
        The derivative of `function`, from which the errors are measured.
    at : float
        The point at which the derivative is computed.

    Returns
    -------
    Figure
        Both axes are logarithmic. Right of the minimum the truncation error grows with the square
        of the step. Left of the minimum the rounding error of the subtraction grows as the step
        shrinks. The complex step has no subtraction and is drawn as a horizontal line.

    Examples
    --------
    >>> figure = plot_step_sweep(np.exp, np.exp)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['central differences', 'complex step']
    """
    point, along = np.array([at]), np.array([1.0])
    truth = float(exact(point)[0])
    steps, found = step_sweep(function, point, along)
    errors = np.abs(found.middle[:, 0] - truth) / abs(truth)
    best = abs(float(complex_step(function, point, along).middle[0]) - truth) / abs(truth)

    figure, (panel,) = stacked_panels(1, width=WIDTH, height=380)
    smallest = np.finfo(np.float64).eps / 4  # so that an error of zero has a place on the axis
    at_least = np.maximum(errors, smallest)
    panel.loglog(steps, at_least, label="central differences", marker="o", **STYLES[0])
    panel.axhline(max(best, smallest), label="complex step", **STYLES[1])
    for axis in panel.xaxis, panel.yaxis:
        axis.set_major_formatter(lambda x, _: "10" + f"{np.log10(x):.0f}".translate(RAISED))
    panel.set(xlabel="step", ylabel="relative error")
    panel.legend(frameon=False, fontsize=FONT)
    return figure
