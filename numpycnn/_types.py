"""The words that the signatures here use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""Any NumPy array of floats: float32 usually, float64 and complex for checking derivatives."""

Params: TypeAlias = Mapping[str, Array]
"""Arrays by name: a layer's parameters, or the gradients that belong to them."""

Rng: TypeAlias = np.random.Generator | int | None
"""Where randomness comes from: a generator, a seed for one, or None for fresh entropy."""


@runtime_checkable
class Optimizer(Protocol):
    """Whatever moves arrays against their gradients, `Adam` for one."""

    @property
    def params(self) -> Params:
        """The arrays that `step` changes, by name."""

    def step(self, grads: Params) -> None:
        """Change every array in `params`, in place, by the gradient of its name."""
