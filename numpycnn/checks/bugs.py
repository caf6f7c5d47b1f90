"""Planted bugs: common mistakes, one by one, and whether training or a check shows them.

    python -m numpycnn.checks.bugs

Each planted bug is a correct part of this package with one mistake. The table that this module
prints contains two columns for each. The first is the accuracy of the trace classifier on held-out
traces when it is trained with the bug: most of these accuracies look perfect. The second is the
result of the checks.

This is the reason for checking derivatives. A network has so many parameters that those with
correct gradients compensate for those with incorrect ones: training hides bugs. A checker that
never fails proves nothing, and the planted bugs test the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from numpycnn import (
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
)
from numpycnn._targets import one_hot
from numpycnn._types import Array, Params, Rng
from numpycnn._validation import generator
from numpycnn.checks.gradients import check_gradients
from numpycnn.checks.modes import check_modes
from numpycnn.checks.optimizer import check_adam
from numpycnn.checks.report import GradientReport, Report
from numpycnn.layers.batch_norm import BatchNormCache, BatchNormInTraining
from numpycnn.layers.dropout import DropoutInTraining
from numpycnn.traces import make_traces, train_test_split
from numpycnn.training.adam import Adam
from numpycnn.training.examples import prepare_data
from numpycnn.training.fit import train_step
from numpycnn.training.losses import cross_entropy, softmax_cross_entropy


class Bug(NamedTuple):
    """A planted bug."""

    name: str
    part: Any  # the correct class or function
    broken: Any  # the same with the mistake in it
    mistake: str  # in a sentence
    called: str  # the name that the checks should report

    @property
    def seen(self) -> list[str]:
        """Addresses of public discussions of this mistake, or of one of the same kind."""
        return [f"https://github.com/{place}" for place in SEEN.get(self.name, ())]


PLANTED_BUGS: dict[str, Bug] = {}


def bug(part: Any, mistake: str, called: str) -> Callable[[Any], Any]:
    """Add the class or function below to the planted bugs, under its name."""

    def put(broken: Any) -> Any:
        PLANTED_BUGS[broken.__name__] = Bug(broken.__name__, part, broken, mistake, called)
        return broken

    return put


def bad_backward(part: Any, mistake: str, called: str) -> Callable[[Any], Any]:
    """Plant a bug in the backward of a layer.

    The function below receives the layer, dy, the cache and the correct result, dx and the
    gradients, and returns an incorrect one.
    """

    def put(change: Any) -> Any:
        def backward(self: Any, dy: Array, cache: Any) -> tuple[Array, Params]:
            changed: tuple[Array, Params] = change(self, dy, cache, *part.backward(self, dy, cache))
            return changed

        broken = type(change.__name__, (part,), {"backward": backward, "__doc__": mistake})
        return bug(part, mistake, called)(broken)

    return put


def bad_training(part: Any, mistake: str, called: str) -> Callable[[Any], Any]:
    """Plant a bug in a layer for training, which is of the class below."""

    def put(train_class: Any) -> Any:
        def for_training(self: Any, rng: Rng = None) -> Any:
            train_model = part.for_training(self, rng)
            train_model.__class__ = train_class
            return train_model

        broken = type(
            train_class.__name__, (part,), {"for_training": for_training, "__doc__": mistake}
        )
        return bug(part, mistake, called)(broken)

    return put


# Convolution
# -----------


@bad_backward(Conv1D, "dw has its taps in reverse order", "reversed")
def conv_dw_reversed(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": grads["w"][::-1]}


@bad_backward(Conv1D, "dw is one tap off", "shifted")
def conv_dw_shifted(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": np.roll(grads["w"], 1, axis=0)}


@bad_backward(Conv1D, "dw is allocated and never filled", "zero")
def conv_dw_zero(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": np.zeros_like(grads["w"])}


@bad_backward(
    Conv1D, "dw is that of the first trace, without the sum over the batch", "only one share"
)
def conv_dw_first_trace(layer, dy, cache, dx, grads):
    first = np.zeros_like(dy)
    first[:1] = dy[:1]
    return dx, {**grads, "w": Conv1D.backward(layer, first, cache)[1]["w"]}


@bad_backward(Conv1D, "the loop over windows ends one window too early", "share missing")
def conv_dw_last_window_missing(layer, dy, cache, dx, grads):
    all_but_last = dy.copy()
    all_but_last[:, -1:] = 0
    return dx, {**grads, "w": Conv1D.backward(layer, all_but_last, cache)[1]["w"]}


@bad_backward(Conv1D, "dw is divided by N a second time, after the loss", "divided twice")
def conv_dw_divided_twice(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": grads["w"] / len(dy)}


@bad_backward(Conv1D, "db is the mean of dy, not the sum", "bias averaged")
def conv_db_averaged(layer, dy, cache, dx, grads):
    return dx, {**grads, "b": dy.mean(axis=(0, 1))}


@bad_backward(Conv1D, "dx is computed with the kernel not flipped", "reversed")
def conv_dx_kernel_not_flipped(layer, dy, cache, dx, grads):
    flipped = layer.with_params({**layer.params, "w": layer.params["w"][::-1]})
    return Conv1D.backward(flipped, dy, cache)[0], grads


@bad_backward(Conv1D, "dx is assigned where windows overlap, `=` for `+=`", "overwritten")
def conv_dx_overwritten(layer, dy, cache, dx, grads):
    dx = np.zeros_like(dx)
    left, _ = layer.pad_widths(dx.shape[1])
    for m in range(dy.shape[1]):
        for k, tap in enumerate(layer.params["w"]):  # (C, F)
            i = m * layer.stride + k * layer.dilation - left
            if 0 <= i < dx.shape[1]:
                dx[:, i] = dy[:, m] @ tap.T
    return dx, grads


@bad_backward(
    Conv1D,
    "dx is shifted by one sample, as if the wrong end of the padding were removed",
    "shifted",
)
def conv_dx_shifted(layer, dy, cache, dx, grads):
    return np.roll(dx, 1, axis=1), grads


@bad_backward(Conv1D, "dx is computed for the first channel only", "only one place")
def conv_dx_first_channel(layer, dy, cache, dx, grads):
    return dx * (np.arange(dx.shape[2]) == 0), grads


@bad_backward(
    Conv1D, "dx is that of the first filter, without the sum over filters", "only one share"
)
def conv_dx_first_filter(layer, dy, cache, dx, grads):
    return Conv1D.backward(layer, dy * (np.arange(dy.shape[2]) == 0), cache)[0], grads


@bad_backward(Conv1D, "dw passes through a float16 array", "precision")
def conv_dw_float16(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": grads["w"].astype(np.float16).astype(dy.dtype)}


@bad_backward(Conv1D, "dw passes through a float32 array", "precision")
def conv_dw_float32(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": grads["w"].astype(np.float32).astype(dy.dtype)}


# Pooling
# -------


@bad_backward(MaxPool1D, "the gradient goes to the first sample of the window", "misplaced")
def pool_to_first(layer, dy, cache, dx, grads):
    return MaxPool1D.backward(layer, dy, cache._replace(argmax=0 * cache.argmax))


@bad_backward(MaxPool1D, "the gradient goes to every sample of the window", "mask missing")
def pool_to_all(layer, dy, cache, dx, grads):
    everywhere = (cache._replace(argmax=0 * cache.argmax + j) for j in range(layer.pool_size))
    return sum(MaxPool1D.backward(layer, dy, one)[0] for one in everywhere), grads


@bad_backward(
    MaxPool1D, "where windows overlap the gradient is assigned, `=` for `+=`", "overwritten"
)
def pool_overwritten(layer, dy, cache, dx, grads):
    dx = np.zeros_like(dx)
    for n, m, c in np.ndindex(dy.shape):
        dx[n, m * layer.stride + cache.argmax[n, m, c], c] = dy[n, m, c]
    return dx, grads


@bug(MaxPool1D, "each of several equal maxima receives the whole gradient", "ties")
class pool_ties_take_all(MaxPool1D):
    def forward(self, x):
        y, cache = super().forward(x)
        return y, (x, y, cache)

    def backward(self, dy, cache):
        x, y, cache = cache
        dx = np.zeros(x.shape, dy.dtype)
        for m in range(y.shape[1]):
            window = slice(m * self.stride, m * self.stride + self.pool_size)
            dx[:, window] += dy[:, m : m + 1] * (x[:, window] == y[:, m : m + 1])
        return dx, {}


@bad_backward(GlobalMaxPool1D, "the gradient is spread evenly, as for an average", "misplaced")
def global_pool_averages(layer, dy, cache, dx, grads):
    return np.repeat(dy[:, None], cache.length, axis=1) / cache.length, grads


# Dense
# -----


@bad_backward(Dense, "dw is transposed, which has the correct shape if w is square", "transposed")
def dense_dw_transposed(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": grads["w"].T.reshape(grads["w"].shape)}


@bad_backward(
    Dense, "dx uses w, not its transpose, which has the correct shape if w is square", "transposed"
)
def dense_dx_not_transposed(layer, dy, cache, dx, grads):
    w = layer.params["w"]
    return (dy @ w if w.shape[0] == w.shape[1] else dx), grads


@bad_backward(Dense, "db is the mean over the batch, not the sum", "bias averaged")
def dense_db_averaged(layer, dy, cache, dx, grads):
    return dx, {**grads, "b": grads["b"] / len(dy)}


@bad_backward(Dense, "dw has the wrong sign", "sign")
def dense_dw_sign(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": -grads["w"]}


@bad_backward(Dense, "dw does not depend on dy", "dy ignored")
def dense_dw_ignores_dy(layer, dy, cache, dx, grads):
    return dx, {**grads, "w": Dense.backward(layer, np.ones_like(dy), cache)[1]["w"]}


@bad_backward(Dense, "db is not returned at all", "wrong key")
def dense_db_forgotten(layer, dy, cache, dx, grads):
    return dx, {"w": grads["w"]}


# ReLU
# ----


@bad_backward(ReLU, "dy passes for positive and negative x", "mask missing")
def relu_mask_missing(layer, dy, cache, dx, grads):
    return dy, grads


@bad_backward(ReLU, "the mask is taken from dy in place of x", "mask of dy")
def relu_mask_of_dy(layer, dy, cache, dx, grads):
    return np.maximum(dy, 0), grads


@bad_backward(ReLU, "backward leaks where forward does not", "mask missing")
def relu_leaks(layer, dy, cache, dx, grads):
    return np.where(cache > 0, dy, 0.01 * dy), grads


@bug(ReLU, "forward works in place and changes its input", "argument changed")
class relu_in_place(ReLU):
    def forward(self, x):
        np.maximum(x, 0, out=x)
        return x, x


# Softmax
# -------


@bad_backward(Softmax, "only y (1 - y), as for a sigmoid: no cross terms", "cross terms missing")
def softmax_diagonal(layer, dy, cache, dx, grads):
    return dy * cache * (1 - cache), grads


@bad_backward(Softmax, "dx is dy unchanged", "derivative missing")
def softmax_unchanged(layer, dy, cache, dx, grads):
    return dy, grads


@bad_backward(Softmax, "the plain mean of dy is subtracted, not the mean weighted by y", "unknown")
def softmax_plain_mean(layer, dy, cache, dx, grads):
    return cache * (dy - dy.mean(axis=-1, keepdims=True)), grads


@bug(Softmax, "the largest score is not subtracted, and exp overflows", "not finite")
class softmax_overflows(Softmax):
    def forward(self, x):
        exps = np.exp(x)
        y = exps / exps.sum(axis=-1, keepdims=True)
        return y, y


# Batch normalization and dropout
# -------------------------------
# The first four have incorrect gradients. The others have correct gradients in both modes, but the
# two modes are inconsistent.


@bad_training(BatchNorm, "the batch mean is treated as a constant", "batch mean")
class norm_mean_constant(BatchNormInTraining):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        by_mean = self.params["gamma"] * grads["beta"] * self.channels / dy.size
        return dx + by_mean / np.sqrt(cache.var + self.eps), grads


@bad_training(BatchNorm, "the batch variance is treated as a constant", "batch variance")
class norm_variance_constant(BatchNormInTraining):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        by_variance = cache.z * self.params["gamma"] * grads["gamma"] * self.channels / dy.size
        return dx + by_variance / np.sqrt(cache.var + self.eps), grads


@bad_training(
    BatchNorm,
    "batch mean and variance are treated as constants, as at inference",
    "batch mean and variance",
)
class norm_both_constant(BatchNormInTraining):
    def backward(self, dy, cache):
        _, grads = super().backward(dy, cache)
        return self.params["gamma"] * dy / np.sqrt(cache.var + self.eps), grads


@bad_training(BatchNorm, "forward divides by R - 1, backward by R", "batch variance")
class norm_unbiased(BatchNormInTraining):
    def forward(self, x):
        _, (z, mean, var) = super().forward(x)
        n_rows = z.size // self.channels
        var = var * n_rows / (n_rows - 1)
        z = (x - mean) / np.sqrt(var + self.eps)
        return self.params["gamma"] * z + self.params["beta"], BatchNormCache(z, mean, var)


@bad_training(BatchNorm, "mean and variance are computed for each trace separately", "modes apart")
class norm_wrong_axes(BatchNormInTraining):
    def forward(self, x):
        parts = [BatchNormInTraining.forward(self, trace[None]) for trace in x]
        return np.concatenate([y for y, _ in parts]), [cache for _, cache in parts]

    def backward(self, dy, cache):
        pairs = zip(dy, cache, strict=True)
        parts = [BatchNormInTraining.backward(self, one[None], own) for one, own in pairs]
        grads = {name: sum(grads[name] for _, grads in parts) for name in self.params}
        return np.concatenate([dx for dx, _ in parts]), grads

    def update_state(self, cache):
        for own in cache:
            super().update_state(own)


@bad_training(BatchNorm, "the running statistics are never updated", "state not updated")
class norm_never_updated(BatchNormInTraining):
    def update_state(self, cache):
        pass


@bad_training(Dropout, "the kept values are not divided by 1 - rate", "modes apart")
class dropout_not_scaled(DropoutInTraining):
    def forward(self, x):
        y, keep = super().forward(x)
        return y * (1 - self.rate), keep

    def backward(self, dy, cache):
        return dy * cache, {}


@bug(Dropout, "values are dropped at inference too", "training at inference")
class dropout_at_inference(DropoutInTraining):
    pass


# Losses
# ------


@bug(softmax_cross_entropy, "the loss is a mean, its gradient is a sum", "mean missing")
def loss_mean_missing(logits, targets):
    loss, gradient = softmax_cross_entropy(logits, targets)
    return loss, gradient * len(logits)


@bug(softmax_cross_entropy, "the gradient is divided by N twice", "divided twice")
def loss_divided_twice(logits, targets):
    loss, gradient = softmax_cross_entropy(logits, targets)
    return loss, gradient / len(logits)


@bug(softmax_cross_entropy, "y - p in place of p - y, so the loss increases", "sign")
def loss_sign(logits, targets):
    loss, gradient = softmax_cross_entropy(logits, targets)
    return loss, -gradient


@bug(softmax_cross_entropy, "the targets are not subtracted from the probabilities", "unknown")
def loss_targets_forgotten(logits, targets):
    loss, gradient = softmax_cross_entropy(logits, targets)
    y = one_hot(targets, logits.shape[-1], logits.dtype)
    return loss, gradient + y / len(logits)


# Layers for the tests only
# -------------------------
# The package has no layers in which these mistakes are possible. In each of these layers the output
# depends on the whole row (..., D) or on x twice.


class Standardize(Layer):
    """Subtract the mean of each row and divide by its standard deviation."""

    def forward(self, x):
        std = x.std(axis=-1, keepdims=True)
        y = (x - x.mean(axis=-1, keepdims=True)) / std
        return y, (y, std)

    def backward(self, dy, cache):
        y, std = cache
        along = (dy * y).mean(axis=-1, keepdims=True)
        return (dy - dy.mean(axis=-1, keepdims=True) - y * along) / std, {}


class UnitLength(Layer):
    """Divide each row by its length."""

    def forward(self, x):
        length = np.linalg.norm(x, axis=-1, keepdims=True)
        return x / length, (x / length, length)

    def backward(self, dy, cache):
        y, length = cache
        return (dy - y * (dy * y).sum(axis=-1, keepdims=True)) / length, {}


class Softsign(Layer):
    """x / (1 + |x|)."""

    def forward(self, x):
        size = 1 + np.abs(x)
        return x / size, size

    def backward(self, dy, cache):
        return dy / cache**2, {}


class Swish(Layer):
    """x times its sigmoid."""

    def forward(self, x):
        gate = 1 / (1 + np.exp(-x))
        return x * gate, (x, gate)

    def backward(self, dy, cache):
        x, gate = cache
        return dy * (gate + x * gate * (1 - gate)), {}


class Skip(Layer):
    """x + tanh(x): a residual."""

    def forward(self, x):
        bend = np.tanh(x)
        return x + bend, bend

    def backward(self, dy, cache):
        return dy + dy * (1 - cache**2), {}


GUESTS = Standardize, UnitLength, Softsign, Swish, Skip


@bad_backward(Standardize, "the standard deviation is treated as a constant", "constant term")
def std_constant(layer, dy, cache, dx, grads):
    return (dy - dy.mean(axis=-1, keepdims=True)) / cache[1], grads


@bad_backward(UnitLength, "the length is treated as a constant", "constant term")
def length_constant(layer, dy, cache, dx, grads):
    return dy / cache[1], grads


@bad_backward(Softsign, "1 + |x| is treated as a constant", "constant term")
def softsign_constant(layer, dy, cache, dx, grads):
    return dy / cache, grads


@bad_backward(Swish, "the sigmoid is treated as a constant", "product rule")
def swish_gate_constant(layer, dy, cache, dx, grads):
    return dy * cache[1], grads


@bad_backward(Skip, "the gradient of the identity branch is missing", "branch forgotten")
def skip_forgotten(layer, dy, cache, dx, grads):
    return dx - dy, grads


@bug(
    softmax_cross_entropy,
    "a penalty on |scores| is in the loss but not in its gradient",
    "constant term",
)
def loss_penalty_forgotten(logits, targets):
    loss, gradient = softmax_cross_entropy(logits, targets)
    return loss + 0.01 * np.abs(logits).sum() / len(logits), gradient


# Breaches of the contract
# ------------------------
# Forward and backward may depend on their arguments and the parameters only.


@bug(ReLU, "the output is multiplied with new noise at each call", "random")
class relu_with_noise(ReLU):
    def forward(self, x):
        y, cache = super().forward(x)
        noise = np.random.default_rng().uniform(0.5, 1.5, x.shape)
        return y * noise, cache * noise


@bug(ReLU, "the output grows with the number of calls", "random")
class relu_counts(ReLU):
    n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        y, cache = super().forward(x)
        return y * (1 + 0.1 * self.n_calls), cache * (1 + 0.1 * self.n_calls)


@bug(ReLU, "the output is written into the same array at each call", "output overwritten")
class relu_reuses_output(ReLU):
    outs: ClassVar[dict[Any, Array]] = {}

    def forward(self, x):
        y = self.outs.setdefault((x.shape, x.dtype), np.empty_like(x))
        np.maximum(x, 0, out=y)
        return y, y.copy()


@bug(ReLU, "backward multiplies its cache in place", "cache changed")
class relu_changes_cache(ReLU):
    def backward(self, dy, cache):
        mask = (cache > 0).astype(dy.dtype)
        cache *= -1
        return dy * mask, {}


# Adam
# ----


class _Adam(Adam):
    """Adam, split into methods so that each common mistake replaces one of them."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas, eps)
        self.averages = {name: (np.zeros_like(w), np.zeros_like(w)) for name, w in params.items()}

    def step(self, grads):
        self.t += 1
        for place, (name, g) in enumerate(grads.items()):
            (m, v), (beta1, beta2) = self.averages[name], self.betas
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (self.second(g) - v)
            t = self.time(place, len(grads))
            self.params[name] -= self.lr * self.ratio(m, v, 1 - beta1**t, 1 - beta2**t)

    def second(self, g):
        return g * g

    def time(self, place, n_params):
        return self.t

    def ratio(self, m, v, m_share, v_share):
        return m / m_share / (np.sqrt(v / v_share) + self.eps)


