"""Residual and Beside: a chain, and a way around it.

Behind many layers little is left of the input, and on the way back little of
the gradient. So let the input go around the layers `f` as well as through them,
and join the two ways again: add them, or lay them side by side.

    Residual    y = x + f(x)
    Beside      y = x beside f(x), channel after channel

In a residual network each block of layers learns only what is to be *added* to
its input; a block with nothing to add does no harm, and dozens of them can be
stacked. In a U-Net the layers inside look at a shorter, coarser map and know
what is there; beside it lies the fine one, which knows where.

Backward, `x` is owed by both ways and gets the sum: of `dy` as it is, and of what
`f` sends back.

Sources: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
recognition" (2016); O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional
networks for biomedical image segmentation" (2015).
"""

from typing import Any, NamedTuple

import numpy as np

from numpycnn.layers.layer import Window
from numpycnn.layers.sequential import Sequential
from numpycnn.types import Array, Params


class Residual(Sequential):
    """What its layers make of x, added to x: y = x + f(x), of the shape of x.

    >>> from numpycnn import Conv1D, ReLU
    >>> block = Residual(Conv1D(8, 8, 5, padding="same"), ReLU())
    >>> block(np.ones((1, 64, 8))).shape
    (1, 64, 8)

    Raises what `Sequential` raises, and `ValueError` for layers that change the shape.
    """

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return y = x + f(x), and the caches of f."""
        y, caches = super().forward(x)
        if y.shape != x.shape:
            raise ValueError(
                f"Residual expected layers that keep the shape {x.shape} of x, got {y.shape}; "
                "use padding='same' and as many filters as channels"
            )
        return x + y, caches

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx = dy + what f sends back."""
        dx, grads = super().backward(dy, cache)
        return dy + dx, grads

    def window(self, length: int) -> Window:
        """What f looks at, and the sample itself."""
        return _with_the_sample_itself(super().window(length))


class BesideCache(NamedTuple):
    """What Beside's backward remembers: the caches of f, and the number of channels of x."""

    inside: Any
    n_channels: int


class Beside(Sequential):
    """What its layers make of x, beside x: (N, L, C) becomes (N, L, C + F), x first.

    >>> from numpycnn import Conv1D
    >>> Beside(Conv1D(2, 6, 5, padding="same"))(np.ones((1, 64, 2))).shape
    (1, 64, 8)

    Raises what `Sequential` raises, and `ValueError` for layers that change another axis than
    the last.
    """

    def forward(self, x: Array) -> tuple[Array, BesideCache]:
        """Return y = x beside f(x), and the caches of f."""
        y, caches = super().forward(x)
        if y.shape[:-1] != x.shape[:-1]:
            raise ValueError(
                f"Beside expected layers that keep all axes of x but the last, got {y.shape} from "
                f"{x.shape}; use padding='same', and make longer again what was pooled"
            )
        return np.concatenate([x, y], axis=-1), BesideCache(caches, x.shape[-1])

    def backward(self, dy: Array, cache: BesideCache) -> tuple[Array, Params]:
        """Return dx = the part of dy that belongs to x + what f sends back for its own."""
        dx, grads = super().backward(dy[..., cache.n_channels :], cache.inside)
        return dy[..., : cache.n_channels] + dx, grads

    def remember(self, cache: BesideCache) -> None:
        """Hand each layer its part of the caches of f."""
        super().remember(cache.inside)

    def window(self, length: int) -> Window:
        """What f looks at, and the sample itself."""
        return _with_the_sample_itself(super().window(length))


def _with_the_sample_itself(inside: Window) -> Window:
    """Widen the window of f, which gives an output per sample, to hold that sample as well.

    Where f makes shorter and longer again, `repeat` samples in turn share a window.
    """
    return inside._replace(reach=max(inside.reach, inside.left + inside.repeat))
