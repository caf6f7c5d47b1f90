"""Results: look at the traces, then at the learning.

A number such as "accuracy 1.000" says little about *what* was learned. Pictures say
more. Traces, with the name of the class they belong to and of the class the
network gave them: are the mistakes those a person would make? The loss and the
accuracy epoch by epoch, on the traces the network learns from and on those it does
not: where both losses fall, it learns something about all such traces; where the
training loss falls on and the validation loss turns up, it has begun to learn its
own traces by heart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatter

from numpycnn._types import Array
from numpycnn._validation import require_array, require_labels
from numpycnn.plots.figure import (
    BLUE,
    FONT,
    GRID,
    ORANGE,
    STYLES,
    WIDTH,
    blank_figure,
    draw_band,
    dress,
    legend_above,
    samples_of,
    stacked_panels,
)
from numpycnn.seismology.picking import require_onsets
from numpycnn.traces import CLASS_NAMES
from numpycnn.training.fit import History

FEW_EPOCHS = 10  # up to so many, each is marked with a dot

# A right answer and a wrong one differ by a mark as well as by color, for those who see no
# colors, and for print.

RIGHT, WRONG = ("\N{CHECK MARK}", BLUE), ("\N{BALLOT X}", ORANGE)


def plot_traces(
    x: Array,
    labels: Sequence[int] | Array,
    predicted: Sequence[int] | Array | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Figure:
    """Draw traces x (N, L, 1) under each other, each titled "true class -> predicted class".

    Args:
        x: the traces; their amplitude has no unit and lies between -1 and 1. Should one
            of them be larger, all the vertical axes grow with it.
        labels: what each trace is, a whole number that counts in `class_names`.
        predicted: what the network takes it for; without it the true class is all of the title.
            Beside the title stands a blue check where the two are the same, an orange cross where
            they are not.
        class_names: what the numbers 0, 1, 2, … mean.

    Samples are numbered from 1. The figure is 720 pixels wide, and 620 high for three traces.

    >>> from numpycnn import make_traces
    >>> x, labels = make_traces(3, rng=0)
    >>> figure = plot_traces(x, labels, [0, 1, 1])
    >>> [panel.get_title() for panel in figure.axes][1:]
    ['Positive arrival -> Positive arrival', 'Negative arrival -> Positive arrival']

    Raises `TypeError` or `ValueError` for traces of another shape, and for labels
    that are not one per trace or have no name.
    """
    require_array("plot_traces", "x", x, "N L C=1")
    given = {"labels": labels} if predicted is None else {"labels": labels, "predicted": predicted}
    for name, these in given.items():
        require_labels("plot_traces", name, these, len(class_names), (len(x),))
    n_traces, n_samples, _ = x.shape
    figure, panels = stacked_panels(n_traces, width=720, height=20 + 200 * n_traces)
    top = 1.05 * max(1.0, float(np.abs(x).max()))
    for panel, trace, *numbers in zip(panels, x, *given.values(), strict=True):
        panel.plot(samples_of(n_samples), trace[:, 0], color="black", linewidth=1.6)
        panel.set(title=" -> ".join(class_names[n] for n in numbers))
        if len(numbers) == 2:
            mark, color = RIGHT if numbers[0] == numbers[1] else WRONG
            panel.set_title(mark, loc="right", color=color, fontsize=FONT + 4)
        panel.set(ylabel="amplitude", ylim=(-top, top))
    panels[-1].set(xlabel="sample", xlim=(0.5, n_samples + 0.5))
    return figure


def plot_picks(x: Array, curve: Array, picks: Array, onsets: Array) -> Figure:
    """Draw a record x (L, C), channel under channel, and below it the curve (L,) that was picked.

    Args:
        x: the record.
        curve: the probability of an onset at each sample.
        picks: indices of samples; each is a dot on the curve.
        onsets: indices of samples; each is a line through all panels.

    Samples are counted from 0 here, as indices are. The figure is 720 pixels wide.

    >>> from numpycnn import make_records
    >>> x, (onsets,) = make_records(1, arrivals=(1, 1), rng=0)
    >>> figure = plot_picks(x[0], np.zeros(640), onsets, onsets)
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['channel 1', 'channel 2', 'channel 3', 'probability']

    Raises `TypeError` or `ValueError` for a record and a curve that do not belong together, and
    for picks or onsets outside of them.
    """
    require_array("plot_picks", "x", x, "L C")
    require_array("plot_picks", "curve", curve, f"L={len(x)}")
    picks, onsets = require_onsets("plot_picks", [picks, onsets], len(x))
    figure, panels = stacked_panels(x.shape[1] + 1, width=720, height=140 * (x.shape[1] + 1))
    for number, (panel, channel) in enumerate(zip(panels, x.T, strict=False), 1):
        panel.plot(channel, color="black", linewidth=0.8)
        panel.set(ylabel=f"channel {number}")
    panels[-1].plot(curve, linewidth=2, **STYLES[0])
    panels[-1].plot(picks, curve[picks], "o", color=STYLES[0]["color"], label="pick")
    for panel in panels:
        for place, onset in enumerate(onsets):
            label = "" if place else "onset"
            panel.axvline(onset, label=label, zorder=0.5, **STYLES[1])
    panels[-1].set(ylabel="probability", ylim=(-0.05, 1.05))
    panels[-1].set(xlabel="sample, counted from 0", xlim=(0, len(x) - 1))
    legend_above(panels[-1])
    return figure


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
        because the targets are neither labels nor probabilities, there is no panel for it.

    Raises
    ------
    ValueError
        If the history has no epoch.

    Notes
    -----
    The cross-entropy is in nats (it is made with the natural logarithm). It has a
    logarithmic axis once it spans a factor of 100, because a loss that halves
    again and again is a straight line there, and the late epochs stay visible.

    At the same epoch the validation curve is a step ahead: its network has learned
    from the epoch, and the one of the training curve had not yet. See `History`.

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
    losses = [loss for loss in history.loss + history.val_loss if loss > 0]
    if losses and max(losses) > 100 * min(losses):  # less may not hold two labeled ticks
        _make_logarithmic(loss_panel)
    loss_panel.set(ylabel="cross-entropy")
    loss_panel.legend(frameon=False, fontsize=FONT)

    for accuracy_panel in accuracy_panels:
        _plot_by_epoch(accuracy_panel, history.accuracy, history.val_accuracy)
        accuracy_panel.set(ylabel="accuracy", ylim=(0, 1.05))
    figure.axes[-1].set(xlabel="epoch", xlim=(0.5, len(history.loss) + 0.5))
    return figure


def plot_losses(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how the loss of several trainings falls, epoch by epoch.

    Args:
        losses: for each name the loss of every epoch, in nats, `History.loss` say.

    The vertical axis is logarithmic, so a loss that halves again and again is a straight
    line; values of zero have no place on it and are left out.

    >>> figure = plot_losses({"lr 0.1": [1.1, 0.5, 0.2], "lr 0.2": [1.1, 0.3, 0.1]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['lr 0.1', 'lr 0.2']

    Raises `ValueError` for no training, and for more than can be told apart.
    """
    if not 0 < len(losses) <= len(STYLES):
        raise ValueError(f"plot_losses expected 1 to {len(STYLES)} trainings, got {len(losses)}")
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=440)
    for (name, values), style in zip(losses.items(), STYLES, strict=False):
        drawn = np.where(np.asarray(values) > 0, values, np.nan)
        panel.plot(np.arange(1, len(drawn) + 1), drawn, label=name, linewidth=2, **style)
    _make_logarithmic(panel)
    panel.set(xlabel="epoch", ylabel="cross-entropy")
    legend_above(panel, ncols=len(losses))
    return figure


