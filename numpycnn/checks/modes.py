"""Two modes: inference compared with training.

A layer such as batch normalization or dropout is two functions. The gradients of both may be
correct while the functions do not belong together. Training does not show this: the loss falls, and
the predictions are incorrect. Two properties are tested:

- At inference, the output for a trace depends on this trace only, and not on the other traces
  of the batch or on random numbers.
- At inference, the output equals that of training, averaged over many steps.

The second holds approximately: the variance of `R` rows is `(R - 1) / R` of the expected variance
of other traces, so two correct outputs may differ by one part in `R`.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from numpycnn._types import Array, Rng
from numpycnn._validation import generator
from numpycnn.checks.report import Mistake, Report
from numpycnn.layers.layer import Layer

N_STEPS = 400


def check_modes(layer: Layer, x: Array, rng: Rng = None) -> Report:
    """Compare a layer at inference with the same layer in training.

    Parameters
    ----------
    layer : Layer
        The layer. It is not changed.
    x : ndarray, shape (N, ...)
        A batch whose scale differs from that of the output.
    rng : numpy.random.Generator or int, optional
        Passed to `layer.for_training`.

    Returns
    -------
    Report
        With at most one mistake.

    Examples
    --------
    >>> from numpycnn import BatchNorm, Dropout
    >>> x = np.random.default_rng(0).normal(3, 2, (4, 9, 2))
    >>> check_modes(BatchNorm(2), x, rng=0).ok, check_modes(Dropout(0.5), x, rng=0).ok
    (True, True)
    """
    rng, layer = generator("check_modes", rng), deepcopy(layer)
    train_model, before = layer.for_training(rng), deepcopy(layer.state)
    seen = []
    for _ in range(N_STEPS):
        y, cache = train_model.forward(x)
        train_model.update_state(cache)
        seen.append(y)
    together, mean = layer(x), np.mean(seen, axis=0)
    alone = np.concatenate([layer(x[n : n + 1]) for n in range(len(x))])
    by_chance = 6 * np.std(seen, axis=0) / np.sqrt(N_STEPS)  # one in 5 * 10^8 is further off
    nearly = np.abs(mean).max() * x.shape[-1] / x.size
    is_apart = (np.abs(together - mean) > by_chance + nearly).any()

    mistakes = []
    if not np.allclose(together, alone, rtol=1e-5, atol=1e-6 * float(np.abs(together).max())):
        sentence = "at inference, the output for a trace depends on the other traces, or is random"
        mistakes.append(Mistake("training at inference", sentence))
    elif is_apart and before and all((layer.state[n] == before[n]).all() for n in before):
        mistakes.append(Mistake("state not updated", "its state does not change in training"))
    elif is_apart:
        sentence = "at inference, the output differs from that of training on average"
        mistakes.append(Mistake("modes apart", sentence))
    return Report("check_modes", f"Modes of {type(layer).__name__}", mistakes)
