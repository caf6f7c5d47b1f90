"""Incorrect layers, and the names that their mistakes may have.

`NAMED` holds a class, an input, and the names that fit, by name. Next to each mistake that has a
name are layers that look alike and must not be called by it: their factor is equal to a size by
chance, no row depends on another, or nothing is pooled.

`NETWORKS` holds a container, an input, and the names of the mistakes of the layers inside, by
their positions.
"""

from functools import partial

import numpy as np
from corpora.other_points import Plain, elementwise, normal, single

from numpycnn import Conv1D, Dense, Layer, ReLU, Residual, Sequential, SkipConcat

NAMED, NETWORKS = {}, {}


def named(x, *names):
    def add(layer):
        NAMED[layer.__name__] = layer, x, names
        return layer

    return add


# A statistic of few rows
# -----------------------


class Standardized(Plain):
    """Rows with the mean 0 and the variance 1; backward takes the mean for a constant."""

    def forward(self, x):
        std = np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0))
        return (x - x.mean(axis=0)) / std, ((x - x.mean(axis=0)) / std, std)

    def backward(self, dy, cache):
        z, std = cache
        return (dy - z * (dy * z).mean(axis=0)) / std, {}


for n, name in ((3, "unknown"), (4, "batch mean"), (7, "batch mean")):
    NAMED[f"StandardizedRows{n}"] = Standardized, normal(n, 3), [name]


# A factor that happens to be a size
# ----------------------------------


def power(n):
    """x to the power n, without the factor n."""
    return elementwise(lambda x: x**n, lambda x: x ** (n - 1))


for shape in ((2, 2), (3, 2), (2, 3), (2, 2, 2), (3, 4, 2)):
    NAMED[f"Square{shape}"] = power(2), normal(*shape), ["factor"]
for shape in ((3, 4), (4, 3), (3, 3), (2, 3, 4), (2, 4, 3), (3, 1, 2), (1, 3, 3)):
    NAMED[f"Cube{shape}"] = power(3), normal(*shape), ["factor"]
NAMED["SixthPower"] = power(6), normal(2, 3), ["factor"]  # 6 is N times D


def loss(n_axes, factor):
    """The mean of the squares over all axes, or over the rows, as a layer."""

    class Loss(Plain):
        def forward(self, x):
            return np.array((x**2).sum() / np.prod(x.shape[:n_axes])), x

        def backward(self, dy, x):
            return factor(x) * dy * 2 * x / np.prod(x.shape[:n_axes]), {}

    return Loss


for n in (2, 5):
    NAMED[f"MeanMissing{n}"] = loss(1, len), normal(n, 4), ["mean missing"]
    NAMED[f"MeanOfAllMissing{n}"] = loss(2, np.size), normal(n, 4), ["mean missing"]
    NAMED[f"MeanTwice{n}"] = loss(1, lambda x: 1 / len(x)), normal(n, 4), ["divided twice"]
    NAMED[f"LossOfFive{n}"] = loss(1, lambda x: 5), normal(n, 4), ["factor"]
    NAMED[f"LossOfHalf{n}"] = loss(1, lambda x: 0.5), normal(n, 4), ["factor"]


