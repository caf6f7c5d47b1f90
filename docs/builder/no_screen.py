"""No screen: a place for matplotlib to open windows where nobody is looking.

A script that opens a window and waits until it is closed would stop the build of the site
for good. With this backend its figures are drawn as ever, and its windows close at once.
"""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

__all__ = ["FigureCanvas", "show"]


def show(*_: Any, **__: Any) -> None:
    """Close every window, as an impatient reader would."""
    pyplot.close("all")
