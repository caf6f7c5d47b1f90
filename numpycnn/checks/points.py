"""Points: what it shows if a gradient is correct at the given point, and incorrect at another.

The module `elsewhere` visits the points. An error there has a name from the mistakes of the module
`suspects`, or that of the point: a value that is kept, a fixed batch size.
"""

from __future__ import annotations

from typing import NamedTuple

from numpycnn.checks.case import Case
from numpycnn.checks.report import GradientResult, Mistake

NEXT_TO_A_KINK = Mistake(
    "next to a kink", "correct where the function has a kink, incorrect a small step away from it"
)
AFTER_A_STEP = Mistake(
    "kept value",
    "correct at the given parameters, incorrect after a step: a value is kept from construction or "
    "from an earlier call",
)
OTHER_VALUES = Mistake(
    "special value",
    "correct for the given values of x, incorrect for others: the code depends on these values, or "
    "a value is kept from an earlier call",
)
SMALL_OUTPUT = Mistake(
    "output forgotten",
    "correct for the largest outputs, incorrect for an output that is far smaller",
)
AT_ZERO_OR_ONE = Mistake(
    "special value",
    "correct at the given parameters, of which some are 0 or 1, incorrect at others: a parameter "
    "is left out, or its value is kept",
)
OTHER_DY = Mistake("unknown", "correct for one dy, incorrect for another")
OTHER_ROWS = Mistake(
    "kept value",
    "correct for the given rows, incorrect with the rows permuted: a value is kept from an earlier "
    "call, or the code depends on the position of a row",
)
NOT_LINEAR = (
    "correct for the given dy, incorrect for dy times {:g}: backward must be linear in dy; is it "
    "clipped, cut off, normalized or masked by dy?"
)
WHERE_ZERO = (
    "its gradient, or a part of it, is zero at the given values; incorrect at others of the same "
    "magnitude"
)
NOTHING_TESTED = "its gradient is zero here: nothing was tested; try other values"
ONE_ROW = (
    "correct for N = {}, incorrect for N = {}: with one row the mean, the sum and the first row "
    "are the same"
)
OTHER_SIZE = (
    "correct for N = {}, incorrect for N = {}: a batch size is fixed or kept from an earlier call, "
    "or a row is left out"
)


class Point(NamedTuple):
    """The case at another point, and the mistake that an error there shows."""

    case: Case
    mistake: Mistake


def named(result: GradientResult, mistake: Mistake, n_rows: int) -> GradientResult:
    """Return the result with the mistake, unless the error itself has a name that explains it.

    Another point only shows low precision, and some points hide any mistake: a kink, some values
    of x, a parameter of 0 or 1, and a single row, which is the mean, the sum and the last row at
    once.

    >>> def name(own, mistake, n_rows=2):
    ...     found = None if own is None else Mistake(own, "at this point")
    ...     result = GradientResult("w", "incorrect", "complex", 1.0, mistake=found)
    ...     result = named(result, mistake, n_rows)
    ...     return result.mistake.name if result.mistake else result.mistake
    >>> [name(own, AFTER_A_STEP) for own in ("sign", "unknown", None, "precision")]
    ['kept value', 'kept value', 'kept value', 'precision']
    >>> [name(own, OTHER_VALUES) for own in ("sign", "unknown")]
    ['sign', 'special value']
    >>> [name(own, AT_ZERO_OR_ONE) for own in ("sign", "factor", "unknown")]
    ['sign', 'special value', 'special value']
    >>> [name(own, AFTER_A_STEP, n_rows=1) for own in ("sign", "factor")]
    ['sign', 'kept value']
    >>> name("sign", OTHER_DY)
    'sign'
    """
    own = result.mistake.name if result.mistake else "unknown"
    of_any = mistake in (NEXT_TO_A_KINK, OTHER_VALUES, SMALL_OUTPUT)
    is_hidden = mistake is AT_ZERO_OR_ONE or n_rows == 1
    is_sure = own == "precision" or (is_hidden and own not in ("unknown", "factor"))
    if is_sure or mistake is OTHER_DY or (of_any and own != "unknown"):
        return result._replace(notes=(*result.notes, mistake.message))
    return result._replace(mistake=mistake)
