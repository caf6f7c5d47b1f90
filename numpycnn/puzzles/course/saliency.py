"""Which samples speak for a class?

Raise one sample by a little: by how much does the score of class k rise? That is a gradient, and
the network's own backward has it. But it wants to be told for *which* output.
"""

import numpy as np


def saliency(model, x, k):
    """The derivative of the score of class k with respect to each sample of x (N, L, C)."""
    scores, cache = model.forward(x)  # (N, D)
    dscores = ...  # (N, D): what backward is to be given, so that only score k counts
    dx, _ = model.backward(dscores, cache)
    return dx


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn import Conv1D, Dense, Flatten, ReLU, Sequential, explain
from numpycnn.puzzles.grading import check_function

HINTS = (
    "dscores[n, j] says how much the number we ask about grows with scores[n, j].",
    "We ask about score k itself. It grows with itself at the rate 1, and with the others not at all.",
    "Of the rows of np.eye(D) the one with number k, for every trace.",
)
SOLUTION = "np.eye(scores.shape[1])[k] * np.ones((len(x), 1))"
WRONG = {
    "scores": "it should be",
    "np.ones_like(scores)": "it should be",
    "scores * np.eye(scores.shape[1])[k]": "it should be",
    "np.eye(scores.shape[1])[k] * np.ones((len(x), 1)) / len(x)": "it should be",
    "np.eye(scores.shape[1])[k] - np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)": (
        "it should be"
    ),
}
LESSON = "A one for the class in question and zeros for the rest: that is all there is to saliency."


def check(answer, right):
    model = Sequential(Conv1D(1, 2, 3, rng=0), ReLU(), Flatten(), Dense(8, 3, rng=1)).astype(
        np.float64
    )

    def arguments(draw):
        return draw.array(draw(1, 3), 6, 1), draw(0, 2)

    check_function(
        lambda x, k: answer.saliency(model, x, k),
        lambda x, k: explain.saliency(model, x, k),
        arguments,
    )
