"""The example as its users start it: what it prints, what it saves, and how it refuses."""

import re
import subprocess
import sys

import pytest
from scripts import EXAMPLES, complaint, run_example


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


def test_the_options_act(tmp_path, capsys):
    options = "--epochs", 1, "--traces", 50, "--noise", 0.5, "--lr", 0.1, "--output", "a/b"
    text = printed(tmp_path, capsys, *options)
    assert "test set: 10 traces" in text
    assert "epoch   15" not in text
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "learning_curves.png",
        "traces.png",
    ]


@pytest.mark.usefixtures("figures_are_not_saved")
def test_a_class_that_is_not_held_out_is_no_division_by_zero(tmp_path, capsys):
    few = "--traces", 11, "--epochs", 1, "--seed"
    assert any("none held out" in printed(tmp_path, capsys, *few, seed) for seed in range(3))


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--epochs=0", "--epochs: expected 1 or more, got 0"),
        ("--epochs=many", "expected an integer, got 'many'"),
        ("--lr=-1", "--lr: expected 1e-09 or more, got -1"),
        ("--lr=nan", "--lr: expected 1e-09 or more, got nan"),
        ("--traces=3", "--traces: expected 11 or more, got 3"),
        ("--noise=-0.1", "--noise: expected 0 or more, got -0.1"),
        ("--noise=inf", "--noise: expected 0 or more, got inf"),
        ("--seed=-1", "--seed: expected 0 or more, got -1"),
        ("--output=a_file", "--output must be a folder"),
    ],
)
def test_a_bad_option_gets_one_line(tmp_path, capsys, option, words):
    (tmp_path / "a_file").write_text("in the way")
    assert words in complaint("trace_classifier", tmp_path, capsys, option)


def test_a_training_that_explodes_is_explained(tmp_path, capsys):
    said = complaint("trace_classifier", tmp_path, capsys, "--lr=1e30")
    assert "--lr 1e+30" in said
    assert "nan" in said


def test_without_a_screen_the_figures_are_saved_before_show_gives_up(tmp_path, capsys):
    assert "screen" in complaint("trace_classifier", tmp_path, capsys, "--show", "--epochs", 1)
    assert (tmp_path / "figures" / "traces.png").exists()


def test_help_names_every_option_with_its_default(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_example("trace_classifier", tmp_path, "--help")
    text = capsys.readouterr().out
    for option in ("--seed", "--epochs", "--lr", "--traces", "--noise", "--output", "--show"):
        assert option in text
    assert text.count("default:") >= 6
