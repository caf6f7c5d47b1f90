"""Explain: which samples the output of a trained network depends on.

A correct prediction does not show how the network arrives at it. Three functions help:

*The output of each layer.* `activations` returns the output of every layer, not only the last one.

*The samples that an output can depend on.* The *receptive field* of an output contains the samples
under its window and under the windows of the layers before. It follows from kernel sizes and
strides and does not depend on the weights.

*The samples that the prediction does depend on.* The *saliency* is the gradient of a class score
with respect to the input: how much the score changes per unit of change of each sample. `backward`
computes it like any other gradient. The saliency is exact for infinitesimal changes of the trace,
and only an approximation for larger ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn import (
    AveragePool1D,
    Dropout,
    GlobalAveragePool1D,
    Layer,
    Sequential,
    Softmax,
    Upsample1D,
)
from numpycnn._targets import require_labels
from numpycnn._types import Array
from numpycnn._validation import check_int, require_finite
from numpycnn.layers.activations import Activation, activations
from numpycnn.layers.describing import defining
from numpycnn.layers.prediction import require_layer
from numpycnn.layers.receptive_field import ReceptiveField

__all__ = [
    "Activation",
    "Field",
    "activations",
    "probabilities",
    "receptive_fields",
    "saliency",
]


def probabilities(model: Layer, x: Array) -> Array:
    """Return the probability of each class: the softmax of the model's scores.

    Parameters
    ----------
    model : Layer
        A network. If it ends in `Softmax`, its output is returned unchanged. A model with a single
        score decides between two classes: the columns are [1 - p, p] with p = 1 / (1 +
        exp(-score)).
    x : ndarray, shape (N, L, C)
        Traces, or another input of the model.

    Returns
    -------
    ndarray, shape (N, n_classes)
        Probabilities.

    Raises
    ------
    TypeError
        If `model` is not a layer.
    ValueError
        If `x` contains NaN or infinity or has another shape, or if the model applies a `Softmax` to
        a single score, which is always 1.

    Examples
    --------
    >>> from numpycnn import Dense
    >>> layer = Dense(1, 2, rng=0)
    >>> layer.params["w"][:] = [[0.0, np.log(3.0)]]
    >>> x = np.ones((1, 1))
    >>> probabilities(layer, x)
    array([[0.25, 0.75]])
    >>> probabilities(Sequential(layer, Softmax()), x)
    array([[0.25, 0.75]])
    """
    require_layer("probabilities", model)
    require_finite("probabilities", "x", x)
    scores = model(x)
    # After a softmax, the output of these layers is still rows of probabilities.
    keep = Dropout, Upsample1D, AveragePool1D, GlobalAveragePool1D
    kinds = [defining(layer, "forward") for _, layer in model.walk()]
    ends_in_softmax = [kind for kind in kinds if kind not in keep][-1:] == [Softmax]
    if scores.shape[-1] > 1:
        return scores if ends_in_softmax else Softmax()(scores)
    if ends_in_softmax:
        raise ValueError(
            "probabilities: model must have more than one score before its Softmax, got one, whose "
            "softmax is always 1. Leave the Softmax out."
        )
    return Softmax()(np.concatenate([np.zeros_like(scores), scores], axis=-1))


def require_row_of_scores(caller: str, scores: Array) -> None:
    """Raise `ValueError` unless these outputs of a model are a row for each trace."""
    if scores.ndim != 2:
        raise ValueError(
            f"{caller}: the output of model must have shape (N, D), a row of scores for each "
            f"trace, got {scores.shape}. End the model in Flatten or GlobalMaxPool1D, and Dense."
        )


# Receptive fields
# ----------------
# For each output, a layer returns the samples of its input that the output depends on.
# `ReceptiveField.through` composes these from layer to layer, back to the trace.
#
# An output *can* depend on its receptive field. A dilated filter may skip samples inside it, and
# positions outside the trace are zeros of the padding.


class Field(NamedTuple):
    """The receptive field of a layer's outputs in the trace."""

    place: str  # as in the names of the parameters
    layer: Layer
    receptive_field: ReceptiveField


