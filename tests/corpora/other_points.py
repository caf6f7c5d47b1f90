"""Layers, correct and incorrect, for which one comparison at one point is not enough.

`INCORRECT`, `CORRECT` and `UNDECIDED` hold pairs of a class and an input by name: the status
that `check_gradients` must return. Each mistake is written in several ways, next to correct
layers that look alike.
"""

import threading
from types import MappingProxyType

import numpy as np

from numpycnn import BatchNorm, Conv1D, Dense, Layer, ReLU, Sequential, Softmax


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def enter(table):
    def with_input(x):
        def add(layer):
            table[layer.__name__] = layer, x
            return layer

        return add

    return with_input


INCORRECT, CORRECT, UNDECIDED = {}, {}, {}
incorrect, correct, undecided = enter(INCORRECT), enter(CORRECT), enter(UNDECIDED)


class Plain:
    """A class that inherits from nothing."""

    params = {}  # noqa: RUF012

    def backward(self, dy, x):
        return self.slope(x) * dy, {}


class Returns(Plain):
    def __init__(self, y, dx, params=None):
        self.y, self.dx, self.params = y, dx, params or {}

    def forward(self, x):
        return self.y(x), x

    def backward(self, dy, x):
        return self.dx(dy, x), {}


class InUnits:
    """A layer whose input has another unit, so that a layer for one scale is tested at all."""

    def __init__(self, layer, unit):
        self.layer, self.unit = layer, unit

    @property
    def params(self):
        return self.layer.params

    def forward(self, x):
        return self.layer.forward(x / self.unit)

    def backward(self, dy, cache):
        dx, grads = self.layer.backward(dy, cache)
        return dx / self.unit, grads


class InSingle:
    """A layer that computes in float32, from the input to the output."""

    def __init__(self, layer):
        self.layer = layer
        self.params = {name: array.astype(float) for name, array in layer.params.items()}

    def inside(self):
        return self.layer.with_params({name: single(a) for name, a in self.params.items()})

    def forward(self, x):
        return self.inside().forward(single(x))

    def backward(self, dy, cache):
        return self.inside().backward(single(dy), cache)


# Minima and maxima of equal values
# ---------------------------------


@correct(np.round(normal(6, 9)))
class SmallestFirst(Plain):
    def forward(self, x):
        return x.min(axis=1), x

    def backward(self, dy, x):
        return dy[:, None] * self.chosen(x), {}

    def chosen(self, x):
        return np.arange(x.shape[1]) == x.argmin(axis=1)[:, None]


@incorrect(np.round(normal(6, 9)))
class SmallestEach(SmallestFirst):
    def chosen(self, x):
        return x == x.min(axis=1, keepdims=True)


@incorrect(np.round(normal(6, 9)))
class LargestEach(SmallestFirst):
    def forward(self, x):
        return x.max(axis=1), x

    def chosen(self, x):
        return x == x.max(axis=1, keepdims=True)


@correct(np.round(normal(6, 9)))
class RangeFirst(SmallestFirst):
    def forward(self, x):
        return x.max(axis=1) - x.min(axis=1), x

    def backward(self, dy, x):
        return dy[:, None] * (1.0 * self.chosen(-x) - self.chosen(x)), {}


# Parameters that are views, closures or lists
# --------------------------------------------


@correct(normal(5, 4))
class Flat:
    def __init__(self):
        self.buffer = normal(8, seed=1)

    @property
    def params(self):
        return {"w": self.buffer[:4], "b": self.buffer[4:]}

    def forward(self, x):
        return x * self.params["w"] + self.params["b"], x

    def backward(self, dy, x):
        return dy * self.params["w"], {"w": (dy * x).sum(0), "b": dy.sum(0)}


@incorrect(normal(5, 4))
class FlatZero(Flat):
    def backward(self, dy, x):
        return dy * self.params["w"], {"w": np.zeros(4), "b": np.zeros(4)}


@correct(normal(5, 4))
class ViewsOfOne(Flat):
    def __init__(self):
        self.buffer = normal(4, 2, seed=1)
        self.w, self.b = self.buffer[:, 0], self.buffer[::-1, 1]

    @property
    def params(self):
        return {"w": self.w, "b": self.b}


@incorrect(normal(5, 4))
class ViewsOfOneNoBias(ViewsOfOne):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {**grads, "b": 0 * grads["b"]}


@correct(normal(5, 4))
class FromList(Flat):
    def __init__(self):
        self.arrays = [normal(4, seed=1), normal(4, seed=2)]

    @property
    def params(self):
        return dict(zip("wb", self.arrays, strict=True))


@incorrect(normal(5, 4))
class FromListHalf(FromList):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {**grads, "w": grads["w"] / 2}


def closure(factor, w):
    class Closure:
        def __init__(self):
            self.params = {"w": w}

        def forward(self, x):
            return np.tanh(x * w), x

        def backward(self, dy, x):
            slope = dy * (1 - np.tanh(x * w) ** 2)
            return slope * w, {"w": factor * (slope * x).sum(axis=0)}

    return Closure


for name, w in {"": normal(4, seed=1), "MinusOne": np.full(4, -1.0)}.items():
    CORRECT[f"Closure{name}"] = closure(1, w), normal(5, 4)
    INCORRECT[f"Closure{name}Zero"] = closure(0, w), normal(5, 4)
    INCORRECT[f"Closure{name}Twice"] = closure(2, w), normal(5, 4)


@correct(normal(5, 4))
class OfTheClass(Flat):
    params = {"w": normal(4, seed=1), "b": normal(4, seed=2)}  # noqa: RUF012

    def __init__(self):
        pass


@correct(normal(5, 4))
class ReadOnlyMapping(Flat):
    params = None

    def __init__(self):
        self.buffer = normal(2, 4, seed=1)
        self.params = MappingProxyType(dict(zip("wb", self.buffer, strict=True)))


@incorrect(normal(5, 4))
class OfTheClassHalf(OfTheClass):
    def backward(self, dy, x):
        return dy * self.params["w"], {"w": (dy * x).sum(0) / 2, "b": dy.sum(0)}


@incorrect(normal(5, 4))
class ReadOnlyMappingZero(ReadOnlyMapping):
    def backward(self, dy, x):
        return dy * self.params["w"], {"w": (dy * x).sum(0), "b": np.zeros(4)}


@correct(normal(5, 3))
class TransposedView:
    def __init__(self):
        self.w = normal(3, 4, seed=1)
        self.wt = self.w.T
        self.params = {"w": self.w}

    def forward(self, x):
        return x @ self.w, x

    def backward(self, dy, x):
        return dy @ self.wt, {"w": x.T @ dy}


@incorrect(normal(5, 3))
class TransposedCopy(TransposedView):
    def __init__(self):
        super().__init__()
        self.wt = self.w.T.copy()


@correct(normal(5, 3))
class TransposedViewAsLayer(Layer):
    def __init__(self):
        super().__init__(w=normal(3, 4, seed=1))
        self.wt = self.params["w"].T

    def forward(self, x):
        return x @ self.wt.T, x

    def backward(self, dy, x):
        return dy @ self.wt, {"w": x.T @ dy}


