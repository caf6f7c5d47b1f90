"""Dropout: leave some numbers out, others each time.

A large network can learn its traces by heart, one feature serving to mend the
errors of another. So make each of them undependable: in training, set every
number to zero with the probability `rate`, and draw anew at every step. What
is learned then has to hold without its neighbors.

    y = x keep / (1 - rate)        keep is 1 with probability 1 - rate, else 0

The division makes up for what is missing: on average over the draws, `y` is `x`.
That is why there is nothing to do **in use**, where nothing is left out and `y = x`.
(The paper divides nothing in training and makes the weights smaller in use; the
two come to the same.)

Forward is a function in training as well. The draw follows from a seed, which is part
of the layer's twin and not of the world: the same seed, the same mask, however often forward
is called. Only `update_state`, after the step, takes the next seed.

Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov,
"Dropout: a simple way to prevent neural networks from overfitting", Journal of
Machine Learning Research 15 (2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import generator, number, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Dropout(Layer):
    """Hand on x as it is; in training set each number to zero with probability `rate`.

    >>> layer = Dropout(0.5)
    >>> x = np.ones((1, 6))
    >>> layer(x)
    array([[1., 1., 1., 1., 1., 1.]])
    >>> train_model = layer.for_training(rng=1)
    >>> train_model(x), bool((train_model(x) == train_model(x)).all())
    (array([[2., 0., 0., 2., 0., 0.]]), True)

    Raises `TypeError` or `ValueError` for a rate that is no number from 0 to below 1 and for
    inputs that are not arrays of floats.
    """

    def __init__(self, rate: float) -> None:
        self.rate = number(self, "rate", rate, "a number from 0 to below 1", lambda r: 0 <= r < 1)
        super().__init__()

    def for_training(self, rng: Rng = None) -> DropoutInTraining:
        """Return the twin that drops, its first seed drawn from `rng`."""
        twin = self._as(DropoutInTraining)
        twin.seed = int(generator(self, rng).integers(2**63))
        return twin

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return x, and its shape."""
        require_array(self, "x", x, "...")
        return x, x.shape

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx = dy."""
        require_array(self, "dy", dy, "...", shape=cache)
        return dy, {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each sample is kept or left out by itself."""
        return ReceptiveField.each_sample(length)


class DropoutInTraining(Dropout):
    """The twin of a Dropout: which numbers are left out follows from its `seed`."""

    seed = 0

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return y = x keep / (1 - rate), and keep."""
        require_array(self, "x", x, "...")
        keep = np.random.default_rng(self.seed).random(x.shape, np.float32) >= self.rate
        return x * keep / (1 - self.rate), keep

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return dx = dy keep / (1 - rate)."""
        keep = cache
        require_array(self, "dy", dy, "...", shape=keep.shape)
        return dy * keep / (1 - self.rate), {}

    def update_state(self, cache: Array) -> None:
        """Take the next seed, for another draw."""
        self.seed += 1
