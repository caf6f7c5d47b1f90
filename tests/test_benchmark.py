"""The benchmark: what it prints, and its arithmetic. No test asserts a time."""

import importlib
import re
import subprocess
import sys

import numpy as np
import pytest
from scripts import EXAMPLES

import numpycnn as nn


@pytest.fixture(scope="module")
def benchmark():
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield importlib.import_module("benchmark")


def run(*options):
    command = [sys.executable, EXAMPLES / "benchmark.py", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_quick_run_shows_the_machine_and_a_row_for_everything(benchmark):
    done = run("--quick", "--threads", "1")
    assert done.stderr == ""
    assert f"Python {sys.version.split()[0]}, NumPy {np.__version__} with " in done.stdout
    cells = {line[:30].strip(): line[30:].split() for line in done.stdout.splitlines()}
    assert "threads: 1" in cells
    for name in benchmark.TRAINING, *map(str, benchmark.QUICK_CASES):
        assert float(cells[name][0]) > 0
    assert cells[benchmark.PRODUCT][3] == "100%"


def test_a_bad_option_gets_one_line():
    done = run("--threads", "0")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("--threads: expected 1 or more, got 0")


# The table, of made-up measurements
# ----------------------------------


@pytest.mark.parametrize(("has_torch", "theirs"), [(True, 0.02), (False, np.nan)])
def test_the_table_tells_ratios_and_shares_and_a_dash_for_what_is_unknown(
    benchmark, monkeypatch, has_torch, theirs
):
    monkeypatch.setattr(benchmark, "torch", has_torch)
    rows = {
        benchmark.TRAINING: (0.01, theirs, np.nan),
        benchmark.PRODUCT: (0.01, theirs, 4e9),
        "(1, 2, 3, 4, 5)": (0.01, theirs, 1e9),
        "(1, 2, 3, 4, 7)": (0.02, theirs / 4, 1e9),
        "(1, 2, 3, 4, 5) stride 2": (0.01, 50 * theirs, 1e9),
    }
    shown = benchmark.table(3, rows)
    cells = {line[:30].strip(): line[30:].split() for line in shown.splitlines()}
    assert "threads: 3" in cells
    assert len({len(line) for line in shown.splitlines()[1:7]}) == 1  # columns line up
    if has_torch:
        assert cells[benchmark.TRAINING] == ["10.00", "20.00", "2.00", "-", "-"]
        assert cells["(1, 2, 3, 4, 5)"] == ["10.00", "20.00", "2.00", "25%", "12%"]
        assert shown.endswith("\n\nratios at stride 1: geometric mean 0.71, worst 0.25")
    else:
        assert cells[benchmark.TRAINING] == ["10.00", "-", "-", "-", "-"]
        assert cells["(1, 2, 3, 4, 5)"] == ["10.00", "-", "-", "25%", "-"]
        assert "mean" not in shown


def test_the_readme_shows_the_cases_of_the_script(benchmark):
    readme = (EXAMPLES.parent / "README.md").read_text()
    shown = [line.split("  ")[0] for line in readme.splitlines()]
    assert {benchmark.TRAINING, benchmark.PRODUCT, *map(str, benchmark.CASES)} <= {*shown}


# The arithmetic
# --------------


def test_the_work_is_what_the_sums_take(benchmark):
    case = benchmark.Case(2, 3, 4, 9, 5, stride=2)
    layer = nn.Conv1D(case.C, case.F, case.K, **case.options)
    job = benchmark.convolution(case, layer)
    y, dx, dw, db = job.runs["NumPy"]()
    assert (y.shape, dx.shape, dw.shape, db.shape) == ((2, 5, 4), (2, 9, 3), (5, 3, 4), (4,))
    assert job.work == 6 * y.size * dw.size // 4  # each output meets the taps of one filter
    assert str(case) == "(2, 3, 4, 9, 5) stride 2"


def test_differences_are_noticed(benchmark):
    x = np.array([[1.0], [-10.0]])

    def both(theirs):
        return benchmark.Job({"NumPy": lambda: (x,), "PyTorch": lambda: (theirs.T,)}, ((1, 0),))

    benchmark.check_same("x", both(x + 0.9e-4))
    with pytest.raises(AssertionError, match=r"x is not the same .* differ by 1\.1e-05"):
        benchmark.check_same("x", both(x + 1.1e-4))
    with pytest.raises(AssertionError, match="differ by nan"):
        benchmark.check_same("x", both(x * np.nan))


def test_turns_alternate_and_the_first_run_of_each_is_not_timed(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "PAUSE", 0)
    monkeypatch.setattr(benchmark, "TURN", 0)
    calls = []
    runs = {"NumPy": lambda: calls.append("n"), "PyTorch": lambda: calls.append("t")}
    seconds = benchmark.take_turns(benchmark.Job(runs, ()), rounds=2)
    assert list(seconds) == ["NumPy", "PyTorch"]
    assert re.fullmatch("(n{2,}t{2,}){2}", "".join(calls))


def test_both_libraries_compute_the_same(benchmark):
    pytest.importorskip("torch")
    for job in benchmark.training(), *map(benchmark.convolution, benchmark.QUICK_CASES):
        benchmark.check_same("it", job)
