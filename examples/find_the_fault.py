"""Train a network that marks the fault in a seismic section.

The other examples classify single traces. Here 64 neighboring traces form
[a section](_shared/sections.py), a picture of folded layers that are cut by a fault. The network
predicts a label for every sample: near the fault or not.

The network is a small two-dimensional U-Net. Its [layers](two_dimensions.py) are built from the
one-dimensional layers. The loss, `fit` and the gradient check are the same as for traces.

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
    "Train a small network to mark the fault in a seismic section.",
    files=["find_the_fault.png", "your_section.png"],
)
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="seed of all random numbers")
add("--sections", type=at_least(1), default=200, help="number of training sections")
add("--epochs", type=at_least(1), default=8, help="passes over the training set")
add(
    "--noise",
    type=at_least(0, float),
    default=NOISE,
    help="standard deviation relative to the reflections",
)
add("--section", type=Path, metavar="FILE", help="SEG-Y or SU file to mark after training")
args = options.read()
paper = nn.plots.figure  # common style of all figures
try:
    own = args.section and read_section(args.section)
except (OSError, ValueError) as error:
    options.error(f"--section {str(error).removeprefix(f'{args.section}: ')}, in {args.section}")

# The sections
# ------------
# Forty more sections are the test set. All random numbers come from one generator.

rng = np.random.default_rng(args.seed)
x, near = make_sections(args.sections, rng=rng, noise=args.noise)
x_test, near_test = make_sections(40, rng=rng, noise=args.noise)

# The network
# -----------
# It is [a U-Net](two_dimensions.py#a-u-net) with 9,378 parameters. Before training, the gradients
# of the whole network are checked on a small part of a section.

model = u_net(rng)
print(model.summary(x.shape[1:]))
print()
print(nn.check_gradients(model, x[:1, :4, :4], rng=rng))

# Training
# --------
# Gradients of four sections are noisy. With a large step size the network alternates between too
# many and too few marks, so the step size is reduced in the last quarter of the epochs.

optimizer = nn.Adam(model.params, lr=5e-3)


def report(epoch, history):
    """Print the loss of an epoch, and reduce the step size after three quarters of the epochs."""
    print(f"epoch {epoch:4}   cross-entropy {history.loss[-1]:.4f}", flush=True)
    if epoch == 3 * args.epochs // 4:
        optimizer.lr = 1e-3


print()
began = time.perf_counter()
plan = {"epochs": args.epochs, "batch_size": 4, "optimizer": optimizer, "on_epoch": report}
nn.fit(model, x, near, rng=rng, **plan)
print(f"trained in {time.perf_counter() - began:.0f} s")

# Test
# ----
# The network is compared with two rules that use [differences between neighboring
# traces](_shared/sections.py#baselines-without-a-network). The number of samples over which the
# second rule sums is chosen on the training set.
#
# The network is run on eight sections at a time to limit memory.

halves = range(0, 13, 2)
best = max(halves, key=lambda half: intersection_over_union(largest_difference(x, half), near))
answers = {
    "largest difference": largest_difference(x_test),
    f"over {2 * best + 1} samples": largest_difference(x_test, best),
    "network": model.classify(x_test, batch_size=8),
}
scores = {name: intersection_over_union(one, near_test) for name, one in answers.items()}
print(f"\nintersection over union, test set of {len(x_test)} sections")
for name, score in scores.items():
    print(f"  {name:20}{score:.3f}")

# Results
# -------
# The largest difference alone is mostly noise: it has 0.15 to 0.17 with the seeds 0, 1 and 2.
# Summed over time it has 0.52 or 0.53. This rule uses the knowledge that there is one fault at each
# time, and would mark a fault in a section without one. The network has 0.64 to 0.68.
#
# The network marks a fault of the correct width where reflections are strong. Where they are weak,
# it marks no samples. The figure shows three test sections with the labels, the marks of the two
# rules and the marks of the network.

figure = paper.blank_figure(paper.WIDTH, 480)
extent = 0, x.shape[2] * SPACING / 1000, x.shape[1] * INTERVAL, 0  # km and s
axes = {"extent": extent, "aspect": "auto"}
rows = figure.subplots(3, 5, sharex=True, sharey=True)
for section, (first, *others) in enumerate(rows):
    first.imshow(x_test[section, ..., 0], cmap=paper.SIGNED, vmin=-3, vmax=3, **axes)
    for panel, marks in zip(others, (near_test, *answers.values()), strict=True):
        panel.imshow(marks[section], cmap="Greys", vmin=0, vmax=1, **axes)
titles = "section", "labels", "difference", "summed", "network"
for panel, title in zip(rows[0], titles, strict=True):
    panel.set_title(title, fontsize=paper.FONT)
for panel in rows.ravel():
    panel.tick_params(labelsize=paper.FONT)
figure.supxlabel("position, km", fontsize=paper.FONT)
figure.supylabel("time, s", fontsize=paper.FONT)
figures = {"find_the_fault": figure}

# Your section
# ------------
# The network was trained only on sections with 4 ms and 12.5 m between samples, so its marks in
# other sections are less reliable. A long section is processed in strips of 256 traces. Each strip
# includes the traces on either side on which its outputs depend. Zeros are appended to make both
# lengths divisible by 4.

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
        print(f"note: its interval is {1000 * interval:g} ms; training used {INTERVAL * 1000:g} ms")
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
