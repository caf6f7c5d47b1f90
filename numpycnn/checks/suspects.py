"""Suspects: known mistakes, made on purpose in the correct gradient.

Each function yields the name of a mistake, a sentence, and the gradient that backward would return
with this mistake. The first that explains every digit is named, so the simple and special mistakes
come before the general ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from numpycnn._types import Array
from numpycnn.checks.evidence import PARTS, SAME, Evidence, same

Suspicion = tuple[str, str, Array]  # the mistake, a sentence, and the gradient that it causes
Suspects = Callable[[Evidence], Iterator[Suspicion]]

DY_IGNORED = "the gradient for a dy of ones: backward does not use dy"


def _wholesale(e: Evidence) -> Iterator[Suspicion]:
    """Mistakes that treat all entries alike.

    >>> w = np.array([1.0, -2.0])
    >>> e = Evidence("w", w, 0 * w, np.zeros((2, 2)), w, w, {}, {}, None)
    >>> [name for name, _, _ in _wholesale(e)]
    ['unused', 'zero', 'sign']
    >>> [name for name, _, _ in _wholesale(e._replace(name="input"))]
    ['zero', 'sign']
    >>> [(name, gradient.tolist()) for name, _, gradient in _wholesale(e._replace(expected=w))]
    [('zero', [0.0, 0.0]), ('sign', [-1.0, 2.0])]
    """
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

    >>> from numpycnn.checks.evidence import Doubled
    >>> dw, sizes = np.array([[1.0, -2.0], [3.0, 5.0]]), {"N": 3, "D": 3, "C": 2}
    >>> def first(factor, with_six_rows, dw=dw, name="w", columns=dw, dy=dw):
    ...     e = Evidence(name, factor * dw, dw, columns, dy, dy, {}, sizes, None)
    ...     e = e._replace(doubled=lambda: [Doubled(with_six_rows, {**sizes, "N": 6})])
    ...     mistake, sentence, gradient = next(_factors(e))
    ...     print(f"{mistake}, {(gradient / dw).flat[0]:.3f}: {sentence}")

    >>> first(3, with_six_rows=6)
    mean missing, 3.000: too large by the factor 3 = N: summed instead of averaged
    >>> first(3, with_six_rows=3)
    factor, 3.000: the correct gradient times 3, everywhere
    >>> first(2.7182818, with_six_rows=2.7182818)
    factor, 2.718: the correct gradient times 2.71828, everywhere
    >>> first(1 / 3, with_six_rows=1 / 6)
    divided twice, 0.333: too small by the factor 3 = N: the loss has taken the mean ...
    >>> for bias in dw[0], dw[:1], dw[:, :1], dw[0, 0]:  # at most one axis is longer than 1
    ...     first(1 / 3, with_six_rows=1 / 6, dw=bias)
    bias averaged, 0.333: too small by the factor 3 = N: averaged instead of summed
    bias averaged, 0.333: too small by the factor 3 = N: averaged instead of summed
    bias averaged, 0.333: too small by the factor 3 = N: averaged instead of summed
    bias averaged, 0.333: too small by the factor 3 = N: averaged instead of summed
    >>> first(1 / 3, with_six_rows=1 / 6, dw=dw[0], name="input")
    divided twice, 0.333: too small by the factor 3 = N: the loss has taken the mean ...
    >>> first(2, with_six_rows=None, columns=2 * dw[..., None], dy=np.array([0.5]))  # of a loss
    dy ignored, 2.000: the gradient for a dy of ones: backward does not use dy
    """
    factor = e.factor()
    for size in dict.fromkeys(e.sizes.values()):
        is_product = math.isclose(factor, size, rel_tol=e.same)
        if not (is_product or math.isclose(factor, 1 / size, rel_tol=e.same)):
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
        elif e.name != "input" and e.expected.size == max(e.expected.shape, default=1):
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
    """The correct values at incorrect positions.

    >>> def show(name, correct):
    ...     e = Evidence(name, correct, correct, correct, correct, correct, {}, {}, None)
    ...     for mistake, sentence, gradient in _rearranged(e):
    ...         if not np.array_equal(gradient, correct):
    ...             print(mistake, gradient.ravel().tolist(), sentence[19:])

    >>> show("input", np.array([[[1], [2], [3]]]))
    reversed [3, 2, 1] in reverse order along the samples: a flip
    shifted [3, 1, 2] one position too late along the samples: off by one
    shifted [0, 1, 2] one position too late along the samples: off by one
    shifted [2, 3, 1] one position too early along the samples: off by one
    shifted [2, 3, 0] one position too early along the samples: off by one
    >>> show("w", np.array([[1, 2], [3, 4]]))
    reversed [3, 4, 1, 2] in reverse order along the inputs: a flip
    reversed [2, 1, 4, 3] in reverse order along the outputs: a flip
    transposed [1, 3, 2, 4] with the inputs and the outputs exchanged: a missing or ...
    >>> show("w", np.array([[[[1]]], [[[2]]], [[[3]]]]))  # three rows of taps
    reversed [3, 2, 1] in reverse order along the rows of taps and the columns of taps: the ...
    reversed [3, 2, 1] in reverse order along the rows of taps: the kernel was flipped ...
    shifted [3, 1, 2] one position too late along the rows of taps: off by one
    shifted [0, 1, 2] one position too late along the rows of taps: off by one
    shifted [2, 3, 1] one position too early along the rows of taps: off by one
    shifted [2, 3, 0] one position too early along the rows of taps: off by one
    shifted [0, 0, 0] one position too late along the columns of taps: off by one
    shifted [0, 0, 0] one position too early along the columns of taps: off by one
    """
    axes = e.axis_names()
    taps = () if e.name == "input" else _taps(e.expected)
    single = [(axis,) for axis in range(len(axes))]
    for flipped in dict.fromkeys([taps, *single] if taps else single):
        where = " and ".join(axes[axis] for axis in flipped)
        is_kernel = set(flipped) <= set(taps)
        what = "the kernel was flipped once too often or not at all" if is_kernel else "a flip"
        sentence = f"the correct values in reverse order along {where}: {what}"
        yield "reversed", sentence, np.flip(e.expected, flipped)
    for (i, first), (j, second) in combinations(enumerate(axes), 2):
        exchanged = e.expected.swapaxes(i, j).reshape(e.expected.shape)
        sentence = f"the correct values with {first} and {second} exchanged"
        yield "transposed", f"{sentence}: a missing or needless transpose", exchanged
    for axis in taps or range(1, e.expected.ndim - 1):  # or the samples of an input
        for step, where, edge in ((1, "late", 0), (-1, "early", -1)):
            moved = np.roll(e.expected, step, axis)
            sentence = f"the correct values one position too {where} along {axes[axis]}: off by one"
            yield "shifted", sentence, moved
            yield "shifted", sentence, moved - _only(moved, axis, edge)


