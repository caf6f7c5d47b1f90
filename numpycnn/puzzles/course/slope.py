"""The slope of a line

    y = 3 x + 1

At x = 2, y is 7. Increase x by a small amount, for example by 0.001. How many times as much does y
increase?
"""

slope = ...  # a number: the change of y divided by the change of x

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "A computation graph"
HINTS = ("Compute y at 2.001, and subtract 7.", "y changes by 0.003.")
SOLUTION = "3"
FORMS = ("0.003 / 0.001",)
WRONG = {
    "7": "value: that is the value of y, not its change.",
    "6": "value: that is 3 x. The slope of a line does not depend on x.",
    "4": "constant: the 1 does not change with x.",
    "1": "constant: the 1 is the constant term. It stays where it is when x changes.",
    "2": "x: that is the value of x.",
    "0.003": "not divided: y changes by 0.003 while x changes by 0.001. Divide.",
    "7.003": "value: that is the value of y at 2.001.",
    "3.5": "quotient of values: that is y / x. Divide the changes, not the values.",
    "1 / 3": "unknown",
    "-3": "sign",
    "'3'": "wrong type",
    "print(3)": "None",
}
LESSON = "At 2.001, y is 7.003. That is 0.003 more, three times the change of x."


def cases():
    return [value("slope")]
