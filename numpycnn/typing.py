"""The types in the signatures of this package, for annotations of custom code."""

from __future__ import annotations

from numpycnn._types import Array, Loss, Optimizer, Params, Rng

__all__ = ["Array", "Loss", "Optimizer", "Params", "Rng"]
