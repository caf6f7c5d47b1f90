"""Containers of layers: names, copies, custom classes, skip connections, receptive fields."""

import numpy as np
import pytest
from hypothesis import given
from nets import along_the_record, blocks, is_same
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused

import numpycnn as nn
from numpycnn.checks.strategies import generators

CONTAINERS = [nn.Sequential, nn.Residual, nn.SkipConcat]


# Layers inside
# -------------


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_container_holds_one_layer_or_more_each_once(kind):
    name, layer = kind.__name__, nn.ReLU()
    with refused(ValueError, name, "layers", "none"):
        kind()
    with refused(TypeError, name, "layers", "[ReLU()]", f"{name}(Dense(4, 3), ReLU())"):
        kind([layer])
    for twice in [
        (layer, layer),
        (layer, nn.Residual(layer)),
        (nn.SkipConcat(layer), nn.Sequential(layer)),
    ]:
        with refused(ValueError, name, "layers", "ReLU()"):
            kind(*twice)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_layers_are_counted_indexed_and_iterated_over(kind):
    layers = nn.Dense(3, 3), nn.ReLU(), nn.Residual(nn.ReLU())
    model = kind(*layers)
    assert len(model) == 3
    assert list(model) == list(model.layers) == list(layers)
    assert (model[0], model[-1]) == (layers[0], layers[2])
    assert type(model[1:]) is nn.Sequential
    assert list(model[1:]) == list(layers[1:])
    with pytest.raises(IndexError):
        model[3]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_parameters_are_changed_in_place_and_never_replaced(kind):
    model = kind(nn.Dense(3, 3))
    array = model.params["0.b"]
    model.params["0.b"] += 1
    model.params["0.b"][0] = 5
    assert_array_equal(model[0].params["b"], [5, 1, 1])
    for name in "0.b", "0.c":
        with refused(TypeError, kind.__name__, "params", repr(name), f"params[{name!r}][...]"):
            model.params[name] = array.copy()
    with pytest.raises((AttributeError, TypeError)):
        del model.params["0.b"]
    for layer in model, model[0]:
        with refused(AttributeError, type(layer).__name__, "params", "[...]"):
            layer.params = {}
    assert model.params["0.b"] is array


@given(along_the_record())
def test_the_names_of_the_parameters_are_paths_to_the_arrays(case):
    model, _ = case
    for name, array in model.params.items():
        *places, own = name.split(".")
        layer = model
        for place in places:
            layer = layer[int(place)]
        assert layer.params[own] is array
        layer.params[own] = array.copy()  # a replaced array is found
        assert model.params[name] is layer.params[own]


def test_walk_returns_every_layer_and_skip_connection():
    model = nn.Sequential(
        nn.Dense(2, 2), nn.Residual(nn.ReLU(), nn.Sequential(nn.ReLU())), nn.SkipConcat(nn.ReLU())
    )
    stages = dict(model.walk())
    assert list(stages) == ["0", "1.0", "1.1.0", "1", "2.0", "2"]
    assert (stages["1.1.0"], stages["1"]) == (model[1][1][0], model[1])
    assert [place for place, _ in nn.Residual(nn.ReLU()).walk()] == ["0", ""]


# Skip connections
# ----------------


@pytest.mark.parametrize("kind", [nn.Residual, nn.SkipConcat])
@given(block=blocks(), rng=generators)
def test_a_skip_connection_adds_or_concatenates_x_and_the_output_of_its_layers(kind, block, rng):
    (inner, x), is_sum = block, kind is nn.Residual
    n = x.shape[-1]
    inner = inner if is_sum else nn.Sequential(*inner, nn.Dense(n, 2))
    around = kind(*inner)
    y, cache = around.forward(x)
    inner_y, inner_cache = inner.forward(x)
    assert_array_equal(y, x + inner_y if is_sum else np.concatenate([x, inner_y], axis=-1))
    dy = rng.standard_normal(y.shape)
    dx, grads = around.backward(dy, cache)
    inner_dx, inner_grads = inner.backward(dy if is_sum else dy[..., n:], inner_cache)
    assert_array_equal(dx, dy[..., :n] + inner_dx)
    assert grads.keys() == inner_grads.keys() == around.params.keys()
    for name, grad in grads.items():
        assert_array_equal(grad, inner_grads[name])


