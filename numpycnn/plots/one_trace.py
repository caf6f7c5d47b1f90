"""One trace: the checks and the curves that the figures of the inside of a network share."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from numpycnn import Sequential
from numpycnn._types import Array
from numpycnn._validation import require_array, require_finite
from numpycnn.inspection.explain import probabilities, require_row_of_scores
from numpycnn.plots.figure import STYLES, draw_curve, legend_above, samples_of, trace_limit

RETRAIN = "Train the model again with a smaller lr, or load a saved one."
TITLE = 500  # pixels for a title


def check_trace(caller: str, model: Sequential, x: Array) -> None:
    """Raise unless the model is a Sequential, x is one trace, and both are finite."""
    if not isinstance(model, Sequential):
        raise TypeError(
            f"{caller}: model must be a Sequential, got {model!r}. Use Sequential(layer)."
        )
    require_array(caller, "x", x, "...")
    if x.ndim != 3 or len(x) != 1:
        fix = "Take one trace: x[:1]" if x.ndim == 3 else "One trace is x[:1] of a batch (N, L, C)"
        raise ValueError(f"{caller}: x must have shape (1, L, C), got {x.shape}. {fix}.")
    require_finite(caller, "x", x, "N L C", fix="Fill the gap, or draw another trace.")
    for name, array in model.params.items():
        require_finite(caller, f"model.params[{name!r}]", array, fix=RETRAIN)


def probabilities_of(caller: str, model: Sequential, x: Array, class_names: Sequence[str]) -> Array:
    """Return the probability of each class for one trace, or raise unless each has a name."""
    probs = probabilities(model, x)
    require_row_of_scores(caller, probs)
    if len(class_names) != probs.shape[1]:
        raise ValueError(
            f"{caller}: class_names must be {probs.shape[1]} names, one for each class, "
            f"got {class_names!r}. Pass class_names=(...)."
        )
    row: Array = probs[0]
    return row


def draw_trace(panel: Axes, x: Array) -> None:
    """Draw one trace x (1, L, C), with limits that contain it."""
    draw_channels(panel, samples_of(x.shape[1]), x[0])
    limit_trace(panel, x)
    if x.shape[2] > 1:
        legend_above(panel)


def limit_trace(panel: Axes, x: Array) -> None:
    """Label the axes of one trace, with the limits of `plot_traces`."""
    top = trace_limit(x)
    panel.set(ylabel="amplitude", ylim=(-top, top), xlim=(0.5, x.shape[1] + 0.5))


def draw_channels(panel: Axes, at: Array, values: Array, marker: str | None = None) -> None:
    """Draw values (L, C): a curve for each channel, a single one in black."""
    if values.shape[1] == 1:
        draw_curve(panel, at, values[:, 0], color="black", linewidth=1.6, marker=marker)
        return
    for c, row in enumerate(values.T):
        label = f"channel {c + 1}"
        draw_curve(panel, at, row, marker=marker, label=label, **STYLES[c % len(STYLES)])
