"""Bad arguments are refused, alike at every entrance, with the argument's name and its value."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from refusals import bad_values, refused, refused_value

import numpycnn as nn
from numpycnn.checks.optimizer import check_adam
from numpycnn.inspection.explain import probabilities, saliency


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


# Shapes of the input of a layer
# ------------------------------

WRONG_SHAPES = {
    "no channel axis": (nn.Conv1D(1, 8, 5), (64, 3000), "C=1", "x[..., None]"),
    "no batch axis": (nn.Conv1D(3, 8, 5), (64, 3), "C=3", "x[None]"),
    "channels first": (nn.Conv1D(3, 8, 5), (10, 3, 64), "C=3", "x.transpose(0, 2, 1)"),
    "an axis too many": (nn.Conv1D(1, 8, 5), (2, 3, 64, 1), "C=1", ""),
    "no axis": (nn.Conv1D(1, 8, 5), (), "C=1", ""),
    "pool without channels": (nn.MaxPool1D(2), (10, 64), "(N, L, C)", "x[..., None]"),
    "global pool without channels": (nn.GlobalMaxPool1D(), (10, 64), "(N, L, C)", "x[..., None]"),
    "average pool of one trace": (nn.AveragePool1D(2), (64,), "(N, L, C)", "x[None, :, None]"),
    "a dense layer after maps": (nn.Dense(256, 16), (10, 32, 8), "D_in=256", "Flatten()"),
    "batch norm of other channels": (nn.BatchNorm(3), (2, 9, 4), "C=3", ""),
    "dense without axes": (nn.Dense(2, 2), (), "D_in=2", ""),
    "softmax without axes": (nn.Softmax(), (), "D", ""),
    "flatten without axes": (nn.Flatten(), (), "D", ""),
}


@pytest.mark.parametrize(
    ("layer", "shape", "expected", "fix"), WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys()
)
def test_a_wrong_shape_is_named_with_the_one_expected_and_the_fix(layer, shape, expected, fix):
    with refused(ValueError, type(layer).__name__, "x", expected, shape, fix):
        layer.forward(zeros(*shape))


LAYERS = {  # with the shape of an input
    "Conv1D": (nn.Conv1D(2, 3, 5), (4, 8, 2)),
    "Dense": (nn.Dense(6, 3), (4, 6)),
    "Dense on maps": (nn.Dense(2, 3), (4, 8, 2)),
    "ReLU": (nn.ReLU(), (4, 6)),
    "MaxPool1D": (nn.MaxPool1D(2), (4, 8, 2)),
    "GlobalMaxPool1D": (nn.GlobalMaxPool1D(), (4, 8, 2)),
    "AveragePool1D": (nn.AveragePool1D(2), (4, 8, 2)),
    "GlobalAveragePool1D": (nn.GlobalAveragePool1D(), (4, 8, 2)),
    "BatchNorm": (nn.BatchNorm(2), (4, 8, 2)),
    "BatchNorm in training": (nn.BatchNorm(2).for_training(0), (4, 8, 2)),
    "Dropout": (nn.Dropout(0.5), (4, 6)),
    "Dropout in training": (nn.Dropout(0.5).for_training(0), (4, 6)),
    "Upsample1D": (nn.Upsample1D(2), (4, 8, 2)),
    "Flatten": (nn.Flatten(), (4, 8, 2)),
    "Softmax": (nn.Softmax(), (4, 6)),
    "Sequential": (nn.Sequential(nn.Flatten(), nn.Dense(16, 3)), (4, 8, 2)),
}
every_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS.keys())


def owner_of(layer, last):
    """Return the name in the errors of a layer: for a chain that of its first or last layer."""
    if isinstance(layer, nn.Sequential):
        layer = layer.layers[-1 if last else 0]
    return type(layer).__name__.removesuffix("InTraining")


class Table:
    """An array inside an object, as in pandas and xarray."""

    def __init__(self, array):
        self.array = array

    def to_numpy(self):
        return self.array


CONVERSIONS = {
    "integers": (lambda a: a.astype(int), "int64"),
    "bools": (lambda a: a.astype(bool), "bool"),
    "strings": (lambda a: a.astype(str), "<U32"),
    "objects": (lambda a: a.astype(object), "object"),
    "list": (lambda a: a.tolist(), "list"),
    "None": (lambda a: None, "NoneType"),
    "number": (lambda a: 1.0, "float"),
    "masked": (np.ma.masked_array, "masked"),
    "table": (Table, "Table"),
    "matrix": (lambda a: a.reshape(len(a), -1).view(np.matrix), "matrix"),
}


@every_layer
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_bad_inputs_and_gradients_of_a_layer_are_refused_and_change_nothing(layer, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    y, cache = layer.forward(x)
    before = {name: array.copy() for name, array in layer.params.items()}
    first, last = owner_of(layer, last=False), owner_of(layer, last=True)
    for convert, shown in CONVERSIONS.values():
        with refused(TypeError, first, "x", shown):
            layer.forward(convert(x))
        with refused(TypeError, last, "dy", shown):
            layer.backward(convert(y), cache)
    with refused(ValueError, first, "x", (0, *shape[1:])):
        layer.forward(x[:0])
    for dy in y[:-1], y[..., :-1], y[0], y[..., None], y[:1], y.sum(axis=-1):
        with refused(ValueError, last, "dy", dy.shape):
            layer.backward(dy, cache)
    for name, array in layer.params.items():
        assert_array_equal(array, before[name])
    assert_array_equal(layer.forward(x)[0], y)


# Arguments of constructors
# -------------------------

NOT_SIZES = [0, -1, np.int64(0), True, np.True_, 5.0, np.float32(2), "5", [5], (2,)]
BUILD = {
    "in_channels": lambda n: nn.Conv1D(n, 8, 5),
    "out_channels": lambda n: nn.Conv1D(1, n, 5),
    "kernel_size": lambda n: nn.Conv1D(1, 8, n),
    "stride": lambda n: nn.Conv1D(1, 8, 5, stride=n),
    "dilation": lambda n: nn.Conv1D(1, 8, 5, dilation=n),
    "pool_size": lambda n: nn.MaxPool1D(n),
    "stride ": lambda n: nn.MaxPool1D(2, stride=n),
    "in_features": lambda n: nn.Dense(n, 3),
    "out_features": lambda n: nn.Dense(4, n),
    "channels": lambda n: nn.BatchNorm(n),
    "factor": lambda n: nn.Upsample1D(n),
}


@pytest.mark.parametrize("name", BUILD)
def test_sizes_are_integers_of_one_or_more(name):
    build = BUILD[name]
    for kind in np.int8, np.uint16, np.int64:
        assert repr(build(kind(2))) == repr(build(2))
    for size in NOT_SIZES:
        with refused_value(type(build(2)).__name__, name.strip(), size):
            build(size)


@bad_values(
    {
        "padding": ["full", "SAME", "", (1, 2, 3), (1,), (), [1, 2, 3], b"same", True, 1.5, None],
        "bias": ["no", 0, None],
        "momentum": [1.5, "a"],
        "eps": [0],
        "rate": [-0.1, 1, 1.5, float("nan"), True, "0.5", None],
    }
)
def test_bad_options_of_a_layer_are_refused(name, value):
    kind, arguments = {
        "padding": (nn.Conv1D, (1, 8, 5)),
        "bias": (nn.Dense, (1, 1)),
        "rate": (nn.Dropout, ()),
    }.get(name, (nn.BatchNorm, (2,)))
    with refused_value(kind.__name__, name, value):
        kind(*arguments, **{name: value})


DRAWERS = {
    "Conv1D": lambda rng: nn.Conv1D(1, 2, 3, rng=rng),
    "Dense": lambda rng: nn.Dense(1, 2, rng=rng),
    "make_traces": lambda rng: nn.make_traces(3, rng=rng),
    "train_test_split": lambda rng: nn.train_test_split(zeros(5, 2), [0] * 5, rng=rng),
    "fit": lambda rng: nn.fit(nn.Dense(1, 2), zeros(2, 1), np.array([0, 1]), epochs=1, rng=rng),
    "check_adam": lambda rng: check_adam(nn.Adam, rng),
}


@pytest.mark.parametrize("caller", DRAWERS)
def test_seeds_are_integers_or_generators_or_none(caller):
    for rng in 0, np.int64(3), 2**70, None, np.random.default_rng(0):
        DRAWERS[caller](rng)
    for rng in "a", 1.5, True, [1, 2], -1:
        with refused_value(caller, "rng", rng):
            DRAWERS[caller](rng)


@pytest.mark.parametrize("layer", [nn.Dense(3, 2), nn.Conv1D(3, 2, 1), nn.BatchNorm(3)])
@pytest.mark.parametrize("dtype", [int, bool])
def test_integer_parameters_are_refused(layer, dtype, tmp_path):
    for name in layer.params:
        whole = layer.with_params({**layer.params, name: layer.params[name].astype(dtype)})
        model = nn.Sequential(whole)
        for call in (
            lambda m=model: m(np.ones((2, 4, 3))),
            lambda m=model: nn.Adam(m.params),
            lambda m=model: nn.SGD(m.params, lr=1.0),
            lambda m=model: nn.fit(m, np.ones((2, 4, 3)), np.zeros((2, 4), int), epochs=1),
            lambda m=model: m.save(tmp_path / "model.npz"),
        ):
            with pytest.raises(TypeError, match=rf"\b{name}\b.*{np.dtype(dtype)}"):
                call()
    assert not list(tmp_path.iterdir())


# The same error at every entrance
# --------------------------------


def network():
    return nn.Sequential(
        nn.Conv1D(1, 2, 3, rng=0), nn.ReLU(), nn.GlobalAveragePool1D(), nn.Dense(2, 3, rng=1)
    )


def traces():
    return np.random.default_rng(0).standard_normal((6, 10, 1)).astype(np.float32)


LABELS = np.array([0, 1, 2, 0, 1, 2])
TAKE_X = {
    "fit": lambda x: nn.fit(network(), x, LABELS, epochs=1),
    "fit, validation": lambda x: nn.fit(
        network(), traces(), LABELS, epochs=1, validation=(x, LABELS)
    ),
    "evaluate": lambda x: nn.evaluate(network(), x, LABELS),
    "predict": lambda x: network().predict(x),
    "predict, batches": lambda x: network().predict(x, batch_size=4),
    "classify": lambda x: network().classify(x),
    "probabilities": lambda x: probabilities(network(), x),
    "saliency": lambda x: saliency(network(), x, 0),
    "diagnose": lambda x: nn.diagnose(network(), x, LABELS),
    "standardize": nn.standardize,
}
TAKE_TARGETS = {
    "fit": lambda y: nn.fit(network(), traces(), y, epochs=1),
    "evaluate": lambda y: nn.evaluate(network(), traces(), y),
    "diagnose": lambda y: nn.diagnose(network(), traces(), y),
    "softmax_cross_entropy": lambda y: nn.softmax_cross_entropy(np.zeros((6, 3)), y),
    "weighted_cross_entropy": lambda y: nn.weighted_cross_entropy([1, 1, 1])(np.zeros((6, 3)), y),
    "cross_entropy": lambda y: nn.cross_entropy(np.full((6, 3), 1 / 3), y),
}


def message_at_every_entrance(entrances, argument):
    """Return the one message, without the name of the function, that all entrances raise."""
    messages = set()
    for name, call in entrances.items():
        with pytest.raises((TypeError, ValueError)) as caught:
            call(argument)
        caller, _, rest = str(caught.value).partition(": ")
        assert caller == name.split(",")[0]
        messages.add(rest.replace("validation x", "x"))
    assert len(messages) == 1
    return messages.pop()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (lambda x: np.where(x == x[3, 7, 0], np.nan, x), "nan at x[3, 7, 0]"),
        (lambda x: np.where(x == x[3, 7, 0], -np.inf, x), "-inf at x[3, 7, 0]"),
        (lambda x: np.ma.masked_array(x, mask=x > 1), "masked"),
        (lambda x: x.tolist(), "list"),
        (lambda x: np.array(["a"]), "<U1"),
        (lambda x: x[:0], "(0, 10, 1)"),
    ],
    ids=["nan", "inf", "masked", "list", "text", "empty"],
)
def test_bad_traces_are_refused_alike(change, value):
    message = message_at_every_entrance(TAKE_X, change(traces()))
    assert value in message
    assert "x" in message


@pytest.mark.parametrize(
    ("targets", "value"),
    [
        ([0, 1, 2, 0, 1, 3], "3 at targets[5]"),
        ([0, 1, 2], "(3,)"),
        (np.ma.masked_array(LABELS, mask=LABELS == 1), "masked"),
        (np.full((6, 3), 0.3), "targets[0]"),
        (np.full((6, 3), np.nan), "targets[0]"),
    ],
    ids=["too large", "too few", "masked", "sums", "nan"],
)
def test_bad_targets_are_refused_alike(targets, value):
    message = message_at_every_entrance(TAKE_TARGETS, targets)
    assert message.startswith("targets ")
    assert value in message


def test_forward_passes_nan_through():
    x = traces()
    x[3, 7, 0] = np.nan
    for output in (network()(x), network().forward(x)[0]):
        assert np.isnan(output[3]).all()
        assert np.isfinite(np.delete(output, 3, axis=0)).all()


@bad_values({"batch_size": [0, -3, True, 2.0]})
def test_a_bad_batch_size_is_refused(name, value):
    for act in network().predict, network().classify:
        with refused_value(act.__name__, name, value):
            act(traces(), batch_size=value)


def test_scores_that_are_nan_have_no_class():
    model = network()
    model.params["3.w"][:] = np.nan
    with refused(ValueError, "classify", "scores[0, 0]"):
        model.classify(traces())
