"""The shape of a batch

A seismometer with two components wrote 40 records, each of 30 seconds at 50 samples a second.
They go into one array. What is its shape?
"""

shape = ...  # three whole numbers, in the order in which this project puts the axes

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_value

HINTS = (
    "The letters are N, L, C: traces, samples, channels.",
    "A sample is written 50 times a second, and each component is a channel.",
)
SOLUTION = "(40, 1500, 2)"
WRONG = {
    "(40, 2, 1500)": "last",
    "(2, 40, 1500)": "last",
    "(40, 1500)": "channel axis",
    "(80, 1500, 1)": "one record",
    "(40, 30, 2)": "seconds",
}
LESSON = "N = 40 traces, L = 30 · 50 samples, C = 2 channels, and the channels stand last."


def check(answer, right):
    known = {
        (40, 2, 1500): "Channels go last.",
        (2, 40, 1500): "Traces come first, and channels go last.",
        (40, 1500): "There is always a channel axis, and here it holds two.",
        (80, 1500, 1): "The two components belong to one record: they are its channels.",
        (40, 30, 2): "The second axis counts samples, not seconds.",
    }
    check_value(answer.shape, right.shape, known)
