"""Layers and losses that others wrote, right and wrong: no miss, and no false alarm."""

import numpy as np
import pytest
from right_layers import RIGHT
from wrong_layers import WRONG

from numpycnn import check_gradients

UNCHECKABLE = {"NoGrads"}  # refused with a TypeError that says what to return


def report_of(sample, seed):
    subject, x = sample.case(np.random.default_rng(seed))
    return check_gradients(subject, x, rng=seed)


def is_caught(name, seeds):
    for seed in seeds:
        if name in UNCHECKABLE:
            with pytest.raises(TypeError, match=r"to return \(dx, grads\)"):
                report_of(WRONG[name], seed)
        else:
            report = report_of(WRONG[name], seed)
            assert report.verdict != "right", f"{WRONG[name].mistake}\n{report}"


def passes(name, seeds):
    for seed in seeds:
        report = report_of(RIGHT[name], seed)
        assert report.verdict != "wrong", f"{RIGHT[name].what}\n{report}"


@pytest.mark.filterwarnings("ignore")  # some of what others write warns
@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_layer_is_called_right(name):
    is_caught(name, [0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_no_right_layer_is_accused(name):
    passes(name, [0])


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_layer_is_called_right_in_thirty_draws(name):
    is_caught(name, range(30))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_no_right_layer_is_accused_in_thirty_draws(name):
    passes(name, range(30))


@pytest.mark.filterwarnings("ignore")
def test_most_mistakes_are_named_and_most_names_are_right():
    named = rightly = 0
    for sample in WRONG.values():
        names = set()
        try:
            names = {mistake.name for mistake in report_of(sample, seed=1).mistakes}
        except TypeError:
            continue
        named += bool(names - {"unknown"})
        rightly += bool(names & set(sample.names or ["unknown"]))
    assert named / len(WRONG) > 0.55
    assert rightly / len(WRONG) > 0.75
