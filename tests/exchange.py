"""What the tests of all exporters share: convolutions of every kind, lengths, differences."""

from itertools import product
from math import prod

import numpy as np
from hypothesis import strategies as st

import numpycnn as nn

PADDINGS = ["valid", "same", "causal", 2, (0, 3), (3, 1)]
WINDOWS = list(product(range(1, 5), range(1, 6), range(1, 4)))  # taps, stride, dilation


def random_array(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def with_random_arrays(model, seed=0, dtype=np.float32):
    """The same network with random parameters and running statistics, none of them zero."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.standard_normal(array.shape) for name, array in model.params.items()}
    arrays = {name: array.astype(dtype) for name, array in arrays.items()}
    state = {name: rng.uniform(0.5, 2, array.shape) for name, array in model.state.items()}
    return model.with_params(arrays | state)


def shortest(layer):
    """The shortest trace with one whole window in it."""
    return max(1, layer.effective_kernel_size - sum(layer.pad_widths(1)))


@st.composite
def strided(draw):
    """A convolution shorter than its stride, as long, or longer; and its first lengths.

    There are two lengths for each remainder of the length divided by the stride.
    """
    stride = draw(st.integers(1, 4))
    kernel_size = draw(
        st.sampled_from([max(1, stride - 1), stride, stride + draw(st.integers(1, 3))])
    )
    layer = nn.Conv1D(
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
        kernel_size,
        stride=stride,
        padding=draw(st.sampled_from(PADDINGS)),
        dilation=draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
    )
    layer = with_random_arrays(layer, draw(st.integers(0, 2**32 - 1)))
    return layer, range(shortest(layer), shortest(layer) + 2 * stride)


def period(model):
    """The product of all strides."""
    return prod(getattr(layer, "stride", 1) for _, layer in model.walk())


def bound(layer, x):
    """The largest output if no terms canceled: that of the absolute parameters and inputs."""
    return layer.with_params({name: abs(a) for name, a in layer.params.items()})(abs(x)).max()


def assert_close(actual, expected, scale=0.0):
    """Within 1e-5 of the largest output, or of a scale that is larger; NaN in the same places."""
    assert actual.shape == expected.shape
    largest = max(1.0, scale, np.nan_to_num(abs(expected)).max(initial=0.0))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * largest)
