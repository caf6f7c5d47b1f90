"""Grade an answer: find out whether it is correct, and otherwise name the mistake.

    Result.status    "open" (nothing was changed) · "correct" · "incorrect"

`judge` works in one process, without subprocesses, threads or files, so that it runs in a browser
and in a notebook. It draws the cases of the puzzle, runs the answer on them, and compares the
results with those of the solution. The smallest case that fails is shown.

`judge_file` of `process` does the same with the answer in a separate process.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import numpy as np

from numpycnn.puzzles import reasons
from numpycnn.puzzles.allowed import forbidden, taken_from_the_package
from numpycnn.puzzles.cases import Case, Outcome
from numpycnn.puzzles.compare import Difference, differences
from numpycnn.puzzles.observe import load, observe
from numpycnn.puzzles.prepared import known, prepared
from numpycnn.puzzles.puzzle import Puzzle, find, gaps_in
from numpycnn.puzzles.reasons import Reason, Trial
from numpycnn.puzzles.relations import described, related
from numpycnn.puzzles.shown import show, table

Status = Literal["open", "correct", "incorrect"]


class Result(NamedTuple):
    """The result for one answer."""

    status: Status
    text: str  # the reason, or after success the lesson
    mistakes: tuple[str, ...] = ()  # short names, for statistics
    case: str = ""  # the smallest case that fails, as a table
    printed: str = ""  # what the answer printed in that case

    def __str__(self) -> str:
        words = {"open": "Open.", "correct": "Correct.", "incorrect": "Incorrect."}
        parts = [f"{words[self.status]} {self.text}"]
        if self.case:
            parts.append(self.case)
        if self.printed.strip():
            lines = self.printed.rstrip().splitlines()
            where = " in this case" if self.case else ""
            parts.append("\n".join([f"Your code printed{where}:", *(f"    {s}" for s in lines)]))
        return "\n\n".join(parts)


Observe = Callable[[Sequence[Case]], tuple[Outcome, list[Outcome]]]
"""Runs an answer; returns the outcome of loading it and that of each case."""


# Public functions
# ----------------


def judge(puzzle: Puzzle, source: str) -> Result:
    """Judge the text of a reader's file, in this process.

    Parameters
    ----------
    puzzle : Puzzle
        The puzzle.
    source : str
        The text of the file.

    Returns
    -------
    Result
        With `status`, `text`, `mistakes`, `case` and `printed`.

    Examples
    --------
    >>> judge(find("slope"), find("slope").answered("3")).status
    'correct'
    """
    if (result := at_sight(puzzle, source)) is not None:
        return result

    def run(cases: Sequence[Case]) -> tuple[Outcome, list[Outcome]]:
        part, loaded = load(source, puzzle.filename)
        if part is None:
            return loaded, []
        return loaded, [observe(part, case, puzzle.filename) for case in cases]

    return assess(puzzle, run)


def check(puzzle: str | int, answer: Any) -> Result:
    """Judge an answer in a notebook or a script, in this process.

    Parameters
    ----------
    puzzle : str or int
        Name or number of the puzzle.
    answer : function, class, number, tuple or str
        The object that the puzzle requires. A string is source text: a whole file, or the text
        that replaces the gap.

    Returns
    -------
    Result
        With `status`, `text`, `mistakes` and `case`. Print it to read it.

    Raises
    ------
    ValueError
        If there is no such puzzle.

    Examples
    --------
    >>> check("slope", 7).status
    'incorrect'
    >>> def pad_widths(length, taps, stride):
    ...     total = max(0, (-(-length // stride) - 1) * stride + taps - length)
    ...     return total // 2, total - total // 2
    >>> check("zeros_of_same", pad_widths).status
    'correct'
    """
    found = find(str(puzzle))
    if isinstance(answer, str):
        return judge(found, found.completed(answer))
    name = found.defines
    if name[:1].isupper() and not isinstance(answer, type):
        kind = type(answer).__name__
        raise TypeError(
            f"check: answer must be a class for the puzzle {found.name!r}, got an object of type "
            f"{kind}. Pass the class: check({found.name!r}, {name})."
        )
    part = SimpleNamespace(**{name: answer})
    try:
        text = inspect.getsource(answer)
    except (OSError, TypeError):
        text = ""
    if words := forbidden(found, text):
        return Result("incorrect", words, ("forbidden",))
    return assess(found, lambda cases: (Outcome({}), [observe(part, case) for case in cases]))


def at_sight(puzzle: Puzzle, source: str) -> Result | None:
    """Return the result if the text determines it: a syntax error, a gap, a forbidden import."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else " it"
        what = str(error.msg if isinstance(error, SyntaxError) else error).rstrip(".?!")
        code = ""
        if isinstance(error, SyntaxError) and error.text and error.text.strip():
            code = f"\n\n    {error.text.strip()}"
        return Result("incorrect", f"Python cannot read{line}: {what}.{code}", ("syntax",))
    if puzzle.is_untouched(source):
        return Result("open", puzzle.asks)
    if gaps := gaps_in(source):
        return Result("open", f"There is still a `...` in line {gaps[0].line}.")
    if words := taken_from_the_package(tree, puzzle):
        return Result("incorrect", words, ("imported",))
    if words := forbidden(puzzle, source):
        return Result("incorrect", words, ("forbidden",))
    return None


# In one process or in two
# ------------------------


def assess(puzzle: Puzzle, run: Observe) -> Result:
    """Run an answer on the cases of a puzzle and judge the outcomes.

    Parameters
    ----------
    puzzle : Puzzle
        The puzzle.
    run : function
        Runs the answer on a list of cases, here or in another process. It returns the outcome of
        loading the answer and that of each case.

    Returns
    -------
    Result
        The result.
    """
    cases, expected = prepared(puzzle)
    loaded, outcomes = run(cases)
    if loaded.failure:
        reason = reasons.general(
            Difference("failure", loaded.failure.kind, loaded.failure),
            Trial(cases[0], loaded, loaded),
        )
        assert reason is not None
        return Result("incorrect", reason.sentence, (reason.name,), printed=loaded.printed)
    trials = [Trial(*each) for each in zip(cases, outcomes, expected, strict=True)]
    found = _diagnosis(puzzle, trials)
    if found is None:
        printed = loaded.printed + outcomes[0].printed
        return Result("correct", puzzle.module.LESSON, printed=printed)
    given, shown, trial = found
    printed = loaded.printed + trial.actual.printed
    return Result("incorrect", _sentence(given), _names(given), shown, printed)


def _sentence(found: Sequence[Reason]) -> str:
    """Return the reasons as paragraphs."""
    return "\n\n".join(reason.sentence for reason in found)


def _names(found: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.name for reason in found))


Diagnosis = tuple[Sequence[Reason], str, Trial]


def _diagnosis(puzzle: Puzzle, trials: list[Trial]) -> Diagnosis | None:
    """Return the reasons, the failing case as text and the trial; None if all is correct."""
    own = getattr(puzzle.module, "assess", None)
    if own is not None:
        return _by_the_puzzle(own, trials)
    lines = [trial for trial in trials if trial.case.kind == "lines"]
    trials = [trial for trial in trials if trial.case.kind != "lines"]
    failing = [(t, found) for t in trials if (found := _differences(puzzle, t))]
    if not failing:
        return _still_a_loop(puzzle, lines)
    trial, found = failing[0]
    given = _reasons(puzzle, trials, failing)
    if trial.case.kind == "value":
        return given, "", trial
    head = f"The smallest of {len(failing)} failing cases ({len(trials)} were tried):"
    body = table(trial.case, found)
    return given, f"{head}\n\n{body}" if body else "", trial


def _differences(puzzle: Puzzle, trial: Trial) -> list[Difference]:
    """Return how a trial differs from the solution; nothing if it equals an alternative."""
    found = differences(trial.case, trial.actual, trial.expected)
    if found and not trial.actual.failure:
        for part in _alternatives(puzzle):
            if not differences(trial.case, trial.actual, observe(part, trial.case)):
                return []
    return found


@cache
def _alternatives(puzzle: Puzzle) -> list[SimpleNamespace]:
    """Return correct answers with other results, such as another choice among equal maxima."""
    texts = getattr(puzzle.module, "ALTERNATIVES", ())
    return [part for text in texts if (part := load(puzzle.answered(text), "")[0])]


def _by_the_puzzle(own: Callable[..., Any], trials: list[Trial]) -> Diagnosis | None:
    """Compare with the puzzle's `assess` function, after the general reasons."""
    for trial in trials:
        if trial.actual.failure:
            found = Difference("failure", trial.actual.failure.kind, trial.actual.failure)
        elif any(result is None for result in trial.actual.results.values()):
            found = Difference("none", "the result")
        elif trial.actual.changed:
            found = Difference("changed", trial.actual.changed[0])
        else:
            continue
        reason = reasons.general(found, trial)
        assert reason is not None
        return [reason], "", trial
    if (reason := own(trials)) is None:
        return None
    return [reason], "", trials[0]


def _still_a_loop(puzzle: Puzzle, lines: list[Trial]) -> Diagnosis | None:
    for trial in lines:
        if trial.actual.failure:
            found = Difference("failure", trial.actual.failure.kind, trial.actual.failure)
            reason = reasons.general(found, trial)
            assert reason is not None
            return [reason], "", trial
        few, many = trial.actual.results["lines"]
        if many > few:
            text = (
                f"The values are correct, but there is still a Python loop: the larger case ran "
                f"{many} lines, the small one {few}. Use one array operation for all "
                f"{puzzle.module.LOOPS[1]}."
            )
            return [Reason("loop", text)], "", trial
    return None


Failing = Sequence[tuple[Trial, list[Difference]]]
"""The trials that fail, the smallest first, and how they differ."""


def _reasons(puzzle: Puzzle, trials: list[Trial], failing: Failing) -> list[Reason]:
    """Return the reasons: listed, general, related or described."""
    trial, (first, *_) = failing[0]
    differing = dict.fromkeys(d.name for _, found in failing for d in found)
    if first.what not in ("none", "type") and first.name != "replaced":
        named = reasons.listed(set(differing), trials, known(puzzle))
        if named:
            return _listed(named, first, trial)
    again = _again(puzzle)
    if (reason := reasons.general(first, trial)) is not None:
        is_turned = first.what == "shape" and trial.case.kind != "value"
        turned = related(first.name, trials, again) if is_turned else None
        return [reason, turned] if turned else [reason]
    if trial.case.kind == "value":
        return [_value(first, trial)]
    found = [d for _, found in failing for d in found if d.what in ("value", "nan", "shape")]
    names = list(dict.fromkeys(d.name for d in found))
    searched = names[:1] if trial.case.kind == "optimizer" else names
    if any(t.actual.failure for t in trials):
        searched = []
    named = [r for name in searched if (r := related(name, trials, again))]
    return list(dict.fromkeys(named)) or [_unknown(first, names, trials, trial)]


def _listed(named: list[Reason], first: Difference, trial: Trial) -> list[Reason]:
    """Return listed reasons as they are printed: with the value, or with the name and the facts."""
    if trial.case.kind == "value":
        return [Reason(named[0].name, f"Not {_shown(trial)}: {named[0].sentence}")]
    named = [Reason(name, f"{name}: {sentence}") for name, sentence in named]
    general = reasons.general(first, trial) if first.what in ("failure", "shape") else None
    return [*named, general] if general else named


def _again(puzzle: Puzzle) -> Callable[[Case], Outcome]:
    right = puzzle.right()
    return lambda case: observe(right, case)


def _shown(trial: Trial) -> str:
    return show(next(iter(trial.actual.results.values())))


def _value(found: Difference, trial: Trial) -> Reason:
    """Return the reason for an incorrect number that is not listed."""
    shown = _shown(trial)
    if found.actual.ndim == 0:
        text = f"Not {shown}. {reasons.difference_of_value(found.actual, found.expected)}"
        return Reason("sign" if float(found.actual) == -float(found.expected) else "unknown", text)
    n_off = int(found.off.sum()) if found.off is not None else 0
    which = ", ".join(str(i + 1) for i in np.flatnonzero(np.asarray(found.off)))
    text = f"Not {shown}: {n_off} of {found.actual.size} numbers are incorrect (number {which})."
    return Reason("unknown", text)


def _unknown(first: Difference, names: list[str], trials: list[Trial], trial: Trial) -> Reason:
    """Describe a mistake that has no name."""
    if first.off is not None and first.off.ndim:
        n_off, size = int(first.off.sum()), first.off.size
        what = f"{n_off} of {size} entries of {first.name} are incorrect."
        if size == 1:
            what = f"{reasons._subject(first, trial)} is incorrect."
    else:
        what = f"{reasons._subject(first, trial)} is incorrect."
    others = [name for name in names if name != first.name]
    if others and trial.case.kind != "optimizer":
        what += f" Also incorrect: {', '.join(others)}."
    right = [n for n in trial.expected.results if n not in (*names, "y")]
    if right and trial.case.kind == "layer":
        what += f" Correct: {', '.join(right)}."
    if first.name == "y":
        what = "forward was changed and no longer matches the task. " + what
    where = described(first.name, trials)
    return Reason("unknown", f"{what} {where}".strip())
