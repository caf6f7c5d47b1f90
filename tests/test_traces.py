"""The synthetic traces: the generator of the task, and the split."""

from math import exp, pi, sin

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused, refused_value

from numpycnn import make_traces, standardize, train_test_split
from numpycnn.checks.strategies import generators

SIGNS = {0: 0, 1: 1, 2: -1}
PURE = {"noise": 0, "background": 0}  # nothing but the arrival


def one_trace(label, z, u, c, a, w, length, noise=0.03, background=0.04, cycles=2.5, clip=1.0):
    """The table of the task for a single trace, sample by sample, from numbers already drawn."""
    x = []
    for s in range(1, length + 1):
        t = (s - 1) / (length - 1)
        value = noise * z[s - 1] + background * sin(2 * pi * (cycles * t + u))
        x.append(value + SIGNS[label] * a * exp(-((s - c) ** 2) / (2 * w**2)))
    mean = sum(x) / length
    return [min(max(value - mean, -clip), clip) for value in x]


def draw_numbers(rng, n_traces, length, center=None, width=(2.6, 3.4), amplitude=(0.9, 1.0)):
    """Draw in the same order as make_traces: noise, phases, centers, amplitudes, widths."""
    low, high = center or (12, length - 12)
    return (
        rng.standard_normal((n_traces, length)),
        rng.random(n_traces),
        rng.integers(low, high, n_traces, endpoint=True),
        amplitude[0] + (amplitude[1] - amplitude[0]) * rng.random(n_traces),
        width[0] + (width[1] - width[0]) * rng.random(n_traces),
    )


def inner(x):
    """Traces without their channel axis, (N, L)."""
    return x[:, :, 0]


# The generator of the task
# -------------------------


@given(generators, st.integers(1, 8), st.integers(24, 90))
def test_every_sample_follows_the_table_of_the_task(rng, n_traces, length):
    seed = int(rng.integers(2**32))
    x, labels = make_traces(n_traces, rng=seed, n_samples=length)
    drawn = draw_numbers(np.random.default_rng(seed), n_traces, length)
    for n, numbers in enumerate(zip(*drawn, strict=True)):
        assert_allclose(x[n, :, 0], one_trace(labels[n], *numbers, length), atol=1e-6)


@given(
    generators,
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 9),
    st.floats(0.05, 2),
    st.tuples(st.floats(0.5, 3), st.floats(3, 9)),
    st.tuples(st.floats(0, 1), st.floats(1, 4)),
    st.tuples(st.integers(-3, 20), st.integers(20, 40)),
)
def test_every_constant_of_the_table_is_an_argument(
    rng, noise, background, cycles, clip, width, amplitude, center
):
    seed = int(rng.integers(2**32))
    x, labels = make_traces(
        4,
        rng=seed,
        n_samples=30,
        noise=noise,
        background=background,
        background_cycles=cycles,
        clip=clip,
        width=width,
        amplitude=amplitude,
        center=center,
    )
    drawn = draw_numbers(np.random.default_rng(seed), 4, 30, center, width, amplitude)
    for n, numbers in enumerate(zip(*drawn, strict=True)):
        expected = one_trace(labels[n], *numbers, 30, noise, background, cycles, clip)
        assert_allclose(x[n, :, 0], expected, atol=1e-5)


@given(generators, st.integers(24, 200))
def test_samples_lie_within_the_clip_and_their_mean_before_it_is_zero(rng, length):
    seed = int(rng.integers(2**32))
    harder = {"wavelet": "ricker", "snr": (1, 9), "distractor": "any", "n_channels": (1, 4)}
    for options in {}, harder:
        clipped, labels = make_traces(30, rng=seed, n_samples=length, **options)
        whole, _ = make_traces(30, rng=seed, n_samples=length, clip=np.inf, **options)
        assert (clipped.dtype, whole.dtype) == (np.float32, np.float32)
        assert abs(clipped).max() <= 1
        assert_allclose(whole.mean(axis=1), 0, atol=1e-5)
        assert_array_equal(clipped, whole.clip(-1, 1))
        assert_array_equal(labels, np.arange(30) % 3)