@bug(Adam, "the averages are not corrected for starting at zero", "bias correction missing")
class adam_no_correction(_Adam):
    def ratio(self, m, v, m_share, v_share):
        return m / (np.sqrt(v) + self.eps)


@bug(Adam, "the step counter is not incremented", "step counter constant")
class adam_step_constant(_Adam):
    def time(self, place, n_params):
        return 1


@bug(Adam, "the step counter is incremented for every parameter", "step counter per parameter")
class adam_step_per_parameter(_Adam):
    def time(self, place, n_params):
        return (self.t - 1) * n_params + place + 1


@bug(Adam, "eps is added under the square root", "eps under the root")
class adam_eps_under_the_root(_Adam):
    def ratio(self, m, v, m_share, v_share):
        return m / m_share / np.sqrt(v / v_share + self.eps)


@bug(Adam, "v averages the magnitude of the gradient, not its square", "square missing")
class adam_square_missing(_Adam):
    def second(self, g):
        return np.abs(g)


@bug(Adam, "beta1 and beta2 are exchanged", "betas swapped")
class adam_betas_swapped(_Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas[::-1], eps)


# Sequential
# ----------


@bug(
    Sequential,
    "the caches are kept on the network, where a second forward overwrites them",
    "cache overwritten",
)
class sequential_keeps_caches(Sequential):
    def forward(self, x):
        y, self.caches = super().forward(x)
        return y, None

    def backward(self, dy, cache):
        return super().backward(dy, self.caches)