class Pool2D(Plain):
    """The means over windows of samples; the mean over one has the share 1 / (height * width)."""

    def __init__(self, pool_size, share):
        self.pool_size, self.share = pool_size, share

    def forward(self, x):
        (n, height, width, c), (h, w) = x.shape, self.pool_size
        return x.reshape(n, height // h, h, width // w, w, c).mean(axis=(2, 4)), None

    def backward(self, dy, cache):
        h, w = self.pool_size
        return self.share * dy.repeat(h, axis=1).repeat(w, axis=2), {}


class Affine(Plain):
    """Rows times a matrix, plus a bias."""

    def __init__(self, n_in=4, n_out=3):
        self.params = {"w": normal(n_in, n_out, seed=1), "b": normal(n_out, seed=2)}

    def forward(self, x):
        return x @ self.params["w"] + self.params["b"], x

    def backward(self, dy, x):
        return dy @ self.params["w"].T, {"w": self.weights(x, dy), "b": self.bias(dy)}

    def weights(self, x, dy):
        return x.T @ dy

    def bias(self, dy):
        return dy.sum(axis=0)


class BiasMean(Affine):
    def bias(self, dy):
        return dy.mean(axis=0)


class BiasThird(Affine):
    def bias(self, dy):
        return dy.sum(axis=0) / 3


class WeightsMean(Affine):
    def weights(self, x, dy):
        return x.T @ dy / len(x)


for n in (2, 3, 5):
    NAMED[f"BiasMean{n}"] = BiasMean, normal(n, 4), ["bias averaged"]
    NAMED[f"BiasThird{n}"] = BiasThird, normal(n, 4), ["factor"]
    NAMED[f"WeightsMean{n}"] = WeightsMean, normal(n, 4), ["divided twice"]


@named(normal(5, 3), "bias averaged")
class ScalarBiasMean(Plain):
    """One bias for all outputs, an array without axes."""

    def __init__(self):
        self.params = {"b": np.array(0.5)}

    def forward(self, x):
        return np.tanh(x + self.params["b"]), x

    def backward(self, dy, x):
        dx = dy * (1 - np.tanh(x + self.params["b"]) ** 2)
        return dx, {"b": dx.mean()}


class ColumnsOfTraces(Plain):
    """A trace in each column, and a bias of shape (F, 1)."""

    def __init__(self):
        self.params = {"w": normal(3, 4, seed=1), "b": normal(3, 1, seed=2)}

    def forward(self, x):
        return self.params["w"] @ x + self.params["b"], x

    def backward(self, dy, x):
        db = dy.mean(axis=1, keepdims=True)
        return self.params["w"].T @ dy, {"w": dy @ x.T, "b": db}


NAMED["ColumnsOfTraces"] = ColumnsOfTraces, normal(4, 5), ["bias averaged"]


@named(normal(2, 9, 2), "bias averaged")
class ConvBiasMean(Conv1D):
    def __init__(self):
        super().__init__(2, 3, 3, rng=0)

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "b": dy.mean(axis=(0, 1))}


# A size that cannot be changed, or of an axis over which nothing is summed: a constant
for n, n_in, n_out in ((2, 3, 4), (3, 3, 3), (5, 4, 4), (1, 3, 2)):
    for factor in (3, 4, 1 / n_in, n_out):
        made = type("Weights", (Affine,), {"weights": lambda self, x, dy, f=factor: f * x.T @ dy})
        NAMED[f"Weights{n, n_in, n_out, round(factor, 2)}"] = (
            partial(made, n_in, n_out),
            normal(n, n_in),
            ["factor"],
        )


class ConvTaps(Conv1D):
    """The gradients times the number of taps, and divided by it."""

    def __init__(self):
        super().__init__(3, 3, 3, rng=0)

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return 3 * dx, {**grads, "w": grads["w"] / 3}


for shape in ((2, 9, 3), (3, 3, 3)):
    NAMED[f"ConvTaps{shape}"] = ConvTaps, normal(*shape), ["factor"]


@named(normal(2, 2, 2), "mean missing")
class MeanOverTwo(Plain):
    def forward(self, x):
        return x.mean(axis=1), x.shape[1]

    def backward(self, dy, length):
        return np.stack([dy] * length, axis=1), {}


@named(normal(3, 4), "dy ignored")
class LossWithoutDy(Plain):
    def forward(self, x):
        return np.array((x**2).mean()), x

    def backward(self, dy, x):
        return 2 * x / x.size, {}


@named(normal(5, 4), "not linear")
class Normalized(Affine):
    """Each gradient is divided by its length: a factor, but not a constant."""

    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {name: grad / np.linalg.norm(grad) for name, grad in grads.items()}


# A statistic of the batch, or one number added
# ---------------------------------------------


def plus(f, slope, added):
    return elementwise(f, lambda x: slope(x) + added)


def plus_dy(f, slope, added):
    class PlusDy(Plain):
        def forward(self, x):
            return f(x), x

        def backward(self, dy, x):
            return dy * slope(x) + added, {}

    return PlusDy


CURVES = {
    "Tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "Sine": (np.sin, np.cos),
    "Exponential": (np.exp, np.exp),
}
for curve, (f, slope) in CURVES.items():
    for shape in ((6, 3), (12, 2), (3, 5, 2)):
        NAMED[f"{curve}Plus{shape}"] = plus_dy(f, slope, 0.1), normal(*shape), ["not linear"]
        NAMED[f"{curve}SlopePlus{shape}"] = plus(f, slope, 0.1), normal(*shape), ["unknown"]


class Centered(Plain):
    """Three times each value less the mean of its column."""

    def forward(self, x):
        return 3 * (x - x.mean(axis=0)), None

    def backward(self, dy, cache):
        return 3 * self.centered(dy), {}

    def centered(self, dy):
        return dy


