"""The V-curve: how wrong a derivative is that was found by looking, for every step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.derivatives import difference

TASK = "Find the best step of central differences, in float64 and in float32."

POWERS = [-place / 4 for place in range(4, 65)]  # steps from 0.1 to 1e-16
TYPES = {"float64": (np.float64, np.complex128), "float32": (np.float32, np.complex64)}


def shifted_cube(x: Array) -> Array:
    """Return the cube with a large constant added, which costs digits."""
    return x**3 + 1000


FUNCTIONS: dict[str, tuple[Callable[[Array], Array], float]] = {
    "exp(x)": (np.exp, float(np.exp(2.0))),
    "sin(x)": (np.sin, float(np.cos(2.0))),
    "x³ + 1000": (shifted_cube, 12.0),
    "sin(30 x)": (lambda x: np.sin(30 * x), float(30 * np.cos(60.0))),
}


def errors(function: Callable[[Array], Array], exact: float, kinds: tuple[type, type]) -> Array:
    """Return relative errors at x = 2, (3, n_steps): forward, central and complex step."""
    real, complex_ = kinds
    at, along = np.full(1, 2, real), np.ones(1, real)
    found = []
    for power in POWERS:
        h = real(10.0**power)
        one = difference(function, function(at), at, along, h)
        ahead = function(at + complex_(1j) * h)
        found.append((one.right[0], one.middle[0], ahead.imag[0] / h))
    return np.abs(np.array(found, np.float64).T / exact - 1)


def data() -> dict[str, object]:
    """Return the logarithm of each error; below the smallest that a float64 can show, -17."""
    return {
        "powers": POWERS,
        "functions": list(FUNCTIONS),
        "types": list(TYPES),
        "errors": [
            [
                np.log10(np.maximum(errors(*function, kinds), 1e-17)).round(2).tolist()
                for kinds in TYPES.values()
            ]
            for function in FUNCTIONS.values()
        ],
    }
