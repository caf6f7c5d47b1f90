"""A chain of two

    u = 3 x + 1
    z = u²

At x = 2: u = 7 and z = 49. How fast does z move with x there?
"""

slope = ...  # a number: the derivative of z with respect to x, at x = 2

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_number

HINTS = (
    "Step by step: how fast does z move with u? How fast does u move with x?",
    "2 u times 3, and u is 7.",
)
SOLUTION = "2 * 7 * 3"
WRONG = {
    "14": "first step",
    "2 * 2 * 3": "at u",
    "3": "second step",
    "14 + 3": "multiply",
    "49": "value",
}
LESSON = "See it: at 2.001 u is 7.003 and z is 49.042, so z moves 42 times as far. Slopes multiply."


def check(answer, right):
    known = {
        14: "That is how fast z moves with u. And the first step, from x to u?",
        3: "That is how fast u moves with x. And the second step, from u to z?",
        12: "The slope of u² is taken at u, which is 7, and not at x.",
        17: "The slopes of a chain do not add; they multiply.",
        49: "That is the value of z.",
    }
    check_number(answer.slope, right.slope, known)
