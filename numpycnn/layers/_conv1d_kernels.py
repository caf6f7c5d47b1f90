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

from collections.abc import Callable
from functools import lru_cache, reduce
from itertools import pairwise
from math import ceil, gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpycnn.layers import _threads
from numpycnn.types import Array

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
    """View (R, W) as (blocks, phases, windows, W): in a phase, every `size`-th row."""
    return rows.reshape(n_blocks, -1, size, rows.shape[1]).swapaxes(1, 2)


# The gradient of the weights is the sum, over all windows, of the window times its row of `dy`.
# It is computed phase by phase, or tap by tap: the rows under tap `k`, transposed, times `dy`.
# A product of a tap has `K` times as many rows and a `K`-th of the outputs, so that fewer
# outputs have to be added. That is faster with many channels, and with a single one.


def sum_products(rows: Array, dy_rows: Array, size: int, length: int, n_blocks: int) -> Array:
    """Sum, over all windows, the window transposed times its row of dy: (length, F)."""
    n_channels, n_filters = rows.shape[1], dy_rows.shape[1]
    n_values = size * length * n_filters
    few_channels = 1 < n_channels < FEW_CHANNELS or length < size * n_channels
    if few_channels and n_values <= SUMMED_AT_ONCE:
        left = by_phase(windows(rows, size, length), size, n_blocks).swapaxes(2, 3)
        right = by_phase(dy_rows, size, n_blocks)  # left: (blocks, phases, length, windows)
    else:
        every = windows(rows, size, size * n_channels).reshape(n_blocks, 1, -1, size, n_channels)
        left = every.transpose(0, 1, 3, 4, 2)  # (blocks, 1, taps, C, rows)
        right, n_values = dy_rows.reshape(n_blocks, 1, 1, -1, n_filters), n_values // size
    step = max(1, SUMMED_AT_ONCE // n_values)
    some = [slice(i, i + step) for i in range(0, n_blocks, step)]
    total = reduce(np.add, (np.matmul(left[i], right[i]).sum(axis=(0, 1)) for i in some))
    return total.reshape(-1, n_filters)[:length]


# Blocks
# ------
# Before OpenBLAS, the BLAS of most NumPy packages, multiplies large matrices, it copies them into
# another order. That pays if each value is used many times. With AVX-512 instructions it
# multiplies up to about a million pairs without the copy, which is faster. So the rows are cut
# into blocks of about a million multiplications for each phase. Where that is only a few
# windows, larger products are faster; without AVX-512 this is so sooner.
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

Progression = tuple[int, int, int]  # position v of component h: begin + h between + v apart


@lru_cache(maxsize=4096)
def polyphase(
    n_samples: int, shape: tuple[int, int], positions: Progression
) -> list[tuple[slice, slice]]:
    """Return the samples of a trace that are in each component, and their positions in it.

    The shape is (components, positions). A position may be before or after the trace.

    >>> polyphase(5, shape=(2, 4), positions=(-2, 1, 2))
    [(slice(0, 6, 2), slice(1, 4, None)), (slice(1, 5, 2), slice(1, 3, None))]
    """
    (begin, between, apart), pairs = positions, []
    for first in (begin + h * between for h in range(shape[0])):
        before = max(0, -(first // apart))  # positions before the trace
        start = first + before * apart
        n = max(0, min(ceil((n_samples - start) / apart), shape[1] - before))
        pairs.append((slice(start, start + n * apart, apart), slice(before, before + n)))
    return pairs


# Parts
# -----
# A *part* is some of the traces, and some consecutive windows in each of their components. It
# is finished before the next one begins, so that its rows stay in the processor's cache.
# Parts are also the work that threads share.

PART = 1 << 19  # values in and out of a part, 2 MB: some fit into the cache shared by all cores
WORTH_SHARING = 30_000_000  # multiplications; below, waking a thread takes longer
BLAS_SHARES = 1 << 18  # multiplications; OpenBLAS computes smaller products on one thread


class Part(NamedTuple):
    """The traces and outputs of a part, and the layout of its rows."""

    traces: slice
    outputs: slice
    samples: Progression
    shape: tuple[int, int, int]  # (traces, components, rows)
    n_rows: int  # all of them, and some more to fill the last block
    n_blocks: int


class Plan(NamedTuple):
    """The equivalent convolution without stride and dilation, and the parts of the work."""

    n_components: int
    stride: int  # within a component; a row holds as many samples
    size: int  # rows in a window
    n_windows: int  # in each component; the last ones may exceed the outputs
    parts: list[Part]
    n_threads: int  # 0 where each product is too small for the threads of BLAS as well

    def run(self, compute: Callable[[Part], Any]) -> list[Any]:
        """Return `compute(part)` for each part."""
        if self.n_threads == 0:
            return list(map(compute, self.parts))
        return _threads.in_order(compute, self.parts, self.n_threads)

    def rows(
        self, part: Part, traces: Array, positions: Progression, dtype: Any, stride: int = 1
    ) -> Array:
        """Return the components of the traces as rows (R + size - 1, stride C).

        The last `size - 1` windows of a component reach into the next one. They are not used.
        """
        n_used, n_channels = prod(part.shape), traces.shape[2]
        rows = np.empty((part.n_rows + self.size - 1, stride * n_channels), dtype)
        rows[n_used:] = 0
        components = rows[:n_used].reshape(*part.shape[:2], -1, n_channels)
        pairs = polyphase(traces.shape[1], components.shape[1:3], positions)
        for h, (there, here) in enumerate(pairs):
            components[:, h, here] = traces[:, there]
            components[:, h, : here.start] = components[:, h, here.stop :] = 0
        return rows

    def multiply(self, part: Part, rows: Array, weights: Array) -> Array:
        """Multiply the windows by the weights (length, F): (traces, components, windows, F)."""
        left = by_phase(windows(rows, self.size, len(weights)), self.size, part.n_blocks)
        products = np.empty((part.n_rows, weights.shape[1]), rows.dtype)
        np.matmul(left, weights, out=by_phase(products, self.size, part.n_blocks))
        n_windows = part.shape[2] - self.size + 1
        return products[: prod(part.shape)].reshape(*part.shape, -1)[:, :, :n_windows]


@lru_cache(maxsize=1024)
def plan(
    n_traces: int, channels: tuple[int, int], at: Placement, n_threads: int, dx: bool = False
) -> Plan:
    """Return the plan for (C, F) channels: of the windows or, for `dx`, of the rows of x."""
    common = gcd(at.stride, at.dilation)
    n_components, stride = at.dilation // common, at.stride // common
    size, n_windows = ceil(at.kernel_size / stride), ceil(at.n_outputs / n_components)
    apart = n_components * at.stride  # samples from a window or row of a component to the next
    begin, end = 0, n_windows
    if dx:  # the rows of which not all samples are in the padding
        begin = max(0, at.left - apart + at.stride) // apart
        end = ceil((at.left + at.length) / apart)

    n_rows, n_weights = n_traces * n_components * (end - begin), at.kernel_size * prod(channels)
    n_small = SMALL_PRODUCT // (size * stride * prod(channels))
    n_at_once = n_small if n_small >= FEW_WINDOWS else MANY_WINDOWS  # windows of a phase
    if n_rows * n_weights <= WORTH_SHARING:
        n_product = min(n_at_once, ceil(n_rows / size)) * n_weights
        n_threads = 1 if n_product > BLAS_SHARES else 0
    n_values, n_each = n_rows * (stride * channels[0] + channels[1]), max(PART, 4 * n_weights)
    n_parts = ceil(n_values / n_each / max(1, n_threads)) * max(1, n_threads)
    n_groups = min(n_parts, n_traces)  # of traces; each trace is cut if there are too few
    n_cuts = min(ceil(n_parts / n_groups), ceil((end - begin) / size / 16))

    parts = []
    for first, last in evenly(begin, end, n_cuts):
        outputs = slice(first * n_components, last * n_components)
        samples = first * apart - at.left, at.stride, at.dilation
        for start, stop in evenly(0, n_traces, n_groups):
            shape = stop - start, n_components, last - first + size - 1
            n_phase = ceil(prod(shape) / size)  # windows of a phase
            n_blocks = ceil(n_phase / n_at_once)
            n_rows = ceil(n_phase / n_blocks) * n_blocks * size
            parts.append(Part(slice(start, stop), outputs, samples, shape, n_rows, n_blocks))
    return Plan(n_components, stride, size, n_windows, parts, n_threads)


def evenly(begin: int, end: int, n_parts: int) -> list[tuple[int, int]]:
    """Return the beginning and the end of each of `n_parts` parts.

    >>> evenly(0, 5, 2)
    [(0, 2), (2, 5)]
    """
    return list(pairwise(begin + (end - begin) * i // n_parts for i in range(n_parts + 1)))


# The three kernels
# -----------------


def output(x: Array, w: Array, b: Array | None, at: Placement) -> Array:
    """Return y (N, M, F) as the plain kernel does."""
    dtype = np.result_type(*(array for array in (x, w, b) if array is not None))
    p, n_filters = plan(len(x), w.shape[1:], at, _threads.n_threads), w.shape[2]
    y = np.empty((len(x), p.n_windows * p.n_components, n_filters), dtype)

    def compute(part: Part) -> None:
        rows = p.rows(part, x[part.traces], part.samples, dtype, p.stride)
        maps = p.multiply(part, rows, w.reshape(-1, n_filters))
        # The bias is repeated for all windows: NumPy then adds in loops as long as that, and
        # not in one loop of F values for each window.
        bias = np.empty(maps.shape[2:], dtype)
        bias[...] = 0 if b is None else b
        here = y[part.traces, part.outputs]
        here = here.reshape(len(here), -1, p.n_components, n_filters).swapaxes(1, 2)
        if p.n_components == 1:
            np.add(maps, bias, out=here)
        else:  # here, only F values are contiguous in y
            maps += bias
            here[...] = maps

    p.run(compute)
    return y[:, : at.n_outputs]


# Without stride and dilation, a sample was multiplied by the first tap in the output that begins
# on it, by the second tap in the output that begins one sample earlier, and so on. Its
# gradient is therefore a window of `dy` times the taps in *reverse* order, with the roles of
# channels and filters exchanged. The gradient of a convolution with respect to its input is a
# convolution with the flipped filter.


def input_gradient(dy: Array, w: Array, at: Placement) -> Array:
    """Return dx (N, L, C) as the plain kernel does."""
    dtype, (n_taps, n_channels, n_filters) = np.result_type(dy, w), w.shape
    p = plan(len(dy), w.shape[1:], at, _threads.n_threads, dx=True)
    flipped = np.zeros((p.size * p.stride, n_channels, n_filters), dtype)
    flipped[:n_taps] = w
    flipped = flipped.reshape(p.size, -1, n_filters)[::-1].swapaxes(1, 2)
    flipped = flipped.reshape(p.size * n_filters, -1)
    # With a dilation, there may be samples that are in no window.
    dx = (np.empty if at.dilation == 1 else np.zeros)((len(dy), at.length, n_channels), dtype)

    def compute(part: Part) -> None:
        earlier = part.outputs.start - (p.size - 1) * p.n_components
        rows = p.rows(part, dy[part.traces], (earlier, 1, p.n_components), dtype)
        dx_rows = p.multiply(part, rows, flipped)
        components = dx_rows.reshape(*dx_rows.shape[:2], -1, n_channels)
        pairs = polyphase(at.length, components.shape[1:3], part.samples)
        for h, (there, here) in enumerate(pairs):
            dx[part.traces, there] = components[:, h, here]

    p.run(compute)
    return dx


def weight_gradient(x: Array, dy: Array, at: Placement) -> tuple[Array, Array]:
    """Return dw (K, C, F) and db (F,) as the plain kernel does."""
    dtype, (n_channels, n_filters) = np.result_type(x, dy), (x.shape[2], dy.shape[2])
    p = plan(len(dy), (n_channels, n_filters), at, _threads.n_threads)
    length = at.kernel_size * n_channels

    def compute(part: Part) -> tuple[Array, Array]:
        rows = p.rows(part, x[part.traces], part.samples, dtype, p.stride)
        # The outputs of this part only: where its rows overlap with the next part, dy is zero.
        part_dy = dy[part.traces, part.outputs]
        dy_rows = p.rows(part, part_dy, (0, 1, p.n_components), dtype)[: part.n_rows]
        # NumPy's own sum over both axes, in loops of F values, takes ten times as long.
        db = np.ones(part_dy.shape[1], dy.dtype) @ part_dy.sum(axis=0)
        return sum_products(rows, dy_rows, p.size, length, part.n_blocks), db

    dws, dbs = zip(*p.run(compute), strict=True)
    return reduce(np.add, dws).reshape(-1, n_channels, n_filters), reduce(np.add, dbs)


# Memory
# ------
# Each training step allocates and frees the same arrays. The usual C library on Linux returns
# freed memory to the system if it exceeds twice the largest block that was ever freed, and then
# the system has to provide every page again: up to a quarter of the time of a step. One
# large block, freed unused, raises this limit. Elsewhere the line has no effect.

np.empty(30 << 20, np.uint8)
