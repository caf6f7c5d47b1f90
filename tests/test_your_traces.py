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


def write_csv(path, x, names=None, heading="s{sample}"):
    """Write traces (N, L, C) channel after channel."""
    _, length, n_channels = x.shape
    places = itertools.product(range(1, n_channels + 1), range(1, length + 1))
    header = [heading.format(channel=c, sample=s) for c, s in places]
    rows = [[repr(float(value)) for value in trace.T.ravel()] for trace in x]
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
    begin, end = map(float, re.findall(r"entropy (\S+) in the first epoch, (\S+) in", first.out)[0])
    assert begin > 0.9 > 0.05 > end


def test_the_table_and_the_accuracies_are_those_of_the_saved_model(first):
    predicted = first.model.predict(first.x_test).argmax(axis=1)
    assert first.classes == ["Negative arrival", "Positive arrival", "Quiet"]
    for place, name in enumerate(first.classes):
        of_this = predicted[first.y_test == place]
        assert len(of_this) == 6
        cells = np.bincount(of_this, minlength=3)
        assert re.search(rf"^{name} +{' +'.join(map(str, cells))}$", first.out, re.MULTILINE)
        assert re.search(rf"^  {name} +{np.mean(of_this == place):.3f}$", first.out, re.MULTILINE)


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


@pytest.fixture
def three_channels():
    """Traces of three channels, in counts: only the sign of the second tells the class."""
    rng = np.random.default_rng(0)
    labels = np.array([10, 2] * 20)
    x = rng.normal(500, 30, (40, 20, 3))
    x[:, 10, 1] += np.where(labels == 10, 400, -400)
    return x.round().astype(int), labels


