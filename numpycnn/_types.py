"""The types in the signatures of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""Any NumPy array of floats: float32 usually, float64 and complex for checking derivatives."""

ArrayLike: TypeAlias = npt.ArrayLike
"""An array, or a list or another object that NumPy converts to one."""

Params: TypeAlias = Mapping[str, Array]
"""Arrays by name: a layer's parameters, or the gradients that belong to them."""

Loss: TypeAlias = Callable[[Array, Any], tuple[Any, Array]]
"""`loss(scores, targets)` returns its value, a mean over examples, and the gradient for scores."""

Rng: TypeAlias = np.random.Generator | int | None
"""A source of randomness: a generator, a seed for one, or None for unpredictable numbers."""


@runtime_checkable
class Optimizer(Protocol):
    """An object that changes parameters against their gradients, such as `Adam`.

    Parameters
    ----------
    *args, **kwargs : object
        The arguments of the constructor may be any.
    """

    @property
    def params(self) -> Params:
        """The arrays that `step` changes, by name."""

    def step(self, grads: Params) -> None:
        """Change every array in `params`, in place.

        Parameters
        ----------
        grads : mapping of str to ndarray
            A gradient for each array, under its name.
        """
