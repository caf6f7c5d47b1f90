"""Find the reason why an answer is incorrect, and state it in a sentence.

General reasons come first: the answer raised an error, returned None, has the wrong shape, or
changes its argument. Specific reasons follow. A mistake is named only if it explains all cases:

- The answer returns the same as a listed incorrect answer of this puzzle in all cases.
- Or its results have the same relation to the expected ones in all cases: a sign, a factor, an
  order.

The cases differ in every size, so a factor that equals 1/N in all of them is 1/N. Any other mistake
is described but not named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Array
from numpycnn.puzzles.cases import Case, Failure, Outcome
from numpycnn.puzzles.compare import Difference, close, differences, numbers, same
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


# Relations
# ---------
# A relation is a function that maps the expected result to an incorrect one. It explains an answer
# if it yields the answer's result in every case, including those in which the answer is correct.


def related(name: str, trials: Sequence[Trial], again: Callable[[Case], Outcome]) -> Reason | None:
    """Return the relation of one result to the expected one, if it is the same in all cases.

    `again` runs the solution on another case.
    """
    if trials[0].case.kind == "optimizer":
        name, trials = FIRST_STEP, [_first_step(trial) for trial in trials]
    subject = name[0].upper() + name[1:] if name.startswith("the ") else name
    pairs: list[tuple[Array, Array, Case]] = []
    for trial in trials:
        actual = numbers(trial.actual.results.get(name))
        expected = numbers(trial.expected.results.get(name))
        if actual is None or expected is None:
            return None
        pairs.append((actual, expected, trial.case))
    if sum(not same(a, e) for a, e, _ in pairs) < 3:
        return None
    if any(a.shape != e.shape for a, e, _ in pairs):
        return _turned(pairs)
    if (reason := _equal_to(subject, pairs)) or (reason := _with_another_dy(name, pairs, again)):
        return reason
    for relation in (_scaled, _rounded, _reordered, _left_out):
        if (reason := relation(subject, pairs)) is not None:
            return reason
    return None


FIRST_STEP = "the first step"


def _first_step(trial: Trial) -> Trial:
    """Return a trial of an optimizer whose result is the change of the parameters in step 1."""
    params = trial.case.more["params"]

    def step(outcome: Outcome) -> Outcome:
        changes = [outcome.results[f"{n} after step 1"] - array for n, array in params.items()]
        return Outcome({FIRST_STEP: np.concatenate([change.ravel() for change in changes])})

    return Trial(trial.case, step(trial.actual), step(trial.expected))


Pairs = Sequence[tuple[Array, Array, Case]]
Again = Callable[[Case], Outcome]
Make = Callable[[Array, Case], Array | None]
"""Maps the expected result to an incorrect one."""


def _given(name: str) -> Make:
    return lambda expected, case: case.more.get(name)


def _argument(name: str) -> Make:
    return lambda expected, case: numbers(case.arguments[name])


def _flipped(axis: int) -> Make:
    return lambda expected, case: np.flip(expected, axis)


def _moved(step: int, axis: int, wraps: bool) -> Make:
    def make(expected: Array, case: Case) -> Array:
        moved = np.roll(expected, step, axis)
        return moved if wraps else moved - _only(moved, axis, 0 if step > 0 else -1)

    return make


def _part(axis: int, index: int) -> Make:
    return lambda expected, case: _only(expected, axis, index)


def _without(axis: int, index: int) -> Make:
    return lambda expected, case: expected - _only(expected, axis, index)


def _only(array: Array, axis: int, index: int) -> Array:
    """Return the array with zeros except at one position along an axis."""
    only = np.zeros_like(array)
    if array.shape[axis]:
        np.moveaxis(only, axis, 0)[index] = np.moveaxis(array, axis, 0)[index]
    return only


def _all_same(pairs: Pairs, make: Make) -> bool:
    """Return True if the answer equals `make(expected, case)` in all cases."""
    for actual, expected, case in pairs:
        made = make(expected, case)
        if made is None or made.shape != actual.shape or not close(actual, made).all():
            return False
    return True


def _equal_to(name: str, pairs: Pairs) -> Reason | None:
    if _all_same(pairs, lambda e, c: 0 * e):
        is_layer = pairs[0][2].kind == "layer"
        why = ": it was not computed, or not stored" if is_layer else ""
        return Reason("zero", f"{name} is zero in every case{why}.")
    for given in ("dy", "x"):
        if pairs[0][2].kind == "layer" and _all_same(pairs, _given(given)):
            what = "the derivative is missing" if given == "dy" else "dy is not used"
            return Reason(
                "derivative missing" if given == "dy" else "dy ignored",
                f"{name} equals {given} in every case: {what}.",
            )
    if pairs[0][2].kind == "function":
        for given in pairs[0][2].arguments:
            if _all_same(pairs, _argument(given)):
                return Reason("unchanged", f"{name} equals the argument {given} in every case.")
    return None


def _scaled(name: str, pairs: Pairs) -> Reason | None:
    """Recognize the expected result times a factor: a constant, or a size."""
    if _all_same(pairs, lambda e, c: -e):
        return Reason(
            "sign", f"{name} has the wrong sign everywhere: there is one minus too many or too few."
        )
    if _all_same(pairs, lambda e, c: np.abs(e)):
        return Reason(
            "sign", f"{name} has the correct magnitude everywhere, but is never negative."
        )
    ratios, sizes = [], []
    for actual, expected, case in pairs:
        if not expected.any():
            if not close(actual, expected).all():
                return None
            continue
        ratio = float((actual * expected).sum() / (expected * expected).sum())
        if not ratio or not close(actual, ratio * expected).all():
            return None
        ratios.append(ratio)
        sizes.append(_sizes(case))
    if len(ratios) < 3:
        return None
    if np.allclose(ratios, 1, rtol=1e-3):
        return None
    if np.allclose(ratios, ratios[0], rtol=1e-3):
        return Reason("factor", f"{name} is {ratios[0]:.4g} times the expected value everywhere.")
    for size in sizes[0]:
        values = [float(one.get(size, 0)) for one in sizes]
        if np.allclose(np.array(ratios) * values, 1, rtol=1e-3):
            return Reason(
                "divided",
                f"{name} is too small by the factor {size}: there is one division "
                "by {size} too many. Replace a mean by a sum, or remove the division.",
            )
        if np.allclose(ratios, values, rtol=1e-3):
            return Reason(
                "mean missing",
                f"{name} is too large by the factor {size}: a division by {size} is missing.",
            )
        if np.allclose(ratios, np.square(values), rtol=1e-3):
            return Reason(
                "mean missing",
                f"{name} is too large by the square of {size}: divide by "
                "it instead of multiplying.",
            )
    return None


# Sizes differ from case to case, so a factor that equals 1 / N in all cases is 1 / N.

AXES = {
    2: ("N (traces)", "D (features)"),
    3: ("N (traces)", "L (samples)", "C (channels)"),
    4: ("N (pictures)", "H (rows)", "W (columns)", "C (channels)"),
}


def _sizes(case: Case) -> dict[str, int]:
    """Return the sizes of a case by name, and their products."""
    sizes: dict[str, int] = {
        name: int(value) for name, value in case.arguments.items() if isinstance(value, int)
    }
    x, dy = case.more.get("x"), case.more.get("dy")
    if dy is not None:
        sizes["dy.size"] = int(dy.size)
    if x is None:
        x = next((v for v in case.arguments.values() if isinstance(v, np.ndarray)), None)
    for array, last in ((x, ""), (dy, " of the output")):
        if array is not None:
            for axis, size in zip(AXES.get(array.ndim, ()), array.shape, strict=False):
                is_new = last == "" or (x is not None and size not in x.shape)
                name = axis if not last else axis.replace("L (samples)", "M (windows)")
                if is_new or name not in sizes:
                    sizes.setdefault(name + ("" if name.startswith("M") else last), size)
            sizes.setdefault("dy.size" if last else "x.size", int(array.size))
            rows = int(array.size // array.shape[-1]) if array.ndim and array.size else 0
            sizes.setdefault("N L", rows)
    return sizes


# An incorrect dy
# ---------------
# A backward that uses another array in place of dy returns the solution's result for that array.

OTHERS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "all ones": ("dy ignored", np.ones_like),
    "|dy|, without signs": ("sign of dy", np.abs),
    "dy with negative values set to zero": ("mask of dy", lambda dy: np.maximum(dy, 0)),
    "dy²": ("square of dy", np.square),
    "the sum of dy everywhere": ("dy summed", lambda dy: dy.sum() + 0 * dy),
    "the mean of dy over axis 0": ("dy averaged", lambda dy: dy.mean(axis=0) + 0 * dy),
    "its first position along axis 1, everywhere": ("one dy", lambda dy: dy[:, :1] + 0 * dy),
    "its last position along axis 1, everywhere": ("one dy", lambda dy: dy[:, -1:] + 0 * dy),
    "dy in reverse order along axis 1": ("dy reversed", lambda dy: dy[:, ::-1]),
}
"""Arrays that an incorrect backward may use in place of dy, and the name of the mistake."""


def _with_another_dy(name: str, pairs: Pairs, again: Again) -> Reason | None:
    """Recognize the solution's result for another dy."""
    if pairs[0][2].kind != "layer" or pairs[0][2].more.get("dy") is None:
        return None

    def using(change: Callable[[Array], Array]) -> Make:
        def make(expected: Array, case: Case) -> Array | None:
            other = case._replace(more={**case.more, "dy": change(case.more["dy"])})
            return numbers(again(other).results.get(name))

        return make

    for words, (mistake, change) in OTHERS.items():
        if all(case.more["dy"].ndim > 1 for *_, case in pairs) and _all_same(pairs, using(change)):
            ignored = ": dy is not used" if mistake == "dy ignored" else ""
            return Reason(mistake, f"{name} would be correct if dy were {words}{ignored}.")
    return None


