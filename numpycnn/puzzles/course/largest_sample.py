"""The largest sample of each trace

The simplest rule for an arrival looks at the sample that is furthest from zero, and at its sign.
Where it lies is found already. Fetch it, from all traces at once, without a loop.
"""

import numpy as np


def largest_sample(x):
    """For traces (N, L), the sample of each that is furthest from zero: (N,)."""
    place = np.abs(x).argmax(axis=1)  # (N,): where it is
    return ...  # (N,): of trace n the sample x[n, place[n]]


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_function, check_iterations

HINTS = (
    "With two index arrays of the same shape, NumPy takes them pair by pair.",
    "x[rows, place] wants the rows 0, 1, 2, … as an array of N numbers.",
)
SOLUTION = "x[np.arange(len(x)), place]"
WRONG = {
    "x[:, place]": "shape",
    "x.max(axis=1)": "it should be",
    "np.abs(x).max(axis=1)": "it should be",
    "np.array([x[n, place[n]] for n in range(len(x))])": "goes round",
}
LESSON = "Two index arrays are read pair by pair; a slice and an index array, each with each."


def check(answer, right):
    def arguments(draw):
        return (draw.array(draw(1, 4), draw(1, 5)),)

    check_function(answer.largest_sample, right.largest_sample, arguments)
    small, large = arguments_of(3), arguments_of(30)
    check_iterations(answer.largest_sample, small, large, "traces")


def arguments_of(n):
    import numpy as np

    return (np.arange(5.0 * n).reshape(n, 5),)
