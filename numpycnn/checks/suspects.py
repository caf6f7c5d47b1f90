"""Suspects: known mistakes, made on purpose in the correct gradient.

Each function yields the name of a mistake, a sentence, and the gradient that backward would return
with this mistake. The first that explains every digit is named, so the simple and special mistakes
come before the general ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.evidence import PARTS, SAME, Evidence, same

Suspicion = tuple[str, str, Array]  # the mistake, a sentence, and the gradient that it causes
Suspects = Callable[[Evidence], Iterator[Suspicion]]

DY_IGNORED = "the gradient for a dy of ones: backward does not use dy"


def _wholesale(e: Evidence) -> Iterator[Suspicion]:
    """Mistakes that treat all entries alike."""
    if e.name != "input" and not e.expected.any() and not e.is_used():
        yield (
            "unused",
            "the output does not depend on it, and its gradient is not zero: does forward read the "
            "array from somewhere else than `self.params`?",
            e.actual,
        )
    yield "zero", "it is zero everywhere: not computed, or never returned", np.zeros_like(e.actual)
    yield "sign", "every sign is incorrect: one minus too many or too few", -e.expected


def _factors(e: Evidence) -> Iterator[Suspicion]:
    """The correct gradient, times a constant.

    A constant may be equal to a size by chance. So a size is named only if the factor changes with
    it where the input is doubled along each axis.
    """
    factor = e.factor()
    for size in dict.fromkeys(e.sizes.values()):
        is_product = bool(np.isclose(factor, size, rtol=e.same, atol=0))
        if size == 1 or not (is_product or np.isclose(factor, 1 / size, rtol=e.same, atol=0)):
            continue
        letters = [
            letter
            for letter, other in e.sizes.items()
            if other == size and e.follows(letter, is_product)
        ]
        if not letters:
            continue
        equal_to = f"{size} = {' = '.join(letters)}"
        if is_product:
            sentence = f"too large by the factor {equal_to}: summed instead of averaged"
            yield "mean missing", sentence, e.expected * size
        elif e.name != "input" and e.expected.size in (
            1,
            *e.expected.shape[:1],
            *e.expected.shape[-1:],
        ):
            sentence = f"too small by the factor {equal_to}: averaged instead of summed"
            yield "bias averaged", sentence, e.expected / size
        else:
            yield (
                "divided twice",
                f"too small by the factor {equal_to}: the loss has taken the mean already, and dy "
                "contains it",
                e.expected / size,
            )
    if e.dy.size == 1:  # of a loss, where it is a factor, too
        yield "dy ignored", DY_IGNORED, e.partial(np.ones_like(e.dy))
    digits = int(-np.log10(e.same)) - 1
    sentence = f"the correct gradient times {factor:.{digits}g}, everywhere"
    yield "factor", sentence, e.expected * factor


def _rearranged(e: Evidence) -> Iterator[Suspicion]:
    """The correct values at incorrect positions."""
    axes = e.axis_names()
    taps = _taps(e.expected) if e.name != "input" else ()
    for flipped in ([taps] if len(taps) > 1 else []) + [(axis,) for axis in range(len(axes))]:
        where = axes[flipped[0]] if len(flipped) == 1 else "all axes of the taps"
        is_kernel = e.name != "input" and flipped[0] == 0
        what = "the kernel was flipped once too often or not at all" if is_kernel else "a flip"
        sentence = f"the correct values in reverse order along {where}: {what}"
        yield "reversed", sentence, np.flip(e.expected, flipped)
    for first, second in combinations(range(e.expected.ndim), 2):
        swapped = e.expected.swapaxes(first, second)
        yield (
            "transposed",
            f"the correct values with {axes[first]} and {axes[second]} exchanged: a missing or "
            "needless transpose",
            swapped.reshape(e.expected.shape),
        )
    for axis in range(1, e.expected.ndim - 1) if e.name == "input" else _taps(e.expected):
        for step, where, edge in ((1, "late", 0), (-1, "early", -1)):
            moved = np.roll(e.expected, step, axis)
            sentence = f"the correct values one position too {where} along {axes[axis]}: off by one"
            yield "shifted", sentence, moved
            yield "shifted", sentence, moved - _only(moved, axis, edge)


def _not_transposed(e: Evidence) -> Iterator[Suspicion]:
    """An input gradient computed with weights that were not transposed or not flipped."""
    if e.name != "input":
        return
    weights = {name: w for name, w in e.arrays.items() if name != "input"}
    for name, w in weights.items():
        if w.ndim >= 3 or (w.ndim == 2 and e.expected.ndim == 3):  # one filter for each channel
            gradient = e.right_with({**e.arrays, name: np.flip(w, _taps(w) or 0)})
            yield "reversed", f"computed with {name} not flipped: its taps are reversed", gradient
        if w.ndim >= 2 and w.shape[-1] == w.shape[-2]:
            gradient = e.right_with({**e.arrays, name: w.swapaxes(-1, -2)})
            yield (
                "transposed",
                f"computed with {name} not transposed, which fits because it is square",
                gradient,
            )


def _upstream(e: Evidence) -> Iterator[Suspicion]:
    """Backward that does not multiply dy with the derivative."""
    yield "dy ignored", DY_IGNORED, e.partial(np.ones_like(e.dy))
    yield (
        "mask of dy",
        "only positive dy are passed on: the mask was computed from dy and not from the input",
        e.partial(np.maximum(e.dy, 0)),
    )
    if e.expected.shape != e.dy.shape:
        return
    n = e.expected.size
    matrix = e.columns.reshape(n, n)
    own = np.diag(matrix).reshape(e.expected.shape)
    is_elementwise = np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
    without = e.expected - e.dy
    if same(e.actual, without, e.same) and not (is_elementwise and _vanishes_far_off(e)):
        yield (
            "branch forgotten",
            "dy itself is missing: backward forgets the skip connection, on which x is passed "
            "unchanged",
            without,
        )
    is_stepped = np.median(own) == 0 and not np.isclose(own, 1).any()  # one value may be at a step
    if is_elementwise and is_stepped:
        yield (
            "straight through",
            "dy is returned unchanged, and the output is constant around these values, as after "
            "rounding; if this is intended, as in a straight-through estimator, skip this array",
            e.dy,
        )
    if e.name == "input" and is_elementwise and np.all(e.arrays["input"]):
        # If y is a product x g(x), one of its two terms is dy g.
        one = e.dy * e.y / e.arrays["input"]
        sentence = "only one term of the product rule: a factor was taken for a constant"
        yield "product rule", sentence, one
        yield "product rule", sentence, e.expected - one
    if is_elementwise and np.isin(own, (0, np.max(own))).all():
        yield (
            "mask missing",
            "dy is returned unchanged, also where the output does not depend on the input: the "
            "mask is missing",
            e.dy,
        )
        yield (
            "mask of dy",
            "dy is masked where dy itself is negative, and not where the input is",
            np.maximum(e.dy, 0),
        )
        return
    yield (
        "cross terms missing",
        "only the diagonal of the matrix of derivatives: the effect of an input on the other "
        "outputs is missing",
        own * e.dy,
    )
    yield "derivative missing", "dy is returned unchanged: the derivative is missing", e.dy


def _vanishes_far_off(e: Evidence) -> bool:
    """Whether the slope vanishes far from zero, as 1 - tanh(x)^2 does: its 1 is not a branch."""
    far_off = e.right_with({**e.arrays, e.name: 1e3 * e.arrays[e.name]})
    return bool(np.max(np.abs(far_off)) <= 1e-3 * np.max(np.abs(e.dy)))


def _left_out(e: Evidence) -> Iterator[Suspicion]:
    """Loops that overwrite, stop early or leave something out."""
    if e.dy.ndim >= 3:
        yield from _overwritten(e)
    for axis, letter in enumerate(PARTS.get(e.dy.ndim, ())):
        for index, which in _each(e.dy.shape[axis]):
            share = e.partial(_only(e.dy, axis, index))
            yield (
                "only one share",
                f"only the {which} {letter} of the output contributes; the others are left out of "
                "the sum",
                share,
            )
            yield (
                "share missing",
                f"the {which} {letter} of the output does not contribute: the sum begins late, "
                "ends early or leaves it out",
                e.expected - share,
            )
    for axis, letter in enumerate(e.axis_names()):
        for index, which in _each(e.expected.shape[axis]):
            only = _only(e.expected, axis, index)
            where = f"at the {which} index along {letter}"
            yield "only one place", f"correct {where} and zero everywhere else", only
            yield "place missing", f"zero {where} and correct everywhere else", e.expected - only


def _each(size: int) -> Iterator[tuple[int, str]]:
    """The first index and the last, then those between, in words."""
    yield 0, "first"
    yield size - 1, "last"
    for index in range(1, size - 1):
        yield index, f"{index + 1}th" if index > 2 else ("second", "third")[index - 1]


def _only(array: Array, axis: int, index: int) -> Array:
    """The array with zeros at all indices of an axis but one."""
    only = np.zeros_like(array)
    np.moveaxis(only, axis, 0)[index] = np.moveaxis(array, axis, 0)[index]
    return only


def _overwritten(e: Evidence) -> Iterator[Suspicion]:
    """Windows that overlap, of which only one remains."""
    # One axis for all windows, also of a picture: (*expected.shape, N, M, F).
    shape = *e.expected.shape, e.dy.shape[0], -1, e.dy.shape[-1]
    shares = (
        (e.columns * e.dy).reshape(shape).sum(axis=(-3, -1))
    )  # the contribution of each window m
    touched = np.abs(e.columns).reshape(shape).max(axis=(-3, -1)) > 0  # (*expected.shape, M)
    n_windows = shares.shape[-1]
    if e.name == "input" and (touched[..., 0].all() or touched[..., -1].all()):
        return  # one output depends on all samples, as in a recurrent layer: no windows
    for places, which in ((np.arange(n_windows), "last"), (-np.arange(n_windows), "first")):
        order = np.where(touched, places, -n_windows)
        left_over = np.take_along_axis(shares, order.argmax(axis=-1)[..., None], -1)[..., 0]
        yield (
            "overwritten",
            f"where windows overlap, only the {which} one contributes: assigned instead of added "
            "(`=` for `+=`)",
            left_over,
        )


def _through_time(e: Evidence) -> Iterator[Suspicion]:
    """Each step of a sequence without those that depend on it, as in a recurrent layer."""
    if e.name == "input" and e.dy.ndim == 3 and e.expected.shape[:2] == e.dy.shape[:2]:
        yield (
            "cross terms missing",
            "only the output at the same step contributes: the effect on other steps is missing",
            np.einsum("nlcnlf,nlf->nlc", e.columns, e.dy),
        )


def _misrouted(e: Evidence) -> Iterator[Suspicion]:
    """Gradients at the wrong sample, or at too many."""
    stopped = e.expected == 0
    others_agree = 0 < stopped.sum() < stopped.size and same(
        e.actual[~stopped], e.expected[~stopped]
    )
    if others_agree and e.is_linear() and e.is_mask(stopped):
        yield (
            "mask missing",
            "correct where the output depends on the input, and not zero where it does not: the "
            "mask is missing",
            e.actual,
        )
    if np.allclose(np.sort(e.actual, axis=None), np.sort(e.expected, axis=None), rtol=SAME, atol=0):
        yield "misplaced", "the correct values at incorrect positions", e.actual
    if e.expected.ndim >= 3 and e.name == "input":
        places = tuple(range(1, e.expected.ndim - 1))
        if e.is_average() and same(e.actual.sum(axis=places), e.expected.sum(axis=places)):
            yield (
                "misplaced",
                "the sum over the samples is correct, but not its distribution: a maximum passes "
                "the gradient to the largest sample, a mean to all of them equally",
                e.actual,
            )


def _statistics(e: Evidence) -> Iterator[Suspicion]:
    """The derivative of the mean or the variance over all rows, missing or incorrect."""
    rows, of_y = e.expected.shape, e.y.shape
    if e.name != "input" or rows != of_y or e.expected.size < 4 * rows[-1]:
        return  # two numbers for each channel explain any error in three rows or fewer
    n, c = e.expected.size // rows[-1], rows[-1]
    columns = e.columns.reshape(n, c, n, c)
    together = np.abs(columns.sum(axis=0))
    if (together > e.same * np.abs(columns).sum(axis=0)).any() or not e.is_linear():
        return  # an output changes if all rows move together, or a number was added
    x, y, off = (a.reshape(-1, c) for a in (e.arrays["input"], e.y, e.actual - e.expected))
    mean, z, x = off.mean(axis=0), y - y.mean(axis=0), x - x.mean(axis=0)
    if not np.allclose((x * z).sum(axis=0) ** 2, (x * x).sum(axis=0) * (z * z).sum(axis=0)):
        return  # an output is not an input times a number plus another, as after a softmax
    along = z * (off * z).sum(axis=0) / np.maximum((z * z).sum(axis=0), np.finfo(float).tiny)
    for what, explained in (
        ("mean", 0 * z + mean),
        ("variance", along),
        ("mean and variance", mean + along),
    ):
        yield (
            f"batch {what}",
            f"all rows depend on each row through the {what} of the batch; the derivative of this "
            "is missing or incorrect",
            e.expected + explained.reshape(rows),
        )


SUSPECTS: tuple[Suspects, ...] = (
    _wholesale,
    _factors,
    _rearranged,
    _not_transposed,
    _upstream,
    _left_out,
    _through_time,
    _misrouted,
    _statistics,
)


def _taps(w: Array) -> tuple[int, ...]:
    """The axes of a filter's taps: all but the last two, the channels in and out."""
    return tuple(range(w.ndim - 2))
