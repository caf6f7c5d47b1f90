"""The reference: every operation as plain loops, directly from its formula.

Slow on purpose. Each function below is the definition, one value at a time and without
rearrangement; a reader can compare it with the formula. The layers compute the same by reshapes
and matrix products, and the tests compare the two over random shapes and options. If they differ,
this file is correct.

The `backward` functions are the same loops again. Wherever forward does

    y[...] += x[...] * w[...]

backward does, for the same indices,

    dx[...] += dy[...] * w[...]
    dw[...] += dy[...] * x[...]

which is the chain rule for one multiplication and one addition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array


class Geometry(NamedTuple):
    """The stride, the dilation and the numbers of zeros on both sides."""

    stride: int = 1
    dilation: int = 1
    left: int = 0
    right: int = 0


def same_padding(
    length: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """The zeros left and right that give ceil(length / stride) outputs; the odd one goes right."""
    n_outputs = (length + stride - 1) // stride
    total = 0
    while (length + total - dilation * (kernel_size - 1) - 1) // stride + 1 < n_outputs:
        total += 1
    return total // 2, total - total // 2


# Convolution
# -----------


def _conv_terms(
    length: int, kernel_size: int, geometry: Geometry
) -> Iterator[tuple[int, int, int]]:
    """Each (m, k, i): output m takes tap k times sample i. Padding is zero and gives no term."""
    stride, dilation, left, right = geometry
    n_outputs = (left + length + right - dilation * (kernel_size - 1) - 1) // stride + 1
    for m in range(n_outputs):
        for k in range(kernel_size):
            i = m * stride + k * dilation - left
            if 0 <= i < length:
                yield m, k, i


def conv1d_forward(x: Array, w: Array, b: Array, geometry: Geometry) -> Array:
    """y[n,m,f] = b[f] + sum_k sum_c x[n, m S + k d - left, c] w[k,c,f]."""
    n_traces, length, n_channels = x.shape
    kernel_size, _, n_filters = w.shape
    stride, dilation, left, right = geometry
    n_outputs = (left + length + right - dilation * (kernel_size - 1) - 1) // stride + 1
    y = np.zeros((n_traces, n_outputs, n_filters), np.result_type(x, w))
    y += b
    for n in range(n_traces):
        for m, k, i in _conv_terms(length, kernel_size, geometry):
            for c in range(n_channels):
                for f in range(n_filters):
                    y[n, m, f] += x[n, i, c] * w[k, c, f]
    return y


def conv1d_backward(
    dy: Array, x: Array, w: Array, geometry: Geometry
) -> tuple[Array, Array, Array]:
    """Return dx, dw, db: the same terms, each added to the gradients of its two factors."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(w[0, 0])
    for n in range(len(x)):
        for m, k, i in _conv_terms(x.shape[1], len(w), geometry):
            for c in range(w.shape[1]):
                for f in range(w.shape[2]):
                    dx[n, i, c] += dy[n, m, f] * w[k, c, f]
                    dw[k, c, f] += dy[n, m, f] * x[n, i, c]
        for m in range(dy.shape[1]):
            for f in range(w.shape[2]):
                db[f] += dy[n, m, f]
    return dx, dw, db


# Pooling, and its opposite
# -------------------------


def _first_maximum(samples: Array) -> int:
    """Return the index of the first maximum."""
    best = 0
    for j in range(1, len(samples)):
        if samples[j] > samples[best]:
            best = j
    return best


