"""A maximum

    y = max(a, b, c)        a = 2, b = 5, c = 4

Suppose the loss grows three times as fast as y, so dy = 3. What is the derivative of the loss with
respect to a, b and c?
"""

da_db_dc = ...  # three numbers

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "Every layer in NumPy"
HINTS = (
    "Increase a by 0.001. Does y change? Then do the same with b.",
    "Only the maximum changes y. It receives dy, times a slope of 1.",
)
SOLUTION = "(0, 3, 0)"
FORMS = ("[0, 3 * 1, 0]",)
WRONG = {
    "(0, 1, 0)": "dy missing: the slope is correct. Multiply it with dy.",
    "(3, 3, 3)": "not only the maximum: if a increases slightly, y does not change. Only the maximum receives dy.",
    "(1, 1, 1)": "not only the maximum: if a increases slightly, y does not change. Only the maximum receives dy.",
    "(1, 3, 1)": "not only the maximum: if a increases slightly, y does not change, so the derivative is 0.",
    "(0, 5, 0)": "value: 5 is the value of b, and the slope of y = b is 1.",
    "(0, 15, 0)": "value: 5 is the value of b, and the slope of y = b is 1.",
    "(3, 0, 0)": "wrong position: b is the maximum, not a.",
    "(0, 0, 3)": "wrong position: b is the maximum, not c.",
    "(2, 5, 4)": "value: these are the values. The slope of y = b is 1.",
    "(6, 15, 12)": "value: these are the values times dy. The slope of y = b is 1.",
    "(0, -3, 0)": "sign: increase b, and y increases.",
    "(-3, 3, -3)": "not only the maximum: if a decreases slightly, y does not change, so the derivative is 0.",
    "3": "wrong shape",
}
LESSON = "The maximum receives all of dy. Small changes of the other values do not affect y."


def cases():
    return [value("da_db_dc")]
