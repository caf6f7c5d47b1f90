"""The slope of a line

    y = 3 x + 1

At x = 2 it is 7. Now move x up by a little, say by 0.001. By how many times as much does y move?
"""

slope = ...  # a number: how far y moves, over how far x moves

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_number

HINTS = ("Compute y at 2.001, and take off the 7.", "y moves by 0.003.")
SOLUTION = "3"
WRONG = {"7": "value", "6": "does not", "1 / 3": "upside down", "4": "stays", "-3": "sign"}
LESSON = "See it: at 2.001 y is 7.003. That is 0.003 more, three times as far as x moved."


def check(answer, right):
    known = {
        7: "That is the value of y. How far does it move?",
        6: "That is 3 x. The slope of a line does not depend on x.",
        4: "The 1 stays where it is when x moves.",
    }
    check_number(answer.slope, right.slope, known)
