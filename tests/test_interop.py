"""Parameters survive the way to other libraries and back; unsuitable networks are refused."""

import numpy as np
import pytest
from hypothesis import given
from nets import changed, classifiers, is_same

import numpycnn as nn
from numpycnn.interop import from_keras, from_torch, to_keras, to_torch


@given(classifiers())
def test_a_round_trip_keeps_every_bit(drawn):
    model, x = drawn
    shape = x.shape[1:]
    assert is_same(from_torch(changed(model), to_torch(model, shape), shape), model)
    assert is_same(from_keras(changed(model), to_keras(model)), model)


class Squared(nn.Dense):
    def forward(self, x):
        return super().forward(x**2)


class Percent(nn.Sequential):
    def __call__(self, x):
        return 100 * super().__call__(x)


@pytest.mark.parametrize("carry", [lambda model: to_torch(model, (2,)), to_keras])
def test_a_custom_layer_is_refused(carry):
    with pytest.raises(TypeError, match=r"model .*, got Squared\(2, 2\)"):
        carry(nn.Sequential(nn.Dense(2, 2), Squared(2, 2)))
    with pytest.raises(TypeError, match=r"model .*, got Percent"):
        carry(Percent(nn.Dense(2, 2)))
    with pytest.raises(TypeError, match=r"InTraining"):
        carry(nn.Sequential(nn.BatchNorm(2)).for_training(rng=0))
    with pytest.raises(TypeError, match=r"model\.npz"):
        carry("model.npz")


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.ReLU(), nn.Flatten()),
        nn.Sequential(nn.Flatten(), nn.Residual(nn.Dense(8, 8))),
        nn.Sequential(nn.Flatten(), nn.SkipConcat(nn.ReLU()), nn.Dense(16, 2)),
    ],
)
def test_a_flattening_requires_a_dense_layer_after_it(model):
    with pytest.raises(ValueError, match=r"model .*Flatten.*, got"):
        to_torch(model, (4, 2))


def test_arrays_of_other_names_or_shapes_are_refused():
    model = nn.Sequential(nn.Dense(4, 3, rng=0))
    theirs = to_torch(model, (4,))
    for wrong in (
        {"0.weight": theirs["0.weight"]},
        theirs | {"1.weight": theirs["0.bias"]},
        theirs | {"0.weight": theirs["0.weight"].T},
    ):
        with pytest.raises(ValueError, match=r"arrays .*'0\.weight': \(3, 4\).*, got"):
            from_torch(model, wrong, (4,))
    for wrong in (to_keras(model)[:1], to_keras(model)[::-1], [*to_keras(model), np.ones(3)]):
        with pytest.raises(ValueError, match=r"arrays .*\[\(4, 3\), \(3,\)\], got"):
            from_keras(model, wrong)