class Scaled(Plain):
    """Values less their mean, over their standard deviation; the latter is a constant."""

    def forward(self, x):
        z = x - x.mean(axis=0)
        std = np.sqrt((z**2).mean(axis=0))
        return z / std, std

    def backward(self, dy, std):
        return (dy - dy.mean(axis=0)) / std, {}


class CenteredPlus(Centered):
    def centered(self, dy):
        return dy - dy.mean(axis=0) + 0.1


class ColumnsAsOne(Plain):
    """The softmax over the rows, whose sum is taken for a constant."""

    def forward(self, x):
        e = np.exp(x)
        return e / e.sum(axis=0), e / e.sum(axis=0)

    def backward(self, dy, y):
        return dy * y, {}


class ColumnsOfLengthOne(Plain):
    def forward(self, x):
        length = np.sqrt((x**2).sum(axis=0))
        return x / length, length

    def backward(self, dy, length):
        return dy / length, {}


for kind in (ColumnsAsOne, ColumnsOfLengthOne):
    NAMED[kind.__name__] = kind, normal(8, 2), ["unknown"]
NAMED["CenteredPlus"] = CenteredPlus, normal(8, 2), ["not linear"]
NAMED["Centered"] = Centered, normal(8, 2), ["batch mean", "cross terms missing"]
NAMED["Scaled"] = Scaled, normal(8, 2), ["batch variance"]


# Overlapping windows, a maximum, a shift: and what looks alike
# -------------------------------------------------------------


class Attention(Plain):
    """Each sample is the query, the key and the value; `branches` of the three go back."""

    branches = 1, 1, 1

    def forward(self, x):
        scores = x @ x.swapaxes(-1, -2)
        e = np.exp(scores - scores.real.max(axis=-1, keepdims=True))
        a = e / e.sum(axis=-1, keepdims=True)
        return a @ x, (x, a)

    def backward(self, dy, cache):
        x, a = cache
        q, k, v = self.branches
        da = dy @ x.swapaxes(-1, -2)
        ds = a * (da - (a * da).sum(axis=-1, keepdims=True))
        back = ds.swapaxes(-1, -2)
        return q * (ds @ x) + k * (back @ x) + v * (a.swapaxes(-1, -2) @ dy), {}


@named(normal(2, 5, 3), "unknown")
class AttentionNoKeys(Attention):
    branches = 1, 0, 1


@named(normal(6, 3), "unknown")
class AttentionNoQueries(Attention):
    branches = 0, 1, 1


@named(normal(2, 4, 3), "unknown")
class AttentionNoValues(Attention):
    branches = 1, 1, 0


class Recurrent(Layer):
    """h[l] = tanh(x[l] + h[l-1] w); the output is every h, or the last."""

    is_last_only = False
    n_steps = None  # that go back; all of them

    def __init__(self):
        super().__init__(w=normal(2, 2, seed=1))

    def forward(self, x):
        states = [np.zeros_like(x[:, 0] * self.params["w"][0, 0])]
        for step in range(x.shape[1]):
            states.append(np.tanh(x[:, step] + states[-1] @ self.params["w"]))
        h = np.stack(states, axis=1)
        return (h[:, -1] if self.is_last_only else h[:, 1:]), h

    def backward(self, dy, h):
        length, w = h.shape[1] - 1, self.params["w"]
        each = np.zeros_like(h[:, 1:])
        if self.is_last_only:
            each[:, -1] = dy
        else:
            each += dy
        dx, dw, dh = np.zeros_like(each), np.zeros_like(w), np.zeros_like(h[:, 0])
        for step in range(length)[::-1][: self.n_steps]:
            dx[:, step] = (each[:, step] + dh) * (1 - h[:, step + 1] ** 2)
            dw += h[:, step].T @ dx[:, step]
            dh = dx[:, step] @ w.T
        return dx, {"w": dw}


@named(normal(2, 6, 2), "unknown", "place missing", "only one place")
class RecurrentLastStep(Recurrent):
    n_steps = 1


@named(normal(2, 6, 2), "unknown", "only one place")
class RecurrentLastStepOfLast(Recurrent):
    is_last_only, n_steps = True, 1


@named(normal(2, 6, 2), "unknown", "place missing")
class RecurrentButOne(Recurrent):
    n_steps = 5


def permuted(order):
    class Permuted(Plain):
        def forward(self, x):
            return np.sin(x), x

        def backward(self, dy, x):
            return (dy * np.cos(x))[..., order], {}

    return Permuted


for order in ([1, 2, 0], [2, 0, 1], [1, 0, 3, 2], [3, 0, 1, 2]):
    for shape in ((4,), (2, 6)):
        x = normal(*shape, len(order))
        NAMED[f"Permuted{order}{shape}"] = permuted(order), x, ["misplaced"]


