"""The figures: what is drawn, between which limits, and under which labels."""

import cProfile
import itertools
import pstats
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from refusals import refused

from numpycnn import Conv1D, History, ReLU, make_traces
from numpycnn.plots import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_losses,
    plot_matrices,
    plot_traces,
    show,
)
from numpycnn.plots.figure import BLUE, ORANGE

HISTORY = History(
    loss=[1.1, 0.5, 0.01],
    accuracy=[0.3, 0.8, 1.0],
    val_loss=[1.0, 0.6, 0.2],
    val_accuracy=[0.4, 0.7, 0.9],
)


def size_in_pixels(figure):
    return tuple((figure.get_size_inches() * figure.dpi).round().tolist())


def test_traces_are_drawn_one_below_the_other_as_the_task_asks():
    x, labels = make_traces(3, rng=0)
    figure = plot_traces(x, labels, [0, 2, 2])
    assert size_in_pixels(figure) == (720, 620)
    assert [panel.get_title() for panel in figure.axes] == [
        "Quiet -> Quiet",
        "Positive arrival -> Negative arrival",
        "Negative arrival -> Negative arrival",
    ]
    for panel, trace in zip(figure.axes, x, strict=True):
        (line,) = panel.lines
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 65))
        np.testing.assert_array_equal(line.get_ydata(), trace[:, 0])
        assert line.get_color() == "black"
        assert line.get_linewidth() == 1.6
        assert panel.get_ylim() == (-1.05, 1.05)
        assert panel.get_ylabel() == "amplitude"
    assert [panel.get_xlabel() for panel in figure.axes] == ["", "", "sample"]


def test_a_right_answer_and_a_wrong_one_differ_by_a_mark_and_by_color():
    x, labels = make_traces(3, rng=0)
    marks = ["\N{CHECK MARK}", "\N{BALLOT X}", "\N{CHECK MARK}"]
    colors = []
    for panel, mark in zip(plot_traces(x, labels, [0, 2, 2]).axes, marks, strict=True):
        assert panel.get_title(loc="right") == mark
        (written,) = (one for one in panel.findobj(Text) if one.get_text() == mark)
        colors.append(written.get_color())
    assert colors == [BLUE, ORANGE, BLUE]
    assert not any(panel.get_title(loc="right") for panel in plot_traces(x, labels).axes)


def calls_to_draw(n_traces):
    """Return the number of functions that are called to draw so many traces."""
    profile = cProfile.Profile()
    profile.enable()
    plot_traces(np.zeros((n_traces, 9, 1)), [0] * n_traces).draw_without_rendering()
    profile.disable()
    return pstats.Stats(profile).total_calls


def test_the_work_to_draw_traces_is_proportional_to_their_number():
    calls_to_draw(1)  # fonts are loaded
    assert calls_to_draw(8) < 4.5 * calls_to_draw(2)


def test_without_predictions_the_title_is_the_true_class():
    x, labels = make_traces(2, rng=0)
    panels = plot_traces(x, labels).axes
    assert [panel.get_title() for panel in panels] == ["Quiet", "Positive arrival"]


def test_a_trace_beyond_one_is_not_cut_off():
    figure = plot_traces(3 * np.ones((1, 10, 1)), [0], [1], class_names=("a", "b"))
    low, high = figure.axes[0].get_ylim()
    assert low < -3 < 3 < high
    assert figure.axes[0].get_title() == "a -> b"


@pytest.mark.parametrize(
    ("change", "kind", "parts"),
    [
        ({"x": np.zeros((3, 64))}, ValueError, ["x", "(N, L, C=1)", "(3, 64)", "x[..., None]"]),
        ({"labels": [0, 1]}, ValueError, ["labels", "(3,)", "(2,)"]),
        ({"labels": [0, 1, 3]}, ValueError, ["labels", 3, "labels[2]"]),
        ({"predicted": [0.0, 1.0, 2.0]}, TypeError, ["predicted", "float64"]),
        ({"predicted": [0, -1, 2]}, ValueError, ["predicted", -1, "predicted[1]"]),
    ],
)
def test_what_cannot_be_drawn_is_named(change, kind, parts):
    arguments = {"x": np.zeros((3, 64, 1)), "labels": [0, 1, 2], "predicted": [0, 1, 2]} | change
    with refused(kind, "plot_traces", *parts):
        plot_traces(**arguments)


