"""Exchange parameters with PyTorch and Keras.

Other libraries have the same layers under other names and store the same numbers in another
order. Where two orders have the same shape, a wrong order raises no error. The functions
below convert dictionaries and lists of arrays in both directions. They require neither library.
With a network `model` for traces of shape `(L, C)` and an equivalent model `other`:

    other.load_state_dict({name: torch.tensor(a) for name, a in to_torch(model, (L, C)).items()})
    model = from_torch(model, other.state_dict(), (L, C))

    other.set_weights(to_keras(model))
    model = from_keras(model, other.get_weights())

Build `other` by hand from the same layers in the same order. `torch.nn.Sequential` numbers its
layers as `Sequential` does. For `Residual` and `SkipConcat`, extend it with a custom `forward`.

| here | PyTorch, x (N, C, L) | Keras, x (N, L, C) |
| --- | --- | --- |
| `Conv1D` | `Conv1d` | `Conv1D` |
| `Dense` on rows (N, D) | `Linear` | `Dense` |
| `Dense` on maps (N, L, D) | `Conv1d` with one tap | `Dense` |
| `bias=False` | `bias=False` | `use_bias=False` |
| `Flatten` | `Flatten` | `Flatten` |
| `Softmax` | `Softmax(dim=1)` | `Softmax` |
| `BatchNorm(C, eps=e)` | `BatchNorm1d(C, eps=e)` | `BatchNormalization(epsilon=e)` |

The `momentum=m` of `BatchNorm` is `momentum=m` in PyTorch and `momentum=1 - m` in Keras.
Compare the outputs of the PyTorch model in `eval()` mode. PyTorch has no `"causal"` padding, and
no `"same"` padding with a stride: pad the traces with `layer.pad_widths(L)` zeros instead. Keras
refuses a convolution with both a stride and a dilation. Both libraries store running statistics
in float32, and Keras multiplies the input before it subtracts the mean. For data with an offset
that is large compared with the signal, standardize the traces first.
`docs/4-engineering/4-other-libraries.md` lists and tests further conventions, including those of
Lux (Julia).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numpycnn import (
    AveragePool1D,
    BatchNorm,
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
    SkipConcat,
    Softmax,
    Upsample1D,
)
from numpycnn._types import Array, Params
from numpycnn._validation import require_parameters
from numpycnn.layers import conv1d
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Kind
from numpycnn.layers.prediction import require_layer

# PyTorch
# -------
# Traces of PyTorch are `(N, C, L)`. The axes of filters and dense weights are reversed, and
# a dense layer that acts on each sample of a map, where the channels are the last axis here, is
# a convolution with one tap.
#
# The difficult case is the dense layer after a `Flatten`. Its rows belong to flattened values,
# which are ordered by sample here and by channel in PyTorch. The layers in between that
# treat each value separately keep the order of their input.
#
# Each rule is written once, for the direction to PyTorch. It is applied to the positions 0, 1, 2
# and so on in an array, and the result gives the position here of each number there. Export
# reads these positions and import writes them, so one is always the inverse of the other.

THEIR_NAMES = {  # in the order in which Keras lists the arrays of a layer
    "w": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
COUNTER = "num_batches_tracked"  # in every BatchNorm1d; not used here


def to_torch(model: Layer, shape: tuple[int, ...]) -> dict[str, Array]:
    """Return copies of the arrays of `model` as a state dict of PyTorch.

    Parameters
    ----------
    model : Layer
        The network.
    shape : tuple of int
        Shape of one trace, (L, C).

    Returns
    -------
    dict of str to ndarray
        The arrays under the names of PyTorch, in its order and in the byte order of the machine.

    Raises
    ------
    TypeError
        For a custom layer, and for arrays that are not real floating-point numbers.
    ValueError
        For a network that outputs flattened values, or adds to them: PyTorch orders them
        differently.

    Examples
    --------
    >>> model = Sequential(Conv1D(2, 8, 5, padding="same"), Flatten(), Dense(512, 3))
    >>> for name, array in to_torch(model, (64, 2)).items():
    ...     print(name, array.shape)
    0.weight (8, 2, 5)
    0.bias (8,)
    2.weight (3, 512)
    2.bias (3,)
    """
    plan = _plan("to_torch", model, shape)
    ours = _arrays(model)
    return {theirs: ours[name].ravel()[places] for theirs, (name, places) in plan.items()}


def from_torch(model: Kind, arrays: Mapping[str, Any], shape: tuple[int, ...]) -> Kind:
    """Return a copy of `model` with the arrays of an equivalent PyTorch model.

    Parameters
    ----------
    model : Layer
        The network.
    arrays : mapping of str to array
        The state dict of the PyTorch model.
    shape : tuple of int
        Shape of one trace, (L, C).

    Returns
    -------
    Layer
        A network of the class of `model`. Running statistics are converted to float64.

    Raises
    ------
    TypeError, ValueError
        As `to_torch`, and for arrays with other names, shapes or types.

    Examples
    --------
    >>> model = Sequential(Conv1D(2, 8, 5, rng=0), Flatten(), Dense(480, 3, rng=1))
    >>> copy = from_torch(model, to_torch(model, (64, 2)), (64, 2))
    >>> all((copy.params[name] == array).all() for name, array in model.params.items())
    True
    """
    plan = _plan("from_torch", model, shape)
    given = {
        name: _real("from_torch", f"arrays[{name!r}]", np.asarray(array))
        for name, array in arrays.items()
        if name.rpartition(".")[2] != COUNTER
    }
    expected = {theirs: places.shape for theirs, (_, places) in plan.items()}
    actual = {name: array.shape for name, array in given.items()}
    if actual != expected:
        raise ValueError(
            f"from_torch: arrays must have the names and shapes {expected}, got {actual}. "
            "Build both models from the same layers."
        )
    shapes = {name: array.shape for name, array in _arrays(model).items()}
    ours = {}
    for theirs, (name, places) in plan.items():
        array = np.empty(places.size, given[theirs].dtype)
        array[places] = given[theirs]
        ours[name] = array.reshape(shapes[name])
    return _with_arrays(model, ours)


Plan = dict[str, tuple[str, Array]]  # name there: name here, and positions here of the numbers


def _plan(caller: str, model: Layer, shape: tuple[int, ...]) -> Plan:
    """Return the position of each number by sending a trace of zeros through the network."""
    _require_real(caller, model)
    plan: Plan = {}
    _, order = _walk(caller, plan, "", model, np.zeros((1, *shape), np.float32), None)
    _require_one_order(caller, model, order)
    return plan


def _walk(
    caller: str, plan: Plan, place: str, layer: Layer, x: Array, order: Array | None
) -> tuple[Array, Array | None]:
    """Add the arrays of a layer to the plan; return its output and the order of the output.

    The order lists the position here of each value of a row of PyTorch. None means that both
    orders are the same.
    """
    kind = _known(caller, layer)
    if kind in (Residual, SkipConcat):
        _require_one_order(caller, layer, order)
    if isinstance(layer, Sequential):
        y = x
        for inside, part in enumerate(layer):
            y, order = _walk(caller, plan, f"{place}{inside}.", part, y, order)
        if kind is Sequential:
            return y, order
        _require_one_order(caller, layer, order)
        if isinstance(layer, Residual) and layer.shortcut is not None:
            _, order = _walk(caller, plan, f"{place}shortcut.", layer.shortcut, x, None)
            _require_one_order(caller, layer, order)
        return layer(x), None
    for name, array in _arrays(layer).items():
        places = np.arange(array.size).reshape(array.shape)
        if name != "b" and order is not None:
            places = places[order]
        places = places.T
        if kind is Dense and name == "w" and x.ndim == 3:
            places = places[..., None]
        # In order in memory as well, because some file formats write memory as it is.
        plan[f"{place}{THEIR_NAMES[name]}"] = f"{place}{name}", np.ascontiguousarray(places)
    if kind is Flatten and x.ndim == 3 and min(x.shape[1:]) > 1:
        order = np.arange(x.size).reshape(x.shape[1:]).T.ravel()
    elif kind is Dense:
        order = None
    return layer(x), order


def _require_one_order(caller: str, layer: Layer, order: Array | None) -> None:
    """Raise where PyTorch has the values of a row in another order."""
    if order is not None:
        raise ValueError(
            f"{caller}: model must have a Dense layer between a Flatten and the end of a network, "
            "Residual or SkipConcat, because PyTorch flattens in another order, got "
            f"{layer!r}. Replace the Flatten by a global pooling layer, or add a Dense layer."
        )


# Keras
# -----
# Keras has the same axes, and lists its arrays in the order of the layers.


def to_keras(model: Layer) -> list[Array]:
    """Return copies of the arrays of `model` in the order of Keras.

    Parameters
    ----------
    model : Layer
        The network.

    Returns
    -------
    list of ndarray
        The argument of `set_weights`, layer after layer; a shortcut follows the other layers.

    Raises
    ------
    TypeError
        For a custom layer, and for arrays that are not real floating-point numbers.

    Examples
    --------
    >>> [array.shape for array in to_keras(Sequential(Conv1D(2, 8, 5), Dense(8, 3)))]
    [(5, 2, 8), (8,), (8, 3), (3,)]
    """
    return [array.copy() for array in _in_order("to_keras", model).values()]


def from_keras(model: Kind, arrays: Sequence[Any]) -> Kind:
    """Return a copy of `model` with the arrays of an equivalent Keras model.

    Parameters
    ----------
    model : Layer
        The network.
    arrays : sequence of array
        The result of `get_weights`.

    Returns
    -------
    Layer
        A network of the class of `model`. Running statistics are converted to float64.

    Raises
    ------
    TypeError, ValueError
        As `to_keras`, and for arrays of other shapes or types.
    """
    ours = _in_order("from_keras", model)
    given = [_real("from_keras", f"arrays[{i}]", np.array(a)) for i, a in enumerate(arrays)]
    expected = [array.shape for array in ours.values()]
    actual = [array.shape for array in given]
    if actual != expected:
        raise ValueError(
            f"from_keras: arrays must have the shapes {expected}, got {actual}. Build both models "
            "from the same layers."
        )
    return _with_arrays(model, dict(zip(ours, given, strict=True)))


def _in_order(caller: str, model: Layer) -> dict[str, Array]:
    """Return the arrays of `model` by name, layer after layer, weights before biases."""
    _require_real(caller, model)
    arrays = _arrays(model)
    names = [
        f"{place}.{name}" if place else name
        for place, layer in (*model.walk(), ("", model))
        if _known(caller, layer) and not isinstance(layer, Sequential)
        for name in THEIR_NAMES
    ]
    return {name: arrays[name] for name in names if name in arrays}


# Common to both
# --------------


def _arrays(layer: Layer) -> dict[str, Array]:
    """Return the parameters and the running statistics of a layer, in the native byte order."""
    arrays = {**layer.params, **layer.state}
    return {name: _native(array) for name, array in arrays.items()}


def _with_arrays(model: Kind, arrays: Params) -> Kind:
    """Return a copy of `model` with these arrays; running statistics are kept in float64."""
    state = {name: arrays[name].astype(np.float64) for name in model.state}
    return model.with_params({**arrays, **state})


def _require_real(caller: str, model: Layer) -> None:
    """Raise unless `model` is a layer whose parameters are real floating-point numbers."""
    require_layer(caller, model)
    require_parameters(caller, model.params)
    for name, array in model.params.items():
        _real(caller, f"params[{name!r}]", array)


def _real(caller: str, name: str, array: Array) -> Array:
    """Return an array of real floating-point numbers in the native byte order, or raise."""
    if array.dtype.kind != "f":
        raise TypeError(
            f"{caller}: {name} must be an array of real floats, got {array.dtype}. "
            f"Convert it: {name}.astype(np.float32)."
        )
    return _native(array)


def _native(array: Array) -> Array:
    """Return an array in the byte order of the machine, which the libraries require."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _known(caller: str, layer: Layer) -> type[Layer]:
    """Return the class of the package that defines the computation of a layer, or raise."""
    kind = defining(layer, "forward", "predict", "__call__")
    if kind not in SHARED:
        names = ", ".join(sorted({kind.__name__ for kind in SHARED}))
        raise TypeError(
            f"{caller}: model must consist of layers that other libraries have, {names}, got "
            f"{layer!r}. Copy the arrays of a custom layer yourself."
        )
    return kind


SHARED = {
    AveragePool1D,
    BatchNorm,
    SkipConcat,
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
