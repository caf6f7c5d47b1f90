"""Max pooling: the largest value in each window.

A filter computes at every sample how well its pattern fits. The exact sample matters less than
whether the pattern occurs nearby. Max pooling keeps the largest of every `P` neighboring samples,
in each channel separately:

    y[n,m,c] = max over j < P of x[n, m S + j, c]

The output has one sample for every `S` samples of the input (usually `S = P`). A small shift of the
trace changes the output less than it changes the input, and each output value depends on a longer
interval of the trace.

`GlobalMaxPool1D` keeps one value per channel, the largest of the whole trace. This value does not
depend on the position of the maximum, so what a layer learns from it holds for every position.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Pool1D(Layer):
    """Base class of max and average pooling: windows of `pool_size` samples, `stride` apart."""

    def __init__(self, pool_size: int, *, stride: int | None = None) -> None:
        self.pool_size = check_int(self, "pool_size", pool_size)
        self.stride = self.pool_size if stride is None else check_int(self, "stride", stride)
        super().__init__()

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.of_windows(self, length, self.pool_size, self.stride)


class MaxPoolCache(NamedTuple):
    """The index of the maximum in each window, and the length L."""

    argmax: Array  # (N, M, C), 0 … P - 1; where the trace is one window, (N, C), 0 … L - 1
    length: int


class MaxPool1D(Pool1D):
    """The maximum of each window: x (N, L, C) becomes y (N, M, C).

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

    Notes
    -----
    If several values in a window are equal to the maximum, the first of them receives the whole
    gradient. NaN counts as the maximum: the output is NaN, and the first NaN receives the gradient.

    Examples
    --------
    >>> x = np.array([3.0, 1.0, 4.0, 1.0, 5.0]).reshape(1, 5, 1)
    >>> MaxPool1D(2)(x).ravel()
    array([3., 4.])
    >>> MaxPool1D(3, stride=1)(x).ravel()
    array([4., 4., 5.])
    """

    def forward(self, x: Array) -> tuple[Array, MaxPoolCache]:
        """Compute y[n,m,c] = max_j x[n, m S + j, c].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Input, at least one window long.

        Returns
        -------
        y : ndarray, shape (N, M, C)
            Output.
        cache : MaxPoolCache
            The index of the maximum in each window, 0 … P - 1, and the length L.
        """
        require_array(self, "x", x, "N L C")
        length = x.shape[1]
        starts = np.arange(self.receptive_field(length).n_outputs) * self.stride  # (M,)

        # One position in the window at a time, so that every step compares whole maps. The argmax
        # is the last position whose value exceeds all earlier ones. (`take` copies the channels of
        # a sample together; a slice x[:, j::S] copies them one by one.)

        y = x.take(starts, axis=1)  # (N, M, C)
        argmax = np.zeros(y.shape, np.min_scalar_type(self.pool_size - 1))
        for j in range(1, self.pool_size):
            candidate = x.take(starts + j, axis=1)
            argmax = np.maximum(argmax, (candidate > y) * argmax.dtype.type(j))
            np.maximum(y, candidate, out=y)
        # NaN exceeds every number, and the first of several NaN counts: the last one assigned here.
        if np.isnan(y.max()):
            for j in reversed(range(self.pool_size)):
                argmax[np.isnan(x.take(starts + j, axis=1))] = j
        return y, MaxPoolCache(argmax, length)

    # The backward pass
    # -----------------
    # The output depends only on the maximum of its window. The maximum receives the whole gradient
    # of the window, and the other samples receive nothing. A sample that is the maximum of several
    # overlapping windows receives the sum.
    #
    # A single assignment would not compute this sum: where two windows overlap, the later one would
    # overwrite the earlier one. The code therefore again takes one position in the window at a
    # time, in all windows at once. The first `S` positions are different samples in different
    # windows. Positions from `S` on are samples of the next window again, and are added.

    def backward(self, dy: Array, cache: MaxPoolCache) -> tuple[Array, Params]:
        """Compute dx[n,i,c], the sum of dy[n,m,c] over the windows m whose maximum is sample i.

        Parameters
        ----------
        dy : ndarray, shape (N, M, C)
            Gradient of the loss with respect to the output.
        cache : MaxPoolCache
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, L, C)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        argmax, length = cache
        n_traces, _, n_channels = argmax.shape
        require_array(self, "dy", dy, "N M C", shape=argmax.shape)
        window = self.receptive_field(length)

        # Samples in no window have the gradient 0: those in gaps between windows, and the last
        # ones.

        has_gaps = self.stride > self.pool_size
        dx = (np.zeros if has_gaps else np.empty)((n_traces, length, n_channels), dy.dtype)
        dx[:, window.n_outputs * self.stride :] = 0
        for j in range(self.pool_size):
            routed = (argmax == j).astype(dy.dtype)  # (N, M, C)
            routed *= dy
            if j < self.stride:
                dx[:, window.tap_slice(j)] = routed  # faster than adding to zeros
            else:
                dx[:, window.tap_slice(j)] += routed
        return dx, {}


class GlobalPool1D(Layer):
    """Base class of the pooling layers with a single window, the whole trace."""

    def __init__(self) -> None:
        super().__init__()

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.whole_trace(length)


class GlobalMaxPool1D(GlobalPool1D):
    """The maximum of each channel over the whole trace: x (N, L, C) becomes y (N, C).

    The layer has no parameters.

    Examples
    --------
    >>> x = np.array([[[1.0, 9.0], [5.0, 7.0], [3.0, 8.0]]])
    >>> GlobalMaxPool1D()(x)
    array([[5., 9.]])
    """

    def forward(self, x: Array) -> tuple[Array, MaxPoolCache]:
        """Compute y[n,c] = max_l x[n,l,c].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Input.

        Returns
        -------
        y : ndarray, shape (N, C)
            Output.
        cache : MaxPoolCache
            The index of the maximum, 0 … L - 1, and the length L.
        """
        require_array(self, "x", x, "N L C")
        argmax = x.argmax(axis=1)  # (N, C)
        y = np.take_along_axis(x, argmax[:, None], axis=1)[:, 0]
        return y, MaxPoolCache(argmax, x.shape[1])

    def backward(self, dy: Array, cache: MaxPoolCache) -> tuple[Array, Params]:
        """Compute dx[n,l,c] = dy[n,c] at the maximum, else 0.

        Parameters
        ----------
        dy : ndarray, shape (N, C)
            Gradient of the loss with respect to the output.
        cache : MaxPoolCache
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, L, C)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        argmax, length = cache
        n_traces, n_channels = argmax.shape
        require_array(self, "dy", dy, "N C", shape=argmax.shape)
        dx = np.zeros((n_traces, length, n_channels), dy.dtype)
        np.put_along_axis(dx, argmax[:, None], dy[:, None], axis=1)
        return dx, {}