# Harder traces
# -------------

ALONE = {**PURE, "n_samples": 200, "center": (100, 100), "clip": 9}  # an arrival far from the ends


def test_the_shape_of_the_ricker_wavelet():
    x, _ = make_traces(20, rng=0, labels=[1] * 20, wavelet="ricker", width=(4, 4), **ALONE)
    assert_allclose(x[:, 99, 0], x.max(axis=1)[:, 0])
    assert ((x[:, 99, 0] >= 0.9) & (x[:, 99, 0] <= 1)).all()
    assert_allclose(x[:, [95, 103], 0], 0, atol=1e-6)  # four samples from the center
    tau = np.arange(1, 201) - 100
    shape = (1 - tau**2 / 16) * np.exp(-(tau**2) / 32)
    assert_allclose(inner(x), x[:, 99] * shape, atol=1e-6)
    assert_allclose(inner(x)[:, :50], 0, atol=1e-6)  # where the Gaussian leaves its offset
    gaussian, _ = make_traces(20, rng=0, labels=[1] * 20, width=(4, 4), **ALONE)
    assert (inner(gaussian)[:, :50] < -0.04).all()


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [
        ("spike", [lambda tau: (tau == 0) * 1.0]),
        ("burst", [lambda tau: np.exp(-(tau**2) / 32) * np.cos(pi * tau / 2)]),
        ("any", None),
    ],
)
def test_a_distractor_lies_anywhere_in_every_class_with_either_sign(kind, shapes):
    options = {**PURE, "clip": 9, "amplitude": (0.5, 1), "center": (-500, -500)}
    x, labels = make_traces(3000, rng=0, distractor=kind, **options)
    x = inner(x) - np.median(inner(x), axis=1, keepdims=True)
    places = abs(x).argmax(axis=1)
    heights = x[np.arange(3000), places]
    assert set(places) == set(range(64))
    for label in range(3):
        own = heights[labels == label]
        assert 0.4 < (own > 0).mean() < 0.6
        assert 0.45 < abs(own).min() < 0.55
        assert 0.95 < abs(own).max() < 1.05
    if shapes is None:
        quick = (abs(x) > 0.05 * abs(heights)[:, None]).sum(axis=1) > 1
        assert 0.4 < quick.mean() < 0.6
    else:
        middle = (places > 20) & (places < 44)
        for trace, place, height in zip(x[middle], places[middle], heights[middle], strict=True):
            assert_allclose(trace, height * shapes[0](np.arange(64) - place), atol=0.02)


def test_several_channels_share_the_arrival_and_nothing_else():
    x, _ = make_traces(200, rng=0, labels=[2] * 200, n_channels=3, clip=9, background=0)
    assert x.shape == (200, 64, 3)
    places = x.argmin(axis=1)
    assert (np.ptp(places, axis=1) <= 4).all()
    gains = -x.min(axis=1)
    assert gains.min() > 0.15
    assert (np.ptp(gains, axis=1) > 0.02).all()
    noise, _ = make_traces(200, rng=0, labels=[0] * 200, n_channels=3, background=0)
    assert abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


# Arguments
# ---------


def test_the_same_seed_gives_the_same_bits_and_no_global_state_is_used():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = make_traces(9, rng=7)[0], make_traces(9, rng=np.random.default_rng(7))[0]
    assert one.tobytes() == other.tobytes()
    assert one.tobytes() != make_traces(9, rng=8)[0].tobytes()
    assert make_traces(9)[0].tobytes() != make_traces(9)[0].tobytes()
    rng = np.random.default_rng(0)
    assert make_traces(3, rng=rng)[0].tobytes() != make_traces(3, rng=rng)[0].tobytes()
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@given(st.lists(st.integers(0, 2), min_size=1, max_size=9))
def test_labels_can_be_given_and_are_never_written(labels):
    given_labels = np.array(labels)
    given_labels.flags.writeable = False
    x, returned = make_traces(len(labels), rng=0, labels=given_labels, **PURE)
    assert_array_equal(returned, labels)
    assert not np.shares_memory(returned, given_labels)
    assert_array_equal(np.sign(inner(x)[:, 0]), [-SIGNS[label] for label in labels])


