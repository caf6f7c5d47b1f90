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

They say *what* is in a trace. For *when* an arrival begins in a record there are two more:
`sta_lta`, a trigger, and `aic`, a second look at what it found.
"""

from itertools import pairwise
from typing import TypeVar

import numpy as np

from numpycnn.training.losses import one_hot
from numpycnn.types import Array
from numpycnn.validation import require_array, require_finite, require_labels, whole_number

R = TypeVar("R", bound="Rule")


class Rule:
    """What the rules have in common: `fit` once, then ask as often as you like."""

    n_classes = 0  # before fit

    def fit(self: R, x: Array, labels: Array) -> R:
        """Learn from traces x (N, L, C) and their labels (N,), integers from 0; return the rule.

        Raises `TypeError` or `ValueError` for other traces or labels, and for NaN or infinity.
        """
        self._check(x)
        labels = require_labels(self, "labels", labels, shape=(len(x),))
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
            raise RuntimeError(f"{name} expected to be fitted first; call fit(x, labels)")
        self._check(x)
        return self._call(x)

    def _learn(self, x: Array, labels: Array) -> None:
        raise NotImplementedError

    def _call(self, x: Array) -> Array:
        raise NotImplementedError

    def _check(self, x: Array) -> None:
        require_finite(self, "x", x, "N L C")


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
        means = [value[labels == label].mean() for label in present]
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
        """The median of each trace."""
        return np.asarray(np.median(x.reshape(len(x), -1), axis=1))


class LargestSampleRule(ThresholdRule):
    """Threshold the sample that is largest in size, with its sign, whichever channel it is in.

    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(180, rng=0)
    >>> rule = LargestSampleRule().fit(x[:144], labels[:144])
    >>> rule.classes
    array([2, 0, 1])
    """

    def statistic(self, x: Array) -> Array:
        """The sample of each trace that is furthest from zero, the first of them in a tie."""
        samples = x.reshape(len(x), -1)
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
    """
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
    for total in reversed(sums):
        last = int(total[: last + 1].argmax())
        cuts.append(last)
    edges = np.concatenate([[-np.inf], (value[1:] + value[:-1]) / 2, [np.inf]])
    return np.asarray(edges[cuts[::-1]])


# When did it begin?
# ------------------
# So much for the question *what*. The question *when* has two answers that seismologists
# have used for decades, and still do.
#
# The first is a *trigger*. Where the ground moves more than it just did, something has come: the
# mean energy over a short time, the STA, becomes large beside the mean over a long time,
# the LTA.
#
#     energy[s] = sum over c of x[s,c]²
#     ratio[s]  = mean of energy over the `sta` samples up to s, over the same for `lta`
#
# This is its classic form: both windows end at the same sample. (The recursive form lets the
# past fade instead of ending it, and needs a loop over samples.) A mean over a window is the
# difference of two running sums, over its length, so it costs the same for any length. At
# the beginning of a record a window holds the samples that there are.


def sta_lta(x: Array, sta: int, lta: int) -> Array:
    """Return the ratio STA/LTA at each sample of records x (N, L, C): (N, L), up to lta / sta.

    The mean of each channel is subtracted before. `sta` and `lta` are lengths in samples, half a
    second and half a minute for earthquakes nearby; where nothing moves the ratio is 0.

    >>> x = np.concatenate([np.tile([1.0, -1.0], 50), np.tile([3.0, -3.0], 10)])[None, :, None]
    >>> sta_lta(x, sta=10, lta=50)[0, [99, 100, 109]].round(2)
    array([1.  , 1.55, 3.46])

    Sources: R. V. Allen, "Automatic earthquake recognition and timing from single traces",
    Bulletin of the Seismological Society of America 68 (1978), 1521-1532, has the idea; M. Withers
    and others, "A comparison of select trigger algorithms for automated global seismic phase and
    event detection", in the same Bulletin 88 (1998), 95-106, compares its forms.

    Raises `TypeError` or `ValueError` for arguments of another type or range.
    """
    require_finite("sta_lta", "x", x, "N L C")
    sta = whole_number("sta_lta", "sta", sta)
    lta = whole_number("sta_lta", "lta", lta, at_least=sta + 1)
    energy = ((x - x.mean(axis=1, keepdims=True, dtype=float)) ** 2).sum(axis=2)
    short, long = _mean_up_to(energy, sta), _mean_up_to(energy, lta)
    return np.divide(short, long, out=np.zeros_like(short), where=long > 0)


def _mean_up_to(values: Array, length: int) -> Array:
    """The mean of the `length` values up to each, along the rows of values (N, L)."""
    sums = np.pad(values.cumsum(axis=1), ((0, 0), (1, 0)))
    end = np.arange(1, values.shape[1] + 1)
    begin = np.maximum(0, end - length)
    return np.asarray((sums[:, end] - sums[:, begin]) / (end - begin))


