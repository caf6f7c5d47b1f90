"""Layers and losses that others wrote, right and wrong: no miss, and no false alarm."""

from functools import cache

import numpy as np
import pytest
from corpora.right_layers import RIGHT
from corpora.wrong_layers import UNNAMED, WRONG

from numpycnn import check_gradients

UNCHECKABLE = {"NoGrads"}  # refused with a TypeError that says what to return


@cache
def report_of(name, seed):
    subject, x = (WRONG | RIGHT)[name].case(np.random.default_rng(seed))
    return check_gradients(subject, x, rng=seed)


def is_caught(name, seeds):
    for seed in seeds:
        if name in UNCHECKABLE:
            with pytest.raises(TypeError, match=r"backward .*\(dx, grads\)"):
                report_of(name, seed)
        else:
            report = report_of(name, seed)
            assert report.status != "correct", f"{WRONG[name].mistake}\n{report}"


def passes(name, seeds):
    for seed in seeds:
        report = report_of(name, seed)
        assert report.status != "incorrect", f"{RIGHT[name].what}\n{report}"


@pytest.mark.filterwarnings("ignore")  # some of what others write warns
@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_layer_is_called_right(name):
    is_caught(name, [0])


def test_a_staircase_is_not_called_right_because_it_has_a_corner_everywhere():
    is_caught("SingleDifference", [1, 25, 37, 39, 140])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*RIGHT][::2])  # the long test below tries all
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
@pytest.mark.parametrize("name", [n for n in WRONG if n not in {*UNNAMED, *UNCHECKABLE}])
def test_a_mistake_is_called_by_its_name(name):
    sample = WRONG[name]
    names = {mistake.name for mistake in report_of(name, 0).mistakes}
    assert names & set(sample.names or ["unknown"]), f"{names}, not {sample.names}"


def test_four_mistakes_in_five_are_named():
    assert len(UNNAMED) < len(WRONG) / 5
