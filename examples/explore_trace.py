"""Explore a trace: move an arrival by hand, and watch what the network makes of it.

A table says how often a network is right. It does not give a feeling for *when* it is not.
Here is one trace, and everything about it can be moved: where the arrival lies, how wide
and how high it is, its sign, the noise. With it move the feature maps, the class
probabilities, and the samples on which the decision rests. Two networks can be
asked, and they disagree where [the position test](where_does_it_work.py) says they do.

Things to try. With the flatten head, pull the centre slowly to the right, past the green
range it was trained on. Then choose the global head, and do it again. Set the
amplitude to zero: how small can an arrival be, and still be seen? And how much noise does
it take until a quiet trace is no longer quiet?

    python examples/explore_trace.py
    python examples/explore_trace.py --output figures

The first opens a window. The second needs no screen: it saves a picture of the
window, and an animation of an arrival that walks through the trace.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.widgets import RadioButtons, Slider
from PIL import Image

from numpycnn import (
    CLASS_NAMES,
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    MaxPool1D,
    ReLU,
    Sequential,
    evaluate,
    fit,
    make_traces,
    train_test_split,
)
from numpycnn.explain import activations, probabilities, saliency
from numpycnn.plots import show
from numpycnn.plots.figure import (
    BLUE,
    DPI,
    FONT,
    GREEN,
    ORANGE,
    dress,
    samples_of,
    whole_numbers_below,
)

# The options
# -----------

parser = argparse.ArgumentParser(
    description="Move an arrival through a trace and watch two networks judge it."
)
parser.add_argument("--seed", type=int, default=0, help="of the traces and networks (default: 0)")
parser.add_argument(
    "--output", type=Path, metavar="DIR", help="save a picture and an animation, open no window"
)
args = parser.parse_args()

if args.seed < 0:
    parser.error(f"--seed must be 0 or more, got {args.seed}")
if args.output:
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output must be a folder, or a path where one can be made: {error}")

# Two networks
# ------------
# They share everything up to the feature maps. Then the *flatten head* gives each place of
# the trace weights of its own, and the *global head* keeps the largest answer of each
# filter and forgets where it was. Both learn from the same 144 traces, in 60 epochs.

rng = np.random.default_rng(args.seed)
x, labels = make_traces(180, rng=rng)
x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=rng)


def network(*head):
    """A convolution, a ReLU and this head."""
    convolution = Conv1D(1, 8, 5, padding="same", rng=rng)
    return Sequential(convolution, ReLU(), *head, ReLU(), Dense(16, 3, rng=rng))


models = {
    "flatten head": network(MaxPool1D(2), Flatten(), Dense(256, 16, rng=rng)),
    "global head": network(GlobalMaxPool1D(), Dense(8, 16, rng=rng)),
}
for name, model in models.items():
    fit(model, x_train, y_train, epochs=60, lr=5e-3)
    print(f"{name:12}   held out: accuracy {evaluate(model, x_test, y_test)[1]:.3f}")

# What can be moved
# -----------------
# A dial has two ends, a place where it starts, a step, and the range that its quantity had
# in the training. Most of each dial lies outside that range: that is where there
# is something to find out.

N_SAMPLES = x.shape[1]


class Dial(NamedTuple):
    """A quantity that a slider moves."""

    label: str
    low: float
    high: float
    start: float
    step: float
    trained_on: tuple[float, float]
    shown_as: str


DIALS = {
    "centre": Dial("centre (sample)", -8, N_SAMPLES + 8, 32, 1, (12, N_SAMPLES - 12), "%d"),
    "width": Dial("width (samples)", 0.5, 10, 3, 0.1, (2.6, 3.4), "%.1f"),
    "amplitude": Dial("amplitude", 0, 1.5, 0.95, 0.05, (0.9, 1.0), "%.2f"),
    "noise": Dial("noise", 0, 0.5, 0.03, 0.01, (0.03, 0.03), "%.2f"),
}
POLARITIES = "quiet", "positive", "negative"

# The trace is made by `make_traces`, as those of the training were, with ranges so narrow
# that they hold one value. It starts from the same seed each time. So the noise is
# the same draw throughout, only larger or smaller, and nothing moves but what the reader moves.


def trace(label, centre, width, amplitude, noise):
    """One trace (1, L, 1) of this class."""
    x, _ = make_traces(
        1,
        rng=np.random.default_rng((args.seed, 1)),  # not the noise of a training trace
        n_samples=N_SAMPLES,
        labels=[label],
        centre=(round(centre), round(centre)),
        width=(width, width),
        amplitude=(amplitude, amplitude),
        noise=noise,
    )
    return x


# The feature maps are what the first ReLU hands on, 8 channels of 64 samples. The saliency is
# the gradient of the score of the predicted class by each sample: how much that score
# would rise if the sample did. Where it is zero the network does not look, for this trace.


class View(NamedTuple):
    """What a network makes of one trace."""

    maps: np.ndarray  # (L, F)
    gradient: np.ndarray  # (L,)
    chances: np.ndarray  # (3,)


def look(model, x):
    """Ask `model` about the trace x (1, L, 1)."""
    _, relu, *_ = activations(model, x)
    chances = probabilities(model, x)
    gradient = saliency(model, x, chances.argmax(axis=-1))
    return View(relu.output[0], gradient[0, :, 0], chances[0])


# The axes must not jump while the arrival moves. So each network has fixed scales: the
# largest value of its maps and of its saliency on the traces it learned from.


def scales(model):
    """The upper ends of the colour scale and of the saliency's axis."""
    views = [look(model, one[None]) for one in x_train]
    return max(view.maps.max() for view in views), max(abs(view.gradient).max() for view in views)


