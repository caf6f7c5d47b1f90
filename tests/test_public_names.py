"""What is there after `import numpycnn as nn`, and what that import does not do."""

import subprocess
import sys

import pytest

import numpycnn as nn


@pytest.mark.parametrize("name", nn.__all__)
def test_every_name_that_is_promised_is_there(name):
    assert getattr(nn, name) is not None


@pytest.mark.parametrize(
    "name", ["check_adam", "one_hot", "standardize", "baselines.MedianRule", "plots.plot_traces"]
)
def test_what_people_guess_is_there(name):
    thing = nn
    for part in name.split("."):
        thing = getattr(thing, part)
    assert callable(thing)


def test_a_name_that_is_not_there_is_no_recursion_and_no_import():
    with pytest.raises(AttributeError, match=r"^module 'numpycnn' has no attribute 'plot'$"):
        _ = nn.plot


def test_matplotlib_is_imported_when_plots_are_asked_for_and_not_before():
    code = (
        "import sys, numpycnn as nn; assert 'matplotlib' not in sys.modules; "
        "nn.plots; assert 'matplotlib' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
