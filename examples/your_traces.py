"""Your own traces: from a file of them to a network that sorts the next file.

The file holds traces of one length and a label for each; how is said below, and
`your_traces.csv` beside this script is one to begin with. A fifth of the traces is
held out. A network learns from the others, is examined on the fifth, and is saved
together with the names of the classes. Then it can be given traces without labels.

    python examples/your_traces.py
    python examples/your_traces.py data.npz --head flatten --epochs 200
    python examples/your_traces.py --classify more.csv --model figures/model.npz

The 90 traces of `your_traces.csv` are those of `make_traces(90, rng=0, noise=0.2)`,
rounded to three decimals. Try both heads on them.
"""

import argparse
import csv
import hashlib
import json
import math
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from numpycnn import (
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    History,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    confusion_matrix,
    evaluate,
    fit,
)
from numpycnn.baselines import MajorityRule
from numpycnn.plots import plot_confusion, plot_learning_curves, show

TAPS = 5  # of a filter, and the fewest samples a trace may have
FILTERS = 8

# Reading the traces
# ------------------
# Two kinds of file will do.
#
# - `.npz`, as `np.savez("data.npz", x=x, labels=labels)` writes it: an array `x` of shape
#   `(N, L)`, or `(N, L, C)` for several channels, and `labels` of shape `(N,)`, integers
#   or texts.
# - `.csv`: a header line, then a trace a line. The first column is headed `label` and holds
#   a text or a number; the others are the samples. Where there are several channels, their
#   names stand before the last underscore of the headings: `label,z_1,z_2,z_3,n_1,n_2,n_3`.
#
# A file that was made for something else is never quite right at first. So each of these
# functions says what it expected, what came, and where. Nothing is guessed or left out
# in silence.


def read_traces(path: Path, labelled: bool = True) -> tuple[np.ndarray, list[str] | None]:
    """Return the traces (N, L, C) in a file and the name of the class of each, if it has them.

    Raises `ValueError` if they cannot be had, or if there are no labels where `labelled`.
    """
    readers = {".csv": read_csv, ".npz": read_npz}
    try:
        if path.suffix.lower() not in readers:
            raise ValueError(f"expected a file that ends in .npz or .csv, got {path.suffix!r}")
        if not path.is_file():
            raise ValueError(
                f"there is no such file; it was looked for in {path.absolute().parent}"
            )
        x, names = readers[path.suffix.lower()](path, labelled)
        _, length, n_channels = x.shape
        if length < max(TAPS, n_channels):
            raise ValueError(
                f"expected {TAPS} samples or more, and no fewer than there are channels, got "
                f"{length} of {n_channels}; in x channels go last, x.transpose(0, 2, 1), and in "
                "a CSV header they are what stands before the last _ of a name"
            )
        if names and "" in names:
            raise ValueError(
                f"trace {names.index('') + 1}, counted from 1, has an empty label; fill it in, or "
                "to classify leave out all labels"
            )
        if labelled:
            check_classes(names)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return x, names


