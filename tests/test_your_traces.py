"""Your own traces: good files and bad ones, the training, the saved model, its answers.

The script runs inside this process, because a start of Python costs a second and there are
many ways in which a file can be wrong. One test starts it as its users do.
"""

import ast
import csv
import io
import re
import runpy
import subprocess
import sys
import tracemalloc
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scripts import EXAMPLES

import numpycnn
from numpycnn import CLASS_NAMES, Sequential, Softmax, make_traces, standardize
from numpycnn.layers.storage import load_notes

SCRIPT = EXAMPLES / "your_traces.py"
OWN = SCRIPT.with_suffix(".csv")
FILES = ["confusion.png", "learning_curves.png", "model.npz"]


def run(folder, *options):
    """Run the script in `folder`: its exit code, what it printed, and all it defined."""
    out, err, parts, code = io.StringIO(), io.StringIO(), {}, 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [str(SCRIPT), *map(str, options)])
        patch.chdir(folder)
        patch.syspath_prepend(EXAMPLES)
        try:
            parts = runpy.run_path(str(SCRIPT))
        except SystemExit as end:
            code = end.code or 0
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue(), **parts)


def refusal(folder, *options):
    """The one line with which the script refuses what it was given."""
    done = run(folder, *options)
    assert done.code == 2
    assert done.out == ""
    return done.err.splitlines()[-1].removeprefix("your_traces.py: error: ")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run without options, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("first")
    done = run(folder)
    done.folder = folder
    return done


def write_csv(path, x, names=None):
    """Write traces (N, L, 1)."""
    header = [f"s{sample + 1}" for sample in range(x.shape[1])]
    rows = [[repr(float(value)) for value in trace] for trace in x[..., 0]]
    if names is not None:
        header = ["label", *header]
        rows = [[str(name), *row] for name, row in zip(names, rows, strict=True)]
    path.write_text("".join(",".join(row) + "\n" for row in [header, *rows]), encoding="utf-8")


# The first run
# -------------


def test_the_traces_beside_the_script_are_those_its_text_says(first):
    assert "make_traces(90, rng=0, noise=0.2)" in ast.get_docstring(ast.parse(SCRIPT.read_text()))
    x, labels = make_traces(90, rng=0, noise=0.2)
    read, names = first.read_traces(OWN)
    assert_allclose(read, x, rtol=0, atol=0.00051)
    assert names == [CLASS_NAMES[label] for label in labels]
    assert OWN.stat().st_size < 100_000


def test_without_options_it_learns_and_says_so(first):
    assert first.code == 0
    assert first.err == ""
    assert "90 traces of 64 samples, channels: 1, test set: 18" in first.out
    assert re.search(r"total +243$", first.out, re.MULTILINE)
    (accuracy,) = re.findall(r"18 traces, accuracy (\d\.\d+)$", first.out, re.MULTILINE)
    assert float(accuracy) > 0.9
    assert "by the majority rule, always Negative arrival: 0.333" in first.out
    begin, end = map(float, re.findall(r"entropy (\S+) at first, (\S+) at last", first.out)[0])
    assert begin > 0.9 > 0.05 > end


def test_the_table_and_the_accuracies_are_those_of_the_saved_model(first):
    predicted = first.model.classify(first.x_test)
    assert list(first.classes) == ["Negative arrival", "Positive arrival", "Quiet"]
    for place, name in enumerate(first.classes):
        of_this = predicted[first.y_test == place]
        assert len(of_this) == 6
        cells = np.bincount(of_this, minlength=3)
        row = " +".join([f"{np.mean(of_this == place):.3f}", *map(str, cells)])
        assert re.search(rf"^{name} +{row}$", first.out, re.MULTILINE)
        assert re.search(rf"^  {name} +30$", first.out, re.MULTILINE)


def test_it_saves_three_whole_files_and_nothing_else(first):
    folder = first.folder / "figures"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name in FILES[:2]:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    model = Sequential.load(folder / "model.npz")
    assert_array_equal(model.predict(first.x_test), first.model.predict(first.x_test))


def test_the_figures_show_the_history_and_the_counts(first):
    assert [text.get_text() for text in first.confusion.axes[0].texts] == [
        str(count) for count in first.counts.ravel()
    ]
    loss, _ = first.learning_curves.axes[0].lines
    assert_array_equal(loss.get_ydata(), first.history.loss)
    assert len(first.history.val_loss) == 60
    loss, accuracy = numpycnn.evaluate(first.model, first.x_test, first.y_test)
    assert first.history.val_loss[-1] == pytest.approx(loss)
    assert first.history.val_accuracy[-1] == accuracy