def receptive_fields(model: Layer, n_samples: int) -> list[Field]:
    """Return the receptive field of the outputs of each layer.

    Parameters
    ----------
    model : Layer
        A network.
    n_samples : int
        Number of samples L of a trace.

    Returns
    -------
    list of Field
        The name, the layer and the receptive field for each layer in `activations`. From the first
        layer on that mixes the whole trace, such as `Flatten` or `GlobalMaxPool1D`, `size` is
        `n_samples`, and `stride` and `left` are 0.

    Raises
    ------
    TypeError
        If `model` is not a layer.
    ValueError
        If a layer does not define `receptive_field`, or if traces are shorter than a window.

    Examples
    --------
    >>> from numpycnn import Conv1D, Flatten, MaxPool1D, ReLU
    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Flatten())
    >>> windows = [window for place, layer, window in receptive_fields(model, 64)]
    >>> [(window.size, window.stride, window.left) for window in windows]
    [(5, 1, 2), (5, 1, 2), (6, 2, 2), (64, 0, 0)]
    >>> windows[2].span(10)
    (18, 23)
    """
    require_layer("receptive_fields", model)
    n_samples = check_int("receptive_fields", "n_samples", n_samples)
    everything = ReceptiveField.whole_trace(n_samples)
    try:
        windows = dict(_windows("", model, ReceptiveField.each_sample(n_samples)))
    except NotImplementedError as unknown:
        raise ValueError(
            "receptive_fields: model must have layers that define receptive_field(length), got one "
            f"without: {unknown}"
        ) from unknown
    return [
        Field(place, layer, windows[place] if windows[place].stride else everything)
        for place, layer in model.walk()
        if place in windows
    ]


def _windows(
    place: str, layer: Layer, seen: ReceptiveField
) -> Iterator[tuple[str, ReceptiveField]]:
    """Yield the receptive fields of a layer and of those inside it, whose input has `seen`."""
    inside = seen
    for inner, part in enumerate(layer if isinstance(layer, Sequential) else ()):
        yield from _windows(f"{place}.{inner}" if place else str(inner), part, inside)
        inside = inside.through(part)
    yield place, seen.through(layer)


# Saliency
# --------
# In training, backward begins with the gradient of the loss. If it begins with a 1 for the score of
# one class and 0 for the others, it returns the gradient of this score: for each sample, the
# increase of the score per unit of increase of the sample.
#
# A network of convolutions, ReLU, maxima and dense layers is piecewise linear. In the piece that
# contains the trace, the score is
#
# $$s = \sum_i g_i x_i + \sum_j h_j b_j$$
#
# where $g$ is the gradient with respect to the samples and $h$ that with respect to the biases.
# `gradient * x` is therefore the *contribution* of each sample to the score, apart from that of the
# biases. A sample of zero contributes nothing, however large the gradient is there.
#
# Both describe small changes. The gradient does not show what the score would be without the
# arrival, because that trace is in another piece.


def saliency(model: Layer, x: Array, labels: Array | int) -> Array:
    """Return the gradient of a class score with respect to the samples.

    Parameters
    ----------
    model : Layer
        A network that returns a row of scores for each trace. Leave a final `Softmax` out: if the
        network is confident, the probability hardly depends on any sample.
    x : ndarray, shape (N, L, C)
        Traces.
    labels : int or array-like of int, shape (N,)
        The class whose score is differentiated, for each trace or for all of them.

    Returns
    -------
    ndarray, shape (N, L, C)
        The gradient.

    Raises
    ------
    TypeError, ValueError
        If `x` has another type or shape or contains NaN, if the output of the model is not a row of
        scores for each trace, or if there is no score for a label.

    References
    ----------
    K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks: visualizing image
    classification models and saliency maps" (2013), equation 3.

    Examples
    --------
    >>> from numpycnn import Dense, Flatten
    >>> model = Sequential(Flatten(), Dense(3, 2, rng=0))
    >>> model.params["1.w"][:] = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    >>> saliency(model, np.zeros((1, 3, 1)), 1).ravel()
    array([4., 5., 6.])
    """
    require_finite("saliency", "x", x, "N L C")
    scores, cache = model.forward(x)
    require_row_of_scores("saliency", scores)
    dscores = np.zeros_like(scores)
    shape = None if np.ndim(labels) == 0 else (len(x),)
    labels = require_labels("saliency", "labels", labels, scores.shape[1], shape)
    dscores[np.arange(len(x)), labels] = 1
    gradient, _ = model.backward(dscores, cache)
    return gradient
