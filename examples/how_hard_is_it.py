"""How hard is it? Traces on which the simple rules fall and a network stands.

On the traces of `trace_classifier.py` two rules that look at one number of the
trace are as good as the network. So those traces cannot show what a network is
for. Here are traces that can. The arrival is a zero-mean wavelet of any height between 0.4
and 1 at any sample from the first to the last, and every trace, quiet or not, has a
spike or a burst of the same size that means nothing.

Two rules and two networks learn from the same 600 traces, and are examined
on others, at one signal-to-noise ratio after the other.

    python examples/how_hard_is_it.py
    python examples/how_hard_is_it.py --traces 150
"""

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from _shared.two_heads import network
from numpycnn.inspection.baselines import LargestSampleRule, MedianRule

options = Options("Set two simple rules and two networks harder traces.", ["how_hard_is_it.png"])
add = options.add_argument
add("--seeds", type=at_least(1), default=5, help="how often all is done anew")
add("--traces", type=at_least(3), default=600, help="how many to learn from")
add("--epochs", type=at_least(1), default=40, help="how often all traces go through")
args = options.read()

# The traces
# ----------
# The signal-to-noise ratio is the height of the arrival over the standard deviation of the
# noise. The traces to learn from have all ratios between 2 and 12; those of the
# examination have one at a time, and the first and the last of these are outside the range.

HARD = {"wavelet": "ricker", "amplitude": (0.4, 1.0), "center": (1, 64), "distractor": "any"}
TRAINED_ON = 2, 12
RATIOS = 1, 2, 3, 4, 6, 8, 10, 12, 16

# The networks
# ------------
# [Both](_shared/two_heads.py) begin with eight filters of 11 samples, which reach over the hump of
# the wavelet to the bottom of both its troughs. One network then keeps where in the trace each
# filter answered, the other only how strong the strongest answer was, wherever it came from.
#
# The examination
# ---------------
# All is done once for each seed, with other traces and other first weights: a single run
# may be lucky. All four learn from the same traces and are asked about the same others,
# 600 for each ratio.


def learn(x: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    """Teach all four on the same traces."""
    networks = {head: network(head, rng, kernel_size=11) for head in ("global", "flatten")}
    for pupil in networks.values():
        nn.fit(pupil, x, labels, epochs=args.epochs, batch_size=32, rng=rng)
    rules = {"median rule": MedianRule(), "largest-sample rule": LargestSampleRule()}
    return networks | {name: rule.fit(x, labels) for name, rule in rules.items()}


accuracies = {}
for seed in range(args.seeds):
    rng = np.random.default_rng(seed)
    pupils = learn(*nn.make_traces(args.traces, rng=rng, snr=TRAINED_ON, **HARD), rng)
    exams = [nn.make_traces(600, rng=rng, snr=(ratio, ratio), **HARD) for ratio in RATIOS]
    for name, pupil in pupils.items():
        marks = [(pupil.classify(x) == labels).mean() for x, labels in exams]
        accuracies.setdefault(name, []).append(marks)
curves = {name: np.array(marks) for name, marks in accuracies.items()}

# The result
# ----------
# The mean accuracy over the seeds, and below it that of the worst seed.

print("signal-to-noise ratio" + "".join(f"{ratio:7}" for ratio in RATIOS))
for name, marks in curves.items():
    print(f"{name:21}" + "".join(f"{mark:7.3f}" for mark in marks.mean(axis=0)))
    print(f"{'  worst seed':21}" + "".join(f"{mark:7.3f}" for mark in marks.min(axis=0)))

figure = nn.plots.plot_accuracy(RATIOS, curves, "signal-to-noise ratio", trained_on=TRAINED_ON)

# What it says
# ------------
# To guess is to be right in a third of the traces, and where the noise is as strong as
# the arrival nobody does much better. From there on they part.
#
# The largest sample stays near a half, however quiet the trace: it belongs to the
# distractor as often as to the arrival, and a quiet trace has a distractor too.
#
# The median does a little better than that. The mean of a Ricker wavelet is zero,
# but its troughs are broader than its hump, so more samples of the trace lie on the one
# side of zero than on the other. A leak can be made narrow; whether it is closed,
# only a baseline can tell.
#
# A filter adds up 11 samples, each with its own weight. It can be shaped like the wavelet:
# then all of the wavelet counts, the noise averages out, a spike meets a single
# weight and the quick cycles of a burst cancel. Both networks can have such filters. But the
# dense layer after flatten has to learn for each place what an arrival there means,
# and of 600 traces only about six have their arrival at a given sample. With global
# pooling an arrival anywhere teaches about arrivals everywhere, with 291 weights in place
# of 4,259. Give the flatten head fewer traces, and it falls further; the other
# hardly notices.

options.finish(args, how_hard_is_it=figure)