def _not_transposed(e: Evidence) -> Iterator[Suspicion]:
    """An input gradient computed with weights that were not transposed or not flipped.

    >>> x, w = np.ones((1, 2)), np.array([[1, 2], [3, 4]])
    >>> e = Evidence("input", x, x, x, x, x, {"w": w, "b": w[0]}, {}, lambda a: a["w"])
    >>> [(name, gradient.tolist()) for name, _, gradient in _not_transposed(e)]
    [('transposed', [[1, 3], [2, 4]])]
    >>> depthwise = e._replace(expected=x[None], arrays={"w": np.array([[1], [2]])})
    >>> [(name, gradient.tolist()) for name, _, gradient in _not_transposed(depthwise)]
    [('reversed', [[2], [1]])]
    >>> taps = e._replace(arrays={"w": np.array([w, w + 4])})
    >>> for name, _, gradient in _not_transposed(taps):
    ...     print(name, gradient.ravel().tolist())
    reversed [5, 6, 7, 8, 1, 2, 3, 4]
    transposed [1, 3, 2, 4, 5, 7, 6, 8]

    >>> [*_not_transposed(e._replace(name="w"))]
    []
    >>> [*_not_transposed(e._replace(arrays={"w": w[:1]}))]
    []
    """
    if e.name != "input":
        return
    weights = {name: w for name, w in e.arrays.items() if name != "input"}
    for name, w in weights.items():
        if w.ndim >= 3 or (w.ndim == 2 and e.expected.ndim == 3):  # one filter for each channel
            gradient = e.right_with({**e.arrays, name: np.flip(w, _taps(w) or 0)})
            yield "reversed", f"computed with {name} not flipped: its taps are reversed", gradient
        if w.ndim >= 2 and w.shape[-1] == w.shape[-2]:
            gradient = e.right_with({**e.arrays, name: w.swapaxes(-1, -2)})
            sentence = f"computed with {name} not transposed, which fits because it is square"
            yield "transposed", sentence, gradient