@named(normal(2, 6, 3), "shifted")
class Late(Plain):
    """Off by one indeed, along the samples."""

    def forward(self, x):
        return np.sin(x), x

    def backward(self, dy, x):
        return np.roll(dy * np.cos(x), 1, axis=1), {}


# Few values, of which several mistakes are true by chance
# --------------------------------------------------------


def guided(dy, x):
    return np.maximum(dy, 0) * (x > 0)


def no_slope(dy, x):
    return dy * (x > 0)


def of_few(f, backward):
    class OfFew(Plain):
        def forward(self, x):
            return f(x), x

        def backward(self, dy, x):
            return backward(dy, x), {}

    return OfFew


for shape in ((1, 4), (2, 2), (2, 3), (1, 5, 1)):
    for seed in range(4):
        relu, leaky = (
            of_few(lambda x: np.maximum(x, 0), guided),
            lambda x: np.where(x > 0, x, x / 9),
        )
        few = normal(*shape, seed=seed)
        names = ["mask of dy", "not linear"]
        NAMED[f"Guided{shape, seed}"] = relu, few, names
        NAMED[f"LeakyNoSlope{shape, seed}"] = of_few(leaky, no_slope), few, ["unknown"]
    NAMED[f"TanhWithoutOne{shape}"] = (
        elementwise(np.tanh, lambda x: -(np.tanh(x) ** 2)),
        normal(*shape),
        ["unknown"],
    )


@named(normal(2, 7, 2), "unknown")
class PairsOfSeven(Plain):
    """Sums of two samples; the last sample has no partner, and its gradient is not zero."""

    def forward(self, x):
        return x[:, 0:6:2] + x[:, 1:6:2], None

    def backward(self, dy, cache):
        return np.concatenate([dy.repeat(2, axis=1), dy[:, -1:]], axis=1), {}


class Dead(Affine):
    """All outputs of the ReLU are zero, and backward has no mask."""

    def __init__(self):
        super().__init__()
        self.params["b"][:] = -100

    def forward(self, x):
        return np.maximum(super().forward(x)[0], 0), x


NAMED["Dead"] = Dead, normal(5, 4), ["unknown", "mask missing"]


def in_column(factor):
    class InColumn(Affine):
        """An error in the weights of a column in a small unit, whose gradients are small."""

        def weights(self, x, dy):
            return x.T @ dy * np.array([1, factor, 1, 1])[:, None]

    return InColumn


for unit in (1e-6, 1e-8):
    x = normal(5, 4) * [1, unit, 1, 1]
    NAMED[f"ColumnZero{unit}"] = in_column(0), x, ["place missing", "unknown"]
    NAMED[f"ColumnTwice{unit}"] = in_column(-2), x, ["unknown"]


# A parameter of 0 or 1, and one row
# ----------------------------------


class Gain(Plain):
    """x times a gain, plus a bias, with the values at which a training begins."""

    def __init__(self):
        self.params = {"gain": np.ones(3), "bias": np.zeros(3)}

    def forward(self, x):
        return x * self.params["gain"] + self.params["bias"], x

    def backward(self, dy, x):
        return self.dx(dy), {"gain": (dy * self.times(x)).sum(axis=0), "bias": dy.sum(axis=0)}

    def dx(self, dy):
        return dy * self.params["gain"]

    def times(self, x):
        return x


@named(normal(4, 3), "derivative missing", "special value")
class GainForgotten(Gain):
    def dx(self, dy):
        return dy


@named(normal(4, 3), "special value")
class GainTimesOutput(Gain):
    def times(self, x):
        return self.forward(x)[0]


class GainKept(Gain):
    """A gain that is kept from construction, next to a bias of zeros."""

    def __init__(self):
        super().__init__()
        self.params["gain"] = normal(3)
        self.kept = self.params["gain"].copy()

    def dx(self, dy):
        return dy * self.kept


NAMED["GainKept"] = GainKept, normal(4, 3), ["kept value", "unknown"]
NAMED["BiasMean1"] = BiasMean, normal(1, 4), ["bias averaged"]
NAMED["WeightsMean1"] = WeightsMean, normal(1, 4), ["divided twice"]


@named(normal(1, 4), "reversed", "misplaced")
class RowsReversed(Affine):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx[::-1], grads


@named(normal(1, 3), "batch size")
class FirstRowOnly(Plain):
    def forward(self, x):
        return np.sin(x), x

    def backward(self, dy, x):
        return dy * np.cos(x[:1]), {}


