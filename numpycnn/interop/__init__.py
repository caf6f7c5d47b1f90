"""Interop: parameters for PyTorch and Keras, ONNX files, and a classifier of scikit-learn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpycnn.interop.weights import from_keras, from_torch, to_keras, to_torch

if TYPE_CHECKING:
    from numpycnn.interop.onnx_export import to_onnx
    from numpycnn.interop.sklearn_estimator import TraceClassifier

__all__ = ["TraceClassifier", "from_keras", "from_torch", "to_keras", "to_onnx", "to_torch"]

# These require a further library, so they are imported when they are first used.

_OBJECTS = {
    "TraceClassifier": "numpycnn.interop.sklearn_estimator",
    "to_onnx": "numpycnn.interop.onnx_export",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _OBJECTS:
            raise AttributeError(f"module 'numpycnn.interop' has no attribute {name!r}")
        return getattr(import_module(_OBJECTS[name]), name)
