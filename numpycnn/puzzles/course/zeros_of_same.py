"""Where the zeros of "same" go

A convolution with padding "same" puts zeros around the trace, so that with stride S there are as
many outputs as there would be steps of S in the trace: L / S, rounded up. Half of the zeros go to
the left and half to the right; if there is an odd one, it goes to the right.

Output m begins at sample m S of the trace with its zeros, and covers K samples. So the last
window has to end where the zeros end, unless there is room enough without any.
"""


def zeros_around(length, taps, stride):
    """How many zeros stand to the left and to the right."""
    n_outputs = -(-length // stride)  # length / stride, rounded up
    total = ...  # how many zeros there are in all, from n_outputs, stride, taps and length
    return total // 2, total - total // 2


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.checks.reference import same_padding
from numpycnn.puzzles.grading import check_function

HINTS = (
    "At which sample does the last window begin? At which does it end?",
    "It begins at (n_outputs - 1) * stride and covers so many taps. Take off what is there.",
    "With a stride above the taps that is less than nothing: then there are no zeros.",
)
SOLUTION = "max(0, (n_outputs - 1) * stride + taps - length)"
WRONG = {
    "taps - 1": "it should be",
    "(n_outputs - 1) * stride + taps - length": "it should be",
    "max(0, n_outputs * stride + taps - length)": "it should be",
    "max(0, taps - stride)": "it should be",
}
LESSON = (
    "With K even and S = 1 the right-hand side gets one zero more. Other libraries agree, but not "
    "all, and then a net that was carried over is off by one sample."
)


def check(answer, right):
    def arguments(draw):
        return draw(1, 20), draw(1, 7), draw(1, 5)

    check_function(answer.zeros_around, same_padding, arguments)