def _upstream(e: Evidence) -> Iterator[Suspicion]:
    """Backward that does not multiply dy with the derivative.

    >>> x, dy = np.array([2.0, -1.0, -5.0]), np.array([3.0, -4.0, 6.0])
    >>> e = Evidence("input", dy, dy, dy, dy, dy, {"input": x}, {}, lambda arrays: dy)
    >>> def show(y, slopes, actual=dy):
    ...     one = e._replace(actual=actual, expected=slopes @ dy, columns=slopes, y=y)
    ...     for name, _, gradient in [*_upstream(one)][2:]:
    ...         print(name, (gradient + 0).tolist())

    >>> one_entry = e._replace(expected=dy[:1], columns=np.array([[1, 2, 3]]))
    >>> [(name, gradient.tolist()) for name, _, gradient in _upstream(one_entry)]
    [('dy ignored', [6.0]), ('mask of dy', [21.0])]
    >>> show(np.maximum(x, 0), np.diag([1.0, 0.0, 0.0]))
    product rule [3.0, 0.0, 0.0]
    product rule [0.0, 0.0, 0.0]
    mask missing [3.0, -4.0, 6.0]
    mask of dy [3.0, 0.0, 6.0]
    >>> show(x * x, np.diag(2 * x))
    product rule [6.0, 4.0, -30.0]
    product rule [6.0, 4.0, -30.0]
    cross terms missing [12.0, 8.0, -60.0]
    derivative missing [3.0, -4.0, 6.0]
    >>> show(x, np.array([[1.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 7.0]]))
    cross terms missing [3.0, 0.0, 42.0]
    derivative missing [3.0, -4.0, 6.0]
    >>> show(np.round(x), np.zeros((3, 3)))
    straight through [3.0, -4.0, 6.0]
    product rule [3.0, -4.0, 6.0]
    product rule [-3.0, 4.0, -6.0]
    mask missing [3.0, -4.0, 6.0]
    mask of dy [3.0, 0.0, 6.0]
    >>> show(4 * x, np.diag([4.0, 4.0, 4.0]), actual=3 * dy)  # x + 3 x
    branch forgotten [9.0, -12.0, 18.0]
    product rule [12.0, -16.0, 24.0]
    product rule [0.0, 0.0, 0.0]
    mask missing [3.0, -4.0, 6.0]
    mask of dy [3.0, 0.0, 6.0]
    """
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
    """Whether the slope vanishes far from zero, as 1 - tanh(x)^2 does: its 1 is not a branch.

    Where the values are 1000 times as large, the gradient must be at most a thousandth of dy.

    >>> def vanishes(x, slope):
    ...     x, dy = np.array(x), np.array([2.0, -1.0])
    ...     derivative = lambda arrays: dy * slope(arrays["input"])
    ...     e = Evidence("input", dy, dy, np.diag(dy), dy, x, {"input": x}, {}, derivative)
    ...     return _vanishes_far_off(e)

    >>> vanishes([0.1, -0.2], lambda x: 1 - np.tanh(x) ** 2), vanishes([0.1, -0.2], np.cos)
    (True, False)
    >>> vanishes([1.0, 2.0], np.reciprocal), vanishes([0.9995, 2.0], np.reciprocal)
    (True, False)
    """
    far_off = e.right_with({**e.arrays, e.name: 1e3 * e.arrays[e.name]})
    return bool(np.max(np.abs(far_off)) <= 1e-3 * np.max(np.abs(e.dy)))


