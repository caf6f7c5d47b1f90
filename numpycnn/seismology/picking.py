"""Picking: targets from onsets, picks from a curve, and the accuracy of picks.

A network with an output for each sample can be trained to find the samples at which arrivals begin.
An onset is a single sample among many, and a person who marks it may be off by a few samples. The
target is therefore not a single 1 among zeros but a bell around each onset:

    target[s] = max over onsets of exp(-½ ((s - onset) / width)²)

This is the probability of the class "onset"; the probability of "no onset" is the rest up to 1. The
output of the trained network is such a curve again, and a *pick* is a peak of this curve above a
threshold.

References
----------
W. Zhu, G. C. Beroza, "PhaseNet: a deep-neural-network-based seismic arrival-time picking method",
Geophysical Journal International 216 (2019), 261-273, use the same targets and peaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn._reductions import centered, difference, mean, wide
from numpycnn._types import Array, ArrayLike
from numpycnn._validation import (
    above_zero,
    as_array,
    check_int,
    is_finite,
    number,
    require_real,
    zero_or_more,
)

# The unit of a record
# --------------------
# The unit and the zero of an instrument are arbitrary; the size of an arrival is its ratio to the
# noise. The median of a record is therefore subtracted, and the record divided by the standard
# deviation of its noise. The standard deviation of the whole record is not suitable: a large
# arrival increases it, and more so in a short record. The *median* of the absolute values hardly
# depends on arrivals or on the length of the record. Divided by 0.6745 it is the standard deviation
# of normally distributed noise. A quarter of a million samples are enough, so of a longer record
# only every n-th sample is used.

ENOUGH = 2**18  # samples


def noise_of(x: Array) -> tuple[Array, float]:
    """Return the median of each channel of a record, and the standard deviation of the noise.

    Parameters
    ----------
    x : ndarray, shape (L, C)
        A record of real numbers, floats or integers.

    Returns
    -------
    middle : ndarray, shape (C,), float64
        The median of each channel.
    size : float
        The standard deviation of the noise; 1 if the record is constant. In this unit the record is
        `(x - middle) / size`.

    Raises
    ------
    TypeError, ValueError
        If `x` is not such an array, is masked, or the samples used hold NaN or infinity.

    Examples
    --------
    >>> quiet = np.random.default_rng(0).normal(loc=[100, 200], scale=3, size=(5000, 2))
    >>> middle, size = noise_of(quiet)
    >>> middle.round(), round(size)
    (array([100., 200.]), 3)
    """
    some = x[:: spaced(len(x))] if isinstance(x, np.ndarray) and x.ndim else x
    require_real("noise_of", "x", some, "L C")
    z = difference(some, some[:1])  # else a large offset would round the noise away
    middle = np.median(z, axis=0)
    size = float(np.median(abs(z - middle))) / 0.6745
    return some[0].astype(float) + middle, size or 1.0


def spaced(length: int) -> int:
    """Return the distance between the samples from which the noise of a record is computed."""
    return max(1, -(-length // ENOUGH))  # rounded up: no more than enough


# Targets
# -------


def onset_targets(onsets: Sequence[ArrayLike], n_samples: int, width: float) -> Array:
    """Return targets for `fit`: the probabilities of no onset, and of an onset.

    Parameters
    ----------
    onsets : sequence of array-like
        For each of N records the indices of its onsets, in ascending order.
    n_samples : int
        Number of samples L of the records.
    width : float
        Standard deviation of the bell, in samples.

    Returns
    -------
    ndarray of float32, shape (N, L, 2)
        The rows of probabilities.

    Raises
    ------
    TypeError, ValueError
        If the onsets are not indices of samples in such records, or an argument has another range.

    Examples
    --------
    >>> onset_targets([[2], []], n_samples=5, width=1.0)[..., 1].round(2)
    array([[0.14, 0.61, 1.  , 0.61, 0.14],
           [0.  , 0.  , 0.  , 0.  , 0.  ]], dtype=float32)
    """
    known = require_onsets("onset_targets", onsets, n_samples)
    kind = "a finite number above 0, in samples"
    width = number("onset_targets", "width", width, kind, above_zero)
    rows = np.zeros((len(known), n_samples, 2), np.float32)
    for row, here in zip(rows, known, strict=True):
        with np.errstate(over="ignore"):  # far from a narrow bell
            tau = np.subtract.outer(np.arange(n_samples), here) / width
            row[:, 1] = np.exp(-0.5 * tau**2).max(axis=1, initial=0)
    rows[..., 0] = 1 - rows[..., 1]
    return rows


def require_onsets(
    caller: object, onsets: Sequence[ArrayLike], n_samples: int, n_records: int | None = None
) -> list[Array]:
    """Return the onsets of each record as an array, or raise unless they are ascending indices.

    >>> require_onsets("onset_targets", [[212], [3.12]], n_samples=640)
    Traceback (most recent call last):
        ...
    TypeError: onset_targets: onsets[1] must hold indices of samples, got float64 [3.12]. Convert \
