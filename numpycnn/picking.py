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

from numpycnn.types import Array
from numpycnn.validation import as_array, whole_number

# What to learn
# -------------


def onset_targets(onsets: Sequence[npt.ArrayLike], n_samples: int, width: float) -> Array:
    """Return rows (N, L, 2), float32, for `fit` to learn: not an onset, an onset.

    Args:
        onsets: for each of N records the indices of its onsets, ascending.
        n_samples: the length L of the records.
        width: standard deviation of the bell, in samples.

    >>> onset_targets([[2], []], n_samples=5, width=1.0)[..., 1].round(2)
    array([[0.14, 0.61, 1.  , 0.61, 0.14],
           [0.  , 0.  , 0.  , 0.  , 0.  ]], dtype=float32)

    Raises `TypeError` or `ValueError` for onsets that cannot be in such records.
    """
    known = require_onsets("onset_targets", "onsets", onsets, n_samples)
    if not 0 < width < np.inf:
        raise ValueError(f"onset_targets expected a width above 0, in samples, got {width}")
    rows = np.zeros((len(known), n_samples, 2), np.float32)
    for row, here in zip(rows, known, strict=True):
        if len(here):
            tau = np.arange(n_samples)[:, None] - here
            row[:, 1] = np.exp(-0.5 * (tau / width) ** 2).max(axis=1)
    rows[..., 0] = 1 - rows[..., 1]
    return rows


def require_onsets(
    owner: str, name: str, onsets: Sequence[npt.ArrayLike], n_samples: int
) -> list[Array]:
    """Return the onsets of each record as an array, or raise unless they are ascending indices.

    >>> require_onsets("fit", "onsets", [[3.12]], n_samples=600)
    Traceback (most recent call last):
        ...
    TypeError: fit expected onsets[0] to be whole numbers, got float64: ...
    """
    whole_number(owner, "n_samples", n_samples)
    known = []
    for n, these in enumerate(onsets):
        here = as_array(owner, f"{name}[{n}]", these)
        if here.ndim != 1:
            raise ValueError(
                f"{owner} expected {name} to hold a list for each record, empty where there is no "
                f"onset, got {these!r} as {name}[{n}]"
            )
        if len(here) and here.dtype.kind not in "iu":
            raise TypeError(
                f"{owner} expected {name}[{n}] to be indices of samples, got {here[0]} of type "
                f"{here.dtype}; of seconds make samples: "
                "np.round(seconds * sampling_rate).astype(int)"
            )
        outside = (here < 0) | (here >= n_samples)
        if outside.any():
            raise ValueError(
                f"{owner} expected {name}[{n}] in the record, from 0 to {n_samples - 1}, got "
                f"{here[outside][0]}; leave it out"
            )
        if (np.diff(here) <= 0).any():
            raise ValueError(
                f"{owner} expected {name}[{n}] in ascending order and each once, got {here}; "
                f"np.unique({name}[{n}])"
            )
        known.append(here.astype(int))
    return known


# From a curve to picks
# ---------------------


def pick_peaks(curve: Array, threshold: float, apart: int) -> Array:
    """Return the indices of the peaks of a curve (L,), ascending.

    A peak is a sample where the curve is at least the threshold, and the largest among
    the `apart` samples before it and as many behind it; of equal ones the first.

    >>> pick_peaks(np.array([0.1, 0.9, 0.8, 0.1, 0.1, 0.6]), threshold=0.5, apart=2)
    array([1, 5])
    """
    high = np.flatnonzero(curve >= threshold)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(curve, apart, constant_values=-np.inf), 2 * apart + 1
    )
    return high[around[high].argmax(axis=1) == apart]


# How good they are
# -----------------


class Comparison(NamedTuple):
    """How picks agree with onsets."""

    errors: Array
    n_missed: int
    n_false: int


def compare_picks(
    picks: Sequence[Array], onsets: Sequence[Array], tolerance: int
) -> Comparison:
    """x"""
    errors, n_missed, n_false = [], 0, 0
    for said, true in zip(picks, onsets, strict=True):
        found = np.zeros(0, int)
        if len(said) and len(true):
            off = said[:, None] - true  # (picks, onsets)
            nearest = abs(off).argmin(axis=0)
            mutual = abs(off).argmin(axis=1)[nearest] == np.arange(len(true))
            error = off[nearest, np.arange(len(true))]
            found = error[mutual & (abs(error) <= tolerance)]
        errors.append(found)
        n_missed += len(true) - len(found)
        n_false += len(said) - len(found)
    return Comparison(np.concatenate(errors), n_missed, n_false)
