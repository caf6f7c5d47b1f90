"""The rules that need no network: the best thresholds there are, and what they score."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from numpycnn import make_traces, train_test_split
from numpycnn.baselines import LargestSampleRule, MajorityRule, MedianRule, Rule, best_thresholds

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
        ({"labels": np.array([0, 1])}, ValueError, r"expected labels of shape \(3,\), got \(2,\)"),
        ({"labels": np.array([0, 1, -1])}, ValueError, r"of 0 or more, got -1 at labels\[2\]"),
        ({"labels": np.array([0, 1, 0.5])}, TypeError, "to be whole numbers, got float64"),
        ({"labels": np.ma.masked_array([0, 1, 2])}, TypeError, "labels without a mask"),
        ({"x": np.zeros((3, 64))}, ValueError, "add a channel axis"),
        ({"x": np.full((3, 4, 1), np.nan)}, ValueError, r"got nan at x\[0, 0, 0\]"),
    ],
)
def test_what_cannot_be_fitted_is_named(rule, change, kind, words):
    arguments = {"x": np.zeros((3, 4, 1)), "labels": np.array([0, 1, 2])} | change
    with pytest.raises(kind, match=words):
        rule().fit(**arguments)


def test_a_rule_of_its_own_defines_two_functions():
    class Never(Rule):
        def _learn(self, x, labels):
            pass

        def _call(self, x):
            return np.zeros(len(x), int)

    x, labels = make_traces(9, rng=0)
    assert share_right(Never().fit(x, labels), x, labels) == pytest.approx(1 / 3)
