"""No layer that is right is accused: not in float32, not saturated, not at extreme scales.

The long version, ten thousand cases, runs with `pytest -m long`.
"""

import numpy as np
import pytest
from corpora.other_points import InSingle
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import numpycnn as nn
from numpycnn.checks.strategies import (
    distinct,
    generators,
    layers_and_inputs,
    sizes,
    with_random_params,
)

CLASSIFIER = nn.Sequential(nn.Dense(3, 4), nn.ReLU(), nn.Dense(4, 3), nn.Softmax())
scales = st.sampled_from([1e-12, 1e-6, 1e-3, 1.0, 1.0, 30.0, 1e3, 1e6, 1e12])


@st.composite
def losses(draw):
    n_rows, n_classes = draw(sizes(1, 5)), draw(sizes(1, 4))
    labels = draw(generators).integers(0, n_classes, n_rows)
    scores = draw(distinct((n_rows, n_classes)))
    if draw(st.booleans()):
        return lambda x: nn.softmax_cross_entropy(x, labels), scores * draw(scales)
    return lambda x: nn.cross_entropy(x, labels), nn.Softmax().forward(scores)[0]


@st.composite
def saturated_networks(draw):
    """A classifier whose softmax is sure, and whose gradients are differences of near equals."""
    model = draw(with_random_params(CLASSIFIER))
    factor = draw(st.sampled_from([1.0, 5.0, 20.0, 100.0]))
    params = {name: factor * array for name, array in model.params.items()}
    return model.with_params(params), draw(distinct((draw(sizes(1, 4)), 3)))


@st.composite
def right_ones(draw):
    """A layer or a loss that is right, of either type of float, at some scale, and an input."""
    subject, x = draw(st.one_of(layers_and_inputs(), saturated_networks(), losses()))
    if hasattr(subject, "forward"):
        dtype = draw(st.sampled_from([np.float32, np.float64]))
        factor = draw(scales)
        params = {name: (factor * a).astype(dtype) for name, a in subject.params.items()}
        subject, x = subject.with_params(params), (x * draw(scales)).astype(dtype)
    return subject, x


def accuse(case, rng):
    subject, x = case
    report = nn.check_gradients(subject, x, rng=rng)
    assert report.status != "incorrect", f"{subject!r}\n{report}"


@given(right_ones(), generators)
def test_nothing_that_is_right_is_accused(case, rng):
    accuse(case, rng)


@pytest.mark.long
@settings(max_examples=10_000)
@given(right_ones(), generators)
def test_nothing_in_ten_thousand_that_is_right_is_accused(case, rng):
    accuse(case, rng)


@pytest.mark.long
@settings(max_examples=50)  # these take seconds
@given(right_ones().filter(lambda case: hasattr(case[0], "forward")), generators)
def test_nor_is_code_in_float32(case, rng):
    layer = InSingle(case[0])
    assume(all(np.abs(array).max() < 1e6 for array in (case[1], *layer.params.values())))
    accuse((layer, case[1]), rng)


@pytest.mark.long
@pytest.mark.parametrize("seed", [31, 33])
def test_nor_where_a_softmax_is_certain_and_other_units_are_zero_at_size_one(seed):
    rng = np.random.default_rng(seed)
    model = CLASSIFIER.astype(float)
    params = {name: 20 * rng.uniform(-1, 1, a.shape) for name, a in model.params.items()}
    x = 20 * rng.uniform(-1, 1, (4, 3))
    assert nn.check_gradients(model.with_params(params), x, rng=seed).status != "incorrect"


LONG = [pytest.param(seed, marks=pytest.mark.long) for seed in (97, 113, 119)]


@pytest.mark.parametrize("seed", [11, *LONG])
def test_nor_where_outputs_are_equal_by_rounding_alone(seed):
    """Beside a bias of 1e-13 what 1e-25 makes of it is rounded to the same number twice."""
    rng = np.random.default_rng(seed)
    layers = nn.Conv1D(1, 3, 3, padding=1), nn.ReLU(), nn.Conv1D(3, 4, 1), nn.MaxPool1D(3, stride=1)
    model = nn.Sequential(*layers, nn.GlobalMaxPool1D(), nn.Dense(4, 3))
    tiny = {
        name: (rng.uniform(-1, 1, array.shape) * 6e-13).astype(np.float32)
        for name, array in model.params.items()
    }
    x = (rng.uniform(-1, 1, (2, 12, 1)) * 1e-12).astype(np.float32)
    assert nn.check_gradients(model.with_params(tiny), x, rng=seed).status != "incorrect"


@settings(max_examples=settings.default.max_examples // 4)
@given(layers_and_inputs(), generators)
def test_nor_by_central_differences(case, rng):
    # A stride can leave out every sample of a short trace: then nothing can be tested.
    y, cache = case[0].forward(case[1])
    dx, grads = case[0].backward(rng.standard_normal(y.shape), cache)
    for result in nn.check_gradients(*case, method="central", rng=rng).results:
        gradient = {"input": dx, **grads}[result.name]
        assert result.ok or (result.status == "undecided" and not gradient.any())