def read_npz(path: Path, labelled: bool) -> tuple[np.ndarray, list[str] | None]:
    """Read `x` and `labels` from an archive of arrays."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no .npz file, or was cut off; write it with np.savez")
    try:
        with np.load(path, allow_pickle=False) as file:
            held = file.files
            arrays = {name: file[name] for name in ("x", "labels") if name in held}
    except Exception as error:  # a damaged file can raise anything at all
        if "allow_pickle" in str(error):
            raise ValueError(
                "x or labels hold Python objects, which are not read because that can run code; "
                "save x.astype(float) and labels.astype(str). Traces of unequal length have to "
                "be cut to one length first"
            ) from error
        raise ValueError(f"it is damaged: {error}") from error
    for name in ("x", "labels") if labelled else ("x",):
        if name not in arrays:
            raise ValueError(
                f"expected an array {name}, it holds {', '.join(held) or 'none'}; "
                "write it with np.savez('data.npz', x=x, labels=labels)"
            )
    x = numbers_of(arrays["x"])
    return x, names_of(arrays["labels"], len(x)) if "labels" in arrays else None


def numbers_of(x: np.ndarray) -> np.ndarray:
    """Return the array `x` of an archive as (N, L, C), or raise."""
    if x.dtype.kind not in "iuf":
        raise ValueError(
            f"expected x to hold real numbers, got {x.dtype}; convert: x.astype(float)"
        )
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(
            f"expected x of shape (N, L) or (N, L, C), none of them 0, got {x.shape}; "
            "for one trace add an axis: x[None]"
        )
    if not np.isfinite(x).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(x))[0]))
        raise ValueError(
            f"expected finite numbers, got {x[where]} at x[{', '.join(map(str, where))}]; "
            "leave that trace out or fill the gap"
        )
    return x if x.ndim == 3 else x[..., None]


def names_of(labels: np.ndarray, n_traces: int) -> list[str]:
    """Return the array `labels` of an archive as texts, or raise."""
    if labels.shape != (n_traces,):
        raise ValueError(
            f"expected a label for each trace, shape ({n_traces},), got {labels.shape}; "
            "of one-hot rows take labels.argmax(axis=1)"
        )
    if labels.dtype.kind not in "iuU":
        raise ValueError(
            f"expected labels to be integers or texts, got {labels.dtype}; "
            "convert: labels.astype(int) or labels.astype(str)"
        )
    return [str(label).strip() for label in labels]


def read_csv(path: Path, labelled: bool) -> tuple[np.ndarray, list[str] | None]:
    """Read a header line, and below it a trace a line. Empty lines are skipped."""
    traces, names = [], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip() for name in next(rows, [])]
            first = check_header(header, labelled)
            channels = channels_of(header[first:])
            for row in rows:
                if any(map(str.strip, row)):
                    names.append(row[0].strip())
                    traces.append(numbers_in(row, header, rows.line_num, first))
    except UnicodeDecodeError as error:
        raise ValueError("expected text in UTF-8; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"expected values separated by commas: {error}") from error
    if not traces:
        raise ValueError("expected a trace a line below the header, got no such line")
    x = np.array(traces)[:, channels].transpose(0, 2, 1)  # (N, C, L) to (N, L, C)
    return x, names if first else None


def check_header(header: list[str], labelled: bool) -> int:
    """Return in which column the samples begin: 1 after a column of labels, or 0; or raise."""
    if len(header) < 2:
        got = repr(header[0][:40]) if header else "an empty file"
        raise ValueError(f"expected a header line with commas, label,s1,s2,s3, got {got}")
    lower = [name.lower() for name in header]
    if lower[0] == "label":
        return 1
    if "label" in lower:
        column = lower.index("label") + 1
        raise ValueError(f"expected the column label first, it is column {column}; move it")
    if not any(math.isnan(number(name)) for name in header[1:]):
        raise ValueError("line 1: expected a header, got a trace; put a line label,s1,s2,s3 above")
    if labelled:
        raise ValueError(f"expected the first column to be headed label, got {header[0]!r}")
    return 0


def channels_of(names: list[str]) -> list[list[int]]:
    """Return for each channel the places of its samples among the `names`, or raise."""
    channels: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        channels.setdefault(name.rpartition("_")[0], []).append(place)
    if len({len(places) for places in channels.values()}) > 1:
        counts = ", ".join(f"{len(places)} of {name!r}" for name, places in channels.items())
        raise ValueError(
            f"line 1: expected as many samples of each channel, got {counts}; what stands before "
            "the last _ of a name is its channel"
        )
    return list(channels.values())


def numbers_in(row: list[str], header: list[str], line: int, first: int) -> list[float]:
    """Return the samples of one line of a CSV file, or raise and say where the trouble is."""
    if len(row) != len(header):
        raise ValueError(
            f"line {line}: expected {len(header)} columns as in the header, got {len(row)}; "
            "all traces have to be of one length"
        )
    numbers = [number(cell) for cell in row[first:]]
    for column, value in enumerate(numbers, first):
        if not math.isfinite(value):
            raise ValueError(
                f"line {line}, column {column + 1} ({header[column]}): expected a finite number, "
                f"got {row[column]!r}; leave that trace out or fill the gap"
            )
    return numbers


def number(text: str) -> float:
    """Return the number that `text` says, or NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def check_classes(names: list[str]) -> None:
    """Raise unless there are two classes or more, and two traces or more in each."""
    counts = Counter(names)
    if len(counts) < 2:
        raise ValueError(f"expected two classes or more, but every label is {names[0]!r}")
    rare = [name for name, count in counts.items() if count == 1]
    if rare:
        raise ValueError(
            "expected two traces or more of each class, one to learn from and one to hold out, "
            f"got one of {rare[0]!r}"
            + (f" and of {len(rare) - 1} more" if len(rare) > 1 else "")
            + "; join such a class to another or leave it out"
        )


