"""Convolution in one dimension: the same small filter everywhere.

A filter is a short pattern of `K` numbers, its *taps*, slid along the trace.
Wherever it stops it is multiplied with the `K` samples under it, and the sum
says how much the trace looks like the pattern there. The layer slides `F`
filters over `C` channels at once:

    y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]

with `m` running over the `M` outputs, `k` over the taps and `c` over the
channels. The *stride* `S` is how far the filter moves from one output to the
next, the *dilation* `d` how far apart its taps lie, and `left` how many zeros
were put in front of the trace; samples outside the trace count as zero.

Because the filter is the same everywhere, a pattern that arrives ten samples
later gives the same response ten samples later. The layer has to learn a
pattern once, not once for every place. This is called *equivariance*.

(In signal processing this sum is a cross-correlation, and a convolution would
run through the taps backwards. The difference is only in which order the
learned numbers lie, and in this field the name has stuck.)
"""

from collections.abc import Iterator
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from numpycnn.layers.initialisation import glorot_uniform
from numpycnn.layers.layer import Layer, Window
from numpycnn.types import Array, Params, Rng
from numpycnn.validation import generator, require_array, whole_number

# Three reshapes instead of a copy
# --------------------------------
# The textbook way to make this fast copies each window of `K` samples into a
# row of a large matrix and multiplies it with the weights. A sample lies in `K`
# windows, so that matrix is `K` times the data. It can be had for nothing.
#
# Write the samples of one trace one below the other, a row of `C` channels for
# each. A window of `K` samples is then `K·C` neighbours in memory. Cut the rows
# into windows back to back, from the first row on, and then from the second row
# on, and so on. After `K` such *phases* every window has turned up once:
#
#     row        0  1  2  3  4  5  6  7  8  9 10
#     phase 0   [ window 0 ][ window 3 ][ window 6 ]
#     phase 1      [ window 1 ][ window 4 ][ window 7 ]
#     phase 2         [ window 2 ][ window 5 ][ window 8 ]        K = 3
#
# To cut back to back is to reshape: `(rows, C)` to `(rows / K, K·C)`, the same
# memory under another name. Each phase is one matrix product of that with the
# weights, `(K·C, F)`, and fills every `K`-th output. All traces of a batch lie in
# one long column of rows; a window that reaches from one trace into the next
# is computed with the others and never looked at.
#
# **Stride** is another reshape. Windows that begin at every `S`-th sample begin
# at every row, if a row holds `S` samples: `(rows, C)` to `(rows / S, S·C)`. A
# filter of `K` taps then covers `ceil(K / S)` rows, and there are as many phases.
#
# **Dilation** is a third. Taps `d` apart are neighbours in a trace of which only
# every `d`-th sample is left, so a trace is dealt out like cards into `d` shorter
# ones. With a stride as well, output `m` begins at sample `m S` and belongs to the
# short trace that holds it. Outputs begin at `d / gcd(S, d)` different places
# modulo `d`, so that many short traces are enough, with a stride of
# `S / gcd(S, d)` in each.


# How much at a time
# ------------------
# A phase after the other over all the data would fetch all of it from memory as often as there
# are phases. So the rows are worked through in blocks that stay in the cache for all phases.
#
# And small products are the faster ones. OpenBLAS, which NumPy brings along, copies large
# matrices into another order before it multiplies them, which pays when each number is used
# many times; up to about a million multiplications it takes them as they lie. With few
# channels and filters, products just below that run a third faster than larger ones. With many,
# such a product would be a few windows only; then it had better be large.

SMALL_PRODUCT = 1_000_000  # multiplications
FEW_WINDOWS, MANY_WINDOWS = 256, 512


def _cut(rows: Array, phases: int, n_filters: int) -> Iterator[tuple[Array, slice]]:
    """Yield every window of `phases` rows once, as views, with the rows on which they begin.

    Each view holds the windows of one phase within one block, one per row.
    """
    n_at_once = SMALL_PRODUCT // (phases * rows.shape[1] * n_filters)
    if n_at_once < FEW_WINDOWS:
        n_at_once = MANY_WINDOWS
    block = phases * n_at_once
    for begin in range(0, len(rows), block):
        end = min(begin + block + phases - 1, len(rows))
        for phase in range(begin, begin + phases):
            n_windows = (end - phase) // phases
            if n_windows > 0:
                taken = phase, phase + n_windows * phases
                yield rows[slice(*taken)].reshape(n_windows, -1), slice(*taken, phases)


def _correlate(rows: Array, weights: Array, phases: int) -> Array:
    """Multiply every window of `phases` rows with the weights, one product a phase and block.

    Row `t` of the result belongs to the window that begins at row `t`. The last
    `phases - 1` rows have no whole window and hold nothing of meaning. Weights
    for fewer numbers than a window holds take the first ones.
    """
    products = np.empty((len(rows), weights.shape[1]), np.result_type(rows, weights))
    for windows, starts in _cut(rows, phases, weights.shape[1]):
        np.matmul(windows[:, : len(weights)], weights, out=products[starts])
    return products