# The window
# ----------
# To draw the whole window takes longer than a hand will wait. But most of it stands still
# while a slider moves. So a picture is kept of what stands still, the *backdrop*, and a move
# costs only that picture and the few artists in front of it.


class Explorer:
    """The figure, its controls, and the artists that follow them."""

    def __init__(self, models):
        self.models = models
        self.scales = {name: scales(model) for name, model in models.items()}
        self.figure = Figure(figsize=(720 / DPI, 720 / DPI), dpi=DPI)
        self.lay_out_panels()
        self.draw_once()
        self.lay_out_controls()
        self.backdrop = None
        self.moving = [self.trace_line, self.maps_image, self.gradient_line, *self.bars]
        self.moving.append(self.trace_panel.title)
        for slider in self.sliders.values():
            knob = slider.ax.lines[-1]
            self.moving += [slider.poly, knob, slider.valtext]
        for artist in self.moving:
            artist.set_animated(True)  # so that the backdrop is drawn without it
        # A function, because of methods matplotlib keeps weak references only.
        self.figure.canvas.mpl_connect("draw_event", lambda event: self.keep_backdrop(event))
        self.update()

    def lay_out_panels(self):
        """Three panels on one sample axis, the probabilities beside the first."""
        grid = self.figure.add_gridspec(
            3,
            2,
            left=0.115,
            right=0.97,
            bottom=0.335,
            top=0.945,
            width_ratios=(2.9, 1),
            hspace=0.16,
            wspace=0.48,
        )
        self.trace_panel = self.figure.add_subplot(grid[0, 0])
        below = [self.figure.add_subplot(grid[i, 0], sharex=self.trace_panel) for i in (1, 2)]
        self.maps_panel, self.saliency_panel = below
        self.chances_panel = self.figure.add_subplot(grid[0, 1])
        for panel in self.figure.axes:
            dress(panel)
        for panel in (self.trace_panel, self.maps_panel):
            panel.tick_params(labelbottom=False)
        self.trace_panel.set(ylabel="amplitude", ylim=(-1.05, 1.05), xlim=(0.5, N_SAMPLES + 0.5))
        self.maps_panel.set(ylabel="channel")
        self.maps_panel.grid(visible=False)  # a saved picture would have it in front of the maps
        self.saliency_panel.set(ylabel="saliency", xlabel="sample")
        self.maps_panel.yaxis.set_major_locator(MaxNLocator(integer=True))
        self.chances_panel.set(title="probability", xlim=(0, 1), xticks=(0, 1))
        self.chances_panel.invert_yaxis()  # quiet first, as among the buttons
        self.saliency_panel.yaxis.set_major_locator(MaxNLocator(4, symmetric=True))
        whole_numbers_below(self.saliency_panel)

    def draw_once(self):
        """Create every artist that will move, without numbers yet."""
        samples, nothing = samples_of(N_SAMPLES), np.zeros(N_SAMPLES)
        (self.trace_line,) = self.trace_panel.plot(samples, nothing, color="black", linewidth=1.6)
        (self.gradient_line,) = self.saliency_panel.plot(samples, nothing, color=ORANGE)
        n_channels = self.models["flatten head"].layers[0].out_channels
        self.maps_image = self.maps_panel.imshow(
            np.zeros((n_channels, N_SAMPLES)),
            aspect="auto",
            origin="lower",
            cmap="Blues",
            interpolation="nearest",
            extent=(0.5, N_SAMPLES + 0.5, 0.5, n_channels + 0.5),
        )
        self.bars = self.chances_panel.barh(POLARITIES, np.zeros(3), color=BLUE)

    def lay_out_controls(self):
        """Four sliders below, two sets of buttons on the right; each calls `update`."""
        self.sliders = {}
        for i, (name, dial) in enumerate(DIALS.items()):
            place = self.figure.add_axes((0.26, 0.195 - 0.048 * i, 0.6, 0.04))
            slider = Slider(
                place,
                dial.label,
                dial.low,
                dial.high,
                valinit=dial.start,
                valstep=dial.step,
                valfmt=dial.shown_as,
                initcolor="none",
                color=BLUE,
            )
            place.axvspan(*dial.trained_on, 0.02, 0.14, color=GREEN, linewidth=3)
            self.sliders[name] = slider
        self.polarity = self.buttons("polarity", POLARITIES, 1, (0.72, 0.47, 0.26, 0.17))
        self.head = self.buttons("network", list(self.models), 0, (0.72, 0.31, 0.26, 0.13))
        for text in [t for s in self.sliders.values() for t in (s.label, s.valtext)]:
            text.set_fontsize(FONT)
        for control in self.sliders.values():
            control.drawon = False  # `update` draws
            control.on_changed(self.update)
        for control in (self.polarity, self.head):
            control.drawon = False
            control.on_clicked(self.update_all)
        self.figure.text(0.26, 0.012, "green: as in the training", color=GREEN, fontsize=FONT)

    def buttons(self, title, names, active, place):
        """Radio buttons under a title."""
        panel = self.figure.add_axes(place, frameon=False)
        panel.set_title(title, fontsize=FONT, loc="left")
        return RadioButtons(
            panel,
            names,
            active,
            activecolor=BLUE,
            useblit=False,
            label_props={"fontsize": [FONT]},
            radio_props={"s": [60]},
        )

    def update(self, _=None):
        """Make the trace that the controls ask for, ask the network, show the answer."""
        dials = {name: slider.val for name, slider in self.sliders.items()}
        self.x = trace(POLARITIES.index(self.polarity.value_selected), **dials)
        head = self.head.value_selected
        view = look(self.models[head], self.x)
        largest_map, largest_gradient = self.scales[head]

        self.trace_line.set_ydata(self.x[0, :, 0])
        self.maps_image.set_data(view.maps.T)
        self.maps_image.set_clim(0, largest_map)
        self.gradient_line.set_ydata(view.gradient)
        self.saliency_panel.set_ylim(-1.1 * largest_gradient, 1.1 * largest_gradient)
        for bar, chance in zip(self.bars, view.chances, strict=True):
            bar.set_width(chance)
        self.trace_panel.set_title(f"{head}: {CLASS_NAMES[view.chances.argmax()]}")
        if self.backdrop is None:
            self.figure.canvas.draw_idle()
        else:
            self.figure.canvas.restore_region(self.backdrop)
            self.draw_moving()
            self.figure.canvas.blit(self.figure.bbox)

    def update_all(self, _):
        """Draw the backdrop anew as well: a button changes it, and with the head its scales."""
        self.backdrop = None
        self.update()

    def keep_backdrop(self, event):
        """After the window was drawn: keep its picture, and put in front what moves."""
        if event.canvas.supports_blit and not event.canvas.is_saving():
            self.backdrop = event.canvas.copy_from_bbox(self.figure.bbox)
            self.draw_moving()

    def draw_moving(self):
        """Draw the artists that follow the sliders."""
        for artist in self.moving:
            artist.axes.draw_artist(artist)


