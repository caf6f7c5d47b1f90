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

from typing import NamedTuple

import numpy as np

from numpycnn.layers import Flatten, GlobalMaxPool1D, Sequential, Softmax
from numpycnn.layers.layer import Layer
from numpycnn.long_records import Window, window_of
from numpycnn.types import Array
from numpycnn.validation import require_array, require_finite, require_labels, whole_number

# Activations
# -----------


class Activation(NamedTuple):
    """What one layer made of the traces."""

    place: str  # as in the names of the parameters: "0", or "2.1" within a chain in the chain
    layer: Layer
    output: Array


def activations(model: Sequential, x: Array) -> list[Activation]:
    """Return the output of every layer for the traces x (N, L, C), first to last.

    The last output is what `model.predict(x)` returns. A chain within the chain is
    taken apart into its layers.

    >>> from numpycnn import Conv1D, MaxPool1D, ReLU
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), MaxPool1D(2))
    >>> for place, layer, output in activations(model, np.zeros((1, 64, 1))):
    ...     print(place, layer, output.shape)
    0 Conv1D(1, 8, 5) (1, 60, 8)
    1 ReLU() (1, 60, 8)
    2 MaxPool1D(2, stride=2) (1, 30, 8)

    Raises `TypeError` for a model that is no `Sequential`, and whatever its layers raise
    for traces that do not fit.
    """
    outputs = []
    for place, layer in _leaves("activations", model):
        x, _ = layer.forward(x)
        outputs.append(Activation(place, layer, x))
    return outputs


def probabilities(model: Sequential, x: Array) -> Array:
    """Return the probability of each class, (N, n_classes): the softmax of the model's scores.

    If the model ends in `Softmax`, its output is that already.

    >>> from numpycnn import Dense
    >>> layer = Dense(1, 2, rng=0)
    >>> layer.params["w"][:] = [[0.0, np.log(3.0)]]
    >>> x = np.ones((1, 1))
    >>> probabilities(Sequential(layer), x)
    array([[0.25, 0.75]])
    >>> probabilities(Sequential(layer, Softmax()), x)
    array([[0.25, 0.75]])

    Raises `TypeError` for a model that is no `Sequential`, and whatever its layers raise
    for traces that do not fit.
    """
    _, last = _leaves("probabilities", model)[-1]
    scores = model.predict(x)
    return scores if isinstance(last, Softmax) else Softmax().forward(scores)[0]


# Receptive fields
# ----------------
# Say output `m` of a layer looks at the samples from `m S - left` on, `reach` of them. The
# next layer's output looks at several such outputs, `k` of them, and begins `l` before
# the first. Its first sample is that of its first window, its last sample that of its last:
#
#     reach   grows by (k - 1) S      the windows of neighbours lie S samples apart
#     left    grows by l S
#     S       is multiplied by the next layer's stride
#
# So strides make the field grow fast: behind two poolings by 2, each further tap of a
# filter adds four samples. ReLU and a dense layer at each sample leave it as it is.
#
# The field says what an output *can* depend on. Within it a dilated filter may skip
# samples, and what lies beyond the ends of the trace are zeros of the padding.


class Field(NamedTuple):
    """What a layer's outputs look at: output m at samples from m S - left on, `reach` of them."""

    place: str
    layer: Layer
    reach: int  # samples
    stride: int  # S, samples from one output's field to the next one's
    left: int  # samples that the first field begins before sample 0

    def of(self, m: int) -> tuple[int, int]:
        """Return the first and the last sample, counted from 0, that output m looks at.

        Beyond the ends of the trace, below 0 or from L on, lies the padding.
        """
        first = m * self.stride - self.left
        return first, first + self.reach - 1


