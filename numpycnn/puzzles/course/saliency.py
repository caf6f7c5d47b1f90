"""Which samples raise the score of a class?

If one sample increases slightly, by how much does the score of class k increase? The answer is a
gradient. Backward of the network computes it from a suitable dscores.
"""

import numpy as np


def saliency(model, x, k):
    """Compute the derivative of the score of class k with respect to each sample of x (N, L, C)."""
    scores, cache = model.forward(x)  # (N, D)
    dscores = ...  # the upstream gradient, shape (N, D), of score k of each trace
    dx, _ = model.backward(dscores, cache)
    return dx


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import Dense, Flatten, ReLU, Sequential
from numpycnn.puzzles.cases import function

SECTION = "Saliency"
HINTS = (
    "dscores[n, j] is the derivative of the value of interest with respect to scores[n, j].",
    "The value of interest is score k. Its derivative is 1 with respect to itself, and 0 to the others.",
    "Row k of np.eye(D), for every trace.",
)
SOLUTION = "np.eye(scores.shape[1])[k] * np.ones((len(x), 1))"
FORMS = (
    "np.eye(scores.shape[1])[[k] * len(x)]",
    "np.where(np.arange(scores.shape[1]) == k, 1.0, 0.0) + 0 * scores",
)
_ROW = "np.eye(scores.shape[1])[k]"
WRONG = {
    "scores": "scores: backward receives the scores themselves, of all classes.",
    "np.ones_like(scores)": "all classes: this is the derivative of the sum of all scores; only score k "
    "counts.",
    f"scores * {_ROW}": "score: the derivative of score k with respect to itself is 1, not its value.",
    f"{_ROW} * np.ones((len(x), 1)) / len(x)": "averaged: it is divided by the number of traces; each trace "
    "has its own saliency.",
    f"{_ROW} - np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)": "loss: this is the gradient of "
    "the cross-entropy, with the sign changed. It contains all classes.",
    f"np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) - {_ROW}": "loss: this is the gradient of "
    "the cross-entropy. It contains all classes.",
    f"-{_ROW} * np.ones((len(x), 1))": "sign",
    "np.zeros_like(scores)": "zero",
    f"(1 - {_ROW}) * np.ones((len(x), 1))": "other classes: this is the derivative of all other scores.",
    "np.eye(scores.shape[1])[scores.argmax(axis=1)]": "predicted class: this uses the predicted class of "
    "each trace, not class k.",
    f"{_ROW} * (np.arange(len(x)) == 0)[:, None]": "first trace: only the first trace gets a gradient.",
    "np.eye(scores.shape[1])[0] * np.ones((len(x), 1))": "class 0: this is always class 0.",
    f"k * {_ROW} * np.ones((len(x), 1))": "factor k: the derivative is 1, not the number of the class.",
}
LESSON = "Saliency is backward with a one for the class of interest and zeros for the others."
N_CASES = 30


def case(draw):
    model = Sequential(Flatten(), Dense(4, 3, rng=0), ReLU(), Dense(3, 3, rng=1)).astype(np.float64)
    x = draw.array(draw(1, 3), 4, 1).astype(np.float64)
    return function("saliency", {"model": model, "x": x, "k": draw(0, 2)})
