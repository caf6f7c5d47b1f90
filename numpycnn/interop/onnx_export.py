"""Export a trained network to ONNX.

ONNX is a file format in which a network is a graph. Each node names an operation, and the
parameters are stored as constants. Programs written in C++, in browsers, on phones, on graphics
cards and on servers run such files without Python.

The input of the graph is called `x` and has the layout of this package, `(N, L, C)`. The output
`y` is the output of `model.predict(x)` in float32. The number of traces `N` is free, and so is the
length `L` unless the network fixes it. NaN in a trace spreads as it does in `model(x)`. The notes
that were saved with the model, such as the names of the classes, become metadata in JSON.

The module requires `onnx`; `compare` requires `onnxruntime` as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import numpycnn as nn
from numpycnn._types import Array
from numpycnn._validation import first_true, require_parameters
from numpycnn.layers.describing import defining
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_layer

# The graph
# ---------
# Every node has a name for its output and lists the names of its inputs. Here, these names are
# passed from one node to the next.


class Graph:
    """The nodes and constants of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operation: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node and return the name of its output.

        Inputs are names of outputs, or arrays, which become constants.
        """
        names = [name if isinstance(name, str) else self._constant(name) for name in inputs]
        output = f"{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, names, [output], **attributes))
        return output

    def _constant(self, array: Array) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def along_samples(graph: Graph, x: str, add: Callable[[str], str]) -> str:
    """Swap the last two axes of x (N, L, C), apply `add`, and swap the axes back."""
    y = add(graph.add("Transpose", x, perm=[0, 2, 1]))
    return graph.add("Transpose", y, perm=[0, 2, 1])


# Layer by layer
# --------------
# Convolution and pooling of ONNX have the channels first. Each swaps the axes of its input and
# swaps those of its output back. The program that runs the graph cancels adjacent swaps.


def conv(graph: Graph, layer: Any, x: str) -> str:
    """Add y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]."""
    options: dict[str, Any] = {"strides": [layer.stride], "dilations": [layer.dilation]}
    if layer.padding == "same" and layer.stride > 1:
        x = pad_same(graph, layer, x)
    else:
        options["pads"] = layer.pad_widths(1)  # the same for every length
    arrays = [float32(layer.params["w"].transpose(2, 1, 0))]  # (F, C, K)
    if layer.bias:
        arrays.append(float32(layer.params["b"]))
    return along_samples(graph, x, lambda x: graph.add("Conv", x, *arrays, **options))


# With a stride, the number of zeros of `padding="same"` depends on the length, so the graph
# computes it. ONNX has an attribute for this padding, `auto_pad="SAME_UPPER"`. For a filter
# shorter than the stride, however, onnxruntime computes a negative number of zeros from it and
# drops samples at the start (https://github.com/microsoft/onnxruntime/issues/10086).


def pad_same(graph: Graph, layer: Any, x: str) -> str:
    """Pad x (N, L, C) with the zeros of `padding="same"`.

    M = ceil(L / S) windows of `size` samples span (M - 1) S + size samples. The zeros supply the
    difference to L: max(0, size - 1 - (L - 1) mod S). Half of them are on the left.
    """

    def integers(*values: int) -> Array:
        return np.array(values, np.int64)

    last = graph.add("Sub", graph.add("Shape", x, start=1, end=2), integers(1))  # L - 1
    beyond = graph.add("Mod", last, integers(layer.stride))
    missing = graph.add("Sub", integers(layer.effective_kernel_size - 1), beyond)
    missing = graph.add("Max", missing, integers(0))
    left = graph.add("Div", missing, integers(2))
    right = graph.add("Sub", missing, left)
    pads = graph.add("Concat", integers(0), left, integers(0, 0), right, integers(0), axis=0)
    return graph.add("Pad", x, pads)


def dense(graph: Graph, layer: Any, x: str) -> str:
    """Add y[n,j] = sum_i x[n,i] w[i,j] + b[j]."""
    y = graph.add("MatMul", x, float32(layer.params["w"]))
    return graph.add("Add", y, float32(layer.params["b"])) if layer.bias else y


def average_pool(graph: Graph, layer: Any, x: str) -> str:
    """Add the mean of each window."""
    return along_samples(graph, x, lambda x: graph.add("AveragePool", x, **window(layer)))


def max_pool(graph: Graph, layer: Any, x: str) -> str:
    """Add the maximum of each window."""
    return along_samples(graph, x, lambda x: maximum(graph, "MaxPool", x, **window(layer)))


def window(layer: Any) -> dict[str, Any]:
    """Return the attributes of a pooling operation."""
    return {"kernel_shape": [layer.pool_size], "strides": [layer.stride]}


# The maximum of values among which one is NaN is NaN here. ONNX does not define it, and
# onnxruntime often skips the NaN. So the graph computes a second maximum, of 1 where a value is
# NaN and 0 elsewhere.


def maximum(graph: Graph, operation: str, x: str, **options: Any) -> str:
    """Add MaxPool or ReduceMax, with NaN where one of the values is NaN."""
    is_nan = graph.add("Cast", graph.add("IsNaN", x), to=TensorProto.FLOAT)
    has_nan = graph.add("Cast", graph.add(operation, is_nan, **options), to=TensorProto.BOOL)
    return graph.add("Where", has_nan, np.float32(np.nan), graph.add(operation, x, **options))


# onnxruntime adds up float32 values in float32: the mean of 20 million ones would be 0.84. In
# float64 it is 1.


def global_average(graph: Graph, _: Any, x: str) -> str:
    """Add the mean of each channel over the whole trace."""
    x = graph.add("Cast", x, to=TensorProto.DOUBLE)
    x = graph.add("ReduceMean", x, axes=[1], keepdims=0)  # (N, C)
    return graph.add("Cast", x, to=TensorProto.FLOAT)


def global_max(graph: Graph, _: Any, x: str) -> str:
    """Add the maximum of each channel over the whole trace."""
    return maximum(graph, "ReduceMax", x, axes=[1], keepdims=0)  # (N, C)


def upsample(graph: Graph, layer: Any, x: str) -> str:
    """Repeat each sample along a new axis, which is then merged with the axis before it."""

    def repeat(x: str) -> str:
        x = graph.add("Unsqueeze", x, np.array([3]))  # (N, C, L, 1)
        x = graph.add("Expand", x, np.array([1, 1, 1, layer.factor]))  # (N, C, L, factor)
        return graph.add("Reshape", x, np.array([0, 0, -1]))  # 0 keeps the length of an axis

    return along_samples(graph, x, repeat)


# The running mean is float64, because the mean of raw counts may need more digits than float32 has.
# It is subtracted in two parts, each of them float32.


def batch_norm(graph: Graph, layer: Any, x: str) -> str:
    """Add y = gamma (x - mean) / sqrt(var + eps) + beta."""
    mean, var = layer.state["mean"], layer.state["var"]
    high = float32(mean)
    x = graph.add("Sub", x, high)
    x = graph.add("Sub", x, float32(mean - high))
    x = graph.add("Mul", x, float32(layer.params["gamma"] / np.sqrt(var + layer.eps)))
    return graph.add("Add", x, float32(layer.params["beta"]))


def chain(graph: Graph, model: Any, x: str) -> str:
    """Add one layer after the other."""
    for layer in model:
        x = add_layer(graph, layer, x)
    return x


def residual(graph: Graph, model: Any, x: str) -> str:
    """Add the output of the layers to x, or to the output of the shortcut."""
    around = x if model.shortcut is None else add_layer(graph, model.shortcut, x)
    y = chain(graph, model, x)
    # Add would repeat a single sample or channel to fit the other input. Residual refuses that,
    # and so does Reshape.
    return graph.add("Add", around, graph.add("Reshape", y, graph.add("Shape", around)))


def float32(array: Array) -> Array:
    """Return the array in float32, in the byte order of the machine."""
    return array.astype(np.float32)


# The table is looked up by the class that defines the computation of a layer. A chain with a
# custom constructor can be exported, and a convolution with a custom forward is refused.

OPERATIONS: dict[type[Layer], Callable[[Graph, Any, str], str]] = {
    nn.Conv1D: conv,
    nn.Dense: dense,
    nn.MaxPool1D: max_pool,
    nn.AveragePool1D: average_pool,
    nn.GlobalMaxPool1D: global_max,
    nn.GlobalAveragePool1D: global_average,
    nn.Upsample1D: upsample,
    nn.BatchNorm: batch_norm,
    nn.Dropout: lambda graph, layer, x: x,
    nn.ReLU: lambda graph, _, x: graph.add("Relu", x),
    nn.Flatten: lambda graph, _, x: graph.add("Flatten", x, axis=1),
    nn.Softmax: lambda graph, _, x: graph.add("Softmax", x, axis=-1),
    nn.Sequential: chain,
    nn.Residual: residual,
    nn.SkipConcat: lambda graph, model, x: graph.add("Concat", x, chain(graph, model, x), axis=-1),
}


def add_layer(graph: Graph, layer: Any, x: str) -> str:
    """Add the computation of a layer to the graph and return the name of its output."""
    kind = defining(layer, "forward", "predict", "__call__")
    if kind not in OPERATIONS:
        known = ", ".join(dict.fromkeys(known.__name__ for known in OPERATIONS))
        raise TypeError(
            f"to_onnx: every layer must compute what one of {known} computes, got {layer!r} with "
            f"the computation of {kind.__name__}. Build the network of these layers, or add an "
            "operation to OPERATIONS."
        )
    return OPERATIONS[kind](graph, layer, x)


# Standardization
# ---------------
# A network that was trained on standardized traces requires such traces. If the notes say so, the
# graph begins with `nn.standardize` and takes the traces in the units of the instrument.
#
# Traces often have an offset that is large compared with the signal. The first sample of each
# channel is therefore subtracted first, which is exact or nearly so. It also turns a constant
# trace into exact zeros. The rest is computed in float64.


def standardize(graph: Graph, x: str) -> str:
    """Add mean 0 in each channel and deviation 1 in each trace; zeros for a constant trace."""
    x = graph.add("Cast", x, to=TensorProto.DOUBLE)
    first = graph.add("Slice", x, np.array([0]), np.array([1]), np.array([1]))  # (N, 1, C)
    x = graph.add("Sub", x, first)
    x = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[1]))
    variance = graph.add("ReduceMean", graph.add("Mul", x, x), axes=[1, 2])  # (N, 1, 1)
    deviation = graph.add("Sqrt", variance)
    is_zero = graph.add("Equal", deviation, np.float64(0))
    x = graph.add("Div", x, graph.add("Where", is_zero, np.float64(1), deviation))
    return graph.add("Cast", x, to=TensorProto.FLOAT)


# The file
# --------
# The versions of the format are those of 2022, so that older programs can read the file.


def to_onnx(model: Layer, notes: Mapping[str, Any] | None = None) -> Any:
    """Return the network as an ONNX model.

    Parameters
    ----------
    model : Layer
        The network. Its parameters are converted to float32.
    notes : dict, optional
        Metadata, stored in JSON. If `notes["standardized"]` is true, the graph standardizes the
        traces first.

    Returns
    -------
    onnx.ModelProto
        A graph with the input `x`, shape (N, L, C), and the output `y`.

    Raises
    ------
    TypeError
        For a custom layer, and for parameters that are not real floating-point numbers.
    ValueError
        For parameters that are not finite in float32.
    """
    require_layer("to_onnx", model)
    require_parameters("to_onnx", model.params)
    require_float32("params", model.params)
    require_float32("state", model.state)
    notes = notes or {}
    graph = Graph()
    x = standardize(graph, "x") if notes.get("standardized") else "x"
    graph.add("Identity", add_layer(graph, model, x))
    graph.nodes[-1].output[0] = "y"
    shape = ["N", "L", channels(model) or "C"]
    exported = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "numpycnn",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="numpycnn",
        producer_version=nn.__version__,
        doc_string=repr(model),
    )
    helper.set_model_props(exported, {name: json.dumps(note) for name, note in notes.items()})
    exported = onnx.shape_inference.infer_shapes(exported, strict_mode=True)
    axes_of_y = exported.graph.output[0].type.tensor_type.shape.dim
    for axis, letter in zip(axes_of_y, "NMF" if len(axes_of_y) == 3 else "ND", strict=True):
        if not axis.dim_value and axis.dim_param != "L":  # not known to the inference
            axis.dim_param = letter
    onnx.checker.check_model(exported, full_check=True)
    return exported


def require_float32(kind: str, arrays: Mapping[str, Array]) -> None:
    """Raise unless all numbers are real and finite in float32."""
    for name, array in arrays.items():
        if array.dtype.kind == "c":
            raise TypeError(
                f"to_onnx: {kind}[{name!r}] must be an array of real floats, got {array.dtype}. "
                "Convolutions of ONNX are real: train a real network."
            )
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(float32(array))
        if wrong.any():
            raise ValueError(
                f"to_onnx: {kind}[{name!r}] must be finite in float32, got {array[wrong][0]} at "
                f"{list(first_true(wrong))}. Train the network again, with a smaller lr."
            )


def channels(model: Layer) -> int | None:
    """Return the number of channels that the network requires, or None if it takes any number."""
    for _, layer in model.walk():
        if isinstance(layer, nn.Conv1D):
            return layer.in_channels
        if isinstance(layer, nn.Dense):
            return layer.in_features
        if isinstance(layer, nn.BatchNorm):
            return layer.channels
        if isinstance(layer, nn.Flatten | nn.SkipConcat):  # which change the number of channels
            break
    return None


# Comparison with predict
# -----------------------
# The last windows of a trace depend on the remainder of its length divided by the strides. A
# comparison at one length can miss an error at another, so there is one length for each remainder
# of the product of all strides, as far as the network takes such lengths.

TOLERANCE = 1e-4  # of the largest output


def compare(exported: Any, model: Layer, notes: Mapping[str, Any]) -> str:
    """Run the graph and return a sentence with its worst difference from `predict`.

    Raises
    ------
    ArithmeticError
        If the difference exceeds `TOLERANCE`.
    """
    try:
        import onnxruntime  # here, because the export does not require it
    except ImportError:
        return "not compared with predict, because onnxruntime is not installed"
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    differences = {}
    for x, expected in some_traces(model, notes):
        (actual,) = session.run(["y"], {"x": x})
        differences[x.shape[1]] = difference(actual, expected)
    length = max(differences, key=lambda length: (differences[length], length))
    worst = f"{differences[length]:.1e} of the largest output, at {length} samples"
    if not differences[length] <= TOLERANCE:
        raise ArithmeticError(
            f"to_onnx: the outputs of the graph must agree with those of predict within "
            f"{TOLERANCE:.0e} of the largest output, got a difference of {worst}. No file was "
            "written. Please report the network, because the export is incorrect."
        )
    lengths = f"{len(differences)} lengths from {min(differences)} to {max(differences)}"
    return f"worst difference from predict: {worst} (random traces of {lengths})"


def difference(actual: Array, expected: Array) -> float:
    """Return the largest difference in units of the largest output; infinity instead of NaN."""
    if actual.shape != expected.shape:
        return np.inf
    apart = abs(actual - expected).max() / (abs(expected).max() or 1.0)
    return np.inf if np.isnan(apart) else float(apart)


def some_traces(model: Layer, notes: Mapping[str, Any]) -> Iterator[tuple[Array, Array]]:
    """Yield random traces x (N, L, C) of several lengths, and the output of `predict`."""
    length, n_channels = given_shape(notes) or (None, 1)
    n_channels = channels(model) or n_channels
    rng = np.random.default_rng(0)

    def attempt(length: int) -> tuple[Array, Array]:
        x = rng.standard_normal((4, length, n_channels))
        standardized = notes.get("standardized")
        if standardized:  # as an instrument may write them
            x = 1000 * x + rng.uniform(-1e7, 1e7, (4, 1, n_channels))
        x = x.astype(np.float32)
        return x, model.predict(nn.standardize(x) if standardized else x)

    first = length or shortest(attempt)
    period = prod(getattr(layer, "stride", 1) for _, layer in model.walk())
    yield attempt(first)
    for start in (first, first + 100):  # short traces, where padding counts most, and longer ones
        remainders = {first % period} if start == first else set()
        for length in (*range(start, start + period), *range(start - 1, start - period, -1)):
            if length > 0 and length % period not in remainders:
                with suppress(ValueError):  # not a length that the network takes
                    yield attempt(length)
                    remainders.add(length % period)


def given_shape(notes: Mapping[str, Any]) -> Sequence[int] | None:
    """Return the shape (L, C) of a trace if the notes contain it, else None."""
    shape = notes.get("shape")
    if isinstance(shape, list) and [type(size) for size in shape] == [int, int] and min(shape) > 0:
        return shape
    return None


def shortest(attempt: Callable[[int], object], longest: int = 10_000) -> int:
    """Return the smallest length at which `attempt` raises no ValueError."""
    for length in range(1, longest):
        with suppress(ValueError):
            attempt(length)
            return length
    attempt(longest)
    return longest
