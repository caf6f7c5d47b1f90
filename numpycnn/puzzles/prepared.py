"""Preparation: the cases of a puzzle, and the results of its solution and its listed mistakes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from numpycnn.puzzles.cases import Case, Draw, Outcome
from numpycnn.puzzles.observe import load, observe
from numpycnn.puzzles.puzzle import Puzzle
from numpycnn.puzzles.reasons import Known, Reason, Trial, concerned

N_CASES = 60


@cache
def prepared(puzzle: Puzzle) -> tuple[list[Case], list[Outcome]]:
    """Return the cases of a puzzle, the smallest first, and the results of the solution."""
    module, right = puzzle.module, puzzle.right()
    if hasattr(module, "cases"):
        cases = list(module.cases())
    else:
        n_cases = getattr(module, "N_CASES", N_CASES)
        drawn = [_completed(module.case(draw), draw, right) for draw in map(Draw, range(n_cases))]
        cases = sorted(drawn, key=_size)
        if hasattr(module, "LOOPS"):
            cases.append(module.LOOPS[0])
    expected = [observe(right, case) for case in cases]
    for case, outcome in zip(cases, expected, strict=True):
        if outcome.failure or outcome.changed:
            raise ValueError(f"puzzle {puzzle.name}: the solution fails in {case}: {outcome}")
    return cases, expected


def _completed(case: Case, draw: Draw, right: Any) -> Case:
    """Return a layer's case with drawn parameters and a dy of the shape of its output."""
    if case.kind != "layer":
        return case
    made = getattr(right, case.name)(*case.arguments.values())
    params = {name: draw.array(*array.shape) for name, array in made.params.items()}
    case = case._replace(more={**case.more, "params": params})
    y = observe(right, case).results["y"]
    return case._replace(more={**case.more, "dy": draw.array(*y.shape)})


def _size(case: Case) -> int:
    """Return the number of values in a case."""

    def count(value: Any) -> int:
        if isinstance(value, dict):
            return sum(map(count, value.values()))
        if isinstance(value, list | tuple):
            return sum(map(count, value))
        return int(value.size) if isinstance(value, np.ndarray) else 1

    return count(case.arguments) + count(case.more)


@cache
def known(puzzle: Puzzle) -> list[Known]:
    """Return the listed incorrect answers of a puzzle, with their results."""
    found = []
    pairs = [pair for pair in zip(*prepared(puzzle), strict=True) if pair[0].kind != "lines"]
    for answer, words in puzzle.module.WRONG.items():
        part, _ = load(puzzle.answered(answer), puzzle.filename)
        name, _, sentence = words.partition(": ")
        if part is not None and sentence:
            outcomes = [observe(part, case, puzzle.filename) for case, _ in pairs]
            trials = [Trial(c, o, e) for (c, e), o in zip(pairs, outcomes, strict=True)]
            found.append((Reason(name, sentence), outcomes, concerned(trials)))
    return found
