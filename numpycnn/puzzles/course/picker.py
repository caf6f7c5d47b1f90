"""A receptive field of 200 samples with fewer than 2,000 parameters

A picker outputs two scores for each sample: does an arrival begin there or not? To distinguish an
arrival from a spike, each output away from the ends must depend on at least 200 samples. To fit on
a small device, the network must have fewer than 2,000 parameters.

The first layer and the last are given. Between them, insert layers with 8 input and 8 output
channels that keep the length. You may import other layers of the package.
"""

from numpycnn import Conv1D, Dense, ReLU, Sequential


def picker():
    return Sequential(
        Conv1D(3, 8, 5, padding="same"),  # 128 parameters, depends on 5 samples
        ReLU(),
        ...,  # layers, with commas between them
        Dense(8, 2),  # 18 parameters
    )


# ---- what follows is for the grader; the reader's file ends here ----

import numpy as np

from numpycnn.puzzles.cases import Case
from numpycnn.puzzles.reasons import Reason

SECTION = "The architectures in the package"
ALLOWED = (
    "AveragePool1D",
    "MaxPool1D",
    "Upsample1D",
    "BatchNorm",
    "Dropout",
    "Residual",
    "SkipConcat",
    "SkipConcat",
    "*",
)
HINTS = (
    "Conv1D(8, 8, 3, padding='same') has 200 parameters and adds 2 samples. What makes it add more?",
    "A dilation d adds 2 d. Double it from layer to layer.",
    "2, 4, 8, 16, 32, 64 sum to 126, and twice that is 252.",
)
SOLUTION = """\
Conv1D(8, 8, 3, padding="same", dilation=2),
ReLU(),
Conv1D(8, 8, 3, padding="same", dilation=4),
ReLU(),
Conv1D(8, 8, 3, padding="same", dilation=8),
ReLU(),
Conv1D(8, 8, 3, padding="same", dilation=16),
ReLU(),
Conv1D(8, 8, 3, padding="same", dilation=32),
ReLU(),
Conv1D(8, 8, 3, padding="same", dilation=64),
ReLU()"""
FORMS = (
    "*[Conv1D(8, 8, 3, padding='same', dilation=4 * 2**i) for i in range(6)]",
    "*[Conv1D(8, 8, 5, padding='same', dilation=d) for d in (4, 13, 40)]",
)
WRONG = {
    "Conv1D(8, 8, 196, padding='same')": "parameters",
    "*[Conv1D(8, 8, 5, padding='same', dilation=2**i) for i in range(1, 7)]": "parameters",
    "*[Conv1D(8, 8, 3, padding='same') for _ in range(9)]": "receptive field",
    "*[Conv1D(8, 8, 3, padding='same', dilation=2**i) for i in range(1, 6)]": "receptive field",
    "Conv1D(8, 8, 5, padding='same', dilation=50)": "receptive field",
    "*[Conv1D(8, 8, 3, padding='same', dilation=50) for _ in range(2)]": "receptive field",
    "ReLU()": "receptive field",
    "Conv1D(8, 8, 3, stride=2, padding='same')": "length",
    "*[Conv1D(8, 8, 3, dilation=2**i) for i in range(1, 7)]": "length",
    "Conv1D(8, 16, 3, padding='same')": "ValueError",
    "Conv1D(3, 8, 3, padding='same')": "ValueError",
    "Conv1D(8, 8, 3, padding='same', dilations=64)": "TypeError",
    "Conv1D(8, 8, 3, padding='same', dilation=64), ReLU": "TypeError",
}
LESSON = "The receptive field doubles with each layer, while the parameters are only added. WaveNet does this."


def cases():
    x = np.random.default_rng(0).uniform(0, 1, (40, 600, 3))
    yield Case("network", "picker", {}, (), {"x": x, "at": [270, 301, 333], "at_most": 1999})


def assess(trials):
    found = trials[0].actual.results
    shape, n_weights = tuple(found["shape"]), found["n_weights"]
    if shape != (1, 600, 2):
        return Reason(
            "length",
            f"For x of shape (1, 600, 3) the output has the shape {shape}. Expected (1, 600, 2): the "
            "length must stay, with two scores for each sample.",
        )
    if n_weights >= 2000:
        return Reason(
            "parameters", f"It has {n_weights:,} parameters. There must be fewer than 2,000."
        )
    sees = min(found["sees"])
    if sees < 200:
        return Reason(
            "receptive field",
            f"It has {n_weights:,} parameters, and an output depends on {sees} samples. It must depend on "
            "at least 200; samples that a dilation skips do not count.",
        )
    return None
