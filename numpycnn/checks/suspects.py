"""Suspects: known mistakes, made on purpose in the correct gradient.

Each function yields the name of a mistake, a sentence, and the gradient that backward would return
with this mistake. The first that explains every digit is named, so the simple and special mistakes
come before the general ones.
"""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from numpycnn.checks.evidence import SAME, Evidence, TwiceTheRows, same
from numpycnn.types import Array

# What the axes are called where there are so many: four are a picture's.

PARTS = {
    2: ("trace", "output"),
    3: ("trace", "window", "channel"),
    4: ("picture", "row", "column", "channel"),
}
INPUT_AXES = {
    2: ("the traces", "the inputs"),
    3: ("the traces", "the samples", "the channels"),
    4: ("the pictures", "the rows", "the columns", "the channels"),
}
WEIGHT_AXES = {
    2: ("the inputs", "the outputs"),
    3: ("the taps", "the channels", "the filters"),
    4: ("the rows of taps", "the columns of taps", "the channels", "the filters"),
}

Suspicion = tuple[str, str, Array]  # a mistake's name, its sentence, and the gradient it gives


def _wholesale(e: Evidence) -> Iterator[Suspicion]:
    """Mistakes that treat all entries alike."""
    if e.name != "input" and not e.right.any():
        yield (
            "unused",
            "the output does not depend on it at all, and yet it gets a gradient: does forward "
            "read the array from somewhere else than `self.params`?",
            e.came,
        )
    yield "zero", "it is zero everywhere: not computed, or never returned", np.zeros_like(e.came)
    yield "sign", "every sign is wrong: a minus too many or too few", -e.right


def _factors(e: Evidence) -> Iterator[Suspicion]:
    """The correct gradient, times a constant.

    A constant may be equal to a size by chance. So a size with N in it is named only if the factor
    changes with it where the rows are repeated; a 2, the constant of a square, is no evidence.
    """
    square = float((e.right * e.right).sum())
    factor = float((e.right * e.came).sum()) / square if square else 0.0
    twice = e.twice()
    for size in dict.fromkeys(e.sizes.values()):
        is_product = bool(np.isclose(factor, size, rtol=e.same, atol=0))
        if size == 1 or not (is_product or np.isclose(factor, 1 / size, rtol=e.same, atol=0)):
            continue
        letters = [
            letter
            for letter, other in e.sizes.items()
            if other == size
            and (size > 2 or letter.startswith("N"))
            and _follows(twice, letter, size, is_product)
        ]
        if not letters:
            continue
        equal_to = f"{size} = {' = '.join(letters)}"
        if is_product:
            sentence = f"too large by the factor {equal_to}: a sum where a mean belongs"
            yield "mean missing", sentence, e.right * size
        elif e.name != "input" and e.right.size in (e.right.shape[0], e.right.shape[-1]):
            sentence = f"too small by the factor {equal_to}: averaged where it has to be summed"
            yield "bias averaged", sentence, e.right / size
        else:
            yield (
                "divided twice",
                f"too small by the factor {equal_to}: the loss has taken the mean already, and dy "
                "holds it",
                e.right / size,
            )
    yield "factor", f"the correct gradient times {factor:.6g}, everywhere", e.right * factor


def _follows(twice: TwiceTheRows, letter: str, size: int, is_product: bool) -> bool:
    """Whether a factor, where it is known, changes with this size."""
    size = twice.sizes.get(letter, size)
    expected = size if is_product else 1 / size
    return twice.factor is None or bool(np.isclose(twice.factor, expected, rtol=1e-2))


def _rearranged(e: Evidence) -> Iterator[Suspicion]:
    """The right numbers in the wrong places."""
    axes = axis_names(e)
    if e.name != "input" and e.right.ndim > 3:
        yield (
            "reversed",
            "the right numbers in reverse order along all axes of the taps: the kernel turned "
            "round once too often or not at all",
            np.flip(e.right, _taps(e.right)),
        )
    for axis in range(e.right.ndim):
        along_taps = e.name != "input" and axis == 0
        what = "the kernel turned round once too often or not at all" if along_taps else "a flip"
        yield (
            "reversed",
            f"the right numbers in reverse order along {axes[axis]}: {what}",
            np.flip(e.right, axis),
        )
    for first, second in combinations(range(e.right.ndim), 2):
        swapped = e.right.swapaxes(first, second)
        yield (
            "transposed",
            f"the right numbers with {axes[first]} and {axes[second]} exchanged: a missing or "
            "needless transpose",
            swapped.reshape(e.right.shape),
        )
    for axis in range(1, e.right.ndim - 1) if e.name == "input" else _taps(e.right):
        for step, where, edge in ((1, "late", 0), (-1, "early", -1)):
            moved = np.roll(e.right, step, axis)
            sentence = f"the right numbers one place too {where} along {axes[axis]}: off by one"
            yield "shifted", sentence, moved
            yield "shifted", sentence, moved - _only(moved, axis, edge)


