"""Doctor: what to look at when a network does not learn.

A network that does not learn raises no error. The loss stays where it was, or
falls and says nothing about why it fell no further. The causes are few, though,
and most of them show within a second, before any long training:

- in the traces: one that is constant, one that occurs twice, a channel with nothing on it,
  a scale of 1e-6 or 1e6, an offset that dwarfs the signal;
- in the labels: a class that hardly occurs, or the same trace with two labels;
- in the first forward pass: a loss that is far from that of guessing, activations
  that fade or grow from layer to layer, ReLUs that let nothing through;
- in the first steps: weights that move by a millionth of themselves, or by all of it;
- in the end: three traces that cannot be learned by heart. Whatever cannot learn three
  will not learn three hundred.

`diagnose` looks at all of these, on a copy of the network, and says of each what it
found, what it should be, and what to do. It cannot say whether the labels are true,
or whether what is learned holds for other traces. Nor does it find every wrong
gradient, for a network with one often learns all the same; that is what `check_gradients`
is for.

Sources: the order of things to try is that of many practitioners, A. Karpathy's "A recipe
for training neural networks" (2019) among them; the thresholds are our own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numpycnn._reductions import centered, difference, mean, total, wide
from numpycnn._types import Array
from numpycnn.layers import ReLU, Sequential
from numpycnn.layers.activations import activations
from numpycnn.layers.layer import Layer
from numpycnn.training.adam import Adam
from numpycnn.training.evaluate import measure
from numpycnn.training.examples import Examples, prepare_data
from numpycnn.training.fit import require_trainable, train_step
from numpycnn.training.losses import softmax_cross_entropy

SCALES = 1e-2, 1e2  # standard deviations with which float32 and the usual lr do well
OFFSET = 3  # standard deviations that the mean may lie off zero; from 10 on it costs accuracy
DEAD = 0.75  # a share of dead ReLUs; a healthy layer behind few features can have 0.6
UPDATES = 1e-4, 1.0  # sizes of a step, relative to the weights
FEW_STEPS, MANY_STEPS = 10, 300
LEARNED = 0.1  # the loss of a network that knows its overfit three traces
N_SEEN, N_NUMBERS = 64, 1 << 15  # enough to look at a network with: so many traces, or numbers


ADVICE = {
    "scale of the traces": "subtract the mean and divide by the standard deviation, each channel "
    "by its own; leave out a channel with nothing on it",
    "constant traces": "leave them out: a dead channel, a gap filled with zeros?",
    "traces that occur twice": "leave the copies out, before splitting: a copy among the held-out "
    "traces makes the accuracy there a lie",
    "rarest class": "get more of it, show it more often, or widen the last layer by no more than "
    "the classes there are; and compare with the accuracy of naming the commonest class",
    "first loss": "the scores are too large: scale the traces down, or begin with smaller weights",
    "scores": "take the Softmax off the end: the loss has one of its own, and two cannot get near "
    "0",
    "scale of the activations": "the first layer outside the range is the culprit: mend its "
    "weights, or what goes in; from weights of zero nothing can be learned, so begin with random "
    "ones",
    "dead ReLU": "these never let anything through and cannot learn: raise the biases before them "
    "towards 0, or train with a smaller lr",
    "size of a step, relative to the weights": "too large: a smaller lr; too small: a larger one; "
    "0: no gradient arrives, so look for dead ReLUs and check the backward passes with "
    "check_gradients",
    "overfit three traces": "another lr; if none helps, a layer is wrong or too small: run "
    "check_gradients on each, and look whether the three traces differ at all",
}
"""What to do about each thing that is looked at."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    expected: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.name]

    def __str__(self) -> str:
        mark = "fine" if self.ok else "LOOK"
        text = f"  {mark}  {self.name}: {self.found}; should be {self.expected}"
        lines = [text] if self.ok else [text, 10 * " " + self.advice]
        return "\n".join(fill(line, 100, subsequent_indent=10 * " ") for line in lines)


