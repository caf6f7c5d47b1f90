"""A weight that is used three times

    y[m] = w x[m],    m = 0, 1, 2

One weight for three outputs. x = (1, -2, 4), and the upstream gradient is dy = (1, 1, 2).
"""

dw = ...  # a number: the derivative of the loss with respect to w

# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import value

SECTION = "The method"
HINTS = (
    "y[0] depends on w with the slope x[0]. Which terms does w receive from y[0], y[1] and y[2]?",
    "The terms are 1 · 1, -2 · 1 and 4 · 2. Sum them.",
)
SOLUTION = "1 * 1 + -2 * 1 + 4 * 2"
FORMS = ("sum(a * b for a, b in zip((1, -2, 4), (1, 1, 2)))",)
WRONG = {
    "1 - 2 + 4": "dy missing: that is the sum of x. Multiply each term with its own dy.",
    "1 + 1 + 2": "x missing: that is the sum of dy. Multiply each term with the slope, which is x.",
    "(1, -2, 8)": "wrong shape",
    "4 * 2": "last term: that is the term of the last output. There are three.",
    "1 * 1": "first term: that is the term of the first output. There are three.",
    "7 / 3": "mean: the terms are summed. Do not average.",
    "1 + 2 + 8": "sign: the second term is negative: x[1] = -2.",
    "(1 - 2 + 4) * (1 + 1 + 2)": "product of sums: multiply first, then sum.",
    "1 * -2 * 8": "product: the terms are added.",
    "8 - 2": "term missing: the first term, 1 · 1, is missing.",
    "-7": "sign",
    "'7'": "wrong type",
}
LESSON = (
    "With w larger by 0.001 the loss grows by 0.001 - 0.002 + 0.008 = 0.007. The terms are added."
)


def cases():
    return [value("dw")]
