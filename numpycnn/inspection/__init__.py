"""Inspection: what a network does, why it does not learn, and what needs no network."""

from __future__ import annotations

from numpycnn.inspection.baselines import LargestSampleRule, MajorityRule, MedianRule
from numpycnn.inspection.diagnostics import diagnose
from numpycnn.inspection.explain import probabilities, receptive_fields, saliency

__all__ = [
    "LargestSampleRule",
    "MajorityRule",
    "MedianRule",
    "diagnose",
    "probabilities",
    "receptive_fields",
    "saliency",
]
