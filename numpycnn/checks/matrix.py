"""The matrix of a linear layer, and backward as its transpose.

But for their biases, dense layers, convolutions and flattening are linear: twice the
input, twice the output, and a sum of inputs, the sum of their outputs. Every linear
function of finitely many numbers is a matrix. To see it, feed in a single 1 among
zeros: the output is a column.

The matrix of a dense layer contains its weights. That of a convolution is a band: every row
contains the same filter, one stride further on, and zeros elsewhere. This is the meaning of
"local" and "the same everywhere". Backward, applied to single ones in the same way, shows the
transposed matrix:

    y = A x    so    dx = transpose(A) dy

This explains why the kernel is flipped in the backward pass: a column of the band, read
downwards, contains the taps from last to first.
"""

from __future__ import annotations

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.layer import Layer


def as_matrix(layer: Layer, x_shape: tuple[int, ...]) -> Array:
    """Return the matrix A of a linear layer: y.ravel() = A x.ravel().

    Parameters
    ----------
    layer : Layer
        A linear layer. Its bias is left out.
    x_shape : tuple of int
        Shape of the input.

    Returns
    -------
    ndarray, shape (y.size, x.size)
        Meant for small inputs.

    Raises
    ------
    ValueError
        If the layer is not linear.

    Examples
    --------
    >>> from numpycnn import Conv1D
    >>> layer = Conv1D(1, 1, kernel_size=2)
    >>> layer.params["w"][:, 0, 0], layer.params["b"][:] = (1, 10), 5
    >>> as_matrix(layer, (1, 4, 1))
    array([[ 1., 10.,  0.,  0.],
           [ 0.,  1., 10.,  0.],
           [ 0.,  0.,  1., 10.]])

    A function that is not linear has no matrix:

    >>> from numpycnn import ReLU
    >>> as_matrix(ReLU(), (1, 4))
    Traceback (most recent call last):
    ValueError: as_matrix expected a linear layer, got ReLU(), which is not
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
    """Return the matrix by which backward multiplies dy.

    Parameters
    ----------
    layer : Layer
        A linear layer. Only its backward is used.
    x_shape : tuple of int
        Shape of the input.

    Returns
    -------
    ndarray, shape (x.size, y.size)
        The transpose of `as_matrix`, if backward is correct.

    Examples
    --------
    >>> from numpycnn import Dense
    >>> layer = Dense(3, 2, rng=0)
    >>> bool(np.array_equal(backward_as_matrix(layer, (1, 3)), as_matrix(layer, (1, 3)).T))
    True
    """
    y, cache = layer.forward(np.zeros(x_shape))
    columns = [layer.backward(one.reshape(y.shape), cache)[0].ravel() for one in np.eye(y.size)]
    return np.array(columns).T
