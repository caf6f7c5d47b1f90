"""Dropout: set random values to zero in training.

A large network can memorize its training traces, and one feature can compensate for the errors of
another. Dropout makes each feature unreliable: in training, every value is set to zero with the
probability `rate`, with a new draw in each step. Features must then be useful without any
particular other feature.

    y = x keep / (1 - rate)        keep is 1 with probability 1 - rate, else 0

Because of the division, the mean of `y` over many draws is `x`. **At inference** nothing is set to
zero, and `y = x`. (The paper does not divide in training but multiplies the weights at inference,
which has the same effect.)

The draw follows from a seed that is stored in the layer for training, so `forward` returns the same
output however often it is called. `update_state`, called after the optimizer step, changes the
seed.

References
----------
N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: a simple way to
prevent neural networks from overfitting", Journal of Machine Learning Research 15 (2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numpycnn._types import Array, Params, Rng
from numpycnn._validation import fraction, generator, require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Dropout(Layer):
    """Return x unchanged; in training, set each value to zero with probability `rate`.

    The layer has no parameters.

    Parameters
    ----------
    rate : float
        Probability from 0 to below 1.

    Raises
    ------
    TypeError, ValueError
        If `rate` is not such a number.

    Examples
    --------
    >>> layer = Dropout(0.5)
    >>> x = np.ones((1, 6))
    >>> layer(x)
    array([[1., 1., 1., 1., 1., 1.]])
    >>> train_model = layer.for_training(rng=1)
    >>> train_model(x), bool((train_model(x) == train_model(x)).all())
    (array([[2., 0., 0., 2., 0., 0.]]), True)
    """

    def __init__(self, rate: float) -> None:
        self.rate = fraction(self, "rate", rate)
        super().__init__()

    def for_training(self, rng: Rng = None) -> DropoutInTraining:
        """Return a version of this layer that sets values to zero.

        Parameters
        ----------
        rng : Generator, int or None
            Source of randomness for the first seed.

        Returns
        -------
        Layer
            The layer to train. This layer itself does not change.
        """
        layer = self._as(DropoutInTraining)
        layer.seed = int(generator(self, rng).integers(2**63))
        return layer

    def forward(self, x: Array) -> tuple[Array, Any]:
        """Return x unchanged.

        Parameters
        ----------
        x : ndarray, shape (...)
            Input.

        Returns
        -------
        y : ndarray, shape (...)
            The input; in training, x keep / (1 - rate).
        cache : object
            The shape of x; in training, keep.
        """
        require_array(self, "x", x, "...")
        return x, x.shape

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Params]:
        """Return dx = dy.

        Parameters
        ----------
        dy : ndarray, shape (...)
            Gradient of the loss with respect to the output.
        cache : object
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (...)
            Gradient with respect to the input; in training, dy keep / (1 - rate).
        grads : dict
            Empty.
        """
        require_array(self, "dy", dy, "...", shape=cache)
        return dy, {}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.each_sample(length)


class DropoutInTraining(Dropout):
    """A Dropout in training: its `seed` determines which values are set to zero."""

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
        """Change the seed, for another draw in the next step."""
        self.seed += 1
