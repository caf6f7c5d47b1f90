"""The traces: short synthetic seismograms of three kinds.

A trace is `L` samples of ground motion. All of them carry noise and a slow
background wave of random phase. Class 0, *Quiet*, has nothing else. Class 1
has a positive pulse somewhere, an arrival, and class 2 a negative one:

    x[s] = noise z[s] + background sin(2π (2.5 t[s] + u))
           ± a exp(-½ ((s - c) / w)²)                        s = 1 … L

with `t` running from 0 to 1 along the trace, a phase `u`, an amplitude `a`, a
centre `c` and a width `w` drawn anew for every trace. Then the mean of the
trace is subtracted and what exceeds ±1 is cut off, as an instrument would.

The question for the network: is there an arrival, and of which sign, wherever
in the trace it may be?

Source: the system of chapter 04d of the course at geo-sciml.com.
"""

from collections.abc import Callable

import numpy as np

from numpycnn.layers.layer import Array, Rng
from numpycnn.validation import whole_number

CLASS_NAMES = ("Quiet", "Positive arrival", "Negative arrival")
"""What the labels 0, 1 and 2 mean."""

POLARITY = np.array([0.0, 1.0, -1.0])  # the sign of the pulse in each class


def make_traces(
    n_traces: int,
    *,
    rng: Rng = None,
    n_samples: int = 64,
    labels: Array | None = None,
    centre: tuple[int, int] | None = None,
    width: tuple[float, float] = (2.6, 3.4),
    amplitude: tuple[float, float] = (0.90, 1.00),
    noise: float = 0.03,
    background: float = 0.04,
    background_cycles: float = 2.5,
    clip: float = 1.0,
) -> tuple[Array, Array]:
    """Make traces x (N, L, 1), float32, and their labels (N,).

    Args:
        n_traces: how many, N.
        rng: a generator or a seed; the same seed gives the same traces to the bit.
        n_samples: their length, L.
        labels: integers 0, 1, 2, one per trace; by default in turn 0, 1, 2, 0, …
        centre: the first and last sample (counted from 1) at which the arrival's centre may
            lie, whole numbers, both included; by default 12 and L - 12.
        width: range of the pulse's standard deviation, in samples.
        amplitude: range of its height, before the mean is subtracted.
        noise: standard deviation of the noise.
        background: amplitude of the background wave.
        background_cycles: its periods per trace.
        clip: samples are cut off at plus and minus this.

    >>> x, labels = make_traces(4, rng=0)
    >>> x.shape, x.dtype, labels
    ((4, 64, 1), dtype('float32'), array([0, 1, 2, 0]))

    Raises `TypeError` or `ValueError` for arguments of another type or range.
    """
    n_traces = whole_number("make_traces", "n_traces", n_traces)
    n_samples = whole_number("make_traces", "n_samples", n_samples)
    rng = np.random.default_rng(rng)
    labels = _known_labels(labels, n_traces)
    if centre is None:
        if n_samples < 24:
            raise ValueError(
                f"make_traces expected n_samples of 24 or more, got {n_samples}, because arrivals "
                "lie at 12 … L - 12; for shorter traces give a range: centre=(first, last)"
            )
        centre = 12, n_samples - 12
    _check_range("centre", centre, "whole numbers", lambda c: isinstance(c, int | np.integer))
    _check_range("width", width, "numbers above 0", lambda w: w > 0)
    _check_range("amplitude", amplitude, "finite numbers", np.isfinite)
    for name, number in {"noise": noise, "background": background}.items():
        if not 0 <= number < np.inf:
            raise ValueError(f"make_traces expected {name} of 0 or more, got {number}")
    if not clip > 0:
        raise ValueError(f"make_traces expected clip above 0, got {clip}")

    def draw(low: float, high: float) -> Array:
        return rng.uniform(low, high, (n_traces, 1))

    t = np.linspace(0, 1, n_samples)
    s = np.arange(1, n_samples + 1)
    x = noise * rng.standard_normal((n_traces, n_samples))
    x += background * np.sin(2 * np.pi * (background_cycles * t + draw(0, 1)))
    c = rng.integers(centre[0], centre[1], (n_traces, 1), endpoint=True)
    pulse = draw(*amplitude) * np.exp(-0.5 * ((s - c) / draw(*width)) ** 2)
    x += POLARITY[labels][:, None] * pulse
    x -= x.mean(axis=1, keepdims=True)
    return x.clip(-clip, clip).astype(np.float32)[:, :, None], labels


def _check_range(
    name: str, limits: tuple[float, float], kind: str, is_fit: Callable[[float], bool]
) -> None:
    """Raise unless `limits` is a pair (low, high), in this order and each of the right kind."""
    if not isinstance(limits, tuple | list) or len(limits) != 2:
        raise TypeError(f"make_traces expected {name} as a pair (low, high), got {limits!r}")
    low, high = limits
    if not (is_fit(low) and is_fit(high) and low <= high):
        raise ValueError(
            f"make_traces expected {name} as (low, high), {kind} in this order, got {limits!r}"
        )


def _known_labels(labels: object, n_traces: int) -> Array:
    """Return the labels as an array: those given, or 0, 1, 2 in turn."""
    if labels is None:
        return np.arange(n_traces) % len(CLASS_NAMES)
    known = np.asarray(labels)
    if known.shape != (n_traces,) or not np.isin(known, range(len(CLASS_NAMES))).all():
        raise ValueError(
            f"make_traces expected labels 0, 1 or 2 for each of {n_traces} traces, got {labels!r}"
        )
    return known.astype(int)


def train_test_split(
    x: Array, labels: Array, *, train_size: float = 0.8, rng: Rng = None
) -> tuple[Array, Array, Array, Array]:
    """Shuffle and split: return x_train, x_test, y_train, y_test, as scikit-learn orders them.

    `train_size` is the share of traces to train on, rounded down, between 0 and 1.

    >>> x, labels = make_traces(180, rng=0)
    >>> x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=0)
    >>> len(x_train), len(y_train), len(x_test), len(y_test)
    (144, 144, 36, 36)

    Raises `ValueError` if there are more labels than traces or fewer, or if one part
    would be empty.
    """
    if len(x) != len(labels):
        raise ValueError(
            f"train_test_split expected a label for each trace, "
            f"got {len(x)} traces and {len(labels)} labels"
        )
    x, labels = np.asarray(x), np.asarray(labels)
    if not 1 <= train_size * len(x) < len(x):
        raise ValueError(
            f"train_test_split expected a train_size that leaves traces on both sides, "
            f"got {train_size} of {len(x)}"
        )
    n_train = int(train_size * len(x))
    order = np.random.default_rng(rng).permutation(len(x))
    train, test = order[:n_train], order[n_train:]
    return x[train], x[test], labels[train], labels[test]
