"""Residual and SkipConcat: a chain, and a way around it.

Behind many layers little is left of the input, and on the way back little of
the gradient. So let the input go around the layers `f` as well as through them,
and join the two ways again: add them, or lay them side by side.

    y = x + f(x)         Residual
    y = [x, f(x)]        SkipConcat, channel after channel

In a residual network each block of layers learns only what is to be *added* to
its input; a block with nothing to add does no harm, and dozens of them can be
stacked. In a U-Net the layers inside look at a shorter, coarser map and know
what is there; beside it lies the fine one, which knows where.

Backward, `x` is owed by both ways and gets the sum: of `dy` as it is, and of what
`f` sends back.

Where `f` changes the number of channels or the length, `x` cannot be added as it is. A
residual may then have a *shortcut* `g` of its own on the way around, usually a
convolution with a single tap: `y = g(x) + f(x)`.

Sources: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
recognition" (2016); O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional
networks for biomedical image segmentation" (2015).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpycnn._types import Array, Params
from numpycnn.layers.container import Container
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField
from numpycnn.layers.sequential import Sequential


class Residual(Sequential):
    """What its layers make of x, added to x: y = x + f(x), of the shape of x.

    >>> from numpycnn import Conv1D, ReLU
    >>> block = Residual(Conv1D(8, 8, 5, padding="same"), ReLU())
    >>> block(np.ones((1, 64, 8))).shape
    (1, 64, 8)

    With a `shortcut`, a layer g, it is y = g(x) + f(x), of the shape that both give. Its
    parameters are called "shortcut.w" and so on.

    >>> wider = Residual(Conv1D(8, 16, 5, padding="same"), shortcut=Conv1D(8, 16, 1))
    >>> wider(np.ones((1, 64, 8))).shape
    (1, 64, 16)

    Raises what `Sequential` raises, and `ValueError` for layers that change the shape.
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        self.shortcut = shortcut
        Container.__init__(self, *layers, shortcut=shortcut)

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return y = x + f(x), and the caches of f and of g."""
        y, caches = super().forward(x)
        around = x
        if self.shortcut is not None:
            around, cache = self.shortcut.forward(x)
            caches.append(cache)
        if y.shape != around.shape:
            raise ValueError(
                f"Residual: the output of layers must have the shape {around.shape} of the "
                f"shortcut, got {y.shape}. Use padding='same' and out_channels equal to "
                "in_channels, or a shortcut that changes the shape in the same way."
            )
        return around + y, caches

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx = dy, or what g sends back, + what f sends back."""
        dx, grads = super().backward(dy, cache)
        if self.shortcut is None:
            return dy + dx, grads
        around, own = self.shortcut.backward(dy, cache[-1])
        return around + dx, {**grads} | {f"shortcut.{name}": grad for name, grad in own.items()}

    def receptive_field(self, length: int) -> ReceptiveField:
        """What f looks at, and the sample itself, or what g looks at."""
        itself = ReceptiveField.each_sample(length)
        around = itself if self.shortcut is None else self.shortcut.receptive_field(length)
        return super().receptive_field(length).union(around)


class SkipConcatCache(NamedTuple):
    """What SkipConcat's backward remembers: the caches of f, and the number of channels of x."""

    inside: Any
    n_channels: int


class SkipConcat(Sequential):
    """What its layers make of x, beside x: (N, L, C) becomes (N, L, C + F), x first.

    >>> from numpycnn import Conv1D
    >>> SkipConcat(Conv1D(2, 6, 5, padding="same"))(np.ones((1, 64, 2))).shape
    (1, 64, 8)

    Raises what `Sequential` raises, and `ValueError` for layers that change another axis than
    the last.
    """

    def forward(self, x: Array) -> tuple[Array, SkipConcatCache]:
        """Return y = x beside f(x), and the caches of f."""
        y, caches = super().forward(x)
        if y.shape[:-1] != x.shape[:-1]:
            raise ValueError(
                f"SkipConcat: the output of layers must have the shape of x, {x.shape}, "
                f"except in the last axis, got {y.shape}. Use padding='same', and Upsample1D after "
                "pooling."
            )
        return np.concatenate([x, y], axis=-1), SkipConcatCache(caches, x.shape[-1])

    def backward(self, dy: Array, cache: SkipConcatCache) -> tuple[Array, Params]:
        """Return dx = the part of dy that belongs to x + what f sends back for its own."""
        dx, grads = super().backward(dy[..., cache.n_channels :], cache.inside)
        return dy[..., : cache.n_channels] + dx, grads

    def update_state(self, cache: SkipConcatCache) -> None:
        """Hand each layer its part of the caches of f."""
        super().update_state(cache.inside)

    def receptive_field(self, length: int) -> ReceptiveField:
        """What f looks at, and the sample itself."""
        return super().receptive_field(length).union(ReceptiveField.each_sample(length))