def by_number(name: str) -> tuple[float, str]:
    """Return what to sort classes by: numbers by their size, then texts by the alphabet."""
    value = number(name)
    return (math.inf if math.isnan(value) else value), name


# One scale for all
# -----------------
# An instrument counts in its own unit and from its own zero, and a near event is louder
# than a far one. None of this says what kind of event it was. So every trace is
# *standardised*: the mean of each channel becomes 0, and then the standard deviation over
# all channels together becomes 1. One factor for all channels, because which channel is
# the louder one says where the wave came from. (Does loudness tell your classes apart?
# Then divide all traces by one number instead.)
#
# A trace that is the same number throughout has nothing to be scaled, and becomes zeros.


def standardise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x (N, L, C) with mean 0 and deviation 1 in each trace; which are constant (N,)."""
    x = x.astype(np.float64)
    peak = abs(x).max(axis=(1, 2), keepdims=True)
    x /= np.where(peak > 0, peak, 1)  # else the squares of very large numbers overflow
    constant = np.ptp(x, axis=1).max(axis=1) == 0
    x -= x.mean(axis=1, keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    deviation[constant] = np.inf  # else the 1e-17 that rounding leaves would be blown up to 1
    return (x / deviation).astype(np.float32), constant


def ready(x: np.ndarray) -> np.ndarray:
    """Return x standardised, and say which traces cannot be."""
    x, constant = standardise(x)
    if constant.any():
        first = constant.argmax() + 1
        print(
            f"note: {constant.sum()} of {len(x)} traces are constant and become zeros, the first "
            f"is trace {first}, counted from 1",
            file=sys.stderr,
        )
    return x


# What is held out
# ----------------
# `train_test_split` shuffles all traces, and chance may put every trace of a rare class on one
# side. Here a fifth is taken of each class in turn, and at least one trace.


def hold_out(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return which traces to train on and which to examine, with every class among both."""
    examined: list[int] = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        examined.extend(members[: max(1, round(len(members) / 5))])
    return np.setdiff1d(np.arange(len(labels)), examined), np.array(examined)


# The two heads
# -------------
# The filters are the same in both. They differ in what is made of the filters' answers. *Global*
# keeps the largest answer of each filter and forgets where it was: right where an
# event may come at any time. *Flatten* hands on every answer with its place: right where
# the place matters, as after an onset was picked. It has many more weights and so needs
# more traces.


def build(
    head: str, length: int, n_channels: int, n_classes: int, rng: np.random.Generator
) -> Sequential:
    """Return a network with fresh weights for traces (N, L, C)."""
    filters = Conv1D(n_channels, FILTERS, TAPS, padding="same", rng=rng)
    if head == "flatten":
        pooling, width = (MaxPool1D(2), Flatten()), length // 2 * FILTERS
    else:
        pooling, width = (GlobalMaxPool1D(),), FILTERS
    hidden, scores = Dense(width, 16, rng=rng), Dense(16, n_classes, rng=rng)
    return Sequential(filters, ReLU(), *pooling, hidden, ReLU(), scores)


# Classifying with a saved model
# ------------------------------
# The model's file holds the network. A network knows its classes by number only, so their
# names lie in a file beside it, `model.json`, with the shape of the traces and the model's
# checksum: names of another training would be wrong without looking it.
#
# The probability is the softmax of the scores. It says how sure the network is, not how often
# it is right; of a kind of trace that it never met it can be sure and wrong.