def test_learning_curves_show_all_four_lists_and_the_loss_on_a_logarithmic_axis():
    figure = plot_learning_curves(HISTORY)
    loss, accuracy = figure.axes
    drawn = [line.get_ydata().tolist() for panel in figure.axes for line in panel.lines]
    assert drawn == [HISTORY.loss, HISTORY.val_loss, HISTORY.accuracy, HISTORY.val_accuracy]
    assert [line.get_linestyle() for line in loss.lines] == ["-", "--"]
    assert len({line.get_color() for line in loss.lines}) == 2
    assert loss.get_yscale() == "log"
    assert loss.get_ylabel() == "cross-entropy"
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]
    assert accuracy.get_ylabel() == "accuracy"
    assert accuracy.get_xlabel() == "epoch"
    assert accuracy.get_ylim() == (0, 1.05)


def test_without_validation_there_is_one_curve_and_a_flat_loss_keeps_a_plain_axis():
    loss, accuracy = plot_learning_curves(History(loss=[1.1, 1.0], accuracy=[0.3, 0.4])).axes
    assert len(loss.lines) == len(accuracy.lines) == 1
    assert loss.get_yscale() == "linear"


def drawn_labels(axis):
    axis.get_figure().draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    return [label.get_text() for tick, label in ticks if low <= tick <= high]


@pytest.mark.parametrize("losses", [[1.1], [1.1, 0.5, 0.2]])
@pytest.mark.parametrize("validated", [False, True])
def test_an_accuracy_that_is_not_a_number_is_left_out(losses, validated):
    """A loss of one's own may have targets that are no labels."""
    nothing = [np.nan] * len(losses)
    validation = (losses, nothing) if validated else ()
    (panel,) = plot_learning_curves(History(losses, nothing, *validation)).axes
    assert panel.get_ylabel() == "cross-entropy"
    assert panel.get_xlabel() == "epoch"
    assert [line.get_label() for line in panel.lines] == ["training", "validation"][: 1 + validated]


def test_an_accuracy_that_only_one_set_has_is_drawn():
    figure = plot_learning_curves(History([1.1, 0.5], [np.nan] * 2, [1.2, 0.6], [0.4, 0.5]))
    _, panel = figure.axes
    assert [line.get_label() for line in panel.lines] == ["validation"]
    assert list(panel.lines[0].get_ydata()) == [0.4, 0.5]


def test_the_loss_is_labelled_with_plain_numbers():
    loss, _ = plot_learning_curves(History([1.1, 0.1, 0.004], [0.3, 0.9, 1.0])).axes
    assert drawn_labels(loss.yaxis) == ["0.01", "0.1", "1"]


@pytest.mark.parametrize(
    "losses", [[1.1], [0.0, 0.0], [1.1, 0.0], [5.5, 0.5], [1.1, 1e-12], [1.1, 1e9]]
)
def test_any_course_of_the_loss_can_be_drawn_and_read(losses):
    accuracies = [1.0] * len(losses)
    figure = plot_learning_curves(History(losses, accuracies, losses[::-1], accuracies))
    loss, accuracy = figure.axes
    assert len(drawn_labels(loss.yaxis)) >= 2
    assert drawn_labels(accuracy.xaxis) == [str(epoch + 1) for epoch in range(len(losses))]
    assert loss.lines[0].get_marker() == "o"  # a line of one point would be invisible


def test_losses_are_drawn_by_epoch_on_a_logarithmic_axis():
    figure = plot_losses({"slow": [1.1, 1.0, 0.9], "fast": [1.1, 0.01]})
    (panel,) = figure.axes
    slow, fast = panel.lines
    np.testing.assert_array_equal(slow.get_xydata(), [(1, 1.1), (2, 1.0), (3, 0.9)])
    np.testing.assert_array_equal(fast.get_xydata(), [(1, 1.1), (2, 0.01)])
    assert panel.get_yscale() == "log"
    figure.draw_without_rendering()
    assert "0.01" in [label.get_text() for label in panel.get_yticklabels()]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["slow", "fast"]
    assert slow.get_linestyle() != fast.get_linestyle()


