"""Checking arguments: what was expected, what came, and how to mend it.

Most mistakes with networks are mistakes with shapes, and most of those are the
same few: a missing channel axis, channels first instead of last, integers
where floats belong. Every layer checks what it is given, so that the mistake
is named where it was made and not three layers further on.
"""

from math import prod
from types import EllipsisType
from typing import Any

import numpy as np

Size = int | None | EllipsisType


def require_array(
    owner: object, name: str, array: object, axes: str, sizes: tuple[Size, ...]
) -> None:
    """Raise unless `array` is a non-empty NumPy array of floats with these `sizes`.

    A size of `None` may be anything, and a leading `...` stands for any number
    of axes. `axes` gives the letters for the message.

    >>> require_array("Pool", "x", np.zeros((9, 64)), "N, L, C", (None, None, 1))
    Traceback (most recent call last):
        ...
    ValueError: Pool expected x of shape (N, L, C=1), got (9, 64); add a channel axis: x[..., None]

    Raises `TypeError` for what is not an array of floats, `ValueError` for a wrong shape.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"{_name(owner)} expected {name} to be a NumPy array of floats, "
            f"got {type(array).__name__}; convert it: np.asarray({name}, dtype=np.float32)"
        )
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{_name(owner)} expected {name} to hold floats, got {array.dtype}; "
            f"convert it: {name}.astype(np.float32)"
        )
    shape = array.shape
    known = sizes[1:] if sizes[0] is ... else sizes
    compared = shape[len(shape) - len(known) :] if sizes[0] is ... else shape
    fits = [size is None or size == n for size, n in zip(known, compared, strict=False)]
    if len(compared) != len(known) or False in fits:
        raise ValueError(
            f"{_name(owner)} expected {name} of shape {_in_letters(axes, sizes)}, got {shape}"
            + _mend(name, shape, sizes)
        )
    if 0 in shape:
        raise ValueError(
            f"{_name(owner)} expected {name} with at least one number in it, got shape {shape}"
        )


def whole_number(owner: object, name: str, value: object, at_least: int = 1) -> int:
    """Return `value` as an `int`, or raise if it is no whole number or smaller than `at_least`.

    >>> whole_number("Conv1D", "stride", 0)
    Traceback (most recent call last):
        ...
    ValueError: Conv1D expected stride to be 1 or more, got 0
    """
    who = _name(owner)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{who} expected {name} to be a whole number, got {value!r}")
    if value < at_least:
        raise ValueError(f"{who} expected {name} to be {at_least} or more, got {value}")
    return int(value)


def require_finite(owner: str, name: str, x: np.ndarray[Any, Any]) -> None:
    """Raise `ValueError` if `x` (N, ...) holds NaN or infinity, and say in which trace."""
    finite = np.isfinite(x)
    if not finite.all():
        where = _first(~finite)
        raise ValueError(
            f"{owner} expected finite numbers, got {x[where]} in trace {where[0]}: "
            f"{name}[{', '.join(map(str, where))}]; leave that trace out or fill the gap"
        )


def require_targets(owner: str, targets: np.ndarray[Any, Any], shape: tuple[int, ...]) -> None:
    """Raise unless `targets` are labels or rows of probabilities for scores of this `shape`.

    Labels are integers from 0 to `shape[-1] - 1`, one for each row of scores. Rows have
    the `shape` of the scores, each of them a probability for each class.
    """
    n_classes, kind = shape[-1], targets.dtype.kind
    if kind not in "biuf" or (kind in "bf" and targets.shape == shape[:-1]):
        raise TypeError(
            f"{owner} expected targets to be integer labels or one-hot rows, got {targets.dtype} "
            f"of shape {targets.shape}; number the classes: "
            "names, labels = np.unique(targets, return_inverse=True)"
        )
    if targets.shape not in (shape, shape[:-1]):
        raise ValueError(
            f"{owner} expected a label for each row of scores, shape {shape[:-1]}, or a row of "
            f"probabilities, shape {shape}, got {targets.shape}"
        )
    if targets.shape == shape:
        if not (np.all(targets >= 0) and np.all(abs(targets.sum(axis=-1) - 1) < 1e-3)):
            raise ValueError(
                f"{owner} expected targets of shape {shape} to be rows of probabilities, "
                "none below 0 and each row with the sum 1"
            )
        return
    wrong = (targets < 0) | (targets >= n_classes)
    if wrong.any():
        where = _first(wrong)
        raise ValueError(
            f"{owner} expected labels from 0 to {n_classes - 1}, as there are {n_classes} scores, "
            f"got {targets[where]} at {where}; count from 0, "
            "or widen the last layer"
        )


def _name(owner: object) -> str:
    """What a layer or function is called in a message."""
    return owner if isinstance(owner, str) else type(owner).__name__


def _in_letters(axes: str, sizes: tuple[Size, ...]) -> str:
    """Spell sizes in the alphabet: ("N, L, C", (None, None, 1)) becomes "(N, L, C=1)"."""
    letters = axes.split(", ")
    unnamed = len(sizes) - len(letters) + 1
    if letters[0] == "..." and sizes[0] is not ...:
        letters = [""] * unnamed + letters[1:]
    words = []
    for letter, size in zip(letters, sizes, strict=True):
        free = size is None or size is ...
        words.append(letter if free else f"{letter}={size}".lstrip("="))
    return f"({', '.join(words)})"


def _mend(name: str, shape: tuple[int, ...], sizes: tuple[Size, ...]) -> str:
    """The likely mend of a wrong shape, or nothing where none suggests itself."""
    wanted = sizes[-1]
    if sizes[0] is ... and len(shape) > 1 and prod(shape[1:]) == wanted:
        return "; put a Flatten() before it"
    if len(sizes) == 3:
        if len(shape) == 2 and shape[1] == wanted:
            return f"; for one trace add a batch axis: {name}[None]"
        if len(shape) == 2 and wanted in (1, None):
            return f"; add a channel axis: {name}[..., None]"
        if len(shape) == 1 and wanted in (1, None):
            return f"; for one trace add both axes: {name}[None, :, None]"
        if len(shape) == 3 and shape[1] == wanted:
            return f"; channels go last: {name}.transpose(0, 2, 1)"
    return ""


def _first(mask: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """The index of the first true entry."""
    return tuple(int(i) for i in np.argwhere(mask)[0])