explorer = Explorer(models)
window = explorer.figure

# The walk
# --------
# The animation moves the controls as a hand would: the arrival walks through the trace, from
# before its first sample to behind its last, once for each network. The slider calls
# `update`, and what it drew is the next frame.

STEP = 4  # samples from one frame to the next
FRAMES_PER_SECOND = 6


def save_walk(explorer, path):
    """Write the walk for every network, one after the other, as a GIF."""
    canvas, dial, frames = FigureCanvasAgg(explorer.figure), DIALS["centre"], []
    for head in range(len(explorer.models)):
        explorer.head.set_active(head)
        canvas.draw()
        for centre in range(dial.low, dial.high + 1, STEP):
            explorer.sliders["centre"].set_val(centre)
            frames.append(Image.fromarray(np.array(canvas.buffer_rgba())[:, :, :3]))
    milliseconds = 1000 / FRAMES_PER_SECOND
    frames[0].save(path, append_images=frames[1:], save_all=True, duration=milliseconds, loop=0)


if args.output:
    window.savefig(args.output / "explore_trace.png")
    save_walk(explorer, args.output / "explore_trace.gif")
    print(f"\nsaved {args.output / 'explore_trace.png'} and {args.output / 'explore_trace.gif'}")
else:
    try:
        show(window)
    except RuntimeError as error:
        parser.error(str(error))