NUMBERS = [np.nan, -np.inf, "a", None, True, (1, 2), 1j]
RANGES = [(3, 2), (np.nan, 2), (1, np.inf), ("a", "b"), (1, None), "ab", 3.0]


@bad_values(
    {
        "n_traces": [0, -3, 3.0, True],
        "n_samples": [0, "64", 23],
        "rng": [-1, "0"],
        "center": [(30, 20), 30, (1, 2, 3), (12.5, 20), (10, np.nan), (10, 10**30)],
        "wavelet": ["Ricker", None, ["ricker"]],
        "distractor": ["lorry"],
        "n_channels": [0, 1.5, (0, 2), (1, np.inf)],
        "noise": [*NUMBERS, -0.1, np.inf],
        "background": [*NUMBERS, -0.1, np.inf],
        "background_cycles": [*NUMBERS, np.inf],
        "clip": [*NUMBERS, 0, -1],
        "width": [*RANGES, (0, 0), (-1, 2)],
        "amplitude": RANGES,
        "snr": [*RANGES, (0, 0), (-1, 2)],
    }
)
def test_bad_arguments_are_refused(name, value):
    with refused_value("make_traces", name, value):
        make_traces(**{"n_traces": 3, "rng": 0, name: value})


@pytest.mark.parametrize(
    ("labels", "value"),
    [
        ([0, 1], (2,)),
        ([0, 1, 3], 3),
        ("012", "<U3"),
        ([[0], [1], [2]], (3, 1)),
    ],
)
def test_bad_labels_are_refused(labels, value):
    with refused((TypeError, ValueError), "make_traces", "labels", value):
        make_traces(3, labels=labels)


# The split
# ---------


@given(generators, st.integers(2, 40), st.floats(0.05, 0.95))
def test_a_split_is_a_partition_and_keeps_pairs_together(rng, n_traces, train_size):
    x = rng.permutation(n_traces)[:, None, None].astype(np.float32)
    labels = x[:, 0, 0].astype(int)
    x.flags.writeable = labels.flags.writeable = False
    n_train = min(round(train_size * n_traces), n_traces - 1)
    assume(n_train > 0)
    x_train, x_test, y_train, y_test = train_test_split(x, labels, train_size=train_size, rng=rng)
    assert len(x_train) == n_train
    assert x_train.dtype == x_test.dtype == np.float32
    assert_array_equal(x_train[:, 0, 0], y_train)
    assert_array_equal(x_test[:, 0, 0], y_test)
    assert sorted([*y_train, *y_test]) == list(range(n_traces))
    assert not np.shares_memory(x, x_train)


BAD_SIZES = [1.0, 0.0, 0.04, -0.5, 8, np.nan, np.inf, "0.8", None, [0.8], True]


@bad_values({"train_size": BAD_SIZES, "labels": [np.zeros(9, int), np.zeros(11, int)]})
def test_a_split_with_bad_arguments_is_refused(name, value):
    with refused_value("train_test_split", name, value):
        train_test_split(**{"x": np.zeros((10, 64, 1)), "labels": np.zeros(10, int), name: value})


