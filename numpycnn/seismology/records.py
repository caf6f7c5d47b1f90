"""The records: longer seismograms, with arrivals that begin at a known sample.

A trace is asked *what* it holds, a record is asked *when*. Here are records of a few hundred
samples, or of a few hundred thousand, usually of three channels: the motion up, north and
east. Each holds noise, spikes that mean nothing, and one arrival, several or none. What counts
is the *onset*, the first sample of an arrival:

    x[s,c] = noise[s,c] + spikes[s,c] + sum over arrivals of h a[s - onset,c]

The noise has the standard deviation 1, so the height `h` of an arrival is its
signal-to-noise ratio. An arrival begins suddenly and ends slowly. First comes the direct wave:
a pulse that moves the ground to and fro along one line, of which each channel sees its
share. Behind it comes the *coda*: the same pulse again and again, fading and from all sides,
scattered by whatever is uneven in the ground.

Sources: D. F. Aldridge, "The Berlage wavelet", Geophysics 55 (1990), 1508-1511, for a pulse
that has a first sample (here with the exponent 0, the most sudden one); K. Aki, B. Chouet,
"Origin of coda waves: source, attenuation, and scattering effects", Journal of Geophysical
Research 80 (1975), 3322-3342, for the coda.
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
    require_range,
    zero_or_more,
)

ABOVE_ZERO, ZERO_OR_MORE = "a finite number above 0", "a finite number of 0 or more"

# An arrival
# ----------
# The pulse is a sine that takes two of its periods to die away by a factor e.


def pulse(t: Array, frequency: float) -> Array:
    """The motion t seconds after a wave came: exp(-f t / 2) sin(2π f t), scaled to height 1.

    The frequency f is in hertz.

    >>> pulse(np.arange(6) / 100, frequency=10).round(2)
    array([0.  , 0.63, 0.97, 0.92, 0.54, 0.  ])

    Raises `TypeError` or `ValueError` for a frequency that is not a finite number above 0.
    """
    frequency = number("pulse", "frequency", frequency, ABOVE_ZERO, above_zero)
    t = np.asarray(t, float)
    highest = np.arctan(4 * np.pi) / (2 * np.pi)  # in periods: there the slope is zero
    height = np.exp(-highest / 2) * np.sin(2 * np.pi * highest)
    return np.asarray(np.exp(-frequency * t / 2) * np.sin(2 * np.pi * frequency * t) / height)


# Each wave brings one pulse, so an arrival is a *convolution* of the pulse with a list of
# what comes in at which sample. At the first sample that is the direct wave, along its line. The
# scattered waves are random numbers that fade. Convolution becomes a product under the Fourier
# transform, which takes what it is given for a ring; as many zeros again keep the end from
# running into the beginning.


def arrival(
    t: Array, line: Array, frequency: float, decay: float, coda: float, rng: np.random.Generator
) -> Array:
    """Return an arrival (L, C) of height 1.

    Args:
        t: seconds since the wave came, (L,), in equal steps.
        line: the direction, of length 1, in which the direct wave moves the ground, (C,).
        frequency: of the pulse, in hertz.
        decay: how long the coda takes to fall by a factor e, in seconds.
        coda: standard deviation of the scattered waves, in each channel, right behind the onset.
        rng: draws the scattered waves.

    Raises `TypeError` or `ValueError` for numbers out of range.
    """
    decay = number("arrival", "decay", decay, ABOVE_ZERO, above_zero)
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
# White noise has all frequencies alike; in the ground the low ones are stronger. The simplest
# noise of that kind *remembers*: each sample is `r` times the one before, and something new,
#
#     noise[s] = r noise[s-1] + √(1 - r²) z[s]
#
# with the standard deviation 1 whatever `r` is. To take off what is remembered is a filter with
# the taps 1 and -r, and a filter is undone by a division by its transform.


def is_memory(number: float) -> bool:
    """Return True for a fraction of the sample before that noise can keep."""
    return 0 <= number < 1


def red_noise(n_samples: int, n_channels: int, memory: float, rng: np.random.Generator) -> Array:
    """Return noise (L, C) that remembers a part of the sample before: 0 for white, below 1.

    Raises `TypeError` or `ValueError` for a `memory` that is not a number from 0 to below 1.
    """
    memory = number("red_noise", "memory", memory, "a number from 0 to below 1", is_memory)
    white = rng.standard_normal((n_samples, n_channels))
    turns = 2 * np.pi * np.fft.rfftfreq(n_samples)[:, None]  # radians per sample
    gain = np.sqrt(1 - memory**2) / (1 - memory * np.exp(-1j * turns))
    return np.asarray(np.fft.irfft(gain * np.fft.rfft(white, axis=0), n_samples, axis=0))


# Making the records
# ------------------
# Where are the onsets? A stretch of noise comes before the first, and at least as much
# time passes from each to the next, and from the last to the end. What is left
# of the record is divided among them at random.
#
# Small earthquakes are many and large ones few. So a height is drawn from each of its octaves
# equally often: as many arrivals lie between 5 and 10 as between 10 and 20.

GONE = 10  # after so many times its decay a coda is left out: e to the -10 is 1 / 22,000


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
    """Make records x (N, L, C), float32, and the onsets in each: N ascending arrays of indices.

    Args:
        n_records: how many, N.
        rng: a generator or a seed; the same seed gives the same records to the bit.
        n_samples: their length, L.
        n_channels: C.
        sampling_rate: in hertz: so many samples are a second.
        arrivals: range of their number in a record, whole numbers, both included.
        snr: range of the signal-to-noise ratio: the height of the direct wave along its line,
            over the standard deviation of the noise in a channel.
        apart: the fewest seconds before an onset, since the beginning of the record or the
            onset before, and after the last one.
        frequency: range of the arrivals' frequency, in hertz.
        decay: range of the time in which a coda falls by a factor e, in seconds.
        coda: standard deviation of the scattered waves, in heights of the direct wave.
        memory: range of the share of a sample that the next one keeps in the noise, from 0
            for white noise to below 1.
        spikes: range of their number in a record. A spike is one sample of one channel, anywhere,
            with either sign and a height from the range of `snr`.

    An onset is an index: `x[n, onset]` is the first sample of the arrival.

    >>> x, onsets = make_records(3, rng=0)
    >>> x.shape, x.dtype, [here.tolist() for here in onsets]
    ((3, 640, 3), dtype('float32'), [[], [322], [209, 360]])

    Raises `TypeError` or `ValueError` for arguments of another type or range, and where so
    many arrivals do not fit into a record.
    """
    caller = "make_records"
    n_records = check_int(caller, "n_records", n_records)
    n_samples = check_int(caller, "n_samples", n_samples)
    n_channels = check_int(caller, "n_channels", n_channels)
    sampling_rate = number(caller, "sampling_rate", sampling_rate, ABOVE_ZERO, above_zero)
    apart = number(caller, "apart", apart, ABOVE_ZERO, above_zero)
    coda = number(caller, "coda", coda, ZERO_OR_MORE, zero_or_more)
    kind = "finite numbers above 0"
    snr = require_range(caller, "snr", snr, kind, above_zero)
    frequency = require_range(caller, "frequency", frequency, kind, above_zero)
    decay = require_range(caller, "decay", decay, kind, above_zero)
    kind = "numbers from 0 to below 1"
    memory = require_range(caller, "memory", memory, kind, is_memory)
    kind = "whole numbers from 0 up"
    arrivals = require_range(caller, "arrivals", arrivals, kind, lambda n: is_whole(n) and n >= 0)
    spikes = require_range(caller, "spikes", spikes, kind, lambda n: is_whole(n) and n >= 0)
    if 2 * frequency[1] > sampling_rate:
        raise ValueError(
            f"{caller}: frequency must be at most half the sampling_rate, {sampling_rate / 2} "
            f"hertz, got {frequency}. Faster motion falls between the samples."
        )
    gap = max(1, round(min(apart * sampling_rate, n_samples + 1)))
    needed = gap * (arrivals[1] + 1) if arrivals[1] else 1
    if n_samples < needed:
        raise ValueError(
            f"{caller}: n_samples must be {needed} or more, for {arrivals[1]} arrivals that lie "
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
                t = np.arange(1, n_heard + 1) / sampling_rate  # at 0 the ground does not move yet
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
    """Draw a number from this range, from each of its octaves as often as from any other."""
    return float(np.exp(rng.uniform(*np.log(limits))))
