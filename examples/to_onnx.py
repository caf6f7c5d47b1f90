"""Write a saved network as an ONNX file, for programs in other languages.

    python examples/to_onnx.py figures/model.npz model.onnx

[The exporter](../numpycnn/interop/onnx_export.py) describes the contents of the file. The script
requires two libraries: `python -m pip install onnx onnxruntime`. Before it writes the file, it runs
the graph with `onnxruntime` and compares the outputs with those of `predict`.
"""

from _shared.options import (  # first: it reports a missing package in a line
    Parser,
    require_writable,
    write_whole,
)

# isort: split
from pathlib import Path

from numpycnn import Container
from numpycnn.interop.onnx_export import compare, to_onnx
from numpycnn.layers.storage import load_notes


def axes(values):
    """Return the axes of the input or the output, such as (N, L, 1)."""
    sizes = [axis.dim_param or axis.dim_value for axis in values[0].type.tensor_type.shape.dim]
    return f"({', '.join(map(str, sizes))})"


def main():
    """Read the model, build the graph, compare the outputs, and write the file."""
    options = Parser("Write a saved network as an ONNX file.")
    add = options.add_argument
    add("model", type=Path, help=".npz file, as model.save writes it")
    add("onnx", type=Path, help="file to write")
    add("--standardize", action="store_true", help="begin with nn.standardize")
    args = options.parse_args()
    if args.onnx.exists() and args.model.exists() and args.onnx.samefile(args.model):
        options.error(f"to_onnx: onnx must be another file than model, got {args.onnx}.")
    if not args.onnx.parent.is_dir():
        options.error(f"to_onnx: onnx must be in an existing folder, got {args.onnx}.")
    try:
        require_writable("onnx", args.onnx)
        model, notes = Container.load(args.model), load_notes(args.model) or {}
        notes = notes if isinstance(notes, dict) else {"notes": notes}
        if args.standardize:
            notes["standardized"] = True
        exported = to_onnx(model, notes)
        result = compare(exported, model, notes)
        write_whole(args.onnx, exported.SerializeToString())
    except ArithmeticError as error:
        options.exit(1, f"{error}\n")
    except (OSError, TypeError, ValueError) as error:
        options.error(str(error))

    print(f"x {axes(exported.graph.input)} becomes y {axes(exported.graph.output)}, float32")
    for note in exported.metadata_props:
        print(f"{note.key}: {note.value}")
    print(f"{result}\nsaved {args.onnx}")


if __name__ == "__main__":
    main()
