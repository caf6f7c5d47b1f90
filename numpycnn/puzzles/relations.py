"""Relations: what an incorrect result has in common with the expected one, in all cases.

The sign, a factor, the order of the values, the part that is correct: a relation that holds in all
cases has a name. Where there is none, `described` states where the entries differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from numpycnn._types import Array
from numpycnn.puzzles.cases import Case, Outcome
from numpycnn.puzzles.compare import close, numbers, same
from numpycnn.puzzles.reasons import Reason, Trial

# One relation
# ------------
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
