"""A network that does not learn

The traces come as the digitiser counted them. The network below is the one of chapter 7, and it
has learned nothing after sixty epochs. You may ask the doctor:

    from numpycnn import diagnose
    print(diagnose(network(), counts, labels))

What should the network get in place of the counts?
"""

import numpy as np

from numpycnn import Conv1D, Dense, Flatten, MaxPool1D, ReLU, Sequential, diagnose, make_traces

volts, labels = make_traces(180, rng=0)
counts = 100_000 * volts + 2_000_000


def network():
    rng = np.random.default_rng(0)
    return Sequential(
        Conv1D(1, 8, 5, padding="same", rng=rng),
        ReLU(),
        MaxPool1D(2),
        Flatten(),
        Dense(256, 16, rng=rng),
        ReLU(),
        Dense(16, 3, rng=rng),
    )


def prepare(counts):
    """From counts (N, L, 1) to what the network is trained on, of the same shape."""
    return ...  # numbers around zero, of a size of about one


# ---- what follows is for the grader; the reader's file ends here ----


from numpycnn import evaluate, fit
from numpycnn.puzzles.grading import Wrong

HINTS = (
    "Read what the doctor says about the scale of the traces: standard deviation and offset.",
    "Take off the mean of each trace. And then?",
    "Divide by one number for all, so that a large trace stays larger than a small one: .std().",
)
SOLUTION = """\
(counts - counts.mean(axis=1, keepdims=True)) / counts.std(axis=1).mean()"""
WRONG = {
    "counts": "offset",
    "counts / counts.max()": "offset",
    "counts - counts.mean(axis=1, keepdims=True)": "standard deviation",
    "counts * 0.0": "constant",
    "counts[:, ::2]": "shape",
}
LESSON = (
    "First weights are made for numbers of size one. An offset twenty times the signal drowns it, and "
    "counts in place of volts make scores, and a first loss, of a quarter of a million."
)


def check(answer, right):
    x = np.asarray(answer.prepare(answer.counts.copy()), np.float32)
    if x.shape != answer.counts.shape:
        raise Wrong(f"It should have the shape {answer.counts.shape}, and it has {x.shape}.")
    if not np.isfinite(x).all():
        raise Wrong("There are NaN or infinite numbers in it.")
    spread, offset = float(x.std(axis=1).mean()), abs(float(x.mean()))
    found = f"Each trace has a standard deviation of {spread:.3g}, and their mean is {offset:.3g}."
    if spread == 0:
        raise Wrong(f"{found} The traces are constant: nothing is left to learn from.")
    if offset > spread:
        raise Wrong(f"{found} Such an offset is larger than what happens in a trace.")
    if not 0.03 < spread < 30:
        raise Wrong(f"{found} The standard deviation should be of size one.")
    model = right.network()
    fit(model, x[:144], right.labels[:144], epochs=60)
    share = evaluate(model, x[144:], right.labels[144:])[1]
    if share < 0.9:
        raise Wrong(f"{found} Trained on it, the network gets {share:.0%} of new traces right.")