class Diagnosis(NamedTuple):
    """What `diagnose` found: print it, or ask it whether all `ok`."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing needs a look."""
        return all(finding.ok for finding in self.findings)

    def __str__(self) -> str:
        n_bad = sum(not finding.ok for finding in self.findings)
        verdict = f"{n_bad} of {len(self.findings)} need a look" if n_bad else "nothing found"
        return "\n".join([f"Diagnosis: {verdict}", *map(str, self.findings)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show in a notebook what `print` shows."""
        printer.text(str(self))


def diagnose(model: Layer, x: Array, targets: npt.ArrayLike, *, lr: float = 5e-3) -> Diagnosis:
    """Look for what keeps `model` from learning traces `x` and their `targets`; best untrained.

    Args:
        model: ends in scores, not in a softmax. It is not changed. The parts that go from
            layer to layer need a `Sequential`.
        x: (N, L, C) or whatever the model takes.
        targets: labels (N,) or rows of probabilities (N, D).
        lr: the step size of Adam that you mean to train with.

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

    Raises `TypeError` or `ValueError` for arguments that do not fit, as `fit` does.
    """
    require_trainable("diagnose", model)
    # A sick network may overflow, and then the numbers below say so.
    with np.errstate(all="ignore"):
        x, y, _ = prepare_data("diagnose", model, x, targets, softmax_cross_entropy)
        train_model = model.for_training(0)
        n_seen = max(N_SEEN, N_NUMBERS // x[0].size)
        some = np.random.default_rng(0).permutation(len(x))[:n_seen]
        findings = [_scale(x), _constant(x), _twice(x, y), _rarest(y)]
        findings.append(_first_loss(train_model.forward(x[some])[0], y[some]))
        if isinstance(train_model, Sequential):
            findings += _layers(train_model, x[some])
        findings += [_step_sizes(model, x[some], y[some], lr), _by_heart(model, x, y, lr)]
    return Diagnosis(tuple(findings))


# The patient's history
# ---------------------


def _scale(x: Array) -> Finding:
    """How large the numbers of each channel are, and how far off zero; the worst is told."""
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
    """How many traces are the same number throughout."""
    n_constant = int((np.ptp(x.reshape(len(x), -1), axis=1) == 0).sum())
    return Finding("constant traces", n_constant == 0, f"{n_constant} of {len(x)}", "0")


def _twice(x: Array, y: Array) -> Finding:
    """How many traces occur again, and how many of these with another label."""
    # By their hashes, which take no memory. (To add 0 makes 0.0 of -0.0, which has other bytes.)
    traces, labels = ([hash((row + 0).tobytes()) for row in rows] for rows in (x, y))
    n_twice = sum(n for n in Counter(traces).values() if n > 1)
    n_torn = len(set(zip(traces, labels, strict=True))) - len(set(traces))
    torn = f", {n_torn} of them with another label the second time" if n_torn else ""
    return Finding("traces that occur twice", n_twice == 0, f"{n_twice} of {len(x)}{torn}", "0")


def _rarest(y: Array) -> Finding:
    """Whether every class occurs often enough to be worth a network's while."""
    counts = total(y.reshape(-1, y.shape[-1]), axis=0)
    rarest, n_labels = int(counts.argmin()), y.size // y.shape[-1]
    least = max(1, n_labels // (5 * len(counts)))  # a fifth of an equal share
    found = f"class {rarest}, {counts[rarest]:.0f} of {n_labels} labels"
    return Finding("rarest class", bool(counts[rarest] >= least), found, f"at least {least}")


# The first look
# --------------


def _first_loss(scores: Array, y: Array) -> Finding:
    """Whether the network begins at a guess, or confidently wrong, or with no scores at all."""
    # Scores that are positive and add up to one have been through a softmax.
    if (scores >= 0).all() and (abs(total(scores, axis=-1) - 1) < 1e-3).all():
        return Finding("scores", False, "probabilities", "any numbers")
    loss, guessing = float(softmax_cross_entropy(scores, y)[0]), float(np.log(y.shape[-1]))
    expected = f"near that of guessing, ln {y.shape[-1]} = {guessing:.2f}, or below"
    return Finding("first loss", loss < 1.5 * guessing, f"{loss:.3g}", expected)


def _layers(model: Sequential, x: Array) -> list[Finding]:
    """How large each layer's output is, and how many ReLUs let nothing through."""
    scales, dead, most_dead = {}, [], 0.0
    for place, layer, y in activations(model, x):
        _, z = centered(y)
        scales[f" at {place}"] = float(np.sqrt(mean(z * z)))
        if isinstance(layer, ReLU):
            silent = ~(y > 0).reshape(-1, y.shape[-1]).any(axis=0)
            dead.append(f"{silent.sum()} of {silent.size} at {place}")
            most_dead = max(most_dead, float(silent.mean()))
    if len(scales) > 1:
        scales.popitem()  # the scores: the first loss judges them, and they may begin at zero
    findings = [_in_range("scale of the activations", scales, SCALES)]
    if dead:
        expected = "less than three quarters"
        findings.append(Finding("dead ReLU", most_dead < DEAD, ", ".join(dead), expected))
    return findings


# The first steps
# ---------------


def _step_sizes(model: Layer, x: Array, y: Array, lr: float) -> Finding:
    """How far the weights of each layer move at most in one of the first steps.

    Adam's first step is one lr for every weight, whatever the gradient; so a few are taken.
    """
    twin, step = _apprentice(model, lr)
    weights = {name: array for name, array in twin.params.items() if array.ndim > 1}
    weights = weights or dict(twin.params)
    first = {name: _norm(array) for name, array in weights.items()}
    moved = dict.fromkeys(weights, 0.0)
    for _ in range(FEW_STEPS):
        before = {name: array.copy() for name, array in weights.items()}
        step(x, y)
        for name, old in before.items():
            moved[name] = max(moved[name], _norm(difference(weights[name], old)))
    # Weights that begin at zero may learn: measure them against what they have become.
    last = {name: _norm(array) for name, array in weights.items()}
    sizes = {name: moved[name] / (first[name] or last[name] or 1.0) for name in weights}
    found = {f" {name}": size for name, size in sizes.items()}
    return _in_range("size of a step, relative to the weights", found, UPDATES)


def _norm(array: Array) -> float:
    """The root of the sum of squares."""
    return float(np.linalg.norm(array.astype(wide(array))))


def _by_heart(model: Layer, x: Array, y: Array, lr: float) -> Finding:
    """Whether a copy can learn three traces, of three classes if there are so many."""
    labels = y.reshape(len(y), -1).argmax(axis=1)
    _, first = np.unique(labels, return_index=True)
    others = np.setdiff1d(np.arange(len(x)), first)
    three = np.concatenate([first, others])[:3]
    twin, step = _apprentice(model, lr)
    for _ in range(MANY_STEPS):
        step(x[three], y[three])
    loss, _ = measure(twin, softmax_cross_entropy, Examples(x[three], y[three], None))
    found = f"loss {loss:.3f} after {MANY_STEPS} steps"
    return Finding("overfit three traces", loss < LEARNED, found, f"below {LEARNED}")


def _apprentice(
    model: Layer, lr: float
) -> tuple[Layer, Callable[[Array, Array], tuple[float, float]]]:
    """Return a copy of the model and a function that trains it by one step."""
    twin = model.with_params({name: array.copy() for name, array in model.params.items()})
    return twin, partial(
        train_step, twin.for_training(0), Adam(twin.params, lr), softmax_cross_entropy
    )


def _in_range(name: str, values: dict[str, float], limits: tuple[float, float]) -> Finding:
    """Return the finding that all values lie between these limits, or that they do not."""
    low, high = limits
    ok = all(low <= value <= high for value in values.values())
    found = ", ".join(f"{value:.2g}{what}" for what, value in values.items())
    return Finding(name, ok, found, f"between {low:g} and {high:g}")
