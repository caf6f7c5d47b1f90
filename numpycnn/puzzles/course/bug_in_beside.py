"""Find the bug: the bridge of a U-Net

    y = x beside f(x)

The channels of x come first, and after them those of f(x). One line is wrong. Which?
"""

import numpy as np

from numpycnn import Container


class Beside(Container):
    def forward(self, x):
        through, cache = self[0].forward(x)
        return np.concatenate([x, through], axis=-1), (x.shape[-1], cache)

    def backward(self, dy, cache):
        channels, inside = cache
        dx, grads = self[0].backward(dy[..., channels:], inside)
        dx = dx + dy[..., -channels:]
        return dx, {f"0.{name}": grad for name, grad in grads.items()}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import Conv1D, Sequential
from numpycnn.puzzles.grading import accuracy, check_layers

GAP = "dx = dx + dy[..., -channels:]"
HINTS = (
    "dy has the channels of y. Which of them belong to x, and which to f(x)?",
    "x came first.",
)
SOLUTION = "dx = dx + dy[..., :channels]"
WRONG = {
    "dx = dx": "unknown",
    "dx = dx + dy": "stopped",
    "dx = dx + dy[..., channels : 2 * channels]": "unknown",
    "dx = dy[..., :channels]": "unknown",
    "dx = dx - dy[..., :channels]": "unknown",
}
LESSON = (
    "The gradient of the one branch went to the other. Somebody made it, or one like it: "
    "https://github.com/BVLC/caffe/pull/2972"
)


def opening():
    def bridged(channels, filters, taps, padding, rng):
        inner = Conv1D(4, 4, taps, padding=padding, rng=rng)
        return Sequential(Conv1D(channels, 4, taps, padding=padding, rng=rng), Beside(inner))

    return (
        f"With this bridge the trace classifier is right on {accuracy(conv=bridged):.0%} of the "
        "traces that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    channels = draw(1, 2)
    layer = part.Beside(Conv1D(channels, channels + draw(0, 2), 3, padding="same", rng=0))
    return layer, draw.array(draw(1, 2), draw(2, 4), channels)


def check(answer, right):
    check_layers(answer, right, case, n_cases=8)
