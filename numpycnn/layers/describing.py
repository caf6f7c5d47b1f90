"""The arguments of a layer, with which it is printed, saved and built again.

A layer stores each argument of its constructor, except `rng`, under the name of the argument. The
arguments can then be read from the layer, and no class must list them twice.
"""

from __future__ import annotations

import inspect
from typing import Any


class Described:
    """An object that can list the arguments with which it was built."""

    def options(self) -> dict[str, Any]:
        """Return the constructor's arguments by name, without `rng`, to build the layer again."""
        for name in self._arguments():
            if not hasattr(self, name):
                raise TypeError(
                    f"{type(self).__name__}: the argument {name} must be stored under its own "
                    f"name, because the layer is built again from it. Write self.{name} = {name}."
                )
        return {name: getattr(self, name) for name in self._arguments()}

    def __repr__(self) -> str:
        shown: list[str] = []
        for name, argument in self._arguments().items():
            value = repr(getattr(self, name)) if hasattr(self, name) else "..."
            if argument.kind is argument.VAR_POSITIONAL:
                shown += map(repr, getattr(self, name, ()))
            elif argument.kind is not argument.KEYWORD_ONLY:
                shown.append(value)
            elif value != repr(argument.default):
                shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _arguments(self) -> dict[str, inspect.Parameter]:
        """Return the constructor's arguments by name, without `rng` and a bare `**params`."""
        return {
            name: argument
            for name, argument in inspect.signature(type(self)).parameters.items()
            if name != "rng" and argument.kind is not argument.VAR_KEYWORD
        }


def defining(layer: object, *methods: str) -> type:
    """Return the class that defines `forward`, for example: the layer's own class or a base class.

    Of several methods, the first class with any of them. A function that assumes what the package's
    layers compute must call this first. A subclass of `Sequential` with a custom constructor
    computes the same as `Sequential`, but a convolution with a custom `forward` may compute
    anything.
    """
    return next(kind for kind in type(layer).__mro__ if vars(kind).keys() & set(methods))