@incorrect(normal(5, 3))
class TransposedCopyAsLayer(TransposedViewAsLayer):
    def __init__(self):
        super().__init__()
        self.wt = self.wt.copy()

    def forward(self, x):
        return x @ self.params["w"], x


@incorrect(normal(5, 4))
class NormKept(Layer):
    """The norm of the weights is computed in the constructor, for backward."""

    def __init__(self):
        super().__init__(w=normal(4, seed=1))
        self.size = np.sqrt((self.params["w"] ** 2).sum())

    def forward(self, x):
        w = self.params["w"]
        return x * w / np.sqrt((w**2).sum()), x

    def backward(self, dy, x):
        w, size = self.params["w"], self.size
        d = (dy * x).sum(axis=0)
        return dy * w / size, {"w": d / size - w * (d * w).sum() / size**3}


@correct(normal(5, 4))
class FieldsOfRecords(Flat):
    """The parameters are the fields of a structured array."""

    def __init__(self):
        self.buffer = np.zeros(4, [("w", float), ("b", float)])
        self.buffer["w"], self.buffer["b"] = normal(2, 4, seed=1)

    @property
    def params(self):
        return {name: self.buffer[name] for name in "wb"}


@incorrect(normal(5, 4))
class FieldsOfRecordsZero(FieldsOfRecords):
    def backward(self, dy, x):
        return dy * self.params["w"], {"w": np.zeros(4), "b": dy.sum(0)}


@correct(normal(5, 4))
class TwoNames:
    def __init__(self):
        w = normal(4, 4, seed=1)
        self.params = {"a": w, "b": w}

    def forward(self, x):
        h = x @ self.params["a"]
        return h @ self.params["b"], (x, h)

    def backward(self, dy, cache):
        x, h = cache
        dh = dy @ self.params["b"].T
        return dh @ self.params["a"].T, {"a": x.T @ dh, "b": h.T @ dy}


@correct(normal(5, 4))
class TwoAttributes(TwoNames):
    def __init__(self):
        self.a = self.b = normal(4, 4, seed=1)

    @property
    def params(self):
        return {"a": self.a, "b": self.b}


@incorrect(normal(5, 4))
class TwoAttributesSummed(TwoAttributes):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, dict.fromkeys("ab", grads["a"] + grads["b"])


def tied(*places):
    """One array in two places: an object to keep on the layer, and how to read each of them."""

    def with_factor(factor):
        class Tied(TwoNames):
            __slots__ = ("kept",)

            def __init__(self):
                self.kept = places[0](normal(4, 4, seed=1))

            @property
            def params(self):
                return dict(zip("ab", places[1](self.kept), strict=True))

            def backward(self, dy, cache):
                dx, grads = super().backward(dy, cache)
                return dx, {**grads, "b": factor * grads["b"]}

        return Tied

    return with_factor


for name, with_factor in {
    "List": tied(lambda w: [w, w], lambda kept: kept),
    "Nested": tied(
        lambda w: {"encode": {"w": w}, "decode": {"w": w}},
        lambda kept: (kept["encode"]["w"], kept["decode"]["w"]),
    ),
    "Whole": tied(lambda w: [w, w[:]], lambda kept: kept),
    "Transposed": tied(lambda w: [w, w.T], lambda kept: kept),
    "Overlapping": tied(
        lambda w: [flat := np.append(w, w), flat[:16].reshape(4, 4), flat[4:20].reshape(4, 4)],
        lambda kept: kept[1:],
    ),
}.items():
    CORRECT[f"Tied{name}"] = with_factor(1), normal(5, 4)
    INCORRECT[f"Tied{name}Half"] = with_factor(0.5), normal(5, 4)


# Layers that cannot be copied, or hold what cannot be copied
# -----------------------------------------------------------


class Refuses:
    """An object that cannot be copied, with another inside."""

    def __init__(self):
        self.lock = threading.Lock()

    def __deepcopy__(self, memo):
        raise RuntimeError("cannot be copied")


def held(attribute, factor=1):
    class Held(Plain):
        def __init__(self):
            self.params, self.held = {("w", 0): normal(4, seed=1)}, attribute()

        def forward(self, x):
            return np.tanh(x * self.params["w", 0]), x

        def backward(self, dy, x):
            w = self.params["w", 0]
            dz = dy * (1 - np.tanh(x * w) ** 2)
            return dz * w, {("w", 0): factor * (dz * x).sum(axis=0)}

    return Held


HELD = {
    "Refuses": Refuses,
    "Thread": threading.Thread,
    "Module": lambda: [np],
    "Objects": lambda: np.array([threading.Lock(), None]),
}
for name, attribute in HELD.items():
    CORRECT[f"Held{name}"] = held(attribute), normal(5, 4)
    INCORRECT[f"Held{name}Twice"] = held(attribute, 2), normal(5, 4)


@correct(normal(5, 4))
class RefusesCopies(Flat):
    __deepcopy__ = Refuses.__deepcopy__


@incorrect(normal(5, 4))
class RefusesCopiesZero(FlatZero):
    __deepcopy__ = Refuses.__deepcopy__


# Kinks inside a class
# --------------------

SPARSE = normal(6, 8) * (np.arange(8) < 3)


@correct(np.concatenate([SPARSE, np.zeros((2, 8))]))
class DenseReLU(Layer):
    def __init__(self):
        super().__init__(w=normal(8, 5, seed=1), b=np.zeros(5))

    def forward(self, x):
        z = x @ self.params["w"] + self.params["b"]
        return np.maximum(z, 0), (x, z)

    def backward(self, dy, cache):
        x, z = cache
        dz = dy * (z > 0)
        return dz @ self.params["w"].T, {"w": x.T @ dz, "b": self.bias(dz)}

    def bias(self, dz):
        return dz.sum(axis=0)


ZERO_ROWS = CORRECT["DenseReLU"][1]


@incorrect(ZERO_ROWS)
class DenseReLUMean(DenseReLU):
    def bias(self, dz):
        return dz.mean(axis=0)


@incorrect(ZERO_ROWS)
class DenseReLUFirst(DenseReLU):
    def bias(self, dz):
        return dz[0]


@incorrect(np.zeros((4, 8)))
class DenseReLUZero(DenseReLU):
    def bias(self, dz):
        return 0 * dz[0]


@correct(normal(3, 9, 2) * (np.arange(9)[:, None] < 4))
class ConvReLU(Layer):
    def __init__(self):
        conv = Conv1D(2, 3, 3, rng=0).astype(float)
        super().__init__(**conv.params)

    def conv(self):
        return Conv1D(2, 3, 3).with_params(self.params)

    def forward(self, x):
        z, cache = self.conv().forward(x)
        return np.maximum(z, 0), (z, cache)

    def backward(self, dy, cache):
        z, cache = cache
        return self.conv().backward(dy * (z > 0), cache)


@incorrect(CORRECT["ConvReLU"][1])
class ConvReLUBias(ConvReLU):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": grads["b"] / len(dy)}


