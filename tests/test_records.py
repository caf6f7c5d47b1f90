"""Records with onsets: noise, arrivals, spikes, and the effect of every argument."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import bad_values, refused_value

from numpycnn import make_records
from numpycnn.seismology.records import arrival, pulse, red_noise

QUIET = {"arrivals": (0, 0), "spikes": (0, 0)}
ONE = {"arrivals": (1, 1), "spikes": (0, 0)}
LINE = np.array([1.0, 0.0])


# The parts of a record
# ---------------------


@given(
    st.integers(1, 4),
    st.integers(300, 900),
    st.integers(1, 3),
    st.tuples(st.integers(0, 2), st.integers(0, 2)).map(sorted),
    st.floats(0.01, 0.9),
    st.integers(0, 99),
)
def test_onsets_keep_their_distance_and_their_number(n, length, channels, arrivals, apart, seed):
    options = {"n_samples": length, "n_channels": channels, "apart": apart}
    x, onsets = make_records(n, rng=seed, arrivals=tuple(arrivals), **options)
    assert x.shape == (n, length, channels)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert len(onsets) == n
    for here in onsets:
        assert arrivals[0] <= len(here) <= arrivals[1]
        assert here.dtype.kind == "i"
        assert (np.diff([0, *here, length]) >= max(1, round(100 * apart))).all()


def test_every_number_and_position_of_arrivals_occurs():
    _, onsets = make_records(400, rng=0, n_samples=30, apart=0.1, arrivals=(0, 2), spikes=(0, 0))
    assert {len(here) for here in onsets} == {0, 1, 2}
    assert {int(here[0]) for here in onsets if len(here) == 1} == set(range(10, 21))
    assert {tuple(here) for here in onsets if len(here) == 2} == {(10, 20)}


def test_the_height_of_an_arrival_is_its_signal_to_noise_ratio():
    noise, _ = make_records(1, rng=3, **QUIET)
    x, ((onset,),) = make_records(
        1, rng=3, snr=(7, 7), coda=0, sampling_rate=1000, apart=0.05, **ONE
    )
    added = (x - make_records(1, rng=3, sampling_rate=1000, apart=0.05, **QUIET)[0])[0]
    assert_allclose(np.linalg.norm(added, axis=1).max(), 7, rtol=0.01)
    line = added[onset + 10] / np.linalg.norm(added[onset + 10])
    assert_allclose(added - np.outer(added @ line, line), 0, atol=1e-4)  # all along one line
    assert_allclose(x[0, :onset], noise[0, :onset])


def test_the_noise_has_deviation_1_and_the_given_memory():
    for memory in (0.0, 0.5, 0.9):
        x, _ = make_records(20, rng=0, n_samples=3000, memory=(memory, memory), **QUIET)
        assert_allclose(x.std(), 1, rtol=0.03)
        assert_allclose((x[:, 1:] * x[:, :-1]).mean(), memory, atol=0.03)
        assert abs(np.corrcoef(x.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


@given(st.floats(0, 0.99), st.integers(2, 40), st.integers(0, 99))
def test_the_noise_is_a_periodic_recursion(memory, length, seed):
    noise = red_noise(length, 2, memory, np.random.default_rng(seed))
    z = np.random.default_rng(seed).standard_normal((length, 2))
    assert_allclose(
        noise, memory * np.roll(noise, 1, axis=0) + np.sqrt(1 - memory**2) * z, atol=1e-9
    )


def test_a_spike_is_one_sample_of_one_channel():
    noise, _ = make_records(50, rng=0, memory=(0, 0), n_samples=100, **QUIET)
    options = {"arrivals": (0, 0), "spikes": (1, 1), "snr": (20, 30), "n_samples": 100}
    x, _ = make_records(50, rng=1, **options)
    large = abs(x) > 10
    assert_array_equal(large.sum(axis=(1, 2)), 1)
    assert large.any(axis=(0, 1)).all()
    assert (x > 10).any()
    assert (x < -10).any()
    assert abs(x).max() < 30 + abs(noise).max()


# An arrival
# ----------


def test_an_arrival_is_a_sum_of_pulses():
    t = np.arange(1, 41) / 100
    made = arrival(t, LINE, 8.0, 0.2, 0.3, np.random.default_rng(0))
    wave = pulse(t, 8.0)
    incoming = np.random.default_rng(0).standard_normal((40, 2)) * np.exp(-t / 0.2)[:, None]
    incoming *= 0.3 / np.sqrt((wave**2).sum())
    incoming[0] = LINE
    literal = np.zeros((40, 2))
    for sample in range(40):
        for start in range(sample + 1):
            literal[sample] += incoming[start] * wave[sample - start]
    assert_allclose(made, literal, atol=1e-12)


# Arguments
# ---------


def test_the_same_seed_gives_the_same_bits_and_a_generator_goes_on():
    x, onsets = make_records(3, rng=7)
    again, same = make_records(3, rng=np.random.default_rng(7))
    assert x.tobytes() == again.tobytes()
    for here, there in zip(onsets, same, strict=True):
        assert_array_equal(here, there)
    rng = np.random.default_rng(7)
    assert make_records(3, rng=rng)[0].tobytes() != make_records(3, rng=rng)[0].tobytes()


NUMBERS = [np.nan, np.inf, -1, "a", None, True, (1, 2)]
PAIRS = [(2, 1), (np.nan, 1), (0, np.inf), (0, "a"), (1, None), "ab", 0.5, (0, 1, 2)]


@bad_values(
    {
        "n_records": [0],
        "n_samples": [1.5],
        "n_channels": [0],
        "rng": [-1],
        "sampling_rate": [*NUMBERS, 0],
        "apart": [*NUMBERS, 0],
        "coda": [*NUMBERS, 1e300],
        "snr": [*PAIRS, (1e300, 1e300), (1e39, 1e39)],
        "frequency": [*PAIRS, (9, 51)],
        "decay": [*PAIRS, (0, 1)],
        "memory": [*PAIRS, (0, 1), (-0.1, 0.5)],
        "arrivals": [*PAIRS, (0, 1.5)],
        "spikes": [*PAIRS, (-1, 1)],
    }
)
def test_bad_arguments_are_refused(name, value):
    options = {"arrivals": (1, 2), "spikes": (1, 3), "rng": 0}
    with refused_value("make_records", name, value):
        make_records(**{"n_records": 3, **options, name: value})


@pytest.mark.parametrize("decay", [(1e308, 1e308), (1e-308, 1e-308)])
def test_a_coda_of_any_decay_is_finite(decay):
    x, _ = make_records(2, rng=0, arrivals=(1, 2), decay=decay)
    assert np.isfinite(x).all()
