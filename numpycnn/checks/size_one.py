"""Values of size one: what a second comparison decides.

Where a value is lost in rounding completely, no measurement shows it: the slope of tanh at 20 is
below the last digit of its output. So where an error could be of this kind, and where the values
are far from one, the comparison is repeated with every array scaled to values up to one. A
gradient that is incorrect there is incorrect. One that is correct there, and whose error here is
at most its rounding, is correct. One that is correct there but lost in rounding here is
undecided: after a softmax that is certain to thirty digits, a mistake is not visible.
"""

from __future__ import annotations

from numpycnn.checks.derivatives import TOLERANCE
from numpycnn.checks.mistakes import CONSTANT_TERM
from numpycnn.checks.report import GradientResult

NEAR_ROUNDING, ALL_ZERO = "near rounding", "zero everywhere"  # two kinds of doubt
UNDECIDED = (
    "cannot be decided at this scale, where rounding alone could do this; try an x, and "
    "parameters, of size 1"
)
SEEN_AT_SIZE_ONE = "found with every array scaled to values up to one; here it is near the rounding"
ONLY_AT_SIZE_ONE = "correct here, but not with every array scaled to values up to one"


def decided(
    here: GradientResult,
    doubt: str,
    is_far: bool,
    there: GradientResult,
    doubt_there: str,
    is_zero_there: bool,
) -> GradientResult | None:
    """Decide from the results at the given values and at size one; None if they cannot decide.

    The error of an example is 1 here, and 0.1 at size one:

    >>> def decide(here, there, doubt="", doubt_there="", is_zero=False, is_far=True, error=0.1,
    ...            method="complex", mistake=None):
    ...     at_one = GradientResult("w", there, method, error, mistake=mistake)
    ...     here = GradientResult("w", here, method, 1.0)
    ...     found = decided(here, doubt, is_far, at_one, doubt_there, is_zero)
    ...     return found and (found.status, found.error, *found.notes)

    A gradient that is correct here is correct, unless an error is certain at size one:

    >>> decide("correct", "correct")
    ('correct', 1.0)
    >>> decide("correct", "incorrect") == ("incorrect", 0.1, ONLY_AT_SIZE_ONE)
    True
    >>> decide("correct", "incorrect", doubt_there=NEAR_ROUNDING)
    ('correct', 1.0)
    >>> decide("correct", "incorrect", NEAR_ROUNDING, NEAR_ROUNDING)[:2]
    ('incorrect', 0.1)
    >>> decide("correct", "undecided") is None
    True

    Differences must also show a large error, and either a doubt here or a term that they alone see:

    >>> def differences(doubt, error, mistake=None):
    ...     options = {"method": "central", "error": error, "mistake": mistake}
    ...     found = decide("correct", "incorrect", doubt, **options)
    ...     return found and found[:2]
    >>> [differences(doubt, 1.1e-6) for doubt in ("", NEAR_ROUNDING)]
    [None, ('incorrect', 1.1e-06)]
    >>> [differences("", error, CONSTANT_TERM) for error in (1.1e-6, 1e-6)]
    [('incorrect', 1.1e-06), None]

    A gradient that is zero here may have been lost if it is far from one, and not zero there:

    >>> [decide("correct", "correct", ALL_ZERO, "", *where) for where in (
    ...     (False, True), (False, False), (True, True))]
    [None, ('correct', 1.0), ('correct', 1.0)]
    >>> decide("correct", "correct", NEAR_ROUNDING)
    ('correct', 1.0)

    An error here that is near the rounding is confirmed at size one, or nothing is decided:

    >>> [decide("incorrect", status, NEAR_ROUNDING) for status in ("correct", "undecided")]
    [None, None]
    >>> decide("incorrect", "incorrect", NEAR_ROUNDING) == ("incorrect", 0.1, SEEN_AT_SIZE_ONE)
    True
    >>> decide("incorrect", "incorrect", NEAR_ROUNDING, is_far=False)
    ('incorrect', 1.0)
    """
    if there.status == "incorrect" and here.ok and doubt_there and not doubt:
        return here  # the gradient vanishes at size one, as that of tanh(x / 1e-9)
    # The input may have another unit: differences of sin(x / 1e-9) show nothing at size one.
    is_exact = here.method == "complex" or there.mistake == CONSTANT_TERM
    is_steady = there.error > TOLERANCE["central"] and (doubt or is_exact)
    if there.status == "incorrect" and here.ok and there.method == "central" and not is_steady:
        return None
    if there.status == "incorrect":
        is_seen_here = here.status == "incorrect" and not is_far
        notes = (*there.notes, ONLY_AT_SIZE_ONE if here.ok else SEEN_AT_SIZE_ONE)
        return here if is_seen_here else there._replace(notes=notes)
    # Dead ReLUs make a gradient zero, too; but far from one it may have been lost.
    is_lost = doubt == ALL_ZERO and is_far and not is_zero_there
    return None if here.status == "incorrect" or is_lost or not there.ok else here
