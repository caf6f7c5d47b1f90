"""A U-Net picks onsets: what it finds beside STA/LTA and AIC, and records of one's own."""

import re
from importlib import import_module

import numpy as np
import pytest
from scripts import EXAMPLES, complaint, run_example

from numpycnn import Sequential, make_records
from numpycnn.layers.storage import load_notes
from numpycnn.seismology.picking import compare_picks

FROM_5_ON = "5", "6", "8", "12", "20"


def total(marks, name):
    """What came of all ratios from 5 on together: found, missed, false."""
    rows = [marks[ratio][name][0] for ratio in FROM_5_ON]
    found = sum(len(row.errors) for row in rows)
    return found, sum(row.n_missed for row in rows), sum(row.n_false for row in rows)


# What it learns
# --------------


@pytest.mark.long
def test_over_five_seeds_the_worst_finds_95_percent_with_fewer_false_picks(tmp_path):
    for seed in range(5):
        names = run_example("pick_arrivals", tmp_path, "--seed", seed, "--hours", 0)
        network, trigger, second_look = names["pickers"]
        found, missed, false = total(names["results"], network)
        assert found / (found + missed) >= 0.95
        for rule in trigger, second_look:
            assert false < total(names["results"], rule)[2]
        assert sum(array.size for array in names["model"].params.values()) < 10_000


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
    run_example("pick_arrivals", tmp_path, "data.npz", "--epochs", 12)
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
    words = "record 0: expected a record like the training set of figures/picker.npz"
    assert words in complaint("pick_arrivals", tmp_path, capsys, "--pick", "more.npz")


X = np.zeros((5, 500, 3))
BAD_FILES = [
    ({"onsets": [[0, 1]]}, "['onsets']"),
    ({"x": X, "onsets": [[0, 500]]}, "500"),
    ({"x": X, "onsets": [[0, 212]], "sampling_rate": 100}, "212 in row 0"),
    ({"x": X, "onsets": [[5, 3]]}, "5 in row 0"),
    ({"x": X, "onsets": [[0, 3], [0, 3]]}, "onsets[0]"),
    ({"x": X, "labels": np.zeros(5)}, "(5, 500)"),
    ({"x": X}, "onsets or labels"),
    ({"x": X + np.nan, "onsets": [[0, 1]]}, "x[0, 0, 0]"),
    ({"x": X.transpose(0, 2, 1), "onsets": [[0, 1]]}, "x.transpose(0, 2, 1)"),
    ({"x": X, "onsets": [[0, 1]], "sampling_rate": 0}, "sampling_rate"),
]


@pytest.mark.parametrize(("arrays", "words"), BAD_FILES)
def test_what_is_wrong_with_a_file_is_said_in_words(arrays, words, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", **arrays)
    said = complaint("pick_arrivals", tmp_path, capsys, "data.npz")
    assert "data.npz: " in said
    assert words in said
