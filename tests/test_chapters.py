"""Every block of every chapter runs and does what the page says; a page that lies is caught."""

from pathlib import Path

import numpy as np
import pytest

import numpycnn
from docs.builder.pieces import Fence, cut_chapter
from docs.builder.running import run_chapter

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "docs").glob("*/*.md"))
# The build of the site runs these, too.
SLOW = (
    "1-evening/6",
    "1-evening/8",
    "2-",
    "3-derivatives/4",
    "4-engineering/1",
    "4-engineering/2",
    "how-to/day",
)
PAGES = [
    pytest.param(path, marks=pytest.mark.long)
    if path.relative_to(ROOT / "docs").as_posix().startswith(SLOW)
    else path
    for path in CHAPTERS
]
DRAW = "from matplotlib.figure import Figure\nfigure = Figure()"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_page_tells_the_truth(path):
    _, faults = run_chapter(path)
    assert not faults, "\n".join(f"{path}:{line}: {message}" for line, message in faults)


@pytest.mark.long
def test_the_table_of_ablations_is_what_its_function_computes():
    page = (ROOT / "docs" / "2-does-it-work" / "3-seeds-and-ablation.md").read_text(
        encoding="utf-8"
    )
    fences = [part for part in cut_chapter(page) if isinstance(part, Fence)]
    (code,) = [fence.text for fence in fences if "def ablation" in fence.text]
    desk = {"np": np, "nn": numpycnn}
    exec(code, desk)
    for kind in desk["kinds"]:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {kind} |")]
        said = [float(cell.replace(",", "")) for cell in row.split("|")[2:-1]]
        runs = np.array([desk["ablation"](kind, seed) for seed in range(20)])
        n_weights, held_out, near_ends = runs.mean(axis=0)
        found = [n_weights, held_out, runs[:, 1].min(), near_ends]
        np.testing.assert_allclose(said, found, atol=0.006, rtol=0, err_msg=kind)
    later = [desk["ablation"]("global head, no hidden layer", seed, 120)[1] for seed in range(20)]
    assert set(later) == {1.0}


@pytest.fixture
def faults(tmp_path):
    def faults(*paragraphs):
        page = tmp_path / "page.md"
        page.write_text("\n\n".join(paragraphs) + "\n")
        return run_chapter(page)[1]

    return faults


def block(code, words="", shown=None):
    fence = f"```python{words}\n{code}\n```"
    return fence if shown is None else f"{fence}\n\n```text\n{shown}\n```"


@pytest.mark.parametrize(
    ("paragraphs", "found"),
    [
        (["There are 42."], ["42"]),
        (["There are 42.", block("n = 42")], []),
        ([block("n = 6"), "There are 42.\n<!-- says: n * 7 -->"], []),
        (["There are 42.", "<!-- source: counted -->"], []),
        (["There are 42.", "There are 43.", "<!-- source: counted -->"], ["42"]),
        (["There are 1,234 of 10 in 2020, $x = 11$ and `12`."], ["1,234"]),
    ],
)
def test_a_number_of_a_chapter_is_computed_or_names_its_source(tmp_path, paragraphs, found):
    page = tmp_path / "1-part" / "1-page.md"
    page.parent.mkdir()
    page.write_text("\n\n".join(paragraphs) + "\n")
    messages = [message for _, message in run_chapter(page)[1]]
    assert len(messages) == len(found)
    assert all(number in message for number, message in zip(found, messages, strict=True))


@pytest.mark.parametrize(
    "paragraph",
    [
        block("print(1)\nprint(' 2 ')", shown="1\n 2"),
        block("print(1 / 0)", " raises", "ZeroDivisionError: division by zero"),
        block(DRAW, ' fold="Draw it" alt="A blank page."'),
        block("import nowhere", ' needs="nowhere"', "whatever"),
        block("print('took', 12.5, 'ms')", " varies", "took    1,300 ms"),
        block("import os\nprint(os.listdir())", shown="[]"),
        "```sh\nls\n```\n\n```text\nanything\n```",
    ],
)
def test_a_true_page_passes(faults, paragraph):
    assert faults(paragraph) == []


@pytest.mark.parametrize(
    ("paragraph", "line", "words"),
    [
        (block("print(1)", shown="2"), 1, "@@ -1 +1 @@\n-2\n+1"),
        (block("print(1)"), 1, "prints something else than the text fence shows"),
        (block("n = 1\n\nm = 1 / 0"), 4, "the code raised ZeroDivisionError: division by zero"),
        (block("print('took', 1, 'ms')", " varies", "took 1 s"), 1, "-took # s\n+took # ms"),
        (block("import warnings\nwarnings.warn('oh')"), 3, "the code raised UserWarning: oh"),
        (block("n = 1", " raises"), 1, "expected the block to raise, and it did not"),
        (block(DRAW), 1, "together, got figure, no alt"),
        (block("n = 1", ' alt="Nothing."'), 1, "together, got no figure, an alt"),
        (block("n = 1", ' title="A."'), 1, "expected after ```python only"),
        ("```pyhton\nn = 1\n```", 1, "expected a fence of python, text"),
        ("```text raises\nn = 1\n```", 1, "nothing after other languages"),
        ("- list\n\n  ```python\n  n = 1\n  ```", 3, "expected the backticks at the margin"),
    ],
)
def test_a_false_page_fails(faults, paragraph, line, words):
    (fault,) = faults(paragraph)
    assert fault.line == line
    assert words in fault.message


@pytest.mark.parametrize(
    ("sentence", "expression", "is_true"),
    [
        ("It has 4,211 weights.", "f'{n:,}'", True),
        ("It has 4,211 weights.", "n % 1000", False),
        ("It has 4,211 weights.", "n // 1000", False),
        ("A loss of \N{MINUS SIGN}0.25, or\nless.", "-0.25", True),
        ("A loss of 10.25.", "0.25", False),
        ("| n | 4211 |\n|---|------|\n| m | 2 |", "n", True),
        ("Yesterday, 2.", "'Yes'", False),
    ],
)
def test_a_number_stands_in_its_paragraph_or_it_does_not(faults, sentence, expression, is_true):
    found = faults(block("n = 4211"), "4211, 0.25", sentence, f"<!-- says: {expression} -->")
    assert (found == []) is is_true
    assert is_true or f"says: {expression} is " in found[0].message
