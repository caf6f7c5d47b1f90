"""Loss: the cost of a prediction, and its gradient.

The surprise, `-log p`, is the cost of predicting the true class with probability `p`: zero for 1,
without limit towards 0. Its gradient with respect to the scores is negative for the true class and
positive for the other classes, and sums to zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from numpycnn._types import Array
from numpycnn._validation import require_finite
from numpycnn.plots.figure import (
    BLUE,
    FONT,
    ORANGE,
    SKY,
    STYLES,
    WIDTH,
    fit_name,
    own_style,
    stacked_panels,
)
from numpycnn.traces import CLASS_NAMES
from numpycnn.training.losses import softmax_cross_entropy


@own_style()
def plot_surprise(marked: Sequence[float]) -> Figure:
    """Draw the surprise -log p in nats against the probability p of the true class.

    Parameters
    ----------
    marked : sequence of float
        Probabilities above 0 and up to 1. Each is marked with its surprise.

    Returns
    -------
    Figure
        The curve falls from infinity at probability 0 to zero at probability 1.

    Raises
    ------
    ValueError
        If a probability is out of range.

    Examples
    --------
    >>> figure = plot_surprise([1 / 3, 0.9])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.333: 1.0986', '0.9: 0.1054']
    """
    if not all(0 < p <= 1 for p in marked):
        raise ValueError(
            f"plot_surprise: marked must be probabilities above 0 and up to 1, got {marked}. "
            "Take them from a softmax."
        )
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=380)
    panel.xaxis.set_major_locator(MultipleLocator(0.2))
    least = min([0.01, *marked])
    p = np.geomspace(least, 1, 400)
    panel.plot(p, -np.log(p), linewidth=2, **STYLES[0])
    for one in marked:
        surprise = np.log(1 / one)  # -log(one) is -0.0 for p = 1
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


@own_style()
def plot_score_gradient(
    logits: Array, target: int, class_names: Sequence[str] = CLASS_NAMES
) -> Figure:
    """Draw the probabilities of one trace, and below them the gradient p - y of its scores.

    Parameters
    ----------
    logits : ndarray, shape (D,)
        The scores, one for each class.
    target : int
        The true class, an index into `class_names`. Its bar is orange.
    class_names : sequence of str
        The names of the D classes.

    Returns
    -------
    Figure
        Both are computed by `softmax_cross_entropy`. Training moves each score *against* its
        gradient.

    Raises
    ------
    TypeError, ValueError
        If there is not one finite score for each name, or `target` is not a class.

    Examples
    --------
    >>> figure = plot_score_gradient(np.array([0.0, 1.0, -1.0]), target=1)
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['0.24', '-0.33', '0.09']
    """
    require_finite("plot_score_gradient", "logits", logits, f"D={len(class_names)}")
    _, gradient = softmax_cross_entropy(logits[None], np.array([target]))
    y = np.eye(len(logits))[target]

    figure, (above, below) = stacked_panels(2, width=WIDTH, height=480)
    _bars(above, gradient[0] + y, target)
    _bars(below, gradient[0], target)
    below.axhline(0, color="black", linewidth=0.8)
    names = [fit_name(name, 330 / len(logits), lines=3) for name in class_names]
    below.set_xticks(range(len(logits)), names)
    above.set(ylabel="probability p", ylim=(0, 1.15))
    below.set(ylabel="gradient p - y", ylim=(-1.2, 1.2))
    return figure


def _bars(panel: Axes, heights: Array, target: int) -> None:
    """Draw a bar for each class with its value at the end, the true class in orange."""
    colors = [ORANGE if j == target else SKY for j in range(len(heights))]
    bars = panel.bar(range(len(heights)), heights, width=0.6, color=colors, edgecolor=BLUE)
    panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=FONT)
