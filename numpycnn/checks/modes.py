"""Two modes: does a layer do in use what it did in training?

A layer such as batch normalization or dropout is two functions, and each of them may
have right gradients while the two do not belong together. Nothing in training shows
that; the loss falls, and in use the answers are wrong. Two things ought to hold:

- In use, the answer for a trace depends on that trace, and not on its company or on chance.
- In use, the answer is what training gives on average over many steps.

On average, and nearly: the variance of `R` rows is `(R - 1) / R` of what is to be expected
of other traces, so two right answers may be one part in `R` apart.
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
    """Compare what `layer` does in use with what its twin does in training, on a batch x (N, ...).

    The layer is not changed. Take an x whose scale is not that of the layer's output already.

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
        sentence = "in use, the answer for a trace changes with its company, or by chance"
        mistakes.append(Mistake("training in use", sentence))
    elif is_apart and before and all((layer.state[n] == before[n]).all() for n in before):
        mistakes.append(Mistake("never remembered", "its state is the same after all steps"))
    elif is_apart:
        sentence = "in use it gives something else than training does on average"
        mistakes.append(Mistake("modes apart", sentence))
    return Report("check_modes", f"Modes of {type(layer).__name__}", mistakes)