def maxpool1d_forward(x: Array, pool_size: int, stride: int) -> Array:
    """y[n,m,c] = max over j < P of x[n, m S + j, c]."""
    n_traces, length, n_channels = x.shape
    y = np.zeros((n_traces, (length - pool_size) // stride + 1, n_channels), x.dtype)
    for n, m, c in np.ndindex(*y.shape):
        window = x[n, m * stride : m * stride + pool_size, c]
        y[n, m, c] = window[_first_maximum(window)]
    return y


def maxpool1d_backward(dy: Array, x: Array, pool_size: int, stride: int) -> Array:
    """dx[n, m S + j, c] += dy[n,m,c] for the j of the maximum of window m."""
    dx = np.zeros_like(x)
    for n, m, c in np.ndindex(*dy.shape):
        window = x[n, m * stride : m * stride + pool_size, c]
        dx[n, m * stride + _first_maximum(window), c] += dy[n, m, c]
    return dx


def global_maxpool1d_forward(x: Array) -> Array:
    """y[n,c] = max over l of x[n,l,c]: a window as long as the trace."""
    return maxpool1d_forward(x, x.shape[1], 1)[:, 0]


def global_maxpool1d_backward(dy: Array, x: Array) -> Array:
    """dx[n,l,c] = dy[n,c] for the l of the maximum."""
    return maxpool1d_backward(dy[:, None], x, x.shape[1], 1)


def averagepool1d_forward(x: Array, pool_size: int, stride: int) -> Array:
    """y[n,m,c] = sum over j < P of x[n, m S + j, c] / P."""
    n_traces, length, n_channels = x.shape
    y = np.zeros((n_traces, (length - pool_size) // stride + 1, n_channels), x.dtype)
    for n, m, c in np.ndindex(*y.shape):
        for j in range(pool_size):
            y[n, m, c] += x[n, m * stride + j, c] / pool_size
    return y


def averagepool1d_backward(dy: Array, x: Array, pool_size: int, stride: int) -> Array:
    """dx[n, m S + j, c] += dy[n,m,c] / P for all j."""
    dx = np.zeros_like(x)
    for n, m, c in np.ndindex(*dy.shape):
        for j in range(pool_size):
            dx[n, m * stride + j, c] += dy[n, m, c] / pool_size
    return dx


def global_averagepool1d_forward(x: Array) -> Array:
    """y[n,c] = sum over l of x[n,l,c] / L: a window as long as the trace."""
    return averagepool1d_forward(x, x.shape[1], 1)[:, 0]


def global_averagepool1d_backward(dy: Array, x: Array) -> Array:
    """dx[n,l,c] = dy[n,c] / L."""
    return averagepool1d_backward(dy[:, None], x, x.shape[1], 1)


def upsample1d_forward(x: Array, factor: int) -> Array:
    """y[n, k m + j, c] = x[n,m,c] for the j below k."""
    n_traces, length, n_channels = x.shape
    y = np.zeros((n_traces, factor * length, n_channels), x.dtype)
    for n, m, c in np.ndindex(*x.shape):
        for j in range(factor):
            y[n, factor * m + j, c] = x[n, m, c]
    return y


def upsample1d_backward(dy: Array, x: Array, factor: int) -> Array:
    """dx[n,m,c] += dy[n, k m + j, c] for the j below k."""
    dx = np.zeros_like(x)
    for n, m, c in np.ndindex(*x.shape):
        for j in range(factor):
            dx[n, m, c] += dy[n, factor * m + j, c]
    return dx


# Two modes
# ---------


def batchnorm_statistics(x: Array) -> tuple[Array, Array]:
    """Return m[c] = sum_r x[r,c] / R and v[c] = sum_r (x[r,c] - m[c])² / R, for rows x (R, C)."""
    n_rows, n_channels = x.shape
    mean, var = np.zeros(n_channels, x.dtype), np.zeros(n_channels, x.dtype)
    for r, c in np.ndindex(*x.shape):
        mean[c] += x[r, c] / n_rows
    for r, c in np.ndindex(*x.shape):
        var[c] += (x[r, c] - mean[c]) ** 2 / n_rows
    return mean, var


def batchnorm_forward(x: Array, mean: Array, var: Array, gamma: Array, beta: Array) -> Array:
    """y[r,c] = gamma[c] (x[r,c] - m[c]) / sqrt(v[c] + eps) + beta[c]: of the batch, or running."""
    y = np.zeros_like(x)
    for r, c in np.ndindex(*x.shape):
        y[r, c] = gamma[c] * (x[r, c] - mean[c]) / np.sqrt(var[c] + 1e-5) + beta[c]
    return y


def batchnorm_backward(dy: Array, x: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """In training: every dy[q,c] contributes to every x[r,c], by dz[q] / dx[r] for each pair."""
    n_rows, n_channels = x.shape
    mean, var = batchnorm_statistics(x)
    s, zero = np.sqrt(var + 1e-5), np.zeros(n_channels)
    z = batchnorm_forward(x, mean, var, zero + 1, zero)
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for q, c in np.ndindex(*x.shape):
        dgamma[c] += dy[q, c] * z[q, c]
        dbeta[c] += dy[q, c]
        for r in range(n_rows):
            moves = ((q == r) - 1 / n_rows - z[q, c] * z[r, c] / n_rows) / s[c]
            dx[r, c] += dy[q, c] * gamma[c] * moves
    return dx, dgamma, dbeta


def batchnorm_remember(running: Array, seen: Array, n_rows: int, *, is_var: bool) -> Array:
    """0.9 of the old value and 0.1 of the new one; a variance with R - 1 in place of R."""
    moved = np.zeros_like(running)
    for c in range(len(running)):
        share = n_rows / (n_rows - 1) if is_var else 1
        moved[c] = 0.9 * running[c] + 0.1 * share * seen[c]
    return moved


def dropout(x: Array, keep: Array, rate: float) -> Array:
    """y[i] = x[i] / (1 - rate) where it is kept, else 0; and dx from dy in the same way."""
    y = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        if keep[index]:
            y[index] = x[index] / (1 - rate)
    return y


# Dense and softmax
# -----------------


def dense_forward(x: Array, w: Array, b: Array) -> Array:
    """y[n,j] = b[j] + sum_i x[n,i] w[i,j]."""
    y = np.zeros((len(x), w.shape[1]), np.result_type(x, w))
    for n, j in np.ndindex(*y.shape):
        y[n, j] = b[j]
        for i in range(len(w)):
            y[n, j] += x[n, i] * w[i, j]
    return y


def dense_backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Return dx, dw, db: the same terms, each added to the gradients of its two factors."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(w[0])
    for n, j in np.ndindex(*dy.shape):
        db[j] += dy[n, j]
        for i in range(len(w)):
            dx[n, i] += dy[n, j] * w[i, j]
            dw[i, j] += dy[n, j] * x[n, i]
    return dx, dw, db


def softmax_forward(x: Array) -> Array:
    """y[n,i] = exp(x[n,i]) / sum_j exp(x[n,j]), for scores of moderate size."""
    y = np.zeros_like(x)
    for n in range(len(x)):
        total = sum(np.exp(x[n, j]) for j in range(x.shape[1]))
        for i in range(x.shape[1]):
            y[n, i] = np.exp(x[n, i]) / total
    return y


def softmax_backward(dy: Array, x: Array) -> Array:
    """dx[n,j] = sum_i dy[n,i] y[n,i] ((1 if i = j else 0) - y[n,j])."""
    y = softmax_forward(x)
    dx = np.zeros_like(x)
    for n, i in np.ndindex(*x.shape):
        for j in range(x.shape[1]):
            dx[n, j] += dy[n, i] * y[n, i] * ((i == j) - y[n, j])
    return dx
