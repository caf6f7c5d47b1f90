"""Harder traces, on which the rules fall and the network with global pooling stands."""

import pytest
from scripts import run_example


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """All names of the script after a run with two of its five seeds, and its folder."""
    folder = tmp_path_factory.mktemp("run")
    return run_example("how_hard_is_it", folder, "--seeds", 2), folder


def test_both_baselines_are_below_four_fifths_where_global_pooling_is_above_95_percent(default):
    names, _ = default
    curves, ratios = names["curves"], list(names["RATIOS"])
    clear = [ratios.index(ratio) for ratio in (8, 10, 12, 16)]
    for seed in range(2):
        assert (curves["global"][seed, clear] > 0.95).all()
        assert (curves["median rule"][seed, clear] < 0.8).all()
        assert (curves["largest-sample rule"][seed, clear] < 0.8).all()
    lead = curves["global"].mean(axis=0) - curves["flatten"].mean(axis=0)
    assert (lead[clear] > 0.02).all()
    assert (curves["global"].mean(axis=0)[:1] < 0.5).all()  # nobody reads noise
