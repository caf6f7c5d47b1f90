"""Keras with our parameters computes what `predict` does, and its parameters come back."""

import os
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from nets import assert_close, blocks, changed, classifiers, in_use, is_same, ways_around

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
    """The output of layers, joined with x or with the output of a shortcut."""

    def __init__(self, layers, join, shortcut=None):
        super().__init__()
        self.inside, self.join, self.shortcut = keras.Sequential(layers), join, shortcut

    def call(self, x):
        return self.join([x if self.shortcut is None else self.shortcut(x), self.inside(x)])


def convolution(ours):
    """The same convolution, padded with zeros where Keras has no such padding."""
    options = {"strides": ours.stride, "dilation_rate": ours.dilation, "use_bias": ours.bias}
    padding = ours.padding if isinstance(ours.padding, str) else "valid"
    after = []
    if ours.stride > 1 and ours.dilation > 1:  # Keras refuses both at once
        assume(ours.padding != "same")  # whose zeros depend on the length
        options["strides"], padding = 1, "valid"
        after = [keras.layers.MaxPooling1D(1, strides=ours.stride)]  # every S-th output
    layer = keras.layers.Conv1D(ours.out_channels, ours.kernel_size, padding=padding, **options)
    if padding != "valid" or ours.padding == "valid":
        return keras.Sequential([layer, *after])
    return keras.Sequential([keras.layers.ZeroPadding1D(ours.pad_widths(1)), layer, *after])


def keras_of(layer):
    """The same layer in Keras, without its weights."""
    if isinstance(layer, nn.Sequential):
        inside = [keras_of(part) for part in layer]
        if type(layer) is nn.Residual:
            around = layer.shortcut
            return Around(inside, sum, None if around is None else keras_of(around))
        if type(layer) is nn.SkipConcat:
            return Around(inside, partial(keras.ops.concatenate, axis=-1))
        return keras.Sequential(inside)
    pooling = vars(layer).get("pool_size"), vars(layer).get("stride")
    return {
        nn.Conv1D: lambda: convolution(layer),
        nn.Dense: lambda: keras.layers.Dense(layer.out_features, use_bias=layer.bias),
        nn.BatchNorm: lambda: keras.layers.BatchNormalization(
            momentum=1 - layer.momentum, epsilon=layer.eps
        ),
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


def carried(model, layer, shape):
    """Set the parameters of the model in Keras, and check that they come back."""
    other = keras.Sequential([keras.Input(shape), layer])
    other.set_weights(to_keras(model))
    assert is_same(from_keras(changed(model), other.get_weights()), model)
    return lambda x: keras.ops.convert_to_numpy(other(x))


def in_float32(model, x):
    """Parameters, running statistics and input, as far as float32 can hold them."""
    model = model.astype(np.float32)
    for array in model.state.values():
        array[...] = array.astype(np.float32)
    return model, x.astype(np.float32)


@given(in_use(layers_and_inputs()) | classifiers() | ways_around() | blocks())
@settings(max_examples=15, phases=[Phase.generate])  # each takes a tenth of a second
def test_every_layer_and_container_computes_what_predict_does(drawn):
    model, x = in_float32(*drawn)
    assume(x.ndim > 1)
    assert_close(carried(model, keras_of(model), x.shape[1:])(x), model.predict(x))
