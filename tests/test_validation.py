"""Arguments that do not fit are refused: the error names the argument and its value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from refusals import refused

from numpycnn import (
    Adam,
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    Upsample1D,
    fit,
    make_traces,
    train_test_split,
)
from numpycnn.checks.optimizer import check_adam


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


# Shapes of the input
# -------------------

WRONG_SHAPES = {
    "no channel axis": (Conv1D(1, 8, 5), (64, 3000), "C=1", "x[..., None]"),
    "no batch axis": (Conv1D(3, 8, 5), (64, 3), "C=3", "x[None]"),
    "neither axis": (Conv1D(1, 8, 5), (64,), "C=1", "x[None, :, None]"),
    "channels first": (Conv1D(3, 8, 5), (10, 3, 64), "C=3", "x.transpose(0, 2, 1)"),
    "other channels": (Conv1D(3, 8, 5), (10, 64, 2), "C=3", ""),
    "an axis too many": (Conv1D(1, 8, 5), (2, 3, 64, 1), "C=1", ""),
    "one number": (Conv1D(1, 8, 5), (), "C=1", ""),
    "pool without channels": (MaxPool1D(2), (10, 64), "(N, L, C)", "x[..., None]"),
    "pool of one trace": (MaxPool1D(2), (64,), "(N, L, C)", "x[None, :, None]"),
    "global pool without channels": (GlobalMaxPool1D(), (10, 64), "(N, L, C)", "x[..., None]"),
    "mean pool of one trace": (AveragePool1D(2), (64,), "(N, L, C)", "x[None, :, None]"),
    "global mean pool": (GlobalAveragePool1D(), (10, 64), "(N, L, C)", "x[..., None]"),
    "repeats of one trace": (Upsample1D(2), (6, 3), "(N, L, C)", "x[..., None]"),
    "a dense layer after maps": (Dense(256, 16), (10, 32, 8), "D_in=256", "Flatten()"),
    "other features": (Dense(256, 16), (10, 255), "D_in=256", ""),
    "dense on one number": (Dense(2, 2), (), "D_in=2", ""),
    "softmax on one number": (Softmax(), (), "D", ""),
    "flatten on one number": (Flatten(), (), "D", ""),
}


@pytest.mark.parametrize(
    ("layer", "shape", "expected", "fix"), WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys()
)
def test_a_wrong_shape_is_named_with_the_one_expected_and_the_fix(layer, shape, expected, fix):
    with refused(ValueError, type(layer).__name__, "x", expected, shape, fix):
        layer.forward(zeros(*shape))


TOO_SHORT = {
    "kernel": (Conv1D(1, 1, 5), 4),
    "kernel after padding": (Conv1D(1, 1, 9, padding=(1, 2)), 5),
    "dilated kernel": (Conv1D(1, 1, 3, dilation=4), 8),
    "pool": (MaxPool1D(3), 2),
    "mean pool": (AveragePool1D(3), 2),
}


@pytest.mark.parametrize(("layer", "length"), TOO_SHORT.values(), ids=TOO_SHORT.keys())
def test_a_trace_shorter_than_one_window_is_refused_and_one_sample_more_is_not(layer, length):
    with refused(ValueError, type(layer).__name__, "x", length + 1, f"L={length}"):
        layer.forward(zeros(2, length, 1))
    assert layer.forward(zeros(2, length + 1, 1))[0].shape == (2, 1, 1)


# What each layer takes.
LAYERS = {
    "Conv1D": (Conv1D(2, 3, 5), (4, 8, 2)),
    "Dense": (Dense(6, 3), (4, 6)),
    "Dense on maps": (Dense(2, 3), (4, 8, 2)),
    "ReLU": (ReLU(), (4, 6)),
    "MaxPool1D": (MaxPool1D(2), (4, 8, 2)),
    "GlobalMaxPool1D": (GlobalMaxPool1D(), (4, 8, 2)),
    "AveragePool1D": (AveragePool1D(2), (4, 8, 2)),
    "GlobalAveragePool1D": (GlobalAveragePool1D(), (4, 8, 2)),
    "BatchNorm": (BatchNorm(2), (4, 8, 2)),
    "BatchNorm in training": (BatchNorm(2).for_training(0), (4, 8, 2)),
    "Dropout": (Dropout(0.5), (4, 6)),
    "Dropout in training": (Dropout(0.5).for_training(0), (4, 6)),
    "Upsample1D": (Upsample1D(2), (4, 8, 2)),
    "Flatten": (Flatten(), (4, 8, 2)),
    "Softmax": (Softmax(), (4, 6)),
    "Sequential": (Sequential(Flatten(), Dense(16, 3)), (4, 8, 2)),
}
every_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS.keys())


def owner_of(layer, last):
    """Return the name in the errors of a layer: for a chain that of its first or last layer."""
    if isinstance(layer, Sequential):
        layer = layer.layers[-1 if last else 0]
    return type(layer).__name__.removesuffix("InTraining")


@every_layer
def test_an_empty_batch_is_refused(layer, shape):
    empty = (0, *shape[1:])
    with refused(ValueError, owner_of(layer, last=False), "x", empty):
        layer.forward(zeros(*empty))


@every_layer
@pytest.mark.parametrize(
    "mistake",
    [
        lambda dy: dy[:-1],  # a trace too few
        lambda dy: dy[..., :-1],  # a filter or feature too few
        lambda dy: dy[0],  # no batch axis
        lambda dy: dy[..., None],  # an axis too many
        lambda dy: dy[:1],  # would broadcast, and be wrong
        lambda dy: dy.sum(axis=-1),
    ],
    ids=["trace", "feature", "rank below", "rank above", "broadcast", "summed"],
)
def test_backward_names_the_shape_that_a_gradient_must_have(layer, shape, mistake):
    y, cache = layer.forward(zeros(*shape))
    wrong = mistake(np.ones_like(y))
    with refused(ValueError, owner_of(layer, last=True), "dy", *y.shape, wrong.shape):
        layer.backward(wrong, cache)


def require_refusal(layer, shape, of, convert, *parts):
    """Require that the layer refuses a converted x, or dy, with an error that has these parts."""
    y, cache = layer.forward(zeros(*shape))
    with refused(TypeError, owner_of(layer, last=of == "dy"), of, *parts):
        if of == "x":
            layer.forward(convert(zeros(*shape)))
        else:
            layer.backward(convert(y), cache)


@every_layer
@pytest.mark.parametrize("of", ["x", "dy"])
@pytest.mark.parametrize(
    ("convert", "actual"),
    [
        (lambda a: a.astype(int), "int64"),
        (lambda a: a.astype(bool), "bool"),
        (lambda a: a.astype(str), "<U32"),
        (lambda a: a.astype(object), "object"),
        (lambda a: a.tolist(), "list"),
        (lambda a: None, "NoneType"),
        (lambda a: 1.0, "float"),
    ],
    ids=["integers", "bools", "strings", "objects", "list", "None", "number"],
)
def test_an_object_that_is_not_an_array_of_floats_is_refused(layer, shape, of, convert, actual):
    require_refusal(layer, shape, of, convert, actual)


class Table:
    """What pandas and xarray have: an array inside, and a method that gives it out."""

    def __init__(self, array):
        self.array = array

    def to_numpy(self):
        return self.array


@every_layer
@pytest.mark.parametrize("of", ["x", "dy"])
@pytest.mark.parametrize(
    ("convert", "actual", "fix"),
    [
        (np.ma.masked_array, "masked array", "filled"),
        (Table, "Table", "to_numpy()"),
        (lambda a: a.reshape(len(a), -1).view(np.matrix), "matrix", "np.asarray"),
    ],
    ids=["masked", "table", "matrix"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_with_rules_of_their_own_are_refused(layer, shape, of, convert, actual, fix):
    require_refusal(layer, shape, of, convert, actual, fix)


def test_an_array_from_a_file_is_an_array(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 6), np.float32))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_array_equal(ReLU().forward(x)[0], x)


# Seeds
# -----

DRAWERS = {
    "Conv1D": lambda rng: Conv1D(1, 2, 3, rng=rng),
    "Dense": lambda rng: Dense(1, 2, rng=rng),
    "make_traces": lambda rng: make_traces(3, rng=rng),
    "train_test_split": lambda rng: train_test_split(zeros(5, 2), [0] * 5, rng=rng),
    "fit": lambda rng: fit(Dense(1, 2), zeros(2, 1), np.array([0, 1]), epochs=1, rng=rng),
    "check_adam": lambda rng: check_adam(Adam, rng),
}


@pytest.mark.parametrize(("caller", "draw"), DRAWERS.items(), ids=DRAWERS.keys())
@pytest.mark.parametrize("rng", ["a", 1.5, True, [1, 2], -1], ids=repr)
def test_an_object_that_is_not_a_seed_is_refused(caller, draw, rng):
    with refused(ValueError if rng == -1 else TypeError, caller, "rng", repr(rng)):
        draw(rng)


@pytest.mark.parametrize("draw", DRAWERS.values(), ids=DRAWERS.keys())
@pytest.mark.parametrize("rng", [0, np.int64(3), 2**70, None, np.random.default_rng(0)])
def test_seeds_are_whole_numbers_or_generators_or_none(draw, rng):
    draw(rng)


# Sizes
# -----

SIZES = {
    "in_channels": lambda n: Conv1D(n, 8, 5),
    "out_channels": lambda n: Conv1D(1, n, 5),
    "kernel_size": lambda n: Conv1D(1, 8, n),
    "stride": lambda n: Conv1D(1, 8, 5, stride=n),
    "dilation": lambda n: Conv1D(1, 8, 5, dilation=n),
    "pool_size": lambda n: MaxPool1D(n),
    "stride ": lambda n: MaxPool1D(2, stride=n),
    "in_features": lambda n: Dense(n, 3),
    "out_features": lambda n: Dense(4, n),
    "channels": lambda n: BatchNorm(n),
    "factor": lambda n: Upsample1D(n),
}
every_size = pytest.mark.parametrize(("name", "build"), SIZES.items(), ids=SIZES.keys())


@every_size
@pytest.mark.parametrize("size", [0, -1, -1000, np.int64(0)])
def test_sizes_start_at_one(name, build, size):
    with refused(ValueError, type(build(1)).__name__, name.strip(), size):
        build(size)


@every_size
@pytest.mark.parametrize("size", [True, False, np.True_, 5.0, 2.5, np.float32(2), "5", [5], (2,)])
def test_sizes_are_whole_numbers_and_neither_bools_nor_floats(name, build, size):
    with refused(TypeError, type(build(1)).__name__, name.strip(), repr(size)):
        build(size)


@every_size
@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64])
def test_the_whole_numbers_of_numpy_are_whole_numbers(name, build, kind):
    assert repr(build(kind(2))) == repr(build(2))


# Padding
# -------


KNOWN = "'valid'", "'same'", "'causal'", "(left, right)"


@pytest.mark.parametrize("padding", ["full", "SAME", "", (1, 2, 3), (1,), (), [1, 2, 3]], ids=repr)
def test_unknown_padding_is_refused_with_the_known_ones(padding):
    with refused(ValueError, "Conv1D", "padding", *KNOWN, repr(padding)):
        Conv1D(1, 8, 5, padding=padding)


@pytest.mark.parametrize("padding", [-1, (-1, 2), (2, -1)], ids=repr)
def test_padding_takes_nothing_away(padding):
    with refused(ValueError, "Conv1D", "padding", -1):
        Conv1D(1, 8, 5, padding=padding)


@pytest.mark.parametrize(
    ("padding", "shown"),
    [
        (b"same", "b'same'"),
        (True, "True"),
        (1.5, "1.5"),
        (None, "None"),
        ((1, True), "True"),
        ((0.5, 1), "0.5"),
    ],
)
def test_padding_counts_whole_samples(padding, shown):
    with refused(TypeError, "Conv1D", "padding", shown):
        Conv1D(1, 8, 5, padding=padding)


# Chains
# ------


def test_a_chain_has_at_least_one_layer():
    with refused(ValueError, "Sequential", "layers", "none"):
        Sequential()


@pytest.mark.parametrize(
    "layer", [ReLU, [ReLU()], (ReLU(), ReLU()), "ReLU", None, lambda x: x, [ReLU]]
)
def test_a_chain_takes_layers_and_neither_classes_nor_lists(layer):
    with refused(TypeError, "Sequential", "layers", repr(layer), "Sequential(Dense(4, 3), ReLU())"):
        Sequential(Dense(4, 3), layer)


dense, relu = Dense(3, 3), ReLU()
chain = Sequential(Dense(3, 3))


@pytest.mark.parametrize(
    ("layers", "twice"),
    [
        ((dense, dense), "Dense(3, 3)"),
        ((relu, dense, relu), "ReLU()"),
        ((dense, Sequential(relu, dense)), "Dense(3, 3)"),
        ((Sequential(Sequential(dense)), Sequential(dense)), "Dense(3, 3)"),
        ((chain, relu, chain), "Dense(3, 3)"),
    ],
    ids=["neighbors", "apart", "nested", "both nested", "a chain"],
)
def test_a_layer_stands_in_a_chain_once_however_deep(layers, twice):
    with refused(ValueError, "Sequential", "layers", twice):
        Sequential(*layers)


def test_two_layers_with_the_same_settings_are_two_layers():
    assert len(Sequential(Dense(3, 3), ReLU(), Dense(3, 3), ReLU()).params) == 4


def test_an_error_inside_a_chain_names_the_layer_that_met_it():
    model = Sequential(Conv1D(1, 8, 5), ReLU(), MaxPool1D(2), Flatten(), Dense(256, 3))
    with refused(ValueError, "Dense", "x", "D_in=256", (1, 240)):
        model.forward(zeros(1, 64, 1))
    with refused(ValueError, "MaxPool1D", "x", "pool_size=2", "L=1"):
        model.forward(zeros(1, 5, 1))


@pytest.mark.parametrize("size", [0, -3, True, 2.0])
def test_predict_refuses_batches_of_no_size(size):
    with refused(ValueError if size in (0, -3) else TypeError, "predict", "batch_size", size):
        Sequential(ReLU()).predict(zeros(3, 2), batch_size=size)


@pytest.mark.parametrize("batch_size", [None, 1, 2])
def test_predict_refuses_an_empty_batch_whatever_the_batch_size(batch_size):
    with refused(ValueError, "predict", "x", (0, 2)):
        Sequential(ReLU()).predict(zeros(0, 2), batch_size=batch_size)


# After an error
# --------------


@every_layer
def test_an_error_changes_neither_the_arguments_nor_the_layer(layer, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    y, cache = layer.forward(x)
    dy = rng.standard_normal((*y.shape, 2))
    before = x.copy(), dy.copy(), {name: array.copy() for name, array in layer.params.items()}

    with refused(ValueError, owner_of(layer, last=True), "dy", dy.shape):
        layer.backward(dy, cache)
    with refused(TypeError, owner_of(layer, last=False), "x", "int64"):
        layer.forward(x.astype(int))

    assert_array_equal(x, before[0])
    assert_array_equal(dy, before[1])
    for name, array in layer.params.items():
        assert_array_equal(array, before[2][name])
    assert_array_equal(layer.forward(x)[0], y)


@given(st.lists(st.integers(0, 5), max_size=5), st.integers(1, 4))
def test_whatever_the_shape_a_convolution_answers_or_explains(shape, n_channels):
    layer = Conv1D(n_channels, 2, 3)
    good = len(shape) == 3 and shape[0] > 0 and shape[1] >= 3 and shape[2] == n_channels
    if good:
        assert layer.forward(zeros(*shape))[0].shape == (shape[0], shape[1] - 2, 2)
    else:
        with refused(ValueError, "Conv1D", "x", tuple(shape)):
            layer.forward(zeros(*shape))
