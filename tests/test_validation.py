"""What goes in wrong comes back with words: what was expected, what came, how to mend it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from numpycnn import (
    Adam,
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    fit,
    make_traces,
    train_test_split,
)
from numpycnn.checks.optimizer import check_adam


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


def raises(kind, words):
    """Expect an error of this kind whose text holds these words, letter by letter."""
    return pytest.raises(kind, match=re.escape(words))


# Shapes of the input
# -------------------

WRONG_SHAPES = {
    "no channel axis": (
        Conv1D(1, 8, 5),
        (64, 3000),
        "Conv1D expected x of shape (N, L, C=1), got (64, 3000); add a channel axis: x[..., None]",
    ),
    "no batch axis": (
        Conv1D(3, 8, 5),
        (64, 3),
        "Conv1D expected x of shape (N, L, C=3), got (64, 3); "
        "for one trace add a batch axis: x[None]",
    ),
    "neither axis": (
        Conv1D(1, 8, 5),
        (64,),
        "Conv1D expected x of shape (N, L, C=1), got (64,); "
        "for one trace add both axes: x[None, :, None]",
    ),
    "channels first": (
        Conv1D(3, 8, 5),
        (10, 3, 64),
        "Conv1D expected x of shape (N, L, C=3), got (10, 3, 64); "
        "channels go last: x.transpose(0, 2, 1)",
    ),
    "other channels": (
        Conv1D(3, 8, 5),
        (10, 64, 2),
        "Conv1D expected x of shape (N, L, C=3), got (10, 64, 2)",
    ),
    "an axis too many": (
        Conv1D(1, 8, 5),
        (2, 3, 64, 1),
        "Conv1D expected x of shape (N, L, C=1), got (2, 3, 64, 1)",
    ),
    "one number": (Conv1D(1, 8, 5), (), "Conv1D expected x of shape (N, L, C=1), got ()"),
    "pool without channels": (
        MaxPool1D(2),
        (10, 64),
        "MaxPool1D expected x of shape (N, L, C), got (10, 64); add a channel axis: x[..., None]",
    ),
    "pool of one trace": (
        MaxPool1D(2),
        (64,),
        "MaxPool1D expected x of shape (N, L, C), got (64,); "
        "for one trace add both axes: x[None, :, None]",
    ),
    "global pool without channels": (
        GlobalMaxPool1D(),
        (10, 64),
        "GlobalMaxPool1D expected x of shape (N, L, C), got (10, 64); "
        "add a channel axis: x[..., None]",
    ),
    "a dense layer after maps": (
        Dense(256, 16),
        (10, 32, 8),
        "Dense expected x of shape (..., D_in=256), got (10, 32, 8); put a Flatten() before it",
    ),
    "other features": (
        Dense(256, 16),
        (10, 255),
        "Dense expected x of shape (..., D_in=256), got (10, 255)",
    ),
    "dense on one number": (Dense(2, 2), (), "Dense expected x of shape (..., D_in=2), got ()"),
    "softmax on one number": (Softmax(), (), "Softmax expected x of shape (..., D), got ()"),
    "flatten on one number": (Flatten(), (), "Flatten expected x of shape (..., D), got ()"),
}


@pytest.mark.parametrize(
    ("layer", "shape", "words"), WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys()
)
def test_a_wrong_shape_is_named_with_the_one_expected_and_the_mend(layer, shape, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole text is compared
        layer.forward(zeros(*shape))
    assert str(caught.value) == words


TOO_SHORT = {
    "kernel": (
        Conv1D(1, 1, 5),
        4,
        "Conv1D expected x with at least 5 samples, because kernel_size=5 at dilation=1 spans 5, "
        "got L=4; use padding='same', a smaller kernel or longer traces",
    ),
    "kernel after padding": (
        Conv1D(1, 1, 9, padding=(1, 2)),
        5,
        "Conv1D expected x with at least 6 samples",
    ),
    "dilated kernel": (
        Conv1D(1, 1, 3, dilation=4),
        8,
        "at least 9 samples, because kernel_size=3 at dilation=4 spans 9, got L=8",
    ),
    "pool": (
        MaxPool1D(3),
        2,
        "MaxPool1D expected x with at least pool_size=3 samples, got L=2; "
        "use a smaller pool or longer traces",
    ),
}


@pytest.mark.parametrize(("layer", "length", "words"), TOO_SHORT.values(), ids=TOO_SHORT.keys())
def test_a_trace_shorter_than_one_window_is_refused_and_one_sample_more_is_not(
    layer, length, words
):
    with raises(ValueError, words):
        layer.forward(zeros(2, length, 1))
    assert layer.forward(zeros(2, length + 1, 1))[0].shape == (2, 1, 1)


# What each layer takes, and a gradient for what it gives.
LAYERS = {
    "Conv1D": (Conv1D(2, 3, 5), (4, 8, 2), "(N=4, M=4, F=3)"),
    "Dense": (Dense(6, 3), (4, 6), "(4, D_out=3)"),
    "Dense on maps": (Dense(2, 3), (4, 8, 2), "(4, 8, D_out=3)"),
    "ReLU": (ReLU(), (4, 6), "(4, 6)"),
    "MaxPool1D": (MaxPool1D(2), (4, 8, 2), "(N=4, M=4, C=2)"),
    "GlobalMaxPool1D": (GlobalMaxPool1D(), (4, 8, 2), "(N=4, C=2)"),
    "Flatten": (Flatten(), (4, 8, 2), "(N=4, D=16)"),
    "Softmax": (Softmax(), (4, 6), "(4, D=6)"),
    "Sequential": (Sequential(Flatten(), Dense(16, 3)), (4, 8, 2), "(4, D_out=3)"),
}
every_layer = pytest.mark.parametrize(
    ("layer", "shape", "shape_of_dy"), LAYERS.values(), ids=LAYERS.keys()
)


def innermost(layer, last):
    """Whose error it is: a chain's first or last layer speaks for the chain."""
    return type(layer.layers[-1 if last else 0] if isinstance(layer, Sequential) else layer)


