"""Baselines: classification rules that need no network.

The accuracy of a network means little without the accuracy of simple rules on the same traces.
This module has three such rules. Each is fitted on the training set and then applied to other
traces, like a network:

- `MajorityRule` ignores its input. It predicts the most frequent class in the training set. If nine
  traces in ten are quiet, it is correct nine times in ten.
- `LargestSampleRule` depends on one sample of each trace, the one with the largest absolute value,
  including its sign. An arrival that exceeds the noise is found by this rule.
- `MedianRule` depends on the median of the trace. An arrival of one sign changes the mean. If the
  mean is subtracted, all other samples move in the opposite direction, and so does the median.

On the traces of `make_traces` with default arguments the last two score 1.000 or nearly. A network
with the same score has not shown more than these rules. On harder traces, made with the other
arguments, the rules fail.

The rules decide *what* a trace contains. [Triggers](../seismology/triggers.py) decide *when* an
arrival begins in a record.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np

from numpycnn._reductions import mean, wide
from numpycnn._targets import one_hot, require_labels
from numpycnn._types import Array
from numpycnn._validation import require_real

R = TypeVar("R", bound="Rule")


class Rule:
    """Base class of the rules: `fit` once, then `classify` or `predict`."""

    n_classes = 0  # before fit

    def fit(self: R, x: Array, labels: Array) -> R:
        """Fit the rule to traces and their labels.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces of real numbers.
        labels : array-like of int, shape (N,)
            Labels, counted from 0.

        Returns
        -------
        Rule
            The rule itself.

        Raises
        ------
        TypeError, ValueError
            If an argument has another type, shape or range, or contains NaN or infinity.
        """
        self._check(x)
        labels = require_labels(self, "labels", labels, shape=(len(x),)).astype(int)
        self._learn(x, labels)
        self.n_classes = int(labels.max()) + 1
        return self

    def predict(self, x: Array) -> Array:
        """Return a row of scores for each trace, like a network.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces of real numbers.

        Returns
        -------
        ndarray of float32, shape (N, n_classes)
            1 for the predicted class, else 0. The number of columns is the largest label of the
            training set plus one.
        """
        return one_hot(self.classify(x), self.n_classes)

    def classify(self, x: Array) -> Array:
        """Return the class of each trace.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces of real numbers.

        Returns
        -------
        ndarray of int, shape (N,)
            Labels.

        Raises
        ------
        RuntimeError
            If `fit` was not called before.
        TypeError, ValueError
            If `x` has another type or shape, or contains NaN or infinity.
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
    """Predict the most frequent class of the training set; of equally frequent ones, the first.

    Examples
    --------
    >>> x = np.zeros((3, 64, 1))
    >>> MajorityRule().fit(x, np.array([2, 0, 2])).classify(x[:1])
    array([2])
    """

    def _learn(self, x: Array, labels: Array) -> None:
        self.most_frequent = int(np.bincount(labels).argmax())

    def _call(self, x: Array) -> Array:
        return np.full(len(x), self.most_frequent)


# One number and its thresholds
# -----------------------------
# The other two rules compute one value for each trace and compare it with thresholds between the
# classes. The order of the classes is learned: it is the order of the mean value in each class.
# (The median of a trace with a positive arrival is negative, for example.)


class ThresholdRule(Rule):
    """Predict the class from one value of each trace: the first class below the first threshold.

    After `fit`, `classes` are those of the training set in ascending order of their mean value, and
    `thresholds`, one fewer, are between them. No other thresholds with this order of the classes
    have a higher accuracy on the training set.
    """

    def statistic(self, x: Array) -> Array:
        """Return the value that the rule depends on.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces.

        Returns
        -------
        ndarray of float64, shape (N,)
            A value for each trace.
        """
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
    """Classify by the median of the trace, over all samples and channels.

    Examples
    --------
    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(180, rng=0)
    >>> rule = MedianRule().fit(x[:144], labels[:144])
    >>> rule.classes          # a positive arrival has the lowest median, a negative the highest
    array([1, 0, 2])
    >>> float((rule.classify(x[144:]) == labels[144:]).mean())
    1.0
    """

    def statistic(self, x: Array) -> Array:
        """Return the median of each trace.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces.

        Returns
        -------
        ndarray of float64, shape (N,)
            A value for each trace.
        """
        samples = x.reshape(len(x), -1)
        return np.asarray(np.median(samples.astype(wide(x)), axis=1))


class LargestSampleRule(ThresholdRule):
    """Classify by the sample with the largest absolute value, in any channel.

    Examples
    --------
    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(180, rng=0)
    >>> rule = LargestSampleRule().fit(x[:144], labels[:144])
    >>> rule.classes
    array([2, 0, 1])
    """

    def statistic(self, x: Array) -> Array:
        """Return the sample of each trace with the largest absolute value, the first of several.

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces.

        Returns
        -------
        ndarray of float64, shape (N,)
            A value for each trace.
        """
        samples = x.reshape(len(x), -1).astype(wide(x))  # in int8 the negative of -128 is -128
        largest = abs(samples).argmax(axis=1)
        return np.take_along_axis(samples, largest[:, None], axis=1)[:, 0]


# The best thresholds
# -------------------
# Sort the training traces by their value. A threshold is then a cut of this list; between two equal
# values no cut is possible. Moving the cut between a class and the next one upwards past a trace of
# the lower class adds a correct prediction, and past a trace of the upper class removes one. At cut
# `i` the balance is therefore the number of the first `i` traces in the lower class, minus that in
# the upper class. The number of correct predictions is the sum of the balances of all cuts, plus a
# constant. Dynamic programming finds the best cuts: take the cuts from below, and store for each
# position the best sum up to there.


def best_thresholds(value: Array, labels: Array, classes: Array) -> Array:
    """Return the len(classes) - 1 thresholds, ascending, with the highest accuracy.

    `value` (N,) has one value per trace, and `classes` are the labels in ascending order of it. A
    trace on a threshold belongs above it. Of several best choices the lowest is returned. An
    infinite threshold leaves a class without any trace, if that is best.

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
