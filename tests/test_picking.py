"""Onsets become a curve, picks are the peaks of a curve, and picks are compared with onsets."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused, refused_value

from numpycnn.seismology.picking import compare_picks, noise_of, onset_targets, pick_peaks

places = st.lists(st.integers(0, 59), unique=True, max_size=6).map(
    lambda p: np.array(sorted(p), int)
)
curves = st.lists(st.integers(-2, 4), min_size=1, max_size=30).map(lambda c: np.array(c) / 4)

# The level of the noise
# ----------------------


def test_the_median_of_each_channel_and_the_deviation_from_it():
    x = np.random.default_rng(0).normal([100, -7], 3, (4001, 2)).astype(np.float32)
    x[::10] = 1e6  # an arrival in ten samples does not make the noise large
    middle, size = noise_of(x)
    assert middle.dtype == float
    assert_array_equal(middle, np.median(x, axis=0))
    assert_allclose(middle, [100, -7], atol=0.6)
    assert_allclose(size, np.median(abs(x.astype(float) - np.median(x, axis=0))) / 0.6745)
    assert_allclose(size, 3, rtol=0.2)
    assert noise_of(np.full((9, 1), 4.0))[1] == 1


@bad_values(
    {
        "x": [
            np.zeros(9),
            np.zeros((1, 9, 1), int),
            np.zeros((0, 1)),
            np.full((9, 1), np.nan),
            np.full((9, 1), np.inf),
            np.zeros((9, 1), complex),
            np.ma.zeros((9, 1)),
            [[1.0]],
            None,
        ]
    }
)
def test_bad_records_are_refused(name, value):
    with refused_value("noise_of", name, value):
        noise_of(value)


# Targets
# -------


@given(st.lists(places, min_size=1, max_size=4), st.floats(0.3, 9))
def test_targets_are_probabilities_with_a_gaussian_at_each_onset(onsets, width):
    rows = onset_targets(onsets, 60, width)
    assert rows.shape == (len(onsets), 60, 2)
    assert rows.dtype == np.float32
    assert_allclose(rows.sum(axis=-1), 1, atol=1e-6)
    for row, here in zip(rows[..., 1], onsets, strict=True):
        for sample, value in enumerate(row):
            bells = [np.exp(-0.5 * ((sample - onset) / width) ** 2) for onset in here]
            assert value == pytest.approx(max(bells, default=0), abs=1e-6)


BAD_ONSETS = [
    ([[5.0]], "onsets[0]", "float64"),
    ([[1], ["5"]], "onsets[1]", "5"),
    ([[1], np.array([60], np.uint8)], "onsets[1]", 60),
    ([np.array([2**64 - 1], np.uint64)], "onsets[0]", 2**64 - 1),
    ([[-1, 3]], "onsets[0]", -1),
    ([np.array([5, 3], np.uint8)], "onsets[0]", "[5 3]"),
    ([[1], np.ma.masked_array([5])], "onsets[1]", "masked"),
    ([5, 7], "onsets[0]", 5),
    (5, "onsets", 5),
]


@pytest.mark.parametrize(("onsets", "name", "value"), BAD_ONSETS)
def test_bad_onsets_are_refused(onsets, name, value):
    with refused((TypeError, ValueError), "onset_targets", name, value):
        onset_targets(onsets, 60, 2.0)


@bad_values({"n_samples": [1.5, 0], "width": [0, -1, np.nan, np.inf, "a", None, [2.0]]})
def test_bad_arguments_of_targets_are_refused(name, value):
    with refused_value("onset_targets", name, value):
        onset_targets(**{"onsets": [[1]], "n_samples": 60, "width": 2.0, name: value})


# Peaks
# -----


@given(curves, st.sampled_from([-0.5, 0.25, 0.5, 1.0]), st.integers(1, 6))
@example(np.array([-0.25, -0.5, -0.25]), -0.5, 1)  # what lies outside is lower than any number
def test_a_peak_is_the_first_maximum_of_its_neighborhood(curve, threshold, apart):
    literal = []
    for place, value in enumerate(curve):
        before = curve[max(0, place - apart) : place]
        behind = curve[place + 1 : place + 1 + apart]
        if value >= threshold and (before < value).all() and (behind <= value).all():
            literal.append(place)
    picks = pick_peaks(curve, threshold, apart)
    assert_array_equal(picks, literal)
    assert (np.diff(picks) > apart).all()


@bad_values(
    {
        "curve": [np.zeros((2, 3)), np.zeros(0), np.array([0.1, np.nan]), np.ma.ones(2), [0.1]],
        "apart": [0, 1.5, "3"],
        "threshold": [np.nan, np.inf, "0.5", None],
    }
)
def test_bad_arguments_of_peaks_are_refused(name, value):
    with refused_value("pick_peaks", name, value):
        pick_peaks(**{"curve": np.zeros(9), "threshold": 0.5, "apart": 3, name: value})


# Comparison
# ----------


@given(st.lists(st.tuples(places, places), max_size=4), st.integers(0, 9))
def test_found_missed_and_false_picks_add_up(pairs, tolerance):
    picks, onsets = [p for p, _ in pairs], [o for _, o in pairs]
    result = compare_picks(picks, onsets, tolerance)
    assert len(result.errors) + result.n_missed == sum(map(len, onsets))
    assert len(result.errors) + result.n_false == sum(map(len, picks))
    assert (abs(result.errors) <= tolerance).all()
    assert result.n_missed >= 0
    assert result.n_false >= 0
    exchanged = compare_picks(onsets, picks, tolerance)
    assert 0 <= result.score <= 1
    assert len(exchanged.errors) == len(result.errors)


def test_the_mean_and_the_spread_of_the_errors():
    result = compare_picks([np.array([12, 30, 54])], [np.array([10, 30, 50])], tolerance=5)
    assert result.mean_error == 2
    assert result.spread == pytest.approx(np.std([2, 0, 4]))
    none = compare_picks([np.array([], int)], [np.array([], int)], tolerance=5)
    assert np.isnan([none.mean_error, none.spread, none.share_found]).all()
    assert none.score == 0
    assert none.errors.dtype == int


@pytest.mark.parametrize("pick_type", ["u1", "i1", ">u2", "<i4", "u8", "f4"])
@pytest.mark.parametrize("onset_type", ["u1", "i1", ">i2", "u4", "i8"])
def test_picks_and_onsets_may_be_of_any_type(pick_type, onset_type):
    """In uint32 98 - 100 is 4,294,967,294, and in int8 100 - -100 is -56."""
    picks, onsets = np.array([0, 98, 127], pick_type), np.array([2, 100, 120], onset_type)
    result = compare_picks([picks], [onsets], np.uint8(7))
    assert_array_equal(result.errors, [-2, -2, 7])
    assert result.mean_error == 1
    far = compare_picks([np.array([100], "i1")], [np.array([-100], "i1")], 250)
    assert_array_equal(far.errors, [200])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("tolerance", np.nan, "nan"),
        ("tolerance", -1, -1),
        ("tolerance", "5", "'5'"),
        ("picks", [[np.nan]], "nan"),
        ("picks", [5], 5),
        ("picks", [np.ma.masked_array([5])], "masked"),
        ("picks", [[1], [2]], 1),
        ("onsets", [[np.inf]], "inf"),
        ("onsets", [np.array([2**63], np.uint64)], 2**63),
    ],
)
def test_bad_arguments_of_the_comparison_are_refused(name, value, shown):
    arguments = {"picks": [[1]], "onsets": [[1]], "tolerance": 5, name: value}
    with refused((TypeError, ValueError), "compare_picks", name, shown):
        compare_picks(**arguments)
