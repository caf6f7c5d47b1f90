"""Contact sheet: every figure of the package and of the chapters, in three styles, on one picture.

    python tests/contact_sheet.py sheet.png            ordinary figures
    python tests/contact_sheet.py sheet.png unusual    one epoch, one class, NaN, long names

Look at it after a change of a figure: each row must look the same in all three styles.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

import matplotlib as mpl
import numpy as np
from every_figure import FIGURES, UNUSUAL
from matplotlib import image
from matplotlib.style import context
from pixels import picture

STYLES = "default", "dark_background", "ggplot"


def sheet(figures, dpi=50):
    """Return a picture with a row for each figure and a column for each style."""
    rows = []
    for draw in figures.values():
        cells = []
        for style in STYLES:
            with context(style):
                cells.append(framed(picture(draw(), dpi=dpi)))
        rows.append(np.hstack(cells))
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0))) for r in rows])


def framed(cell):
    """Return a picture with a gray frame."""
    return np.pad(cell, ((4, 4), (4, 4), (0, 0)), constant_values=0.6)


if __name__ == "__main__":
    mpl.use("agg")
    image.imsave(sys.argv[1], sheet(UNUSUAL if sys.argv[2:] == ["unusual"] else FIGURES))
