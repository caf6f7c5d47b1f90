"""The figures: what is drawn, between which limits, and under which labels."""

import numpy as np
import pytest
from refusals import refused

from numpycnn import Conv1D, History, make_traces
from numpycnn.plots import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_losses,
    plot_matrices,
    plot_traces,
)

HISTORY = History(
    loss=[1.1, 0.5, 0.01],
    accuracy=[0.3, 0.8, 1.0],
    val_loss=[1.0, 0.6, 0.2],
    val_accuracy=[0.4, 0.7, 0.9],
)


def test_traces_are_drawn_one_below_the_other_as_the_task_asks():
    x, labels = make_traces(3, rng=0)
    figure = plot_traces(x, labels, [0, 2, 2])
    assert [panel.get_title() for panel in figure.axes] == [
        "Quiet -> Quiet",
        "Positive arrival -> Negative arrival",
        "Negative arrival -> Negative arrival",
    ]
    for panel, trace in zip(figure.axes, x, strict=True):
        (line,) = panel.lines
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 65))
        np.testing.assert_array_equal(line.get_ydata(), trace[:, 0])
        assert panel.get_ylim() == (-1.05, 1.05)
        assert panel.get_ylabel() == "amplitude"
    assert [panel.get_xlabel() for panel in figure.axes] == ["", "", "sample"]


ARGUMENTS = {
    plot_traces: {"x": np.zeros((3, 64, 1)), "labels": [0, 1, 2], "predicted": [0, 1, 2]},
    plot_accuracy: {"at": [3, 5], "xlabel": "noise"},
}
REFUSED = [
    (plot_traces, {"x": np.zeros((3, 64))}, ["x", "(N, L, C=1)", "(3, 64)", "x[..., None]"]),
    (plot_traces, {"labels": [0, 1]}, ["labels", "(3,)", "(2,)"]),
    (plot_traces, {"labels": [0, 1, 3]}, ["labels", 3, "labels[2]"]),
    (plot_traces, {"predicted": [0.0, 1.0, 2.0]}, ["predicted", "float64"]),
    (plot_traces, {"predicted": [0, -1, 2]}, ["predicted", -1, "predicted[1]"]),
    (plot_losses, {"losses": {}}, ["losses", 0]),
    (plot_losses, {"losses": {str(i): [1.0] for i in range(6)}}, ["losses", 6]),
    (plot_confusion, {"counts": np.ones((2, 3), int)}, ["counts", "(3, 3)"]),
    (plot_confusion, {"counts": np.eye(3) / 2}, ["counts", "(3, 3)"]),
    (plot_accuracy, {"curves": {}}, ["curves", 0]),
    (plot_accuracy, {"curves": {"a": np.ones((2, 3))}}, ["a", "M=2", (2, 3)]),
    (plot_learning_curves, {"history": History()}, ["history"]),
]


@pytest.mark.parametrize(("plot", "change", "parts"), REFUSED)
def test_bad_arguments_are_refused(plot, change, parts):
    with refused((TypeError, ValueError), plot.__name__, *parts):
        plot(**ARGUMENTS.get(plot, {}) | change)


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