@pytest.mark.parametrize("loss", [0.0, -0.5])
def test_a_loss_without_a_logarithm_has_a_linear_axis(loss):
    (panel,) = plot_losses({"sure": [1.1, loss, 0.5]}).axes
    np.testing.assert_array_equal(panel.lines[0].get_ydata(), [1.1, loss, 0.5])
    assert panel.get_yscale() == "linear"
    loss_panel, _ = plot_learning_curves(History([200.0, loss], [0.5, 1.0])).axes
    assert loss_panel.get_yscale() == "linear"


@pytest.mark.parametrize("n", [0, 6])
def test_more_trainings_than_can_be_told_apart_are_refused(n):
    with refused(ValueError, "plot_losses", "losses", n):
        plot_losses({str(i): [1.0] for i in range(n)})


COUNTS = np.array([[8, 2, 0], [0, 0, 0], [0, 1, 1]])


def test_the_confusion_matrix_shows_each_count_in_its_cell_and_shares_as_shades():
    (panel,) = plot_confusion(COUNTS).axes
    cells = {tuple(text.get_position()): text.get_text() for text in panel.texts}
    assert cells == {(j, i): str(COUNTS[i, j]) for i in range(3) for j in range(3)}
    right, wrong = panel.images
    shares = np.array([[0.8, 0.2, 0], [0, 0, 0], [0, 0.5, 0.5]])
    on_the_diagonal = np.eye(3, dtype=bool)
    for image, shown in ((right, on_the_diagonal), (wrong, ~on_the_diagonal)):
        np.testing.assert_array_equal(~image.get_array().mask, shown)
        np.testing.assert_array_equal(image.get_array().compressed(), shares[shown])
        assert image.get_clim() == (0, 1)
    assert right.get_cmap() != wrong.get_cmap()
    assert [frame.get_bbox().bounds for frame in panel.patches] == [
        (i - 0.5, i - 0.5, 1, 1) for i in range(3)
    ]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("predicted class", "true class")
    names = ["Quiet", "Positive\narrival", "Negative\narrival"]
    assert [label.get_text() for label in panel.get_yticklabels()] == names
    assert [label.get_text() for label in panel.get_xticklabels()] == names


@pytest.mark.parametrize("n_classes", [2, 4, 5, 9])
def test_the_names_below_a_confusion_matrix_do_not_run_into_each_other(n_classes):
    names = [f"kind number {n}" for n in range(n_classes)]
    figure = plot_confusion(np.eye(n_classes, dtype=int), names)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))


@pytest.mark.parametrize("counts", [COUNTS[:2], COUNTS / 2, COUNTS[0]])
def test_counts_that_are_no_confusion_matrix_are_refused(counts):
    with refused(ValueError, "plot_confusion", "counts", (3, 3)):
        plot_confusion(counts)


SCORES = {"one": np.array([[0.0, 0.5], [1.0, 0.7]]), "other": np.array([[0.25, 0.75]])}


def test_accuracies_are_drawn_as_mean_and_band_from_the_worst_to_the_best():
    figure = plot_accuracy([3, 5], SCORES, xlabel="noise", trained_on=(3, 4))
    (panel,) = figure.axes
    one, other = panel.lines
    np.testing.assert_allclose(one.get_ydata(), [0.5, 0.6])
    np.testing.assert_allclose(other.get_ydata(), [0.25, 0.75])
    assert one.get_xdata().tolist() == [3, 5]
    assert one.get_color() != other.get_color()
    assert one.get_linestyle() != other.get_linestyle()
    band = panel.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (0, 1)
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("noise", "accuracy")
    assert panel.get_xlim() == (3, 5)
    low, high = panel.get_ylim()
    assert low < 0 < 1 < high
    assert [text.get_text() for text in panel.get_legend().get_texts()] == [
        "trained on",
        "one",
        "other",
    ]
    assert panel.patches[0].get_x() == 3
    assert panel.patches[0].get_width() == 1


