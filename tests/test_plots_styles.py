"""Every figure in a style that hides every artist without colors, judged by its pixels."""

import warnings

import matplotlib as mpl
import numpy as np
import pytest
from every_figure import FIGURES
from matplotlib.style import context
from pixels import luminance, picture, unreadable, visible_fraction

from numpycnn import plots

# Black on black, with thin pale text; and what else a matplotlibrc may have.

HOSTILE = {
    **{f"{where}.facecolor": "black" for where in ("axes", "figure", "savefig", "legend")},
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "grid.color"), "black"),
    "xtick.color": "black",
    "ytick.color": "black",
    "patch.edgecolor": "black",
    "axes.grid": True,
    "axes.titlesize": 40,
    "lines.linewidth": 0,
    "lines.linestyle": "None",
    "axes.spines.left": False,
    "xtick.labelbottom": False,
    "figure.autolayout": True,
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.long] * (i % 2)) for i, n in enumerate(FIGURES)]
)
def test_every_figure_can_be_read_in_a_hostile_style(name):
    with context(["dark_background", HOSTILE]):
        figure = FIGURES[name]()
        light = luminance(picture(figure))
    assert light[0, 0] == light[-1, -1] == 1  # the corners are white
    assert unreadable(figure, light) == []
    curves = [line for panel in figure.axes for line in panel.lines if panel.axison]
    for line in curves:
        assert visible_fraction(line, light) > 0.5


@pytest.mark.parametrize(
    ("name", "style"), [("confusion", "dark_background"), ("windows", "ggplot")]
)
def test_a_figure_is_the_same_in_every_style(name, style):
    with context(style):
        made_here, drawn_here = FIGURES[name](), picture(FIGURES[name]())
    plain = picture(FIGURES[name]())
    np.testing.assert_array_equal(drawn_here, plain)
    np.testing.assert_array_equal(picture(made_here), plain)


def test_nothing_is_left_of_the_style_and_nothing_changes_for_other_figures():
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture(plots.plot_losses({"a": [1.0]}))
    with pytest.raises(ValueError, match="losses"):
        plots.plot_losses({})
    assert dict(mpl.rcParams) == before
