"""Explore a trace: move an arrival by hand, and watch what the network makes of it.

A table says how often a network is right. It does not give a feeling for *when* it is not.
Here is one trace, and everything about it can be moved: where the arrival lies, how wide
and how high it is, its sign, the noise. With it move the feature maps, the class
probabilities, and the samples on which the decision rests. Two networks can be
asked, and they disagree where [the position test](where_does_it_work.py) says they do.

Things to try. With the flatten head, pull the center slowly to the right, past the green
range it was trained on. Then choose the global head, and do it again. Set the
amplitude to zero: how small can an arrival be, and still be seen? And how much noise does
it take until a quiet trace is no longer quiet?

    python examples/explore_trace.py
    python examples/explore_trace.py --output figures

The first opens a window. The second needs no screen and saves a picture of it.
"""

from _shared.options import Options, at_least  # first: it reports a missing package in a line

# isort: split
import numpy as np
from matplotlib.widgets import RadioButtons, Slider

import numpycnn as nn
from _shared.two_heads import network
from numpycnn.inspection.explain import activations, probabilities, saliency
from numpycnn.plots import figure as paper

options = Options(
    "Move an arrival through a trace and watch two networks judge it.",
    files=["explore_trace.png"],
    output=None,
)
options.add_argument("--seed", type=at_least(0), default=0, help="of the traces and networks")
args = options.read()

# Two networks
# ------------
# They share everything up to the feature maps. Then the *flatten head* gives each place of
# the trace weights of its own, and the *global head* keeps the largest answer of each
# filter and forgets where it was. Both learn from the same 144 traces, in 60 epochs.

rng = np.random.default_rng(args.seed)
x, labels = nn.make_traces(180, rng=rng)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)
models = {f"{head} head": network(head, rng) for head in ("flatten", "global")}
for name, model in models.items():
    nn.fit(model, x_train, y_train, epochs=60, lr=5e-3)
    print(f"{name:12}   test set: accuracy {nn.evaluate(model, x_test, y_test)[1]:.3f}")

# What can be moved
# -----------------
# A dial has a label, two ends, a place where it starts, a step, the range that its quantity
# had in the training, and a form for its number. Most of each dial lies outside that range:
# that is where there is something to find out.

N_SAMPLES = x.shape[1]
DIALS = {
    "center": ("center (sample)", -8, N_SAMPLES + 8, 32, 1, (12, N_SAMPLES - 12), "%d"),
    "width": ("width (samples)", 0.5, 10, 3, 0.1, (2.6, 3.4), "%.1f"),
    "amplitude": ("amplitude", 0, 1.5, 0.95, 0.05, (0.9, 1.0), "%.2f"),
    "noise": ("noise", 0, 0.5, 0.03, 0.01, (0.03, 0.03), "%.2f"),
}
POLARITIES = "quiet", "positive", "negative"

# The trace is made by `make_traces`, as those of the training were, with ranges so narrow
# that they hold one value. It starts from the same seed each time. So the noise is
# the same draw throughout, only larger or smaller, and nothing moves but what the reader moves.


def trace(label, center, width, amplitude, noise):
    """One trace (1, L, 1) of this class."""
    at, rng = round(center), np.random.default_rng((args.seed, 1))  # no noise of the training
    ranges = {"center": (at, at), "width": (width, width), "amplitude": (amplitude, amplitude)}
    x, _ = nn.make_traces(1, rng=rng, n_samples=N_SAMPLES, labels=[label], noise=noise, **ranges)
    return x


# The feature maps are what the first ReLU hands on, 8 channels of 64 samples. The saliency is
# the gradient of the predicted class's score with respect to each sample: how much that score
# would rise if the sample did. Where it is zero the network does not look, for this trace.


def look(model, x):
    """Return what `model` makes of x (1, L, 1): maps (L, F), gradient (L,), chances (3,)."""
    _, relu, *_ = activations(model, x)
    chances = probabilities(model, x)
    gradient = saliency(model, x, chances.argmax(axis=-1))
    return relu.output[0], gradient[0, :, 0], chances[0]


# The axes must not jump while the arrival moves. So each network has fixed scales: the
# largest value of its maps and of its saliency on the traces it learned from.


def scales(model):
    """The upper ends of the color scale and of the saliency's axis."""
    maps, gradients, _ = zip(*(look(model, one[None]) for one in x_train), strict=True)
    return np.max(maps), np.abs(gradients).max()


# The window
# ----------
# Every artist is made once, and a move only changes its numbers. Then the window is drawn
# anew as soon as it has nothing else to do.

MOSAIC = [
    ["trace", "chances"],
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
        self.panels["center"].set_title("green: as in the training", **title)
        self.update()
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # so that nothing jumps while an arrival moves

    def draw_once(self):
        """Make every artist that will move, without numbers yet."""
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
        chances = self.panels["chances"]
        paper.dress(chances)
        self.bars = chances.barh(POLARITIES, np.zeros(3), color=paper.BLUE)
        chances.set(title="probability", xlim=(0, 1), xticks=(0, 1))
        chances.invert_yaxis()  # quiet first, as among the buttons

    def slider(self, name, dial):
        """A slider, with a green line over what the training had."""
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
        """Radio buttons under a title."""
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
        """Make the trace that the controls ask for, ask the network, show the answer."""
        dials = {name: slider.val for name, slider in self.sliders.items()}
        self.x = trace(POLARITIES.index(self.polarity.value_selected), **dials)
        head = self.head.value_selected
        maps, gradient, chances = look(self.models[head], self.x)
        largest_map, largest_gradient = self.scales[head]

        self.trace_line.set_ydata(self.x[0, :, 0])
        self.maps_mesh.set(array=maps.T, clim=(0, largest_map))
        self.gradient_line.set_ydata(gradient)
        self.panels["saliency"].set_ylim(-1.1 * largest_gradient, 1.1 * largest_gradient)
        for bar, chance in zip(self.bars, chances, strict=True):
            bar.set_width(chance)
        self.panels["trace"].set_title(f"{head}: {nn.CLASS_NAMES[chances.argmax()]}")
        self.figure.canvas.draw_idle()


explorer = Explorer(models)
if args.output:
    options.finish(args, explore_trace=explorer.figure)
else:
    options.open(explorer.figure)
