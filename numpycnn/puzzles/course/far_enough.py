"""Receptive fields that are large enough

Arrivals in your records are 40 samples long. Which of these networks have an output that depends on
a whole arrival?

    A   four times   Conv1D with 9 taps
    B   Conv1D with 5 taps, MaxPool1D(2), Conv1D with 5 taps, MaxPool1D(2), Conv1D with 5 taps
    C   Conv1D with 9 taps, MaxPool1D(4), Conv1D with 9 taps
    D   four times   Conv1D with 5 taps, and the dilations 1, 2, 4, 8

For each network state the number of samples that one output depends on. Two have 40 or more.
"""

sees = ...  # four integers, for A, B, C and D, such as (1, 2, 3, 4)

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value
from numpycnn.puzzles.reasons import Reason

SECTION = "Receptive field"
HINTS = (
    "Begin with one sample. Each layer adds K - 1 steps.",
    "The length of a step: 1 at first, times the stride of each layer before, times the dilation.",
    "C: 1, and 8 steps of 1, and 3 steps of 1, and 8 steps of 4.",
)
SOLUTION = "(33, 32, 44, 61)"
FORMS = ("(1 + 4 * 8, 1 + 4 + 1 + 4 * 2 + 2 + 4 * 4, 1 + 8 + 3 + 8 * 4, 1 + 4 * (1 + 2 + 4 + 8))",)
WRONG = {
    "(36, 32, 44, 61)": "A",
    "(9, 32, 44, 61)": "A",
    "(33, 15, 44, 61)": "B",
    "(33, 36, 44, 61)": "B",
    "(33, 32, 20, 61)": "C",
    "(33, 32, 41, 61)": "C",
    "(33, 32, 44, 17)": "D",
    "(33, 32, 44, 75)": "D",
    "(33, 32, 44)": "wrong shape",
    "('C', 'D')": "wrong type",
    "33": "wrong shape",
}
LESSON = (
    "C and D. Pooling and dilation enlarge the receptive field much more than additional layers do."
)

WHY = {
    ("A", 36): "The first layer depends on 9 samples, each further one adds 8, not 9.",
    ("A", 9): "Each further layer adds 8.",
    ("B", 15): "After a pooling of 2, neighboring samples are 2 apart.",
    ("C", 20): "After a pooling of 4, neighboring samples are 4 apart.",
    ("C", 41): "The pooling itself adds 3 samples.",
    ("D", 17): "A dilation d makes the steps d samples long.",
}


def cases():
    return [value("sees")]


def assess(trials):
    from numpycnn.puzzles.compare import numbers
    from numpycnn.puzzles.shown import show

    actual = trials[0].actual.results["sees"]
    values, right = numbers(actual), trials[0].expected.results["sees"]
    if values is None or values.shape != (4,):
        kind = "wrong type" if values is None else "wrong shape"
        return Reason(kind, f"sees must be four integers, one per network, got {show(actual)}.")
    for name, number, true in zip("ABCD", values.tolist(), right, strict=True):
        if number != true:
            size = "fewer" if number > true else "more"
            why = WHY.get((name, number), "")
            return Reason(
                name, f"Network {name} depends on {size} than {number:g} samples. {why}".strip()
            )
    return None
