"""The page of the planted bugs agrees with the bugs."""

from pathlib import Path

import numpy as np
import pytest

from docs.builder import about_bugs
from numpycnn.checks.bugs import PLANTED_BUGS

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "planted-bugs.md").read_text(
    encoding="utf-8"
)
ROWS = about_bugs.rows_of(PAGE)


def test_every_bug_has_its_row_in_the_section_of_its_part():
    assert set(ROWS) == set(PLANTED_BUGS)
    for section in PAGE.split("\n## ")[1:]:
        parts = {PLANTED_BUGS[name].part.__name__ for name in about_bugs.rows_of(section)}
        assert parts == {section.partition("\n")[0]}


@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_the_row_contains_the_mistake_its_reported_name_and_its_examples(name):
    mistake, _, _, reported, examples = ROWS[name]
    assert mistake == about_bugs.described(PLANTED_BUGS[name])
    assert reported == about_bugs.reported(PLANTED_BUGS[name])
    assert all(f"]({place})" in examples for place in PLANTED_BUGS[name].seen)
    assert examples.count("](") == len(PLANTED_BUGS[name].seen)


def test_the_summary_follows_from_the_rows():
    assert about_bugs.summary(PAGE) in PAGE


def check_accuracy(name):
    """A trace more or less of 180 is rounding on another machine; five traces are not."""
    _, shown, difference, _, _ = ROWS[name]
    found = about_bugs.accuracy(PLANTED_BUGS[name])
    correct = about_bugs.accuracy(about_bugs.without_bug(PLANTED_BUGS[name]))
    if shown == "error":
        assert np.isnan(found)
        return
    assert float(shown) == pytest.approx(found, abs=5 / 180)
    difference = float(difference.replace("\N{MINUS SIGN}", "-"))
    assert difference == pytest.approx(correct - found, abs=5 / 180)
    assert difference == pytest.approx(correct - float(shown), abs=5 / 180)


@pytest.mark.parametrize("name", ["dense_dw_sign"])
def test_the_accuracy_is_that_of_the_training(name):
    check_accuracy(name)


@pytest.mark.long
@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_every_accuracy_is_that_of_the_training(name):
    check_accuracy(name)
