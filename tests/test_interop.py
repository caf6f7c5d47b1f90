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


def test_layers_without_a_bias_have_none_elsewhere():
    layers = nn.Conv1D(2, 4, 3, bias=False, rng=0), nn.BatchNorm(4), nn.Dense(4, 3, bias=False)
    model = nn.Sequential(*layers)
    names = list(to_torch(model, (8, 2)))
    statistics = ["1.weight", "1.bias", "1.running_mean", "1.running_var"]
    assert names == ["0.weight", *statistics, "2.weight"]
    assert len(to_keras(model)) == len(names)
    with_bias = nn.Sequential(nn.Dense(4, 3))
    without = nn.Sequential(nn.Dense(4, 3, bias=False))
    with pytest.raises(ValueError, match=r"from_torch: arrays .*0\.bias"):
        from_torch(without, to_torch(with_bias, (4,)), (4,))
    with pytest.raises(ValueError, match=r"from_keras: arrays .*\(3,\)"):
        from_keras(without, to_keras(with_bias))


def back_and_forth(model, change):
    """Both ways to other libraries, with arrays that have been changed there."""
    theirs = {name: change(array) for name, array in to_torch(model, (4,)).items()}
    yield from_torch(model, theirs, (4,))
    yield from_keras(model, [change(array) for array in to_keras(model)])


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", ">f8"])
def test_arrays_of_any_float_type_are_exchanged_in_the_byte_order_of_the_machine(dtype):
    arrays = nn.Dense(4, 3, rng=0).params
    model = nn.Dense(4, 3).with_params({name: a.astype(dtype) for name, a in arrays.items()})
    for array in (*to_torch(model, (4,)).values(), *to_keras(model)):
        assert array.dtype.isnative
        assert array.dtype.itemsize == np.dtype(dtype).itemsize
    for copy in back_and_forth(model, lambda array: array.astype(dtype)):
        assert copy.params["w"].dtype.isnative
        assert (copy.params["w"] == model.params["w"]).all()


@pytest.mark.parametrize("dtype", [complex, int])
def test_arrays_that_are_not_real_floats_are_refused(dtype):
    model = nn.Dense(4, 3, rng=0)
    other = model.with_params({name: a.astype(dtype) for name, a in model.params.items()})
    for carry in (
        lambda: to_torch(other, (4,)),
        lambda: to_keras(other),
        lambda: from_torch(model, to_torch(model, (4,)) | {"bias": np.ones(3, dtype)}, (4,)),
        lambda: from_keras(model, [model.params["w"], np.ones(3, dtype)]),
    ):
        with pytest.raises(
            TypeError, match=rf"_(torch|keras): (params|arrays)\[.*{dtype.__name__}"
        ):
            carry()
