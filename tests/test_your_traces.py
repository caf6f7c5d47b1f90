"""Your own traces: good files and bad ones, the training, the saved model, its answers.

The script runs inside this process, because a start of Python costs a second and there are
many ways in which a file can be wrong. One test starts it as its users do.
"""

import ast
import io
import itertools
import json
import re
import runpy
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import numpycnn
from numpycnn import CLASS_NAMES, Sequential, Softmax, make_traces

SCRIPT = Path(__file__).parent.parent / "examples" / "your_traces.py"
OWN = SCRIPT.with_suffix(".csv")
FILES = ["confusion.png", "learning_curves.png", "model.json", "model.npz"]


class Terminal(io.StringIO):
    """A text stream that says somebody is looking."""

    def isatty(self):
        return True


def run(folder, *options, stderr=None):
    """Run the script in `folder`: its exit code, what it printed, and all it defined."""
    out, err, parts, code = io.StringIO(), stderr or io.StringIO(), {}, 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [str(SCRIPT), *map(str, options)])
        patch.chdir(folder)
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
    assert "90 traces of 64 samples, channels: 1, held out: 18" in first.out
    assert re.search(r"total +243$", first.out, re.MULTILINE)
    (accuracy,) = re.findall(r"18 traces, accuracy (\d\.\d+)$", first.out, re.MULTILINE)
    assert float(accuracy) > 0.9
    assert "by the majority rule, always Negative arrival: 0.333" in first.out
    begin, end = map(float, re.findall(r"entropy (\S+) at first, (\S+) at last", first.out)[0])
    assert begin > 0.9 > 0.05 > end


def test_the_table_and_the_accuracies_are_those_of_the_saved_model(first):
    predicted = first.model.predict(first.x_test).argmax(axis=1)
    assert list(first.classes) == ["Negative arrival", "Positive arrival", "Quiet"]
    for place, name in enumerate(first.classes):
        of_this = predicted[first.y_test == place]
        assert len(of_this) == 6
        cells = np.bincount(of_this, minlength=3)
        row = " +".join([f"{np.mean(of_this == place):.3f}", *map(str, cells)])
        assert re.search(rf"^{name} +{row}$", first.out, re.MULTILINE)
        assert re.search(rf"^  {name} +30$", first.out, re.MULTILINE)


def test_it_saves_four_whole_files_and_nothing_else(first):
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


