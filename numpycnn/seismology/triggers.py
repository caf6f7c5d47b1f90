"""Triggers: the classical methods for picking, without a network.

Seismologists have used two functions for decades to decide when an arrival begins in a
record. `sta_lta` compares the energy of the last samples with the energy of a longer time
before, and `pick_triggers` returns where this ratio rises. A trigger is late, so `pick_aic`
searches around it for the sample that divides the record best into noise and signal.
"""

from __future__ import annotations

import numpy as np

from numpycnn._reductions import difference, mean, total
from numpycnn._types import Array, ArrayLike
from numpycnn._validation import check_int, positive, require_real
from numpycnn.seismology.picking import require_indices

# STA/LTA
# -------
# A *trigger* detects that the ground moves more than before: the mean energy over a short time
# (short-term average, STA) is large compared with the mean over a long time (LTA).
#
#     energy[s] = sum over c of x[s,c]²
#     ratio[s]  = mean of energy over the `sta` samples up to s, over the same for `lta`
#
# This is the classic form: both windows end at the same sample. (In the recursive form the weights
# of past samples decrease exponentially, which requires a loop over samples.) At the beginning of a
# record a window contains only the samples from the beginning on.


def sta_lta(x: Array, sta: int, lta: int) -> Array:
    """Return the ratio STA/LTA at each sample of records.

    Parameters
    ----------
    x : ndarray, shape (N, L, C)
        Records of real numbers, floats or integers. The mean of each channel is subtracted first.
    sta, lta : int
        The lengths of the short and of the long window in samples: half a second and half a
        minute for local earthquakes.

    Returns
    -------
    ndarray, shape (N, L), float64
        The ratio, at most lta / sta; 0 where the record is constant.

    Raises
    ------
    TypeError, ValueError
        If `x` is not such an array, is masked, or holds NaN or infinity, and for lengths that are
        not integers, 1 or more and the long one longer.

    References
    ----------
    R. V. Allen, "Automatic earthquake recognition and timing from single traces", Bulletin of the
    Seismological Society of America 68 (1978), 1521-1532, has the idea; M. Withers and others, "A
    comparison of select trigger algorithms for automated global seismic phase and event
    detection", in the same Bulletin 88 (1998), 95-106, compares its forms.

    Examples
    --------
    >>> x = np.concatenate([np.tile([1.0, -1.0], 50), np.tile([3.0, -3.0], 10)])[None, :, None]
    >>> sta_lta(x, sta=10, lta=50)[0, [99, 100, 109]].round(2)
    array([1.  , 1.55, 3.46])
    """
    require_real("sta_lta", "x", x, "N L C")
    sta = check_int("sta_lta", "sta", sta)
    lta = check_int("sta_lta", "lta", lta, at_least=sta + 1)
    z = difference(x, x[:, :1])  # exactly 0 for a constant, without rounding
    z -= mean(z, axis=1, keepdims=True)
    z /= largest_or_one(z, axis=(1, 2))
    energy = total(z * z, axis=2)
    short, long = _mean_up_to(energy, sta), _mean_up_to(energy, lta)
    return np.divide(short, long, out=np.zeros_like(short), where=long > 0)


def largest_or_one(z: Array, axis: int | tuple[int, ...]) -> Array:
    """Return the largest absolute value along these axes, which are kept, or 1 where all are zero.

    The square of a value divided by it neither overflows nor underflows.
    """
    largest = abs(z).max(axis=axis, keepdims=True)
    return np.where(largest > 0, largest, 1.0)


# With running sums, a mean over a window takes the same time for any length. The difference of two
# cumulative sums would do, but after a large event both are large, and rounding would remove the
# quiet noise that follows. The record is therefore cut into blocks as long as the window. Each
# window covers the end of one block and the beginning of the next. In each block one cumulative sum
# runs forward and one backward, and a window is the sum of two of these. Nothing is subtracted, so
# no digits are lost.


def _mean_up_to(values: Array, length: int) -> Array:
    """Return the mean of the `length` values up to each, along the rows of values (N, L)."""
    n_rows, n_values = values.shape
    length = min(length, n_values)
    padded = np.pad(values, ((0, 0), (length, -n_values % length)))  # a block of zeros before
    blocks = padded.reshape(n_rows, -1, length)
    sums = blocks.cumsum(axis=2)[:, 1:]
    sums[..., :-1] += blocks[:, :-1, :0:-1].cumsum(axis=2)[..., ::-1]
    end = np.arange(1, n_values + 1)
    return np.asarray(sums.reshape(n_rows, -1)[:, :n_values] / np.minimum(end, length))


# A trigger switches *on* where the ratio reaches one level, and *off* where it falls below a
# second, lower level, so that a single event does not trigger many times. Each time it switches on
# is a pick. The state at a sample follows from the last sample that switched it.


