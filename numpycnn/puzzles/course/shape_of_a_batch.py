"""The shape of a batch

A seismometer with two components wrote 40 records. Each lasts 30 seconds and has 50 samples per
second. All records are stored in one array. What is its shape?
"""

shape = ...  # three integers, in the axis order of this project: N, L, C

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "The shape of a batch"
HINTS = (
    "The letters are N, L, C: traces, samples, channels.",
    "There are 50 samples per second, and each component is a channel.",
)
SOLUTION = "(40, 1500, 2)"
FORMS = ("[40, 30 * 50, 2]",)
WRONG = {
    "(40, 2, 1500)": "axis order: the channels are the last axis.",
    "(2, 40, 1500)": "axis order: the traces are the first axis, the channels the last.",
    "(2, 1500, 40)": "axis order: the traces are the first axis, the channels the last.",
    "(1500, 2, 40)": "axis order: the traces are the first axis, the channels the last.",
    "(1500, 40, 2)": "axis order: the traces are the first axis, the samples the second.",
    "(40, 1500)": "no channel axis: there is always a channel axis, here of size 2.",
    "(40, 1500, 1)": "channels: two components are two channels.",
    "(80, 1500, 1)": "channels: the two components of a record are its channels, not two traces.",
    "(80, 1500)": "channels: the two components of a record are its channels, not two traces.",
    "(40, 3000, 1)": "channels: the two components of a record are its channels, not one long trace.",
    "(40, 30, 2)": "seconds: the second axis counts samples, not seconds.",
    "(40, 50, 2)": "seconds: 50 samples per second, for 30 seconds.",
    "'(40, 1500, 2)'": "wrong type",
}
LESSON = "N = 40 traces, L = 30 · 50 samples, C = 2 channels. The channels are the last axis."


def cases():
    return [value("shape")]
