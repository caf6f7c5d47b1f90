"""Find the reason why an answer is incorrect, and state it in a sentence.

General reasons come first: the answer raised an error, returned None, has the wrong shape, or
changes its argument. Specific reasons follow. A mistake is named only if it explains all cases:

- The answer returns the same as a listed incorrect answer of this puzzle in all cases.
- Or its results have the same [relation](relations.py) to the expected ones in all cases: a sign,
  a factor, an order.

The cases differ in every size, so a factor that equals 1/N in all of them is 1/N. Any other mistake
is described but not named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.puzzles.cases import Case, Failure, Outcome
from numpycnn.puzzles.compare import Difference, differences, numbers, same
from numpycnn.puzzles.shown import kind_of, show


class Reason(NamedTuple):
    """The short name of a mistake, for statistics, and a sentence for the reader."""

    name: str
    sentence: str


class Trial(NamedTuple):
    """One case with the results of the answer and the expected ones."""

    case: Case
    actual: Outcome
    expected: Outcome


# General
# -------


def general(found: Difference, trial: Trial) -> Reason | None:
    """Return a reason that does not depend on the puzzle, if there is one."""
    says: dict[str, Callable[[Difference, Trial], Reason | None]] = {
        "failure": _failed,
        "none": _none,
        "missing": _missing,
        "type": _type,
        "count": _count,
        "changed": _changed,
        "shape": _shape,
        "nan": _nan,
    }
    return says[found.what](found, trial) if found.what in says else None


def _failed(found: Difference, trial: Trial) -> Reason:
    failure: Failure = found.actual
    if failure.kind == "missing":
        return Reason(
            "missing",
            f"The file must define `{failure.message}`. Did you rename or delete it?",
        )
    what = f"{failure.kind}: {failure.message}".rstrip(".")
    if failure.kind == "MemoryError":
        what += ". The limit is 1 GB of memory"
    if failure.kind == "AttributeError" and "'NoneType'" in failure.message:
        what += ". A value is None here. Is a `return` missing?"
    if failure.line is None:
        return Reason(failure.kind, f"The call raised an error. {what}")
    return Reason(failure.kind, f"Error in line {failure.line}:\n\n    {failure.source}\n\n{what}")


def _none(found: Difference, trial: Trial) -> Reason:
    name, kind = found.name, trial.case.kind
    if kind == "value" or (kind == "layer" and name not in ("forward", "backward")):
        return Reason(
            "None",
            f"{name} is None. Functions that print, or that change an array in place such as "
            "np.add.at, return None. Do not assign their result.",
        )
    what = {"forward": "forward", "backward": "backward"}.get(name, trial.case.name)
    if trial.actual.printed.strip():
        return Reason(
            "printed",
            f"{what} prints a value and returns None. `print` only shows a value; use `return` to "
            "pass it to the caller.",
        )
    return Reason("None", f"{what} returns None. Is the `return` missing?")


def _missing(found: Difference, trial: Trial) -> Reason:
    return Reason("missing", f"The results contain no {found.name}.")


# Types and shapes
# ----------------
# The message states the actual and the expected type or shape.


def _type(found: Difference, trial: Trial) -> Reason:
    right = numbers(found.expected)
    required = "a number" if right is None or right.ndim == 0 else f"numbers of shape {right.shape}"
    if right is not None and right.ndim and trial.case.kind == "value":
        required = _count_of(right)
    text = f"{_subject(found, trial)} must be {required}, got {kind_of(found.actual)}."
    if isinstance(found.actual, str) and trial.case.kind == "value":
        text += " Remove the quotation marks."
    return Reason("wrong type", text)


def _count(found: Difference, trial: Trial) -> Reason:
    required = {
        "forward": "forward must return two values, y and cache",
        "backward": "backward must return two values, dx and a dict of gradients",
    }.get(found.name, f"{trial.case.name} must return {' and '.join(trial.case.returns)}")
    return Reason("wrong type", f"{required}, got {kind_of(found.actual)}.")


def _changed(found: Difference, trial: Trial) -> Reason:
    if found.name == "replaced":
        name = found.actual[0]
        return Reason(
            "replaced",
            f"params[{name!r}] is now another array, but the network still uses the old one. "
            "Change the array in place: `w -= ...`.",
        )
    return Reason(
        "changes its argument",
        f"It changes {found.name}, which belongs to the caller. Compute a new array instead: "
        "`x = x - 1`, not `x -= 1`.",
    )


def _shape(found: Difference, trial: Trial) -> Reason:
    actual, expected = found.actual.shape, found.expected.shape
    if trial.case.kind == "value":
        return Reason(
            "wrong shape", f"Expected {_count_of(found.expected)}, got {show_shape(found)}."
        )
    required = f"shape {expected}" if expected else "be a single number"
    verb = "have " if expected else ""
    got = f"shape {actual}" if actual else f"the single number {show(found.actual)}"
    return Reason("wrong shape", f"{_subject(found, trial)} must {verb}{required}, got {got}.")


def _count_of(expected: Array) -> str:
    return f"{expected.size} numbers" if expected.ndim else "one number"


def show_shape(found: Difference) -> str:
    """Return the value of a variable with the wrong number of entries, as text."""
    return (
        show(tuple(_whole(v) for v in found.actual.ravel()))
        if found.actual.ndim
        else show(found.actual)
    )


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _nan(found: Difference, trial: Trial) -> Reason:
    bad = found.actual[found.off]
    what = (
        "NaN" if np.isnan(bad).all() else "infinite" if np.isinf(bad).all() else "NaN or infinite"
    )
    if found.actual.ndim == 0:
        return Reason(
            "not finite", f"{_subject(found, trial)} is {what}, expected a finite number."
        )
    return Reason(
        "not finite",
        f"{_subject(found, trial)}: {bad.size} of {found.actual.size} entries are {what}. "
        "Possible causes: division by zero, logarithm of zero, exponential of a large number.",
    )


def _subject(found: Difference, trial: Trial) -> str:
    return f"The result of {trial.case.name}" if found.name == "the result" else found.name


# Listed
# ------
# The listed incorrect answers of a puzzle are run on the same cases. Different answers may return
# the same results, so the sentence of a listed answer is about its results.


Known = tuple[Reason, list[Outcome], set[str]]
"""A listed incorrect answer: the reason, its outcomes, and the results in which it is incorrect."""


def listed(names: set[str], trials: Sequence[Trial], known: Sequence[Known]) -> list[Reason]:
    """Return the listed mistakes whose results equal those of the answer in all cases.

    A mistake that concerns several results must explain all of them. An answer with several
    mistakes gets a reason for each result.
    """
    found, explained = [], set[str]()
    for reason, outcomes, concerned in sorted(known, key=lambda one: -len(one[2])):
        if not concerned or not concerned <= names or concerned & explained:
            continue
        pairs = zip(trials, outcomes, strict=True)
        if all(_alike(name, t.actual, o) for t, o in pairs for name in concerned):
            found.append(reason)
            explained |= concerned
    return found


def concerned(trials: Sequence[Trial]) -> set[str]:
    """Return the names of all results that differ in any case, and of failures."""
    found: set[str] = set()
    for trial in trials:
        found |= {d.name for d in differences(trial.case, trial.actual, trial.expected)}
    return found


def _alike(name: str, a: Outcome, b: Outcome) -> bool:
    """Return True if two answers have the same result of this name, or the same failure."""
    if a.failure or b.failure:
        return bool(a.failure and b.failure and a.failure[:2] == b.failure[:2])
    if (name in a.results) != (name in b.results):
        return False
    if name not in a.results:  # a change of an argument, or something missing
        return set(a.changed) == set(b.changed) and a.results.keys() == b.results.keys()
    return same(a.results[name], b.results[name])


def difference_of_value(actual: Any, expected: Array) -> str:
    """Describe the relation of an incorrect number to the expected one."""
    number, right = float(actual), float(expected)
    if number == -right:
        return "The magnitude is correct, but the sign is wrong."
    if number and right and abs(number * right - 1) < 1e-6:
        return "It is the reciprocal of the expected value."
    return f"It is too {'large' if number > right else 'small'}."


# A reader's test
# ---------------
# A useful test passes correct layers and fails for incorrect ones.


def of_a_test(
    trials: Sequence[Trial], correct: Sequence[str], incorrect: Sequence[str]
) -> Reason | None:
    """Judge a test: it must pass correct suspects and fail incorrect ones.

    The suspects are in the order of the trials, the correct ones first.
    """
    results = [trial.actual.results for trial in trials]
    for name, result in zip(correct, results, strict=False):
        if "stopped" in result:
            kind, message, line, source = result["stopped"]
            where = f" in line {line}:\n\n    {source}\n\n" if line else ". "
            return Reason(
                kind,
                f"The test raised an error for {name}, which is correct{where}{kind}: {message}",
            )
        if not result["passes"]:
            says = f" Its message: {result['says']}" if result.get("says") else ""
            return Reason("false alarm", f"The test rejects {name}, which is correct.{says}")
    passed = [n for n, r in zip(incorrect, results[len(correct) :], strict=True) if r["passes"]]
    n_all = len(incorrect)
    if len(passed) == n_all:
        return Reason("never fails", f"All {n_all} incorrect ones pass, so this test never fails.")
    if passed:
        return Reason(
            "passes",
            f"It detects {n_all - len(passed)} of {n_all} incorrect ones. One that passes: "
            f"{passed[0]}.",
        )
    return None
