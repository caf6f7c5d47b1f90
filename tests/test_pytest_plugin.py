"""The pytest plugin: three lines of a test, in a run of pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = """
import numpy as np


class Scale:
    def __init__(self):
        self.w = np.arange(1.0, 4.0)

    @property
    def params(self):
        return {"w": self.w}

    def forward(self, x):
        return x * self.w, x

    def backward(self, dy, x):
        return dy * self.w, {"w": (dy * x).sum(axis=0)}


class Averaged(Scale):
    def backward(self, dy, x):
        return dy * self.w, {"w": (dy * x).mean(axis=0)}


x = np.random.default_rng(0).standard_normal((4, 3))
"""
TEST = """
from my_layers import {layer} as Layer, x
def test_my_layer(gradcheck):
    gradcheck(Layer(), x{options})
"""


@pytest.fixture
def run(tmp_path):
    """Write a test, run it in a new process with warnings as errors; return code and output."""
    (tmp_path / "my_layers.py").write_text(LAYERS)

    def run(text, *options):
        (tmp_path / "test_it.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
        # Without other plugins the test takes a second less; ours may be installed or not.
        environment = {
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "PYTEST_ADDOPTS": "",
        }
        result = subprocess.run(
            [*command, "-p", "pytest_numpycnn", *options, "test_it.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return result.returncode, result.stdout + result.stderr

    return run


def test_a_correct_layer_passes(run):
    code, text = run(TEST.format(layer="Scale", options=""))
    assert code == 0, text
    assert "1 passed" in text


def test_the_report_of_an_incorrect_layer_is_the_failure(run):
    code, text = run(TEST.format(layer="Averaged", options=""))
    assert code == 1
    report = [line[2:].strip() for line in text.splitlines() if line.startswith("E ")]
    assert any("Gradients of Averaged: INCORRECT" in line for line in report)
    assert any(line.startswith("w        INCORRECT") for line in report)
    assert any("N = 4" in line or "factor 4" in line for line in report)
    assert "test_it.py:4: " in text  # the line of the test, not one of the package
    assert "pytest_numpycnn.py:" not in text


@pytest.mark.parametrize(
    ("layer", "options", "passes"),
    [
        ("Averaged", ", skip='w'", True),
        ("Averaged", ", only=['input']", True),
        ("Averaged", ", only='w'", False),
        ("Averaged", ", n_seeds=1", False),
        ("Averaged", ", n_seeds=0", False),  # no check at all is no check passed
        ("Scale", ", n_seeds=1, method='central'", True),
    ],
)
def test_its_options(run, layer, options, passes):
    code, text = run(TEST.format(layer=layer, options=options))
    assert code == (0 if passes else 1)
    assert ("n_seeds" in text.split("short test summary")[-1]) == ("n_seeds=0" in options)


def test_nothing_is_imported_for_tests_that_do_not_use_it(run):
    code, text = run(
        """
import sys
def test_it():
    assert "pytest_numpycnn" in sys.modules
    assert not {"numpy", "numpycnn"} & sys.modules.keys()
"""
    )
    assert code == 0, text


@pytest.mark.long
def test_in_a_fresh_environment(tmp_path):
    """Install the checkout and pytest, and nothing else."""
    environment = tmp_path / "venv"
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT), "pytest"], check=True)
    (tmp_path / "my_layers.py").write_text(LAYERS)
    for layer, code in {"Scale": 0, "Averaged": 1}.items():
        (tmp_path / "test_it.py").write_text(TEST.format(layer=layer, options=""))
        result = subprocess.run(
            [python, "-m", "pytest", "-W", "error", "test_it.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, result.stdout + result.stderr
        assert ("Gradients of Averaged: INCORRECT" in result.stdout) == bool(code)