class _Layout(NamedTuple):
    """How traces of one length lie in the rows: worked out once, used by both passes."""

    n_outputs: int  # M, for each trace
    n_starts: int  # windows used in each short trace
    n_rows: int  # rows of each short trace
    deals: list[tuple[slice, slice]]  # for each short trace: its samples, and whose they are


class Conv1DCache(NamedTuple):
    """What Conv1D's backward remembers: the padded input as rows, and its length L."""

    rows: Array
    length: int


class Conv1D(Layer):
    """Slide F filters of K taps along x (N, L, C), giving y (N, M, F).

    `padding` says how many zeros stand before and after each trace:

    - `"valid"`: none. The filter stays inside, and the output is shorter.
    - `"same"`: as many as make `M = ceil(L / S)`, half on each side; if the number
      is odd the right side gets one more, as in PyTorch and Keras.
    - `"causal"`: `d (K - 1)`, all on the left, so no output looks ahead.
    - a number for both sides, or `(left, right)`.

    Parameters: `w` (K, C, F), Glorot-uniform at first, and `b` (F,), zero.

    >>> layer = Conv1D(1, 1, kernel_size=2)
    >>> layer.params["w"][:, 0, 0] = [-1.0, 1.0]     # the difference of neighbours
    >>> x = np.array([0.0, 0.0, 1.0, 3.0]).reshape(1, 4, 1)
    >>> layer.forward(x)[0].ravel()
    array([0., 1., 2.])

    Raises `TypeError` or `ValueError` for sizes that are not positive whole numbers,
    an unknown padding, inputs of another type or shape, and traces too short for
    one window.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: str | int | tuple[int, int] = "valid",
        dilation: int = 1,
        rng: Rng = None,
    ) -> None:
        self.in_channels = whole_number(self, "in_channels", in_channels)
        self.out_channels = whole_number(self, "out_channels", out_channels)
        self.kernel_size = whole_number(self, "kernel_size", kernel_size)
        self.stride = whole_number(self, "stride", stride)
        self.dilation = whole_number(self, "dilation", dilation)
        self.padding = self._known_padding(padding)

        self.reach = self.dilation * (self.kernel_size - 1) + 1  # samples under one window
        # What is left of stride and dilation in each of the short traces.
        common = gcd(self.stride, self.dilation)
        self._n_short = self.dilation // common
        self._short_stride = self.stride // common
        self._phases = -(-self.kernel_size // self._short_stride)

        shape = self.kernel_size, self.in_channels, self.out_channels
        super().__init__(
            w=glorot_uniform(shape, prod(shape[:2]), shape[0] * shape[2], generator(self, rng)),
            b=np.zeros(self.out_channels, dtype=np.float32),
        )

    def forward(self, x: Array) -> tuple[Array, Conv1DCache]:
        """Return y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]."""
        require_array(self, "x", x, f"N L C={self.in_channels}")
        n_traces, length, n_channels = x.shape
        n_outputs, n_starts, n_rows, deals = self._layout(length)

        samples = np.empty(
            (n_traces, self._n_short, n_rows * self._short_stride, n_channels), x.dtype
        )
        for short, (there, here) in enumerate(deals):
            samples[:, short, : there.start] = 0
            samples[:, short, there] = x[:, here]
            samples[:, short, there.stop :] = 0
        rows = samples.reshape(-1, self._short_stride * n_channels)

        n_filters = self.out_channels
        products = _correlate(rows, self.params["w"].reshape(-1, n_filters), self._phases)

        # The bias is added to a whole trace at a time: repeated to that length, it
        # spares NumPy a loop of only F numbers for every sample.
        products = products.reshape(n_traces, self._n_short, -1)[:, :, : n_starts * n_filters]
        y = products + np.tile(self.params["b"], n_starts)
        y = y.reshape(n_traces, self._n_short, n_starts, n_filters).swapaxes(1, 2)
        y = y.reshape(n_traces, -1, n_filters)[:, :n_outputs]  # the short traces in turn: (N, M, F)
        return y, Conv1DCache(rows, length)

    # The backward pass
    # -----------------
    # Tap `k` of the filter took sample `m S + k d` into output `m`, times its weight.
    # So the weight collects that sample times `dy[m]`, over all outputs, and the
    # sample collects the weight times `dy[m]`, over all the outputs it went into.
    #
    # Both are windows again. In a phase, each window met one row of `dy`: their
    # product, transposed, is that phase's share of `dw`. And with stride and
    # dilation folded away, a row of the input went into the output that began on
    # it, through tap 0, into the one that began a row earlier, through tap 1, and
    # so on back: its gradient is a window of `dy` times the taps in *reverse* order,
    # with the roles of channels and filters exchanged. Backward through a
    # convolution is a convolution with the filter turned round.

    def backward(self, dy: Array, cache: Conv1DCache) -> tuple[Array, Params]:
        """Send dy (N, M, F) back to the input and the parameters.

        dx[n,i,c] = sum_k sum_m sum_f dy[n,m,f] w[k,c,f]    where m S + k d - left = i
        dw[k,c,f] = sum_n sum_m x[n, m S + k d - left, c] dy[n,m,f]
        db[f]     = sum_n sum_m dy[n,m,f]
        """
        rows, length = cache
        w, phases, n_filters = self.params["w"], self._phases, self.out_channels
        n_outputs, _, n_rows, deals = self._layout(length)
        n_traces = len(rows) // (self._n_short * n_rows)
        require_array(self, "dy", dy, "N M F", shape=(n_traces, n_outputs, n_filters))

        # dy goes into rows like those of the input, with zero for windows that were
        # never looked at. The rows in front let a window end on the first one.
        front = phases - 1
        dy_rows = np.empty((front + len(rows), n_filters), dy.dtype)
        dy_rows[:front] = 0
        dy_short = dy_rows[front:].reshape(n_traces, self._n_short, n_rows, n_filters)
        for short in range(self._n_short):
            share = dy[:, short :: self._n_short]
            dy_short[:, short, : share.shape[1]] = share
            dy_short[:, short, share.shape[1] :] = 0

        dw = np.zeros((w.shape[0] * w.shape[1], n_filters), np.result_type(rows, dy))
        for windows, starts in _cut(rows, phases, n_filters):
            dw += windows[:, : len(dw)].T @ dy_rows[front:][starts]
        db = np.ones(n_traces * n_outputs, dy.dtype) @ dy.reshape(-1, n_filters)

        turned = np.zeros((phases * self._short_stride, *w.shape[1:]), w.dtype)
        turned[: len(w)] = w
        turned = turned.reshape(phases, -1, n_filters)[::-1].swapaxes(1, 2)
        dx_rows = _correlate(dy_rows, turned.reshape(phases * n_filters, -1), phases)

        dx_samples = dx_rows[: len(rows)].reshape(n_traces, self._n_short, -1, w.shape[1])
        dx = np.zeros((n_traces, length, w.shape[1]), dx_rows.dtype)
        for short, (there, here) in enumerate(deals):
            dx[:, here] = dx_samples[:, short, there]
        return dx, {"w": dw.reshape(w.shape), "b": db}

    # Padding and layout
    # ------------------
    # What is left is arithmetic with lengths: how many zeros go where, how many
    # outputs fit, and which samples each short trace is dealt.

    def _known_padding(self, padding: object) -> str | int | tuple[int, int]:
        """Return `padding` if it is one of the known kinds, or raise."""
        if isinstance(padding, str):
            if padding in ("valid", "same", "causal"):
                return padding
        elif isinstance(padding, tuple | list):
            if len(padding) == 2:
                left, right = (whole_number(self, "padding", side, at_least=0) for side in padding)
                return left, right
        else:
            return whole_number(self, "padding", padding, at_least=0)
        raise ValueError(
            "Conv1D expected padding to be 'valid', 'same', 'causal', a number or (left, right), "
            f"got {padding!r}"
        )

    def zeros_around(self, length: int) -> tuple[int, int]:
        """How many zeros stand before and after a trace of this length."""
        if isinstance(self.padding, tuple):
            return self.padding
        if isinstance(self.padding, int):
            return self.padding, self.padding
        if self.padding == "causal":
            return self.reach - 1, 0
        if self.padding == "same":
            n_outputs = -(-length // self.stride)
            missing = max(0, (n_outputs - 1) * self.stride + self.reach - length)
            return missing // 2, missing - missing // 2
        return 0, 0

    def window(self, length: int) -> Window:
        """Output m looks at the samples m S - left + k d, for every tap k.

        >>> Conv1D(1, 8, 5, padding="same").window(64)
        Window(reach=5, stride=1, left=2, n_outputs=64, repeat=1)
        """
        left, right = self.zeros_around(length)
        if left + length + right < self.reach:
            raise ValueError(
                f"Conv1D expected x with at least {self.reach - left - right} samples, because "
                f"kernel_size={self.kernel_size} at dilation={self.dilation} spans {self.reach}, "
                f"got L={length}; use padding='same', a smaller kernel or longer traces"
            )
        n_outputs = (left + length + right - self.reach) // self.stride + 1
        return Window(self.reach, self.stride, left, n_outputs)

    def _layout(self, length: int) -> _Layout:
        """Work out where the samples and outputs of traces of this length lie."""
        window = self.window(length)
        left, n_outputs = window.left, window.n_outputs
        n_starts = -(-n_outputs // self._n_short)
        n_rows = n_starts - 1 + self._phases

        deals = []
        for short in range(self._n_short):
            begin = short * self.stride - left  # its sample v is x[begin + v d]
            padded = max(0, -(begin // self.dilation))  # so many of them lie before the trace
            first = begin + padded * self.dilation
            n_real = len(range(first, length, self.dilation))
            n_real = max(0, min(n_real, n_rows * self._short_stride - padded))
            there = slice(padded, padded + n_real)
            here = slice(first, first + n_real * self.dilation, self.dilation)
            deals.append((there, here))
        return _Layout(n_outputs, n_starts, n_rows, deals)
