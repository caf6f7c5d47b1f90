"""Hover a gradient: a small convolution, forwards and backwards, number by number.

The trace begins and the filter is as in [chapter 2](../1-evening/2-convolution.md). The script adds
up the outputs and gradients for other taps, strides, dilations and paddings with the loops of that
chapter, and a test compares them with the layer.
"""

from __future__ import annotations

TASK = "Choose stride 2, and find the inputs with the fewest terms in dx."

X = [0, 1, 4, 2, 1, 3, 0, 2]
W = [-1, 2, 1, 1, -2]
DY = [1, 2, -1, 3, 1, -2, 2, 1, -1, 1, 2, -3]


def data() -> dict[str, object]:
    """Return the trace, the taps and the upstream gradient, of which a part is used."""
    return {"x": X, "w": W, "dy": DY}
