"""The same weights, laid out for PyTorch and for Keras.

Other libraries have our layers under other names, and keep the same numbers in
another order. Where two orders have the same shape, nothing complains of the wrong
one. So here both ways are functions, arrays in and arrays out; neither library is
needed for that. With a network `model` for traces of shape `(L, C)`, and its twin:

    twin.load_state_dict({name: torch.tensor(a) for name, a in to_torch(model, (L, C)).items()})
    model = from_torch(model, twin.state_dict(), (L, C))

    twin.set_weights(to_keras(model))
    model = from_keras(model, twin.get_weights())

The twin is built by hand, of the same layers at the same places: `torch.nn.Sequential`
counts them as we do, and so does a class of yours that extends it, for `Residual` and `Beside`.

| here | PyTorch, x (N, C, L) | Keras, x (N, L, C) |
| --- | --- | --- |
| `Conv1D` | `Conv1d` | `Conv1D` |
| `Dense` on rows (N, D) | `Linear` | `Dense` |
| `Dense` on maps (N, L, D) | `Conv1d` with one tap | `Dense` |
| `Flatten` | `Flatten` | `Flatten` |
| `Softmax` | `Softmax(dim=1)` | `Softmax` |
| `BatchNorm` | `BatchNorm1d`, in `eval()` | `BatchNormalization(epsilon=1e-5)` |

PyTorch has no `"causal"` padding, and no `"same"` with a stride: put the zeros of
`layer.zeros_around(L)` before and after the traces. Poolings have the same names, more or less.
`docs/12-moving-on.md` has all this in tables and runs it. (Lux, in Julia, is there as well.)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numpycnn.layers import (
    AveragePool1D,
    BatchNorm,
    Beside,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    Upsample1D,
    conv1d,
)
from numpycnn.layers.layer import Kind, defining, require_layer
from numpycnn.types import Array, Params

# PyTorch
# -------
# PyTorch's traces are `(N, C, L)`. Filters and dense weights have their axes turned round, and
# a dense layer that works on each sample of a map, where our channels are the last axis, is a
# convolution with one tap there.
#
# The difficult one is the dense layer after a `Flatten`. Its rows belong to numbers that
# come sample after sample with us and channel after channel there. All layers in between that
# treat each number by itself hand on the order that they are given.
#
# Each rule is written once, for the way there. It is applied to the array's places, 0, 1, 2 and
# so on, and what comes out says where each number of theirs is in ours. To go there is to
# read those places, to come back is to write them, so one is always the inverse of the other.

THEIR_NAMES = {
    "w": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def to_torch(model: Layer, shape: tuple[int, ...]) -> Params:
    """Return the arrays of `model` under PyTorch's names and in its order: a state dict.

    `shape` is that of one trace, (L, C). The arrays are copies.

    >>> model = Sequential(Conv1D(2, 8, 5, padding="same"), Flatten(), Dense(512, 3))
    >>> for name, array in to_torch(model, (64, 2)).items():
    ...     print(name, array.shape)
    0.weight (8, 2, 5)
    0.bias (8,)
    2.weight (3, 512)
    2.bias (3,)

    Raises `TypeError` for a layer of your own, and `ValueError` for a network that would put
    flattened numbers out, or add something to them: there they have another order.
    """
    plan = _plan(model, shape)
    ours = _arrays(model)
    return {theirs: ours[name].ravel()[places] for theirs, (name, places) in plan.items()}


def from_torch(model: Kind, arrays: Mapping[str, Any], shape: tuple[int, ...]) -> Kind:
    """Return a copy of `model` that holds the arrays of its PyTorch twin, a state dict.

    `shape` is that of one trace, (L, C).

    >>> model = Sequential(Conv1D(2, 8, 5, rng=0), Flatten(), Dense(480, 3, rng=1))
    >>> twin = from_torch(model, to_torch(model, (64, 2)), (64, 2))
    >>> all((twin.params[name] == array).all() for name, array in model.params.items())
    True

    Raises what `to_torch` raises, and `ValueError` for arrays of other names or shapes.
    """
    plan = _plan(model, shape)
    given = {
        name: np.asarray(array)
        for name, array in arrays.items()
        if name.rpartition(".")[2] != COUNTER
    }
    came = {name: array.shape for name, array in given.items()}
    wanted = {theirs: places.shape for theirs, (_, places) in plan.items()}
    if came != wanted:
        raise ValueError(f"from_torch expected arrays of shapes {wanted}, got {came}")
    ours = {}
    for theirs, (name, places) in plan.items():
        array = np.empty(places.size, given[theirs].dtype)
        array[places] = given[theirs]
        ours[name] = array.reshape(_arrays(model)[name].shape)
    return model.with_params(ours)


Plan = dict[str, tuple[str, Array]]  # their name: our name, and where their numbers are in ours
THEIR_NAMES = {  # in the order in which Keras lists the arrays
    "w": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
COUNTER = "num_batches_tracked"  # in every BatchNorm1d, which has no use for it


def _plan(model: Layer, shape: tuple[int, ...]) -> Plan:
    """Say where each number of theirs is, by sending a trace of zeros through the network."""
    require_layer("interop", model)
    plan: Plan = {}
    _, order = _walk(plan, "", model, np.zeros((1, *shape), np.float32), None)
    _require_one_order(model, order)
    return plan


def _walk(
    plan: Plan, place: str, layer: Layer, x: Array, order: Array | None
) -> tuple[Array, Array | None]:
    """Add what is in a layer to the plan; return its output, and the order of that.

    An order is where each of a row's numbers, as PyTorch has them, is with us: None for all alike.
    """
    kind = _known(layer)
    if kind in (Residual, Beside):
        _require_one_order(layer, order)
    if isinstance(layer, Sequential):
        y = x
        for inside, part in enumerate(layer):
            y, order = _walk(plan, f"{place}{inside}.", part, y, order)
        if kind is Sequential:
            return y, order
        _require_one_order(layer, order)
        if isinstance(layer, Residual) and layer.shortcut is not None:
            _, order = _walk(plan, f"{place}shortcut.", layer.shortcut, x, None)
            _require_one_order(layer, order)
        return layer(x), None
    for name, array in _arrays(layer).items():
        places = np.arange(array.size).reshape(array.shape)
        if name != "b" and order is not None:
            places = places[order]
        places = places.T
        if kind is Dense and name == "w" and x.ndim == 3:
            places = places[..., None]
        # In order in memory as well: some formats write memory as it is.
        plan[f"{place}{THEIR_NAMES[name]}"] = f"{place}{name}", np.ascontiguousarray(places)
    if kind is Flatten and x.ndim == 3 and min(x.shape[1:]) > 1:
        order = np.arange(x.size).reshape(x.shape[1:]).T.ravel()
    elif kind is Dense:
        order = None
    return layer(x), order


def _require_one_order(layer: Layer, order: Array | None) -> None:
    """Raise where PyTorch would have the numbers of a row in another order."""
    if order is not None:
        raise ValueError(
            "interop expected a Dense layer between a Flatten and the end of a network, a Residual "
            f"or a Beside, because PyTorch flattens in another order; got {layer!r}"
        )


# Keras
# -----
# Keras's axes are ours, and its lists of weights are in the order of the layers.


def to_keras(model: Layer) -> list[Array]:
    """Return copies of the arrays of `model` as Keras wants them: `twin.set_weights(...)`.

    >>> [array.shape for array in to_keras(Sequential(Conv1D(2, 8, 5), Dense(8, 3)))]
    [(5, 2, 8), (8,), (8, 3), (3,)]

    Raises `TypeError` for a layer of your own.
    """
    return [array.copy() for array in _in_order(model).values()]


def from_keras(model: Kind, arrays: Sequence[Any]) -> Kind:
    """Return a copy of `model` that holds the arrays of its Keras twin, `twin.get_weights()`.

    Raises `TypeError` for a layer of your own, and `ValueError` for arrays of other shapes.
    """
    ours = _in_order(model)
    given = [np.array(array) for array in arrays]
    came, wanted = [array.shape for array in given], [array.shape for array in ours.values()]
    if came != wanted:
        raise ValueError(f"from_keras expected arrays of shapes {wanted}, got {came}")
    return model.with_params(dict(zip(ours, given, strict=True)))


def _in_order(model: Layer) -> Params:
    """Return the arrays of `model` under our names, layer after layer, weights before biases."""
    require_layer("interop", model)
    arrays = _arrays(model)
    names = [
        f"{place}.{name}" if place else name
        for place, layer in model.stages()
        if _known(layer) and not isinstance(layer, Sequential)
        for name in THEIR_NAMES
    ]
    return {name: arrays[name] for name in names if name in arrays}


# What is shared
# --------------


def _arrays(layer: Layer) -> Params:
    """Everything that a layer has learned, running statistics among it."""
    return {**layer.params, **layer.state}


def _known(layer: Layer) -> type[Layer]:
    """Return the class whose forward a layer has, if that is one of the package's; or raise."""
    kind = defining(layer, "forward")
    if kind not in SHARED:
        names = ", ".join(sorted({kind.__name__ for kind in SHARED}))
        raise TypeError(
            f"interop expected layers that other libraries have as well, {names}, got {layer!r}; "
            "carry the arrays of a layer of your own over by yourself"
        )
    return kind


SHARED = {
    AveragePool1D,
    BatchNorm,
    Beside,
    Conv1D,
    conv1d.Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    Upsample1D,
}
