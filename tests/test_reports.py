"""What a reader is told of each animal of the zoo, and of some that are no animals.

`reports.txt` holds it, with numbers masked. To see what a change does to it, and keep that:

    python tests/test_reports.py && git diff tests/reports.txt
"""

import re
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
from wrong_layers import WRONG

from numpycnn import Adam, MaxPool1D, ReLU, Softmax, check_adam, check_gradients
from numpycnn.checks import bugs
from numpycnn.layers import Layer

REPORTS = Path(__file__).with_name("reports.txt")


FROM_OTHERS = (
    "PermuteTwice SortTwice SkipForgotten OneTrace EmbeddingOverwritten StaleResult CachePopped "
    "ReusedGradient ComplexGradient LeakyAsReLU TanhOfInput MovingAverageOverwritten "
    "ClipTransparent"
)


class HalfPrecision(Layer):
    """Computes forward in float16, so that no derivative of it is known well."""

    def forward(self, x):
        return np.tanh(x.real.astype(np.float16)).astype(float), x

    def backward(self, dy, cache):
        return dy * (1 - np.tanh(cache) ** 2), {}


def everything():
    """Every report, in order."""
    for name, animal in bugs.ZOO.items():
        yield name, bugs.examine(animal, rng=0)
    x = np.random.default_rng(0).standard_normal((2, 6, 2))
    yield "a right layer", check_gradients(ReLU(), x, rng=0)
    yield "ties", check_gradients(MaxPool1D(3, stride=1), np.round(x), rng=0)
    yield "vanished", check_gradients(Softmax(), np.array([[0.0, 1000.0]]), rng=0)
    far = bugs.ZOO["softmax_plain_mean"].broken()
    yield "wrong, and hidden", check_gradients(far, np.array([[0.0, 1000.0]]), rng=0)
    yield "low precision", check_gradients(HalfPrecision(), x, rng=0)
    yield "a right optimiser", check_adam(Adam, rng=0)
    yield "an optimiser without a name", check_adam(partial(Adam), rng=0)
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
