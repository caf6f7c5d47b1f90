"""See 200 samples with fewer than 2,000 weights

A picker says for each sample whether an arrival begins there: two scores a sample. To tell an
arrival from a spike it has to see 200 samples, and it has to fit on a small device.

The first layer and the last are given. Between them, put layers that take 8 channels and give 8, and
that leave the length as it is.
"""

from numpycnn import Conv1D, Dense, ReLU, Sequential


def picker():
    return Sequential(
        Conv1D(3, 8, 5, padding="same"),  # 128 weights, sees 5 samples
        ReLU(),
        ...,  # layers, with commas between them
        Dense(8, 2),  # 18 weights
    )


# ---- what follows is for the grader; the reader's file ends here ----

import numpy as np

from numpycnn.puzzles.grading import Wrong

HINTS = (
    "Conv1D(8, 8, 3, padding='same') has 200 weights, and adds two samples. What makes it add more?",
    "A dilation d adds 2 d. Double it from layer to layer.",
    "2, 4, 8, 16, 32, 64 add up to 126, twice that is 252.",
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
WRONG = {
    "Conv1D(8, 8, 196, padding='same')": "weights",
    "*[Conv1D(8, 8, 3, padding='same') for _ in range(9)]": "sees",
    "*[Conv1D(8, 8, 3, padding='same', dilation=2**i) for i in range(1, 6)]": "sees",
    "Conv1D(8, 8, 3, stride=2, padding='same')": "length",
    "*[Conv1D(8, 8, 3, dilation=2**i) for i in range(1, 7)]": "length",
}
LESSON = "The reach doubles with each layer, and the weights only add up. WaveNet hears that way."


def check(answer, right):
    x = np.zeros((1, 600, 3), np.float32)
    model = answer.picker()
    y = model(x)
    if y.shape != (1, 600, 2):
        raise Wrong(
            f"From {x.shape} it makes {y.shape}; the length has to stay, with two scores a sample: "
            "(1, 600, 2)."
        )
    n_weights = sum(w.size for w in model.params.values())
    reach = model.window(600).reach
    found = f"It has {n_weights:,} weights, and an output sees {reach} samples."
    if n_weights >= 2000:
        raise Wrong(f"{found} It may have fewer than 2,000 weights.")
    if reach < 200:
        raise Wrong(f"{found} It should see 200.")
