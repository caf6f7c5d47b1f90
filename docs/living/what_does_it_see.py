"""What does it see: layers one on the other, and the samples that an output looks at.

Which samples those are is arithmetic, done by the script while layers are chosen; a test
compares it with `receptive_fields`.
"""

from __future__ import annotations

import numpycnn as nn

TASK = "Reach a receptive field of 16 with three layers."

N_SAMPLES = 32
LAYERS = {  # what may be stacked, with its taps, stride, dilation, and whether zeros are added
    "none": None,
    "Conv1D, 3 taps": nn.Conv1D(1, 1, 3, padding="same"),
    "Conv1D, 5 taps": nn.Conv1D(1, 1, 5, padding="same"),
    "Conv1D, 3 taps, stride 2": nn.Conv1D(1, 1, 3, stride=2, padding="same"),
    "Conv1D, 3 taps, dilation 2": nn.Conv1D(1, 1, 3, dilation=2, padding="same"),
    "Conv1D, 3 taps, dilation 4": nn.Conv1D(1, 1, 3, dilation=4, padding="same"),
    "MaxPool1D, 2": nn.MaxPool1D(2),
}


def numbers(layer: nn.Layer | None) -> list[int] | None:
    """Return taps, stride, dilation, and 1 for zeros at the ends."""
    if isinstance(layer, nn.Conv1D):
        return [layer.kernel_size, layer.stride, layer.dilation, 1]
    if isinstance(layer, nn.MaxPool1D):
        return [layer.pool_size, layer.stride, 1, 0]
    return None


def data() -> dict[str, object]:
    """Return the layers that may be chosen."""
    return {
        "samples": N_SAMPLES,
        "layers": [[name, numbers(layer)] for name, layer in LAYERS.items()],
        "start": [2, 6, 1, 0],
    }
