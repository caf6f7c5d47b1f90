"""Find the fault: a network that marks where the ground is broken.

The traces of the other examples stand alone. Here 64 of them stand side by side and make
[a section](sections.py), a picture of layers that were folded and then cut by a fault. The
question is no longer what is in it, but *where*: a label for every sample.

The network is a small U-Net with two directions instead of one. Its [layers](two_dimensions.py)
are made of those for traces, and nothing else changes: the same loss, the same `fit`, the same
check of its gradients.

    python examples/find_the_fault.py
    python examples/find_the_fault.py --noise 1 --seed 1
"""

import time

import numpy as np

import numpycnn as nn
from numpycnn.plots import figure as paper
from options import Options, at_least
from sections import INTERVAL, NEAR, NOISE, SPACING, make_sections
from two_dimensions import Conv2D, MaxPool2D, Upsample2D

# The options
# -----------

options = Options("Teach a small network to mark the fault in a seismic section.")
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--sections", type=at_least(1), default=120, help="how many to learn from")
add("--epochs", type=at_least(1), default=16, help="how often all sections go through")
add("--noise", type=at_least(0, float), default=NOISE, help="standard deviation, of echoes of 1")
args = options.read()

# The sections
# ------------
# Forty of them are kept for the examination. Everything random comes from one generator.

rng = np.random.default_rng(args.seed)
x, near = make_sections(args.sections, rng=rng, noise=args.noise)
x_test, near_test = make_sections(40, rng=rng, noise=args.noise)

# The network
# -----------
# To see that the bands stop, a network must look at a good piece of the section; to say
# where, it must look closely. A U-Net does both. `Beside` takes its input around the layers
# inside, which look at a picture half as large, and further inside a quarter as large. On the
# way back up a convolution reads what was seen from afar beside what was seen from close.
#
# `Dense` and `ReLU` treat every sample alike, however many axes lie before the last.


def u_net(rng):
    """Return a fresh network: sections (N, H, W, 1) to scores (N, H, W, 2), H and W in fours."""

    def look(in_channels, out_channels):
        return Conv2D(in_channels, out_channels, 3, rng=rng), nn.ReLU()

    afar = nn.Beside(MaxPool2D(2), *look(16, 16), *look(16, 16), Upsample2D(2))
    nearer = nn.Beside(MaxPool2D(2), *look(8, 16), afar, *look(32, 8), Upsample2D(2))
    return nn.Sequential(*look(1, 8), nearer, *look(16, 8), nn.Dense(8, 2, rng=rng))


model = u_net(rng)
print(model.summary(x.shape[1:]))

# Before it is trained, it is checked, whole, on a piece of a section.

print()
print(nn.check_gradients(model, x[:1, :4, :4], rng=rng))

# What to compare with
# --------------------
# Where the ground is broken, neighbouring traces differ. So the simplest rule looks for the
# largest difference of two neighbours, at each time, and marks what is near it. It is told
# more than the network: that there is one fault, everywhere in the section.
#
# The score is the intersection over union: of the samples that are marked by the truth or by
# the answer, the share that is marked by both. One sample in sixteen is near a fault, so a
# network that never marks anything is right about 94 % of them, and scores 0.


def largest_difference(x):
    """Mark what is near the largest difference of neighbours: (N, H, W, 1) to (N, H, W)."""
    after = abs(np.diff(x[..., 0], axis=2)).argmax(axis=2)[..., None]  # of this trace
    return abs(np.arange(x.shape[2]) - (after + 0.5)) * SPACING <= NEAR


def intersection_over_union(answer, truth):
    """Return the share of the samples marked by either that are marked by both."""
    answer, truth = answer.astype(bool), truth.astype(bool)
    return (answer & truth).sum() / (answer | truth).sum()


# Training
# --------


def report(epoch, history):
    """Print the loss of the first epoch and of every fourth."""
    if epoch == 1 or epoch % 4 == 0:
        print(f"epoch {epoch:4}   cross-entropy {history.loss[-1]:.4f}", flush=True)


print()
began = time.perf_counter()
nn.fit(model, x, near, epochs=args.epochs, batch_size=8, rng=rng, on_epoch=report)
print(f"trained in {time.perf_counter() - began:.0f} s")

# The examination
# ---------------
# Eight sections at a time, so that the memory for all their maps is small.

answers = {
    "largest difference": largest_difference(x_test),
    "network": model.classify(x_test, batch_size=8),
}
scores = {name: intersection_over_union(one, near_test) for name, one in answers.items()}
print(f"\nintersection over union, in {len(x_test)} sections it has not seen")
for name, score in scores.items():
    print(f"  {name:20}{score:.3f}")

# The figure
# ----------
# Three sections it has not seen: the section, the truth, what the rule says, and what the
# network says. Where the layers are quiet, there is nothing to see, and it marks nothing.

figure = paper.blank_figure(paper.WIDTH, 560)
extent = 0, x.shape[2] * SPACING / 1000, x.shape[1] * INTERVAL, 0  # km and s
axes = {"extent": extent, "aspect": "auto"}
rows = figure.subplots(3, 4, sharex=True, sharey=True)
for section, (first, *others) in enumerate(rows):
    first.imshow(x_test[section, ..., 0], cmap=paper.SIGNED, vmin=-3, vmax=3, **axes)
    for panel, marks in zip(others, (near_test, *answers.values()), strict=True):
        panel.imshow(marks[section], cmap="Greys", vmin=0, vmax=1, **axes)
for panel, title in zip(rows[0], ("section", "truth", "difference", "network"), strict=True):
    panel.set_title(title, fontsize=paper.FONT)
for panel in rows.ravel():
    panel.tick_params(labelsize=paper.FONT)
figure.supxlabel("place, km", fontsize=paper.FONT)
figure.supylabel("time, s", fontsize=paper.FONT)
options.finish(args, find_the_fault=figure)
