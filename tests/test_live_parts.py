"""What the pages that compute are made of, without a browser: builder, examples, playground."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("furo", reason="the site needs Sphinx: python -m pip install -e '.[docs]'")

from docs.builder import live, live_pages, notebooks, runtime
from docs.live import desk, kernels, playground, puzzles

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(live.FOLDER.glob("layers_to_check/*.py"))

# The runtime
# -----------


def test_a_folder_with_a_changed_file_is_refused_and_the_file_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPYCNN_RUNTIME", str(tmp_path))
    for name in runtime.HASHES:
        (tmp_path / name).write_text("something else", encoding="utf-8")
    with pytest.raises(runtime.RuntimeMissingError, match=r"pyodide\.asm\.wasm"):
        runtime.runtime()


# Blocks
# ------


def test_blocks_that_build_on_one_that_does_not_run_do_not_run():
    lacking = {}
    blocks = [
        ("import torch\nlayer = torch.nn.Linear(2, 3)", "torch"),
        ("def f(x):\n    return layer(x)", "torch"),
        ("f(3)", "torch"),
        ("layer = 3\nprint(layer)", ""),
        ("print(layer)", ""),
        ("from numpycnn import Dense as torch", ""),
        ("torch(2, 3)", ""),
        ("import hypothesis.strategies", "hypothesis"),
    ]
    for code, reason in blocks:
        assert live.missing(code, None, lacking) == reason, code
    assert live.missing("print(1)", "obspy", lacking) == "obspy"


@pytest.mark.parametrize("module", [live, live_pages, notebooks, puzzles, playground, kernels])
def test_the_examples_in_the_docstrings(module):
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0


# The desk
# --------


def ran(code, within="#test", prompts=False):
    sent = []
    result = desk.run("block 1", code, within, prompts, lambda kind, value: sent.append(value))
    return "".join(sent), result["error"]


def test_the_value_of_the_last_line_is_shown_and_with_prompts_of_every_line():
    assert ran("1\nx = 2\nx + 3") == ("5\n", None)
    assert ran("x\nx * 2", prompts=True) == ("2\n4\n", None)
    assert ran("for i in range(2):\n    i", prompts=True) == ("0\n1\n", None)
    assert len(ran("'x' * 5000")[0]) < 400
    assert ran("None") == ("", None)
    assert ran("import matplotlib.figure as m\nm.Figure().subplots().plot([1, 2])") == ("", None)
    assert ran("half(4)", "docs.live.desk#1")[1]["what"].startswith("NameError")
    assert ran("figures({})", "docs.live.desk#1", prompts=True) == ("[]\n", None)
    assert "nowhere" in ran("1", "numpycnn.nowhere#1")[1]["what"]


def test_an_error_has_the_lines_of_the_reader_and_the_place_in_the_package():
    text, error = ran("import numpycnn as nn\ndef f():\n    nn.Dense(0, 3)\nprint('so far')\nf()")
    assert text == "so far\n"
    assert error["where"][:2] == ["block 1, line 5: f()", "block 1, line 3: nn.Dense(0, 3)"]
    assert error["where"][-1].startswith("raised in ")
    assert "in_features" in error["what"] or "0" in error["what"]
    _, error = ran("def f(:\n    pass")
    assert error["what"].splitlines()[-1].startswith("SyntaxError")
    _, error = ran("input('name?')")
    assert "keyboard" in error["what"]


# Pages
# -----


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_of_the_checker_are_what_their_titles_say(path):
    done = subprocess.run(
        [sys.executable, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    is_correct = "_1_" in path.name
    assert ("INCORRECT" not in done.stdout) == is_correct
    if "97 %" in path.read_text(encoding="utf-8").partition("\n")[0]:
        assert float(re.search(r"test set: ([\d.]+)", done.stdout)[1]) >= 0.97


@pytest.mark.parametrize("head", playground.HEADS)
@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_the_playground_trains_what_its_code_trains(head, optimizer, capsys):
    settings = playground.SETTINGS | {
        "head": head,
        "optimizer": optimizer,
        "filters": 3,
        "noise": 0.3,
    }
    sent = []
    trace = {"position": 20, "label": 2}
    playground.train(settings, trace, lambda kind, numbers: sent.append(numbers))
    names = {}
    exec(playground.code_of(settings), names)
    assert [numbers["epoch"] for numbers in sent] == list(range(playground.EPOCHS + 1))
    assert sent[-1]["loss"] == names["history"].loss[-1]
    assert (sent[-1]["test"], sent[-1]["accuracy"]) == (names["loss"], names["accuracy"])
    drawn = {"samples": sent[-1]["trace"]}
    seen = playground.look(drawn, settings)
    assert seen["probabilities"] == pytest.approx(sent[-1]["probabilities"], abs=1e-3)
    assert sum(seen["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert [len(row) for row in seen["maps"]] == [64] * 3
    capsys.readouterr()
