"""Traces: short synthetic seismograms of three classes.

A trace contains `L` samples of ground motion. Each has noise and a slow background wave of random
phase. A trace of class 0, *Quiet*, contains nothing else. A trace of class 1 also contains a
positive pulse, called an arrival, and a trace of class 2 a negative one:

    x[s] = noise z[s] + background sin(2π (2.5 t[s] + u))
           ± a exp(-½ ((s - c) / w)²)                        s = 1 … L

where `t` increases from 0 to 1 along the trace. The phase `u`, the amplitude `a`, the center `c`
and the width `w` are random for every trace. The mean of the trace is then subtracted, and finally
values beyond ±1 are clipped, as by an instrument.

The network must decide whether there is an arrival, and of which sign, at any position in the
trace.

These traces are easier to classify than they appear. The pulse has one sign and changes the mean;
after the subtraction of the mean, every other sample of the trace depends on the sign. The
arguments of `make_traces` make the task harder: a wavelet with zero mean, an amplitude and a noise
that vary from trace to trace, arrivals at any position or partly outside, a spike or a burst in
every trace that is not an arrival, and several channels.

References
----------
The system of chapter 04d of the course at geo-sciml.com.

N. Ricker, "The form and laws of propagation of seismic wavelets", Geophysics 18 (1953), 10-40, for
the zero-mean wavelet.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real

import numpy as np

from numpycnn._reductions import difference, mean, wide
from numpycnn._targets import require_labels
from numpycnn._types import Array, Rng
from numpycnn._validation import (
    above_zero,
    as_array,
    check_int,
    generator,
    is_finite,
    is_whole,
    number,
    require_range,
    require_real,
    zero_or_more,
)

CLASS_NAMES = ("Quiet", "Positive arrival", "Negative arrival")
"""The names of the classes 0, 1 and 2."""

POLARITY = np.array([0.0, 1.0, -1.0])  # the sign of the pulse in each class

# The shape of an arrival
# -----------------------
# Both shapes have height 1 at their center; `tau` is the distance from the center in samples. The
# Gaussian is a single hump with the standard deviation `w`. The Ricker wavelet has a trough on
# either side of the hump, and its mean is zero. It crosses zero at `tau = ±w`, and its spectrum is
# largest at `1 / (√2 π w)` cycles per sample.


def gaussian(tau: Array, w: Array) -> Array:
    """Return the pulse of one sign: exp(-½ (tau / w)²)."""
    return np.exp(-0.5 * (tau / w) ** 2)


def ricker(tau: Array, w: Array) -> Array:
    """Return the zero-mean wavelet: (1 - (tau / w)²) exp(-½ (tau / w)²)."""
    return (1 - (tau / w) ** 2) * gaussian(tau, w)


WAVELETS = {"gaussian": gaussian, "ricker": ricker}

# Distractors
# -----------
# A *distractor* is not an arrival. A spike, from a fault of the recorder, is one sample long. A
# burst, from a passing truck, has a few cycles and a much higher frequency than an arrival: here
# one cycle in 4 samples, under a Gaussian envelope with a standard deviation of 4 samples.


def spike(tau: Array) -> Array:
    """Return 1 at the center, else 0."""
    return np.where(tau == 0, 1.0, 0.0)


def burst(tau: Array) -> Array:
    """Return a few fast cycles: exp(-½ (tau / 4)²) cos(2π tau / 4)."""
    return np.exp(-0.5 * (tau / 4) ** 2) * np.cos(2 * np.pi * tau / 4)


DISTRACTORS = {"spike": (spike,), "burst": (burst,), "any": (spike, burst)}

GAINS = 0.3, 1.0  # range of the amplitude of an arrival in each of several channels

# Making the traces
# -----------------
# Random numbers are drawn in a fixed order, so the same seed gives the same traces. The numbers for
# the harder traces are drawn last, and only if they are needed.


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
    """Make traces and their labels.

    Parameters
    ----------
    n_traces : int
        Number of traces N.
    rng : Generator, int or None
        Source of randomness. The same seed gives the same traces to the bit.
    n_samples : int
        Number of samples L of a trace.
    labels : array-like of int, shape (N,), optional
        Labels 0, 1 or 2; by default 0, 1, 2, 0, … in turn.
    center : tuple of int, optional
        The first and last sample, counted from 1, at which the center of the arrival may be, both
        included; by default 12 and L - 12. Below 1 or above L the center is outside the trace,
        which then contains only a flank of the arrival.
    width : tuple of float
        Range of w in samples: the standard deviation of the Gaussian, or half the distance between
        the two zeros of the Ricker wavelet.
    amplitude : tuple of float
        Range of the amplitude a, before the mean is subtracted.
    noise : float
        Standard deviation of the noise.
    background : float
        Amplitude of the background wave.
    background_cycles : float
        Periods of the background wave per trace.
    clip : float
        Values are clipped at plus and minus this.
    wavelet : str
        The shape of the arrival, "gaussian" or "ricker".
    snr : tuple of float, optional
        Range of the signal-to-noise ratio, above 0. If given, `noise` is not used: the standard
        deviation of the noise is the amplitude of the trace divided by a ratio from this range.
        Quiet traces have such an amplitude too, so that the noise does not depend on the label.
    distractor : str, optional
        A distractor in every trace of every class: "spike", "burst", or "any" for one of the two.
        It has any position, either sign and an amplitude like that of the arrival.
    n_channels : int or tuple of int
        Number of channels C, or a range from which one number is drawn for all these traces. Noise
        and background phase differ between the channels. The arrival and the distractor are at the
        same position in all of them, with the same sign and a gain between 0.3 and 1.

    Returns
    -------
    x : ndarray of float32, shape (N, L, C)
        The traces.
    labels : ndarray of int, shape (N,)
        Their labels.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or range.

    Examples
    --------
    >>> x, labels = make_traces(4, rng=0)
    >>> x.shape, x.dtype, labels
    ((4, 64, 1), dtype('float32'), array([0, 1, 2, 0]))
    >>> x, labels = make_traces(4, wavelet="ricker", snr=(2, 8), distractor="any", n_channels=3)
    >>> x.shape
    (4, 64, 3)
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
        too_large = not abs(x).max() <= np.finfo(np.float32).max  # True for NaN
    if too_large:
        raise ValueError(
            f"{caller}: noise, background, background_cycles, amplitude, width and snr must give "
            f"samples that float32 can hold, got {noise}, {background}, {background_cycles}, "
            f"{amplitude}, {width} and {snr}. Keep each of them between 1e-30 and 1e30."
        )
    return x.clip(-clip, clip).astype(np.float32), labels


