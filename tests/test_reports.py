"""The report on each planted bug, and on some other incorrect layers.

`reports.txt` holds it, with numbers masked. To see what a change does to it, and keep that:

    python tests/test_reports.py && git diff tests/reports.txt
"""

import re
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
from corpora.reports import SPOILT, FirstSlope, Gate, HalfPrecision, MaskOfDy, Scribbles, Spoilt
from corpora.wrong_layers import WRONG

from numpycnn import Adam, Conv1D, Dense, MaxPool1D, ReLU, Softmax, check_adam, check_gradients
from numpycnn.checks import bugs

REPORTS = Path(__file__).with_name("reports.txt")


FROM_OTHERS = (
    "PermuteTwice SortTwice SkipForgotten OneTrace EmbeddingOverwritten StaleResult CachePopped "
    "ReusedGradient ComplexGradient LeakyAsReLU TanhOfInput MovingAverageOverwritten "
    "ClipTransparent UpsampleFirst NotThroughTime ScalePerTrace GradientChanged "
    "ParameterChanged"
)


def everything():
    """Every report, in order."""
    for name, bug in bugs.PLANTED_BUGS.items():
        yield name, bugs.run_checks(bug, rng=0)
    x = np.random.default_rng(0).standard_normal((2, 6, 2))
    yield "a right layer", check_gradients(ReLU(), x, rng=0)
    yield "ties", check_gradients(MaxPool1D(3, stride=1), np.round(x), rng=0)
    yield "vanished", check_gradients(Softmax(), np.array([[0.0, 1000.0]]), rng=0)
    far = bugs.PLANTED_BUGS["softmax_plain_mean"].broken()
    yield "wrong, and hidden", check_gradients(far, np.array([[0.0, 1000.0]]), rng=0)
    yield "low precision", check_gradients(HalfPrecision(), x, rng=0)
    for name, (spoilt, change) in SPOILT.items():
        conv = Conv1D(2, 3, 4, rng=0).astype(float)
        yield name, check_gradients(Spoilt(conv, spoilt, change), x, rng=0)
    dense = Dense(3, 4, rng=0).astype(float)
    x = np.random.default_rng(0).standard_normal((5, 3))
    spoilt = Spoilt(dense, "input", lambda gradient: gradient[::-1])
    yield "traces of a table exchanged", check_gradients(spoilt, x, rng=0)
    yield "the mask of dy", check_gradients(MaskOfDy(np.random.default_rng(0)), x, rng=0)
    yield "a factor constant", check_gradients(Gate("gate"), x[:4, :2], rng=0)
    yield "the other factor constant", check_gradients(Gate("x"), x[:4, :2], rng=0)
    yield "two arrays changed", check_gradients(Scribbles(), x, rng=0)
    yield "the slope kept", check_gradients(FirstSlope(), x, rng=0)
    yield "a right optimizer", check_adam(Adam, rng=0)
    yield "an optimizer without a name", check_adam(partial(Adam), rng=0)
    for name in FROM_OTHERS.split():
        subject, x = WRONG[name].case(np.random.default_rng(0))
        yield name, check_gradients(subject, x, rng=0)


def entries():
    """All of them as text, a # for every number, each note on one line."""
    for name, report in everything():
        text = f"{name}\n{report}\n".replace("\n        ", " ")
        yield re.sub(r"-?\d+(\.\d+)?(e[-+]\d+)?", "#", text)


def test_the_reports_are_those_that_were_read_and_found_good():
    kept = REPORTS.read_text(encoding="utf-8").split("\n\n")
    for entry, then in zip_longest(entries(), kept):
        assert entry is not None, f"no longer reported:\n{then}"
        assert entry.rstrip() == (then or "").rstrip()


if __name__ == "__main__":
    REPORTS.write_text("\n".join(entries()), encoding="utf-8")
