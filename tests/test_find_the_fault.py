"""Sections with a fault, and a network that marks it."""

import numpy as np
import pytest
from scripts import run_example

from examples._shared.sections import make_sections


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