# A trigger goes *on* where the ratio reaches one level, and *off* where it falls below another,
# lower one, so that a single event does not trigger many times. Each time it goes on is a
# pick. Whether it is on at a sample follows from the last sample that switched it.


def pick_triggers(ratio: Array, on: float, off: float) -> Array:
    """Return the indices at which a trigger on ratio (L,) goes on, ascending.

    It goes on where the ratio is at least `on`, and off where it is below `off`. Observatories
    start from 4 and 2 when they tune it (A. Trnkoczy, "Understanding and parameter setting of
    STA/LTA trigger algorithm", in the New Manual of Seismological Observatory Practice).

    >>> pick_triggers(np.array([1.0, 4.5, 3.0, 4.5, 1.5, 1.0, 5.0]), on=4, off=2)
    array([1, 6])

    Raises `TypeError` or `ValueError` for what is no row of ratios, or unless 0 < off <= on.
    """
    require_finite("pick_triggers", "ratio", ratio, "L")
    if not 0 < off <= on:
        raise ValueError(f"pick_triggers expected 0 < off <= on, got on={on}, off={off}")
    switches = np.where(ratio >= on, 1, np.where(ratio < off, -1, 0))
    last = np.maximum.accumulate(np.where(switches != 0, np.arange(len(ratio)), 0))
    is_on = switches[last] == 1
    return np.flatnonzero(is_on & ~np.append(False, is_on[:-1]))


# A trigger is late: energy has to gather before the ratio is large. So a second look is
# taken at a window around it, from well before it to a little after. Cut the window in two. If
# the cut is at the onset, one variance describes the samples before it and another those
# after it, and the two describe them better than for any other cut. How well they do is told
# by Akaike's information criterion,
#
#     AIC[k] = k log var(x[0 … k-1]) + (L - k - 1) log var(x[k … L-1])
#
# the smaller the better. The channels are taken to be independent, so their criteria add up. A
# variance of a few samples may be tiny by chance; each side is to have at least five.

FEWEST = 5


def aic(x: Array) -> Array:
    """Return AIC[k] for each cut of a window x (L, C), `x[k]` the first behind it: (L,).

    Where either side has fewer than 5 samples it is infinite. The onset is its argmin.

    >>> x = np.concatenate([np.tile([1.0, -1.0], 30), np.tile([9.0, -9.0], 10)])[:, None]
    >>> int(aic(x).argmin())
    60

    Source: N. Maeda, "A method for reading and checking phase times in auto-processing system
    of seismic wave data", Zisin 38 (1985), 365-379.

    Raises `TypeError` or `ValueError` for what is no window, or one of fewer than 10 samples.
    """
    require_finite("aic", "x", x, "L C")
    length = len(x)
    if length < 2 * FEWEST:
        raise ValueError(f"aic expected a window of {2 * FEWEST} samples or more, got {length}")
    x = x - x.mean(axis=0, dtype=float)  # else large sums would be subtracted from each other
    k = np.arange(FEWEST, length - FEWEST + 1)[:, None]
    sums, squares = x.cumsum(axis=0), (x**2).cumsum(axis=0)
    before = squares[k[:, 0] - 1] / k - (sums[k[:, 0] - 1] / k) ** 2
    behind = (squares[-1] - squares[k[:, 0] - 1]) / (length - k)
    behind -= ((sums[-1] - sums[k[:, 0] - 1]) / (length - k)) ** 2
    least = np.finfo(float).eps * squares[-1] + np.finfo(float).tiny  # what rounding leaves of 0
    criterion = k * np.log(np.maximum(before, least))
    criterion += (length - k - 1) * np.log(np.maximum(behind, least))
    return np.pad(criterion.sum(axis=1), (FEWEST, FEWEST - 1), constant_values=np.inf)


def pick_aic(x: Array, triggers: Array, before: int, behind: int) -> Array:
    """Return a better pick for each trigger on a record x (L, C): the indices, ascending.

    It is the best cut of a window that holds `before` samples before the trigger and `behind`
    from it on, 10 or more of each, or what of them is in the record. Two that fall together are
    one.

    >>> x = np.concatenate([np.tile([1.0, -1.0], 30), np.tile([9.0, -9.0], 10)])[:, None]
    >>> pick_aic(x, np.array([66]), before=40, behind=10)
    array([60])

    Raises what `aic` raises, and `TypeError` or `ValueError` for other lengths.
    """
    require_array("pick_aic", "x", x, "L C")
    before = whole_number("pick_aic", "before", before, at_least=2 * FEWEST)
    behind = whole_number("pick_aic", "behind", behind, at_least=2 * FEWEST)
    picks = []
    for trigger in triggers:
        begin = max(0, trigger - before)
        picks.append(begin + aic(x[begin : trigger + behind]).argmin())
    return np.unique(np.array(picks, dtype=int))
