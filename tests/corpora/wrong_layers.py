"""Wrong layers and losses of many kinds, as people really get them wrong.

`WRONG` holds them by name: `subject, x = WRONG[name].case(rng)` draws a fresh one and an input.
Each has a `mistake`, a sentence, the `names` a diagnosis of it may go by (none, where "unknown"
is the honest answer; a factor of 2 may look like a mean over two), and a `kind`:

    ""           some gradient is off by a thousandth of its size at least, in every case
    "small"      it is off by less: a hundred-thousandth at least
    "precision"  the formula is right, and digits are lost
    "contract"   something besides the formula is wrong
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from corpora import right_layers as good
from corpora.right_layers import OnRows, OnTraces, draw, positive, rows, size, softmax, traces


class Wrong(NamedTuple):
    """A layer or loss that is wrong: how to draw one, its mistake, its right names, its kind."""

    case: Callable[[np.random.Generator], tuple[Any, np.ndarray]]
    mistake: str
    names: tuple[str, ...]
    kind: str = ""


WRONG: dict[str, Wrong] = {}


def wrong(mistake, *names, kind=""):
    """Enter a class with a `case` of its own, or a function of `rng` that is one."""

    def enter(subject):
        case = getattr(subject, "case", subject)
        WRONG[subject.__name__] = Wrong(case, mistake, names, kind)
        return subject

    return enter


# Normalization
# -------------


@wrong("layer norm takes the standard deviation for a constant", "constant term")
class LayerNormStdConstant(good.LayerNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        return (d - d.mean(axis=-1, keepdims=True)) / std, self.affine_grads(dy, x_hat)


@wrong("layer norm takes the mean for a constant", "constant term")
class LayerNormMeanConstant(good.LayerNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        dx = (d - x_hat * (d * x_hat).mean(axis=-1, keepdims=True)) / std
        return dx, self.affine_grads(dy, x_hat)


@wrong("layer norm takes mean and deviation for constants", "constant term", "cross terms missing")
class LayerNormAllConstant(good.LayerNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        return dy * self.params["gamma"] / std, self.affine_grads(dy, x_hat)


@wrong("layer norm leaves out gamma on the way to x", "derivative missing", "unknown")
class LayerNormNoGamma(good.LayerNorm):
    def backward(self, dy, cache):
        dx, _ = good.LayerNorm(gamma=np.ones(1), beta=np.zeros(1)).backward(dy, cache)
        return dx, self.affine_grads(dy, cache[0])


@wrong("eps is added under the root in forward and outside it in backward")
class EpsElsewhere(good.LayerNorm):
    eps = 0.1

    def backward(self, dy, cache):
        x_hat, std = cache
        return super().backward(dy, (x_hat, np.sqrt(std**2 - self.eps) + self.eps))


@wrong("layer norm's shift is averaged over the batch", "bias averaged")
class ShiftAveraged(good.LayerNorm):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"beta": dy.mean(axis=0)}


@wrong("the scale's gradient is not summed over the batch", "wrong shape", kind="contract")
class ScalePerTrace(good.LayerNorm):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"gamma": dy * cache[0]}


@wrong("the scale's gradient is that of the last trace", "only one share")
class ScaleLastTrace(good.LayerNorm):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"gamma": (dy * cache[0])[-1]}


@wrong("the scale's gradient has the output in place of what was scaled")
class ScaleByOutput(good.LayerNorm):
    def backward(self, dy, cache):
        dx, _ = super().backward(dy, cache)
        y = cache[0] * self.params["gamma"] + self.params["beta"]
        return dx, self.affine_grads(dy, y)


@wrong("layer norm with x.std takes it for a constant", "constant term")
class XStdConstant(good.StdNorm):
    def backward(self, dy, cache):
        x_hat, _, std = cache
        d = dy * self.params["gamma"] / (std + self.eps)
        return d - d.mean(axis=-1, keepdims=True), self.affine_grads(dy, x_hat)


@wrong("the deviation's derivative is that of another divisor, n - 1")
class StdOtherDivisor(good.StdNorm):
    def backward(self, dy, cache):
        x_hat, centered, std = cache
        n = dy.shape[-1]
        return super().backward(dy, (x_hat, centered, std * (n - 1) / n))


@wrong("batch norm takes the variance, from x.var, for a constant", "constant term")
class BatchVarConstant(good.BatchNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        return (d - d.mean(axis=(0, 1))) / std, self.affine_grads(dy, x_hat)


@wrong("batch norm averages over the traces only on the way back")
class BatchNormOverTraces(good.BatchNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / std
        return dx, self.affine_grads(dy, x_hat)


@wrong("instance norm takes the variance for a constant", "constant term")
class InstanceVarConstant(good.InstanceNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d = dy * self.params["gamma"]
        return (d - d.mean(axis=1, keepdims=True)) / std, self.affine_grads(dy, x_hat)


@wrong("group norm's means run over all channels on the way back")
class GroupNormAsOne(good.GroupNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        d, across = dy.reshape(x_hat.shape), {"axis": (1, 2, 3), "keepdims": True}
        dx = (d - d.mean(**across) - x_hat * (d * x_hat).mean(**across)) / std
        return dx.reshape(dy.shape), {}


@wrong("x.std of a whole trace is taken for a constant", "constant term")
class StandardizeStdConstant(good.Standardize):
    def backward(self, dy, cache):
        return (dy - dy.mean(axis=(1, 2), keepdims=True)) / cache[1], {}


@wrong(
    "division by x.std, the mean left in, as if by a number", "constant term", "cross terms missing"
)
class DividedByStd(OnTraces):
    def forward(self, x):
        std = x.std(axis=1, keepdims=True)
        return x / std, std

    def backward(self, dy, std):
        return dy / std, {}


@wrong("np.linalg.norm is taken for a constant", "constant term", "cross terms missing")
class NormConstant(good.L2Normalise):
    def backward(self, dy, cache):
        return dy / cache[1], {}


@wrong("the projection is there and the division by the norm is not", "derivative missing")
class NormNotDivided(good.L2Normalise):
    def backward(self, dy, cache):
        y, _ = cache
        return dy - y * np.sum(dy * y, axis=-1, keepdims=True), {}


@wrong(
    "RMS norm, with np.abs, takes the root for a constant", "constant term", "cross terms missing"
)
class RMSConstant(good.RMSNorm):
    def backward(self, dy, cache):
        x_hat, rms = cache
        return dy * self.params["gamma"] / rms, {"gamma": np.sum(dy * x_hat, axis=0)}


@wrong("RMS norm sums where it has to average")
class RMSSummed(good.RMSNorm):
    def backward(self, dy, cache):
        x_hat, rms = cache
        d = dy * self.params["gamma"]
        dx = (d - x_hat * np.sum(d * x_hat, axis=-1, keepdims=True)) / rms
        return dx, {"gamma": np.sum(dy * x_hat, axis=0)}


@wrong("weight norm takes the length of v for a constant", "constant term")
class WeightNormConstant(good.WeightNorm):
    def backward(self, dy, cache):
        x, _, norm = cache
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"v": x.T @ dy * self.params["g"] / norm}


@wrong("weight norm leaves out g on the way to v", "derivative missing", "unknown")
class WeightNormNoScale(good.WeightNorm):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"v": grads["v"] / self.params["g"]}


@wrong("cosine similarity takes both lengths for constants", "constant term")
class CosineConstant(good.Cosine):
    def backward(self, dy, cache):
        x_hat, w_hat, x_norm, w_norm = cache
        return dy @ w_hat.T / x_norm, {"w": x_hat.T @ dy / w_norm}


@wrong("the span between smallest and largest is taken for a constant", "constant term")
class SpanConstant(good.MinMax):
    def backward(self, dy, cache):
        _, span, low, _ = cache
        dx = dy / span
        dx[np.arange(len(dy)), low] -= np.sum(dy / span, axis=1)
        return dx, {}


@wrong(
    "the largest magnitude, by np.abs, is taken for a constant",
    "constant term",
    "cross terms missing",
)
class PeakConstant(good.PeakNormalise):
    def backward(self, dy, cache):
        return dy / np.abs(cache[1]), {}


@wrong(
    "the sum of magnitudes, by np.fabs, is taken for a constant",
    "constant term",
    "cross terms missing",
)
class SumOfMagnitudesConstant(good.L1Normalise):
    def backward(self, dy, cache):
        return dy / cache[1], {}


@wrong("the sum of magnitudes counts as the sum of values on the way back")
class SumWithoutSign(good.L1Normalise):
    def backward(self, dy, cache):
        x, total = cache
        return dy / total - np.sum(dy * x, axis=1, keepdims=True) / total**2, {}


# Activations
# -----------


@wrong("softsign takes |x| for a constant", "constant term", "product rule")
class SoftsignConstant(good.Softsign):
    def backward(self, dy, x):
        return dy / (1 + np.abs(x)), {}


@wrong("x + |x| forgets |x|", "constant term", "branch forgotten")
class PlusAbsForgotten(good.PlusAbs):
    def backward(self, dy, x):
        return dy, {}


@wrong("x + |x| forgets x", "branch forgotten", "constant term")
class PlusAbsOnly(good.PlusAbs):
    def backward(self, dy, x):
        return dy * np.sign(x), {}


@wrong("|x|**p without the sign of x", "derivative missing", "sign", "unknown")
class AbsPowerNoSign(good.AbsPower):
    def backward(self, dy, x):
        return dy * self.p * np.abs(x) ** (self.p - 1), {}


@wrong("|x|**p, and the exponent is not one less")
class AbsPowerSameExponent(good.AbsPower):
    def backward(self, dy, x):
        return dy * self.p * np.abs(x) ** self.p * np.sign(x), {}


@wrong(
    "the root of |x| with the sign of x, without the half",
    "factor",
    "constant term",
    "mean missing",
)
class SignedRootTwice(good.SignedRoot):
    def backward(self, dy, x):
        return dy / np.sqrt(np.abs(x)), {}


@wrong("x times its np.sign goes back twice", "factor", "product rule", "mean missing")
class SignTimesTwice(good.SignTimes):
    def backward(self, dy, sign):
        return 2 * dy * sign, {}


@wrong("x |x| takes |x| for a constant", "constant term", "product rule", "factor", "divided twice")
class SignedSquare(OnTraces):
    def forward(self, x):
        return x * np.abs(x), x

    def backward(self, dy, x):
        return dy * np.abs(x), {}


@wrong("x log(1 + |x|) takes the logarithm for a constant", "constant term", "product rule")
class LogFactor(OnTraces):
    def forward(self, x):
        return x * np.log1p(np.fabs(x.real)), x

    def backward(self, dy, x):
        return dy * np.log1p(np.fabs(x)), {}


@wrong(
    "x times its own real part counts it once",
    "constant term",
    "product rule",
    "factor",
    "divided twice",
)
class TimesReal(OnTraces):
    def forward(self, x):
        return x * x.real, x

    def backward(self, dy, x):
        return dy * x, {}


@wrong(
    "a root of np.conj(x) x, and one, is taken for a constant",
    "constant term",
    "cross terms missing",
)
class SoftDirection(OnTraces):
    def forward(self, x):
        scale = np.sqrt(np.sum(np.real(x * np.conj(x)), axis=-1, keepdims=True) + 1)
        return x / scale, scale

    def backward(self, dy, scale):
        return dy / scale, {}


@wrong("tanh's slope is worked out from its input", "unknown")
class TanhOfInput(OnTraces):
    def forward(self, x):
        return np.tanh(x), x

    def backward(self, dy, x):
        return dy * (1 - x**2), {}


@wrong("sigmoid's slope is worked out from its input")
class SigmoidOfInput(OnTraces):
    def forward(self, x):
        return 1 / (1 + np.exp(-x)), x

    def backward(self, dy, x):
        return dy * x * (1 - x), {}


@wrong("sigmoid hands dy on", "derivative missing")
class SigmoidTransparent(good.Sigmoid):
    def backward(self, dy, y):
        return dy, {}


@wrong("sigmoid multiplies by y once, not by y (1 - y)", "unknown", "product rule")
class SigmoidTimesOutput(good.Sigmoid):
    def backward(self, dy, y):
        return dy * y, {}


@wrong("swish takes the sigmoid for a constant", "product rule", "constant term")
class SwishGateConstant(good.Swish):
    def backward(self, dy, cache):
        return dy * cache[1], super().backward(dy, cache)[1]


@wrong("swish takes x for a constant and forgets the gate's own share", "product rule")
class SwishInputConstant(good.Swish):
    def backward(self, dy, cache):
        x, s = cache
        _, grads = super().backward(dy, cache)
        return dy * self.params["beta"] * x * s * (1 - s), grads


@wrong("swish's slope parameter is not summed", "wrong shape", kind="contract")
class SwishSlopeNotSummed(good.Swish):
    def backward(self, dy, cache):
        x, s = cache
        return super().backward(dy, cache)[0], {"beta": dy * x**2 * s * (1 - s)}


@wrong("GELU takes the factor that stands for a probability as constant", "product rule")
class GELUGateConstant(good.GELU):
    def backward(self, dy, cache):
        return dy * 0.5 * (1 + cache[1]), {}


@wrong("GELU forgets the derivative of what is inside tanh", "derivative missing", "unknown")
class GELUChainForgotten(good.GELU):
    def backward(self, dy, cache):
        x, t = cache
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2)), {}


@wrong("ELU's slope below zero is its output, alpha not added")
class ELUOutput(good.ELU):
    def backward(self, dy, y):
        return dy * np.where(y > 0, 1, y), {}


@wrong("leaky ReLU goes back as ReLU", "unknown", "place missing")
class LeakyAsReLU(good.LeakyReLU):
    @classmethod
    def case(cls, rng):
        x = traces(rng)
        x[0, 0, 0] = -1
        return cls(), x

    def backward(self, dy, passed):
        return dy * passed, {}


@wrong("PReLU's slope takes all channels together", "unknown")
class PReLUShared(good.PReLU):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {"a": np.full_like(grads["a"], grads["a"].sum())}


@wrong("PReLU's slope is averaged over traces and samples", "bias averaged", "factor")
class PReLUAveraged(good.PReLU):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {"a": grads["a"] / (x.shape[0] * x.shape[1])}


@wrong("softplus with the sigmoid of -x", "unknown")
class SoftplusMirrored(good.Softplus):
    def backward(self, dy, x):
        return dy / (1 + np.exp(x)), {}


@wrong("clipping hands on dy beyond the limits too", "mask missing", "derivative missing")
class ClipTransparent(good.Clip):
    @classmethod
    def case(cls, rng):
        subject, x = super().case(rng)
        return subject, x * 3

    def backward(self, dy, inside):
        return dy, {}


@wrong("a soft threshold that masks by dy", "mask of dy")
class ShrinkByGradient(good.Shrink):
    def forward(self, x):
        return np.where(x.real > 0.5, x - 0.5, 0) + np.where(x.real < -0.5, x + 0.5, 0), x

    def backward(self, dy, x):
        return dy * (np.abs(dy) > 0.5), {}


@wrong("np.hypot of two channels is taken for a constant", "constant term", "cross terms missing")
class HypotConstant(good.Hypot):
    def forward(self, x):
        length = np.hypot(x[..., :1].real, x[..., 1:].real)
        return x / length, length

    def backward(self, dy, length):
        return dy / length, {}


@wrong("np.hypot is left undivided: as if it were half the sum of squares", "derivative missing")
class HypotUndivided(good.Hypot):
    def backward(self, dy, cache):
        return dy[..., None] * cache[0], {}


@wrong("maxout sends the gradient to both maps", "mask missing")
class MaxoutToBoth(good.Maxout):
    def backward(self, dy, cache):
        x, _ = cache
        dx = dy @ self.params["u"].T + dy @ self.params["v"].T
        return dx, {"u": x.T @ dy, "v": x.T @ dy}


# Pooling, resampling, filters
# ----------------------------


@wrong("average pooling without the division", "factor", "mean missing")
class AverageUndivided(good.AveragePool):
    def backward(self, dy, shape):
        return 2 * super().backward(dy, shape)[0], {}


@wrong(
    "average pooling gives all to the first",
    "only one place",
    "place missing",
    "only one share",
    "misplaced",
)
class AverageToFirst(good.AveragePool):
    def backward(self, dy, shape):
        dx = np.zeros(shape)
        dx[:, : 2 * dy.shape[1] : 2] = dy
        return dx, {}


@wrong("= for += where windows overlap", "overwritten")
class MovingAverageOverwritten(good.MovingAverage):
    def backward(self, dy, shape):
        dx = np.zeros(shape)
        for m in range(dy.shape[1]):
            dx[:, m : m + 3] = dy[:, m, None] / 3
        return dx, {}


@wrong("LP pooling forgets the derivative of the root", "derivative missing", "unknown")
class LPRootForgotten(good.LPPool):
    def backward(self, dy, cache):
        x, _ = cache
        return dy[:, None] * np.abs(x) ** (self.p - 1) * np.sign(x) / x.shape[1], {}


@wrong("LP pooling forgets the sign of x", "derivative missing", "sign", "unknown")
class LPSignForgotten(good.LPPool):
    def backward(self, dy, cache):
        dx, _ = super().backward(dy, cache)
        return dx * np.sign(cache[0]), {}


@wrong("a pooled deviation, from x.std, has gradient zero", "zero", "constant term")
class StdPoolZero(good.StdPool):
    def backward(self, dy, x):
        return np.zeros_like(x), {}


@wrong("a pooled deviation is not divided by itself", "derivative missing", "unknown")
class StdPoolUndivided(good.StdPool):
    def backward(self, dy, x):
        return dy[:, None] * (x - x.mean(axis=1, keepdims=True)) / x.shape[1], {}


@wrong("mean plus x.std, and only the mean goes back", "constant term", "branch forgotten")
class MeanAndStd(good.StdPool):
    def forward(self, x):
        return x.mean(axis=1) + x.std(axis=1), x

    def backward(self, dy, x):
        return np.repeat(dy[:, None], x.shape[1], axis=1) / x.shape[1], {}


@wrong("variance with n - 1 goes back with n", "factor")
class VarOtherDivisor(good.VarPool):
    def backward(self, dy, x):
        return super().backward(dy, x)[0] * (x.shape[1] - 1) / x.shape[1], {}


@wrong(
    "every sample twice, and only the first copy's gradient",
    "share missing",
    "only one share",
    "overwritten",
    "only one place",
    "place missing",
)
class UpsampleFirst(good.Upsample):
    def backward(self, dy, cache):
        return dy[:, ::2], {}


@wrong("every second sample, sent back one sample late", "misplaced", "shifted")
class DecimateLate(good.Decimate):
    def backward(self, dy, shape):
        dx = np.zeros(shape)
        dx[:, 1::2] = dy[:, : shape[1] // 2]
        return dx, {}


@wrong("the padding's gradient is cut off", "share missing", "place missing")
class ReflectCut(good.ReflectPad):
    def backward(self, dy, cache):
        return dy[:, 2:-2], {}


@wrong("the taps go back the wrong way round", "reversed", "misplaced")
class DepthwiseReversed(good.Depthwise):
    def backward(self, dy, x):
        _, grads = super().backward(dy, x)
        twin = good.Depthwise(w=self.params["w"][::-1])
        return twin.backward(dy, x)[0], grads


@wrong("the taps learn from the first trace only", "only one share")
class DepthwiseFirstTrace(good.Depthwise):
    def backward(self, dy, x):
        dx, _ = super().backward(dy, x)
        return dx, super().backward(dy[:1], x[:1])[1]


@wrong("transposed convolution forgets its last tap", "share missing", "place missing")
class TransposedTapForgotten(good.Transposed):
    def backward(self, dy, x):
        _, grads = super().backward(dy, x)
        taps = [dy[:, k : k + 2 * x.shape[1] : 2] for k in range(2)]
        return sum(tap @ self.params["w"][k].T for k, tap in enumerate(taps)), grads


@wrong("transposed convolution with channels in and out exchanged", "transposed")
class TransposedTransposed(good.Transposed):
    def backward(self, dy, x):
        _, grads = super().backward(dy, x)
        taps = [dy[:, k : k + 2 * x.shape[1] : 2] for k in range(3)]
        return sum(tap @ self.params["w"][k] for k, tap in enumerate(taps)), grads


@wrong("a causal filter that is causal backwards too", "shifted", "reversed", "misplaced")
class CausalBackwards(good.Causal):
    def backward(self, dy, x):
        _, grads = super().backward(dy, x)
        return self.forward(dy)[0], grads


@wrong(
    "a recursive filter goes back without its echo",
    "share missing",
    "branch forgotten",
    "cross terms missing",
)
class EchoForgotten(good.Recursive):
    def backward(self, dy, y):
        return dy, super().backward(dy, y)[1]


@wrong("a recursive filter's coefficient sees one step back", "share missing", "unknown")
class EchoOneStep(good.Recursive):
    def backward(self, dy, y):
        return super().backward(dy, y)[0], {"a": np.sum(dy[:, 1:] * y[:, :-1])}


@wrong("a running sum goes back as a running sum", "reversed", "transposed")
class CumulativeForwards(good.CumulativeSum):
    def backward(self, dy, cache):
        return np.cumsum(dy, axis=1), {}


@wrong(
    "a running product counts each factor's own place only",
    "share missing",
    "unknown",
    "cross terms missing",
)
class ProductOwnPlace(good.CumulativeProduct):
    def backward(self, dy, cache):
        x, y = cache
        return dy * y / x, {}


@wrong("differences with the sign of the other neighbor", "sign")
class DifferenceSign(good.Difference):
    def backward(self, dy, cache):
        return -super().backward(dy, cache)[0], {}


@wrong(
    "differences forget the neighbor before", "share missing", "branch forgotten", "place missing"
)
class DifferenceOneSide(good.Difference):
    def backward(self, dy, cache):
        return np.concatenate([np.zeros_like(dy[:, :1]), dy], axis=1), {}


@wrong(
    "total variation forgets the neighbor before",
    "share missing",
    "branch forgotten",
    "place missing",
)
class VariationOneSide(good.TotalVariation):
    def backward(self, dy, x):
        dx = np.zeros_like(x)
        dx[:, 1:] += dy[:, None] * np.sign(np.diff(x, axis=1))
        return dx, {}


@wrong("total variation, with np.abs, has gradient zero", "zero", "constant term")
class VariationZero(good.TotalVariation):
    def backward(self, dy, x):
        return np.zeros_like(x), {}


# Gathers, order
# --------------


@wrong("dtable[index] += dy, where places repeat", "overwritten")
class EmbeddingOverwritten(good.Embedding):
    def backward(self, dy, cache):
        x, looked_up = cache
        dtable = np.zeros_like(self.params["table"])
        for n in range(len(x)):
            dtable[self.index] += dy[n] * x[n]
        return dy * looked_up, {"table": dtable}


@wrong("dx[:, index] += dy, where places repeat", "overwritten")
class GatherOverwritten(good.Gather):
    def backward(self, dy, shape):
        dx = np.zeros(shape)
        dx[:, self.index] += dy
        return dx, {}


@wrong("an order is undone by itself and not by its inverse", "misplaced", "transposed", "reversed")
class PermuteTwice(good.Permute):
    def backward(self, dy, cache):
        return dy[:, self.order], {}


class Unsorted(OnRows):
    """Rows with one at least that its order does not undo."""

    @classmethod
    def case(cls, rng):
        x = rows(rng)
        x[0] = np.sort(x[0])
        x[0, :3] = x[0, [1, 2, 0]]
        return cls(), x


@wrong("sorting hands the gradient on in sorted order", "misplaced", "derivative missing")
class SortTransparent(Unsorted, good.Sort):
    def backward(self, dy, order):
        return dy, {}


@wrong("sorting goes back with the order and not its inverse", "misplaced", "transposed")
class SortTwice(Unsorted, good.Sort):
    def backward(self, dy, order):
        return np.take_along_axis(dy, order, axis=1), {}


@wrong(
    "the median gives all to one of the middle two",
    "only one place",
    "place missing",
    "only one share",
    "misplaced",
)
class MedianToOne(good.Median):
    def backward(self, dy, x):
        middle = x.argsort(axis=1)[:, x.shape[1] // 2, None]
        dx = np.zeros_like(x)
        np.put_along_axis(dx, middle, dy[:, None], axis=1)
        return dx, {}


@wrong("a quantile leaves out the weights of its two neighbors", "derivative missing", "unknown")
class QuantileUnweighted(good.Quantile):
    def backward(self, dy, cache):
        order, weights = cache
        return super().backward(dy, (order, weights > 0))


@wrong(
    "only the largest of the top two gets its gradient",
    "place missing",
    "share missing",
    "only one share",
    "only one place",
)
class TopOne(good.TopK):
    def backward(self, dy, cache):
        winners, shape = cache
        return super().backward(dy[:, :1], (winners[:, :1], shape))


@wrong("a running maximum with = for +=", "overwritten")
class RunningMaxOverwritten(good.RunningMax):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        x[0] = np.sort(x[0])[::-1]
        return cls(), x

    def backward(self, dy, winner):
        dx = np.zeros_like(dy)
        np.put_along_axis(dx, winner, dy, axis=1)
        return dx, {}


# Products, gates, attention
# --------------------------


@wrong("attention forgets 1/sqrt(d) on the way back", "factor", "derivative missing", "unknown")
class AttentionUnscaled(good.Attention):
    def softmax_backward(self, da, a):
        return super().softmax_backward(da, a) * np.sqrt(2)


@wrong("attention's softmax goes back entry by entry", "cross terms missing")
class AttentionDiagonal(good.Attention):
    def softmax_backward(self, da, a):
        return da * a * (1 - a)


@wrong("attention has no softmax on the way back", "derivative missing")
class AttentionNoSoftmax(good.Attention):
    def softmax_backward(self, da, a):
        return da


@wrong("attention takes its weights for constants", "product rule", "constant term", "zero")
class AttentionConstant(good.Attention):
    def softmax_backward(self, da, a):
        return np.zeros_like(a)


@wrong("attention sends the queries' share through the keys", "transposed", "misplaced", "unknown")
class AttentionSwapped(good.Attention):
    def collect(self, x, dq, dk, dv):
        return super().collect(x, dk, dq, dv)


@wrong("attention's weights go back to the values without transposing", "transposed", "unknown")
class AttentionValues(good.Attention):
    def values_back(self, dy, a):
        return a @ dy


@wrong(
    "a gated unit takes the gate for a constant",
    "product rule",
    "constant term",
    "place missing",
    "share missing",
)
class GLUGateConstant(good.GLU):
    def backward(self, dy, cache):
        _, gate = cache
        return np.concatenate([dy * gate, np.zeros_like(dy)], axis=-1), {}


@wrong("a gated unit puts its halves together the wrong way round", "misplaced")
class GLUHalvesSwapped(good.GLU):
    def backward(self, dy, cache):
        a, b = np.split(super().backward(dy, cache)[0], 2, axis=-1)
        return np.concatenate([b, a], axis=-1), {}


@wrong(
    "x times a gate from x, and the gate is constant",
    "product rule",
    "constant term",
    "cross terms missing",
)
class SelfGateConstant(good.SelfGate):
    def backward(self, dy, cache):
        return dy * cache[1], super().backward(dy, cache)[1]


@wrong("x times a gate from x, and the first factor is constant", "product rule", "constant term")
class SelfGateFirstConstant(good.SelfGate):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dy * cache[1], grads


@wrong("a quadratic form as if its matrix were symmetric", "transposed", "unknown")
class QuadraticSymmetric(good.Quadratic):
    def backward(self, dy, x):
        return 2 * dy[:, None] * (x @ self.params["a"]), super().backward(dy, x)[1]


@wrong("a quadratic form counts x once", "product rule", "share missing")
class QuadraticOnce(good.Quadratic):
    def backward(self, dy, x):
        return dy[:, None] * (x @ self.params["a"].T), super().backward(dy, x)[1]


@wrong("a bilinear form's halves change places on the way back", "misplaced")
class BilinearSwapped(good.Bilinear):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return np.roll(dx, 3, axis=1), grads


@wrong(
    "channel weights are taken for constants",
    "product rule",
    "constant term",
    "cross terms missing",
)
class ExciteConstant(good.SqueezeExcite):
    def backward(self, dy, cache):
        return dy * cache[2][:, None], super().backward(dy, cache)[1]


@wrong("the average that channel weights come from goes back as a sum", "mean missing", "unknown")
class ExciteSummed(good.SqueezeExcite):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        through_gate = dx - dy * cache[2][:, None]
        return dx + through_gate * (dy.shape[1] - 1), grads


@wrong("highway takes its gate for a constant", "product rule", "zero", "constant term")
class HighwayGateConstant(good.Highway):
    def backward(self, dy, cache):
        x, h, t = cache
        dh = dy * t * (1 - h**2)
        dx = dy * (1 - t) + dh @ self.params["w"].T
        return dx, {"w": x.T @ dh, "b": np.zeros_like(self.params["b"])}


@wrong("highway forgets the share of x that is let through", "branch forgotten")
class HighwayCarryForgotten(good.Highway):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dy * (1 - cache[2]), grads


@wrong("a residual's skip is forgotten on the way back", "branch forgotten")
class SkipForgotten(good.Residual):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dy, grads


@wrong(
    "a residual's inner branch is forgotten on the way back",
    "branch forgotten",
    "derivative missing",
)
class InnerForgotten(good.Residual):
    def backward(self, dy, cache):
        return dy, super().backward(dy, cache)[1]


@wrong("what stands side by side is taken apart at the wrong place", "misplaced", "shifted")
class WrongSplit(good.DenseBlock):
    def backward(self, dy, cache):
        return super().backward(np.roll(dy, 2, axis=1), cache)


@wrong("a dense block forgets x itself", "branch forgotten")
class BlockSkipForgotten(good.DenseBlock):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dy[:, : dx.shape[1]], grads


@wrong(
    "shared weights count at their second use only",
    "share missing",
    "branch forgotten",
    "only one share",
)
class TiedOnce(good.Tied):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[0], {"w": dy.T @ cache[1]}


# Through time
# ------------


@wrong("a recurrent net goes back all but the first step", "place missing", "share missing")
class TruncatedByOne(good.RNN):
    def steps(self, length):
        return reversed(range(1, length))


@wrong(
    "a recurrent net goes back one step only", "only one share", "only one place", "place missing"
)
class OneStepBack(good.RNN):
    def steps(self, length):
        return [length - 1]


@wrong(
    "each step of a recurrent net goes back for itself",
    "branch forgotten",
    "share missing",
    "cross terms missing",
    "only one share",
    "overwritten",
)
class NotThroughTime(good.RNN):
    def into_the_past(self, da):
        return 0


@wrong("a recurrent net goes through time forwards on the way back", "reversed", "unknown")
class TimeForwards(good.RNN):
    def steps(self, length):
        return range(length)


@wrong("a recurrent net's bias gets what came last: = for +=", "overwritten", "only one share")
class RecurrentOverwritten(good.RNN):
    def collect(self, grads, x, h, da):
        super().collect(grads, x, h, da)
        grads["b"] = da.sum(axis=0)


@wrong("the gate's derivative is forgotten", "product rule", "zero", "unknown", "constant term")
class GRUGateConstant(good.MinimalGRU):
    def step_back(self, dh, step, grads):
        _, h, z, c = step
        da = dh * z * (1 - c**2)
        grads["v"] += np.sum(da * h, axis=0)
        return da, dh * (1 - z) + da * self.params["v"]


@wrong("what the gate lets through of the past is forgotten", "branch forgotten", "share missing")
class GRUCarryForgotten(good.MinimalGRU):
    def step_back(self, dh, step, grads):
        dx, dpast = super().step_back(dh, step, grads)
        return dx, dpast - dh * (1 - step[2])


# Spectra, correlation, matrices
# ------------------------------


@wrong("the magnitude of a spectrum goes back as the spectrum", "derivative missing", "unknown")
class MagnitudeAsSpectrum(good.FFTMagnitude):
    def backward(self, dy, spectrum):
        return np.fft.fft(dy, axis=1).real, {}


@wrong("a filter by FFT goes back with its spectrum not conjugated")
class FilterNotConjugated(good.FFTFilter):
    def backward(self, dy, x):
        _, grads = super().backward(dy, x)
        spectrum = np.fft.fft(dy, axis=1) * np.fft.fft(self.params["h"])
        return np.fft.ifft(spectrum, axis=1).real, grads


@wrong("the filter of an FFT gets its gradient times a constant", "factor")
class FilterUndivided(good.FFTFilter):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, {"h": 3.7 * grads["h"]}


@wrong("the two samples around a position get each other's share", "misplaced")
class InterpolateSwapped(good.Interpolate):
    def backward(self, dy, cache):
        x, index, share = cache
        _, grads = super().backward(dy, cache)
        return super().backward(dy, (x, index, 1 - share))[0], grads


@wrong("values are rounded, and dy is passed on as if they were not", "straight through")
class StraightThrough(OnTraces):
    def forward(self, x):
        return np.round(4 * x.real) / 4, None

    def backward(self, dy, cache):
        return dy, {}


@wrong("a whitened trace takes the magnitudes for constants", "constant term")
class Whitened(OnTraces):
    def forward(self, x):
        spectrum = np.fft.fft(x, axis=1)
        gain = 1 / (np.abs(spectrum) + 0.1)
        y = np.fft.ifft(spectrum * gain, axis=1)
        return (y if np.iscomplexobj(x) else y.real), gain

    def backward(self, dy, gain):
        return np.fft.ifft(np.fft.fft(dy, axis=1) * gain, axis=1).real, {}


@wrong("the power spectrum without its 2", "factor", "divided twice")
class PowerHalf(good.PowerSpectrum):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[0] / 2, {}


@wrong(
    "the power spectrum takes np.conj of it for a constant",
    "factor",
    "product rule",
    "divided twice",
)
class ConjConstant(good.ConjPower):
    def backward(self, dy, spectrum):
        return np.fft.fft(dy * np.conj(spectrum), axis=1).real, {}


@wrong("the power spectrum goes back without conjugating", "reversed", "unknown", "misplaced")
class PowerNotConjugated(good.ConjPower):
    def backward(self, dy, spectrum):
        return super().backward(dy, np.conj(spectrum))


@wrong(
    "the envelope forgets the Hilbert transform's share",
    "branch forgotten",
    "share missing",
    "cross terms missing",
)
class EnvelopeRealOnly(good.Envelope):
    def backward(self, dy, z):
        return dy * z.real / np.abs(z), {}


@wrong(
    "a trace over its envelope takes the envelope for a constant",
    "constant term",
    "cross terms missing",
)
class OverEnvelope(OnTraces):
    def forward(self, x):
        envelope = np.abs(good.analytic(x.real))
        return x / envelope, envelope

    def backward(self, dy, envelope):
        return dy / envelope, {}


@wrong("np.angle's two shares have each the other's sign", "sign")
class AngleSign(good.Angle):
    def backward(self, dy, z):
        return -super().backward(dy, z)[0], {}


@wrong(
    "x times np.angle takes the angle for a constant",
    "constant term",
    "product rule",
    "cross terms missing",
)
class TimesAngle(good.Angle):
    def forward(self, x):
        angle = np.angle(x[..., :1].real + 1j * x[..., 1:].real)
        return x * angle, angle

    def backward(self, dy, angle):
        return dy * angle, {}


@wrong("np.correlate goes back with its template reversed", "reversed", "misplaced")
class CorrelateReversed(good.Correlate):
    def backward(self, dy, x):
        return np.convolve(dy, self.params["w"][::-1]), super().backward(dy, x)[1]


@wrong("np.correlate of x with itself counts one of the two", "product rule", "constant term")
class AutocorrelateOnce(good.Autocorrelation):
    def backward(self, dy, x):
        n = len(x)
        return np.array([np.sum(dy[: n - i] * x[i:]) for i in range(n)]), {}


@wrong("x correlated with its own start takes that for a constant", "product rule", "constant term")
class CorrelateOwnStart(good.Autocorrelation):
    @classmethod
    def case(cls, rng):
        return cls(), draw(rng, size(rng, 5, 9))

    def forward(self, x):
        return np.correlate(x, x[:3].real, mode="valid"), x

    def backward(self, dy, x):
        return np.convolve(dy, x[:3]), {}


@wrong(
    "x times its energy, by np.vdot, takes that for a constant",
    "product rule",
    "constant term",
    "cross terms missing",
)
class TimesEnergy(OnTraces):
    def forward(self, x):
        energy = np.array([np.vdot(trace, trace) for trace in x])[:, None, None]
        return x * energy, energy.real

    def backward(self, dy, energy):
        return dy * energy, {}


@wrong(
    "x times its np.linalg.norm takes that for a constant",
    "product rule",
    "constant term",
    "cross terms missing",
)
class TimesNorm(OnRows):
    def forward(self, x):
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        return x * norm, norm

    def backward(self, dy, norm):
        return dy * norm, {}


@wrong(
    "x times its x.var takes that for a constant",
    "product rule",
    "constant term",
    "cross terms missing",
)
class TimesVar(OnRows):
    def forward(self, x):
        var = x.real.var(axis=1, keepdims=True)
        return x * var, var

    def backward(self, dy, var):
        return dy * var, {}


@wrong("energy, by np.vdot, without its 2", "factor", "product rule", "divided twice")
class EnergyHalf(good.Energy):
    def backward(self, dy, x):
        return dy * x, {}


@wrong("the inverse without transposing", "transposed")
class InverseTransposed(good.Inverse):
    def backward(self, dy, y):
        return -y @ dy @ y, {}


@wrong("the inverse without its minus", "sign")
class InverseSign(good.Inverse):
    def backward(self, dy, y):
        return -super().backward(dy, y)[0], {}


@wrong("log-det goes back with the inverse, not transposed", "transposed")
class LogDetTransposed(good.LogDet):
    def backward(self, dy, x):
        return super().backward(dy, x.swapaxes(1, 2))


@wrong("solving goes back with the matrix itself, not transposed", "transposed")
class SolveTransposed(good.Solve):
    def backward(self, dy, y):
        return np.linalg.solve(self.params["a"], dy.T).T, super().backward(dy, y)[1]


# Losses
# ------


def altered(case, change):
    """The right loss that `case` draws, with `change(gradient, x)` for its gradient."""

    def drawn(rng):
        loss, x = case(rng)

        def changed(x):
            value, gradient = loss(x)
            return value, change(gradient, x)

        return changed, x

    return drawn


@wrong("mean square error without its 2", "factor", "divided twice")
def square_half(rng):
    return altered(good.mean_square, lambda d, x: d / 2)(rng)


@wrong("mean square error goes back as the sum", "mean missing", "factor")
def square_summed(rng):
    return altered(good.mean_square, lambda d, x: d * x.size)(rng)


@wrong("mean square error divided by the traces once more", "divided twice", "factor")
def square_twice(rng):
    return altered(good.mean_square, lambda d, x: d / len(x))(rng)


@wrong("mean absolute error, target less prediction", "sign")
def absolute_sign(rng):
    return altered(good.mean_absolute, lambda d, x: -d)(rng)


@wrong("mean absolute error goes back as the square")
def absolute_as_square(rng):
    x = rows(rng)
    target = x + draw(rng, *x.shape)
    return lambda x: (np.abs(x - target).mean(), 2 * (x - target) / x.size), x


@wrong("Huber loss goes back as the square everywhere", "mask missing", "unknown")
def huber_square(rng):
    x = rows(rng)
    target = x + 3 * draw(rng, *x.shape)

    def loss(x):
        e = x - target
        value = np.where(np.abs(e) < 0.999, e**2 / 2, 0.999 * (np.abs(e) - 0.999 / 2))
        return value.sum(), e

    return loss, x


@wrong("hinge loss forgets the true class", "place missing", "share missing")
def hinge_others(rng):
    x = rows(rng)
    x[0] = np.sort(x[0])
    n, labels = np.arange(len(x)), good.labels_for(rng, x)
    labels[0] = 0

    def loss(x):
        margins = np.maximum(0, x - x[n, labels][:, None] + 1.01)
        margins[n, labels] = 0
        return margins.sum() / len(x), (margins.real > 0) / len(x)

    return loss, x


@wrong("hinge loss counts the classes that keep their distance", "mask missing")
def hinge_unmasked(rng):
    x, y = 2 * rows(rng), rng.integers(0, 2, 1) * 2 - 1
    x[0, 0] = 1.5 * y[0]
    return lambda x: (np.maximum(0, 1 - y * x).sum(), -y * np.ones_like(x)), x


@wrong("KL divergence with the two the wrong way round", "sign")
def kl_sign(rng):
    return altered(good.kl, lambda d, x: -d)(rng)


@wrong("KL divergence to a constant: the normalizing sum is forgotten", "constant term", "unknown")
def kl_unnormalised(rng):
    x = rows(rng)
    q = softmax(draw(rng, *x.shape))
    return lambda x: (np.sum(q * (np.log(q) - np.log(softmax(x)))), -q), x


@wrong("focal loss takes its weights for constants", "product rule", "constant term")
def focal_constant(rng):
    x = draw(rng, size(rng, 4, 12))
    y = rng.integers(0, 2, len(x)) * 2 - 1

    def loss(x):
        p = 1 / (1 + np.exp(-y * x))
        return np.sum(-((1 - p) ** 2) * np.log(p)), -y * (1 - p) ** 3

    return loss, x


@wrong("smoothed labels in the loss and hard ones in its gradient", "unknown")
def smoothing_forgotten(rng):
    x = rows(rng)
    hard = np.eye(x.shape[1])[good.labels_for(rng, x)]
    y = 0.8 * hard + 0.2 / x.shape[1]
    return lambda x: (-np.sum(y * np.log(softmax(x))), softmax(x) - hard), x


@wrong("triplet loss moves the anchor only", "only one place", "place missing", "share missing")
def triplet_anchor(rng):
    return altered(good.triplet, lambda d, x: d * np.array([[1], [0], [0]]))(rng)


@wrong(
    "contrastive loss forgets the pairs that should be apart",
    "place missing",
    "share missing",
    "unknown",
)
def contrastive_alike(rng):
    alike = lambda x: np.arange(x.shape[1])[:, None] % 2 == 0  # noqa: E731
    return altered(lambda rng: good.contrastive(rng, 9), lambda d, x: d * alike(x))(rng)


@wrong(
    "pairs weighed by distance, by np.linalg.norm, and that is constant",
    "product rule",
    "constant term",
)
def contrastive_constant(rng):
    x = draw(rng, 2, size(rng, 2, 4), 3)

    def loss(x):
        gap = x[0] - x[1]
        weight = 9 - np.linalg.norm(gap, axis=1)
        d = 2 * weight[:, None] * gap
        return np.sum(weight * np.sum(gap**2, axis=1)), np.array([d, -d])

    return loss, x


@wrong("the squares for a penalty are forgotten", "constant term", "branch forgotten")
def l2_forgotten(rng):
    x = rows(rng)
    target = draw(rng, *x.shape)
    return lambda x: (np.sum((x - target) ** 3) + np.sum(x**2), 3 * (x - target) ** 2), x


@wrong(
    "the magnitudes for a penalty, by np.abs, are forgotten", "constant term", "branch forgotten"
)
def l1_forgotten(rng):
    return altered(good.elastic_net, lambda d, x: 2 * x)(rng)


@wrong("the norm for a penalty is forgotten", "constant term", "branch forgotten")
def norm_forgotten(rng):
    return altered(good.norm_penalty, lambda d, x: 2 * (x - 1))(rng)


@wrong("the roughness for a penalty, by np.abs, is forgotten", "constant term", "branch forgotten")
def roughness_forgotten(rng):
    def loss(x):
        return np.sum(np.sin(x)) + np.abs(np.diff(x, axis=1)).sum(), np.cos(x)

    return loss, rows(rng)


@wrong("a small penalty on |x| is forgotten", "constant term", "branch forgotten")
def small_l1_forgotten(rng):
    return lambda x: (np.sum(x**2) + 0.05 * np.abs(x).sum(), 2 * x), rows(rng)


@wrong("square error over x.var takes that for a constant", "constant term", "product rule")
def relative_square(rng):
    x = rows(rng)
    target = draw(rng, *x.shape)

    def loss(x):
        return np.sum((x - target) ** 2) / x.real.var(), 2 * (x - target) / x.var()

    return loss, x


@wrong("cosine loss takes the length of x for a constant", "constant term")
def cosine_constant(rng):
    x, target = (a := draw(rng, 6)), draw(rng, *a.shape)

    def loss(x):
        scale = np.linalg.norm(x) * np.linalg.norm(target)
        return 1 - np.dot(x, target) / scale, -target / scale

    return loss, x


@wrong("pinball loss with its two sides exchanged", "unknown", "sign")
def pinball_sides(rng):
    return altered(good.pinball, lambda d, x: -np.sign(d) / x.size - d)(rng)


@wrong("dice loss takes its denominator for a constant", "constant term")
def dice_constant(rng):
    x, mask = positive(rng, 2, 5), np.array([1, 0, 1, 1, 0])

    def loss(x):
        total = np.sum(x) + 2 * mask.sum()
        return 1 - 2 * np.sum(x * mask) / total, -2 * mask / total * np.ones_like(x)

    return loss, x


# Small mistakes
# --------------


class Nearly(good.Residual):
    """A residual of which `spoil` gets the gradients to alter a little."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self.spoil(dx, grads)
        return dx, grads


