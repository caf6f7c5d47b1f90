"""The network of the task and the table of planted bugs, shared by several tests."""

from functools import cache

import numpy as np

from numpycnn import Conv1D, Dense, Flatten, MaxPool1D, ReLU, Sequential
from numpycnn.checks import bugs


def task_network(rng=0):
    """The trace classifier with initial weights: 4,211 parameters."""
    rng = np.random.default_rng(rng)
    return Sequential(
        Conv1D(1, 8, 5, padding="same", rng=rng),
        ReLU(),
        MaxPool1D(2),
        Flatten(),
        Dense(256, 16, rng=rng),
        ReLU(),
        Dense(16, 3, rng=rng),
    )


@cache
def bugs_table():
    """The table of planted bugs, with two trainings for each bug; it takes five seconds."""
    return bugs.table(seeds=[0, 1])