def _left_out(e: Evidence) -> Iterator[Suspicion]:
    """Loops that overwrite, stop early or leave something out.

    >>> dy = np.array([[1, 2], [3, 4]])
    >>> w = np.array([5, 6])
    >>> columns = np.array([[[1, 0]] * 2, [[0, 1]] * 2])
    >>> e = Evidence("b", w, np.array([4, 6]), columns, dy, dy, {}, {}, None)
    >>> for name, sentence, gradient in _left_out(e):
    ...     print(name, gradient.tolist(), " ".join(sentence.split()[:6]))
    only one share [1, 2] only the first trace of the
    share missing [3, 4] the first trace of the output
    only one share [3, 4] only the last trace of the
    share missing [1, 2] the last trace of the output
    only one share [4, 0] only the first output of the
    share missing [0, 6] the first output of the output
    only one share [0, 6] only the last output of the
    share missing [4, 0] the last output of the output
    only one place [4, 0] correct at the first index along
    place missing [0, 6] zero at the first index along
    only one place [0, 6] correct at the last index along
    place missing [4, 0] zero at the last index along

    >>> e = e._replace(dy=dy[..., None], columns=columns[..., None])  # also of windows
    >>> [name for name, _, _ in _left_out(e)][:2]
    ['overwritten', 'overwritten']
    """
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
    """The first index and the last, then those between, in words.

    >>> [*_each(1)], [*_each(2)]
    ([(0, 'first'), (0, 'last')], [(0, 'first'), (1, 'last')])
    >>> [index for index, _ in _each(5)], [which for _, which in _each(5)]
    ([0, 4, 1, 2, 3], ['first', 'last', 'second', 'third', '4th'])
    """
    yield 0, "first"
    yield size - 1, "last"
    for index in range(1, size - 1):
        yield index, f"{index + 1}th" if index > 2 else ("second", "third")[index - 1]


def _only(array: Array, axis: int, index: int) -> Array:
    """The array with zeros at all indices of an axis but one.

    >>> _only(np.array([[1, 2], [3, 4]]), 0, 1).tolist()
    [[0, 0], [3, 4]]
    >>> _only(np.array([[1, 2], [3, 4]]), 1, 0).tolist()
    [[1, 0], [3, 0]]
    """
    only = np.zeros_like(array)
    np.moveaxis(only, axis, 0)[index] = np.moveaxis(array, axis, 0)[index]
    return only