@wrong("one entry of dx is off by 1 %", "unknown", kind="small")
class OneEntry(Nearly):
    def spoil(self, dx, grads):
        dx[np.unravel_index(np.abs(dx).argmax(), dx.shape)] *= 1.01


@wrong("one trace's gradient is missing", "share missing", "place missing")
class OneTrace(Nearly):
    def spoil(self, dx, grads):
        dx[1] = 0


@wrong("the last feature's gradient is missing", "place missing", "share missing")
class LastFeature(Nearly):
    def spoil(self, dx, grads):
        dx[:, -1] = 0


@wrong("one column of a parameter is off by 1 %", "unknown", kind="small")
class OneColumn(Nearly):
    def spoil(self, dx, grads):
        grads["w"][:, np.abs(grads["w"]).max(axis=0).argmax()] *= 0.99


@wrong("one entry of a parameter is off by a ten-thousandth", "unknown", kind="small")
class OneWeight(Nearly):
    def spoil(self, dx, grads):
        w = grads["w"]
        w[np.unravel_index(np.abs(w).argmax(), w.shape)] *= 1.0001


@wrong("all of dx is too large by a ten-thousandth", "factor", "unknown", kind="small")
class SlightFactor(Nearly):
    def spoil(self, dx, grads):
        dx *= 1.0001


