"""Fast convolution: every window without a copy of it, in one matrix product.

The [plain kernels](conv1d.py) compute one product for each tap and add the results, so that the
whole output is read from memory and written back `K` times. One product, `K` times as long,
would be enough. The textbook method copies each window of `K` samples into a row of a matrix and
multiplies this matrix, `K` times as large as the data, with the weights. The kernels below
compute the same without it, up to rounding. The chapter *Fast convolution* develops them in steps.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from itertools import pairwise, product
from math import ceil, gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.system import threads

if TYPE_CHECKING:
    from numpycnn.layers.conv1d import Placement

# Windows back to back
# --------------------
# Write the samples of a trace one below the other, one row of `C` channels for each. A window
# of `K` rows is then `K C` consecutive values in memory. Cut the rows into windows back to back,
# beginning at the first row, then at the second row, and so on. After `K` such *phases* every
# window has occurred once:
#
#     row        0  1  2  3  4  5  6  7  8  9 10
#     phase 0   [ window 0 ][ window 3 ][ window 6 ]
#     phase 1      [ window 1 ][ window 4 ][ window 7 ]
#     phase 2         [ window 2 ][ window 5 ][ window 8 ]        K = 3
#
# All windows are one array `(R, K C)` in which each row begins `C` values after the previous row.
# The rows overlap, and NumPy would copy them for the library that multiplies matrices (BLAS). But
# the rows of one phase do not overlap. So the first axis is split, `(R / K, K, K C)`, and the two
# new axes are exchanged. Then `np.matmul` multiplies all phases in one call.


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
# A product of a tap has `K` times as many rows and a `K`-th of the outputs, and fewer
# outputs are added. That is faster with many channels, and with a single one.


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
    total: Array = reduce(np.add, (np.matmul(left[i], right[i]).sum(axis=(0, 1)) for i in some))
    return total.reshape(-1, n_filters)[:length]


# Blocks
# ------
# OpenBLAS, the BLAS of most NumPy packages, copies large matrices into another order before it
# multiplies them. That pays if each value is used many times. With AVX-512 instructions it
# computes up to about a million multiplications without the copy, which is faster. So the rows
# are cut into blocks, and each phase of a block is a product of about this size. Where that is
# only a few windows, larger products are faster; without AVX-512 this is so sooner. All
# constants were measured on an AMD EPYC, with and without AVX-512.

SMALL_PRODUCT = 1_000_000  # multiplications
MANY_WINDOWS = 512  # in each phase of a block where SMALL_PRODUCT would allow too few
SUMMED_AT_ONCE = 1 << 16  # values of the products that `sum_products` adds in one call
AVX512 = threads.openblas_version() in ("SkylakeX", "Cooperlake", "SapphireRapids")
FEW_WINDOWS, FEW_CHANNELS = (8, 8) if AVX512 else (256, 64)

# Stride and dilation
# -------------------
# **Stride** is another reshape. With a row of `S` samples, the windows that begin at every `S`-th
# sample begin at every row: `(rows, C)` to `(rows / S, S C)`. A filter of `K` taps covers
# `ceil(K / S)` rows, and there are as many phases.
#
# **Dilation** is not a reshape. Taps `d` apart are neighbors in a trace of which only every `d`-th
# sample is kept. So the trace is split into its `d` *polyphase components*, each of them a short
# trace. This copies every sample, but once, and the zeros around the trace require a copy
# anyway. With a stride as well, outputs begin at only `d / gcd(S, d)` different positions modulo
# `d`, so as many components are enough, with a stride of `S / gcd(S, d)` in each.


@lru_cache(maxsize=4096)
def polyphase(
    n_samples: int, shape: tuple[int, int], positions: tuple[int, int, int]
) -> list[tuple[slice, slice]]:
    """Return the samples of a trace that are in each component, and their positions in it.

    The shape is (components, positions). With `positions = begin, between, apart`, position `v`
    of component `h` is for sample `begin + h between + v apart`, which may be outside the trace.

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
# A *part* is some of the traces, and consecutive windows in each of their components. It is
# finished before the next part begins, so that its rows stay in the processor's cache. Parts are
# also the work that threads share.

PART = 1 << 19  # values in and out of a part, 2 MB: some fit into the cache shared by all cores
WORTH_SHARING = 30_000_000  # multiplications; below, waking a thread takes longer
BLAS_SHARES = 1 << 18  # multiplications; OpenBLAS computes smaller products on one thread


