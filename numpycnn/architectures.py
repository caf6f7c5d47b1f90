"""Landmarks: four networks that changed the field, for traces.

Each was made for pictures, except the second, and each is a few lines here, because all
of them are made of the same layers. Read the lines from top to bottom and
compare them with the drawings of chapter 11. What a landmark added is in its docstring.

All take `in_channels` and `n_classes`, and return a `Sequential` that ends in
scores. `lenet`, `fcn` and `resnet` give a row of scores for each trace, `unet` one for
each sample. The numbers of filters are those of the papers where nothing is said; fewer are faster,
and often enough for traces.

AlexNet (Krizhevsky, Sutskever and Hinton 2012) is not among them. In one dimension little
is left of what it added: it is `lenet` with more layers, more filters and `Dropout(0.5)` before the
dense layers, and its first filters, 11 wide and 4 apart, are for a side of 227 pixels. Of
a trace of 64 samples they would leave 14.
"""

from __future__ import annotations

from numpycnn._types import Rng
from numpycnn._validation import generator
from numpycnn.layers import (
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


def lenet(in_channels: int, n_classes: int, *, n_samples: int = 64, rng: Rng = None) -> Sequential:
    """LeNet, 1998: small filters shared over all places, and maps that shrink as channels grow.

    It added the plan itself, learned as a whole by backpropagation. The dense layers at its end
    fix the length of the traces, `n_samples`. (The paper has tanh in place of ReLU, and a learned
    factor and bias at each mean.)

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
    document recognition", Proceedings of the IEEE 86 (1998), figure 2.

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
    """The fully convolutional network, 2017: nothing but filters, and a mean over the trace.

    It showed that a plain network without pooling, with batch normalization, does as well on
    44 sets of time series as the best that there was. All that is left of the length at the
    end is a mean, so it takes traces of any length.

    Source: Z. Wang, W. Yan, T. Oates, "Time series classification from scratch with deep
    neural networks: a strong baseline", IJCNN 2017 (arXiv 1611.06455), figure 1b.

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
    """A residual network, 2016 for pictures and 2017 for traces: ways around the layers.

    He and others added the way around: each block learns what is to be added to its input, and
    gradients get past it undiminished, so a network may be deep. This is that of Wang and others
    for time series, three blocks of three layers. Where the number of channels changes, the
    way around has a convolution with a single tap.

    Sources: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
    CVPR 2016; Z. Wang, W. Yan, T. Oates, as for `fcn`, figure 1c.

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
        around = None if n == n_in else Sequential(*_normalized(n_in, n, 1, rng))
        return Residual(*inside, shortcut=around), ReLU()

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
    """U-Net, 2015: down to see far, up again to say where, and each level beside its like.

    Scores come out for every sample. It added the joins: on the way up, the map from below, which
    knows what is there, lies beside the map of the same fineness from the way down, which
    knows where. The length of the traces has to be a multiple of 2 to the power of `depth`.
    (The paper has no padding and crops before it joins; its windows are 3 by 3, and on
    the way up it learns filters that halve the channels, where `Upsample1D` keeps them.)

    Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical
    image segmentation", MICCAI 2015, figure 1. For picking arrivals: W. Zhu, G. C. Beroza,
    "PhaseNet", Geophysical Journal International 216 (2019).

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
        return [*twice(n_in, n), deeper, *twice(3 * n, n)]  # n beside 2 n channels

    return Sequential(*level(in_channels, filters, depth), Dense(filters, n_classes, rng=rng))


def _normalized(n_in: int, n: int, kernel_size: int, rng: Rng) -> tuple[Layer, Layer]:
    """A convolution, then batch normalization, which makes a bias before it superfluous."""
    return Conv1D(n_in, n, kernel_size, padding="same", bias=False, rng=rng), BatchNorm(n)
