"""Generate seismic sections of folded layers that are cut by a fault.

Boundaries between rock layers reflect sound. A trace records the reflections at one position on the
surface over time. The traces along a line, plotted side by side, are a *section*. It resembles a
vertical cut through the ground, and its bright and dark bands are layer boundaries.

If the ground breaks and one side slides down along the break, the break is called a *fault*. The
bands end at the fault and continue at another depth. In synthetic sections its position is known.

The model is simple. Each trace is computed separately. Every layer boundary reflects one wavelet,
with an amplitude given by the contrast of the two layers, at the two-way travel time. The result
resembles a section after *migration*, the processing step that moves reflections to their true
positions. Real sections are also blurred horizontally. The model contains this only in the width of
the zone that is labeled as near the fault.
"""

import numpy as np

from numpycnn._validation import check_int, generator
from numpycnn.traces import ricker

# The instrument and the ground
# -----------------------------
# Times are two-way travel times, so 4 ms correspond to 5 m of depth. A section is 0.25 s or 315 m
# deep, and 787.5 m long.

N_SAMPLES = N_TRACES = 64
INTERVAL = 0.004  # s, between samples
SPACING = 12.5  # m, between traces
VELOCITY = 2500.0  # m/s
FREQUENCY = 30.0  # Hz, peak frequency of the Ricker wavelet
NEAR = 25.0  # m to either side; the resolution is about a quarter of the wavelength, 21 m
N_LAYERS = 36  # boundaries; about twenty of them are in the section
SMALLEST = 16  # minimum samples and traces of a section in a file

# The standard deviation of the noise is half that of the reflections.

NOISE = 0.5

# Ranges of the random quantities:

THROW = 0.008, 0.032  # s, vertical offset of the two sides; 10 to 40 m
DIP = 55, 85  # degrees, of the fault
FOLD = 0, 0.020  # s, amplitude of the folds of a layer
FOLD_LENGTH = 400, 1600  # m, wavelength of the folds
TILT = -5e-5, 5e-5  # s/m, of all layers; 3.6 degrees

times = np.arange(N_SAMPLES)[:, None] * INTERVAL  # (H, 1)
places = np.arange(N_TRACES) * SPACING  # (W,)

# Many sections
# -------------


def make_sections(n_sections, *, rng, noise=NOISE):
    """Return sections (N, H, W, 1), and labels (N, H, W) that are 1 near the fault and 0 elsewhere.

    The reflections have a standard deviation of 1. Each section has one fault, at a random position
    in its middle half, which dips to the left or to the right.
    """
    rng = generator("make_sections", rng)
    number = check_int("make_sections", "n_sections", n_sections)
    pairs = [_section(rng, noise) for _ in range(number)]
    x, near = (np.stack(one) for one in zip(*pairs, strict=True))
    return x[..., None].astype(np.float32), near.astype(int)


# One section
# -----------
# The fault is a straight line, `place = a + b time`. The rock above it slid down along the line: by
# the throw in time, and therefore by `b` times the throw horizontally. The rock now at (time,
# place) on this side was at (time - throw, place - b throw). The rock below the fault did not move.
#
# Each of the two sides is computed as a complete set of boundaries, of which only the part on that
# side of the fault is used.


def _section(rng, noise):
    """Return reflections with noise (H, W), and a mask of the samples near the fault."""
    tops = rng.uniform(-0.1, times[-1] + 0.1, (N_LAYERS, 1))  # s; some are outside the section
    strengths = rng.standard_normal((N_LAYERS, 1))
    height, length, tilt = rng.uniform(*FOLD), rng.uniform(*FOLD_LENGTH), rng.uniform(*TILT)
    begin = rng.uniform(0, length)
    dip, throw, side = np.deg2rad(rng.uniform(*DIP)), rng.uniform(*THROW), rng.choice([-1, 1])
    middle = rng.uniform(0.25, 0.75) * places[-1]
    run = side * VELOCITY / 2 / np.tan(dip)  # m horizontally per s of depth

    def layers(place):
        return tops + height * np.sin(2 * np.pi * (place - begin) / length) + tilt * place

    def beyond(time):
        """Return the distance from the fault in m, positive on the side that slid down."""
        return side * (places - middle - run * (time - times[-1] / 2))

    stayed, slid = layers(places), layers(places - run * throw) + throw  # (layers, W)
    echoes = _echoes(stayed, strengths * (beyond(stayed) <= 0))
    echoes += _echoes(slid, strengths * (beyond(slid) > 0))
    echoes /= echoes.std()
    return echoes + noise * rng.standard_normal(echoes.shape), abs(beyond(times)) <= NEAR


def _echoes(arrivals, strengths):
    """Return the sum (H, W) of one wavelet per reflection (layers, W), with these strengths."""
    width = 1 / (np.sqrt(2) * np.pi * FREQUENCY)  # s, of the wavelet
    layers = zip(arrivals, strengths, strict=True)
    return sum(strength * ricker(times - arrival, width) for arrival, strength in layers)


# A section in a file
# -------------------
# Seismic surveys are stored trace by trace in SEG-Y or SU files. ObsPy reads both formats.


def read_section(path):
    """Return the traces of a file side by side, (H, W) float32, and the interval in seconds.

    The samples are shifted to mean 0 and scaled to standard deviation 1. Raises `ValueError` for a
    file that is not a section.
    """
    from _shared.readers import (
        read_stream,  # imported here because a chapter uses this module from another folder
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


# Baselines without a network
# ---------------------------
# Neighboring traces differ across a fault. The simplest rule therefore finds the largest difference
# between neighboring traces at each time, and marks the samples near it. Noise, however, causes
# differences everywhere. A better rule sums the squared differences over some samples before and
# after. This helps because faults are steep. With too many samples the position becomes imprecise.
#
# Both rules use more prior knowledge than the network: that there is exactly one fault at each
# time.


def largest_difference(x, half=0):
    """Mark samples near the largest difference between neighboring traces, as (N, H, W).

    The squared differences are summed over `half` samples before and after each sample.
    """
    squares = np.diff(x[..., 0], axis=2) ** 2
    padded = np.pad(squares, ((0, 0), (half, half), (0, 0)))
    sums = sum(padded[:, k : k + x.shape[1]] for k in range(2 * half + 1))
    before = sums.argmax(axis=2)[..., None]  # the trace before the largest difference
    return abs(np.arange(x.shape[2]) - (before + 0.5)) * SPACING <= NEAR


# Intersection over union
# -----------------------
# One sample in sixteen is near a fault, so a network that marks no sample has an accuracy of 94 %.
# The intersection over union is a better measure: of the samples that are marked in the prediction
# or in the labels, the fraction that is marked in both.


def intersection_over_union(predicted, truth):
    """Return the samples marked in both, divided by those marked in either."""
    predicted, truth = predicted.astype(bool), truth.astype(bool)
    return (predicted & truth).sum() / (predicted | truth).sum()
