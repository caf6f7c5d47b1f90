"""Your own traces: good files and bad ones, the training, the saved model, its answers.

The script runs inside this process, because a start of Python costs a second and there are
many ways in which a file can be wrong. One test starts it as its users do.
"""

import ast
import io
import re
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scripts import EXAMPLES, complaint

import numpycnn
from numpycnn import CLASS_NAMES, Sequential, Softmax, make_traces, standardize

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


def test_the_file_next_to_the_script_is_what_its_text_says(first):
    assert "make_traces(90, rng=0, noise=0.2)" in ast.get_docstring(ast.parse(SCRIPT.read_text()))
    x, labels = make_traces(90, rng=0, noise=0.2)
    read, names = first.read_traces(OWN)
    assert_allclose(read, x, rtol=0, atol=0.00051)
    assert names == [CLASS_NAMES[label] for label in labels]


def test_without_options_it_learns_and_prints_the_results_of_the_saved_model(first):
    assert (first.code, first.err) == (0, "")
    (accuracy,) = re.findall(r"18 traces, accuracy (\d\.\d+)$", first.out, re.MULTILINE)
    assert float(accuracy) > 0.9
    begin, end = map(
        float, re.findall(r"entropy (\S+) in the first epoch, (\S+) in the last", first.out)[0]
    )
    assert begin > 0.9 > 0.05 > end
    model = Sequential.load(first.folder / "figures" / "model.npz")
    predicted = model.classify(first.x_test)
    for place, name in enumerate(first.classes):
        of_this = predicted[first.y_test == place]
        cells = np.bincount(of_this, minlength=3)
        row = " +".join([f"{np.mean(of_this == place):.3f}", *map(str, cells)])
        assert re.search(rf"^{name} +{row}$", first.out, re.MULTILINE)
    loss, accuracy = numpycnn.evaluate(model, first.x_test, first.y_test)
    assert first.history.val_loss[-1] == pytest.approx(loss)
    assert first.history.val_accuracy[-1] == accuracy


def test_it_saves_three_whole_files_and_nothing_else(first):
    folder = first.folder / "figures"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name in FILES[:2]:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert [text.get_text() for text in first.confusion.axes[0].texts] == [
        str(count) for count in first.counts.ravel()
    ]


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
X, LABELS = np.arange(80.0).reshape(4, 20), np.array([0, 1, 0, 1])
HOLE = np.where(X == 25, np.nan, X)
TEXTS = np.array(list("abab"), object)

# A file, and what its refusal names: the place, the value, the option that helps.
BAD = [
    ("", "empty"),
    (HEAD.replace(",", ";") + GOOD.replace(",", ";"), "--delimiter"),
    (HEAD + GOOD.replace(",", ", ", 5).replace("5\n", "5,\n", 1), "line 2 must have 6 values"),
    (GOOD, "--no-header"),
    ("kind" + HEAD[5:] + GOOD, "--label-column"),
    (HEAD + GOOD + "\na,1,2,x,4,5\n", "line 7"),
    (HEAD + GOOD + "a,1,NaN,3,4,5\n", "nan as sample 2 of trace 5"),
    (HEAD + GOOD + "a,1,1e300,3,4,5\n", "1e+300 as sample 2"),
    (HEAD + GOOD + "NaN,1,2,3,4,5\n?,1,2,3,4,5\n,1,2,3,4,5\n", "3 of 7"),
    (HEAD + "a,1,2,3,4,5\n" * 4, "['a']"),
    (HEAD + GOOD, "2 classes and 1"),
    (HEAD + '"a,1,2,3,4,5\n', "line 2"),
    ((HEAD + GOOD).encode("utf-16"), "UTF-8"),
    ({"traces": X, "labels": LABELS}, "x is not a file in the archive"),
    ({"x": X}, "all 4"),
    ({"x": X, "labels": TEXTS}, "labels.astype(str)"),
    ({"x": np.array([X[0], X[1, :9]], object), "labels": [0, 1]}, "one length"),
    ({"x": X + 1j, "labels": LABELS}, "complex128"),
    ({"x": X[0], "labels": [0] * 20}, "(20,)"),
    ({"x": HOLE, "labels": LABELS}, "nan as sample 6 of trace 2"),
    ({"x": X, "labels": LABELS[:3]}, "(3,)"),
    ({"x": X, "labels": np.eye(2)[LABELS]}, "labels.argmax(axis=1"),
    ({"x": X, "labels": LABELS / 1}, "float64"),
    ({"x": np.zeros((4, 6, 7)), "labels": LABELS}, "6 of 7"),
]


@pytest.mark.parametrize(("content", "words"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_and_the_place_is_named(tmp_path, capsys, content, words):
    name = "bad.npz" if isinstance(content, dict) else "bad.csv"
    if isinstance(content, dict):
        np.savez(tmp_path / name, **content)
    else:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert words in complaint("your_traces", tmp_path, capsys, name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


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
