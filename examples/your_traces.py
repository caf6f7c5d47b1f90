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
import json
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

import numpycnn as nn
from numpycnn.baselines import MajorityRule
from numpycnn.plots import plot_confusion, plot_learning_curves, show
from numpycnn.validation import require_array, require_finite

TAPS = 5  # of a filter, and the fewest samples a trace may have
FILTERS = 8

# Reading the traces
# ------------------
# Two kinds of file will do.
#
# - `.npz`, as `np.savez("data.npz", x=x, labels=labels)` writes it: an array `x` of shape
#   `(N, L)`, or `(N, L, C)` for several channels, and `labels` of shape `(N,)`, integers
#   or texts.
# - `.csv`, for one channel: a header line, then a trace a line. The first column is headed
#   `label` and holds a text or a number; the others are the samples.
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
            raise ValueError(f"there is no such file in {path.absolute().parent}")
        x, names = readers[path.suffix.lower()](path, labelled)
        require_array("read_traces", "x", x, "N L C")
        require_finite("read_traces", "x", x)
        if x.shape[1] < max(TAPS, x.shape[2]):
            raise ValueError(
                f"expected {TAPS} samples or more, and no fewer than there are channels, got "
                f"{x.shape[1]} of {x.shape[2]}; in x channels go last: x.transpose(0, 2, 1)"
            )
        if labelled:
            check_classes(names)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return x, names


def read_npz(path: Path, labelled: bool) -> tuple[np.ndarray, list[str] | None]:
    """Read `x` and `labels` from an archive of arrays."""
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz file, or was cut off")
        with np.load(path, allow_pickle=False) as file:  # pickled objects could run code
            x = file["x"].astype(float, casting="same_kind")
            labels = file["labels"] if labelled or "labels" in file else None
    except Exception as error:  # a damaged file can raise anything at all
        raise ValueError(
            f"expected arrays x and labels, got: {error}; write them with np.savez('data.npz', "
            "x=x, labels=labels), from x.astype(float), in which all traces are of one length, "
            "and labels.astype(str)"
        ) from error
    if labels is not None and (labels.shape != x.shape[:1] or labels.dtype.kind not in "iuU"):
        raise ValueError(
            f"expected labels of shape {x.shape[:1]}, integers or texts, got {labels.dtype} of "
            f"shape {labels.shape}; labels.astype(int), or of one-hot rows labels.argmax(axis=1)"
        )
    names = None if labels is None else [str(label).strip() for label in labels]
    return x[..., None] if x.ndim == 2 else x, names


def read_csv(path: Path, labelled: bool) -> tuple[np.ndarray, list[str] | None]:
    """Read a header line, and below it a trace a line. Empty lines are skipped."""
    traces, names = [], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip() for name in next(rows, [])]
            first = int([name.lower() for name in header[:1]] == ["label"])  # samples begin there
            if not first and (labelled or all(np.isfinite(number(name)) for name in header)):
                raise ValueError(
                    "expected a header line with commas, and label as the first column: "
                    f"label,s1,s2,s3, got {','.join(header)[:40]!r}"
                )
            for row in rows:
                if any(map(str.strip, row)):
                    names.append(row[0].strip())
                    traces.append(numbers_in(row, header, rows.line_num, first))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"expected values separated by commas, in UTF-8: {error}") from error
    x = np.array(traces).reshape(len(traces), len(header) - first, 1)
    return x, names if first else None


def numbers_in(row: list[str], header: list[str], line: int, first: int) -> list[float]:
    """Return the samples of one line of a CSV file, or raise and say where the trouble is."""
    if len(row) != len(header):
        raise ValueError(
            f"line {line}: expected {len(header)} columns as in the header, got {len(row)}; "
            "all traces have to be of one length"
        )
    numbers = [number(cell) for cell in row[first:]]
    for column, value in enumerate(numbers, first):
        if not np.isfinite(value):
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
        return np.nan


