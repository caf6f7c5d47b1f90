"""Checking arguments: what was expected, what came, and how to mend it.

Most mistakes with networks are mistakes with shapes, and most of those are the
same few: a missing channel axis, channels first instead of last, integers
where floats belong. Every layer checks what it is given, so that the mistake
is named where it was made and not three layers further on.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from numpycnn.types import Rng

# The shape of an array is asked for in letters, as the docstrings write it: `"N L C=3"`
# for three axes of which the last has 3 entries, `"... D"` for any number of axes and one more.


def require_array(
    owner: object, name: str, array: Any, axes: str, shape: tuple[int, ...] | None = None
) -> None:
    """Raise unless `array` is a non-empty NumPy array of floats with these `axes`.

    Where every size is known, as for the gradient of an output, `shape` gives them all and
    `axes` only their letters.

    >>> require_array("Pool", "x", np.zeros((9, 64)), "N L C=1")
    Traceback (most recent call last):
        ...
    ValueError: Pool expected x of shape (N, L, C=1), got (9, 64); add a channel axis: x[..., None]
    >>> require_array("Dense", "dy", np.zeros((9, 64)), "... D_out", shape=(9, 3))
    Traceback (most recent call last):
        ...
    ValueError: Dense expected dy of shape (9, D_out=3), got (9, 64)

    Raises `TypeError` for what is not an array of floats, `ValueError` for a wrong shape.
    """
    if type(array) is not np.ndarray:
        _require_plain(owner, name, array)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{_name(owner)} expected {name} to hold floats, got {array.dtype}; "
            f"convert it: {name}.astype(np.float32)"
        )
    came = array.shape
    if came != shape and not (shape is None and _has_axes(axes, came)):
        raise ValueError(
            f"{_name(owner)} expected {name} of shape {_in_letters(axes, shape)}, got {came}"
            + _mend(name, came, axes, shape)
        )
    if 0 in came:
        raise ValueError(
            f"{_name(owner)} expected {name} with at least one number in it, got shape {came}"
        )


@lru_cache(maxsize=1024)
def _has_axes(axes: str, came: tuple[int, ...]) -> bool:
    """Whether a shape has these axes. Layers ask the same at every step, so answers are kept."""
    letters, n_axes, sizes = _parsed(axes)
    enough = len(came) >= n_axes if "..." in letters else len(came) == n_axes
    return enough and all(came[axis] == size for axis, size in sizes)


def _parsed(axes: str) -> tuple[list[str], int, list[tuple[int, int]]]:
    """Split "... L C=3" into its words, the number of axes it names, and the sizes it fixes.

    Each size comes with its axis, counted from the last.
    """
    words = axes.split()
    named = [word for word in words if word != "..."]
    sizes = [
        (place - len(named), int(word.partition("=")[2]))
        for place, word in enumerate(named)
        if "=" in word
    ]
    return words, len(named), sizes


def _require_plain(owner: object, name: str, array: object) -> None:
    """Raise for what is no array, or an array with rules of its own: masked, or a matrix."""
    _refuse_mask(owner, name, array)
    if not isinstance(array, np.ndarray) or isinstance(array, np.matrix):
        mend = f"np.asarray({name}, dtype=np.float32)"
        if hasattr(array, "to_numpy"):  # as the tables of pandas and xarray have it
            mend = f"{name}.to_numpy()"
        raise TypeError(
            f"{_name(owner)} expected {name} to be a NumPy array of floats, "
            f"got {type(array).__name__}; convert it: {mend}"
        )


def _refuse_mask(owner: object, name: str, array: object) -> None:
    """Raise for a masked array: NumPy would drop the mask, and nobody would know."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{_name(owner)} expected {name} without a mask, got a masked array; fill what is "
            f"masked, {name}.filled(0), or leave those examples out"
        )


def as_array(owner: object, name: str, values: object) -> np.ndarray[Any, Any]:
    """Return `values`, a list or a column of a table perhaps, as an array of whatever type.

    Raises `TypeError` for a masked array, `ValueError` for rows that differ in length.
    """
    _refuse_mask(owner, name, values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{_name(owner)} expected {name} in rows of one length: {error}") from None


def generator(owner: object, rng: Rng) -> np.random.Generator:
    """Return the generator that `rng` is, or seeds, or a fresh one for `None`; or raise.

    >>> generator("fit", -1)
    Traceback (most recent call last):
        ...
    ValueError: fit expected rng to be a seed of 0 or more, got -1
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return np.random.default_rng(rng)
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise TypeError(
            f"{_name(owner)} expected rng to be a seed (a whole number), a generator "
            f"(np.random.default_rng(0)) or None, got {rng!r}"
        )
    if rng < 0:
        raise ValueError(f"{_name(owner)} expected rng to be a seed of 0 or more, got {rng}")
    return np.random.default_rng(rng)


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


def require_finite(owner: object, name: str, x: np.ndarray[Any, Any]) -> None:
    """Raise `ValueError` if `x` (N, ...) holds NaN or infinity, and say where."""
    finite = np.isfinite(x)
    if not finite.all():
        where = _first(~finite)
        raise ValueError(
            f"{_name(owner)} expected finite numbers, got {x[where]} at "
            f"{name}[{', '.join(map(str, where))}]; fill the gap, or leave out {name}[{where[0]}]"
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


def _in_letters(axes: str, shape: tuple[int, ...] | None) -> str:
    """Spell `axes` as a shape, "N L C=1" as "(N, L, C=1)", with the sizes of `shape` if given."""
    words = axes.split()
    if shape is not None:
        letters = [""] * (len(shape) - len(words)) + words
        if "..." in words:
            letters = [""] * (len(shape) - len(words) + 1) + words[1:]
        words = [
            f"{letter}={size}".lstrip("=") for letter, size in zip(letters, shape, strict=True)
        ]
    return f"({', '.join(words)})"


def _mend(name: str, came: tuple[int, ...], axes: str, shape: tuple[int, ...] | None) -> str:
    """The likely mend of a wrong shape, or nothing where none suggests itself."""
    letters, n_axes, sizes = _parsed(axes)
    wanted = shape[-1] if shape else dict(sizes).get(-1)
    if shape is None and "..." in letters and len(came) > 1 and prod(came[1:]) == wanted:
        return "; put a Flatten() before it"
    if (n_axes if shape is None else len(shape)) == 3:
        if len(came) == 2 and came[1] == wanted:
            return f"; for one trace add a batch axis: {name}[None]"
        if len(came) == 2 and wanted in (1, None):
            return f"; add a channel axis: {name}[..., None]"
        if len(came) == 1 and wanted in (1, None):
            return f"; for one trace add both axes: {name}[None, :, None]"
        if len(came) == 3 and came[1] == wanted:
            return f"; channels go last: {name}.transpose(0, 2, 1)"
    return ""


def _first(mask: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """The index of the first true entry."""
    return tuple(int(i) for i in np.argwhere(mask)[0])
