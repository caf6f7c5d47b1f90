"""Check your own layer: one line for each form of code, mistakes, and their reports.

The checker compares what `backward` returns with the derivative of `forward`, which it
computes without `backward`. This script checks a layer of this package, two plain functions, and
a layer that stores its gradients as attributes. Each is checked in a correct version and with a
common mistake.

    python examples/check_your_layer.py
"""

import numpy as np

from numpycnn import Layer, assert_gradients, check_attributes, check_gradients, check_vjp

# A layer
# -------
# Average pooling: each output is the mean of a window of `P` samples, and the windows do not
# overlap:
#
#     y[n,m,c] = 1/P sum_j x[n, m P + j, c]        j < P
#
# Every sample enters one output, with the factor `1 / P`. In the backward pass each sample of
# a window therefore receives a `P`-th of the output's gradient. Samples that do not fill a
# window receive zero.


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


# Two traces of seven samples, so that one sample does not fill a window, with two channels.
# `assert_gradients` raises an error unless every gradient is correct; `check_gradients`
# returns the report.

x = np.random.default_rng(0).standard_normal((2, 7, 2))
assert_gradients(AveragePool1D(3), x)
print(check_gradients(AveragePool1D(3), x, rng=0))


# The first mistake: backward omits the `1 / P`.


class ForgetsTheMean(AveragePool1D):
    """Backward passes the whole gradient to every sample."""

    def backward(self, dy, cache):
        """Return P times the gradient."""
        dx, grads = super().backward(dy, cache)
        return dx * self.pool_size, grads


print()
print(check_gradients(ForgetsTheMean(3), x, rng=0))

# The second mistake: backward treats the mean as a maximum.


class OneForAll(AveragePool1D):
    """Backward passes the whole gradient to the first sample of the window."""

    def backward(self, dy, cache):
        """Return the correct sum at the wrong samples."""
        dx, grads = super().backward(dy, cache)
        first = np.arange(dx.shape[1]) % self.pool_size == 0
        return dx * self.pool_size * first[:, None], grads


print()
print(check_gradients(OneForAll(3), x, rng=0))

# The third mistake is not in the list of known mistakes: a typing error doubles the last
# trace. The report then states where the incorrect entries are, and by how much they are off.


class TypingError(AveragePool1D):
    """Backward counts the last trace twice."""

    def backward(self, dy, cache):
        """Return a gradient that is correct for all traces but the last."""
        dx, grads = super().backward(dy, cache)
        dx[-1] += dx[-1]
        return dx, grads


print()
print(check_gradients(TypingError(3), x, rng=0))

# Two functions
# -------------
# `check_vjp` takes the functions and their arrays. The ids are integers, so they are not
# differentiated.


def embed(ids, table):
    """Return the row of the table for each id."""
    return table[ids], (ids, table.shape)


def embed_back(dy, cache):
    """Add each gradient to the row of its id."""
    ids, shape = cache
    dtable = np.zeros(shape)
    np.add.at(dtable, ids, dy)
    return None, dtable


def embed_back_once(dy, cache):
    """Use `+=` with an index, which adds only one gradient for an id that occurs twice."""
    ids, shape = cache
    dtable = np.zeros(shape)
    dtable[ids] += dy
    return None, dtable


ids, table = np.array([0, 2, 2, 1]), x[0]
for backward in embed_back, embed_back_once:
    print()
    print(check_vjp(embed, backward, ids, table, rng=0))

# A layer with attributes
# -----------------------
# `check_attributes` takes the names of the gradients. Here `b` is not among them, and a note
# says that it was not checked.


class Linear:
    """y = x W + b, with the gradients in dW and db."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W, self.b = rng.standard_normal((2, 3)), np.zeros(3)

    def forward(self, x):
        """Return y, and keep x for backward."""
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        """Return dx, and keep dW and db, where a mean takes the place of the sum."""
        self.dW = np.einsum("nlc,nlf->cf", self.x, dy)
        self.db = dy.mean(axis=(0, 1))
        return dy @ self.W.T


for grads in {"W": "dW"}, {"W": "dW", "b": "db"}:
    print()
    print(check_attributes(Linear(), x, grads, rng=0))

# As a test
# ---------
# With pytest, the fixture `gradcheck` comes with the package:
#
#     def test_average_pooling(gradcheck):
#         gradcheck(AveragePool1D(3), x)
#
# One input is one test. Hypothesis draws many:
#
#     from hypothesis import given
#     from numpycnn import assert_gradients
#     from numpycnn.checks.strategies import inputs
#
#     @given(inputs(min_length=3))
#     def test_average_pooling(x):
#         assert_gradients(AveragePool1D(3), x)
#
# The page `docs/how-to/check-your-layer.md` has all forms, PyTorch and JAX among them.