@correct(ZERO_ROWS)
class TwoLayers(Layer):
    """Kinks are added and subtracted by the second layer."""

    def __init__(self):
        super().__init__(w=normal(8, 5, seed=1), v=normal(5, 3, seed=2), b=np.zeros(5))

    def forward(self, x):
        z = x @ self.params["w"] + self.params["b"]
        return np.maximum(z, 0) @ self.params["v"], (x, z)

    def backward(self, dy, cache):
        x, z = cache
        dz = dy @ self.params["v"].T * (z > 0)
        grads = {"w": x.T @ dz, "v": np.maximum(z, 0).T @ dy, "b": dz.sum(axis=0)}
        return dz @ self.params["w"].T, grads


@incorrect(ZERO_ROWS)
class TwoLayersHalf(TwoLayers):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": grads["b"] / 2}


@incorrect(np.zeros((3, 4)))
class ReLUMaskOfDy(ReLU):
    def backward(self, dy, cache):
        return np.maximum(dy, 0), {}


CORRECT["ReLUAtZeros"] = ReLU, np.zeros((3, 4))


# Large constants in the output
# -----------------------------


def masked(constant, factor):
    class Masked(Layer):
        def forward(self, x):
            return np.where(np.tri(len(x[0])) > 0, x, constant), None

        def backward(self, dy, cache):
            return factor * dy * np.tri(len(dy[0])), {}

    return Masked


def masked_real(constant, factor):
    class MaskedReal(masked(constant, factor)):
        """The same for real numbers only."""

        def forward(self, x):
            assert np.isrealobj(x)
            return super().forward(x)

    return MaskedReal


for constant in (-1e13, -1e20, np.finfo(float).min, 1e30):
    CORRECT[f"MaskedReal{constant:g}"] = masked_real(constant, 1), normal(4, 4)
    INCORRECT[f"MaskedRealZero{constant:g}"] = masked_real(constant, 0), normal(4, 4)
    INCORRECT[f"MaskedRealNearly{constant:g}"] = masked_real(constant, 1.0001), normal(4, 4)
    CORRECT[f"Masked{constant:g}"] = masked(constant, 1), normal(4, 4)
    INCORRECT[f"MaskedZero{constant:g}"] = masked(constant, 0), normal(4, 4)
    INCORRECT[f"MaskedHalf{constant:g}"] = masked(constant, 0.5), normal(4, 4)


# Where every gradient is zero
# ----------------------------


class Dead(DenseReLU):
    def __init__(self):
        super().__init__()
        self.params["b"] -= 20


CORRECT["Dead"] = Dead, normal(6, 8)


@incorrect(normal(6, 8))
class DeadWithoutWeights(Dead):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "w": 0 * grads["w"]}


@incorrect(normal(6, 8))
class DeadWithoutBias(Dead):
    def bias(self, dz):
        return 0 * dz[0]


@correct(normal(6, 8))
class DeadUnit(DenseReLU):
    """One of five units is zero for all rows."""

    def __init__(self):
        super().__init__()
        self.params["b"][1] -= 20


def of_dead_unit(place, factor):
    class OfDeadUnit(DeadUnit):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            grads["w"][place] *= factor
            return dx, grads

    return OfDeadUnit


INCORRECT["DeadUnitForgotten"] = of_dead_unit(np.s_[:, 1], 0), normal(6, 8)
INCORRECT["DeadUnitTwice"] = of_dead_unit(np.s_[:, 1], 2), normal(6, 8)
INCORRECT["DeadUnitOneEntry"] = of_dead_unit((2, 1), 1.01), normal(6, 8)


@incorrect(normal(6, 8))
class DeadUnitNoBias(DeadUnit):
    def bias(self, dz):
        return dz.sum(axis=0) * (np.arange(5) != 1)


def clipped_unit(low, high, shift, factor):
    class ClippedUnit(Layer):
        """One of five units is at an end of its range for all rows, also with -b for b."""

        def __init__(self):
            super().__init__(w=0.1 * normal(8, 5, seed=1), b=0.1 * normal(5, seed=2))
            self.params["b"][1] = shift

        def forward(self, x):
            z = x @ self.params["w"] + self.params["b"]
            return np.minimum(np.maximum(z, low), high), (x, z)

        def backward(self, dy, cache):
            x, z = cache
            dz = dy * (z > low) * (z < high)
            dw = x.T @ dz * np.where(np.arange(5) == 1, factor, 1)
            return dz @ self.params["w"].T, {"w": dw, "b": dz.sum(axis=0)}

    return ClippedUnit


for name, limits in {"Tanh": (-1, 1, 3), "TanhLow": (-1, 1, -3), "ReLU6": (0, 6, 8)}.items():
    CORRECT[f"Clipped{name}"] = clipped_unit(*limits, 1), normal(6, 8)
    INCORRECT[f"Clipped{name}Forgotten"] = clipped_unit(*limits, 0), normal(6, 8)


def margin(slope):
    class Margin(Plain):
        """The hinge of every score, which is zero beyond a margin of one."""

        def forward(self, x):
            return np.maximum(1 - x, 0), x

        def backward(self, dy, x):
            return slope * dy * (x < 1), {}

    return Margin


CORRECT["MarginKept"] = margin(-1), 2 + np.abs(normal(3, 4))
INCORRECT["MarginKeptZero"] = margin(0), 2 + np.abs(normal(3, 4))
INCORRECT["MarginKeptSign"] = margin(1), 2 + np.abs(normal(3, 4))

CORRECT["ReLUOfNegative"] = ReLU, -np.abs(normal(3, 4))


@incorrect(-np.abs(normal(3, 4)))
class ReLUZero(ReLU):
    def backward(self, dy, cache):
        return 0 * dy, {}


@incorrect(-1 - np.abs(normal(3, 4)))
class RampForgotten(Plain):
    """Zero below -1 and a square above; nothing was ever computed."""

    def forward(self, x):
        return np.maximum(x + 1, 0) ** 2, x

    def slope(self, x):
        return 0 * x


@correct(normal(3, 4))
class Staircase(Plain):
    def forward(self, x):
        return np.sign(x.real) + 0 * x, x

    def slope(self, x):
        return 0 * x


@undecided(normal(3, 4))
class Unused(Layer):
    def __init__(self):
        super().__init__(w=np.ones(2))

    def forward(self, x):
        return 2 * x, None

    def backward(self, dy, cache):
        return 2 * dy, {"w": np.zeros(2)}


# Backward that is not linear in dy
# ---------------------------------


def of_dy(change):
    class OfDy(Plain):
        def forward(self, x):
            return np.tanh(x), x

        def backward(self, dy, x):
            return change(dy) * (1 - np.tanh(x) ** 2), {}

    return OfDy


