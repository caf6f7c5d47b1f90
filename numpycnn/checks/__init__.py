"""Checks: is it right? The gradient checker and the executable definitions."""

from numpycnn.checks.gradients import (
    GradientError,
    GradientReport,
    assert_gradients,
    check_gradients,
)

__all__ = ["GradientError", "GradientReport", "assert_gradients", "check_gradients"]
