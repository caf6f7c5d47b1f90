"""Right layers and losses of many kinds, none of which may be accused.

`RIGHT` holds them by name: `subject, x = RIGHT[name].case(rng)` draws a fresh one and an input.
What their `kind` says:

    ""        central differences in float64 agree with backward
    "single"  forward computes in float32 on the way, so differences see only its rounding
    "ties"    the input sits on a corner, where any of several gradients is right
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpycnn import Conv1D, Dense, Layer, MaxPool1D, ReLU, Sequential, Softmax


class Right(NamedTuple):
    """A layer or loss that is right: what it is, how to draw one with an input, what to heed."""

    what: str
    case: Callable[[np.random.Generator], tuple[Any, np.ndarray]]
    kind: str = ""


RIGHT: dict[str, Right] = {}


def right(what, kind=""):
    """Enter a class with a `case` of its own, or a function of `rng` that is one."""

    def enter(subject):
        RIGHT[subject.__name__] = Right(what, getattr(subject, "case", subject), kind)
        return subject

    return enter


# What is drawn
# -------------


def draw(rng, *shape):
    """Numbers between -2 and 2, no two of them close to each other and none close to zero."""
    size = int(np.prod(shape))
    step = 4 / (size + 1)
    grid = -2 + step * (np.arange(size) + rng.uniform(0.3, 0.7, size))
    grid = np.where(grid < 0, grid - 0.05, grid + 0.05)
    return rng.permutation(grid).reshape(shape)


def positive(rng, *shape):
    return rng.uniform(0.3, 2, shape)


def off_corner(x, corner):
    """A little more of `x` where its magnitude is too close to a corner."""
    return np.where(np.abs(np.abs(x) - corner) < 1e-2, x * 1.05, x)


def size(rng, low, high):
    return int(rng.integers(low, high + 1))


def traces(rng, channels=None):
    return draw(rng, size(rng, 2, 3), size(rng, 4, 6), channels or size(rng, 2, 3))


def rows(rng, features=None):
    return draw(rng, size(rng, 2, 4), features or size(rng, 3, 6))


class OnRows(Layer):
    """A layer without parameters that is drawn with a matrix x (N, D)."""

    @classmethod
    def case(cls, rng):
        return cls(), rows(rng)


class OnTraces(Layer):
    """The same with traces x (N, L, C)."""

    @classmethod
    def case(cls, rng):
        return cls(), traces(rng)


# Normalization
# -------------


class Scaled(Layer):
    """A layer with a scale and a shift for each of the features on the last axis."""

    @classmethod
    def case(cls, rng):
        x = cls.inputs(rng)
        features = x.shape[-1]
        return cls(gamma=positive(rng, features), beta=draw(rng, features)), x

    inputs = staticmethod(rows)
    eps = 1e-3

    def affine_grads(self, dy, x_hat):
        axes = tuple(range(dy.ndim - 1))
        return {"gamma": np.sum(dy * x_hat, axis=axes), "beta": dy.sum(axis=axes)}


@right("layer norm, with x.var")
class LayerNorm(Scaled):
    axis = -1

    def forward(self, x):
        std = np.sqrt(x.var(axis=self.axis, keepdims=True) + self.eps)
        x_hat = (x - x.mean(axis=self.axis, keepdims=True)) / std
        return x_hat * self.params["gamma"] + self.params["beta"], (x_hat, std)

    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        across = {"axis": self.axis, "keepdims": True}
        dx = (d - d.mean(**across) - x_hat * (d * x_hat).mean(**across)) / std
        return dx, self.affine_grads(dy, x_hat)


@right("batch norm over traces and samples, with x.var")
class BatchNorm(LayerNorm):
    axis = (0, 1)
    inputs = staticmethod(traces)


@right("instance norm, each channel of each trace")
class InstanceNorm(LayerNorm):
    axis = 1
    inputs = staticmethod(traces)


@right("layer norm with x.std, and eps added to it")
class StdNorm(Scaled):
    def forward(self, x):
        centered = x - x.mean(axis=-1, keepdims=True)
        std = x.std(axis=-1, keepdims=True)
        x_hat = centered / (std + self.eps)
        return x_hat * self.params["gamma"] + self.params["beta"], (x_hat, centered, std)

    def backward(self, dy, cache):
        x_hat, centered, std = cache
        d = dy * self.params["gamma"]
        dcentered = d / (std + self.eps)
        dstd = -(d * x_hat).sum(axis=-1, keepdims=True) / (std + self.eps)
        dcentered = dcentered + dstd * centered / (std * d.shape[-1])
        return dcentered - dcentered.mean(axis=-1, keepdims=True), self.affine_grads(dy, x_hat)


@right("group norm with two groups of two channels")
class GroupNorm(Layer):
    groups = 2

    @classmethod
    def case(cls, rng):
        return cls(), traces(rng, channels=4)[:2]

    def forward(self, x):
        grouped = x.reshape(len(x), x.shape[1], self.groups, -1)
        across = {"axis": (1, 3), "keepdims": True}
        std = np.sqrt(grouped.var(**across) + 1e-5)
        x_hat = (grouped - grouped.mean(**across)) / std
        return x_hat.reshape(x.shape), (x_hat, std)

    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy.reshape(x_hat.shape)
        across = {"axis": (1, 3), "keepdims": True}
        dx = (d - d.mean(**across) - x_hat * (d * x_hat).mean(**across)) / std
        return dx.reshape(dy.shape), {}


@right("each trace less its mean, over its std")
class Standardize(OnTraces):
    def forward(self, x):
        std = x.std(axis=(1, 2), keepdims=True)
        y = (x - x.mean(axis=(1, 2), keepdims=True)) / std
        return y, (y, std)

    def backward(self, dy, cache):
        y, std = cache
        across = {"axis": (1, 2), "keepdims": True}
        return (dy - dy.mean(**across) - y * np.mean(dy * y, **across)) / std, {}


@right("rows of length one, by np.linalg.norm")
class L2Normalise(OnRows):
    def forward(self, x):
        norm = np.linalg.norm(x, axis=-1, keepdims=True)
        return x / norm, (x / norm, norm)

    def backward(self, dy, cache):
        y, norm = cache
        return (dy - y * np.sum(dy * y, axis=-1, keepdims=True)) / norm, {}


@right("RMS norm with a scale")
class RMSNorm(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(gamma=positive(rng, x.shape[1])), x

    def forward(self, x):
        rms = np.sqrt(np.mean(np.abs(x) ** 2, axis=-1, keepdims=True) + 1e-6)
        return x / rms * self.params["gamma"], (x / rms, rms)

    def backward(self, dy, cache):
        x_hat, rms = cache
        d = dy * self.params["gamma"]
        dx = (d - x_hat * np.mean(d * x_hat, axis=-1, keepdims=True)) / rms
        return dx, {"gamma": np.sum(dy * x_hat, axis=0)}


@right("weights by direction and length, with np.linalg.norm")
class WeightNorm(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(v=draw(rng, x.shape[1], 3), g=positive(rng, 3)), x

    def forward(self, x):
        norm = np.linalg.norm(self.params["v"], axis=0)
        unit = self.params["v"] / norm
        return x @ (unit * self.params["g"]), (x, unit, norm)

    def backward(self, dy, cache):
        x, unit, norm = cache
        dw = x.T @ dy
        dg = np.sum(dw * unit, axis=0)
        dv = self.params["g"] / norm * (dw - unit * dg)
        return dy @ (unit * self.params["g"]).T, {"v": dv, "g": dg}


@right("cosine similarity with each of a few templates")
class Cosine(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], 2)), x

    def forward(self, x):
        x_norm = np.linalg.norm(x, axis=1, keepdims=True)
        w_norm = np.linalg.norm(self.params["w"], axis=0)
        x_hat, w_hat = x / x_norm, self.params["w"] / w_norm
        return x_hat @ w_hat, (x_hat, w_hat, x_norm, w_norm)

    def backward(self, dy, cache):
        x_hat, w_hat, x_norm, w_norm = cache
        dx, dw = dy @ w_hat.T, x_hat.T @ dy
        dx = (dx - x_hat * np.sum(dx * x_hat, axis=1, keepdims=True)) / x_norm
        return dx, {"w": (dw - w_hat * np.sum(dw * w_hat, axis=0)) / w_norm}


@right("scaled between smallest and largest")
class MinMax(OnRows):
    def forward(self, x):
        low, high = x.argmin(axis=1), x.argmax(axis=1)
        n = np.arange(len(x))
        span = (x[n, high] - x[n, low])[:, None]
        y = (x - x[n, low][:, None]) / span
        return y, (y, span, low, high)

    def backward(self, dy, cache):
        y, span, low, high = cache
        n = np.arange(len(y))
        dx = dy / span
        dx[n, low] -= np.sum(dy * (1 - y) / span, axis=1)
        dx[n, high] -= np.sum(dy * y / span, axis=1)
        return dx, {}


@right("divided by the largest magnitude")
class PeakNormalise(OnTraces):
    def forward(self, x):
        where = np.abs(x).argmax(axis=1)[:, None]
        peak = np.take_along_axis(x, where, axis=1)
        return x / np.abs(peak), (x, peak, where)

    def backward(self, dy, cache):
        x, peak, where = cache
        dx = dy / np.abs(peak)
        share = np.sum(dy * x, axis=1, keepdims=True) * np.sign(peak) / peak**2
        np.put_along_axis(dx, where, np.take_along_axis(dx, where, axis=1) - share, axis=1)
        return dx, {}


@right("divided by the sum of magnitudes")
class L1Normalise(OnRows):
    def forward(self, x):
        total = np.fabs(x.real).sum(axis=1, keepdims=True)
        return x / total, (x, total)

    def backward(self, dy, cache):
        x, total = cache
        return dy / total - np.sign(x) * np.sum(dy * x, axis=1, keepdims=True) / total**2, {}


# Activations
# -----------


@right("softsign, with np.abs")
class Softsign(OnTraces):
    def forward(self, x):
        return x / (1 + np.abs(x)), x

    def backward(self, dy, x):
        return dy / (1 + np.abs(x)) ** 2, {}


@right("tanh, its output for a cache")
class Tanh(OnTraces):
    def forward(self, x):
        y = np.tanh(x)
        return y, y

    def backward(self, dy, y):
        return dy * (1 - y**2), {}


@right("sigmoid by cases, as one writes it to keep exp small")
class Sigmoid(OnTraces):
    def forward(self, x):
        e = np.exp(-np.abs(x)) if np.isrealobj(x) else np.exp(np.where(x.real > 0, -x, x))
        y = np.where(x.real > 0, 1 / (1 + e), e / (1 + e))
        return y, y

    def backward(self, dy, y):
        return dy * y * (1 - y), {}


@right("swish with one slope for all, a parameter of shape ()")
class Swish(Layer):
    @classmethod
    def case(cls, rng):
        return cls(beta=np.array(rng.uniform(0.5, 2))), traces(rng)

    def forward(self, x):
        s = 1 / (1 + np.exp(-self.params["beta"] * x))
        return x * s, (x, s)

    def backward(self, dy, cache):
        x, s = cache
        slope = s * (1 - s)
        dbeta = np.sum(dy * x**2 * slope)
        return dy * (s + self.params["beta"] * x * slope), {"beta": np.array(dbeta)}


@right("GELU by its tanh formula")
class GELU(OnTraces):
    a, b = np.sqrt(2 / np.pi), 0.044715

    def forward(self, x):
        t = np.tanh(self.a * (x + self.b * x**3))
        return 0.5 * x * (1 + t), (x, t)

    def backward(self, dy, cache):
        x, t = cache
        inner = self.a * (1 + 3 * self.b * x**2)
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner), {}


@right("ELU, with expm1")
class ELU(OnTraces):
    def __init__(self, alpha=1.5):
        self.alpha = alpha
        super().__init__()

    def forward(self, x):
        y = np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))
        return y, y

    def backward(self, dy, y):
        return dy * np.where(y > 0, 1, y + self.alpha), {}


@right("leaky ReLU")
class LeakyReLU(OnTraces):
    def __init__(self, slope=0.2):
        self.slope = slope
        super().__init__()

    def forward(self, x):
        return np.maximum(x, self.slope * x), x > 0

    def backward(self, dy, passed):
        return dy * np.where(passed, 1, self.slope), {}


@right("PReLU, a slope for each channel")
class PReLU(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        return cls(a=rng.uniform(0.1, 0.5, x.shape[-1])), x

    def forward(self, x):
        return np.where(x > 0, x, self.params["a"] * x), x

    def backward(self, dy, x):
        da = np.sum(np.where(x > 0, 0, dy * x), axis=(0, 1))
        return dy * np.where(x > 0, 1, self.params["a"]), {"a": da}


@right("softplus, with logaddexp where it can")
class Softplus(OnTraces):
    def forward(self, x):
        return (np.log1p(np.exp(x)) if np.iscomplexobj(x) else np.logaddexp(x, 0)), x

    def backward(self, dy, x):
        return dy / (1 + np.exp(-x)), {}


@right("x + |x|")
class PlusAbs(OnTraces):
    def forward(self, x):
        return x + np.abs(x), x

    def backward(self, dy, x):
        return dy * (1 + np.sign(x)), {}


@right("|x| to a power")
class AbsPower(OnTraces):
    def __init__(self, p=1.7):
        self.p = p
        super().__init__()

    def forward(self, x):
        return np.abs(x) ** self.p, x

    def backward(self, dy, x):
        return dy * self.p * np.abs(x) ** (self.p - 1) * np.sign(x), {}


@right("|x| squared, which is x squared")
class AbsSquared(OnTraces):
    def forward(self, x):
        return np.abs(x) ** 2, x

    def backward(self, dy, x):
        return 2 * dy * x, {}


@right("|x| as x times its sign")
class SignTimes(OnTraces):
    def forward(self, x):
        return x * np.sign(x), np.sign(x)

    def backward(self, dy, sign):
        return dy * sign, {}


@right("the root of |x| with the sign of x")
class SignedRoot(OnTraces):
    def forward(self, x):
        return np.sign(x) * np.sqrt(np.abs(x)), x

    def backward(self, dy, x):
        return dy / (2 * np.sqrt(np.abs(x))), {}


@right("the sign alone, whose slope is zero")
class Sign(OnTraces):
    def forward(self, x):
        return np.sign(x), None

    def backward(self, dy, cache):
        return np.zeros_like(dy), {}


@right("x and its distance to the next whole number")
class Sawtooth(OnTraces):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        x[np.abs(x - np.round(x)) < 1e-3] += 0.1
        return cls(), x

    def forward(self, x):
        return x * (x - np.floor(x.real)), x

    def backward(self, dy, x):
        return dy * (2 * x - np.floor(x)), {}


@right("logarithmic compression that keeps the sign")
class LogCompress(OnTraces):
    def forward(self, x):
        return np.sign(x) * np.log1p(np.abs(x)), x

    def backward(self, dy, x):
        return dy / (1 + np.abs(x)), {}


@right("soft threshold")
class Shrink(OnTraces):
    def forward(self, x):
        return np.sign(x) * np.maximum(np.abs(x) - 0.03, 0), x

    def backward(self, dy, x):
        return dy * (np.abs(x) > 0.03), {}


@right("clipped to [-3/2, 3/2]")
class Clip(OnTraces):
    @classmethod
    def case(cls, rng):
        return cls(), off_corner(traces(rng), 1.5)

    def forward(self, x):
        return np.clip(x, -1.5, 1.5), (x > -1.5) & (x < 1.5)

    def backward(self, dy, inside):
        return dy * inside, {}


@right("magnitude of pairs of channels, with np.hypot")
class Hypot(Layer):
    @classmethod
    def case(cls, rng):
        return cls(), traces(rng, channels=2)

    def forward(self, x):
        y = np.hypot(x[..., 0], x[..., 1])
        return y, (x, y)

    def backward(self, dy, cache):
        x, y = cache
        return (dy / y)[..., None] * x, {}


@right("the larger of two linear maps")
class Maxout(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(u=draw(rng, x.shape[1], 2), v=draw(rng, x.shape[1], 2)), x

    def forward(self, x):
        u, v = x @ self.params["u"], x @ self.params["v"]
        return np.where(u > v, u, v), (x, u > v)

    def backward(self, dy, cache):
        x, won = cache
        du, dv = dy * won, dy * ~won
        grads = {"u": x.T @ du, "v": x.T @ dv}
        return du @ self.params["u"].T + dv @ self.params["v"].T, grads


# Pooling, resampling, filters
# ----------------------------


@right("average pooling of pairs; a last sample left over is dropped")
class AveragePool(OnTraces):
    def forward(self, x):
        n_windows = x.shape[1] // 2
        windows = x[:, : 2 * n_windows].reshape(len(x), n_windows, 2, -1)
        return windows.mean(axis=2), x.shape

    def backward(self, dy, shape):
        dx = np.zeros(shape, dy.dtype)
        dx[:, : 2 * dy.shape[1]] = dy.repeat(2, axis=1) / 2
        return dx, {}


@right("average over windows of three that overlap")
class MovingAverage(OnTraces):
    def forward(self, x):
        return (x[:, :-2] + x[:, 1:-1] + x[:, 2:]) / 3, x.shape

    def backward(self, dy, shape):
        dx = np.zeros(shape, dy.dtype)
        for j in range(3):
            dx[:, j : j + dy.shape[1]] += dy / 3
        return dx, {}


@right("the root of the mean of squares over a whole trace")
class LPPool(OnTraces):
    p = 3

    def forward(self, x):
        y = np.mean(np.abs(x) ** self.p, axis=1) ** (1 / self.p)
        return y, (x, y)

    def backward(self, dy, cache):
        x, y = cache
        outer = (dy * y ** (1 - self.p))[:, None] / x.shape[1]
        return outer * np.abs(x) ** (self.p - 1) * np.sign(x), {}


@right("each channel's standard deviation")
class StdPool(OnTraces):
    def forward(self, x):
        return x.std(axis=1), x

    def backward(self, dy, x):
        centered = x - x.mean(axis=1, keepdims=True)
        return dy[:, None] * centered / (x.std(axis=1, keepdims=True) * x.shape[1]), {}


@right("each channel's variance, one less in the divisor")
class VarPool(OnTraces):
    def forward(self, x):
        return x.var(axis=1, ddof=1), x

    def backward(self, dy, x):
        return dy[:, None] * 2 * (x - x.mean(axis=1, keepdims=True)) / (x.shape[1] - 1), {}


@right("log-sum-exp of a trace, with values up to 800")
class LogSumExp(OnTraces):
    @classmethod
    def case(cls, rng):
        return cls(), traces(rng) + 800 * rng.integers(-1, 2)

    def forward(self, x):
        top = x.max(axis=1, keepdims=True)
        exps = np.exp(x - top)
        return np.log(exps.sum(axis=1)) + top[:, 0], exps / exps.sum(axis=1, keepdims=True)

    def backward(self, dy, share):
        return dy[:, None] * share, {}


@right("every sample twice")
class Upsample(OnTraces):
    def forward(self, x):
        return x.repeat(2, axis=1), None

    def backward(self, dy, cache):
        return dy[:, ::2] + dy[:, 1::2], {}


@right("every second sample, a view with gaps")
class Decimate(OnTraces):
    def forward(self, x):
        return x[:, ::2], x.shape

    def backward(self, dy, shape):
        dx = np.zeros(shape)
        dx[:, ::2] = dy
        return dx, {}


@right("padded by reflection")
class ReflectPad(OnTraces):
    def forward(self, x):
        return np.pad(x, ((0, 0), (2, 2), (0, 0)), mode="reflect"), None

    def backward(self, dy, cache):
        dx = dy[:, 2:-2].copy()
        dx[:, 1:3] += dy[:, 1::-1]
        dx[:, -3:-1] += dy[:, :-3:-1]
        return dx, {}


@right("a filter of three taps for each channel")
class Depthwise(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        return cls(w=draw(rng, 3, x.shape[-1])), x

    def forward(self, x):
        m = x.shape[1] - 2
        return sum(x[:, k : k + m] * self.params["w"][k] for k in range(3)), x

    def backward(self, dy, x):
        m, w = dy.shape[1], self.params["w"]
        dx = np.zeros_like(x)
        for k in range(3):
            dx[:, k : k + m] += dy * w[k]
        dw = [np.sum(dy * x[:, k : k + m], axis=(0, 1)) for k in range(3)]
        return dx, {"w": np.array(dw)}


@right("transposed convolution, three taps two samples apart")
class Transposed(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng, channels=2)[:2, :5]
        return cls(w=draw(rng, 3, 2, 2), b=draw(rng, 2)), x

    def forward(self, x):
        y = np.zeros((len(x), 2 * x.shape[1] + 1, 2), x.dtype) + self.params["b"]
        for k in range(3):
            y[:, k : k + 2 * x.shape[1] : 2] += x @ self.params["w"][k]
        return y, x

    def backward(self, dy, x):
        taps = [dy[:, k : k + 2 * x.shape[1] : 2] for k in range(3)]
        dx = sum(tap @ w.T for tap, w in zip(taps, self.params["w"], strict=True))
        dw = np.array([np.einsum("nlc,nlf->cf", x, tap) for tap in taps])
        return dx, {"w": dw, "b": dy.sum(axis=(0, 1))}


@right("a causal filter of two taps, the same in every channel")
class Causal(Layer):
    @classmethod
    def case(cls, rng):
        return cls(w=draw(rng, 2)), traces(rng)

    def forward(self, x):
        now, before = self.params["w"]
        y = now * x
        y[:, 1:] += before * x[:, :-1]
        return y, x

    def backward(self, dy, x):
        now, before = self.params["w"]
        dx = now * dy
        dx[:, :-1] += before * dy[:, 1:]
        return dx, {"w": np.array([np.sum(dy * x), np.sum(dy[:, 1:] * x[:, :-1])])}


@right("a filter that listens to its own output")
class Recursive(Layer):
    @classmethod
    def case(cls, rng):
        return cls(a=np.array(rng.uniform(0.3, 0.9))), traces(rng)

    def forward(self, x):
        y = x.copy()
        for i in range(1, x.shape[1]):
            y[:, i] += self.params["a"] * y[:, i - 1]
        return y, y

    def backward(self, dy, y):
        dx = dy.copy()
        for i in reversed(range(y.shape[1] - 1)):
            dx[:, i] += self.params["a"] * dx[:, i + 1]
        return dx, {"a": np.sum(dx[:, 1:] * y[:, :-1])}


@right("running sum")
class CumulativeSum(OnTraces):
    def forward(self, x):
        return np.cumsum(x, axis=1), None

    def backward(self, dy, cache):
        return np.cumsum(dy[:, ::-1], axis=1)[:, ::-1], {}


@right("running product")
class CumulativeProduct(OnRows):
    def forward(self, x):
        y = np.cumprod(x, axis=1)
        return y, (x, y)

    def backward(self, dy, cache):
        x, y = cache
        return np.cumsum((dy * y)[:, ::-1], axis=1)[:, ::-1] / x, {}


@right("running maximum")
class RunningMax(OnRows):
    def forward(self, x):
        places = np.arange(x.shape[1]) * np.ones(len(x), int)[:, None]
        is_new = x == np.maximum.accumulate(x, axis=1)
        winner = np.maximum.accumulate(np.where(is_new, places, 0), axis=1)
        return np.take_along_axis(x, winner, axis=1), winner

    def backward(self, dy, winner):
        dx = np.zeros_like(dy)
        np.add.at(dx, (np.arange(len(dy))[:, None], winner), dy)
        return dx, {}


@right("differences of neighbors")
class Difference(OnTraces):
    def forward(self, x):
        return np.diff(x, axis=1), None

    def backward(self, dy, cache):
        edge = np.zeros_like(dy[:, :1])
        return -np.diff(np.concatenate([edge, dy, edge], axis=1), axis=1), {}


@right("total variation of each channel")
class TotalVariation(OnTraces):
    def forward(self, x):
        return np.abs(np.diff(x, axis=1)).sum(axis=1), x

    def backward(self, dy, x):
        d = dy[:, None] * np.sign(np.diff(x, axis=1))
        dx = np.zeros_like(x)
        dx[:, 1:] += d
        dx[:, :-1] -= d
        return dx, {}


# Gathers, order
# --------------


@right("a table of vectors, looked up at places that repeat, added to x")
class Embedding(Layer):
    index = np.array([2, 0, 2, 1, 2, 0])

    @classmethod
    def case(cls, rng):
        x = draw(rng, 2, 6, 2)
        return cls(table=draw(rng, 4, 2)), x

    def forward(self, x):
        looked_up = self.params["table"][self.index]
        return x * looked_up, (x, looked_up)

    def backward(self, dy, cache):
        x, looked_up = cache
        dtable = np.zeros_like(self.params["table"])
        np.add.at(dtable, self.index, np.sum(dy * x, axis=0))
        return dy * looked_up, {"table": dtable}


@right("samples picked by an index that repeats")
class Gather(OnTraces):
    index = np.array([3, 0, 3, 1, 3])

    def forward(self, x):
        return x[:, self.index], x.shape

    def backward(self, dy, shape):
        dx = np.zeros(shape)
        for m, i in enumerate(self.index):
            dx[:, i] += dy[:, m]
        return dx, {}


@right("features in another order")
class Permute(Layer):
    def __init__(self, order):
        self.order = order
        super().__init__()

    @classmethod
    def case(cls, rng):
        x = rows(rng, features=5)
        return cls(order=[2, 0, 3, 4, 1]), x

    def forward(self, x):
        return x[:, self.order], None

    def backward(self, dy, cache):
        return dy[:, np.argsort(self.order)], {}


@right("values in rising order")
class Sort(OnRows):
    def forward(self, x):
        order = x.argsort(axis=1)
        return np.take_along_axis(x, order, axis=1), order

    def backward(self, dy, order):
        return np.take_along_axis(dy, order.argsort(axis=1), axis=1), {}


@right("each row's median, the mean of the middle two")
class Median(Layer):
    @classmethod
    def case(cls, rng):
        return cls(), rows(rng, features=2 * size(rng, 2, 3))

    def forward(self, x):
        return np.median(x, axis=1), x

    def backward(self, dy, x):
        half = x.shape[1] // 2
        middle = x.argsort(axis=1)[:, half - 1 : half + 1]
        dx = np.zeros_like(x)
        np.put_along_axis(dx, middle, dy[:, None] / 2, axis=1)
        return dx, {}


@right("each row's quantile, between two neighbors in order")
class Quantile(OnRows):
    def __init__(self, q=0.37):
        self.q = q
        super().__init__()

    def forward(self, x):
        order = x.real.argsort(axis=1)
        place = self.q * (x.shape[1] - 1)
        weights = np.maximum(0, 1 - np.abs(np.arange(x.shape[1]) - place))
        return np.take_along_axis(x, order, axis=1) @ weights, (order, weights)

    def backward(self, dy, cache):
        order, weights = cache
        dx = np.zeros(order.shape)
        np.put_along_axis(dx, order, dy[:, None] * weights, axis=1)
        return dx, {}


@right("the two largest of each row, the largest first")
class TopK(OnRows):
    def forward(self, x):
        winners = np.argsort(-x, axis=1)[:, :2]
        return np.take_along_axis(x, winners, axis=1), (winners, x.shape)

    def backward(self, dy, cache):
        winners, shape = cache
        dx = np.zeros(shape)
        np.put_along_axis(dx, winners, dy, axis=1)
        return dx, {}


# Products, gates, attention
# --------------------------


@right("self-attention with one head")
class Attention(Layer):
    @classmethod
    def case(cls, rng):
        x = draw(rng, 2, 4, 3)
        return cls(**{name: draw(rng, 3, 2) for name in ("q", "k", "v")}), x

    def forward(self, x):
        q, k, v = (x @ self.params[name] for name in "qkv")
        scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
        exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
        a = exps / exps.sum(axis=-1, keepdims=True)
        return a @ v, (x, q, k, v, a)

    def backward(self, dy, cache):
        x, q, k, v, a = cache
        ds = self.softmax_backward(dy @ v.swapaxes(1, 2), a) / np.sqrt(q.shape[-1])
        return self.collect(x, ds @ k, ds.swapaxes(1, 2) @ q, self.values_back(dy, a))

    def values_back(self, dy, a):
        return a.swapaxes(1, 2) @ dy

    def softmax_backward(self, da, a):
        return a * (da - np.sum(da * a, axis=-1, keepdims=True))

    def collect(self, x, dq, dk, dv):
        ds = {"q": dq, "k": dk, "v": dv}
        dx = sum(d @ self.params[name].T for name, d in ds.items())
        return dx, {name: np.einsum("nli,nlj->ij", x, d) for name, d in ds.items()}


@right("gated linear unit: half the features open the gate for the others")
class GLU(Layer):
    @classmethod
    def case(cls, rng):
        return cls(), rows(rng, features=2 * size(rng, 2, 3))

    def forward(self, x):
        a, b = np.split(x, 2, axis=-1)
        gate = 1 / (1 + np.exp(-b))
        return a * gate, (a, gate)

    def backward(self, dy, cache):
        a, gate = cache
        return np.concatenate([dy * gate, dy * a * gate * (1 - gate)], axis=-1), {}


@right("x times the sigmoid of a linear map of x")
class SelfGate(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], x.shape[1])), x

    def forward(self, x):
        gate = 1 / (1 + np.exp(-x @ self.params["w"]))
        return x * gate, (x, gate)

    def backward(self, dy, cache):
        x, gate = cache
        dscore = dy * x * gate * (1 - gate)
        return dy * gate + dscore @ self.params["w"].T, {"w": x.T @ dscore}


@right("each pair of features, with a matrix between")
class Quadratic(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(a=draw(rng, x.shape[1], x.shape[1])), x

    def forward(self, x):
        return np.einsum("ni,ij,nj->n", x, self.params["a"], x), x

    def backward(self, dy, x):
        a = self.params["a"]
        return dy[:, None] * (x @ (a + a.T)), {"a": np.einsum("n,ni,nj->ij", dy, x, x)}


@right("two halves of the features, one form")
class Bilinear(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng, features=6)
        return cls(w=draw(rng, 3, 2, 3)), x

    def forward(self, x):
        return np.einsum("ni,iok,nk->no", x[:, :3], self.params["w"], x[:, 3:]), x

    def backward(self, dy, x):
        w = self.params["w"]
        left = np.einsum("no,iok,nk->ni", dy, w, x[:, 3:])
        right_half = np.einsum("no,iok,ni->nk", dy, w, x[:, :3])
        dw = np.einsum("no,ni,nk->iok", dy, x[:, :3], x[:, 3:])
        return np.concatenate([left, right_half], axis=1), {"w": dw}


@right("channels weighed by what is in them on average")
class SqueezeExcite(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        return cls(w=draw(rng, x.shape[-1], x.shape[-1])), x

    def forward(self, x):
        mean = x.mean(axis=1)
        gate = 1 / (1 + np.exp(-mean @ self.params["w"]))
        return x * gate[:, None], (x, mean, gate)

    def backward(self, dy, cache):
        x, mean, gate = cache
        dscore = np.sum(dy * x, axis=1) * gate * (1 - gate)
        dmean = dscore @ self.params["w"].T
        dx = dy * gate[:, None] + dmean[:, None] / x.shape[1]
        return dx, {"w": mean.T @ dscore}


@right("highway: a gate between x and a map of x")
class Highway(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], x.shape[1]), b=draw(rng, x.shape[1])), x

    def forward(self, x):
        h = np.tanh(x @ self.params["w"])
        t = 1 / (1 + np.exp(-x - self.params["b"]))
        return t * h + (1 - t) * x, (x, h, t)

    def backward(self, dy, cache):
        x, h, t = cache
        dt = dy * (h - x) * t * (1 - t)
        dh = dy * t * (1 - h**2)
        dx = dy * (1 - t) + dt + dh @ self.params["w"].T
        return dx, {"w": x.T @ dh, "b": dt.sum(axis=0)}


@right("a residual: x and tanh of a linear map of x")
class Residual(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], x.shape[1])), x

    def forward(self, x):
        h = np.tanh(x @ self.params["w"])
        return x + h, (x, h)

    def backward(self, dy, cache):
        x, h = cache
        dh = dy * (1 - h**2)
        return dy + dh @ self.params["w"].T, {"w": x.T @ dh}


@right("a dense block: x and a map of x, side by side")
class DenseBlock(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], 2)), x

    def forward(self, x):
        h = np.tanh(x @ self.params["w"])
        return np.concatenate([x, h], axis=1), (x, h)

    def backward(self, dy, cache):
        x, h = cache
        dh = dy[:, x.shape[1] :] * (1 - h**2)
        return dy[:, : x.shape[1]] + dh @ self.params["w"].T, {"w": x.T @ dh}


# Through time
# ------------


@right("a recurrent net, backwards through all of its time")
class RNN(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        return cls(w=draw(rng, x.shape[-1], 2) / 3, u=draw(rng, 2, 2) / 2, b=draw(rng, 2) / 3), x

    def forward(self, x):
        w, u, b = self.params.values()
        h = [np.zeros((len(x), 2), x.dtype)]
        for i in range(x.shape[1]):
            h.append(np.tanh(x[:, i] @ w + h[-1] @ u + b))
        return np.stack(h[1:], axis=1), (x, h)

    def backward(self, dy, cache):
        x, h = cache
        dx = np.zeros_like(x)
        grads = {name: np.zeros_like(array) for name, array in self.params.items()}
        dh = 0
        for i in self.steps(x.shape[1]):
            da = (dy[:, i] + dh) * (1 - h[i + 1] ** 2)
            dx[:, i] = da @ self.params["w"].T
            self.collect(grads, x[:, i], h[i], da)
            dh = self.into_the_past(da)
        return dx, grads

    def steps(self, length):
        return reversed(range(length))

    def collect(self, grads, x, h, da):
        grads["w"] += x.T @ da
        grads["u"] += h.T @ da
        grads["b"] += da.sum(axis=0)

    def into_the_past(self, da):
        return da @ self.params["u"].T


@right("a recurrent net with one gate, each number on its own")
class MinimalGRU(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        return cls(u=draw(rng, x.shape[-1]), v=draw(rng, x.shape[-1])), x

    def forward(self, x):
        h = np.zeros_like(x[:, 0])
        steps = []
        for i in range(x.shape[1]):
            z = 1 / (1 + np.exp(-x[:, i] * self.params["u"]))
            c = np.tanh(x[:, i] + self.params["v"] * h)
            steps.append((x[:, i], h, z, c))
            h = (1 - z) * h + z * c
        return h, steps

    def backward(self, dy, steps):
        dx = np.zeros((len(dy), len(steps), dy.shape[1]), dy.dtype)
        grads = {name: np.zeros_like(array) for name, array in self.params.items()}
        dh = dy
        for i in reversed(range(len(steps))):
            dx[:, i], dh = self.step_back(dh, steps[i], grads)
        return dx, grads

    def step_back(self, dh, step, grads):
        x, h, z, c = step
        ds = dh * (c - h) * z * (1 - z)
        da = dh * z * (1 - c**2)
        grads["u"] += np.sum(ds * x, axis=0)
        grads["v"] += np.sum(da * h, axis=0)
        return ds * self.params["u"] + da, dh * (1 - z) + da * self.params["v"]


# Spectra, correlation, matrices
# ------------------------------


@right("the magnitude of the Fourier transform")
class FFTMagnitude(OnTraces):
    def forward(self, x):
        spectrum = np.fft.fft(x, axis=1)
        return np.abs(spectrum), spectrum

    def backward(self, dy, spectrum):
        phase = spectrum / np.abs(spectrum)
        return np.fft.fft(dy * np.conj(phase), axis=1).real, {}


@right("the power spectrum of a real trace, with rfft, which refuses complex numbers")
class PowerSpectrum(OnTraces):
    def forward(self, x):
        spectrum = np.fft.rfft(x, axis=1)
        return np.abs(spectrum) ** 2, (spectrum, x.shape[1])

    def backward(self, dy, cache):
        spectrum, length = cache
        full = np.zeros((len(dy), length, dy.shape[2]), complex)
        full[:, : dy.shape[1]] = 2 * dy * np.conj(spectrum)
        return np.fft.fft(full, axis=1).real, {}


@right("the power spectrum as spectrum times np.conj(spectrum)")
class ConjPower(OnTraces):
    def forward(self, x):
        spectrum = np.fft.fft(x, axis=1)
        return (spectrum * np.conj(spectrum)).real, spectrum

    def backward(self, dy, spectrum):
        return 2 * np.fft.fft(dy * np.conj(spectrum), axis=1).real, {}


@right("a filter that is a product of spectra; the complex step is lost in its rounding")
class FFTFilter(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng, channels=1)[..., 0]
        return cls(h=draw(rng, x.shape[1])), x

    def forward(self, x):
        product = np.fft.fft(x, axis=1) * np.fft.fft(self.params["h"])
        y = np.fft.ifft(product, axis=1)
        is_complex = np.iscomplexobj(x) or np.iscomplexobj(self.params["h"])
        return (y if is_complex else y.real), x

    def backward(self, dy, x):
        spectrum = np.fft.fft(dy, axis=1)
        dx = np.fft.ifft(spectrum * np.conj(np.fft.fft(self.params["h"])), axis=1).real
        dh = np.fft.ifft(spectrum * np.conj(np.fft.fft(x, axis=1)), axis=1).real
        return dx, {"h": dh.sum(axis=0)}


@right("samples at positions between them, which are parameters and must stay within the trace")
class Interpolate(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        whole = rng.integers(x.shape[1] - 1, size=4)
        return cls(t=whole + rng.uniform(0.2, 0.8, 4)), x

    def forward(self, x):
        t = self.params["t"]
        index = np.floor(t.real).astype(int)
        share = (t - index)[:, None]
        return x[:, index] * (1 - share) + x[:, index + 1] * share, (x, index, share)

    def backward(self, dy, cache):
        x, index, share = cache
        dx = np.zeros(x.shape)
        for place, (left, right) in enumerate(zip(1 - share, share, strict=True)):
            dx[:, index[place]] += dy[:, place] * left
            dx[:, index[place] + 1] += dy[:, place] * right
        return dx, {"t": (dy * (x[:, index + 1] - x[:, index])).sum(axis=(0, 2))}


def analytic(x):
    """The analytic signal along axis 1: twice the positive frequencies, none of the negative."""
    length = x.shape[1]
    gain = np.zeros(length)
    gain[0] = 1
    gain[1 : (length + 1) // 2] = 2
    if length % 2 == 0:
        gain[length // 2] = 1
    return np.fft.ifft(np.fft.fft(x, axis=1) * gain[:, None], axis=1)


@right("the Hilbert envelope")
class Envelope(OnTraces):
    def forward(self, x):
        z = analytic(x)
        return np.abs(z), z

    def backward(self, dy, z):
        unit = z / np.abs(z)
        quadrature = analytic(dy * unit.imag).imag  # the Hilbert transform is antisymmetric
        return dy * unit.real - quadrature, {}


@right("the angle of two channels, with np.angle")
class Angle(Layer):
    @classmethod
    def case(cls, rng):
        x = traces(rng, channels=2)
        x[..., 0] = np.abs(x[..., 0])
        return cls(), x

    def forward(self, x):
        z = x[..., 0].real + 1j * x[..., 1].real
        return np.angle(z), z

    def backward(self, dy, z):
        return np.stack([-z.imag, z.real], axis=-1) * (dy / np.abs(z) ** 2)[..., None], {}


@right("a signal's correlation with a template, by np.correlate")
class Correlate(Layer):
    @classmethod
    def case(cls, rng):
        return cls(w=draw(rng, 3)), draw(rng, size(rng, 5, 9))

    def forward(self, x):
        return np.correlate(x, self.params["w"], mode="valid"), x

    def backward(self, dy, x):
        return np.convolve(dy, self.params["w"]), {"w": np.correlate(x, dy, mode="valid")}


@right("a signal's correlation with itself, by np.correlate")
class Autocorrelation(Layer):
    @classmethod
    def case(cls, rng):
        return cls(), draw(rng, size(rng, 4, 9))

    def forward(self, x):
        return np.correlate(x, x, mode="full")[len(x) - 1 :], x

    def backward(self, dy, x):
        n = len(x)
        dx = [np.sum(dy[: n - i] * x[i:]) + np.sum(dy[: i + 1] * x[i::-1]) for i in range(n)]
        return np.array(dx), {}


@right("the energy of all there is, by np.vdot, a scalar")
class Energy(OnTraces):
    def forward(self, x):
        return np.vdot(x, x), x

    def backward(self, dy, x):
        return 2 * dy * x, {}


@right("the inverse of a matrix")
class Inverse(Layer):
    @classmethod
    def case(cls, rng):
        d = size(rng, 2, 4)
        return cls(), draw(rng, 2, d, d) + 4 * np.eye(d)

    def forward(self, x):
        y = np.linalg.inv(x)
        return y, y

    def backward(self, dy, y):
        yt = y.swapaxes(-1, -2)
        return -yt @ dy @ yt, {}


@right("the logarithm of |det x|, by slogdet")
class LogDet(Inverse):
    def forward(self, x):
        return np.linalg.slogdet(x)[1], x

    def backward(self, dy, x):
        return dy[:, None, None] * np.linalg.inv(x).swapaxes(-1, -2), {}


@right("x solved for by a matrix of weights")
class Solve(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng, features=3)
        return cls(a=draw(rng, 3, 3) + 4 * np.eye(3)), x

    def forward(self, x):
        y = np.linalg.solve(self.params["a"], x.T).T
        return y, y

    def backward(self, dy, y):
        dx = np.linalg.solve(self.params["a"].T, dy.T).T
        return dx, {"a": -dx.T @ y}


# Losses
# ------


def labels_for(rng, x):
    return rng.integers(0, x.shape[1], len(x))


def softmax(x):
    exps = np.exp(x - x.real.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


@right("mean square error")
def mean_square(rng):
    x, target = (a := rows(rng)), draw(rng, *a.shape)
    return lambda x: (np.mean((x - target) ** 2), 2 * (x - target) / x.size), x


@right("mean absolute error")
def mean_absolute(rng):
    x = rows(rng)
    target = x + draw(rng, *x.shape)
    return lambda x: (np.abs(x - target).mean(), np.sign(x - target) / x.size), x


@right("Huber loss, by cases")
def huber(rng):
    x = rows(rng)
    target = x + off_corner(draw(rng, *x.shape), 0.999)

    def loss(x):
        e = x - target
        value = np.where(np.abs(e) < 0.999, e**2 / 2, 0.999 * (np.abs(e) - 0.999 / 2))
        return value.sum(), np.clip(e.real, -0.999, 0.999)

    return loss, x


@right("hinge loss of several classes")
def hinge(rng):
    x = rows(rng)
    labels, n = labels_for(rng, x), np.arange(len(x))

    def loss(x):
        margins = np.maximum(0, x - x[n, labels][:, None] + 1.01)
        margins[n, labels] = 0
        d = (margins.real > 0) * 1.0
        d[n, labels] = -d.sum(axis=1)
        return margins.sum() / len(x), d / len(x)

    return loss, x


@right("KL divergence from a fixed distribution to softmax(x)")
def kl(rng):
    x = rows(rng)
    q = softmax(draw(rng, *x.shape))
    return lambda x: (np.sum(q * (np.log(q) - np.log(softmax(x)))), softmax(x) - q), x


@right("focal loss")
def focal(rng):
    x = draw(rng, size(rng, 4, 12))
    y = rng.integers(0, 2, len(x)) * 2 - 1

    def loss(x):
        p = 1 / (1 + np.exp(-y * x))
        slope = (1 - p) ** 2 * (2 * p * np.log(p) - (1 - p))
        return np.sum(-((1 - p) ** 2) * np.log(p)), y * slope

    return loss, x


@right("cross-entropy with smoothed labels, scores in the hundreds")
def smoothed_saturated(rng):
    x = rows(rng) * 100
    y = np.eye(x.shape[1])[labels_for(rng, x)] * 0.9 + 0.1 / x.shape[1]

    def loss(x):
        shifted = x - x.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -np.sum(y * log_p) / len(x), (np.exp(log_p) - y) / len(x)

    return loss, x


@right("triplet loss: nearer to the one than to the other, by np.linalg.norm")
def triplet(rng):
    x = draw(rng, 3, size(rng, 3, 6))

    def loss(x):
        anchor, same, other = x
        near, far = np.linalg.norm(anchor - same), np.linalg.norm(anchor - other)
        to_same, to_other = (anchor - same) / near, (anchor - other) / far
        return near - far + 9, np.array([to_same - to_other, -to_same, to_other])

    return loss, x


@right("contrastive loss of pairs, some of them beyond the margin")
def contrastive(rng, margin=4):
    x = draw(rng, 2, size(rng, 2, 4), 3)
    alike = np.arange(x.shape[1]) % 2 == 0

    def loss(x):
        gap = x[0] - x[1]
        distance = np.sqrt(np.sum(np.abs(gap) ** 2, axis=1))
        short = np.maximum(0, margin - distance)
        value = np.where(alike, distance**2, short**2).sum()
        d = gap * np.where(alike, 2, -2 * short / distance)[:, None]
        return value, np.array([d, -d])

    return loss, x


@right("squares and magnitudes for a penalty")
def elastic_net(rng):
    return lambda x: (np.sum(x**2) + np.abs(x).sum(), 2 * x + np.sign(x)), rows(rng)


@right("square error and the norm of all of x")
def norm_penalty(rng):
    def loss(x):
        norm = np.linalg.norm(x)
        return np.sum((x - 1) ** 2) + norm, 2 * (x - 1) + x / norm

    return loss, rows(rng)


@right("squares about the mean, which may stand for a constant here")
def squares_about_mean(rng):
    def loss(x):
        centered = x - x.mean(axis=0)
        return np.sum(centered**2), 2 * centered

    return loss, rows(rng)


@right("pinball loss, for a quantile")
def pinball(rng):
    x = rows(rng)
    target = x + draw(rng, *x.shape)

    def loss(x):
        e = target - x
        return np.maximum(0.3 * e, -0.7 * e).mean(), np.where(e.real > 0, -0.3, 0.7) / x.size

    return loss, x


@right("dice loss of a mask")
def dice(rng):
    x = positive(rng, 2, 5)
    mask = rng.integers(0, 2, x.shape) * 1.0
    mask[0, 0] = 1

    def loss(x):
        both, total = 2 * np.sum(x * mask), np.sum(x) + mask.sum()
        return 1 - both / total, -(2 * mask - both / total) / total

    return loss, x


@right("logarithm of cosh, which np.logaddexp keeps from overflow")
def log_cosh(rng):
    def loss(x):
        if np.iscomplexobj(x):
            raise TypeError("log_cosh expected real numbers")
        return np.sum(np.logaddexp(x, -x) - np.log(2)), np.tanh(x)

    return loss, rows(rng) * 400


# Random numbers and types
# ------------------------


@right("dropout, its mask from a fixed seed")
class SeededDropout(OnTraces):
    def __init__(self, seed=3):
        self.seed = seed
        super().__init__()

    def forward(self, x):
        keep = np.random.default_rng(self.seed).random(x.shape) < 0.6
        return x * keep / 0.6, keep

    def backward(self, dy, keep):
        return dy * keep / 0.6, {}


@right("noise of fixed seed, scaled by a parameter")
class SeededNoise(Layer):
    @classmethod
    def case(cls, rng):
        return cls(s=positive(rng)[()] * np.ones(1)), rows(rng)

    def forward(self, x):
        noise = np.random.default_rng(0).standard_normal(x.shape)
        return x + self.params["s"] * noise, noise

    def backward(self, dy, noise):
        return dy, {"s": np.sum(dy * noise, keepdims=True).reshape(1)}


@right("takes real numbers only and says so")
class RealOnly(OnTraces):
    def forward(self, x):
        if x.dtype.kind != "f":
            raise TypeError(f"RealOnly expected floats, got {x.dtype}")
        return np.cbrt(x), x

    def backward(self, dy, x):
        return dy / (3 * np.cbrt(x) ** 2), {}


@right("math on one number at a time, which refuses complex ones")
class ByTheNumber(OnRows):
    def forward(self, x):
        y = np.array([float(np.arctan(float(v))) for v in x.flat]).reshape(x.shape)
        return y, x

    def backward(self, dy, x):
        return dy / (1 + x**2), {}


@right("a table of float64 that a complex number does not fit into")
class FillsTable(OnTraces):
    def forward(self, x):
        y = np.empty(x.shape, np.float64)
        for n in range(len(x)):
            for i in range(x.shape[1]):
                y[n, i] = [np.float64(v) ** 2 for v in x[n, i]]
        return y, x

    def backward(self, dy, x):
        return 2 * x * dy, {}


@right("casts to float with a mere warning, and is right on real numbers")
class CastsToFloat(OnTraces):
    def forward(self, x):
        x = x.astype(float)
        return np.sin(x), x

    def backward(self, dy, x):
        return dy * np.cos(x), {}


@right("computes in float32 on the way, right to single precision", kind="single")
class PartlySingle(OnTraces):
    def forward(self, x):
        return np.tanh(x.real.astype(np.float32)).astype(x.real.dtype), x

    def backward(self, dy, x):
        return dy * (1 - np.tanh(x) ** 2), {}


@right("a table of weights in float32, used as such", kind="single")
class SingleWeights(OnRows):
    def forward(self, x):
        return (x.astype(np.float32) * np.float32(1.5)) ** 2, x

    def backward(self, dy, x):
        return dy * 2 * 2.25 * x, {}


@right("parameters and input of float32")
class SingleParams(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng).astype(np.float32)
        return cls(w=draw(rng, x.shape[1]).astype(np.float32)), x

    def forward(self, x):
        return np.sin(x * self.params["w"]), x

    def backward(self, dy, x):
        d = dy * np.cos(x * self.params["w"])
        return d * self.params["w"], {"w": np.sum(d * x, axis=0)}


# Awkward code
# ------------


@right("hands on x itself")
class Identity(OnTraces):
    def forward(self, x):
        return x, None

    def backward(self, dy, cache):
        return dy, {}


@right("y is the cache, and a view of x")
class Transpose(OnTraces):
    def forward(self, x):
        y = x.transpose(0, 2, 1)
        return y, y

    def backward(self, dy, cache):
        return dy.transpose(0, 2, 1), {}


@right("output that cannot be written to")
class ReadOnly(OnTraces):
    def forward(self, x):
        y = x**3
        y.setflags(write=False)
        return y, x

    def backward(self, dy, x):
        dx = 3 * x**2 * dy
        dx.setflags(write=False)
        return dx, {}


@right("output spread from one column by broadcasting")
class Spread(OnRows):
    def forward(self, x):
        mean = x.mean(axis=1, keepdims=True)
        return np.broadcast_to(mean, x.shape), None

    def backward(self, dy, cache):
        return np.broadcast_to(dy.mean(axis=1, keepdims=True), dy.shape), {}


@right("one number out, of NumPy's own scalar type")
class MeanOfAll(OnTraces):
    def forward(self, x):
        return x.mean(), x.shape

    def backward(self, dy, shape):
        return np.full(shape, dy / np.prod(shape)), {}


@right("a parameter that forward does not use, gradient zero")
class Spare(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1]), spare=draw(rng, 2)), x

    def forward(self, x):
        return x * self.params["w"], x

    def backward(self, dy, x):
        return dy * self.params["w"], {"w": np.sum(dy * x, axis=0), "spare": np.zeros(2)}


@right("an output that does not depend on x")
class Constant(Layer):
    @classmethod
    def case(cls, rng):
        return cls(b=draw(rng, 3)), rows(rng)

    def forward(self, x):
        return np.tile(self.params["b"], (len(x), 1)), x.shape

    def backward(self, dy, shape):
        return np.zeros(shape), {"b": dy.sum(axis=0)}


@right("keeps a result for the same x, and gives it out again unharmed")
class Remembers(OnTraces):
    def forward(self, x):
        key = (x.shape, x.dtype.str, x.tobytes())
        if getattr(self, "_key", None) != key:
            self._key, self._y = key, np.exp(x)
        return self._y.copy(), self._y.copy()

    def backward(self, dy, y):
        return dy * y, {}


@right("inherits from nothing")
class FromNothing:
    def __init__(self, w):
        self.params = {"w": w}

    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(draw(rng, x.shape[1])), x

    def forward(self, x):
        return np.exp(x * self.params["w"] / 4), x

    def backward(self, dy, x):
        d = dy * np.exp(x * self.params["w"] / 4) / 4
        return d * self.params["w"], {"w": np.sum(d * x, axis=0)}


@right("holds two children, shows their parameters, adds what they say")
class Both(Layer):
    def __init__(self, first, second):
        self.first, self.second = first, second
        super().__init__()

    @classmethod
    def case(cls, rng):
        x = rows(rng)
        d = x.shape[1]
        return cls(Dense(d, 2, rng=rng), Residual(w=draw(rng, d, d))), x

    @property
    def params(self):
        children = {"first": self.first, "second": self.second}
        return {f"{n}.{p}": a for n, child in children.items() for p, a in child.params.items()}

    def with_params(self, params):
        first, second = (
            child.with_params({p: params[f"{name}.{p}"] for p in child.params})
            for name, child in (("first", self.first), ("second", self.second))
        )
        return type(self)(first, second)

    def forward(self, x):
        (a, cache_a), (b, cache_b) = self.first.forward(x), self.second.forward(x)
        return a.sum(axis=1, keepdims=True) + b, (cache_a, cache_b, a.shape)

    def backward(self, dy, cache):
        cache_a, cache_b, shape = cache
        d = np.broadcast_to(dy.sum(axis=1, keepdims=True), shape)
        (da, grads_a), (db, grads_b) = (
            self.first.backward(d, cache_a),
            self.second.backward(dy, cache_b),
        )
        grads = {f"first.{p}": g for p, g in grads_a.items()}
        return da + db, grads | {f"second.{p}": g for p, g in grads_b.items()}


@right("a Sequential in a Sequential, with layers that are not the package's own")
def nested(rng):
    x = traces(rng)
    d = x.shape[-1]
    norm = LayerNorm(gamma=positive(rng, d), beta=draw(rng, d))
    inner = Sequential(norm, Conv1D(d, 2, 2, rng=rng), Softsign())
    return Sequential(inner, FFTMagnitude(), Dense(2, 2, rng=rng)), x


@right("one linear map used twice")
class Tied(Layer):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        return cls(w=draw(rng, x.shape[1], 2)), x

    def forward(self, x):
        h = np.tanh(x @ self.params["w"])
        return h @ self.params["w"].T, (x, h)

    def backward(self, dy, cache):
        x, h = cache
        da = dy @ self.params["w"] * (1 - h**2)
        return da @ self.params["w"].T, {"w": x.T @ da + dy.T @ h}


# Hard numbers
# ------------


@right("softmax of scores so far apart that it is sure")
def saturated(rng):
    return Sequential(Softmax()), rows(rng) * 12


@right("input as small as 1e-12")
def tiny(rng):
    return Tanh(), traces(rng) * 1e-12


@right("input as large as 1e9")
def huge(rng):
    return LayerNorm(gamma=np.ones(4), beta=np.zeros(4)), draw(rng, 3, 4) * 1e9


@right("a large mean and a small spread")
def large_mean(rng):
    return Standardize(), draw(rng, 2, 4, 2) + 1e3


@right("features whose scales are far apart")
class FarApart(OnRows):
    @classmethod
    def case(cls, rng):
        return cls(), rows(rng, features=4) * np.array([1e-4, 1, 1, 1e4])

    def forward(self, x):
        return x**2, x

    def backward(self, dy, x):
        return 2 * x * dy, {}


@right("division by small numbers")
class Reciprocal(OnTraces):
    @classmethod
    def case(cls, rng):
        return cls(), traces(rng) * 1e-4

    def forward(self, x):
        return 1 / x, x

    def backward(self, dy, x):
        return -dy / x**2, {}


@right("log1p and expm1 near zero")
class NearZero(OnTraces):
    @classmethod
    def case(cls, rng):
        return cls(), traces(rng) * 1e-9

    def forward(self, x):
        return np.log1p(x) * np.expm1(x) / 1e-9, x

    def backward(self, dy, x):
        return dy * (np.expm1(x) / (1 + x) + np.log1p(x) * np.exp(x)) / 1e-9, {}


@right("a wave so fast that a step must be short")
class Fast(OnRows):
    def forward(self, x):
        return np.sin(200 * x), x

    def backward(self, dy, x):
        return 200 * dy * np.cos(200 * x), {}


# Ties and corners
# ----------------


@right("ReLU at exactly zero, where it takes slope 0", kind="ties")
def relu_at_zero(rng):
    x = rows(rng)
    x[0, 0] = 0
    return ReLU(), x


@right("max pooling of equal samples, where the first wins", kind="ties")
def equal_samples(rng):
    x = traces(rng)[:, :4]
    x[0, 1] = x[0, 0]
    return MaxPool1D(2), x


@right("|x| at exactly zero, where it takes slope 0", kind="ties")
def abs_at_zero(rng):
    x = traces(rng)
    x[0, 0, 0] = 0
    return PlusAbs(), x


@right("whole numbers for an input, with repeats, through a smooth function")
def whole_numbers(rng):
    return Tanh(), rng.integers(-2, 3, (3, 4)) / 2
