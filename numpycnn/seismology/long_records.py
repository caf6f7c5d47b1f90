"""Long records: apply a network to a record of a day in chunks.

At a hundred samples per second a seismometer records 8.64 million samples a day. A convolutional
network accepts a record of any length, but its maps are as long as the record and have many
channels: the day needs 35 megabytes, and one map of sixteen filters half a gigabyte.

Each output depends only on the samples in its receptive field, which is short. The outputs can
therefore be computed in chunks, from the interval of the record that these outputs depend on.

Two neighboring intervals overlap by the length of a receptive field, and these samples are
processed twice. At the ends of an interval the padding of the layers adds zeros where the record
has samples. The outputs that depend on these zeros are discarded, except at the ends of the record,
where the padding is intended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn._validation import check_int, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_layer


def predict_long(model: Layer, x: Array, piece: int = 16_384) -> Array:
    """Compute `model.predict(x)` for a long record, `piece` outputs at a time.

    Parameters
    ----------
    model : Layer
        A network in which each output depends on a part of the record.
    x : ndarray, shape (N, L, C)
        Records. Gaps are NaN.
    piece : int
        Outputs per chunk. The memory required, apart from `x` and the result, does not depend on L.

    Returns
    -------
    ndarray, shape (N, M, ...)
        The output. It is NaN where the receptive field contains a gap.

    Raises
    ------
    ValueError
        If a layer depends on the whole record, such as `Flatten`, or does not define
        `receptive_field`, or if the record is shorter than one receptive field.

    Notes
    -----
    The result equals that of `predict` up to rounding, because matrix products of another size may
    add their terms in another order.

    Examples
    --------
    >>> from numpycnn import Conv1D, Dense, MaxPool1D, ReLU, Sequential
    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Dense(8, 2))
    >>> x = np.random.default_rng(0).standard_normal((1, 1000, 1))
    >>> y = predict_long(model, x, piece=64)
    >>> y.shape, bool(np.allclose(y, model.predict(x)))
    ((1, 500, 2), True)
    """
    require_array("predict_long", "x", x, "N L C")
    pieces = cut(model, x.shape[1], piece)
    return np.concatenate([model(x[:, p.samples])[:, p.wanted] for p in pieces], axis=1)


# Where to cut
# ------------
# With strides, only outputs that are a multiple of the stride apart are computed in the same way.
# An interval therefore begins and ends a multiple of the stride from the ends of the record: the
# padding "same" depends on the remainder when the length is divided by the stride.


class Piece(NamedTuple):
    """Some outputs of a long record, and how to compute them.

    - `outputs`: their indices among all outputs of the record
    - `samples`: the interval of the record that they depend on
    - `wanted`: their indices among the outputs of this interval
    """

    outputs: slice
    samples: slice
    wanted: slice


def cut(model: Layer, length: int, piece: int = 16_384) -> Iterator[Piece]:
    """Cut a record of this length into pieces of `piece` outputs, the last one perhaps shorter.

    The pieces are independent of each other.

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
        # At least one whole window, for outputs that depend on padding only.
        begin = whole_strides(min(window.span(first)[0], length - window.size))
        end = length - whole_strides(length - max(window.span(stop - 1)[1] + 1, window.size))
        skipped = begin // window.stride * len(window.spans)
        yield Piece(slice(first, stop), slice(begin, end), slice(first - skipped, stop - skipped))
