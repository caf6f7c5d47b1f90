"""A U-Net picks onsets: what it finds beside STA/LTA and AIC, and records of one's own."""

import re
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from scripts import EXAMPLES, complaint, run_example

from numpycnn import Sequential, make_records
from numpycnn.layers.storage import load_notes
from numpycnn.plots import plot_picks
from numpycnn.seismology.long_records import cut
from numpycnn.seismology.picking import compare_picks

SMALL = "--records", 160, "--epochs", 16
FROM_5_ON = "5", "6", "8", "12", "20"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """All names of the script after a small run, and its folder."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numpycnn.make_records", sparing)
        return run_example("pick_arrivals", folder, *SMALL), folder


def sparing(n, *, n_samples=640, **options):
    """The same records, and a tenth of an hour for an hour, which a test can wait for."""
    if n_samples == 360_000:
        options |= {"arrivals": (6, 6), "spikes": (30, 30)}
        n_samples = 36_000
    return make_records(n, n_samples=n_samples, **options)


def total(marks, name):
    """What came of all ratios from 5 on together: found, missed, false."""
    rows = [marks[ratio][name][0] for ratio in FROM_5_ON]
    found = sum(len(row.errors) for row in rows)
    return found, sum(row.n_missed for row in rows), sum(row.n_false for row in rows)


# What it learns
# --------------


def test_in_seconds_it_learns_to_find_more_than_sta_lta_with_fewer_false_picks(small):
    names, _ = small
    network, trigger, second_look = names["pickers"]
    found, missed, false = total(names["marks"], network)
    assert found / (found + missed) > 0.8
    for rule in trigger, second_look:
        assert false < total(names["marks"], rule)[2]
    assert found > total(names["marks"], trigger)[0]


@pytest.mark.long
def test_over_five_seeds_the_worst_finds_95_percent_with_fewer_false_picks(tmp_path):
    for seed in range(5):
        names = run_example("pick_arrivals", tmp_path, "--seed", seed, "--hours", 0)
        network, trigger, second_look = names["pickers"]
        found, missed, false = total(names["marks"], network)
        assert found / (found + missed) >= 0.95
        for rule in trigger, second_look:
            assert false < total(names["marks"], rule)[2]
        assert sum(array.size for array in names["model"].params.values()) < 10_000


def test_the_tables_say_what_came_of_it(tmp_path, capsys):
    names = run_example("pick_arrivals", tmp_path, "--records", 16, "--epochs", 1, "--hours", 0)
    out = capsys.readouterr().out
    assert re.search(r"16 records of 640 samples, channels: 3, weights: 3,466", out)
    rows = re.findall(r"^  U-Net +(.*)$", out, re.MULTILINE)
    assert len(rows) == 4
    marks = [column["U-Net"] for column in names["marks"].values()]
    assert rows[0].split() == [f"{mark.share_found:.3f}" for mark, _ in marks]
    assert rows[1].split() == [f"{mark.n_false / hours:.0f}" for mark, hours in marks]
    assert marks[0][1] == pytest.approx(2 * 3200 / 360_000)
    assert re.search(r"^signal-to-noise ratio +3 +4 +5 +6 +8 +12 +20$", out, re.MULTILINE)


def test_over_hours_the_picks_are_those_of_one_piece(small):
    names, _ = small
    x, _ = make_records(1, rng=5, n_samples=3200)
    whole = names["curve_of"](names["model"], x[0])
    small_pieces = partial(cut, piece=512)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(names["curve_of"].__globals__, "cut", small_pieces)
        pieces = names["curve_of"](names["model"], x[0])
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


def test_the_scale_is_that_of_the_noise_whatever_the_unit_or_the_arrivals(small):
    names, _ = small
    x, _ = make_records(4, rng=0, n_samples=643, arrivals=(2, 2), snr=(40, 40))
    ready = names["prepared"](x)
    assert ready.shape == (4, 656, 3)
    assert ready.dtype == np.float32
    np.testing.assert_array_equal(ready[:, 643:], 0)
    noise, _ = make_records(4, rng=0, n_samples=643, arrivals=(0, 0), spikes=(0, 0))
    assert (abs(names["prepared"](noise)).max(axis=(1, 2)) < 6).all()
    np.testing.assert_allclose(names["prepared"](1e6 * x + 5e6), ready, atol=0.01)
    np.testing.assert_array_equal(names["prepared"](np.zeros((1, 640, 3))), 0)


def test_the_figure_shows_a_record_its_curve_and_the_picks(small):
    _, folder = small
    assert (folder / "figures" / "picks.png").read_bytes().startswith(b"\x89PNG")
    x, (onsets,) = make_records(1, rng=0, arrivals=(2, 2))
    curve = np.linspace(0, 1, 640)
    *channels, below = plot_picks(x[0], curve, np.array([5]), onsets).axes
    for panel, channel in zip(channels, x[0].T, strict=True):
        np.testing.assert_array_equal(panel.lines[0].get_ydata(), channel)
        assert [line.get_xdata()[0] for line in panel.lines[1:]] == onsets.tolist()
    assert below.lines[1].get_xdata().tolist() == [5]
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["pick", "onset"]
    with pytest.raises(ValueError, match=r"curve .*\(L=640\), got \(600,\)"):
        plot_picks(x[0], curve[:600], np.array([5]), onsets)
    with pytest.raises(ValueError, match="within the record"):
        plot_picks(x[0], curve, np.array([640]), onsets)


# Records of one's own
# --------------------


def rows_of(onsets):
    """Onsets as a file has them: a row (record, sample) for each, here in no order."""
    rows = [[record, onset] for record, here in enumerate(onsets) for onset in here]
    return np.random.default_rng(0).permutation(np.array(rows))


@pytest.fixture(scope="module")
def own():
    """Thirty records of one channel and 500 samples, and their onsets."""
    options = {"n_samples": 500, "n_channels": 1, "arrivals": (0, 2), "snr": (30, 60)}
    return make_records(30, rng=0, **options)


@pytest.mark.parametrize("kind", ["samples", "seconds", "labels"])
def test_a_file_can_give_onsets_in_three_ways(kind, own, tmp_path):
    x, onsets = own
    rows = rows_of(onsets)
    labels = np.zeros(x.shape[:2], int)
    for record, here in enumerate(onsets):
        for onset in here:
            labels[record, onset : onset + 40] = 7
    given = {
        "samples": {"onsets": rows},
        "seconds": {"onsets": rows * [1, 1 / 50], "sampling_rate": 50},
        "labels": {"labels": labels},
    }[kind]
    np.savez(tmp_path / "data.npz", x=x[..., 0], **given)
    read = run_reader(tmp_path / "data.npz")
    np.testing.assert_array_equal(read[0], x)
    for here, there in zip(read[1], onsets, strict=True):
        np.testing.assert_array_equal(here, there)
    assert read[2] == (50 if kind == "seconds" else None)


def run_reader(path):
    """What the module beside the script reads from a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        return import_module("_shared.your_records").read_records(path)