def test_shapes_that_do_not_fit_the_skip_connection_are_refused():
    x = np.zeros((2, 9, 3))
    with refused(ValueError, "Residual", "layers", (2, 9, 3), (2, 7, 3)):
        nn.Residual(nn.Conv1D(3, 3, 3))(x)
    with refused(ValueError, "Residual", "layers", (2, 9, 3), (2, 9, 1)):
        nn.Residual(nn.Dense(3, 1))(x)  # would broadcast
    with refused(ValueError, "SkipConcat", "layers", (2, 9, 3), (2, 4, 3)):
        nn.SkipConcat(nn.MaxPool1D(2))(x)
    with refused(ValueError, "SkipConcat", "layers", (2, 9, 3), (2, 27)):
        nn.SkipConcat(nn.Flatten())(x)


# Custom classes
# --------------


class Picker(nn.Sequential):
    """A chain whose constructor takes no layers."""

    def __init__(self, n_filters, *, classes=2, rng=None):
        rng = np.random.default_rng(rng)
        self.n_filters, self.classes = n_filters, classes
        conv = nn.Conv1D(1, n_filters, 5, padding="same", rng=rng)
        super().__init__(
            conv, nn.ReLU(), nn.GlobalMaxPool1D(), nn.Dense(n_filters, classes, rng=rng)
        )


def test_a_custom_constructor(tmp_path):
    x, labels = nn.make_traces(30, rng=0)
    model = Picker(4, classes=3, rng=0)
    assert {array.dtype for array in model.astype(np.float64).params.values()} == {np.dtype("f8")}
    assert type(model.astype(np.float64)) is Picker
    assert nn.check_gradients(model, x[:3], rng=0).ok
    assert nn.diagnose(model, x, labels).findings
    nn.fit(model, x, labels, epochs=2)
    model.save(tmp_path / "model.npz")
    for loaded in (
        Picker.load(tmp_path / "model.npz"),
        nn.Sequential.load(tmp_path / "model.npz", Picker),
    ):
        assert type(loaded) is Picker
        assert repr(loaded) == "Picker(4, classes=3)"
        assert is_same(model, loaded)
        assert_array_equal(loaded.predict(x), model.predict(x))


class Half(nn.Sequential):
    """A custom forward and backward."""

    def forward(self, x):
        y, cache = super().forward(x)
        return y / 2, cache

    def backward(self, dy, cache):
        return super().backward(dy / 2, cache)


class HalfWithField(Half):
    def receptive_field(self, length):
        return super().receptive_field(length)


def test_a_custom_forward_is_used_for_predictions():
    x = np.random.default_rng(0).standard_normal((3, 4))
    dense = nn.Dense(4, 2, rng=0)
    model = Half(Half(dense))
    nn.assert_gradients(model, x, rng=0)
    for y in (model(x), model.predict(x), model.predict(x, batch_size=2), model.forward(x)[0]):
        assert_allclose(y, dense(x) / 4)
    assert [line.split()[0] for line in model.summary((4,)).splitlines()[1:3]] == ["0.0", "0"]


def test_a_constructor_that_does_not_pass_its_layers_is_named():
    class Forgets(nn.Sequential):
        def __init__(self):
            self.dense = nn.Dense(2, 2)

    for use in (Forgets().predict, Forgets().forward, Forgets().receptive_field):
        with refused(TypeError, "Forgets", "super().__init__(*layers)"):
            use(np.zeros((1, 2)))


# Receptive fields
# ----------------


def test_a_custom_forward_has_no_receptive_field_unless_its_class_defines_it():
    for model in (Half(nn.ReLU()), nn.Sequential(nn.ReLU(), Half(nn.ReLU()))):
        with pytest.raises(NotImplementedError, match=r"^Half.* receptive_field\(length\)"):
            model.receptive_field(9)
    assert HalfWithField(nn.MaxPool1D(2)).receptive_field(9) == nn.MaxPool1D(2).receptive_field(9)
    # After a layer that depends on the whole trace, it is not needed.
    assert nn.Sequential(nn.GlobalMaxPool1D(), Half(nn.ReLU())).receptive_field(9) == (
        [(0, 8)],
        0,
        1,
    )
