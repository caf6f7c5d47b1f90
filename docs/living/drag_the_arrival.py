"""Drag the arrival: the outputs of two networks for an arrival at any position.

The networks are those of seed 0 in [the position test](../../examples/where_does_it_work.py). Their
outputs for each center and polarity are stored as integers from -127 to 127, which is finer than
the resolution of a screen. The feature maps would take most of the space, so the page computes them
from the trace and the filters.
"""

from __future__ import annotations

import base64

import numpy as np

import numpycnn as nn
from examples._shared.two_heads import network
from numpycnn._types import Array
from numpycnn.inspection.explain import activations, probabilities, saliency

TASK = (
    "Find a position at which the flatten head predicts the opposite polarity, "
    "and one at which it overlooks the arrival."
)

CENTERS = range(-8, 73)
TRAINED_ON = 12, 52
HEADS = "flatten", "global"
POLARITIES = 1, 2  # the labels of positive and negative arrivals
VISIBLE = 0.1  # the largest sample of an arrival in the trace, below which it is not one


def trained(head: str) -> nn.Sequential:
    """Return the network with this head, trained as in the first example."""
    rng = np.random.default_rng(0)
    x, labels = nn.make_traces(180, rng=rng)
    x_train, _, y_train, _ = nn.train_test_split(x, labels, rng=rng)
    model = network(head, rng)
    nn.fit(model, x_train, y_train, epochs=60, lr=5e-3)
    return model


def trace(center: int, polarity: int) -> Array:
    """Return one trace (1, L, 1), with the same noise for every center."""
    at, rng = (center, center), np.random.default_rng((0, 1))
    return nn.make_traces(1, rng=rng, labels=[polarity], center=at, width=(3, 3))[0]


def is_visible(center: int) -> bool:
    """Whether any of an arrival is in the trace, rather than before or after it."""
    return float(np.abs(trace(center, 1) - trace(center, 2)).max()) / 2 > VISIBLE


def look(model: nn.Sequential, x: Array) -> dict[str, Array]:
    """Return maps (N, F, L), gradients of the answer's score (N, L), probabilities (N, 3)."""
    _, relu, *_ = activations(model, x)
    chances = probabilities(model, x)
    gradient = saliency(model, x, chances.argmax(axis=-1))
    return {"maps": relu.output.swapaxes(1, 2), "saliency": gradient[..., 0], "chances": chances}


def data() -> dict[str, object]:
    """Return all that the figure can show, for each polarity all centers one after the other."""
    x = np.concatenate([trace(center, polarity) for polarity in POLARITIES for center in CENTERS])
    step = float(np.abs(x).max()) / 127
    heads = []
    for model in map(trained, HEADS):
        seen = look(model, x)
        head = {what: as_int8(seen[what]) for what in ("saliency", "chances")}
        heads.append(head | {"filters": filters(model, step), "highest": float(seen["maps"].max())})
    return {
        "trainedOn": TRAINED_ON,
        "classes": ["Quiet", "Positive", "Negative"],
        "visible": [is_visible(center) for center in CENTERS],
        "trace": as_int8(x),
        "heads": heads,
    }


def filters(model: nn.Sequential, step: float) -> list[list[float]]:
    """Return bias and taps of each filter, the taps for a trace in steps of this size."""
    w, b = model.params["0.w"][:, 0].T * step, model.params["0.b"][:, None]
    return [[float(f"{number:.4g}") for number in row] for row in np.concatenate([b, w], axis=1)]


def as_int8(array: Array) -> str:
    """Return the array on a scale of 127 steps up to its largest number, in base64."""
    steps = np.rint(array / np.abs(array).max() * 127).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode()
