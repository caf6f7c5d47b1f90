"""Records: longer seismograms, with arrivals that begin at a known sample.

For a trace the question is *what* it contains, for a record it is *when* an arrival begins. These
records have a few hundred to a few hundred thousand samples, and usually three channels: the motion
up, north and east. Each contains noise, spikes that are not arrivals, and any number of arrivals.
The *onset* is the first sample of an arrival:

    x[s,c] = noise[s,c] + spikes[s,c] + sum over arrivals of h a[s - onset,c]

The noise has the standard deviation 1, so the height `h` of an arrival is its signal-to-noise
ratio. An arrival begins suddenly and ends slowly. First comes the direct wave: a pulse that moves
the ground along one line, of which each channel records a component. Then follows the *coda*: the
same pulse many times, decreasing and from all directions, scattered by heterogeneities in the
ground.

References
----------
D. F. Aldridge, "The Berlage wavelet", Geophysics 55 (1990), 1508-1511: a pulse that has a first
sample (here with the exponent 0, for the most sudden beginning).

K. Aki, B. Chouet, "Origin of coda waves: source, attenuation, and scattering effects", Journal of
Geophysical Research 80 (1975), 3322-3342.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array, Rng
from numpycnn._validation import (
    above_zero,
    check_int,
    generator,
    is_whole,
    number,
    positive,
    require_range,
    zero_or_more,
)

ZERO_OR_MORE = "a finite number of 0 or more"

# An arrival
# ----------
# The pulse is a sine whose amplitude decreases by a factor e in two periods.


def pulse(t: Array, frequency: float) -> Array:
    """Return the motion t seconds after an onset: exp(-f t / 2) sin(2π f t), scaled to height 1.

    The frequency f is in hertz.

    >>> pulse(np.arange(6) / 100, frequency=10).round(2)
    array([0.  , 0.63, 0.97, 0.92, 0.54, 0.  ])

    Raises `TypeError` or `ValueError` for a frequency that is not a finite number above 0.
    """
    frequency = positive("pulse", "frequency", frequency)
    t = np.asarray(t, float)
    highest = np.arctan(4 * np.pi) / (2 * np.pi)  # in periods: there the slope is zero
    height = np.exp(-highest / 2) * np.sin(2 * np.pi * highest)
    return np.asarray(np.exp(-frequency * t / 2) * np.sin(2 * np.pi * frequency * t) / height)


# Each wave contributes one pulse, so an arrival is a *convolution* of the pulse with the incoming
# waves at each sample. At the first sample this is the direct wave, along its line. The scattered
# waves are random numbers that decrease with time. The Fourier transform of a convolution is a
# product. The discrete transform is periodic, so the signals are padded with as many zeros again;
# otherwise the end would be added to the beginning.


def arrival(
    t: Array, line: Array, frequency: float, decay: float, coda: float, rng: np.random.Generator
) -> Array:
    """Return an arrival (L, C) of height 1.

    Parameters
    ----------
    t : ndarray, shape (L,)
        Seconds after the onset, in equal steps.
    line : ndarray, shape (C,)
        The direction, of length 1, in which the direct wave moves the ground.
    frequency : float
        Frequency of the pulse, in hertz.
    decay : float
        The time in which the coda decreases by a factor e, in seconds.
    coda : float
        Standard deviation of the scattered waves in each channel, directly after the onset.
    rng : Generator
        Source of randomness for the scattered waves.

    Returns
    -------
    ndarray, shape (L, C)
        The arrival.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.
    """
    decay = positive("arrival", "decay", decay)
    coda = number("arrival", "coda", coda, ZERO_OR_MORE, zero_or_more)
    wave = pulse(t, frequency)[:, None]
    incoming = rng.standard_normal((len(t), len(line))) * np.exp(-t / decay)[:, None]
    incoming *= coda / np.sqrt((wave**2).sum())
    incoming[0] = line
    ring = 2 * len(t)
    product = np.fft.rfft(wave, ring, axis=0) * np.fft.rfft(incoming, ring, axis=0)
    return np.asarray(np.fft.irfft(product, ring, axis=0)[: len(t)])


# Noise
# -----
# White noise contains all frequencies equally. In the ground the low frequencies are stronger. The
# simplest noise of this kind depends on the sample before: each sample is `r` times the one before,
# plus a new random number,
#
#     noise[s] = r noise[s-1] + √(1 - r²) z[s]
#
# with the standard deviation 1 for every `r`. The inverse operation is a filter with the taps 1 and
# -r, so the noise is computed from `z` by a division by the filter's Fourier transform.


def is_memory(number: float) -> bool:
    """Return True for a valid fraction of the sample before."""
    return 0 <= number < 1


def red_noise(n_samples: int, n_channels: int, memory: float, rng: np.random.Generator) -> Array:
    """Return noise (L, C) with a fraction `memory` of the sample before: 0 for white, below 1.

    Raises `TypeError` or `ValueError` for a `memory` that is not a number from 0 to below 1.
    """
    memory = number("red_noise", "memory", memory, "a number from 0 to below 1", is_memory)
    white = rng.standard_normal((n_samples, n_channels))
    turns = 2 * np.pi * np.fft.rfftfreq(n_samples)[:, None]  # radians per sample
    gain = np.sqrt(1 - memory**2) / (1 - memory * np.exp(-1j * turns))
    return np.asarray(np.fft.irfft(gain * np.fft.rfft(white, axis=0), n_samples, axis=0))


# Making the records
# ------------------
# There is an interval of noise before the first onset, and at least as much time from each onset to
# the next, and from the last one to the end. The remaining samples are distributed at random.
#
# There are many small earthquakes and few large ones. The heights are therefore uniform on a
# logarithmic scale: there are as many arrivals between 5 and 10 as between 10 and 20.

GONE = 10  # the coda ends after this number of decay times: e to the -10 is 1 / 22,000


def make_records(
    n_records: int,
    *,
    rng: Rng = None,
    n_samples: int = 640,
    n_channels: int = 3,
    sampling_rate: float = 100.0,
    arrivals: tuple[int, int] = (0, 2),
    snr: tuple[float, float] = (4.0, 40.0),
    apart: float = 1.5,
    frequency: tuple[float, float] = (4.0, 12.0),
    decay: tuple[float, float] = (0.5, 1.0),
    coda: float = 0.4,
    memory: tuple[float, float] = (0.0, 0.8),
    spikes: tuple[int, int] = (0, 3),
) -> tuple[Array, list[Array]]:
    """Make records and the onsets in each.

    Parameters
    ----------
    n_records : int
        Number of records N.
    rng : Generator, int or None
        Source of randomness. The same seed gives the same records to the bit.
    n_samples : int
        Number of samples L of a record.
    n_channels : int
        Number of channels C.
    sampling_rate : float
        Samples per second.
    arrivals : tuple of int
        Range of the number of arrivals in a record, both limits included.
    snr : tuple of float
        Range of the signal-to-noise ratio: the height of the direct wave along its line, divided by
        the standard deviation of the noise in a channel.
    apart : float
        The shortest time before an onset, since the beginning of the record or the previous onset,
        and after the last one, in seconds.
    frequency : tuple of float
        Range of the frequency of arrivals, in hertz.
    decay : tuple of float
        Range of the time in which a coda decreases by a factor e, in seconds.
    coda : float
        Standard deviation of the scattered waves, divided by the height of the direct wave.
    memory : tuple of float
        Range of the fraction of a sample that is part of the next one in the noise, from 0 for
        white noise to below 1.
    spikes : tuple of int
        Range of the number of spikes in a record. A spike is a single sample of one channel, at any
        position, with either sign and a height from the range `snr`.

    Returns
    -------
    x : ndarray of float32, shape (N, L, C)
        The records.
    onsets : list of ndarray of int
        For each record the ascending indices of its onsets: `x[n, onset]` is the first sample of an
        arrival.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or range, or if the record is too short for the arrivals.

    Examples
    --------
    >>> x, onsets = make_records(3, rng=0)
    >>> x.shape, x.dtype, [here.tolist() for here in onsets]
    ((3, 640, 3), dtype('float32'), [[], [322], [209, 360]])
    """
    caller = "make_records"
    n_records = check_int(caller, "n_records", n_records)
    n_samples = check_int(caller, "n_samples", n_samples)
    n_channels = check_int(caller, "n_channels", n_channels)
    sampling_rate = positive(caller, "sampling_rate", sampling_rate)
    apart = positive(caller, "apart", apart)
    coda = number(caller, "coda", coda, ZERO_OR_MORE, zero_or_more)
    kind = "finite numbers above 0"
    snr = require_range(caller, "snr", snr, kind, above_zero)
    frequency = require_range(caller, "frequency", frequency, kind, above_zero)
    decay = require_range(caller, "decay", decay, kind, above_zero)
    kind = "numbers from 0 to below 1"
    memory = require_range(caller, "memory", memory, kind, is_memory)
    kind = "integers of 0 or more"
    arrivals = require_range(caller, "arrivals", arrivals, kind, lambda n: is_whole(n) and n >= 0)
    spikes = require_range(caller, "spikes", spikes, kind, lambda n: is_whole(n) and n >= 0)
    if 2 * frequency[1] > sampling_rate:
        raise ValueError(
            f"{caller}: frequency must be at most half the sampling_rate, {sampling_rate / 2} "
            f"hertz, got {frequency}. Increase sampling_rate."
        )
    gap = max(1, round(min(apart * sampling_rate, n_samples + 1)))
    needed = gap * (arrivals[1] + 1) if arrivals[1] else 1
    if n_samples < needed:
        raise ValueError(
            f"{caller}: n_samples must be {needed} or more, for {arrivals[1]} arrivals "
            f"{gap} samples apart, got {n_samples}. Make the records longer, or arrivals or "
            "apart smaller."
        )
    rng = generator(caller, rng)

    x = np.zeros((n_records, n_samples, n_channels), np.float32)
    onsets = []
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large are reported below
        for record in x:
            record += red_noise(n_samples, n_channels, rng.uniform(*memory), rng)
            for _ in range(rng.integers(*spikes, endpoint=True)):
                sample, channel = rng.integers(n_samples), rng.integers(n_channels)
                record[sample, channel] += rng.choice([-1, 1]) * _any_factor(snr, rng)
            n = int(rng.integers(*arrivals, endpoint=True))
            spare = rng.integers(0, max(0, n_samples - gap * (n + 1)), n, endpoint=True)
            here = np.sort(spare) + gap * np.arange(1, n + 1)
            for onset in here:
                fading = rng.uniform(*decay)
                n_fading = int(min(n_samples, GONE * fading * sampling_rate))
                n_heard = min(n_samples - onset, n_fading + 1)
                t = np.arange(1, n_heard + 1) / sampling_rate  # at 0 the motion is still 0
                line = rng.standard_normal(n_channels)
                line /= np.sqrt(line @ line)
                wave = arrival(t, line, rng.uniform(*frequency), fading, coda, rng)
                record[onset : onset + n_heard] += _any_factor(snr, rng) * wave
            onsets.append(here)
    if not np.isfinite(x).all():
        raise ValueError(
            f"{caller}: snr, coda, decay, frequency and sampling_rate must give samples that "
            f"float32 can hold, got {snr}, {coda}, {decay}, {frequency} and {sampling_rate}. "
            "Keep each of them between 1e-30 and 1e30."
        )
    return x, onsets


def _any_factor(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a number from this range, uniformly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(limits))))
