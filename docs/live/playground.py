"""Playground: the network of the tutorial with other settings, trained while the page draws it.

The code that `code_of` returns is the code that runs: `train` executes it up to the training, and
trains with a function that sends the numbers of each epoch to the page.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import numpycnn as nn

EPOCHS = 60
POSITIONS = 12, 52  # of the arrivals in training
CLASSES = "Quiet", "Positive", "Negative"
SETTINGS: dict[str, Any] = {
    "filters": 8,
    "kernel_size": 5,
    "noise": 0.03,
    "seed": 0,
    "lr": 0.005,
    "head": "flatten",
    "optimizer": "Adam",
}

# The code
# --------

HEADS = {
    "flatten": """    nn.MaxPool1D(2),
    nn.Flatten(),
    nn.Dense({features}, 16, rng=rng),
    nn.ReLU(),
    nn.Dense(16, 3, rng=rng),""",
    "global maximum": """    nn.GlobalMaxPool1D(),
    nn.Dense({filters}, 16, rng=rng),
    nn.ReLU(),
    nn.Dense(16, 3, rng=rng),""",
}
BUILD = """import numpy as np

import numpycnn as nn

rng = np.random.default_rng({seed})
x, labels = nn.make_traces(180, noise={noise}, rng=rng)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)
model = nn.Sequential(
    nn.Conv1D(1, {filters}, {kernel_size}, padding="same", rng=rng),
    nn.ReLU(),
{head}
)
optimizer = nn.{optimizer}(model.params, lr={lr})
"""
TRAIN = """
history = nn.fit(model, x_train, y_train, epochs={epochs}, optimizer=optimizer)
loss, accuracy = nn.evaluate(model, x_test, y_test)
print(f"loss {{history.loss[-1]:.4f}}, test loss {{loss:.4f}}, test accuracy {{accuracy:.3f}}")
"""


def build_of(settings: dict[str, Any]) -> str:
    """Return the code that makes traces, network and optimizer."""
    head = HEADS[settings["head"]]
    head = head.format(features=32 * settings["filters"], filters=settings["filters"])
    return BUILD.format(**settings | {"head": head})


def code_of(settings: dict[str, Any]) -> str:
    """Return the code that makes the network of these settings and trains it.

    >>> print(code_of(SETTINGS | {"filters": 4}).splitlines()[8])
        nn.Conv1D(1, 4, 5, padding="same", rng=rng),
    """
    return build_of(settings) + TRAIN.format(epochs=EPOCHS)


# The numbers
# -----------

names: dict[str, Any] = {}


def build(settings: dict[str, Any], send: Any = None) -> dict[str, Any]:
    """Make a network, and return the code for it."""
    names.clear()
    exec(build_of(settings), names)
    return {"code": code_of(settings)}


def train(settings: dict[str, Any], trace: dict[str, Any], send: Any) -> dict[str, Any]:
    """Train a network, and send the numbers of each epoch."""
    built = build(settings)
    x = trace_of(trace, settings["noise"])
    model, x_test, y_test = names["model"], names["x_test"], names["y_test"]

    def numbers(epoch: int, losses: list[float]) -> dict[str, Any]:
        loss, accuracy = nn.evaluate(model, x_test, y_test)
        shown = {"epoch": epoch, "test": loss, "accuracy": accuracy}
        return shown | {"loss": losses[-1] if losses else None} | seen(model, x)

    send("epoch", numbers(0, []))
    nn.fit(
        model,
        names["x_train"],
        names["y_train"],
        epochs=EPOCHS,
        optimizer=names["optimizer"],
        on_epoch=lambda epoch, history: send("epoch", numbers(epoch, history.loss)),
    )
    return built


def look(trace: dict[str, Any], settings: dict[str, Any], send: Any = None) -> dict[str, Any]:
    """Return what the network computes from a trace."""
    if not names:
        build(settings)
    return seen(names["model"], trace_of(trace, settings["noise"]))


def trace_of(trace: dict[str, Any], noise: float) -> Any:
    """Return a drawn trace, or one with an arrival of this label at this sample, as (1, 64, 1)."""
    if "samples" in trace:
        return np.array(trace["samples"], np.float32).reshape(1, -1, 1)
    at = (trace["position"], trace["position"])
    rng = np.random.default_rng((0, 1))  # the same noise wherever the arrival is
    made = nn.make_traces(1, rng=rng, labels=[trace["label"]], center=at, width=(3, 3), noise=noise)
    return made[0]


def seen(model: nn.Sequential, x: Any) -> dict[str, Any]:
    """Return the trace, the filters, their maps, and scores and probabilities of the classes."""
    maps = model[:2].forward(x)[0][0]
    scores = model.forward(x)[0][0]
    arrays = {
        "trace": x[0, :, 0],
        "filters": model.params["0.w"][:, 0].T,
        "maps": maps.T,
        "scores": scores,
        "probabilities": nn.Softmax().forward(scores[None])[0][0],
    }
    return {name: np.round(array.astype(float), 4).tolist() for name, array in arrays.items()}


def start() -> dict[str, Any]:
    """Return what the page shows before Python: the network with its initial weights."""
    trace = {"position": 32, "label": 1}
    return {
        "settings": SETTINGS,
        "heads": list(HEADS),
        "classes": CLASSES,
        "positions": POSITIONS,
        "epochs": EPOCHS,
        "seen": look(trace, SETTINGS),
    }
