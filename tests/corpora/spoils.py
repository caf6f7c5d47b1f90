"""Layers that are correct, and ways in which their gradients go wrong."""

from copy import copy

import numpy as np

from numpycnn import Dense, Layer, Softmax


def one_entry(gradient, index):
    wrong = gradient.copy()
    wrong[index] *= 1.01
    return wrong


def one_trace(gradient, index):
    wrong = gradient.copy()
    wrong[index[:1]] = 0
    return wrong


def transposed(gradient, index):
    return gradient.swapaxes(0, -1).reshape(gradient.shape)


SPOILS = {
    "zero": lambda gradient, index: 0 * gradient,
    "sign": lambda gradient, index: -gradient,
    "twice": lambda gradient, index: 2 * gradient,
    "a thousandth more": lambda gradient, index: 1.001 * gradient,
    "shifted": lambda gradient, index: np.roll(gradient, 1, axis=len(index) // 2),
    "transposed": transposed,
    "one entry": one_entry,
    "one trace": one_trace,
}


def spoilt(subject, name, spoil, index):
    """The same layer or loss, with the gradient for one array spoilt."""
    if not hasattr(subject, "forward"):

        def loss(x):
            value, gradient = subject(x)
            return value, spoil(gradient, index)

        return loss

    def backward(self, dy, cache):
        dx, grads = type(subject).backward(self, dy, cache)
        if name == "input":
            return spoil(dx, index), grads
        return dx, {**grads, name: spoil(grads[name], index)}

    wrong = copy(subject)
    wrong.__class__ = type("Spoilt", (type(subject),), {"backward": backward})
    return wrong


class Units(Layer):
    """Each column in a unit of its own, first a sine, then what the complex step cannot take.

    All columns are given as they are, or their sum. `spoil` changes the slopes (N, C).
    """

    def __init__(self, units, out, *, total=False, spoil=None):
        super().__init__(w=out)
        self.units, self.total = units, total
        self.spoil = spoil or (lambda slopes, u: slopes)
        self.bends = np.arange(len(units)) % 2 == 1

    def forward(self, x):
        u = x / self.units
        y = np.where(self.bends, np.abs(u) * u, np.sin(u))
        z = y * self.params["w"]
        return (z.sum(axis=1, keepdims=True) if self.total else z), (u, y)

    def backward(self, dy, cache):
        u, y = cache
        slopes = self.spoil(np.where(self.bends, 2 * np.abs(u), np.cos(u)), u)
        return dy * self.params["w"] * slopes / self.units, {"w": (dy * y).sum(axis=0)}


def forgets(slopes, u):
    """Takes abs for a constant, as the complex step does."""
    bends = np.arange(u.shape[1]) % 2 == 1
    return np.where(bends, slopes / 2, slopes)


def in_column(factor, column):
    return lambda slopes, u: slopes * np.where(np.arange(u.shape[1]) == column, factor, 1)


class OneEntryOff(Dense):
    """A dense layer with one entry of one gradient wrong by one part in ten thousand."""

    def __init__(self, *sizes, name, index):
        super().__init__(*sizes, rng=0)
        self.name, self.index = name, index

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        wrong = {"input": dx, **grads}
        wrong[self.name] = wrong[self.name].copy()
        wrong[self.name][self.index] *= 1.0001
        return wrong.pop("input"), wrong


class Forgetful(Softmax):
    """A softmax whose backward returns zeros: a check with ones from above would pass it."""

    def backward(self, dy, cache):
        return np.zeros_like(dy), {}


class Foreign:
    """A layer that keeps the contract and inherits from nothing."""

    def __init__(self, slope=3.0):
        self.params = {"a": np.array([2.0, 5.0])}
        self.slope = slope

    def forward(self, x):
        return x * self.params["a"], x

    def backward(self, dy, cache):
        return dy * self.params["a"], {"a": self.slope / 3 * (dy * cache).sum(axis=0)}


class NoBias(Dense):
    """The gradient for b is never computed."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": 0 * grads["b"]}


class StdConstant(Layer):
    """A layer norm whose backward takes the standard deviation for a constant."""

    def forward(self, x):
        std = x.std(axis=-1, keepdims=True)
        return (x - x.mean(axis=-1, keepdims=True)) / std, std

    def backward(self, dy, cache):
        return (dy - dy.mean(axis=-1, keepdims=True)) / cache, {}


class StraightThrough(Dense):
    """Returns no gradient for the input, and a wrong one for the bias."""

    def backward(self, dy, cache):
        _, grads = super().backward(dy, cache)
        return None, {**grads, "b": 2 * grads["b"]}


class TwoFaces(Layer):
    """In use it is one function of x, in training another, of x and the number of the step."""

    def __init__(self, in_use, in_training):
        super().__init__()
        self.in_use, self.in_training = in_use, in_training

    def forward(self, x):
        return self.in_use(x), None

    def for_training(self, rng=None):
        return Twin(self)


class Twin(Layer):
    def __init__(self, plain):
        super().__init__()
        self.plain, self.step = plain, 0

    def forward(self, x):
        return self.plain.in_training(x, self.step), "seen"

    def update_state(self, cache):
        assert cache == "seen"
        self.step += 1