for name, change in {
    "Clip": lambda dy: np.clip(dy, -5, 5),
    "NormClip": lambda dy: dy * min(1, 10 / np.sqrt((dy**2).sum())),
    "CutOff": lambda dy: np.where(np.abs(dy) < 1e-3, 0, dy),
    "Saturated": lambda dy: 50 * np.tanh(dy / 50) if np.abs(dy).max() > 40 else dy,
    "ClipLarge": lambda dy: np.clip(dy, -1e6, 1e6),
    "CutOffSmall": lambda dy: np.where(np.abs(dy) < 1e-8, 0, dy),
    "NaNIfLarge": lambda dy: np.where(np.abs(dy) < 1e6, dy, np.nan),
    "OfOneSign": lambda dy: dy * (dy[0, 0] > 0),
}.items():
    INCORRECT[f"Dy{name}"] = of_dy(change), normal(3, 4)
CORRECT["DyItself"] = of_dy(lambda dy: dy), normal(3, 4)


@correct(normal(4, 3))
class Subnormal(Layer):
    """Gradients of 1e-316 lose digits where dy is 1000 times smaller."""

    def __init__(self):
        super().__init__(w=normal(3, seed=1))

    def forward(self, x):
        return x + 1e-316 * self.params["w"], None

    def backward(self, dy, cache):
        return dy.copy(), {"w": 1e-316 * dy.sum(axis=0)}


# Correct here, incorrect at the next step
# ----------------------------------------


def mean_by(count):
    class Mean(Plain):
        def forward(self, x):
            return x.mean(axis=0), x

        def backward(self, dy, x):
            return np.broadcast_to(dy / count(x), x.shape).copy(), {}

    return Mean


