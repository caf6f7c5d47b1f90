"""A layer of your own: write it, check it, break it, read the report.

Average pooling is a good one to write: it is short, and it has windows. (The package has
one, with a stride, to compare with afterwards.) This script goes through it as one would
at the desk: the formula, forward, backward, the check; then three mistakes that are easily
made, and what the checker says to each.

    python examples/check_your_layer.py
"""

import numpy as np

from numpycnn import Layer, assert_gradients, check_gradients

# The layer
# ---------
# Each output is the mean of a window of `P` samples, and the windows do not overlap:
#
#     y[n,m,c] = 1/P sum_j x[n, m P + j, c]        j < P
#
# Every sample enters one output, with the factor `1 / P`. So the gradient of an output
# goes back to all samples of its window, and each gets a `P`-th of it. Backward has to
# remember one thing: how long the traces were, because what did not fit into a window
# gets no gradient, but it keeps its place.


class AveragePool1D(Layer):
    """The mean of each window of P samples: x (N, L, C) becomes y (N, L // P, C)."""

    def __init__(self, pool_size):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        """Return y[n,m,c] = 1/P sum_j x[n, m P + j, c], and the length of the traces."""
        n, length, c = x.shape
        m = length // self.pool_size
        windows = x[:, : m * self.pool_size].reshape(n, m, self.pool_size, c)
        return windows.mean(axis=2), length

    def backward(self, dy, cache):
        """Return dx[n, m P + j, c] = dy[n,m,c] / P."""
        length = cache
        dx = np.zeros((len(dy), length, dy.shape[2]), dy.dtype)
        spread = dy.repeat(self.pool_size, axis=1) / self.pool_size
        dx[:, : spread.shape[1]] = spread
        return dx, {}


# The check
# ---------
# Two traces of seven samples, so that one sample does not fit, with two channels.
# `assert_gradients` says nothing if all is well; `check_gradients` returns the report.

x = np.random.default_rng(0).standard_normal((2, 7, 2))
assert_gradients(AveragePool1D(3), x)
print(check_gradients(AveragePool1D(3), x))

# Three ways to get it wrong
# --------------------------
# First, the `1 / P` is forgotten on the way back.


class ForgetsTheMean(AveragePool1D):
    """Backward hands every sample the whole gradient."""

    def backward(self, dy, cache):
        """Return P times too much."""
        dx, grads = super().backward(dy, cache)
        return dx * self.pool_size, grads


print()
print(check_gradients(ForgetsTheMean(3), x))

# Second, the gradient of a mean is taken for that of a maximum.


class OneForAll(AveragePool1D):
    """Backward hands the whole gradient to the first sample of the window."""

    def backward(self, dy, cache):
        """Return the right amount in all, at the wrong samples."""
        dx, grads = super().backward(dy, cache)
        first = np.arange(dx.shape[1]) % self.pool_size == 0
        return dx * self.pool_size * first[:, None], grads


print()
print(check_gradients(OneForAll(3), x))

# Third, something no list of known mistakes has in it: a typing error that doubles the
# last trace. Then the report says where the wrong entries are, and how wrong.


class TypingError(AveragePool1D):
    """Backward counts the last trace twice."""

    def backward(self, dy, cache):
        """Return a gradient that is right for all traces but the last."""
        dx, grads = super().backward(dy, cache)
        dx[-1] += dx[-1]
        return dx, grads


print()
print(check_gradients(TypingError(3), x))

# As a test
# ---------
# One input is one input. With Hypothesis the check runs over hundreds of shapes,
# and this is all there is to write:
#
#     from hypothesis import given
#     from numpycnn import assert_gradients
#     from numpycnn.checks.strategies import inputs
#
#     @given(inputs(min_length=3))
#     def test_average_pooling(x):
#         assert_gradients(AveragePool1D(3), x)
