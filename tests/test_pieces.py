"""Files are cut into prose and code by one rule, and no line is lost."""

import doctest
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.builder import pieces
from docs.builder.pieces import Fence, cut, cut_chapter

ROOT = Path(__file__).parent.parent
FOLDERS = "numpycnn", "examples", "docs"
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# Whole statements and comments of every kind that could be cut in the wrong place; any
# sequence of them is a Python file.
CHUNKS = [
    '"""Title."""\n',
    '"""Title.\n\n# No comment.\n"""\n',
    "'''a''' ; n = 0\n",
    "\n",
    "   \n",
    "\f\n",
    "n = 1\n",
    "n = 2  # after code\n",
    "# a comment\n",
    "    # a comment further in\n",
    "#\n",
    "# %%\n",
    "# ruff: noqa\n",
    "n = [\n\n    # in brackets\n    1,\n]\n",
    "n = '''\n\n# in a string\n'''\n",
    "n = 1 + \\\n    2\n",
    "def f():\n    n = 1\n\n    # prose in a function\n    return n\n",
    "for n in range(2):\n    pass\n\n# at the margin, in a loop\n    n = 7\n",
    "@staticmethod\n\n# under a decorator\ndef g():\n    pass\n",
    "if n := 1:\n    pass\n\n# before else\nelse:\n    pass\n",
]
sources = st.lists(st.sampled_from(CHUNKS)).map("".join)


def joined(cut_up):
    return "".join(piece.text for piece in cut_up)


def test_no_file_of_this_repository_loses_a_line():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for whole_statements in (False, True):
            assert joined(cut(text, whole_statements=whole_statements)) == text, path


@given(sources, st.booleans(), st.booleans())
def test_no_line_is_lost_and_every_line_keeps_its_number(text, whole_statements, ends_early):
    text = text.removesuffix("\n") if ends_early else text
    cut_up = cut(text, whole_statements=whole_statements)
    assert joined(cut_up) == text
    line = 1
    for piece in cut_up:
        assert piece.line == line
        line += piece.text.count("\n")
    assert all(one.kind != other.kind for one, other in pairwise(cut_up))


@given(sources, st.booleans())
def test_prose_is_comments_and_code_is_everything_else(text, whole_statements):
    for piece in cut(text, whole_statements=whole_statements):
        lines = [line.strip() for line in piece.text.splitlines() if line.strip()]
        if piece.kind == "prose":
            assert all(line.startswith("#") for line in lines)
            assert piece.markdown.count("\n") == piece.text.removesuffix("\n").count("\n")


@given(sources)
def test_the_pieces_of_a_script_compute_the_same_as_the_script(text):
    whole, one_by_one = {"n": None}, {"n": None}
    exec(text, whole)
    for piece in cut(text, whole_statements=True):
        exec(piece.text, one_by_one)
    assert whole["n"] == one_by_one["n"]
    assert ("f" in whole, "g" in whole) == ("f" in one_by_one, "g" in one_by_one)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("# First of all.\n", "prose"),
        ("n = 1\n# tucked\n", "code"),
        ("n = 1\n\n# loose\n", "code prose"),
        ("n = 1\n\n# loose\n\n# and again\n", "code prose"),
        ("n = 1\n\n# loose\nm = 2\n", "code prose code"),
        ("n = 1\n\n# isort: split\n", "code"),
        ("n = [\n\n    # inside\n]\n", "code"),
        ("def f():\n    n = 1\n\n    # loose\n    return n\n", "code prose code"),
        ('"""Title.\n"""\n\n# loose\n', "introduction prose"),
        ('"""Title."""; n = 1\n', "code"),
        ("'no' 'title'.strip()\n", "code"),
        ("#!/usr/bin/env python\n", "code"),
    ],
)
def test_the_rule(text, kinds):
    assert [piece.kind for piece in cut(text)] == kinds.split()


# Chapters
# --------


def test_fences_know_what_is_shown_after_them():
    page = (
        "# Q\n\n```python raises\nn = 1\n\nm = 2\n```\n\n\n```text\nshown\n```\nand\n"
        "````text\n```python\nnot code\n```\n````\n~~~python\n1\n~~~\nwords\n```text\nfree\n```\n"
    )
    run, shown, nested, tilde, free = cut_chapter(page)
    assert run == Fence(3, "", "python raises", "n = 1\n\nm = 2\n", "shown\n")
    assert shown == Fence(10, "", "text", "shown\n", None)
    assert nested.text == "```python\nnot code\n```\n"
    assert tilde == Fence(19, "", "python", "1\n", None)
    assert free.text == "free\n"


def test_the_examples_in_the_docstrings():
    failed, tried = doctest.testmod(pieces)
    assert tried > 0
    assert failed == 0
