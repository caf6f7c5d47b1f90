"""Results: figures of the traces, the training and the predictions.

An accuracy of 1.000 does not show *what* was learned. Figures show more. Traces titled with
their true and their predicted class show whether the errors are those a person would make. The
loss and the accuracy of each epoch, for the training set and for the validation set, show where
overfitting begins: both losses fall while the network learns something that is true of all
traces, and the validation loss rises when the network memorizes the training set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from numpycnn._targets import require_labels
from numpycnn._types import Array
from numpycnn._validation import require_array, require_finite
from numpycnn.plots.figure import (
    BLUE,
    FONT,
    GRID,
    ORANGE,
    STYLES,
    WIDTH,
    blank_figure,
    draw_band,
    draw_curve,
    dress,
    fit_name,
    legend_above,
    limits_around,
    make_logarithmic,
    note_if_empty,
    own_style,
    samples_of,
    stacked_panels,
    trace_limit,
    width_of,
)
from numpycnn.seismology.picking import require_onsets
from numpycnn.traces import CLASS_NAMES
from numpycnn.training.fit import History

FEW_EPOCHS = 10  # up to this number, each epoch is marked with a dot

# A correct and an incorrect prediction differ by a mark as well as by color, for color-blind
# readers and for print.

RIGHT, WRONG = ("\N{CHECK MARK}", BLUE), ("\N{BALLOT X}", ORANGE)


@own_style()
def plot_traces(
    x: Array,
    labels: Sequence[int] | Array,
    predicted: Sequence[int] | Array | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Figure:
    """Draw traces one below another, each titled "true class -> predicted class".

    Parameters
    ----------
    x : ndarray, shape (N, L, 1)
        The traces. Their amplitude has no unit and is usually between -1 and 1. All panels
        have the same vertical axis, which grows with larger traces and shrinks if all are below
        0.01. A value that is NaN or infinite is a gap.
    labels : array_like of int, shape (N,)
        The true class of each trace, an index into `class_names`.
    predicted : array_like of int, shape (N,), optional
        The predicted class. A blue check mark follows the title if it is correct, and an
        orange cross if not. Without `predicted` the title is the true class.
    class_names : sequence of str
        The names of the classes, in the order of the labels.

    Returns
    -------
    Figure
        720 pixels wide, and 620 high for three traces. The time to draw it is proportional to N.

    Raises
    ------
    TypeError, ValueError
        If the traces have another shape, or if there is not one label with a name for each.

    Examples
    --------
    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(3, rng=0)
    >>> figure = plot_traces(x, labels, [0, 1, 1])
    >>> [panel.get_title() for panel in figure.axes][1:]
    ['Positive arrival -> Positive arrival', 'Negative arrival -> Positive arrival']
    """
    require_array("plot_traces", "x", x, "N L C=1")
    given = {"labels": labels} if predicted is None else {"labels": labels, "predicted": predicted}
    for name, these in given.items():
        require_labels("plot_traces", name, these, len(class_names), (len(x),))
    n_traces, n_samples, _ = x.shape
    figure, panels = stacked_panels(n_traces, 720, 20 + 200 * n_traces, sharex=False)
    top = trace_limit(x)
    names = [fit_name(name, 560 // len(given)) for name in class_names]  # and the mark
    for panel, trace, *numbers in zip(panels, x, *given.values(), strict=True):
        draw_curve(panel, samples_of(n_samples), trace[:, 0], color="black", linewidth=1.6)
        note_if_empty(panel)
        panel.set(title=" -> ".join(names[n] for n in numbers))
        if len(numbers) == 2:
            mark, color = RIGHT if numbers[0] == numbers[1] else WRONG
            panel.set_title(mark, loc="right", color=color, fontsize=FONT + 4)
        panel.set(ylabel="amplitude", ylim=(-top, top), xlim=(0.5, n_samples + 0.5))
    panels[-1].set(xlabel="sample")
    return figure


@own_style()
def plot_picks(x: Array, curve: Array, picks: Array, onsets: Array) -> Figure:
    """Draw a record, one channel below another, and below it the curve with its picks.

    Parameters
    ----------
    x : ndarray, shape (L, C)
        The record. A value that is NaN or infinite is a gap, as it is in `curve`.
    curve : ndarray, shape (L,)
        The probability of an onset at each sample.
    picks : array_like of int
        Indices of samples, ascending. Each is a dot on the curve.
    onsets : array_like of int
        Indices of samples, ascending. Each is a line through all panels.

    Returns
    -------
    Figure
        720 pixels wide. Samples are counted from 0, as indices are.

    Raises
    ------
    TypeError, ValueError
        If `curve` does not have one value for each sample of `x`, or if a pick or an onset is
        not one of the samples.

    Examples
    --------
    >>> from numpycnn import make_records
    >>> x, (onsets,) = make_records(1, arrivals=(1, 1), rng=0)
    >>> figure = plot_picks(x[0], np.zeros(640), onsets, onsets)
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['channel 1', 'channel 2', 'channel 3', 'probability']
    """
    require_array("plot_picks", "x", x, "L C")
    require_array("plot_picks", "curve", curve, f"L={len(x)}")
    picks, onsets = require_onsets("plot_picks", [picks, onsets], len(x))
    figure, panels = stacked_panels(x.shape[1] + 1, width=720, height=140 * (x.shape[1] + 1))
    samples = np.arange(len(x))
    for number, (panel, channel) in enumerate(zip(panels, x.T, strict=False), 1):
        draw_curve(panel, samples, channel, color="black", linewidth=0.8)
        panel.set(ylabel=f"channel {number}")
    draw_curve(panels[-1], samples, curve, linewidth=2, **STYLES[0])
    for panel in panels:
        note_if_empty(panel)
    if len(picks):
        panels[-1].plot(picks, curve[picks], "o", color=STYLES[0]["color"], label="pick")
    for panel in panels:
        for n, onset in enumerate(onsets):
            label = "" if n else "onset"
            panel.axvline(onset, label=label, zorder=0.5, **STYLES[1])
    panels[-1].set(ylabel="probability", ylim=(-0.05, 1.05))
    panels[-1].set(xlabel="sample, counted from 0", xlim=(-0.5, len(x) - 0.5))
    legend_above(panels[-1])
    return figure


@own_style()
def plot_learning_curves(history: History) -> Figure:
    """Draw the cross-entropy and the accuracy of each epoch, in training and in validation.

    Parameters
    ----------
    history : History
        The result of `fit`.

    Returns
    -------
    Figure
        A panel with the loss and below it one with the accuracy. Where the accuracy is NaN,
        because the targets are neither labels nor probabilities, the panel for it is left out.

    Raises
    ------
    ValueError
        If the history has no epoch.

    Notes
    -----
    The cross-entropy is in nats, the unit of the natural logarithm. Its axis is logarithmic if
    the values span a factor of 100 and all are above 0. On such an axis a loss that halves again
    and again is a straight line, and the late epochs stay visible.

    At the same epoch the validation curve is ahead of the training curve by the steps of one
    epoch. See `History`.

    Examples
    --------
    >>> figure = plot_learning_curves(History(loss=[1.1, 0.3, 0.1], accuracy=[0.3, 0.9, 1.0]))
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['cross-entropy', 'accuracy']
    """
    if not history.loss:
        raise ValueError("plot_learning_curves: history must have an epoch or more, got none.")
    has_accuracy = not np.isnan(history.accuracy + history.val_accuracy).all()
    height = 520 if has_accuracy else 290
    figure, (loss_panel, *accuracy_panels) = stacked_panels(
        1 + has_accuracy, width=720, height=height
    )

    _plot_by_epoch(loss_panel, history.loss, history.val_loss)
    make_logarithmic(loss_panel, history.loss + history.val_loss, factor=100)
    loss_panel.set(ylabel="cross-entropy")
    if loss_panel.lines:
        loss_panel.legend(frameon=False, fontsize=FONT)

    for accuracy_panel in accuracy_panels:
        _plot_by_epoch(accuracy_panel, history.accuracy, history.val_accuracy)
        accuracy_panel.set(ylabel="accuracy", ylim=(0, 1.05))
    figure.axes[-1].set(xlabel="epoch", xlim=(0.5, len(history.loss) + 0.5))
    return figure


@own_style()
def plot_losses(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss of several trainings against the epoch.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        For each name the loss of every epoch in nats, `History.loss` for example. A loss that is
        NaN or infinite is a gap.

    Returns
    -------
    Figure
        The vertical axis is logarithmic, so that a loss that halves again and again is a
        straight line. If a loss is 0 or less, the axis is linear.

    Raises
    ------
    ValueError
        If `losses` is empty, or has more trainings than there are line styles.

    Examples
    --------
    >>> figure = plot_losses({"lr 0.1": [1.1, 0.5, 0.2], "lr 0.2": [1.1, 0.3, 0.1]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['lr 0.1', 'lr 0.2']
    """
    if not 0 < len(losses) <= len(STYLES):
        raise ValueError(
            f"plot_losses: losses must have 1 to {len(STYLES)} trainings, got {len(losses)}. "
            "Draw several figures."
        )
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=440)
    for (name, values), style in zip(losses.items(), STYLES, strict=False):
        draw_curve(panel, np.arange(1, len(values) + 1), values, label=name, linewidth=2, **style)
    note_if_empty(panel)
    make_logarithmic(panel, np.concatenate([np.ravel(values) for values in losses.values()]))
    panel.set(xlabel="epoch", ylabel="cross-entropy")
    legend_above(panel, ncols=len(losses))
    return figure


