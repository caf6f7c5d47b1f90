"""Hover a gradient: a small convolution, forwards and backwards, number by number.

The numbers are small and whole, so that each sum can be done in one's head. What comes of them
under other taps, strides, dilations and paddings is added up by the script, with the loops of
[chapter 2](../1-evening/2-convolution.md), and a test compares it with the layer.
"""

from __future__ import annotations

X = [2, 0, 1, 3, -1, 2, 1, 0]
W = [1, -2, 3, 1, -1]
DY = [1, 2, -1, 3, 1, -2, 2, 1, -1, 1, 2, -3]


def data() -> dict[str, object]:
    """Return the trace, the taps and the gradient from above, of which a part is used."""
    return {"x": X, "w": W, "dy": DY}
