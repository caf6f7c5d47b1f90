"""Figures of data and names of an unusual kind, judged by their pixels."""

import numpy as np
import pytest
from every_figure import UNUSUAL
from matplotlib.style import context
from pixels import contrast, luminance, picture, unreadable, visible_fraction

from numpycnn import plots


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_data_and_names_can_be_read(name):
    with context("dark_background"):
        figure = UNUSUAL[name]()
        light = luminance(picture(figure))
    assert unreadable(figure, light) == []
    for panel in figure.axes:
        inside = light[
            round(light.shape[0] - panel.bbox.y1) : round(light.shape[0] - panel.bbox.y0) + 1,
            round(panel.bbox.x0) : round(panel.bbox.x1) + 1,
        ]
        assert contrast(inside) > 3 or panel.images or panel.collections
        for line in panel.lines:
            if np.isfinite(np.asarray(line.get_ydata(), float)).any():
                assert visible_fraction(line, light) > 0.5


def words(figure):
    legends = [panel.get_legend() for panel in figure.axes if panel.get_legend()]
    texts = [text for panel in figure.axes for text in (panel.title, *panel.get_xticklabels())]
    texts += [text for legend in legends for text in legend.get_texts()]
    return " ".join(text.get_text().replace("\n", " ") for text in texts)


@pytest.mark.parametrize("name", [7, 2.5, "_hidden", "$x_1$", "a_b^c", "50 %", r"\alpha", "{x}"])
def test_a_name_is_shown_as_it_is(name):
    figures = [
        plots.plot_losses({name: [1.0, 0.5]}),
        plots.plot_accuracy([0, 1], {name: np.ones((1, 2))}, "x"),
        plots.plot_traces(np.zeros((1, 9, 1)), [0], class_names=[name]),
        plots.plot_confusion(np.ones((1, 1), int), [name]),
    ]
    for figure in figures:
        assert str(name) in words(figure)
