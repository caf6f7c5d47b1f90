"""Copies of a layer, with other parameters or with another type of float.

A copy is made without a call of the constructor: the new layer holds everything the old one does,
except for the arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from numpycnn._types import Array, Params

if TYPE_CHECKING:
    from numpycnn.layers.layer import Layer

Own = TypeVar("Own", bound="Copied")


class Copied:
    """What every layer can do because it lists its arrays in `params` and `state`."""

    params: Any
    state: Any

    def with_params(self: Own, params: Params) -> Own:
        """Return a copy of this layer that holds `params` in place of its own.

        The `state` is copied, except for arrays whose names are among `params`.
        """
        new = copy(self)
        vars(new)["_params"] = {name: params[name] for name in self.params}
        vars(new)["_state"] = {
            name: params.get(name, own.copy()) for name, own in self.state.items()
        }
        return new

    def astype(self: Own, dtype: npt.DTypeLike) -> Own:
        """Return a copy of this layer whose parameters have another float type, such as float64.

        The `state` holds statistics of data and stays float64 at least.
        """
        if np.dtype(dtype).kind not in "fc":
            raise TypeError(f"astype: dtype must be a type of floats, got {np.dtype(dtype)}.")
        wide = np.result_type(dtype, np.float64)
        arrays: dict[str, Array] = {name: a.astype(dtype) for name, a in self.params.items()}
        state: dict[str, Array] = {name: a.astype(wide) for name, a in self.state.items()}
        return self.with_params(arrays | state)

    def _as(self, kind: type[Own]) -> Own:
        """Return a layer of another class with everything this one has; the arrays are shared."""
        new = object.__new__(kind)
        vars(new).update(vars(self))
        return new

    def walk(self: Own, place: str = "") -> Iterator[tuple[str, Layer]]:
        """Yield every layer that computes something, with its place: here, only this one."""
        yield place, self  # type: ignore[misc]
