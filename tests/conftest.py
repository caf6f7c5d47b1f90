"""Hypothesis: the same examples in every ordinary run; `--hypothesis-profile=thorough` for more."""

import os

# Before NumPy is imported: the matrices here are small, and on a busy machine threads that
# wait for each other take many times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The small sites of the tests are built without Python for the browser.
os.environ.setdefault("NUMPYCNN_LIVE", "off")

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "ordinary",
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", parent=settings.get_profile("ordinary"), derandomize=False, max_examples=3000
)
settings.register_profile("few", parent=settings.get_profile("ordinary"), max_examples=10)
settings.register_profile("fewest", parent=settings.get_profile("ordinary"), max_examples=5)
settings.register_profile(
    "mutation",  # a failure is enough there: the smallest failing example is not needed
    parent=settings.get_profile("ordinary"),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("ordinary")


@pytest.fixture
def figures_are_not_saved(monkeypatch):
    """Spare a test the second that it takes to draw figures at which it does not look."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: None)