@pytest.mark.parametrize(
    ("curves", "parts"),
    [
        ({}, ["curves", 0]),
        ({str(n): SCORES["one"] for n in range(6)}, ["curves", 6]),
        ({"a": np.ones((2, 3))}, ["a", "M=2", (2, 3)]),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(curves, parts):
    with refused(ValueError, "plot_accuracy", *parts):
        plot_accuracy([3, 5], curves, xlabel="noise")


def small_convolution():
    layer = Conv1D(1, 1, kernel_size=3)
    layer.params["w"][:, 0, 0] = 3, 1, -2
    return layer


def words_in(panel):
    return [text.get_text() for text in panel.texts]


def test_forward_is_the_band_of_the_kernel_and_backward_its_transpose():
    left, right = plot_matrices(small_convolution(), (1, 7, 1)).axes
    band = 3 * np.eye(5, 7) + np.eye(5, 7, 1) - 2 * np.eye(5, 7, 2)
    np.testing.assert_array_equal(left.images[0].get_array(), band)
    np.testing.assert_array_equal(right.images[0].get_array(), band.T)
    assert words_in(left) == ["3", "1", "-2"] * 5
    assert words_in(right) == ["3", "1", "3", *["-2", "1", "3"] * 3, "-2", "1", "-2"]


def test_backward_is_drawn_as_it_is_and_not_as_it_should_be():
    class Unturned(Conv1D):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx[:, ::-1], grads

    layer = Unturned(1, 1, kernel_size=3)
    layer.params["w"][:, 0, 0] = 3, 1, -2
    left, right = plot_matrices(layer, (1, 5, 1)).axes
    there, back = (panel.images[0].get_array() for panel in (left, right))
    np.testing.assert_array_equal(back, there.T[::-1])


def test_zero_is_white_and_both_signs_have_the_same_strength():
    for panel in plot_matrices(small_convolution(), (1, 7, 1)).axes:
        assert panel.images[0].get_clim() == (-3, 3)


def test_a_layer_that_is_not_linear_has_no_matrix():
    with refused(ValueError, "as_matrix", "layer", "ReLU()"):
        plot_matrices(ReLU(), (1, 4, 1))


def test_nothing_stands_outside_the_figure():
    x, labels = make_traces(3, rng=0)
    for figure in (
        plot_traces(x, labels, labels),
        plot_learning_curves(HISTORY),
        plot_confusion(COUNTS),
        plot_losses({"slow": [1.1, 1.0], "fast": [1.1, 0.001]}),
        plot_matrices(small_convolution(), (1, 7, 1)),
        plot_accuracy([3, 5], SCORES, xlabel="noise", trained_on=(3, 4)),
    ):
        figure.draw_without_rendering()
        width, height = size_in_pixels(figure)
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert box.xmin >= 0
        assert box.ymin >= 0
        assert box.xmax <= width
        assert box.ymax <= height


def test_a_history_without_an_epoch_is_refused():
    with refused(ValueError, "plot_learning_curves", "history"):
        plot_learning_curves(History())


def test_without_a_screen_show_says_what_to_do(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib as mpl

    mpl.use("agg")
    with refused(RuntimeError, "show", "screen", "--output DIR"):
        show(Figure())


def test_show_opens_the_very_figures_it_is_given(monkeypatch):
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    opened = []
    monkeypatch.setattr(pyplot, "get_backend", lambda: "tkagg")
    monkeypatch.setattr(
        pyplot, "show", lambda: opened.extend(map(pyplot.figure, pyplot.get_fignums()))
    )
    figures = [Figure(), plot_learning_curves(HISTORY)]
    show(*figures)
    pyplot.close("all")
    assert opened == figures


@pytest.mark.parametrize("module", ["numpycnn", "numpycnn.checks", "numpycnn.training"])
def test_matplotlib_is_imported_only_by_plots(module):
    code = f"import sys, {module}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_the_message_says_how_to_install_it():
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.axes'] = None\n"
        "try: import numpycnn.plots\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "python -m pip install -e '.[plots]'" in done.stdout