@wrong("the last sample's share is missing from a parameter", "share missing", "unknown")
class LastSampleUnused(good.Depthwise):
    def backward(self, dy, x):
        dx, _ = super().backward(dy, x)
        return dx, super().backward(dy[:, :-1], x[:, :-1])[1]


@wrong("GELU with a constant rounded to two digits on the way back", "unknown", kind="small")
class GELURounded(good.GELU):
    def backward(self, dy, cache):
        twin = good.GELU()
        twin.a = 0.8
        return twin.backward(dy, cache)


@wrong("another eps on the way back", "unknown", kind="small")
class OtherEps(good.LayerNorm):
    def backward(self, dy, cache):
        x_hat, std = cache
        return super().backward(dy, (x_hat, np.sqrt(std**2 - self.eps + 1e-5)))


# Precision
# ---------


@wrong("dy passes through float16", "precision", kind="precision")
class HalfGradient(good.Tanh):
    def backward(self, dy, y):
        return dy.astype(np.float16) * (1 - y**2), {}


@wrong("dx comes back in float32 from float64", "precision", kind="precision")
class SingleGradient(good.Tanh):
    def backward(self, dy, y):
        return (dy * (1 - y**2)).astype(np.float32), {}


@wrong("a parameter's gradient is summed in float16", "precision", kind="precision")
class HalfSum(good.Residual):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {"w": grads["w"].astype(np.float16).astype(float)}


