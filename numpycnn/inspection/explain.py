"""Explain: what a trained network looks at.

A network that names the right class has told us nothing about why. Three
questions can be put to it, and each has an exact answer.

*What does each layer make of the trace?* Keep every layer's output instead of the last
one only: the *activations*.

*Which samples can an output depend on at all?* Those under its window, and the windows
of the layers before: its *receptive field*, a matter of arithmetic, not of weights.

*Which samples does the decision rest on?* Ask how the score of a class would change if
a sample changed by a little. That is a gradient, and `backward` returns it as a matter of
course, for the input as for any other array: the *saliency*.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn._validation import check_int, require_finite, require_labels
from numpycnn.layers import (
    AveragePool1D,
    Dropout,
    GlobalAveragePool1D,
    Layer,
    ReceptiveField,
    Sequential,
    Softmax,
    Upsample1D,
)
from numpycnn.layers.activations import Activation, activations
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import require_layer

__all__ = [
    "Activation",
    "Field",
    "activations",
    "probabilities",
    "receptive_fields",
    "saliency",
]


def probabilities(model: Layer, x: Array) -> Array:
    """Return the probability of each class, (N, n_classes): the softmax of the model's scores.

    The output of a model that ends in `Softmax` is returned as it is. A model with a single score
    decides between two classes: the columns are [1 - p, p] with p = 1 / (1 + exp(-score)).

    >>> from numpycnn import Dense
    >>> layer = Dense(1, 2, rng=0)
    >>> layer.params["w"][:] = [[0.0, np.log(3.0)]]
    >>> x = np.ones((1, 1))
    >>> probabilities(layer, x)
    array([[0.25, 0.75]])
    >>> probabilities(Sequential(layer, Softmax()), x)
    array([[0.25, 0.75]])

    Raises `TypeError` for an object that is not a layer, `ValueError` for NaN and infinity in x
    and for a `Softmax` of a single score, which is always 1, and whatever layers raise for traces
    that do not fit.
    """
    require_layer("probabilities", model)
    require_finite("probabilities", "x", x)
    scores = model(x)
    # After a softmax these layers keep rows of probabilities what they are.
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
# Each layer tells what its outputs look at in its input, and `ReceptiveField.then` what that is in
# the input of the layer before, and so back to the trace.
#
# The field says what an output *can* depend on. Within it a dilated filter may skip
# samples, and what lies beyond the ends of the trace are zeros of the padding.


class Field(NamedTuple):
    """What a layer's outputs look at in the trace."""

    place: str  # as in the names of the parameters
    layer: Layer
    receptive_field: ReceptiveField


def receptive_fields(model: Layer, n_samples: int) -> list[Field]:
    """Return what the outputs of each layer look at, for traces of `n_samples`.

    The layers are those of `activations`. From the first one on that mixes the whole trace,
    `Flatten` or `GlobalMaxPool1D`, every output looks at all of it: `reach` is `n_samples`,
    `stride` and `left` are 0.

    >>> from numpycnn import Conv1D, Flatten, MaxPool1D, ReLU
    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Flatten())
    >>> windows = [window for place, layer, window in receptive_fields(model, 64)]
    >>> [(window.size, window.stride, window.left) for window in windows]
    [(5, 1, 2), (5, 1, 2), (6, 2, 2), (64, 0, 0)]
    >>> windows[2].span(10)
    (18, 23)

    Raises `TypeError` for what is no layer, and `ValueError` for a layer that does not say what
    it looks at and for traces shorter than a window.
    """
    require_layer("receptive_fields", model)
    n_samples = check_int("receptive_fields", "n_samples", n_samples)
    everything = ReceptiveField.whole_trace(n_samples)
    try:
        windows = dict(_windows("", model, ReceptiveField.each_sample(n_samples)))
    except NotImplementedError as unknown:
        raise ValueError(f"receptive_fields cannot see through it: {unknown}") from unknown
    return [
        Field(place, layer, windows[place] if windows[place].stride else everything)
        for place, layer in model.walk()
        if place in windows
    ]


def _windows(
    place: str, layer: Layer, seen: ReceptiveField
) -> Iterator[tuple[str, ReceptiveField]]:
    """Yield what a layer and those inside it look at, if the numbers that go in look at `seen`."""
    inside = seen
    for inner, part in enumerate(layer if isinstance(layer, Sequential) else ()):
        yield from _windows(f"{place}.{inner}" if place else str(inner), part, inside)
        inside = inside.through(part)
    yield place, seen.through(layer)


# Saliency
# --------
# To train, backward is started with the gradient of the loss. Start it with a 1 for the
# score of one class and 0 for the others instead, and it returns the gradient of that
# score: for each sample, by how much the score rises per unit that the sample rises.
#
# A network of convolutions, ReLU, maxima and dense layers is a patchwork of linear
# functions. On the patch that holds the trace, the score is
#
# $$s = \sum_i g_i x_i + \sum_j h_j b_j$$
#
# where $g$ is the gradient with respect to the samples and $h$ that with respect to the
# biases. So `gradient * x` says what each sample *contributes* to the score, up to the
# biases' share: a sample of zero contributes nothing, however steep the score is there.
#
# Both are about small changes. The gradient does not say what the score would be if the
# arrival were gone, for that lies on another patch.
#
# Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks:
# visualizing image classification models and saliency maps" (2013), equation 3.


def saliency(model: Layer, x: Array, labels: Array | int) -> Array:
    """Return d score / d x (N, L, C): what each sample does to the score of class `labels`.

    Args:
        model: gives a row of scores for each trace. Leave a final `Softmax` off: where
            the network is sure, the probability hardly changes whatever the sample does.
        x: the traces (N, L, C).
        labels: whose score, a class for each trace (N,), or one for all.

    >>> from numpycnn import Dense, Flatten
    >>> model = Sequential(Flatten(), Dense(3, 2, rng=0))
    >>> model.params["1.w"][:] = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    >>> saliency(model, np.zeros((1, 3, 1)), 1).ravel()
    array([4., 5., 6.])

    Raises `TypeError` or `ValueError` for traces of another shape or with NaN in them, for
    a model without one row of scores for each trace, and for labels without a score.
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
