"""The strategies draw what they promise, and with them a test finds what a fixed input misses."""

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from numpycnn.checks.strategies import ids, inputs, with_ties, with_zeros

QUIET = settings(derandomize=True, database=None, deadline=None, max_examples=200)
ANY = st.sampled_from([2, 3, 4]).flatmap(lambda ndim: inputs(ndim=ndim))


@pytest.mark.parametrize("ndim", [2, 3, 4])
@given(data=st.data(), positive=st.booleans())
def test_inputs(ndim, data, positive):
    x = data.draw(inputs(ndim=ndim, positive=positive))
    assert x.ndim == ndim
    assert x.dtype == np.float64
    assert len(np.unique(x)) == x.size
    assert (x > 0).all() if positive else (x != 0).all()
    assert np.abs(x).max() < 1


def test_every_size_is_drawn():
    assert find(inputs(ndim=4), lambda x: x.shape == (3, 6, 6, 4), settings=QUIET).size
    assert find(inputs(ndim=2), lambda x: x.shape == (3, 4), settings=QUIET).size


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"ndim": 1}, "ndim must .* got 1"),
        ({"ndim": 5}, "ndim must .* got 5"),
        ({"ndim": 2, "min_length": 3}, "min_length .* got 3"),
        ({"ndim": 2, "max_length": 7}, "max_length .* got None and 7"),
    ],
)
def test_bad_options_are_refused(options, match):
    @given(inputs(**options))
    def draw(x):
        raise AssertionError("nothing is drawn")

    with pytest.raises(ValueError, match=match):
        draw()


@given(st.integers(1, 9), st.integers(1, 3), st.data())
def test_ids(n, ndim, data):
    drawn = data.draw(ids(n, ndim))
    assert drawn.dtype == np.int64
    assert drawn.ndim == ndim
    assert 0 <= drawn.min() <= drawn.max() < n


def test_ids_are_repeated_and_reach_both_ends():
    find(ids(3), lambda x: len(np.unique(x)) < x.size, settings=QUIET)
    find(ids(3), lambda x: {0, 1, 2} <= {*x.flat}, settings=QUIET)

    @given(ids(0))
    def draw(x):
        raise AssertionError("nothing is drawn")

    with pytest.raises(ValueError, match=r"n must .* got 0"):
        draw()


@given(with_ties(ANY))
def test_with_ties(x):
    assert len(np.unique(x)) < x.size or x.size == 1
    assert np.isfinite(x).all()


@given(with_zeros(ANY))
def test_with_zeros(x):
    assert (x == 0).any()


def test_neighbors_are_tied_along_each_axis():
    for axis in range(3):
        find(
            with_ties(inputs()),
            lambda x, axis=axis: x.shape[axis] > 1 and (np.diff(x, axis=axis) == 0).any(),
            settings=QUIET,
        )
