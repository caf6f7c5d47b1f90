"""The position test: where each head works, and why one of them answers the opposite."""

import numpy as np
import pytest
from scripts import run_example


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """All names of the script after a run with two of its five seeds."""
    return run_example("where_does_it_work", tmp_path_factory.mktemp("run"), "--seeds", 2)


def test_the_flatten_head_fails_near_the_ends_and_the_global_head_nowhere(names):
    centers = names["centers"]
    assert centers.tolist() == list(range(-8, 73))
    assert names["flatten_right"].shape == names["global_right"].shape == (2, 81)
    ends = (centers <= 6) | (centers >= 58)
    assert names["flatten_right"][:, ends].max() <= 0.03
    assert names["global_right"][:, (centers >= 2) & (centers <= 62)].min() >= 0.99


def test_near_the_ends_the_flatten_head_answers_the_opposite(names):
    centers = names["centers"]
    near = ((centers >= 3) & (centers <= 7)) | ((centers >= 58) & (centers <= 61))
    assert names["flatten_opposite"][:, near].mean() > 0.9
    assert names["global_opposite"].max() == 0


def test_the_cause_is_the_shift_that_subtracting_the_mean_leaves(names):
    middle, ends, *shares = zip(*names["evidence"].values(), strict=True)
    right, opposite, quiet = (np.array([np.mean(share) for share in kind]) for kind in shares)
    middle, ends = (np.array([part.mean(axis=1) for part in parts]) for parts in (middle, ends))
    learned_shifted, shown_unshifted, learned_unshifted, with_global_pooling = range(4)
    assert (middle[learned_shifted] > 0).all()
    assert (ends[learned_shifted] < 0).all()
    assert (ends[learned_unshifted] > 0).all()
    assert opposite[learned_shifted] > 0.9
    assert opposite[shown_unshifted] > 0.7
    assert opposite[learned_unshifted] < 0.01
    assert quiet[learned_unshifted] > 0.9
    assert right[with_global_pooling] > 0.99