def check_classes(names: list[str]) -> None:
    """Raise unless there are two classes or more with a name, and two traces or more in each."""
    classes, counts = np.unique(names, return_counts=True)
    if len(classes) < 2 or counts.min() < 2 or "" in classes:
        rarest = sorted(zip(counts, classes, strict=True))[:3]
        raise ValueError(
            "expected two classes or more, none without a name, and two traces or more of each, "
            "one to learn from and one to hold out, got "
            + ", ".join(f"{count} of '{name}'" for count, name in rarest)
            + "; join such a class to another or leave it out"
        )


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


def standardise(x: np.ndarray) -> np.ndarray:
    """Return x (N, L, C) with mean 0 and deviation 1 in each trace, and say which cannot be."""
    constant = np.ptp(x, axis=1).max(axis=1) == 0
    if constant.any():
        which = ", ".join(map(str, 1 + np.flatnonzero(constant)))
        print(f"note: constant traces become zeros, counted from 1: {which}", file=sys.stderr)
    x = x - x.mean(axis=1, keepdims=True)
    deviation = x.std(axis=(1, 2), keepdims=True)
    deviation[constant] = np.inf  # else the 1e-17 that rounding leaves would be blown up to 1
    return (x / deviation).astype(np.float32)


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


# Classifying with a saved model
# ------------------------------
# The model's file holds the network. A network knows its classes by number only, so their
# names lie in a file beside it, `model.json`, with the shape of the traces.
#
# The probability is the softmax of the scores. It says how sure the network is, not how often
# it is right; of a kind of trace that it never met it can be sure and wrong.


def classify(path: Path, model_path: Path) -> None:
    """Print the class of each trace in a file and its probability, by a saved model."""
    for file in (model_path, model_path.with_suffix(".json")):
        if not file.is_file():
            raise ValueError(f"{file}: there is no such file; train first, or name one by --model")
    model = nn.Sequential.load(model_path)
    card = json.loads(model_path.with_suffix(".json").read_text(encoding="utf-8"))
    x, labels = read_traces(path, labelled=False)
    if list(x.shape[1:]) != card["shape"]:
        raise ValueError(
            f"{path}: expected traces of shape (L, C)={tuple(card['shape'])}, as the model learned "
            f"from, got {x.shape[1:]}; cut or resample them"
        )
    scores = model.predict(standardise(x), batch_size=256)
    probabilities, _ = nn.Softmax().forward(scores)
    predicted = np.array(card["classes"])[scores.argmax(axis=1)]
    print("trace  probability  predicted")
    for place, (row, name) in enumerate(zip(probabilities, predicted, strict=True), 1):
        print(f"{place:5}  {row.max():11.3f}  {name}")
    if labels and any(labels):
        print(f"\n{np.mean(predicted == labels):.3f} of them are as labelled")


# The options
# -----------

parser = argparse.ArgumentParser(
    description="Teach a small network to tell your own traces apart, or use one that was taught.",
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
)
beside_this = Path(sys.argv[0]).with_suffix(".csv")
parser.add_argument("data", nargs="?", type=Path, default=beside_this, help=".npz or .csv file")
parser.add_argument(
    "--head", choices=("global", "flatten"), default="global", help="flatten: the place matters"
)
parser.add_argument("--epochs", type=int, default=60, help="how often all traces go through")
parser.add_argument("--batch-size", type=int, default=16, help="traces per step")
parser.add_argument("--lr", type=float, default=5e-3, help="step size of Adam")
parser.add_argument("--seed", type=int, default=0, help="where all the randomness starts")
parser.add_argument("--output", type=Path, default="figures", metavar="DIR", help="where to save")
parser.add_argument("--show", action="store_true", help="open the figures in windows as well")
parser.add_argument("--classify", type=Path, metavar="FILE", help="traces to classify; no training")
parser.add_argument("--model", type=Path, default="figures/model.npz", help="to classify them with")
args = parser.parse_args()

if min(args.epochs, args.batch_size) < 1 or args.seed < 0 or not 0 < args.lr < np.inf:
    parser.error("--epochs and --batch-size must be 1 or more, --seed 0 or more, --lr above 0")
if args.classify and args.data != beside_this:
    parser.error("--classify does no training; leave out the data, or train in a run before")

try:
    if args.classify:
        classify(args.classify, args.model)
        sys.exit()
    x, names = read_traces(args.data)
    args.output.mkdir(parents=True, exist_ok=True)
