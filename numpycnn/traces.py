"""The traces: short synthetic seismograms of three kinds.

A trace is `L` samples of ground motion. All of them carry noise and a slow
background wave of random phase. Class 0, *Quiet*, has nothing else. Class 1
has a positive pulse somewhere, an arrival, and class 2 a negative one:

    x[s] = noise z[s] + background sin(2π (2.5 t[s] + u))
           ± a exp(-½ ((s - c) / w)²)                        s = 1 … L

with `t` running from 0 to 1 along the trace, a phase `u`, an amplitude `a`, a
center `c` and a width `w` drawn anew for every trace. Then the mean of the
trace is subtracted and what exceeds ±1 is cut off, as an instrument would.

The question for the network: is there an arrival, and of which sign, wherever
in the trace it may be?

These traces are easier than they look. The pulse has one sign, so it moves the
mean; and once the mean is subtracted, every other sample of the trace tells which
way. So there are harder ones, too: with a wavelet whose mean is zero, with an
amplitude and a noise that vary from trace to trace, with arrivals anywhere or
partly outside, with a spike or a burst in every trace that is no arrival, and with
several channels.

Source: the system of chapter 04d of the course at geo-sciml.com. The zero-mean
wavelet is that of N. Ricker, "The form and laws of propagation of seismic
wavelets", Geophysics 18 (1953), 10-40.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real

import numpy as np

from numpycnn._reductions import difference, mean, wide
from numpycnn._types import Array, Rng
from numpycnn._validation import (
    above_zero,
    as_array,
    check_int,
    generator,
    is_finite,
    is_whole,
    number,
    require_labels,
    require_range,
    require_real,
    zero_or_more,
)

CLASS_NAMES = ("Quiet", "Positive arrival", "Negative arrival")
"""What the labels 0, 1 and 2 mean."""

POLARITY = np.array([0.0, 1.0, -1.0])  # the sign of the pulse in each class

# What an arrival looks like
# --------------------------
# Two shapes, both of height 1 at their center, `tau` samples from it. The Gaussian
# is a single hump, and `w` is its standard deviation. The Ricker wavelet has a trough
# on either side, which together balance the hump: its mean is zero. It
# crosses zero at `tau = ±w`, and its spectrum peaks at `1 / (√2 π w)` cycles per sample.


def gaussian(tau: Array, w: Array) -> Array:
    """The one-signed pulse: exp(-½ (tau / w)²)."""
    return np.exp(-0.5 * (tau / w) ** 2)


def ricker(tau: Array, w: Array) -> Array:
    """The zero-mean wavelet: (1 - (tau / w)²) exp(-½ (tau / w)²)."""
    return (1 - (tau / w) ** 2) * gaussian(tau, w)


WAVELETS = {"gaussian": gaussian, "ricker": ricker}

# What is no arrival
# ------------------
# A glitch of the recorder is one sample long. A passing lorry shakes the ground for a
# few cycles, much faster than an arrival does: here one cycle in 4 samples, under a
# Gaussian envelope with a standard deviation of 4 samples.


def spike(tau: Array) -> Array:
    """One sample."""
    return np.where(tau == 0, 1.0, 0.0)


def burst(tau: Array) -> Array:
    """A few quick cycles: exp(-½ (tau / 4)²) cos(2π tau / 4)."""
    return np.exp(-0.5 * (tau / 4) ** 2) * np.cos(2 * np.pi * tau / 4)


DISTRACTORS = {"spike": (spike,), "burst": (burst,), "any": (spike, burst)}

GAINS = 0.3, 1.0  # how strongly each of several channels sees the arrival

# Making the traces
# -----------------
# What is drawn at random is drawn in a fixed order, so the same seed gives the same
# traces. What the harder traces need is drawn last, and only if it is asked for.


def make_traces(
    n_traces: int,
    *,
    rng: Rng = None,
    n_samples: int = 64,
    labels: Array | None = None,
    center: tuple[int, int] | None = None,
    width: tuple[float, float] = (2.6, 3.4),
    amplitude: tuple[float, float] = (0.90, 1.00),
    noise: float = 0.03,
    background: float = 0.04,
    background_cycles: float = 2.5,
    clip: float = 1.0,
    wavelet: str = "gaussian",
    snr: tuple[float, float] | None = None,
    distractor: str | None = None,
    n_channels: int | tuple[int, int] = 1,
) -> tuple[Array, Array]:
    """Make traces x (N, L, C), float32, and their labels (N,).

    Args:
        n_traces: how many, N.
        rng: a generator or a seed; the same seed gives the same traces to the bit.
        n_samples: their length, L.
        labels: integers 0, 1, 2, one per trace; by default in turn 0, 1, 2, 0, …
        center: the first and last sample (counted from 1) at which the arrival's center may
            lie, whole numbers, both included; by default 12 and L - 12. Below 1 or above L
            the center is outside the trace and only a flank of the arrival is in it.
        width: range of w in samples: the Gaussian's standard deviation, or half the
            distance between the Ricker wavelet's two zeros.
        amplitude: range of its height, before the mean is subtracted.
        noise: standard deviation of the noise.
        background: amplitude of the background wave.
        background_cycles: its periods per trace.
        clip: samples are cut off at plus and minus this.
        wavelet: the arrival's shape, "gaussian" or "ricker".
        snr: range of the signal-to-noise ratio, above 0. If given, `noise` is not used: the
            noise of each trace has the trace's amplitude, divided by a ratio drawn from this
            range, as its standard deviation. Quiet traces draw an amplitude too, for their
            noise, so that the noise has no label to give away.
        distractor: something in every trace, whatever its class, that is no arrival: "spike",
            "burst", or "any" for the one or the other. It lies anywhere, with either sign and
            a height drawn like the arrival's.
        n_channels: how many channels, C, or a range (low, high) from which one number is drawn
            for all these traces. Several channels have their own noise and background
            phase; the arrival and the distractor come at the same time in all of them, with
            the same sign and a gain for each channel between 0.3 and 1.

    >>> x, labels = make_traces(4, rng=0)
    >>> x.shape, x.dtype, labels
    ((4, 64, 1), dtype('float32'), array([0, 1, 2, 0]))
    >>> x, labels = make_traces(4, wavelet="ricker", snr=(2, 8), distractor="any", n_channels=3)
    >>> x.shape
    (4, 64, 3)

    Raises `TypeError` or `ValueError` for arguments of another type or range.
    """
    caller = "make_traces"
    n_traces = check_int(caller, "n_traces", n_traces)
    n_samples = check_int(caller, "n_samples", n_samples)
    rng = generator(caller, rng)
    if labels is None:
        labels = np.arange(n_traces) % len(CLASS_NAMES)
    labels = require_labels(caller, "labels", labels, len(CLASS_NAMES), (n_traces,)).copy()
    center = _known_center(center, n_samples)
    width = require_range(caller, "width", width, "finite numbers above 0", above_zero)
    amplitude = require_range(caller, "amplitude", amplitude, "finite numbers", is_finite)
    noise = number(caller, "noise", noise, "a finite number of 0 or more", zero_or_more)
    background = number(
        caller, "background", background, "a finite number of 0 or more", zero_or_more
    )
    background_cycles = number(
        caller, "background_cycles", background_cycles, "a finite number", is_finite
    )
    clip = number(caller, "clip", clip, "a number above 0", lambda n: n > 0)
    _check_name("wavelet", wavelet, WAVELETS)
    if snr is not None:
        snr = require_range(caller, "snr", snr, "finite numbers above 0", above_zero)
    if distractor is not None:
        _check_name("distractor", distractor, DISTRACTORS)
    n_channels = _known_channels(n_channels, rng)

    def draw(low: float, high: float, n: int = 1) -> Array:
        return rng.uniform(low, high, (n_traces, 1, n))

    t = np.linspace(0, 1, n_samples)[:, None]
    s = np.arange(1, n_samples + 1)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large are reported below
        z = rng.standard_normal((n_traces, n_samples, n_channels))
        wave = np.sin(2 * np.pi * (background_cycles * t + draw(0, 1, n_channels)))
        c = rng.integers(center[0], center[1], (n_traces, 1, 1), endpoint=True)
        a, w = draw(*amplitude), draw(*width)
        signal = POLARITY[labels][:, None, None] * a * WAVELETS[wavelet](s - c, w)
        sigma = noise if snr is None else abs(a) / draw(*snr)
        if distractor is not None:
            signal = signal + _distractors(distractor, draw(*amplitude), s, rng)
        if n_channels > 1:
            signal = signal * draw(*GAINS, n_channels)

        x = sigma * z
        x += background * wave
        x += signal
        x -= x.mean(axis=1, keepdims=True)
        too_large = not abs(x).max() <= np.finfo(np.float32).max  # NaN is neither
    if too_large:
        raise ValueError(
            f"{caller}: noise, background, background_cycles, amplitude, width and snr must give "
            f"samples that float32 can hold, got {noise}, {background}, {background_cycles}, "
            f"{amplitude}, {width} and {snr}. Keep each of them between 1e-30 and 1e30."
        )
    return x.clip(-clip, clip).astype(np.float32), labels


def _distractors(kind: str, height: Array, s: Array, rng: np.random.Generator) -> Array:
    """Return something that is no arrival for each trace, (N, L, 1), at a random place."""
    place = rng.integers(s[0, 0], s[-1, 0], height.shape, endpoint=True)
    height = rng.choice([-1.0, 1.0], height.shape) * height
    shapes = np.stack([shape(s - place) for shape in DISTRACTORS[kind]])
    which = rng.integers(len(shapes), size=len(height))
    drawn: Array = height * shapes[which, np.arange(len(height))]
    return drawn


# What may be asked for
# ---------------------


def _check_name(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless `value` is one of the names that are known."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"make_traces: {name} must be one of {names}, got {value!r}.")


def _known_channels(n_channels: int | tuple[int, int], rng: np.random.Generator) -> int:
    """Return the number of channels: the one given, or one drawn from the range given."""
    if not isinstance(n_channels, tuple | list):
        return check_int("make_traces", "n_channels", n_channels)
    kind = "whole numbers from 1 up"
    limits = require_range(
        "make_traces", "n_channels", n_channels, kind, lambda n: is_whole(n) and n >= 1
    )
    return int(rng.integers(*limits, endpoint=True))


def _known_center(center: tuple[int, int] | None, n_samples: int) -> tuple[int, int]:
    """Return the range of centers: the one given, or the default one for this length."""
    if center is None:
        if n_samples < 24:
            raise ValueError(
                "make_traces: n_samples must be 24 or more, because arrivals lie at 12 … L - 12, "
                f"got {n_samples}. For shorter traces pass a range: center=(first, last)."
            )
        return 12, n_samples - 12
    kind = "whole numbers"
    return require_range("make_traces", "center", center, kind, lambda n: is_whole(n) and _near(n))


def _near(position: int) -> bool:
    """Return True for a position whose distance to any sample float64 holds exactly."""
    return abs(position) < 2**52


# One scale for all
# -----------------
# An instrument counts in its own unit and from its own zero, and a near event is louder
# than a far one. None of this says what kind of event it was. So a trace of one's own is
# *standardized*: the mean of each channel becomes 0, and then the standard deviation over
# all channels together becomes 1. One factor for all channels, because which channel is
# the louder one says where the wave came from. Each trace is its own measure, so nothing is
# learned from the others, nothing has to be kept with a model, and none of what is held out
# leaks into the training. (Does loudness tell your classes apart? Then divide all traces by
# one number instead, `x / x_train.std()`, and keep it.)


def standardize(x: Array) -> Array:
    """Return traces with mean 0 in each channel and standard deviation 1 in each trace.

    Parameters
    ----------
    x : ndarray, shape (N, L, C)
        Traces of real numbers, floats or integers.

    Returns
    -------
    ndarray, shape (N, L, C), float32
        A trace that is constant in each channel has no scale, and becomes zeros.

    Raises
    ------
    TypeError, ValueError
        If `x` is not such an array, is masked, or holds NaN or infinity.

    Notes
    -----
    y[n,s,c] = (x[n,s,c] - m[n,c]) / sqrt(mean over s, c of (x[n,s,c] - m[n,c])²)

    where `m[n,c]` is the mean over `s`. All of it is computed in float64, after the first
    sample was subtracted, so neither an offset nor the type of the counts costs digits.

    Examples
    --------
    >>> standardize(np.array([[[1], [3], [5]], [[7], [7], [7]]]))[..., 0].round(3)
    array([[-1.225,  0.   ,  1.225],
           [ 0.   ,  0.   ,  0.   ]], dtype=float32)
    """
    require_real("standardize", "x", x, "N L C")
    y = np.empty(x.shape, np.float32)
    n_at_once = max(1, AT_ONCE // x[0].size)
    for start in range(0, len(x), n_at_once):
        some = slice(start, start + n_at_once)
        y[some] = _standardized(x[some])
    return y


AT_ONCE = 1 << 16  # samples at a time: few in memory, enough to be fast


def _standardized(x: Array) -> Array:
    """Return the result of `standardize` in float64."""
    if x.dtype.kind == "f":  # divide by a power of two, which is exact: else 1e300 would overflow
        largest = abs(x).max(axis=(1, 2), keepdims=True).astype(wide(x))
        x = np.ldexp(x.astype(wide(x)), -np.frexp(largest)[1])
    z = difference(x, x[:, :1])  # of a constant nothing is left, not even rounding
    z -= mean(z, axis=1, keepdims=True)
    size = abs(z).max(axis=(1, 2), keepdims=True)
    z /= np.where(size == 0, 1.0, size)  # else the square of a tiny number would be 0
    deviation = np.sqrt(mean(z * z, axis=(1, 2), keepdims=True))
    return np.asarray(z / np.where(size == 0, 1.0, deviation))


# To learn from, and to be examined on
# ------------------------------------
# A shuffle puts each class on both sides in about its share, but a class with few members may
# end up on one side altogether. To *stratify* is to leave none of this to chance. The members
# of each class, shuffled, stand along a line, evenly from one end to the other. Then
# every stretch of the line holds each class in its share, wherever the line is cut, and
# at either end stands one of each.


def train_test_split(
    x: Array,
    labels: Array,
    *,
    train_size: float = 0.8,
    stratify: Array | None = None,
    rng: Rng = None,
) -> tuple[Array, Array, Array, Array]:
    """Shuffle examples and split them into a training set and a test set.

    Parameters
    ----------
    x : array_like, shape (N, ...)
        The examples.
    labels : array_like, shape (N, ...)
        The labels of the examples: numbers, texts or rows.
    train_size : float
        The fraction of the examples to train on, between 0 and 1. Their number is rounded to the
        nearest integer; at least one example is left for the test set.
    stratify : array_like, shape (N,), optional
        A class for each example, usually `labels` again. Both sets then hold the classes in the
        same proportions, and each class at least once.
    rng : Generator, int or None
        Shuffles the examples.

    Returns
    -------
    x_train, x_test, labels_train, labels_test : ndarray
        Copies, in the order of scikit-learn.

    Raises
    ------
    TypeError, ValueError
        If the numbers of labels and examples differ, or if one set would be empty or too small
        to hold each class.

    Examples
    --------
    >>> x, labels = make_traces(180, rng=0)
    >>> x_train, x_test, y_train, y_test = train_test_split(x, labels, stratify=labels, rng=0)
    >>> np.bincount(y_train), np.bincount(y_test)
    (array([48, 48, 48]), array([12, 12, 12]))
    """
    caller = "train_test_split"
    x, labels = as_array(caller, "x", x), as_array(caller, "labels", labels)
    if x.ndim == 0 or x.shape[:1] != labels.shape[:1]:
        raise ValueError(
            f"{caller}: x and labels must hold as many labels as examples, got shapes {x.shape} "
            f"and {labels.shape}."
        )
    kind = "a fraction above 0 and below 1"
    train_size = number(caller, "train_size", train_size, kind, lambda n: 0 < n < 1)
    n_train = min(round(train_size * len(x)), len(x) - 1)
    if n_train < 1:
        raise ValueError(
            f"{caller}: train_size must leave an example in either set, got {train_size} of "
            f"{len(x)} examples."
        )
    rng = generator(caller, rng)
    order = rng.permutation(len(x))
    train, test = order[:n_train], order[n_train:]
    if stratify is not None:
        classes = _classes_of(stratify, len(x), smaller=min(n_train, len(x) - n_train))
        place = np.empty(len(x))
        for label in range(classes.max() + 1):
            members = order[classes[order] == label]
            place[members] = np.linspace(0, 1, len(members))
        order = order[place[order].argsort(kind="stable")]
        train, test = rng.permutation(order[:n_train]), rng.permutation(order[n_train:])
    return x[train], x[test], labels[train], labels[test]


def _classes_of(stratify: object, n_examples: int, smaller: int) -> Array:
    """Number the classes of the examples, or raise if two sets cannot hold one of each."""
    known = as_array("train_test_split", "stratify", stratify)
    must = "train_test_split: stratify must"
    if known.shape != (n_examples,):
        raise ValueError(
            f"{must} have shape ({n_examples},), a class for each example, got {known.shape}."
        )
    if known.dtype.kind in "fcO":
        _require_classes(must, known)
    names, classes, counts = np.unique(known, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"{must} hold each class twice or more, one example for either set, got one of "
            f"{names[[counts.argmin()]].tolist()[0]!r}. Leave it out or join it to another class."
        )
    if smaller < len(names):
        raise ValueError(
            f"{must} hold at most as many classes as the smaller set has examples, got "
            f"{len(names)} classes and {smaller} examples. Change train_size."
        )
    return classes


def _require_classes(must: str, known: Array) -> None:
    """Raise for an entry that is no class: a missing one, or one of another kind than the first."""
    values = known.tolist()
    for position, value in enumerate(values):
        is_missing = value is None or (isinstance(value, Real) and value != value)  # NaN
        if is_missing or any(
            isinstance(value, kind) != isinstance(values[0], kind) for kind in (str, Real)
        ):
            raise TypeError(
                f"{must} hold a class for each example, all of them names or all of them "
                f"numbers, got {value!r} at stratify[{position}]. Leave the example out or name "
                "its class."
            )
