"""The drawings of the landmark architectures: sizes as in the papers, and drawn to scale."""

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, Rectangle
from refusals import refused

from docs.figures.architectures import (
    ARCHITECTURES,
    COLORS,
    NARROWEST,
    WIDEST,
    Window,
    map_sizes,
    plot_architecture,
)

# Sides and channels as they are written in the papers' own figures and tables.
IN_THE_PAPERS = {
    "lenet": [(32, 1), (28, 6), (14, 6), (10, 16), (5, 16), (1, 120), (1, 84), (1, 10)],
    "alexnet": [
        *[(227, 3), (55, 96), (27, 96), (27, 256), (13, 256), (13, 384), (13, 384), (13, 256)],
        *[(6, 256), (1, 4096), (1, 4096), (1, 1000)],
    ],
    "unet": [
        *[(572, 1), (568, 64), (280, 128), (136, 256), (64, 512), (28, 1024)],
        *[(52, 512), (100, 256), (196, 128), (388, 64), (388, 2)],
    ],
    "resnet": [
        *[(224, 3), (112, 64), (56, 64)],
        *[(56, 64)] * 3,
        *[(28, 128)] * 4,
        *[(14, 256)] * 6,
        *[(7, 512)] * 3,
        *[(1, 512), (1, 1000)],
    ],
}
EACH = pytest.mark.parametrize("name", ARCHITECTURES)


@EACH
def test_the_sizes_that_follow_from_the_windows_are_those_of_the_papers(name):
    assert map_sizes(name) == IN_THE_PAPERS[name]


@pytest.mark.parametrize("window", [Window(5), Window(3, 2), Window(3, 2, 1), Window(11, 4, 2)])
@pytest.mark.parametrize("length", [11, 12, 13, 14])
def test_a_window_fits_as_often_as_it_can_be_put_down(window, length):
    last = length + 2 * window.padding - window.size
    assert window.fits(length) == len(range(0, last + 1, window.stride))


def test_with_the_side_that_the_paper_names_alexnets_windows_do_not_come_out():
    assert Window(11, stride=4).fits(224) == 54
    assert Window(11, stride=4).fits(227) == 55
    assert (224 - 11) % 4
    assert not (227 - 11) % 4


def test_resnet_has_34_layers_with_weights():
    convs = sum(
        len(row.windows) for row in ARCHITECTURES["resnet"].rows if row.kind == "convolution"
    )
    assert convs + 1 == 34


def test_the_ways_around_in_unet_join_the_rows_of_as_many_channels():
    rows, sizes = ARCHITECTURES["unet"].rows, map_sizes("unet")
    ends = [place for place, row in enumerate(rows) if row.skip]
    assert len(ends) == 4
    for end in ends:
        start = end - rows[end].skip
        assert rows[start].channels == rows[end].channels
        assert sizes[start][0] > 2 * sizes[end - 1][0]  # so it has to be cropped


@EACH
def test_each_row_has_its_size_its_box_and_its_words(name):
    (panel,) = plot_architecture(name).axes
    rows, sizes = ARCHITECTURES[name].rows, map_sizes(name)
    words = [text.get_text() for text in panel.texts]
    assert words[::2] == [f"{side}² \N{MULTIPLICATION SIGN} {channels}" for side, channels in sizes]
    assert words[1::2] == [row.words for row in rows]

    boxes = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
    side = max(side for side, _ in sizes)
    for box, row, (length, _) in zip(boxes, rows, sizes, strict=True):
        assert box.get_width() == pytest.approx(max(NARROWEST, WIDEST * length / side))
        assert box.get_facecolor() == as_drawn(COLORS[row.kind])
    thick = {channels: box.get_height() for box, (_, channels) in zip(boxes, sizes, strict=True)}
    in_order = [thick[channels] for channels in sorted(thick)]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) == len(in_order)

    arrows = [patch for patch in panel.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == sum(1 for row in rows if row.skip)


def as_drawn(name):
    return Rectangle((0, 0), 1, 1, facecolor=name).get_facecolor()


@EACH
def test_an_arrow_goes_from_the_box_it_comes_from_down_to_that_of_its_row(name):
    figure = plot_architecture(name)
    figure.draw_without_rendering()
    (panel,) = figure.axes
    boxes = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
    middles = np.array([box.get_y() + box.get_height() / 2 for box in boxes])
    arrows = [patch for patch in panel.patches if isinstance(patch, FancyArrowPatch)]
    ends = [place for place, row in enumerate(ARCHITECTURES[name].rows) if row.skip]
    for arrow, end in zip(arrows, ends, strict=True):
        start = end - ARCHITECTURES[name].rows[end].skip
        drawn = panel.transData.inverted().transform_bbox(arrow.get_window_extent())
        above, below = sorted([drawn.y0, drawn.y1])
        assert abs(middles - above).argmin() == start
        assert abs(middles - below).argmin() == end
        assert drawn.x1 == pytest.approx(max(boxes[start].get_x(), boxes[end].get_x()), abs=2)


@EACH
def test_nothing_stands_outside_and_no_words_overlap(name):
    figure = plot_architecture(name)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    (panel,) = figure.axes
    words = [text.get_window_extent() for text in panel.texts if text.get_text()]
    drawn = words + [patch.get_window_extent() for patch in panel.patches]
    for box in drawn:
        assert box.xmin >= 0
        assert box.ymin >= 0
        assert box.xmax <= width
        assert box.ymax <= height
    for text in words:
        assert not any(text.overlaps(other) for other in drawn if other is not text)


@pytest.mark.parametrize("call", [plot_architecture, map_sizes])
def test_an_unknown_name_is_answered_with_the_known_ones(call):
    with refused(ValueError, call.__name__, "lenet", "'VGG'"):
        call("VGG")
