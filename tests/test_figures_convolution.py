"""The figures of convolution and pooling: every number in them is that of the layers."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Rectangle
from refusals import refused

from docs.figures import plot_pictures, plot_pooling, plot_responses, plot_windows
from numpycnn import Conv1D, Dense, MaxPool1D
from numpycnn.plots.figure import AMBER, SKY

X = np.array([0.0, 1.0, 3.0, 1.0, 0.0])


def filter_of(*taps, **options):
    layer = Conv1D(1, 1, len(taps), **options)
    layer.params["w"][:, 0, 0] = taps
    return layer


def written(figure):
    (panel,) = figure.axes
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in panel.texts]


def colored(figure, color):
    (panel,) = figure.axes
    patches = (patch for patch in panel.patches if isinstance(patch, Rectangle))
    return sum(to_hex(patch.get_facecolor()) == to_hex(color) for patch in patches)


def test_responses_are_those_of_the_layer():
    layer = filter_of(-1, 2, -1, padding="same")
    above, below = plot_responses(layer, {"one": X, "late": np.roll(X, 1)}).axes
    np.testing.assert_array_equal(above.lines[1].get_ydata(), np.roll(X, 1))
    np.testing.assert_array_equal(below.lines[0].get_ydata(), [-1, -1, 4, -1, -1])
    assert [line.get_label() for line in above.lines] == ["one", "late"]


def test_each_step_of_a_filter_is_written_out():
    figure = plot_windows(filter_of(-1, 2, -1), X)
    words = written(figure)
    assert [word for word in words if word[0] == "y"] == ["y[0] = -1", "y[1] = 4", "y[2] = -1"]
    assert sum(word.startswith("\N{MULTIPLICATION SIGN}") for word in words) == 9
    assert colored(figure, SKY) == 9


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_every_window_covers_the_samples_whose_products_make_its_output(stride, dilation, padding):
    layer = filter_of(1, 10, stride=stride, dilation=dilation, padding=padding)
    x = np.arange(1.0, 7.0)
    figure = plot_windows(layer, x)
    (panel,) = figure.axes
    padded = np.pad(x, layer.pad_widths(len(x)))
    width = panel.patches[0].get_width()
    begin = min(patch.get_x() for patch in panel.patches)
    rows = {}
    for patch in panel.patches:
        if to_hex(patch.get_facecolor()) == to_hex(SKY):
            cell = round((patch.get_x() - begin) / width)
            rows.setdefault(patch.get_y(), []).append(padded[cell])
    results = [first + 10 * second for _, (first, second) in sorted(rows.items())]
    np.testing.assert_array_equal(results, layer.forward(x[None, :, None])[0].ravel())


def test_the_winner_of_a_pooling_window_has_its_own_color_the_first_of_a_tie():
    figure = plot_windows(MaxPool1D(2), np.array([1.0, 3.0, 2.0, 2.0, 9.0]))
    assert [word for word in written(figure) if word[0] == "y"] == ["y[0] = 3", "y[1] = 2"]
    assert colored(figure, AMBER) == 2
    assert colored(figure, SKY) == 2
    lefts = [
        patch.get_x()
        for patch in figure.axes[0].patches
        if to_hex(patch.get_facecolor()) == to_hex(AMBER)
    ]
    width = figure.axes[0].patches[0].get_width()
    assert lefts[1] - lefts[0] == pytest.approx(width)  # cell 1, then cell 2 of the tie


def test_pictures_show_their_numbers_if_they_are_few():
    small, large = np.arange(4.0).reshape(2, 2), np.zeros((8, 8))
    one, other = plot_pictures({"small": small, "large": large}).axes
    assert [text.get_text() for text in one.texts] == ["0", "1", "2", "3"]
    assert len(other.texts) == 0
    np.testing.assert_array_equal(one.images[0].get_array(), small)
    assert [one.get_title(), other.get_title()] == ["small", "large"]


@pytest.mark.parametrize("shapes", [[(5, 5), (2, 2), (4, 4)], [(3, 4), (4, 1)], [(64, 64)] * 3])
def test_a_cell_is_as_large_in_one_picture_as_in_the_other(shapes):
    figure = plot_pictures({str(i): np.zeros(shape) for i, shape in enumerate(shapes)})
    figure.draw_without_rendering()
    cells = []
    for panel, (height, width) in zip(figure.axes, shapes, strict=True):
        box = panel.get_window_extent()
        cells += [box.width / width, box.height / height]
    np.testing.assert_allclose(cells, cells[0], rtol=0.03)


def test_pooling_a_picture_rings_the_winners():
    picture = np.random.default_rng(0).permutation(30).reshape(5, 6).astype(float)
    before, after = plot_pooling(picture, 2).axes
    expected = picture[:4].reshape(2, 2, 3, 2).max(axis=(1, 3))
    np.testing.assert_array_equal(after.images[0].get_array(), expected)
    rings = [patch.center for patch in before.patches if isinstance(patch, Circle)]
    assert {picture[int(y), int(x)] for x, y in rings} == set(expected.ravel())


@pytest.mark.parametrize(
    ("plot", "arguments", "kind", "parts"),
    [
        (plot_responses, [filter_of(1), {}], ValueError, [0]),
        (plot_responses, [filter_of(1, 1), {"a": X}], ValueError, ["layer", "L=5"]),
        (plot_windows, [Dense(1, 1), X], TypeError, ["Conv1D", "MaxPool1D", "Dense(1, 1)"]),
        (plot_windows, [Conv1D(1, 2, 2), X], ValueError, [2, "Conv1D(1, 2, 2)"]),
        (plot_windows, [filter_of(1), np.zeros(11)], ValueError, ["samples", 11]),
        (plot_pictures, [{}], ValueError, ["pictures", 0]),
        (plot_pictures, [{"a": X}], ValueError, ["a", "(H, W)"]),
        (plot_pooling, [np.eye(2), 3], ValueError, ["picture", (2, 2)]),
    ],
)
def test_what_cannot_be_drawn_is_named(plot, arguments, kind, parts):
    with refused(kind, plot.__name__, *parts):
        plot(*arguments)