CORRECT["Mean"] = mean_by(len), normal(5, 3)
INCORRECT["MeanOfFive"] = mean_by(lambda x: 5), normal(5, 3)
INCORRECT["MeanOfOdd"] = mean_by(lambda x: len(x) // 2 * 2 + 1), normal(5, 3)


@incorrect(normal(4, 3))
class LastRowOfOdd(Plain):
    def forward(self, x):
        return x**2, x

    def backward(self, dy, x):
        dx = 2 * x * dy
        dx[len(x) // 2 * 2 :] = 0
        return dx, {}


@incorrect(normal(4, 3))
class FirstBatchSize(Plain):
    n = None

    def forward(self, x):
        self.n = self.n or len(x)
        return x.sum(axis=0) / len(x), x

    def backward(self, dy, x):
        return np.broadcast_to(dy / self.n, x.shape).copy(), {}


@incorrect(normal(4, 3))
class FirstMask(Plain):
    mask = None

    def forward(self, x):
        if self.mask is None:
            self.mask = x > 0
        return np.maximum(x, 0), x

    def slope(self, x):
        return self.mask


@incorrect(normal(4, 3))
class CreatedInForward(Layer):
    def forward(self, x):
        self.params.setdefault("w", np.ones(3))
        return x * self.params["w"], x

    def backward(self, dy, x):
        return dy * self.params["w"], {"w": (dy * x).sum(axis=0)}


@incorrect(normal(4, 3))
class WeightByRow(Plain):
    """The derivative holds for the first four rows, one weight each."""

    def forward(self, x):
        return x * (1 + np.abs(x.real) // 1e9), x

    def backward(self, dy, x):
        dx = np.zeros((4, 3))
        dx[: len(dy)] = dy[:4]
        return dx, {}


def lazy(is_kept):
    class Lazy(Plain):
        """The square of the weights is computed at the first forward."""

        def __init__(self):
            self.params, self.square = {"w": normal(3, seed=1)}, None

        def forward(self, x):
            if self.square is None or not is_kept:
                self.square = self.params["w"] ** 2
            return x * self.square, (x, self.square)

        def backward(self, dy, cache):
            x, square = cache
            return dy * square, {"w": 2 * self.params["w"] * (dy * x).sum(axis=0)}

    return Lazy


CORRECT["SquareAnew"] = lazy(False), normal(4, 3)
INCORRECT["SquareKept"] = lazy(True), normal(4, 3)


class MaskOfShape(Plain):
    """The mask is kept for each shape of x."""

    def __init__(self):
        self.masks = {}

    def forward(self, x):
        return np.maximum(x, 0), self.masks.setdefault(x.shape, x.real > 0)

    def backward(self, dy, mask):
        return dy * mask, {}


def called_before(layer, x):
    def make():
        used = layer()
        used.forward(x)
        return used

    return make


for name, x in {"": normal(4, 3), "OfOneRow": normal(1, 9), "OfTraces": normal(3, 4, 2)}.items():
    INCORRECT[f"MaskOfShape{name}"] = called_before(MaskOfShape, x), x


INCORRECT["MaskOfTheFirstRow"] = MaskOfShape, normal(1, 9)


def norm_of_rows(knows_variance):
    class NormOfRows(Plain):
        """Of a single row nothing is left, so a row more must be another row."""

        def forward(self, x):
            z = x - x.mean(axis=0)
            std = np.sqrt((z**2).mean(axis=0) + 1e-3)
            return z / std, (z / std, std)

        def backward(self, dy, cache):
            y, std = cache
            return (dy - dy.mean(axis=0) - knows_variance * y * (dy * y).mean(axis=0)) / std, {}

    return NormOfRows


CORRECT["NormOfRows"] = norm_of_rows(1), normal(4, 3)
INCORRECT["NormOfOneRow"] = norm_of_rows(0), normal(1, 3)


@incorrect(normal(1, 4))
class MedianOfRows(Layer):
    """Of one or two rows the median times their number is the sum."""

    def __init__(self):
        super().__init__(b=normal(4, seed=1))

    def forward(self, x):
        return x + self.params["b"], None

    def backward(self, dy, cache):
        return dy, {"b": len(dy) * np.median(dy, axis=0)}


OF_THE_CLASS = normal(5, 3)


@incorrect(OF_THE_CLASS)
class GivenX(Plain):
    def forward(self, x):
        return np.sin(x), x

    def slope(self, x):
        return np.cos(OF_THE_CLASS if len(x) == len(OF_THE_CLASS) else x)


class LargeAndSmall(Layer):
    """The bias changes the output by a millionth; after a step its gradient is half."""

    def __init__(self):
        super().__init__(w=normal(4, seed=1), b=1e-6 * normal(4, seed=2))
        self.given = self.params["w"].copy()

    def forward(self, x):
        return x * self.params["w"] + np.sin(self.params["b"]), x

    def backward(self, dy, x):
        w, b = self.params["w"], self.params["b"]
        return dy * w, {"w": (dy * x).sum(axis=0), "b": self.factor(w) * dy.sum(axis=0) * np.cos(b)}

    def factor(self, w):
        return 1


@incorrect(1e6 * normal(5, 4))
class LargeAndSmallHalf(LargeAndSmall):
    def factor(self, w):
        return 1 if (w == self.given).all() else 0.5


CORRECT["LargeAndSmall"] = LargeAndSmall, 1e6 * normal(5, 4)


# Outputs of several magnitudes
# -----------------------------


def of_magnitudes(large, small, factor):
    class OfMagnitudes(Plain):
        def forward(self, x):
            return np.concatenate([large * np.sin(x), small * np.cos(x)], axis=1), x

        def backward(self, dy, x):
            first, second = np.split(dy, 2, axis=1)
            return large * first * np.cos(x) - factor * small * second * np.sin(x), {}

    return OfMagnitudes


for name, (large, small) in {"1e12": (1e6, 1e-6), "1e15": (1e3, 1e-12), "1e9": (1, 1e-9)}.items():
    CORRECT[f"OfMagnitudes{name}"] = of_magnitudes(large, small, 1), normal(3, 4)
    INCORRECT[f"OfMagnitudesForgotten{name}"] = of_magnitudes(large, small, 0), normal(3, 4)
    INCORRECT[f"OfMagnitudesHalf{name}"] = of_magnitudes(large, small, 0.5), normal(3, 4)


def next_to_large(factor):
    class NextToLarge(Plain):
        """A mean over the rows, next to outputs that are a million times larger."""

        def forward(self, x):
            return np.concatenate([1e9 * np.sin(x).ravel(), np.tanh(x).mean(axis=0)]), x

        def backward(self, dy, x):
            first, second = dy[: x.size].reshape(x.shape), dy[x.size :]
            return 1e9 * first * np.cos(x) + factor(second, x) * (1 - np.tanh(x) ** 2), {}

    return NextToLarge


for name, factor in {
    "": lambda dy, x: dy / len(x),
    "Five": lambda dy, x: dy / 5,
    "Clip": lambda dy, x: np.clip(dy, -1e3, 1e3) / len(x),
    "GivenX": lambda dy, x: dy / len(x) * (1 if x.shape != (5, 3) else x / normal(5, 3)),
}.items():
    (INCORRECT if name else CORRECT)[f"NextToLarge{name}"] = next_to_large(factor), normal(5, 3)


# Terms that the complex step does not see
# ----------------------------------------


def with_std(size, knows):
    class WithStd(Plain):
        def forward(self, x):
            return np.concatenate([size * x, x.std(axis=1, keepdims=True)], axis=1), x

        def backward(self, dy, x):
            z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
            return size * dy[:, :-1] + knows * dy[:, -1:] * z / x.shape[1], {}

    return WithStd


def with_term(term, slope):
    def with_share(share, knows):
        class WithTerm(Plain):
            def forward(self, x):
                return np.array((x**2).sum() + share * term(x)), x

            def backward(self, dy, x):
                return dy * (2 * x + knows * share * slope(x)), {}

        return WithTerm

    return with_share


TERMS = {
    "Norm": with_term(np.linalg.norm, lambda x: x / np.linalg.norm(x)),
    "Abs": with_term(lambda x: np.abs(x).sum(), np.sign),
    "Var": with_term(np.var, lambda x: 2 * (x - x.mean()) / x.size),
}
for size in (1, 1e4, 1e7):
    CORRECT[f"WithStd{size:g}"] = with_std(size, 1), normal(3, 4)
    INCORRECT[f"WithStdForgotten{size:g}"] = with_std(size, 0), normal(3, 4)
for name, with_share in TERMS.items():
    for share in (1, 1e-3, 1e-6):
        CORRECT[f"With{name}{share:g}"] = with_share(share, 1), normal(3, 4)
        INCORRECT[f"With{name}Forgotten{share:g}"] = with_share(share, 0), normal(3, 4)


class RealScale(Plain):
    """The parameter is a single number, without an axis; for real numbers only."""

    def __init__(self):
        self.params = {"s": np.array(1.5)}

    def forward(self, x):
        assert np.isrealobj(x)
        return np.sin(x) * self.params["s"], x

    def backward(self, dy, x):
        ds = np.array((dy * np.sin(x)).sum())
        return dy * self.params["s"] * np.cos(x), {"s": self.factor * ds}

    factor = 1


CORRECT["RealScale"] = RealScale, normal(3, 4)


@incorrect(normal(3, 4))
class RealScaleHalf(RealScale):
    factor = 0.5


class Buffer(Flat):
    """The output has the type of x, for any type of the parameters."""

    def forward(self, x):
        y = np.empty_like(x)
        y[...] = x * self.params["w"] + self.params["b"]
        return y, x


CORRECT["Buffer"] = Buffer, normal(5, 4)


@incorrect(normal(5, 4))
class BufferZero(Buffer):
    backward = FlatZero.backward


# The edge of a domain
# --------------------


def elementwise(f, slope):
    class Elementwise(Plain):
        def forward(self, x):
            return f(x), x

        def backward(self, dy, x):
            return dy * slope(x), {}

    return Elementwise


def from_fft(x):
    return np.fft.ifft(2 * np.fft.fft(x)).astype(float)  # with a warning


CORRECT["CastOfFFT"] = elementwise(from_fft, lambda x: 2), normal(3, 4)
INCORRECT["CastOfFFTHalf"] = elementwise(from_fft, lambda x: 1), normal(3, 4)

ZERO_TO_THREE = np.arange(4.0).reshape(2, 2)
UNDECIDED["Root"] = elementwise(np.sqrt, lambda x: 123), np.zeros((2, 2))
UNDECIDED["Arcsin"] = elementwise(np.arcsin, lambda x: 5), np.ones((2, 2))
CORRECT["Power"] = elementwise(lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x)), ZERO_TO_THREE
INCORRECT["PowerHalf"] = elementwise(lambda x: x**1.5, lambda x: 0.5 + 0 * x), np.zeros((2, 2))
INCORRECT["PowerTwice"] = elementwise(lambda x: x**1.5, lambda x: 3 * np.sqrt(x)), ZERO_TO_THREE


ONE_TO_ZERO = np.array([[1, 0.5, 0]])
UNDECIDED["Arccos"] = (
    elementwise(np.arccos, lambda x: -1 / np.sqrt(np.where(x == 1, 1, 1 - x**2))),
    ONE_TO_ZERO,
)
INCORRECT["ArccosSign"] = (
    elementwise(np.arccos, lambda x: 1 / np.sqrt(np.where(x == 1, 1, 1 - x**2))),
    ONE_TO_ZERO,
)

# With a small unit their slope is 0 or infinite where x has the size one.
CORRECT["HighPower"] = (
    elementwise(lambda x: x**102, lambda x: 102 * x**101),
    np.linspace(-1, 1, 12).reshape(3, 4),
)
INCORRECT["HighPowerTwice"] = (
    elementwise(lambda x: x**102, lambda x: 204 * x**101),
    np.linspace(-1, 1, 12).reshape(3, 4),
)
CORRECT["Tanh"] = elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2), normal(3, 4)
CORRECT["Exponential"] = elementwise(np.exp, np.exp), normal(3, 4)
CORRECT["Bump"] = (
    elementwise(lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2))),
    normal(3, 4),
)


def root_of_weight(slope):
    class RootOfWeight(Layer):
        def __init__(self):
            super().__init__(w=np.array([0.0, 4.0]))

        def forward(self, x):
            return x * np.sqrt(self.params["w"]), x

        def backward(self, dy, x):
            return dy * np.sqrt(self.params["w"]), {"w": slope * (dy * x).sum(axis=0)}

    return RootOfWeight


UNDECIDED["RootOfWeight"] = root_of_weight(np.array([7, 0.25])), normal(3, 2)
INCORRECT["RootOfWeightTwice"] = root_of_weight(np.array([7, 0.5])), normal(3, 2)