def receptive_fields(model: Sequential, n_samples: int) -> list[Field]:
    """Return what the outputs of each layer look at, for traces of `n_samples`.

    From the first layer on that mixes the whole trace, `Flatten` or `GlobalMaxPool1D`,
    every output looks at all of it: `reach` is `n_samples`, `stride` and `left` are 0.

    >>> from numpycnn import Conv1D, Dense, MaxPool1D, ReLU
    >>> model = Sequential(Conv1D(1, 8, 5, padding="same"), ReLU(), MaxPool1D(2), Flatten())
    >>> fields = receptive_fields(model, 64)
    >>> [(field.reach, field.stride, field.left) for field in fields]
    [(5, 1, 2), (5, 1, 2), (6, 2, 2), (64, 0, 0)]
    >>> fields[2].of(10)
    (18, 23)

    Raises `TypeError` or `ValueError` for a model that is no `Sequential`, for a layer of
    your own, whose windows nobody knows, and for traces shorter than a window.
    """
    length = n_samples = whole_number("receptive_fields", "n_samples", n_samples)
    reach, stride, left = 1, 1, 0
    fields = []
    for place, layer in _leaves("receptive_fields", model):
        if isinstance(layer, Flatten | GlobalMaxPool1D):
            reach, stride, left = n_samples, 0, 0
        elif stride > 0:
            window = _window(place, layer, length)
            reach += (window.reach - 1) * stride
            left += window.left * stride
            stride *= window.stride
            length = window.n_outputs
        fields.append(Field(place, layer, reach, stride, left))
    return fields


def _window(place: str, layer: Layer, length: int) -> Window:
    """Return the window of a layer that gets maps of this length, or raise."""
    try:
        window = window_of(layer, length)
    except ValueError as error:
        raise ValueError(
            f"receptive_fields expected layers of this package, got {layer!r} at {place}, "
            "and cannot know what its outputs look at"
        ) from error
    if window.n_outputs < 1:
        raise ValueError(
            f"receptive_fields expected traces long enough for {layer!r} at {place}, which gets "
            f"{length} samples; use a larger n_samples or a smaller window"
        )
    return window


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
# with the gradients $g$ by the samples and $h$ by the biases. So `gradient * x` says what
# each sample *contributes* to the score, up to the biases' share: a sample of zero
# contributes nothing, however steep the score is there.
#
# Both are about small changes. The gradient does not say what the score would be if the
# arrival were gone, for that lies on another patch.
#
# Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks:
# visualising image classification models and saliency maps" (2013), equation 3.


def saliency(model: Layer, x: Array, labels: Array | int) -> Array:
    """Return d score / d x (N, L, C): what each sample does to the score of class `labels`.

    Args:
        model: gives a row of scores for each trace. Leave a final `Softmax` off: where
            the network is sure, the probability hardly changes whatever the sample does.
        x: the traces (N, L, C).
        labels: whose score, a class for each trace (N,), or one for all.

    >>> from numpycnn import Dense
    >>> model = Sequential(Flatten(), Dense(3, 2, rng=0))
    >>> model.params["1.w"][:] = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    >>> saliency(model, np.zeros((1, 3, 1)), 1).ravel()
    array([4., 5., 6.])

    Raises `TypeError` or `ValueError` for traces of another shape or with NaN in them, for
    a model without one row of scores for each trace, and for labels without a score.
    """
    require_array("saliency", "x", x, "N L C")
    require_finite("saliency", "x", x)
    scores, cache = model.forward(x)
    if scores.ndim != 2:
        raise ValueError(
            "saliency expected a model with a row of scores for each trace, (N, D), got outputs "
            f"of shape {scores.shape}; end it in Flatten or GlobalMaxPool1D and Dense"
        )
    dscores = np.zeros_like(scores)
    shape = None if np.ndim(labels) == 0 else (len(x),)
    labels = require_labels("saliency", "labels", labels, scores.shape[1], shape)
    dscores[np.arange(len(x)), labels] = 1
    gradient, _ = model.backward(dscores, cache)
    return gradient


def _leaves(owner: str, model: Sequential) -> list[tuple[str, Layer]]:
    """Return the layers of a Sequential with their places, or raise for what is none."""
    if not isinstance(model, Sequential):
        raise TypeError(f"{owner} expected a Sequential, got {model!r}")
    return list(model.leaves())
