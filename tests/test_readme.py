"""The README tells the truth: its output, its numbers, its sample, its links, its reading order."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from task import zoo_table

import numpycnn
from numpycnn import check_gradients
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
    script = ROOT / "examples" / "trace_classifier.py"
    folder = tmp_path_factory.mktemp("run")
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_example_prints_what_the_readme_shows(output):
    shown, _ = blocks("text")
    # The same text but for the decimals, which rounding on another machine may change a little.
    assert NUMBER.sub("#", output) == NUMBER.sub("#", shown)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (output, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=0.002)


def test_the_numbers_in_the_text(output):
    x, labels = numpycnn.make_traces(180, rng=0)
    x_train, x_test, _, _ = numpycnn.train_test_split(x, labels, rng=0)
    total = re.search(r"total +([\d,]+)", output)[1]
    sentence = (
        f"makes {len(x)} noisy traces of three kinds, trains a network of {total} weights on "
        f"{len(x_train)} of them and examines it on the other {len(x_test)}."
    )
    assert sentence in " ".join(README.split())
    assert len(numpycnn.CLASS_NAMES) == 3
    setup = (ROOT / "setup.cfg").read_text()
    oldest = re.search(r"python_requires = >=(.*)", setup)[1]
    assert f"Python {oldest} or newer" in README


def test_the_sample_runs_and_is_right(capsys):
    (sample,) = blocks("python")
    exec(compile(sample, "README.md", "exec"), {})
    first, *report = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"accuracy on traces it has not seen: (0\.9\d|1\.00)", first)
    assert report[0].startswith("Gradients of Sequential: right")
    assert all(" ok " in line for line in report[1:])


def test_the_report_is_that_of_the_documentation():
    _, shown = blocks("text")
    example = check_gradients.__doc__.split("rng=0))\n")[1].split("\n\n")[0]
    shown = re.sub(r"relative error \S+ by", "relative error ... by", shown)
    example = re.sub(r"relative error \S+ by", "relative error ... by", example)
    assert shown.split() == example.split()


def test_the_table_of_times_agrees_with_itself_and_has_the_rows_of_the_benchmark():
    (shown,) = blocks("console")
    script = (ROOT / "examples" / "benchmark.py").read_text()
    rows = re.findall(r"^(\(.*?\).*?|\w.*?)  +([\d.]+) +([\d.]+) +([\d.]+) ", shown, re.MULTILINE)
    for _, ours, theirs, ratio in rows:
        assert float(theirs) / float(ours) == pytest.approx(float(ratio), rel=0.04)
    ratios = [float(ratio) for name, *_, ratio in rows if name.endswith(")")]
    assert len(ratios) == 7
    for name, *_ in rows:
        if name.endswith(")"):
            assert f"Case{name}" in script
    mean = np.exp(np.mean(np.log(ratios)))
    sentences = " ".join(README.split())
    said = re.search(r"stride 1 is ([\d.]+), the worst ([\d.]+)\.", sentences)
    assert float(said[1]) == pytest.approx(mean, abs=0.02)  # of ratios before they were rounded
    assert float(said[2]) == min(ratios)

    chapter = " ".join((ROOT / "docs" / "10-fast.md").read_text().split())
    _, ours, theirs, _ = next(row for row in rows if row[0].startswith("training"))
    assert f"took {float(ours):.0f} ms, PyTorch's {float(theirs):.0f}." in chapter
    assert f"geometric mean of the ratios is {said[1]}. The worst is {said[2]}," in chapter
    largest = next(line for line in shown.splitlines() if "(8, 64, 64, 4096, 9)" in line)
    assert largest.split()[-3] == said[2]
    limit, their_limit = (share.rstrip("%") for share in largest.split()[-2:])
    assert f"reaches {their_limit} % of the limit and this package {limit} %" in chapter
    for size, milliseconds in re.findall(r"(\([\d, ]+\)): ([\d.]+)", chapter):
        assert re.search(rf"^{re.escape(size)} +{milliseconds} ", shown, re.MULTILINE)


def test_the_numbers_of_the_zoo():
    named = [animal for animal in bugs.ZOO.values() if animal.called != "unknown"]
    accuracies = [row.split()[1] for row in zoo_table().splitlines()[1:]]
    perfect = [score for score in accuracies if score != "refused" and float(score) >= 0.97]
    sentences = " ".join(README.split())
    assert f"a zoo of {len(bugs.ZOO)} planted bugs" in sentences
    assert f"All are caught, {len(named)} by their name; more than 30 of them reach" in sentences
    assert len(perfect) > 30


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_link_to_a_page_of_the_tutorial_is_there_for_each_of_its_pages():
    chapters = (ROOT / "docs").glob("[0-9]*.md")
    assert len(list(chapters)) == 12
    assert "Twelve chapters" in " ".join(README.split())
    for page in "01-question", "notation", "glossary", "questions":
        assert f"](docs/{page}.md)" in README


def test_the_reading_order_names_every_file():
    listed = re.findall(r"^\| \[`(.*?)`\]", README, flags=re.MULTILINE)
    modules = (ROOT / "numpycnn").rglob("*.py")
    names = {str(path.relative_to(ROOT / "numpycnn")) for path in modules}
    names = {name for name in names if not name.endswith("__init__.py")}
    examples = {str(path.relative_to(ROOT)) for path in (ROOT / "examples").glob("*.py")}
    assert sorted(listed) == sorted(names | examples)


def test_both_commands_are_one_line_each_and_install_from_the_checkout():
    commands = [block.strip() for block in blocks("sh")]
    assert len(commands) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && ")
        assert "\n" not in command
        assert "-e '.[" in command
    assert "pip install numpycnn" not in README
