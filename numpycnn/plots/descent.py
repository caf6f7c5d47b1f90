"""Descent: the way downhill, as a path and as a curve.

With two weights the loss is a landscape and can be drawn with its contour lines, and
an optimiser's steps are a path through it. With four thousand weights all that can be
drawn is how the loss falls from one epoch to the next.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpycnn.plots.figure import FONT, ORANGE, STYLES, WIDTH, stacked_panels
from numpycnn.types import Array
from numpycnn.validation import require_array

N_GRID = 120  # points each way on which the landscape is computed


def plot_paths(loss: Callable[[Array, Array], Array], paths: Mapping[str, Array]) -> Figure:
    """Draw the contour lines of a loss of two weights, and an optimiser's path in each panel.

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


def plot_losses(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how the loss of several trainings falls, epoch by epoch.

    Args:
        losses: for each name the loss of every epoch, in nats, `History.loss` say.

    The vertical axis is logarithmic, so a loss that halves again and again is a straight
    line; values of zero have no place on it and are left out.

    >>> figure = plot_losses({"lr 0.1": [1.1, 0.5, 0.2], "lr 0.2": [1.1, 0.3, 0.1]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['lr 0.1', 'lr 0.2']

    Raises `ValueError` for no training, and for more than can be told apart.
    """
    if not 0 < len(losses) <= len(STYLES):
        raise ValueError(f"plot_losses expected 1 to {len(STYLES)} trainings, got {len(losses)}")
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=440)
    for (name, values), style in zip(losses.items(), STYLES, strict=False):
        drawn = np.where(np.asarray(values) > 0, values, np.nan)
        panel.plot(np.arange(1, len(drawn) + 1), drawn, label=name, linewidth=2, **style)
    _plain_logarithm(panel)
    panel.set(xlabel="epoch", ylabel="cross-entropy")
    panel.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=len(losses), frameon=False, fontsize=FONT
    )
    return figure


def _plain_logarithm(panel: Axes) -> None:
    """Make the vertical axis logarithmic, with labels such as 0.01 and not a power of ten."""
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter("{x:g}")
