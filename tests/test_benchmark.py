"""The benchmark: a quick run has a row for every measurement. No test asserts a time."""

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
