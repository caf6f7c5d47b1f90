"""Loss: what a wrong answer costs, and which way it pulls.

Two pictures of the same thing. The surprise, `-log p`, says what a network pays for
having given the true class the probability `p`: nothing for 1, without limit towards
0. Its derivative with respect to the scores says what is to be done about it: the true class is
pulled up by as much as all the others together are pulled down.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from numpycnn._types import Array
from numpycnn._validation import require_finite
from numpycnn.plots.figure import BLUE, FONT, ORANGE, SKY, STYLES, WIDTH, stacked_panels
from numpycnn.traces import CLASS_NAMES
from numpycnn.training.losses import softmax_cross_entropy


def plot_surprise(marked: Sequence[float]) -> Figure:
    """Draw the surprise -log p in nats against the probability p of what then happened.

    Args:
        marked: probabilities above 0 and up to 1, to be marked with their surprise.

    >>> figure = plot_surprise([1 / 3, 0.9])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.333: 1.0986', '0.9: 0.1054']

    Raises `ValueError` for a probability out of range.
    """
    if not all(0 < p <= 1 for p in marked):
        raise ValueError(f"plot_surprise expected probabilities above 0, up to 1, got {marked}")
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=380)
    panel.xaxis.set_major_locator(MultipleLocator(0.2))
    least = min([0.01, *marked])
    p = np.geomspace(least, 1, 400)
    panel.plot(p, -np.log(p), linewidth=2, **STYLES[0])
    for one in marked:
        surprise = np.log(1 / one)  # and not -log, which makes -0.0 of p = 1
        panel.plot(one, surprise, marker="o", markersize=7, color=ORANGE)
        panel.annotate(
            f"{one:.3g}: {surprise:.4f}",
            (one, surprise),
            xytext=(6, 6),
            textcoords="offset points",
            fontsize=FONT,
        )
    panel.set(
        xlabel="probability p of the true class", ylabel="surprise -log p", ylim=(-0.15, None)
    )
    panel.set_xlim(-0.02, 1.2)  # room for the words at p = 1
    return figure


def plot_pull(logits: Array, target: int, class_names: Sequence[str] = CLASS_NAMES) -> Figure:
    """Draw one trace's probabilities, and below them the gradient p - y of its scores.

    Args:
        logits: its scores (D,), one for each class.
        target: the true class, a whole number that counts in `class_names`. Its bar is orange.
        class_names: what the numbers 0, 1, 2, … mean.

    Both come from `softmax_cross_entropy`. Training moves each score *against* its gradient.

    >>> figure = plot_pull(np.array([0.0, 1.0, -1.0]), target=1)
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['0.24', '-0.33', '0.09']

    Raises `TypeError` or `ValueError` for scores that are not one finite number for each
    name, and for a target out of range.
    """
    require_finite("plot_pull", "logits", logits, f"D={len(class_names)}")
    _, gradient = softmax_cross_entropy(logits[None], np.array([target]))
    y = np.eye(len(logits))[target]

    figure, (above, below) = stacked_panels(2, width=WIDTH, height=480)
    _bars(above, gradient[0] + y, target)
    _bars(below, gradient[0], target)
    below.axhline(0, color="black", linewidth=0.8)
    below.set_xticks(range(len(logits)), [name.replace(" ", "\n") for name in class_names])
    above.set(ylabel="probability p", ylim=(0, 1.15))
    below.set(ylabel="gradient p - y", ylim=(-1.2, 1.2))
    return figure


def _bars(panel: Axes, heights: Array, target: int) -> None:
    """Draw a bar for each class with its number at the end, the true class in orange."""
    colors = [ORANGE if j == target else SKY for j in range(len(heights))]
    bars = panel.bar(range(len(heights)), heights, width=0.6, color=colors, edgecolor=BLUE)
    panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=FONT)