def _wrong_way_round(e: Evidence) -> Iterator[Suspicion]:
    """An input gradient made with weights that were not transposed or not turned round."""
    if e.name != "input":
        return
    weights = {name: w for name, w in e.arrays.items() if name != "input"}
    for name, w in weights.items():
        if w.ndim >= 3 or (w.ndim == 2 and e.right.ndim == 3):  # one filter for each channel
            gradient = e.right_with({**e.arrays, name: np.flip(w, _taps(w) or 0)})
            yield "reversed", f"made with {name} not turned round: its taps are reversed", gradient
        if w.ndim >= 2 and w.shape[-1] == w.shape[-2]:
            gradient = e.right_with({**e.arrays, name: w.swapaxes(-1, -2)})
            yield (
                "transposed",
                f"made with {name} not transposed, which fits as it is square",
                gradient,
            )


def _upstream(e: Evidence) -> Iterator[Suspicion]:
    """Backward that does something else with dy than multiply it with the derivative."""
    yield (
        "dy ignored",
        "what it would be if dy were all ones: backward does not use the dy it is given",
        e.partial(np.ones_like(e.dy)),
    )
    yield (
        "mask of dy",
        "only positive dy are passed on: the mask was taken from dy and not from the input",
        e.partial(np.maximum(e.dy, 0)),
    )
    if e.right.shape != e.dy.shape:
        return
    yield (
        "branch forgotten",
        "dy itself is missing from it: the branch of a residual on which x goes through as it is "
        "was forgotten on the way back",
        e.right - e.dy,
    )
    n = e.right.size
    matrix = e.columns.reshape(n, n)
    own = np.diag(matrix).reshape(e.right.shape)
    is_elementwise = np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
    if e.name == "input" and is_elementwise and np.all(e.arrays["input"]):
        # If y is a product x g(x), one of its two terms is dy g.
        one = e.dy * e.y / e.arrays["input"]
        sentence = "of the product rule only one term is there: a factor was taken for a constant"
        yield "product rule", sentence, one
        yield "product rule", sentence, e.right - one
    if is_elementwise and np.isin(own, (0, np.max(own))).all():
        yield (
            "mask missing",
            "dy is handed on unchanged, also where the layer lets nothing through: the mask is "
            "missing",
            e.dy,
        )
        yield (
            "mask of dy",
            "dy is masked where dy itself is negative, not where the input was",
            np.maximum(e.dy, 0),
        )
        return
    yield (
        "cross terms missing",
        "each output's own input is all that counts, only the diagonal of the matrix of "
        "derivatives: what the other inputs do to it is missing",
        own * e.dy,
    )
    yield "derivative missing", "dy is handed on unchanged: the derivative is missing", e.dy


def _left_out(e: Evidence) -> Iterator[Suspicion]:
    """Loops that overwrite, stop early or leave something out."""
    if e.dy.ndim >= 3:
        yield from _overwritten(e)
    for axis, letter in enumerate(PARTS.get(e.dy.ndim, ())):
        for index, which in _each(e.dy.shape[axis]):
            share = e.partial(_only(e.dy, axis, index))
            yield (
                "only one share",
                f"only the {which} {letter} of the output has a share in it; the others are "
                "left out of the sum",
                share,
            )
            yield (
                "share missing",
                f"the {which} {letter} of the output has no share in it: the sum begins late, "
                "ends early or leaves it out",
                e.right - share,
            )
    for axis, letter in enumerate(axis_names(e)):
        for index, which in _each(e.right.shape[axis]):
            only = _only(e.right, axis, index)
            where = f"at the {which} place along {letter}"
            yield "only one place", f"right {where} and zero everywhere else", only
            yield "place missing", f"right everywhere but {where}, where it is zero", e.right - only


def _each(size: int) -> Iterator[tuple[int, str]]:
    """The first and the last, and then those between, with what they are called."""
    yield 0, "first"
    yield size - 1, "last"
    for index in range(1, size - 1):
        yield index, f"{index + 1}th" if index > 2 else ("second", "third")[index - 1]


