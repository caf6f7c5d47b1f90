"""Weights go to other libraries and come back the same, and what cannot go is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from nets import changed, classifiers, is_same

import numpycnn as nn
from numpycnn.interop import from_keras, from_torch, to_keras, to_torch


@given(classifiers())
@settings(max_examples=30)
def test_there_and_back_is_the_same_to_the_bit(drawn):
    model, x = drawn
    shape = x.shape[1:]
    assert is_same(from_torch(changed(model), to_torch(model, shape), shape), model)
    assert is_same(from_keras(changed(model), to_keras(model)), model)


def test_what_is_handed_out_and_what_is_taken_are_copies():
    model = nn.Sequential(nn.Dense(4, 3, rng=0))
    before = model.params["0.w"].copy()
    there, listed = to_torch(model, (4,)), to_keras(model)
    twins = from_torch(model, there, (4,)), from_keras(model, listed)
    for array in (*there.values(), *listed):
        array[...] = 7
    for one in (model, *twins):
        assert (one.params["0.w"] == before).all()


def test_a_layer_by_itself_has_names_without_a_place():
    assert list(to_torch(nn.Dense(4, 3), (4,))) == ["weight", "bias"]


class Squared(nn.Dense):
    def forward(self, x):
        return super().forward(x**2)


@pytest.mark.parametrize("carry", [lambda model: to_torch(model, (2,)), to_keras])
def test_a_layer_of_ones_own_is_refused(carry):
    with pytest.raises(TypeError, match=r"other libraries have as well, Average.*, got Squared\(2"):
        carry(nn.Sequential(nn.Dense(2, 2), Squared(2, 2)))
    with pytest.raises(TypeError, match="interop expected a layer"):
        carry("model.npz")


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.ReLU(), nn.Flatten()),
        nn.Sequential(nn.Flatten(), nn.Residual(nn.Dense(8, 8))),
        nn.Sequential(nn.Flatten(), nn.Beside(nn.ReLU()), nn.Dense(16, 2)),
    ],
)
def test_what_pytorch_flattens_in_another_order_must_meet_a_dense_layer(model):
    with pytest.raises(ValueError, match="a Dense layer between a Flatten and the end"):
        to_torch(model, (4, 2))


@pytest.mark.parametrize("shape", [(8, 1), (1, 8)])
def test_with_one_channel_or_one_sample_there_is_one_order(shape):
    model = nn.Sequential(nn.Flatten(), nn.Residual(nn.Dense(8, 8, rng=0)))
    assert (to_torch(model, shape)["1.0.weight"] == model.params["1.0.w"].T).all()


def test_arrays_of_other_names_or_shapes_are_refused():
    model = nn.Sequential(nn.Dense(4, 3, rng=0))
    theirs = to_torch(model, (4,))
    for wrong in (
        {"0.weight": theirs["0.weight"]},
        theirs | {"1.weight": theirs["0.bias"]},
        theirs | {"0.weight": theirs["0.weight"].T},
    ):
        with pytest.raises(ValueError, match=r"expected arrays of shapes \{'0\.weight': \(3, 4\)"):
            from_torch(model, wrong, (4,))
    for wrong in (to_keras(model)[:1], to_keras(model)[::-1], [*to_keras(model), np.ones(3)]):
        with pytest.raises(ValueError, match=r"expected arrays of shapes \[\(4, 3\), \(3,\)\]"):
            from_keras(model, wrong)


def test_safetensors_takes_what_is_handed_out(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    model = nn.Sequential(nn.Conv1D(2, 3, 4, rng=0), nn.Flatten(), nn.Dense(15, 2, rng=0))
    safetensors.save_file(to_torch(model, (8, 2)), tmp_path / "model.safetensors")
    arrays = safetensors.load_file(tmp_path / "model.safetensors")
    assert is_same(from_torch(changed(model), arrays, (8, 2)), model)
