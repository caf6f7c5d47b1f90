"""Diagnostics: checks for a network that does not learn.

A network that does not learn raises no error. The loss does not fall, or stops falling too early.
There are few common causes, and most of them can be detected within a second, before any long
training:

- the traces: a constant trace, a trace that occurs twice, an empty channel, a scale of 1e-6 or 1e6,
  an offset much larger than the signal;
- the labels: a class that hardly occurs, or the same trace with two labels;
- the first forward pass: a loss far above that of guessing, activations that decrease or increase
  from layer to layer, ReLUs whose output is always 0;
- the first steps: weights that change by a millionth of themselves, or by all of it;
- memorization: three traces that cannot be memorized. A network that cannot learn three traces
  cannot learn three hundred.

`diagnose` makes all of these checks on a copy of the network. For each, it reports the value that
was found, the expected value and a remedy. It cannot decide whether the labels are correct, or
whether the network generalizes. It does not detect every incorrect gradient either, because a
network often learns in spite of one; use `check_gradients` for that.

References
----------
The order of the checks follows the advice of practitioners, such as A. Karpathy, "A recipe for
training neural networks" (2019). The thresholds are our own choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from numpycnn import ReLU, Sequential
from numpycnn._reductions import centered, difference, mean, total, wide
from numpycnn._types import Array, ArrayLike
from numpycnn.layers.activations import activations
from numpycnn.layers.layer import Layer
from numpycnn.layers.prediction import require_trainable
from numpycnn.training.adam import Adam
from numpycnn.training.examples import Examples, prepare_data
from numpycnn.training.fit import train_step
from numpycnn.training.losses import softmax_cross_entropy
from numpycnn.training.metrics import measure

SCALES = 1e-2, 1e2  # standard deviations suitable for float32 and the usual lr
OFFSET = 3  # the largest mean in standard deviations; from 10 on the accuracy decreases
DEAD = 0.75  # fraction of dead ReLUs; a working layer after few features can have 0.6
UPDATES = 1e-4, 1.0  # length of a step, relative to the weights
FEW_STEPS, MANY_STEPS = 10, 300
LEARNED = 0.1  # the loss of a network that has memorized three traces
N_SEEN, N_NUMBERS = 64, 1 << 15  # traces, or values, on which the network is evaluated


ADVICE = {
    "scale of the traces": "subtract the mean and divide by the standard deviation, for each "
    "channel separately; leave out a channel without signal",
    "constant traces": "leave them out: they may come from a dead channel or a gap filled with "
    "zeros",
    "traces that occur twice": "leave the copies out before splitting: a copy in the test set "
    "makes the test accuracy too high",
    "rarest class": "collect more examples, repeat them, or make the last layer no wider than the "
    "number of classes; and compare with the accuracy of predicting the most frequent class",
    "first loss": "the scores are too large: scale the traces down, or use smaller initial weights",
    "scores": "remove the Softmax at the end: the loss contains a softmax, and with two of them it "
    "cannot get near 0",
    "scale of the activations": "the first layer outside the range is the cause: change its "
    "weights or its input; weights of zero cannot learn, so use random initial ones",
    "dead ReLU": "these always return 0 and cannot learn: raise the biases before them towards 0, "
    "or train with a smaller lr",
    "size of a step, relative to the weights": "too large: reduce lr; too small: increase lr; 0: "
    "no gradient arrives, so look for dead ReLUs and check the backward passes with "
    "check_gradients",
    "overfit three traces": "try another lr; if none helps, a layer is incorrect or too small: run "
    "check_gradients on each, and check that the three traces differ",
}
"""The remedy for each finding."""


class Finding(NamedTuple):
    """The result of one check."""

    name: str
    ok: bool
    found: str
    expected: str

    @property
    def advice(self) -> str:
        """The remedy."""
        return ADVICE[self.name]

    def __str__(self) -> str:
        mark = "fine" if self.ok else "LOOK"
        text = f"  {mark}  {self.name}: {self.found}; should be {self.expected}"
        lines = [text] if self.ok else [text, 10 * " " + self.advice]
        return "\n".join(fill(line, 100, subsequent_indent=10 * " ") for line in lines)


class Diagnosis(NamedTuple):
    """The results of all checks; print it for a report."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True if all values are as expected."""
        return all(finding.ok for finding in self.findings)

    def __str__(self) -> str:
        n_bad = sum(not finding.ok for finding in self.findings)
        summary = f"{n_bad} of {len(self.findings)} need a look" if n_bad else "nothing found"
        return "\n".join([f"Diagnosis: {summary}", *map(str, self.findings)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show in a notebook what `print` shows."""
        printer.text(str(self))


def diagnose(model: Layer, x: Array, targets: ArrayLike, *, lr: float = 5e-3) -> Diagnosis:
    """Find out why a network does not learn; most useful before training.

    Parameters
    ----------
    model : Layer
        A network that returns scores, without a softmax at the end. It is not changed. The checks
        of single layers require a `Sequential`.
    x : ndarray, shape (N, L, C)
        Traces, or another input of the model.
    targets : array-like, shape (N,) or (N, D)
        Labels, or rows of probabilities.
    lr : float
        The step size of Adam that you intend to train with.

    Returns
    -------
    Diagnosis
        The findings.

    Raises
    ------
    TypeError, ValueError
        For arguments that `fit` refuses too.

    Examples
    --------
    >>> from numpycnn import Conv1D, Dense, Flatten, Sequential, make_traces
    >>> x, labels = make_traces(60, rng=0)
    >>> model = Sequential(Conv1D(1, 4, 5, rng=0), ReLU(), Flatten(), Dense(240, 3, rng=0))
    >>> print(diagnose(model, x, labels))
    Diagnosis: nothing found
      fine  scale of the traces: standard deviation 0.21, offset 0; should be ...
      fine  constant traces: 0 of 60; should be 0
      fine  traces that occur twice: 0 of 60; should be 0
      fine  rarest class: class 0, 20 of 60 labels; should be at least 4
      fine  first loss: 1.08; should be near that of guessing, ln 3 = 1.10, or below
      fine  scale of the activations: 0.17 at 0, 0.11 at 1, 0.11 at 2; should be ...
      fine  dead ReLU: 0 of 4 at 1; should be less than three quarters
      fine  size of a step, relative to the weights: 0.016 0.w, 0.055 3.w; should be ...
      fine  overfit three traces: loss 0.000 after 300 steps; should be below 0.1
    """
    require_trainable("diagnose", model)
    # A failing network may overflow, which the values below show.
    with np.errstate(all="ignore"):
        x, y, _ = data = prepare_data("diagnose", model, x, targets, softmax_cross_entropy)
        train_model = model.for_training(0)
        n_seen = max(N_SEEN, N_NUMBERS // x[0].size)
        some = data.some(np.random.default_rng(0).permutation(len(x))[:n_seen])
        findings = [_scale(x), _constant(x), _twice(x, y), _rarest(y)]
        findings.append(_first_loss(train_model.forward(some.x)[0], some.y))
        if isinstance(train_model, Sequential):
            findings += _layers(train_model, some.x)
        findings += [_step_sizes(model, some, lr), _memorized(model, data, lr)]
    return Diagnosis(tuple(findings))


# Traces and labels
# -----------------


def _scale(x: Array) -> Finding:
    """Check the standard deviation and the mean of each channel; the worst one is reported."""
    channels = x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x.reshape(-1, 1)
    middle, z = centered(channels, axis=0)
    std, offset = np.sqrt(mean(z * z, axis=0)), abs(middle[0])
    fits = (std >= SCALES[0]) & (std <= SCALES[1]) & (offset <= OFFSET * std)
    worst = int(fits.argmin())
    found = f"standard deviation {std[worst]:.2g}, offset {round(float(offset[worst]), 3):.2g}"
    found += f" in channel {worst}" if len(fits) > 1 else ""
    expected = f"between {SCALES[0]:g} and {SCALES[1]:g}, the offset at most {OFFSET} times that"
    return Finding("scale of the traces", bool(fits.all()), found, expected)


def _constant(x: Array) -> Finding:
    """Count the traces whose values are all equal."""
    n_constant = int((np.ptp(x.reshape(len(x), -1), axis=1) == 0).sum())
    return Finding("constant traces", n_constant == 0, f"{n_constant} of {len(x)}", "0")


def _twice(x: Array, y: Array) -> Finding:
    """Count the traces that occur twice, and those of them that have two labels."""
    # By their hashes, which need little memory. (Adding 0 converts -0.0 to 0.0.)
    traces, labels = ([hash((row + 0).tobytes()) for row in rows] for rows in (x, y))
    n_twice = sum(n for n in Counter(traces).values() if n > 1)
    n_torn = len(set(zip(traces, labels, strict=True))) - len(set(traces))
    torn = f", {n_torn} of them with another label the second time" if n_torn else ""
    return Finding("traces that occur twice", n_twice == 0, f"{n_twice} of {len(x)}{torn}", "0")


def _rarest(y: Array) -> Finding:
    """Check whether every class has enough examples."""
    counts = total(y.reshape(-1, y.shape[-1]), axis=0)
    rarest, n_labels = int(counts.argmin()), y.size // y.shape[-1]
    least = max(1, n_labels // (5 * len(counts)))  # a fifth of an equal share
    found = f"class {rarest}, {counts[rarest]:.0f} of {n_labels} labels"
    return Finding("rarest class", bool(counts[rarest] >= least), found, f"at least {least}")


# The first forward pass
# ----------------------


def _first_loss(scores: Array, y: Array) -> Finding:
    """Check whether the initial loss is that of guessing, and the output is not probabilities."""
    # Scores that are positive and add up to one have been through a softmax.
    if (scores >= 0).all() and (abs(total(scores, axis=-1) - 1) < 1e-3).all():
        return Finding("scores", False, "probabilities", "any numbers")
    loss, guessing = float(softmax_cross_entropy(scores, y)[0]), float(np.log(y.shape[-1]))
    expected = f"near that of guessing, ln {y.shape[-1]} = {guessing:.2f}, or below"
    return Finding("first loss", loss < 1.5 * guessing, f"{loss:.3g}", expected)


def _layers(model: Sequential, x: Array) -> list[Finding]:
    """Check the standard deviation of the output of each layer, and count dead ReLUs."""
    scales, dead, most_dead = {}, [], 0.0
    for place, layer, y in activations(model, x):
        _, z = centered(y)
        scales[f" at {place}"] = float(np.sqrt(mean(z * z)))
        if isinstance(layer, ReLU):
            silent = ~(y > 0).reshape(-1, y.shape[-1]).any(axis=0)
            dead.append(f"{silent.sum()} of {silent.size} at {place}")
            most_dead = max(most_dead, float(silent.mean()))
    if len(scales) > 1:
        scales.popitem()  # the scores: the first loss covers them, and they may be zero at first
    findings = [_in_range("scale of the activations", scales, SCALES)]
    if dead:
        expected = "less than three quarters"
        findings.append(Finding("dead ReLU", most_dead < DEAD, ", ".join(dead), expected))
    return findings


# The first steps
# ---------------


def _step_sizes(model: Layer, data: Examples, lr: float) -> Finding:
    """Check the largest change of the weights of each layer in the first steps.

    The first step of Adam has the length lr for every weight, so a few steps are taken.
    """
    copy, step = _copy_to_train(model, lr)
    weights = {name: array for name, array in copy.params.items() if array.ndim > 1}
    weights = weights or dict(copy.params)
    first = {name: _norm(array) for name, array in weights.items()}
    moved = dict.fromkeys(weights, 0.0)
    for _ in range(FEW_STEPS):
        before = {name: array.copy() for name, array in weights.items()}
        step(data)
        for name, old in before.items():
            moved[name] = max(moved[name], _norm(difference(weights[name], old)))
    # Weights that are initially zero may learn: divide by their magnitude after the steps.
    last = {name: _norm(array) for name, array in weights.items()}
    sizes = {name: moved[name] / (first[name] or last[name] or 1.0) for name in weights}
    found = {f" {name}": size for name, size in sizes.items()}
    return _in_range("size of a step, relative to the weights", found, UPDATES)


def _norm(array: Array) -> float:
    """Return the root of the sum of squares."""
    return float(np.linalg.norm(array.astype(wide(array))))


def _memorized(model: Layer, data: Examples, lr: float) -> Finding:
    """Check whether a copy can memorize three traces, of three classes if possible."""
    labels = data.y.reshape(len(data.y), -1).argmax(axis=1)
    _, first = np.unique(labels, return_index=True)
    others = np.setdiff1d(np.arange(len(labels)), first)
    three = data.some(np.concatenate([first, others])[:3])
    copy, step = _copy_to_train(model, lr)
    for _ in range(MANY_STEPS):
        step(three)
    loss, _ = measure(copy, softmax_cross_entropy, three)
    found = f"loss {loss:.3f} after {MANY_STEPS} steps"
    return Finding("overfit three traces", loss < LEARNED, found, f"below {LEARNED}")


def _copy_to_train(model: Layer, lr: float) -> tuple[Layer, Callable[[Examples], object]]:
    """Return a copy of the model and a function that trains it by one step."""
    copy = model.with_params({name: array.copy() for name, array in model.params.items()})
    return copy, partial(
        train_step, copy.for_training(0), Adam(copy.params, lr), softmax_cross_entropy
    )


def _in_range(name: str, values: dict[str, float], limits: tuple[float, float]) -> Finding:
    """Check whether all values are between these limits."""
    low, high = limits
    ok = all(low <= value <= high for value in values.values())
    found = ", ".join(f"{value:.2g}{what}" for what, value in values.items())
    return Finding(name, ok, found, f"between {low:g} and {high:g}")