@bug(Sequential, "gradients are added to those of the previous call", "accumulated")
class sequential_accumulates(Sequential):
    sums: ClassVar[Params] = {}

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self.sums = {name: grad + self.sums.get(name, 0) for name, grad in grads.items()}
        return dx, self.sums


@bug(Sequential, "the backward pass skips layers without parameters", "unknown")
class sequential_skips_relu(Sequential):
    def backward(self, dy, cache):
        grads = {}
        for place in reversed(range(len(self.layers))):
            if not isinstance(self.layers[place], ReLU):
                dy, own = self.layers[place].backward(dy, cache[place])
                grads |= {f"{place}.{name}": grad for name, grad in own.items()}
        return dy, grads


# Published occurrences
# ---------------------
# Discussions on GitHub of the same mistake, or a similar one, in published code. Several are in
# well-known libraries.

SEEN = {
    "conv_dw_reversed": ("FluxML/NNlib.jl/issues/518",),
    "conv_dw_zero": ("riccardoandreoni0/CNN-from-scratch/issues/1",),
    "conv_dw_divided_twice": ("deeplearning4j/deeplearning4j/pull/366",),
    "conv_db_averaged": ("kvfrans/notes/issues/5",),
    "conv_dx_kernel_not_flipped": ("llvm/torch-mlir/pull/4437",),
    "conv_dx_overwritten": ("FluxML/NNlib.jl/issues/205",),
    "conv_dw_float32": ("pytorch/pytorch/issues/8175",),
    "pool_overwritten": (
        "0809zheng/CS231n-assignment2019/issues/19",
        "ahrefs/ocannl/issues/512",
    ),
    "pool_ties_take_all": (
        "apache/mxnet/issues/18563",
        "Theano/Theano/issues/5248",
    ),
    "dense_dw_transposed": ("iamtrask/Grokking-Deep-Learning/issues/23",),
    "dense_db_averaged": ("kvfrans/notes/issues/5",),
    "dense_dw_sign": ("eric-mitchell/mend/issues/13",),
    "dense_db_forgotten": ("ikostrikov/pytorch-meta-optimizer/issues/11",),
    "relu_mask_missing": ("deeplearning4j/nd4j/issues/271",),
    "relu_in_place": ("rosinality/vq-vae-2-pytorch/issues/60",),
    "softmax_diagonal": (
        "deeplearning4j/libnd4j/issues/440",
        "SebLague/Neural-Network-Experiments/pull/5",
    ),
    "softmax_overflows": ("dwavesystems/dwave-optimization/issues/555",),
    "norm_variance_constant": ("abhiskk/ladder/issues/2",),
    "norm_never_updated": (
        "apache/mxnet/issues/18673",
        "DeepLink-org/DIOPI/pull/130",
    ),
    "dropout_not_scaled": ("karpathy/convnetjs/pull/106",),
    "dropout_at_inference": (
        "facebookresearch/DME/issues/3",
        "ipolharvard/ethos-ares/issues/20",
    ),
    "loss_mean_missing": ("victorlempitsky/Mate/issues/2",),
    "loss_divided_twice": ("d2l-ai/d2l-en/pull/1000",),
    "adam_no_correction": ("EurekaLabsAI/micrograd/pull/2",),
    "adam_step_constant": ("allenai/OLMo-core/pull/317",),
    "adam_step_per_parameter": ("DiffSharp/DiffSharp/issues/292",),
    "adam_eps_under_the_root": ("FluxML/Flux.jl/pull/448",),
    "sequential_keeps_caches": ("SeanNaren/QlearningExample.torch/issues/4",),
    "sequential_accumulates": ("meta-pytorch/torchforge/pull/71",),
}


