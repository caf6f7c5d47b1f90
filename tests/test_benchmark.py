"""The benchmark: it runs, shows what it should, and computes its summaries rightly. No times."""

import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).parent.parent / "examples" / "benchmark.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark"] = module
    spec.loader.exec_module(module)
    return module


def test_a_quick_run_shows_every_table_and_saves_the_figure(tmp_path):
    command = [sys.executable, SCRIPT, "--quick", "--threads", "1", "--output", tmp_path / "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in (
        r"^1 thread +ms",
        r"^training, 60 epochs +\d",
        r"^product 2048 x 2048 +\d.* 100%",
        r"^\(144, 8, 16, 64, 5\) stride 2 +\d",
        r"^The limit is \d+ GFLOP/s",
        r"^the whole example +\d",
        r"^K +3 … 9 +-?\d",
        r"^saved .*benchmark.png$",
    ):
        assert re.search(words, done.stdout, re.MULTILINE), words
    if not importlib.util.find_spec("torch"):
        assert "PyTorch is not installed" in done.stdout
        assert "python -m pip install torch" in done.stdout
    assert (tmp_path / "out" / "benchmark.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--threads", "0"], "--threads must be 1 or more"), (["--output", "file"], "--output must")],
)
def test_a_bad_option_gets_one_line(tmp_path, options, words):
    (tmp_path / "file").write_text("in the way")
    command = [sys.executable, SCRIPT, "--quick", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]


@given(st.floats(-2, 2), st.floats(1e-6, 1e6))
def test_the_slope_of_a_power_is_the_power(benchmark, power, constant):
    sizes = np.array([3.0, 5.0, 9.0, 17.0])
    assert benchmark.slope(sizes, constant * sizes**power) == pytest.approx(power, abs=1e-9)


def test_the_geometric_mean_cancels_twice_and_half(benchmark):
    assert benchmark.geometric_mean([2, 0.5]) == pytest.approx(1)
    assert benchmark.geometric_mean([8, 1, 1]) == pytest.approx(2)


def test_a_ratio_above_one_means_that_numpy_is_faster(benchmark):
    timing = benchmark.Timing
    assert benchmark.ratio({"NumPy": timing(2, 0), "PyTorch": timing(6, 0)}) == 3
    assert math.isnan(benchmark.ratio({"NumPy": timing(2, 0)}))


def test_the_work_counts_every_product_and_sum(benchmark):
    case = benchmark.Case(2, 3, 4, 10, 5, stride=2)
    assert case.n_outputs == 5
    assert case.work == 3 * 2 * (2 * 5 * 4) * (5 * 3)
    y, dx, dw, db = benchmark.convolution(case, "NumPy")()
    assert [array.shape for array in (y, dx, dw, db)] == [(2, 5, 4), (2, 10, 3), (5, 3, 4), (4,)]


def test_results_that_differ_are_not_timed(benchmark):
    ours = np.array([1.0, 2.0])
    benchmark.check_same("y", ours, ours * (1 + 1e-6), 1e-5)
    with pytest.raises(AssertionError, match="y is not the same in NumPy and PyTorch"):
        benchmark.check_same("y", ours, ours * 1.1, 1e-5)
    with pytest.raises(AssertionError, match="differ"):
        benchmark.check_same("y", ours * np.nan, ours, 1e-5)


def test_a_table_leaves_out_columns_of_which_nothing_is_known(benchmark):
    heads = [("a", ""), ("", "b"), ("", "c")]
    shown = benchmark.table(heads, [["x", "-", "1"], ["y", "-", "22"]])
    assert shown.splitlines() == ["a", "    c", "x   1", "y  22"]


def test_the_figure_has_four_labelled_panels(benchmark):
    timing = benchmark.Timing
    row = {"NumPy": timing(1.0, 0), "PyTorch": timing(2.0, 0)}
    names = [benchmark.TRAINING, benchmark.LARGE_PRODUCT, *map(str, benchmark.CASES)]
    growth = benchmark.Growth([1, 2, 4], [row] * 3, [10, 20, 40])
    figure = benchmark.draw({1: dict.fromkeys(names, row)}, {"N": growth}, row)
    assert len(figure.axes) == 4
    for panel in figure.axes:
        assert panel.get_title()
        assert panel.get_xlabel()
    shares = figure.axes[1]
    assert [text.get_text() for text in shares.get_yticklabels()] == list(map(str, benchmark.CASES))
    assert [line.get_label() for line in shares.lines] == ["NumPy", "PyTorch"]
