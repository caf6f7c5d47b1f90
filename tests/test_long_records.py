"""A long record predicted in pieces has the same outputs as the whole record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nets import along_the_record, lengths, picker
from numpy.testing import assert_allclose
from refusals import bad_values, refused_value

import numpycnn as nn
from numpycnn.checks.strategies import distinct, sizes


@given(along_the_record(), st.data(), sizes(1, 20))
def test_pieces_predict_the_same_as_the_whole_record(case, data, piece):
    model, n_channels = case
    x = data.draw(distinct((data.draw(sizes(1, 2)), data.draw(lengths(60)), n_channels)))
    try:
        whole = model.predict(x)
    except ValueError as too_short:
        with pytest.raises(ValueError, match=str(too_short)[:6]):
            nn.predict_long(model, x, piece)
    else:
        assert_allclose(nn.predict_long(model, x, piece), whole, rtol=1e-12, atol=1e-13)


@given(along_the_record(), st.data(), sizes(1, 30))
def test_outputs_that_depend_on_a_gap_are_nan_and_all_others_are_computed(case, data, piece):
    model, n_channels = case
    length = data.draw(st.integers(20, 60))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, length, n_channels))
    try:
        whole = model(x)
    except ValueError:  # too short
        return
    first = data.draw(st.integers(0, length - 1))
    stop, channel = data.draw(st.integers(first + 1, length)), data.draw(sizes(1, n_channels)) - 1
    gap, other = x.copy(), x.copy()
    gap[:, first:stop, channel] = np.nan
    other[:, first:stop, channel] = 100 * rng.standard_normal((1, stop - first))
    y = nn.predict_long(model, gap, piece)
    assert np.isnan(y[abs(model(other) - whole) > 1e-9]).all()
    known = ~np.isnan(y)
    assert_allclose(y[known], whole[known], rtol=1e-12, atol=1e-13)
    window = model.receptive_field(length)
    for output in range(y.shape[1]):
        low, high = window.span(output)
        if high < first or low >= stop:
            assert known[0, output].all()


@pytest.mark.parametrize("layer", [nn.Flatten(), nn.GlobalMaxPool1D(), nn.Residual(nn.Flatten())])
def test_a_layer_over_the_whole_record_is_refused(layer):
    with pytest.raises(ValueError, match=rf"^predict_long\b.*\bmodel\b.*{type(layer).__name__}"):
        nn.predict_long(nn.Sequential(nn.Conv1D(1, 2, 3), layer), np.zeros((1, 50, 1)))


@bad_values(
    {
        "piece": [0, 1.5, "64"],
        "x": [
            np.zeros(50),
            np.zeros((0, 50, 1)),
            np.zeros((1, 50, 1), np.int32),
            np.ma.zeros((1, 50, 1)),
            [[[1.0]]],
        ],
        "model": ["model.npz"],
    }
)
def test_bad_arguments_are_refused(name, value):
    arguments = {"model": picker(), "x": np.zeros((1, 50, 1)), name: value}
    with refused_value("predict_long", name, value):
        nn.predict_long(**arguments)
