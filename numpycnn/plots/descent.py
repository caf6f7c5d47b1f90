"""Descent: the steps of an optimizer, as a path.

The loss of two weights can be drawn by contour lines, and the steps of an optimizer as a path. For
four thousand weights only the loss itself can be drawn: see `numpycnn.plots.plot_losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn._validation import require_array
from numpycnn.plots.figure import FONT, ORANGE, STYLES, WIDTH, fit_name, own_style, stacked_panels

N_GRID = 120  # points each way on which the landscape is computed


@own_style()
def plot_paths(loss: Callable[[Array, Array], Array], paths: Mapping[str, Array]) -> Figure:
    """Draw the contour lines of a loss of two weights, and the path of an optimizer in each panel.

    Parameters
    ----------
    loss : callable
        Takes two arrays of weights, a and b, and returns the loss for each pair.
    paths : mapping of str to ndarray, shape (T, 2)
        For each name the weights before the first step and after each one.

    Returns
    -------
    Figure
        The outermost contour is the largest loss on any path, the next ones are a quarter of it,
        a sixteenth, and so on. The two axes have different scales.

    Raises
    ------
    TypeError, ValueError
        If a path has another shape, or if there is none.

    Examples
    --------
    >>> paths = {"a leap": np.array([[-2.0, 1.0], [0.0, 0.0]])}
    >>> figure = plot_paths(lambda a, b: a**2 + b**2, paths)
    >>> [panel.get_title(loc="left") for panel in figure.axes]
    ['a leap']
    """
    if not paths:
        raise ValueError("plot_paths: paths must have a path or more, got none. Add one.")
    for name, path in paths.items():
        require_array("plot_paths", name, path, "T weights=2")
    places = np.concatenate(list(paths.values()))
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.08 * (high - low) + 1e-9
    a, b = np.linspace(low - margin, high + margin, N_GRID).T
    landscape = loss(*np.meshgrid(a, b))
    levels = float(loss(places[:, 0], places[:, 1]).max()) / 4.0 ** np.arange(6, -1, -1)

    figure, panels = stacked_panels(len(paths), width=WIDTH, height=60 + 190 * len(paths))
    for panel, (name, path) in zip(panels, paths.items(), strict=True):
        panel.grid(visible=False)
        panel.contour(a, b, landscape, levels=levels, colors="0.7", linewidths=0.8)
        panel.plot(*path.T, marker="o", markersize=3.5, linewidth=1.2, color=STYLES[0]["color"])
        panel.plot(*path[-1], marker="o", markersize=8, color=ORANGE)
        panel.set_title(fit_name(name, WIDTH - 120), fontsize=FONT, loc="left")
        panel.set_ylabel("b")
    panels[-1].set_xlabel("a")
    return figure