@own_style()
def plot_confusion(counts: Array, class_names: Sequence[str] = CLASS_NAMES) -> Figure:
    """Draw a confusion matrix: row i, column j counts the traces of class i predicted as class j.

    Parameters
    ----------
    counts : ndarray of int, shape (D, D)
        The result of `confusion_matrix`.
    class_names : sequence of str
        The names of the D classes.

    Returns
    -------
    Figure
        Each cell has its count. It is darker the larger its fraction of the row, so that
        the errors are visible for rare classes too. Correct predictions, on the diagonal, are
        blue and framed. Errors are orange.

    Raises
    ------
    ValueError
        If the counts are not integers, or not a row and a column for each name.

    Examples
    --------
    >>> figure = plot_confusion(np.array([[9, 1], [0, 5]]), ["noise", "event"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['9', '1', '0', '5']
    """
    counts = np.asarray(counts)
    n_classes = len(class_names)
    if counts.shape != (n_classes, n_classes) or counts.dtype.kind not in "iu" or not n_classes:
        raise ValueError(
            f"plot_confusion: counts must be integers of shape ({n_classes}, {n_classes}), a row "
            f"for each of {n_classes} class names, got {counts.dtype} of shape {counts.shape}. "
            "Make them with confusion_matrix, and pass class_names."
        )
    few = n_classes <= 4  # so that their names fit side by side
    cell = max(45, width_of(f"{counts.max()}") * (FONT + 2) / FONT + 10)  # pixels
    names = [fit_name(name, 110 if few else 200, lines=3 if few else 1) for name in class_names]
    besides = 90 + max(width_of(line) for name in names for line in name.split("\n"))
    width = max(WIDTH, round(besides + cell * n_classes))
    height = 180 + (90 if few else 45) * n_classes
    figure = blank_figure(width, height if few else round(height + besides - 90))
    panel = figure.subplots()
    dress(panel)
    panel.grid(visible=False)
    fractions = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    is_right = np.eye(n_classes, dtype=bool)
    for hidden, cmap in ((~is_right, "Blues"), (is_right, "Oranges")):
        shown = np.ma.masked_array(fractions, hidden)
        panel.imshow(shown, cmap=cmap, vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(counts):
        frame = Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, linewidth=2.5, clip_on=False)
        panel.add_patch(frame)
        for j, count in enumerate(row):
            ink = "white" if fractions[i, j] > (0.5 if i == j else 0.75) else "black"
            panel.text(j, i, str(count), ha="center", va="center", color=ink, fontsize=FONT + 2)
    panel.set_xticks(range(n_classes), names, rotation=0 if few else 90)
    panel.set_yticks(range(n_classes), names)
    panel.set(xlabel="predicted class", ylabel="true class")
    return figure