@pytest.mark.usefixtures("figures_are_not_saved")
def test_one_can_learn_from_ones_own_records_and_pick_others(own, tmp_path, capsys):
    x, onsets = own
    np.savez(
        tmp_path / "data.npz", x=1e4 * x + 300, onsets=rows_of(onsets) / [1, 100], sampling_rate=100
    )
    run_example("pick_arrivals", tmp_path, "data.npz", "--epochs", 20)
    out = capsys.readouterr().out
    assert "24 records of 500 samples, channels: 1, weights: 3,354" in out
    assert "held out" in out
    assert "continuous" not in out
    model = tmp_path / "figures" / "picker.npz"
    assert isinstance(Sequential.load(model), Sequential)
    assert load_notes(model) == {"channels": 1, "sampling_rate": 100, "scale": "noise"}

    new, truth = make_records(3, rng=9, n_samples=500, n_channels=1, arrivals=(1, 2), snr=(40, 50))
    np.savez(tmp_path / "more.npz", x=new, sampling_rate=100)
    with pytest.raises(SystemExit) as end:
        run_example("pick_arrivals", tmp_path, "--pick", "more.npz")
    assert not end.value.code
    said = re.findall(
        r"record (\d), ([\d.]+) s, probability (0\.\d\d|1\.00)$", capsys.readouterr().out, re.M
    )
    picks = [
        np.array([round(100 * float(s)) for n, s, _ in said if int(n) == record], int)
        for record in range(3)
    ]
    assert len(compare_picks(picks, truth, 10).errors) >= 2

    np.savez(tmp_path / "more.npz", x=new, sampling_rate=50)
    words = "record 0: expected a record like those that figures/picker.npz learned from"
    assert words in complaint("pick_arrivals", tmp_path, capsys, "--pick", "more.npz")


