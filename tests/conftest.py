"""Hypothesis: the same examples in every ordinary run; `--hypothesis-profile=thorough` for more."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ordinary",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", parent=settings.get_profile("ordinary"), derandomize=False, max_examples=5000
)
settings.load_profile("ordinary")
