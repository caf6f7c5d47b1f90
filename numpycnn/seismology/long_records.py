"""Long records: a network run over a day of data, a piece at a time.

A seismometer at a hundred samples a second writes 8.64 million of them a day.
A network of convolutions takes a record of any length, but its maps are as
long as the record and have many channels: the day is 35 megabytes, and one
map of sixteen filters over it is half a gigabyte.

The filters are short, though. An output depends only on the samples under its
window, which `receptive_field` tells of every layer and of the network as a whole. So ask
for the outputs piece by piece, and run the network over the stretch of the
record that those outputs look at.

Two neighboring pieces share the samples that both need, a window long, and
compute with them twice; that is all it costs. A stretch has ends of its own, and
the padding of the layers puts zeros there, where the record has samples. But
the outputs that see them have windows that reach beyond the stretch, so none of
them is asked for: only at the ends of the record, where the zeros belong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer, require_layer


def predict_long(model: Layer, x: Array, piece: int = 16_384) -> Array:
    """Return what `model.predict(x)` would, computing `piece` outputs at a time.

    `x` (N, L, C) is long; the memory needed besides it and the result does not depend
    on L. The numbers are those of `predict` to rounding: products of other sizes may
    add up their terms in another order.

    >>> from numpycnn import Conv1D, Dense, MaxPool1D, ReLU, Sequential
    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Dense(8, 2))
    >>> x = np.random.default_rng(0).standard_normal((1, 1000, 1))
    >>> y = predict_long(model, x, piece=64)
    >>> y.shape, bool(np.allclose(y, model.predict(x)))
    ((1, 500, 2), True)

    Gaps in the record are NaN. Outputs whose window has a gap in it are NaN; the others are
    computed as if there were none.

    Raises `ValueError` for a model with a layer that looks at the whole record, such as
    `Flatten`, or that does not say what it looks at, and for a record shorter than one window.
    """
    require_array("predict_long", "x", x, "N L C")
    pieces = cut(model, x.shape[1], piece)
    return np.concatenate([model(x[:, p.samples])[:, p.wanted] for p in pieces], axis=1)


# Where to cut
# ------------
# With strides, only outputs a whole stride apart are computed alike. So a stretch begins a whole
# number of strides after the record does, and ends as many before it ends: the zeros of
# padding "same" depend on what is left over when the length is divided.


class Piece(NamedTuple):
    """Some outputs of a long record, and how to get them.

    - `outputs`: which ones, of all the outputs of the record
    - `samples`: the stretch of the record that they look at
    - `wanted`: which ones they are, of the outputs that the stretch gives
    """

    outputs: slice
    samples: slice
    wanted: slice


def cut(model: Layer, length: int, piece: int = 16_384) -> Iterator[Piece]:
    """Cut a record of this length into pieces of `piece` outputs, the last one perhaps shorter.

    They can be computed in any order, and anywhere.

    >>> from numpycnn import Conv1D
    >>> for part in cut(Conv1D(1, 8, 5, padding="same"), 100, piece=64):
    ...     print(part)
    Piece(outputs=slice(0, 64, None), samples=slice(0, 66, None), wanted=slice(0, 64, None))
    Piece(outputs=slice(64, 100, None), samples=slice(62, 100, None), wanted=slice(2, 38, None))

    Raises what `predict_long` raises.
    """
    require_layer("predict_long", model)
    piece = check_int("predict_long", "piece", piece)
    length = check_int("predict_long", "length", length)
    try:
        window = model.receptive_field(length)
    except NotImplementedError as unknown:
        raise ValueError(
            "predict_long: model must have layers that define receptive_field(length), got one "
            f"without: {unknown}"
        ) from unknown
    if window.stride == 0:
        raise ValueError(
            "predict_long: model must have outputs that each depend on a part of the record, got "
            f"{model!r}, whose outputs depend on all of it. Leave out Flatten and GlobalMaxPool1D."
        )

    def whole_strides(n_samples: int) -> int:
        return max(0, n_samples) // window.stride * window.stride

    for first in range(0, window.n_outputs, piece):
        stop = min(first + piece, window.n_outputs)
        # One whole window at least, for outputs that lie in the padding altogether.
        begin = whole_strides(min(window.span(first)[0], length - window.size))
        end = length - whole_strides(length - max(window.span(stop - 1)[1] + 1, window.size))
        skipped = begin // window.stride * len(window.spans)
        yield Piece(slice(first, stop), slice(begin, end), slice(first - skipped, stop - skipped))
