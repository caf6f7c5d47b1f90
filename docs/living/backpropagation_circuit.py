"""The circuit: a network of six operations, the value of each, and the gradient of the loss.

The operations and the numbers are those of
[chapter 5](../1-evening/5-backpropagation.md). The script computes both passes, and a test compares
them with these functions.
"""

from __future__ import annotations

from collections.abc import Callable

TASK = (
    "Change an input until a1 is larger than a0. Which gradients are 0 now, and why? "
    "Then find a w for which the loss is 0."
)
TARGET = 5
TIMES = "\N{MULTIPLICATION SIGN}"
START = {"x0": 2.0, "x1": 1.0, "w": 1.5, "b": -1.0}
STEPS: list[tuple[str, str, list[str]]] = [
    ("u0", TIMES, ["w", "x0"]),
    ("u1", TIMES, ["w", "x1"]),
    ("a0", "+", ["u0", "b"]),
    ("a1", "+", ["u1", "b"]),
    ("y", "max", ["a0", "a1"]),
    ("loss", "(y - 5)² / 2", ["y"]),
]
OPERATIONS: dict[str, Callable[..., float]] = {
    TIMES: lambda a, b: a * b,
    "+": lambda a, b: a + b,
    "max": max,
    "(y - 5)² / 2": lambda y: (y - TARGET) ** 2 / 2,
}


def values(inputs: dict[str, float]) -> dict[str, float]:
    """Return the value of each input and of each step."""
    found = dict(inputs)
    for name, sign, sources in STEPS:
        found[name] = OPERATIONS[sign](*(found[source] for source in sources))
    return found


def data() -> dict[str, object]:
    """Return the inputs and the steps."""
    return {"start": START, "steps": STEPS, "target": TARGET}
