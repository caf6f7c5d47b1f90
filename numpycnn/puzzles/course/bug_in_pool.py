"""Find the bug: max pooling

In the classifier its windows stand side by side, and all is well. It is wrong all the same. Where?
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
        n, c = np.ogrid[: x.shape[0], : x.shape[2]]
        for m, start in enumerate(self.starts(x)):
            winner = start + x[:, start : start + self.pool_size].argmax(axis=1)  # (N, C)
            dx[n, winner, c] = dy[:, m]
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.checks.reference import maxpool1d_backward
from numpycnn.puzzles.grading import accuracy, check_function, check_layers

GAP = "dx[n, winner, c] = dy[:, m]"
HINTS = (
    "With which stride can a sample win twice?",
    "What has an earlier window handed out, and what becomes of it?",
)
SOLUTION = "dx[n, winner, c] += dy[:, m]"
WRONG = {
    "dx[n, winner, c] = dx[n, winner, c] * dy[:, m]": "zero",
    "dx[n, winner, c] = np.maximum(dx[n, winner, c], dy[:, m])": "mask of dy",
    "dx[n, winner - start, c] += dy[:, m]": "misplaced",
    "dx[n, winner, c] += dy[:, m] / self.pool_size": "factor",
}
LESSON = (
    "Side by side no sample wins twice, so `=` was as good as `+=`. Somebody made it, or one like it: "
    "https://github.com/0809zheng/CS231n-assignment2019/issues/19"
)


def opening():
    return (
        f"With this pooling the trace classifier is right on {accuracy(pool=MaxPool):.0%} of the "
        "traces that it has not seen. Which line is wrong?"
    )


def case(part, draw):
    pool_size = draw(2, 4)
    x = draw.array(draw(1, 2), draw(pool_size + 2, pool_size + 5), draw(1, 2))
    return part.MaxPool(pool_size, draw(1, 3)), x


def check(answer, right):
    check_layers(answer, right, case)

    def gradient(dy, x, pool_size, stride):
        return answer.MaxPool(pool_size, stride).backward(dy, x)[0]

    def arguments(draw):
        pool_size, stride, n_windows = draw(2, 3), draw(1, 3), draw(1, 4)
        x = draw.array(2, (n_windows - 1) * stride + pool_size, 2)
        return draw.array(2, n_windows, 2), x, pool_size, stride

    check_function(gradient, maxpool1d_backward, arguments)
