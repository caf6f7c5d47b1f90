"""Find the fault: a network that marks where the ground is broken.

The traces of the other examples stand alone. Here 64 of them stand side by side and make
[a section](_shared/sections.py), a picture of layers that were folded and then cut by a fault. The
question is no longer what is in it, but *where*: a label for every sample.

The network is a small U-Net with two directions instead of one. Its [layers](two_dimensions.py)
are made of those for traces, and nothing else changes: the same loss, the same `fit`, the same
check of its gradients.

    python examples/find_the_fault.py
    python examples/find_the_fault.py --noise 1 --seed 1
    python examples/find_the_fault.py --section line.sgy
"""

import time
from pathlib import Path

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from _shared.sections import (
    INTERVAL,
    NOISE,
    SPACING,
    intersection_over_union,
    largest_difference,
    make_sections,
    read_section,
)
from two_dimensions import u_net

# The options
# -----------

options = Options(
    "Teach a small network to mark the fault in a seismic section.",
    files=["find_the_fault.png", "your_section.png"],
)
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--sections", type=at_least(1), default=200, help="how many to learn from")
add("--epochs", type=at_least(1), default=8, help="how often all sections go through")
add("--noise", type=at_least(0, float), default=NOISE, help="standard deviation, of echoes of 1")
add("--section", type=Path, metavar="FILE", help="SEG-Y or SU file, to be marked in the end")
args = options.read()
paper = nn.plots.figure  # what all figures have in common
try:
    own = args.section and read_section(args.section)
except (OSError, ValueError) as error:
    options.error(f"--section {str(error).removeprefix(f'{args.section}: ')}, in {args.section}")

# The sections
# ------------
# Forty of them are kept for the examination. Everything random comes from one generator.

rng = np.random.default_rng(args.seed)
x, near = make_sections(args.sections, rng=rng, noise=args.noise)
x_test, near_test = make_sections(40, rng=rng, noise=args.noise)

# The network
# -----------
# It is [a U-Net](two_dimensions.py#a-u-net) of 9,378 weights. Before it is trained it is checked,
# whole, on a small piece of a section.

model = u_net(rng)
print(model.summary(x.shape[1:]))
print()
print(nn.check_gradients(model, x[:1, :4, :4], rng=rng))

# Training
# --------
# Steps from four sections at a time are noisy, and with large ones the network is now too
# generous with its marks and now too sparing. So the last quarter of the epochs has small ones.

optimizer = nn.Adam(model.params, lr=5e-3)


def report(epoch, history):
    """Print the loss of an epoch, and take smaller steps when three quarters are over."""
    print(f"epoch {epoch:4}   cross-entropy {history.loss[-1]:.4f}", flush=True)
    if epoch == 3 * args.epochs // 4:
        optimizer.lr = 1e-3


print()
began = time.perf_counter()
plan = {"epochs": args.epochs, "batch_size": 4, "optimizer": optimizer, "on_epoch": report}
nn.fit(model, x, near, rng=rng, **plan)
print(f"trained in {time.perf_counter() - began:.0f} s")

# The examination
# ---------------
# Beside the network stand two rules that look at [differences of neighboring
# traces](_shared/sections.py#what-needs-no-network). Over how many samples the second one adds them
# up, it learns from the sections that the network learns from.
#
# Eight sections go through the network at a time, as the maps of all would want memory.

halves = range(0, 13, 2)
best = max(halves, key=lambda half: intersection_over_union(largest_difference(x, half), near))
answers = {
    "largest difference": largest_difference(x_test),
    f"over {2 * best + 1} samples": largest_difference(x_test, best),
    "network": model.classify(x_test, batch_size=8),
}
scores = {name: intersection_over_union(one, near_test) for name, one in answers.items()}
print(f"\nintersection over union, in {len(x_test)} sections it has not seen")
for name, score in scores.items():
    print(f"  {name:20}{score:.3f}")

# What it says
# ------------
# The largest difference alone is mostly one of noise: 0.15 to 0.17 with the seeds 0, 1 and 2. Added
# up over time it has 0.52 or 0.53, because it is told what the network had to find out: that there
# is one fault, at every time. In a section without a fault it would mark one all the same. The
# network has 0.64 to 0.68.
#
# What the network marks is a fault as wide as it should be, where there is something to
# see. Where the layers are quiet there is nothing, and it marks nothing. Below: three sections
# that it has not seen, the truth, what the two rules say, and what the network says.

figure = paper.blank_figure(paper.WIDTH, 480)
extent = 0, x.shape[2] * SPACING / 1000, x.shape[1] * INTERVAL, 0  # km and s
axes = {"extent": extent, "aspect": "auto"}
rows = figure.subplots(3, 5, sharex=True, sharey=True)
for section, (first, *others) in enumerate(rows):
    first.imshow(x_test[section, ..., 0], cmap=paper.SIGNED, vmin=-3, vmax=3, **axes)
    for panel, marks in zip(others, (near_test, *answers.values()), strict=True):
        panel.imshow(marks[section], cmap="Greys", vmin=0, vmax=1, **axes)
titles = "section", "truth", "difference", "added up", "network"
for panel, title in zip(rows[0], titles, strict=True):
    panel.set_title(title, fontsize=paper.FONT)
for panel in rows.ravel():
    panel.tick_params(labelsize=paper.FONT)
figure.supxlabel("place, km", fontsize=paper.FONT)
figure.supylabel("time, s", fontsize=paper.FONT)
figures = {"find_the_fault": figure}

# A section of your own
# ---------------------
# The network learned from sections of 4 ms and 12.5 m only. So its marks in another section are a
# suggestion. A long line goes through the network 256 traces at a time, with at least the traces on
# either side on which an output depends. Zeros make both sides divisible by 4.

STRIP, BESIDE = 256, 32  # traces


def mark(section):
    """Return the probability of a fault at each sample of a section (H, W)."""
    height, width = section.shape
    padded = np.pad(section, ((0, -height % 4), (BESIDE, BESIDE + -width % 4)))[None, ..., None]
    strips = []
    for first in range(0, width, STRIP):
        scores = model(padded[:, :, first : first + STRIP + 2 * BESIDE])
        strips.append(nn.Softmax()(scores)[0, :height, BESIDE:-BESIDE, 1])
    return np.concatenate(strips, axis=1)[:, :width]


if own:
    section, interval = own
    probability = mark(section * np.sqrt(1 + args.noise**2))
    print(f"\n{args.section}: {section.shape[1]} traces of {section.shape[0]} samples", end=", ")
    print(f"{(probability > 0.5).mean():.1%} of them marked")
    if not np.isclose(interval, INTERVAL):
        print(
            f"note: its interval is {1000 * interval:g} ms, the network learned {INTERVAL * 1000:g}"
        )
    marked = paper.blank_figure(paper.WIDTH, 300)
    for panel, picture, look in zip(
        marked.subplots(1, 2, sharey=True),
        (section, probability),
        ({"cmap": paper.SIGNED, "vmin": -3, "vmax": 3}, {"cmap": "Greys", "vmin": 0, "vmax": 1}),
        strict=True,
    ):
        extent = 0, section.shape[1], section.shape[0] * interval, 0
        panel.imshow(picture, extent=extent, aspect="auto", **look)
        panel.tick_params(labelsize=paper.FONT)
    marked.supxlabel("trace", fontsize=paper.FONT)
    marked.supylabel("time, s", fontsize=paper.FONT)
    figures["your_section"] = marked
options.finish(args, **figures)
