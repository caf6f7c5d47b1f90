"""The figures: what is drawn, between which limits, and under which labels."""

import numpy as np
import pytest
from refusals import refused
from task import task_network

from numpycnn import History, make_traces
from numpycnn.inspection.explain import saliency
from numpycnn.plots import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_losses,
    plot_receptive_fields,
    plot_saliency,
    plot_traces,
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
    (plot_traces, {"labels": [0, 1, 3]}, ["labels", 3, "labels[2]"]),
    (plot_traces, {"predicted": [0.0, 1.0, 2.0]}, ["predicted", "float64"]),
    (plot_losses, {"losses": {}}, ["losses", 0]),
    (plot_losses, {"losses": {str(i): [1.0] for i in range(6)}}, ["losses", 6]),
    (plot_confusion, {"counts": np.ones((2, 3), int)}, ["counts", "(3, 3)"]),
    (plot_accuracy, {"curves": {}}, ["curves", 0]),
    (plot_accuracy, {"curves": {"a": np.ones((2, 3))}}, ["a", "M=2", (2, 3)]),
    (plot_learning_curves, {"history": History()}, ["history"]),
]


@pytest.mark.parametrize(("plot", "change", "parts"), REFUSED)
def test_bad_arguments_are_refused(plot, change, parts):
    with refused((TypeError, ValueError), plot.__name__, *parts):
        plot(**ARGUMENTS.get(plot, {}) | change)


@pytest.mark.parametrize("label", [0, 2])
def test_gradient_and_gradient_times_input_are_filled_by_sign(label):
    x, _ = make_traces(1, rng=5)
    _, gradient, product = plot_saliency(task_network(), x, label).axes
    truth = saliency(task_network(), x, label)[0, :, 0]
    for panel, values in ((gradient, truth), (product, truth * x[0, :, 0])):
        above, below = (area.get_data().values for area in panel.patches)
        np.testing.assert_array_equal(above, values.clip(min=0))
        np.testing.assert_array_equal(below, values.clip(max=0))


def test_each_layer_has_a_bar_over_the_receptive_field_of_its_middle_output():
    _, bars = plot_receptive_fields(task_network(), make_traces(1, rng=0)[0]).axes
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars.patches]
    assert spans == [(30.5, 35.5), (30.5, 35.5), (30.5, 36.5), *4 * [(0.5, 64.5)]]
