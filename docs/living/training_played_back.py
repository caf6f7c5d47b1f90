"""Training, played back: the network of chapter 7, epoch by epoch."""

from __future__ import annotations

import numpy as np

import numpycnn as nn
from examples._shared.two_heads import network
from numpycnn._types import Array
from numpycnn.inspection.explain import probabilities

TASK = "Find the epoch in which the last of the 36 validation traces becomes correct."

EPOCHS = 60


def film() -> dict[str, Array]:
    """Return filters (61, F, K), losses (61,), probabilities of the true class (61, 36), labels.

    The first of the 61 is the network before it has learned anything.
    """
    x, labels = nn.make_traces(180, rng=0)
    x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=0)
    model = network("flatten", np.random.default_rng(1))
    order = np.argsort(y_test, kind="stable")
    x_test, y_test = x_test[order], y_test[order]
    frames: list[tuple[Array, float, Array, Array]] = []

    def take() -> None:
        chances = probabilities(model, x_test)
        own = chances[np.arange(len(y_test)), y_test]
        loss, _ = nn.evaluate(model, x_test, y_test)
        filters = model.layers[0].params["w"][:, 0, :].T.copy()
        frames.append((filters, loss, own, chances.argmax(axis=-1) == y_test))

    take()
    nn.fit(model, x_train, y_train, epochs=EPOCHS, lr=5e-3, on_epoch=lambda *_: take())
    filters, losses, own, right = (np.array(part) for part in zip(*frames, strict=True))
    return {"filters": filters, "losses": losses, "own": own, "right": right, "labels": y_test}


def data() -> dict[str, object]:
    """Return the film with as many digits as a screen can show."""
    shown = {name: np.round(array.astype(float), 3).tolist() for name, array in film().items()}
    return {**shown, "classes": ["Quiet", "Positive", "Negative"]}
