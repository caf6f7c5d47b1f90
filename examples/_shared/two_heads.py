"""Build two networks with the same filters and different heads.

Eight filters produce an output at every sample of the trace. A *head* reduces these outputs to
the input of a dense layer.

- The *flatten head* keeps the outputs of all filters at all positions, after max pooling of
  neighboring pairs. The dense layer has separate weights for each position. This is suitable if
  the position matters, for example after an onset was picked. It requires a large training set,
  because it has many weights.
- The *global head* keeps only the maximum of each filter and discards its position. This is
  suitable if an arrival may be anywhere in the trace.

Several examples compare the two. With its default sizes, the network with the flatten head is that
of [the first example](../trace_classifier.py).
"""

import numpycnn as nn


def network(head, rng, kernel_size=5, shape=(64, 1), n_classes=3):
    """Return an untrained network with a "flatten" or "global" head, for traces (L, C)."""
    length, n_channels = shape
    filters = nn.Conv1D(n_channels, 8, kernel_size, padding="same", rng=rng)
    if head == "flatten":
        bridge = nn.MaxPool1D(2), nn.Flatten(), nn.Dense(length // 2 * 8, 16, rng=rng)
    else:
        bridge = nn.GlobalMaxPool1D(), nn.Dense(8, 16, rng=rng)
    return nn.Sequential(filters, nn.ReLU(), *bridge, nn.ReLU(), nn.Dense(16, n_classes, rng=rng))
