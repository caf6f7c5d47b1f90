"""Inside: the maps of a network, and the samples that decide.

The figures of this chapter show the inside of a trained network: the outputs of the layers for a
trace, the samples on which each output depends, the samples that raise or lower the score of a
class, and how all of these change if the arrival is later. (The [filters](filters.py) do not depend
on the trace.)

The values are those of `numpycnn.inspection.explain`. The input is one trace, x of shape (1, L, C),
and samples are counted from 1. Amplitudes and scores have no unit, so the gradient of a score with
respect to an amplitude has no unit either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpycnn import GlobalMaxPool1D, ReLU, Sequential
from numpycnn._types import Array
from numpycnn._validation import check_int
from numpycnn.inspection.explain import (
    activations,
    receptive_fields,
    saliency,
)
from numpycnn.layers.receptive_field import ReceptiveField
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
    fit_name,
    largest,
    legend_above,
    own_style,
    samples_of,
    stacked_panels,
    whole_numbers_below,
    width_of,
)
from numpycnn.plots.one_trace import (
    TITLE,
    check_trace,
    draw_channels,
    draw_trace,
    limit_trace,
    probabilities_of,
)
from numpycnn.traces import CLASS_NAMES

# Maps
# ----
# The output of a convolution has a row for each filter, that of a pooling layer a shorter row.
# Each value is drawn above the samples on which it depends, so that a map is aligned with the
# trace even if it is shorter: centered on its receptive field, and as wide as the distance to the
# center of the next one.


@own_style()
def plot_inside(model: Sequential, x: Array, class_names: Sequence[str] = CLASS_NAMES) -> Figure:
    """Draw a trace, the maps of the layers on the same axis, and the class probabilities.

    Parameters
    ----------
    model : Sequential
        Begins with convolutions and pooling layers, and returns scores of shape (N, D).
    x : ndarray, shape (1, L, C)
        One trace.
    class_names : sequence of str
        The names of the D classes.

    Returns
    -------
    Figure
        A map has a row for each channel. It is white at zero, red above and blue below. If a
        `GlobalMaxPool1D` follows, a dot marks the maximum of each channel that is not constant.

    Raises
    ------
    TypeError, ValueError
        If `x` is not one finite trace, a parameter of the model is NaN or infinite, the model
        does not return scores of shape (N, D), or there is not one name for each class.

    Examples
    --------
    >>> from numpycnn import Conv1D, Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> [panel.get_ylabel() for panel in plot_inside(model, x).axes]
    ['amplitude', 'channel', '']
    """
    check_trace("plot_inside", model, x)
    probs = probabilities_of("plot_inside", model, x, class_names)
    maps = _maps(model, x)
    figure, panels = _panels_on_samples(x, maps, n_bars=len(probs))
    draw_trace(panels[0], x)
    for panel, one in zip(panels[1:-1], maps, strict=True):
        _draw_map(panel, one, one.strongest)
        strongest = f": darkest {one.strongest:.2g}"
        panel.set_title(fit_name(one.name, TITLE - width_of(strongest)) + strongest)
        if one.wins_by_maximum:
            _mark_maxima(panel, one)
    _draw_probabilities(panels[-1], class_names, {"": probs})
    return figure


class _Map(NamedTuple):
    """A map of a trace: its values, their receptive fields, and the layers that computed it."""

    name: str
    values: Array  # (M, C)
    field: ReceptiveField
    wins_by_maximum: bool  # whether a GlobalMaxPool1D comes next

    @property
    def strongest(self) -> float:
        return float(np.abs(self.values).max())

    @property
    def middles(self) -> Array:
        """The center of each value's receptive field, in samples counted from 1.

        Neighboring values with the same receptive field are drawn side by side.
        """
        first = 1 + np.mean(self.field.spans) - (self.field.stride - self.step) / 2
        return first + self.step * np.arange(len(self.values))

    @property
    def step(self) -> float:
        """Samples from one value to the next."""
        return self.field.stride / len(self.field.spans)


def _maps(model: Sequential, x: Array) -> list[_Map]:
    """Return the maps of the first layers, that of a ReLU in place of the one before it."""
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
    """Draw a map, a row for each channel, each value above the samples on which it depends."""
    n_channels = one.values.shape[1]
    edges = np.append(one.middles, one.middles[-1] + one.step) - one.step / 2
    rows = np.arange(n_channels + 1) + 0.5
    limit = strongest or 1.0
    panel.pcolormesh(edges, rows, one.values.T, cmap=SIGNED, vmin=-limit, vmax=limit)
    panel.set(ylabel="channel", ylim=(n_channels + 0.5, 0.5), yticks=sorted({1, n_channels}))


def _mark_maxima(panel: Axes, one: _Map) -> None:
    """Put a dot on the maximum of each channel that is not constant."""
    channels = np.flatnonzero(np.ptp(one.values, axis=0) > 0)
    maxima = one.values[:, channels].argmax(axis=0)
    panel.plot(one.middles[maxima], channels + 1, "o", color="black", markerfacecolor="white")


# Bars of different color also have different patterns, as curves have.

BARS: tuple[dict[str, Any], ...] = (
    {"color": BLUE},
    {"facecolor": ORANGE, "edgecolor": "white", "hatch": "//"},
)


def _draw_probabilities(panel: Axes, class_names: Sequence[str], probs: dict[str, Array]) -> None:
    """Draw the probability of each class as a bar, or as one for each of two traces."""
    thickness = 0.42 / len(probs)
    for i, (name, row) in enumerate(probs.items()):
        middles = np.arange(len(row)) + (i + 0.5) * thickness
        panel.barh(middles, row, height=0.9 * thickness, label=name, **BARS[i])
    for c, class_name in enumerate(class_names):
        numbers = ", ".join(f"{row[c]:.2f} {name}".strip() for name, row in probs.items())
        name = fit_name(class_name, WIDTH - 120 - width_of(f": {numbers}"))
        panel.text(0, c - 0.06, f"{name}: {numbers}", fontsize=FONT, va="bottom")
    panel.set(xlabel="probability", xlim=(0, 1), ylim=(len(class_names) - 0.4, -0.55), yticks=[])
    panel.spines["left"].set_visible(False)


# The samples that decide
# -----------------------


@own_style()
def plot_saliency(
    model: Sequential,
    x: Array,
    label: int | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Figure:
    """Draw a trace, the gradient of a class's score with respect to it, and gradient × input.

    Parameters
    ----------
    model : Sequential
        Returns scores of shape (N, D).
    x : ndarray, shape (1, L, C)
        One trace.
    label : int, optional
        The class whose score is differentiated; by default the predicted one.
    class_names : sequence of str
        The names of the D classes.

    Returns
    -------
    Figure
        Where the gradient is above zero, a larger sample would raise the score. Where gradient ×
        input is above zero, the present value of the sample has raised the score.

    Raises
    ------
    TypeError, ValueError
        If `x` is not one finite trace, a parameter of the model is NaN or infinite, the model
        does not return scores of shape (N, D), there is not one name for each class, or
        `label` is not a class.

    Examples
    --------
    >>> from numpycnn import Conv1D, Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> figure = plot_saliency(model, x, label=1)
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['amplitude', 'gradient', 'gradient × input']
    """
    check_trace("plot_saliency", model, x)
    probs = probabilities_of("plot_saliency", model, x, class_names)
    label = int(probs.argmax()) if label is None else label
    label = check_int("plot_saliency", "label", label, at_least=0)
    if label >= len(class_names):
        raise ValueError(
            f"plot_saliency: label must be from 0 to {len(class_names) - 1}, got {label}. "
            "Count the classes from 0."
        )
    gradient = saliency(model, x, label)
    figure, panels = stacked_panels(3, WIDTH, 560)
    draw_trace(panels[0], x)
    name = fit_name(class_names[label], TITLE - width_of("score of , probability 0.00"))
    panels[1].set_title(f"score of {name}, probability {probs[label]:.2f}")
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
        draw_channels(panel, samples_of(len(values)), values)
    panel.axhline(0, color=GRAY, linewidth=0.8)
    top = 1.1 * largest(values)
    panel.set(ylabel=name, ylim=(-top, top))


# Receptive fields
# ----------------


@own_style()
def plot_receptive_fields(model: Sequential, x: Array) -> Figure:
    """Draw a trace, and for each layer a bar over the receptive field of its middle output.

    Parameters
    ----------
    model : Sequential
        A model of layers with a known receptive field.
    x : ndarray, shape (1, L, C)
        One trace.

    Returns
    -------
    Figure
        A bar may begin before the trace or end after it, where the padding is. A gray bar is
        that of a layer whose outputs depend on all samples.

    Raises
    ------
    TypeError, ValueError
        If `x` is not one finite trace, a parameter of the model is NaN or infinite, or the model
        has a custom layer without a receptive field.

    Examples
    --------
    >>> from numpycnn import Conv1D
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), Conv1D(8, 8, 5, dilation=4))
    >>> figure = plot_receptive_fields(model, np.zeros((1, 64, 1)))
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['5 samples: Conv1D(1, 8, 5)', '5 samples: ReLU()', '21 samples: Conv1D(8, 8, 5, dilation=4)']
    """
    check_trace("plot_receptive_fields", model, x)
    length = x.shape[1]
    fields = receptive_fields(model, length)
    spans = [
        window.span(window.n_outputs // 2) if window.stride else (0, length - 1)
        for _, _, window in fields
    ]
    space = 46 * len(fields)
    figure, (trace, bars) = stacked_panels(2, WIDTH, 260 + space, height_ratios=[150, space])
    draw_trace(trace, x)
    for i, (field, (first, last)) in enumerate(zip(fields, spans, strict=True)):
        color = BLUE if field.receptive_field.stride else GRAY
        bars.barh(i + 0.25, last - first + 1, left=first + 0.5, height=0.35, color=color)
        size = f"{last - first + 1} sample{'s' if last > first else ''}"
        words = f"{size if field.receptive_field.stride else f'all {size}'}: {field.layer!r}"
        words = fit_name(words, WIDTH - 120)
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


@own_style()
def plot_equivariance(
    model: Sequential, x: Array, shift: int, class_names: Sequence[str] = CLASS_NAMES
) -> Figure:
    """Draw a trace and the same trace shifted, the first map of both, and the probabilities.

    Parameters
    ----------
    model : Sequential
        Begins with a convolution, and returns scores of shape (N, D).
    x : ndarray, shape (1, L, C)
        One trace.
    shift : int
        Samples by which the second trace is later, or, if negative, earlier. Samples shifted
        past one end are lost, and zeros fill the other end.
    class_names : sequence of str
        The names of the D classes.

    Returns
    -------
    Figure
        The trace, its first map and the probabilities, of both traces.

    Raises
    ------
    TypeError, ValueError
        If `x` is not one finite trace, a parameter of the model is NaN or infinite, the model has
        no map or does not return scores of shape (N, D), there is not one name for each class, or
        `shift` is not an integer smaller than the trace.

    Examples
    --------
    >>> from numpycnn import Conv1D, Dense, make_traces
    >>> model = Sequential(Conv1D(1, 8, 5), ReLU(), GlobalMaxPool1D(), Dense(8, 3))
    >>> x, _ = make_traces(1, rng=0)
    >>> [panel.get_title() for panel in plot_equivariance(model, x, 10).axes][1:3]
    ['Conv1D and ReLU, as it is', 'Conv1D and ReLU, shifted by 10']
    """
    check_trace("plot_equivariance", model, x)
    length = x.shape[1]
    shift = check_int("plot_equivariance", "shift", shift, at_least=1 - length)
    if shift >= length:
        raise ValueError(
            f"plot_equivariance: shift must be below L={length}, got {shift}. Reduce shift."
        )
    traces = {"as it is": x, f"shifted by {shift}": _shifted(x, shift)}
    probs = {
        name: probabilities_of("plot_equivariance", model, trace, class_names)
        for name, trace in traces.items()
    }
    maps = [_maps(model, trace) for trace in traces.values()]
    if not maps[0]:
        raise ValueError(
            "plot_equivariance: model must begin with a layer that has a map, such as Conv1D, "
            f"got {model.layers[0]!r} first. Use plot_saliency."
        )
    pair = [first for first, *_ in maps]

    figure, panels = _panels_on_samples(x, pair, n_bars=len(class_names))
    limit_trace(panels[0], x)
    for (name, trace), style in zip(traces.items(), STYLES, strict=False):
        lines = panels[0].plot(samples_of(length), trace[0], **style)
        lines[0].set_label(name)  # one name for all channels
    legend_above(panels[0])
    strongest = max(one.strongest for one in pair)
    for panel, name, one in zip(panels[1:], traces, pair, strict=False):
        _draw_map(panel, one, strongest)
        panel.set_title(f"{fit_name(one.name, TITLE - width_of(f', {name}'))}, {name}")
    _draw_probabilities(panels[-1], class_names, probs)
    return figure


def _shifted(x: Array, shift: int) -> Array:
    """Return the trace `shift` samples later, with zeros where no sample is known."""
    moved = np.roll(x, shift, axis=1)
    moved[:, slice(shift) if shift >= 0 else slice(shift, None)] = 0
    return moved