# Code in float32
# ---------------


class Single(Plain):
    """Rows times a matrix, plus a bias, then ReLU, in float32; `change` alters the gradients."""

    def __init__(self):
        self.params = {"w": normal(10, 5, seed=1), "b": normal(5, seed=2)}

    def forward(self, x):
        z = single(x) @ single(self.params["w"]) + single(self.params["b"])
        return np.maximum(z, 0), (single(x), z > 0)

    def backward(self, dy, cache):
        x, passed = cache
        dz = single(dy) * passed
        dx, w, b = self.change(dz @ single(self.params["w"]).T, x.T @ dz, dz.sum(axis=0), len(x))
        return dx, {"w": w, "b": b}


for name, change, called in (
    ("Sign", lambda dx, w, b, n: (-dx, w, b), "sign"),
    ("Zero", lambda dx, w, b, n: (dx, 0 * w, b), "zero"),
    ("Twice", lambda dx, w, b, n: (dx, 2 * w, b), "factor"),
    ("Mean", lambda dx, w, b, n: (dx, w, b / n), "bias averaged"),
    ("Reversed", lambda dx, w, b, n: (dx[:, ::-1], w, b), "reversed"),
    ("RowMissing", lambda dx, w, b, n: (dx, w * (np.arange(10) > 0)[:, None], b), "place missing"),
):
    made = type(f"Single{name}", (Single,), {"change": staticmethod(change)})
    NAMED[made.__name__] = made, normal(8, 10), [called]


# Containers
# ----------


class OneEntry(Dense):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        w = grads["w"].copy()
        w[17, 41] *= 1.001
        return dx, {**grads, "w": w}


class Half(Dense):
    """The gradient of the weights is half of the correct one."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "w": grads["w"] / 2}


class KeepsTransposed(Dense):
    def __init__(self, *sizes, rng):
        super().__init__(*sizes, rng=rng)
        self.wt = self.params["w"].T.copy()

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dy @ self.params["w"].T + dy @ self.wt, grads


class Reversed(Conv1D):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx[:, ::-1], grads


class NoMask(ReLU):
    def backward(self, dy, cache):
        return dy, {}


class OfFour(Layer):
    """Three times the deviation from the mean of the batch, for a batch of four."""

    def forward(self, x):
        return 3 * (x - x.mean(axis=0)), None

    def backward(self, dy, cache):
        return 3 * (dy - dy.sum(axis=0) / 4), {}


class CacheOnSelf(Layer):
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y, None

    def backward(self, dy, cache):
        return dy * (1 - self.y**2), {}


def dense(seed, kind=Dense):
    return kind(4, 4, rng=seed)


def conv(seed, kind=Conv1D):
    return kind(2, 2, 3, padding="same", rng=seed)


NETWORKS.update(
    {
        "second": (
            lambda: Sequential(dense(0), ReLU(), dense(1, Half), dense(2)),
            normal(5, 4),
            {"2": "factor"},
        ),
        "first": (
            lambda: Sequential(conv(0, Reversed), ReLU(), conv(1)),
            normal(2, 9, 2),
            {"0": "reversed"},
        ),
        "after a step": (
            lambda: Sequential(dense(0, KeepsTransposed), ReLU(), dense(1)),
            normal(5, 4),
            {"0": "kept value"},
        ),
        "two at once": (
            lambda: Sequential(conv(0, Reversed), conv(1), NoMask()),
            normal(2, 9, 2),
            {"0": "reversed", "2": "mask missing"},
        ),
        "of a skip connection": (
            lambda: Sequential(conv(0), Residual(conv(1), NoMask(), conv(2)), ReLU()),
            normal(2, 9, 2),
            {"1.1": "mask missing"},
        ),
        "of a shortcut": (
            lambda: Residual(conv(0), ReLU(), shortcut=conv(1, Reversed)),
            normal(2, 9, 2),
            {"shortcut": "reversed"},
        ),
        "of a concatenation": (
            lambda: Sequential(SkipConcat(conv(0, Reversed), ReLU()), ReLU()),
            normal(2, 9, 2),
            {"0.0": "reversed"},
        ),
        "at another size": (
            lambda: Sequential(dense(0), OfFour(), dense(1)),
            normal(4, 4),
            {"1": "batch size"},
        ),
        "a breach": (
            lambda: Sequential(dense(0), CacheOnSelf(), dense(1)),
            normal(4, 4),
            {"1": "cache overwritten"},
        ),
    }
)