@wrong("the cache is kept in float32", "precision", kind="precision")
class SingleCache(good.GELU):
    def forward(self, x):
        y, (x, t) = super().forward(x)
        return y, (x.real.astype(np.float32), t.real.astype(np.float32))


@wrong("the cache is cast to float32", "precision", kind="precision")
class CastCache(OnTraces):
    def forward(self, x):
        return np.sin(x), x.astype(np.float32)

    def backward(self, dy, x):
        return dy * np.cos(x), {}


@wrong("a loss returns its gradient in float32", "precision", kind="precision")
def single_loss(rng):
    x = rows(rng)
    target = draw(rng, *x.shape)

    def loss(x):
        return ((x - target) ** 2).mean(), (2 * (x - target) / x.size).astype(np.float32)

    return loss, x


@wrong("forward rounds to float16 on the way", "precision", kind="precision")
class HalfForward(OnTraces):
    def forward(self, x):
        return np.sin(x.real.astype(np.float16)).astype(float), x

    def backward(self, dy, x):
        return dy * np.cos(x), {}


@wrong("forward takes a difference of large numbers in float32", "precision", kind="precision")
class SingleDifference(OnTraces):
    def forward(self, x):
        large = x.real.astype(np.float32) + np.float32(10_000)
        return (large - np.float32(10_000)).astype(float) ** 2, x

    def backward(self, dy, x):
        return 2 * dy * x, {}