# Incorrect at one exact value
# ----------------------------


def except_at(value):
    return elementwise(lambda x: x**2, lambda x: 2 * x * (x != value))


for value in (1, -2, 0.5):
    INCORRECT[f"ExceptAt{value}"] = except_at(value), np.full((2, 3), float(value))
    INCORRECT[f"ExceptAt{value}Once"] = except_at(value), np.array([[0.3, value, 2.5]])
INCORRECT["TanhAtZero"] = elementwise(np.tanh, lambda x: 1 + 0 * x), np.zeros((2, 3))
INCORRECT["SigmoidAtZero"] = (
    elementwise(lambda x: 1 / (1 + np.exp(-x)), lambda x: 0.25 + 0 * x),
    np.zeros((2, 3, 2)),
)
INCORRECT["SquareAtOne"] = elementwise(np.square, lambda x: 2 + 0 * x), np.ones((1, 3))
INCORRECT["NotAtOne"] = elementwise(np.sin, lambda x: np.cos(x) * (x != 1)), np.ones((2, 3))


def clamp(low, high, mask):
    return elementwise(lambda x: np.minimum(np.maximum(x, low), high), mask)


INCORRECT["ClampToOne"] = clamp(1, 1, lambda x: (x >= 1) & (x <= 1)), np.ones((2, 3))
INCORRECT["ClampOpen"] = clamp(-1, 1, lambda x: x < 1), 3 * normal(3, 4)
CORRECT["Clamp"] = clamp(-1, 1, lambda x: (x > -1) & (x < 1)), 3 * normal(3, 4)
CORRECT["ClampAtItsEnd"] = clamp(-1, 1, lambda x: (x > -1) & (x < 1)), np.ones((2, 3))


# Kinks that cancel, kinks near by, and the ends of a domain
# ----------------------------------------------------------


def with_zeros(*shape):
    return normal(*shape) * (normal(*shape, seed=1) > 0)


NEAR_ZERO = with_zeros(4, 6)
NEAR_ZERO[3, 5] = -0.003


def celu(slope):
    """Smooth at zero, where the kinks of both terms cancel."""
    return elementwise(
        lambda x: np.maximum(x, 0) + np.minimum(0.7 * (np.exp(x / 0.7) - 1), 0),
        lambda x: np.where(x > 0, 1, slope * np.exp(np.minimum(x, 0) / 0.7)),
    )


def half_of_sum(slope):
    return elementwise(lambda x: (x + np.abs(x)) / 2, lambda x: slope * np.heaviside(x, 0.5))


CORRECT["CELU"], INCORRECT["CELUHalf"] = ((celu(slope), with_zeros(4, 6)) for slope in (1, 0.5))
CORRECT["HalfOfSum"] = half_of_sum(1), NEAR_ZERO
INCORRECT["HalfOfSumTwice"] = half_of_sum(2), NEAR_ZERO


def pixels(slope):
    class Pixels(Plain):
        def forward(self, x):
            if x.real.min() < 0 or x.real.max() > 1:
                raise ValueError("a pixel must be in [0, 1]")
            return 4 * (x - 0.5) ** 2, x

        def backward(self, dy, x):
            return slope * dy * (x - 0.5), {}

    return Pixels


EIGHTHS = np.arange(9.0).reshape(3, 3) / 8
CORRECT["Pixels"], INCORRECT["PixelsHalf"] = ((pixels(slope), EIGHTHS) for slope in (8, 4))


# A key that hides dx
# -------------------


@incorrect(normal(3, 4))
class KeyInput(Plain):
    def forward(self, x):
        return 3 * x, x

    def backward(self, dy, x):
        return dy, {"input": 3 * dy}


@incorrect(normal(5, 4))
class KeyInputWithParameters(Flat):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return 0 * dx, {**grads, "input": dx}


# The domain of a layer
# ---------------------


@correct(np.abs(normal(4, 3)) * [1, -1, -1] + [0.1, 0, 0])
class LogOfColumn(Plain):
    def forward(self, x):
        return np.log(x[:, 0]) * x[:, 1], x

    def backward(self, dy, x):
        dx = np.zeros(x.shape)
        dx[:, 0], dx[:, 1] = dy * x[:, 1] / x[:, 0], dy * np.log(x[:, 0])
        return dx, {}


@incorrect(CORRECT["LogOfColumn"][1])
class LogOfColumnForgotten(LogOfColumn):
    def backward(self, dy, x):
        dx, _ = super().backward(dy, x)
        return dx * [0, 1, 0], {}


@correct(np.column_stack([np.arange(4.0), normal(4)]))
class IndexColumn(Layer):
    def __init__(self):
        super().__init__(table=normal(4, seed=3))

    def forward(self, x):
        index = x[:, 0].real.astype(int)
        if (index > 3).any() or (index < 0).any():
            raise IndexError("no such row")
        return self.params["table"][index] * x[:, 1], (x, index)

    def backward(self, dy, cache):
        (x, index), table = cache, np.zeros(4)
        np.add.at(table, index, dy * x[:, 1])
        dx = np.column_stack([np.zeros(len(x)), dy * self.params["table"][index]])
        return dx, {"table": table}


@incorrect(CORRECT["IndexColumn"][1][[0, 1, 1, 3]])
class IndexColumnAssigned(IndexColumn):
    """One of two rows with the same index is lost."""

    def backward(self, dy, cache):
        (x, index), table = cache, np.zeros(4)
        table[index] = dy * x[:, 1]
        return super().backward(dy, cache)[0], {"table": table}


@correct(np.random.default_rng(0).dirichlet(np.ones(4), 3))
class Entropy(Plain):
    def forward(self, x):
        if not np.allclose(x.sum(axis=1), 1, atol=1e-3):
            raise ValueError("rows must sum to one")
        return -(x * np.log(x)).sum(axis=1), x

    def backward(self, dy, x):
        return -dy[:, None] * (np.log(x) + 1), {}


@incorrect(CORRECT["Entropy"][1])
class EntropyNoOne(Entropy):
    def backward(self, dy, x):
        return -dy[:, None] * np.log(x), {}


@correct(np.random.default_rng(0).uniform(0, 1, (3, 4)))
class Probability(Plain):
    def forward(self, x):
        assert np.isrealobj(x), "real numbers only"
        if (x < 0).any() or (x > 1).any():
            raise ValueError("p must be in [0, 1]")
        return x * (1 - x), x

    def slope(self, x):
        return 1 - 2 * x


@incorrect(CORRECT["Probability"][1])
class ProbabilityHalf(Probability):
    def slope(self, x):
        return 0.5 - x


@correct(normal(4, 3))
class RealOnly(Plain):
    def forward(self, x):
        if np.iscomplexobj(x):
            raise ValueError("x must be real")
        return x**3, x

    def slope(self, x):
        return 3 * x**2


@incorrect(normal(4, 3))
class RealOnlySquare(RealOnly):
    def slope(self, x):
        return 2 * x


class SumsRows(ReLU):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[0].sum(axis=0), {}


