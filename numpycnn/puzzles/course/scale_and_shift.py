"""Scale and shift, backwards

    y[n,l,c] = g[c] x[n,l,c] + s[c]

Each channel has a gain g and a shift s, the same for all traces and samples. Forward is given.
"""

import numpy as np

from numpycnn import Layer


class ScaleAndShift(Layer):
    def __init__(self, channels):
        super().__init__(g=np.ones(channels, np.float32), s=np.zeros(channels, np.float32))
        self.channels = channels

    def forward(self, x):
        return self.params["g"] * x + self.params["s"], x

    def backward(self, dy, cache):
        x, g = cache, self.params["g"]
        dx, dg, ds = ...  # of the shapes of x (N, L, C), g (C,) and s (C,)
        return dx, {"g": dg, "s": ds}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.grading import check_layers

HINTS = (
    "One x touches one y, with the slope g.",
    "One g touches a whole channel: every trace and every sample. Its slope there is x.",
    "So dg is the sum of dy * x over axes 0 and 1, and ds the same with the slope 1.",
)
SOLUTION = "g * dy, (dy * x).sum(axis=(0, 1)), dy.sum(axis=(0, 1))"
WRONG = {
    "dy, (dy * x).sum(axis=(0, 1)), dy.sum(axis=(0, 1))": "derivative missing",
    "g * dy, (dy * x).mean(axis=(0, 1)), dy.sum(axis=(0, 1))": "bias averaged",
    "g * dy, (dy * x)[0].sum(axis=0), dy.sum(axis=(0, 1))": "only one share",
    "g * dy, x.sum(axis=(0, 1)), dy.sum(axis=(0, 1))": "dy ignored",
    "g * dy, (dy * x).sum(axis=0), dy.sum(axis=0)": "wrong shape",
    "g * dy, (dy * x).sum(axis=(0, 1)), (g * dy).sum(axis=(0, 1))": "unknown",
}
LESSON = "What is shared collects: dg and ds are sums over every axis that g and s do not have."


def case(part, draw):
    channels = draw(1, 3)
    return part.ScaleAndShift(channels), draw.array(draw(1, 4), draw(1, 5), channels)


def check(answer, right):
    check_layers(answer, right, case)