# State and contract
# ------------------


class Contract(good.Tanh):
    """Right, but for what a subclass breaks."""


@wrong("the output depends on the number of calls", "state", "random", kind="contract")
class CountsCalls(Contract):
    calls = 0

    def forward(self, x):
        self.calls += 1
        y = np.tanh(x) * self.calls
        return y, (y / self.calls, self.calls)

    def backward(self, dy, cache):
        y, scale = cache
        return dy * scale * (1 - y**2), {}


@wrong("a running mean moves with every forward", "state", "random", kind="contract")
class RunningMean(OnRows):
    mean = 0.0

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.real.mean(axis=0)
        return x - self.mean, None

    def backward(self, dy, cache):
        return dy, {}


@wrong("forward fills one buffer again and again", "output overwritten", kind="contract")
class ReusedOutput(OnTraces):
    def forward(self, x):
        out = getattr(self, "_out", None)
        if out is None or out.shape != x.shape or out.dtype != x.dtype:
            out = self._out = np.empty_like(x)
        np.sin(x, out=out)
        return out, x.copy()

    def backward(self, dy, x):
        return dy * np.cos(x), {}


@wrong("the cache is one buffer, filled again and again", "cache overwritten", kind="contract")
class ReusedCache(OnTraces):
    def forward(self, x):
        kept = getattr(self, "_kept", None)
        if kept is None or kept.shape != x.shape or kept.dtype != x.dtype:
            kept = self._kept = np.empty_like(x)
        kept[...] = x
        return np.sin(x), kept

    def backward(self, dy, x):
        return dy * np.cos(x), {}


