"""Softmax: probabilities from scores.

The last dense layer returns a score for each class, which can be any number. Softmax makes the
scores positive with `exp`, and divides them by their sum:

    y[n,i] = exp(x[n,i]) / sum_j exp(x[n,j])

The result depends only on differences between scores: adding 5 to all scores of a trace multiplies
numerator and denominator by the same factor. The largest score can therefore be subtracted first.
The largest exponential is then `exp(0) = 1`, whereas `exp(1000)` is too large for a float64.
"""

from __future__ import annotations

import numpy as np

from numpycnn._reductions import difference, total
from numpycnn._types import Array, Params
from numpycnn._validation import require_array
from numpycnn.layers.layer import Layer
from numpycnn.layers.receptive_field import ReceptiveField


class Softmax(Layer):
    """Convert scores x (..., D) to probabilities y (..., D) over the last axis.

    The layer has no parameters.

    Notes
    -----
    A network for training does not need this layer: `softmax_cross_entropy` takes the scores. The
    softmax and the logarithm together have a simpler gradient and cannot overflow.

    Examples
    --------
    >>> Softmax()(np.array([[0.0, np.log(3.0)], [1000.0, 1000.0]]))
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Compute the probabilities; they are also the cache.

        Parameters
        ----------
        x : ndarray, shape (..., D)
            Scores.

        Returns
        -------
        y : ndarray, shape (..., D)
            Probabilities.
        cache : ndarray, shape (..., D)
            The probabilities again.
        """
        require_array(self, "x", x, "... D")
        with np.errstate(over="ignore"):  # of scores 1e308 apart the lower one becomes exactly 0
            exps = np.exp(difference(x, x.max(axis=-1, keepdims=True)))
        y = (exps / exps.sum(axis=-1, keepdims=True)).astype(x.dtype)
        return y, y

    # The backward pass
    # -----------------
    # A higher score increases the probability of its class and decreases all others, because the
    # sum in the denominator is the same for all classes:
    #
    # $$\frac{\partial y_i}{\partial x_j} = y_i (\delta_{ij} - y_j)$$
    #
    # where $\delta_{ij}$ is 1 if $i = j$ and 0 if not.
    # Summed with the upstream gradients `dy[i]`, this is `y[j]` times the difference between
    # `dy[j]` and the mean of all `dy`, weighted by the probabilities. If all `dy` are equal, the
    # difference is zero: the probabilities always sum to one, so they cannot all increase. A check
    # with a gradient of ones therefore returns zeros for a correct softmax and for many incorrect
    # ones.

    def backward(self, dy: Array, cache: Array) -> tuple[Array, Params]:
        """Compute dx[n,j] = y[n,j] (dy[n,j] - sum_i dy[n,i] y[n,i]).

        Parameters
        ----------
        dy : ndarray, shape (..., D)
            Gradient of the loss with respect to the output.
        cache : ndarray, shape (..., D)
            Second return value of `forward`.

        Returns
        -------
        dx : ndarray, shape (..., D)
            Gradient with respect to the input.
        grads : dict
            Empty.
        """
        y = cache
        require_array(self, "dy", dy, "... D", shape=y.shape)
        mean = total(dy * y, -1, keepdims=True)
        return (y * (dy - mean)).astype(np.result_type(y, dy)), {}

    def receptive_field(self, length: int) -> ReceptiveField:
        return ReceptiveField.each_sample(length)
