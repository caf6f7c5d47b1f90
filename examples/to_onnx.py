"""To ONNX: a trained network in a file that other programs run.

ONNX is a format in which a network is a graph: nodes that each name an operation, and
constants, the weights. Programs in C++, in browsers, on telephones, on graphics
cards and behind servers run it, and none of them needs Python.

    python examples/to_onnx.py figures/model.npz model.onnx

What goes in is called `x` and has our layout, `(N, L, C)`, and what comes out, `y`, is what
`model.predict(x)` returns, in float32. The number of traces is free, and their length as far as
the network leaves it free. The notes that were saved with the model, such as the names of its
classes, come along as metadata, each in JSON.

It wants two more libraries: `python -m pip install onnx onnxruntime`. With the second the file
is tried before you have it: its answers are compared with those of `predict`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import numpycnn as nn
from numpycnn.layers import Container, conv1d
from numpycnn.layers.layer import defining
from numpycnn.storage import load_notes

# A graph
# -------
# Every node has a name for what comes out of it, and names what goes in. Here the name is all
# that is handed from one to the next.


class Graph:
    """The nodes and the constants so far."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operation, *inputs, **attributes):
        """Add a node for this operation, and return the name of its output.

        Its inputs are such names, and arrays, which become constants.
        """
        names = [name if isinstance(name, str) else self._constant(name) for name in inputs]
        output = f"{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, names, [output], **attributes))
        return output

    def _constant(self, array):
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add_along_samples(self, operation, x, *inputs, **attributes):
        """Add an operation that wants the channels before the samples, (N, C, L)."""
        x = self.add("Transpose", x, perm=[0, 2, 1])
        y = self.add(operation, x, *inputs, **attributes)
        return self.add("Transpose", y, perm=[0, 2, 1])


# Layer by layer
# --------------
# Convolutions and poolings of ONNX want the channels first. Each gets its input turned round, and
# its output turned back. Between two of them nothing is left of that: the program that runs
# the graph cancels a turn with the next.
#
# The zeros of `padding="same"` depend on the length where there is a stride. ONNX knows that
# padding as SAME_UPPER, but the program that runs most of these files refuses it together
# with a dilation. A dilated filter is a longer one with zeros between its taps, so that is
# what it gets.


def conv(graph, layer, x):
    """y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]."""
    w = layer.params["w"].transpose(2, 1, 0)  # (F, C, K)
    options = {"strides": [layer.stride]}
    if layer.padding == "same" and layer.stride > 1:
        spread = np.zeros((*w.shape[:2], layer.reach), w.dtype)
        spread[..., :: layer.dilation] = w
        w = spread
        options["auto_pad"] = "SAME_UPPER"
    else:  # as many zeros for any length
        options |= {"pads": layer.zeros_around(1), "dilations": [layer.dilation]}
    return graph.add_along_samples("Conv", x, float32(w), float32(layer.params["b"]), **options)


def dense(graph, layer, x):
    """y[n,j] = sum_i x[n,i] w[i,j] + b[j]."""
    y = graph.add("MatMul", x, float32(layer.params["w"]))
    return graph.add("Add", y, float32(layer.params["b"]))


def pool(graph, layer, x):
    """The largest of each window, or its mean."""
    operation = type(layer).__name__.removesuffix("1D")
    options = {"kernel_shape": [layer.pool_size], "strides": [layer.stride]}
    return graph.add_along_samples(operation, x, **options)


def upsample(graph, layer, x):
    """Each sample beside itself on a new axis, which is then read as one with that before it."""
    x = graph.add("Unsqueeze", graph.add("Transpose", x, perm=[0, 2, 1]), np.array([3]))
    x = graph.add("Expand", x, np.array([1, 1, 1, layer.factor]))  # (N, C, L, factor)
    x = graph.add("Reshape", x, np.array([0, 0, -1]))  # 0: as it is
    return graph.add("Transpose", x, perm=[0, 2, 1])


