"""Move an arrival with sliders and see the outputs of two networks.

A table shows how often a network is correct, but not for which traces. This example shows one
trace. Sliders change the position, width, amplitude and sign of its arrival and the noise. The
feature maps, the class probabilities and the saliency are updated at once. The two networks
disagree at the positions that [the position test](where_does_it_work.py) finds.

Experiments: Select the flatten head and move the center slowly to the right, beyond the green range
of the training set. Repeat this with the global head. Reduce the amplitude to find the smallest
arrival that is detected. Increase the noise until a quiet trace is classified as an arrival.

    python examples/explore_trace.py
    python examples/explore_trace.py --output figures

The first command opens a window. The second requires no screen and saves a picture.
"""

from _shared.options import (
    Options,
    at_least,
)  # first, because it reports a missing package in one line

# isort: split
import numpy as np
from matplotlib.widgets import RadioButtons, Slider

import numpycnn as nn
from _shared.two_heads import network
from numpycnn.inspection.explain import activations, probabilities, saliency
from numpycnn.plots import figure as paper

options = Options(
    "Move an arrival through a trace and see the predictions of two networks.",
    files=["explore_trace.png"],
    output=None,
)
options.add_argument("--seed", type=at_least(0), default=0, help="seed of the traces and networks")
args = options.read()

# Two networks
# ------------
# The networks are the same up to the feature maps. Then the *flatten head* has separate weights for
# each position, and the *global head* keeps only the maximum of each filter. Both are trained on
# the same 144 traces for 60 epochs.

rng = np.random.default_rng(args.seed)
x, labels = nn.make_traces(180, rng=rng)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)
models = {f"{head} head": network(head, rng) for head in ("flatten", "global")}
for name, model in models.items():
    nn.fit(model, x_train, y_train, epochs=60, lr=5e-3)
    print(f"{name:12}   test set: accuracy {nn.evaluate(model, x_test, y_test)[1]:.3f}")

# The sliders
# -----------
# Each slider has a label, two ends, an initial value, a step, the range of its quantity in the
# training set, and a number format. Most of each slider is outside the range of the training set.

N_SAMPLES = x.shape[1]
DIALS = {
    "center": ("center (sample)", -8, N_SAMPLES + 8, 32, 1, (12, N_SAMPLES - 12), "%d"),
    "width": ("width (samples)", 0.5, 10, 3, 0.1, (2.6, 3.4), "%.1f"),
    "amplitude": ("amplitude", 0, 1.5, 0.95, 0.05, (0.9, 1.0), "%.2f"),
    "noise": ("noise", 0, 0.5, 0.03, 0.01, (0.03, 0.03), "%.2f"),
}
POLARITIES = "quiet", "positive", "negative"

# `make_traces` generates the trace as it generated the training set, with ranges that contain one
# value each. The seed is always the same, so the noise keeps its shape and only its magnitude
# changes.


def trace(label, center, width, amplitude, noise):
    """Return one trace (1, L, 1) of this class."""
    at, rng = (
        round(center),
        np.random.default_rng((args.seed, 1)),
    )  # not the noise of the training set
    ranges = {"center": (at, at), "width": (width, width), "amplitude": (amplitude, amplitude)}
    x, _ = nn.make_traces(1, rng=rng, n_samples=N_SAMPLES, labels=[label], noise=noise, **ranges)
    return x


# The feature maps are the output of the first ReLU, 8 channels of 64 samples. The saliency is the
# gradient of the score of the predicted class with respect to each sample. Where it is zero, small
# changes of the sample do not change the score.


def look(model, x):
    """Return the maps (L, F), saliency (L,) and probabilities (3,) of `model` for x (1, L, 1)."""
    _, relu, *_ = activations(model, x)
    probs = probabilities(model, x)
    gradient = saliency(model, x, probs.argmax(axis=-1))
    return relu.output[0], gradient[0, :, 0], probs[0]


# The axes must not change while the arrival moves. Each network therefore has fixed scales: the
# largest values of its maps and of its saliency on the training set.


def scales(model):
    """Return the upper limits of the color scale and of the saliency axis."""
    maps, gradients, _ = zip(*(look(model, one[None]) for one in x_train), strict=True)
    return np.max(maps), np.abs(gradients).max()


# The window
# ----------
# Every artist is created once, and a slider only changes its data. The window is redrawn when it is
# idle.

MOSAIC = [
    ["trace", "probs"],
    ["maps", "polarity"],
    ["saliency", "network"],
    *([name, name] for name in DIALS),
]


