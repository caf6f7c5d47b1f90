"""Baselines: what needs no network.

"Accuracy 1.000" says nothing before it is known what the simplest rule scores on
the same traces. Here are three such rules. Each is fitted on the training traces and
then asked about others, as a network is:

- `MajorityRule` looks at no trace at all. It answers the commonest class of the
  training set. Where nine traces in ten are quiet it is right nine times in ten.
- `LargestSampleRule` looks at one sample of each trace, the largest in size, with
  its sign. An arrival that stands out of the noise gives itself away by it.
- `MedianRule` looks at the median of the trace. It has no idea of an arrival, but an
  arrival of one sign shifts the mean; when the mean is subtracted, all the rest of
  the trace shifts the other way, and the median with it.

On the traces that `make_traces` gives by default the last two score 1.000 or nearly,
so a network that scores the same has shown no more than they have. Harder traces,
on which they fail, are made by its other arguments.

The rules decide *what* a trace contains. For *when* an arrival begins in a record there are the
[triggers](../seismology/triggers.py).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np

from numpycnn._reductions import mean, wide
from numpycnn._types import Array
from numpycnn._validation import (
    require_labels,
    require_real,
)
from numpycnn.training.targets import one_hot

R = TypeVar("R", bound="Rule")


class Rule:
    """What the rules have in common: `fit` once, then ask as often as you like."""

    n_classes = 0  # before fit

    def fit(self: R, x: Array, labels: Array) -> R:
        """Learn from traces x (N, L, C) and their labels (N,), integers from 0; return the rule.

        Raises `TypeError` or `ValueError` for other traces or labels, and for NaN or infinity.
        """
        self._check(x)
        labels = require_labels(self, "labels", labels, shape=(len(x),)).astype(int)
        self._learn(x, labels)
        self.n_classes = int(labels.max()) + 1
        return self

    def predict(self, x: Array) -> Array:
        """Return a row for each trace, (N, n_classes), float32: 1 for the class called, else 0.

        As a network returns a row of scores; there are as many columns as the largest label of
        the training set needs. Raises what `classify` raises.
        """
        return one_hot(self.classify(x), self.n_classes)

    def classify(self, x: Array) -> Array:
        """Return the class of each trace, (N,), as a network does.

        Raises `RuntimeError` before `fit`, `TypeError` or `ValueError` for what are no traces.
        """
        if not self.n_classes:
            name = type(self).__name__
            raise RuntimeError(f"{name}: the rule must be fitted first. Call fit(x, labels).")
        self._check(x)
        return self._call(x)

    def _learn(self, x: Array, labels: Array) -> None:
        raise NotImplementedError

    def _call(self, x: Array) -> Array:
        raise NotImplementedError

    def _check(self, x: Array) -> None:
        require_real(self, "x", x, "N L C")


class MajorityRule(Rule):
    """Call every trace by the commonest class of the training set, the first of them in a tie.

    >>> x = np.zeros((3, 64, 1))
    >>> MajorityRule().fit(x, np.array([2, 0, 2])).classify(x[:1])
    array([2])
    """

    def _learn(self, x: Array, labels: Array) -> None:
        self.commonest = int(np.bincount(labels).argmax())

    def _call(self, x: Array) -> Array:
        return np.full(len(x), self.commonest)


# One number and its thresholds
# -----------------------------
# The other two rules take one number from each trace and set thresholds between the
# classes. They do not know beforehand that the median of a positive arrival is
# negative: the training traces say so, by the mean of that number in each class.


class ThresholdRule(Rule):
    """Call a trace by one number of it: a class below the first threshold, and so on upwards.

    After `fit`, `classes` are those of the training set in ascending order of that number's
    mean, and `thresholds`, one fewer, lie between them. No other thresholds in this order of
    the classes get more of the training traces right.
    """

    def statistic(self, x: Array) -> Array:
        """The number that the rule looks at, for each trace: (N,)."""
        raise NotImplementedError

    def _learn(self, x: Array, labels: Array) -> None:
        value = self.statistic(x)
        present = np.unique(labels)
        means = [mean(value[labels == label]) for label in present]
        self.classes = present[np.argsort(means, kind="stable")]
        self.thresholds = best_thresholds(value, labels, self.classes)

    def _call(self, x: Array) -> Array:
        return self.classes[np.searchsorted(self.thresholds, self.statistic(x), side="right")]


class MedianRule(ThresholdRule):
    """Threshold the median of the trace, over all its samples and channels.

    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(180, rng=0)
    >>> rule = MedianRule().fit(x[:144], labels[:144])
    >>> rule.classes          # a positive arrival has the lowest median, a negative the highest
    array([1, 0, 2])
    >>> float((rule.classify(x[144:]) == labels[144:]).mean())
    1.0
    """

    def statistic(self, x: Array) -> Array:
        """The median of each trace, (N,), in float64."""
        samples = x.reshape(len(x), -1)
        return np.asarray(np.median(samples.astype(wide(x)), axis=1))


class LargestSampleRule(ThresholdRule):
    """Threshold the sample that is largest in size, with its sign, whichever channel it is in.

    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(180, rng=0)
    >>> rule = LargestSampleRule().fit(x[:144], labels[:144])
    >>> rule.classes
    array([2, 0, 1])
    """

    def statistic(self, x: Array) -> Array:
        """The sample of each trace that is furthest from zero, (N,), in float64.

        Of several it is the first.
        """
        samples = x.reshape(len(x), -1).astype(wide(x))  # in int8 the negative of -128 is -128
        largest = abs(samples).argmax(axis=1)
        return np.take_along_axis(samples, largest[:, None], axis=1)[:, 0]


# The best thresholds
# -------------------
# Sort the training traces by their number. A threshold is then a cut of the list, and
# between two equal numbers there is no cutting. Moving the cut between a class and the
# next one upwards wins the traces of the lower class that it passes and loses those of the upper:
# at cut `i` the balance is the count of the one less the count of the other among the
# first `i` traces. The number of right answers is the sum of the balances of all
# cuts, plus a constant. So take the cuts from below, and remember for each place the best
# sum that can be had up to there; no combination has to be tried twice, and none is left out.


def best_thresholds(value: Array, labels: Array, classes: Array) -> Array:
    """Return the len(classes) - 1 thresholds, ascending, that get the most traces right.

    `value` (N,) is one number per trace and `classes` are the labels in ascending order of it. A
    trace on a threshold belongs above it. Of several best choices the lowest is taken. An
    infinite threshold leaves a class without any trace, where that is best.

    >>> best_thresholds(np.array([1.0, 2.0, 4.0, 3.0]), np.array([7, 7, 5, 7]), np.array([7, 5]))
    array([3.5])

    Raises `TypeError` or `ValueError` for values that are not finite numbers, and for labels that
    are not one per value.
    """
    require_real("best_thresholds", "value", value, "N")
    labels = require_labels("best_thresholds", "labels", labels, shape=value.shape)
    order = np.argsort(value)
    value, labels = value[order].astype(float), labels[order]
    allowed = np.concatenate([[True], value[1:] > value[:-1], [True]])

    sums, best = [], np.zeros(len(value) + 1)
    for lower, upper in pairwise(classes):
        steps = (labels == lower).astype(float) - (labels == upper)
        balance = np.concatenate([[0.0], np.cumsum(steps)])
        sums.append(np.where(allowed, best + balance, -np.inf))
        best = np.maximum.accumulate(sums[-1])

    cuts, last = [], len(value)
    for reached in reversed(sums):
        last = int(reached[: last + 1].argmax())
        cuts.append(last)
    lower, upper = value[:-1], value[1:]
    middle = lower / 2 + upper / 2
    middle = np.where(middle > lower, middle, upper)  # no float64 may lie between the two
    edges = np.concatenate([[-np.inf], middle, [np.inf]])
    return np.asarray(edges[cuts[::-1]])