def batch_norm(graph, layer, x):
    """y = gamma (x - mean) / sqrt(var + eps) + beta, channels last."""
    deviation = np.sqrt(layer.state["var"] + layer.eps)
    z = graph.add("Sub", x, float32(layer.state["mean"]))
    z = graph.add("Div", z, float32(deviation))
    y = graph.add("Mul", z, float32(layer.params["gamma"]))
    return graph.add("Add", y, float32(layer.params["beta"]))


def chain(graph, model, x):
    """One layer after the other."""
    for layer in model:
        x = add_layer(graph, layer, x)
    return x


def residual(graph, model, x):
    """What the layers make of x, and x, or what the shortcut makes of it."""
    around = x if model.shortcut is None else add_layer(graph, model.shortcut, x)
    return graph.add("Add", around, chain(graph, model, x))


def float32(array):
    """The type in which ONNX's convolutions compute."""
    return array.astype(np.float32, casting="same_kind")


# What is looked up is the class whose `forward` a layer has. So a chain with a constructor of your
# own can be exported, and a convolution with a forward of your own is refused.

OPERATIONS = {
    conv1d.Conv1D: conv,
    nn.Conv1D: conv,
    nn.Dense: dense,
    nn.MaxPool1D: pool,
    nn.AveragePool1D: pool,
    nn.GlobalMaxPool1D: lambda graph, _, x: graph.add("ReduceMax", x, axes=[1], keepdims=0),
    nn.GlobalAveragePool1D: lambda graph, _, x: graph.add("ReduceMean", x, axes=[1], keepdims=0),
    nn.Upsample1D: upsample,
    nn.BatchNorm: batch_norm,
    nn.Dropout: lambda graph, layer, x: x,
    nn.ReLU: lambda graph, _, x: graph.add("Relu", x),
    nn.Flatten: lambda graph, _, x: graph.add("Flatten", x, axis=1),
    nn.Softmax: lambda graph, _, x: graph.add("Softmax", x, axis=-1),
    nn.Sequential: chain,
    nn.Residual: residual,
    nn.Beside: lambda graph, model, x: graph.add("Concat", x, chain(graph, model, x), axis=-1),
}


def add_layer(graph, layer, x):
    """Add what a layer does to `x`, and return the name of what comes out."""
    kind = defining(layer, "forward")
    if kind not in OPERATIONS:
        known = ", ".join(dict.fromkeys(known.__name__ for known in OPERATIONS))
        raise TypeError(
            f"to_onnx has no operation for the forward of {kind.__name__}, in {layer!r}; it knows "
            f"{known}. Build the network of these, or add an operation to OPERATIONS"
        )
    return OPERATIONS[kind](graph, layer, x)


# One scale for all
# -----------------
# A network that learned from standardised traces wants to see such. If the notes say so, the graph
# begins with what `nn.standardise` does, and takes the traces as the instrument wrote them.


def standardise(graph, x):
    """Mean 0 in each channel and deviation 1 in each trace; zeros for a constant trace."""

    def of_each_trace(operation, x, axes=(1, 2)):
        return graph.add(operation, x, axes=axes)  # (N, 1, 1), or (N, 1, C) with the axes (1,)

    zero, one = np.zeros((), np.float32), np.ones((), np.float32)
    highest, lowest = of_each_trace("ReduceMax", x, (1,)), of_each_trace("ReduceMin", x, (1,))
    widest = of_each_trace("ReduceMax", graph.add("Sub", highest, lowest))
    constant = graph.add("Equal", widest, zero)
    peak = graph.add("Where", constant, one, of_each_trace("ReduceMax", graph.add("Abs", x)))
    x = graph.add("Div", graph.add("Where", constant, zero, x), peak)
    x = graph.add("Sub", x, of_each_trace("ReduceMean", x, (1,)))
    square = of_each_trace("ReduceMean", graph.add("Mul", x, x))
    return graph.add("Div", x, graph.add("Where", constant, one, graph.add("Sqrt", square)))


