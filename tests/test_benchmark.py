"""The benchmark: what it prints, and its arithmetic. No test asserts a time."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from scripts import EXAMPLES


@pytest.fixture(scope="module")
def benchmark():
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield importlib.import_module("benchmark")


def run(*options):
    command = [sys.executable, EXAMPLES / "benchmark.py", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def cells_of(shown):
    return {line[:31].strip(" ?"): line[31:].split() for line in shown.splitlines()}


def test_a_quick_run_shows_the_machine_and_a_row_for_everything(benchmark):
    done = run("--quick", "--threads", "1")  # fails if results of the libraries differ
    assert done.stderr == ""
    assert f"Python {sys.version.split()[0]}, NumPy {np.__version__} with " in done.stdout
    cells = cells_of(done.stdout)
    assert "threads: 1" in cells
    layers = [
        f"{name} (4, 8, 2)" for name in ("ReLU", "MaxPool1D(2)", "BatchNorm", "Dense", "Adam")
    ]
    for name in benchmark.TRAINING, *map(str, benchmark.QUICK_CASES), *layers:
        assert float(cells[name][0]) >= 0
        assert cells[name][5].endswith("%") == name.startswith("(")


# The table, of made-up measurements
# ----------------------------------


def seconds(ours, **others):
    return {"NumPy": ours, **others}


@pytest.mark.parametrize(("second", "stable"), [(0.0215, True), (0.023, False), (0.017, False)])
def test_a_row_whose_ratio_changes_is_marked(benchmark, second, stable):
    name = "(1, 2, 3, 4, 5)"
    passes = [{name: benchmark.Row(seconds(0.01, PyTorch=theirs))} for theirs in (0.02, second)]
    shown = benchmark.table(1, passes)
    assert (f"{name:30}?" in shown) is not stable
    assert f"differ by more than 10 %: {'none' if stable else '1 of 1 rows'}" in shown


# The measurement
# ---------------


def test_results_that_differ_are_noticed(benchmark):
    x = np.array([[1.0], [-10.0]])

    def both(theirs, library="JAX"):
        theirs = theirs.T if library == "PyTorch" else theirs
        return benchmark.Job({"NumPy": lambda: (x,), library: lambda: (theirs,)}, ((1, 0),))

    for library in "PyTorch", "JAX":
        benchmark.check_same("x", both(x + 0.9e-4, library))
        with pytest.raises(AssertionError, match=rf"x .* {library}.*1\.1e-05"):
            benchmark.check_same("x", both(x + 1.1e-4, library))
    with pytest.raises(AssertionError, match="nan"):
        benchmark.check_same("x", both(x * np.nan))
    with pytest.raises(AssertionError, match="nan"):
        benchmark.check_same("x", both(np.full((2, 1), np.nan), "PyTorch"))
