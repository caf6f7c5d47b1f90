"""Long records: a network run over a day of data, a piece at a time.

A seismometer at a hundred samples a second writes 8.64 million of them a day.
A network of convolutions takes a record of any length, but its maps are as
long as the record and have many channels: the day is 35 megabytes, and one
map of sixteen filters over it is half a gigabyte.

The filters are short, though. An output depends only on the samples under its
window, those on the outputs of the layer before under theirs, and so back to a
stretch of the record, its *receptive field*. So ask for the outputs piece by
piece, find out backwards which stretch each layer needs, and run only that.

Two neighbouring pieces share the stretch that both need, a receptive field
long, and compute it twice; that is all it costs. At the ends of the record, and
only there, the layers see the zeros that their padding would have put there.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.layers import Conv1D, Dense, MaxPool1D, ReLU, Sequential, Softmax
from numpycnn.layers.layer import Layer
from numpycnn.types import Array
from numpycnn.validation import require_array, whole_number


class Window(NamedTuple):
    """What an output looks at: output m at the samples from m S - left on, `reach` of them."""

    reach: int
    stride: int
    left: int
    n_outputs: int


def window_of(layer: Layer, length: int) -> Window:
    """Return the window of a layer's outputs for traces of this length.

    >>> window_of(Conv1D(1, 8, 5, padding="same"), 64)
    Window(reach=5, stride=1, left=2, n_outputs=64)

    Raises `ValueError` for a layer whose outputs look at the whole trace.
    """
    if isinstance(layer, Conv1D):
        left, right = layer.zeros_around(length)
        n_outputs = (left + length + right - layer.reach) // layer.stride + 1
        return Window(layer.reach, layer.stride, left, n_outputs)
    if isinstance(layer, MaxPool1D):
        n_outputs = (length - layer.pool_size) // layer.stride + 1
        return Window(layer.pool_size, layer.stride, 0, n_outputs)
    if isinstance(layer, Dense | ReLU | Softmax):
        return Window(1, 1, 0, length)
    raise ValueError(
        f"predict_long expected layers whose outputs each look at a stretch of the record, got "
        f"{layer!r}; use convolutions, pooling, ReLU, Dense and Softmax"
    )


def predict_long(model: Sequential, x: Array, piece: int = 65_536) -> Array:
    """Return what `model.predict(x)` would, computing `piece` outputs at a time.

    `x` (N, L, C) is long; the memory needed besides it and the result does not depend
    on L. The numbers are those of `predict` to rounding: products of other sizes may
    add up their terms in another order.

    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Dense(8, 2))
    >>> x = np.random.default_rng(0).standard_normal((1, 1000, 1))
    >>> y = predict_long(model, x, piece=64)
    >>> y.shape, bool(np.allclose(y, model.predict(x)))
    ((1, 500, 2), True)

    Raises `ValueError` for a model with a layer that looks at the whole record, such as
    `Flatten`, and for a record shorter than one window.
    """
    piece = whole_number("predict_long", "piece", piece)
    require_array("predict_long", "x", x, "N L C")
    layers = [layer for _, layer in model.leaves()]
    windows, length = [], x.shape[1]
    for layer in layers:
        windows.append(window_of(layer, length))
        length = windows[-1].n_outputs
        if length < 1:
            model.predict(x)  # raises, and names the layer that it is too short for
    unpadded = [_without_padding(layer) for layer in layers]

    pieces = [
        _outputs(unpadded, windows, x, first, min(first + piece, length))
        for first in range(0, length, piece)
    ]
    return np.concatenate(pieces, axis=1)


def _without_padding(layer: Layer) -> Layer:
    """The same layer with the zeros left to whoever calls it."""
    if not isinstance(layer, Conv1D):
        return layer
    return Conv1D(**{**layer.options(), "padding": "valid"}).with_params(layer.params)


def _outputs(layers: list[Layer], windows: list[Window], x: Array, first: int, last: int) -> Array:
    """Return the last layer's outputs from `first` to `last`, the latter not included."""
    # Backwards: which stretch does each layer need, and what of it is there? The stretch may
    # reach beyond the ends of what the layer before can give, into the padding.
    lengths = [x.shape[1], *(window.n_outputs for window in windows)]
    stretches = []
    for window, length in zip(reversed(windows), reversed(lengths[:-1]), strict=True):
        begin = first * window.stride - window.left
        end = (last - 1) * window.stride - window.left + window.reach
        first = min(max(0, begin), length - 1)
        last = max(min(end, length), first + 1)
        stretches.append((begin, end, first, last))

    # Forwards: run those stretches, with zeros where they go beyond the ends.
    y = x[:, first:last]
    for layer, (begin, end, first, last) in zip(layers, reversed(stretches), strict=True):
        zeros = max(0, first - begin), max(0, end - last)
        y = np.pad(y, ((0, 0), zeros, (0, 0)))
        skip = max(0, begin - first)  # of a stretch that lies in the padding altogether
        y, _ = layer.forward(y[:, skip : skip + end - begin])
    return y