def test_as_its_users_start_it(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--head", "flatten", "--seed", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert re.search(r"total +4,211$", done.stdout, re.MULTILINE)
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == FILES


@pytest.mark.usefixtures("figures_are_not_saved")
def test_the_same_seed_gives_the_same_and_another_another(tmp_path):
    once, again, other = (
        run(tmp_path, "--epochs", 2, "--seed", seed, "--output", f"run {n}")
        for n, seed in enumerate([3, 3, 4])
    )
    for name, w in once.model.params.items():
        assert_array_equal(w, again.model.params[name])
    assert once.out.replace("run 0", "") == again.out.replace("run 1", "")
    assert not np.array_equal(once.x_test, other.x_test)


def test_the_options_act(tmp_path):
    few = run(tmp_path, "--epochs", 3, "--batch-size", 72, "--lr", 1e-9, "--output", "a/b")
    assert len(few.history.loss) == 3
    assert few.history.loss == pytest.approx([few.history.loss[0]] * 3, rel=1e-5)
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == FILES
    assert "saved a/b/model.npz" in few.out


# Good files
# ----------


def test_channels_and_numbered_classes(tmp_path, first):
    """Traces of three channels, in counts: only the sign of the second tells the class."""
    rng = np.random.default_rng(0)
    labels = np.array([10, 2] * 20)
    x = rng.normal(500, 30, (40, 20, 3))
    x[:, 10, 1] += np.where(labels == 10, 400, -400)
    x = x.round().astype(int)
    np.savez(tmp_path / "data.npz", x=x, labels=labels)
    read, names = first.read_traces(tmp_path / "data.npz")
    assert_array_equal(read, x)
    assert names == [str(label) for label in labels]
    done = run(tmp_path, "data.npz", "--epochs", 40)
    assert "40 traces of 20 samples, channels: 3, test set: 8" in done.out
    assert "test set: 8 traces, accuracy 1.000" in done.out


def test_one_channel_needs_no_third_axis_and_names_may_be_texts(tmp_path, first):
    x = np.arange(40.0, dtype=np.float32).reshape(4, 10)
    np.savez(tmp_path / "data.npz", x=x, labels=["b ", "a", "b", "a"])
    (tmp_path / "data.npz").rename(tmp_path / "DATA.NPZ")
    read, names = first.read_traces(tmp_path / "DATA.NPZ")
    assert_array_equal(read, x[..., None])
    assert names == ["b", "a", "b", "a"]


def test_what_spreadsheets_do_to_a_csv_does_no_harm(tmp_path, first):
    head, trace = "label , s1,s2,s3,s4,s5", ",1,-1, 2,4e0,-5"
    lines = [head, "", '"a, b"' + trace, "c" + trace, ",,,,,", "c" + trace, '"a, b"' + trace]
    (tmp_path / "data.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    x, names = first.read_traces(tmp_path / "data.csv")
    assert names == ["a, b", "c", "c", "a, b"]
    assert_array_equal(x, np.tile([[1], [-1], [2], [4], [-5]], (4, 1, 1)))


# Bad files
# ---------

HEAD = "label,s1,s2,s3,s4,s5\n"
GOOD = "a,1,2,3,4,5\nb,1,2,3,4,6\na,1,2,3,4,7\nb,1,2,3,4,8\n"

BAD_CSV = {
    "empty": ("", "got an empty file"),
    "semicolons": ("label;s1;s2\na;1,0;2,0\n", "got 'label;s1;s2'. Read it with --delimiter ';'"),
    "tabs": ("label\ts1\ts2\na\t1\t2\n", "got 'label\\ts1\\ts2'. Read it with --delimiter tab"),
    "decimal commas": (
        HEAD + "a,1,0,2,0,3,0,4,0,5,0\n",
        "line 2 must have 6 values, as line 1, got",
    ),
    "quoted ones": (
        HEAD + 'a,1,2,"3,5",4,5\n',
        "float: '3,5'. Read decimal commas with --decimal ,",
    ),
    "points, not commas": (HEAD.replace(",", ";") + "a;1;2;3,5;4;5\n", "--delimiter ';'"),
    "a comment": ("# made today\n" + HEAD + GOOD, "must not be a comment, got '# made today'"),
    "a comma at the end": (HEAD[:-1] + ",\na,1,2,3,4,5,\n", "Remove commas at the ends of lines"),
    "commas below": (
        HEAD + GOOD.replace("\n", ",\n"),
        "line 2 must have 6 values, as line 1, got 7",
    ),
    "no header": (
        GOOD,
        "got 'a,1,2,3,4,5'. If this is a trace, read it with --no-header and --label",
    ),
    "no label": (
        "kind" + HEAD[5:] + GOOD,
        "'kind,s1,s2,s3,s4,s5'. Choose it with --label-column NAME",
    ),
    "two labels": ("label," + HEAD + GOOD, "one column 'label', got 2"),
    "no name for the first": (HEAD.replace("label", "") + GOOD, "got '' for the first"),
    "no traces": (HEAD, "expected traces, got none"),
    "no samples": ("label\na\nb\n", "must have 5 samples or more"),
    "ragged": (HEAD + GOOD + "a,1,2\n", "line 6 must have 6 values, as line 1, got 3"),
    "text": (HEAD + GOOD + "\na,1,2,x,4,5\n", "line 7 must hold numbers with a decimal ., got"),
    "a gap": (HEAD + "a,1,2,3,4,\n", "got could not convert string to float: ''"),
    "nan": (HEAD + GOOD + "a,1,NaN,3,4,5\n", "got nan as sample 2 of trace 5"),
    "infinity": (HEAD + "a,inf,2,3,4,5\n", "got inf as sample 1 of trace 1"),
    "too large": (HEAD + GOOD + "a,1,1e300,3,4,5\n", "numbers up to 1e+38, got 1e+300 as sample 2"),
    "no name": (
        HEAD + GOOD + 2 * ",1,2,3,4,5\n",
        "a label, got none for 2 of 6, the first of them",
    ),
    "missing labels": (HEAD + GOOD + "NaN,1,2,3,4,5\n?,1,2,3,4,5\n", "got none for 2 of 6"),
    "one class": (HEAD + "a,1,2,3,4,5\n" * 4, "two classes or more, got ['a']"),
    "a rare class": (
        HEAD + GOOD + "c,1,2,3,4,5\n",
        "twice or more, one example for either set, got one of",
    ),
    "too few": (HEAD + GOOD, "got 2 classes and 1 examples"),
    "too short": ("label,s1,s2\na,1,2\nb,1,2\n", "5 samples or more"),
    "an open quote": (
        HEAD + '"a,1,2,3,4,5\n',
        "line 2: expected values separated by ',', got unexp",
    ),
    "a name over two lines": (HEAD + '"a\na",1,2,3,4,5\n', "line 3 must close a quote where"),
    "Latin-1": (HEAD.encode() + b"gr\xfcn,1,2,3,4,5\n", "in UTF-8, got 'utf-8' codec can't decode"),
    "UTF-16": ((HEAD + GOOD).encode("utf-16"), "in UTF-8, got 'utf-8' codec can't decode byte"),
    "UTF-16 without a mark": ((HEAD + GOOD).encode("utf-16-le"), "got NUL bytes, as UTF-16 has"),
    "a damaged byte": ((HEAD + GOOD).replace("7", "\0"), "got NUL bytes, as UTF-16 has"),
}


@pytest.mark.parametrize("content, words", BAD_CSV.values(), ids=BAD_CSV)  # noqa: PT006
def test_a_bad_csv_is_refused_and_told_why(tmp_path, content, words):
    (tmp_path / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert words in refusal(tmp_path, "bad.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


X, LABELS = np.arange(80.0).reshape(4, 20), np.array([0, 1, 0, 1])
HOLE, PEAK = np.where(X == 25, np.nan, X), np.where(X == 0, -np.inf, X)

BAD_NPZ = {
    "no x": ({"traces": X, "labels": LABELS}, "x and labels, got 'x is not a file in the archive"),
    "no labels": ({"x": X}, "every trace must have a label, got none for all 4"),
    "nothing": ({}, "x is not a file in the archive"),
    "objects": ({"x": X, "labels": np.array(list("abab"), object)}, "and labels.astype(str)"),
    "unequal": ({"x": np.array([X[0], X[1, :9]], object), "labels": [0, 1]}, "are of one length"),
    "complex": ({"x": X + 1j, "labels": LABELS}, "Cannot cast array data from dtype('complex128')"),
    "text": ({"x": X.astype(str), "labels": LABELS}, "to dtype('float64') according to the rule"),
    "one trace": ({"x": X[0], "labels": [0] * 20}, "(20,). For one trace add both axes: x[None"),
    "too many axes": ({"x": X[None, None], "labels": [0]}, "x must have shape (N, L, C), got (1"),
    "no traces": ({"x": X[:0], "labels": LABELS[:0]}, "expected traces, got none"),
    "nan": (
        {"x": HOLE, "labels": LABELS},
        "got nan as sample 6 of trace 2",
    ),
    "infinite": ({"x": PEAK[..., None], "labels": LABELS}, "got -inf as sample 1 of trace 1"),
    "too few labels": (
        {"x": X, "labels": LABELS[:3]},
        "integers or texts of shape (4,), got int64 of shape (3,)",
    ),
    "one-hot": (
        {"x": X, "labels": np.eye(2)[LABELS]},
        "of shape (4, 2). Use labels.astype(int), or of one-hot rows labels.argmax(axis=1",
    ),
    "floats": (
        {"x": X, "labels": LABELS / 1},
        "integers or texts of shape (4,), got float64 of shape (4,)",
    ),
    "one class": (
        {"x": X, "labels": 0 * LABELS},
        "two classes or more, got ['0']",
    ),
    "empty name": (
        {"x": X, "labels": ["a", "", "a", " "]},
        "a label, got none for 2 of 4",
    ),
    "channels first": (
        {"x": X.reshape(4, 20, 1).transpose(0, 2, 1), "labels": LABELS},
        "no fewer than channels, got 1 of 20. In x channels go last: x.transpose",
    ),
    "more channels than samples": (
        {"x": np.zeros((4, 6, 7)), "labels": LABELS},
        "5 samples or more, and no fewer than channels, got 6 of 7",
    ),
}


@pytest.mark.parametrize("arrays, words", BAD_NPZ.values(), ids=BAD_NPZ)  # noqa: PT006
def test_a_bad_npz_is_refused_and_told_why(tmp_path, arrays, words):
    np.savez(tmp_path / "bad.npz", **arrays)
    said = refusal(tmp_path, "bad.npz")
    assert said.startswith("bad.npz: ")
    assert words in said


def test_what_is_no_archive_or_a_damaged_one_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X, labels=LABELS)
    whole = (tmp_path / "whole.npz").read_bytes()
    np.save(tmp_path / "array.npy", X)
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    at = whole.index(X[2].tobytes())
    (tmp_path / "damaged.npz").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    assert "after x = np.load(file)" in refusal(tmp_path, "array.npy")
    assert "not an .npz archive, or was cut off. Write them with" in refusal(tmp_path, "cut.npz")
    assert "arrays x and labels, got Bad CRC-32" in refusal(tmp_path, "damaged.npz")


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    assert "No such file" in refusal(tmp_path, "not/here.csv")
    assert "expected traces, got none" in refusal(tmp_path, tmp_path)


# Files that something happened to
# --------------------------------
# Whatever became of a file, it is refused in a line, or what it says is what is learned from. What
# it says is found out here in another way.


def literally(data):
    """The traces and names that a CSV file holds, by whoever trusts it."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    rows = list(csv.reader(lines)) if '"' in text else [line.split(",") for line in lines]
    rows = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    return [[float(cell) for cell in row[1:]] for row in rows], [row[0].strip() for row in rows]


def flip(data, rng):
    """Turn over one to three bits."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        changed[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut_off(data, rng):
    return data[: rng.integers(len(data))]


def insert(data, rng):
    """Put something in that does not belong there."""
    foreign = [
        b"\0",
        b'"',
        b",",
        b";",
        b"\n",
        b"\r",
        b"\xff",
        b"\xe2\x80\xa8",
        b"# words\n",
        b"1,2,3\n",
    ]
    at = rng.integers(len(data))
    return data[:at] + foreign[rng.integers(len(foreign))] * int(rng.integers(1, 4)) + data[at:]


def shuffle_lines(data, rng):
    """Say some lines twice or not at all, in another order."""
    lines = data.splitlines(keepends=True)
    places = rng.integers(len(lines), size=len(lines))
    return b"".join(lines[place] for place in (places if rng.random() < 0.5 else {0, *places}))


def replace_a_number(data, rng):
    strange = [
        b"1e300",
        b"1e999",
        b"-3.5e38",
        b"nan",
        b"-inf",
        b"",
        b" ",
        b"0x10",
        b"1 2",
        b"--1",
        b"1e3",
    ]
    cells = data.split(b",")
    cells[rng.integers(1, len(cells))] = strange[rng.integers(len(strange))]
    return b",".join(cells)


def encode(data, rng):
    text = data.decode().replace("Quiet", "Stille für immer")
    kinds = "utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp500"
    return text.encode(kinds[rng.integers(len(kinds))])


def separate(data, rng):
    for sign in (b".", b",", b"\n"):
        others = sign, sign, b";", b"\t", b"|", b" ", b",", b".", b"\r\n"
        data = data.replace(sign, others[rng.integers(len(others))])
    return data


MUTATIONS = [flip, cut_off, insert, shuffle_lines, replace_a_number, encode, separate]


@pytest.mark.usefixtures("figures_are_not_saved")
@pytest.mark.parametrize("n_files", [28, pytest.param(1000, marks=pytest.mark.long)])
def test_a_mutated_file_is_refused_in_a_line_or_read_as_what_it_says(tmp_path, n_files):
    rng = np.random.default_rng(0)
    x, labels = make_traces(30, rng=0, n_samples=24)
    write_csv(
        tmp_path / "data.csv", x.astype(float).round(2), [CLASS_NAMES[label] for label in labels]
    )
    whole = (tmp_path / "data.csv").read_bytes()
    n_read = 0
    for place in range(n_files):
        data = MUTATIONS[place % len(MUTATIONS)](whole, rng)
        (tmp_path / "data.csv").write_bytes(data)
        tracemalloc.start()
        done = run(tmp_path, "data.csv", "--epochs", 1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1e9
        if done.code:
            assert done.out == ""
            assert done.err.splitlines()[-1].startswith("your_traces.py: error: ")
        else:
            n_read += 1
            traces, names = literally(data)
            assert_array_equal(done.x[..., 0], traces)
            assert done.names == names
    assert 0.1 * n_files < n_read < 0.9 * n_files  # there was something to read, and to refuse


# Traces to be told of
# --------------------


@pytest.mark.usefixtures("figures_are_not_saved")
def test_constant_traces_and_copies_are_reported(tmp_path):
    x, labels = make_traces(15, rng=0, n_samples=63)
    x = np.concatenate([x, x], axis=2).astype(float)
    x[4], x[7], x[9, :, 0] = [0.1, 0.3], 0, 3  # the last of these has one dead channel only
    x[10] = x[11] = x[12]
    np.savez(tmp_path / "data.npz", x=x, labels=labels)
    constant, copies = run(tmp_path, "data.npz", "--epochs", 1).err.splitlines()
    assert constant == "note: constant traces become zeros, counted from 1: [5 8]"
    assert copies.startswith("note: 2 of 15 traces are copies of others; ")


@pytest.mark.usefixtures("figures_are_not_saved")
def test_of_each_class_there_are_traces_on_both_sides(tmp_path):
    x, _ = make_traces(25, rng=0)
    np.savez(tmp_path / "data.npz", x=x, labels=["often"] * 21 + ["seldom"] * 4)
    done = run(tmp_path, "data.npz", "--epochs", 1)
    assert len(done.y_test) == 5
    assert set(done.y_train) == set(done.y_test) == {0, 1}


# The saved model
# ---------------


def answers(printed):
    """The predicted class and the probability of each line."""
    lines = re.findall(r"^ *(\d+) +(\d\.\d{3})  (.*)$", printed, re.MULTILINE)
    assert [int(number) for number, _, _ in lines] == list(range(1, len(lines) + 1))
    return [(name, float(probability)) for _, probability, name in lines]


def test_the_saved_model_classifies_another_file(tmp_path, first):
    model = first.folder / "figures" / "model.npz"
    x, labels = make_traces(30, rng=5, noise=0.2)
    np.savez(tmp_path / "more.npz", x=1000 * x + 20)  # in another unit, from another zero
    write_csv(tmp_path / "more.csv", x, [CLASS_NAMES[label] for label in labels])
    write_csv(tmp_path / "bare.csv", x, [""] * 30)

    told = run(tmp_path, "--classify", "more.csv", "--model", model)
    bare = run(tmp_path, "--classify", "bare.csv", "--model", model)
    scaled = run(tmp_path, "--classify", "more.npz", "--model", model)
    assert (told.code, told.err, bare.code, bare.err) == (0, "", 0, "")
    assert answers(told.out) == answers(bare.out) == answers(scaled.out)

    scores = Sequential.load(model).predict(standardize(x))
    p = Softmax().forward(scores)[0]
    assert [name for name, _ in answers(bare.out)] == [first.classes[k] for k in p.argmax(axis=1)]
    assert_allclose([chance for _, chance in answers(bare.out)], p.max(axis=1), atol=0.0006)

    right = np.mean(first.classes[p.argmax(axis=1)] == np.take(CLASS_NAMES, labels))
    assert right >= 0.9
    assert told.out.endswith(f"\n\n{right:.3f} of the 30 labeled traces are as labeled\n")
    assert "labeled" not in bare.out + scaled.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.csv", "more.csv", "more.npz"]


def test_labels_may_be_unknown_to_the_model_or_blank(tmp_path, first):
    x, _ = make_traces(3, rng=5)
    for names, words in (["Quiet", "Quake", ""], "\n0.500 of the 2 labeled"), ([""] * 3, "Quiet\n"):
        write_csv(tmp_path / "more.csv", x, names)
        done = run(first.folder, "--classify", tmp_path / "more.csv")  # the model in figures/
        assert words in done.out
        assert ("labeled" in done.out) == any(names)


def test_traces_of_another_shape_are_not_classified(tmp_path, first):
    np.savez(tmp_path / "long.npz", x=np.zeros((2, 65)))
    said = refusal(first.folder, "--classify", tmp_path / "long.npz")
    assert "expected traces of shape (L, C)=(64, 1), as the model learned from, got (65, 1)" in said


def test_without_a_header_the_first_trace_is_not_lost(tmp_path, first):
    (tmp_path / "bare.csv").write_text("1,2,3,4,5\n4,5,6,7,8\n")
    said = refusal(first.folder, "--classify", tmp_path / "bare.csv")
    assert "got '1,2,3,4,5'. If this is a trace, read it with --no-header" in said


def test_a_model_without_notes_is_refused(tmp_path, first):
    model = first.folder / "figures" / "model.npz"
    notes = {"classes": list(first.classes), "shape": [64, 1], "standardized": True}
    assert load_notes(model) == notes
    ask = tmp_path, "--classify", OWN, "--model", "m.npz"
    assert "No such file or directory: 'm.npz'" in refusal(*ask)
    first.model.save(tmp_path / "m.npz")
    assert "expected a model that this script saved, with its classes" in refusal(*ask)
    (tmp_path / "m.npz").write_bytes(model.read_bytes()[:-9])
    assert "complete numpycnn model, got m.npz" in refusal(*ask)
    (tmp_path / "m.npz").write_bytes(model.read_bytes())
    assert run(*ask).code == 0


# What can go wrong besides
# -------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", 0], "--epochs: expected 1 or more, got 0"),
        (["--batch-size", 0], "--batch-size: expected 1 or more, got 0"),
        (["--lr", "nan"], "--lr: expected 1e-09 or more, got nan"),
        (["--lr", 0], "--lr: expected 1e-09 or more, got 0"),
        (["--seed=-1"], "--seed: expected 0 or more, got -1"),
        (["--head", "none"], "invalid choice: 'none'"),
        (["--output", "a_file"], ": 'a_file'"),
    ],
)
def test_a_bad_option_gets_one_line(tmp_path, options, words):
    (tmp_path / "a_file").write_text("in the way")
    assert words in refusal(tmp_path, *options)


def test_a_training_that_explodes_is_explained_and_saves_nothing(tmp_path):
    done = run(tmp_path, "--lr", 1e30)
    assert done.code == 2
    assert "did not survive --lr 1e+30" in done.err
    assert not list((tmp_path / "figures").iterdir())


def test_without_a_screen_all_is_saved_before_show_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "agg")
    done = run(tmp_path, "--show", "--epochs", 1)
    assert done.code == 2
    assert "screen" in done.err.splitlines()[-1]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == FILES


def test_help_names_every_option_with_its_default(tmp_path):
    text = run(tmp_path, "--help").out
    for name in ("head", "epochs", "batch-size", "lr", "seed", "output", "classify", "model"):
        assert f"--{name}" in text
    assert text.count("default:") >= 8
