"""Two paths to the loss

    u = 2 x
    v = x + 1
    loss = u v

At x = 3: u = 6, v = 4, loss = 24. Two paths lead from x to the loss, one through u and one through
v. What is the derivative of the loss with respect to x?
"""

dx = ...  # a number: the derivative of the loss with respect to x, at x = 3

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "A computation graph"
HINTS = (
    "Multiply along each path. First differentiate the loss with respect to u, with v fixed.",
    "Through u: 4 · 2. Through v: 6 · 1. How are the two combined?",
)
SOLUTION = "4 * 2 + 6 * 1"
FORMS = ("4 * 3 + 2",)
WRONG = {
    "8": "one path: that is the part through u. The part through v is missing.",
    "6": "one path: that is the part through v. The part through u is missing.",
    "8 * 6": "product: slopes are multiplied along a path, and the paths are added.",
    "2 * 1": "product: the slope of u v with respect to u is v, and with respect to v it is u.",
    "2 + 1": "values missing: the slope of u v with respect to u is v, and with respect to v it is u.",
    "24": "value: that is the value of the loss.",
    "6 * 2 + 4 * 1": "exchanged: the slope of u v with respect to u is v, not u.",
    "7": "mean: the two paths are added. Do not average.",
    "10": "values: that is u + v.",
    "-14": "sign",
    "(8, 6)": "wrong shape",
}
LESSON = "At 3.001 the loss is 6.002 · 4.001 = 24.014. Multiply along a path, add the paths."


def cases():
    return [value("dx")]