@wrong("backward changes its cache in place", "cache changed", kind="contract")
class CacheChanged(Contract):
    def backward(self, dy, y):
        np.square(y, out=y)
        return dy * (1 - y), {}

    def forward(self, x):
        y = np.tanh(x)
        return y, y.copy()


@wrong("backward takes its caches off a list", "cache changed", "unknown", kind="contract")
class CachePopped(Contract):
    def forward(self, x):
        return np.tanh(x), [np.tanh(x)]

    def backward(self, dy, cache):
        return super().backward(dy, cache.pop())


@wrong("backward takes inputs off a list on the layer", "cache overwritten", kind="contract")
class InputPopped(OnTraces):
    def __init__(self):
        super().__init__()
        self._inputs = []

    def forward(self, x):
        self._inputs.append(x)
        return np.sin(x), None

    def backward(self, dy, cache):
        return dy * np.cos(self._inputs.pop()), {}


@wrong("backward changes dy in place", "argument changed", kind="contract")
class GradientChanged(Contract):
    def backward(self, dy, y):
        dy *= 1 - y**2
        return dy, {}


@wrong("forward changes x in place", "argument changed", kind="contract")
class InputChanged(Contract):
    def forward(self, x):
        np.tanh(x, out=x)
        return x.copy(), x.copy()


