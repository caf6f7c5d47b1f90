"""The narrow valley: three optimizers on the loss (a² + 100 b²) / 2, from any start.

The valley, the start and the learning rates are those of
[chapter 6](../1-evening/6-gradient-descent-and-adam.md). The script computes the steps, and a test
compares them with the optimizers of the package.
"""

from __future__ import annotations

import numpy as np

import numpycnn as nn
from numpycnn._types import Array

TASK = (
    "Set the learning rate of gradient descent to 0.021. What happens, and why? Then drag the ball "
    "to b = 0: which optimizer is closest to the middle after 40 steps?"
)
START = -8.0, 1.0
N_STEPS = 40
RATES = [0.001, 0.002, 0.005, 0.01, 0.015, 0.018, 0.02, 0.021, 0.05, 0.1, 0.2, 0.5, 1.0]
OPTIMIZERS = {"gradient descent": 0.018, "momentum": 0.01, "Adam": 0.5}


def path(name: str, lr: float, start: tuple[float, float] = START) -> Array:
    """Return a and b before the first step and after each one, (41, 2)."""
    params = {"w": np.array(start)}
    if name == "Adam":
        optimizer: nn.Adam | nn.SGD = nn.Adam(params, lr=lr)
    else:
        optimizer = nn.SGD(params, lr=lr, momentum=0.9 if name == "momentum" else 0.0)
    found = [params["w"].copy()]
    for _ in range(N_STEPS):
        optimizer.step({"w": params["w"] * [1, 100]})
        found.append(params["w"].copy())
    return np.array(found)


def data() -> dict[str, object]:
    """Return the start, the learning rates that can be chosen, and those of the chapter."""
    chosen = [RATES.index(lr) for lr in OPTIMIZERS.values()]
    return {
        "start": START,
        "steps": N_STEPS,
        "rates": RATES,
        "optimizers": [[name, at] for name, at in zip(OPTIMIZERS, chosen, strict=True)],
    }