class Part(NamedTuple):
    """A part of a convolution that has no stride and no dilation, but several components."""

    traces: slice
    outputs: slice
    samples: tuple[int, int, int]  # positions of the samples of its rows, for `polyphase`
    stride: int  # within a component; a row holds as many samples
    size: int  # rows in a window
    n: int  # windows in each component; the next `size - 1` reach into the next component
    shape: tuple[int, int, int]  # (traces, components, rows)
    n_rows: int  # all of them, and some more to fill the last block
    n_blocks: int

    def rows(self, x: Array, positions: tuple[int, int, int], stride: int, dtype: Any) -> Array:
        """Return the components of x (traces, L, C) as rows (n_rows + size - 1, stride C)."""
        n_used, n_channels = prod(self.shape), x.shape[2]
        rows = np.empty((self.n_rows + self.size - 1, stride * n_channels), dtype)
        rows[n_used:] = 0
        components = rows[:n_used].reshape(*self.shape[:2], -1, n_channels)
        pairs = polyphase(x.shape[1], components.shape[1:3], positions)
        for h, (there, here) in enumerate(pairs):
            components[:, h, here] = x[:, there]
            components[:, h, : here.start] = components[:, h, here.stop :] = 0
        return rows

    def multiply(self, rows: Array, weights: Array) -> Array:
        """Multiply every window by the weights (length, F): (traces, components, n, F)."""
        left = by_phase(windows(rows, self.size, len(weights)), self.size, self.n_blocks)
        products = np.empty((self.n_rows, weights.shape[1]), rows.dtype)
        np.matmul(left, weights, out=by_phase(products, self.size, self.n_blocks))
        return products[: prod(self.shape)].reshape(*self.shape, -1)[:, :, : self.n]


