"""Rules without a network: the best thresholds, their accuracy, and triggers."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused, refused_value

from numpycnn import make_records, make_traces, train_test_split
from numpycnn.checks.strategies import generators
from numpycnn.inspection.baselines import (
    LargestSampleRule,
    MajorityRule,
    MedianRule,
    best_thresholds,
)
from numpycnn.seismology import aic, pick_aic, pick_triggers, sta_lta

RULES = MajorityRule, LargestSampleRule, MedianRule
THRESHOLDS = LargestSampleRule, MedianRule


def accuracy(rule, x, labels):
    return float((rule.classify(x) == labels).mean())


@pytest.mark.parametrize("rule", THRESHOLDS)
def test_two_rules_classify_the_traces_of_the_task(rule):
    for seed in range(5):
        x, labels = make_traces(180, rng=seed)
        x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=seed)
        assert accuracy(rule().fit(x_train, y_train), x_test, y_test) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=9),
    st.permutations(range(4)),
    st.integers(1, 4),
)
def test_no_other_thresholds_are_better(pairs, classes, n_classes):
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


def test_the_majority_rule_predicts_the_most_frequent_class():
    x = make_traces(5, rng=0)[0]
    rule = MajorityRule().fit(x, np.array([1, 3, 3, 0, 1]))
    assert_array_equal(rule.predict(x), np.eye(4, dtype=np.float32)[[1] * 5])
    assert rule.predict(x).dtype == np.float32


def test_what_the_statistics_are():
    x = np.array([[[1.0, -5.0], [2.0, 4.0], [3.0, 5.0]]])
    assert_array_equal(LargestSampleRule().statistic(x), [-5.0])
    assert_array_equal(MedianRule().statistic(x), [2.5])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_not_fitted_is_refused(rule):
    for act in rule().predict, rule().classify:
        with refused(RuntimeError, rule.__name__, "fit"):
            act(make_traces(3)[0])


BAD_TRACES = [
    np.zeros((3, 64)),
    np.zeros((0, 4, 1)),
    np.full((3, 4, 1), np.nan),
    np.zeros((3, 4, 1), complex),
    np.ma.zeros((3, 4, 1), int),
    [[[0.0]]],
]
BAD_LABELS = [np.array([0, 1]), np.array([0, 1, 0.5]), np.ma.masked_array([0, 1, 2])]


@pytest.mark.parametrize("rule", RULES)
@bad_values({"x": BAD_TRACES, "labels": BAD_LABELS})
def test_bad_traces_and_labels_are_refused(rule, name, value):
    arguments = {"x": np.zeros((3, 4, 1)), "labels": np.array([0, 1, 2])}
    with refused_value(rule.__name__, name, value):
        rule().fit(**arguments | {name: value})
    if name == "x":
        with refused_value(rule.__name__, name, value):
            rule().fit(**arguments).classify(value)


@bad_values({"value": [np.array([1.0, np.nan]), [1.0, 2.0]], "labels": [np.array([0])]})
def test_bad_values_for_thresholds_are_refused(name, value):
    arguments = {"value": np.array([1.0, 2.0]), "labels": np.array([0, 1]), name: value}
    with refused_value("best_thresholds", name, value):
        best_thresholds(**arguments, classes=np.array([0, 1]))


@given(st.floats(-1e308, 1e308), st.integers(1, 3))
def test_a_threshold_separates_neighboring_values(lower, steps):
    """Half the sum of two may overflow, or be rounded to the lower of them."""
    upper = lower
    for _ in range(steps):
        upper = np.nextafter(upper, np.inf)
    (threshold,) = best_thresholds(np.array([lower, upper]), np.array([0, 1]), np.array([0, 1]))
    assert lower < threshold <= upper


# Triggers
# --------


@given(generators, st.integers(1, 3), st.integers(1, 40), st.integers(1, 3), st.data())
def test_sta_lta_is_the_same_by_loops(rng, n, length, channels, data):
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


@given(generators, st.integers(10, 40), st.integers(1, 3), st.sampled_from([1e-6, 1.0, 1e6]))
def test_aic_is_the_same_by_loops(rng, length, channels, scale):
    x = scale * (rng.standard_normal((length, channels)) + 5)
    literal = np.full(length, np.inf)
    for k in range(5, length - 4):
        parts = [
            k * np.log(x[:k, c].var()) + (length - k - 1) * np.log(x[k:, c].var())
            for c in range(channels)
        ]
        literal[k] = sum(parts)
    assert_allclose(aic(x), literal, rtol=1e-6, atol=1e-6)


TRACES, WINDOW = np.zeros((1, 20, 1)), np.zeros((20, 1))
GOOD = {
    sta_lta: {"x": TRACES, "sta": 3, "lta": 9},
    pick_triggers: {"ratio": np.zeros(9), "on": 4, "off": 2},
    aic: {"x": WINDOW},
    pick_aic: {"x": WINDOW, "triggers": np.array([3]), "before": 10, "behind": 10},
}


@pytest.mark.parametrize("function", [sta_lta, aic, pick_aic])
def test_bad_records_are_refused(function):
    good = GOOD[function]["x"]
    for x in (
        good[0],
        good[:0],
        good + np.inf,
        good.astype(complex),
        good.astype(bool),
        np.ma.masked_array(good),
        good.tolist(),
        None,
    ):
        with refused_value(function.__name__, "x", x):
            function(**GOOD[function] | {"x": x})


LEVELS = [0, -1, np.nan, np.inf, "4"]


@bad_values(
    {
        "sta": [0, 3.0, "3"],
        "lta": [3, np.nan],
        "on": LEVELS,
        "off": [*LEVELS, 5],
        "ratio": [np.zeros((9, 1)), np.full(9, np.inf), [1.0, 2.0]],
        "before": [9],
        "behind": [9, 10.5],
        "triggers": [np.array([3.5]), np.array([20]), np.array([-1]), 3, np.ma.masked_array([3])],
    }
)
def test_bad_arguments_of_triggers_are_refused(name, value):
    (function,) = [f for f, arguments in GOOD.items() if name in arguments]
    function(**GOOD[function])
    parts = [value.flat[0]] if type(value) is np.ndarray and name == "triggers" else None
    error = refused_value(function.__name__, name, value)
    if parts:
        error = refused((TypeError, ValueError), function.__name__, name, *parts)
    with error:
        function(**GOOD[function] | {name: value})


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_unit_of_the_samples_does_not_matter(scale):
    x, _ = make_records(1, rng=0, arrivals=(1, 1))
    x = x.astype(float)
    assert_allclose(sta_lta(scale * x, 30, 300), sta_lta(x, 30, 300), rtol=1e-9)
    shift = aic(scale * x[0])[5:-4] - aic(x[0])[5:-4]
    assert_allclose(shift, 3 * 639 * 2 * np.log(scale), rtol=1e-9)


@pytest.mark.parametrize("loud", [1e4, 1e9])
def test_quiet_noise_after_a_large_event_is_measured_exactly(loud):
    """Differences of running sums from the beginning would leave only rounding."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 3000, 1))
    x[:, 500:1000] *= loud
    x[:, 500:1000] -= x.mean(axis=1, keepdims=True) * 6  # so that the mean is 0 for the quiet part
    x[:, 2000:] *= 3
    ratio = sta_lta(x, 20, 200)[0, 1300:]
    energy = (x[0, :, 0] - x.mean()) ** 2
    literal = [
        energy[s - 19 : s + 1].mean() / energy[s - 199 : s + 1].mean() for s in range(1300, 3000)
    ]
    assert_allclose(ratio, literal, rtol=1e-7)
    window = x[0, 600:2600]
    for order in (window, window[::-1]):
        parts = [
            k * np.log(order[:k].var()) + (1999 - k) * np.log(order[k:].var())
            for k in range(100, 1900, 10)
        ]
        assert_allclose(aic(order)[100:1900:10], parts, rtol=1e-9)
