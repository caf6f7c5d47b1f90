"""The figures of learning: the loss and its pull, the step of a derivative, the ways downhill."""

import numpy as np
import pytest
from refusals import refused

from docs.figures import plot_paths, plot_pull, plot_step_sweep, plot_surprise
from numpycnn import softmax_cross_entropy

SCORES = np.array([0.0, 1.0, -1.0])


def words(panel):
    return [text.get_text() for text in panel.texts]


def bowl(u, v):
    return u**2 + v**2


PATHS = {
    "straight": np.array([[-4.0, 2.0], [-2.0, 1.0], [0.0, 0.0]]),
    "round about": np.array([[-4.0, 2.0], [1.0, -1.0]]),
}


@pytest.fixture(
    params=["surprise", "pull", "steps", "paths"],
)
def figure(request):
    return {
        "surprise": lambda: plot_surprise([0.05, 1 / 3, 1.0]),
        "pull": lambda: plot_pull(SCORES, 1),
        "steps": lambda: plot_step_sweep(np.exp, np.exp),
        "paths": lambda: plot_paths(bowl, PATHS),
    }[request.param]()


def test_every_figure_is_as_wide_as_a_page_and_holds_what_it_says(figure):
    figure.draw_without_rendering()
    width, height = (figure.get_size_inches() * figure.dpi).round()
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.xmin, box.ymin) >= 0
    assert box.xmax <= width
    assert box.ymax <= height
    panels = [panel.get_tightbbox() for panel in figure.axes]
    assert not any(
        first.overlaps(second) for i, first in enumerate(panels) for second in panels[i + 1 :]
    )


# The loss
# --------


def test_the_surprise_is_drawn_over_all_probabilities_and_marked_where_asked():
    figure = plot_surprise([0.05, 1 / 3, 1.0])
    (panel,) = figure.axes
    curve, *dots = panel.lines
    p, surprise = curve.get_data()
    np.testing.assert_allclose(surprise, -np.log(p))
    assert p.min() == pytest.approx(0.01)
    assert p.max() == pytest.approx(1)
    marked = [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots]
    np.testing.assert_allclose(marked, [(0.05, np.log(20)), (1 / 3, np.log(3)), (1, 0)])
    assert words(panel) == ["0.05: 2.9957", "0.333: 1.0986", "1: 0.0000"]


def test_the_curve_reaches_the_smallest_probability_that_is_marked():
    (panel,) = plot_surprise([0.0001]).axes
    assert panel.lines[0].get_xdata().min() == pytest.approx(0.0001)


@pytest.mark.parametrize("p", [0.0, -0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(p):
    with refused(ValueError, "plot_surprise", "probabilities", p):
        plot_surprise([0.5, p])


def test_the_pull_is_the_gradient_of_the_loss():
    above, below = plot_pull(SCORES, 1).axes
    p = np.exp(SCORES) / np.exp(SCORES).sum()
    _, gradient = softmax_cross_entropy(SCORES[None], np.array([1]))
    np.testing.assert_allclose([bar.get_height() for bar in above.patches], p)
    np.testing.assert_allclose([bar.get_height() for bar in below.patches], gradient[0])
    assert words(above) == ["0.24", "0.67", "0.09"]
    assert words(below) == ["0.24", "-0.33", "0.09"]
    assert [label.get_text() for label in below.get_xticklabels()] == [
        "Quiet",
        "Positive\narrival",
        "Negative\narrival",
    ]


@pytest.mark.parametrize("target", [0, 2])
def test_the_true_class_alone_has_another_color(target):
    for panel in plot_pull(SCORES, target).axes:
        colors = [bar.get_facecolor() for bar in panel.patches]
        assert colors.count(colors[target]) == 1
        assert len(set(colors)) == 2


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((SCORES[:2], 1), ["plot_pull", "logits", "D=3", (2,)]),
        ((np.array([0.0, np.inf, 1.0]), 1), ["plot_pull", "logits", "inf", "logits[1]"]),
        ((SCORES, 3), ["softmax_cross_entropy", "targets", 2, 3]),
    ],
)
def test_scores_that_cannot_be_drawn_are_named(arguments, parts):
    with refused(ValueError, *parts):
        plot_pull(*arguments)


# The step
# --------


def test_the_figure_of_the_v_shows_both_methods_on_logarithmic_axes():
    (panel,) = plot_step_sweep(np.sin, np.cos).axes
    central, level = panel.lines
    assert panel.get_xscale() == panel.get_yscale() == "log"
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("step", "relative error")
    assert min(central.get_ydata()) > max(level.get_ydata())
    assert len(central.get_xdata()) > 10


# Downhill
# --------


def test_each_path_is_drawn_in_a_panel_of_its_own_and_its_end_is_marked():
    figure = plot_paths(bowl, PATHS)
    assert [panel.get_title(loc="left") for panel in figure.axes] == list(PATHS)
    for panel, path in zip(figure.axes, PATHS.values(), strict=True):
        steps, end = panel.lines
        np.testing.assert_array_equal(steps.get_xydata(), path)
        np.testing.assert_array_equal(end.get_xydata(), path[-1:])


def test_all_panels_show_the_same_piece_of_the_same_landscape():
    first, second = plot_paths(bowl, PATHS).axes
    assert first.get_xlim() == second.get_xlim()
    assert first.get_ylim() == second.get_ylim()
    low, high = first.get_xlim()
    assert low < -4 < 1 < high
    for panel in (first, second):
        (contours,) = panel.collections
        assert contours.levels[-1] == bowl(-4, 2)
        assert contours.levels[-2] == bowl(-4, 2) / 4


@pytest.mark.parametrize(
    ("paths", "parts"),
    [({}, ["path", "none"]), ({"way": np.zeros((4, 3))}, ["way", "(T, weights=2)", (4, 3)])],
)
def test_paths_that_cannot_be_drawn_are_named(paths, parts):
    with refused(ValueError, "plot_paths", *parts):
        plot_paths(bowl, paths)
