"""Fast convolution: every window without a copy of it.

The [plain convolution](conv1d.py) makes a product for each tap and adds up the results, so
that the whole output is fetched from memory and put back `K` times. One product, `K` times as
long, would do. The textbook way to it copies each window of `K` samples into a row of a
large matrix and multiplies that with the weights. But a sample lies in `K` windows, so
the matrix is `K` times the data. It can be spared.

The layer below is the plain one with another `forward` and `backward`, and it is
the one that `numpycnn.Conv1D` names. It takes the same options and gives the same numbers,
to rounding; read this file with chapter 10 of the tutorial.
"""

from collections.abc import Iterator
from math import gcd
from typing import NamedTuple

import numpy as np

from numpycnn.layers.conv1d import Conv1D as PlainConv1D
from numpycnn.types import Array, Params
from numpycnn.validation import require_array, require_parameters

# Windows back to back
# --------------------
# Write the samples of one trace one below the other, a row of `C` channels for
# each. A window of `K` rows is then `K·C` neighbours in memory. Cut the rows
# into windows back to back, from the first row on, and then from the second row
# on, and so on. After `K` such *phases* every window has turned up once:
#
#     row        0  1  2  3  4  5  6  7  8  9 10
#     phase 0   [ window 0 ][ window 3 ][ window 6 ]
#     phase 1      [ window 1 ][ window 4 ][ window 7 ]
#     phase 2         [ window 2 ][ window 5 ][ window 8 ]        K = 3
#
# To cut back to back is to reshape, `(rows, C)` to `(rows / K, K·C)`. NumPy's `reshape` copies
# only if it must, and for rows without gaps between them it need not: the windows
# are the same memory under another name.


def cut(rows: Array, size: int) -> Iterator[tuple[Array, slice]]:
    """Yield every window of `size` rows once: those of a phase as one view, and where they begin.

    >>> for windows, starts in cut(np.arange(6.0).reshape(6, 1), size=3):
    ...     print(windows.tolist(), list(range(6)[starts]))
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] [0, 3]
    [[1.0, 2.0, 3.0]] [1]
    [[2.0, 3.0, 4.0]] [2]
    """
    for phase in range(min(size, len(rows) - size + 1)):
        n_windows = (len(rows) - phase) // size
        end = phase + n_windows * size
        yield rows[phase:end].reshape(n_windows, -1), slice(phase, end, size)


# Each phase is one matrix product with the weights, `(K·C, F)`, and fills every `K`-th
# output. All traces of a batch lie in one long column of rows. A window that reaches from
# one trace into the next is computed with the others and never looked at. (The rows are
# cut in [blocks](#blocks-and-small-products), which changes nothing but the time.)


def correlate(rows: Array, weights: Array, size: int) -> Array:
    """Multiply every window of `size` rows with the weights, (size·C, F) or fewer.

    Row `t` of the result belongs to the window that begins at row `t`. The last
    `size - 1` rows have no whole window and hold nothing of meaning. Weights for
    fewer numbers than a window holds take the first ones.
    """
    products = np.empty((len(rows), weights.shape[1]), np.result_type(rows, weights))
    for windows, starts in cut_in_blocks(rows, size, weights.shape[1]):
        np.matmul(windows[:, : len(weights)], weights, out=products[starts])
    return products


# Stride and dilation
# -------------------
# **Stride** is another reshape. Windows that begin at every `S`-th sample begin
# at every row, if a row holds `S` samples: `(rows, C)` to `(rows / S, S·C)`. A
# filter of `K` taps then covers `ceil(K / S)` rows, and there are as many phases.
#
# **Dilation** is no reshape. Taps `d` apart are neighbours in a trace of which only
# every `d`-th sample is left, so a trace is dealt out like cards into `d` hands, each
# of them a short trace. That copies every sample, but once, not `K` times, and it is
# the copy that puts the zeros of the padding around the trace. (Of several hands the output is
# put back in order, which copies that once, too.) With a stride as well, output `m` begins at
# sample `m S` and belongs to the hand that holds it. Outputs begin at `d / gcd(S, d)`
# different places modulo `d`, so that many hands are enough, with a stride of
# `S / gcd(S, d)` in each.


