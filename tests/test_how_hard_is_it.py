"""Harder traces, on which the rules fall and the network with global pooling stands."""

from scripts import run_example


def test_both_baselines_are_below_four_fifths_where_global_pooling_is_above_95_percent(tmp_path):
    names = run_example("how_hard_is_it", tmp_path, "--seeds", 2)
    curves, ratios = names["curves"], list(names["RATIOS"])
    clear = [ratios.index(ratio) for ratio in (8, 10, 12, 16)]
    for seed in range(2):
        assert (curves["global"][seed, clear] > 0.95).all()
        assert (curves["median rule"][seed, clear] < 0.8).all()
        assert (curves["largest-sample rule"][seed, clear] < 0.8).all()
    lead = curves["global"].mean(axis=0) - curves["flatten"].mean(axis=0)
    assert (lead[clear] > 0.02).all()
    assert (curves["global"].mean(axis=0)[:1] < 0.5).all()  # nobody reads noise
