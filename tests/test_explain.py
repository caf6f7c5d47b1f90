"""Activations, receptive fields and saliency, compared with their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nets import along_the_record, lengths
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

import numpycnn as nn
from numpycnn.checks.derivatives import complex_step
from numpycnn.checks.strategies import distinct, networks
from numpycnn.inspection.explain import activations, probabilities, receptive_fields, saliency


def copies(*arrays):
    return [array.copy() for array in arrays]


@given(networks())
def test_the_last_activation_is_the_prediction(case):
    model, x = case
    before = copies(x, *model.params.values())
    seen = activations(model, x)
    assert_array_equal(seen[-1].output, model.predict(x))
    assert [(place, layer) for place, layer, _ in seen] == list(model.walk())
    assert [layer for _, layer, _ in seen] == list(model)
    for (_, layer, output), given_to in zip(seen, [x, *(one.output for one in seen)], strict=False):
        assert_array_equal(layer.forward(given_to)[0], output)
    for array, was in zip([x, *model.params.values()], before, strict=True):
        assert_array_equal(array, was)


# Saliency
# --------


@given(networks(), st.data())
def test_saliency_is_the_derivative_of_the_score_of_each_trace(case, data):
    model, x = case
    labels = np.array([data.draw(st.integers(0, 2)) for _ in x])
    before = copies(x, labels, *model.params.values())
    gradient = saliency(model, x, labels)
    assert gradient.shape == x.shape
    direction = data.draw(distinct(x.shape))

    def own_scores(x):
        return model.predict(x)[np.arange(len(x)), labels]

    truth = complex_step(own_scores, x, direction).middle
    assert_allclose((gradient * direction).sum(axis=(1, 2)), truth, rtol=1e-10, atol=1e-13)
    for array, was in zip([x, labels, *model.params.values()], before, strict=True):
        assert_array_equal(array, was)


def small_network(rng):
    return nn.Sequential(
        nn.Conv1D(1, 4, 5, padding="same", rng=rng),
        nn.ReLU(),
        nn.GlobalMaxPool1D(),
        nn.Dense(4, 3, rng=rng),
    )


@pytest.mark.parametrize(
    ("labels", "kind", "came"),
    [
        (3, ValueError, 3),
        (0.0, TypeError, "float64"),
        ([0, 1], ValueError, (2,)),
        ([0, 1, 3], ValueError, "labels[2]"),
        (True, TypeError, "bool"),
    ],
)
def test_bad_labels_are_refused(labels, kind, came):
    with refused(kind, "saliency", "labels", came):
        saliency(small_network(0), np.zeros((3, 20, 1)), labels)


# Receptive fields
# ----------------


@st.composite
def positive_networks(draw, lengthening):
    """A network that runs along the trace, in float64, and a trace for it.

    Weights, biases and samples are above 0, so a far larger sample reaches every output that
    looks at it: nothing is cut off by a ReLU, and each maximum over it is a new one.
    """
    model, n_channels = draw(along_the_record(lengthening))
    positive = {name: np.abs(array) for name, array in model.params.items()}
    return model.with_params(positive), np.abs(draw(distinct((1, draw(lengths(24)), n_channels))))


@pytest.mark.parametrize("lengthening", [False, True])
@given(data=st.data())
def test_an_output_depends_exactly_on_its_receptive_field(lengthening, data):
    model, x = data.draw(positive_networks(lengthening))
    length = x.shape[1]
    try:
        before = activations(model, x)
    except ValueError:
        return
    i = data.draw(st.integers(0, length - 1))
    disturbed = x.copy()
    disturbed[0, i] += 1e3
    for was, now, field in zip(
        before, activations(model, disturbed), receptive_fields(model, length), strict=True
    ):
        assert (field.place, field.layer) == (was.place, was.layer)
        assert field.receptive_field.n_outputs == was.output.shape[1]
        changed = (was.output != now.output).any(axis=(0, 2))
        for m, has_changed in enumerate(changed):
            first, last = field.receptive_field.span(m)
            if has_changed:
                assert first <= i <= last
            # Up to both ends, unless a softmax rounds the change away. Where a window extends
            # beyond the trace, an output may depend only on zeros that a layer has padded.
            if (
                i in (first, last)
                and 0 <= first <= last < length
                and not any(isinstance(layer, nn.Softmax) for _, layer in model.walk())
            ):
                assert has_changed


# Probabilities
# -------------


def test_probabilities_of_scores_and_of_a_softmax():
    model, x = small_network(0), np.random.default_rng(0).standard_normal((2, 20, 1))
    p = probabilities(model, x)
    scores = model.predict(x)
    assert_allclose(p.sum(axis=-1), 1)
    assert_allclose(np.log(p[:, 1] / p[:, 0]), scores[:, 1] - scores[:, 0], atol=1e-6)
    for end in (
        [nn.Softmax()],
        [nn.Softmax(), nn.Dropout(0.5)],
        [nn.Sequential(nn.Softmax()), nn.Dropout(0.1)],
    ):
        assert_array_equal(probabilities(nn.Sequential(*model, *end), x), p)
    assert_allclose(
        probabilities(nn.Sequential(*model, nn.Softmax(), nn.ReLU()), x), nn.Softmax()(p)
    )
    each = nn.Sequential(nn.Dense(1, 3, rng=0), nn.Softmax())
    for end in (nn.AveragePool1D(2), nn.GlobalAveragePool1D()):
        assert_array_equal(probabilities(nn.Sequential(*each, end), x), end(each(x)))
