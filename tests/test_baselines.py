"""The rules that need no network: the best thresholds there are, and what they score."""

import re
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from numpycnn import make_records, make_traces, train_test_split
from numpycnn.baselines import (
    LargestSampleRule,
    MajorityRule,
    MedianRule,
    Rule,
    aic,
    best_thresholds,
    pick_aic,
    pick_triggers,
    sta_lta,
)
from numpycnn.checks.strategies import generators

RULES = MajorityRule, LargestSampleRule, MedianRule
THRESHOLDS = LargestSampleRule, MedianRule
HARD = {"wavelet": "ricker", "amplitude": (0.4, 1.0), "distractor": "any", "snr": (8, 8)}


def share_right(rule, x, labels):
    return float((rule.classify(x) == labels).mean())


@pytest.mark.parametrize("rule", THRESHOLDS)
def test_on_the_traces_of_the_task_two_rules_are_right_without_a_network(rule):
    for seed in range(20):
        x, labels = make_traces(180, rng=seed)
        x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=seed)
        assert share_right(rule().fit(x_train, y_train), x_test, y_test) == 1.0


@pytest.mark.parametrize("rule", THRESHOLDS)
def test_on_harder_traces_they_are_not(rule):
    for seed in range(5):
        x, labels = make_traces(600, rng=seed, centre=(1, 64), **HARD)
        fitted = rule().fit(x[:300], labels[:300])
        assert 0.4 < share_right(fitted, x[300:], labels[300:]) < 0.75


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=9),
    st.permutations(range(4)),
    st.integers(1, 4),
)
def test_no_thresholds_are_better_than_those_found(pairs, classes, n_classes):
    value, labels = (np.array(column) for column in zip(*pairs, strict=True))
    classes = np.array(classes[:n_classes])

    def n_right(thresholds):
        called = classes[np.searchsorted(thresholds, value, side="right")]
        return (called == labels).sum()

    found = best_thresholds(value, labels, classes)
    assert len(found) == n_classes - 1
    assert (np.diff(found) >= 0).all() if np.isfinite(found).all() else True
    places = [-np.inf, *(np.arange(7) - 0.5), np.inf]
    best = max(n_right(choice) for choice in combinations_with_replacement(places, n_classes - 1))
    assert n_right(found) == best


def test_the_majority_rule_names_the_commonest_class_whatever_the_trace():
    x = make_traces(5, rng=0)[0]
    rule = MajorityRule().fit(x, np.array([1, 3, 3, 0, 1]))
    assert_array_equal(rule.predict(x), np.eye(4, dtype=np.float32)[[1] * 5])
    assert rule.predict(x).dtype == np.float32


def test_what_the_statistics_are():
    x = np.array([[[1.0, -5.0], [2.0, 4.0], [3.0, 5.0]]])
    assert_array_equal(LargestSampleRule().statistic(x), [-5.0])
    assert_array_equal(MedianRule().statistic(x), [2.5])


@pytest.mark.parametrize("rule", RULES)
def test_one_class_is_called_always(rule):
    x = make_traces(4, rng=0)[0]
    fitted = rule().fit(x, np.array([2, 2, 2, 2]))
    assert_array_equal(fitted.classify(x), [2] * 4)
    assert_array_equal(fitted.predict(x), [[0, 0, 1]] * 4)


@pytest.mark.parametrize("rule", THRESHOLDS)
def test_the_order_of_the_traces_does_not_matter_and_nothing_is_written_to(rule):
    x, labels = make_traces(60, rng=0, **HARD)
    x.flags.writeable = labels.flags.writeable = False
    order = np.random.default_rng(0).permutation(60)
    one, other = rule().fit(x, labels), rule().fit(x[order], labels[order])
    assert_array_equal(one.predict(x), other.predict(x))


@pytest.mark.parametrize("rule", RULES)
def test_the_class_is_the_column_of_the_one(rule):
    x, labels = make_traces(30, rng=0, **HARD)
    fitted = rule().fit(x, labels)
    assert_array_equal(fitted.predict(x).argmax(axis=-1), fitted.classify(x))
    assert_array_equal(fitted.predict(x).sum(axis=-1), 1)