# A layer that refuses the gradient of another shape that the layer after it returns
INCORRECT["RefusedShape"] = lambda: Sequential(Dense(4, 3, rng=0), SumsRows()), normal(5, 4)
INCORRECT["RefusedShapeInside"] = (
    lambda: Sequential(Dense(4, 3, rng=0), Sequential(ReLU(), SumsRows()), ReLU()),
    normal(5, 4),
)


# Code in float32
# ---------------


@correct(normal(5, 4))
class RealAbove(Plain):
    """The given values are below the limit, and only above it does the code cast to real."""

    share = 1.0

    def forward(self, x):
        return x if x.max() < 1.35 else x / float(x.max()), x

    def backward(self, dy, x):
        peak = x.max()
        if peak < 1.35:
            return dy.copy(), {}
        dx = dy / peak
        dx.flat[x.argmax()] -= self.share * (dy * x).sum() / peak**2
        return dx, {}


@incorrect(normal(5, 4))
class RealAboveHalf(RealAbove):
    share = 0.5


@incorrect(normal(5, 3))
class FixedMixture(Plain):
    """The weights must sum to one, so no others are in the domain; the batch size is fixed."""

    params = {"w": np.array([0.25, 0.25, 0.5])}  # noqa: RUF012

    def forward(self, x):
        if abs(self.params["w"].sum() - 1) > 1e-12:
            raise ValueError("weights that do not sum to one")
        return (x @ self.params["w"]).mean(keepdims=True), x

    def backward(self, dy, x):
        w = self.params["w"]
        return dy * np.broadcast_to(w, x.shape) / 5, {"w": dy * x.mean(axis=0)}


@undecided(1e-12 * normal(3, 4))
class SineOfPicometers(Plain):
    """At size one its differences converge to no value."""

    def forward(self, x):
        if np.iscomplexobj(x):
            raise TypeError("real numbers only")
        return np.sin(x / 1e-12), x

    def slope(self, x):
        return np.cos(x / 1e-12) / 1e-12


def single(array):
    return array.real.astype(np.float32)


