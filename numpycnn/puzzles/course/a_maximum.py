"""A maximum

    y = max(a, b, c)        a = 2, b = 5, c = 4

Behind it the loss says dy = 3: it grows three times as fast as y. What comes back to a, b and c?
"""

da_db_dc = ...  # three numbers

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_value

HINTS = (
    "Move a up by 0.001. Does y move? Then b.",
    "Only the winner moves y. What comes to it is dy, times a slope of 1.",
)
SOLUTION = "(0, 3, 0)"
WRONG = {
    "(0, 1, 0)": "dy",
    "(3, 3, 3)": "winner",
    "(1, 1, 1)": "winner",
    "(0, 5, 0)": "value",
    "(0, 15, 0)": "value",
}
LESSON = "The winner takes it all. The losers could move a little, and nothing would change."


def check(answer, right):
    known = {
        (0, 1, 0): "The slope is right. It still has to be multiplied with dy.",
        (3, 3, 3): "Move a by a little: y stays. Only the winner gets something.",
        (1, 1, 1): "Move a by a little: y stays. Only the winner gets something.",
        (0, 5, 0): "5 is the value of b, and the slope of y = b is 1.",
        (0, 15, 0): "5 is the value of b, and the slope of y = b is 1.",
    }
    check_value(answer.da_db_dc, right.da_db_dc, known)
