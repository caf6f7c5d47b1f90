"""x @ w + b"""

import numpy as np

import numpycnn as nn


def fwd(x, w, b):
    return x @ w + b, (x, w)


def bwd(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


rng = np.random.default_rng(0)
x, w, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
print(nn.check_vjp(fwd, bwd, x, w, b, rng=0))