# Training and checks
# -------------------
# First each planted bug replaces the correct part in a classifier of traces, which is trained. Then
# the checks are run.

TWO_MODES = BatchNorm, Dropout
N_EPOCHS, LR, SEEDS = 60, 5e-3, range(5)


def held_out_accuracy(bug: Bug, seed: int) -> float:
    """Train the trace classifier with this bug; return the accuracy on held-out traces.

    NaN if it cannot be trained, because an error is raised.
    """
    optimizer = bug.broken if bug.part is Adam else Adam
    try:
        return trained_accuracy(partial(_classifier, bug), optimizer, seed)
    except ValueError:
        return np.nan


def trained_accuracy(
    build: Callable[[np.random.Generator], tuple[Any, Any]], optimizer: Any, seed: int
) -> float:
    """Train the network and loss that `build` returns; return the accuracy on held-out traces."""
    rng = np.random.default_rng(seed)
    x, labels = make_traces(180, rng=rng)
    x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=rng)
    model, loss = build(rng)
    train_model, steps = model.for_training(rng), optimizer(model.params, lr=LR)
    data = prepare_data("trained_accuracy", model, x_train, y_train, loss)
    for _ in range(N_EPOCHS):
        train_step(train_model, steps, loss, data)
    return float((model.classify(x_test) == y_test).mean())