def _overwritten(e: Evidence) -> Iterator[Suspicion]:
    """Windows that overlap, of which only one remains.

    >>> def show(reads):  # reads[l, m]: whether window m contains sample l
    ...     x, dy = np.ones((3, len(reads), 1)), np.arange(1, 7).reshape(3, 2, 1)
    ...     columns = np.einsum("lm,no->nlom", reads, np.eye(3))[:, :, None, ..., None]
    ...     e = Evidence("input", x, x, columns, dy, dy, {}, {}, None)
    ...     for _, sentence, gradient in _overwritten(e):
    ...         print(sentence.partition(" one")[0], gradient[..., 0].tolist())

    >>> show(np.array([[1, 0], [1, 1], [0, 1], [0, 0]]))  # two windows of two samples
    where windows overlap, only the last [[1.0, 2.0, 2.0, 0.0], [3.0, ...], [5.0, ...]]
    where windows overlap, only the first [[1.0, 1.0, 2.0, 0.0], [3.0, ...], [5.0, ...]]

    No window contains all samples, as a step of a recurrent layer does.

    >>> show(np.array([[1, 0], [1, 1]]))
    >>> show(np.array([[1, 1], [0, 1]]))
    """
    n_windows = math.prod(e.dy.shape[1:-1])  # one axis for all, also of a picture
    shape = *e.expected.shape, e.dy.shape[0], n_windows, e.dy.shape[-1]
    shares = (e.columns * e.dy).reshape(shape).sum(axis=(-3, -1))  # (*expected.shape, n_windows)
    touched = np.abs(e.columns).reshape(shape).max(axis=(-3, -1)) > 0
    if e.name == "input" and (touched[..., 0].all() or touched[..., -1].all()):
        return  # one output depends on all samples, as in a recurrent layer: no windows
    for places, which in ((np.arange(n_windows), "last"), (-np.arange(n_windows), "first")):
        order = np.where(touched, places, -n_windows)
        last = order.argmax(axis=-1)[..., None]
        left_over = np.take_along_axis(shares, last, -1).reshape(e.expected.shape)
        yield (
            "overwritten",
            f"where windows overlap, only the {which} one contributes: assigned instead of added "
            "(`=` for `+=`)",
            left_over,
        )


def _through_time(e: Evidence) -> Iterator[Suspicion]:
    """Each step of a sequence without those that depend on it, as in a recurrent layer.

    >>> columns = np.arange(4.0).reshape(1, 2, 1, 1, 2, 1)
    >>> dy = np.array([[[10], [100]]])
    >>> e = Evidence("input", dy, dy, columns, dy, dy, {}, {}, None)
    >>> [(name, gradient.tolist()) for name, _, gradient in _through_time(e)]
    [('cross terms missing', [[[0.0], [300.0]]])]
    >>> [*_through_time(e._replace(name="w"))], [*_through_time(e._replace(expected=dy[:, :1]))]
    ([], [])
    """
    if e.name == "input" and e.dy.ndim == 3 and e.expected.shape[:2] == e.dy.shape[:2]:
        yield (
            "cross terms missing",
            "only the output at the same step contributes: the effect on other steps is missing",
            np.einsum("nlcnlf,nlf->nlc", e.columns, e.dy),
        )


def _misrouted(e: Evidence) -> Iterator[Suspicion]:
    """Gradients at the wrong sample, or at too many.

    >>> x = np.array([1.0, 2.0, 0.0])
    >>> e = Evidence("input", x, x, np.diag(x), x, x, {"input": x}, {}, lambda arrays: x[::-1])
    >>> def show(*actual, **data):
    ...     return [name for name, *_ in _misrouted(e._replace(actual=np.array(actual), **data))]

    >>> show(0, 1, 2.0000001), show(0, 1, 2.1)
    (['misplaced'], [])
    >>> show(1, 2, 5, is_linear=lambda: True), show(1, 2, 5), show(3, 2, 5, is_linear=lambda: True)
    (['mask missing'], [], [])

    The gradient of a mean over three samples, of two traces with two channels.

    >>> columns = np.full((2, 3, 2, 1, 1, 1), 1 / 12)
    >>> e = e._replace(expected=np.ones((2, 3, 2)), columns=columns)
    >>> def at_first(sums, **data):
    ...     return show(*np.array(sums)[:, None] * [[1], [0], [0]], **data)

    >>> at_first([[3, 3], [3, 3]]), at_first([[3, 3], [3, 3]], name="w")
    (['misplaced'], [])
    >>> at_first([[6, 6], [0, 0]]), at_first([[6, 0], [6, 0]]), at_first([[6, 6], [6, 6]])
    ([], [], [])
    >>> at_first([[3, 3], [3, 3]], columns=2 * columns)
    []
    """
    stopped = e.expected == 0
    others_agree = not stopped.all() and same(e.actual[~stopped], e.expected[~stopped])
    if others_agree and e.is_linear() and e.is_mask(stopped):
        yield (
            "mask missing",
            "correct where the output depends on the input, and not zero where it does not: the "
            "mask is missing",
            e.actual,
        )
    if np.allclose(np.sort(e.actual, axis=None), np.sort(e.expected, axis=None), rtol=SAME, atol=0):
        yield "misplaced", "the correct values at incorrect positions", e.actual
    places = tuple(range(1, e.expected.ndim - 1))
    is_pooling = e.name == "input" and e.is_average()
    if is_pooling and same(e.actual.sum(axis=places), e.expected.sum(axis=places)):
        yield (
            "misplaced",
            "the sum over the samples is correct, but not its distribution: a maximum passes the "
            "gradient to the largest sample, a mean to all of them equally",
            e.actual,
        )


