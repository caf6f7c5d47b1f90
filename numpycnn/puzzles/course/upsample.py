"""Upsampling, backwards

    y[n, i R + j, c] = x[n,i,c],    j = 0 … R - 1

Each sample is repeated R times, so that a map that was pooled is as long as before.
"""

import numpy as np

from numpycnn import Layer


class Upsample(Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return np.repeat(x, self.factor, axis=1), x.shape

    def backward(self, dy, cache):
        n, length, channels = cache
        dx = ...  # (N, L, C), from dy (N, L R, C)
        return dx, {}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "One x touches R neighbouring y, each with the slope 1.",
    "Look at dy as (N, L, R, C), and sum over one axis.",
)
SOLUTION = "dy.reshape(n, length, self.factor, channels).sum(axis=2)"
WRONG = {
    "dy.reshape(n, length, self.factor, channels).mean(axis=2)": "factor",
    "dy[:, :: self.factor]": "overwritten",
    "dy.reshape(n, self.factor, length, channels).sum(axis=1)": "misplaced",
    "dy.reshape(n, length, self.factor, channels).max(axis=2)": "unknown",
    "self.factor * np.ones(cache)": "dy ignored",
    "dy": "wrong shape",
}
LESSON = "What was copied is summed on the way back, and what was summed is copied."


def case(part, draw):
    factor = draw(2, 4)
    return part.Upsample(factor), draw.array(draw(1, 3), draw(2, 4), draw(1, 2))


def check(answer, right):
    check_layers(answer, right, case)