def _distractors(kind: str, height: Array, s: Array, rng: np.random.Generator) -> Array:
    """Return a distractor for each trace, (N, L, 1), at a random position."""
    center = rng.integers(s[0, 0], s[-1, 0], height.shape, endpoint=True)
    height = rng.choice([-1.0, 1.0], height.shape) * height
    shapes = np.stack([shape(s - center) for shape in DISTRACTORS[kind]])
    which = rng.integers(len(shapes), size=len(height))
    drawn: Array = height * shapes[which, np.arange(len(height))]
    return drawn


# Argument checks
# ---------------


def _check_name(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless `value` is one of the names that are known."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"make_traces: {name} must be one of {names}, got {value!r}.")


def _known_channels(n_channels: int | tuple[int, int], rng: np.random.Generator) -> int:
    """Return the number of channels: the one given, or one drawn from the range given."""
    if not isinstance(n_channels, tuple | list):
        return check_int("make_traces", "n_channels", n_channels)
    kind = "integers of 1 or more"
    limits = require_range(
        "make_traces", "n_channels", n_channels, kind, lambda n: is_whole(n) and n >= 1
    )
    return int(rng.integers(*limits, endpoint=True))


def _known_center(center: tuple[int, int] | None, n_samples: int) -> tuple[int, int]:
    """Return the range of centers: the one given, or the default one for this length."""
    if center is None:
        if n_samples < 24:
            raise ValueError(
                "make_traces: n_samples must be 24 or more, because arrivals are at 12 … L - 12, "
                f"got {n_samples}. For shorter traces pass a range: center=(first, last)."
            )
        return 12, n_samples - 12
    kind = "integers"
    return require_range("make_traces", "center", center, kind, lambda n: is_whole(n) and _near(n))


def _near(position: int) -> bool:
    """Return True for a position whose distance to any sample is exact in float64."""
    return abs(position) < 2**52


# Standardization
# ---------------
# The unit and the zero of an instrument are arbitrary, and a near event has a larger amplitude than
# a distant one. None of this depends on the kind of event. A recorded trace is therefore
# *standardized*: the mean of each channel becomes 0, and then the standard deviation over all
# channels together becomes 1. All channels have the same factor, because the ratio of their
# amplitudes depends on the direction of the wave. Each trace is standardized separately, so nothing
# is learned from other traces, nothing must be saved with a model, and no information from the test
# set leaks into the training. (If your classes differ in amplitude, divide all traces by one number
# instead, `x / x_train.std()`, and save this number.)


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


AT_ONCE = 1 << 16  # samples per chunk: small enough for memory, large enough to be fast


def _standardized(x: Array) -> Array:
    """Return the result of `standardize` in float64."""
    if x.dtype.kind == "f":  # divide by a power of two, which is exact: else 1e300 would overflow
        largest = abs(x).max(axis=(1, 2), keepdims=True).astype(wide(x))
        x = np.ldexp(x.astype(wide(x)), -np.frexp(largest)[1])
    z = difference(x, x[:, :1])  # exactly 0 for a constant, without rounding
    z -= mean(z, axis=1, keepdims=True)
    size = abs(z).max(axis=(1, 2), keepdims=True)
    z /= np.where(size == 0, 1.0, size)  # else the square of a tiny number would be 0
    deviation = np.sqrt(mean(z * z, axis=(1, 2), keepdims=True))
    return np.asarray(z / np.where(size == 0, 1.0, deviation))


# Training set and test set
# -------------------------
# After a random shuffle both sets contain each class in about the same proportion, but all members
# of a small class may be in the same set. To *stratify* is to fix the proportions. The members of
# each class, shuffled, are placed at equal distances from 0 to 1. Every interval of the resulting
# order contains each class in the same proportion, wherever it is cut, and each end has one of
# each.


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
        Source of randomness for the order of the examples.

    Returns
    -------
    x_train : ndarray
        The examples of the training set, a copy.
    x_test : ndarray
        The examples of the test set.
    labels_train : ndarray
        The labels of the training set.
    labels_test : ndarray
        The labels of the test set.

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
    """Raise for an entry that is not a class: missing, or of another kind than the first one."""
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
