"""Compare networks with threshold rules on difficult traces.

On the traces of `trace_classifier.py`, two rules that use one value per trace are as accurate as
the network, so those traces do not require a network. The traces of this example do. The arrival is
a zero-mean wavelet with an amplitude between 0.4 and 1, centered on any sample of the trace. Every
trace, with or without an arrival, also contains a distractor: a spike or a burst of the same
magnitude that is independent of the class.

Two rules and two networks are trained on the same 600 traces, and tested at several signal-to-noise
ratios.

    python examples/how_hard_is_it.py
    python examples/how_hard_is_it.py --traces 150
"""

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from _shared.two_heads import network
from numpycnn.inspection.baselines import LargestSampleRule, MedianRule

options = Options(
    "Compare two simple rules and two networks on difficult traces.", ["how_hard_is_it.png"]
)
add = options.add_argument
add("--seeds", type=at_least(1), default=5, help="number of repetitions")
add("--traces", type=at_least(3), default=600, help="number of training traces")
add("--epochs", type=at_least(1), default=40, help="passes over the training set")
args = options.read()

# The traces
# ----------
# The signal-to-noise ratio is the height of the arrival divided by the standard deviation of the
# noise. The training traces have ratios between 2 and 12. Each test set has a single ratio; the
# smallest and the largest of these are outside the range of the training set.

HARD = {"wavelet": "ricker", "amplitude": (0.4, 1.0), "center": (1, 64), "distractor": "any"}
TRAINED_ON = 2, 12
RATIOS = 1, 2, 3, 4, 6, 8, 10, 12, 16

# The networks
# ------------
# [Both](_shared/two_heads.py) begin with eight filters of 11 samples, which cover the peak of the
# wavelet and its two troughs to their minima. The flatten head keeps the position of each filter
# output. The global head keeps only the maximum of each filter.
#
# Test
# ----
# The experiment is repeated with several seeds, that is, with other traces and other initial
# weights, because a single run may be unusually good. For each seed, the two rules and the two
# networks use the same training set and the same test sets of 600 traces for each ratio.


def train(x: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    """Train the two rules and the two networks on the same traces."""
    networks = {head: network(head, rng, kernel_size=11) for head in ("global", "flatten")}
    for model in networks.values():
        nn.fit(model, x, labels, epochs=args.epochs, batch_size=32, rng=rng)
    rules = {"median rule": MedianRule(), "largest-sample rule": LargestSampleRule()}
    return networks | {name: rule.fit(x, labels) for name, rule in rules.items()}


accuracies = {}
for seed in range(args.seeds):
    rng = np.random.default_rng(seed)
    classifiers = train(*nn.make_traces(args.traces, rng=rng, snr=TRAINED_ON, **HARD), rng)
    test_sets = [nn.make_traces(600, rng=rng, snr=(ratio, ratio), **HARD) for ratio in RATIOS]
    for name, classifier in classifiers.items():
        scores = [(classifier.classify(x) == labels).mean() for x, labels in test_sets]
        accuracies.setdefault(name, []).append(scores)
curves = {name: np.array(scores) for name, scores in accuracies.items()}

# The result
# ----------
# Each entry is the mean accuracy over the seeds, and below it the accuracy of the worst seed.

print("signal-to-noise ratio" + "".join(f"{ratio:7}" for ratio in RATIOS))
for name, scores in curves.items():
    print(f"{name:21}" + "".join(f"{score:7.3f}" for score in scores.mean(axis=0)))
    print(f"{'  worst seed':21}" + "".join(f"{score:7.3f}" for score in scores.min(axis=0)))

figure = nn.plots.plot_accuracy(RATIOS, curves, "signal-to-noise ratio", trained_on=TRAINED_ON)

# Discussion
# ----------
# A random guess is correct for a third of the traces. If the noise is as strong as the arrival, no
# method is much better. At higher ratios the methods differ.
#
# The accuracy of the largest-sample rule stays near one half for any noise. The largest sample
# belongs to the distractor as often as to the arrival, and quiet traces contain a distractor too.
#
# The median rule is slightly better. The mean of a Ricker wavelet is zero, but its troughs are
# wider than its peak, so more samples are on one side of zero. The traces therefore still contain a
# weak leak of the class, which only a baseline reveals.
#
# A filter computes a weighted sum of 11 samples. If its weights have the shape of the wavelet, all
# samples of the wavelet contribute, the noise averages out, a spike is multiplied with a single
# weight, and the fast oscillations of a burst cancel. Both networks can learn such filters.
# However, the dense layer after Flatten must learn the effect of an arrival for each position
# separately, and only about six of 600 traces have their arrival at a given sample. With global
# pooling, each arrival improves the predictions for all positions, and the network has 291
# parameters instead of 4,259. With fewer training traces, the accuracy of the flatten head
# decreases further, and that of the global head hardly changes.

options.finish(args, how_hard_is_it=figure)
