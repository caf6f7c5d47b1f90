"""No gradient that is wrong is called right: at no scale, in no type, in no shape.

The counterpart of `test_no_false_alarm`, with the same layers. Each is spoilt in one of the
ways in which gradients go wrong. The long version, ten thousand cases, runs with `pytest -m long`.
"""

from itertools import cycle, product

import numpy as np
import pytest
from corpora.spoils import SPOILS, Units, forgets, in_column, spoilt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_bugs import OF_TWO_MODES
from test_no_false_alarm import right_ones

from numpycnn import check_gradients
from numpycnn.checks import bugs
from numpycnn.checks.strategies import generators


def gradient_at_size_one(subject, x, name, rng):
    """What backward returned with every array scaled to numbers up to one."""

    def scaled(array):
        return array.astype(np.float64) / (np.abs(array).max() or 1)

    if not hasattr(subject, "forward"):
        try:
            return subject(scaled(x))[1]
        except ValueError:  # probabilities have one scale
            return subject(x)[1]
    layer = subject.with_params({n: scaled(array) for n, array in subject.params.items()})
    y, cache = layer.forward(scaled(x))
    dx, grads = layer.backward(rng.standard_normal(y.shape), cache)
    return {"input": dx, **grads}[name]


@st.composite
def wrong_ones(draw):
    """A layer or a loss with one gradient that is wrong, and an input."""
    subject, x = draw(right_ones())
    arrays = {"input": x, **getattr(subject, "params", {})}
    name = draw(st.sampled_from(sorted(arrays)))
    index = tuple(draw(st.integers(0, n - 1)) for n in arrays[name].shape)
    spoil = SPOILS[draw(st.sampled_from(sorted(SPOILS)))]
    right = gradient_at_size_one(subject, x, name, np.random.default_rng(0))
    # Only what makes a difference is wrong: to shift zeros changes nothing.
    assume(np.abs(spoil(right, index) - right).max() > 1e-9)
    return spoilt(subject, name, spoil, index), x


def is_seen(case, rng):
    subject, x = case
    report = check_gradients(subject, x, rng=rng)
    assert report.status != "correct", f"{subject!r}\n{report}"


@given(wrong_ones(), generators)
def test_nothing_that_is_wrong_is_called_right(case, rng):
    is_seen(case, rng)


@pytest.mark.long
@settings(max_examples=10_000)
@given(wrong_ones(), generators)
def test_nothing_in_ten_thousand_that_is_wrong_is_called_right(case, rng):
    is_seen(case, rng)


# Columns in different units
# --------------------------
# A record may hold a pressure of 100,000 beside a velocity of a millionth. What is wrong about
# the small one has to be seen beside the large one, and what is right about it, too.


def judged_in_units(seeds, decades_in, decades_out, total):
    """Layers with columns over so many powers of ten: right ones, and wrong ones."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        units, out = (10.0 ** rng.uniform(-d, 0, 4) for d in (decades_in, decades_out))
        x = units * rng.standard_normal((3, 4))
        column = int(rng.integers(4))
        spoils = [None, forgets, *(in_column(factor, column) for factor in (0, -1, 1.01))]
        for spoil in spoils:
            layer = Units(units, out, total=total, spoil=spoil)
            yield spoil is None, check_gradients(layer, x, rng=seed)


@pytest.mark.parametrize(
    ("decades_in", "decades_out", "total"),
    [(0, 0, False), (6, 0, True), (6, 6, False)],
)
def test_a_column_is_judged_in_its_own_unit(decades_in, decades_out, total):
    for is_right, report in judged_in_units([0], decades_in, decades_out, total):
        assert report.status == ("correct" if is_right else "incorrect"), str(report)


@pytest.mark.parametrize(("decades_in", "decades_out"), [(3, 3), (9, 0), (0, 9)])
def test_in_other_units_there_is_at_most_doubt(decades_in, decades_out):
    is_in_doubt_at_most([0], decades_in, decades_out, total=decades_in == 0)


@pytest.mark.long
@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize(("decades_in", "decades_out"), [(3, 3), (9, 0), (0, 9), (6, 6)])
def test_nor_more_than_doubt_in_two_hundred_draws(decades_in, decades_out, total):
    is_in_doubt_at_most(range(200), decades_in, decades_out, total)


def is_in_doubt_at_most(seeds, decades_in, decades_out, total):
    for is_right, report in judged_in_units(seeds, decades_in, decades_out, total):
        assert report.status != ("incorrect" if is_right else "correct"), str(report)


# The planted bugs at every scale
# -------------------------------


# Softmax without its maximum subtracted is right until it overflows. Of modes that do not belong
# together, each has right gradients.
ANIMALS = [
    name
    for name, bug in bugs.PLANTED_BUGS.items()
    if bug.part is not bugs.Adam and name != "softmax_overflows" and name not in OF_TWO_MODES
]


def is_never_right(name, scales):
    """Check a planted bug with x and the parameters times each pair of scales."""
    bug, rng = bugs.PLANTED_BUGS[name], np.random.default_rng(0)
    subject, x = bugs.typical_case(bug, rng)
    if bug.part in bugs.TWO_MODES:
        subject = subject.for_training(rng)
    params = getattr(subject, "params", {})
    for x_scale, w_scale in scales:
        scaled = subject
        if params:
            scaled = subject.with_params({n: w_scale * array for n, array in params.items()})
        report = check_gradients(scaled, x_scale * x, rng=0)
        assert report.status != "correct", f"x times {x_scale}, weights times {w_scale}\n{report}"


@pytest.mark.parametrize(
    ("name", "scales"), [*zip(ANIMALS[::2], cycle([(1e-12, 1), (1e12, 1e-12)]), strict=False)]
)
def test_no_planted_bug_is_called_correct_at_a_far_scale(name, scales):
    is_never_right(name, [scales])


@pytest.mark.long
@pytest.mark.parametrize("name", ANIMALS)
def test_nor_at_any_scale_between(name):
    scales = [10.0**power for power in range(-12, 13, 3)]
    is_never_right(name, product(scales, scales))
