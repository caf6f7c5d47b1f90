"""Measure the accuracy for arrivals at each position of the trace.

The network of [the first example](trace_classifier.py) classifies every test trace correctly. This
does not show that it recognizes arrivals at all positions, because training and test traces were
drawn in the same way: their arrivals are centered on samples 12 to 52 only.

In this example the arrival is centered on each sample in turn, from eight samples before the trace
to eight samples after it. Two networks are compared, which differ only after the convolution. The
*flatten head* has separate weights for each position. The *global head* keeps only the maximum of
each filter.

Outside the trained range, the flatten head predicts the opposite polarity with high probability.
The second half of this script finds the cause.

    python examples/where_does_it_work.py
    python examples/where_does_it_work.py --seeds 20
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from _shared.two_heads import network
from numpycnn.inspection.explain import saliency

# The options
# -----------

options = Options(
    "Measure at which positions of a trace an arrival is recognized.",
    files=["where_does_it_work.png", "why.png"],
)
add = options.add_argument
add("--seeds", type=at_least(1), default=5, help="networks of each kind: seeds 0, 1, …")
add("--traces", type=at_least(2), default=200, help="number of test traces at each center")
args = options.read()
paper = nn.plots.figure  # common style of all figures

# Traces
# ------
# The traces are those of the first example. The option `rest_at_zero`, used in the second half,
# removes the offset that subtracting the mean added to a trace. The same random numbers with label
# 0 give the same noise and background without the arrivals. The difference is the arrival minus its
# mean. Since an arrival is short, the median of this difference is the offset.

QUIET, POSITIVE, NEGATIVE = 0, 1, 2


def traces(n_traces, rng, rest_at_zero=False, **changes):
    """Return traces (N, L, 1) and labels, with or without the offset caused by the arrival."""
    same_draws = deepcopy(rng)
    x, labels = nn.make_traces(n_traces, rng=rng, **changes)
    if rest_at_zero:
        changes["labels"] = np.full(n_traces, QUIET)
        quiet, _ = nn.make_traces(n_traces, rng=same_draws, **changes)
        x = x - np.median(x - quiet, axis=1, keepdims=True)
    return x, labels


# Two heads
# ---------
# The convolution is the same in [both](_shared/two_heads.py). The network with the flatten head has
# 4,211 parameters, nearly all in its first dense layer: 16 for each channel of each pooled sample.
# The network with the global head has 243.
#
# Both are trained as in the first example, on 144 traces for 60 epochs, and tested on 36 traces.
# With the same seed, the network with the flatten head is that of the first example. Several seeds
# are used, because a single network may be unusually good.


class Trained(NamedTuple):
    """A network, its training set, and its accuracy on the test set."""

    model: nn.Sequential
    x: np.ndarray
    labels: np.ndarray
    held_out: float


def trained(head, seed, rest_at_zero=False):
    """Draw traces, split and initial weights from one seed; train the network."""
    rng = np.random.default_rng(seed)
    x, labels = traces(180, rng, rest_at_zero)
    x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)
    model = network(head, rng)
    nn.fit(model, x_train, y_train, epochs=60, lr=5e-3)
    return Trained(model, x_train, y_train, nn.evaluate(model, x_test, y_test)[1])


flatten_heads = [trained("flatten", seed) for seed in range(args.seeds)]
global_heads = [trained("global", seed) for seed in range(args.seeds)]

for name, networks in {"flatten head": flatten_heads, "global head": global_heads}.items():
    held_out = [one.held_out for one in networks]
    print(f"{name:12}   test set: accuracy {min(held_out):.3f} to {max(held_out):.3f}")

# Test traces for every position
# ------------------------------
# For each center there are as many positive as negative arrivals. Quiet traces are omitted: they
# have no arrival, so they would add the same value at every center. Without them, a random guess is
# correct for a third of the traces. Incorrect predictions are counted in two groups, *opposite* and
# *quiet*.

centers = np.arange(-8, 64 + 8 + 1)
polarities = np.where(np.arange(args.traces) % 2, NEGATIVE, POSITIVE)


def examination(rest_at_zero=False):
    """Return, for each center, new traces (N, L, 1) with their arrivals there."""
    exam = []
    for place, center in enumerate(centers):
        rng, there = np.random.default_rng(1000 + place), (int(center), int(center))
        exam.append(traces(args.traces, rng, rest_at_zero, labels=polarities, center=there)[0])
    return exam


def answers(networks, exam):
    """Return the fractions of correct, opposite and quiet predictions, (n_seeds, n_centers)."""
    found = np.array([[one.model.classify(x) for x in exam] for one in networks])
    right, quiet = found == polarities, found == QUIET
    return tuple(kind.mean(axis=-1) for kind in (right, ~right & ~quiet, quiet))


exam = examination()
flatten_right, flatten_opposite, flatten_quiet = answers(flatten_heads, exam)
global_right, global_opposite, global_quiet = answers(global_heads, exam)


def table_row(first, columns):
    """Return a line of a table: a name, then the mean of each column."""
    return first + "".join(f"{np.mean(column):10.2f}" for column in columns)


shares = flatten_right, flatten_opposite, flatten_quiet, global_right, global_opposite, global_quiet

print(f"\nmeans over {args.seeds} seeds; {args.traces} traces at each center")
print(f"        {' flatten head ':-^28}  {' global head ':-^28}")
print("center" + 2 * "   correct  opposite     quiet")
for place in range(0, len(centers), 4):
    print(table_row(f"{centers[place]:6}", [share[:, place] for share in shares]))

accuracy_figure = nn.plots.plot_accuracy(
    centers,
    {"flatten head": flatten_right, "global head": global_right},
    xlabel="arrival center, sample",
    trained_on=(12, 52),
)

# Results by position
# -------------------
# In the first figure, the lines are means over the seeds, and the bands extend from the worst
# network to the best. If all 200 predictions are incorrect, the accuracy of a network is below
# 0.015 with 95 % confidence.

near_the_ends = (centers <= 6) | (centers >= 58)
in_the_trace = (centers >= 2) & (centers <= 62)
worst = global_right[:, in_the_trace].min()
best = flatten_right[:, near_the_ends].max()

print(f"\nflatten head, centers up to 6 and from 58: {best:.3f} at most")
print(f"global head, centers 2 to 62: {worst:.3f} at least")

# Between samples 12 and 52 the two heads are equally accurate. Outside, the flatten head fails
# within three samples. From there to slightly beyond the ends of the trace, it predicts negative
# for positive arrivals and positive for negative ones. The test set could not show this, because
# training and test set were drawn in the same way. A random split measures the accuracy on traces
# of the same kind, not on traces of another kind.
#
# The global head is accurate at every center in the trace, with a seventeenth of the parameters and
# the same 60 epochs. Its training set did not contain arrivals at sample 4 either, but the network
# cannot represent a dependence on the position.
#
# If the arrival is partly outside the trace, an incorrect prediction has another meaning. At center
# -2 the peak is outside, and the largest sample in the trace has six tenths of the height. At -4 it
# has a quarter, and at -8 a hundredth, which is less than the noise. From -4 outwards, both heads
# predict *Quiet*. This counts as incorrect here, although at -8 no arrival is visible.
#
# The seeds differ. With `--seeds 20`, one of the twenty flatten heads, that of seed 6, is correct
# for about a fifth of the traces near the ends. It also has the lowest accuracy on its test set.

# Why the opposite
# ----------------
# The mean is subtracted from each trace. A positive arrival increases the mean by 0.11, so the rest
# of its trace is at -0.11 instead of zero. With a negative arrival the rest is at +0.11. This
# offset distinguishes the two classes without the arrival.
#
# Consider the average of all training traces with a positive arrival. Between 12 and 52 it is
# positive because of the arrivals. At the ends there were no arrivals, so only the offset remains.
# Each trace sums to zero, and so does the average: it must be negative at the ends. There, **low
# means positive**.
#
# A head with separate weights for each position learns this relation, because it holds for every
# training trace. A positive arrival at sample 4 is eight times as high as the offset and has the
# opposite sign, so the head predicts *negative*.
#
# If this is the cause, three predictions must be true:
#
# 1. The score of *positive* minus that of *negative* increases with the samples in the middle and
#    decreases with the samples at the ends. This is tested with its gradient with respect to each
#    sample, computed by `backward`.
# 2. The training set is the cause. A flatten head that is trained on traces without the offset
#    learns no relation at the ends. Its gradient is not negative there, and it misses the arrivals
#    instead of reversing them.
# 3. The test traces are not the cause. The head that was trained with the offset still reverses
#    arrivals in test traces without it.

unshifted_heads = [trained("flatten", seed, rest_at_zero=True) for seed in range(args.seeds)]
unshifted_exam = examination(rest_at_zero=True)


def leaning(networks):
    """Return the gradient of the positive minus the negative score, (n_seeds, L)."""
    return np.array(
        [
            (saliency(model, x, POSITIVE) - saliency(model, x, NEGATIVE)).mean(axis=0)[:, 0]
            for model, x, _, _ in networks
        ]
    )


flatten_leaning, unshifted_leaning, global_leaning = map(
    leaning, (flatten_heads, unshifted_heads, global_heads)
)

# The middle is the range of the training arrivals. The ends are the six samples on each side, where
# training arrivals are almost zero. The predictions are those for arrivals near the ends, at 2 to 6
# and 58 to 62.

samples = paper.samples_of(64)
middle = (samples >= 12) & (samples <= 52)
ends = (samples <= 6) | (samples >= 59)

print("\n" + 33 * " " + f"{' gradient ':-^17}  {' near the ends ':-^28}")
print("head     trained    tested        middle      ends   correct  opposite     quiet")
evidence = {}
for kind, networks, slopes, traces_shown in (
    ("flatten  shifted    shifted   ", flatten_heads, flatten_leaning, exam),
    ("flatten  shifted    unshifted ", flatten_heads, flatten_leaning, unshifted_exam),
    ("flatten  unshifted  unshifted ", unshifted_heads, unshifted_leaning, unshifted_exam),
    ("global   shifted    shifted   ", global_heads, global_leaning, exam),
):
    given = [share[:, in_the_trace & near_the_ends] for share in answers(networks, traces_shown)]
    evidence[kind.strip()] = slopes[:, middle], slopes[:, ends], *given
    print(table_row(kind, evidence[kind.strip()]))

# All three predictions are true. In the first row, the gradient is negative at the ends. In the
# third row, where the training set had no offset, it is not negative, and no prediction is
# reversed. In the second row, the test traces have no offset, and most predictions are still
# reversed.
#
# The flatten head depends strongly on the offset. Without the offset in the test traces, its
# accuracy is lower even in the range of the training arrivals:

where_trained = (centers >= 12) & (centers <= 52)
print("\ntested unshifted, centers 12 to 52: accuracy per network")
for head, networks in {"flatten": flatten_heads, "global": global_heads}.items():
    right_in_the_middle = answers(networks, unshifted_exam)[0][:, where_trained].mean(axis=1)
    print(f"{head:8}" + "".join(f"{share:8.2f}" for share in right_in_the_middle))

# The cause in one figure
# -----------------------
# The gray range from 12 to 52 is the range of the training arrivals. The top panel shows the
# average training trace of each polarity over all seeds: the arrivals in the middle, and only the
# offset at the ends. The middle panel shows the gradient of the flatten heads, which has the same
# shape, and the gradient of those trained on unshifted traces. The bottom panel shows the global
# heads. Their gradient is small, because for each trace it is nonzero only at the samples with the
# maxima of the filters. It is not negative anywhere.

why_figure, panels = paper.stacked_panels(3, width=640, height=760)
for panel in panels:
    panel.axvspan(12, 52, color=paper.GRID, zorder=0)
    panel.axhline(0, color=paper.GRAY, linewidth=0.8)

for label, name, style in (
    (POSITIVE, "positive", paper.STYLES[0]),
    (NEGATIVE, "negative", paper.STYLES[1]),
):
    averages = [one.x[one.labels == label].mean(axis=0)[:, 0] for one in flatten_heads]
    paper.draw_band(panels[0], samples, np.array(averages), f"{name} arrivals", style)
paper.draw_band(panels[1], samples, flatten_leaning, "flatten head", paper.STYLES[0])
paper.draw_band(panels[1], samples, unshifted_leaning, "trained unshifted", paper.STYLES[2])
paper.draw_band(panels[2], samples, global_leaning, "global head", paper.STYLES[1])

for panel, label in zip(panels, ("average trace", "gradient", "gradient"), strict=True):
    panel.set_ylabel(label)
    paper.legend_above(panel, ncols=2)
panels[-1].set(xlabel="sample", xlim=(0.5, 64.5))

options.finish(args, where_does_it_work=accuracy_figure, why=why_figure)

# Conclusion
# ----------
# Choose test data like the data of the intended use. If arrivals may be at any position, test all
# positions. For a perfect score, look for other properties of the data that could explain it. Here
# it was the offset, which a common preprocessing step added.
