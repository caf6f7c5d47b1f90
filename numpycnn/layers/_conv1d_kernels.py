"""Fast convolution: every window without a copy of it, in one matrix product.

The [plain kernels](conv1d.py) compute one product for each tap and add the results, so that the
whole output is read from memory and written back `K` times. One product, `K` times as
long, would be enough. The textbook method copies each window of `K` samples into a row of a
large matrix and multiplies the matrix with the weights. But each sample is part of `K` windows,
so the matrix is `K` times the data. The functions below need no such matrix.

They compute the same as the plain kernels, up to rounding. Read this file with chapter 10 of
the tutorial, which develops it in steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, reduce
from itertools import pairwise
from math import ceil, gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpycnn import _threads
from numpycnn._types import Array

if TYPE_CHECKING:
    from numpycnn.layers.conv1d import Placement

# Windows back to back
# --------------------
# Write the samples of one trace one below the other, one row of `C` channels for each. A window
# of `K` rows is then `K C` consecutive values in memory. Cut the rows into windows that lie back
# to back, beginning at the first row, then at the second row, and so on. After `K` such
# *phases* every window has occurred once:
#
#     row        0  1  2  3  4  5  6  7  8  9 10
#     phase 0   [ window 0 ][ window 3 ][ window 6 ]
#     phase 1      [ window 1 ][ window 4 ][ window 7 ]
#     phase 2         [ window 2 ][ window 5 ][ window 8 ]        K = 3
#
# All windows are one array `(R, K C)` in which each row begins `C` values after the one before.
# Its rows overlap, and the library that multiplies matrices (BLAS) cannot read such an array:
# NumPy would copy it. But the rows of one phase do not overlap. So the first axis is split,
# `(R / K, K, K C)`, and the two new axes are exchanged. Each phase is then an ordinary matrix,
# and `np.matmul` multiplies all of them in one call.


def windows(rows: Array, size: int, length: int) -> Array:
    """View the first `length` values of every window of `size` rows: (R, length).

    >>> windows(np.arange(5.0).reshape(5, 1), size=3, length=3)
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    """
    return np.ndarray((len(rows) - size + 1, length), rows.dtype, rows, strides=rows.strides)


def by_phase(rows: Array, size: int, n_blocks: int) -> Array:
    """View (R, W) as (blocks, phases, windows, W): in a phase, every `size`-th row.

    >>> by_phase(np.arange(6).reshape(6, 1), size=3, n_blocks=1)[0, :, :, 0]
    array([[0, 3],
           [1, 4],
           [2, 5]])
    """
    return rows.reshape(n_blocks, -1, size, rows.shape[1]).swapaxes(1, 2)


# The gradient of the weights is the sum, over all windows, of the window times its row of `dy`.
# With few channels it is computed phase by phase, by the transposed view. With many channels it
# is faster tap by tap: the rows under tap `k`, transposed, times `dy`. Then a product has `K`
# times as many rows and a `K`-th of the outputs, and fewer outputs have to be added.


def sum_products(rows: Array, dy_rows: Array, size: int, length: int, n_blocks: int) -> Array:
    """Sum, over all windows, the window transposed times its row of dy: (length, F)."""
    n_channels, n_filters = rows.shape[1], dy_rows.shape[1]
    n_values = size * length * n_filters
    few_channels = n_channels < FEW_CHANNELS or length < size * n_channels
    if few_channels and n_values <= SUMMED_AT_ONCE:
        left = by_phase(windows(rows, size, length), size, n_blocks).swapaxes(2, 3)
        right = by_phase(dy_rows, size, n_blocks)  # left: (blocks, phases, length, windows)
    else:
        every = windows(rows, size, size * n_channels).reshape(n_blocks, 1, -1, size, n_channels)
        left = every.transpose(0, 1, 3, 4, 2)  # (blocks, 1, taps, C, rows)
        right, n_values = dy_rows.reshape(n_blocks, 1, 1, -1, n_filters), n_values // size
    step = max(1, SUMMED_AT_ONCE // n_values)
    some = [slice(i, i + step) for i in range(0, n_blocks, step)]
    total = added(np.matmul(left[i], right[i]).sum(axis=(0, 1)) for i in some)
    return total.reshape(-1, n_filters)[:length]


def added(arrays: Iterable[Array]) -> Array:
    """Add the arrays to the first of them."""
    return reduce(lambda total, each: np.add(total, each, out=total), arrays)


# Blocks
# ------
# Small products are the faster ones on some processors. Before OpenBLAS, which comes with NumPy,
# multiplies large matrices, it copies them into another order. That pays if each value is used
# many times. With AVX-512 instructions it multiplies up to about a million pairs without
# the copy. So the rows are cut into blocks of about a million multiplications for each phase. Where
# that is only a few windows, larger products are faster; without AVX-512 this is so sooner.
#
# Each constant was measured on an AMD EPYC with (Zen 4) and without AVX-512.

SMALL_PRODUCT = 1_000_000  # multiplications
MANY_WINDOWS = 512  # in each phase of a block where SMALL_PRODUCT would allow too few
SUMMED_AT_ONCE = 1 << 16  # values of the products that `sum_products` adds in one call


# The names by which OpenBLAS calls its versions with AVX-512 instructions.
AVX512 = _threads.openblas_version() in ("SkylakeX", "Cooperlake", "SapphireRapids")
FEW_WINDOWS, FEW_CHANNELS = (8, 8) if AVX512 else (256, 64)

# Stride and dilation
# -------------------
# **Stride** is another reshape. With a row of `S` samples, the windows that begin at every `S`-th
# sample begin at every row: `(rows, C)` to `(rows / S, S C)`. A filter of `K` taps
# covers `ceil(K / S)` rows, and there are as many phases.
#
# **Dilation** is not a reshape. Taps `d` apart are neighbors in a trace of which only every
# `d`-th sample is kept. So the trace is split into its `d` *polyphase components*, each of them a
# short trace. This copies every sample, but once, not `K` times, and the copy is
# needed anyway for the zeros around the trace. With a stride as well, output `m` begins
# at sample `m S`. Outputs begin at `d / gcd(S, d)` different positions modulo `d`, so that
# many components are enough, with a stride of `S / gcd(S, d)` in each.


def polyphase(
    traces: Array, components: Array, begin: int, between: int, apart: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Pair the samples of each component with their positions in it.

    Sample `v` of component `h` is sample `begin + h between + v apart` of the trace. For each
    component (N, V, C) there are four views: samples of the traces (N, L, C), their positions,
    and the positions before and after them, which lie outside the trace.

    >>> trace, components = np.arange(1.0, 6.0).reshape(1, 5, 1), np.empty((1, 2, 4, 1))
    >>> for there, here, before, after in polyphase(trace, components, -2, between=1, apart=2):
    ...     here[...], before[...], after[...] = there, 0, 0
    >>> components[0, :, :, 0]
    array([[0., 1., 3., 5.],
           [0., 2., 4., 0.]])
    """
    for h in range(components.shape[1]):
        first = begin + h * between
        before = max(0, -(first // apart))  # samples of the component before the trace
        there = traces[:, first + before * apart :: apart]
        here = components[:, h, before : before + there.shape[1]]
        after = components[:, h, before + there.shape[1] :]
        yield there[:, : here.shape[1]], here, components[:, h, :before], after


# Parts
# -----
# A *part* is some of the traces, and in each of their components `n` windows from window `first`
# on. Each part is finished before the next one is begun, so that its rows stay in the
# processor's cache. Parts are also the work that threads share.

PART = 1 << 19  # values in and out of a part, 2 MB: some fit into the cache shared by all cores
WORTH_SHARING = 30_000_000  # multiplications; below, waking a thread takes longer
BLAS_SHARES = 1 << 18  # multiplications; OpenBLAS computes smaller products on one thread


class Plan(NamedTuple):
    """The equivalent convolution without stride and dilation, and the parts of the work."""

    at: Placement
    n_components: int
    stride: int  # within a component; a row holds as many samples
    size: int  # rows in a window
    n_windows: int  # in each component; the last ones may exceed the outputs
    n_at_once: int  # windows of one phase in a block
    parts: list[tuple[slice, int, int]]  # traces, first, n
    n_threads: int  # 0 where each product is too small for the threads of BLAS as well

    def run(self, compute: Callable[..., Any]) -> list[Any]:
        """Return `compute(traces, first, n)` for each part."""
        if self.n_threads == 0:
            return [compute(*part) for part in self.parts]
        return _threads.in_order(compute, self.parts, self.n_threads)

    def samples(self, first: int) -> tuple[int, int, int]:
        """Return the positions of the components of x, from window `first` on, for `polyphase`."""
        begin = first * self.n_components * self.at.stride - self.at.left
        return begin, self.at.stride, self.at.dilation

    def outputs(self, first: int) -> tuple[int, int, int]:
        """Return the positions of the components of dy, from window `first` on."""
        return first * self.n_components, 1, self.n_components

    def rows(
        self, traces: Array, n: int, width: int, positions: tuple[int, int, int], dtype: Any
    ) -> tuple[Array, Array, int]:
        """Return rows (R + size - 1, width), a view of those in use, and the number of blocks.

        The view is (traces, components, n + size - 1, width). Its last `size - 1` windows
        reach into the next component or trace: they are computed and not used. `R` is rounded
        up to whole blocks.
        """
        shape = len(traces), self.n_components, n + self.size - 1
        n_used = prod(shape)
        n_blocks = ceil(n_used / self.size / self.n_at_once)
        n_rows = n_blocks * ceil(n_used / self.size / n_blocks) * self.size
        rows = np.empty((n_rows + self.size - 1, width), dtype)
        rows[n_used:] = 0
        used = rows[:n_used].reshape(*shape, width)
        components = used.reshape(*shape[:2], -1, traces.shape[2])
        for there, here, before, after in polyphase(traces, components, *positions):
            here[...] = there
            before[...] = after[...] = 0
        return rows, used, n_blocks

    def multiply(self, rows: tuple[Array, Array, int], weights: Array, n: int) -> Array:
        """Multiply every window by the weights (length, F): (traces, components, n, F)."""
        values, used, n_blocks = rows
        left = by_phase(windows(values, self.size, len(weights)), self.size, n_blocks)
        products = np.empty((len(values) - self.size + 1, weights.shape[1]), values.dtype)
        np.matmul(left, weights, out=by_phase(products, self.size, n_blocks))
        return products[: prod(used.shape[:3])].reshape(*used.shape[:3], -1)[:, :, :n]


@lru_cache(maxsize=1024)
def plan(
    n_traces: int, channels: tuple[int, int], at: Placement, n_threads: int, extra: bool = False
) -> Plan:
    """Return the plan for (C, F) channels, with `size - 1` `extra` windows for dx."""
    common = gcd(at.stride, at.dilation)
    n_components, stride = at.dilation // common, at.stride // common
    size, n_windows = ceil(at.kernel_size / stride), ceil(at.n_outputs / n_components)
    n_small = SMALL_PRODUCT // (size * stride * prod(channels))
    n_at_once = n_small if n_small >= FEW_WINDOWS else MANY_WINDOWS

    n_all = n_windows + extra * (size - 1)
    n_rows, n_weights = n_traces * n_components * n_all, at.kernel_size * prod(channels)
    if n_rows * n_weights <= WORTH_SHARING:
        n_product = min(n_at_once, ceil(n_rows / size)) * n_weights
        n_threads = 1 if n_product > BLAS_SHARES else 0
    n_values, n_each = n_rows * (stride * channels[0] + channels[1]), max(PART, 4 * n_weights)
    n_parts = ceil(n_values / n_each / max(1, n_threads)) * max(1, n_threads)
    n_groups = min(n_parts, n_traces)  # of traces; each trace is cut if there are too few
    n_cuts = min(ceil(n_parts / n_groups), ceil(n_all / size / 16))
    cuts, groups = evenly(n_all, n_cuts), evenly(n_traces, n_groups)
    parts = [(slice(*group), first, end - first) for first, end in cuts for group in groups]
    return Plan(at, n_components, stride, size, n_windows, n_at_once, parts, n_threads)


def evenly(n: int, n_parts: int) -> list[tuple[int, int]]:
    """Return the beginning and the end of each of `n_parts` parts of `n`.

    >>> evenly(5, 2)
    [(0, 2), (2, 5)]
    """
    return list(pairwise(n * i // n_parts for i in range(n_parts + 1)))


# The three kernels
# -----------------


def output(x: Array, w: Array, b: Array | None, at: Placement) -> Array:
    """Return y (N, M, F) as the plain kernel does."""
    dtype = np.result_type(*(array for array in (x, w, b) if array is not None))
    p, n_filters = plan(len(x), w.shape[1:], at, _threads.n_threads), w.shape[2]
    y = np.empty((len(x), p.n_windows, p.n_components, n_filters), dtype)

    def compute(traces: slice, first: int, n: int) -> None:
        rows = p.rows(x[traces], n, p.stride * x.shape[2], p.samples(first), dtype)
        maps = p.multiply(rows, w.reshape(-1, n_filters), n)
        # The bias is repeated for all windows: NumPy then adds in loops as long as that, and
        # not in one loop of F values for each window.
        bias = np.empty((n, n_filters), dtype)
        bias[...] = 0 if b is None else b
        here = y[traces, first : first + n].swapaxes(1, 2)
        if p.n_components == 1:
            np.add(maps, bias, out=here)
        else:  # here, only F values are contiguous in y
            maps += bias
            here[...] = maps

    p.run(compute)
    return y.reshape(len(x), -1, n_filters)[:, : at.n_outputs]


# Without stride and dilation, a sample was multiplied by the first tap in the output that begins
# on it, by the second tap in the output that begins one sample earlier, and so on. Its
# gradient is therefore a window of `dy` times the taps in *reverse* order, with the roles of
# channels and filters exchanged. The gradient of a convolution with respect to its input is a
# convolution with the flipped filter.


def input_gradient(dy: Array, w: Array, at: Placement) -> Array:
    """Return dx (N, L, C) as the plain kernel does."""
    dtype, (n_taps, n_channels, n_filters) = np.result_type(dy, w), w.shape
    p = plan(len(dy), w.shape[1:], at, _threads.n_threads, extra=True)
    flipped = np.zeros((p.size * p.stride, n_channels, n_filters), dtype)
    flipped[:n_taps] = w
    flipped = flipped.reshape(p.size, -1, n_filters)[::-1].swapaxes(1, 2)
    flipped = flipped.reshape(p.size * n_filters, -1)
    dx = np.zeros((len(dy), at.length, n_channels), dtype)

    def compute(traces: slice, first: int, n: int) -> None:
        rows = p.rows(dy[traces], n, n_filters, p.outputs(first - p.size + 1), dtype)
        dx_rows = p.multiply(rows, flipped, n)
        components = dx_rows.reshape(*dx_rows.shape[:2], -1, n_channels)
        for there, here, *_ in polyphase(dx[traces], components, *p.samples(first)):
            there[...] = here

    p.run(compute)
    return dx


def weight_gradient(x: Array, dy: Array, at: Placement) -> tuple[Array, Array]:
    """Return dw (K, C, F) and db (F,) as the plain kernel does."""
    dtype, (n_channels, n_filters) = np.result_type(x, dy), (x.shape[2], dy.shape[2])
    p = plan(len(dy), (n_channels, n_filters), at, _threads.n_threads)
    length = at.kernel_size * n_channels

    def compute(traces: slice, first: int, n: int) -> tuple[Array, Array]:
        # The outputs of this part only: where `rows` overlap with the next part, dy is zero.
        part = dy[traces, first * p.n_components : (first + n) * p.n_components]
        rows, _, n_blocks = p.rows(x[traces], n, p.stride * n_channels, p.samples(first), dtype)
        dy_rows, _, _ = p.rows(part, n, n_filters, p.outputs(0), dtype)
        dy_rows = dy_rows[: len(rows) - p.size + 1]
        # Sums by products with ones: NumPy's own sum over two axes takes ten times as long.
        per_trace = np.ones(len(part), dy.dtype) @ part.reshape(len(part), -1)
        db = np.ones(part.shape[1], dy.dtype) @ per_trace.reshape(-1, n_filters)
        return sum_products(rows, dy_rows, p.size, length, n_blocks), db

    dws, dbs = zip(*p.run(compute), strict=True)
    return added(dws).reshape(-1, n_channels, n_filters), added(dbs)


# Memory
# ------
# Each training step allocates and frees the same arrays. The usual C library on Linux returns
# freed memory to the system if it exceeds twice the largest block that was ever freed, and then
# the system has to provide every page again: up to a quarter of the time of a step. One
# large block, freed unused, raises this limit. Elsewhere the line has no effect.

np.empty(30 << 20, np.uint8)
