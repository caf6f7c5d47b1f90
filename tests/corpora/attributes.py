"""Layers that keep parameters, caches and gradients as attributes, in many forms.

`KINDS` are correct. `BREACHES` break the contract: the name of the mistake, by class.
"""

import threading

import numpy as np

X = np.random.default_rng(0).standard_normal((4, 3))
GRADS = {"W": "dW", "b": "db"}
N_CLASSES = 5


class Linear:
    """The commonest form."""

    def __init__(self, dtype=np.float64):
        rng = np.random.default_rng(1)
        self.W, self.b = rng.standard_normal((3, 2)).astype(dtype), np.zeros(2, dtype)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


class Adds(Linear):
    """Gradients in arrays that are made once and added to."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def backward(self, dy):
        self.dW += self.x.T @ dy
        self.db += dy.sum(axis=0)
        return dy @ self.W.T


class AddsAnew(Adds):
    def backward(self, dy):
        self.dW = self.dW + self.x.T @ dy
        self.db = self.db + dy.sum(axis=0)
        return dy @ self.W.T


class Fills(Adds):
    """The same arrays each time."""

    def backward(self, dy):
        self.dW[...] = self.x.T @ dy
        np.sum(dy, axis=0, out=self.db)
        return dy @ self.W.T


class Dicts(Linear):
    """The arrays are in dicts, and the attributes are the same arrays."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.weights = {"W": self.W, "b": self.b}
        self.gradients = {"W": np.zeros_like(self.W), "b": np.zeros_like(self.b)}
        self.dW, self.db = self.gradients.values()

    def forward(self, x):
        self.x = x
        return x @ self.weights["W"] + self.weights["b"]

    def backward(self, dy):
        self.gradients["W"] += self.x.T @ dy
        self.gradients["b"] += dy.sum(axis=0)
        return dy @ self.weights["W"].T


class Views(Linear):
    """Parameters and gradients are views of two vectors."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.theta = np.concatenate([self.W.ravel(), self.b])
        self.gradient = np.zeros(8, dtype)
        self.W, self.b = self.theta[:6].reshape(3, 2), self.theta[6:]
        self.dW, self.db = self.gradient[:6].reshape(3, 2), self.gradient[6:]

    def backward(self, dy):
        self.gradient[:6] += (self.x.T @ dy).ravel()
        self.gradient[6:] += dy.sum(axis=0)
        return dy @ self.W.T


class Locked(Linear):
    """An attribute that cannot be copied."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.lock = threading.Lock()


class Closed(Linear):
    """Forward reads the array from a closure, where no copy of the layer has its own."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        w = self.W
        self.product = lambda x: x @ w

    def forward(self, x):
        self.x = x
        return self.product(x) + self.b


class ReadsVector(Views):
    """Forward reads the vector of which the attributes are views."""

    def forward(self, x):
        self.x = x
        return x @ self.theta[:6].reshape(3, 2) + self.theta[6:]


class TransposedView(Linear):
    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.transposed = self.W.T

    def backward(self, dy):
        super().backward(dy)
        return dy @ self.transposed


class TransposedCopy(TransposedView):
    """Correct until the first step of an optimizer."""

    def __init__(self, dtype=np.float64):
        super().__init__(dtype)
        self.transposed = self.W.T.copy()


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * (self.x > 0)


class ChangesDy(ReLU):
    def backward(self, dy):
        dy[self.x <= 0] = 0
        return dy


class ChangesX(ReLU):
    def forward(self, x):
        self.x = x.copy()
        x[self.x < 0] = 0
        return x


class Counts(ReLU):
    n = 0

    def forward(self, x):
        self.n += 1
        return self.n * super().forward(x)

    def backward(self, dy):
        return self.n * super().backward(dy)


class Drops(ReLU):
    """Dropout that draws from NumPy's global generator, or from one of its own."""

    draw = staticmethod(np.random.random)

    def forward(self, x):
        self.x = x
        self.mask = 2 * (self.draw(x.shape) < 0.5)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DropsItsOwn(Drops):
    def __init__(self):
        self.draw = np.random.default_rng(0).random


class Buffers(ReLU):
    def forward(self, x):
        y = super().forward(x)
        if not hasattr(self, "y") or self.y.dtype != y.dtype:
            self.y = np.zeros_like(y)
        self.y[...] = y
        return self.y


class BuffersDx(ReLU):
    dx = np.zeros(X.shape)

    def backward(self, dy):
        if self.dx.shape != dy.shape:
            self.dx = np.zeros(dy.shape)
        self.dx[...] = super().backward(dy)
        return self.dx


class Updates(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W -= 0.1 * self.dW
        return dx


class UpdatesAnew(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W = self.W - 0.1 * self.dW
        return dx


class Normalizes(Linear):
    """Forward changes a parameter, as an early weight normalization does."""

    def forward(self, x):
        self.b = self.b + 1
        return super().forward(x)


class Embedding:
    def __init__(self):
        self.W = np.random.default_rng(0).standard_normal((N_CLASSES, 2))

    def forward(self, numbers):
        self.numbers = numbers
        return self.W[numbers]

    def backward(self, dy):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.numbers, dy)


KINDS = [Linear, Adds, AddsAnew, Fills, Dicts, Views, Locked, ReadsVector, TransposedView]
BREACHES = {
    ChangesDy: "argument changed",
    ChangesX: "argument changed",
    Counts: "random",
    Drops: "random",
    DropsItsOwn: "random",
    Buffers: "output overwritten",
    BuffersDx: "output overwritten",
    Updates: "argument changed",
    UpdatesAnew: "argument changed",
    Normalizes: "argument changed",
}


class Pair(Linear):
    def forward(self, x):
        return super().forward(x), x


class NoDx(Linear):
    def backward(self, dy):
        super().backward(dy)


class NamedGradient(Linear):
    def backward(self, dy):
        dx, self.dW = super().backward(dy), "dW"
        return dx


class Forward:
    forward = Linear.forward
