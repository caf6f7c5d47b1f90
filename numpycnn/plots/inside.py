"""Inside: the filters, the maps and the samples that decide.

The figures of this chapter open a trained network. What has each filter become? What do
the layers make of a trace, and where in the trace does each of their numbers come from?
Which samples speak for a class, and which against it? What happens to all that when the
arrival comes later?

The numbers are those of `numpycnn.inspection.explain`. The traces are given one at a time, as
x (1, L, C), and samples are counted from 1. Amplitudes have no unit, and neither have scores,
so a gradient of the one with respect to the other has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from numpycnn._types import Array
from numpycnn._validation import check_int, require_array, require_finite
from numpycnn.inspection.explain import (
    activations,
    probabilities,
    receptive_fields,
    require_row_of_scores,
    saliency,
)
from numpycnn.layers import GlobalMaxPool1D, ReceptiveField, ReLU, Sequential
from numpycnn.layers.conv1d import Conv1D
from numpycnn.plots.figure import (
    BLUE,
    FONT,
    GRAY,
    ORANGE,
    SIGNED,
    SKY,
    STYLES,
    WIDTH,
    blank_figure,
    dress,
    legend_above,
    samples_of,
    stacked_panels,
    whole_numbers_below,
)
from numpycnn.traces import CLASS_NAMES

# Filters
# -------
# A filter of a convolution is a short trace itself, and a seismologist looks at one in two
# ways: as a wavelet, and through its spectrum. Which frequencies does it let through?
#
# Five taps have a spectrum of three numbers. Zeros after the taps add no information, but
# they draw the curve between those numbers.

N_FFT = 512  # samples to transform, zeros included, at least


def plot_filters(layer: Conv1D, sample_rate: float = 1.0) -> Figure:
    """Draw each filter's taps, and beside them its amplitude spectrum.

    Args:
        layer: a convolution; with several input channels there is a curve for each, of which
            the sixth looks like the first again.
        sample_rate: samples per second, for a frequency axis in Hz; by default the frequency is
            in cycles per sample, of which 0.5 is the most that samples can show.

    All filters have the same vertical axes, so they can be compared. The figure is 640 pixels
    wide, and 1000 high for eight filters.

    >>> figure = plot_filters(Conv1D(1, 8, 5))
    >>> len(figure.axes), figure.axes[0].get_ylabel()
    (16, 'filter 1')

    Raises `TypeError` for what is no Conv1D, and `ValueError` for a sample rate that is
    not a number above 0.
    """
    if not isinstance(layer, Conv1D):
        raise TypeError(
            f"plot_filters expected a Conv1D, got {layer!r}; "
            "take one out of the model: model.layers[0]"
        )
    if not 0 < sample_rate < np.inf:
        raise ValueError(f"plot_filters expected a sample_rate above 0, got {sample_rate}")

    w = layer.params["w"]  # (K, C, F)
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
        _draw_channels(taps, taps_at, w[:, :, f], marker="o")
        taps.axhline(0, color=GRAY, linewidth=0.8)
        taps.set_ylabel(f"filter {f + 1}")
        _draw_channels(spectrum, frequencies, spectra[:, :, f])
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


# Maps
# ----
# After a convolution there is a row of numbers for each filter, after a pooling a
# shorter row. Each number is drawn over the samples it looks at, so that a map stays in
# line with the trace however much shorter it is: at the middle of its receptive field, and
# as wide as from there to the middle of the next one's.


def plot_inside(model: Sequential, x: Array, class_names: Sequence[str] = CLASS_NAMES) -> Figure:
    """Draw a trace, what the layers make of it on the same axis, and the class probabilities.

    Args:
        model: convolutions and poolings in front, and a row of scores for each trace at the end.
        x: one trace (1, L, C).
        class_names: what the scores mean.

    A map has a row for each channel. It is white at zero and red above; where a map has
    negative numbers, these are blue. If a `GlobalMaxPool1D` follows, a dot marks the number
    that won, in each channel that is not the same throughout.

    >>> from numpycnn import Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> [panel.get_ylabel() for panel in plot_inside(model, x).axes]
    ['amplitude', 'channel', '']

    Raises `TypeError` or `ValueError` for anything but one trace, for a model without a
    row of scores for each trace, and for names that are not one per score.
    """
    _check_trace("plot_inside", model, x)
    chances = _chances("plot_inside", model, x, class_names)
    maps = _maps(model, x)
    figure, panels = _panels_on_samples(x, maps, n_bars=len(chances))
    _draw_trace(panels[0], x)
    for panel, one in zip(panels[1:-1], maps, strict=True):
        _draw_map(panel, one, one.strongest)
        panel.set_title(f"{one.name}: darkest {one.strongest:.2g}")
        if one.wins_by_maximum:
            _mark_winners(panel, one)
    _draw_chances(panels[-1], class_names, {"": chances})
    return figure


class _Map(NamedTuple):
    """A map of a trace: its numbers, what they look at, and which layers made it."""

    name: str
    values: Array  # (M, C)
    field: ReceptiveField
    wins_by_maximum: bool  # whether a GlobalMaxPool1D comes next

    @property
    def strongest(self) -> float:
        return float(np.abs(self.values).max())

    @property
    def middles(self) -> Array:
        """Where each number stands, in samples counted from 1: amid those that it looks at.

        Numbers in turn that look at the same samples stand beside each other.
        """
        first = 1 + np.mean(self.field.spans) - (self.field.stride - self.step) / 2
        return first + self.step * np.arange(len(self.values))

    @property
    def step(self) -> float:
        """Samples from one number to the next."""
        return self.field.stride / len(self.field.spans)


def _maps(model: Sequential, x: Array) -> list[_Map]:
    """Return the maps of the layers in front, a ReLU's in place of the one that it got."""
    seen = activations(model, x)
    fields = [one.receptive_field for one in receptive_fields(model, x.shape[1])]
    maps: list[_Map] = []
    for i, (_, layer, output) in enumerate(seen):
        if fields[i].stride == 0:
            break
        name = type(layer).__name__
        if isinstance(layer, ReLU) and maps:
            name = f"{maps.pop().name} and ReLU"
        pooled = i + 1 < len(seen) and isinstance(seen[i + 1].layer, GlobalMaxPool1D)
        maps.append(_Map(name, output[0], fields[i], pooled))
    return maps


