"""Filters: the taps of a convolution and their amplitude spectra.

A filter of a convolution is a short trace itself. Seismologists describe one in two ways: as a
wavelet, and by its spectrum, which shows the frequencies that pass the filter.

Five taps have a spectrum of three values. Zeros after the taps add no information, but the
longer transform draws the curve between these values.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from numpycnn._validation import positive, require_finite
from numpycnn.layers.conv1d import Conv1D
from numpycnn.plots.figure import (
    FONT,
    GRAY,
    WIDTH,
    blank_figure,
    dress,
    own_style,
    whole_numbers_below,
)
from numpycnn.plots.one_trace import RETRAIN, draw_channels

N_FFT = 512  # samples to transform, zeros included, at least


@own_style()
def plot_filters(layer: Conv1D, sample_rate: float = 1.0) -> Figure:
    """Draw the taps of each filter, and beside them its amplitude spectrum.

    Parameters
    ----------
    layer : Conv1D
        A convolution. For several input channels there is a curve for each; the line styles
        repeat after five.
    sample_rate : float
        Samples per second, for a frequency axis in Hz. By default the frequency is in cycles per
        sample, of which 0.5 is the highest that samples can represent.

    Returns
    -------
    Figure
        640 pixels wide, and 1000 high for eight filters. All filters have the same vertical
        axes, so they can be compared.

    Raises
    ------
    TypeError
        If `layer` is not a Conv1D.
    ValueError
        If a weight is NaN or infinite, or the sample rate is not a number above 0.

    Examples
    --------
    >>> figure = plot_filters(Conv1D(1, 8, 5))
    >>> len(figure.axes), figure.axes[0].get_ylabel()
    (16, 'filter 1')
    """
    if not isinstance(layer, Conv1D):
        raise TypeError(
            f"plot_filters: layer must be a Conv1D, got {layer!r}. "
            "Take one out of the model: model.layers[0]."
        )
    positive("plot_filters", "sample_rate", sample_rate)
    w = layer.params["w"]  # (K, C, F)
    require_finite("plot_filters", "layer.params['w']", w, "K C F", fix=RETRAIN)
    spread = np.zeros((layer.effective_kernel_size, *w.shape[1:]), w.dtype)
    spread[:: layer.dilation] = w  # a dilated filter has zeros between its taps
    n_fft = max(N_FFT, 8 * layer.effective_kernel_size)
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    spectra = np.abs(np.fft.rfft(spread, n_fft, axis=0))

    figure = blank_figure(WIDTH, 80 + 115 * layer.out_channels)
    panels = figure.subplots(layer.out_channels, 2, squeeze=False, sharex="col", sharey="col")
    taps_at = 1 + layer.dilation * np.arange(layer.kernel_size)
    for f, (taps, spectrum) in enumerate(panels):
        for panel in (taps, spectrum):
            dress(panel)
            panel.yaxis.set_major_locator(MaxNLocator(3))
        draw_channels(taps, taps_at, w[:, :, f], marker="o")
        taps.axhline(0, color=GRAY, linewidth=0.8)
        taps.set_ylabel(f"filter {f + 1}")
        draw_channels(spectrum, frequencies, spectra[:, :, f])
    panels[0, 0].set_title("weight of each tap")
    panels[0, 1].set_title("amplitude spectrum")
    taps.set(xlabel="sample under the filter", xlim=(0.5, layer.effective_kernel_size + 0.5))
    whole_numbers_below(taps)
    unit = "cycles/sample" if sample_rate == 1 else "Hz"
    spectrum.set(xlabel=f"frequency, {unit}", xlim=(0, sample_rate / 2), ylim=(0, None))
    if layer.in_channels > 1:
        figure.legend(
            handles=spectrum.lines,
            loc="outside upper center",
            ncols=3,
            fontsize=FONT,
            frameon=False,
        )
    return figure
