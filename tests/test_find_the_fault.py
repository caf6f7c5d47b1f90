"""Sections with a fault, and a network that marks it."""

import numpy as np
import pytest
from scripts import run_example

from examples._shared import sections
from examples._shared.sections import INTERVAL, make_sections

# Sections
# --------


def test_the_same_seed_gives_the_same_sections():
    x, near = make_sections(3, rng=0)
    again, near_again = make_sections(3, rng=0)
    assert (x.shape, x.dtype, near.shape) == ((3, 64, 64, 1), np.float32, (3, 64, 64))
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(near, near_again)
    assert not np.array_equal(x, make_sections(3, rng=1)[0])


@pytest.mark.parametrize("seed", range(4))
def test_beyond_the_fault_the_same_layers_lie_lower_by_the_throw(seed, monkeypatch):
    monkeypatch.setattr(sections, "FOLD", (0, 0))
    monkeypatch.setattr(sections, "TILT", (0, 0))
    monkeypatch.setattr(sections, "THROW", (5 * INTERVAL, 5 * INTERVAL))
    monkeypatch.setattr(sections, "DIP", (89.9, 89.9))  # so that whole traces are on one side
    x, near = make_sections(1, rng=seed, noise=0)
    left, right = x[0, :, 0, 0], x[0, :, -1, 0]
    lower, upper = (right, left) if np.allclose(right[5:], left[:-5], atol=1e-4) else (left, right)
    np.testing.assert_allclose(lower[5:], upper[:-5], atol=1e-4)
    # Away from the fault, neighboring traces are alike; at the fault they are not.
    jumps = abs(np.diff(x[0, ..., 0], axis=1)).max(axis=0)
    at = jumps.argmax()
    assert near[0, :, at].all()
    assert near[0, :, at + 1].all()
    assert np.delete(jumps, at).max() < 1e-4 < 0.1 < jumps[at]


# The script
# ----------


@pytest.mark.filterwarnings("ignore")  # of ObsPy's imports
@pytest.mark.parametrize("kind", ["SEGY", "SU"])
def test_a_section_in_a_file_is_marked_as_in_an_array(kind, tmp_path, capsys):
    obspy = pytest.importorskip("obspy", reason="python -m pip install -e '.[interop]'")
    x, _ = make_sections(6, rng=0)
    line = np.concatenate(list(x[..., 0]), axis=1)[:62, :383]
    traces = [obspy.Trace(np.ascontiguousarray(row), {"delta": 0.004}) for row in line.T]
    options = {"data_encoding": 5} if kind == "SEGY" else {}
    obspy.Stream(traces).write(str(tmp_path / "line.sgy"), format=kind, **options)
    train = "--sections", 2, "--epochs", 1
    names = run_example("find_the_fault", tmp_path, *train, "--section", "line.sgy")
    assert "line.sgy: 383 traces of 62 samples" in capsys.readouterr().out
    assert (tmp_path / "figures" / "your_section.png").read_bytes().startswith(b"\x89PNG")
    scaled = (line - line.mean()) / line.std() * np.sqrt(1.25)
    whole = np.pad(scaled, ((0, 2), (32, 33)))[None, ..., None].astype(np.float32)
    scores = names["model"](whole)[0, :62, 32:415]
    ours = 1 / (1 + np.exp(scores[..., 0] - scores[..., 1]))
    np.testing.assert_allclose(names["probability"], ours, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_the_network_finds_most_of_it_and_more_than_both_rules(seed, tmp_path):
    alone, added, network = run_example("find_the_fault", tmp_path, "--seed", seed)[
        "scores"
    ].values()
    assert network >= 0.5
    assert network >= 3 * alone
    assert network > added
