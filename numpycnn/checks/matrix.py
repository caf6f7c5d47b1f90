"""The layer as a matrix, and backward as its transpose.

But for their biases, dense layers, convolutions and flattening are linear: twice the
input, twice the output, and a sum of inputs, the sum of their outputs. Every linear
function of finitely many numbers is a matrix. To see it, feed in a single 1 among
zeros: what comes out is a column.

A dense layer shows its weights. A convolution shows a band: every row holds the
same filter, one stride further on, and zeros elsewhere. That is all that "local" and
"the same everywhere" mean. And backward, fed with single ones in the same
way, shows the same matrix lying on its side:

    y = A x    so    dx = transpose(A) dy

which explains why the kernel turns round on the way back: a column of the
band, read downwards, meets the taps from last to first.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.layer import Layer


def as_matrix(layer: Layer, x_shape: tuple[int, ...]) -> Array:
    """Return the matrix A of a linear layer for inputs of this shape: y.ravel() = A x.ravel().

    Parameters keep their type; a bias is left out. Meant for small sizes: A has as
    many columns as an input has numbers, and as many rows as an output.

    >>> from numpycnn import Conv1D
    >>> layer = Conv1D(1, 1, kernel_size=2)
    >>> layer.params["w"][:, 0, 0] = 1, 10
    >>> as_matrix(layer, (1, 4, 1))
    array([[ 1., 10.,  0.,  0.],
           [ 0.,  1., 10.,  0.],
           [ 0.,  0.,  1., 10.]])

    Raises `ValueError` for a layer that is not linear.
    """
    at_zero, _ = layer.forward(np.zeros(x_shape))
    size = int(np.prod(x_shape))
    columns = [(layer.forward(one.reshape(x_shape))[0] - at_zero).ravel() for one in np.eye(size)]
    matrix = np.array(columns).T

    probe = np.random.default_rng(0).standard_normal(x_shape)
    expected = matrix @ probe.ravel()
    if not np.allclose((layer.forward(probe)[0] - at_zero).ravel(), expected, atol=1e-6):
        raise ValueError(f"as_matrix expected a linear layer, got {layer!r}, which is not")
    return matrix


def backward_as_matrix(layer: Layer, x_shape: tuple[int, ...]) -> Array:
    """Return the matrix that backward multiplies dy with, found from backward alone.

    >>> from numpycnn import Dense
    >>> layer = Dense(3, 2, rng=0)
    >>> bool(np.array_equal(backward_as_matrix(layer, (1, 3)), as_matrix(layer, (1, 3)).T))
    True
    """
    y, cache = layer.forward(np.zeros(x_shape))
    columns = [layer.backward(one.reshape(y.shape), cache)[0].ravel() for one in np.eye(y.size)]
    return np.array(columns).T
