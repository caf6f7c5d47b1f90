"""A residual block, backward

    y = x + f(x)

There are two paths from x to y, one around the layer f and one through it. `self[0]` is f, with its
own forward and backward.
"""

import numpy as np

from numpycnn import Container


class Residual(Container):
    def forward(self, x):
        through, cache = self[0].forward(x)
        return x + through, cache

    def backward(self, dy, cache):
        through, grads = self[0].backward(dy, cache)
        dx = ...  # the gradient with respect to x, from dy and through
        return dx, {f"0.{name}": grad for name, grad in grads.items()}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import Conv1D
from numpycnn.puzzles.cases import layer

SECTION = "ResNet, 2016"
HINTS = (
    "How many paths lead from x to y?",
    "Around f the slope is 1. The gradient through f is `through`.",
)
SOLUTION = "dy + through"
FORMS = ("np.add(through, dy)", "sum([dy, through])")
WRONG = {
    "through": "path missing: the path around f is missing. Its gradient is dy.",
    "dy": "path missing: the path through f is missing. Its gradient is `through`.",
    "dy * through": "product: the gradients of two paths are added, not multiplied.",
    "(dy + through) / 2": "mean: the gradients of two paths are added. Do not divide by 2.",
    "dy + 2 * through": "counted twice: `through` is counted twice.",
    "2 * dy + through": "counted twice: dy is counted twice.",
    "2 * dy": "path missing: the path through f is missing, and dy is counted twice.",
    "2 * through": "path missing: the path around f is missing, and `through` is counted twice.",
    "dy - through": "sign of a term: `through` is subtracted; add it.",
    "through - dy": "sign of a term: dy is subtracted; add it.",
    "-(dy + through)": "sign",
    "np.maximum(dy, through)": "maximum: the gradients of two paths are added; here the larger one is kept.",
    "1 + through": "dy missing: the path around f has the slope 1, times dy.",
    "np.concatenate([dy, through], axis=-1)": "joined: the two gradients are joined along the channels; "
    "they must be added.",
    "dy.sum() + through": "sum: dy is summed over all entries; add it entry by entry.",
}
LESSON = (
    "The gradients of the two paths are added. Along the skip connections, the gradient reaches every "
    "block of a deep network unchanged."
)


def case(draw):
    channels = draw(1, 3)
    f = Conv1D(channels, channels, 3, padding="same", rng=0)
    return layer("Residual", {"f": f}, draw.array(draw(1, 3), draw(1, 5), channels))
