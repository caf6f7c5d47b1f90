"""Arrays that are not checked: those that a layer uses and does not list.

The checker learns from `params` which arrays have a gradient. A bias that was forgotten
there is not checked, and an optimizer does not train it. The report therefore names the
arrays of floats that the output depends on and that are not listed. Some of them are
constants on purpose, such as the weights of a window.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.binding import parts, uncopyable


def unlisted(layer: Any, listed: Collection[Array], x: Array) -> list[str]:
    """Return the names of the arrays of floats that are not listed and that change the output.

    Parameters
    ----------
    layer : object
        An object with a method `forward`.
    listed : collection of ndarray
        The parameters of the layer.
    x : ndarray
        An input.

    Returns
    -------
    list of str
        Such as `"b"`, `"weights['b']"` or `"layers[0].b"`.

    Examples
    --------
    >>> class Shift:
    ...     def __init__(self):
    ...         self.order = np.array([1, 0])
    ...         self.w, self.b, self.unused = np.ones(2), np.zeros(2), np.zeros(2)
    ...
    ...     def forward(self, x):
    ...         return x[:, self.order] * self.w + self.b, x
    >>> layer = Shift()
    >>> unlisted(layer, [layer.w], np.ones((3, 2)))
    ['b']
    >>> unlisted(layer, [layer.w, layer.b], np.ones((3, 2)))
    []

    Nothing is known if each call of forward has another result, or if it raises:

    >>> class Random(Shift):
    ...     def forward(self, x):
    ...         return x + self.b + np.random.default_rng().uniform()
    >>> class Raises(Shift):
    ...     def forward(self, x):
    ...         raise ValueError
    >>> unlisted(Random(), [], np.ones((3, 2))), unlisted(Raises(), [], np.ones((3, 2)))
    ([], [])
    >>> unlisted(object(), [], np.ones((3, 2)))
    []
    """
    found = {
        name: part
        for name, part in parts(layer, "", set())
        if part.dtype.kind == "f" and part.size
        if not any(np.may_share_memory(part, one) for one in listed)
    }
    if not found:
        return []
    try:
        kept = uncopyable(layer)
        y = _output(layer, x, kept)
        if not np.array_equal(y, _output(layer, x, kept)):
            return []  # random: a change of the output shows nothing
        return [
            name
            for name, array in found.items()
            if not np.array_equal(_output(layer, x, {**kept, id(array): _moved(array)}), y)
        ]
    except Exception:  # a layer may refuse to be copied, or refuse this input
        return []


def _moved(array: Array) -> Array:
    """Return the array with every value changed, and none to zero.

    >>> _moved(np.array([0.0, 2.0, -0.5, -1.0])).tolist()
    [1.0, 5.0, 1.0, 1.0]
    """
    return np.asarray(array + np.asarray(1 + np.abs(array), array.dtype))


def _output(layer: Any, x: Array, memo: dict[int, Any]) -> Array:
    """Return the output of a copy of the layer, in which arrays are replaced by their id.

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(forward=lambda x: 2 * x)
    >>> _output(layer, np.ones(2), {}).tolist()
    [2.0, 2.0]
    """
    result = deepcopy(layer, dict(memo)).forward(x.copy())
    return np.asarray(result[0] if isinstance(result, tuple) else result)
