"""Find the bug: max pooling again

This one adds up where windows overlap. For numbers that all differ it is right. Real traces are
whole numbers, as the digitiser counted them, and may be flat for a while. What is wrong?
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
            won = window == window.max(axis=1, keepdims=True)
            dx[:, start : start + self.pool_size] += won * dy[:, m : m + 1]
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import accuracy, check_layers

GAP = "won = window == window.max(axis=1, keepdims=True)"
HINTS = (
    "Take a window (2, 2, 1). How much is handed out in all?",
    "One of the equal ones has to be chosen; argmax chooses the first.",
    "argmax(axis=1, keepdims=True) is (N, 1, C); compare it with the places 0 … P - 1.",
)
SOLUTION = """\
places = np.arange(self.pool_size)[:, None]  # (P, 1)
won = places == window.argmax(axis=1)[:, None]"""
WRONG = {
    "won = window >= window.max(axis=1, keepdims=True)": "ties",
    "won = window == window.max()": "ties",
    "won = np.arange(self.pool_size)[:, None] == window.argmin(axis=1)[:, None]": "misplaced",
    "won = np.arange(self.pool_size)[:, None] == 0 * window": "misplaced",
}
LESSON = (
    "Of two equal maxima each took all, so more was handed out than came in. To share it out evenly "
    "would be right, too. Somebody made it, or one like it: https://github.com/apache/mxnet/issues/18563"
)


def opening():
    return (
        f"With this pooling the trace classifier is right on {accuracy(pool=MaxPool):.0%} of the "
        "traces that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    pool_size = draw(2, 4)
    shape = draw(1, 2), draw(pool_size, pool_size + 4), draw(1, 2)
    x = draw.ties(*shape) if draw(0, 1) else draw.array(*shape)
    return part.MaxPool(pool_size, draw(1, 3)), x


def check(answer, right):
    check_layers(answer, right, case)