@pytest.mark.parametrize("ask", ["predict", "classify"])
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_wants_to_be_fitted_first(rule, ask):
    with pytest.raises(
        RuntimeError, match=rf"{rule.__name__} expected to be fitted first; call fit\("
    ):
        getattr(rule(), ask)(make_traces(3)[0])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"labels": np.array([0, 1])}, ValueError, r"labels of shape \(3,\), got \(2,\)"),
        ({"labels": np.array([0, 1, -1])}, ValueError, r"of 0 or more, got -1 at labels\[2\]"),
        ({"labels": np.array([0, 1, 0.5])}, TypeError, "to be whole numbers, got float64"),
        ({"labels": np.ma.masked_array([0, 1, 2])}, TypeError, "labels without a mask"),
        ({"x": np.zeros((3, 64))}, ValueError, r"x of shape \(N, L, C\), .* add a channel axis"),
        ({"x": np.full((3, 4, 1), np.nan)}, ValueError, r"got nan at x\[0, 0, 0\]"),
    ],
)
def test_what_cannot_be_fitted_is_named(rule, change, kind, words):
    arguments = {"x": np.zeros((3, 4, 1)), "labels": np.array([0, 1, 2])} | change
    with pytest.raises(kind, match=f"^{rule.__name__} expected .*{words}"):
        rule().fit(**arguments)


def test_a_trace_on_a_threshold_belongs_above_it():
    rule = MedianRule().fit(np.array([[[1.0]], [[2.0]]]), np.array([1, 0]))
    assert_array_equal(rule.thresholds, [1.5])
    assert_array_equal(rule.classify(np.array([[[1.49]], [[1.5]], [[1.51]]])), [1, 0, 0])


def test_a_rule_of_its_own_defines_two_functions():
    class Never(Rule):
        def _learn(self, x, labels):
            pass

        def _call(self, x):
            return np.zeros(len(x), int)

    x, labels = make_traces(9, rng=0)
    assert share_right(Never().fit(x, labels), x, labels) == pytest.approx(1 / 3)


# When did it begin?
# ------------------


@settings(max_examples=30)
@given(generators, st.integers(1, 3), st.integers(1, 40), st.integers(1, 3), st.data())
def test_sta_lta_is_what_literal_loops_make_of_it(rng, n, length, channels, data):
    sta = data.draw(st.integers(1, 20))
    lta = data.draw(st.integers(sta + 1, 50))
    x = rng.standard_normal((n, length, channels)) + 3
    literal = np.zeros((n, length))
    for i in range(n):
        energy = [sum((x[i, s] - x[i].mean(axis=0)) ** 2) for s in range(length)]
        for s in range(length):
            short = [energy[k] for k in range(s + 1) if k > s - sta]
            long = [energy[k] for k in range(s + 1) if k > s - lta]
            if sum(long) > 0:
                literal[i, s] = (sum(short) / len(short)) / (sum(long) / len(long))
    assert_allclose(sta_lta(x, sta, lta), literal, rtol=1e-7, atol=1e-9)


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([1.0, 2.5, 3.0, 4.5, 5.0]), min_size=1, max_size=20),
    st.sampled_from([3.0, 4.5]),
    st.sampled_from([1.5, 3.0]),
)
@example([5.0, 3.0, 5.0], 4.5, 3.0)  # not below `off`: still on
def test_a_trigger_goes_on_and_off_as_a_loop_over_samples_says(ratio, on, off):
    is_on, literal = False, []
    for sample, value in enumerate(ratio):
        if value >= on and not is_on:
            is_on = True
            literal.append(sample)
        elif value < off:
            is_on = False
    assert_array_equal(pick_triggers(np.array(ratio), on, off), literal)


@settings(max_examples=30)
@given(generators, st.integers(10, 40), st.integers(1, 3), st.sampled_from([1e-6, 1.0, 1e6]))
def test_aic_is_what_literal_loops_make_of_it(rng, length, channels, scale):
    x = scale * (rng.standard_normal((length, channels)) + 5)
    literal = np.full(length, np.inf)
    for k in range(5, length - 4):
        parts = [
            k * np.log(x[:k, c].var()) + (length - k - 1) * np.log(x[k:, c].var())
            for c in range(channels)
        ]
        literal[k] = sum(parts)
    assert_allclose(aic(x), literal, rtol=1e-6, atol=1e-6)


def test_aic_finds_where_the_variance_changes_and_where_silence_ends():
    rng = np.random.default_rng(0)
    for scale in (0.0, 1.0):
        x = rng.standard_normal((200, 3)) * np.where(np.arange(200) < 120, scale, 9.0)[:, None]
        assert abs(aic(x + 1e3).argmin() - 120) <= 1
    assert np.isfinite(aic(np.zeros((20, 1)))[5:16]).all()