def _panels_on_samples(x: Array, maps: Sequence[_Map], n_bars: int) -> tuple[Figure, Array]:
    """Return a figure with a panel for the trace, one for each map on its axis, one for bars."""
    heights = [150, *(60 + 14 * min(one.values.shape[1], 16) for one in maps), 20 + 52 * n_bars]
    figure = blank_figure(WIDTH, 80 + 35 * len(heights) + sum(heights))
    panels = figure.subplots(len(heights), 1, height_ratios=heights)
    for panel in panels:
        dress(panel)
    for panel in panels[1:-1]:
        panel.sharex(panels[0])
        panel.grid(visible=False)
    for panel in panels[:-2]:
        panel.tick_params(labelbottom=False)
    whole_numbers_below(panels[-2])
    panels[-2].set_xlabel("sample")
    figure.align_ylabels(panels[:-1])
    return figure, panels


def _draw_map(panel: Axes, one: _Map, strongest: float) -> None:
    """Draw a map, a row for each channel, each number above the samples it looks at."""
    n_channels = one.values.shape[1]
    edges = np.append(one.middles, one.middles[-1] + one.step) - one.step / 2
    rows = np.arange(n_channels + 1) + 0.5
    limit = strongest or 1.0
    panel.pcolormesh(edges, rows, one.values.T, cmap=SIGNED, vmin=-limit, vmax=limit)
    panel.set(ylabel="channel", ylim=(n_channels + 0.5, 0.5), yticks=sorted({1, n_channels}))


def _mark_winners(panel: Axes, one: _Map) -> None:
    """Put a dot on each channel's largest number, if there is one."""
    channels = np.flatnonzero(np.ptp(one.values, axis=0) > 0)
    winners = one.values[:, channels].argmax(axis=0)
    panel.plot(one.middles[winners], channels + 1, "o", color="black", markerfacecolor="white")


# As with curves, what differs in color differs in its pattern, too.

BARS: tuple[dict[str, Any], ...] = (
    {"color": BLUE},
    {"facecolor": ORANGE, "edgecolor": "white", "hatch": "//"},
)


def _draw_chances(panel: Axes, class_names: Sequence[str], chances: dict[str, Array]) -> None:
    """Draw the probability of each class as a bar, or as one for each of two traces."""
    thickness = 0.42 / len(chances)
    for i, (name, row) in enumerate(chances.items()):
        middles = np.arange(len(row)) + (i + 0.5) * thickness
        panel.barh(middles, row, height=0.9 * thickness, label=name, **BARS[i])
    for c, class_name in enumerate(class_names):
        numbers = ", ".join(f"{row[c]:.2f} {name}".strip() for name, row in chances.items())
        panel.text(0, c - 0.06, f"{class_name}: {numbers}", fontsize=FONT, va="bottom")
    panel.set(xlabel="probability", xlim=(0, 1), ylim=(len(class_names) - 0.4, -0.55), yticks=[])
    panel.spines["left"].set_visible(False)


