"""Sections: traces side by side, through layers that were folded and then broken.

Sound sent into the ground comes back from wherever one kind of rock lies on another. A trace is
what comes back at one place, over time; traces from places along a line, side by side, are a
*section*. It looks like a cut through the ground, and its bright and dark bands are where one layer
lies on another.

Where the ground broke and one side slid down along the break, there is a *fault*: the bands stop,
and go on higher or lower. Where is it? Here the ground is made up, so we know.

The model is the simplest that has all of this in it. Each trace is computed by itself: every
boundary of two layers sends back one wavelet, as loud as the rocks differ, at the time that sound
takes there and back. That is what a section looks like after its echoes have been put
back to where they came from (*migration*), if that went perfectly. Real sections are also blurred
sideways; here only the width of what is called near stands for that.
"""

import numpy as np

from numpycnn._validation import check_int, generator
from numpycnn.traces import ricker

# The instrument and the ground
# -----------------------------
# Time is that from the surface down and back, so 4 ms are 5 m of depth. A section is 0.25 s
# deep, or 315 m, and 787.5 m long.

N_SAMPLES = N_TRACES = 64
INTERVAL = 0.004  # s, from one sample to the next
SPACING = 12.5  # m, from one trace to the next
VELOCITY = 2500.0  # m/s
FREQUENCY = 30.0  # Hz, of which the Ricker wavelet has most
NEAR = 25.0  # m to either side; nobody can tell much less than a quarter of the wavelength, 21 m
N_LAYERS = 36  # boundaries, of which some twenty are in the section
SMALLEST = 16  # samples and traces of a section in a file

# The standard deviation of the noise is half that of the echoes.

NOISE = 0.5

# What is drawn, from the first to the second of each:

THROW = 0.008, 0.032  # s, by which one side is lower; 10 to 40 m
DIP = 55, 85  # degrees, of the fault
FOLD = 0, 0.020  # s, from a layer's mean to its highest point
FOLD_LENGTH = 400, 1600  # m, from one high to the next
TILT = -5e-5, 5e-5  # s/m, of all layers; 3.6 degrees

times = np.arange(N_SAMPLES)[:, None] * INTERVAL  # (H, 1)
places = np.arange(N_TRACES) * SPACING  # (W,)

# Many of them
# ------------


def make_sections(n_sections, *, rng, noise=NOISE):
    """Sections (N, H, W, 1) in units of their echoes, and what is near the fault (N, H, W): 0 or 1.

    Each has one fault, anywhere in its middle half, dipping to either side.
    """
    rng = generator("make_sections", rng)
    number = check_int("make_sections", "n_sections", n_sections)
    pairs = [_section(rng, noise) for _ in range(number)]
    x, near = (np.stack(one) for one in zip(*pairs, strict=True))
    return x[..., None].astype(np.float32), near.astype(int)


# One of them
# -----------
# The fault is a straight line, `place = a + b time`, and the rock above it slid down along it:
# by the throw in time, so by `b` times the throw sideways. What is at (time, place) on this
# side was at (time - throw, place - b throw). Below the fault the ground is as it was.
#
# A boundary shows where it is on its own side of the fault, and nowhere else.


def _section(rng, noise):
    """Return echoes and noise (H, W), and whether each sample is near the fault."""
    tops = rng.uniform(-0.1, times[-1] + 0.1, (N_LAYERS, 1))  # s; some come in from outside
    strengths = rng.standard_normal((N_LAYERS, 1))
    height, length, tilt = rng.uniform(*FOLD), rng.uniform(*FOLD_LENGTH), rng.uniform(*TILT)
    begin = rng.uniform(0, length)
    dip, throw, side = np.deg2rad(rng.uniform(*DIP)), rng.uniform(*THROW), rng.choice([-1, 1])
    middle = rng.uniform(0.25, 0.75) * places[-1]
    run = side * VELOCITY / 2 / np.tan(dip)  # m sideways for each s down

    def layers(place):
        return tops + height * np.sin(2 * np.pi * (place - begin) / length) + tilt * place

    def beyond(time):
        """How far a place is beyond the fault, in m, on the side that slid down."""
        return side * (places - middle - run * (time - times[-1] / 2))

    stayed, slid = layers(places), layers(places - run * throw) + throw  # (layers, W)
    echoes = _echoes(stayed, strengths * (beyond(stayed) <= 0))
    echoes += _echoes(slid, strengths * (beyond(slid) > 0))
    echoes /= echoes.std()
    return echoes + noise * rng.standard_normal(echoes.shape), abs(beyond(times)) <= NEAR


def _echoes(arrivals, strengths):
    """The sum (H, W) of a wavelet for each arrival (layers, W), of its strength."""
    width = 1 / (np.sqrt(2) * np.pi * FREQUENCY)  # s, of the wavelet
    layers = zip(arrivals, strengths, strict=True)
    return sum(strength * ricker(times - arrival, width) for arrival, strength in layers)


# A section in a file
# -------------------
# Seismic surveys are stored in SEG-Y or SU files, a trace after the other. ObsPy reads both.


def read_section(path):
    """Return the traces of a file side by side, (H, W) float32, and the interval in seconds.

    The mean is subtracted, and the standard deviation is that of echoes of 1. Raises `ValueError`
    for a file that is not a section.
    """
    from _shared.readers import (
        read_stream,  # here, because a chapter uses this module from elsewhere
    )

    stream = read_stream(path)
    kinds = {(trace.stats.sampling_rate, len(trace)) for trace in stream}
    if len(kinds) > 1:
        raise ValueError(
            f"{path}: traces must have one sampling rate and length, got {sorted(kinds)[:3]}"
        )
    ((rate, length),) = kinds
    if min(length, len(stream)) < SMALLEST:
        raise ValueError(
            f"{path}: a section must have {SMALLEST} samples and traces or more, got {length} "
            f"and {len(stream)}"
        )
    x = np.stack([np.ma.filled(trace.data.astype(float), np.nan) for trace in stream], axis=1)
    if not np.isfinite(x).all():
        raise ValueError(f"{path}: samples must be finite, got {x[~np.isfinite(x)][0]}")
    x -= x.mean()
    return (x / (x.std() or 1)).astype(np.float32), 1 / rate


# What needs no network
# ---------------------
# Where the ground is broken, neighboring traces differ. So the simplest rule looks for the
# largest difference of two neighbors, at each time, and marks what is near it. But noise makes
# differences everywhere. A better rule adds up their squares over some samples before and
# after: that is worth a lot, as faults are steep, and too many samples smear it out.
#
# Both are told more than a network is: that there is one fault, at every time.


def largest_difference(x, half=0):
    """Mark what is near the largest difference of neighbors: (N, H, W, 1) to (N, H, W).

    The differences are summed over `half` samples before and after each.
    """
    squares = np.diff(x[..., 0], axis=2) ** 2
    padded = np.pad(squares, ((0, 0), (half, half), (0, 0)))
    sums = sum(padded[:, k : k + x.shape[1]] for k in range(2 * half + 1))
    before = sums.argmax(axis=2)[..., None]  # the trace before the largest
    return abs(np.arange(x.shape[2]) - (before + 0.5)) * SPACING <= NEAR


# How good is an answer?
# ----------------------
# One sample in sixteen is near a fault, so whoever never marks anything is right about 94 % of
# them. Of the samples that are marked by the answer or in truth, which share is marked by both?


def intersection_over_union(answer, truth):
    """Return the samples marked in both, divided by those marked in either."""
    answer, truth = answer.astype(bool), truth.astype(bool)
    return (answer & truth).sum() / (answer | truth).sum()
