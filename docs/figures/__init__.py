"""Figures of the chapters.

The figures of your traces and networks are in `numpycnn.plots`. Those here illustrate a
chapter. To run the block of a chapter that draws one, start Python in the checkout, where it
finds `docs.figures`.
"""

from __future__ import annotations

from docs.figures.architectures import plot_architecture
from docs.figures.circuit import plot_circuit
from docs.figures.convolution import plot_pictures, plot_responses, plot_windows
from docs.figures.derivatives import plot_step_sweep
from docs.figures.descent import plot_paths
from docs.figures.loss import plot_pull, plot_surprise
from docs.figures.phases import plot_phases

__all__ = [
    "plot_architecture",
    "plot_circuit",
    "plot_paths",
    "plot_phases",
    "plot_pictures",
    "plot_pull",
    "plot_responses",
    "plot_step_sweep",
    "plot_surprise",
    "plot_windows",
]
