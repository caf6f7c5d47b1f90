"""The figures of a network's inside: what is drawn where, from which numbers."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused
from task import task_network

from numpycnn import (
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    Upsample1D,
    make_traces,
)
from numpycnn.inspection.explain import activations, probabilities, receptive_fields, saliency
from numpycnn.plots.inside import (
    plot_equivariance,
    plot_filters,
    plot_inside,
    plot_receptive_fields,
    plot_saliency,
)

X, _ = make_traces(1, rng=5, labels=np.array([1]), center=(20, 20))


def global_network():
    return Sequential(
        Conv1D(1, 8, 5, padding="same", rng=0),
        ReLU(),
        GlobalMaxPool1D(),
        Dense(8, 16, rng=1),
        ReLU(),
        Dense(16, 3, rng=2),
    )


def deep_network():
    """Three channels in, strides and dilation, a signed map at the end, and a Softmax."""
    return Sequential(
        Sequential(Conv1D(3, 6, 7, padding="causal", rng=0), ReLU()),
        MaxPool1D(3, stride=2),
        Conv1D(6, 20, 5, dilation=4, padding="same", rng=1),
        GlobalMaxPool1D(),
        Dense(20, 3, rng=2),
        Softmax(),
    )


MODELS = [
    (task_network(), X),
    (global_network(), X),
    (deep_network(), np.random.default_rng(0).standard_normal((1, 90, 3), dtype=np.float32)),
]
FIGURES = [
    plot_inside,
    plot_saliency,
    plot_receptive_fields,
    partial(plot_equivariance, shift=7),
]


@pytest.mark.parametrize(("model", "x"), MODELS[1:], ids=["global", "deep"])
def test_nothing_stands_outside_the_figures_and_nothing_is_written_to(model, x):
    before = [array.copy() for array in (x, *model.params.values())]
    figures = [plot(model, x) for plot in FIGURES]
    figures.append(plot_filters(next(one for _, one in model.walk()), sample_rate=100))
    for figure in figures:
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * figure.dpi
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert min(box.xmin, box.ymin) >= 0
        assert box.xmax <= width
        assert box.ymax <= height
    for array, was in zip([x, *model.params.values()], before, strict=True):
        assert_array_equal(array, was)


# Filters
# -------


def test_each_filter_is_drawn_beside_its_spectrum():
    layer = Conv1D(2, 3, 5, rng=0)
    figure = plot_filters(layer)
    panels = np.array(figure.axes).reshape(3, 2)
    for f, (taps, spectrum) in enumerate(panels):
        assert taps.get_ylabel() == f"filter {f + 1}"
        assert spectrum.get_xlim() == (0, 0.5)
        for c in range(2):
            assert_array_equal(taps.lines[c].get_xdata(), [1, 2, 3, 4, 5])
            assert_array_equal(taps.lines[c].get_ydata(), layer.params["w"][:, c, f])
            assert taps.lines[c].get_marker() == "o"
            frequency, amplitude = spectrum.lines[c].get_data()
            waves = np.exp(-2j * np.pi * frequency[:, None] * np.arange(5))
            assert_allclose(amplitude, np.abs(waves @ layer.params["w"][:, c, f]), atol=1e-5)
    assert [panel.get_xlabel() for panel in panels[-1]] == [
        "sample under the filter",
        "frequency, cycles/sample",
    ]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["channel 1", "channel 2"]


def test_with_a_sample_rate_frequencies_are_in_hertz():
    spectrum = plot_filters(Conv1D(1, 1, 5, rng=0), sample_rate=100).axes[1]
    assert spectrum.get_xlabel() == "frequency, Hz"
    assert spectrum.get_xlim() == (0, 50)
    assert spectrum.lines[0].get_xdata()[-1] == 50


def test_a_dilated_filter_is_drawn_as_wide_as_it_reaches_and_its_spectrum_repeats():
    taps, spectrum = plot_filters(Conv1D(1, 1, 3, dilation=2, rng=0)).axes
    assert_array_equal(taps.lines[0].get_xdata(), [1, 3, 5])
    amplitude = spectrum.lines[0].get_ydata()
    assert_allclose(amplitude, amplitude[::-1], atol=1e-6)


def test_what_has_no_filters_is_refused():
    with refused(TypeError, "plot_filters", "Conv1D", "ReLU()"):
        plot_filters(ReLU())
    for rate in (0, -1, np.inf, np.nan):
        with refused(ValueError, "plot_filters", "sample_rate", rate):
            plot_filters(Conv1D(1, 1, 3), rate)


# Maps
# ----


def mesh(panel):
    """The edges along the trace, and the numbers, (C, M), of the map in a panel."""
    (drawn,) = panel.collections
    return drawn.get_coordinates()[0, :, 0], np.asarray(drawn.get_array())


def chances_in_words(panel):
    return [text.get_text() for text in panel.texts]


def test_the_maps_of_the_flatten_head_stand_over_the_samples_they_look_at():
    model = task_network()
    trace, rectified, pooled, bars = plot_inside(model, X).axes
    assert_array_equal(trace.lines[0].get_ydata(), X[0, :, 0])
    assert_array_equal(trace.lines[0].get_xdata(), np.arange(1, 65))
    outputs = [one.output[0].T for one in activations(model, X)]
    edges, values = mesh(rectified)
    assert_array_equal(values, outputs[1])
    assert_array_equal(edges, np.arange(65) + 0.5)  # a cell for each sample, centered on it
    edges, values = mesh(pooled)
    assert_array_equal(values, outputs[2])
    assert_array_equal(edges, np.arange(33) * 2 + 0.5)  # a cell for each two samples
    for panel in (rectified, pooled):
        assert panel.get_xlim() == trace.get_xlim() == (0.5, 64.5)
        assert panel.get_ylim() == (8.5, 0.5)  # the first channel on top
        assert not panel.lines
        low, high = panel.collections[0].get_clim()
        assert -low == high == outputs[1].max()
    assert pooled.get_xlabel() == "sample"
    assert rectified.get_title().startswith("Conv1D and ReLU: darkest ")
    assert pooled.get_title().startswith("MaxPool1D: darkest ")

    (row,) = probabilities(model, X)
    assert_allclose([bar.get_width() for bar in bars.patches], row)
    assert chances_in_words(bars) == [
        f"{name}: {chance:.2f}"
        for name, chance in zip(["Quiet", "Positive arrival", "Negative arrival"], row, strict=True)
    ]
    assert bars.get_xlim() == (0, 1)


def test_the_map_before_a_global_maximum_shows_which_sample_won():
    model = global_network()
    model.params["0.w"][:, 0, 3] = 0  # a channel that is zero throughout
    _, rectified, _ = plot_inside(model, X).axes
    values = activations(model, X)[1].output[0]
    channels = [c for c in range(8) if values[:, c].any()]
    assert 3 not in channels
    (winners,) = rectified.lines
    assert_array_equal(winners.get_ydata(), np.array(channels) + 1)
    assert_array_equal(winners.get_xdata(), values[:, channels].argmax(axis=0) + 1)


def test_a_deep_map_is_in_the_middle_of_what_it_looks_at():
    model, x = MODELS[2]
    *_, last, _ = plot_inside(model, x).axes
    edges, _ = mesh(last)
    field = receptive_fields(model, 90)[3]
    first, end = field.receptive_field.span(10)
    assert (edges[10] + edges[11]) / 2 == 1 + (first + end) / 2
    assert edges[11] - edges[10] == field.receptive_field.stride == 2


def test_a_map_made_longer_again_lies_over_the_samples_it_was_made_from():
    model = Sequential(
        MaxPool1D(2), Upsample1D(2), Conv1D(1, 1, 3, padding="same"), GlobalMaxPool1D()
    )
    x = np.zeros((1, 64, 1))
    _, _, doubled, _, _ = plot_inside(Sequential(*model, Dense(1, 3)), x).axes
    edges, _ = mesh(doubled)
    assert_array_equal(edges, np.arange(0.5, 65))


def test_a_model_of_dense_layers_has_no_maps():
    model = Sequential(Flatten(), Dense(64, 3, rng=0))
    assert [panel.get_ylabel() for panel in plot_inside(model, X).axes] == ["amplitude", ""]
    with refused(ValueError, "plot_equivariance", "model", "Flatten"):
        plot_equivariance(model, X, 3)


# The samples that decide
# -----------------------


@pytest.mark.parametrize("label", [None, 0, 2])
def test_gradient_and_gradient_times_input_are_filled_by_sign(label):
    model = task_network()
    trace, gradient, product = plot_saliency(model, X, label).axes
    assert_array_equal(trace.lines[0].get_ydata(), X[0, :, 0])
    shown = probabilities(model, X)[0].argmax() if label is None else label
    name = ("Quiet", "Positive arrival", "Negative arrival")[shown]
    assert gradient.get_title().startswith(f"score of {name}, probability ")
    truth = saliency(model, X, int(shown))[0, :, 0]
    for panel, values in ((gradient, truth), (product, truth * X[0, :, 0])):
        above, below = panel.patches
        assert above.get_facecolor() != below.get_facecolor()
        assert_array_equal(above.get_data().values, values.clip(min=0))
        assert_array_equal(below.get_data().values, values.clip(max=0))
        assert_array_equal(above.get_data().edges, np.arange(65) + 0.5)
        low, high = panel.get_ylim()
        assert -low == high > np.abs(values).max()
    assert product.get_xlabel() == "sample"


def test_several_channels_have_a_curve_each():
    model, x = MODELS[2]
    trace, gradient, _ = plot_saliency(model, x, 1).axes
    truth = saliency(model, x, 1)[0]
    for c in range(3):
        assert_array_equal(gradient.lines[c].get_ydata(), truth[:, c])
        assert trace.lines[c].get_color() == gradient.lines[c].get_color()
    words = [text.get_text() for text in trace.get_legend().get_texts()]
    assert words == ["channel 1", "channel 2", "channel 3"]


# Receptive fields
# ----------------


def test_each_layer_has_a_bar_over_what_its_middle_output_looks_at():
    trace, bars = plot_receptive_fields(task_network(), X).axes
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars.patches]
    everything = (0.5, 64.5)
    assert spans == [(30.5, 35.5), (30.5, 35.5), (30.5, 36.5), *4 * [everything]]
    words = [text.get_text() for text in bars.texts]
    assert words[0] == "5 samples: Conv1D(1, 8, 5, padding='same')"
    assert words[3] == "all 64 samples: Flatten()"
    shaded = {(one.get_x(), one.get_x() + one.get_width()) for one in trace.patches}
    assert shaded == {(30.5, 35.5), (30.5, 36.5)}
    assert bars.get_xlim() == everything


def test_a_bar_may_reach_into_the_padding():
    model = Sequential(ReLU(), Conv1D(1, 1, 9, padding=8))
    _, bars = plot_receptive_fields(model, np.zeros((1, 4, 1))).axes
    assert bars.texts[0].get_text() == "1 sample: ReLU()"
    assert bars.get_xlim() == (-1.5, 7.5)  # output 6 of 12 looks at samples -1 … 7


# Equivariance
# ------------


@pytest.mark.parametrize("shift", [10, -10, 0, 63])
def test_the_map_moves_with_the_trace(shift):
    model = global_network()
    trace, here, there, bars = plot_equivariance(model, X, shift).axes
    before, after = (line.get_ydata() for line in trace.lines)
    kept = slice(max(0, shift), 64 + min(0, shift))
    origin = slice(max(0, -shift), 64 - max(0, shift))
    assert_array_equal(before, X[0, :, 0])
    assert_array_equal(after[kept], before[origin])
    assert not np.delete(after, np.arange(64)[kept]).any()
    words = [text.get_text() for text in trace.get_legend().get_texts()]
    assert words == ["as it is", f"shifted by {shift}"]

    (_, one), (_, other) = mesh(here), mesh(there)
    assert here.collections[0].get_clim() == there.collections[0].get_clim()
    inner = slice(kept.start + 2, kept.stop - 2)  # two samples from the ends, where zeros come in
    if inner.start < inner.stop:
        moved = slice(inner.start - shift, inner.stop - shift)
        assert_allclose(other[:, inner], one[:, moved], atol=1e-6)

    shifted = np.zeros_like(X)
    shifted[:, kept] = X[:, origin]
    rows = probabilities(model, np.concatenate([X, shifted]))
    assert_allclose([bar.get_width() for bar in bars.patches], rows.ravel(), rtol=1e-5)
    assert chances_in_words(bars)[0] == (
        f"Quiet: {rows[0, 0]:.2f} as it is, {rows[1, 0]:.2f} shifted by {shift}"
    )
    looks = [(bar.get_facecolor(), bar.get_hatch()) for bar in bars.patches]
    assert len(set(looks[:3])) == len(set(looks[3:])) == 1  # the classes of one trace look alike
    (color, hatch), (other_color, other_hatch) = looks[0], looks[3]
    assert color != other_color
    assert hatch != other_hatch


# What cannot be drawn
# --------------------


@pytest.mark.parametrize("plot", FIGURES)
@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (np.zeros((2, 64, 1)), ["(1, L, C)", (2, 64, 1), "x[:1]"]),
        (np.zeros((64, 1)), ["(1, L, C)", (64, 1), "x[:1]"]),
        (np.full((1, 64, 1), np.inf), ["inf", "x[0, 0, 0]"]),
    ],
)
def test_anything_but_one_trace_is_refused(plot, x, parts):
    name = getattr(plot, "func", plot).__name__
    with refused(ValueError, name, "x", *parts):
        plot(global_network(), x)
    with refused(TypeError, name, "Sequential", "ReLU()"):
        plot(ReLU(), X)


@pytest.mark.parametrize(
    ("plot", "arguments", "parts"),
    [
        (plot_saliency, [X, 3], ["label", 3]),
        (plot_saliency, [X, -1], ["label", -1]),
        (plot_equivariance, [X, 64], ["shift", "L=64", 64]),
        (plot_equivariance, [X, -64], ["shift", -63, -64]),
        (plot_inside, [X, ("a", "b")], ["class_names", 3, ("a", "b")]),
    ],
)
def test_what_has_no_name_or_no_place_is_refused(plot, arguments, parts):
    with refused(ValueError, plot.__name__, *parts):
        plot(global_network(), *arguments)


def test_a_model_without_a_row_of_scores_is_refused():
    with refused(ValueError, "plot_inside", "model", (1, 64, 8)):
        plot_inside(Sequential(*global_network().layers[:2]), X)


@pytest.mark.parametrize("number", [1.5, "1", True])
@pytest.mark.parametrize(("plot", "name"), [(plot_saliency, "label"), (plot_equivariance, "shift")])
def test_labels_and_shifts_are_whole_numbers(plot, name, number):
    with refused(TypeError, plot.__name__, name, repr(number)):
        plot(global_network(), X, number)