def _rounded(name: str, pairs: Pairs) -> Reason | None:
    if _all_same(pairs, lambda e, c: np.trunc(e)):
        return Reason(
            "integers",
            f"{name} is truncated to integers: it is stored in an array of integers. Create the "
            "array with dtype float.",
        )
    if all(close(a, e, 5e-3).all() for a, e, _ in pairs):
        return Reason("precision", f"{name} is correct to only about three digits. Was it rounded?")
    return None


def _reordered(name: str, pairs: Pairs) -> Reason | None:
    n_axes = min(e.ndim for _, e, _ in pairs)
    for axis in range(n_axes):
        if _all_same(pairs, _flipped(axis)):
            return Reason(
                "reversed", f"{name} has the correct values in reverse order along axis {axis}."
            )
        for step, where in ((1, "late"), (-1, "early")):
            for wraps in (True, False):
                if _all_same(pairs, _moved(step, axis, wraps)):
                    return Reason(
                        "shifted",
                        f"{name} has the correct values one position too {where} along "
                        f"axis {axis}.",
                    )
    return _turned(pairs)


def _turned(pairs: Pairs) -> Reason | None:
    if _all_same(pairs, lambda e, c: e.T) or _all_same(
        pairs, lambda e, c: e.swapaxes(-1, -2) if e.ndim > 1 else e
    ):
        return Reason(
            "transposed", "The values are correct, but the axes are exchanged: transpose it."
        )
    if _all_same(pairs, lambda e, c: e.T.reshape(e.shape)):
        return Reason(
            "transposed",
            "The values are correct, but in the order of the transposed array: use `.T` or "
            "`transpose`, not `reshape`.",
        )
    return None


