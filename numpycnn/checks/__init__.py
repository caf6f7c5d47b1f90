"""Checks: is it right? The gradient checker and the executable definitions."""

from __future__ import annotations

from numpycnn.checks.attributes import check_attributes
from numpycnn.checks.functions import check_vjp
from numpycnn.checks.gradients import assert_gradients, check_gradients
from numpycnn.checks.optimizer import check_adam
from numpycnn.checks.report import GradientError, GradientReport

__all__ = [
    "GradientError",
    "GradientReport",
    "assert_gradients",
    "check_adam",
    "check_attributes",
    "check_gradients",
    "check_vjp",
]
