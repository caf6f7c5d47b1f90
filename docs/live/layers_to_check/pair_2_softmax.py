"""Softmax, with the derivative y (1 - y)"""

import numpy as np

import numpycnn as nn


def fwd(x):
    exps = np.exp(x - x.max(axis=-1, keepdims=True))
    y = exps / exps.sum(axis=-1, keepdims=True)
    return y, y


def bwd(dy, y):
    return dy * y * (1 - y)


x = np.random.default_rng(0).standard_normal((4, 3))
print(nn.check_vjp(fwd, bwd, x, rng=0))