def _only(array: Array, axis: int, index: int) -> Array:
    """The array as it is at one place along an axis, and zero everywhere else."""
    only = np.zeros_like(array)
    np.moveaxis(only, axis, 0)[index] = np.moveaxis(array, axis, 0)[index]
    return only


def _overwritten(e: Evidence) -> Iterator[Suspicion]:
    """Windows that overlap, of which only the last one written remains."""
    # One axis for all windows, which a picture has in rows: (*right.shape, N, M, F).
    shape = *e.right.shape, e.dy.shape[0], -1, e.dy.shape[-1]
    shares = (e.columns * e.dy).reshape(shape).sum(axis=(-3, -1))  # what each window m gives
    touched = np.abs(e.columns).reshape(shape).max(axis=(-3, -1)) > 0  # (*right.shape, M)
    n_windows = shares.shape[-1]
    if e.name == "input" and (touched[..., 0].all() or touched[..., -1].all()):
        return  # all samples have a part in one output, as in a recurrent layer: no windows
    for places, which in ((np.arange(n_windows), "last"), (-np.arange(n_windows), "first")):
        order = np.where(touched, places, -n_windows)
        left_over = np.take_along_axis(shares, order.argmax(axis=-1)[..., None], -1)[..., 0]
        yield (
            "overwritten",
            f"where windows overlap only the {which} one is left: they are assigned and have to be "
            "added (`=` for `+=`)",
            left_over,
        )


def _misrouted(e: Evidence) -> Iterator[Suspicion]:
    """Gradients that reach the wrong sample, or too many."""
    stopped = e.right == 0
    if stopped.any() and (~stopped).any() and same(e.came[~stopped], e.right[~stopped]):
        yield (
            "mask missing",
            "right where the output depends on the input, and not zero where it does not: the "
            "mask of what was let through is missing",
            e.came,
        )
    if np.allclose(np.sort(e.came, axis=None), np.sort(e.right, axis=None), rtol=SAME, atol=0):
        yield "misplaced", "the right numbers, at the wrong places", e.came
    if e.right.ndim >= 3 and e.name == "input":
        places = tuple(range(1, e.right.ndim - 1))
        if _is_pooling(e) and same(e.came.sum(axis=places), e.right.sum(axis=places)):
            yield (
                "misplaced",
                "every channel gets the right amount in all, but at the wrong samples: a maximum "
                "sends it to the sample that won, a mean to all of them alike",
                e.came,
            )


def _is_pooling(e: Evidence) -> bool:
    """Whether each output is one of the inputs, or a mean of some."""
    weights = e.columns.sum(axis=tuple(range(e.right.ndim)))
    return bool((e.columns >= -SAME).all() and np.allclose(weights, 1, atol=SAME))


def _statistics(e: Evidence) -> Iterator[Suspicion]:
    """The way through the mean or the variance of all rows of a channel, forgotten or too wide."""
    rows, of_y = e.right.shape, e.y.shape
    if e.name != "input" or rows != of_y or e.right.size < 4 * rows[-1]:
        return  # of three rows or fewer, anything could be explained by two numbers a channel
    n, c = e.right.size // rows[-1], rows[-1]
    across = np.abs(e.columns.reshape(n, c, n, c)).max(axis=(1, 3))
    if not (across - np.diag(np.diag(across))).any():
        return  # no row depends on another
    y, off = e.y.reshape(-1, rows[-1]), (e.came - e.right).reshape(-1, rows[-1])
    mean, z = off.mean(axis=0), y - y.mean(axis=0)
    along = z * (off * z).sum(axis=0) / np.maximum((z * z).sum(axis=0), np.finfo(float).tiny)
    for what, explained in (
        ("mean", 0 * z + mean),
        ("variance", along),
        ("mean and variance", mean + along),
    ):
        yield (
            f"batch {what}",
            f"every row moves the {what} of the batch, and so all other rows; the way back through "
            "that is missing, or not that of forward",
            e.right + explained.reshape(rows),
        )


SUSPECTS: tuple[Callable[[Evidence], Iterator[Suspicion]], ...] = (
    _wholesale,
    _factors,
    _rearranged,
    _wrong_way_round,
    _upstream,
    _left_out,
    _misrouted,
    _statistics,
)


def axis_names(e: Evidence) -> tuple[str, ...]:
    """What the axes of the gradient are called."""
    known = INPUT_AXES if e.name == "input" else WEIGHT_AXES
    return known.get(e.right.ndim, tuple(f"axis {i}" for i in range(e.right.ndim)))


def _taps(w: Array) -> tuple[int, ...]:
    """The axes of a filter's taps: all but the last two, the channels in and out."""
    return tuple(range(w.ndim - 2))
