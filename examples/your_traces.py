"""Your own traces: from a file of them to a network that sorts the next file.

The file holds traces of one length and a label for each; how is said below, and
`your_traces.csv` beside this script is one to begin with. A fifth of the traces is
held out. A network learns from the others, is examined on the fifth, and is saved
together with the names of the classes. Then it can be given traces without labels.

    python examples/your_traces.py
    python examples/your_traces.py data.npz --head flatten --epochs 200
    python examples/your_traces.py GunPoint_TRAIN.tsv --test GunPoint_TEST.tsv
    python examples/your_traces.py --classify more.csv --model figures/model.npz

The 90 traces of `your_traces.csv` are those of `make_traces(90, rng=0, noise=0.2)`,
rounded to three decimals. Try both heads on them. (At which sample of a longer record does an
arrival begin? That is for [pick_arrivals.py](pick_arrivals.py).)
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

import numpycnn as nn
from numpycnn.baselines import MajorityRule
from numpycnn.explain import probabilities
from numpycnn.plots import plot_confusion, plot_learning_curves
from numpycnn.storage import load_notes
from numpycnn.validation import require_array
from options import Options, at_least
from readers import of_one_length, read_folder, read_ts, read_tsv
from two_heads import network

TAPS = 5  # of a filter, and the fewest samples a trace may have
LARGEST = 1e38  # about as much as the float32 holds in which the network computes

# Reading the traces
# ------------------
# Two kinds of file are read here.
#
# - `.npz`, as `np.savez("data.npz", x=x, labels=labels)` writes it: an array `x` of shape
#   `(N, L)`, or `(N, L, C)` for several channels, and `labels` of shape `(N,)`, integers
#   or texts.
# - `.csv`, for one channel, in UTF-8: a line of names, then a trace a line. The first column
#   is called `label` and holds a text or a number; the others are the samples.
#
# Traces that are to be classified need no labels, and in a `.csv` the first column is left empty.
#
# [readers.py](readers.py) adds what other programs write: `.tsv` and `.ts` of the UCR and UEA
# archives, and a folder in which there is a folder for each class, of records that ObsPy
# reads. Those may differ in length; with `--length` as many samples of each are taken.
#
# A file that was made for something else is never quite right at first. So each of these
# functions says what it expected, what came, and where. Nothing is guessed or left out
# in silence: a comma may part two numbers or be a decimal sign, and one byte is another
# letter in another encoding, so neither is tried.


def read_traces(
    path: Path, labelled: bool = True, length: int | None = None
) -> tuple[np.ndarray, list[str]]:
    """Return the traces (N, L, C) in a file, and the class of each, or no classes.

    Raises `ValueError` if they cannot be had, or if there are no labels where `labelled`.
    """
    readers = {".csv": read_csv, ".tsv": read_tsv, ".ts": read_ts}
    read = read_folder if path.is_dir() else readers.get(path.suffix.lower(), read_npz)
    try:
        x, names = read(path)
        if isinstance(x, np.ndarray):
            require_array("read_traces", "x", x, "N L C")
        x = of_one_length(x, length)
        wrong = np.argwhere(~(abs(x) <= LARGEST))  # NaN is neither larger nor smaller
        if len(wrong):
            n, sample, c = wrong[0]
            raise ValueError(
                f"expected finite numbers up to {LARGEST:.0e}, got {x[n, sample, c]} as sample "
                f"{sample + 1} of trace {n + 1}; leave that trace out or fill the gap"
            )
        if x.shape[1] < max(TAPS, x.shape[2]):
            raise ValueError(
                f"expected {TAPS} samples or more, and no fewer than there are channels, got "
                f"{x.shape[1]} of {x.shape[2]}; in x channels go last: x.transpose(0, 2, 1)"
            )
        if labelled and (len(set(names)) < 2 or "" in names):
            raise ValueError(f"expected two classes or more, all with a name, got {set(names)}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return x, names


def read_npz(path: Path) -> tuple[np.ndarray, list[str]]:
    """Read `x` and, if they are there, `labels` from an archive of arrays."""
    data = path.read_bytes()
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            raise ValueError("what is no .npz file and no .csv, or was cut off")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:  # a pickle could run code
            x = file["x"].astype(float, casting="same_kind")
            labels = file["labels"] if "labels" in file else np.full(len(x), "")
    except Exception as error:  # a damaged file can raise anything at all
        raise ValueError(
            f"expected arrays x and labels, got {error}; write them with np.savez('data.npz', "
            "x=x, labels=labels), from x.astype(float), in which all traces are of one length, "
            "and labels.astype(str)"
        ) from error
    if labels.shape != x.shape[:1] or labels.dtype.kind not in "iuU":
        raise ValueError(
            f"expected labels of shape {x.shape[:1]}, integers or texts, got {labels.dtype} of "
            f"shape {labels.shape}; labels.astype(int), or of one-hot rows labels.argmax(axis=1)"
        )
    return x[..., None] if x.ndim == 2 else x, [str(label).strip() for label in labels]


def read_csv(path: Path) -> tuple[np.ndarray, list[str]]:
    """Read a line of names, and below it a trace a line. Empty lines are skipped."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("NUL bytes, as UTF-16 has, and what is no text")
        rows = csv.reader(io.StringIO(text, newline=None), strict=True)
        header = [name.strip() for name in next(rows, [])]
        if header[:1] != ["label"] or "" in header:
            raise ValueError(
                f"{','.join(header)!r:.40} in line 1, where names should be, label the first of "
                "them: label,s1,s2,s3; leave out comments, and commas at the ends of lines"
            )
        lines = [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
    except (ValueError, csv.Error) as error:  # another encoding is a ValueError too
        raise ValueError(f"expected values separated by commas, in UTF-8, got {error}") from error
    x = np.empty((len(lines), len(header) - 1, 1))
    for place, (number, row) in enumerate(lines):
        try:
            if len(row) != len(header) or "\n" in row[0]:
                raise ValueError(f"{len(row)} values, line 1 has {len(header)}")
            x[place, :, 0] = [float(cell) for cell in row[1:]]
        except ValueError as error:
            raise ValueError(
                f"line {number}: expected as many numbers in each line, with a decimal point, "
                f"got {error}"
            ) from error
    return x, [row[0].strip() for _, row in lines]


def note(x: np.ndarray) -> None:
    """Say which traces have nothing to learn from in them, and whether any come twice."""
    constant = 1 + np.flatnonzero((x == x[:, :1]).all(axis=(1, 2)))
    if len(constant):
        print(f"note: constant traces become zeros, counted from 1: {constant}", file=sys.stderr)
    if copies := len(x) - len({trace.tobytes() for trace in x}):
        words = "where one of them is held out, the network may have seen it"
        print(f"note: {copies} of {len(x)} traces are copies of others; {words}", file=sys.stderr)


# Classifying with a saved model
# ------------------------------
# A network knows its classes by number only. So their names, and the shape of the traces, are
# kept as notes in the model's file.
#
# The probability is the softmax of the scores. It says how sure the network is, not how often
# it is right; of a kind of trace that it never met it can be sure and wrong.


def classify(path: Path, model_path: Path, length: int | None) -> None:
    """Print the class of each trace in a file and its probability, by a saved model."""
    model, notes = nn.Sequential.load(model_path), load_notes(model_path)
    if not isinstance(notes, dict) or notes.keys() != {"classes", "shape", "standardised"}:
        raise ValueError(f"{model_path}: expected a model that this script saved, with its classes")
    x, labels = read_traces(path, labelled=False, length=length)
    if list(x.shape[1:]) != notes["shape"]:
        raise ValueError(
            f"{path}: expected traces of shape (L, C)={tuple(notes['shape'])}, as the model "
            f"learned from, got {x.shape[1:]}; cut them, --length, or resample"
        )
    chances = probabilities(model, nn.standardise(x))
    predicted = np.array(notes["classes"])[chances.argmax(axis=1)]
    print("trace  probability  predicted")
    for place, (row, name) in enumerate(zip(chances, predicted, strict=True), 1):
        print(f"{place:5}  {row.max():11.3f}  {name}")
    if any(labels):
        print(f"\n{np.mean(predicted == labels):.3f} of them are as labelled")


# A file to be examined on
# ------------------------
# Where others are to compare, all have to be examined on the same traces. Archives therefore come
# as two files. The classes are those of the first.


def with_test(
    x: np.ndarray, labels: np.ndarray, classes: np.ndarray, path: Path, length: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x, the traces in the file at `path`, and the numbers of the classes of both."""
    x_test, names = read_traces(path, length=length)
    if x_test.shape[1:] != x.shape[1:] or not set(names) <= set(classes):
        raise ValueError(
            f"{path}: expected traces of shape (L, C)={x.shape[1:]} and of the classes {classes}, "
            f"as there are to learn from, got {x_test.shape[1:]} and {sorted(set(names))}"
        )
    return nn.standardise(x), nn.standardise(x_test), labels, np.searchsorted(classes, names)


# The options
# -----------

options = Options(
    "Teach a small network to tell your own traces apart, or use one that was taught."
)
add = options.add_argument
beside_this = Path(sys.argv[0]).with_suffix(".csv")
add("data", nargs="?", type=Path, default=beside_this, help="file of traces, or folder of records")
add("--test", type=Path, metavar="FILE", help="traces to examine on, in place of a fifth of these")
add("--length", type=at_least(TAPS), help="samples to take of each trace, from its first")
add("--head", choices=("global", "flatten"), default="global", help="flatten: the place matters")
add("--epochs", type=at_least(1), default=60, help="how often all traces go through")
add("--batch-size", type=at_least(1), default=16, help="traces per step")
add("--lr", type=at_least(1e-9, float), default=5e-3, help="step size of Adam")
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--classify", type=Path, metavar="FILE", help="traces to classify; no training")
add("--model", type=Path, default="figures/model.npz", help="to classify them with")
args = options.parse_args()

# The traces
# ----------
# From here on a class is a number, its place in the list of their names. A fifth is held out,
# with each class among it and among the rest. An instrument counts in its own unit and from its
# own zero, so each trace is brought to mean 0 and deviation 1, by itself.

try:
    if args.classify:
        classify(args.classify, args.model, args.length)
        sys.exit()
    x, names = read_traces(args.data, length=args.length)
    classes, labels = np.unique(names, return_inverse=True)
    rng = np.random.default_rng(args.seed)
    if args.test:
        parts = with_test(x, labels, classes, args.test, args.length)
    else:
        parts = nn.train_test_split(nn.standardise(x), labels, stratify=np.array(names), rng=rng)
except (OSError, ValueError) as error:
    options.error(str(error))

note(x)
options.make_folder(args.output)
x_train, x_test, y_train, y_test = parts
length, n_channels = shape = x.shape[1:]
n_traces = len(x_train) + len(x_test)
print(f"{n_traces} traces of {length} samples, channels: {n_channels}, held out: {len(x_test)}")
width = max(len("true class"), *map(len, classes))
for name, total in zip(classes, np.bincount([*y_train, *y_test]), strict=True):
    print(f"  {name:{width}} {total:5}")

# The network
# -----------
# Choose a [head](two_heads.py): *global* where an event may come at any time, *flatten* where the
# place matters.

model = network(args.head, rng, TAPS, shape, len(classes))
print(f"\n{model.summary(shape)}")

# Training
# --------
# In mini-batches, which give many steps even where the traces are many.

plan = {"epochs": args.epochs, "lr": args.lr, "batch_size": args.batch_size, "rng": rng}
try:
    history = nn.fit(model, x_train, y_train, validation=(x_test, y_test), **plan)
except FloatingPointError as error:
    options.error(f"the training did not survive --lr {args.lr}. {error}")
print(f"\ncross-entropy {history.loss[0]:.4f} at first, {history.loss[-1]:.4f} at last")

# The examination
# ---------------
# An accuracy means little by itself. Where nine traces of ten are noise, the *majority
# rule*, which always names the most frequent class, is right nine times of ten. A network
# has to do better than that to have learned anything.

predicted = model.classify(x_test)
counts = nn.confusion_matrix(y_test, predicted, len(classes))
always = MajorityRule().fit(x_train, y_train).classify(x_test)

print(f"held out: {len(x_test)} traces, accuracy {np.mean(predicted == y_test):.3f}")
print(f"by the majority rule, always {classes[always[0]]}: {np.mean(always == y_test):.3f}")

print(f"\n{'true class':{width}}   accuracy   predicted: " + "   ".join(classes))
for name, row, right in zip(classes, counts, counts.diagonal(), strict=True):
    cells = "   ".join(f"{n:{len(column)}}" for n, column in zip(row, classes, strict=True))
    print(f"{name:{width}}   {right / row.sum():8.3f}              {cells}")

notes = {"classes": classes.tolist(), "shape": shape, "standardised": True}
model.save(args.output / "model.npz", notes)
print(f"\nsaved {args.output / 'model.npz'}, for --classify")
learning_curves, confusion = plot_learning_curves(history), plot_confusion(counts, classes)
options.finish(args, learning_curves=learning_curves, confusion=confusion)
