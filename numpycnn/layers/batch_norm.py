"""Batch normalization: every channel with mean 0 and variance 1.

The input of a layer is the output of the layers before it, which change during training. If the
mean or the magnitude of a channel changes, all later layers must adapt. Batch normalization scales
every channel to mean 0 and variance 1, for any input. Two parameters per channel then determine the
mean and the standard deviation of the output:

    m[c]   = 1 / R  sum_r x[r,c]                    mean over all R rows
    v[c]   = 1 / R  sum_r (x[r,c] - m[c])²          variance
    z[r,c] = (x[r,c] - m[c]) / sqrt(v[c] + eps)
    y[r,c] = gamma[c] z[r,c] + beta[c]

A *row* is one sample of one trace. All axes but the last count as rows, so a batch (N, L, C) has
`R = N L` of them.

**In training** the mean and variance are those of the batch. Each output therefore depends on all
traces of the batch: the same trace in another batch has another output. **At inference** `m` and
`v` are constants, the *running* mean and variance of the training batches, and the layer computes
`y = a x + b` in each channel.

These two arrays are the `state` of the layer. They are saved and copied like parameters, but
updated from the batches and not by a gradient.

References
----------
S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal
covariate shift", ICML 2015, algorithms 1 and 2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpycnn._reductions import centered, total
from numpycnn._types import Array, Params, Rng
from numpycnn._validation import check_int, number, positive, require_array, require_parameters
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField

# A channel of raw counts may have the mean 1e7 and the standard deviation 100. Near 1e7 the
# distance between neighboring float32 numbers is 1. float32 is precise enough for the data, but not
# for their running mean, which every batch changes by a tenth of a small difference. The
# statistics, the subtraction and the division are therefore float64 (`_reductions.py`). The results
# are converted to the type of x.


class BatchNorm(Layer):
    """Normalize each channel with running statistics: x (N, ..., C) becomes y of the same shape.

    Parameters
    ----------
    channels : int
        Number of channels C.
    momentum : float
        Weight of the newest batch in the running statistics, from 0 to 1.
    eps : float
        Added to the variance, so that a constant channel is not divided by zero.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or range.

    Notes
    -----
    The parameters are `gamma` and `beta`, both of shape (C,), initially one and zero. The state is
    `mean` and `var`, both of shape (C,) and float64, initially zero and one. `update_state` of the
    layer for training changes the state.

    Examples
    --------
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

    The last two values are smaller, because the running variance is larger: its sum is divided by
    `R - 1` instead of `R`.
    """

    def __init__(self, channels: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.channels = c = check_int(self, "channels", channels)
        kind = "a number from 0 to 1"
        self.momentum = number(self, "momentum", momentum, kind, lambda m: 0 <= m <= 1)
        self.eps = positive(self, "eps", eps)
        super().__init__(gamma=np.ones(c, np.float32), beta=np.zeros(c, np.float32))
        self.state.update(mean=np.zeros(c), var=np.ones(c))

    def for_training(self, rng: Rng = None) -> BatchNormInTraining:
        """Return a version of this layer that normalizes with the statistics of the batch.

        Parameters
        ----------
        rng : Generator, int or None
            Not used.

        Returns
        -------
        Layer
            The layer to train. It shares all arrays with this layer, which does not change until
            the returned layer is used.
        """
        return self._as(BatchNormInTraining)

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Compute y = gamma z + beta with the running statistics.

        Parameters
        ----------
        x : ndarray, shape (N, ..., C)
            Input.

        Returns
        -------
        y : ndarray, shape (N, ..., C)
            Output.
        cache : object
            The normalized input z.
        """
        require_array(self, "x", x, f"N ... C={self.channels}")
        require_parameters(self, self.params)
        return self._scaled(x - self.state["mean"], self.state["var"], x.dtype)

    def _scaled(self, z: Array, var: Array, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        """Return y and z / sqrt(var + eps); the array z, in float64, is overwritten."""
        z *= 1 / np.sqrt(var + self.eps)  # in place: new arrays cost more than arithmetic
        z = z.astype(dtype)
        return self.params["gamma"] * z + self.params["beta"], z

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Compute the gradients; the running statistics do not depend on x.

        Parameters
        ----------
        dy : ndarray, shape (N, ..., C)
            Gradient of the loss with respect to the output.
        cache : object
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, ..., C)
            Gradient with respect to the input, gamma dy / sqrt(var + eps).
        grads : dict of str to ndarray
            Gradients for `"gamma"` and `"beta"`, shape (C,).
        """
        z = cache
        require_array(self, "dy", dy, "... C", shape=z.shape)
        gamma, rows = self.params["gamma"], tuple(range(dy.ndim - 1))
        dtype = np.result_type(dy, z, gamma)
        dx = dy * (gamma / np.sqrt(self.state["var"] + self.eps)).astype(dtype)
        grads = {"gamma": total(dy * z, rows), "beta": total(dy, rows)}
        return dx, {name: grad.astype(dtype) for name, grad in grads.items()}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.each_sample(length)


class BatchNormCache(NamedTuple):
    """The normalized input z for `backward`, and the statistics of the batch for the state."""

    z: Array
    mean: Array  # (C,)
    var: Array  # (C,)


class BatchNormInTraining(BatchNorm):
    """A BatchNorm in training, which normalizes with the mean and variance of its batch."""

    def forward(self, x: Array) -> tuple[Array, BatchNormCache]:  # type: ignore[override]
        """Return y = gamma z + beta with the statistics of x, and the cache.

        Raises `ValueError` for a single row, whose variance is always 0.
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
        y, z = self._scaled(z, var, x.dtype)
        return y, BatchNormCache(z, mean.reshape(-1), var)

    # The backward pass
    # -----------------
    # `x[r,c]` contributes to `z[r,c]`, and also to the mean and the variance of its channel, on
    # which every other `z` of the channel depends. In one channel, with `s = sqrt(v + eps)`, we
    # have `z[q] = (x[q] - m) / s`. The derivative of `z[q]` with respect to `x[r]` has three parts:
    #
    # 1. directly, if `q = r`: `1 / s`;
    # 2. through the mean, whose derivative is `1 / R`: `-1 / (R s)`, for every `q`;
    # 3. through `s`. The derivative of the variance `v` is `2 (x[r] - m) / R = 2 s z[r] / R`. That
    #    of its root `s` is `1 / (2 s)` times this, `z[r] / R`. The part is `-z[q] z[r] / (R s)`.
    #
    # (In 3 the mean changes too. But the variance is smallest about the mean, so to first order
    # this has no effect.) Each part is multiplied by the gradient `dz[q]`; the sum over `q` is
    #
    # $$dx_r = \frac{1}{s} \left( dz_r - \frac{1}{R} \sum_q dz_q
    # - z_r \frac{1}{R} \sum_q dz_q z_q \right)$$
    #
    # The backward pass removes from the gradient its mean and its component along `z`. A step along
    # these would only shift or scale the channel, and normalization removes both. The gradient of a
    # bias directly before this layer is therefore zero up to rounding, and the bias has no effect
    # on the output.

    def backward(self, dy: Array, cache: BatchNormCache) -> tuple[Array, Params]:  # type: ignore[override]
        """Compute the gradients with respect to the input and the parameters.

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
        """Move the running statistics towards those of the batch, by the fraction `momentum`.

        The variance of a batch about the mean of the same batch underestimates the variance of
        other traces, on average by the factor (R - 1) / R. It is divided by this factor.
        """
        n_rows = cache.z.size // self.channels
        batch = {"mean": cache.mean, "var": cache.var * (n_rows / (n_rows - 1))}
        for name, running in self.state.items():
            running += self.momentum * (batch[name] - running)

    def receptive_field(self, length: int) -> ReceptiveField:
        raise NotImplementedError(
            "BatchNorm: receptive_field must be called in inference mode, got a layer for "
            "training, whose outputs depend on the whole batch. Call it on the model itself."
        )
