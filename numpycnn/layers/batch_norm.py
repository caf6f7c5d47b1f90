"""Batch normalization: every channel at mean 0 and variance 1.

Each layer learns from what the layers before it put out, and they keep changing.
If a channel's numbers drift or grow, all that follows has to be learned anew. So
put every channel to one scale, whatever came in, and let two learned numbers
per channel choose the scale that the next layer wants:

    m[c]   = 1 / R  sum_r x[r,c]                    mean over all R rows
    v[c]   = 1 / R  sum_r (x[r,c] - m[c])²          variance
    z[r,c] = (x[r,c] - m[c]) / sqrt(v[c] + eps)
    y[r,c] = gamma[c] z[r,c] + beta[c]

A *row* is a sample of a trace: everything but the last axis counts as rows,
so a batch (N, L, C) has `R = N L` of them.

**In training** the mean is that of the batch at hand. That makes an output depend on
every other trace of the batch, which is a strange thing to ask of an answer:
alone, a trace would get another one. **In use**, therefore, `m` and `v` are fixed numbers, the
*running* mean and variance that were remembered while training, and the layer is one
line, `y = a x + b`, for each channel by itself.

Those two arrays are the layer's `state`: saved and copied with it, but moved by what
was seen and not by any gradient.

Source: S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network
training by reducing internal covariate shift", ICML 2015, algorithms 1 and 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpycnn._reductions import centered, total
from numpycnn._types import Array, Params, Rng
from numpycnn._validation import above_zero, check_int, number, require_array, require_parameters
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField

# A channel of raw counts may have the mean 1e7 and the standard deviation 100. In float32 such
# numbers are 1 apart, which is enough for them and not for their mean, to which every
# batch adds a tenth of a small difference. So the statistics, and what is subtracted and divided
# with them, are float64 (`_reductions.py`), and the results are converted to the type of x.


class BatchNorm(Layer):
    """Normalize each channel: x (N, ..., C) becomes y of the same shape, by fixed statistics.

    Parameters: `gamma` (C,), one at first, and `beta` (C,), zero. State: `mean` (C,) and
    `var` (C,), zero and one at first, in float64, which `training` moves. `momentum` is the
    fraction of the newest batch in them, and `eps` keeps a constant channel from being divided by
    zero.

    >>> layer = BatchNorm(1)
    >>> x = np.array([[10.0], [14.0]])
    >>> train_model = layer.for_training()
    >>> y, cache = train_model.forward(x)
    >>> y.round(3).ravel()
    array([-1.,  1.])
    >>> for _ in range(100):
    ...     train_model.update_state(cache)
    >>> layer.state["mean"].round(3), layer(x).round(3).ravel()
    (array([12.]), array([-0.707,  0.707]))

    (In use the spread is that of two numbers drawn from many, with `R - 1` in the place of `R`.)

    Raises `TypeError` or `ValueError` for inputs of another type or shape, for numbers of
    channels that are not positive and whole, for a momentum that is not from 0 to 1, and for an
    eps that is not above 0.
    """

    def __init__(self, channels: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.channels = c = check_int(self, "channels", channels)
        self.momentum = number(
            self, "momentum", momentum, "a number from 0 to 1", lambda m: 0 <= m <= 1
        )
        self.eps = number(self, "eps", eps, "a finite number above 0", above_zero)
        super().__init__(gamma=np.ones(c, np.float32), beta=np.zeros(c, np.float32))
        self.state.update(mean=np.zeros(c), var=np.ones(c))

    def for_training(self, rng: Rng = None) -> BatchNormInTraining:
        """Return the twin that normalizes by the batch; it shares all arrays."""
        return self._as(BatchNormInTraining)

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return y = gamma z + beta with the running statistics, and z."""
        require_array(self, "x", x, f"N ... C={self.channels}")
        require_parameters(self, self.params)
        z = self._scaled(x - self.state["mean"], self.state["var"], x)
        return self.params["gamma"] * z + self.params["beta"], z

    def _scaled(self, z: Array, var: Array, x: Array) -> Array:
        """Return z / sqrt(var + eps) in the type of x; z, in float64, is overwritten."""
        z *= 1 / np.sqrt(var + self.eps)  # in place: new arrays cost more than arithmetic
        return z.astype(x.dtype)

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return dx = gamma dy / sqrt(var + eps), for the statistics do not depend on x."""
        z = cache
        require_array(self, "dy", dy, "... C", shape=z.shape)
        gamma, rows = self.params["gamma"], tuple(range(dy.ndim - 1))
        dtype = np.result_type(dy, z, gamma)
        dx = dy * (gamma / np.sqrt(self.state["var"] + self.eps)).astype(dtype)
        grads = {"gamma": total(dy * z, rows), "beta": total(dy, rows)}
        return dx, {name: grad.astype(dtype) for name, grad in grads.items()}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each sample is scaled by itself."""
        return ReceptiveField.each_sample(length)


