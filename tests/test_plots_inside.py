"""The figures of a network's inside: what is drawn where, from which numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from task import task_network

import numpycnn as nn
from numpycnn.inspection.explain import probabilities, saliency
from numpycnn.plots import (
    plot_equivariance,
    plot_receptive_fields,
    plot_saliency,
)

X, _ = nn.make_traces(1, rng=5, labels=np.array([1]), center=(20, 20))


def global_network():
    return nn.Sequential(
        nn.Conv1D(1, 8, 5, padding="same", rng=0),
        nn.ReLU(),
        nn.GlobalMaxPool1D(),
        nn.Dense(8, 16, rng=1),
        nn.ReLU(),
        nn.Dense(16, 3, rng=2),
    )


# Maps
# ----


def mesh(panel):
    """The edges along the trace, and the numbers, (C, M), of the map in a panel."""
    (drawn,) = panel.collections
    return drawn.get_coordinates()[0, :, 0], np.asarray(drawn.get_array())


def chances_in_words(panel):
    return [text.get_text() for text in panel.texts]


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
