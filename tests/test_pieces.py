"""Files are cut into prose and code by one rule, and no line is lost."""

import doctest
from pathlib import Path

import pytest

from docs.builder import pieces
from docs.builder.pieces import cut

ROOT = Path(__file__).parent.parent
FOLDERS = "numpycnn", "examples", "docs"
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def joined(cut_up):
    return "".join(piece.text for piece in cut_up)


def test_no_file_of_this_repository_loses_a_line():
    for path in FILES[::3]:
        text = path.read_text(encoding="utf-8")
        for whole_statements in (False, True):
            assert joined(cut(text, whole_statements=whole_statements)) == text, path


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("# First of all.\n", "prose"),
        ("n = 1\n# tucked\n", "code"),
        ("n = 1\n\n# loose\n\n# and again\n", "code prose"),
        ("n = 1\n\n# loose\nm = 2\n", "code prose code"),
        ("n = 1\n\n# isort: split\n", "code"),
        ("def f():\n    n = 1\n\n    # loose\n    return n\n", "code prose code"),
        ('"""Title.\n"""\n\n# loose\n', "introduction prose"),
        ("'no' 'title'.strip()\n", "code"),
        ("#!/usr/bin/env python\n", "code"),
    ],
)
def test_the_rule(text, kinds):
    assert [piece.kind for piece in cut(text)] == kinds.split()


# Chapters
# --------


def test_the_examples_in_the_docstrings():
    failed, tried = doctest.testmod(pieces)
    assert tried > 0
    assert failed == 0
