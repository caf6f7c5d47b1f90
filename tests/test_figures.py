"""The tutorial's figures: the numbers in them are those of the package, and all is in the page."""

import itertools

import numpy as np
import pytest
from every_figure import FIGURES
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from numpycnn import Conv1D
from numpycnn.plots import plot_windows
from numpycnn.plots.architectures import ARCHITECTURES, plot_architecture
from numpycnn.plots.figure import SKY


def filter_of(*taps, **options):
    layer = Conv1D(1, 1, len(taps), **options)
    layer.params["w"][:, 0, 0] = taps
    return layer


def words(panel):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in panel.texts]


def cells(panel, color):
    """The rectangles of this color."""
    boxes = (patch for patch in panel.patches if isinstance(patch, Rectangle))
    return [box for box in boxes if to_hex(box.get_facecolor()) == to_hex(color)]


NAMES = "surprise", "score gradient", "step sweep", "paths", "phases"
TUTORIAL = {name: FIGURES[name] for name in NAMES} | {
    name: lambda name=name: plot_architecture(name) for name in ARCHITECTURES
}


@pytest.mark.parametrize("name", TUTORIAL)
def test_nothing_is_outside_the_page_and_neither_panels_nor_words_overlap(name):
    figure = TUTORIAL[name]()
    figure.draw_without_rendering()
    width, height = (figure.get_size_inches() * figure.dpi).round()
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.xmin, box.ymin) >= 0
    assert (box.xmax <= width, box.ymax <= height) == (True, True)
    panels = [panel.get_tightbbox() for panel in figure.axes]
    texts = [
        text.get_window_extent() for panel in figure.axes for text in panel.texts if text.get_text()
    ]
    texts = [text for text in texts if text.width > 1]
    for boxes in panels, texts:
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


# Convolution and pooling
# -----------------------


@settings(max_examples=12)
@given(st.integers(1, 3), st.integers(1, 2), st.sampled_from(["valid", "same", "causal"]))
def test_every_window_covers_the_samples_whose_products_make_its_output(stride, dilation, padding):
    layer = filter_of(1, 10, stride=stride, dilation=dilation, padding=padding)
    x = np.arange(1.0, 7.0)
    (panel,) = plot_windows(layer, x).axes
    padded = np.pad(x, layer.pad_widths(len(x)))
    width = panel.patches[0].get_width()
    begin = min(patch.get_x() for patch in panel.patches)
    rows = {}
    for box in cells(panel, SKY):
        cell = padded[round((box.get_x() - begin) / width)]
        rows.setdefault(box.get_y(), []).append(cell)
    results = [first + 10 * second for _, (first, second) in sorted(rows.items())]
    expected = layer(x[None, :, None]).ravel()
    np.testing.assert_array_equal(results, expected)
    said = [float(word.partition("=")[2]) for word in words(panel) if word[0] == "y"]
    np.testing.assert_array_equal(said, expected)
