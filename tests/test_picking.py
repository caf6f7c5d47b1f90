"""Onsets become a curve, a curve becomes picks, and picks are compared with onsets."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from numpycnn.picking import (
    ENOUGH,
    compare_picks,
    noise_of,
    onset_targets,
    pick_peaks,
    require_onsets,
    spaced,
)

places = st.lists(st.integers(0, 59), unique=True, max_size=6).map(
    lambda p: np.array(sorted(p), int)
)
few = settings(max_examples=30)
curves = st.lists(st.integers(-2, 4), min_size=1, max_size=30).map(lambda c: np.array(c) / 4)

# The size of the noise
# ---------------------


def test_the_middle_of_each_channel_and_the_deviation_around_it():
    x = np.random.default_rng(0).normal([100, -7], 3, (4001, 2)).astype(np.float32)
    x[::10] = 1e6  # an arrival in ten samples does not make the noise large
    middle, size = noise_of(x)
    assert middle.dtype == float
    assert_array_equal(middle, np.median(x, axis=0))
    assert_allclose(middle, [100, -7], atol=0.6)
    assert_allclose(size, np.median(abs(x.astype(float) - np.median(x, axis=0))) / 0.6745)
    assert_allclose(size, 3, rtol=0.2)
    assert noise_of(np.full((9, 1), 4.0))[1] == 1
    with pytest.raises(ValueError, match=r"^noise_of expected x of shape \(L, C\), got \(9,\)"):
        noise_of(np.zeros(9))


def test_of_a_long_record_no_more_samples_are_taken_than_enough():
    for length, apart in [(1, 1), (ENOUGH, 1), (ENOUGH + 1, 2), (2 * ENOUGH, 2), (10**7, 39)]:
        assert spaced(length) == apart
        assert type(spaced(length)) is int
    x = np.zeros((2 * ENOUGH, 1))
    x[1::2] = 5
    assert noise_of(x) == (0, 1)


# What to learn
# -------------


@few
@given(st.lists(places, min_size=1, max_size=4), st.floats(0.3, 9))
def test_targets_are_a_bell_around_each_onset_and_probabilities(onsets, width):
    rows = onset_targets(onsets, 60, width)
    assert rows.shape == (len(onsets), 60, 2)
    assert rows.dtype == np.float32
    assert_allclose(rows.sum(axis=-1), 1, atol=1e-6)
    for row, here in zip(rows[..., 1], onsets, strict=True):
        for sample, value in enumerate(row):
            bells = [np.exp(-0.5 * ((sample - onset) / width) ** 2) for onset in here]
            assert value == pytest.approx(max(bells, default=0), abs=1e-6)


BAD_ONSETS = [
    (
        [[5.0]],
        TypeError,
        "onsets[0] to be indices of samples, got float64 [5.]; make samples of sec",
    ),
    ([[1], ["5"]], TypeError, "onsets[1] to be indices of samples, got <U1"),
    ([[1], [60]], ValueError, "onsets[1] within the record, from 0 to 59, got 60; leave out"),
    ([[-1, 3]], ValueError, "onsets[0] within the record, from 0 to 59, got -1"),
    ([[5, 3]], ValueError, "onsets[0] in ascending order, each onset once, got [5 3]"),
    ([[5, 5]], ValueError, "onsets[0] in ascending order, each onset once, got [5 5]; np.unique"),
    ([[1], np.ma.masked_array([5])], TypeError, "onsets[1] without a mask"),
    ([5, 7], ValueError, "onsets[0] to be a list, empty where there are none, got 5"),
    ([[[5]]], ValueError, "onsets[0] to be a list"),
]


@pytest.mark.parametrize(("onsets", "kind", "words"), BAD_ONSETS)
def test_onsets_that_cannot_be_are_refused_with_words(onsets, kind, words):
    with pytest.raises(kind, match=re.escape("onset_targets expected " + words)):
        onset_targets(onsets, 60, 2.0)


def test_the_number_of_lists_and_the_width_are_checked():
    with pytest.raises(
        ValueError, match="fit expected onsets for each of 3 records, an empty list"
    ):
        require_onsets("fit", [[1], [2]], 60, n_records=3)
    with pytest.raises(
        ValueError, match="onset_targets expected a width above 0, in samples, got 0"
    ):
        onset_targets([[1]], 60, 0)
    with pytest.raises(
        TypeError, match=r"^onset_targets expected n_samples to be a whole number, got 1\.5"
    ):
        onset_targets([[1]], 1.5, 2.0)


def test_an_empty_list_needs_no_type():
    (none,) = require_onsets("fit", [[]], 60)
    assert none.dtype == int


# From a curve to picks
# ---------------------


@few
@given(curves, st.sampled_from([-0.5, 0.25, 0.5, 1.0]), st.integers(1, 6))
@example(np.array([-0.25, -0.5, -0.25]), -0.5, 1)  # what lies outside is lower than any number
def test_a_peak_is_the_first_of_the_highest_around_it(curve, threshold, apart):
    literal = []
    for place, value in enumerate(curve):
        before = curve[max(0, place - apart) : place]
        behind = curve[place + 1 : place + 1 + apart]
        if value >= threshold and (before < value).all() and (behind <= value).all():
            literal.append(place)
    picks = pick_peaks(curve, threshold, apart)
    assert_array_equal(picks, literal)
    assert (np.diff(picks) > apart).all()


@pytest.mark.parametrize(
    ("curve", "kind", "words"),
    [
        (np.zeros((2, 3)), ValueError, "curve of shape (L)"),
        (np.array([0.1, np.nan]), ValueError, "finite numbers, got nan at curve[1]"),
        ([0.1, 0.2], TypeError, "curve to be a NumPy array"),
    ],
)
def test_what_is_no_curve_is_refused(curve, kind, words):
    with pytest.raises(kind, match=re.escape("pick_peaks expected " + words)):
        pick_peaks(curve, 0.5, 3)
    with pytest.raises(ValueError, match=r"^pick_peaks expected apart to be 1 or more"):
        pick_peaks(np.zeros(3), 0.5, 0)


# How good they are
# -----------------


@few
@given(st.lists(st.tuples(places, places), max_size=4), st.integers(0, 9))
def test_found_missed_and_false_add_up_and_no_error_is_above_the_tolerance(pairs, tolerance):
    picks, onsets = [p for p, _ in pairs], [o for _, o in pairs]
    came = compare_picks(picks, onsets, tolerance)
    assert len(came.errors) + came.n_missed == sum(map(len, onsets))
    assert len(came.errors) + came.n_false == sum(map(len, picks))
    assert (abs(came.errors) <= tolerance).all()
    assert came.n_missed >= 0
    assert came.n_false >= 0
    turned = compare_picks(onsets, picks, tolerance)
    assert 0 <= came.score <= 1
    assert len(turned.errors) == len(came.errors)


@few
@given(st.lists(places, max_size=3))
def test_onsets_agree_with_themselves(onsets):
    came = compare_picks(onsets, onsets, 0)
    assert (came.n_missed, came.n_false) == (0, 0)
    assert_array_equal(came.errors, 0)


def test_two_picks_around_an_onset_are_one_right_and_one_false():
    came = compare_picks([np.array([96, 102])], [np.array([100])], tolerance=5)
    assert came.errors.tolist() == [2]
    assert (came.n_missed, came.n_false) == (0, 1)
    assert came.share_found == 1
    assert came.score == 2 / 3


def test_one_pick_between_two_onsets_finds_one_of_them():
    came = compare_picks([np.array([100])], [np.array([98, 103])], tolerance=5)
    assert came.errors.tolist() == [2]
    assert (came.n_missed, came.n_false) == (1, 0)


def test_errors_have_a_mean_and_a_spread_and_nothing_has_none():
    came = compare_picks([np.array([12, 30, 54])], [np.array([10, 30, 50])], tolerance=5)
    assert came.mean_error == 2
    assert came.spread == pytest.approx(np.std([2, 0, 4]))
    none = compare_picks([np.array([], int)], [np.array([], int)], tolerance=5)
    assert np.isnan([none.mean_error, none.spread, none.share_found]).all()
    assert none.score == 0
    assert none.errors.dtype == int


def test_picks_without_an_onset_are_false_and_onsets_without_a_pick_missed():
    nothing, something = np.array([], int), np.array([3, 9])
    assert compare_picks([something], [nothing], 5)[1:] == (0, 2)
    assert compare_picks([nothing], [something], 5)[1:] == (2, 0)


def test_picks_and_onsets_of_other_numbers_of_records_are_refused():
    with pytest.raises(
        ValueError, match="picks and onsets of the same records, got 1 and 2 of them"
    ):
        compare_picks([np.array([1])], [np.array([1]), np.array([2])], 5)