@given(
    st.lists(st.integers(2, 20), min_size=1, max_size=5), st.floats(0.1, 0.9), st.integers(0, 99)
)
def test_a_stratified_split_keeps_the_fractions_of_the_classes(sizes, fraction, seed):
    names = np.array(list("abcde"))[np.repeat(np.arange(len(sizes)), sizes)]
    labels = np.random.default_rng(seed).permutation(names)
    x = np.arange(len(labels), dtype=np.float32)
    n_train = round(fraction * len(labels))
    assume(len(sizes) <= n_train <= len(labels) - len(sizes))
    x_train, x_test, y_train, y_test = train_test_split(
        x, labels, train_size=fraction, stratify=labels, rng=seed
    )
    assert len(x_train) == n_train
    assert sorted([*x_train, *x_test]) == list(range(len(labels)))
    assert_array_equal(labels[x_train.astype(int)], y_train)
    assert_array_equal(labels[x_test.astype(int)], y_test)
    for name, size in zip("abcde", sizes, strict=False):
        n = int((y_train == name).sum())
        assert 1 <= n < size
        assert abs(n - size * n_train / len(labels)) <= 1 + len(sizes) / 2
    if len(set(sizes)) == 1 and n_train % len(sizes) == 0:
        assert {int((y_train == name).sum()) for name in set(y_train)} == {n_train // len(sizes)}


@pytest.mark.parametrize(
    ("stratify", "train_size", "value"),
    [
        (["a", "a", "b"], 0.5, "'b'"),
        ([1, 1, 7], 0.5, 7),
        (["a", "a", "b", "b"], 0.3, 1),
        ([["a", "b"]] * 3, 0.5, (3, 2)),
        (["a"], 0.5, (1,)),
        (["a", "a", None, "b", "b"], 0.5, "stratify[2]"),
        ([0.0, 0.0, np.nan, np.nan], 0.5, "stratify[2]"),
        (np.array(["a", "a", 1, 1], object), 0.5, "stratify[2]"),
        (np.array([1, 1, NotImplemented, 1], object), 0.5, "stratify[2]"),
    ],
)
def test_classes_that_cannot_be_in_both_sets_are_refused(stratify, train_size, value):
    x = np.zeros((max(2, len(stratify)), 4, 1))
    with refused((TypeError, ValueError), "train_test_split", "stratify", value):
        train_test_split(x, np.zeros(len(x)), train_size=train_size, stratify=stratify)


# One scale
# ---------


@given(generators, st.floats(1e-300, 1e300), st.integers(-3, 3), st.integers(1, 3))
def test_standardized_traces_have_mean_0_and_deviation_1(rng, scale, offset, n_channels):
    x = rng.standard_normal((4, 30, n_channels)) * np.arange(1, n_channels + 1)
    moved = scale * (x + offset)
    moved.flags.writeable = False
    y = standardize(moved)
    assert y.dtype == np.float32
    assert_allclose(y.mean(axis=1), 0, atol=1e-6)
    assert_allclose(y.std(axis=(1, 2)), 1, rtol=1e-5)
    assert_allclose(y, standardize(x), atol=1e-5)
    before, after = x.std(axis=1), y.std(axis=1)  # the ratio of the channels is kept
    assert_allclose(after / after[:, :1], before / before[:, :1], rtol=1e-4)
    assert_array_equal(standardize(x[:, ::-1]), standardize(x[:, ::-1].copy()))


@pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 1e300, 1e-310])
def test_a_constant_trace_becomes_zeros_and_others_do_not_change(level):
    x = np.random.default_rng(0).standard_normal((3, 30, 2))
    y = x.copy()
    y[1] = level, 3 * level
    assert_array_equal(standardize(y)[1], 0)
    assert_array_equal(standardize(y)[[0, 2]], standardize(x)[[0, 2]])


@bad_values(
    {
        "x": [
            np.zeros((3, 4)),
            np.zeros((3, 4), int),
            np.zeros((3, 0, 1)),
            np.zeros((0, 4, 1), int),
            np.full((3, 4, 1), -np.inf, np.float16),
            np.zeros((3, 4, 1), complex),
            np.zeros((3, 4, 1), bool),
            np.zeros((3, 4, 1), object),
            np.ma.zeros((3, 4, 1), int),
        ]
    }
)
def test_traces_that_cannot_be_standardized_are_refused(name, value):
    with refused_value("standardize", name, value):
        standardize(value)
