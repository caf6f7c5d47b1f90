"""The table of other checkers: its rows are planted bugs, its column of this package is right."""

from pathlib import Path

import pytest

from docs.builder import about_checkers
from docs.builder.about_bugs import described
from numpycnn.checks.bugs import PLANTED_BUGS

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "check-your-layer.md").read_text("utf-8")
ROWS = about_checkers.rows_of(PAGE)


def test_the_rows_are_planted_bugs():
    assert len(ROWS) > 50
    assert ROWS.keys() <= PLANTED_BUGS.keys()
    for name in ROWS:
        assert f"\n| {described(PLANTED_BUGS[name])} | " in PAGE


@pytest.mark.parametrize("name", [*ROWS][::4])
def test_the_column_of_this_package(name):
    assert ROWS[name]["numpycnn"] == about_checkers.found("numpycnn", PLANTED_BUGS[name])


def test_the_counts_follow_from_the_rows():
    for line in about_checkers.summary(ROWS):
        assert line in PAGE
    assert f"for the {len(ROWS)} planted bugs" in PAGE


@pytest.mark.long
@pytest.mark.parametrize("tool", ["numpycnn", *about_checkers.OTHERS])
def test_every_cell(tool):
    pytest.importorskip(about_checkers.LIBRARIES.get(tool, tool))
    found = {name: about_checkers.found(tool, PLANTED_BUGS[name]) for name in ROWS}
    assert found == {name: row[tool] for name, row in ROWS.items()}
