"""A weight that is used three times

    y[m] = w x[m],    m = 0, 1, 2

One weight, for all three. x = (1, -2, 4), and from behind comes dy = (1, 1, 2).
"""

dw = ...  # a number: the derivative of the loss with respect to w

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_number

HINTS = (
    "w touches y[0] with the slope x[0]. What does it get from there? From y[1], from y[2]?",
    "1 · 1, -2 · 1 and 4 · 2, and then one sum.",
)
SOLUTION = "1 * 1 + -2 * 1 + 4 * 2"
WRONG = {
    "1 - 2 + 4": "dy",
    "1 + 1 + 2": "x",
    "(1, -2, 8)": "number",
    "4 * 2": "last",
    "7 / 3": "mean",
}
LESSON = (
    "See it: with w up by 0.001 the loss grows by 0.001 - 0.002 + 0.008 = 0.007. Shares add up."
)


def check(answer, right):
    known = {
        3: "That is the sum of x. Each share is multiplied with its own dy.",
        4: "That is the sum of dy. Each share is multiplied with the slope, which is x.",
        8: "That is the share of the last output. There are three.",
        7 / 3: "The shares are summed. Nobody asked for a mean.",
    }
    check_number(answer.dw, right.dw, known)
