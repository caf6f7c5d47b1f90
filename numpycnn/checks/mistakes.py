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

from numpycnn._types import Array
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
    >>> columns, dy, arrays = np.diag(expected), np.ones(3), {"w": expected}
    >>> e = Evidence("w", -expected, expected, columns, dy, expected, arrays, {}, None)
    >>> e = e._replace(is_linear=lambda: True)
    >>> name_mistake(e)
    Mistake(name='sign', message='every sign is incorrect: one minus too many or too few')
    >>> name_mistake(e, [lambda: e._replace(actual=2 * expected)]).name  # not for another dy
    'unknown'

    >>> def name(*actual, **data):
    ...     return name_mistake(e._replace(actual=np.array(actual), **data)).name

    >>> name(3.0, -2.0, 0.0), name(3.0, -2.0, 0.0, is_linear=lambda: False)
    ('unknown', 'not linear')
    >>> name(1.0, -2.0, np.nan), name(1.0, -2.0, 3.00001)
    ('not finite', 'precision')

    The complex step takes a term that is not analytic for a constant, and so does backward.

    >>> blind = np.array([1.0, -2.0, 3.00001])
    >>> name(1.0, -2.0, 3.00001 + 2e-10, blind=blind), name(1.0, -2.0, 3.00001 + 4e-10, blind=blind)
    ('constant term', 'precision')

    Where only some entries of a large array are compared, their order is not.

    >>> name(3.0, -2.0, 1.0), name(3.0, -2.0, 1.0, is_sample=True)
    ('reversed', 'unknown')
    >>> name(2.0, -4.0, 6.0, is_sample=True)
    'factor'
    """
    actual = evidence.actual
    if not np.isfinite(actual).all():
        return Mistake(
            "not finite",
            f"{int((~np.isfinite(actual)).sum())} of {actual.size} entries are NaN or infinite: a "
            "division by zero, a logarithm of zero, or an exponential of a large number",
        )
    if evidence.blind is not None and same(actual, evidence.blind, 1e-10):
        return CONSTANT_TERM  # before "precision": the term may be small
    precision = _low_precision(evidence)
    if precision is not None:
        return precision
    for suspects in SUSPECTS[:2] if evidence.is_sample else SUSPECTS:
        for name, sentence, gradient in suspects(evidence):
            mistake = Mistake(name, sentence)
            if evidence.explained_by(gradient) and all(
                _explains(mistake, suspects, evidence, other) for other in others
            ):
                return mistake
    return Mistake("unknown" if evidence.is_linear() else "not linear", describe_pattern(evidence))


def _low_precision(e: Evidence) -> Mistake | None:
    """Describe a gradient that is correct, but to few digits.

    >>> def describe(*actual, **data):
    ...     dw = np.array([100.0, 0.0])
    ...     e = Evidence("w", np.array(actual), dw, np.diag(dw), np.ones(2), dw, {}, {}, None)
    ...     mistake = _low_precision(e._replace(**data))
    ...     print(mistake and mistake.message.partition(":")[0])

    >>> describe(100.5, 0)
    correct to three digits, and every value fits a float16
    >>> describe(101.5, 0)
    None
    >>> describe(100 + 2**-11, 0)
    correct to seven digits, and every value fits a float32
    >>> describe(100 + 2**-9, 0)
    None
    >>> describe(100.0009, 0)
    correct to five digits only
    >>> describe(100.0011, 0)
    None

    Of a large array only some entries are compared, and all of them along a random direction.

    >>> describe(100.5, 0, is_sample=True, is_times=lambda factor: factor == 1)
    correct to three digits, and every value fits a float16
    >>> describe(100.5, 0, is_sample=True, is_times=lambda factor: False)
    None
    >>> describe(100.5, 0, is_times=lambda factor: False)
    correct to three digits, and every value fits a float16
    """
    if e.is_sample and not e.is_times(1):
        return None  # some entry that was not sampled has a larger error
    off, terms = np.abs(e.actual - e.expected), e.terms()  # a small entry has its own digits
    for dtype, digits, near in ((np.float16, "three", 1e-2), (np.float32, "seven", 1e-5)):
        is_narrow = np.array_equal(e.actual.astype(dtype).astype(np.float64), e.actual)
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
    return None


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
    >>> e = Evidence("input", dx, dx, dx, dx, dx, {"input": dx}, {}, None)
    >>> def describe(actual, is_linear=True, **data):
    ...     one = e._replace(actual=np.array(actual), is_linear=lambda: is_linear, **data)
    ...     for part in describe_pattern(one).split(", "):
    ...         print(part)

    >>> describe(dx * [1, 1, 2])
    no known mistake; 2 of 6 entries are incorrect
    only at 2 along the inputs
    where backward returned 2 times the expected value
    >>> describe(dx * np.where(dx < 0, 3, 1))
    no known mistake; 1 of 6 entries are incorrect
    only at 0 along the traces
    only at 2 along the inputs
    only where the input is negative
    where backward returned 3 times the expected value
    >>> describe(dx + (dx > 1.5))
    no known mistake; 4 of 6 entries are incorrect
    only where the input is positive
    where backward returned 1.17 to 1.5 times the expected value
    >>> describe(dx * [[2], [1]], is_sample=True)
    no known mistake; 3 of 6 sampled entries are incorrect
    where backward returned 2 times the expected value
    >>> describe(dx + [0, 1.5, 1.6], same=0.25)  # a quarter of the largest entry is 1.5
    no known mistake; 2 of 6 entries are incorrect
    only at 2 along the inputs
    where backward returned 0.467 to 1.27 times the expected value
    >>> describe(dx * [1e-8, 1e-8, 1], expected=0 * dx)
    no known mistake; 2 of 6 entries are incorrect
    only at 2 along the inputs
    >>> describe(dx)
    no known mistake; 0 of 6 entries are incorrect
    >>> describe(dx, is_linear=False)
    twice the dy does not give twice the gradient
    ...
    or is a term without dy added? 0 of 6 entries are incorrect
    """
    size = float(np.max(np.abs(e.expected))) or float(np.max(np.abs(e.actual)))
    wrong = np.abs(e.actual - e.expected) > e.same * size
    entries = "sampled entries" if e.is_sample else "entries"
    start = "no known mistake; " if e.is_linear() else NOT_LINEAR
    text = [f"{start}{int(wrong.sum())} of {wrong.size} {entries} are incorrect"]
    for axis, letter in enumerate(() if e.is_sample else e.axis_names()):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        hit = wrong.any(axis=others)
        if 0 < hit.sum() < len(hit):
            text.append(f"only at {_first_indices(hit)} along {letter}")
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


def _first_indices(hit: Array) -> str:
    """The first six indices at which an array is true.

    >>> _first_indices(np.arange(9) > 2), _first_indices(np.arange(9) > 1)
    ('3, 4, 5, 6, 7, 8', '2, 3, 4, 5, 6, 7 …')
    """
    indices = np.flatnonzero(hit).tolist()
    return ", ".join(map(str, indices[:6])) + (" …" if len(indices) > 6 else "")


def _to_digits(ratio: float) -> str:
    """A ratio to three digits, or to as many as show its difference from one.

    >>> [_to_digits(ratio) for ratio in (1.0, 2.0, 0.12345, 1.0001, 1 + 1e-15)]
    ['1', '2', '0.123', '1.0001', '1.000000000000001']
    """
    digits = 3
    while float(f"{ratio:.{digits}g}") == 1 != ratio:
        digits += 1
    return f"{ratio:.{digits}g}"