def load_model(path: Path) -> tuple[Sequential, list[str], tuple[int, int]]:
    """Return a saved network, the names of its classes and the shape (L, C) of its traces."""
    if not path.is_file():
        raise ValueError(f"{path}: there is no such model; train first, or name one with --model")
    model, beside = Sequential.load(path), path.with_suffix(".json")
    try:
        card = json.loads(beside.read_text(encoding="utf-8"))
        classes, checksum = card["classes"], card["sha256"]
        shape = card["samples"], card["channels"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{beside}: expected the file that was saved beside the model ({error!r}); "
            "copy both, or train again"
        ) from error
    if checksum != hashlib.sha256(path.read_bytes()).hexdigest():
        raise ValueError(
            f"{beside}: belongs to another model than {path}; copy both or train again"
        )
    return model, classes, shape


def classify(path: Path, model_path: Path) -> None:
    """Print the class of each trace in a file and its probability, by a saved model."""
    model, classes, shape = load_model(model_path)
    x, names = read_traces(path, labelled=False)
    if x.shape[1:] != shape:
        raise ValueError(
            f"{path}: expected traces of {shape[0]} samples and {shape[1]} channels, as the model "
            f"learned from, got {x.shape[1]} and {x.shape[2]}; cut or resample them"
        )
    probabilities = Softmax().forward(model.predict(ready(x), batch_size=256))[0]
    predicted = [classes[place] for place in probabilities.argmax(axis=1)]

    width = max(len("predicted"), *map(len, classes))
    print(f"trace  {'predicted':{width}}  probability" + ("  label" if names else ""))
    for place, (name, row) in enumerate(zip(predicted, probabilities, strict=True)):
        print(f"{place + 1:5}  {name:{width}}  {row.max():11.3f}", end="")
        print(f"  {names[place]}" if names else "")
    if names:
        right = sum(name == guess for name, guess in zip(names, predicted, strict=True))
        print(f"\n{right} of {len(names)} as labelled, accuracy {right / len(names):.3f}")
        for name in sorted(set(names) - set(classes)):
            print(f"note: {name!r} is no class of this model, so counted as wrong", file=sys.stderr)


# The options
# -----------

parser = argparse.ArgumentParser(
    description="Teach a small network to tell your own traces apart, or use one that was taught.",
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
)
beside_this = Path(sys.argv[0]).with_suffix(".csv")
parser.add_argument(
    "data", nargs="?", type=Path, default=beside_this, help=".npz or .csv to learn from"
)
parser.add_argument(
    "--head",
    choices=("flatten", "global"),
    default="global",
    help="global: an event may come anywhere; flatten: its place matters",
)
parser.add_argument("--epochs", type=int, default=60, help="how often all traces go through")
parser.add_argument("--batch-size", type=int, default=16, help="traces per step")
parser.add_argument("--lr", type=float, default=5e-3, help="step size of Adam")
parser.add_argument("--seed", type=int, default=0, help="where all the randomness starts")
parser.add_argument(
    "--output", type=Path, default="figures", metavar="DIR", help="for the model and the figures"
)
parser.add_argument("--show", action="store_true", help="open the figures in windows as well")
parser.add_argument("--classify", type=Path, metavar="FILE", help="traces to classify; no training")
parser.add_argument(
    "--model", type=Path, default="figures/model.npz", help="what to classify them with"
)
args = parser.parse_args()

if args.epochs < 1:
    parser.error(f"--epochs must be 1 or more, got {args.epochs}")
if args.batch_size < 1:
    parser.error(f"--batch-size must be 1 or more, got {args.batch_size}")
if not 0 < args.lr < math.inf:
    parser.error(f"--lr must be a number above 0, got {args.lr}")
if args.seed < 0:
    parser.error(f"--seed must be 0 or more, got {args.seed}")
if args.classify and args.data != beside_this:
    parser.error("--classify does no training; leave out the data, or train in a run before")

try:
    if args.classify:
        classify(args.classify, args.model)
        sys.exit()
    x, names = read_traces(args.data)
except (OSError, ValueError) as error:
    parser.error(str(error))
try:
    args.output.mkdir(parents=True, exist_ok=True)
except OSError as error:
    parser.error(f"--output must be a folder, or a path where one can be made: {error}")

# The traces
# ----------
# From here on a class is a number, its place in the list of their names.

