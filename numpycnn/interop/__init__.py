"""Interop: parameters for PyTorch and Keras, and networks as ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpycnn.interop.weights import from_keras, from_torch, to_keras, to_torch

if TYPE_CHECKING:
    from numpycnn.interop.onnx_export import to_onnx

__all__ = ["from_keras", "from_torch", "to_keras", "to_onnx", "to_torch"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import what requires a further library when it is first used."""
        if name == "to_onnx":
            from numpycnn.interop.onnx_export import to_onnx

            return to_onnx
        raise AttributeError(f"module 'numpycnn.interop' has no attribute {name!r}")
