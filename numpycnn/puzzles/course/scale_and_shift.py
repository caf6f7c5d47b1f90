"""Scale and shift, backward

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
        dx, dg, ds = ...  # three gradients, of the shapes of x (N, L, C), g (C,) and s (C,)
        return dx, {"g": dg, "s": ds}


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn.puzzles.cases import layer

SECTION = "The method"
HINTS = (
    "One x changes one y, with the slope g.",
    "One g changes a whole channel: every trace and every sample. Its slope there is x.",
    "So dg is the sum of dy * x over axes 0 and 1, and ds the same with the slope 1.",
)
SOLUTION = "g * dy, (dy * x).sum(axis=(0, 1)), dy.sum(axis=(0, 1))"
FORMS = ("dy * g, np.einsum('nlc,nlc->c', dy, x), np.einsum('nlc->c', dy)",)
_DG, _DS = "(dy * x).sum(axis=(0, 1))", "dy.sum(axis=(0, 1))"
WRONG = {
    f"dy, {_DG}, {_DS}": "derivative missing",
    f"x * dy, {_DG}, {_DS}": "x for g: dx is dy times x; the slope of y with respect to x is g.",
    f"g, {_DG}, {_DS}": "wrong shape",
    f"g * x, {_DG}, {_DS}": "dy ignored: dx is g x. It must be g dy.",
    f"dy / g, {_DG}, {_DS}": "reciprocal: dy is divided by g; multiply.",
    f"g * dy, (dy * x).mean(axis=(0, 1)), {_DS}": "gain averaged: dg is the mean over traces and "
    "samples; it must be the sum.",
    f"g * dy, (dy * x).sum(axis=(0, 1)) / len(x), {_DS}": "gain averaged: dg is divided by the number "
    "of traces; it must be the sum.",
    f"g * dy, (dy * x).sum(axis=(0, 1)) / x.shape[1], {_DS}": "gain averaged: dg is divided by the number "
    "of samples; it must be the sum.",
    f"g * dy, {_DG}, dy.mean(axis=(0, 1))": "shift averaged: ds is the mean over traces and samples; it "
    "must be the sum.",
    f"g * dy, {_DG}, {_DS} / len(x)": "shift averaged: ds is divided by the number of traces; it must "
    "be the sum.",
    f"g * dy, (dy * x)[0].sum(axis=0), {_DS}": "first trace: dg contains only the first trace.",
    f"g * dy, {_DG}, dy[0].sum(axis=0)": "first trace: ds contains only the first trace.",
    f"g * dy, x.sum(axis=(0, 1)), {_DS}": "dy ignored: dg is the sum of x. Multiply with dy before the "
    "sum.",
    f"g * dy, dy.sum(axis=(0, 1)) * x.sum(axis=(0, 1)), {_DS}": "product of sums: dg is the product of "
    "two sums. Multiply first, then sum.",
    f"g * dy, {_DS}, {_DG}": "exchanged: dg and ds are exchanged.",
    f"g * dy, (g * dy * x).sum(axis=(0, 1)), {_DS}": "g once too often: dg does not contain g: the slope "
    "of y with respect to g is x.",
    f"g * dy, {_DG}, (g * dy).sum(axis=(0, 1))": "g once too often: ds does not contain g: the slope of "
    "y with respect to s is 1.",
    f"g * dy, {_DG}, (dy * x).sum(axis=(0, 1))": "x once too often: ds does not contain x: the slope of "
    "y with respect to s is 1.",
    "g * dy, (dy * x).sum(axis=0), dy.sum(axis=0)": "wrong shape",
    f"-g * dy, {_DG}, {_DS}": "sign",
}
LESSON = "Parameters that are shared collect: dg and ds are sums over every axis that g and s lack."


def case(draw):
    channels = draw(1, 3)
    x = draw.array(draw(1, 4), draw(1, 5), channels)
    return layer("ScaleAndShift", {"channels": channels}, x)
