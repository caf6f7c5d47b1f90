"""Plots: a function for each figure of your traces, networks and checks."""

from __future__ import annotations

from numpycnn.plots.figure import show  # first, because it says how to install matplotlib

# isort: split
from numpycnn.plots.inside import (
    plot_equivariance,
    plot_filters,
    plot_inside,
    plot_receptive_fields,
    plot_saliency,
)
from numpycnn.plots.matrices import plot_matrices
from numpycnn.plots.results import (
    plot_accuracy,
    plot_confusion,
    plot_learning_curves,
    plot_losses,
    plot_picks,
    plot_traces,
)

__all__ = [
    "plot_accuracy",
    "plot_confusion",
    "plot_equivariance",
    "plot_filters",
    "plot_inside",
    "plot_learning_curves",
    "plot_losses",
    "plot_matrices",
    "plot_picks",
    "plot_receptive_fields",
    "plot_saliency",
    "plot_traces",
    "show",
]
