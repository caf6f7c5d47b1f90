"""Train a classifier on your traces and apply it to other traces.

The file contains traces of one length and a label for each, in one of [many
formats](_shared/trace_files.py). `your_traces.csv` in the folder of this script is an example. The
network is trained on four fifths of the traces, saved with the names of the classes, and tested on
the remaining fifth. It can then classify traces without labels.

    python examples/your_traces.py
    python examples/your_traces.py data.npz --head flatten --epochs 200
    python examples/your_traces.py GunPoint_TRAIN.tsv --test GunPoint_TEST.tsv
    python examples/your_traces.py table.csv --label-column last --delimiter ";" --decimal ,
    python examples/your_traces.py records/ --channels Z --length 3000
    python examples/your_traces.py --classify more.csv --out classes.csv

The 90 traces of `your_traces.csv` are those of `make_traces(90, rng=0, noise=0.2)`,
rounded to three decimals. Try both heads on them. To find the onsets of arrivals in longer records,
use [pick_arrivals.py](pick_arrivals.py).
"""

import csv
import io
import sys
from argparse import BooleanOptionalAction
from pathlib import Path

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least, end, require_writable, write_whole
from _shared.readers import Problems, is_same_rate
from _shared.tables import Table
from _shared.trace_files import TAPS, read_traces
from _shared.two_heads import network
from numpycnn.inspection.baselines import MajorityRule
from numpycnn.inspection.explain import probabilities
from numpycnn.layers.storage import load_notes

problems = Problems()  # the files of a folder that are left out

# The traces
# ----------


def note(x):
    """Report constant traces, which contain no information, and traces that occur twice."""
    constant = 1 + np.flatnonzero((x == x[:, :1]).all(axis=(1, 2)))
    if len(constant):
        print(f"note: constant traces become zeros, counted from 1: {constant}", file=sys.stderr)
    if copies := len(x) - len({trace.tobytes() for trace in x}):
        words = "a copy in the test set may also be in the training set"
        print(f"note: {copies} of {len(x)} traces are copies of others; {words}", file=sys.stderr)


def is_alike(one, other):
    """Return True if two kinds of records have one rate and the same components, or are unknown."""
    return not (one and other) or (
        is_same_rate(one["sampling_rate"], other["sampling_rate"])
        and one["components"] == other["components"]
    )


# Classifying with a saved model
# ------------------------------
# The model's file keeps the names of the classes and the shape of the traces as notes.
#
# The probability is the softmax of the scores. It is not the frequency of correct predictions: for
# traces of another kind than the training set, an incorrect prediction can have a probability near
# 1. Traces without a label do not count in the accuracy.


def classify(path, model_path, out, **how):
    """Print the class of each trace in a file and its probability, by a saved model."""
    if out:
        require_writable("--out", out)
    model, notes = nn.Sequential.load(model_path), load_notes(model_path)
    if not isinstance(notes, dict) or not {"classes", "shape", "standardized"} <= notes.keys():
        raise ValueError(f"{model_path}: expected a model that this script saved, with its classes")
    x, labels = read_traces(path, labeled=False, kind=(kind := {}), **how)
    if not is_alike(notes.get("records"), kind):
        raise ValueError(
            f"{path}: expected records like those of the training set, {notes['records']}, "
            f"got {kind}. Select channels with --channels, or resample the records with ObsPy."
        )
    if list(x.shape[1:]) != notes["shape"]:
        raise ValueError(
            f"{path}: expected traces of shape (L, C)={tuple(notes['shape'])}, as in the "
            f"training set, got {x.shape[1:]}. Cut them with --length, choose --channels, or, if "
            "a first sample was read as a label, use --label-column none."
        )
    probs = probabilities(model, nn.standardize(x))
    best = probs.argmax(axis=1)
    predicted = np.array(notes["classes"])[best]
    print("trace  probability  predicted")
    for number, (row, name) in enumerate(zip(probs, predicted, strict=True), 1):
        print(f"{number:5}  {row.max():11.3f}  {name}")
    known = [(name, label) for name, label in zip(predicted, labels, strict=True) if label]
    if known:
        share = np.mean([name == label for name, label in known])
        print(f"\n{share:.3f} of the {len(known)} labeled traces are as labeled")
    if out:
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(["trace", "label", "predicted", *notes["classes"]])
        for number, row in enumerate(zip(labels, predicted, strict=True), 1):
            rows.writerow([number, *row, *(f"{p:.6f}" for p in probs[number - 1])])
        write_whole(out, text.getvalue().encode())
        print(f"\nsaved {out}")


# A file for the test
# -------------------
# Archives for the comparison of classifiers contain two files, so that all classifiers use the same
# test set. The classes are those of the first file.


def with_test(x, labels, classes, path, **how):
    """Return x, the traces in the file at `path`, and the numbers of the classes of both."""
    x_test, names = read_traces(path, **how)
    if x_test.shape[1:] != x.shape[1:] or not set(names) <= set(classes):
        raise ValueError(
            f"{path}: expected traces of shape (L, C)={x.shape[1:]} and of the classes {classes}, "
            f"as in the training set, got {x_test.shape[1:]} and {sorted(set(names))}"
        )
    return nn.standardize(x), nn.standardize(x_test), labels, np.searchsorted(classes, names)


# The options
# -----------

