"""Find the bug: the skip connection of a U-Net

    y = x and f(x), concatenated along the channels

The channels of x come first, then those of f(x). One line is incorrect. Find it and fix it.
"""

import numpy as np

from numpycnn import Container


class SkipConcat(Container):
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
from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "U-Net, 2015"
GAP = "dx = dx + dy[..., -channels:]"
HINTS = (
    "dy has the channels of y. Which of them belong to x, and which to f(x)?",
    "The channels of x are the first ones.",
)
SOLUTION = "dx = dx + dy[..., :channels]"
FORMS = ("dx = dy[..., :channels] + dx", "dx = dx + np.split(dy, [channels], axis=-1)[0]")
WRONG = {
    "dx = dx": "path missing: the path around f is missing: the first channels of dy.",
    "dx = dx + dy": "all channels: all channels of dy are added; only the first ones belong to x.",
    "dx = dx + dy[..., channels:]": "wrong channels: the channels of f(x) are added; those of x are the "
    "first ones.",
    "dx = dx + dy[..., channels : 2 * channels]": "wrong channels: the channels after those of x are added; "
    "those of x are the first ones.",
    "dx = dy[..., :channels]": "path missing: the path through f is missing: dx from its backward.",
    "dx = dy[..., -channels:]": "path missing: the path through f is missing, and the channels are the wrong "
    "ones.",
    "dx = dx - dy[..., :channels]": "sign of a term: dy is subtracted; add it.",
    "dx = dx * dy[..., :channels]": "product: the gradients of two paths are added, not multiplied.",
    "dx = (dx + dy[..., :channels]) / 2": "mean: the gradients of two paths are added. Do not divide "
    "by 2.",
    "dx = dx + dy[..., :channels] + dy[..., -channels:]": "counted twice: the channels of f(x) are added as "
    "well; they went through f already.",
    "dx = dx + dy[..., channels - 1 :: -1]": "reversed channels: the channels of x are in reverse order.",
    "dx = dx + 2 * dy[..., :channels]": "counted twice: the path around f is counted twice.",
    "dx = dx + dy.sum(axis=-1, keepdims=True)": "sum: dy is summed over the channels; each channel of x has "
    "its own.",
    "dx = dx + dy[..., :1]": "first channel: the first channel of dy is added to all channels.",
    "dx = dx + dy[:, :channels]": "wrong axis: dy[:, :channels] cuts the samples; the channels are the last "
    "axis.",
    "dx = dx + 1": "dy missing: the path around f has the slope 1, times dy.",
}
LESSON = (
    "The path around f used the gradient of the channels of f(x). A similar bug: "
    "https://github.com/BVLC/caffe/pull/2972"
)
N_CASES = 40


def opening():
    def bridged(channels, filters, taps, padding, rng):
        inner = Conv1D(4, 4, taps, padding=padding, rng=rng)
        return Sequential(Conv1D(channels, 4, taps, padding=padding, rng=rng), SkipConcat(inner))

    return (
        f"With this connection the trace classifier is correct on {accuracy(conv=bridged):.0%} of the test "
        "set. Which line is incorrect?"
    )


def case(draw):
    channels = draw(1, 3)
    f = Conv1D(channels, channels + draw(0, 2), 3, padding="same", rng=0)
    return layer("SkipConcat", {"f": f}, draw.array(draw(1, 2), draw(2, 4), channels))
