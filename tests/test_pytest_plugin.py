"""The pytest plugin: the options of its fixture, and the report as the failure of a test."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from numpycnn import Dense
from pytest_numpycnn import gradcheck  # noqa: F401  (the plugin may be installed or not)

ROOT = Path(__file__).parent.parent
TESTS = """
import numpy as np
from numpycnn import Dense

x = np.random.default_rng(0).standard_normal((4, 3))

class Averaged(Dense):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": dy.mean(axis=0)}

def test_correct(gradcheck):
    gradcheck(Dense(3, 2, rng=0), x)

def test_incorrect(gradcheck):
    gradcheck(Averaged(3, 2, rng=0), x)
"""


exec(TESTS, DEFINED := {})


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"skip": "b"}, True),
        ({"only": ["input", "w"]}, True),
        ({"only": "b"}, False),
        ({"n_seeds": 1}, False),
        ({"n_seeds": 0}, False),  # no check at all is no check passed
    ],
)
def test_its_options(gradcheck, options, passes):  # noqa: F811
    x = np.random.default_rng(0).standard_normal((4, 3))
    gradcheck(Dense(3, 2, rng=0), x, n_seeds=1, method="central")
    expected = nullcontext() if passes else pytest.raises((AssertionError, ValueError))
    with expected as error:
        gradcheck(DEFINED["Averaged"](3, 2, rng=0), x, **options)
    assert passes or ("n_seeds" in str(error.value)) == (options == {"n_seeds": 0})


def test_several_seeds_are_tried(gradcheck):  # noqa: F811
    seen = set()

    class Records(Dense):
        def backward(self, dy, cache):
            seen.add(abs(dy).max().round(12))
            return super().backward(dy, cache)

    gradcheck(Records(3, 2, rng=0), np.ones((4, 3)), n_seeds=1)
    once = len(seen)
    gradcheck(Records(3, 2, rng=0), np.ones((4, 3)))
    assert len(seen) > 2 * once


def assert_one_fails_with_its_report(python, folder, *options, **environment):
    """Run two tests in a process of this Python, with warnings as errors."""
    (folder / "test_it.py").write_text(TESTS)
    command = [python, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options]
    result = subprocess.run(
        [*command, "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": "", **environment},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1, result.stderr
    assert "1 failed, 1 passed" in result.stdout
    report = [line[2:].strip() for line in result.stdout.splitlines() if line.startswith("E ")]
    assert any("Gradients of Averaged: INCORRECT" in line for line in report)
    assert any(line.startswith("b        INCORRECT") for line in report)
    assert "test_it.py:16: " in result.stdout  # the line of the test, not one of the package
    assert "pytest_numpycnn.py:" not in result.stdout


def test_the_report_of_an_incorrect_layer_is_the_failure(tmp_path):
    options = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    assert_one_fails_with_its_report(sys.executable, tmp_path, "-p", "pytest_numpycnn", **options)


@pytest.mark.long
def test_in_a_fresh_environment(tmp_path):
    """Install the checkout and pytest, and nothing else."""
    environment = tmp_path / "venv"
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT), "pytest"], check=True)
    assert_one_fails_with_its_report(python, tmp_path)
