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
"Origin of coda waves", Journal of Geophysical Research 80 (1975), 3322-3342, for the coda.
"""

import numpy as np

from numpycnn.types import Array, Rng
from numpycnn.validation import (
    above_zero,
    generator,
    is_whole,
    require_range,
    whole_number,
)

# An arrival
# ----------
# The pulse is a sine that dies away by a factor e in each of its periods.


def pulse(t: Array, frequency: float) -> Array:
    """What a wave does to the ground t seconds after it came: exp(-f t) sin(2π f t), of height 1.

    The frequency f is in hertz.

    >>> pulse(np.arange(6) / 100, frequency=10).round(2)
    array([0.  , 0.67, 0.98, 0.89, 0.5 , 0.  ])
    """
    highest = np.arctan(2 * np.pi) / (2 * np.pi)  # in periods: there the slope is zero
    height = np.exp(-highest) * np.sin(2 * np.pi * highest)
    return np.asarray(np.exp(-frequency * t) * np.sin(2 * np.pi * frequency * t) / height)


# Each wave brings one pulse, so an arrival is a *convolution*: of the pulse with a list of
# what comes in at which sample. At sample 0 that is the direct wave, along its line. The
# scattered waves are random numbers that fade. Convolution becomes a product under the Fourier
# transform, which takes its input for a ring; twice the length in zeros keeps
# the end from running into the beginning.


def arrival(
    t: Array, direction: Array, frequency: float, decay: float, coda: float, rng: Rng = None
) -> Array:
    """Return an arrival (L, C) of height 1 that begins at the first of the times `t` (L,).

    Args:
        t: seconds since the onset, from 0 in equal steps.
        direction: the line along which the direct wave moves the ground, of length 1, (C,).
        frequency: of the pulse, in hertz.
        decay: how long the coda takes to fall by a factor e, in seconds.
        coda: standard deviation of the scattered waves in each channel, right behind the onset.
        rng: draws the scattered waves.
    """
    wave = pulse(t, frequency)[:, None]
    incoming = np.random.default_rng(rng).standard_normal((len(t), len(direction)))
    incoming *= coda * np.exp(-t / decay)[:, None] / np.sqrt((wave**2).sum())
    incoming[0] = direction
    ring = 2 * len(t)
    product = np.fft.rfft(wave, ring, axis=0) * np.fft.rfft(incoming, ring, axis=0)
    return np.asarray(np.fft.irfft(product, ring, axis=0)[: len(t)])


# Noise
# -----
# White noise has all frequencies alike; in the ground the low ones are stronger. The simplest
# such noise remembers: each sample is `r` times the one before, and something new,
#
#     noise[s] = r noise[s-1] + √(1 - r²) z[s]
#
# with the standard deviation 1 whatever `r`. To subtract what is remembered is a filter with
# the taps 1 and -r, and to undo a filter is to divide by its transform.


def red_noise(n_samples: int, n_channels: int, memory: float, rng: Rng = None) -> Array:
    """Return noise (L, C) of standard deviation 1, each sample `memory` times the one before it.

    The memory r is at least 0, for white noise, and below 1.
    """
    white = np.random.default_rng(rng).standard_normal((n_samples, n_channels))
    turns = np.fft.rfftfreq(n_samples)[:, None]  # cycles per sample
    gain = np.sqrt(1 - memory**2) / (1 - memory * np.exp(-2j * np.pi * turns))
    return np.asarray(np.fft.irfft(gain * np.fft.rfft(white, axis=0), n_samples, axis=0))


# Making the records
# ------------------
GONE = 10  # after so many times its decay a coda is left out: e to the -10 is 1 / 22,000

# Where are the onsets? A `lead` of noise comes before the first, and each is followed by
# the same time before the next or the end. What is left of the record is divided at random.


def make_records(
    n_records: int,
    *,
    rng: Rng = None,
    n_samples: int = 600,
    n_channels: int = 3,
    sampling_rate: float = 100.0,
    arrivals: tuple[int, int] = (0, 3),
    snr: tuple[float, float] = (2.0, 20.0),
    lead: float = 1.0,
    frequency: tuple[float, float] = (4.0, 12.0),
    decay: tuple[float, float] = (0.3, 1.0),
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
        sampling_rate: in hertz, which makes seconds of samples.
        arrivals: range of their number in a record, whole numbers, both ends included.
        snr: range of the signal-to-noise ratio: the height of the direct wave, along the
            line on which it moves the ground, over the standard deviation of a channel's noise.
        lead: seconds of a record before its first onset, and at least from each to the next
            and to the end.
        frequency: range of the arrivals' frequency, in hertz.
        decay: range of the time in which a coda falls by a factor e, in seconds.
        coda: standard deviation of the scattered waves, in heights of the direct wave.
        memory: range of the noise's memory, from 0 for white noise to below 1.
        spikes: range of their number in a record. A spike is one sample of one channel, anywhere,
            with either sign and a height from the range of `snr`.

    An onset is an index: `x[n, onset]` is the first sample of the arrival.

    >>> x, onsets = make_records(3, rng=0)
    >>> x.shape, x.dtype, onsets
    ((3, 600, 3), dtype('float32'), [])

    Raises `TypeError` or `ValueError` for arguments of another type or range, and where so
    many arrivals do not fit into a record.
    """
    owner = "make_records"
    n_records = whole_number(owner, "n_records", n_records)
    n_samples = whole_number(owner, "n_samples", n_samples)
    n_channels = whole_number(owner, "n_channels", n_channels)
    rng = generator(owner, rng)
    for name, number in {"sampling_rate": sampling_rate, "lead": lead, "coda": coda}.items():
        if not (above_zero(number) or (name == "coda" and number == 0)):
            raise ValueError(f"{owner} expected {name} above 0, got {number}")
    for name, limits in {"snr": snr, "frequency": frequency, "decay": decay}.items():
        require_range(owner, name, limits, "finite numbers above 0", above_zero)
    for name, counts in {"arrivals": arrivals, "spikes": spikes}.items():
        kind = "whole numbers from 0 up"
        require_range(owner, name, counts, kind, lambda n: is_whole(n) and n >= 0)
    require_range(owner, "memory", memory, "numbers from 0 to below 1", lambda r: 0 <= r < 1)
    gap = max(1, round(lead * sampling_rate))
    if n_samples < gap * (arrivals[1] + 1):
        raise ValueError(
            f"{owner} expected records that hold {arrivals[1]} arrivals, which with a lead of "
            f"{gap} samples takes {gap * (arrivals[1] + 1)}, got n_samples={n_samples}; "
            "make n_samples larger, or lead or arrivals smaller"
        )

    x, onsets = np.zeros((n_records, n_samples, n_channels), np.float32), []
    for record in x:
        record += red_noise(n_samples, n_channels, rng.uniform(*memory), rng)
        for _ in range(rng.integers(*spikes, endpoint=True)):
            where = rng.integers(n_samples), rng.integers(n_channels)
            record[where] += rng.choice([-1, 1]) * rng.uniform(*snr)
        n = rng.integers(*arrivals, endpoint=True)
        spare = n_samples - gap * (n + 1)
        begins = np.sort(rng.integers(spare, size=n, endpoint=True)) + gap * np.arange(1, n + 1)
        for onset in begins:
            fading = rng.uniform(*decay)
            t = np.arange(min(n_samples - onset, GONE * fading * sampling_rate)) / sampling_rate
            height, line = rng.uniform(*snr), rng.standard_normal(n_channels)
            line /= np.sqrt(line @ line)
            wave = arrival(t, line, rng.uniform(*frequency), fading, coda, rng)
            record[onset : onset + len(t)] += height * wave
        onsets.append(begins)
    return x, onsets
