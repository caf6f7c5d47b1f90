"""Two heads: the same filters, and two ways to go on from their answers.

Eight filters look for shapes wherever they are in the trace. They answer at every sample,
and something has to be made of that before a dense layer can weigh it.

- The *flatten head* hands on every answer with its place, after each two neighbors gave way
  to the larger. The dense layer then has weights for each place: right where the place
  matters, as after an onset was picked. They are many, and want many traces to learn from.
- The *global head* hands on the largest answer of each filter, and forgets where it was: right
  where an arrival may come at any time.

Several scripts here set the two against each other. With its default sizes the flatten head
is the network of [the first example](../trace_classifier.py).
"""

import numpycnn as nn


def network(head, rng, kernel_size=5, shape=(64, 1), n_classes=3):
    """Return a fresh network with this head, "flatten" or "global", for traces of shape (L, C)."""
    length, n_channels = shape
    filters = nn.Conv1D(n_channels, 8, kernel_size, padding="same", rng=rng)
    if head == "flatten":
        bridge = nn.MaxPool1D(2), nn.Flatten(), nn.Dense(length // 2 * 8, 16, rng=rng)
    else:
        bridge = nn.GlobalMaxPool1D(), nn.Dense(8, 16, rng=rng)
    return nn.Sequential(filters, nn.ReLU(), *bridge, nn.ReLU(), nn.Dense(16, n_classes, rng=rng))
