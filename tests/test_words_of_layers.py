"""What a wrong x and a wrong dy are told, by the layers without weights."""

import numpy as np
import pytest

from numpycnn import (
    BatchNorm,
    Dense,
    Dropout,
    GlobalAveragePool1D,
    ReLU,
    Softmax,
)
from numpycnn.layers import Window

X = np.ones((2, 6, 3))


@pytest.mark.parametrize("layer", [ReLU(), Softmax(), Dense(3, 2), Dropout(0.5), BatchNorm(3)])
def test_layers_that_take_each_sample_by_itself_say_so(layer):
    assert layer.window(9) == Window([(0, 0)], stride=1, n_outputs=9)


def test_an_output_of_global_average_pooling_looks_at_the_whole_trace():
    assert GlobalAveragePool1D().window(64) == Window([(0, 63)], stride=0, n_outputs=1)


def test_each_seed_of_dropout_is_the_next_one():
    live = Dropout(0.5).training(7)
    first = live.seed
    assert first > 2**40  # drawn from many, so that two layers hardly share one
    for step in range(3):
        assert live.seed == first + step
        live.remember(live.forward(X)[1])


def test_what_dropout_keeps_follows_from_its_seed_in_float32():
    live = Dropout(0.3).training(3)
    draws = np.random.default_rng(live.seed).random((50, 40, 3), np.float32)
    y, keep = live.forward(np.ones((50, 40, 3)))
    np.testing.assert_array_equal(keep, draws >= 0.3)
    np.testing.assert_array_equal(y, keep / 0.7)