def plot_confusion(counts: Array, class_names: Sequence[str] = CLASS_NAMES) -> Figure:
    """Draw a confusion matrix: row i, column j counts the traces of class i called class j.

    `counts` (D, D) are whole numbers, as `confusion_matrix` returns them. Each cell holds
    its count, and is darker the larger its share of its row, so that a class with few
    traces shows its mistakes as plainly as one with many. The right answers, on the diagonal, are
    blue and framed; the mistakes are orange.

    >>> figure = plot_confusion(np.array([[9, 1], [0, 5]]), ["noise", "event"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['9', '1', '0', '5']

    Raises `ValueError` for counts that are not square, or not one row for each class name.
    """
    counts = np.asarray(counts)
    n_classes = len(class_names)
    if counts.shape != (n_classes, n_classes) or counts.dtype.kind not in "iu":
        raise ValueError(
            f"plot_confusion expected counts of shape ({n_classes}, {n_classes}), whole numbers, a "
            f"row for each of {n_classes} class names, got {counts.dtype} of shape {counts.shape}; "
            "make them with confusion_matrix, and name the classes"
        )
    few = n_classes <= 4  # so that their names stand side by side
    figure = blank_figure(WIDTH, 180 + (90 if few else 45) * n_classes)
    panel = figure.subplots()
    dress(panel)
    panel.grid(visible=False)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    is_right = np.eye(n_classes, dtype=bool)
    for hidden, cmap in ((~is_right, "Blues"), (is_right, "Oranges")):
        shown = np.ma.masked_array(shares, hidden)
        panel.imshow(shown, cmap=cmap, vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(counts):
        frame = Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, linewidth=2.5, clip_on=False)
        panel.add_patch(frame)
        for j, count in enumerate(row):
            ink = "white" if shares[i, j] > (0.5 if i == j else 0.75) else "black"
            panel.text(j, i, str(count), ha="center", va="center", color=ink, fontsize=FONT + 2)
    names = [name.replace(" ", "\n") if few else name for name in class_names]
    panel.set_xticks(range(n_classes), names, rotation=0 if few else 90)
    panel.set_yticks(range(n_classes), names)
    panel.set(xlabel="predicted class", ylabel="true class")
    return figure


