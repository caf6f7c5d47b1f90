"""Picking: from onsets to a curve to learn, from a curve to picks, and how good they are.

A network with an output for each sample can be asked at which samples an arrival
begins. An onset is a single sample of many, and a person who marks it may be a few
samples off. So what the network is to learn is not a 1 among zeros but a bell
around each onset:

    target[s] = max over onsets of exp(-½ ((s - onset) / width)²)

It is the probability of "an onset here"; the rest, up to 1, is that of "none". What the
trained network answers is such a curve again, and a *pick* is one of its peaks, high
enough to be believed.

Sources: a bell around the onset to learn, and picks as peaks, W. Zhu, G. C. Beroza, "PhaseNet: a
deep-neural-network-based seismic arrival-time picking method", Geophysical Journal
International 216 (2019), 261-273.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn.types import Array
from numpycnn.validation import above_zero, as_array, require_array, require_finite, whole_number

# How large is a sample?
# ----------------------
# An instrument counts in its own unit and from its own zero, and an arrival is as large as it
# stands out of the noise. So a record is moved to its middle and divided by the size of its noise.
# The standard deviation would not do: a large arrival raises it, and more so in a short record. The
# *median* of the absolute values hardly notices an arrival, and it is the same for ten seconds as
# for an hour; over 0.6745 it is the standard deviation, if the noise is normal. A quarter of a
# million samples tell it well enough, so of a longer record they are taken from all over it.

ENOUGH = 2**18  # samples


def noise_of(x: Array) -> tuple[Array, float]:
    """Return the middle of each channel of a record x (L, C), and the size of the noise around it.

    In its units the record is `(x - middle) / size`. The size is 1 where nothing moves. Samples at
    which a channel is NaN, as in a gap, do not count.

    >>> quiet = np.random.default_rng(0).normal(loc=[100, 200], scale=3, size=(5000, 2))
    >>> middle, size = noise_of(quiet)
    >>> middle.round(), round(size)
    (array([100., 200.]), 3)
    """
    some = x[:: spaced(len(x))].astype(float)
    require_array("noise_of", "x", some, "L C")
    some = some[~np.isnan(some).any(axis=1)]
    if not len(some):
        raise ValueError("noise_of: x must have a sample at which no channel is NaN, got none.")
    middle = np.median(some, axis=0)
    size = float(np.median(abs(some - middle))) / 0.6745
    return middle, size or 1.0


def spaced(length: int) -> int:
    """Return how far apart the samples lie that tell the noise of a record of this length."""
    return max(1, -(-length // ENOUGH))  # rounded up: no more than enough


# What to learn
# -------------


def onset_targets(onsets: Sequence[npt.ArrayLike], n_samples: int, width: float) -> Array:
    """Return rows (N, L, 2), float32, for `fit`: the probability of no onset, and of one.

    Args:
        onsets: for each of N records the indices of its onsets, in ascending order.
        n_samples: the length of the records, L.
        width: standard deviation of the bell, in samples.

    >>> onset_targets([[2], []], n_samples=5, width=1.0)[..., 1].round(2)
    array([[0.14, 0.61, 1.  , 0.61, 0.14],
           [0.  , 0.  , 0.  , 0.  , 0.  ]], dtype=float32)

    Raises `TypeError` or `ValueError` for onsets that cannot be in such records.
    """
    known = require_onsets("onset_targets", onsets, n_samples)
    if not above_zero(width):
        raise ValueError(f"onset_targets expected a width above 0, in samples, got {width}")
    rows = np.zeros((len(known), n_samples, 2), np.float32)
    for row, here in zip(rows, known, strict=True):
        tau = np.subtract.outer(np.arange(n_samples), here) / width
        row[:, 1] = np.exp(-0.5 * tau**2).max(axis=1, initial=0)
    rows[..., 0] = 1 - rows[..., 1]
    return rows


def require_onsets(
    owner: object, onsets: Sequence[npt.ArrayLike], n_samples: int, n_records: int | None = None
) -> list[Array]:
    """Return the onsets of each record as an array, or raise unless they are ascending indices.

    >>> require_onsets("onset_targets", [[212], [3.12]], n_samples=640)
    Traceback (most recent call last):
        ...
    TypeError: onset_targets expected onsets[1] to be indices of samples, got float64 [3.12]; \
