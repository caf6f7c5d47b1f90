"""Four influential architectures, in one dimension.

Three of them were designed for images, the second for time series. Each is a few lines here,
because all are made of the same layers. The docstring of each function states its contribution.

All functions take `in_channels` and `n_classes`, and return a `Sequential` whose output is scores.
`lenet`, `fcn` and `resnet` return a row of scores for each trace, `unet` one for each sample. The
default numbers of filters are those of the papers. Fewer filters are faster and often sufficient
for traces.

AlexNet (Krizhevsky, Sutskever and Hinton 2012) is not included. In one dimension it is `lenet` with
more layers, more filters and `Dropout(0.5)` before the dense layers. Its first filters, with 11
taps and a stride of 4, are designed for images of 227 pixels; of a trace of 64 samples 14 would
remain.
"""

from __future__ import annotations

from numpycnn import (
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Flatten,
    GlobalAveragePool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Residual,
    Sequential,
    SkipConcat,
    Upsample1D,
)
from numpycnn._types import Rng
from numpycnn._validation import generator

__all__ = ["fcn", "lenet", "resnet", "unet"]


def lenet(in_channels: int, n_classes: int, *, n_samples: int = 64, rng: Rng = None) -> Sequential:
    """Build LeNet (1998): small filters, and maps that become shorter as channels are added.

    Parameters
    ----------
    in_channels : int
        Number of channels C of the traces.
    n_classes : int
        Number of scores.
    n_samples : int
        Number of samples L of the traces, which the dense layers at the end require.
    rng : Generator, int or None
        Source of randomness for the initial weights.

    Returns
    -------
    Sequential
        The network.

    Notes
    -----
    LeNet introduced this arrangement of layers, trained as a whole by backpropagation. The paper
    uses tanh in place of ReLU, and a learned factor and bias in each average pooling.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86 (1998), figure 2.

    Examples
    --------
    >>> print(lenet(1, 3).summary((64, 1)))
          layer                        output shape  parameters
       0  Conv1D(1, 6, 5)              (N, 60, 6)            36
       1  ReLU()                       (N, 60, 6)             0
       2  AveragePool1D(2, stride=2)   (N, 30, 6)             0
       3  Conv1D(6, 16, 5)             (N, 26, 16)          496
       4  ReLU()                       (N, 26, 16)            0
       5  AveragePool1D(2, stride=2)   (N, 13, 16)            0
       6  Flatten()                    (N, 208)               0
       7  Dense(208, 120)              (N, 120)          25,080
       8  ReLU()                       (N, 120)               0
       9  Dense(120, 84)               (N, 84)           10,164
      10  ReLU()                       (N, 84)                0
      11  Dense(84, 3)                 (N, 3)               255
          total                                          36,031
    """
    rng = generator("lenet", rng)
    filters = [
        *(Conv1D(in_channels, 6, 5, rng=rng), ReLU(), AveragePool1D(2)),
        *(Conv1D(6, 16, 5, rng=rng), ReLU(), AveragePool1D(2)),
    ]
    n_left = Sequential(*filters).receptive_field(n_samples).n_outputs
    return Sequential(
        *filters,
        Flatten(),
        *(Dense(16 * n_left, 120, rng=rng), ReLU()),
        *(Dense(120, 84, rng=rng), ReLU()),
        Dense(84, n_classes, rng=rng),
    )


def fcn(in_channels: int, n_classes: int, *, filters: int = 128, rng: Rng = None) -> Sequential:
    """Build the fully convolutional network (2017): convolutions, and a mean over the trace.

    Parameters
    ----------
    in_channels : int
        Number of channels C of the traces.
    n_classes : int
        Number of scores.
    filters : int
        Number of filters of the first layer.
    rng : Generator, int or None
        Source of randomness for the initial weights.

    Returns
    -------
    Sequential
        The network.

    Notes
    -----
    The paper showed that a plain network without pooling, with batch normalization, is as accurate
    as the best methods of its time on 44 sets of time series. Because of the mean over the trace,
    the network accepts traces of any length.

    References
    ----------
    Z. Wang, W. Yan, T. Oates, "Time series classification from scratch with deep neural networks: a
    strong baseline", IJCNN 2017 (arXiv 1611.06455), figure 1b.

    Examples
    --------
    >>> model = fcn(1, 2)
    >>> model(__import__("numpy").zeros((5, 64, 1))).shape
    (5, 2)
    """
    rng = generator("fcn", rng)
    return Sequential(
        *(*_normalized(in_channels, filters, 8, rng), ReLU()),
        *(*_normalized(filters, 2 * filters, 5, rng), ReLU()),
        *(*_normalized(2 * filters, filters, 3, rng), ReLU()),
        GlobalAveragePool1D(),
        Dense(filters, n_classes, rng=rng),
    )