# The file
# --------
# Versions are those of 2022, so that a program need not be new to read it.


def to_onnx(model, notes=None):
    """Return the network as an ONNX model, with `notes`, a dict, in its metadata.

    Where `notes["standardised"]` is true, the graph standardises the traces first.

    Raises `TypeError` for a layer that cannot be exported, and for complex weights.
    """
    notes = notes or {}
    graph = Graph()
    x = standardise(graph, "x") if notes.get("standardised") else "x"
    graph.add("Identity", add_layer(graph, model, x))
    graph.nodes[-1].output[0] = "y"
    shape = ["N", "L", channels(model)]
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
    exported = onnx.shape_inference.infer_shapes(exported, strict_mode=True)  # the shape of y
    onnx.checker.check_model(exported, full_check=True)
    return exported


def channels(model):
    """The number of channels that the network wants, or "C" where it takes any."""
    for _, layer in model.stages():
        if isinstance(layer, conv1d.Conv1D):
            return layer.in_channels
        if isinstance(layer, nn.Dense):
            return layer.in_features
        if isinstance(layer, nn.BatchNorm):
            return layer.channels
        if isinstance(layer, nn.Flatten | nn.Beside):  # behind which there are others
            break
    return "C"


# Does it say the same?
# ---------------------
# The file is tried on random traces, of the length that the notes tell, or of the shortest that
# the network takes.


def some_traces(model, notes):
    """Return 16 random traces (N, L, C) that the network takes."""
    n_channels = channels(model)
    n_channels = 1 if n_channels == "C" else n_channels
    rng = np.random.default_rng(0)
    for length in notes["shape"][:1] if "shape" in notes else range(1, 10_000):
        x = rng.standard_normal((16, length, n_channels)).astype(np.float32)
        try:
            model.predict(x[:1])
        except ValueError:  # too short, or not what a dense layer behind Flatten wants
            continue
        return x
    raise ValueError("found no length from 1 to 10,000 samples that the network takes")


def compare(exported, model, notes):
    """Run the graph, and say how far it is from `predict`."""
    try:
        import onnxruntime  # here, because the export does without
    except ImportError:
        return "not compared with predict, because onnxruntime is not installed"
    x = some_traces(model, notes)
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    (theirs,) = session.run(["y"], {"x": x})
    ours = model.predict(nn.standardise(x) if notes.get("standardised") else x)
    furthest = abs(theirs - ours).max()
    return f"within {furthest:.0e} of predict, for 16 random traces of {x.shape[1]} samples"


def axes(values):
    """The axes of what goes in or comes out, such as (N, L, 1)."""
    sizes = [axis.dim_param or axis.dim_value for axis in values[0].type.tensor_type.shape.dim]
    return f"({', '.join(map(str, sizes))})"


def main():
    """Read the model, write the graph, and compare."""
    options = argparse.ArgumentParser(description="Write a saved network as an ONNX file.")
    add = options.add_argument
    add("model", type=Path, help=".npz file, as model.save writes it")
    add("onnx", type=Path, help="file to write")
    add("--standardise", action="store_true", help="begin with what nn.standardise does")
    args = options.parse_args()
    try:
        model, notes = Container.load(args.model), load_notes(args.model) or {}
        notes = notes if isinstance(notes, dict) else {"notes": notes}
        if args.standardise:
            notes["standardised"] = True
        exported = to_onnx(model, notes)
        answer = compare(exported, model, notes)
        args.onnx.write_bytes(exported.SerializeToString())
    except (OSError, TypeError, ValueError) as error:
        options.error(str(error))

    print(f"x {axes(exported.graph.input)} becomes y {axes(exported.graph.output)}, float32")
    for note in exported.metadata_props:
        print(f"{note.key}: {note.value}")
    print(f"{answer}\nsaved {args.onnx}")


if __name__ == "__main__":
    main()