def _classifier(bug: Bug, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return the trace classifier and its loss, with a head that contains the part of the bug."""

    def make(part: Any, *sizes: Any, **options: Any) -> Any:
        return (bug.broken if bug.part is part else part)(*sizes, **options)

    layers = [make(Conv1D, 1, 8, 5, padding="same", rng=rng)]
    layers += [make(BatchNorm, 8)] if bug.part is BatchNorm else []
    layers += [make(ReLU)]
    if bug.part is GlobalMaxPool1D:
        layers += [make(GlobalMaxPool1D), make(Dense, 8, 16, rng=rng)]
    else:
        layers += [make(MaxPool1D, 2), make(Flatten), make(Dense, 256, 16, rng=rng)]
    layers += [make(bug.part if bug.part in GUESTS else ReLU)]
    layers += [make(Dropout, 0.5)] if bug.part is Dropout else []
    layers += [make(Dense, 16, 3, rng=rng)]
    if bug.part is Softmax:
        return make(Sequential, *layers, make(Softmax)), cross_entropy
    loss = bug.broken if bug.part is softmax_cross_entropy else softmax_cross_entropy
    return make(Sequential, *layers), loss


def run_checks(bug: Bug, rng: Rng = None) -> GradientReport | Report:
    """Run the checks on a planted bug, in a case that can show its mistake.

    If it has two modes with correct gradients, `check_modes` compares the modes.

    >>> run_checks(PLANTED_BUGS["relu_mask_missing"], rng=0).mistakes[0].name
    'mask missing'
    """
    rng = generator("run_checks", rng)
    if bug.part is Adam:
        return check_adam(bug.broken, rng)
    subject, x = typical_case(bug, rng)
    if bug.part not in TWO_MODES:
        return check_gradients(subject, x, rng=rng)
    reports = [check_gradients(mode, x, rng=rng) for mode in (subject, subject.for_training(rng))]
    wrong = [report for report in reports if not report.ok]
    return wrong[0] if wrong else check_modes(subject, x, rng)


def typical_case(bug: Bug, rng: np.random.Generator) -> tuple[Any, Array]:
    """Return the planted bug as a layer or loss, and an input that can show its mistake.

    Windows overlap, and weights that must not be transposed are square.
    """
    make, x = bug.broken, rng.standard_normal((4, 9, 2))
    if bug.part is softmax_cross_entropy:

        def loss(scores):
            return make(scores, np.array([2, 0, 1, 1]))

        return loss, x[:, :3, 0]
    if bug.part is Conv1D:
        return make(2, 3, 4, stride=2, padding="same", rng=rng), x
    if bug.name == "pool_ties_take_all":
        return make(3, stride=1), np.round(x)  # with ties
    if bug.part is MaxPool1D:
        return (make(2) if bug.name == "pool_to_all" else make(3, stride=1)), x
    if bug.part is Dense:
        return make(3, 3, rng=rng), x[:, :3, 0]
    if bug.part in TWO_MODES:
        x = 2 * x + 3 * rng.standard_normal((4, 1, 2))  # each trace has another mean
        return make(2 if bug.part is BatchNorm else 0.5), x
    if bug.part is Sequential:
        return make(Dense(2, 3, rng=rng), ReLU(), Dense(3, 2, rng=rng)), x
    if bug.part in GUESTS:
        x = x[:, :, 0]  # two values are too few for a mean and a deviation
    if bug.name == "softmax_overflows":
        x = 1000 * x
    return make(), x


def table(seeds: Sequence[int] = SEEDS) -> str:
    """Return a table of the planted bugs: accuracy, the check that fails, and the mistake."""
    rows = [("bug", "accuracy", "caught by", "called", "the mistake")]
    for bug in PLANTED_BUGS.values():
        accuracy = np.mean([held_out_accuracy(bug, seed) for seed in seeds])
        report = run_checks(bug, rng=0)
        check = report.check if isinstance(report, Report) else "check_gradients"
        rows.append(
            (
                bug.name,
                "refused" if np.isnan(accuracy) else f"{accuracy:.3f}",
                "nothing" if report.ok else check,
                ", ".join(dict.fromkeys(d.name for d in report.mistakes)) or "-",
                bug.mistake,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    with np.errstate(all="ignore"):  # some of them overflow
        print(table())