def _statistics(e: Evidence) -> Iterator[Suspicion]:
    """The derivative of the mean or the variance over all rows, missing or incorrect.

    >>> x = np.array([[0.0, 8.0], [1.0, 6.0], [3.0, 4.0], [4.0, 2.0]])
    >>> error = x - x.mean(axis=0) + [10, 20]
    >>> def show(n=4, offset=0.0, **data):
    ...     dx, arrays = np.ones((n, 2)), {"input": x[:n]}
    ...     columns = np.einsum("no,cd->ncod", np.eye(n) - 1 / n, np.eye(2)) + offset
    ...     e = Evidence("input", dx + error[:n], dx, columns, dx, 2 * x[:n] + 1, arrays, {}, None)
    ...     for name, _, gradient in _statistics(e._replace(**{"is_linear": lambda: True, **data})):
    ...         print(name, (gradient - dx).round(3).tolist())

    >>> show()  # of values minus their mean
    batch mean [[10.0, 20.0], [10.0, 20.0], [10.0, 20.0], [10.0, 20.0]]
    batch variance [[-2.0, 3.0], [-1.0, 1.0], [1.0, -1.0], [2.0, -3.0]]
    batch mean and variance [[8.0, 23.0], [9.0, 21.0], [11.0, 19.0], [12.0, 17.0]]
    >>> show(n=3)
    >>> show(name="w")
    >>> show(y=x**2)
    >>> show(offset=0.1)
    >>> show(is_linear=lambda: False)
    """
    rows, of_y = e.expected.shape, e.y.shape
    if e.name != "input" or rows != of_y or e.expected.size < 4 * rows[-1]:
        return  # two numbers for each channel explain any error in three rows or fewer
    n, c = e.expected.size // rows[-1], rows[-1]
    columns = e.columns.reshape(n, c, n, c)
    together = np.abs(columns.sum(axis=0))
    if (together > e.same * np.abs(columns).sum(axis=0)).any() or not e.is_linear():
        return  # an output changes if all rows move together, or a number was added
    x, y, off = (a.reshape(n, c) for a in (e.arrays["input"], e.y, e.actual - e.expected))
    mean, z, x = off.mean(axis=0), y - y.mean(axis=0), x - x.mean(axis=0)
    if not np.allclose((x * z).sum(axis=0) ** 2, (x * x).sum(axis=0) * (z * z).sum(axis=0)):
        return  # an output is not an input times a number plus another, as after a softmax
    along = z * (off * z).sum(axis=0) / np.maximum((z * z).sum(axis=0), np.finfo(float).tiny)
    for what, explained in (
        ("mean", mean),
        ("variance", along),
        ("mean and variance", mean + along),
    ):
        yield (
            f"batch {what}",
            f"all rows depend on each row through the {what} of the batch; the derivative of this "
            "is missing or incorrect",
            (e.expected.reshape(n, c) + explained).reshape(rows),
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
    """The axes of a filter's taps: all but the last two, the channels in and out.

    >>> _taps(np.ones((3, 2, 4))), _taps(np.ones((5, 3, 2, 4))), _taps(np.ones(4))
    ((0,), (0, 1), ())
    """
    return tuple(range(w.ndim - 2))
