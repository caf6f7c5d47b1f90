"""A gain per channel"""

import numpy as np

import numpycnn as nn


class Gain(nn.Layer):
    def __init__(self, channels):
        super().__init__(gain=np.ones(channels))

    def forward(self, x):
        return x * self.params["gain"], x

    def backward(self, dy, cache):
        return dy * self.params["gain"], {"gain": (dy * cache).sum(axis=(0, 1))}


x = np.random.default_rng(0).standard_normal((2, 6, 3))
print(nn.check_gradients(Gain(3), x, rng=0))
