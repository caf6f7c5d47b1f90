"""Layers for pictures: equal to literal loops, right gradients, and part of a network."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import numpycnn as nn
from examples.two_dimensions import Conv2D, MaxPool2D, Upsample2D
from numpycnn.checks.strategies import distinct, generators, sizes


@st.composite
def pictures(draw, n_channels=None, at_least=1):
    """A batch of pictures (N, H, W, C), distinct numbers."""
    side = sizes(at_least, 5)
    return draw(
        distinct((draw(sizes(1, 2)), draw(side), draw(side), n_channels or draw(sizes(1, 3))))
    )


@st.composite
def convolutions(draw):
    """A Conv2D and pictures that it takes."""
    layer = Conv2D(draw(sizes(1, 3)), draw(sizes(1, 3)), draw(sizes(1, 4)), rng=draw(generators))
    layer.params["b"][:] = draw(distinct(layer.params["b"].shape))
    return layer, draw(pictures(layer.in_channels))


@st.composite
def poolings(draw):
    """A MaxPool2D or an Upsample2D and pictures that it takes."""
    size = draw(sizes(1, 3))
    return draw(st.sampled_from([MaxPool2D, Upsample2D]))(size), draw(pictures(at_least=size))


def convolved(layer, x):
    """The sum over taps and channels, as the layer's formula has it, number by number."""
    k, (n, height, width, n_channels) = layer.kernel_size, x.shape
    before = (k - 1) // 2
    w, b = layer.params["w"], layer.params["b"]
    y = np.zeros((n, height, width, layer.out_channels))
    for at in np.ndindex(*y.shape):
        m, i, j, f = at
        y[at] = b[f]
        for a, c, d in product(range(k), range(k), range(n_channels)):
            row, column = i + a - before, j + c - before
            if 0 <= row < height and 0 <= column < width:
                y[at] += x[m, row, column, d] * w[c, a * n_channels + d, f]
    return y


@given(convolutions())
def test_a_convolution_is_its_literal_loops(pair):
    layer, x = pair
    np.testing.assert_allclose(layer(x), convolved(layer, x), rtol=1e-6, atol=1e-6)
    exact = layer.astype(np.float64)
    np.testing.assert_allclose(exact(x), convolved(exact, x), rtol=1e-12, atol=1e-12)


@given(generators, sizes(1, 3), sizes(1, 7), sizes(1, 7))
def test_pooling_takes_the_first_largest_of_each_square(rng, size, height, width):
    height, width = max(size, height), max(size, width)
    x = rng.integers(0, 3, (2, height, width, 2)).astype(np.float64)  # many of them are equal
    dy = rng.standard_normal((2, height // size, width // size, 2))
    layer, dx = MaxPool2D(size), np.zeros(x.shape)
    y, cache = layer.forward(x)
    assert y.shape == dy.shape
    for n, i, j, c in np.ndindex(*dy.shape):
        window = x[n, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
        a, b = np.unravel_index(window.argmax(), window.shape)  # row after row, the first
        assert y[n, i, j, c] == window[a, b]
        dx[n, i * size + a, j * size + b, c] = dy[n, i, j, c]
    np.testing.assert_array_equal(layer.backward(dy, cache)[0], dx)


@given(st.one_of(convolutions(), poolings()))
def test_the_gradients_are_exact(pair):
    nn.assert_gradients(*pair, method="complex", tolerance=1e-10, rng=0)
