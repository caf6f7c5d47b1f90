"""Predict, then reveal: ten planted bugs, their accuracies, and the results of the checks.

The accuracies are means over the five seeds of `numpycnn.checks.bugs`. Training them takes
half a minute, so they are kept here, and a test marked `long` trains them again.
"""

from __future__ import annotations

import re

import numpy as np

from numpycnn.checks.bugs import PLANTED_BUGS, run_checks

TASK = "Predict three of the ten accuracies to within 0.1."

ACCURACIES = {
    "conv_dw_zero": 0.978,
    "dense_dw_sign": 0.306,
    "conv_dx_overwritten": 0.994,
    "softmax_diagonal": 0.744,
    "relu_mask_missing": 1.000,
    "dense_dw_transposed": 0.722,
    "loss_mean_missing": 0.994,
    "sequential_skips_relu": 1.000,
    "dense_dw_ignores_dy": 0.267,
    "adam_no_correction": 0.994,
}


def wrong(report: str) -> list[str]:
    """Return which gradients a report calls incorrect: "dx", "dw", "db"; none of Adam's.

    >>> wrong("Gradients of Hasty: INCORRECT\\n  input    correct\\n  0.w      INCORRECT")
    ['dw']
    """
    found = re.findall(r"^  (\S+) +INCORRECT", report, re.MULTILINE)
    return sorted(
        {"dx" if name == "input" else f"d{name[-1]}" for name in found} & {"dx", "dw", "db"}
    )


def data() -> list[dict[str, object]]:
    """Return the mistakes, the accuracies, and the reports, each made anew."""
    with np.errstate(all="ignore"):
        return [
            {
                "mistake": PLANTED_BUGS[name].mistake,
                "part": getattr(PLANTED_BUGS[name].part, "__name__", "the loss"),
                "accuracy": accuracy,
                "report": (report := str(run_checks(PLANTED_BUGS[name], rng=0))),
                "wrong": wrong(report),
            }
            for name, accuracy in ACCURACIES.items()
        ]
