"""Descent: the way downhill, as a path.

With two weights the loss is a landscape and can be drawn with its contour lines, and
an optimizer's steps are a path through it. With four thousand weights all that can be
drawn is how the loss falls: see `numpycnn.plots.plot_losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from numpycnn._types import Array
from numpycnn._validation import require_array
from numpycnn.plots.figure import FONT, ORANGE, STYLES, WIDTH, stacked_panels

N_GRID = 120  # points each way on which the landscape is computed


def plot_paths(loss: Callable[[Array, Array], Array], paths: Mapping[str, Array]) -> Figure:
    """Draw the contour lines of a loss of two weights, and an optimizer's path in each panel.

    Args:
        loss: takes two arrays of weights, u and v, and returns the loss for each pair.
        paths: for each name the weights (T, 2) before the first step and after each one.

    The outermost contour is the largest loss on any of the paths, the next ones are a quarter
    of it, a sixteenth, and so on. The two axes have scales of their own.

    >>> paths = {"a leap": np.array([[-2.0, 1.0], [0.0, 0.0]])}
    >>> figure = plot_paths(lambda u, v: u**2 + v**2, paths)
    >>> [panel.get_title(loc="left") for panel in figure.axes]
    ['a leap']

    Raises `TypeError` or `ValueError` for a path of another shape, and for no path at all.
    """
    if not paths:
        raise ValueError("plot_paths expected at least one path, got none")
    for name, path in paths.items():
        require_array("plot_paths", name, path, "T weights=2")
    places = np.concatenate(list(paths.values()))
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.08 * (high - low) + 1e-9
    u, v = np.linspace(low - margin, high + margin, N_GRID).T
    landscape = loss(*np.meshgrid(u, v))
    levels = float(loss(places[:, 0], places[:, 1]).max()) / 4.0 ** np.arange(6, -1, -1)

    figure, panels = stacked_panels(len(paths), width=WIDTH, height=60 + 190 * len(paths))
    for panel, (name, path) in zip(panels, paths.items(), strict=True):
        panel.grid(visible=False)
        panel.contour(u, v, landscape, levels=levels, colors="0.7", linewidths=0.8)
        panel.plot(*path.T, marker="o", markersize=3.5, linewidth=1.2, color=STYLES[0]["color"])
        panel.plot(*path[-1], marker="o", markersize=8, color=ORANGE)
        panel.set_title(name, fontsize=FONT, loc="left")
        panel.set_ylabel("v")
    panels[-1].set_xlabel("u")
    return figure
