"""A long record in pieces gives what it gives as a whole, in memory that does not grow with it."""

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import along_the_record, lengths, picker
from numpy.testing import assert_allclose

from numpycnn import (
    Conv1D,
    Flatten,
    GlobalMaxPool1D,
    Layer,
    ReLU,
    Residual,
    Sequential,
    predict_long,
)
from numpycnn.checks.strategies import distinct, sizes
from numpycnn.layers import ReceptiveField
from numpycnn.seismology.long_records import cut


@settings(max_examples=200)
@given(along_the_record(), st.data(), sizes(1, 20))
def test_in_pieces_as_in_whole(case, data, piece):
    model, n_channels = case
    x = data.draw(distinct((data.draw(sizes(1, 2)), data.draw(lengths(60)), n_channels)))
    try:
        whole = model.predict(x)
    except ValueError as too_short:
        with pytest.raises(ValueError, match=str(too_short)[:20]):
            predict_long(model, x, piece)
    else:
        assert_allclose(predict_long(model, x, piece), whole, rtol=1e-12, atol=1e-13)


@settings(max_examples=100)
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
    y = predict_long(model, gap, piece)
    assert np.isnan(y[abs(model(other) - whole) > 1e-9]).all()
    known = ~np.isnan(y)
    assert_allclose(y[known], whole[known], rtol=1e-12, atol=1e-13)
    window = model.receptive_field(length)
    for output in range(y.shape[1]):
        low, high = window.span(output)
        if high < first or low >= stop:
            assert known[0, output].all()


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


@pytest.mark.parametrize("layer", [Flatten(), GlobalMaxPool1D(), Residual(Flatten())])
def test_a_layer_that_looks_at_the_whole_record_is_refused(layer):
    with pytest.raises(ValueError, match=rf"^predict_long\b.*\bmodel\b.*{type(layer).__name__}"):
        predict_long(Sequential(Conv1D(1, 2, 3), layer), np.zeros((1, 50, 1)))


class Smooth(Layer):
    """A mean of three neighbors, by a reader who has not heard of windows."""

    def forward(self, x):
        return (x[:, :-2] + x[:, 1:-1] + x[:, 2:]) / 3, None


class SmoothThatTells(Smooth):
    def receptive_field(self, length):
        return ReceptiveField([(0, 2)], stride=1, n_outputs=length - 2)


def test_a_layer_of_ones_own_takes_part_once_it_tells_what_it_looks_at():
    x = np.random.default_rng(0).standard_normal((1, 50, 1))
    words = r"^predict_long\b.*\bmodel\b.*Smooth.*receptive_field\(length\)"
    with pytest.raises(ValueError, match=words):
        predict_long(Sequential(ReLU(), Smooth()), x, piece=7)
    model = Sequential(ReLU(), SmoothThatTells(), Conv1D(1, 2, 3, padding="same", rng=0))
    assert_allclose(predict_long(model, x, piece=7), model.predict(x))
    assert_allclose(predict_long(SmoothThatTells(), x, piece=7), SmoothThatTells()(x))


class Halved(Sequential):
    """A chain with a forward of its own: half of what comes out."""

    def forward(self, x):
        y, cache = super().forward(x)
        return y / 2, cache


class HalvedThatTells(Halved):
    def receptive_field(self, length):
        return super().receptive_field(length)


def test_a_forward_of_ones_own_is_not_left_out():
    x = np.random.default_rng(0).standard_normal((1, 50, 1))
    layers = Conv1D(1, 2, 5, padding="same", rng=0), ReLU()
    model = Sequential(HalvedThatTells(*layers))
    assert_allclose(predict_long(model, x, piece=7), Sequential(*layers).predict(x) / 2)
    # Nobody knows whether such a forward looks beyond the windows of the layers inside.
    with pytest.raises(ValueError, match=r"\bHalved\b.*receptive_field\(length\)"):
        predict_long(Halved(*layers), x, piece=7)


@pytest.mark.parametrize(
    ("name", "bad", "value"),
    [
        ("piece", 0, "0"),
        ("piece", 1.5, "1.5"),
        ("piece", "64", "'64'"),
        ("x", np.zeros(50), "(50,)"),
        ("x", np.zeros((0, 50, 1)), "(0, 50, 1)"),
        ("x", np.zeros((1, 50, 1), np.int32), "int32"),
        ("x", np.ma.zeros((1, 50, 1)), "mask"),
        ("x", [[[1.0]]], "list"),
    ],
)
def test_bad_pieces_and_records_are_named(name, bad, value):
    arguments = {"model": picker(), "x": np.zeros((1, 50, 1)), name: bad}
    words = rf"^predict_long\b(?=.*\b{name}\b).*{re.escape(value)}"
    with pytest.raises((TypeError, ValueError), match=words):
        predict_long(**arguments)


def test_short_records_and_what_is_no_model_are_named():
    with pytest.raises(ValueError, match=r"^Conv1D\b.*\bx\b.*\b5\b"):
        predict_long(Sequential(Conv1D(1, 2, 5)), np.zeros((1, 3, 1)))
    with pytest.raises(TypeError, match=r"^predict_long\b.*layer.*'model\.npz'"):
        predict_long("model.npz", np.zeros((1, 50, 1)))
    for length in (0, 1.5, "50"):
        with pytest.raises((TypeError, ValueError), match=rf"\blength\b.*{length}"):
            list(cut(picker(), length))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gap_stays_a_gap_and_the_rest_is_predicted(bad):
    model = Sequential(Conv1D(1, 2, 5, padding="same", rng=0))
    x = np.random.default_rng(0).standard_normal((1, 400, 1))
    whole = model.predict(x)
    x[0, 200] = bad
    with np.errstate(invalid="ignore"):
        y = predict_long(model, x, piece=64)
    gap = ~np.isfinite(y).all(axis=(0, 2))
    assert gap[198:203].all()
    assert gap.sum() <= 5 + 4  # a product with zero taps beside it may be NaN as well
    assert_allclose(y[:, ~gap], whole[:, ~gap])
