"""Upsampling: say everything several times.

Pooling makes a map short, and a network that is to say something about every
sample has to make it long again. The simplest way repeats each sample `k` times:

    y[n, k m + j, c] = x[n,m,c]        j = 0 ... k - 1

The steps that this leaves are for the next convolution to smooth. (A U-Net's paper
learns the filter that fills the gaps, a *transposed convolution*; that filter can
leave a pattern with the period `k`, and repeating followed by a convolution cannot.)

Each sample went into `k` outputs, unchanged, so it is owed the sum of their gradients.

Source: A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts",
Distill (2016), of the pattern and the way around it.
"""

from __future__ import annotations

from numpycnn._types import Array, Params
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Upsample1D(Layer):
    """Each sample `factor` times: x (N, L, C) becomes y (N, factor L, C). No parameters.

    >>> import numpy as np
    >>> Upsample1D(3)(np.array([1.0, 2.0]).reshape(1, 2, 1)).ravel()
    array([1., 1., 1., 2., 2., 2.])

    Raises `TypeError` or `ValueError` for a factor that is no positive whole number
    and for inputs of another type or shape.
    """

    def __init__(self, factor: int) -> None:
        self.factor = check_int(self, "factor", factor)
        super().__init__()

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Return y[n, k m + j, c] = x[n,m,c], and the shape of x."""
        require_array(self, "x", x, "N L C")
        return x.repeat(self.factor, axis=1), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Return dx[n,m,c] = sum_j dy[n, k m + j, c]."""
        n_traces, length, n_channels = cache
        shape = n_traces, self.factor * length, n_channels
        require_array(self, "dy", dy, "N M C", shape=shape)
        return dy.reshape(n_traces, length, self.factor, n_channels).sum(axis=2), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """So many outputs in turn look at the same sample, and the next ones at the next."""
        return ReceptiveField(self.factor * [(0, 0)], 1, self.factor * length)
