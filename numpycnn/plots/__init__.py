"""Plots: every figure, each a function that returns a matplotlib `Figure`."""

from numpycnn.plots.figure import show  # first, because it says how to install matplotlib

# isort: split
from numpycnn.plots.architectures import plot_architecture
from numpycnn.plots.convolution import (
    plot_pictures,
    plot_pooling,
    plot_responses,
    plot_signals,
    plot_windows,
)
from numpycnn.plots.derivatives import plot_matrices, plot_step_sweep
from numpycnn.plots.descent import plot_losses, plot_paths
from numpycnn.plots.inside import (
    plot_equivariance,
    plot_filters,
    plot_inside,
    plot_receptive_fields,
    plot_saliency,
)
from numpycnn.plots.loss import plot_pull, plot_surprise
from numpycnn.plots.phases import plot_phases
from numpycnn.plots.results import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_traces,
)

__all__ = [
    "plot_accuracy",
    "plot_architecture",
    "plot_confusion",
    "plot_equivariance",
    "plot_filters",
    "plot_inside",
    "plot_learning_curves",
    "plot_losses",
    "plot_matrices",
    "plot_paths",
    "plot_phases",
    "plot_pictures",
    "plot_pooling",
    "plot_pull",
    "plot_receptive_fields",
    "plot_responses",
    "plot_saliency",
    "plot_signals",
    "plot_step_sweep",
    "plot_surprise",
    "plot_traces",
    "plot_windows",
    "show",
]