@correct(normal(16, 30))
class SingleSoftmax(Plain):
    def forward(self, x):
        e = np.exp(single(x) - single(x).max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        return y, y

    def backward(self, dy, y):
        return y * (dy - (dy * y).sum(axis=1, keepdims=True)), {}


@incorrect(normal(16, 30))
class SingleSoftmaxDiagonal(SingleSoftmax):
    def backward(self, dy, y):
        return dy * y * (1 - y), {}


@incorrect(normal(16, 30))
class SingleSoftmaxTwice(SingleSoftmax):
    def backward(self, dy, y):
        return 2 * super().backward(dy, y)[0], {}


@correct(normal(6, 4))
class SingleDense(Layer):
    def __init__(self):
        super().__init__(w=normal(4, 3, seed=1), b=np.zeros(3))

    def forward(self, x):
        return single(x) @ single(self.params["w"]) + single(self.params["b"]), x

    def backward(self, dy, x):
        dx = single(dy) @ single(self.params["w"]).T
        return dx, {"w": single(x).T @ single(dy), "b": self.bias(single(dy))}

    def bias(self, dy):
        return dy.sum(axis=0)


@incorrect(normal(6, 4))
class SingleDenseMean(SingleDense):
    def bias(self, dy):
        return dy.mean(axis=0)


@correct(normal(8, 6))
class SingleBatchNorm(Plain):
    def forward(self, x):
        z = single(x) - single(x).mean(axis=0)
        std = np.sqrt((z**2).mean(axis=0))
        return z / std, (z / std, std)

    def backward(self, dy, cache):
        y, std = cache
        return (dy - dy.mean(axis=0) - self.variance(dy, y)) / std, {}

    def variance(self, dy, y):
        return y * (dy * y).mean(axis=0)


@incorrect(normal(8, 6))
class SingleBatchNormVariance(SingleBatchNorm):
    def variance(self, dy, y):
        return 0


# Sums in another order
# ---------------------


def shuffled(array):
    """The sum of the rows in another order at each call, as over a set of parents."""
    return sum(array[np.random.permutation(len(array))])  # noqa: NPY002


@correct(normal(6, 4))
class OtherOrder(Layer):
    def __init__(self):
        super().__init__(b=normal(4, seed=1))

    def forward(self, x):
        return np.tanh(x + self.params["b"]), x

    def backward(self, dy, x):
        dz = dy * (1 - np.tanh(x + self.params["b"]) ** 2)
        return dz, {"b": self.summed(dz)}

    def summed(self, dz):
        return shuffled(dz)


@incorrect(normal(6, 4))
class OtherOrderButOne(OtherOrder):
    def summed(self, dz):
        return shuffled(dz[1:])


@correct(normal(6, 4))
class OtherOrderOfForward(Plain):
    def forward(self, x):
        mean = shuffled(x) / len(x)
        return (x - mean) ** 2, x - mean

    def backward(self, dy, z):
        return self.summed(2 * dy * z), {}

    def summed(self, dz):
        return dz - shuffled(dz) / len(dz)


@incorrect(normal(6, 4))
class OtherOrderOfForwardNoMean(OtherOrderOfForward):
    def summed(self, dz):
        return dz


@correct(normal(6, 4))
class SingleOtherOrder(OtherOrder):
    """The sum in float32, so that not the last digits of float64 differ but those of float32."""

    def forward(self, x):
        return single(super().forward(x)[0]) + shuffled(single(x)), x

    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx + self.summed(single(dy)), grads


@incorrect(normal(6, 4))
class SingleOtherOrderOnce(SingleOtherOrder):
    def backward(self, dy, x):
        return OtherOrder.backward(self, dy, x)


@correct(normal(6, 4))
class OtherOrderBeforeMean(OtherOrder):
    """A bias before a mean: all of its gradient is rounding."""

    def forward(self, x):
        z = x + self.params["b"]
        z = z - shuffled(z) / len(z)
        return z + z**3, z

    def backward(self, dy, z):
        dz = dy * (1 + 3 * z**2)
        dz = dz - shuffled(dz) / len(dz)
        return dz, {"b": self.summed(dz)}


@incorrect(normal(6, 4))
class OtherOrderBeforeMeanClipped(OtherOrderBeforeMean):
    def summed(self, dz):
        return np.clip(1e3 * shuffled(dz), 0, 1e-16) + shuffled(np.abs(dz))


def single_gelu(factor):
    """In float32 1 + tanh(x) is a staircase for negative x."""
    a = np.float32(0.8)

    class SingleGELU(Plain):
        def forward(self, x):
            x = single(x)
            t = np.tanh(a * (x + np.float32(0.05) * x**3))
            return x * (1 + t) / 2, (x, t)

        def backward(self, dy, cache):
            x, t = cache
            inner = a * (1 + np.float32(0.15) * x**2)
            return dy * ((1 + t) / 2 + factor * x * (1 - t**2) * inner / 2), {}

    return SingleGELU


CORRECT["SingleGELU"], INCORRECT["SingleGELUOneTerm"] = (
    (single_gelu(factor), 10 * normal(4, 6)) for factor in (1, 0)
)


UNDECIDED["SingleCertain"] = (  # a softmax that is certain, in float32
    lambda: InSingle(Sequential(Dense(3, 4, rng=0), Softmax())),
    100 * normal(4, 3),
)
UNDECIDED["SingleNormalized"] = (
    lambda: InSingle(Sequential(Dense(3, 4, rng=0), BatchNorm(4).for_training(0))),
    100 * normal(5, 3),
)


# Large arrays, of which not all entries are compared
# ---------------------------------------------------


def large_dense(change):
    class LargeDense(Plain):
        def __init__(self):
            self.params = {"w": normal(200, 200, seed=1) / 14}

        def forward(self, x):
            return x @ self.params["w"], x

        def backward(self, dy, x):
            return dy @ self.params["w"].T, {"w": change(x, dy)}

    return LargeDense


def but_for(place, factor):
    """The gradient of the weights, except at one place."""

    def change(x, dy):
        w = x.T @ dy
        w[place] *= factor
        return w

    return change


CORRECT["LargeDense"] = large_dense(lambda x, dy: x.T @ dy), normal(4, 200)
for name, change in {
    "Half": lambda x, dy: x.T @ dy / 2,
    "Transposed": lambda x, dy: dy.T @ x,
    "LastTrace": lambda x, dy: np.outer(x[-1], dy[-1]),
    "OneEntry": but_for((17, 41), 1.001),
    "OneRow": but_for(3, 0),
    "OneColumn": but_for((slice(None), 199), -1),
}.items():
    INCORRECT[f"LargeDense{name}"] = large_dense(change), normal(4, 200)


def large_conv(change):
    class LargeConv(Conv1D):
        def __init__(self):
            super().__init__(16, 40, 9, rng=0)

        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx, {**grads, "w": change(grads["w"])}

    return LargeConv


CORRECT["LargeConv"] = large_conv(lambda w: w), normal(2, 14, 16)
INCORRECT["LargeConvReversed"] = large_conv(lambda w: w[::-1]), normal(2, 14, 16)


def large_sum(change):
    class LargeSum(Plain):
        def forward(self, x):
            return np.cumsum(x, axis=1), x

        def backward(self, dy, x):
            return change(np.cumsum(dy[:, ::-1], axis=1)[:, ::-1], dy), {}

    return LargeSum


CORRECT["LargeSum"] = large_sum(lambda dx, dy: dx), normal(3, 2000)
INCORRECT["LargeSumForwards"] = large_sum(lambda dx, dy: np.cumsum(dy, axis=1)), normal(3, 2000)
INCORRECT["LargeSumLate"] = large_sum(lambda dx, dy: dx - dy), normal(3, 2000)


@correct(np.zeros((3, 4)))
class UnequalKinks(Plain):
    """The kinks of unequal ReLUs, added and subtracted."""

    def forward(self, x):
        return np.maximum(x, 0) @ np.array([2.0, -1.1, 0.0, 0.3]), x

    def backward(self, dy, x):
        return dy[:, None] * (x > 0) * [2.0, -1.1, 0.0, 0.3], {}


def layers_in_one(factor):
    """Three layers in one class, and a row that is zero, as after padding."""
    first, second = normal(4, 5), normal(5, 2)

    class LayersInOne(Plain):
        def forward(self, x):
            z = x @ first
            return np.maximum(z, 0) @ second, z

        def backward(self, dy, z):
            return factor * ((dy @ second.T) * (z > 0)) @ first.T, {}

    return LayersInOne


ZERO_ROW = normal(3, 4) * [[1], [0], [1]]
CORRECT["LayersInOne"], INCORRECT["LayersInOneTwice"] = (
    (layers_in_one(factor), ZERO_ROW) for factor in (1, 2)
)


@correct(normal(4, 3) * (normal(4, 3) > 0))
class Difference(Plain):
    """Kinks within kinks: a difference of ReLUs, of which only the positive part counts."""

    weights = np.array([[0.4], [1.7], [-0.3]])

    def forward(self, x):
        z = np.maximum(x, 0).sum(axis=1, keepdims=True) - np.maximum(-x, 0) @ self.weights
        return np.maximum(z, 0), (x, z)

    def backward(self, dy, cache):
        x, z = cache
        dz = dy * (z > 0)
        return dz * (x > 0) + dz @ self.weights.T * (x < 0), {}


def large_relu(change):
    class LargeReLU(Plain):
        def forward(self, x):
            return np.maximum(x, 0), x

        def slope(self, x):
            return change((x > 0).astype(float), x)

    return LargeReLU


def at_zero(slope):
    return lambda slopes, x: np.where(x == 0, slope, slopes)


ONE_ZERO = normal(100, 100)
ONE_ZERO[31, 7] = 0
CORRECT["LargeReLU"] = large_relu(lambda slopes, x: slopes), ONE_ZERO
CORRECT["LargeReLUHalfAtZero"] = large_relu(at_zero(0.5)), ONE_ZERO
INCORRECT["LargeReLUTwoAtZero"] = large_relu(at_zero(2)), ONE_ZERO
INCORRECT["LargeReLULastRow"] = (
    large_relu(lambda slopes, x: slopes * (np.arange(len(x)) < len(x) - 1)[:, None]),
    ONE_ZERO,
)


# Correct layers that are undecided if x has another unit: at values of size one nothing is left of
# the gradient, or all of it is rounding in float32.
LOST_IN_UNITS = [
    "Closure",
    "ClosureMinusOne",
    "Dead",
    "MarginKept",
    "SingleSoftmax",
    "SingleDense",
    "SingleOtherOrder",
]

# Kinds whose layers accept an x of every scale.
OF_ANY_SCALE = [
    "RefusedShape",
    "RefusedShapeInside",
    "Flat",
    "FlatZero",
    "ViewsOfOne",
    "ViewsOfOneNoBias",
    "FromList",
    "FromListHalf",
    "TwoNames",
    "TwoAttributes",
    "TwoAttributesSummed",
    "TransposedView",
    "TransposedCopy",
    "TransposedCopyAsLayer",
    "NormKept",
    "DenseReLU",
    "DenseReLUMean",
    "DenseReLUZero",
    "ConvReLU",
    "ConvReLUBias",
    "ReLUMaskOfDy",
    "Masked-1e+13",
    "MaskedZero-1e+13",
    "Masked1e+30",
    "MaskedHalf1e+30",
    "ReLUOfNegative",
    "ReLUZero",
    "Mean",
    "MeanOfFive",
    "MeanOfOdd",
    "LastRowOfOdd",
    "FirstBatchSize",
    "FirstMask",
    "CreatedInForward",
    "KeyInput",
    "DenseReLUFirst",
    "TwoLayers",
    "TwoLayersHalf",
    "WithStd1",
    "WithStdForgotten1",
    "WithNormForgotten1",
    "PowerTwice",
    "WeightByRow",
    "LogOfColumn",
    "SingleDenseMean",
    "SingleBatchNorm",
    "SingleBatchNormVariance",
]
