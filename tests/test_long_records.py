"""A long record in pieces gives what it gives as a whole, in memory that does not grow with it."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from numpycnn import (
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    predict_long,
)
from numpycnn.checks.strategies import distinct, paddings, sizes, with_random_params


@st.composite
def fully_convolutional(draw):
    """A chain of up to four layers, some of them convolutions of every kind, in float64."""
    layers, n_channels = [], draw(sizes(1, 2))
    first_channels = n_channels
    for _ in range(draw(sizes(1, 4))):
        kind = draw(st.sampled_from(["conv", "conv", "pool", "plain", "chain"]))
        if kind == "conv":
            options = {
                "stride": draw(sizes(1, 3)),
                "padding": draw(paddings),
                "dilation": draw(sizes(1, 3)),
            }
            layers.append(Conv1D(n_channels, draw(sizes(1, 3)), draw(sizes(1, 4)), **options))
            n_channels = layers[-1].out_channels
        elif kind == "pool":
            layers.append(MaxPool1D(draw(sizes(1, 3)), stride=draw(sizes(1, 4))))
        elif kind == "chain":
            layers.append(Sequential(Dense(n_channels, 2), Softmax()))
            n_channels = 2
        else:
            layers.append(ReLU())
    return draw(with_random_params(Sequential(*layers))), first_channels


@settings(max_examples=300)
@given(fully_convolutional(), st.data(), sizes(1, 20))
def test_in_pieces_as_in_whole(case, data, piece):
    model, n_channels = case
    x = data.draw(distinct((data.draw(sizes(1, 2)), data.draw(sizes(1, 60)), n_channels)))
    try:
        whole = model.predict(x)
    except ValueError as too_short:
        with pytest.raises(ValueError, match=str(too_short)[:20]):
            predict_long(model, x, piece)
    else:
        assert_allclose(predict_long(model, x, piece), whole, rtol=1e-12, atol=1e-13)


def picker():
    """A dense predictor: two scores for every sample."""
    return Sequential(
        Conv1D(1, 4, 7, padding="same", rng=0),
        ReLU(),
        Conv1D(4, 4, 5, padding="same", dilation=4, rng=1),
        ReLU(),
        Dense(4, 2, rng=2),
    )


def test_a_day_at_a_hundred_hertz():
    model, day = picker(), 8_640_000
    x = np.random.default_rng(0).standard_normal((1, day, 1), dtype=np.float32)
    tracemalloc.start()
    try:
        y = predict_long(model, x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert y.shape == (1, day, 2)
    assert peak < 2.2 * y.nbytes  # the result, once in pieces and once in one; the maps are small
    for start in (0, 65_536 * 7 - 50, day - 100):
        # A stretch with a receptive field to spare, by itself, gives the same in its middle.
        low, high = max(0, start - 30), min(day, start + 130)
        alone = model.predict(x[:, low:high])
        inner = slice(start - low, start - low + 100)
        assert_allclose(y[:, start : start + 100], alone[:, inner], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [Flatten(), GlobalMaxPool1D()])
def test_a_layer_that_looks_at_the_whole_record_is_refused(layer):
    with pytest.raises(ValueError, match="expected layers whose outputs each look at a stretch"):
        predict_long(Sequential(Conv1D(1, 2, 3), layer), np.zeros((1, 50, 1)))


def test_bad_pieces_and_records_are_refused():
    with pytest.raises(ValueError, match="predict_long expected piece to be 1 or more, got 0"):
        predict_long(picker(), np.zeros((1, 50, 1)), piece=0)
    with pytest.raises(
        ValueError, match=r"predict_long expected x of shape \(N, L, C\), got \(50,\)"
    ):
        predict_long(picker(), np.zeros(50))
    with pytest.raises(ValueError, match="Conv1D expected x with at least 5 samples"):
        predict_long(Sequential(Conv1D(1, 2, 5)), np.zeros((1, 3, 1)))
