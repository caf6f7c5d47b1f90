"""Which of these can see far enough?

Arrivals in your records are 40 samples long. Which networks have outputs that see one whole?

    A   four times   Conv1D with 9 taps
    B   Conv1D with 5 taps, MaxPool1D(2), Conv1D with 5 taps, MaxPool1D(2), Conv1D with 5 taps
    C   Conv1D with 9 taps, MaxPool1D(4), Conv1D with 9 taps
    D   four times   Conv1D with 5 taps, and the dilations 1, 2, 4, 8

Say how many samples one output of each can see. Two of them see enough.
"""

sees = ...  # four whole numbers, for A, B, C and D, such as (1, 2, 3, 4)

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import Wrong

HINTS = (
    "Begin with the one sample itself. Each layer adds (K - 1) steps.",
    "How far a step goes: 1 at first, times the stride of every layer before, times the dilation.",
    "C: 1, and 8 steps of 1, and 3 steps of 1, and 8 steps of 4.",
)
SOLUTION = "(33, 32, 44, 61)"
WRONG = {
    "(36, 32, 44, 61)": "A",
    "(33, 15, 44, 61)": "B",
    "(33, 32, 20, 61)": "C",
    "(33, 32, 44, 17)": "D",
    "(33, 32, 44)": "four",
}
LESSON = "C and D. Poolings and dilations make short filters see far; more layers alone hardly do."


def check(answer, right):
    try:
        came = tuple(map(int, answer.sees))
    except TypeError:
        came = ()
    if len(came) != 4:
        raise Wrong(f"It takes four numbers, one for each network; this is {answer.sees!r}.")
    for name, number, true in zip("ABCD", came, right.sees, strict=True):
        if number != true:
            size = "fewer" if number > true else "more"
            raise Wrong(f"Network {name} sees {size} than {number} samples.")
