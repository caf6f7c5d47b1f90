"""Names of mistakes: the cause of an error, from the error.

"Relative error 0.83" shows that something is incorrect, and not what. But most mistakes are common
ones, and each leaves a pattern. A forgotten minus sign gives exactly the correct gradient, times
minus one. A kernel that was not flipped gives the correct values in reverse order. An `=` in place
of a `+=` leaves the contribution of the last window only.

The checker knows the correct gradient. It makes each known mistake in it on purpose, in the module
`suspects`, and compares the result with what backward returned. A mistake that explains every
digit is named; otherwise the report describes which entries are incorrect.

In a small array several mistakes can look alike: if only the first of two dy is positive, a mask
of dy is the same as a sum that leaves the second one out. So a mistake is named only if it also
explains the gradients for other dy and at other values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from numpycnn.checks.evidence import Evidence, same
from numpycnn.checks.report import Mistake
from numpycnn.checks.suspects import SUSPECTS, Suspects

NOT_LINEAR = (
    "twice the dy does not give twice the gradient, or minus dy not minus the gradient: is it "
    "clipped, rounded, normalized or masked by dy, or is a term without dy added? "
)
CONSTANT_TERM = Mistake(
    "constant term", "backward takes a term that depends on the array for a constant"
)


def name_mistake(
    evidence: Evidence, others: Sequence[Callable[[], Evidence | None]] = ()
) -> Mistake:
    """Name the mistake that explains the incorrect gradient exactly, or describe the error.

    `others` return the evidence for other dy and at other values.

    >>> expected = np.array([1.0, -2.0, 3.0])
    >>> columns = np.diag(expected)
    >>> dy, arrays = np.ones(3), {"input": expected}
    >>> case = Evidence("input", -expected, expected, columns, dy, expected, arrays, {}, None)
    >>> name_mistake(case)
    Mistake(name='sign', message='every sign is incorrect: one minus too many or too few')
    """
    actual, expected = evidence.actual, evidence.expected
    if not np.isfinite(actual).all():
        return Mistake(
            "not finite",
            f"{int((~np.isfinite(actual)).sum())} of {actual.size} entries are NaN or infinite: a "
            "division by zero, a logarithm of zero, or an exponential of a large number",
        )
    if evidence.blind is not None and same(actual, evidence.blind, 1e-10):
        return CONSTANT_TERM  # before "precision": the term may be small
    off, terms = np.abs(actual - expected), evidence.terms()  # a small entry has its own digits
    if evidence.is_sample and not evidence.is_times(1):
        off = np.full_like(off, np.inf)  # some entry that was not sampled has a larger error
    for dtype, digits, near in ((np.float16, "three", 1e-2), (np.float32, "seven", 1e-5)):
        is_narrow = np.array_equal(actual.astype(dtype).astype(np.float64), actual)
        if is_narrow and (off <= near * terms).all():
            return Mistake(
                "precision",
                f"correct to {digits} digits, and every value fits a {dtype.__name__}: something "
                "was computed or stored in lower precision",
            )
    if (off <= 1e-5 * terms).all():
        return Mistake(
            "precision",
            "correct to five digits only: something was computed or stored in lower precision, or "
            "with another eps than in forward",
        )
    for suspects in SUSPECTS[:2] if evidence.is_sample else SUSPECTS:
        for name, sentence, gradient in suspects(evidence):
            mistake = Mistake(name, sentence)
            if evidence.explained_by(gradient) and all(
                _explains(mistake, suspects, evidence, other) for other in others
            ):
                return mistake
    return Mistake("unknown" if evidence.is_linear() else "not linear", describe_pattern(evidence))


def _explains(
    mistake: Mistake,
    suspects: Suspects,
    evidence: Evidence,
    other: Callable[[], Evidence | None],
) -> bool:
    """Whether a mistake also explains another gradient, if there is one.

    >>> dx = np.array([1.0, 2.0])
    >>> e = Evidence("input", 3 * dx, dx, dx, dx, dx, {}, {}, None)
    >>> factor = Mistake("factor", "")
    >>> sign = Mistake("sign", "every sign is incorrect: one minus too many or too few")
    >>> _explains(factor, SUSPECTS[1], e, lambda: None)
    True
    >>> _explains(factor, SUSPECTS[1], e, lambda: e)
    True
    >>> _explains(factor, SUSPECTS[1], e, lambda: e._replace(actual=2 * dx))
    False
    >>> _explains(sign, SUSPECTS[0], e, lambda: e)
    False
    >>> _explains(sign, SUSPECTS[0], e, lambda: e._replace(actual=-dx))
    True
    """
    e = other()
    if e is None:
        return True
    if mistake.name == "factor":
        return same(e.actual, evidence.factor() * e.expected, e.same)
    gradients = [dx for name, sentence, dx in suspects(e) if mistake == (name, sentence)]
    return any(same(e.actual, gradient, e.same) for gradient in gradients)


# Unknown mistakes
# ----------------


def describe_pattern(e: Evidence) -> str:
    """Describe an unknown mistake: which entries are incorrect, and by which factor.

    >>> dx = np.array([[1.0, 2.0, -3.0], [4.0, 5.0, 6.0]])
    >>> e = Evidence("input", dx * [1, 1, 2], dx, dx, dx, dx, {"input": dx}, {}, None)
    >>> e = e._replace(is_linear=lambda: True)
    >>> for part in describe_pattern(e).split(", "):
    ...     print(part)
    no known mistake; 2 of 6 entries are incorrect
    only at 2 along the inputs
    where backward returned 2 times the expected value

    >>> changed = e._replace(actual=dx * np.where(dx < 0, 3, 1))
    >>> for part in describe_pattern(changed).split(", "):
    ...     print(part)
    no known mistake; 1 of 6 entries are incorrect
    only at 0 along the traces
    only at 2 along the inputs
    only where the input is negative
    where backward returned 3 times the expected value

    >>> changed = e._replace(actual=dx * [[2], [1]], is_sample=True)
    >>> for part in describe_pattern(changed).split(", "):
    ...     print(part)
    no known mistake; 3 of 6 sampled entries are incorrect
    where backward returned 2 times the expected value

    >>> dx = np.arange(1.0, 9).reshape(1, 8)
    >>> e = e._replace(actual=dx + np.sign(dx - 1), expected=dx, arrays={"input": dx})
    >>> for part in describe_pattern(e).split(", only"):
    ...     print(part)
    no known mistake; 7 of 8 entries are incorrect
     at 1, 2, 3, 4, 5, 6 … along the inputs
     where the input is positive, where backward returned 1.12 to 1.5 times the expected value

    >>> describe_pattern(e._replace(actual=0 * dx + 1, expected=0 * dx, arrays={"input": dx}))
    'no known mistake; 8 of 8 entries are incorrect'
    """
    size = float(np.max(np.abs(e.expected))) or float(np.max(np.abs(e.actual)))
    wrong = np.abs(e.actual - e.expected) > e.same * size
    entries = "sampled entries" if e.is_sample else "entries"
    text = ["no known mistake; " if e.is_linear() else NOT_LINEAR]
    text[0] += f"{int(wrong.sum())} of {wrong.size} {entries} are incorrect"
    for axis, letter in enumerate(() if e.is_sample else e.axis_names()):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        hit = wrong.any(axis=others)
        if 0 < hit.sum() < len(hit):
            places = ", ".join(map(str, np.flatnonzero(hit)[:6]))
            more = " …" if hit.sum() > 6 else ""
            text.append(f"only at {places}{more} along {letter}")
    for sign, where in ((-1, "negative"), (1, "positive")):
        if (
            not e.is_sample
            and wrong.any()
            and not wrong.all()
            and (np.sign(e.arrays[e.name][wrong]) == sign).all()
        ):
            text.append(f"only where the {e.name} is {where}")
    ratios = e.actual[wrong & (e.expected != 0)] / e.expected[wrong & (e.expected != 0)]
    if ratios.size:
        low, high = _to_digits(ratios.min()), _to_digits(ratios.max())
        span = low if low == high else f"{low} to {high}"
        text.append(f"where backward returned {span} times the expected value")
    return ", ".join(text)


def _to_digits(ratio: float) -> str:
    """A ratio to three digits, or to as many as show its difference from one.

    >>> [_to_digits(ratio) for ratio in (1.0, 2.0, 0.12345, 1.0001, 1 + 1e-15)]
    ['1', '2', '0.123', '1.0001', '1.000000000000001']
    """
    digits = 3
    while digits < 16 and float(f"{ratio:.{digits}g}") == 1 != ratio:
        digits += 1
    return f"{ratio:.{digits}g}"