def plot_accuracy(
    at: Sequence[float] | Array,
    curves: Mapping[str, Array],
    xlabel: str,
    trained_on: tuple[float, float] | None = None,
) -> Figure:
    """Draw accuracies against something that was varied, each with the spread over its seeds.

    Args:
        at: the values that were tried, M of them, in ascending order.
        curves: for each name the accuracies (n_seeds, M), between 0 and 1. The line is their
            mean over the seeds; the band reaches from the worst seed to the best.
        xlabel: what `at` is, with its unit: "arrival center, sample".
        trained_on: the range of `at` that the training saw, to be shaded.

    >>> figure = plot_accuracy([0, 1], {"rule": np.array([[1.0, 0.5]])}, xlabel="noise")
    >>> figure.axes[0].get_ylabel(), [line.get_label() for line in figure.axes[0].lines]
    ('accuracy', ['rule'])

    Raises `ValueError` for a curve of another shape, and for more curves than can be told apart.
    """
    if not 0 < len(curves) <= len(STYLES):
        raise ValueError(f"plot_accuracy expected 1 to {len(STYLES)} curves, got {len(curves)}")
    figure, (panel,) = stacked_panels(1, width=WIDTH, height=440)
    if trained_on:
        panel.axvspan(*trained_on, color=GRID, zorder=0, label="trained on")
    for (name, accuracies), style in zip(curves.items(), STYLES, strict=False):
        accuracies = np.asarray(accuracies, dtype=float)
        require_array("plot_accuracy", name, accuracies, f"n_seeds M={len(at)}")
        draw_band(panel, np.asarray(at), accuracies, name, style)
    panel.set(xlabel=xlabel, ylabel="accuracy", xlim=(min(at), max(at)), ylim=(-0.03, 1.03))
    legend_above(panel, ncols=2)
    return figure


def _make_logarithmic(panel: Axes) -> None:
    """Make the vertical axis logarithmic, with labels such as 0.01 and not a power of ten."""
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(LogFormatter())  # numbers between, where there is room


def _plot_by_epoch(panel: Axes, training: list[float], validation: list[float]) -> None:
    """Draw one quantity against the epoch, counted from 1; without validation one curve."""
    curves = (training, "training"), (validation, "validation")
    for (values, label), style in zip(curves, STYLES, strict=False):
        if not np.isnan(values).all():  # none, or no accuracy
            epochs = np.arange(1, len(values) + 1)
            marker = "o" if len(values) <= FEW_EPOCHS else None
            panel.plot(epochs, values, label=label, marker=marker, **style)
