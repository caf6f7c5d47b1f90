"""Max pooling: keep the largest response in each window.

After a filter has said how well its pattern fits at every sample, the exact
sample matters less than that it was *somewhere here*. Max pooling keeps the
largest of every `P` neighbors, in each channel by itself:

    y[n,m,c] = max over j < P of x[n, m S + j, c]

The map has one sample where it had `S` (usually `S = P`), a small shift of the
trace changes it somewhat less than it changed the map before, and one number
of the new map has seen a longer piece of the trace.

`GlobalMaxPool1D` goes all the way and keeps one number per channel: the best
response anywhere. It does not matter where, so whatever is learned from it
holds at every place in the trace.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Pool1D(Layer):
    """What max and average pooling share: windows of `pool_size` samples, `stride` apart."""

    def __init__(self, pool_size: int, *, stride: int | None = None) -> None:
        self.pool_size = check_int(self, "pool_size", pool_size)
        self.stride = self.pool_size if stride is None else check_int(self, "stride", stride)
        super().__init__()

    def receptive_field(self, length: int) -> ReceptiveField:
        """Output m looks at the samples from m S to m S + P - 1."""
        if length < self.pool_size:
            raise ValueError(
                f"{type(self).__name__}: x must have at least pool_size={self.pool_size} samples, "
                f"got L={length}. Use a smaller pool or longer traces."
            )
        n_outputs = (length - self.pool_size) // self.stride + 1
        return ReceptiveField([(0, self.pool_size - 1)], self.stride, n_outputs)


class MaxPoolCache(NamedTuple):
    """What backward remembers: which sample of each window won, and the length L."""

    argmax: Array  # (N, M, C), 0 … P - 1; where the trace is one window, (N, C), 0 … L - 1
    length: int


class MaxPool1D(Pool1D):
    """The maximum of each window: x (N, L, C) becomes y (N, M, C). No parameters.

    A new window begins every `stride` samples, by default where the last one
    ended; `M = (L - P) // S + 1` of them fit, and what is left over is dropped. Of
    equal maxima the first is the winner and takes the whole gradient. NaN counts as the
    maximum: the output is NaN, and the first NaN takes the gradient.

    >>> x = np.array([3.0, 1.0, 4.0, 1.0, 5.0]).reshape(1, 5, 1)
    >>> MaxPool1D(2).forward(x)[0].ravel()
    array([3., 4.])
    >>> MaxPool1D(3, stride=1).forward(x)[0].ravel()
    array([4., 4., 5.])

    Raises `TypeError` or `ValueError` for sizes that are not positive whole numbers,
    inputs of another type or shape, and traces shorter than one window.
    """

    def forward(self, x: Array) -> tuple[Array, MaxPoolCache]:
        """Return y[n,m,c] = max_j x[n, m S + j, c], and which j it was."""
        require_array(self, "x", x, "N L C")
        length = x.shape[1]
        starts = np.arange(self.receptive_field(length).n_outputs) * self.stride  # (M,)

        # One place in the window at a time, so that every step compares whole maps.
        # The winner is the last place that beat all before it. (`take` copies a
        # sample's channels in one go; a slice x[:, j::S] visits them one by one.)
        y = x.take(starts, axis=1)  # (N, M, C)
        argmax = np.zeros(y.shape, np.min_scalar_type(self.pool_size - 1))
        for j in range(1, self.pool_size):
            candidate = x.take(starts + j, axis=1)
            argmax = np.maximum(argmax, (candidate > y) * argmax.dtype.type(j))
            np.maximum(y, candidate, out=y)
        # NaN beats every number, and of several the first counts: the last one assigned here.
        if np.isnan(y.max()):
            for j in reversed(range(self.pool_size)):
                argmax[np.isnan(x.take(starts + j, axis=1))] = j
        return y, MaxPoolCache(argmax, length)

    # The backward pass
    # -----------------
    # Only the winner of a window touched the output: it gets the window's whole
    # gradient, and the others get nothing. A sample that won in several
    # overlapping windows gets the sum.
    #
    # "The sum" is the trap here: written as one assignment, the later of two
    # overlapping windows wipes out the earlier. So again, take one place in the window
    # at a time, and all windows at once. Among the first `S` places no sample is met
    # twice; the places behind them meet samples of the next window again, and have to add.

    def backward(self, dy: Array, cache: MaxPoolCache) -> tuple[Array, Params]:
        """Return dx[n,i,c] = the sum of dy[n,m,c] over the windows m that sample i has won."""
        argmax, length = cache
        n_traces, _, n_channels = argmax.shape
        require_array(self, "dy", dy, "N M C", shape=argmax.shape)
        window = self.receptive_field(length)

        # Samples in no window: those in the gaps between windows, and the last ones.
        has_gaps = self.stride > self.pool_size
        dx = (np.zeros if has_gaps else np.empty)((n_traces, length, n_channels), dy.dtype)
        dx[:, window.n_outputs * self.stride :] = 0
        for j in range(self.pool_size):
            share = (argmax == j).astype(dy.dtype)  # (N, M, C)
            share *= dy
            if j < self.stride:
                dx[:, window.tap_slice(j)] = share  # all zeros so far, and to add takes longer
            else:
                dx[:, window.tap_slice(j)] += share
        return dx, {}


class GlobalMaxPool1D(Layer):
    """Each channel's maximum over the whole trace: x (N, L, C) becomes y (N, C). No parameters.

    >>> x = np.array([[[1.0, 9.0], [5.0, 7.0], [3.0, 8.0]]])
    >>> GlobalMaxPool1D().forward(x)[0]
    array([[5., 9.]])

    Raises `TypeError` or `ValueError` for inputs of another type or shape.
    """

    def forward(self, x: Array) -> tuple[Array, MaxPoolCache]:
        """Return y[n,c] = max_l x[n,l,c], and where it was."""
        require_array(self, "x", x, "N L C")
        argmax = x.argmax(axis=1)  # (N, C)
        y = np.take_along_axis(x, argmax[:, None], axis=1)[:, 0]
        return y, MaxPoolCache(argmax, x.shape[1])

    def backward(self, dy: Array, cache: MaxPoolCache) -> tuple[Array, Params]:
        """Return dx[n,l,c] = dy[n,c] at the sample that won, else 0."""
        argmax, length = cache
        n_traces, n_channels = argmax.shape
        require_array(self, "dy", dy, "N C", shape=argmax.shape)
        dx = np.zeros((n_traces, length, n_channels), dy.dtype)
        np.put_along_axis(dx, argmax[:, None], dy[:, None], axis=1)
        return dx, {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Every output looks at the whole trace."""
        return ReceptiveField.whole_trace(length)