@own_style()
def plot_accuracy(
    at: Sequence[float] | Array,
    curves: Mapping[str, Array],
    xlabel: str,
    trained_on: tuple[float, float] | None = None,
) -> Figure:
    """Draw accuracies against a quantity that was varied, each with the range over its seeds.

    Parameters
    ----------
    at : array_like, shape (M,)
        The values of the quantity, in ascending order.
    curves : mapping of str to ndarray, shape (n_seeds, M)
        For each name the accuracies, between 0 and 1. The line is their mean over the seeds, and
        the band extends from the lowest to the highest. NaN is a gap.
    xlabel : str
        Name of the quantity, with its unit: "arrival center, sample".
    trained_on : tuple of float, optional
        The lowest and the highest value in the training set. The range is shaded.

    Returns
    -------
    Figure
        A line and a band for each name.

    Raises
    ------
    ValueError
        If a curve has another shape, if `at` is not finite, or if there are more curves than line
        styles.

    Examples
    --------
    >>> figure = plot_accuracy([0, 1], {"rule": np.array([[1.0, 0.5]])}, xlabel="noise")
    >>> figure.axes[0].get_ylabel(), [line.get_label() for line in figure.axes[0].lines]
    ('accuracy', ['rule'])
    """
    if not 0 < len(curves) <= len(STYLES):
        raise ValueError(
            f"plot_accuracy: curves must be 1 to {len(STYLES)}, got {len(curves)}. "
            "Draw several figures."
        )
    at = np.asarray(at, dtype=float)
    require_finite("plot_accuracy", "at", at, "M")
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=440)
    if trained_on:
        panel.axvspan(*trained_on, color=GRID, zorder=0, label="trained on")
    for (name, accuracies), style in zip(curves.items(), STYLES, strict=False):
        accuracies = np.asarray(accuracies, dtype=float)
        require_array("plot_accuracy", f"curves[{name!r}]", accuracies, f"n_seeds M={len(at)}")
        draw_band(panel, at, accuracies, name, style)
    note_if_empty(panel)
    panel.set(ylabel="accuracy", xlim=limits_around(at), ylim=(-0.03, 1.03))
    panel.set_xlabel(fit_name(xlabel, WIDTH - 120, lines=2))
    legend_above(panel, ncols=2)
    return figure


def _plot_by_epoch(panel: Axes, training: list[float], validation: list[float]) -> None:
    """Draw a quantity against the epoch, counted from 1; without validation a single curve."""
    curves = (training, "training"), (validation, "validation")
    for (values, label), style in zip(curves, STYLES, strict=False):
        if np.isfinite(values).any():  # else without validation, or without accuracy
            epochs = np.arange(1, len(values) + 1)
            marker = "o" if len(values) <= FEW_EPOCHS else None
            draw_curve(panel, epochs, values, label=label, marker=marker, **style)
    note_if_empty(panel)
