"""Sections with a fault, and a network that marks it."""

import re
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from scripts import complaint, run_example

from examples._shared import sections
from examples._shared.sections import (
    INTERVAL,
    SPACING,
    intersection_over_union,
    largest_difference,
    make_sections,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """All names of the script after a short run, what it printed, and its folder."""
    folder, options = tmp_path_factory.mktemp("run"), ("--sections", 2, "--epochs", 1)
    with redirect_stdout(StringIO()) as printed:
        names = run_example("find_the_fault", folder, *options, "--output", "a/b")
    return names, printed.getvalue(), folder / "a" / "b"


# Sections
# --------


def test_the_same_seed_gives_the_same_sections():
    x, near = make_sections(3, rng=0)
    again, near_again = make_sections(3, rng=0)
    assert (x.shape, x.dtype, near.shape) == ((3, 64, 64, 1), np.float32, (3, 64, 64))
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(near, near_again)
    assert not np.array_equal(x, make_sections(3, rng=1)[0])


def test_noise_is_told_in_units_of_the_echoes():
    clean, _ = make_sections(4, rng=0, noise=0)
    assert clean.std(axis=(1, 2, 3)) == pytest.approx(1)
    # A generator draws a section and then its noise, so only the first one is the same.
    noise = make_sections(1, rng=0, noise=0.5)[0] - make_sections(1, rng=0, noise=0)[0]
    assert noise.std() == pytest.approx(0.5, rel=0.05)


def test_what_is_near_is_a_band_along_a_straight_line():
    _, near = make_sections(20, rng=0)
    width = near.sum(axis=2)
    assert set(np.unique(width)) <= {4, 5}  # 50 m
    assert near.mean() == pytest.approx(1 / 16, rel=0.03)
    middle = (near * np.arange(64)).sum(axis=2) / width * SPACING
    line = np.polynomial.polynomial.polyfit(np.arange(64) * INTERVAL, middle.T, 1)
    fitted = line[0][:, None] + line[1][:, None] * np.arange(64) * INTERVAL
    assert abs(middle - fitted).max() <= SPACING
    degrees = np.degrees(np.arctan2(sections.VELOCITY / 2, abs(line[1])))
    assert degrees.min() > sections.DIP[0] - 3
    assert degrees.max() < sections.DIP[1] + 3
    assert 0 < (line[1] > 0).mean() < 1  # to either side


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


@pytest.mark.parametrize("seed", range(4))
def test_the_rock_above_the_fault_is_the_one_that_lies_lower(seed, monkeypatch):
    monkeypatch.setattr(sections, "FOLD", (0, 0))
    monkeypatch.setattr(sections, "TILT", (0, 0))
    monkeypatch.setattr(sections, "THROW", (5 * INTERVAL, 5 * INTERVAL))
    x, near = make_sections(1, rng=seed, noise=0)
    middle = (near[0] * np.arange(64)).sum(axis=1) / near[0].sum(axis=1)
    leans_right = middle[-1] > middle[0]  # deeper down, further right: above it is the right
    upper, lower = (x[0, :, 0, 0], x[0, :, -1, 0])[:: 1 if leans_right else -1]
    np.testing.assert_allclose(lower[5:], upper[:-5], atol=1e-4)


def test_a_wrong_number_of_sections_is_refused():
    with pytest.raises(ValueError, match=r"make_sections\b.*n_sections .*got 0"):
        make_sections(0, rng=0)


# The script
# ----------


def test_the_score_is_the_share_of_what_either_marks():
    truth = np.array([[1, 1, 0, 0]])
    assert intersection_over_union(np.array([[0, 1, 1, 0]]), truth) == 1 / 3
    assert intersection_over_union(truth, truth) == 1
    assert intersection_over_union(np.zeros_like(truth), truth) == 0


def test_the_rule_finds_a_fault_without_noise_where_the_layers_are_flat(monkeypatch):
    monkeypatch.setattr(sections, "FOLD", (0, 0))
    monkeypatch.setattr(sections, "TILT", (0, 0))
    x, near = make_sections(10, rng=0, noise=0)
    marks = largest_difference(x)
    assert marks.shape == near.shape
    assert set(np.unique(marks.sum(axis=2))) == {4}
    assert intersection_over_union(marks, near) > 0.6


def test_it_prints_the_network_its_check_and_the_scores(small):
    names, text, _ = small
    assert re.search(r"^ +total +([\d,]+)$", text, re.MULTILINE)[1] == "9,378"
    assert "Gradients of Sequential: correct" in text
    assert len(re.findall(r"^epoch +\d+   cross-entropy \d\.\d{4}$", text, re.MULTILINE)) == 1
    for name, score in names["scores"].items():
        assert re.search(rf"^  {name} +{score:.3f}$", text, re.MULTILINE)


def test_the_figure_shows_section_truth_and_answers(small):
    names, _, folder = small
    panels = np.array(names["figure"].axes).reshape(3, 5)
    titles = [panel.get_title() for panel in panels[0]]
    assert titles == ["section", "truth", "difference", "added up", "network"]
    pictures = names["x_test"][..., 0], names["near_test"], *names["answers"].values()
    for row, section in zip(panels, range(3), strict=True):
        for panel, picture in zip(row, pictures, strict=True):
            np.testing.assert_array_equal(panel.images[0].get_array(), picture[section])
    assert (folder / "find_the_fault.png").read_bytes().startswith(b"\x89PNG")


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


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_not_a_section_is_refused_before_the_training(tmp_path, capsys):
    obspy = pytest.importorskip("obspy", reason="python -m pip install -e '.[interop]'")
    (tmp_path / "a.txt").write_text("no section")
    obspy.read().write(str(tmp_path / "b.mseed"), format="MSEED")
    for name, words in ("a.txt", "Unknown format"), ("b.mseed", "got 3000 and 3"):
        said = complaint("find_the_fault", tmp_path, capsys, "--section", name)
        assert words in said
        assert name in said


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_the_network_finds_most_of_it_and_more_than_both_rules(seed, tmp_path):
    alone, added, network = run_example("find_the_fault", tmp_path, "--seed", seed)[
        "scores"
    ].values()
    assert network >= 0.5
    assert network >= 3 * alone
    assert network > added
