"""Three kinds of trace: the whole job, from the traces to the figures.

A short seismic trace is quiet, or it holds an arrival, positive or negative,
somewhere. A small convolutional network learns to say which: 144 traces to learn
from, 36 held out to be examined on, 4211 weights, 60 steps, about a second.

Run it, with `--help` for the options; then change it and run it again. What
does the accuracy become with a wider filter, with ten times the noise, with a
fifth of the traces?

    python examples/trace_classifier.py
    python examples/trace_classifier.py --noise 0.3 --seed 1
"""

import numpy as np

import numpycnn as nn
from _shared.options import Options, at_least
from numpycnn.inspection.baselines import LargestSampleRule, MajorityRule, MedianRule
from numpycnn.plots import plot_learning_curves, plot_traces

# The options
# -----------
# Each has a default, so none is needed. Eleven traces are the fewest that leave
# three to hold out, one for each class if the shuffle is kind.

options = Options("Teach a small network to tell three kinds of trace apart.")
add = options.add_argument
add("--seed", type=at_least(0), default=0, help="where all the randomness starts")
add("--epochs", type=at_least(1), default=60, help="how often all traces go through")
add("--lr", type=at_least(1e-9, float), default=5e-3, help="step size of Adam")
add("--traces", type=at_least(11), default=180, help="how many, the held-out fifth included")
add("--noise", type=at_least(0, float), default=0.03, help="standard deviation of the noise")
args = options.read()

# The traces
# ----------
# One generator makes everything that is random, in a fixed order: the same seed
# gives the same traces, the same split and the same first weights.

rng = np.random.default_rng(args.seed)
x, labels = nn.make_traces(args.traces, rng=rng, noise=args.noise)
x_train, x_test, y_train, y_test = nn.train_test_split(x, labels, rng=rng)

# The network
# -----------
# Eight filters, five samples long, look for shapes wherever they are in the trace.
# Of each two neighboring answers the larger is kept, which leaves 32 samples of
# 8 channels, 256 numbers. Two dense layers turn these into a score for each class.

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
# A network that knows nothing gives each class a third: a cross-entropy of
# log 3 = 1.0986. That is where it should start.


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
    options.error(f"the training did not survive --lr {args.lr}. {error}")

# The examination
# ---------------
# Nothing was learned from the held-out traces, so they can tell how well the
# network does. Row by row the table says what the traces of one class were
# taken for; the right answers lie on its diagonal.

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

# Is that good?
# -------------
# Ask what the simplest rules score that learn from the same traces. One always names the
# commonest class. The others look at one number of a trace, its median or its largest
# sample, and they are as good as the network. So the job needs none, and the score does
# not show what it has learned: see [where it works](where_does_it_work.py) for that, and
# [how hard it can be](how_hard_is_it.py) for traces that do need a network.

print(f"\n{'baselines':34}accuracy")
for rule in MajorityRule(), MedianRule(), LargestSampleRule():
    right = rule.fit(x_train, y_train).classify(x_test) == y_test
    print(f"  {type(rule).__name__:32}{right.mean():.3f}")

# The figures
# -----------
# The first held-out trace of each class, and the course of the training.

_, first = np.unique(y_test, return_index=True)
traces = plot_traces(x_test[first], y_test[first], predicted[first])
learning_curves = plot_learning_curves(history)
options.finish(args, traces=traces, learning_curves=learning_curves)
