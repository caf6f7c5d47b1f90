"""Two ways to the loss

    u = 2 x
    v = x + 1
    loss = u v

At x = 3: u = 6, v = 4, loss = 24. There are two ways from x to the loss, one through u and one through v.
"""

dx = ...  # a number: the derivative of the loss with respect to x, at x = 3

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_number

HINTS = (
    "Along each way multiply. How fast does the loss move with u, while v stays?",
    "Through u: 4 · 2. Through v: 6 · 1. And what becomes of the two?",
)
SOLUTION = "4 * 2 + 6 * 1"
WRONG = {"8": "other way", "6": "other way", "8 * 6": "add", "2 * 1": "values", "24": "value"}
LESSON = "See it: at 3.001 the loss is 6.002 · 4.001 = 24.014. Along a way multiply, and add up the ways."


def check(answer, right):
    known = {
        8: "That is what comes through u. There is the other way, too.",
        6: "That is what comes through v. There is the other way, too.",
        48: "Along a way one multiplies; the ways themselves one has to add.",
        2: "How fast u v moves with u depends on the values: it is v.",
        24: "That is the value of the loss.",
    }
    check_number(answer.dx, right.dx, known)
