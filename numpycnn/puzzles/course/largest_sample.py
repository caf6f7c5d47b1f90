"""The largest sample of each trace

The simplest detector of an arrival uses the sample with the largest magnitude, and its sign. Its
position is already computed. Pick that sample from every trace at once, without a loop.
"""

import numpy as np


def largest_sample(x):
    """For traces (N, L), the sample of each that is furthest from zero: (N,)."""
    place = np.abs(x).argmax(axis=1)  # (N,): the position of the largest magnitude
    return ...  # (N,): the sample x[n, place[n]] of each trace n


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import function, loop_test

SECTION = "A threshold rule"
HINTS = (
    "NumPy pairs the entries of two index arrays of the same shape.",
    "x[rows, place] needs the rows 0, 1, 2, … as an array of N integers.",
)
SOLUTION = "x[np.arange(len(x)), place]"
FORMS = (
    "np.take_along_axis(x, place[:, None], axis=1)[:, 0]",
    "x.ravel()[np.arange(len(x)) * x.shape[1] + place]",
)
WRONG = {
    "x[:, place]": "each with each: `x[:, place]` picks every position from every trace, so the shape is (N, N).",
    "x[place]": "rows: `place` is used as a row number here. It counts samples within a trace.",
    "x.max(axis=1)": "largest value: the largest value is not the sample with the largest magnitude: "
    "that may be negative.",
    "np.abs(x).max(axis=1)": "sign lost: the magnitude is correct, and the sign is lost.",
    "x.min(axis=1)": "smallest value: this is the smallest value of each trace.",
    "place": "position: this is the position of the sample, not its value.",
    "x[0, place]": "first trace: the positions are correct, but all samples come from the first trace.",
    "np.diag(x[:, place])[::-1]": "reversed",
    "np.array([x[n, place[n]] for n in range(len(x))])": "loop",
    "np.array(list(map(lambda row, at: row[at], x, place)))": "forbidden",
}
LESSON = (
    "The entries of two index arrays are paired. A slice and an index array give all combinations."
)
LOOPS = loop_test(
    "largest_sample",
    (np.arange(15.0).reshape(3, 5),),
    (np.arange(150.0).reshape(30, 5),),
    "traces",
)


def case(draw):
    return function("largest_sample", {"x": draw.array(draw(1 + draw.is_small, 4), draw(2, 5))})
