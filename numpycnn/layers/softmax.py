"""Softmax: from scores to probabilities.

The last dense layer gives a score for each class, any number at all. Softmax
makes them positive by `exp` and lets them sum to one by dividing:

    y[n,i] = exp(x[n,i]) / sum_j exp(x[n,j])

Only differences between scores matter: adding 5 to all of a trace's scores
multiplies numerator and denominator alike by e⁵. That freedom saves us from
`exp(1000)`, which no float can hold: subtract the largest score first, and
the largest exponential is `exp(0) = 1`.
"""

from __future__ import annotations

import numpy as np

from numpycnn._reductions import difference, total
from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Softmax(Layer):
    """Scores x (..., D) to probabilities y (..., D) over the last axis. No parameters.

    For training, leave it off and give the scores to `softmax_cross_entropy`:
    the two together have a simpler gradient and cannot overflow.

    >>> Softmax().forward(np.array([[0.0, np.log(3.0)], [1000.0, 1000.0]]))[0]
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])

    Raises `TypeError` or `ValueError` for inputs that are not arrays of floats.
    """

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return the probabilities, twice: their derivative needs nothing else."""
        require_array(self, "x", x, "... D")
        with np.errstate(over="ignore"):  # of scores 1e308 apart the lower one gets exactly 0
            exps = np.exp(difference(x, x.max(axis=-1, keepdims=True)))
        y = (exps / exps.sum(axis=-1, keepdims=True)).astype(x.dtype)
        return y, y

    # The backward pass
    # -----------------
    # Raising one score raises its own probability and lowers all the others,
    # because they share one sum:
    #
    # $$\frac{\partial y_i}{\partial x_j} = y_i (\delta_{ij} - y_j)$$
    #
    # where $\delta_{ij}$ is 1 if $i = j$ and 0 if not.
    # Summed against the gradients `dy[i]` that come in, this gives `y[j]` times
    # the difference between `dy[j]` and the average of all `dy`, weighted by
    # their probabilities. If every `dy` is the same, the difference is zero:
    # probabilities always sum to one, so nothing can raise all of them. A check
    # that sends in ones sees zeros from a right softmax and from many a wrong one.

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Return dx[n,j] = y[n,j] (dy[n,j] - sum_i dy[n,i] y[n,i])."""
        y = cache
        require_array(self, "dy", dy, "... D", shape=y.shape)
        mean = total(dy * y, -1, keepdims=True)
        return (y * (dy - mean)).astype(np.result_type(y, dy)), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        """Each sample's scores are shared out by themselves."""
        return ReceptiveField.each_sample(length)
