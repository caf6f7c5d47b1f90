"""python -m numpycnn.checks FILE:NAME --shape: the report, the exit code, and bad input."""

import doctest
import shutil
import sys
from pathlib import Path

import pytest

from numpycnn.checks import __main__ as command

CORPORA = Path(__file__).parent / "corpora"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with a file of layers; return exit code, output and errors.

    A folder with other files of these names comes first on the path.
    """
    for name in "my_layers.py", "helpers.py":
        shutil.copy(CORPORA / name, tmp_path)
        (tmp_path / "others" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "others" / name).write_text("import no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "others"), *sys.path])
    modules = {"my_layers", "helpers"}

    def run(*arguments):
        for name in modules:
            sys.modules.pop(name, None)
        try:
            code = command.main(arguments)
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    yield run
    for name in modules:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["my_layers.py:Scale", "--shape", "4,32,3"], "correct"),
        (["my_layers.py:Averaged", "--shape", "4,5,3"], "INCORRECT"),
        (["my_layers.py:scale", "--shape", "4,5,3"], "correct"),
        (["my_layers.py:loss", "--shape", "4"], "correct"),
        (["my_layers.py:half", "--shape", "4", "--seed", "3"], "INCORRECT"),
        (["my_layers.py:Scale", "--shape", "4,5,2", "--init", "2, factor=-1.5"], "correct"),
        (["my_layers.py:Sized", "--shape", "4,5,2", "--init", "2"], "correct"),
        (["my_layers.py:Linear", "--shape", "4,5,3", "--grads", "W=dW"], "correct"),
        (["my_layers.py:InPlace", "--shape", "4,5,3", "--grads", "W=dW"], "INCORRECT"),
        (["my_layers.py:InPlace", "--shape", "4,5,3", "--grads", "W=dW", "--stateful"], "correct"),
        (["my_layers:Scale", "--shape", "4,5,3"], "correct"),
        (["numpycnn:Dense", "--shape", "4,3", "--init", "3, 2, rng=0"], "correct"),
    ],
)
def test_the_report_and_the_exit_code(run, arguments, status):
    code, out, _ = run(*arguments)
    assert out.splitlines()[0].endswith(f": {status}")
    assert code == (0 if status == "correct" else 1)


def test_the_same_seed_is_the_same_report_and_0_is_the_default(run):
    command = ["my_layers.py:Averaged", "--shape", "4,5,3", "--seed"]
    assert run(*command, "0")[1] == run(*command[:-1])[1] != run(*command, "8")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my_layers.py:Scale", "--shap", "3"], ["--shape"]),
        (["my_layers.py", "--shape", "3"], ["FILE:NAME", "'my_layers.py'", "my_layers.py:Scale"]),
        (["my_layers.py:Scal", "--shape", "3"], ["'Scal'", "Scale", "Linear", "loss"]),
        (["my_layer.py:Scale", "--shape", "3"], ["'my_layer.py'", "folder"]),
        (["my_layers.py:Scale", "--shape", "4,5,3", "--init", "m=3"], ["Scale(m=3)", "--init"]),
        (["my_layers.py:Sized", "--shape", "4,5,3"], ["Sized()", "'n'", "--init"]),
        (["my_layers.py:Linear", "--shape", "4,5,3"], ["Linear", "params", "--grads"]),
        (["my_layers.py:Linear", "--shape", "4,5,3", "--stateful"], ["--stateful", "--grads"]),
        (["my_layers.py:Scale", "--shape", "4,5,3", "--skip", "v"], ["'v'", "'w'"]),
        (["my_layers.py:np", "--shape", "3"], ["module"]),
        (["my_layer:Scale", "--shape", "3"], ["'my_layer'", "file"]),
        (["my_layers.py:loss", "--shape", "3", "--init", "3"], ["--init", "'3'", "loss"]),
    ],
)
def test_bad_input_is_refused(run, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith("python -m numpycnn.checks: error: ")
    for word in said:
        assert word in last


def test_an_error_of_the_users_code_shows_its_line(run):
    code, out, err = run("my_layers.py:OfText", "--shape", "4,5,3")
    assert (code, out) == (2, "")
    assert '3 + "4"' in err
    assert "TypeError" in err.splitlines()[-1]


def test_the_examples_hold():
    """Pytest collects no examples from a file of the name `__main__.py`."""
    failed, tried = doctest.testmod(command, optionflags=doctest.ELLIPSIS)
    assert failed == 0 < tried