class Explorer:
    """The figure, its controls, and the artists that follow them."""

    def __init__(self, models):
        self.models = models
        self.scales = {name: scales(model) for name, model in models.items()}
        self.figure = paper.blank_figure(720, 720)
        ratios = {"height_ratios": [4, 4, 4, 1, 1, 1, 1], "width_ratios": [2.6, 1]}
        self.panels = self.figure.subplot_mosaic(MOSAIC, **ratios)
        self.draw_once()
        self.sliders = {name: self.slider(name, dial) for name, dial in DIALS.items()}
        self.polarity = self.buttons("polarity", POLARITIES, 1)
        self.head = self.buttons("network", list(models), 0)
        title = {"color": paper.GREEN, "fontsize": paper.FONT, "loc": "left"}
        self.panels["center"].set_title("green: range of the training set", **title)
        self.update()
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # so that the panels keep their positions

    def draw_once(self):
        """Create all artists without data."""
        samples, nothing = paper.samples_of(N_SAMPLES), np.zeros(N_SAMPLES)
        above, maps, below = (self.panels[name] for name in ("trace", "maps", "saliency"))
        for panel, label in (above, "amplitude"), (maps, "channel"), (below, "saliency"):
            paper.dress(panel)
            paper.whole_numbers_below(panel)
            panel.tick_params(labelbottom=panel is below)
            panel.set(ylabel=label, xlim=(0.5, N_SAMPLES + 0.5))
        above.set_ylim(-1.05, 1.05)
        maps.grid(visible=False)
        maps.set_yticks((1, 8))
        below.set_xlabel("sample")
        (self.trace_line,) = above.plot(samples, nothing, color="black", linewidth=1.6)
        (self.gradient_line,) = below.plot(samples, nothing, color=paper.ORANGE)
        edges = np.arange(N_SAMPLES + 1) + 0.5, np.arange(9) + 0.5
        self.maps_mesh = maps.pcolormesh(*edges, np.zeros((8, N_SAMPLES)), cmap="Blues")
        probs = self.panels["probs"]
        paper.dress(probs)
        self.bars = probs.barh(POLARITIES, np.zeros(3), color=paper.BLUE)
        probs.set(title="probability", xlim=(0, 1), xticks=(0, 1))
        probs.invert_yaxis()  # quiet first, as among the buttons

    def slider(self, name, dial):
        """Return a slider with a green line over the range of the training set."""
        label, low, high, start, step, trained_on, shown_as = dial
        numbers = {"valinit": start, "valstep": step, "valfmt": shown_as}
        slider = Slider(self.panels[name], label, low, high, **numbers, initcolor="none")
        slider.ax.axvspan(*trained_on, 0.02, 0.14, color=paper.GREEN, linewidth=3)
        for text in slider.label, slider.valtext:
            text.set_fontsize(paper.FONT)
        slider.drawon = False  # `update` draws
        slider.on_changed(self.update)
        return slider

    def buttons(self, name, choices, active):
        """Return radio buttons under a title."""
        panel = self.panels[name]
        panel.set_title(name, fontsize=paper.FONT, loc="left")
        panel.set_frame_on(False)
        large = {"label_props": {"fontsize": [paper.FONT]}, "radio_props": {"s": [60]}}
        buttons = RadioButtons(
            panel, choices, active, activecolor=paper.BLUE, useblit=False, **large
        )
        buttons.on_clicked(self.update)
        return buttons

    def update(self, _=None):
        """Generate the trace for the controls, run the network and show the results."""
        dials = {name: slider.val for name, slider in self.sliders.items()}
        self.x = trace(POLARITIES.index(self.polarity.value_selected), **dials)
        head = self.head.value_selected
        maps, gradient, probs = look(self.models[head], self.x)
        largest_map, largest_gradient = self.scales[head]

        self.trace_line.set_ydata(self.x[0, :, 0])
        self.maps_mesh.set(array=maps.T, clim=(0, largest_map))
        self.gradient_line.set_ydata(gradient)
        self.panels["saliency"].set_ylim(-1.1 * largest_gradient, 1.1 * largest_gradient)
        for bar, prob in zip(self.bars, probs, strict=True):
            bar.set_width(prob)
        self.panels["trace"].set_title(f"{head}: {nn.CLASS_NAMES[probs.argmax()]}")
        self.figure.canvas.draw_idle()


explorer = Explorer(models)
if args.output:
    options.finish(args, explore_trace=explorer.figure)
else:
    options.open(explorer.figure)
