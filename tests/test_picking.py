"""Onsets become a curve, a curve becomes picks, and picks are compared with onsets."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from numpycnn.seismology.picking import (
    ENOUGH,
    Comparison,
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


@pytest.mark.parametrize(
    ("x", "kind", "value"),
    [
        (np.zeros(9), ValueError, "(9,)"),
        (np.zeros((1, 9, 1), int), ValueError, "(1, 9, 1)"),
        (np.zeros((0, 1)), ValueError, "(0, 1)"),
        (np.array(3.0), ValueError, "()"),
        (np.full((9, 1), np.nan), ValueError, "nan"),
        (np.full((9, 1), np.inf), ValueError, "inf"),
        (np.zeros((9, 1), complex), TypeError, "complex128"),
        (np.ma.zeros((9, 1)), TypeError, "mask"),
        ([[1.0]], TypeError, "list"),
        (None, TypeError, "None"),
    ],
)
def test_what_has_no_noise_is_named(x, kind, value):
    with pytest.raises(kind, match=rf"^noise_of\b(?=.*\bx\b).*{re.escape(value)}"):
        noise_of(x)


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
    ([[5.0]], TypeError, "onsets[0]", "5."),
    ([[1], ["5"]], TypeError, "onsets[1]", "5"),
    ([[1], [None]], TypeError, "onsets[1]", "None"),
    ([[1], [60]], ValueError, "onsets[1]", "60"),
    ([[1], np.array([60], np.uint8)], ValueError, "onsets[1]", "60"),
    ([np.array([2**64 - 1], np.uint64)], ValueError, "onsets[0]", str(2**64 - 1)),
    ([[-1, 3]], ValueError, "onsets[0]", "-1"),
    ([[5, 3]], ValueError, "onsets[0]", "[5 3]"),
    ([np.array([5, 3], np.uint8)], ValueError, "onsets[0]", "[5 3]"),
    ([[5, 5]], ValueError, "onsets[0]", "[5 5]"),
    ([[1], np.ma.masked_array([5])], TypeError, "onsets[1]", "mask"),
    ([5, 7], ValueError, "onsets[0]", "5"),
    ([[[5]]], ValueError, "onsets[0]", "[[5]]"),
    (5, TypeError, "onsets", "5"),
    ("57", TypeError, "onsets", "'57'"),
    (None, TypeError, "onsets", "None"),
]


@pytest.mark.parametrize(("onsets", "kind", "name", "value"), BAD_ONSETS)
def test_onsets_that_cannot_be_are_named(onsets, kind, name, value):
    shown = f"{re.escape(name)}.*{re.escape(value)}"
    with pytest.raises(kind, match=rf"^onset_targets\b.*\b{shown}"):
        onset_targets(onsets, 60, 2.0)


def test_the_number_of_lists_and_the_width_are_checked():
    with pytest.raises(ValueError, match=r"^fit\b.*\bonsets\b.*\b3\b.*\b2\b"):
        require_onsets("fit", [[1], [2]], 60, n_records=3)
    with pytest.raises(TypeError, match=r"^onset_targets\b.*\bn_samples\b.*1\.5"):
        onset_targets([[1]], 1.5, 2.0)
    for width in (0, -1, np.nan, np.inf, "a", None, [2.0]):
        with pytest.raises(
            (TypeError, ValueError), match=rf"^onset_targets\b.*width.*{re.escape(str(width))}"
        ):
            onset_targets([[1]], 60, width)


@pytest.mark.parametrize("width", [1e-300, np.float16(0.5), np.uint8(3)])
def test_any_width_makes_a_bell(width):
    rows = onset_targets([[5, 20]], 60, width)
    assert rows[0, :, 1].argmax() == 5
    assert_array_equal(rows, onset_targets([[5, 20]], 60, float(width)))


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
    ("curve", "kind", "value"),
    [
        (np.zeros((2, 3)), ValueError, "(2, 3)"),
        (np.zeros(0), ValueError, "(0,)"),
        (np.array([0.1, np.nan]), ValueError, "nan"),
        (np.array([0.1, np.inf]), ValueError, "inf"),
        (np.ma.masked_array([0.1, 0.2]), TypeError, "mask"),
        ([0.1, 0.2], TypeError, "list"),
    ],
)
def test_what_is_no_curve_is_refused(curve, kind, value):
    with pytest.raises(kind, match=rf"^pick_peaks\b.*{re.escape(value)}"):
        pick_peaks(curve, 0.5, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [("apart", 0), ("apart", 1.5), ("apart", "3")]
    + [("threshold", value) for value in (np.nan, np.inf, "0.5", None)],
)
def test_what_decides_about_peaks_is_checked(name, value):
    options = {"threshold": 0.5, "apart": 3, name: value}
    with pytest.raises((TypeError, ValueError), match=rf"^pick_peaks\b.*\b{name}\b.*{value}"):
        pick_peaks(np.zeros(9), **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">f4", np.float16])
def test_a_curve_may_be_of_any_type_and_peaks_far_apart(dtype):
    curve = np.array([0, 3, 2, 0, 1, 5], dtype)
    assert_array_equal(pick_peaks(curve, 2, apart=2), [1, 5])
    assert_array_equal(pick_peaks(curve, 2, apart=10**12), [5])


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
    with pytest.raises(ValueError, match=r"^compare_picks\b.*\bpicks\b.*\b2\b.*\b1\b"):
        compare_picks([np.array([1])], [np.array([1]), np.array([2])], 5)


INTEGERS = [
    np.dtype(order + kind) for kind in ("i2", "u2", "i4", "u4", "i8", "u8") for order in "<>"
]
INTEGERS += [np.dtype("i1"), np.dtype("u1")]


@given(st.data(), st.sampled_from(INTEGERS), st.sampled_from(INTEGERS), st.integers(0, 9))
def test_picks_of_every_integer_type_are_numbers(data, pick_type, onset_type, tolerance):
    """In uint32 98 - 100 is 4,294,967,294, and in int8 100 - -100 is -56."""

    def values(dtype):
        info = np.iinfo(dtype)
        bounds = max(info.min, -(2**62)), min(info.max, 2**62)
        any_of_type = st.integers(*bounds)
        near_the_ends = st.sampled_from([0, bounds[0], bounds[1] - 9]).map(lambda n: max(n, 0))
        some = st.tuples(any_of_type | near_the_ends, st.integers(0, 9))
        return st.lists(some.map(lambda pair: min(sum(pair), bounds[1])), max_size=5)

    picks, onsets = data.draw(values(pick_type)), data.draw(values(onset_type))
    expected = compare_picks([picks], [onsets], tolerance)  # lists of numbers of Python
    found = compare_picks(
        [np.array(picks, pick_type)], [np.array(onsets, onset_type)], np.uint8(tolerance)
    )
    assert_array_equal(found.errors, expected.errors)
    assert found[1:] == expected[1:]
    assert found.errors.dtype == int
    for error in found.errors.tolist():
        assert any(pick - onset == error for pick in picks for onset in onsets)


def test_picks_between_samples_are_compared_as_well():
    came = compare_picks([np.array([98.5], np.float32)], [np.array([100], np.uint16)], tolerance=2)
    assert_array_equal(came.errors, [-1.5])


@given(st.sampled_from([np.uint8, np.int8, np.float16, np.float32]), st.integers(1, 4000))
def test_the_mean_and_the_spread_of_errors_do_not_depend_on_their_type(dtype, n):
    errors = np.tile([100, 102], n).astype(dtype)
    assert Comparison(errors, 0, 0).mean_error == 101
    assert Comparison(errors, 0, 0).spread == 1


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("tolerance", np.nan, "nan"),
        ("tolerance", np.inf, "inf"),
        ("tolerance", -1, "-1"),
        ("tolerance", "5", "'5'"),
        ("picks", [[np.nan]], "nan"),
        ("picks", [["a"]], "<U1"),
        ("picks", [5], "5"),
        ("picks", [[[5]]], "[[5]]"),
        ("picks", [np.ma.masked_array([5])], "mask"),
        ("picks", None, "None"),
        ("onsets", [[np.inf]], "inf"),
        ("onsets", [np.array([2**63], np.uint64)], str(2**63)),
        ("onsets", 7, "7"),
    ],
)
def test_what_cannot_be_compared_is_named(name, value, shown):
    arguments = {"picks": [[1]], "onsets": [[1]], "tolerance": 5, name: value}
    with pytest.raises(
        (TypeError, ValueError), match=rf"^compare_picks\b(?=.*\b{name}\b).*{re.escape(shown)}"
    ):
        compare_picks(**arguments)