def resnet(in_channels: int, n_classes: int, *, filters: int = 64, rng: Rng = None) -> Sequential:
    """Build a residual network (2016 for images, 2017 for traces), with skip connections.

    Parameters
    ----------
    in_channels : int
        Number of channels C of the traces.
    n_classes : int
        Number of scores.
    filters : int
        Number of filters of the first layer.
    rng : Generator, int or None
        Source of randomness for the initial weights.

    Returns
    -------
    Sequential
        The network.

    Notes
    -----
    Each block of layers learns the difference to its input, and the gradient passes the skip
    connection unchanged, so the network can be deep. This is the network of Wang and others for
    time series, three blocks of three layers. Where the number of channels changes, the skip
    connection has a convolution with a single tap.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016.

    Z. Wang, W. Yan, T. Oates, as for `fcn`, figure 1c.

    Examples
    --------
    >>> len(resnet(1, 2))
    8
    """
    rng = generator("resnet", rng)

    def block(n_in: int, n: int) -> tuple[Layer, Layer]:
        inside = [
            *(*_normalized(n_in, n, 8, rng), ReLU()),
            *(*_normalized(n, n, 5, rng), ReLU()),
            *_normalized(n, n, 3, rng),
        ]
        shortcut = None if n == n_in else Sequential(*_normalized(n_in, n, 1, rng))
        return Residual(*inside, shortcut=shortcut), ReLU()

    return Sequential(
        *block(in_channels, filters),
        *block(filters, 2 * filters),
        *block(2 * filters, 2 * filters),
        GlobalAveragePool1D(),
        Dense(2 * filters, n_classes, rng=rng),
    )


def unet(
    in_channels: int, n_classes: int, *, filters: int = 64, depth: int = 4, rng: Rng = None
) -> Sequential:
    """Build a U-Net (2015), with a row of scores for every sample.

    Parameters
    ----------
    in_channels : int
        Number of channels C of the traces.
    n_classes : int
        Number of scores.
    filters : int
        Number of filters of the first layer.
    depth : int
        Number of poolings. The length of the traces must be a multiple of 2 to the power of
        `depth`.
    rng : Generator, int or None
        Source of randomness for the initial weights.

    Returns
    -------
    Sequential
        The network.

    Notes
    -----
    The U-Net introduced skip connections that concatenate maps. The maps after pooling encode the
    class, and the maps before it the position; on the way up the two are concatenated at each
    level. The paper has no padding and crops the maps before it concatenates them. Its windows are
    3 by 3, and it learns upsampling filters that halve the number of channels, which `Upsample1D`
    keeps.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image
    segmentation", MICCAI 2015, figure 1.

    W. Zhu, G. C. Beroza, "PhaseNet", Geophysical Journal International 216 (2019), for picking.

    Examples
    --------
    >>> unet(1, 2, filters=4, depth=2)(__import__("numpy").zeros((5, 64, 1))).shape
    (5, 64, 2)
    """
    rng = generator("unet", rng)

    def twice(n_in: int, n: int) -> list[Layer]:
        return [
            *(Conv1D(n_in, n, 3, padding="same", rng=rng), ReLU()),
            *(Conv1D(n, n, 3, padding="same", rng=rng), ReLU()),
        ]

    def level(n_in: int, n: int, below: int) -> list[Layer]:
        if below == 0:
            return twice(n_in, n)
        deeper = SkipConcat(MaxPool1D(2), *level(n, 2 * n, below - 1), Upsample1D(2))
        return [*twice(n_in, n), deeper, *twice(3 * n, n)]  # n and 2 n channels

    return Sequential(*level(in_channels, filters, depth), Dense(filters, n_classes, rng=rng))


def _normalized(n_in: int, n: int, kernel_size: int, rng: Rng) -> tuple[Layer, Layer]:
    """Return a convolution and batch normalization, before which a bias has no effect."""
    return Conv1D(n_in, n, kernel_size, padding="same", bias=False, rng=rng), BatchNorm(n)