rng = np.random.default_rng(args.seed)
x = ready(x)
classes = sorted(set(names), key=by_number)
labels = np.array([classes.index(name) for name in names])
train, examined = hold_out(labels, rng)
x_train, x_test, y_train, y_test = x[train], x[examined], labels[train], labels[examined]

_, length, n_channels = x.shape
print(f"{len(x)} traces of {length} samples, channels: {n_channels}, held out: {len(x_test)}")
width = max(len("true class"), *map(len, classes))
for name, total in zip(classes, np.bincount(labels), strict=True):
    print(f"  {name:{width}} {total:5}")

# Training
# --------
# In mini-batches, which give many steps even where the traces are many. A training that
# takes longer than two seconds draws a bar, if it runs in a terminal where someone may watch it.

model = build(args.head, length, n_channels, len(classes), rng)
print(f"\n{model.summary((length, n_channels))}")
started = time.perf_counter()


def draw_bar(epoch: int, history: History) -> None:
    """Show how much of a long training is done, and how long the rest will take."""
    passed = time.perf_counter() - started
    if passed > 2 and sys.stderr.isatty():
        done = 30 * epoch // args.epochs
        rest = passed * (args.epochs - epoch) / epoch
        words = f"epoch {epoch} of {args.epochs}, {rest:.0f} s to go"
        end = "\n" if epoch == args.epochs else ""
        print(f"\r{'#' * done:.<30} {words:40}", end=end, file=sys.stderr, flush=True)


try:
    history = fit(
        model,
        x_train,
        y_train,
        epochs=args.epochs,
        lr=args.lr,
        batch_size=args.batch_size,
        validation=(x_test, y_test),
        rng=rng,
        on_epoch=draw_bar,
    )
except FloatingPointError as error:
    parser.error(f"the training did not survive --lr {args.lr}. {error}")
except KeyboardInterrupt:
    parser.exit(130, "\nstopped; nothing was saved\n")
print(
    f"\ncross-entropy {history.loss[0]:.4f} in the first epoch, {history.loss[-1]:.4f} in the last"
)

# The examination
# ---------------
# An accuracy means little by itself. Where nine traces of ten are noise, the *majority
# rule*, which always names the most frequent class, is right nine times of ten. A network
# has to do better than that to have learned anything.

_, accuracy = evaluate(model, x_test, y_test)
predicted = model.predict(x_test).argmax(axis=-1)
counts = confusion_matrix(y_test, predicted, len(classes))
always = MajorityRule().fit(x_train, y_train).predict(x_test).argmax(axis=-1)

print(f"held out: {len(x_test)} traces, accuracy {accuracy:.3f}")
for name, right, total in zip(classes, counts.diagonal(), counts.sum(axis=1), strict=True):
    print(f"  {name:{width}} {right / total:.3f}")
print(f"by the majority rule, always {classes[always[0]]}: {np.mean(always == y_test):.3f}")

print(f"\n{'true class':{width}}   predicted: " + "   ".join(classes))
for name, row in zip(classes, counts, strict=True):
    cells = "   ".join(f"{n:{len(column)}}" for n, column in zip(row, classes, strict=True))
    print(f"{name:{width}}              {cells}")

# Saving
# ------
# All files are written in a folder of their own first and then moved to where they belong.
# So a full disk cannot leave half a model in the place of a whole one.

learning_curves = plot_learning_curves(history)
confusion = plot_confusion(counts, classes)
try:
    with tempfile.TemporaryDirectory(dir=args.output) as folder:
        new = Path(folder)
        learning_curves.savefig(new / "learning_curves.png")
        confusion.savefig(new / "confusion.png")
        model.save(new / "model.npz")
        checksum = hashlib.sha256((new / "model.npz").read_bytes()).hexdigest()
        card = {"classes": classes, "samples": length, "channels": n_channels, "sha256": checksum}
        (new / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        for file in sorted(new.iterdir()):
            file.replace(args.output / file.name)
except OSError as error:
    parser.error(f"--output {args.output}: not everything could be saved there: {error}")
print(f"\nsaved model.npz, model.json, learning_curves.png and confusion.png in {args.output}")

if args.show:
    try:
        show(learning_curves, confusion)
    except RuntimeError as error:
        parser.error(str(error))
