"""Skip connections: Residual and SkipConcat.

After many layers little information about the input is left, and after many layers of the backward
pass little of the gradient. A *skip connection* passes the input around the layers `f`, and
combines it with their output: it adds the two, or concatenates their channels.

    y = x + f(x)         Residual
    y = [x, f(x)]        SkipConcat, channel after channel

In a residual network each block of layers learns only the difference to its input, so a block that
has nothing to add does no harm, and dozens of blocks can be stacked. In a U-Net the layers inside
compute a shorter, coarser map, which encodes the class. The skip connection adds the finer map,
which encodes the position.

Backward, `x` contributes to both parts. Its gradient is the sum of `dy` itself and of the gradient
from `f`.

Where `f` changes the number of channels or the length, `x` cannot be added. A residual block can
then have a layer `g` in its skip connection, called *shortcut* and usually a convolution with a
single tap: `y = g(x) + f(x)`.

References
----------
K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition" (2016).

O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image
segmentation" (2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.layers.container import Container
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField
from numpycnn.layers.sequential import Sequential


class Residual(Sequential):
    """The output of a chain of layers, added to their input: y = x + f(x).

    Parameters
    ----------
    *layers : Layer
        The layers of f. Without a shortcut, the shape of f(x) is that of x.
    shortcut : Layer, optional
        A layer g: y = g(x) + f(x). Its parameters are called `"shortcut.w"` and so on.

    Examples
    --------
    >>> from numpycnn import Conv1D, ReLU
    >>> block = Residual(Conv1D(8, 8, 5, padding="same"), ReLU())
    >>> wider = Residual(Conv1D(8, 16, 5, padding="same"), shortcut=Conv1D(8, 16, 1))
    >>> wider(block(np.ones((1, 64, 8)))).shape
    (1, 64, 16)
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        self.shortcut = shortcut
        Container.__init__(self, *layers, shortcut=shortcut)

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Compute y = x + f(x), or g(x) + f(x).

        Parameters
        ----------
        x : ndarray
            Input, of the shape that the first layer requires.

        Returns
        -------
        y : ndarray
            Output.
        cache : list
            The caches of the layers of f, and of the shortcut.
        """
        y, caches = super().forward(x)
        skipped = x
        if self.shortcut is not None:
            skipped, cache = self.shortcut.forward(x)
            caches.append(cache)
        if y.shape != skipped.shape:
            raise ValueError(
                f"Residual: the output of layers must have the shape {skipped.shape} of the "
                f"shortcut, got {y.shape}. Use padding='same' and out_channels equal to "
                "in_channels, or a shortcut that changes the shape in the same way."
            )
        return skipped + y, caches

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Compute the sum of the gradients of both parts from `dy` and `cache`."""
        dx, grads = super().backward(dy, cache)
        if self.shortcut is None:
            return dy + dx, grads
        skipped, own = self.shortcut.backward(dy, cache[-1])
        return skipped + dx, {**grads} | {f"shortcut.{name}": grad for name, grad in own.items()}

    def receptive_field(self, length: int) -> ReceptiveField:
        same = ReceptiveField.each_sample(length)
        skipped = same if self.shortcut is None else self.shortcut.receptive_field(length)
        return super().receptive_field(length).union(skipped)


class SkipConcat(Sequential):
    """The input and the output of a chain of layers, concatenated along the channels.

    The shape (N, L, C) becomes (N, L, C + F). The channels of x are the first ones.

    Parameters
    ----------
    *layers : Layer
        The layers of f. The shape of f(x) is that of x, except for the last axis.

    Examples
    --------
    >>> from numpycnn import Conv1D
    >>> SkipConcat(Conv1D(2, 6, 5, padding="same"))(np.ones((1, 64, 2))).shape
    (1, 64, 8)
    """

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Compute y = [x, f(x)].

        Parameters
        ----------
        x : ndarray, shape (..., C)
            Input.

        Returns
        -------
        y : ndarray, shape (..., C + F)
            Output.
        cache : tuple
            The caches of the layers of f, and the number of channels of x.
        """
        y, caches = super().forward(x)
        if y.shape[:-1] != x.shape[:-1]:
            raise ValueError(
                f"SkipConcat: the output of layers must have the shape of x, {x.shape}, "
                f"except in the last axis, got {y.shape}. Use padding='same', and Upsample1D after "
                "pooling."
            )
        return np.concatenate([x, y], axis=-1), (caches, x.shape[-1])

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Add the first channels of `dy` to the gradient from f, for which `cache` is needed."""
        caches, n_channels = cache
        dx, grads = super().backward(dy[..., n_channels:], caches)
        return dy[..., :n_channels] + dx, grads

    def update_state(self, cache: Any) -> None:
        super().update_state(cache[0])

    def receptive_field(self, length: int) -> ReceptiveField:
        return super().receptive_field(length).union(ReceptiveField.each_sample(length))
