"""Source pages read as a tutorial: prose where walls of code were, formulas, and links to words."""

import doctest
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the site needs Sphinx: python -m pip install -e '.[docs]'")

from docs.builder import docstrings, equations, pieces
from docs.builder.equations import split, tex_of

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path for folder in ("layers", "training") for path in (ROOT / "numpycnn" / folder).glob("*.py")
)
SOURCE = sorted(path for path in (ROOT / "numpycnn").rglob("*.py") if "course" not in path.parts)
LONGEST = 25  # lines of code without a word of prose: less than a screen
LONGEST_ELSEWHERE = 100  # such as the planted bugs, whose labels are code


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_page_has_a_wall_of_code(path):
    longest = LONGEST if path in PAGES else LONGEST_ELSEWHERE
    for piece in pieces.cut(path.read_text(encoding="utf-8")):
        if piece.kind == "code" and path.name != "__init__.py":  # which lists the public names
            n_lines = piece.text.strip("\n").count("\n") + 1
            assert n_lines <= longest, f"{path}:{piece.line} has {n_lines} lines of code"


# Equations
# ---------


@pytest.mark.parametrize(
    ("line", "tex"),
    [
        ("y[n, l C + c] = x[n, l, c]", r"y_{n,\, l C + c} = x_{n,l,c}"),
        ("y[m] = max over j < P of x[m S + j]", r"y_{m} = \max_{j < P} x_{m S + j}"),
        ("dw[k,c,f] = sum_n sum_m dy[n,m,f]", r"dw_{k,c,f} = \sum_{n} \sum_{m} dy_{n,m,f}"),
        ("y = x / (1 - rate)    kept", r"y = \frac{x}{1 - \mathrm{rate}} \qquad \text{kept}"),
        ("y = exp(x) / sum_j exp(x[j])", r"y = \frac{\exp(x)}{\sum_{j} \exp(x_{j})}"),
        ("a = b c / d e", r"a = \frac{b c}{d}\, e"),
        ("m_hat = m / (1 - beta1^t)", r"\hat{m} = \frac{m}{1 - \beta_1^{t}}"),
        ("a = b    where c = d + 1", r"a = b \qquad \text{where }c = d + 1"),
    ],
)
def test_an_equation_becomes_a_formula(line, tex):
    assert tex_of([line]) == tex


@pytest.mark.parametrize(
    "line",
    [
        "loss = model(x, y).mean()",
        "x = the part of dy",
        "a = b +",
        "a[b = c",
        "a = b    where c = not this",
        "python -m numpycnn",
        "",
    ],
)
def test_what_is_no_equation_stays_as_it_is(line):
    assert tex_of([line]) is None
    assert tex_of(["a = b", line]) is None


def test_lines_stand_below_each_other_and_may_go_on():
    lines = ["x[s] = noise z[s]", "    ± a         s = 1 … L", "y = 2"]
    assert tex_of(lines) == (
        r"\begin{aligned} x_{s} &= \mathrm{noise}\, z_{s} \\ "
        r"&\quad \pm a && s = 1 \ldots L \\ y &= 2 \end{aligned}"
    )
    assert tex_of(lines[1:]) is None


def test_an_equation_in_a_sentence_ends_where_the_words_go_on():
    assert split("Return dx = dy where x was positive, else 0.")[1:] == [
        "dx = dy",
        " where x was positive, else 0.",
    ]
    for sentence in "Return y = x beside f(x).", "`a = b`, as code", 'by "a = b"', "with lr=0.1":
        assert split(sentence) == [sentence]


# Docstrings
# ----------


@pytest.mark.parametrize("module", [docstrings, equations], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings(module):
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0