def test_it_runs_piece_by_piece(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for statement in ast.parse(SCRIPT.read_text()).body:
        exec(compile(ast.Module([statement], []), "a piece", "exec"), namespace)
    assert "saved model.npz" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_and_another_another(tmp_path):
    once, again, other = (
        run(tmp_path, "--epochs", 2, "--seed", seed, "--output", f"run {n}")
        for n, seed in enumerate([3, 3, 4])
    )
    for name, w in once.model.params.items():
        assert_array_equal(w, again.model.params[name])
    assert once.out.replace("run 0", "") == again.out.replace("run 1", "")
    assert set(once.examined) != set(other.examined)


def test_the_options_act(tmp_path):
    few = run(tmp_path, "--epochs", 3, "--batch-size", 72, "--lr", 1e-9, "--output", "a/b")
    assert len(few.history.loss) == 3
    assert few.history.loss == pytest.approx([few.history.loss[0]] * 3, rel=1e-5)
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == FILES
    assert "in a/b" in few.out


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
    assert "40 traces of 20 samples, channels: 3, held out: 8" in done.out
    assert "held out: 8 traces, accuracy 1.000" in done.out


def test_one_channel_needs_no_third_axis_and_names_may_be_texts(tmp_path, first):
    x = np.arange(40.0, dtype=np.float32).reshape(4, 10)
    np.savez(tmp_path / "data.npz", x=x, labels=["b ", "a", "b", "a"])
    (tmp_path / "data.npz").rename(tmp_path / "DATA.NPZ")
    read, names = first.read_traces(tmp_path / "DATA.NPZ")
    assert_array_equal(read, x[..., None])
    assert names == ["b", "a", "b", "a"]


def test_what_spreadsheets_do_to_a_csv_does_no_harm(tmp_path, first):
    head, trace = "LABEL , s1,s2,s3,s4,s5", ",1,-1, 2,4e0,-5"
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
    "empty": ("", "with commas, and label as the first column: label,s1,s2,s3, got ''"),
    "semicolons": ("label;s1;s2\na;1,0;2,0\n", "label,s1,s2,s3, got 'label;s1;s2'"),
    "no header": (GOOD, "expected a header line with commas, and label as the first column"),
    "no label": ("kind" + HEAD[5:] + GOOD, "label as the first column: label,s1,s2,s3, got 'kind,"),
    "label last": ("s1,s2,Label\n1,2,a\n", "label,s1,s2,s3, got 's1,s2,Label'"),
    "no traces": (HEAD, "expected x with at least one number in it, got shape (0, 5, 1)"),
    "no samples": ("label\na\nb\n", "expected x with at least one number in it, got shape (2, 0, "),
    "ragged": (HEAD + GOOD + "a,1,2\n", "line 6: expected 6 columns as in the header, got 3"),
    "text": (
        HEAD + GOOD + "\na,1,2,x,4,5\n",
        "line 7, column 4 (s3): expected a finite number, got 'x'; leave that trace out",
    ),
    "comma decimals": (HEAD + 'a,1,2,"3,5",4,5\n', "column 4 (s3): expected a finite number, got"),
    "a gap": (HEAD + "a,1,2,3,4,\n", "line 2, column 6 (s5): expected a finite number, got ''"),
    "nan": (HEAD + GOOD + "a,1,NaN,3,4,5\n", "line 6, column 3 (s2): expected a finite number"),
    "infinity": (HEAD + "a,inf,2,3,4,5\n", "line 2, column 2 (s1): expected a finite number"),
    "no name": (HEAD + GOOD + 2 * ",1,2,3,4,5\n", "to hold out, got 2 of '', 2 of 'a'"),
    "one class": (HEAD + "a,1,2,3,4,5\n" * 4, "one to hold out, got 4 of 'a'; join"),
    "a rare class": (
        HEAD + GOOD + "c,1,2,3,4,5\n",
        "one to learn from and one to hold out, got 1 of 'c', 2 of 'a', 2 of 'b'; join such",
    ),
    "too short": ("label,s1,s2\na,1,2\nb,1,2\n", "expected 5 samples or more"),
    "an open quote": (HEAD + '"a,1,2,3,4,5\n', "values separated by commas, in UTF-8: unexpected"),
    "another alphabet": (
        HEAD.encode() + b"gr\xfcn,1,2,3,4,5\n",
        "in UTF-8: 'utf-8' codec can't decode byte 0xfc",
    ),
    "sixteen bits": (
        (HEAD + GOOD).encode("utf-16"),
        "expected values separated by commas, in UTF-8: ",
    ),
}


