"""The fast kernels compute what the plain ones compute, whatever they are given."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from plain import plain_of

import numpycnn as nn
from numpycnn.checks.strategies import convolutions, generators
from numpycnn.layers import _conv1d_kernels as kernels


def results(layer, x, dy=None):
    """Return y, dx and the gradients; `dy` is a function of y."""
    y, cache = layer.forward(x)
    assert cache is x
    dx, grads = layer.backward(dy(y), cache)
    assert list(grads) == list(layer.params)
    return y, dx, *grads.values()


def upstream(y):
    return np.random.default_rng(0).standard_normal(y.shape).astype(y.dtype)


def assert_as_plain(layer, x, dy=upstream):
    """Raise unless the results are the same to rounding, as a part of the largest entry."""
    for found, expected in zip(results(layer, x, dy), results(plain_of(layer), x, dy), strict=True):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        tolerance = {"e": 1e-2, "f": 1e-5, "F": 1e-5}.get(found.dtype.char, 1e-12)
        # In a sum of `n` terms that cancel, rounding is relative to the terms.
        largest = max(np.abs(expected).max(), 1)
        assert np.abs(found - expected).max() <= tolerance * largest


@st.composite
def cut_small(draw):
    """Constants that cut even a small case into many blocks and parts, on several threads."""
    return {
        "SMALL_PRODUCT": draw(st.integers(1, 3000)),
        "FEW_WINDOWS": draw(st.integers(1, 9)),
        "MANY_WINDOWS": draw(st.integers(1, 20)),
        "FEW_CHANNELS": draw(st.sampled_from([1, 3, 100])),
        "SUMMED_AT_ONCE": draw(st.sampled_from([1, 1 << 16])),
        "PART": draw(st.integers(1, 500)),
        "WORTH_SHARING": draw(st.sampled_from([0, 10**9])),
    }


@pytest.fixture
def three_threads():
    nn.set_threads(3)
    yield
    nn.set_threads(None)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@given(convolutions(), st.none() | cut_small(), generators)
def test_fast_and_plain_kernels_compute_the_same(dtype, case, constants, rng):
    layer, x = case
    layer, x = layer.astype(dtype), x.astype(dtype)
    for name in layer.params:
        layer.params[name][...] = rng.standard_normal(layer.params[name].shape)
    if dtype == np.complex128:
        x = x + 1j * rng.standard_normal(x.shape)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (constants or {}).items():
            patch.setattr(kernels, name, value)
        kernels.plan.cache_clear()
        assert_as_plain(layer, x)
    kernels.plan.cache_clear()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"dilation": 3}, {"stride": 5}])
def test_every_type_of_float_and_every_layout_of_x(options, bias):
    layer = nn.Conv1D(3, 4, 3, padding="same", bias=bias, **options, rng=0)
    x = np.random.default_rng(0).standard_normal((4, 40, 6))
    readonly = x[..., :3].copy()
    readonly.flags.writeable = False
    layouts = readonly, x[::2, ::-1, ::-2], np.asfortranarray(x)[..., 3:], x.T.copy().T[..., :3]
    for dtype in "e", "f", "d", "g", ">f4", ">f8", "F", "D", "G":
        for view in layouts:
            assert_as_plain(layer, view.astype(dtype, copy=False))
            assert_as_plain(layer.astype(np.float64), view.astype(dtype, order="K"))
            assert_as_plain(layer, view, lambda y, dtype=dtype: upstream(y).astype(dtype)[::-1])


@given(convolutions(), st.data())
def test_nan_is_in_the_outputs_whose_window_covers_it_and_in_no_other(case, data):
    layer, x = case
    x = x.copy()
    where = data.draw(st.tuples(*(st.integers(0, n - 1) for n in x.shape)))
    x[where] = data.draw(st.sampled_from([np.nan, np.inf]))
    with np.errstate(invalid="ignore"):
        y, expected = layer(x), plain_of(layer)(x)
        assert_array_equal(np.isfinite(y), np.isfinite(expected))
        dx, grads = layer.backward(np.ones_like(y), x)
        plain_dx, plain = plain_of(layer).backward(np.ones_like(y), x)
    assert_allclose(dx, plain_dx, rtol=1e-11, atol=1e-12)
    assert not np.isfinite(grads["w"])[~np.isfinite(plain["w"])].any()


# Memory
# ------


def peak(act):
    tracemalloc.start()
    try:
        kept = act()
        return tracemalloc.get_traced_memory()[1], kept
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "case", [(64, 8, 8, 2000, 31), (1, 16, 16, 60_000, 15), (4, 200, 200, 300, 3)]
)
def test_windows_are_not_copied(case):
    n, n_channels, n_filters, length, kernel_size = case
    layer = nn.Conv1D(n_channels, n_filters, kernel_size, padding="same", rng=0)
    x = np.zeros((n, length, n_channels), np.float32)
    w = layer.params["w"].nbytes
    used, y = peak(lambda: layer(x))
    assert used < 2 * x.nbytes + y.nbytes + 2 * w  # with windows copied, the K-fold of x
    used, _ = peak(lambda: layer.backward(y, x))
    assert used < 4 * x.nbytes + 4 * w
