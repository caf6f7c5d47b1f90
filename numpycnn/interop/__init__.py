"""Interop: exchange parameters with PyTorch and Keras."""

from __future__ import annotations

from numpycnn.interop.weights import from_keras, from_torch, to_keras, to_torch

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]
