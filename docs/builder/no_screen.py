"""No screen: a Matplotlib backend that closes every window at once.

A script that opens a window and waits until it is closed would stop the build of the site. With
this backend, figures are drawn as usual and windows close at once.
"""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

__all__ = ["FigureCanvas", "show"]


def show(*_: Any, **__: Any) -> None:
    """Close every window, as an impatient reader would."""
    pyplot.close("all")
