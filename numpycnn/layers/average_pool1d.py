"""Average pooling: the mean of each window.

Where max pooling asks how well a pattern fits at its best, average pooling asks
how well it fits on the whole:

    y[n,m,c] = 1 / P  sum over j < P of x[n, m S + j, c]

It was the pooling of the first networks, LeNet among them, and it does what a
geophysicist does before throwing samples away: it smooths, if roughly, against aliasing.
`GlobalAveragePool1D` takes the mean of each channel over the whole trace, which
is how most networks since 2014 get from maps to a row of features.

It is linear, and every sample of a window has the same share in the output, `1 / P`.
So backward every sample gets that share of the window's gradient, and the sum
where windows overlap.
"""

from __future__ import annotations

import numpy as np

from numpycnn._reductions import mean, wide
from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.max_pool1d import Pool1D
from numpycnn.layers.receptive_field import ReceptiveField


class AveragePool1D(Pool1D):
    """The mean of each window: x (N, L, C) becomes y (N, M, C). No parameters.

    A new window begins every `stride` samples, by default where the last one
    ended; `M = (L - P) // S + 1` of them fit, and what is left over is dropped.

    >>> x = np.array([3.0, 1.0, 4.0, 2.0, 6.0]).reshape(1, 5, 1)
    >>> AveragePool1D(2)(x).ravel()
    array([2., 3.])
    >>> AveragePool1D(3, stride=2)(x).ravel().round(3)
    array([2.667, 4.   ])

    Raises `TypeError` or `ValueError` for sizes that are not positive whole numbers,
    inputs of another type or shape, and traces shorter than one window.
    """

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Return y[n,m,c] = 1 / P sum_j x[n, m S + j, c], and the shape of x."""
        require_array(self, "x", x, "N L C")
        window = self.receptive_field(x.shape[1])
        first = x[:, window.tap_slice(0)].astype(wide(x))  # (N, M, C)
        with np.errstate(invalid="ignore"):  # infinity minus infinity: NaN
            above = sum(x[:, window.tap_slice(j)] - first for j in range(1, self.pool_size))
        return (first + above / self.pool_size).astype(x.dtype), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Return dx, which collects dy[n,m,c] / P for every window m that a sample lies in."""
        n_traces, length, n_channels = shape = cache
        window = self.receptive_field(length)
        require_array(self, "dy", dy, "N M C", shape=(n_traces, window.n_outputs, n_channels))
        share = _divided(dy, self.pool_size)
        dx = np.zeros(shape, dy.dtype)
        for j in range(self.pool_size):
            dx[:, window.tap_slice(j)] += share
        return dx, {}


class GlobalAveragePool1D(Layer):
    """Each channel's mean over the whole trace: x (N, L, C) becomes y (N, C). No parameters.

    >>> x = np.array([[[1.0, 9.0], [5.0, 7.0], [3.0, 8.0]]])
    >>> GlobalAveragePool1D()(x)
    array([[3., 8.]])

    Raises `TypeError` or `ValueError` for inputs of another type or shape.
    """

    def forward(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Return y[n,c] = 1 / L sum_l x[n,l,c], and the shape of x."""
        require_array(self, "x", x, "N L C")
        return mean(x, axis=1).astype(x.dtype), x.shape

    def backward(self, dy: Array, cache: tuple[int, ...]) -> tuple[Array, Params]:
        """Return dx[n,l,c] = dy[n,c] / L."""
        n_traces, length, n_channels = cache
        require_array(self, "dy", dy, "N C", shape=(n_traces, n_channels))
        return np.repeat(_divided(dy, length)[:, None], length, axis=1), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Every output looks at the whole trace."""
        return ReceptiveField.whole_trace(length)


def _divided(dy: Array, n: int) -> Array:
    """Return dy / n in the type of dy, also for an `n` that is too large for float16."""
    return (dy.astype(wide(dy)) / n).astype(dy.dtype)
