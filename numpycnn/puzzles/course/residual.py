"""A residual, backwards

    y = x + f(x)

The input goes around a layer f as well as through it. `self[0]` is f, with its own forward and
backward.
"""

from numpycnn import Container


class Residual(Container):
    def forward(self, x):
        through, cache = self[0].forward(x)
        return x + through, cache

    def backward(self, dy, cache):
        through, grads = self[0].backward(dy, cache)
        dx = ...  # of the shape of x, from dy and through
        return dx, {f"0.{name}": grad for name, grad in grads.items()}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import Conv1D
from numpycnn.puzzles.grading import check_layers

HINTS = (
    "How many ways lead from x to y?",
    "Around f the slope is 1. What comes back through f is `through`.",
)
SOLUTION = "dy + through"
WRONG = {
    "through": "branch forgotten",
    "dy": "derivative missing",
    "dy * through": "unknown",
    "(dy + through) / 2": "factor",
    "dy + 2 * through": "unknown",
    "dy - through": "unknown",
}
LESSON = "Two ways, one sum. However deep the network is, dy itself comes through to every block."


def case(part, draw):
    channels = draw(1, 3)
    layer = part.Residual(Conv1D(channels, channels, 3, padding="same", rng=0))
    return layer, draw.array(draw(1, 2), draw(2, 5), channels)


def check(answer, right):
    check_layers(answer, right, case, n_cases=8)
