"""The layout that Lux (Julia) documents, as chapter 12 lists it, checked by loops over indices.

Lux itself does not run here. Its documentation gives the axes of each array and, for each layer,
the sum that it computes. The loops below compute these sums from arrays in that layout.
"""

from itertools import product

import numpy as np
from exchange import random_array, strided
from hypothesis import given
from hypothesis import strategies as st
from nets import blocks, classifiers, ways_around

import numpycnn as nn
from numpycnn.interop import to_torch


def for_lux(model, shape):
    """The arrays of a network by place: PyTorch's, read from the other end, and taps flipped.

    Julia's first axis runs fastest, NumPy's last. So the (F, C, K) of PyTorch is (K, C, F) there.
    A dense weight is (E, D) in both.
    """
    arrays = to_torch(model, shape)
    return {name: a.T[::-1] if a.ndim == 3 else a for name, a in arrays.items()}


def conv(layer, w, b, x):
    """y[m,f,n] = sum_k sum_c x[m S + (K - 1 - k) d, c, n] w[k,c,f], a true convolution."""
    n_taps, _, n_filters = w.shape
    x = np.pad(x, (layer.pad_widths(len(x)), (0, 0), (0, 0)))  # pad=(left, right)
    n_outputs = (len(x) - layer.dilation * (n_taps - 1) - 1) // layer.stride + 1
    y = np.zeros((n_outputs, n_filters, x.shape[2]))
    for m, k in product(range(n_outputs), range(n_taps)):
        y[m] += w[k].T @ x[m * layer.stride + (n_taps - 1 - k) * layer.dilation]
    return y + b[:, None]


def pooled(layer, x, largest_or_mean):
    starts = range(0, len(x) - layer.pool_size + 1, layer.stride)
    return np.stack([largest_or_mean(x[m : m + layer.pool_size], axis=0) for m in starts])


def run(layer, arrays, x, place=""):
    """The output of a layer for x (L, C, N), or (D, N) after the flattening."""
    kind = type(layer)
    if isinstance(layer, nn.Sequential):
        y = x
        for number, part in enumerate(layer):
            y = run(part, arrays, y, f"{place}{number}.")
        if kind is nn.Residual:
            around = layer.shortcut
            y = y + (x if around is None else run(around, arrays, x, f"{place}shortcut."))
        return np.concatenate([x, y], axis=1) if kind is nn.SkipConcat else y
    w, b = (arrays.get(place + name, np.zeros(1)) for name in ("weight", "bias"))
    if kind is nn.Conv1D:
        return conv(layer, w, b, x)
    if kind is nn.Dense:  # on maps, a convolution with one tap
        return (w if x.ndim == 2 else w[0].T) @ x + b[:, None]
    if kind is nn.BatchNorm:
        mean, var = (arrays[place + name][:, None] for name in ("running_mean", "running_var"))
        return w[:, None] * (x - mean) / np.sqrt(var + layer.eps) + b[:, None]
    return {
        nn.MaxPool1D: lambda: pooled(layer, x, np.max),
        nn.AveragePool1D: lambda: pooled(layer, x, np.mean),
        nn.GlobalMaxPool1D: lambda: x.max(axis=0),
        nn.GlobalAveragePool1D: lambda: x.mean(axis=0),
        nn.Flatten: lambda: x.reshape((-1, x.shape[2]), order="F"),  # l + L c
        nn.Upsample1D: lambda: x.repeat(layer.factor, axis=0),
        nn.ReLU: lambda: np.maximum(x, 0),
        nn.Softmax: lambda: np.exp(x) / np.exp(x).sum(axis=-2, keepdims=True),
        nn.Dropout: lambda: x,
    }[kind]()


def check(model, x):
    theirs = run(model, for_lux(model, x.shape[1:]), x.transpose(1, 2, 0))
    theirs = theirs.transpose(2, 0, 1) if theirs.ndim == 3 else theirs.T
    np.testing.assert_allclose(theirs, model.predict(x), rtol=1e-10, atol=1e-10)


@given(classifiers() | ways_around() | blocks())
def test_networks_in_the_documented_layout(drawn):
    check(*drawn)


@given(strided(), st.sampled_from([0, 1e7]))
def test_convolutions_of_every_stride_padding_and_dilation(drawn, offset):
    layer, lengths = drawn
    model = layer.astype(np.float64)
    for length in lengths:
        check(model, offset + random_array((2, length, layer.in_channels), length, np.float64))