def test_channels_and_numbered_classes_in_npz_and_csv_are_the_same(tmp_path, first, three_channels):
    x, labels = three_channels
    np.savez(tmp_path / "data.npz", x=x, labels=labels)
    write_csv(tmp_path / "data.csv", x, labels, heading="c{channel}_{sample}")
    for name in ("data.npz", "data.csv"):
        read, names = first.read_traces(tmp_path / name)
        assert_array_equal(read, x)
        assert names == [str(label) for label in labels]
        done = run(tmp_path, name, "--epochs", 40)
        assert done.classes == ["2", "10"]
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
    head, trace = "Label , z_1,n_1,z_2,n_2,z_3,n_3,z_4,n_4,z_5,n_5", ",1,-1, 2,-2,3,-3,4e0,-4,5,-5"
    lines = [head, "", '"a, b"' + trace, "c" + trace, ",,,,,,,,,,", "c" + trace, '"a, b"' + trace]
    (tmp_path / "data.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    x, names = first.read_traces(tmp_path / "data.csv")
    assert names == ["a, b", "c", "c", "a, b"]
    assert x.shape == (4, 5, 2)
    assert_array_equal(x[0, :, 0], [1, 2, 3, 4, 5])
    assert_array_equal(x[0, :, 1], [-1, -2, -3, -4, -5])


def test_classes_go_by_number_and_then_by_the_alphabet(first):
    names = ["b", "10", "a", "9", "-1", "nan", "2.5"]
    assert sorted(names, key=first.by_number) == ["-1", "2.5", "9", "10", "a", "b", "nan"]


# Bad files
# ---------

HEAD = "label,s1,s2,s3,s4,s5\n"
GOOD = "a,1,2,3,4,5\nb,1,2,3,4,6\na,1,2,3,4,7\nb,1,2,3,4,8\n"

BAD_CSV = {
    "empty": ("", "header line with commas, label,s1,s2,s3, got an empty file"),
    "semicolons": ("label;s1;s2\na;1,0;2,0\n", "with commas, label,s1,s2,s3, got 'label;s1;s2'"),
    "no header": (GOOD, "line 1: expected a header, got a trace; put a line label,s1,s2,s3 above"),
    "no label": ("kind" + HEAD[5:] + GOOD, "first column to be headed label, got 'kind'"),
    "label last": ("s1,s2,Label\n1,2,a\n", "the column label first, it is column 3; move it"),
    "no traces": (HEAD, "expected a trace a line below the header, got no such line"),
    "ragged": (HEAD + GOOD + "a,1,2\n", "line 6: expected 6 columns as in the header, got 3"),
    "text": (
        HEAD + GOOD + "\na,1,2,x,4,5\n",
        "line 7, column 4 (s3): expected a finite number, got 'x'; leave that trace out",
    ),
    "comma decimals": (HEAD + 'a,1,2,"3,5",4,5\n', "column 4 (s3): expected a finite number, got"),
    "a gap": (HEAD + "a,1,2,3,4,\n", "line 2, column 6 (s5): expected a finite number, got ''"),
    "nan": (HEAD + GOOD + "a,1,NaN,3,4,5\n", "line 6, column 3 (s2): expected a finite number"),
    "infinity": (HEAD + "a,inf,2,3,4,5\n", "line 2, column 2 (s1): expected a finite number"),
    "no name": (HEAD + GOOD + ",1,2,3,4,5\n", "trace 5, counted from 1, has an empty label"),
    "one class": (HEAD + "a,1,2,3,4,5\n" * 4, "two classes or more, but every label is 'a'"),
    "a rare class": (
        HEAD + GOOD + "c,1,2,3,4,5\n",
        "to learn from and one to hold out, got one of 'c'; join such a class to another",
    ),
    "all rare": (
        HEAD + "".join(f"{n},1,2,3,4,{n}\n" for n in range(9)),
        "got one of '0' and of 8 more; join",
    ),
    "too short": ("label,s1,s2\na,1,2\nb,1,2\n", "expected 5 samples or more"),
    "odd channels": (
        "label,z_1,z_2,n_1\na,1,2,3\n",
        "as many samples of each channel, got 2 of 'z', 1 of 'n'; what stands before the last _",
    ),
    "every sample a channel": (
        "label,1_s,2_s,3_s,4_s,5_s,6_s\na,1,2,3,4,5,6\n",
        "got 1 of 6; in x channels go last, x.transpose(0, 2, 1), and in a CSV header",
    ),
    "an open quote": (HEAD + '"a,1,2,3,4,5\n', "values separated by commas: unexpected end"),
    "another alphabet": (HEAD.encode() + b"gr\xfcn,1,2,3,4,5\n", "expected text in UTF-8"),
    "sixteen bits": ((HEAD + GOOD).encode("utf-16"), "expected text in UTF-8; save it as CSV"),
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
    "no x": ({"traces": X, "labels": LABELS}, "expected an array x, it holds traces, labels; "),
    "no labels": ({"x": X}, "expected an array labels, it holds x; write it with np.savez("),
    "nothing": ({}, "expected an array x, it holds none"),
    "objects": ({"x": X, "labels": np.array(list("abab"), object)}, "labels.astype(str)"),
    "unequal": ({"x": np.array([X[0], X[1, :9]], object), "labels": [0, 1]}, "cut to one length"),
    "complex": ({"x": X + 1j, "labels": LABELS}, "expected x to hold real numbers, got complex128"),
    "text": ({"x": X.astype(str), "labels": LABELS}, "expected x to hold real numbers, got <U"),
    "one trace": ({"x": X[0], "labels": LABELS}, "got (20,); for one trace add an axis: x[None]"),
    "too many axes": ({"x": X[None, None], "labels": [0]}, "shape (N, L) or (N, L, C), none of"),
    "no traces": ({"x": X[:0], "labels": LABELS[:0]}, "none of them 0, got (0, 20)"),
    "nan": ({"x": HOLE, "labels": LABELS}, "expected finite numbers, got nan at x[1, 5]; leave"),
    "infinite": ({"x": PEAK[..., None], "labels": LABELS}, "got -inf at x[0, 0, 0]"),
    "too few labels": ({"x": X, "labels": LABELS[:3]}, "for each trace, shape (4,), got (3,)"),
    "one-hot": (
        {"x": X, "labels": np.eye(2)[LABELS]},
        "got (4, 2); of one-hot rows take labels.arg",
    ),
    "floats": (
        {"x": X, "labels": LABELS / 1},
        "integers or texts, got float64; convert: labels.as",
    ),
    "one class": ({"x": X, "labels": 0 * LABELS}, "two classes or more, but every label is '0'"),
    "empty name": (
        {"x": X, "labels": ["a", "b", "a", " "]},
        "trace 4, counted from 1, has an empty",
    ),
    "channels first": (
        {"x": X.reshape(4, 20, 1).transpose(0, 2, 1), "labels": LABELS},
        "no fewer than there are channels, got 1 of 20; in x channels go last, x.transp",
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
        assert "it is no .npz file, or was cut off; write it with np.savez" in refusal(
            tmp_path, name
        )
    assert "damaged.npz: it is damaged: Bad CRC-32" in refusal(tmp_path, "damaged.npz")
    assert "ends in .npz or .csv, got '.npy'" in refusal(tmp_path, "array.npy")
    assert "ends in .npz or .csv, got ''" in refusal(tmp_path, tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    said = refusal(tmp_path, "not/here.csv")
    assert said.endswith(f"no such file; it was looked for in {tmp_path / 'not'}")


# One scale for all
# -----------------


@given(
    scale=st.sampled_from([1e-300, 1e-12, 1.0, 1e5, 1e300]),
    offset=st.floats(-5, 5),
    n_channels=st.integers(1, 3),
)
def test_standardised_traces_have_mean_0_and_deviation_1(first, scale, offset, n_channels):
    x = np.random.default_rng(n_channels).standard_normal((4, 30, n_channels))
    y, constant = first.standardise(scale * (x + offset))
    assert not constant.any()
    assert y.dtype == np.float32
    assert_allclose(y.mean(axis=1), 0, atol=1e-6)
    assert_allclose(y.std(axis=(1, 2)), 1, rtol=1e-5)
    assert_allclose(y, first.standardise(x)[0], atol=1e-5)


def test_which_channel_is_the_louder_one_stays(first):
    x = np.random.default_rng(0).standard_normal((5, 30, 2)) * [1, 7]
    before, after = x.std(axis=1), first.standardise(x)[0].std(axis=1)
    assert_allclose(after[:, 1] / after[:, 0], before[:, 1] / before[:, 0], rtol=1e-5)


def test_a_constant_trace_stays_zero_and_is_reported(tmp_path, first):
    x, labels = make_traces(12, rng=0, n_samples=63)
    x = np.concatenate([x, x], axis=2).astype(float)
    x[4], x[7], x[9, :, 0] = [0.1, 0.3], 0, 3  # the last of these has one dead channel only
    given = x.copy()
    y, constant = first.standardise(x)
    assert np.flatnonzero(constant).tolist() == [4, 7]
    assert not y[[4, 7]].any()
    assert not y[9, :, 0].any()
    assert_allclose(y[9].std(), 1, rtol=1e-5)
    assert_array_equal(x, given)
    np.savez(tmp_path / "data.npz", x=x, labels=labels)
    done = run(tmp_path, "data.npz", "--epochs", 1)
    assert done.err == (
        "note: 2 of 12 traces are constant and become zeros, the first is trace 5, counted from 1\n"
    )


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
    lines = re.findall(r"^ *(\d+)  (.*?) +(\d\.\d{3})(?:  .*)?$", printed, re.MULTILINE)
    assert [int(number) for number, _, _ in lines] == list(range(1, len(lines) + 1))
    return [(name, float(probability)) for _, name, probability in lines]


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

    scores = Sequential.load(model).predict(first.standardise(x)[0])
    p = Softmax().forward(scores)[0]
    assert [name for name, _ in answers(bare.out)] == [first.classes[k] for k in p.argmax(axis=1)]
    assert_allclose([chance for _, chance in answers(bare.out)], p.max(axis=1), atol=0.0006)

    right = np.sum([first.classes[k] for k in p.argmax(axis=1)] == np.take(CLASS_NAMES, labels))
    assert right >= 27
    assert f"\n{right} of 30 as labelled, accuracy {right / 30:.3f}\n" in told.out
    assert "accuracy" not in bare.out + scaled.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.csv", "more.csv", "more.npz"]


def test_a_label_the_model_never_met_is_counted_as_wrong_and_said(tmp_path, first):
    x, _ = make_traces(3, rng=5)
    write_csv(tmp_path / "more.csv", x, ["Quiet", "Quake", "Quake"])
    done = run(first.folder, "--classify", tmp_path / "more.csv")  # the model in figures/
    assert "\n1 of 3 as labelled, accuracy 0.333\n" in done.out
    assert done.err == "note: 'Quake' is no class of this model, so counted as wrong\n"


def test_traces_of_another_shape_are_not_classified(tmp_path, first):
    np.savez(tmp_path / "long.npz", x=np.zeros((2, 65)))
    said = refusal(first.folder, "--classify", tmp_path / "long.npz")
    assert "expected traces of 64 samples and 1 channels, as the model learned from" in said
    assert "got 65 and 1; cut or resample them" in said
    (tmp_path / "bare.csv").write_text("1,2,3\n4,5,6\n")
    said = refusal(first.folder, "--classify", tmp_path / "bare.csv")
    assert "line 1: expected a header, got a trace" in said


def test_a_model_without_its_names_or_with_anothers_is_refused(tmp_path, first):
    figures = first.folder / "figures"
    weights, card = (figures / "model.npz").read_bytes(), (figures / "model.json").read_text()
    ask = tmp_path, "--classify", OWN, "--model", "m.npz"
    assert refusal(*ask).startswith("m.npz: there is no such model; train first")
    (tmp_path / "m.npz").write_bytes(weights)
    assert refusal(*ask).startswith("m.json: expected the file that was saved beside the model")
    for broken in ("", "[]", "{}", card[:-20]):
        (tmp_path / "m.json").write_text(broken)
        assert refusal(*ask).startswith("m.json: expected the file that was saved beside the model")
    (tmp_path / "m.json").write_text(json.dumps(json.loads(card) | {"sha256": "0"}))
    assert "m.json: belongs to another model than m.npz; copy both" in refusal(*ask)
    (tmp_path / "m.json").write_text(card)
    assert run(*ask).code == 0
    (tmp_path / "m.npz").write_bytes(weights[:-9])
    assert "m.npz is not a whole numpycnn model" in refusal(*ask)


# What can go wrong besides
# -------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", 0], "--epochs must be 1 or more, got 0"),
        (["--batch-size", 0], "--batch-size must be 1 or more, got 0"),
        (["--lr", "nan"], "--lr must be a number above 0, got nan"),
        (["--seed", -1], "--seed must be 0 or more, got -1"),
        (["--head", "none"], "invalid choice: 'none'"),
        (["--output", "a_file"], "--output must be a folder"),
        (["data.csv", "--classify", "more.csv"], "--classify does no training; leave out the data"),
    ],
)
def test_a_bad_option_gets_one_line(tmp_path, options, words):
    (tmp_path / "a_file").write_text("in the way")
    assert words in refusal(tmp_path, *options)


def test_what_is_there_stays_whole_if_saving_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    run(tmp_path, "--epochs", 1)
    before = {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    monkeypatch.setattr(Sequential, "save", full)
    done = run(tmp_path, "--epochs", 2)
    assert done.code == 2
    assert done.err.endswith("not everything could be saved there: no space left on device\n")
    assert {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == before


def test_a_training_that_explodes_is_explained_and_saves_nothing(tmp_path):
    done = run(tmp_path, "--lr", 1e30)
    assert done.code == 2
    assert "did not survive --lr 1e+30" in done.err
    assert not list((tmp_path / "figures").iterdir())


def test_a_training_that_was_stopped_saves_nothing(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(numpycnn, "fit", stop)
    done = run(tmp_path)
    assert done.code == 130
    assert done.err == "\nstopped; nothing was saved\n"
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
