"""The arrays of a layer: its parameters, its state, and copies with other arrays.

A copy is made without a call of the constructor. It has all attributes of the original, and other
arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Array, Params
from numpycnn._validation import require_parameters

Own = TypeVar("Own", bound="Arrays")


class Arrays:
    """An object with arrays that are listed in `params` and `state`."""

    def __init__(self, **params: Array) -> None:
        require_parameters(self, params)
        self._params = params
        self._state: dict[str, Array] = {}

    @property
    def params(self) -> Params:
        """The parameters by name. An optimizer changes these arrays in place."""
        params: Params = vars(self).setdefault("_params", {})  # without super().__init__(): none
        return params

    @property
    def state(self) -> dict[str, Array]:
        """Arrays that are saved with the parameters and not changed by gradients."""
        state: dict[str, Array] = vars(self).setdefault("_state", {})
        return state

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("params", "state"):
            raise AttributeError(
                f"{type(self).__name__}: {name} must not be replaced. Write into its arrays, "
                f"layer.{name}[name][...] = values; a new layer passes its own to "
                "super().__init__(w=w, b=b)."
            )
        super().__setattr__(name, value)

    def with_params(self: Own, params: Params) -> Own:
        """Return a copy that holds the arrays in `params`, and copies of the rest of the state."""
        new = copy(self)
        vars(new)["_params"] = {name: params[name] for name in self.params}
        vars(new)["_state"] = {
            name: params.get(name, own.copy()) for name, own in self.state.items()
        }
        return new

    def astype(self: Own, dtype: DTypeLike) -> Own:
        """Return a copy with parameters of type `dtype`, float or complex; state stays float64."""
        if np.dtype(dtype).kind not in "fc":
            raise TypeError(f"astype: dtype must be a type of floats, got {np.dtype(dtype)}.")
        wide = np.result_type(dtype, np.float64)
        arrays: dict[str, Array] = {name: a.astype(dtype) for name, a in self.params.items()}
        state: dict[str, Array] = {name: a.astype(wide) for name, a in self.state.items()}
        return self.with_params(arrays | state)

    def _as(self, kind: type[Own]) -> Own:
        """Return a layer of another class with the attributes of this one; arrays are shared."""
        new = object.__new__(kind)
        vars(new).update(vars(self))
        return new


class ParamsInside(Mapping[str, Array]):
    """The parameters of the layers inside a container, a read-only mapping.

    The arrays belong to the layers. A new array in the mapping would change no layer, so the
    assignment is an error; an array is changed in place.
    """

    def __init__(self, container: str, arrays: Params) -> None:
        self._container, self._arrays = container, arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    # `params[name] -= step` changes the array in place, and then assigns the same array.

    def __setitem__(self, name: str, array: Array) -> None:
        if self._arrays.get(name) is not array:
            raise TypeError(
                f"{self._container}: params must not be assigned to, got a new array for {name!r}. "
                f"Write into the array: params[{name!r}][...] = values."
            )

    def __repr__(self) -> str:
        return repr(self._arrays)