except (OSError, ValueError) as error:
    parser.error(str(error))

# The traces
# ----------
# From here on a class is a number, its place in the list of their names.

rng = np.random.default_rng(args.seed)
x = standardise(x)
classes, labels = np.unique(names, return_inverse=True)
train, examined = hold_out(labels, rng)
x_train, x_test, y_train, y_test = x[train], x[examined], labels[train], labels[examined]

_, length, n_channels = x.shape
print(f"{len(x)} traces of {length} samples, channels: {n_channels}, held out: {len(x_test)}")
width = max(len("true class"), *map(len, classes))
for name, total in zip(classes, np.bincount(labels), strict=True):
    print(f"  {name:{width}} {total:5}")

# The two heads
# -------------
# The filters are the same in both. They differ in what is made of the filters' answers. *Global*
# keeps the largest answer of each filter and forgets where it was: right where an
# event may come at any time. *Flatten* hands on every answer with its place: right where
# the place matters, as after an onset was picked. It has many more weights and so needs
# more traces.

if args.head == "flatten":
    pooling, n_answers = (nn.MaxPool1D(2), nn.Flatten()), length // 2 * FILTERS
else:
    pooling, n_answers = (nn.GlobalMaxPool1D(),), FILTERS
model = nn.Sequential(
    nn.Conv1D(n_channels, FILTERS, TAPS, padding="same", rng=rng),
    nn.ReLU(),
    *pooling,
    nn.Dense(n_answers, 16, rng=rng),
    nn.ReLU(),
    nn.Dense(16, len(classes), rng=rng),
)
print(f"\n{model.summary((length, n_channels))}")

# Training
# --------
# In mini-batches, which give many steps even where the traces are many. A training that
# takes longer than two seconds draws a bar, if it runs in a terminal where someone may watch it.

started = time.perf_counter()


def draw_bar(epoch: int, history: nn.History) -> None:
    """Show how much of a long training is done, and how long the rest will take."""
    passed = time.perf_counter() - started
    if passed > 2 and sys.stderr.isatty():
        bar = "#" * (30 * epoch // args.epochs)
        rest = passed * (args.epochs - epoch) / epoch
        end = "\n" if epoch == args.epochs else ""
        words = f"\r{bar:.<30} epoch {epoch} of {args.epochs}, {rest:.0f} s to go   "
        print(words, end=end, file=sys.stderr, flush=True)


try:
    history = nn.fit(
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
print(f"\ncross-entropy {history.loss[0]:.4f} at first, {history.loss[-1]:.4f} at last")

# The examination
# ---------------
# An accuracy means little by itself. Where nine traces of ten are noise, the *majority
# rule*, which always names the most frequent class, is right nine times of ten. A network
# has to do better than that to have learned anything.

predicted = model.predict(x_test).argmax(axis=-1)
counts = nn.confusion_matrix(y_test, predicted, len(classes))
always = MajorityRule().fit(x_train, y_train).predict(x_test).argmax(axis=-1)

print(f"held out: {len(x_test)} traces, accuracy {np.mean(predicted == y_test):.3f}")
print(f"by the majority rule, always {classes[always[0]]}: {np.mean(always == y_test):.3f}")

print(f"\n{'true class':{width}}   accuracy   predicted: " + "   ".join(classes))
for name, row, right in zip(classes, counts, counts.diagonal(), strict=True):
    cells = "   ".join(f"{n:{len(column)}}" for n, column in zip(row, classes, strict=True))
    print(f"{name:{width}}   {right / row.sum():8.3f}              {cells}")

# Saving
# ------

learning_curves = plot_learning_curves(history)
confusion = plot_confusion(counts, classes)
learning_curves.savefig(args.output / "learning_curves.png")
confusion.savefig(args.output / "confusion.png")
model.save(args.output / "model.npz")
card = json.dumps({"classes": classes.tolist(), "shape": [length, n_channels]}, indent=2)
(args.output / "model.json").write_text(card + "\n", encoding="utf-8")
print(f"\nsaved model.npz, model.json, learning_curves.png and confusion.png in {args.output}")

if args.show:
    try:
        show(learning_curves, confusion)
    except RuntimeError as error:
        parser.error(str(error))