# The samples that decide
# -----------------------


def plot_saliency(
    model: Sequential,
    x: Array,
    label: int | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Figure:
    """Draw a trace, the gradient of a class's score for each sample, and gradient × input.

    Args:
        model: gives a row of scores for each trace.
        x: one trace (1, L, C).
        label: the class whose score it is; by default the one that the model names.
        class_names: what the scores mean.

    Where the gradient is above zero, a larger sample would raise the score. Where gradient ×
    input is, the sample as it is has raised it.

    >>> from numpycnn import Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> figure = plot_saliency(model, x, label=1)
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['amplitude', 'gradient', 'gradient × input']

    Raises `TypeError` or `ValueError` for anything but one trace, for a model without a
    row of scores for each trace, for names that are not one per score, and for a label
    without a name.
    """
    _check_trace("plot_saliency", model, x)
    chances = _chances("plot_saliency", model, x, class_names)
    label = int(chances.argmax()) if label is None else label
    label = check_int("plot_saliency", "label", label, at_least=0)
    if label >= len(class_names):
        raise ValueError(
            f"plot_saliency expected a label from 0 to {len(class_names) - 1}, got {label}"
        )
    gradient = saliency(model, x, label)
    figure, panels = stacked_panels(3, WIDTH, 560)
    _draw_trace(panels[0], x)
    panels[1].set_title(f"score of {class_names[label]}, probability {chances[label]:.2f}")
    _draw_signed(panels[1], gradient[0], "gradient")
    _draw_signed(panels[2], gradient[0] * x[0], "gradient \N{MULTIPLICATION SIGN} input")
    panels[-1].set_xlabel("sample")
    return figure


def _draw_signed(panel: Axes, values: Array, name: str) -> None:
    """Draw values (L, C) about zero; those of a single channel filled, by sign."""
    if values.shape[1] == 1:
        edges = np.arange(len(values) + 1) + 0.5
        panel.stairs(values[:, 0].clip(min=0), edges, fill=True, color=ORANGE)
        panel.stairs(values[:, 0].clip(max=0), edges, fill=True, color=BLUE)
    else:
        _draw_channels(panel, samples_of(len(values)), values)
    panel.axhline(0, color=GRAY, linewidth=0.8)
    top = 1.1 * float(np.abs(values).max()) or 1.0
    panel.set(ylabel=name, ylim=(-top, top))


# Receptive fields
# ----------------


def plot_receptive_fields(model: Sequential, x: Array) -> Figure:
    """Draw a trace, and for each layer a bar over the samples its middle output looks at.

    A bar may begin before the trace or end after it, where the padding is.

    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), Conv1D(8, 8, 5, dilation=4))
    >>> figure = plot_receptive_fields(model, np.zeros((1, 64, 1)))
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['5 samples: Conv1D(1, 8, 5)', '5 samples: ReLU()', '21 samples: Conv1D(8, 8, 5, dilation=4)']

    Raises `TypeError` or `ValueError` for anything but one trace, and for a model with
    layers of your own.
    """
    _check_trace("plot_receptive_fields", model, x)
    length = x.shape[1]
    fields = receptive_fields(model, length)
    spans = [
        window.span(window.n_outputs // 2) if window.stride else (0, length - 1)
        for _, _, window in fields
    ]
    space = 46 * len(fields)
    figure, (trace, bars) = stacked_panels(2, WIDTH, 260 + space, height_ratios=[150, space])
    _draw_trace(trace, x)
    for i, (field, (first, last)) in enumerate(zip(fields, spans, strict=True)):
        color = BLUE if field.receptive_field.stride else GRAY
        bars.barh(i + 0.25, last - first + 1, left=first + 0.5, height=0.35, color=color)
        so_many = f"{last - first + 1} sample{'s' if last > first else ''}"
        words = f"{so_many if field.receptive_field.stride else f'all {so_many}'}: {field.layer!r}"
        bars.text(0.01, i, words, transform=bars.get_yaxis_transform(), fontsize=FONT, va="bottom")
    for first, last in {span for span in spans if span != (0, length - 1)}:
        trace.axvspan(first + 0.5, last + 1.5, color=SKY, alpha=0.3, linewidth=0)
    begin, end = np.min(spans), np.max(spans)
    bars.set(xlabel="sample", xlim=(min(0, begin) + 0.5, max(length - 1, end) + 1.5))
    bars.set(ylim=(len(fields) - 0.4, -0.5), yticks=[])
    bars.spines["left"].set_visible(False)
    return figure


# Equivariance
# ------------


def plot_equivariance(
    model: Sequential, x: Array, shift: int, class_names: Sequence[str] = CLASS_NAMES
) -> Figure:
    """Draw a trace and the same trace later, the first map of both, and the probabilities.

    Args:
        model: a convolution in front, and a row of scores for each trace at the end.
        x: one trace (1, L, C).
        shift: by how many samples it comes later, or, if negative, earlier. What leaves at
            one end is lost, and zeros come in at the other.
        class_names: what the scores mean.

    >>> from numpycnn import Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> [panel.get_title() for panel in plot_equivariance(model, x, 10).axes][1:3]
    ['Conv1D and ReLU, as it is', 'Conv1D and ReLU, shifted by 10']

    Raises `TypeError` or `ValueError` for anything but one trace, for a shift that is no
    whole number or leaves nothing of the trace, for a model without a map or without a
    row of scores for each trace, and for names that are not one per score.
    """
    _check_trace("plot_equivariance", model, x)
    length = x.shape[1]
    shift = check_int("plot_equivariance", "shift", shift, at_least=1 - length)
    if shift >= length:
        raise ValueError(f"plot_equivariance expected shift below L={length}, got {shift}")
    traces = {"as it is": x, f"shifted by {shift}": _shifted(x, shift)}
    chances = {
        name: _chances("plot_equivariance", model, trace, class_names)
        for name, trace in traces.items()
    }
    maps = [_maps(model, trace) for trace in traces.values()]
    if not maps[0]:
        raise ValueError(
            "plot_equivariance expected a model with a map, got one that begins with "
            f"{model.layers[0]!r}"
        )
    pair = [first for first, *_ in maps]

    figure, panels = _panels_on_samples(x, pair, n_bars=len(class_names))
    _limit_trace(panels[0], x)
    for (name, trace), style in zip(traces.items(), STYLES, strict=False):
        lines = panels[0].plot(samples_of(length), trace[0], **style)
        lines[0].set_label(name)  # one name for all channels
    legend_above(panels[0])
    strongest = max(one.strongest for one in pair)
    for panel, name, one in zip(panels[1:], traces, pair, strict=False):
        _draw_map(panel, one, strongest)
        panel.set_title(f"{one.name}, {name}")
    _draw_chances(panels[-1], class_names, chances)
    return figure


def _shifted(x: Array, shift: int) -> Array:
    """The same trace `shift` samples later, with zeros where nothing is known."""
    moved = np.roll(x, shift, axis=1)
    moved[:, slice(shift) if shift >= 0 else slice(shift, None)] = 0
    return moved


# What several of them need
# -------------------------


def _check_trace(caller: str, model: Sequential, x: Array) -> None:
    """Raise unless the model is a Sequential and x is one trace of finite numbers."""
    if not isinstance(model, Sequential):
        raise TypeError(f"{caller} expected a Sequential, got {model!r}")
    require_array(caller, "x", x, "...")
    if x.ndim != 3 or len(x) != 1:
        mend = "take one trace: x[:1]" if x.ndim == 3 else "one trace is x[:1] of a batch (N, L, C)"
        raise ValueError(f"{caller} expected x of shape (1, L, C), got {x.shape}; {mend}")
    require_finite(caller, "x", x, "N L C")


def _chances(caller: str, model: Sequential, x: Array, class_names: Sequence[str]) -> Array:
    """Return the probability of each class for one trace, or raise if there is no name for it."""
    chances = probabilities(model, x)
    require_row_of_scores(caller, chances)
    if len(class_names) != chances.shape[1]:
        raise ValueError(
            f"{caller} expected a name for each of {chances.shape[1]} classes, "
            f"got class_names={class_names!r}"
        )
    row: Array = chances[0]
    return row


def _draw_trace(panel: Axes, x: Array) -> None:
    """Draw one trace x (1, L, C), with limits that hold it."""
    _draw_channels(panel, samples_of(x.shape[1]), x[0])
    _limit_trace(panel, x)
    if x.shape[2] > 1:
        legend_above(panel)


def _limit_trace(panel: Axes, x: Array) -> None:
    """Label the axes of one trace, with the limits of `plot_traces`."""
    top = 1.05 * max(1.0, float(np.abs(x).max()))
    panel.set(ylabel="amplitude", ylim=(-top, top), xlim=(0.5, x.shape[1] + 0.5))


def _draw_channels(panel: Axes, at: Array, values: Array, marker: str | None = None) -> None:
    """Draw values (L, C): a curve for each channel, a single one in black."""
    if values.shape[1] == 1:
        panel.plot(at, values[:, 0], color="black", linewidth=1.6, marker=marker)
        return
    for c, row in enumerate(values.T):
        label = f"channel {c + 1}"
        panel.plot(at, row, marker=marker, label=label, **STYLES[c % len(STYLES)])
