"""One training step: all values of a network with nine weights.

The trace has four samples. A filter of two taps, a ReLU, a dense layer to two scores, the loss;
then the backward pass, and Adam. The layers of the package compute all values. The initial weights
are chosen so that the numbers are short and one ReLU outputs zero.
"""

from __future__ import annotations

import numpy as np

import numpycnn as nn
from numpycnn._types import Array
from numpycnn.inspection.explain import activations, probabilities

TASK = "Before each step, compute the next row by hand."

LABEL, LR = 0, 0.1


def network() -> nn.Sequential:
    """Return the network with its initial weights."""
    model = nn.Sequential(nn.Conv1D(1, 1, 2), nn.ReLU(), nn.Flatten(), nn.Dense(3, 2)).astype(float)
    model.params["0.w"][:, 0, 0] = [1.0, -0.5]
    model.params["3.w"][:] = [[0.5, -0.5], [1.0, 0.5], [-0.5, 1.0]]
    return model


def numbers() -> dict[str, Array]:
    """Return every array of the step, by the name that it has in the figure."""
    x = np.array([2.0, 1.0, -2.0, 1.0])[None, :, None]
    model = network()
    before = {name: array.copy() for name, array in model.params.items()}
    conv, relu, _, scores = (one.output for one in activations(model, x))
    targets = np.array([LABEL])
    loss, dscores = nn.softmax_cross_entropy(scores, targets)

    inner, cache = [], x
    for layer in model.layers:
        cache, kept = layer.forward(cache)
        inner.append((layer, kept))
    dy, gradients = dscores, []
    for layer, kept in reversed(inner):
        dy, _ = layer.backward(dy, kept)
        gradients.append(dy)
    drelu, _, dconv, dx = gradients

    _, whole = model.forward(x)
    _, grads = model.backward(dscores, whole)
    nn.Adam(model.params, lr=LR).step(grads)
    after, _ = nn.softmax_cross_entropy(model(x), targets)
    return {
        "x": x, "w": before["0.w"], "b": before["0.b"], "conv": conv, "relu": relu,
        "v": before["3.w"], "c": before["3.b"], "scores": scores,
        "p": probabilities(model.with_params(before), x), "loss": np.array([loss]),
        "dscores": dscores, "dv": grads["3.w"], "dc": grads["3.b"], "drelu": drelu,
        "dconv": dconv, "dw": grads["0.w"], "db": grads["0.b"], "dx": dx,
        "new w": model.params["0.w"], "new b": model.params["0.b"],
        "new v": model.params["3.w"], "new c": model.params["3.b"], "new loss": np.array([after]),
    }  # fmt: skip


STEPS = [  # what appears, and what is said of it
    ("x w b v c", "A trace of four samples, and the weights: a filter w, b; a dense layer v, c."),
    ("conv", "Convolution: conv[m] = w[0] x[m] + w[1] x[m+1] + b."),
    ("relu", "ReLU: what is below zero becomes zero. The last output is off."),
    ("scores", "Dense: scores[j] = sum over i of relu[i] v[i,j], plus c[j]."),
    ("p", "Softmax: p[j] = exp(scores[j]) / sum of exp(scores)."),
    ("loss", "The right class is number 0, so the loss is -log p[0]."),
    ("dscores", "Back: the gradient of the loss with respect to the scores is p - (1, 0)."),
    ("dv dc", "dv[i,j] = relu[i] dscores[j]; dc = dscores. What was off gets nothing."),
    ("drelu", "drelu[i] = sum over j of v[i,j] dscores[j]: each sum is sent back to its terms."),
    ("dconv", "ReLU backward: where it was off, nothing passes."),
    ("dw db", "dw[k] = sum over m of dconv[m] x[m+k]; db = sum of dconv."),
    (
        "dx",
        "dx[l] = sum over k of w[k] dconv[l-k]: used for saliency, not in training.",
    ),
    (
        "new w|new b|new v|new c",
        "Adam: its first step moves each weight by lr = 0.1 against its gradient.",
    ),
    ("new loss", "Once more with the new weights: the loss is smaller."),
]


def data() -> dict[str, object]:
    """Return the numbers and the steps."""
    rows = {
        name: (np.round(array.astype(float), 3) + 0.0).reshape(-1).tolist()  # no -0.0
        for name, array in numbers().items()
    }
    steps = [
        [names.split("|") if "|" in names or "new" in names else names.split(), text]
        for names, text in STEPS
    ]
    return {"numbers": rows, "steps": steps}