def pick_triggers(ratio: Array, on: float, off: float) -> Array:
    """Return the samples at which a trigger switches on.

    Parameters
    ----------
    ratio : ndarray, shape (L,)
        The ratio STA/LTA.
    on, off : float
        The trigger switches on where the ratio is at least `on`, and off where it is below `off`.
        Observatories begin with 4 and 2 when they adjust these values.

    Returns
    -------
    ndarray of int, shape (K,)
        Indices, ascending.

    Raises
    ------
    TypeError, ValueError
        If `ratio` has another type or shape, or unless 0 < off <= on.

    References
    ----------
    A. Trnkoczy, "Understanding and parameter setting of STA/LTA trigger algorithm", in the New
    Manual of Seismological Observatory Practice.

    Examples
    --------
    >>> pick_triggers(np.array([1.0, 4.5, 3.0, 4.5, 1.5, 1.0, 5.0]), on=4, off=2)
    array([1, 6])
    """
    require_real("pick_triggers", "ratio", ratio, "L")
    on, off = positive("pick_triggers", "on", on), positive("pick_triggers", "off", off)
    if off > on:
        raise ValueError(
            f"pick_triggers: off must be at most on, got off={off}, on={on}. Exchange them."
        )
    switches = np.where(ratio >= on, 1, np.where(ratio < off, -1, 0))
    last = np.maximum.accumulate(np.where(switches != 0, np.arange(len(ratio)), 0))
    is_on = switches[last] == 1
    return np.flatnonzero(is_on & ~np.append(False, is_on[:-1]))


# The Akaike information criterion
# --------------------------------
# A trigger is late, because energy must accumulate before the ratio is large. The onset is
# therefore determined again in a window around the trigger, from well before it to a little after.
# The window is divided in two. If the cut is at the onset, one variance describes the samples
# before it and another the samples after it, and the two describe the samples better than for any
# other cut. Akaike's information criterion measures this,
#
#     AIC[k] = k log var(x[0 … k-1]) + (L - k - 1) log var(x[k … L-1])
#
# and is smallest for the best cut. The channels are assumed to be independent, so their criteria
# are added. The variance of very few samples may be small by chance; each side has at least five.

FEWEST = 5


def aic(x: Array) -> Array:
    """Return Akaike's criterion for each cut of a window; the onset is its argmin.

    Parameters
    ----------
    x : ndarray, shape (L, C)
        A window of real numbers, floats or integers, of 10 samples or more.

    Returns
    -------
    ndarray, shape (L,), float64
        AIC[k] for a cut before `x[k]`; infinite where either side has fewer than 5 samples.

    Raises
    ------
    TypeError, ValueError
        If `x` is not such an array, is masked, or holds NaN or infinity.

    References
    ----------
    N. Maeda, "A method for reading and checking phase times in auto-processing system of seismic
    wave data", Zisin 38 (1985), 365-379.

    Examples
    --------
    >>> x = np.concatenate([np.tile([1.0, -1.0], 30), np.tile([9.0, -9.0], 10)])[:, None]
    >>> int(aic(x).argmin())
    60
    """
    require_real("aic", "x", x, "L C")
    length = len(x)
    if length < 2 * FEWEST:
        raise ValueError(f"aic: x must have {2 * FEWEST} samples or more, got {length}.")
    z = difference(x, x[:1])
    scale = largest_or_one(z, axis=0)
    z /= scale
    k = np.arange(FEWEST, length - FEWEST + 1)[:, None]
    of_first, of_last = _variances(z), _variances(z[::-1])  # of the first and the last k samples
    before, behind = of_first[k[:, 0] - 1], of_last[length - k[:, 0] - 1]
    least = np.finfo(float).eps ** 2  # of equal samples, whose variance of 0 has no logarithm
    criterion = k * np.log(np.maximum(before, least))
    criterion += (length - k - 1) * np.log(np.maximum(behind, least))
    criterion += 2 * (length - 1) * np.log(scale)  # the variances above are those of x / scale
    return np.pad(criterion.sum(axis=1), (FEWEST, FEWEST - 1), constant_values=np.inf)


# The variances of the first k samples, for all k, need one pass. A sample `x[k]` that is `d` away
# from the mean of the `k` samples before it adds `d² k / (k + 1)` to the sum of squares about the
# mean, which moves as well. All these terms are positive: nothing is rounded away, however
# large the samples on the other side of a cut are.


def _variances(x: Array) -> Array:
    """Return the variance of x[0 … k], for each k and each channel of x (L, C)."""
    k = np.arange(1, len(x) + 1)[:, None]  # samples up to each
    z = difference(x, x[:1])
    means = z.cumsum(axis=0) / k
    added = (z[1:] - means[:-1]) ** 2 * k[:-1] / k[1:]
    return np.pad(added.cumsum(axis=0), ((1, 0), (0, 0))) / k


def pick_aic(x: Array, triggers: ArrayLike, before: int, behind: int) -> Array:
    """Return a better pick for each trigger on a record: the best cut of a window around it.

    Parameters
    ----------
    x : ndarray, shape (L, C)
        A record of real numbers, floats or integers.
    triggers : array_like, shape (K,)
        Indices of samples, integers of any type.
    before, behind : int
        The window holds `before` samples before the trigger and `behind` from it on, 10 or more
        of each, or those of them that are in the record.

    Returns
    -------
    ndarray, shape (at most K,), int64
        The picks, ascending. Equal picks are listed once.

    Raises
    ------
    TypeError, ValueError
        For arguments that `aic` refuses, for triggers outside of the record and for lengths that
        are not integers.

    Examples
    --------
    >>> x = np.concatenate([np.tile([1.0, -1.0], 30), np.tile([9.0, -9.0], 10)])[:, None]
    >>> pick_aic(x, np.array([66]), before=40, behind=10)
    array([60])
    """
    require_real("pick_aic", "x", x, "L C")
    before = check_int("pick_aic", "before", before, at_least=2 * FEWEST)
    behind = check_int("pick_aic", "behind", behind, at_least=2 * FEWEST)
    picks = []
    for trigger in require_indices("pick_aic", "triggers", triggers, len(x)).tolist():
        begin = max(0, trigger - before)
        picks.append(begin + aic(x[begin : trigger + behind]).argmin())
    return np.unique(np.array(picks, dtype=int))
