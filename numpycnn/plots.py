"""Plots: look at the traces, then at the learning.

A number such as "accuracy 1.000" says little about *what* was learned. Two
pictures say more. The first shows traces with the name of the class they belong
to and of the class the network gave them: are the mistakes those a person would
make? The second shows the loss and the accuracy epoch by epoch, on the traces
the network learns from and on those it does not. Where both losses fall, it
learns something about all such traces. Where the training loss falls on and the
validation loss turns up, it has begun to learn its own traces by heart.

Each function returns a matplotlib `Figure`, which belongs to the caller alone:
nothing is drawn on a screen and no list of open figures is kept. Save it with
`figure.savefig("traces.png")`, change it before that, or open it in a window with
`show`.

This is the only module that needs matplotlib, and `import numpycnn` leaves it out.
"""

from collections.abc import Callable, Sequence

import numpy as np

from numpycnn.checks.derivatives import complex_step, step_sweep
from numpycnn.layers.layer import Array
from numpycnn.traces import CLASS_NAMES
from numpycnn.training.fit import History
from numpycnn.validation import check_array

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as error:
    raise ImportError(
        "numpycnn.plots needs matplotlib, which is not installed; install it from the folder "
        "that holds numpycnn's setup.cfg: python -m pip install -e '.[plots]'"
    ) from error

DPI = 100  # so a hundredth of an inch is a pixel, and sizes can be given in pixels
GRID = "0.88"  # a light grey

# Two colours of the palette by M. Okabe and K. Ito, chosen to be told apart by
# colour-blind readers too. The line styles differ as well, for print in black and white.
CURVES = (("training", "#0072B2", "solid"), ("validation", "#D55E00", "dashed"))

FEW_EPOCHS = 10  # up to so many, each is marked with a dot