X = np.zeros((5, 500, 3))
BAD_FILES = [
    ({"onsets": [[0, 1]]}, "expected arrays x and onsets, got ['onsets']; write them with"),
    ({"x": X, "onsets": [[0, 500]]}, "within their record, in samples, counted from 0, got 500"),
    ({"x": X, "onsets": [[0, 5], [0, -1]]}, "counted from 0, got -1 in row 1. Remove the row"),
    (
        {"x": X, "onsets": [[0, 212]], "sampling_rate": 100},
        "within their record, in seconds, 5 long, got 212 in row 0. Remove the row, or, if it is a "
        "sample, sampling_rate",
    ),
    ({"x": X, "onsets": [[0, 3.12]]}, "got 3.12; if these are seconds, add sampling_rate"),
    ({"x": X, "onsets": [[5, 3]]}, "records 0 to 4 in the first column of onsets, got 5 in row 0"),
    ({"x": X, "onsets": [[0, np.nan]]}, "got nan"),
    ({"x": X, "onsets": [[0, 3], [0, 3]]}, "onsets[0] must be in ascending order"),
    ({"x": X, "onsets": [3, 4]}, "onsets of shape (M, 2), the record and the place of each"),
    ({"x": X, "onsets": [["0", "3"]]}, "onsets of shape (M, 2)"),
    ({"x": X, "labels": np.zeros(5)}, "labels of shape (5, 500), one for each sample, got (5,)"),
    ({"x": X}, "expected onsets or labels, and 5 records or more"),
    ({"x": X[:4], "onsets": [[0, 1]]}, "expected onsets or labels, and 5 records or more"),
    ({"x": X[0, 0], "onsets": [[0, 1]]}, "x must have shape (N, L, C), got (3,)"),
    ({"x": X + np.nan, "onsets": [[0, 1]]}, "x must be finite, got nan at x[0, 0, 0]"),
    ({"x": X.transpose(0, 2, 1), "onsets": [[0, 1]]}, "channels go last: x.transpose(0, 2, 1)"),
    ({"x": X, "onsets": [[0, 1]], "sampling_rate": 0}, "sampling_rate to be a number above 0"),
]


@pytest.mark.parametrize(("arrays", "words"), BAD_FILES)
def test_what_is_wrong_with_a_file_is_said_in_words(arrays, words, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", **arrays)
    said = complaint("pick_arrivals", tmp_path, capsys, "data.npz")
    assert "data.npz: " in said
    assert words in said


def test_what_is_no_file_of_records_is_refused(tmp_path, capsys):
    (tmp_path / "data.npz").write_text("label,s1,s2")
    assert "not an .npz archive" in complaint("pick_arrivals", tmp_path, capsys, "data.npz")
    assert "No such file" in complaint("pick_arrivals", tmp_path, capsys, "absent.npz")
    assert "No such file" in complaint("pick_arrivals", tmp_path, capsys, "--pick", "absent.npz")


@pytest.mark.parametrize("option", ["--records=15", "--epochs=0", "--hours=-1", "--seed=-1"])
def test_a_bad_option_gets_one_line(option, tmp_path, capsys):
    assert "expected" in complaint("pick_arrivals", tmp_path, capsys, option)


@pytest.mark.usefixtures("figures_are_not_saved")
@pytest.mark.parametrize("rate", [1e-3, 1.0, 1.66, 1e5])
def test_every_rate_is_learned_and_picked(rate, own, tmp_path, capsys):
    x, onsets = own
    rows = rows_of(onsets[:10]) / [1, rate]
    np.savez(
        tmp_path / "data.npz",
        x=x[:10, :300],
        onsets=rows[rows[:, 1] < 300 / rate],
        sampling_rate=rate,
    )
    run_example("pick_arrivals", tmp_path, "data.npz", "--epochs", 1)
    with pytest.raises(SystemExit) as end:
        run_example("pick_arrivals", tmp_path, "--pick", "data.npz")
    assert not end.value.code
    assert capsys.readouterr().out.splitlines()[-1].startswith("record 9, ")


@pytest.mark.usefixtures("figures_are_not_saved")
def test_the_model_is_saved_before_it_is_tested(own, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the test of the model fails")

    x, onsets = own
    np.savez(tmp_path / "data.npz", x=x, onsets=rows_of(onsets))
    monkeypatch.setattr("numpycnn.seismology.picking.compare_picks", broken)
    with pytest.raises(RuntimeError):
        run_example("pick_arrivals", tmp_path, "data.npz", "--epochs", 1)
    assert isinstance(Sequential.load(tmp_path / "figures" / "picker.npz"), Sequential)


@pytest.mark.parametrize("arrays", [{"onsets": np.zeros((0, 2))}, {"labels": np.zeros((5, 500))}])
def test_records_without_any_onset_are_refused(arrays, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", x=X + 1, **arrays)
    said = complaint("pick_arrivals", tmp_path, capsys, "data.npz")
    assert "data.npz: expected onsets in the 4 records that are not held out, got none" in said