@settings(max_examples=10)
@given(generators, st.sampled_from([1e3, 1e5]))
def test_a_large_mean_in_float32_is_no_matter(rng, offset):
    # Each channel has a mean of its own, and squares of it would drown the rest.
    x = (rng.standard_normal((1, 400, 2)) + np.array([offset, -offset])).astype(np.float32)
    exact = x.astype(float)
    exact -= exact.mean(axis=1, keepdims=True)
    assert_allclose(sta_lta(x, 5, 50), sta_lta(exact, 5, 50), rtol=1e-6)
    assert_allclose(aic(x[0])[5:396], aic(exact[0])[5:396], rtol=1e-6, atol=1e-6)


def test_where_nothing_moves_there_is_no_trigger():
    ratio = sta_lta(np.full((2, 50, 3), 7.0), 3, 10)
    assert_array_equal(ratio, 0)
    assert pick_triggers(ratio[0], 4, 2).tolist() == []


def test_a_trigger_is_late_and_the_second_look_is_not():
    x, onsets = make_records(40, rng=0, arrivals=(1, 1), snr=(8, 8), spikes=(0, 0))
    late, right = [], []
    for record, ratio, (onset,) in zip(x, sta_lta(x, 30, 300), onsets, strict=True):
        triggers = pick_triggers(ratio, 2, 1)
        nearest = triggers[abs(triggers - onset).argmin()]
        late.append(nearest - onset)
        right.append(pick_aic(record, [nearest], 100, 50)[0] - onset)
    assert np.mean(late) > 2
    assert abs(np.mean(right)) < 0.5
    assert np.max(np.abs(right)) <= 3


def test_two_triggers_on_one_onset_are_one_pick_and_none_is_none():
    x = np.concatenate([np.tile([1.0, -1.0], 30), np.tile([9.0, -9.0], 20)])[:, None]
    assert pick_aic(x, np.array([62, 65]), 40, 10).tolist() == [60]
    none = pick_aic(x, np.array([], dtype=int), 40, 10)
    assert none.dtype == int
    assert none.shape == (0,)


@settings(max_examples=30)
@given(generators, st.integers(10, 60), st.integers(10, 30), st.integers(10, 30))
def test_a_window_that_reaches_beyond_the_record_is_cut(rng, length, before, behind):
    x = rng.standard_normal((length, 2))
    picks = pick_aic(x, np.arange(length), before, behind)
    assert ((picks >= 5) & (picks <= length - 5)).all()


TRACES, WINDOW = np.zeros((1, 20, 1)), np.zeros((20, 1))


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (sta_lta, (TRACES[0], 3, 9), "x of shape (N, L, C), got (20, 1)"),
        (sta_lta, (np.nan * TRACES, 3, 9), "finite numbers, got nan at x[0, 0, 0]"),
        (sta_lta, (TRACES, 0, 9), "sta to be 1 or more, got 0"),
        (sta_lta, (TRACES, 5, 5), "lta to be 6 or more, got 5"),
        (pick_triggers, (np.zeros(9), 2, 4), "0 < off <= on, got on=2, off=4"),
        (pick_triggers, (np.zeros(9), 2, 0), "0 < off <= on, got on=2, off=0"),
        (pick_triggers, (np.zeros((9, 1)), 4, 2), "ratio of shape (L), got (9, 1)"),
        (pick_triggers, (np.full(9, np.inf), 4, 2), "finite numbers, got inf at ratio[0]"),
        (aic, (np.zeros(20),), "x of shape (L, C), got (20,)"),
        (aic, (WINDOW[:9],), "a window of 10 samples or more, got 9"),
        (aic, (WINDOW + np.inf,), "finite numbers, got inf at x[0, 0]"),
        (pick_aic, (TRACES, [3], 10, 10), "x of shape (L, C), got (1, 20, 1)"),
        (pick_aic, (WINDOW, [3], 9, 10), "before to be 10 or more"),
        (pick_aic, (WINDOW, [3], 10, 9), "behind to be 10 or more"),
    ],
)
def test_what_cannot_be_picked_is_named(function, arguments, words):
    words = f"{function.__name__} expected {words}"
    with pytest.raises(ValueError, match="^" + re.escape(words)):
        function(*arguments)
