"""Build two-dimensional layers from the one-dimensional layers.

The package contains one-dimensional layers only. They are sufficient for pictures. A picture
(H, W, C) has H rows, W columns and C channels, and

- *a row is a trace*: along the rows, N pictures are N H traces;
- *the rows above and below are additional channels*: a filter with 3 by 3 taps is a filter with 3
  taps over the channels of three rows;
- *a column is a channel* for operations on each column separately, such as pooling along the
  columns.

Each layer in this file reshapes its input, calls a layer for traces, and reshapes the output.
Backward does the same in reverse order.

[Two dimensions](../docs/4-engineering/3-two-dimensions.md) derives the layers, and
[find_the_fault.py](find_the_fault.py) uses them on seismic sections, where a row is a time and a
column is a trace.
"""

import numpy as np

import numpycnn as nn
from numpycnn._validation import check_int, require_array

# Convolution
# -----------
# A filter has K by K taps, in row `a` and column `k`. The picture is padded with zeros, `q` of them
# above and on the left, so that the output has the same size:
#
#     y[n,i,j,f] = sum_a sum_k sum_c x[n, i + a - q, j + k - q, c] w[k, a C + c, f] + b[f]
#
# Combine `a` and `c` into one index, `a C + c`. Then this is the convolution of a row with K C
# channels. With K = 3 these are the channels of the row above, of the row, and of the row below.
# Concatenating K rows copies the picture K times. The rest is one `Conv1D`.


class Conv2D(nn.Layer):
    """Apply F filters of K by K taps to x (N, H, W, C); return y (N, H, W, F).

    Parameters: `w` (K, K C, F), the weights of a `Conv1D` over the channels of K rows, and `b`
    (F,).
    """

    def __init__(self, in_channels, out_channels, kernel_size, *, rng=None):
        self.in_channels = check_int(self, "in_channels", in_channels)
        self.out_channels = check_int(self, "out_channels", out_channels)
        self.kernel_size = check_int(self, "kernel_size", kernel_size)
        n_channels = kernel_size * in_channels
        self.rows = nn.Conv1D(n_channels, out_channels, kernel_size, padding="same", rng=rng)
        super().__init__(**self.rows.params)

    def forward(self, x):
        """Return y, and the cache of the convolution of the rows with the shape of x."""
        require_array(self, "x", x, f"N H W C={self.in_channels}")
        n, height, width, _ = x.shape
        padded = np.pad(x, ((0, 0), self.rows.pad_widths(height), (0, 0), (0, 0)))
        near = [padded[:, a : a + height] for a in range(self.kernel_size)]
        stacked = np.concatenate(near, axis=-1)  # (N, H, W, K C)
        rows = self.rows.with_params(self.params)
        y, cache = rows.forward(stacked.reshape(n * height, width, -1))
        return y.reshape(n, height, width, -1), (cache, x.shape)

    # Each row was copied up to K times, so its gradient is the sum of the gradients of the copies.

    def backward(self, dy, cache):
        """Return dx, the sum of the gradients of all copies, and the gradients of w and b."""
        cache, (n, height, width, n_channels) = cache
        require_array(self, "dy", dy, "N H W F", shape=(n, height, width, self.out_channels))
        rows = self.rows.with_params(self.params)
        dstacked, grads = rows.backward(dy.reshape(n * height, width, -1), cache)
        dstacked = dstacked.reshape(n, height, width, self.kernel_size, n_channels)

        above, below = self.rows.pad_widths(height)
        dx = np.zeros((n, above + height + below, width, n_channels), dstacked.dtype)
        for a in range(self.kernel_size):
            dx[:, a : a + height] += dstacked[:, :, :, a]
        return dx[:, above : above + height], grads


# Rows, then columns
# ------------------
# The maximum of a square of four values is the maximum of the two row maxima. Therefore pool along
# the rows, where each row is a trace, and then pool the result down the columns, where each column
# is a channel. Of equal values, the first in row order is the maximum.
#
# Every layer that treats the channels separately can be applied in this way.


class BothWays(nn.Layer):
    """Apply a layer for traces along the rows, then down the columns."""

    def __init__(self, along):
        super().__init__()
        self.along = along

    def forward(self, x):
        """Return y (N, H_out, W_out, C), and the caches of both directions."""
        require_array(self, "x", x, "N H W C")
        n, height, width, n_channels = x.shape
        across, cache_across = self.along.forward(x.reshape(n * height, width, n_channels))
        y, cache_down = self.along.forward(across.reshape(n, height, -1))
        y = y.reshape(n, y.shape[1], -1, n_channels)
        return y, (cache_across, cache_down, x.shape, y.shape)

    def backward(self, dy, cache):
        """Return dx: backward along the columns first, then along the rows."""
        cache_across, cache_down, x_shape, y_shape = cache
        require_array(self, "dy", dy, "N H_out W_out C", shape=y_shape)
        n, height, _, n_channels = x_shape
        dacross, _ = self.along.backward(dy.reshape(n, y_shape[1], -1), cache_down)
        dacross = dacross.reshape(n * height, -1, n_channels)
        dx, _ = self.along.backward(dacross, cache_across)
        return dx.reshape(x_shape), {}


class MaxPool2D(BothWays):
    """The maximum of each P by P samples: x (N, H, W, C) becomes y (N, H // P, W // P, C)."""

    def __init__(self, pool_size):
        self.pool_size = check_int(self, "pool_size", pool_size)
        super().__init__(nn.MaxPool1D(pool_size))


class Upsample2D(BothWays):
    """Repeat every value P by P times: x (N, H, W, C) becomes y (N, P H, P W, C)."""

    def __init__(self, factor):
        self.factor = check_int(self, "factor", factor)
        super().__init__(nn.Upsample1D(factor))


# A U-Net
# -------
# To detect that rock layers end, a network requires a large receptive field. To mark the position,
# it requires high resolution. A U-Net has both. `SkipConcat` concatenates its input with the output
# of the layers inside it, which work at half the resolution; the innermost ones work at a quarter.
# After upsampling, a convolution combines the maps of both resolutions.
#
# `Dense` and `ReLU` treat every sample separately, for any number of axes before the last.


def u_net(rng):
    """Return a network: pictures (N, H, W, 1) to two scores a sample; H and W multiples of 4."""

    def look(in_channels, out_channels):
        return Conv2D(in_channels, out_channels, 3, rng=rng), nn.ReLU()

    afar = nn.SkipConcat(MaxPool2D(2), *look(16, 16), *look(16, 16), Upsample2D(2))
    nearer = nn.SkipConcat(MaxPool2D(2), *look(8, 16), afar, *look(32, 8), Upsample2D(2))
    return nn.Sequential(*look(1, 8), nearer, *look(16, 8), nn.Dense(8, 2, rng=rng))
