"""The example as its users start it: what it prints, what it saves, and how it refuses."""

import re
import subprocess
import sys

import pytest
from scripts import EXAMPLES, run_example


def test_as_its_users_start_it_it_learns_and_says_so(tmp_path):
    command = [sys.executable, EXAMPLES / "trace_classifier.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    losses = [float(n) for n in re.findall(r"^epoch .* (\d\.\d+)$", done.stdout, re.MULTILINE)]
    assert len(losses) == 5
    assert losses[0] == pytest.approx(1.0986, abs=0.1)
    assert losses[-1] < 0.02
    (accuracy,) = re.findall(r"accuracy (\d\.\d+)$", done.stdout, re.MULTILINE)
    assert float(accuracy) >= 35 / 36 - 0.001
    assert re.search(r"total +4,211", done.stdout)
    rules = dict(re.findall(r"^  (\w+Rule) +([01]\.\d{3})$", done.stdout, re.MULTILINE))
    assert float(rules["MajorityRule"]) < 0.5
    assert rules["MedianRule"] == rules["LargestSampleRule"] == "1.000"
    for name in ("traces.png", "learning_curves.png"):
        assert (tmp_path / "figures" / name).read_bytes().startswith(b"\x89PNG")


def printed(folder, capsys, *options):
    """What it prints with these options, in this process."""
    run_example("trace_classifier", folder, *options)
    return capsys.readouterr().out


@pytest.mark.usefixtures("figures_are_not_saved")
def test_the_same_seed_prints_the_same_and_another_another(tmp_path, capsys):
    options = [("--seed", seed, "--epochs", 2) for seed in (3, 3, 4)]
    once, again, other = (printed(tmp_path, capsys, *some) for some in options)
    assert once == again
    assert once != other
