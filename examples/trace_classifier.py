"""Train and test a classifier of short seismic traces, with figures.

A trace is quiet, or it contains a positive or a negative arrival at an unknown position. A small
convolutional network with 4,211 parameters learns to classify the traces. It is trained on 144
traces for 60 steps, which takes about a second, and tested on 36 others.

Run it, with `--help` for the options. Then change it and run it again. Try a wider filter, ten
times the noise, or a fifth of the traces, and compare the accuracy.

    python examples/trace_classifier.py
    python examples/trace_classifier.py --noise 0.3 --seed 1
"""

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from numpycnn.inspection.baselines import LargestSampleRule, MajorityRule, MedianRule

# The options
# -----------
# Each option has a default. With eleven traces or more, the test set has at least three traces.

options = Options(
    "Train a small network to classify three kinds of trace.",
    files=["traces.png", "learning_curves.png"],
)
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="seed of all random numbers")
add("--epochs", type=at_least(1), default=60, help="passes over the training set")
add("--lr", type=at_least(1e-9, float), default=5e-3, help="step size of Adam")
add("--traces", type=at_least(11), default=180, help="number of traces, including the test set")
add("--noise", type=at_least(0, float), default=0.03, help="standard deviation of the noise")
args = options.read()

# The traces
# ----------
# All random numbers come from one generator in a fixed order. The same seed gives the same traces,
# the same split and the same initial weights.

rng = np.random.default_rng(args.seed)
x, labels = nn.make_traces(args.traces, rng=rng, noise=args.noise)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)

# The network
# -----------
# Eight filters with five taps are applied at every position of the trace. Max pooling keeps the
# larger of each two neighboring outputs, which leaves 32 samples of 8 channels, or 256 values. Two
# dense layers compute a score for each class from them.

model = nn.Sequential(
    nn.Conv1D(1, 8, 5, padding="same", rng=rng),
    nn.ReLU(),
    nn.MaxPool1D(2),
    nn.Flatten(),
    nn.Dense(256, 16, rng=rng),
    nn.ReLU(),
    nn.Dense(16, 3, rng=rng),
)
print(model.summary(x.shape[1:]))

# Training
# --------
# A network without information gives each class the probability 1/3, with a cross-entropy of
# log 3 = 1.0986. The training should start near this value.


def report(epoch: int, history: nn.History) -> None:
    """Print the cross-entropy of the first epoch and of every fifteenth."""
    if epoch == 1 or epoch % 15 == 0:
        print(f"epoch {epoch:4}   cross-entropy {history.loss[-1]:.4f}")


print()
try:
    held_out = x_test, y_test
    plan = {"epochs": args.epochs, "lr": args.lr, "validation": held_out, "on_epoch": report}
    history = nn.fit(model, x_train, y_train, **plan)
except FloatingPointError as error:
    options.error(f"the training diverged with --lr {args.lr}. {error}")

# Test
# ----
# The network was not trained on the traces of the test set, so they measure its accuracy. Each row
# of the table counts the predictions for the traces of one class. Correct predictions are on the
# diagonal.

loss, accuracy = nn.evaluate(model, x_test, y_test)
predicted = model.classify(x_test)
counts = nn.confusion_matrix(y_test, predicted, len(nn.CLASS_NAMES))

print(f"\ntest set: {len(x_test)} traces, cross-entropy {loss:.4f}, accuracy {accuracy:.3f}")
for name, row, right in zip(nn.CLASS_NAMES, counts, counts.diagonal(), strict=True):
    print(f"  {name:16}   " + (f"{right / row.sum():.3f}" if row.any() else "none held out"))

print(f"\n{'true class':16}   predicted: " + "   ".join(nn.CLASS_NAMES))
for name, row in zip(nn.CLASS_NAMES, counts, strict=True):
    cells = [f"{count:{len(column)}}" for column, count in zip(nn.CLASS_NAMES, row, strict=True)]
    print(f"{name:16}              " + "   ".join(cells))

# Baselines
# ---------
# Three simple rules are trained on the same traces. One always predicts the most frequent class.
# The other two use one value per trace, the median or the largest sample, and are as accurate as
# the network. These traces therefore do not require a network, and the score does not show what the
# network has learned. [This example](where_does_it_work.py) examines that, and [this
# one](how_hard_is_it.py) has traces that require a network.

print(f"\n{'baselines':34}accuracy")
for rule in MajorityRule(), MedianRule(), LargestSampleRule():
    right = rule.fit(x_train, y_train).classify(x_test) == y_test
    print(f"  {type(rule).__name__:32}{right.mean():.3f}")

# The figures
# -----------
# The figures show the first test trace of each class, and the loss during training.

_, first = np.unique(y_test, return_index=True)
traces = nn.plots.plot_traces(x_test[first], y_test[first], predicted[first])
learning_curves = nn.plots.plot_learning_curves(history)
options.finish(args, traces=traces, learning_curves=learning_curves)