@every_layer
def test_an_empty_batch_is_refused(layer, shape, shape_of_dy):
    name = innermost(layer, last=False).__name__
    empty = (0, *shape[1:])
    with raises(ValueError, f"{name} expected x with at least one number in it, got shape {empty}"):
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
def test_backward_names_the_shape_that_a_gradient_must_have(layer, shape, shape_of_dy, mistake):
    y, cache = layer.forward(zeros(*shape))
    wrong = mistake(np.ones_like(y))
    name = innermost(layer, last=True).__name__
    with raises(ValueError, f"{name} expected dy of shape {shape_of_dy}, got {wrong.shape}"):
        layer.backward(wrong, cache)


@every_layer
@pytest.mark.parametrize("of", ["x", "dy"])
@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda a: a.astype(int), "to hold floats, got int64; convert it: {}.astype(np.float32)"),
        (lambda a: a.astype(bool), "to hold floats, got bool; convert it: {}.astype(np.float32)"),
        (lambda a: a.astype(str), "to hold floats, got <U32; convert it: {}.astype(np.float32)"),
        (lambda a: a.astype(object), "to hold floats, got object"),
        (
            lambda a: a.tolist(),
            "to be a NumPy array of floats, got list; convert it: np.asarray({}, dtype=np.float32)",
        ),
        (lambda a: None, "to be a NumPy array of floats, got NoneType"),
        (lambda a: 1.0, "to be a NumPy array of floats, got float"),
    ],
    ids=["integers", "bools", "strings", "objects", "list", "None", "number"],
)
def test_what_is_no_array_of_floats_is_refused_in_both_directions(
    layer, shape, shape_of_dy, of, convert, words
):
    y, cache = layer.forward(zeros(*shape))
    name = innermost(layer, last=of == "dy").__name__
    with raises(TypeError, f"{name} expected {of} " + words.format(of)):
        if of == "x":
            layer.forward(convert(zeros(*shape)))
        else:
            layer.backward(convert(y), cache)


class Table:
    """What pandas and xarray have: an array inside, and a method that gives it out."""

    def __init__(self, array):
        self.array = array

    def to_numpy(self):
        return self.array


@every_layer
@pytest.mark.parametrize("of", ["x", "dy"])
@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (np.ma.masked_array, "without a mask, got a masked array; fill what is masked, {}.filled("),
        (Table, "to be a NumPy array of floats, got Table; convert it: {}.to_numpy()"),
        (lambda a: a.reshape(len(a), -1).view(np.matrix), "to be a NumPy array of floats, got mat"),
    ],
    ids=["masked", "table", "matrix"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_with_rules_of_their_own_are_refused(layer, shape, shape_of_dy, of, convert, words):
    y, cache = layer.forward(zeros(*shape))
    with raises(TypeError, f"expected {of} " + words.format(of)):
        if of == "x":
            layer.forward(convert(zeros(*shape)))
        else:
            layer.backward(convert(y), cache)


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


@pytest.mark.parametrize(("owner", "draw"), DRAWERS.items(), ids=DRAWERS.keys())
@pytest.mark.parametrize(
    ("rng", "kind", "words"),
    [
        ("a", TypeError, "'a'"),
        (1.5, TypeError, "1.5"),
        (True, TypeError, "True"),
        ([1, 2], TypeError, "[1, 2]"),
        (-1, ValueError, "expected rng to be a seed of 0 or more, got -1"),
    ],
    ids=repr,
)
def test_what_is_no_seed_is_answered_with_what_is_one(owner, draw, rng, kind, words):
    with raises(kind, words) as caught:
        draw(rng)
    assert str(caught.value).startswith(f"{owner} expected rng to be a seed")


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
}
every_size = pytest.mark.parametrize(("name", "build"), SIZES.items(), ids=SIZES.keys())


@every_size
@pytest.mark.parametrize("size", [0, -1, -1000, np.int64(0)])
def test_sizes_start_at_one(name, build, size):
    owner = type(build(1)).__name__
    with raises(ValueError, f"{owner} expected {name.strip()} to be 1 or more, got {size}"):
        build(size)