# What matplotlib falls back on without a screen, and its like: they only write files.
WINDOWLESS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def plot_traces(
    x: Array,
    labels: Sequence[int] | Array,
    predicted: Sequence[int] | Array,
    class_names: Sequence[str] = CLASS_NAMES,
) -> Figure:
    """Draw traces x (N, L, 1) under each other, each titled "true class -> predicted class".

    Args:
        x: the traces; their amplitude has no unit and lies between -1 and 1. Should one
            of them be larger, all the vertical axes grow with it.
        labels: what each trace is, a whole number that counts in `class_names`.
        predicted: what the network takes it for.
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
    check_array("plot_traces", "x", x, "N, L, C", (None, None, 1))
    true_names = _names("labels", labels, len(x), class_names)
    predicted_names = _names("predicted", predicted, len(x), class_names)

    n_traces, n_samples, _ = x.shape
    figure, panels = _stacked_panels(n_traces, width=720, height=20 + 200 * n_traces)
    top = 1.05 * max(1.0, float(np.abs(x).max()))
    for panel, trace, truth, guess in zip(panels, x, true_names, predicted_names, strict=True):
        panel.plot(np.arange(1, n_samples + 1), trace[:, 0], color="black", linewidth=1.6)
        panel.set(title=f"{truth} -> {guess}", ylabel="amplitude", ylim=(-top, top))
    panels[-1].set(xlabel="sample", xlim=(0.5, n_samples + 0.5))
    return figure


def plot_learning_curves(history: History) -> Figure:
    """Draw the cross-entropy and the accuracy of each epoch, in training and in validation.

    The cross-entropy is in nats (it is made with the natural logarithm). It has a
    logarithmic axis once it spans a factor of 100, because a loss that halves
    again and again is a straight line there, and the late epochs stay visible.

    At the same epoch the validation curve is a step ahead: its network has learned
    from the epoch, and the one of the training curve had not yet. See `History`.

    >>> figure = plot_learning_curves(History(loss=[1.1, 0.3, 0.1], accuracy=[0.3, 0.9, 1.0]))
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['cross-entropy', 'accuracy']

    Raises `ValueError` for a history without an epoch.
    """
    if not history.loss:
        raise ValueError("plot_learning_curves expected at least one epoch, got an empty history")
    figure, (loss_panel, accuracy_panel) = _stacked_panels(2, width=720, height=520)

    _plot_by_epoch(loss_panel, history.loss, history.val_loss)
    losses = [loss for loss in history.loss + history.val_loss if loss > 0]
    if losses and max(losses) > 100 * min(losses):  # less may not hold two labelled ticks
        loss_panel.set_yscale("log")
        loss_panel.yaxis.set_major_formatter("{x:g}")  # 0.01, not a power of ten
    loss_panel.set(ylabel="cross-entropy")
    loss_panel.legend(frameon=False)

    _plot_by_epoch(accuracy_panel, history.accuracy, history.val_accuracy)
    n_epochs = len(history.loss)
    accuracy_panel.set(ylabel="accuracy", ylim=(0, 1.05))
    accuracy_panel.set(xlabel="epoch", xlim=(0.5, n_epochs + 0.5))
    return figure


def plot_step_sweep(
    function: Callable[[Array], Array], exact: Callable[[Array], Array], at: float = 1.0
) -> Figure:
    """Draw the error of a derivative against the step: the V of central differences.

    Args:
        function: takes an array and returns one; it has to take complex numbers too.
        exact: its derivative, to hold the errors against.
        at: where the derivative is taken.

    Both axes are logarithmic. To the right of the tip the formula's own error grows with
    the square of the step; to the left the rounding of the subtraction grows as the step
    shrinks. The complex step subtracts nothing and is drawn as a level line.

    >>> figure = plot_step_sweep(np.exp, np.exp)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['central differences', 'complex step']
    """
    point, along = np.array([at]), np.array([1.0])
    truth = float(exact(point)[0])
    steps, found = step_sweep(function, point, along)
    errors = [abs(float(one.middle[0]) - truth) / abs(truth) for one in found]
    best = abs(float(complex_step(function, point, along).middle[0]) - truth) / abs(truth)

    figure, (panel,) = _stacked_panels(1, width=720, height=380)
    smallest = np.finfo(np.float64).eps / 4  # so that an error of zero has a place on the axis
    (_, blue, solid), (_, orange, dashed) = CURVES
    panel.loglog(
        steps,
        np.maximum(errors, smallest),
        label="central differences",
        color=blue,
        linestyle=solid,
        marker="o",
    )
    panel.axhline(max(best, smallest), label="complex step", color=orange, linestyle=dashed)
    panel.set(xlabel="step", ylabel="relative error")
    panel.legend(frameon=False)
    return figure


def show(*figures: Figure) -> None:
    """Open a window for each figure, and return when all of them have been closed.

    Raises `RuntimeError` where no window can be opened: there is no screen, or
    nothing to draw windows with, such as tkinter.
    """
    from matplotlib import pyplot  # here, because it is the part that asks for a screen

    backend = pyplot.get_backend()
    if backend.lower() in WINDOWLESS:
        raise RuntimeError(
            "show expected a screen and a toolkit that draws windows on it, tkinter or Qt say; "
            f"matplotlib found none and fell back on {backend!r}. Save the figures instead: "
            "figure.savefig('figure.png'), or --output DIR in the examples"
        )
    for figure in figures:
        # pyplot wants to make the figure that goes into its window: it is given ours.
        pyplot.figure(FigureClass=lambda *_, ours=figure, **__: ours)  # type: ignore[arg-type]
    pyplot.show()


# What the figures share
# ----------------------


def _stacked_panels(n_panels: int, width: int, height: int) -> tuple[Figure, Array]:
    """Return a figure of this size in pixels, and its panels, which share the horizontal axis."""
    margins = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)  # inches
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout=margins)
    panels = figure.subplots(n_panels, 1, sharex=True, squeeze=False)[:, 0]
    for panel in panels:
        panel.grid(color=GRID, linewidth=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    # There is no sample or epoch 2.5, and when there is but one, one tick will do.
    whole = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    panels[-1].xaxis.set_major_locator(whole)
    figure.align_ylabels()
    return figure, panels


def _plot_by_epoch(panel: Axes, training: list[float], validation: list[float]) -> None:
    """Draw one quantity against the epoch, counted from 1; without validation one curve."""
    for values, (label, color, style) in zip((training, validation), CURVES, strict=True):
        if values:
            epochs = np.arange(1, len(values) + 1)
            marker = "o" if len(values) <= FEW_EPOCHS else None
            panel.plot(epochs, values, label=label, color=color, linestyle=style, marker=marker)


def _names(
    argument: str, labels: Sequence[int] | Array, n_traces: int, class_names: Sequence[str]
) -> list[str]:
    """Return the class names that `labels` stand for, or raise."""
    known = np.asarray(labels)
    in_range = known.dtype.kind in "iu" and np.isin(known, range(len(class_names))).all()
    if known.shape != (n_traces,) or not in_range:
        raise ValueError(
            f"plot_traces expected {argument} from 0 to {len(class_names) - 1} for each of "
            f"{n_traces} traces, got {labels!r}"
        )
    return [class_names[label] for label in known]