def _left_out(name: str, pairs: Pairs) -> Reason | None:
    """Recognize a result that is correct in one part and zero elsewhere, or the opposite."""
    n_axes = min(e.ndim for _, e, _ in pairs)
    for axis in range(n_axes):
        for at, which in ((0, "first"), (-1, "last")):
            part = f"at the {which} position along axis {axis}"
            if _all_same(pairs, _part(axis, at)):
                return Reason(
                    "only one part", f"{name} is correct {part} and zero everywhere else."
                )
            if _all_same(pairs, _without(axis, at)):
                return Reason(
                    "part missing", f"{name} is zero {part}, and correct everywhere else."
                )
    return None


# Described
# ---------
# A mistake without a name may still occur only at certain positions, or only for one sign.


def described(name: str, trials: Sequence[Trial]) -> str:
    """Describe the positions of incorrect entries, if one rule holds in all cases."""
    rules: dict[str, Callable[[Array, Case], Array | None]] = {
        "where x is negative": lambda off, c: _where(c, off, "x", lambda v: v < 0),
        "where x is positive": lambda off, c: _where(c, off, "x", lambda v: v > 0),
        "where dy is negative": lambda off, c: _where(c, off, "dy", lambda v: v < 0),
        "where dy is positive": lambda off, c: _where(c, off, "dy", lambda v: v > 0),
    }
    offs = []
    for trial in trials:
        actual = numbers(trial.actual.results.get(name))
        expected = numbers(trial.expected.results.get(name))
        if actual is None or expected is None or actual.shape != expected.shape:
            return ""
        offs.append((~close(actual, expected), trial.case))
    offs = [(off, case) for off, case in offs if off.any()]
    for words, rule in rules.items():
        masks = [(off, rule(off, case)) for off, case in offs]
        holds = all(mask is not None and not (off & ~mask).any() for off, mask in masks)
        if holds and any(mask is not None and not mask.all() for _, mask in masks):
            return f"{name} differs only {words}."
    n_axes = min((off.ndim for off, _ in offs), default=0)
    for axis in range(n_axes):
        for at, which in ((0, "first"), (-1, "last")):
            keeps = [~(off & ~_only(np.ones_like(off), axis, at)).any() for off, _ in offs]
            if all(keeps) and any(off.shape[axis] > 1 for off, _ in offs):
                return f"{name} differs only at the {which} position along axis {axis}."
    return ""


def _where(case: Case, off: Array, name: str, rule: Callable[[Array], Array]) -> Array | None:
    array = case.more.get(name)
    return rule(array) if array is not None and array.shape == off.shape else None


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
