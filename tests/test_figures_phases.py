"""The picture of convolution by phases: every window once, and the ones in two traces gray."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from refusals import refused

from docs.figures.phases import TRACE_COLORS, plot_phases

TWO_TRACES = np.array([1.0, 4, 2, 0, 3, 1, 5, 2, 0, 2, 1, 4]).reshape(2, 6, 1)


def boxes(figure):
    """For each row its boxes, from the left: first sample, number of samples, word, color."""
    (panel,) = figure.axes
    rows = {}
    for patch, text in zip(panel.patches, panel.texts, strict=True):
        row = round(patch.get_y() + patch.get_height() / 2)
        first, width = round(patch.get_x() + 0.5), round(patch.get_width())
        assert text.get_position() == (first + (width - 1) / 2, row)
        box = first, width, text.get_text(), to_hex(patch.get_facecolor(), keep_alpha=False)
        rows.setdefault(row, []).append(box)
    return rows


def test_the_figure_is_as_wide_as_a_page_and_holds_what_it_says():
    figure = plot_phases(TWO_TRACES, 3)
    figure.draw_without_rendering()
    width, height = (figure.get_size_inches() * figure.dpi).round()
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.xmin, box.ymin) >= 0
    assert box.xmax <= width
    assert box.ymax <= height


def test_the_first_row_is_the_memory_with_a_color_for_each_trace():
    memory = boxes(plot_phases(TWO_TRACES, 3))[0]
    assert [word for _, _, word, _ in memory] == [f"{value:g}" for value in TWO_TRACES.ravel()]
    assert [first for first, _, _, _ in memory] == list(range(12))
    first, second = (color.lower() for color in TRACE_COLORS)
    assert [color for _, _, _, color in memory] == 6 * [first] + 6 * [second]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 6])
def test_each_window_occurs_once_in_the_phase_in_which_it_begins(kernel_size):
    rows = boxes(plot_phases(TWO_TRACES, kernel_size))
    starts = []
    for phase in range(kernel_size):
        for first, width, word, _ in rows[1 + phase]:
            assert first % kernel_size == phase
            assert width == kernel_size
            assert word == f"window {first}"
            starts.append(first)
    assert sorted(starts) == list(range(12 - kernel_size + 1))


def test_within_a_phase_no_two_windows_overlap():
    rows = boxes(plot_phases(TWO_TRACES, 3))
    for phase in (1, 2, 3):
        firsts = [first for first, _, _, _ in rows[phase]]
        assert set(np.diff(firsts)) == {3}


def test_only_windows_in_two_traces_are_grey():
    rows = boxes(plot_phases(TWO_TRACES, 3))
    windows = [box for phase in (1, 2, 3) for box in rows[phase]]
    traces = [color.lower() for color in TRACE_COLORS]
    assert {first for first, _, _, color in windows if color not in traces} == {4, 5}
    assert {first for first, _, _, color in windows if color == traces[1]} == {6, 7, 8, 9}


@pytest.mark.parametrize(
    ("x", "kernel_size", "parts"),
    [
        (TWO_TRACES[..., 0], 3, ["x", "(N, L, C=1)", (2, 6), "x[..., None]"]),
        (TWO_TRACES, 7, ["kernel_size", "L=6", 7]),
        (TWO_TRACES, 0, ["kernel_size", 0]),
    ],
)
def test_what_cannot_be_drawn_is_named(x, kernel_size, parts):
    with refused(ValueError, "plot_phases", *parts):
        plot_phases(x, kernel_size)