@every_size
@pytest.mark.parametrize("size", [True, False, np.True_, 5.0, 2.5, np.float32(2), "5", [5], (2,)])
def test_sizes_are_whole_numbers_and_neither_bools_nor_floats(name, build, size):
    owner = type(build(1)).__name__
    with raises(TypeError, f"{owner} expected {name.strip()} to be a whole number, got {size!r}"):
        build(size)


@every_size
@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64])
def test_the_whole_numbers_of_numpy_are_whole_numbers(name, build, kind):
    assert repr(build(kind(2))) == repr(build(2))


# Padding
# -------


@pytest.mark.parametrize(
    "padding", ["full", "SAME", "", b"same", (1, 2, 3), (1,), (), [1, 2, 3]], ids=repr
)
def test_unknown_padding_is_answered_with_the_known_ones(padding):
    words = "Conv1D expected padding to be 'valid', 'same', 'causal', a number or (left, right)"
    kind = TypeError if isinstance(padding, bytes) else ValueError
    with pytest.raises(kind) as caught:
        Conv1D(1, 8, 5, padding=padding)
    assert kind is TypeError or str(caught.value) == f"{words}, got {padding!r}"
    assert repr(padding) in str(caught.value)


@pytest.mark.parametrize("padding", [-1, (-1, 2), (2, -1)], ids=repr)
def test_padding_takes_nothing_away(padding):
    with raises(ValueError, "Conv1D expected padding to be 0 or more, got -1"):
        Conv1D(1, 8, 5, padding=padding)


@pytest.mark.parametrize(
    ("padding", "shown"),
    [(True, "True"), (1.5, "1.5"), (None, "None"), ((1, True), "True"), ((0.5, 1), "0.5")],
)
def test_padding_counts_whole_samples(padding, shown):
    with raises(TypeError, f"Conv1D expected padding to be a whole number, got {shown}"):
        Conv1D(1, 8, 5, padding=padding)


# Chains
# ------


def test_a_chain_has_at_least_one_layer():
    with pytest.raises(ValueError, match=r"^Sequential expected at least one layer, got none$"):
        Sequential()


@pytest.mark.parametrize(
    "layer", [ReLU, [ReLU()], (ReLU(), ReLU()), "ReLU", None, lambda x: x, [ReLU]]
)
def test_a_chain_takes_layers_and_neither_classes_nor_lists(layer):
    mend = "list them, each one created: Sequential(Dense(4, 3), ReLU())"
    with raises(TypeError, f"Sequential expected layers, got {layer!r}; {mend}"):
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
    ids=["neighbours", "apart", "nested", "both nested", "a chain"],
)
def test_a_layer_stands_in_a_chain_once_however_deep(layers, twice):
    with pytest.raises(ValueError, match="expected each layer once") as caught:
        Sequential(*layers)
    assert f"got the same {twice} twice; create a second {twice[:4]}" in str(caught.value)
    assert "with weights of its own" in str(caught.value)


def test_two_layers_with_the_same_settings_are_two_layers():
    assert len(Sequential(Dense(3, 3), ReLU(), Dense(3, 3), ReLU()).params) == 4


def test_an_error_inside_a_chain_names_the_layer_that_met_it():
    model = Sequential(Conv1D(1, 8, 5), ReLU(), MaxPool1D(2), Flatten(), Dense(256, 3))
    with raises(ValueError, "Dense expected x of shape (..., D_in=256), got (1, 240)"):
        model.forward(zeros(1, 64, 1))
    with raises(ValueError, "MaxPool1D expected x with at least pool_size=2 samples, got L=1"):
        model.forward(zeros(1, 5, 1))


@pytest.mark.parametrize(
    ("size", "kind", "words"),
    [
        (0, ValueError, "predict expected batch_size to be 1 or more, got 0"),
        (-3, ValueError, "predict expected batch_size to be 1 or more, got -3"),
        (True, TypeError, "predict expected batch_size to be a whole number, got True"),
        (2.0, TypeError, "predict expected batch_size to be a whole number, got 2.0"),
    ],
)
def test_predict_refuses_batches_of_no_size(size, kind, words):
    with raises(kind, words):
        Sequential(ReLU()).predict(zeros(3, 2), batch_size=size)


@pytest.mark.parametrize("batch_size", [None, 1, 2])
def test_predict_refuses_an_empty_batch_whatever_the_batch_size(batch_size):
    with raises(ValueError, "expected x with at least one number in it, got shape (0, 2)"):
        Sequential(ReLU()).predict(zeros(0, 2), batch_size=batch_size)


# After an error
# --------------


@every_layer
def test_an_error_changes_neither_the_arguments_nor_the_layer(layer, shape, shape_of_dy):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    y, cache = layer.forward(x)
    dy = rng.standard_normal((*y.shape, 2))
    before = x.copy(), dy.copy(), {name: array.copy() for name, array in layer.params.items()}

    with pytest.raises(ValueError, match="expected dy of shape"):
        layer.backward(dy, cache)
    with pytest.raises(TypeError, match="expected x to hold floats"):
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
        with pytest.raises(ValueError, match=r"^Conv1D expected x .* got "):
            layer.forward(zeros(*shape))
