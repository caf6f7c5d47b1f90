"""A network that does not learn

The traces are given as counts of the digitizer. The network below is that of chapter 7, and it has
learned nothing after sixty epochs. You may use the diagnostics:

    from numpycnn import diagnose
    print(diagnose(network(), counts, labels))

What should the network be trained on in place of the counts? `prepare` must compute it from its
argument, for any number of traces, and must not change the argument.
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
    """Compute the input of the network, of the same shape, from counts (N, L, 1)."""
    return ...  # values around zero, with a standard deviation of about one


# ---- what follows is for the grader; the reader's file ends here ----

from numpycnn import evaluate, fit
from numpycnn.puzzles.cases import function
from numpycnn.puzzles.compare import numbers
from numpycnn.puzzles.reasons import Reason

SECTION = "Diagnostics"
ALLOWED = ("diagnose", "standardize")
HINTS = (
    "Read the report on the scale of the traces: standard deviation and offset.",
    "Subtract the mean of each trace. And then?",
    "Divide by one number for all, so that a large trace stays larger than a small one: .std().",
)
SOLUTION = """\
(counts - counts.mean(axis=1, keepdims=True)) / counts.std(axis=1).mean()"""
FORMS = (
    "(counts - 2_000_000) / 100_000",
    "(counts - counts.mean()) / counts.std()",
)
WRONG = {
    "counts": "offset",
    "counts / counts.max()": "offset",
    "counts / 100_000": "offset",
    "counts / 2_000_000": "offset",
    "counts - counts.mean(axis=1, keepdims=True)": "standard deviation",
    "counts - counts.mean()": "standard deviation",
    "(counts - counts.mean()) / counts.std() ** 2": "standard deviation",
    "counts * 0.0": "constant",
    "np.ones_like(counts)": "constant",
    "counts[:, ::2]": "wrong shape",
    "counts[:, :, 0]": "wrong shape",
    "volts": "wrong shape",
    "np.log(counts - counts.max())": "not finite",
    "counts.mean(axis=1)": "wrong shape",
    "print(counts.shape)": "printed",
    "'counts'": "wrong type",
}
LESSON = (
    "Initial weights are scaled for inputs of magnitude one. An offset of twenty standard deviations "
    "hides the signal. With counts in place of volts, the initial loss is about 250,000."
)


def cases():
    more, _ = make_traces(30, rng=1)
    for given in counts, 100_000 * more + 2_000_000:
        yield function("prepare", {"counts": given})


def assess(trials):
    for trial in trials:
        given = trial.case.arguments["counts"]
        x = numbers(trial.actual.results["the result"])
        if x is None:
            return Reason("wrong type", f"prepare must return an array of shape {given.shape}.")
        if x.shape != given.shape:
            return Reason(
                "wrong shape",
                f"For counts of shape {given.shape}, prepare must return an array of the same shape, got "
                f"{x.shape}.",
            )
        if not np.isfinite(x).all():
            return Reason("not finite", "The result contains NaN or infinite values.")
        spread, offset = float(x.std(axis=1).mean()), abs(float(x.mean()))
        found = f"The mean standard deviation of a trace is {spread:.3g}, the mean of all is {offset:.3g}."
        if spread < 1e-9 * max(1.0, offset):
            return Reason(
                "constant", f"{found} The traces are constant: nothing is left to learn from."
            )
        if offset > spread:
            return Reason("offset", f"{found} This offset is larger than the signal.")
        if not 0.03 < spread < 30:
            return Reason("standard deviation", f"{found} The standard deviation must be near one.")
    x = numbers(trials[0].actual.results["the result"]).astype(np.float32)
    model = network()
    fit(model, x[:144], labels[:144], epochs=60)
    share = evaluate(model, x[144:], labels[144:])[1]
    if share < 0.9:
        return Reason(
            "not learned", f"{found} Trained on it, the network classifies {share:.0%} correctly."
        )
    return None
