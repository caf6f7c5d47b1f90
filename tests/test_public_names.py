"""The names after `import numpycnn as nn`, and the libraries that this import does not load."""

import pytest

import numpycnn as nn


def test_every_public_name_exists():
    assert all(getattr(nn, name) is not None for name in nn.__all__)


@pytest.mark.parametrize(
    "name", ["check_adam", "one_hot", "standardize", "baselines.MedianRule", "plots.plot_traces"]
)
def test_names_that_users_guess_exist(name):
    thing = nn
    for part in name.split("."):
        thing = getattr(thing, part)
    assert callable(thing)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"numpycnn.*\bplot\b"):
        _ = nn.plot
