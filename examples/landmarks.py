"""Landmarks: LeNet, the fully convolutional network, ResNet and U-Net, on the same traces.

[architectures.py](../numpycnn/architectures.py) has them in a few lines each. Here
each learns the harder traces of [how_hard_is_it.py](how_hard_is_it.py), beside the small
network with global pooling that was best there, and one table compares them.

    python examples/landmarks.py
    python examples/landmarks.py --traces 1200 --epochs 40
"""

import time

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from _shared.two_heads import network

options = Options("Train the landmark networks on the harder traces.")
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="of traces, first weights and mini-batches")
add("--traces", type=at_least(3), default=600, help="how many to learn from")
add("--epochs", type=at_least(1), default=20, help="how often all traces go through")
args = options.read()

# The traces
# ----------
# To learn from, arrivals anywhere. Two examinations: one of the same kind, and one in which every
# arrival is within six samples of an end.

HARD = {"wavelet": "ricker", "amplitude": (0.4, 1.0), "distractor": "any", "snr": (2, 12)}
rng = np.random.default_rng(args.seed)
x, labels = nn.make_traces(args.traces, rng=rng, center=(1, 64), **HARD)
anywhere = nn.make_traces(1200, rng=rng, center=(1, 64), **HARD)
ends = [nn.make_traces(600, rng=rng, center=center, **HARD) for center in ((1, 6), (59, 64))]
at_the_edges = tuple(np.concatenate(parts) for parts in zip(*ends, strict=True))

# The networks
# ------------
# With an eighth of the papers' filters, which is plenty for 64 samples and three
# classes. U-Net gives every sample scores; the largest of each class speaks for the trace.

landmarks = nn.architectures
networks = {
    "global pooling": network("global", rng, kernel_size=11),
    "LeNet": landmarks.lenet(1, 3, rng=rng),
    "FCN": landmarks.fcn(1, 3, filters=16, rng=rng),
    "ResNet": landmarks.resnet(1, 3, filters=8, rng=rng),
    "U-Net": nn.Sequential(landmarks.unet(1, 3, filters=8, depth=2, rng=rng), nn.GlobalMaxPool1D()),
}

# The table
# ---------
# *Sees* is the number of samples that a number of the last map depends on, at most, before the map
# is flattened or pooled as a whole. *Layers* are those with weights, without normalization.


def sees(model: nn.Sequential) -> int:
    """Return the receptive field at the last layer that does not look at the whole trace."""
    whole = next(i for i, layer in enumerate(model) if layer.receptive_field(64).stride == 0)
    return nn.Sequential(*model.layers[:whole]).receptive_field(64).size


print("                weights  layers  sees  seconds  accuracy  at the edges")
for name, model in networks.items():
    began = time.perf_counter()
    nn.fit(model, x, labels, epochs=args.epochs, batch_size=32, lr=3e-3, rng=rng)
    seconds = time.perf_counter() - began
    n_weights = sum(array.size for array in model.params.values())
    n_layers = len({key.rpartition(".")[0] for key in model.params if key.endswith(".w")})
    accuracies = [nn.evaluate(model, *exam)[1] for exam in (anywhere, at_the_edges)]
    print(
        f"{name:14} {n_weights:8,} {n_layers:7} {sees(model):5} {seconds:8.1f}"
        + "".join(f"{accuracy:10.3f}" for accuracy in accuracies)
    )

# What it says
# ------------
# One run is an anecdote. With the seeds 0, 1 and 2 LeNet came last each time, between 0.910 and
# 0.923; the other four were between 0.938 and 0.964, each time in another order. Three runs are
# anecdotes, too. When a sum in batch normalization was written in another order, which changes
# nothing but last digits, ResNet went from 0.928, 0.967 and 0.907 to 0.947, 0.961 and 0.938.
#
# *LeNet* has by far the most weights, and its dense layers learn for each place what an arrival
# there means, as the flatten head does in [two_heads.py](_shared/two_heads.py). The other four
# learn once and for all places.
#
# The *small network* with global pooling has a hundredth of LeNet's weights, and is hard to beat.
# In these traces there is one thing to find, and one filter of the right length finds it; what is
# deep about the others has little to do here. They were made for harder questions.
#
# At the edges all lose some: part of the wavelet is cut off there.
