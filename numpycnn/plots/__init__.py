"""Plots: a function for each figure of your traces, networks and checks, and of the tutorial."""

from __future__ import annotations

from numpycnn.plots.figure import show  # first, because it says how to install matplotlib

# isort: split
from numpycnn.plots.architectures import plot_architecture
from numpycnn.plots.derivatives import plot_step_sweep
from numpycnn.plots.descent import plot_paths
from numpycnn.plots.filters import plot_filters
from numpycnn.plots.inside import (
    plot_equivariance,
    plot_inside,
    plot_receptive_fields,
    plot_saliency,
)
from numpycnn.plots.loss import plot_score_gradient, plot_surprise
from numpycnn.plots.matrices import plot_matrices
from numpycnn.plots.phases import plot_phases
from numpycnn.plots.results import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_losses,
    plot_picks,
    plot_traces,
)
from numpycnn.plots.windows import plot_responses, plot_windows

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
    "plot_picks",
    "plot_receptive_fields",
    "plot_responses",
    "plot_saliency",
    "plot_score_gradient",
    "plot_step_sweep",
    "plot_surprise",
    "plot_traces",
    "plot_windows",
    "show",
]