@pytest.mark.parametrize("content, words", BAD_CSV.values(), ids=BAD_CSV)  # noqa: PT006
def test_a_bad_csv_is_refused_and_told_why(tmp_path, content, words):
    (tmp_path / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refusal(tmp_path, "bad.csv")
    assert said.startswith("bad.csv: ")
    assert words in said
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


X, LABELS = np.arange(80.0).reshape(4, 20), np.array([0, 1, 0, 1])
HOLE, PEAK = np.where(X == 25, np.nan, X), np.where(X == 0, -np.inf, X)

BAD_NPZ = {
    "no x": ({"traces": X, "labels": LABELS}, "x and labels, got: 'x is not a file in the archive"),
    "no labels": ({"x": X}, "labels is not a file in the archive'; write them with np.savez('data"),
    "nothing": ({}, "x is not a file in the archive"),
    "objects": ({"x": X, "labels": np.array(list("abab"), object)}, "and labels.astype(str)"),
    "unequal": ({"x": np.array([X[0], X[1, :9]], object), "labels": [0, 1]}, "are of one length"),
    "complex": ({"x": X + 1j, "labels": LABELS}, "Cannot cast array data from dtype('complex128')"),
    "text": ({"x": X.astype(str), "labels": LABELS}, "to dtype('float64') according to the rule"),
    "one trace": ({"x": X[0], "labels": [0] * 20}, "(20,); for one trace add both axes: x[None"),
    "too many axes": ({"x": X[None, None], "labels": [0]}, "expected x of shape (N, L, C), got (1"),
    "no traces": ({"x": X[:0], "labels": LABELS[:0]}, "one number in it, got shape (0, 20, 1)"),
    "nan": (
        {"x": HOLE, "labels": LABELS},
        "got nan at x[1, 5, 0]; fill the gap",
    ),
    "infinite": ({"x": PEAK[..., None], "labels": LABELS}, "got -inf at x[0, 0, 0]"),
    "too few labels": (
        {"x": X, "labels": LABELS[:3]},
        "labels of shape (4,), integers or texts, got",
    ),
    "one-hot": (
        {"x": X, "labels": np.eye(2)[LABELS]},
        "got float64 of shape (4, 2); labels.astype(int), or of one-hot rows labels.argmax(axis=1)",
    ),
    "floats": ({"x": X, "labels": LABELS / 1}, "integers or texts, got float64 of shape (4,)"),
    "one class": ({"x": X, "labels": 0 * LABELS}, "two classes or more, none without a name, and"),
    "empty name": ({"x": X, "labels": ["a", "", "a", " "]}, "got 2 of '', 2 of 'a'; join"),
    "channels first": (
        {"x": X.reshape(4, 20, 1).transpose(0, 2, 1), "labels": LABELS},
        "no fewer than there are channels, got 1 of 20; in x channels go last: x.transp",
    ),
    "more channels than samples": (
        {"x": np.zeros((4, 6, 7)), "labels": LABELS},
        "expected 5 samples or more, and no fewer than there are channels, got 6 of 7",
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
    (tmp_path / "renamed.npz").write_bytes((tmp_path / "array.npy").read_bytes())
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    at = whole.index(X[2].tobytes())
    (tmp_path / "damaged.npz").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    for name in ("renamed.npz", "cut.npz"):
        assert "it is no .npz file, or was cut off; write them with np.savez" in refusal(
            tmp_path, name
        )
    assert "damaged.npz: expected arrays x and labels, got: Bad CRC-32" in refusal(
        tmp_path, "damaged.npz"
    )
    assert "ends in .npz or .csv, got '.npy'" in refusal(tmp_path, "array.npy")
    assert "ends in .npz or .csv, got ''" in refusal(tmp_path, tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    said = refusal(tmp_path, "not/here.csv")
    assert said.endswith(f"there is no such file in {tmp_path / 'not'}")


# One scale for all
# -----------------


@given(
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
    offset=st.floats(-5, 5),
    n_channels=st.integers(1, 3),
)
def test_standardised_traces_have_mean_0_and_deviation_1(first, scale, offset, n_channels):
    x = np.random.default_rng(n_channels).standard_normal((4, 30, n_channels))
    y = first.standardise(scale * (x + offset))
    assert y.dtype == np.float32
    assert_allclose(y.mean(axis=1), 0, atol=1e-6)
    assert_allclose(y.std(axis=(1, 2)), 1, rtol=1e-5)
    assert_allclose(y, first.standardise(x), atol=1e-5)


def test_which_channel_is_the_louder_one_stays(first):
    x = np.random.default_rng(0).standard_normal((5, 30, 2)) * [1, 7]
    before, after = x.std(axis=1), first.standardise(x).std(axis=1)
    assert_allclose(after[:, 1] / after[:, 0], before[:, 1] / before[:, 0], rtol=1e-5)


def test_a_constant_trace_stays_zero_and_is_reported(tmp_path, first):
    x, labels = make_traces(12, rng=0, n_samples=63)
    x = np.concatenate([x, x], axis=2).astype(float)
    x[4], x[7], x[9, :, 0] = [0.1, 0.3], 0, 3  # the last of these has one dead channel only
    given = x.copy()
    y = first.standardise(x)
    assert not y[[4, 7]].any()
    assert not y[9, :, 0].any()
    assert_allclose(y[9].std(), 1, rtol=1e-5)
    assert_array_equal(x, given)
    np.savez(tmp_path / "data.npz", x=x, labels=labels)
    done = run(tmp_path, "data.npz", "--epochs", 1)
    assert done.err == "note: constant traces become zeros, counted from 1: 5, 8\n"


@given(st.lists(st.integers(2, 40), min_size=2, max_size=5), st.integers(0, 9))
def test_a_fifth_of_each_class_is_held_out(first, sizes, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.random.default_rng(seed).permutation(labels)
    train, examined = first.hold_out(labels, np.random.default_rng(seed))
    assert sorted([*train, *examined]) == list(range(len(labels)))
    for label, size in enumerate(sizes):
        held = np.count_nonzero(labels[examined] == label)
        assert held == max(1, round(size / 5))
        assert held < size


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
    write_csv(tmp_path / "bare.csv", x)

    told = run(tmp_path, "--classify", "more.csv", "--model", model)
    bare = run(tmp_path, "--classify", "bare.csv", "--model", model)
    scaled = run(tmp_path, "--classify", "more.npz", "--model", model)
    assert (told.code, told.err, bare.code, bare.err) == (0, "", 0, "")
    assert answers(told.out) == answers(bare.out) == answers(scaled.out)

    scores = Sequential.load(model).predict(first.standardise(x))
    p = Softmax().forward(scores)[0]
    assert [name for name, _ in answers(bare.out)] == [first.classes[k] for k in p.argmax(axis=1)]
    assert_allclose([chance for _, chance in answers(bare.out)], p.max(axis=1), atol=0.0006)

    right = np.mean(first.classes[p.argmax(axis=1)] == np.take(CLASS_NAMES, labels))
    assert right >= 0.9
    assert told.out.endswith(f"\n\n{right:.3f} of them are as labelled\n")
    assert "labelled" not in bare.out + scaled.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.csv", "more.csv", "more.npz"]


def test_labels_may_be_unknown_to_the_model_or_blank(tmp_path, first):
    x, _ = make_traces(3, rng=5)
    for names, words in (["Quiet", "Quake", ""], "\n0.333 of them are as"), ([""] * 3, "Quiet\n"):
        write_csv(tmp_path / "more.csv", x, names)
        done = run(first.folder, "--classify", tmp_path / "more.csv")  # the model in figures/
        assert words in done.out
        assert ("labelled" in done.out) == any(names)


def test_traces_of_another_shape_are_not_classified(tmp_path, first):
    np.savez(tmp_path / "long.npz", x=np.zeros((2, 65)))
    said = refusal(first.folder, "--classify", tmp_path / "long.npz")
    assert "expected traces of shape (L, C)=(64, 1), as the model learned from, got (65, 1)" in said


def test_without_a_header_the_first_trace_is_not_lost(tmp_path, first):
    (tmp_path / "bare.csv").write_text("1,2,3,4,5\n4,5,6,7,8\n")
    said = refusal(first.folder, "--classify", tmp_path / "bare.csv")
    assert "expected a header line with commas" in said
    assert said.endswith("got '1,2,3,4,5'")


def test_a_model_without_its_names_is_refused(tmp_path, first):
    figures = first.folder / "figures"
    weights, card = (figures / "model.npz").read_bytes(), (figures / "model.json").read_text()
    assert json.loads(card) == {"classes": list(first.classes), "shape": [64, 1]}
    ask = tmp_path, "--classify", OWN, "--model", "m.npz"
    assert refusal(*ask).startswith("m.npz: there is no such file; train first")
    (tmp_path / "m.npz").write_bytes(weights)
    assert refusal(*ask).startswith("m.json: there is no such file; train first")
    (tmp_path / "m.json").write_text(card)
    assert run(*ask).code == 0
    (tmp_path / "m.npz").write_bytes(weights[:-9])
    assert "m.npz is not a whole numpycnn model" in refusal(*ask)


# What can go wrong besides
# -------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", 0], "--epochs and --batch-size must be 1 or more"),
        (["--batch-size", 0], "--epochs and --batch-size must be 1 or more"),
        (["--lr", "nan"], "--seed 0 or more, --lr above 0"),
        (["--lr", 0], "--lr above 0"),
        (["--seed", -1], "--seed 0 or more"),
        (["--head", "none"], "invalid choice: 'none'"),
        (["--output", "a_file"], ": 'a_file'"),
        (["data.csv", "--classify", "more.csv"], "--classify does no training; leave out the data"),
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


@pytest.fixture
def slow_clock(monkeypatch):
    """A clock on which every look takes a second."""
    monkeypatch.setattr(time, "perf_counter", itertools.count().__next__)


@pytest.mark.usefixtures("slow_clock")
def test_a_long_run_in_a_terminal_draws_a_bar(tmp_path):
    drawn = run(tmp_path, "--epochs", 5, stderr=Terminal()).err
    assert drawn.endswith("\n")
    bars = [line.rstrip() for line in drawn.split("\r")]
    assert bars == [  # nothing in the first two seconds
        "",
        "##################............ epoch 3 of 5, 2 s to go",
        "########################...... epoch 4 of 5, 1 s to go",
        "############################## epoch 5 of 5, 0 s to go",
    ]


@pytest.mark.usefixtures("slow_clock")
def test_no_bar_is_drawn_into_a_file(tmp_path):
    assert run(tmp_path, "--epochs", 5).err == ""


def test_no_bar_is_drawn_for_a_short_run(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    assert run(tmp_path, "--epochs", 2, stderr=Terminal()).err == ""


def test_without_a_screen_all_is_saved_before_show_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "agg")
    done = run(tmp_path, "--show", "--epochs", 1)
    assert done.code == 2
    assert "expected a screen" in done.err.splitlines()[-1]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == FILES


def test_help_names_every_option_with_its_default(tmp_path):
    text = run(tmp_path, "--help").out
    for name in ("head", "epochs", "batch-size", "lr", "seed", "output", "classify", "model"):
        assert f"--{name}" in text
    assert text.count("default:") >= 8
