"""Incorrect layers whose reports are kept in `tests/reports.txt`."""

import numpy as np

from numpycnn import Layer


class HalfPrecision(Layer):
    """Computes forward in float16, so that no derivative of it is known well."""

    def forward(self, x):
        return np.tanh(x.real.astype(np.float16)).astype(float), x

    def backward(self, dy, cache):
        return dy * (1 - np.tanh(cache) ** 2), {}


class Spoilt(Layer):
    """A layer of which one gradient is changed before it is handed on."""

    def __init__(self, layer, name, change):
        super().__init__(**layer.params)
        self.layer, self.name, self.change = layer, name, change

    def inside(self):
        return self.layer.with_params(self.params)

    def forward(self, x):
        return self.inside().forward(x)

    def backward(self, dy, cache):
        dx, grads = self.inside().backward(dy, cache)
        if self.name == "input":
            return self.change(dx), grads
        return dx, {**grads, self.name: self.change(grads[self.name])}


class Gate(Layer):
    """y = x tanh(x), and a parameter that nobody uses; backward takes one factor for constant."""

    def __init__(self, forgets):
        super().__init__(w=np.ones(2))
        self.forgets = forgets

    def forward(self, x):
        return x * np.tanh(x), x

    def backward(self, dy, x):
        gate, slope = np.tanh(x), 1 - np.tanh(x) ** 2
        dx = dy * (x * slope if self.forgets == "x" else gate)
        return dx, {"w": dy.reshape(-1, 2)[0]}


class MaskOfDy(Layer):
    """A matrix product that lets only positive gradients through."""

    def __init__(self, rng):
        super().__init__(w=rng.standard_normal((3, 3)))

    def forward(self, x):
        return x @ self.params["w"], x

    def backward(self, dy, x):
        return np.where(dy > 0, dy, 0) @ self.params["w"].T, {"w": x.T @ dy}


class Scribbles(Layer):
    """Doubles its input and its scale where they lie."""

    def __init__(self):
        super().__init__(w=np.array([3.0]))

    def forward(self, x):
        x *= 2
        self.params["w"] *= 2
        return x * self.params["w"], x

    def backward(self, dy, x):
        return dy * self.params["w"], {"w": np.array([(dy * x).sum()])}


class FirstSlope(Layer):
    """Squares, with the slope at the first x that backward ever saw."""

    def forward(self, x):
        return x * x, x

    def backward(self, dy, x):
        self.slope = getattr(self, "slope", 2 * x)
        return dy * self.slope, {}


def shifted(step, axis):
    """Move by one place, with zeros where nothing comes from."""

    def change(gradient):
        gradient = np.moveaxis(gradient, axis, 0)
        moved = np.zeros_like(gradient)
        if step > 0:
            moved[1:] = gradient[:-1]
        else:
            moved[:-1] = gradient[1:]
        return np.moveaxis(moved, 0, axis)

    return change


def nan_in_two(gradient):
    gradient = gradient.copy()
    gradient.ravel()[:2] = np.nan
    return gradient


SPOILT = {
    "a place too late": ("w", shifted(1, 0)),
    "a place too early": ("w", shifted(-1, 0)),
    "a sample too late": ("input", shifted(1, 1)),
    "a sample too early": ("input", shifted(-1, 1)),
    "two of them NaN": ("w", nan_in_two),
    "five digits": (
        "w",
        lambda gradient: gradient * (1 + 1e-6 * np.arange(len(gradient))[:, None, None]),
    ),
    "times 3.5": ("w", lambda gradient: 3.5 * gradient),
    "flipped": ("input", lambda gradient: gradient[:, ::-1]),
    "channels exchanged": ("w", lambda gradient: gradient[:, ::-1]),
    "filters exchanged": ("w", lambda gradient: gradient[..., ::-1]),
    "traces exchanged": ("input", lambda gradient: gradient[::-1]),
}
