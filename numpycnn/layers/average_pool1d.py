"""Average pooling: the mean of each window.

The maximum of a window measures the best fit of a filter's pattern, and the mean measures the
average fit:

    y[n,m,c] = 1 / P  sum over j < P of x[n, m S + j, c]

The first convolutional networks, such as LeNet, used average pooling. It smooths before it drops
samples, as one does in signal processing to reduce aliasing. `GlobalAveragePool1D` computes the
mean of each channel over the whole trace; most networks since 2014 use it to reduce maps to a
vector of features.

The layer is linear. Every sample of a window has the weight `1 / P`, so backward it receives this
fraction of the window's gradient, summed over the windows that contain the sample.
"""

from __future__ import annotations

import numpy as np

from numpycnn._reductions import mean, wide
from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.max_pool1d import GlobalPool1D, Pool1D


class AveragePool1D(Pool1D):
    """The mean of each window: x (N, L, C) becomes y (N, M, C).

    The layer has no parameters. There are `M = (L - P) // S + 1` windows; samples at the end that
    do not fill a window are dropped.

    Parameters
    ----------
    pool_size : int
        Number of samples P in a window.
    stride : int, optional
        Distance S in samples between neighboring windows; `pool_size` by default.

    Raises
    ------
    TypeError, ValueError
        If an argument is not an integer of 1 or more.

    Examples
    --------
    >>> x = np.array([3.0, 1.0, 4.0, 2.0, 6.0]).reshape(1, 5, 1)
    >>> AveragePool1D(2)(x).ravel()
    array([2., 3.])
    >>> AveragePool1D(3, stride=2)(x).ravel().round(3)
    array([2.667, 4.   ])
    """

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Compute y[n,m,c] = 1 / P sum_j x[n, m S + j, c].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Input, at least one window long.

        Returns
        -------
        y : ndarray, shape (N, M, C)
            Output.
        cache : tuple of int
            The shape of x.
        """
        require_array(self, "x", x, "N L C")
        window = self.receptive_field(x.shape[1])
        first = x[:, window.tap_slice(0)].astype(wide(x))  # (N, M, C)
        with np.errstate(invalid="ignore"):  # infinity minus infinity: NaN
            above = sum(x[:, window.tap_slice(j)] - first for j in range(1, self.pool_size))
        return (first + above / self.pool_size).astype(x.dtype), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Compute dx[n,i,c], the sum of dy[n,m,c] / P over the windows m that contain sample i.

        Parameters
        ----------
        dy : ndarray, shape (N, M, C)
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
        n_traces, length, n_channels = shape = cache
        window = self.receptive_field(length)
        require_array(self, "dy", dy, "N M C", shape=(n_traces, window.n_outputs, n_channels))
        fraction = _divided(dy, self.pool_size)
        dx = np.zeros(shape, dy.dtype)
        for j in range(self.pool_size):
            dx[:, window.tap_slice(j)] += fraction
        return dx, {}


class GlobalAveragePool1D(GlobalPool1D):
    """The mean of each channel over the whole trace: x (N, L, C) becomes y (N, C).

    The layer has no parameters.

    Examples
    --------
    >>> x = np.array([[[1.0, 9.0], [5.0, 7.0], [3.0, 8.0]]])
    >>> GlobalAveragePool1D()(x)
    array([[3., 8.]])
    """

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Compute y[n,c] = 1 / L sum_l x[n,l,c].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Input.

        Returns
        -------
        y : ndarray, shape (N, C)
            Output.
        cache : tuple of int
            The shape of x.
        """
        require_array(self, "x", x, "N L C")
        return mean(x, axis=1).astype(x.dtype), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Compute dx[n,l,c] = dy[n,c] / L.

        Parameters
        ----------
        dy : ndarray, shape (N, C)
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
        require_array(self, "dy", dy, "N C", shape=(n_traces, n_channels))
        return np.repeat(_divided(dy, length)[:, None], length, axis=1), {}


def _divided(dy: Array, n: int) -> Array:
    """Return dy / n in the type of dy, also for an `n` that is too large for float16."""
    return (dy.astype(wide(dy)) / n).astype(dy.dtype)
