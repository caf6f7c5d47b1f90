"""Find the bug: max pooling again

This pooling adds gradients where windows overlap. It is correct if all values differ. Recorded
traces, however, are integer counts and may be constant for some time. Find the incorrect line and
fix it. One of several equal maxima may receive the gradient, or all of them equal parts of it.
"""

import numpy as np

from numpycnn import Layer


class MaxPool(Layer):
    def __init__(self, pool_size, stride=None):
        super().__init__()
        self.pool_size, self.stride = pool_size, stride or pool_size

    def starts(self, x):
        return range(0, x.shape[1] - self.pool_size + 1, self.stride)

    def forward(self, x):
        windows = [x[:, s : s + self.pool_size] for s in self.starts(x)]
        return np.stack([window.max(axis=1) for window in windows], axis=1), x

    def backward(self, dy, cache):
        x = cache
        dx = np.zeros_like(x)
        for m, start in enumerate(self.starts(x)):
            window = x[:, start : start + self.pool_size]  # (N, P, C)
            is_max = window == window.max(axis=1, keepdims=True)
            dx[:, start : start + self.pool_size] += is_max * dy[:, m : m + 1]
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer
from numpycnn.puzzles.trained import accuracy

SECTION = "Kinks"
GAP = "is_max = window == window.max(axis=1, keepdims=True)"
HINTS = (
    "Take a window (2, 2, 1). How much do its samples receive in all?",
    "One of the equal maxima must be chosen; argmax chooses the first.",
    "argmax(axis=1, keepdims=True) is (N, 1, C); compare it with the positions 0 … P - 1.",
)
SOLUTION = """\
places = np.arange(self.pool_size)[:, None]  # (P, 1)
is_max = places == window.argmax(axis=1)[:, None]"""
FORMS = (
    "is_max = np.zeros(window.shape)\nnp.put_along_axis(is_max, window.argmax(axis=1)[:, None], 1, axis=1)",
    "top = window == window.max(axis=1, keepdims=True)\nis_max = top / top.sum(axis=1, keepdims=True)",
)
ALTERNATIVES = (
    FORMS[1],
    "last = self.pool_size - 1 - window[:, ::-1].argmax(axis=1)[:, None]\n"
    "is_max = np.arange(self.pool_size)[:, None] == last",
)
WRONG = {
    "is_max = window >= window.max(axis=1, keepdims=True)": "all maxima: each of several equal maxima receives "
    "the whole gradient.",
    "is_max = np.isclose(window, window.max(axis=1, keepdims=True))": "all maxima",
    "is_max = window == window.max()": "whole batch: the maximum is taken over all traces and channels; each "
    "window of each channel has its own.",
    "is_max = window == window.max(axis=(1, 2), keepdims=True)": "channels mixed: the maximum is taken over all "
    "channels; each has its own.",
    "is_max = np.arange(self.pool_size)[:, None] == window.argmin(axis=1)[:, None]": "minimum: the gradient "
    "goes to the minimum of the window.",
    "is_max = np.arange(self.pool_size)[:, None] == 0 * window": "first sample: the gradient goes to the first "
    "sample of the window; it must go to the maximum.",
    "is_max = window > window.mean(axis=1, keepdims=True)": "above the mean: all samples above the mean of the "
    "window receive the gradient; only the maximum may.",
    "is_max = np.ones(window.shape)": "all samples: the gradient goes to all samples of the window.",
    "is_max = np.ones(window.shape) / self.pool_size": "average pooling: the gradient is divided among all "
    "samples of the window.",
    "top = window == window.max(axis=1, keepdims=True)\nis_max = top / self.pool_size": "wrong divisor: the "
    "gradient is divided by the pool size; it must be divided by the number of equal maxima.",
    "top = window == window.max(axis=1, keepdims=True)\nis_max = top / top.sum()": "wrong divisor: the "
    "gradient is divided by the number of maxima in all traces and channels; each window has its own.",
    "top = window == window.max(axis=1, keepdims=True)\nis_max = top * (top.sum(axis=1, keepdims=True) == 1)": (
        "dropped: where maxima are equal, none of them receives anything."
    ),
    "is_max = window > np.sort(window, axis=1)[:, -2:-1]": "dropped: where maxima are equal, none of them "
    "receives anything.",
    "is_max = np.arange(self.pool_size)[:, None] == window.argmax()": "whole batch: the position of the "
    "maximum is taken over all traces and channels; each window of each channel has its own.",
    "is_max = np.arange(self.pool_size)[:, None] == np.abs(window).argmax(axis=1)[:, None]": "magnitude: the "
    "gradient goes to the sample with the largest magnitude.",
}
LESSON = (
    "Each of two equal maxima received the whole gradient, so dx summed to more than dy. A similar bug: "
    "https://github.com/apache/mxnet/issues/18563"
)


def opening():
    return (
        f"With this pooling the trace classifier is correct on {accuracy(pool=MaxPool):.0%} of the test "
        "set. Which line is incorrect?"
    )


def case(draw):
    options = {"pool_size": draw(2, 4), "stride": draw(1, 4)}
    shape = draw(1, 2), draw(options["pool_size"], options["pool_size"] + 4), draw(1, 2)
    return layer("MaxPool", options, draw.ties(*shape) if draw(0, 2) else draw.array(*shape))
