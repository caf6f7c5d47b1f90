"""One-dimensional convolution: the same small filter at every position.

A filter has `K` weights (*taps*) per input channel. At each output position the taps are
multiplied elementwise with the samples under them, and the products are summed. The sum is
large where the trace resembles the filter. With `F` filters and `C` input channels,

    y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f]

where `m` is the output position, the *stride* `S` is the distance in samples between
neighboring outputs, the *dilation* `d` is the distance between neighboring taps, and `left` is
the number of zeros padded before the trace. Samples outside the trace are zero.

All output positions use the same weights. Shifting the input by `S` samples therefore shifts the
output by one position (*equivariance*), except where windows overlap the ends of the trace. A
pattern is learned once, not once per position.

In signal processing, this sum is called a cross-correlation, and a convolution has its taps in
reverse order. In deep learning both are called convolution. The taps are learned, so their order
does not matter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import boolean, check_int, generator, require_array, require_parameters
from numpycnn.layers.initializers import glorot_uniform
from numpycnn.layers.layer import Layer
from numpycnn.layers.padding import check_padding, pad_widths
from numpycnn.layers.receptive_field import ReceptiveField


class Conv1D(Layer):
    """Apply F filters of K taps to x (N, L, C); the output has shape (N, M, F).

    Its parameters are `w`, shape (K, C, F), initially random (Glorot uniform), and `b`, shape
    (F,), initially zero.

    Parameters
    ----------
    in_channels : int
        Number of input channels C.
    out_channels : int
        Number of filters F.
    kernel_size : int
        Number of taps K.
    stride : int, default 1
        Distance S in samples between neighboring outputs.
    padding : {"valid", "same", "causal"}, int or (int, int), default "valid"
        Zeros before and after each trace. `"valid"`: none. `"same"`: the number that gives
        `M = ceil(L / S)` outputs, half on each side; an odd number has one more on the right, as
        in PyTorch and Keras. `"causal"`: `d (K - 1)` on the left, so that no output depends on
        later samples. An integer is the number on each side, a pair is `(left, right)`.
    dilation : int, default 1
        Distance d in samples between neighboring taps.
    bias : bool, default True
        If False, the layer has no `b`. A bias directly before a batch normalization has no
        effect in training, because batch normalization subtracts the mean.
    rng : Generator, int or None
        Generator, or its seed, for the initial `w`.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, the padding is unknown, an input has an unexpected type
        or shape, or a trace is too short for one window.

    Examples
    --------
    >>> layer = Conv1D(1, 1, kernel_size=2)
    >>> layer.params["w"][:, 0, 0] = [-1.0, 1.0]     # the difference of neighbors
    >>> x = np.array([0.0, 0.0, 1.0, 3.0]).reshape(1, 4, 1)
    >>> layer.forward(x)[0].ravel()
    array([0., 1., 2.])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: str | int | tuple[int, int] = "valid",
        dilation: int = 1,
        bias: bool = True,
        rng: Rng = None,
    ) -> None:
        self.in_channels = check_int(self, "in_channels", in_channels)
        self.out_channels = check_int(self, "out_channels", out_channels)
        self.kernel_size = check_int(self, "kernel_size", kernel_size)
        self.stride = check_int(self, "stride", stride)
        self.dilation = check_int(self, "dilation", dilation)
        self.padding = check_padding(self, padding)
        self.bias = boolean(self, "bias", bias)

        self.effective_kernel_size = self.dilation * (self.kernel_size - 1) + 1
        shape = self.kernel_size, self.in_channels, self.out_channels
        w = glorot_uniform(shape, generator(self, rng))
        b = {"b": np.zeros(self.out_channels, dtype=np.float32)} if self.bias else {}
        super().__init__(w=w, **b)

    # [Zeros](padding.py) replace the samples before and after the trace.

    def pad_widths(self, length: int) -> tuple[int, int]:
        """Return the numbers of zeros before and after a trace of `length` samples."""
        return pad_widths(self.padding, length, self.stride, self.effective_kernel_size)

    def receptive_field(self, length: int) -> ReceptiveField:
        """Return the samples on which each output depends: m S - left + k d, for every tap k.

        Parameters
        ----------
        length : int
            Number of samples L of the trace.

        Returns
        -------
        ReceptiveField
            The first and the last sample for each output.

        Examples
        --------
        >>> Conv1D(1, 8, 5, padding="same").receptive_field(64)
        ReceptiveField(spans=[(-2, 2)], stride=1, n_outputs=64)
        """
        size, padding = self.effective_kernel_size, self.pad_widths(length)
        return ReceptiveField.of_windows(self, length, size, self.stride, padding)

    def _placement(self, length: int) -> Placement:
        """Return the positions of the windows in a trace of this length."""
        taps = self.kernel_size, self.stride, self.dilation
        n_outputs = self.receptive_field(length).n_outputs
        return Placement(length, *self.pad_widths(length), *taps, n_outputs)

    # Forward and backward
    # --------------------
    # The methods check their arguments and call three functions: one for the output and two for
    # the gradients. [The functions](#the-loop-over-taps) are defined below the class.

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Compute y[n,m,f] = sum_k sum_c x[n, m S + k d - left, c] w[k,c,f] + b[f].

        Parameters
        ----------
        x : ndarray, shape (N, L, C)
            Traces.

        Returns
        -------
        y : ndarray, shape (N, M, F)
            Output.
        cache : object
            Argument of `backward`: x itself, not a copy.
        """
        require_array(self, "x", x, f"N L C={self.in_channels}")
        require_parameters(self, self.params)
        at = self._placement(x.shape[1])
        return output(x, self.params["w"], self.params.get("b"), at), x

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Compute the gradients with respect to the input and the parameters.

        Parameters
        ----------
        dy : ndarray, shape (N, M, F)
            Gradient of the loss with respect to the output.
        cache : object
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (N, L, C)
            Gradient with respect to the input.
        grads : dict of str to ndarray
            Gradients for `"w"`, shape (K, C, F), and, if the layer has a bias, for `"b"`,
            shape (F,).

        Notes
        -----
        dx[n,i,c] = sum_k sum_m sum_f dy[n,m,f] w[k,c,f]    where m S + k d - left = i
        dw[k,c,f] = sum_n sum_m x[n, m S + k d - left, c] dy[n,m,f]
        db[f]     = sum_n sum_m dy[n,m,f]
        """
        x, at = cache, self._placement(cache.shape[1])
        require_array(self, "dy", dy, "N M F", shape=(len(x), at.n_outputs, self.out_channels))
        dw, db = weight_gradient(x, dy, at)
        dx = input_gradient(dy, self.params["w"], at)
        return dx, {"w": dw, "b": db} if self.bias else {"w": dw}