class BatchNormCache(NamedTuple):
    """What the twin remembers: z for backward, and what it saw, for the running statistics."""

    z: Array
    mean: Array  # (C,)
    var: Array  # (C,)


class BatchNormInTraining(BatchNorm):
    """The twin of a BatchNorm, which normalizes by the mean and variance of its batch."""

    def forward(self, x: Array) -> tuple[Array, BatchNormCache]:  # type: ignore[override]
        """Return y = gamma z + beta with the statistics of x, and what backward needs.

        Raises `ValueError` for a single row: its mean would be the row itself.
        """
        require_array(self, "x", x, f"N ... C={self.channels}")
        require_parameters(self, self.params)
        if x.size == self.channels:
            raise ValueError(
                f"BatchNorm: x must have more than one row in training, got shape {x.shape}. Use a "
                "batch_size whose last batch has more than one trace."
            )
        rows = tuple(range(x.ndim - 1))
        mean, z = centered(x, rows)
        var = total(z * z, rows) / (x.size // self.channels)
        z = self._scaled(z, var, x)
        y = self.params["gamma"] * z + self.params["beta"]
        return y, BatchNormCache(z, mean.reshape(-1), var)

    # The backward pass
    # -----------------
    # Here is what most people forget at first. `x[r,c]` enters `z[r,c]`, and it also enters the
    # mean and the variance of its channel, and through them every other `z` of the channel. With
    # `s = sqrt(v + eps)`, and one channel at a time, `z[q] = (x[q] - m) / s`. If `x[r]` moves by a
    # little, there are three ways in which `z[q]` moves:
    #
    # 1. by itself, if `q = r`: by `1 / s`;
    # 2. by the mean, which moves by `1 / R`: by `-1 / (R s)`, every `q` alike;
    # 3. by the variance. That moves by `2 (x[r] - m) / R = 2 s z[r] / R`, and `s`, its root, by
    #    `1 / (2 s)` of it, which is `z[r] / R`; so `z[q]` moves by `-z[q] z[r] / (R s)`.
    #
    # (In the third, the mean moves too. But the variance is smallest about the mean, so to first
    # order it does not notice.) Each `z[q]` has the gradient `dz[q]`; the sum over `q` is
    #
    # $$dx_r = \frac{1}{s} \left( dz_r - \frac{1}{R} \sum_q dz_q
    # - z_r \frac{1}{R} \sum_q dz_q z_q \right)$$
    #
    # In words: take off the mean of what came in, and then what is left of it along `z`. No
    # gradient gets through that would only shift or stretch the channel, because
    # normalization undoes both. So a bias right before this layer never learns.

    def backward(self, dy: Array, cache: BatchNormCache) -> tuple[Array, Params]:  # type: ignore[override]
        """Send dy back to the input and the parameters.

        dgamma[c] = sum_r dy[r,c] z[r,c]
        dbeta[c]  = sum_r dy[r,c]
        dx[r,c]   = gamma[c] / s[c] (dy[r,c] - dbeta[c] / R - z[r,c] dgamma[c] / R)
        """
        z, _, var = cache
        require_array(self, "dy", dy, "... C", shape=z.shape)
        gamma, rows = self.params["gamma"], tuple(range(dy.ndim - 1))
        dtype, n_rows = np.result_type(dy, z, gamma), z.size // self.channels
        dgamma, dbeta = total(dy * z, rows), total(dy, rows)
        dx = dy - (dbeta / n_rows).astype(dtype)
        dx -= z * (dgamma / n_rows).astype(dtype)
        dx *= (gamma / np.sqrt(var + self.eps)).astype(dtype)
        return dx, {"gamma": dgamma.astype(dtype), "beta": dbeta.astype(dtype)}

    def update_state(self, cache: BatchNormCache) -> None:
        """Move the running statistics a little towards those of the batch.

        The variance of a batch is about its own mean, which lies in its middle: too small by
        (R - 1) / R, on average, for traces that come later. That is put right here.
        """
        n_rows = cache.z.size // self.channels
        seen = {"mean": cache.mean, "var": cache.var * (n_rows / (n_rows - 1))}
        for name, running in self.state.items():
            running += self.momentum * (seen[name] - running)

    def receptive_field(self, length: int) -> ReceptiveField:
        """Raise: an output looks at all samples of all traces of the batch."""
        raise NotImplementedError(
            f"{type(self).__name__} looks at the whole batch with every output; ask the model "
            "itself, not its twin for training"
        )