@lru_cache(maxsize=1024)
def plan(
    n_traces: int, channels: tuple[int, int], at: Placement, n_threads: int, dx: bool = False
) -> tuple[list[Part], int]:
    """Return the parts of the windows, or for `dx` of the rows of x, and the number of threads."""
    common = gcd(at.stride, at.dilation)
    n_components, stride = at.dilation // common, at.stride // common
    apart = n_components * at.stride  # samples from a row of a component to the next one
    size = ceil(at.kernel_size / stride)
    begin, end = 0, ceil(at.n_outputs / n_components)  # the last windows may exceed the outputs
    if dx:  # the rows of which not all samples are in the padding
        begin = max(0, at.left - apart + at.stride) // apart
        end = ceil((at.left + at.length) / apart)

    # Each part fits into the cache, and each thread computes the same number of parts.
    n_rows, n_weights = n_traces * n_components * (end - begin), at.kernel_size * prod(channels)
    n_small = SMALL_PRODUCT // (size * stride * prod(channels))
    n_at_once = n_small if n_small >= FEW_WINDOWS else MANY_WINDOWS  # windows of a phase
    if n_rows * n_weights <= WORTH_SHARING:
        n_threads = int(min(n_at_once, ceil(n_rows / size)) * n_weights > BLAS_SHARES)
    n_values, n_each = n_rows * (stride * channels[0] + channels[1]), max(PART, 4 * n_weights)
    n_parts = ceil(n_values / n_each / max(1, n_threads)) * max(1, n_threads)
    n_groups = min(n_parts, n_traces)  # of traces; each trace is cut if there are too few
    n_cuts = min(ceil(n_parts / n_groups), ceil((end - begin) / size / 16))
    groups = [n_traces * i // n_groups for i in range(n_groups + 1)]
    cuts = [begin + (end - begin) * i // n_cuts for i in range(n_cuts + 1)]

    parts = []
    for (first, last), (start, stop) in product(pairwise(cuts), pairwise(groups)):
        outputs = slice(first * n_components, last * n_components)
        samples = first * apart - at.left, at.stride, at.dilation
        shape = stop - start, n_components, last - first + size - 1
        n_phase = ceil(prod(shape) / size)  # windows of a phase
        n_blocks = ceil(n_phase / n_at_once)
        layout = size, last - first, shape, ceil(n_phase / n_blocks) * n_blocks * size, n_blocks
        parts.append(Part(slice(start, stop), outputs, samples, stride, *layout))
    return parts, n_threads


# The three kernels
# -----------------


def output(x: Array, w: Array, b: Array | None, at: Placement) -> Array:
    """Return y (N, M, F) as the plain kernel does."""
    dtype = np.result_type(*(array for array in (x, w, b) if array is not None))
    parts, n_threads = plan(len(x), w.shape[1:], at, threads.n_threads)
    y = np.empty((len(x), parts[-1].outputs.stop, w.shape[2]), dtype)

    def compute(part: Part) -> None:
        rows = part.rows(x[part.traces], part.samples, part.stride, dtype)
        maps = part.multiply(rows, w.reshape(-1, w.shape[2]))
        # With a bias for each window, NumPy adds in long loops, not in loops of F values.
        bias = np.empty(maps.shape[2:], dtype)
        bias[...] = 0 if b is None else b
        here = y[part.traces, part.outputs].reshape(len(maps), part.n, *maps.shape[1::2])
        here = here.swapaxes(1, 2)
        if part.shape[1] == 1:
            np.add(maps, bias, out=here)
        else:  # here, only F values are contiguous in y
            maps += bias
            here[...] = maps

    threads.in_order(compute, parts, n_threads)
    return y[:, : at.n_outputs]


# Without stride and dilation, a sample was multiplied by the first tap in the output that begins
# on it, by the second tap in the output that begins one sample earlier, and so on. Its gradient
# is therefore a window of `dy` times the taps in *reverse* order, with the roles of channels and
# filters exchanged: the input gradient is a convolution with the flipped filter.


def input_gradient(dy: Array, w: Array, at: Placement) -> Array:
    """Return dx (N, L, C) as the plain kernel does."""
    dtype, (n_taps, n_channels, n_filters) = np.result_type(dy, w), w.shape
    parts, n_threads = plan(len(dy), w.shape[1:], at, threads.n_threads, dx=True)
    size, stride, n_components = parts[0].size, parts[0].stride, parts[0].shape[1]
    flipped = np.zeros((size * stride, n_channels, n_filters), dtype)
    flipped[:n_taps] = w
    flipped = flipped.reshape(size, -1, n_filters)[::-1].swapaxes(1, 2)
    flipped = flipped.reshape(size * n_filters, -1)
    # With a dilation, there may be samples that are in no window.
    dx = (np.empty if at.dilation == 1 else np.zeros)((len(dy), at.length, n_channels), dtype)

    def compute(part: Part) -> None:
        first = part.outputs.start - (size - 1) * n_components
        rows = part.rows(dy[part.traces], (first, 1, n_components), 1, dtype)
        dx_rows = part.multiply(rows, flipped)
        components = dx_rows.reshape(*dx_rows.shape[:2], -1, n_channels)
        pairs = polyphase(at.length, components.shape[1:3], part.samples)
        for h, (there, here) in enumerate(pairs):
            dx[part.traces, there] = components[:, h, here]

    threads.in_order(compute, parts, n_threads)
    return dx


def weight_gradient(x: Array, dy: Array, at: Placement) -> tuple[Array, Array]:
    """Return dw (K, C, F) and db (F,) as the plain kernel does."""
    dtype, shape = np.result_type(x, dy), (at.kernel_size, x.shape[2], dy.shape[2])
    parts, n_threads = plan(len(dy), shape[1:], at, threads.n_threads)

    def compute(part: Part) -> tuple[Array, Array]:
        rows = part.rows(x[part.traces], part.samples, part.stride, dtype)
        # The outputs of this part only: where its rows overlap with the next part, dy is zero.
        part_dy = dy[part.traces, part.outputs]
        dy_rows = part.rows(part_dy, (0, 1, part.shape[1]), 1, dtype)[: part.n_rows]
        # NumPy's own sum over both axes, in loops of F values, takes ten times as long.
        db = np.ones(part_dy.shape[1], dy.dtype) @ part_dy.sum(axis=0)
        return sum_products(rows, dy_rows, part.size, prod(shape[:2]), part.n_blocks), db

    dws, dbs = zip(*threads.in_order(compute, parts, n_threads), strict=True)
    return reduce(np.add, dws).reshape(shape), reduce(np.add, dbs)


# Memory
# ------
# Each training step allocates and frees the same arrays. The usual C library on Linux returns
# freed memory to the system if it exceeds twice the largest block that was ever freed, and each
# page must then be provided again: up to a quarter of the time of a step. One large block, freed
# unused, raises this limit. Elsewhere the line has no effect.

np.empty(30 << 20, np.uint8)
