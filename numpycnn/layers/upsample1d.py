"""Upsampling: repeat every sample.

Pooling shortens a map. A network with an output for every sample must lengthen the map again, and
the simplest way repeats each sample `k` times:

    y[n, k m + j, c] = x[n,m,c]        j = 0 ... k - 1

The next convolution smooths the resulting steps. The U-Net paper uses a *transposed convolution*
instead, whose filter is learned. Such a filter can leave a pattern with the period `k` in its
output; repetition followed by a convolution cannot.

Each sample is copied to `k` outputs, so its gradient is the sum of the `k` output gradients.

References
----------
A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", Distill (2016).
"""

from __future__ import annotations

from numpycnn._types import Array, Params
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Upsample1D(Layer):
    """Repeat each sample: x (N, L, C) becomes y (N, factor L, C).

    The layer has no parameters.

    Parameters
    ----------
    factor : int
        Number of copies k of each sample.

    Raises
    ------
    TypeError, ValueError
        If `factor` is not an integer of 1 or more.

    Examples
    --------
    >>> import numpy as np
    >>> Upsample1D(3)(np.array([1.0, 2.0]).reshape(1, 2, 1)).ravel()
    array([1., 1., 1., 2., 2., 2.])
    """

    def __init__(self, factor: int) -> None:
        self.factor = check_int(self, "factor", factor)
        super().__init__()

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Compute y[n, k m + j, c] = x[n,m,c].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Input.

        Returns
        -------
        y : ndarray, shape (N, k L, C)
            Output.
        cache : tuple of int
            The shape of x.
        """
        require_array(self, "x", x, "N L C")
        return x.repeat(self.factor, axis=1), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Compute dx[n,m,c] = sum_j dy[n, k m + j, c].

        Parameters
        ----------
        dy : ndarray, shape (N, k L, C)
            Gradient of the loss with respect to the output.
        cache : tuple of int
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, L, C)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        n_traces, length, n_channels = cache
        shape = n_traces, self.factor * length, n_channels
        require_array(self, "dy", dy, "N M C", shape=shape)
        return dy.reshape(n_traces, length, self.factor, n_channels).sum(axis=2), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField(self.factor * [(0, 0)], 1, self.factor * length)