# The loop over taps
# ------------------
# The loop computes one tap at a time, for all windows. For output 0, tap `k` is multiplied by
# sample `k d` of the padded trace; for output 1, by sample `k d + S`; and so on. These samples form
# a slice with one sample per output, so padding, stride and dilation need no other code. The sum
# over `c` is a matrix product, and the sum over `k` is the loop.


class Placement(NamedTuple):
    """Positions of the windows: output m reads sample m S + k d of the padded trace for tap k.

    >>> at = Placement(9, left=1, right=0, kernel_size=3, stride=2, dilation=1, n_outputs=4)
    >>> at.tap_slice(1)
    slice(1, 8, 2)
    """

    length: int
    left: int  # zeros before the trace
    right: int
    kernel_size: int
    stride: int
    dilation: int
    n_outputs: int

    def pad(self, x: Array) -> Array:
        """Return x (N, L, C) with the zeros around it."""
        return np.pad(x, ((0, 0), (self.left, self.right), (0, 0)))

    def tap_slice(self, k: int) -> slice:
        """Return the samples of the padded trace that tap `k` reads, one for each output."""
        start = k * self.dilation
        return slice(start, start + (self.n_outputs - 1) * self.stride + 1, self.stride)


def output(x: Array, w: Array, b: Array | None, at: Placement) -> Array:
    """Return y (N, M, F)."""
    x, y_shape = at.pad(x), (len(x), at.n_outputs, w.shape[2])
    y = np.zeros(y_shape, np.result_type(x, w))
    for k in range(at.kernel_size):
        y += x[:, at.tap_slice(k)] @ w[k]
    return y if b is None else y + b


# The backward pass
# -----------------
# In the forward pass, sample `m S + k d` of the padded trace is multiplied by the weight of tap
# `k`, and the product is added to output `m`. The gradient of a sample is therefore a sum of weight
# times `dy[m]`, over all outputs that depend on the sample. The gradient of a weight is a sum of
# sample times `dy[m]`, over all outputs.
#
# Both gradients use the same loop over taps. `output` reads a slice of the padded trace, and
# `input_gradient` adds to the same slice. The gradients of the padded zeros are removed at the end.


def input_gradient(dy: Array, w: Array, at: Placement) -> Array:
    """Return dx (N, L, C)."""
    n_samples = at.left + at.length + at.right
    dx = np.zeros((len(dy), n_samples, w.shape[1]), np.result_type(dy, w))
    for k in range(at.kernel_size):
        dx[:, at.tap_slice(k)] += dy @ w[k].T
    return dx[:, at.left : at.left + at.length]


def weight_gradient(x: Array, dy: Array, at: Placement) -> tuple[Array, Array]:
    """Return dw (K, C, F) and db (F,)."""
    x, dw_shape = at.pad(x), (at.kernel_size, x.shape[2], dy.shape[2])
    dw = np.zeros(dw_shape, np.result_type(x, dy))
    for k in range(at.kernel_size):
        dw[k] = np.tensordot(x[:, at.tap_slice(k)], dy, axes=([0, 1], [0, 1]))  # sum over n and m
    return dw, dy.sum(axis=(0, 1))


# The fast kernels
# ----------------
# These three functions define the layer. The import below replaces them with
# [faster functions](_conv1d_kernels.py) that return the same results up to rounding. If you delete
# the import, the definitions above are used.

from numpycnn.layers._conv1d_kernels import input_gradient, output, weight_gradient  # noqa: E402, F811
