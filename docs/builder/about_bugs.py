"""About bugs: the page of the planted bugs, with the accuracy and the report of each.

    python -m docs.builder.about_bugs

trains the trace classifier with every bug, five times, which takes minutes, and writes the tables
of `docs/reference/planted-bugs.md`. Run it after adding a bug or changing the network; tests
compare the page with the list of bugs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from numpycnn.checks.bugs import PLANTED_BUGS, SEEDS, Bug, held_out_accuracy, run_checks
from numpycnn.checks.report import Report

PAGE = Path(__file__).parents[1] / "reference" / "planted-bugs.md"
HEAD = """\
| bug | accuracy | loss of accuracy | reported as | examples |
| --- | ---: | ---: | --- | --- |"""


def accuracy(bug: Bug) -> float:
    """Return the mean test accuracy over all seeds, NaN if one of the trainings raised an error."""
    with np.errstate(all="ignore"):  # some of them overflow
        return float(np.mean([held_out_accuracy(bug, seed) for seed in SEEDS]))


def without_bug(bug: Bug) -> Bug:
    """Return the correct part at the same position."""
    return bug._replace(broken=bug.part)


def reported(bug: Bug) -> str:
    """Return the name that the checks report, and which check it was."""
    with np.errstate(all="ignore"):
        report = run_checks(bug, rng=0)
    names = ", ".join(dict.fromkeys(mistake.name for mistake in report.mistakes))
    return (names or "incorrect, without a name") + (
        f" (`{report.check}`)" if isinstance(report, Report) else ""
    )


def row(bug: Bug, with_it: float, correct: float) -> str:
    """Return the row of a bug, with its accuracy and that of the same network without it."""
    examples = ", ".join(f"[{at}]({place})" for at, place in enumerate(bug.seen, start=1))
    difference = f"{correct - with_it:.3f}".replace("-", "\N{MINUS SIGN}").replace("0.000", "0")
    shown = ["error", ""] if np.isnan(with_it) else [f"{with_it:.3f}", difference]
    cells = [described(bug), *shown, reported(bug), examples]
    return f"| {' | '.join(cells)} |"


def described(bug: Bug) -> str:
    """Return the first cell of a row: the mistake and the name of the bug."""
    mistake = bug.mistake.replace("|", "\\|")
    return f"{mistake}<br>`{bug.name}`"


def sections() -> Iterator[str]:
    """Yield a heading and a table for each part with bugs, and train all of them."""
    for part in dict.fromkeys(bug.part for bug in PLANTED_BUGS.values()):
        bugs = [bug for bug in PLANTED_BUGS.values() if bug.part is part]
        correct = accuracy(without_bug(bugs[0]))
        rows = [row(bug, accuracy(bug), correct) for bug in bugs]
        intro = f"Without a bug: {correct:.3f}."
        yield "\n".join([f"## {part.__name__}", "", intro, "", HEAD, *rows])


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the cells of each row by the name of the bug."""
    found = {}
    for line in re.findall(r"^\| .* \|$", page, re.MULTILINE):
        cells = re.split(r"(?<!\\) \| ?", line[2:-2])
        if name := re.search(r"<br>`(\w+)`", cells[0]):
            found[name[1]] = cells
    return found


def summary(page: str) -> str:
    """Return the number of bugs on the page, and how many do not change the accuracy."""
    accuracies = [cells[1] for cells in rows_of(page).values()]
    without_loss = sum(cells[2] == "0" for cells in rows_of(page).values())
    high = sum(cell != "error" and float(cell) >= 0.97 for cell in accuracies)
    return (
        f"Of the {len(accuracies)} bugs, {without_loss} do not change the accuracy, and with "
        f"{high} it is 0.97 or more."
    )


def write() -> None:
    """Update the tables on the page."""
    head = PAGE.read_text(encoding="utf-8").partition("\nOf the ")[0].rstrip()
    tables = "\n\n".join(sections())
    PAGE.write_text("\n\n".join([head, summary(tables), tables]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
