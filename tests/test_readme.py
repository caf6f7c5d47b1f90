"""The README tells the truth: its output, its numbers, its sample, its links, its reading order."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from scripts import run_example

import numpycnn
from numpycnn.checks import bugs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
NUMBER = re.compile(r"\d+\.\d+")


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What the example prints with its default options."""
    with redirect_stdout(StringIO()) as printed:
        run_example("trace_classifier", tmp_path_factory.mktemp("run"))
    return printed.getvalue()


def test_the_example_prints_what_the_readme_shows(output):
    shown, _ = blocks("text")
    # The same text but for the decimals, which rounding on another machine may change a little.
    assert NUMBER.sub("#", output) == NUMBER.sub("#", shown)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (output, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=0.002)


def test_the_numbers_in_the_text_are_those_of_the_example_and_of_the_setup(output):
    x, labels = numpycnn.make_traces(180, rng=0)
    x_train, x_test, _, _ = numpycnn.train_test_split(x, labels, rng=0)
    total = re.search(r"total +([\d,]+)", output)[1]
    (paragraph,) = re.findall(r"^The example generates .*?\n\n", README, re.MULTILINE | re.DOTALL)
    assert re.findall(r"\d[\d,]*", paragraph) == [
        *map(str, (len(x), total, len(x_train), len(x_test)))
    ]
    oldest = re.search(r"python_requires = >=(.*)", (ROOT / "setup.cfg").read_text())[1]
    assert re.search(rf"Python {re.escape(oldest)}\b", README)


def test_the_sample_runs_and_is_right(capsys):
    (sample,) = blocks("python")
    exec(compile(sample, "README.md", "exec"), {})
    first, *report = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"test accuracy: (0\.9\d|1\.00)", first)
    assert report[0].startswith("Gradients of Sequential: correct")
    assert all(" correct " in line for line in report[1:])


def test_the_numbers_of_the_planted_bugs():
    named = [bug for bug in bugs.PLANTED_BUGS.values() if bug.called != "unknown"]
    (paragraph,) = re.findall(r"^To test the checker.*?\n\n", README, re.MULTILINE | re.DOTALL)
    numbers = re.findall(r"\d[\d.]*\d", paragraph)
    assert numbers[:2] == [str(len(bugs.PLANTED_BUGS)), str(len(named))]


def test_every_link_leads_to_a_file():
    links = re.findall(r'\]\(([^)#\s]+)(?: "[^"]*")?\)', README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_reading_order_names_every_file():
    files = (ROOT / "docs" / "reference" / "files.md").read_text()
    listed = re.findall(r"^\| \[`(.*?)`\]", files, flags=re.MULTILINE)
    modules = (ROOT / "numpycnn").rglob("*.py")
    names = {str(path.relative_to(ROOT / "numpycnn")) for path in modules}
    names = {name for name in names if not name.endswith(("__init__.py", "__main__.py"))}
    names = {name for name in names if not name.startswith("puzzles/course/")}  # one a puzzle
    examples = {str(path.relative_to(ROOT)) for path in (ROOT / "examples").rglob("*.py")}
    examples = {name for name in examples if not name.endswith("__init__.py")}
    assert sorted(listed) == sorted(names | examples)


def test_it_is_short():
    assert len(README.split()) <= 900
