"""A chain of two

    u = 3 x + 1
    z = u²

At x = 2, u = 7 and z = 49. What is the derivative of z with respect to x there?
"""

slope = ...  # a number: the derivative of z with respect to x, at x = 2

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "A computation graph"
HINTS = (
    "Differentiate z with respect to u, then u with respect to x.",
    "2 u times 3, and u is 7.",
)
SOLUTION = "2 * 7 * 3"
FORMS = ("(7.003**2 - 6.997**2) / 0.002",)
WRONG = {
    "14": "first step: that is the derivative of z with respect to u. Multiply with that of u with "
    "respect to x.",
    "3": "second step: that is the derivative of u with respect to x. Multiply with that of z with "
    "respect to u.",
    "2 * 2 * 3": "at x: the slope of u² is taken at u, which is 7, and not at x.",
    "14 + 3": "sum: the slopes of a chain are multiplied, not added.",
    "49": "value: that is the value of z.",
    "49 * 3": "value: the slope of u² is 2 u, not u².",
    "7 * 3": "factor: the slope of u² is 2 u, not u.",
    "2 * 7": "first step: that is the derivative of z with respect to u. Multiply with that of u with "
    "respect to x.",
    "4": "at x: that is the slope of x² at x. The square is taken of u.",
    "14 / 3": "quotient: the slopes of a chain are multiplied, not divided.",
    "-42": "sign",
    "'42'": "wrong type",
}
LESSON = "At 2.001, u is 7.003 and z is 49.042: z changes 42 times as much as x. Slopes multiply."


def cases():
    return [value("slope")]