@wrong("forward centers x in place", "argument changed", kind="contract")
class InputCentred(OnRows):
    def forward(self, x):
        x -= x.mean(axis=1, keepdims=True)
        return x**2, x

    def backward(self, dy, x):
        d = 2 * dy * x
        return d - d.mean(axis=1, keepdims=True), {}


@wrong(
    "forward changes a parameter in place", "argument changed", "state", "random", kind="contract"
)
class ParameterChanged(good.WeightNorm):
    def forward(self, x):
        self.params["g"][...] *= 1.001
        return super().forward(x)


@wrong("backward takes a step of learning", "state", "argument changed", "random", kind="contract")
class LearnsInBackward(good.Residual):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self.params["w"][...] -= 0.1 * grads["w"]
        return dx, grads


class Dropout(OnTraces):
    """A fresh mask on every forward, from a generator that is kept; `slope` spoils backward."""

    slope = 1.0

    def __init__(self):
        super().__init__()
        self._rng = np.random.default_rng(0)

    def draw_mask(self, shape):
        return (self._rng.random(shape) < 0.5) * 2.0

    def forward(self, x):
        mask = self.draw_mask(x.shape)
        return x * mask, mask

    def backward(self, dy, mask):
        return self.slope * dy * mask, {}


@wrong("a fresh mask on every forward, otherwise right", "random", "state", kind="contract")
class FreshMask(Dropout):
    pass


