"""Keras, given our weights, answers as `predict` does, and its own weights come back."""

import os
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from nets import blocks, changed, classifiers, in_use, is_same, ways_around

import numpycnn as nn
from numpycnn.checks.strategies import layers_and_inputs
from numpycnn.interop import from_keras, to_keras

BACKEND = "torch" if find_spec("torch") else "jax"
pytest.importorskip(BACKEND, reason="python -m pip install -e '.[interop]'")
os.environ["KERAS_BACKEND"] = BACKEND
keras = pytest.importorskip("keras", reason="python -m pip install -e '.[interop]'")
# Keras's own: when it hands its weights out, and its advice on a single class.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:(?s).*softmax over axis -1:UserWarning"),
]


class Around(keras.Layer):
    """What layers make of x, joined with x, or with what a shortcut makes of it."""

    def __init__(self, layers, join, shortcut=None):
        super().__init__()
        self.inside, self.join, self.shortcut = keras.Sequential(layers), join, shortcut

    def call(self, x):
        return self.join([x if self.shortcut is None else self.shortcut(x), self.inside(x)])


def convolution(ours):
    # With both Keras refuses.
    assume(ours.stride == 1 or ours.dilation == 1)
    options = {"strides": ours.stride, "dilation_rate": ours.dilation}
    by_name = isinstance(ours.padding, str)
    layer = keras.layers.Conv1D(
        ours.out_channels,
        ours.kernel_size,
        padding=ours.padding if by_name else "valid",
        **options,
    )
    if by_name:
        return layer
    return keras.Sequential([keras.layers.ZeroPadding1D(ours.zeros_around(1)), layer])


def twin_of(layer):
    """The same layer in Keras, without its weights."""
    if isinstance(layer, nn.Sequential):
        inside = [twin_of(part) for part in layer]
        if type(layer) is nn.Residual:
            around = layer.shortcut
            return Around(inside, sum, None if around is None else twin_of(around))
        if type(layer) is nn.Beside:
            return Around(inside, partial(keras.ops.concatenate, axis=-1))
        return keras.Sequential(inside)
    pooling = vars(layer).get("pool_size"), vars(layer).get("stride")
    return {
        nn.Conv1D: lambda: convolution(layer),
        nn.Dense: lambda: keras.layers.Dense(layer.out_features),
        nn.BatchNorm: lambda: keras.layers.BatchNormalization(epsilon=1e-5),
        nn.Dropout: lambda: keras.layers.Dropout(layer.rate),
        nn.ReLU: keras.layers.ReLU,
        nn.Softmax: keras.layers.Softmax,
        nn.Flatten: keras.layers.Flatten,
        nn.MaxPool1D: lambda: keras.layers.MaxPooling1D(*pooling),
        nn.AveragePool1D: lambda: keras.layers.AveragePooling1D(*pooling),
        nn.Upsample1D: lambda: keras.layers.UpSampling1D(layer.factor),
        nn.GlobalMaxPool1D: keras.layers.GlobalMaxPooling1D,
        nn.GlobalAveragePool1D: keras.layers.GlobalAveragePooling1D,
    }[type(layer)]()


@given(in_use(layers_and_inputs()) | classifiers() | ways_around() | blocks())
@settings(max_examples=25, phases=[Phase.generate])  # each takes a tenth of a second
def test_every_layer_and_container_answers_as_predict_does(drawn):
    model, x = drawn
    assume(x.ndim > 1)
    model, x = model.astype(np.float32), x.astype(np.float32)
    twin = keras.Sequential([keras.Input(x.shape[1:]), twin_of(model)])
    twin.set_weights(to_keras(model))
    ours = model.predict(x)
    largest = abs(ours).max(initial=1.0)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(twin(x)), ours, rtol=0, atol=1e-5 * largest
    )
    assert is_same(from_keras(changed(model), twin.get_weights()), model)
