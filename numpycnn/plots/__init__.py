"""Plots: every figure, each a function that returns a matplotlib `Figure`."""

from numpycnn.plots.figure import show  # first, because it says how to install matplotlib

# isort: split
from numpycnn.plots.derivatives import plot_step_sweep
from numpycnn.plots.results import plot_learning_curves, plot_traces

__all__ = ["plot_learning_curves", "plot_step_sweep", "plot_traces", "show"]