def deal(
    traces: Array, hands: Array, *, begin: int, between: int, apart: int
) -> Iterator[tuple[Array, Array]]:
    """Pair samples with their places in the hands: for each hand a view of either.

    Sample `v` of hand `h` is sample `begin + h between + v apart` of the trace. What would lie
    outside the trace (N, L, C), or the hands (N, H, V, C), has no partner and is left out.

    >>> trace, hands = np.arange(1.0, 6.0).reshape(1, 5, 1), np.zeros((1, 2, 4, 1))
    >>> for there, here in deal(trace, hands, begin=-2, between=1, apart=2):
    ...     here[...] = there
    >>> hands[0, :, :, 0]
    array([[0., 1., 3., 5.],
           [0., 2., 4., 0.]])
    """
    for h in range(hands.shape[1]):
        first = begin + h * between
        before = max(0, -(first // apart))  # so many samples of the hand lie before the trace
        there = traces[:, first + before * apart :: apart]
        here = hands[:, h, before:]
        n = min(there.shape[1], here.shape[1])
        yield there[:, :n], here[:, :n]


class Conv1DCache(NamedTuple):
    """What backward remembers: the padded input, dealt out as (N, H, V, C), and its length L."""

    samples: Array
    length: int


class Conv1D(PlainConv1D):  # noqa: D101
    __doc__ = PlainConv1D.__doc__  # whoever uses it need not know which of the two it is

    def _folded(self) -> tuple[int, int, int]:
        """How many hands there are, the stride left in each, and how many rows a window covers."""
        common = gcd(self.stride, self.dilation)
        stride = self.stride // common
        return self.dilation // common, stride, -(-self.kernel_size // stride)

    def _deal(self, x: Array, samples: Array) -> Iterator[tuple[Array, Array]]:
        """Pair the samples of x (N, L, C) with their places in (N, H, V, C)."""
        left, _ = self.zeros_around(x.shape[1])
        return deal(x, samples, begin=-left, between=self.stride, apart=self.dilation)

    def forward(self, x: Array) -> tuple[Array, Conv1DCache]:
        """Return y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]."""
        require_array(self, "x", x, f"N L C={self.in_channels}")
        require_parameters(self, self.params)
        n_traces, length, n_channels = x.shape
        n_outputs, n_filters = self.window(length).n_outputs, self.out_channels
        n_hands, stride, size = self._folded()
        n_starts = -(-n_outputs // n_hands)  # windows in each hand; the last ones may be spare
        n_rows = n_starts - 1 + size

        samples = np.zeros((n_traces, n_hands, n_rows * stride, n_channels), x.dtype)
        for there, here in self._deal(x, samples):
            here[...] = there
        rows = samples.reshape(-1, stride * n_channels)
        products = correlate(rows, self.params["w"].reshape(-1, n_filters), size)

        # The bias is repeated for a whole hand: so NumPy adds in loops as long as that, and
        # not in one loop of only F numbers for every sample.
        maps = products.reshape(n_traces, n_hands, n_rows, n_filters)[:, :, :n_starts]
        if self.bias:
            maps = maps + np.tile(self.params["b"], (n_starts, 1))
        y = maps.swapaxes(1, 2).reshape(n_traces, -1, n_filters)  # from each hand in turn
        return y[:, :n_outputs], Conv1DCache(samples, length)

    # Backward
    # --------
    # Both [sums](conv1d.py#the-backward-pass) are over windows again. In a phase, each window
    # met one row of `dy`: their product, transposed, is that phase's share of `dw`. And
    # with stride and dilation folded away, a row of the input went into the output that
    # began on it, through the first row of weights, into the one that began a row earlier,
    # through the second, and so on back. Its gradient is a window of `dy` times the rows of weights
    # in *reverse* order, with the roles of channels and filters exchanged. Backward
    # through a convolution is a convolution with the filter turned round.

    def backward(self, dy: Array, cache: Conv1DCache) -> tuple[Array, Params]:
        """Send dy (N, M, F) back to the input and the parameters, as the plain layer does."""
        samples, length = cache
        w, n_outputs = self.params["w"], self.window(length).n_outputs
        _, n_channels, n_filters = w.shape
        require_array(self, "dy", dy, "N M F", shape=(len(samples), n_outputs, n_filters))
        n_hands, stride, size = self._folded()
        rows = samples.reshape(-1, stride * n_channels)

        # dy goes into rows like those of the input, with zero for windows that were
        # never looked at. The rows in front let a window end on the first one.
        dy_rows = np.zeros((size - 1 + len(rows), n_filters), dy.dtype)
        begun = dy_rows[size - 1 :]  # by the row on which the window began
        hands = begun.reshape(len(dy), n_hands, -1, n_filters)
        for there, here in deal(dy, hands, begin=0, between=1, apart=n_hands):
            here[...] = there

        dw = np.zeros((len(w) * n_channels, n_filters), np.result_type(rows, dy))
        for windows, starts in cut_in_blocks(rows, size, n_filters):
            dw += windows[:, : len(dw)].T @ begun[starts]

        turned = np.zeros((size * stride, n_channels, n_filters), w.dtype)
        turned[: len(w)] = w
        turned = turned.reshape(size, -1, n_filters)[::-1].swapaxes(1, 2)
        dx_rows = correlate(dy_rows, turned.reshape(size * n_filters, -1), size)
        dx = np.zeros((len(dy), length, n_channels), dx_rows.dtype)
        for there, here in self._deal(dx, dx_rows[: len(rows)].reshape(samples.shape)):
            there[...] = here

        # A column sum as a product with ones: 8 µs, where `dy.sum(axis=(0, 1))` took 148 for the
        # trace classifier.
        grads = {"w": dw.reshape(w.shape)}
        if self.bias:
            grads["b"] = np.ones(len(dy) * n_outputs, dy.dtype) @ dy.reshape(-1, n_filters)
        return dx, grads


# Blocks and small products
# -------------------------
# A phase after the other over all the data would fetch all of it from memory as often as there
# are phases. So the rows are worked through in blocks, small enough to stay near the processor.
#
# And small products are the faster ones. OpenBLAS, which NumPy brings along, copies large
# matrices into another order before it multiplies them, which pays when each number is used
# many times; up to about a million multiplications it takes them as they lie. With few
# channels and filters, products just below that run a third faster than larger ones. With many,
# such a product would be a few windows only; then it had better be large.

SMALL_PRODUCT = 1_000_000  # multiplications
FEW_WINDOWS, MANY_WINDOWS = 256, 512


def cut_in_blocks(rows: Array, size: int, n_filters: int) -> Iterator[tuple[Array, slice]]:
    """Yield what `cut` yields, in blocks of rows: each view holds the windows of a phase in one."""
    n_at_once = SMALL_PRODUCT // (size * rows.shape[1] * n_filters)
    if n_at_once < FEW_WINDOWS:
        n_at_once = MANY_WINDOWS
    block = size * n_at_once
    for begin in range(0, len(rows), block):
        for windows, starts in cut(rows[begin : begin + block + size - 1], size):
            yield windows, slice(begin + starts.start, begin + starts.stop, size)
