"""The options of the scripts: help names them, and a value that cannot be used is one line."""

import re

import pytest
from scripts import EXAMPLES, complaint, run_example

SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.py"))}
SOURCES = {name: source for name, source in SOURCES.items() if " Options(" in source}


@pytest.mark.parametrize("name", SOURCES)
def test_help_names_every_option_with_its_default(name, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_example(name, tmp_path, "--help")
    text = capsys.readouterr().out
    options = re.findall(r'^(?:options\.)?add(?:_argument)?\("(--[\w-]+)"', SOURCES[name], re.M)
    assert options
    assert [option for option in options if option not in text] == []
    assert ("--output" in text) == (name != "landmarks")  # which writes no file
    assert text.count("default:") >= SOURCES[name].count("default=") - 1  # a None is not shown


@pytest.mark.parametrize("name", SOURCES)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(name, tmp_path, capsys):
    (tmp_path / "a_file").write_text("in the way")
    limits = re.findall(r'"(--[\w-]+)", type=at_least\(([\d.e-]+)', SOURCES[name])
    bad = [(option, f"{float(least) - 1:g}") for option, least in limits]
    bad += [(option, value) for option, _ in limits[:1] for value in ("nan", "inf", "many")]
    for option, value in [*bad, ("--output", "a_file")]:
        said = complaint(name, tmp_path, capsys, f"{option}={value}")
        assert option in said
        assert value in said
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


@pytest.mark.parametrize("name", ["trace_classifier", "your_traces"])
def test_a_training_that_diverges_is_explained_and_saves_no_model(name, tmp_path, capsys):
    said = complaint(name, tmp_path, capsys, "--lr=1e30")
    assert "--lr" in said
    assert "1e+30" in said
    assert not list((tmp_path / "figures").iterdir())