make samples of seconds: np.round(seconds * sampling_rate).astype(int)
    """
    n_samples = whole_number(owner, "n_samples", n_samples)
    if n_records not in (None, len(onsets)):
        raise ValueError(
            f"{owner} expected onsets for each of {n_records} records, an empty list where there "
            f"are none, got {len(onsets)} lists"
        )
    known = []
    for n, these in enumerate(onsets):
        name = f"onsets[{n}]"
        here = as_array(owner, name, these)
        if here.ndim != 1:
            raise ValueError(
                f"{owner} expected {name} to be a list, empty where there are none, got {these!r}"
            )
        if here.size and here.dtype.kind not in "iu":
            raise TypeError(
                f"{owner} expected {name} to be indices of samples, got {here.dtype} {here}; make "
                "samples of seconds: np.round(seconds * sampling_rate).astype(int)"
            )
        here = here.astype(int)
        outside = here[(here < 0) | (here >= n_samples)]
        if outside.size:
            raise ValueError(
                f"{owner} expected {name} within the record, from 0 to {n_samples - 1}, got "
                f"{outside[0]}; leave out what lies outside"
            )
        if (np.diff(here) <= 0).any():
            raise ValueError(
                f"{owner} expected {name} in ascending order, each onset once, got {here}; "
                "np.unique sorts them"
            )
        known.append(here)
    return known


# From a curve to picks
# ---------------------


def pick_peaks(curve: Array, threshold: float, apart: int) -> Array:
    """Return the picks in a curve (L,): the indices of its peaks, ascending.

    A peak is at least as high as the threshold, and the highest of the `apart` samples on
    either side; of equally high ones it is the first.

    >>> pick_peaks(np.array([0.1, 0.9, 0.8, 0.1, 0.2, 0.6]), threshold=0.5, apart=2)
    array([1, 5])

    Raises `TypeError` or `ValueError` for what is no curve, and for NaN or infinity.
    """
    require_finite("pick_peaks", "curve", curve, "L")
    apart = whole_number("pick_peaks", "apart", apart)
    high = np.flatnonzero(curve >= threshold)
    around = np.pad(curve, apart, constant_values=-np.inf)
    windows = sliding_window_view(around, 2 * apart + 1)
    return np.asarray(high[windows[high].argmax(axis=1) == apart])


# How good they are
# -----------------
# A pick is right if it is near enough to an onset. An onset is found once: where two picks
# stand around it, the nearer one has found it and the other is false. So a pick and an
# onset belong together if each is the other's nearest, and no further off than tolerated.


class Comparison(NamedTuple):
    """What came of the onsets and the picks of several records.

    `errors` has a number for each onset that was found: its pick minus the onset, in samples.
    """

    errors: Array
    n_missed: int
    n_false: int

    @property
    def share_found(self) -> float:
        """Found onsets, of all of them; NaN where there were none."""
        n_onsets = len(self.errors) + self.n_missed
        return len(self.errors) / n_onsets if n_onsets else np.nan

    @property
    def mean_error(self) -> float:
        """Of those found, in samples: above 0 if the picks are late; NaN where none was found."""
        return float(self.errors.mean()) if len(self.errors) else np.nan

    @property
    def spread(self) -> float:
        """Standard deviation of the errors, in samples; NaN where no onset was found."""
        return float(self.errors.std()) if len(self.errors) else np.nan

    @property
    def score(self) -> float:
        """Right picks over the mean number of picks and onsets, F1: 1 if all agree.

        Picks too many and picks too few cost the same.
        """
        n_right = len(self.errors)
        return 2 * n_right / max(1, 2 * n_right + self.n_missed + self.n_false)


def compare_picks(picks: Sequence[Array], onsets: Sequence[Array], tolerance: int) -> Comparison:
    """Compare the picks in each record with its onsets; `tolerance` is in samples.

    >>> compare_picks([np.array([98, 104, 300])], [np.array([100, 200])], tolerance=5)
    Comparison(errors=array([-2]), n_missed=1, n_false=2)

    Raises `ValueError` where there are picks for more records than onsets, or for fewer.
    """
    if len(picks) != len(onsets):
        raise ValueError(
            f"compare_picks expected picks and onsets of the same records, got {len(picks)} "
            f"and {len(onsets)} of them"
        )
    found, n_picks, n_onsets = [np.zeros(0, int)], 0, 0
    for called, true in zip(picks, onsets, strict=True):
        n_picks, n_onsets = n_picks + len(called), n_onsets + len(true)
        if len(called) and len(true):
            error = np.subtract.outer(called, true)
            pick, onset = abs(error).argmin(axis=0), np.arange(len(true))  # each onset's nearest
            error, back = error[pick, onset], abs(error).argmin(axis=1)[pick]
            found.append(error[(back == onset) & (abs(error) <= tolerance)])
    errors = np.concatenate(found)
    return Comparison(errors, n_onsets - len(errors), n_picks - len(errors))