seconds to samples: np.round(seconds * sampling_rate).astype(int).
    """
    n_samples = check_int(caller, "n_samples", n_samples)
    _require_lists(caller, "onsets", onsets, n_records)
    known = []
    for n, these in enumerate(onsets):
        here = require_indices(caller, f"onsets[{n}]", these, n_samples)
        if (np.diff(here) <= 0).any():
            raise ValueError(
                f"{caller}: onsets[{n}] must be in ascending order, each onset once, got {here}. "
                "Sort them with np.unique."
            )
        known.append(here)
    return known


def _require_lists(caller: object, name: str, lists: object, n_records: int | None) -> None:
    """Raise unless there is a list of indices for each record."""
    if not hasattr(lists, "__len__") or isinstance(lists, str):
        raise TypeError(f"{caller}: {name} must be a list for each record, got {lists!r}.")
    if n_records not in (None, len(lists)):
        raise ValueError(
            f"{caller}: {name} must be {n_records} lists, one for each record and empty where it "
            f"has none, got {len(lists)}."
        )


def require_indices(caller: object, name: str, indices: object, n_samples: int) -> Array:
    """Return indices of samples, of any integer type, as an array of signed integers.

    Parameters
    ----------
    caller, name : object, str
        The function and its argument, for the message.
    indices : array_like, shape (K,)
        Integers from 0 to `n_samples - 1`; an empty list may have any type.
    n_samples : int
        The length of the record.

    Returns
    -------
    ndarray, shape (K,), int64
        In this type a difference does not wrap around.

    Raises
    ------
    TypeError
        If they are not integers, or masked.
    ValueError
        If they are not a list, or one of them is outside of the record.

    Examples
    --------
    >>> require_indices("pick_aic", "triggers", np.array([98], np.uint32), 640) - 100
    array([-2])
    """
    here = _require_list(caller, name, indices)
    if here.size and here.dtype.kind not in "iu":
        raise TypeError(
            f"{caller}: {name} must hold indices of samples, got {here.dtype} {here}. Convert "
            "seconds to samples: np.round(seconds * sampling_rate).astype(int)."
        )
    outside = here[(here < 0) | (here >= n_samples)] if here.size else here
    if outside.size:
        raise ValueError(
            f"{caller}: {name} must be within the record, from 0 to {n_samples - 1}, got "
            f"{outside[0]}. Leave out the indices outside."
        )
    return here.astype(np.int64)


def _require_list(caller: object, name: str, values: object) -> Array:
    """Return a list as an array, or raise for another shape."""
    here = as_array(caller, name, values)
    if here.ndim != 1:
        raise ValueError(
            f"{caller}: {name} must be a list, empty where there are none, got {values!r}."
        )
    return here


# From a curve to picks
# ---------------------


def pick_peaks(curve: Array, threshold: float, apart: int) -> Array:
    """Return the picks in a curve: the indices of its peaks.

    Parameters
    ----------
    curve : ndarray, shape (L,)
        A probability, or another value, for each sample.
    threshold : float
        The lowest value of a peak.
    apart : int
        A peak is the highest of this number of samples on either side; of equal ones the first.

    Returns
    -------
    ndarray of int, shape (K,)
        The picks, ascending.

    Raises
    ------
    TypeError, ValueError
        If the curve has another type or shape, or contains NaN or infinity.

    Examples
    --------
    >>> pick_peaks(np.array([0.1, 0.9, 0.8, 0.1, 0.2, 0.6]), threshold=0.5, apart=2)
    array([1, 5])
    """
    require_real("pick_peaks", "curve", curve, "L")
    threshold = number("pick_peaks", "threshold", threshold, "a finite number", is_finite)
    apart = min(check_int("pick_peaks", "apart", apart), len(curve))
    high = np.flatnonzero(curve >= threshold)
    around = np.pad(curve.astype(wide(curve)), apart, constant_values=-np.inf)
    windows = sliding_window_view(around, 2 * apart + 1)
    return np.asarray(high[windows[high].argmax(axis=1) == apart])


# The accuracy of picks
# ---------------------
# A pick is correct if it is near enough to an onset. Each onset is found at most once: of two picks
# near an onset, the nearer one is correct and the other is false. A pick and an onset therefore
# belong together if each is the nearest one of the other, at a distance of at most the tolerance.


class Comparison(NamedTuple):
    """The agreement of picks and onsets in several records.

    `errors` has a value for each onset that was found: its pick minus the onset, in samples.
    """

    errors: Array
    n_missed: int
    n_false: int

    @property
    def share_found(self) -> float:
        """Fraction of onsets that were found; NaN without onsets."""
        n_onsets = len(self.errors) + self.n_missed
        return len(self.errors) / n_onsets if n_onsets else np.nan

    @property
    def mean_error(self) -> float:
        """Mean error in samples, positive if the picks are late; NaN if no onset was found."""
        return float(mean(self.errors)) if len(self.errors) else np.nan

    @property
    def spread(self) -> float:
        """Standard deviation of the errors, in samples; NaN if no onset was found."""
        if not len(self.errors):
            return np.nan
        _, z = centered(self.errors)
        return float(np.sqrt(mean(z * z)))

    @property
    def score(self) -> float:
        """The F1 score: correct picks over the mean number of picks and onsets, 1 if all agree."""
        n_right = len(self.errors)
        return 2 * n_right / max(1, 2 * n_right + self.n_missed + self.n_false)


def compare_picks(
    picks: Sequence[ArrayLike], onsets: Sequence[ArrayLike], tolerance: float
) -> Comparison:
    """Compare the picks in each record with its onsets.

    Parameters
    ----------
    picks, onsets : sequence of array_like
        For each record the positions of its picks, and of its onsets, in samples.
    tolerance : float
        The largest distance, in samples, at which a pick is correct.

    Returns
    -------
    Comparison
        Errors, and the numbers of missed onsets and false picks.

    Raises
    ------
    TypeError, ValueError
        If there are picks for more records than onsets, or for fewer, if they are not finite
        numbers, or if the tolerance is not a finite number of 0 or more.

    Examples
    --------
    >>> compare_picks([np.array([98, 104, 300])], [np.array([100, 200])], tolerance=5)
    Comparison(errors=array([-2]), n_missed=1, n_false=2)
    """
    caller = "compare_picks"
    _require_lists(caller, "onsets", onsets, None)
    _require_lists(caller, "picks", picks, len(onsets))
    kind = "a finite number of 0 or more"
    tolerance = number(caller, "tolerance", tolerance, kind, zero_or_more)
    found, n_picks, n_onsets = [np.zeros(0, int)], 0, 0
    for n, (these, those) in enumerate(zip(picks, onsets, strict=True)):
        called = _positions(caller, f"picks[{n}]", these)
        true = _positions(caller, f"onsets[{n}]", those)
        n_picks, n_onsets = n_picks + len(called), n_onsets + len(true)
        if len(called) and len(true):
            error = np.subtract.outer(called, true)
            pick, onset = abs(error).argmin(axis=0), np.arange(len(true))  # each onset's nearest
            error, back = error[pick, onset], abs(error).argmin(axis=1)[pick]
            found.append(error[(back == onset) & (abs(error) <= tolerance)])
    errors = np.concatenate(found)
    return Comparison(errors, n_onsets - len(errors), n_picks - len(errors))


def _positions(caller: str, name: str, positions: object) -> Array:
    """Return positions as signed integers of 64 bits, or as float64 if they lie between samples."""
    here = _require_list(caller, name, positions)
    if here.size:
        require_real(caller, name, here, "K")
    if here.dtype.kind == "u" and here.size and here.max() >= 2**63:
        raise ValueError(f"{caller}: {name} must be below 2**63, got {here.max()}.")
    return here.astype(np.float64 if here.dtype.kind == "f" and here.size else np.int64)
