"""About the zoo: the table of all its animals, with what each costs and what it is called.

    python -m docs.builder.about_zoo

trains the trace classifier with every bug, five times, which takes minutes, and writes the tables
of `docs/reference/planted-bugs.md`. Run it after adding a bug or changing the network; tests
compare the page with the list of bugs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from numpycnn.checks.bugs import PLANTED_BUGS, SEEDS, Bug, examine, held_out_accuracy
from numpycnn.checks.report import Report

PAGE = Path(__file__).parents[1] / "reference" / "planted-bugs.md"
HEAD = "| mistake | accuracy | costs | called | seen at |\n| --- | ---: | ---: | --- | --- |"


def accuracy(bug: Bug) -> float:
    """Return the mean held-out accuracy over all seeds, NaN if one of the trainings was refused."""
    with np.errstate(all="ignore"):  # some of them overflow
        return float(np.mean([held_out_accuracy(bug, seed) for seed in SEEDS]))


def without_mistake(bug: Bug) -> Bug:
    """The same part in the same place, as it should be."""
    return bug._replace(broken=bug.part)


def called(bug: Bug) -> str:
    """What the checks call it, or which of them it was that saw something."""
    with np.errstate(all="ignore"):
        report = examine(bug, rng=0)
    names = ", ".join(dict.fromkeys(mistake.name for mistake in report.mistakes))
    return (names or "wrong, without a name") + (
        f" (`{report.check}`)" if isinstance(report, Report) else ""
    )


def row(bug: Bug, with_it: float, right: float) -> str:
    """Return the row of an animal, with its accuracy and that of the same network without it."""
    seen = ", ".join(f"[{at}]({place})" for at, place in enumerate(bug.seen, start=1))
    costs = f"{right - with_it:.3f}".replace("-", "\N{MINUS SIGN}").replace("0.000", "nothing")
    shown = ["refused", ""] if np.isnan(with_it) else [f"{with_it:.3f}", costs]
    cells = [described(bug), *shown, called(bug), seen]
    return f"| {' | '.join(cells)} |"


def described(bug: Bug) -> str:
    """Return the first cell of a row: what is wrong, and the animal's name."""
    mistake = bug.mistake.replace("|", "\\|")
    return f"{mistake}<br>`{bug.name}`"


def sections() -> Iterator[str]:
    """Yield a heading and a table for each part that has animals, and train them all."""
    for part in dict.fromkeys(bug.part for bug in PLANTED_BUGS.values()):
        bugs = [bug for bug in PLANTED_BUGS.values() if bug.part is part]
        right = accuracy(without_mistake(bugs[0]))
        rows = [row(bug, accuracy(bug), right) for bug in bugs]
        intro = f"Without a mistake: {right:.3f}."
        yield "\n".join([f"## {part.__name__}", "", intro, "", HEAD, *rows])


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the cells of each row by the name of the animal."""
    found = {}
    for line in re.findall(r"^\| .* \|$", page, re.MULTILINE):
        cells = re.split(r"(?<!\\) \| ?", line[2:-2])
        if name := re.search(r"<br>`(\w+)`", cells[0]):
            found[name[1]] = cells
    return found


def summary(page: str) -> str:
    """Return how many animals there are on the page, and how many of them look perfect."""
    accuracies = [cells[1] for cells in rows_of(page).values()]
    free = sum(cells[2] == "nothing" for cells in rows_of(page).values())
    perfect = sum(cell != "refused" and float(cell) >= 0.97 for cell in accuracies)
    return (
        f"Of the {len(accuracies)}, {free} cost nothing, and {perfect} reach an accuracy of 0.97 "
        "or more."
    )


def write() -> None:
    """Bring the tables on the page up to date."""
    head = PAGE.read_text(encoding="utf-8").partition("\nOf the ")[0].rstrip()
    tables = "\n\n".join(sections())
    PAGE.write_text("\n\n".join([head, summary(tables), tables]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
