"""Statistics of data depend on the numbers, not on their type, byte order, offset or number.

Each case is a small signal of integers, which every type holds exactly, on an offset that the type
resolves to 1 % of the signal. The expected value comes from NumPy in float64 without the offset.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from numpycnn import standardize
from numpycnn.checks.strategies import generators
from numpycnn.seismology import aic, pick_aic, sta_lta
from numpycnn.seismology.picking import noise_of

FLOATS = [np.dtype(order + kind) for kind in ("f2", "f4", "f8") for order in "<>"]
INTEGERS = [np.dtype(order + sign + size) for size in "248" for sign in "iu" for order in "<>"]
INTEGERS += [np.dtype("i1"), np.dtype("u1")]
TYPES = [*FLOATS, np.dtype(np.longdouble), *INTEGERS]


@st.composite
def signals_and_data(draw, shape, types=TYPES, most_bits=62):
    """A signal of whole numbers in float64, and the same on an offset in some type and layout."""
    dtype = draw(st.sampled_from(types))
    size = draw(st.sampled_from([3, 12, 50]))
    signal = draw(generators).integers(-size, size, shape, endpoint=True)
    if dtype.kind == "f":
        bits = min(
            np.finfo(dtype).nmant, most_bits
        )  # of these as many for the offset, 1 is resolved
        low, high = -(2 ** (bits + 1)) + size, 2 ** (bits + 1) - size
    else:
        low, high = np.iinfo(dtype).min + size, np.iinfo(dtype).max - size
    offset = draw(st.sampled_from([low, high, 0]) | st.integers(low, high))
    offset = min(max(offset, low), high)
    # Sums of Python's integers, for uint64 and int64 at their ends.
    data = np.array((signal.astype(object) + offset).tolist(), dtype)
    if draw(st.booleans()):  # a view that runs backwards through every second sample
        data = np.repeat(data, 2, axis=-2)[..., ::-2, :][..., ::-1, :]
    data.flags.writeable = False
    return signal.astype(float), data, offset


def standardized(x):
    z = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt((z**2).mean(axis=(1, 2), keepdims=True))
    return z / np.where(deviation == 0, 1, deviation)


@given(signals_and_data((3, 20, 2)))
def test_standardize(case):
    signal, x, _ = case
    assert standardize(x).dtype == np.float32
    assert_allclose(standardize(x), standardized(signal), rtol=1e-6, atol=1e-6)


@given(signals_and_data((2, 60, 2)), st.integers(1, 9), st.integers(1, 30))
def test_sta_lta(case, sta, more):
    signal, x, _ = case
    expected = sta_lta(signal, sta, sta + more)
    assert_allclose(sta_lta(x, sta, sta + more), expected, rtol=1e-9, atol=1e-9)


@given(signals_and_data((40, 2)))
def test_aic(case):
    signal, x, _ = case
    assert_allclose(aic(x), aic(signal), rtol=1e-9, atol=1e-9)
    assert_array_equal(pick_aic(x, [20], 20, 20), pick_aic(signal, [20], 20, 20))


@given(signals_and_data((50, 2)))
def test_the_level_of_the_noise(case):
    signal, x, offset = case
    middle, size = noise_of(x)
    expected, expected_size = noise_of(signal)
    assert_allclose(size, expected_size, rtol=1e-12)
    assert_allclose(middle, expected + offset, rtol=1e-15, atol=0.5 if abs(offset) > 2**52 else 0)