options = Options(
    "Train a small network to classify your traces, or apply a trained one.",
    files=["learning_curves.png", "confusion.png", "model.npz"],
)
add = options.add_argument
beside_this = Path(sys.argv[0]).with_suffix(".csv")
add("data", nargs="?", type=Path, default=beside_this, help="file of traces, or folder of records")
add("--test", type=Path, metavar="FILE", help="test set, in place of a fifth of the traces")
add("--length", type=at_least(TAPS), help="samples to use of each trace")
add(
    "--head",
    choices=("global", "flatten"),
    default="global",
    help="flatten: if the position matters",
)
add("--epochs", type=at_least(1), default=60, help="passes over the training set")
add("--batch-size", type=at_least(1), default=16, help="traces per step")
add("--lr", type=at_least(1e-9, float), default=5e-3, help="step size of Adam")
add("--seed", type=at_least(0), default=0, help="seed of all random numbers")
add("--classify", type=Path, metavar="FILE", help="traces to classify; no training")
add("--model", type=Path, default="figures/model.npz", help="network for --classify")
add("--out", type=Path, metavar="CSV", help="file for the classes and probabilities")
add("--channels", help="channels of records: Z or HH? or HHZ,HHN,HHE; all if not given")
add("--label-column", metavar="NAME", help="label column of a table: name, first, last or none")
add("--delimiter", metavar="SIGN", help="separator of a table; also tab or space")
add("--decimal", default=".", metavar="SIGN", help="decimal sign of a table")
add("--header", action=BooleanOptionalAction, help="line 1 of a table names the columns")
args = options.parse_args()
if args.out and not args.classify:
    options.error("--out requires --classify: the traces to classify")
table = Table(args.label_column, args.delimiter, args.decimal, args.header)
how = {"length": args.length, "problems": problems, "channels": args.channels, "table": table}

# The training set and the test set
# ---------------------------------
# A class is represented by its index in the list of names. A fifth of the traces is the test set,
# and every class is in both sets. Instruments have different units and offsets, so each trace is
# scaled to mean 0 and standard deviation 1 separately.

try:
    if args.classify:
        classify(args.classify, args.model, args.out, **how)
        end(problems)
        sys.exit()
    x, names = read_traces(args.data, kind=(kind := {}), **how)
    classes, labels = np.unique(names, return_inverse=True)
    rng = np.random.default_rng(args.seed)
    if args.test:
        parts = with_test(x, labels, classes, args.test, **how)
    else:
        parts = nn.train_test_split(nn.standardize(x), labels, stratify=np.array(names), rng=rng)
except (OSError, ValueError) as error:
    options.error(str(error))

note(x)
options.try_output(args)
x_train, x_test, y_train, y_test = parts
length, n_channels = shape = x.shape[1:]
n_traces = len(x_train) + len(x_test)
print(f"{n_traces} traces of {length} samples, channels: {n_channels}, test set: {len(x_test)}")
width = max(len("true class"), *map(len, classes))
for name, total in zip(classes, np.bincount([*y_train, *y_test]), strict=True):
    print(f"  {name:{width}} {total:5}")

# The network
# -----------
# Choose a [head](_shared/two_heads.py): *global* if an event may be at any position, *flatten* if
# the position matters.

model = network(args.head, rng, TAPS, shape, len(classes))
print(f"\n{model.summary(shape)}")

# Training
# --------
# Mini-batches give many steps per epoch. The model is saved directly after training.

plan = {"epochs": args.epochs, "lr": args.lr, "batch_size": args.batch_size, "rng": rng}
try:
    history = nn.fit(model, x_train, y_train, validation=(x_test, y_test), **plan)
except FloatingPointError as error:
    options.error(f"the training diverged with --lr {args.lr}. {error}")
notes = {"classes": classes.tolist(), "shape": shape, "standardized": True}
notes |= {"records": kind} if kind else {}
model.save(args.output / "model.npz", notes)
print(f"\nsaved {args.output / 'model.npz'}, for --classify")
print(f"cross-entropy {history.loss[0]:.4f} in the first epoch, {history.loss[-1]:.4f} in the last")

# The test
# --------
# An accuracy means little without a comparison. If nine traces of ten are noise, the *majority
# rule*, which always predicts the most frequent class, is correct nine times of ten. A network
# that learned something has a higher accuracy.

predicted = model.classify(x_test)
counts = nn.confusion_matrix(y_test, predicted, len(classes))
always = MajorityRule().fit(x_train, y_train).classify(x_test)

print(f"test set: {len(x_test)} traces, accuracy {np.mean(predicted == y_test):.3f}")
print(f"majority rule, always {classes[always[0]]}: accuracy {np.mean(always == y_test):.3f}")

print(f"\n{'true class':{width}}   accuracy   predicted: " + "   ".join(classes))
for name, row, right in zip(classes, counts, counts.diagonal(), strict=True):
    cells = "   ".join(f"{n:{len(column)}}" for n, column in zip(row, classes, strict=True))
    total = row.sum()
    accuracy = f"{right / total:8.3f}" if total else f"{'none':>8}"
    print(f"{name:{width}}   {accuracy}              {cells}")

learning_curves = nn.plots.plot_learning_curves(history)
confusion = nn.plots.plot_confusion(counts, classes)
options.finish(args, learning_curves=learning_curves, confusion=confusion)
end(problems)
