"""Seismology: records, classical triggers, picks, and networks along records of days."""

from __future__ import annotations

from numpycnn.seismology.long_records import predict_long
from numpycnn.seismology.picking import compare_picks, onset_targets, pick_peaks
from numpycnn.seismology.records import make_records
from numpycnn.seismology.triggers import aic, pick_aic, pick_triggers, sta_lta

__all__ = [
    "aic",
    "compare_picks",
    "make_records",
    "onset_targets",
    "pick_aic",
    "pick_peaks",
    "pick_triggers",
    "predict_long",
    "sta_lta",
]
