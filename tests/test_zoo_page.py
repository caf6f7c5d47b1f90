"""The page of the zoo says of every animal what is true of it."""

from pathlib import Path

import numpy as np
import pytest

from docs.builder import about_zoo
from numpycnn.checks.bugs import PLANTED_BUGS

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "planted-bugs.md").read_text(
    encoding="utf-8"
)
ROWS = about_zoo.rows_of(PAGE)


def test_every_animal_has_its_row_in_the_section_of_its_part():
    assert set(ROWS) == set(PLANTED_BUGS)
    for section in PAGE.split("\n## ")[1:]:
        parts = {PLANTED_BUGS[name].part.__name__ for name in about_zoo.rows_of(section)}
        assert parts == {section.partition("\n")[0]}


@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_the_row_says_what_the_mistake_is_what_it_is_called_and_where_it_was_seen(name):
    mistake, _, _, called, seen = ROWS[name]
    assert mistake == about_zoo.described(PLANTED_BUGS[name])
    assert called == about_zoo.called(PLANTED_BUGS[name])
    assert all(f"]({place})" in seen for place in PLANTED_BUGS[name].seen)
    assert seen.count("](") == len(PLANTED_BUGS[name].seen)


def test_what_is_said_of_all_of_them_follows_from_the_rows():
    assert about_zoo.summary(PAGE) in PAGE


def check_accuracy(name):
    """A trace more or less of 180 is rounding on another machine; that of five is not."""
    _, shown, costs, _, _ = ROWS[name]
    found = about_zoo.accuracy(PLANTED_BUGS[name])
    right = about_zoo.accuracy(about_zoo.without_mistake(PLANTED_BUGS[name]))
    if shown == "refused":
        assert np.isnan(found)
        return
    assert float(shown) == pytest.approx(found, abs=5 / 180)
    costs = float(costs.replace("nothing", "0").replace("\N{MINUS SIGN}", "-"))
    assert costs == pytest.approx(right - found, abs=5 / 180)
    assert costs == pytest.approx(right - float(shown), abs=5 / 180)


@pytest.mark.parametrize("name", ["dense_dw_sign"])
def test_the_accuracy_is_what_the_training_gives(name):
    check_accuracy(name)


@pytest.mark.long
@pytest.mark.parametrize("name", PLANTED_BUGS)
def test_every_accuracy_is_what_the_training_gives(name):
    check_accuracy(name)