@wrong(
    "a fresh mask on every forward, and the wrong sign", "random", "state", "sign", kind="contract"
)
class FreshMaskSign(Dropout):
    slope = -1.0


@wrong("a fresh mask on every forward, and no gradient", "random", "state", "zero", kind="contract")
class FreshMaskZero(Dropout):
    slope = 0.0


@wrong("the mask comes from the global state", "random", "state", kind="contract")
class GlobalMask(Dropout):
    def draw_mask(self, shape):
        return (np.random.rand(*shape) < 0.5) * 2.0  # noqa: NPY002


@wrong("backward draws a mask of its own", "random", "mask missing", "unknown", kind="contract")
class SecondMask(good.SeededDropout):
    def backward(self, dy, keep):
        return dy * (np.random.default_rng().random(dy.shape) < 0.6) / 0.6, {}


@wrong("small noise on every forward", "random", "state", kind="contract")
class SmallNoise(OnTraces):
    def forward(self, x):
        return x + 1e-6 * np.random.default_rng().standard_normal(x.shape), None

    def backward(self, dy, cache):
        return dy, {}


@wrong("the cache is kept on self", "cache overwritten", kind="contract")
class CacheOnSelf(Contract):
    def forward(self, x):
        self._y = np.tanh(x)
        return self._y, None

    def backward(self, dy, cache):
        return super().backward(dy, self._y)


@wrong("gradients add up on self", "accumulated", kind="contract")
class GradientsOnSelf(good.Residual):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self._w = getattr(self, "_w", 0) + grads["w"]
        return dx, {"w": self._w}


@wrong("dx adds up on self", "accumulated", kind="contract")
class InputGradientOnSelf(Contract):
    def backward(self, dy, y):
        dx, _ = super().backward(dy, y)
        self._dx = getattr(self, "_dx", np.zeros_like(dx)) + dx
        return self._dx, {}


@wrong(
    "a result is kept by shape, and given out for another x", "state", "unknown", kind="contract"
)
class StaleResult(Contract):
    def forward(self, x):
        kept = self.__dict__.setdefault("_kept", {})
        y = kept.setdefault((x.shape, x.dtype), np.tanh(x))
        return y.copy(), y.copy()


@wrong("the shape of the first x is kept", "state", kind="contract")
class KeptShape(Contract):
    def forward(self, x):
        self.shape = getattr(self, "shape", x.shape)
        return super().forward(x.reshape(self.shape))


@wrong("dx is scaled by the size of the first batch", "state", kind="contract")
class KeptBatchSize(Contract):
    def backward(self, dy, y):
        self.n_traces = getattr(self, "n_traces", len(dy))
        return super().backward(dy * self.n_traces / len(dy), y)


@wrong("forward adds a parameter", "parameter created", kind="contract")
class CreatedParameter(good.Residual):
    def forward(self, x):
        self.params.setdefault("b", np.zeros(1))
        return super().forward(x)


@wrong(
    "dx is written into one buffer again and again",
    "output overwritten",
    "unknown",
    kind="contract",
)
class ReusedGradient(Contract):
    def backward(self, dy, y):
        dx = self.__dict__.setdefault("_dx", np.empty(y.shape))
        np.multiply(dy, 1 - y**2, out=dx)
        return dx, {}


@wrong("dx is left complex, with an imaginary part", "wrong type", kind="contract")
class ComplexGradient(good.FFTMagnitude):
    def backward(self, dy, spectrum):
        return np.fft.fft(dy * np.conj(spectrum) / np.abs(spectrum), axis=1), {}


@wrong("dx is kept in whole numbers", "precision", "not linear")
class IntegerGradient(Contract):
    def backward(self, dy, y):
        return (3 * dy * (1 - y**2)).astype(int) // 3, {}


@wrong("no dictionary of gradients comes back", "wrong key", kind="contract")
class NoGrads(good.Residual):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[0], None


@wrong("a loss changes its argument in place", "argument changed", kind="contract")
def loss_in_place(rng):
    def loss(x):
        x -= 1
        return np.sum(x**2), 2 * x

    return loss, rows(rng)


@wrong("a loss draws new noise at every call", "random", "state", kind="contract")
def loss_of_noise(rng):
    noise = np.random.default_rng(0)

    def loss(x):
        e = x - noise.standard_normal(x.shape)
        return np.sum(e**2), 2 * e

    return loss, rows(rng)


@wrong("a gradient under another name", "wrong key", kind="contract")
class OtherKey(good.Residual):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {"dw": grads["w"]}


@wrong("a parameter without a gradient", "wrong key", kind="contract")
class KeyMissing(good.Highway):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {"w": grads["w"]}


@wrong("a parameter's gradient as a row", "wrong shape", kind="contract")
class ShapeOfRow(good.LayerNorm):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, grads | {"beta": grads["beta"][None]}


@wrong("dx laid flat", "wrong shape", kind="contract")
class FlatGradient(Contract):
    def backward(self, dy, y):
        return super().backward(dy, y)[0].reshape(len(y), -1), {}


@wrong("backward uses the first x that forward ever saw", "state", kind="contract")
class FirstInputKept(Contract):
    def forward(self, x):
        if not hasattr(self, "first"):
            self.first = x
        return x * x, None

    def backward(self, dy, cache):
        return 2 * dy * self.first, {}


@wrong("dx is summed over the traces", "wrong shape", kind="contract")
class SummedGradient(Contract):
    def backward(self, dy, y):
        return super().backward(dy, y)[0].sum(axis=0), {}


@wrong("a gradient that is not a number", "not finite", kind="contract")
class NotFinite(good.L2Normalise):
    def backward(self, dy, cache):
        dx, _ = super().backward(dy, cache)
        dx[0, 0] = np.nan
        return dx, {}


@wrong("a parameter that forward does not use gets a gradient", "unused", "unknown")
class UnusedPushed(good.Spare):
    def backward(self, dy, x):
        dx, grads = super().backward(dy, x)
        return dx, grads | {"spare": np.full(2, dy.sum())}


@wrong("backward starts from ones and not from dy", "dy ignored")
class GradientIgnored(Contract):
    def backward(self, dy, y):
        return 1 - y**2, {}


@wrong("equal values are all taken for the largest", "ties", "mask missing", "unknown")
class TiesToAll(OnRows):
    @classmethod
    def case(cls, rng):
        x = rows(rng)
        x[:, 1] = x[:, 0] = 3
        return cls(), x

    def forward(self, x):
        return x.max(axis=1), x

    def backward(self, dy, x):
        return dy[:, None] * (x == x.max(axis=1, keepdims=True)), {}


# Mistakes that the checker sees and cannot name yet.
UNNAMED = [
    "LayerNormMeanConstant",
    "LayerNormAllConstant",
    "NormNotDivided",
    "SpanConstant",
    "SignTimesTwice",
    "ShrinkByGradient",
    "HypotUndivided",
    "MaxoutToBoth",
    "ReflectCut",
    "TransposedTapForgotten",
    "CausalBackwards",
    "EchoOneStep",
    "CumulativeForwards",
    "DifferenceOneSide",
    "VariationOneSide",
    "MedianToOne",
    "RunningMaxOverwritten",
    "AttentionDiagonal",
    "AttentionNoSoftmax",
    "GLUGateConstant",
    "SelfGateConstant",
    "SelfGateFirstConstant",
    "QuadraticOnce",
    "ExciteConstant",
    "HighwayCarryForgotten",
    "WrongSplit",
    "BlockSkipForgotten",
    "TiedOnce",
    "RecurrentOverwritten",
    "GRUCarryForgotten",
    "Whitened",
    "CorrelateReversed",
    "AutocorrelateOnce",
    "InverseTransposed",
    "hinge_others",
    "focal_constant",
    "l2_forgotten",
    "dice_constant",
    "HalfGradient",
    "HalfForward",
    "SingleDifference",
    "SecondMask",
]
