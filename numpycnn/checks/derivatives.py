"""Derivatives without backward: three methods.

A gradient states by how much the output changes when the input changes by a little. So change the
input by a little and compute the output again. The three methods of this chapter differ in how they
do it. They do not use `backward`, which is why they can test it.

Each one moves an array along a direction `v` and compares the whole output `y`. If `v` is zero
except for a single 1, the result is a column of the matrix of derivatives of the layer,
`d y / d x[i]`; if `v` is random, the result is a random mixture of all columns, and one evaluation
checks them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Array

Method = Literal["complex", "central"]
Function = Callable[[Array], Array]

TOLERANCE: dict[Method, float] = {"complex": 1e-10, "central": 1e-6}
"""The largest relative error of a correct gradient, in float64, by method."""

LAST_DIGIT = float(np.finfo(np.float64).eps)
LAST_OF_SINGLE = float(np.finfo(np.float32).eps) / 16
"""Of float64, with what was lost on the way; of float32, for a value rounded once."""


class OneSided(NamedTuple):
    """The derivative of each output along a direction, to the right and to the left.

    Where a function has a kink, as ReLU has at zero, the two differ, and no derivative exists:
    any value between them is a valid gradient.

    Attributes
    ----------
    right, left : ndarray
        The one-sided derivatives.
    noise : ndarray or float
        By how much each of them may be off.
    """

    right: Array
    left: Array
    noise: Array | float = 0.0

    @property
    def middle(self) -> Array:
        """Their mean: the derivative, where there is one."""
        return (self.right + self.left) / 2

    @property
    def stays(self) -> Array:
        """Whether an output is constant: both slopes are zero over each of several steps.

        >>> right, left = np.array([[0, 0, 2], [0, 0, 0]]), np.array([[0, 0, 0], [0, 3, 0]])
        >>> OneSided(right, left).stays.tolist()
        [True, False, False]
        """
        return np.asarray(np.all((self.right == 0) & (self.left == 0), axis=0))


# Central differences
# -------------------
# The classic, and the one to understand first:
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# How small should `h` be? There are two errors. The error of the formula is proportional to
# `h²`: it leaves out the curvature of the function. But as `h` shrinks the two values agree
# in more and more digits, the subtraction cancels these, and the remainder is rounding, of
# magnitude `1e-16 / h`. Plotted against `h` on logarithmic axes, the error falls along one
# straight line and rises along the other: a V, with its tip near `h = 6e-6`, where some ten
# of sixteen digits are correct.
#
# The position of the tip depends on the magnitude of the values and the curvature of the
# function. So try many steps. Small steps show the rounding, from one step to the next; the
# best step is that where the rounding and the change from the step before are smallest.


def step_sweep(f: Function, at: Array, direction: Array) -> tuple[Array, OneSided]:
    """Return steps from large to small, and the derivatives that they find.

    Parameters
    ----------
    f : callable
        A function of one array that returns an array.
    at : ndarray
        The point.
    direction : ndarray
        The direction, of the same shape.

    Returns
    -------
    steps : ndarray
        The first is a hundredth of the largest magnitude in `at`, the last a hundred-billionth of
        the largest that moves.
    found : OneSided
        The derivatives; the first axis is that of the steps.

    Examples
    --------
    >>> steps, found = step_sweep(np.exp, np.array([1.0]), np.array([1.0]))
    >>> len(steps), np.log10(steps).round(6).tolist()[:3], round(float(np.log10(steps[-1])), 6)
    (19, [-2.0, -2.5, -3.0], -11.0)
    >>> errors = abs(found.middle[:, 0] - np.e)
    >>> bool(errors[0] > 1e-5 and errors[-1] > 1e-8), bool(min(errors) < 1e-9)
    (True, True)

    The steps for a direction that moves an entry of 0.1 next to one of 1000, and one of 1e-20:

    >>> for at in ([1000.0, 0.1], [1000.0, 1e-20]):
    ...     steps, _ = step_sweep(np.tanh, np.array(at), np.array([0.0, 1.0]))
    ...     np.log10(steps[[0, -1]]).round(6).tolist()
    [1.0, -12.0]
    [1.0, -20.0]
    """
    unit = unit_step(at, direction)
    share = max(own_step(at, direction) / unit, 1e-12)
    steps = unit * 10.0 ** np.arange(-2, -11.5 + np.log10(share), -0.5)
    return steps, difference(f, f(at), at, direction, steps)


def single_sweep(f: Function, at: Array, direction: Array) -> tuple[Array, OneSided]:
    """Return the steps for a function that computes in float32, and the derivatives.

    It loses more digits, and the steps are longer.

    >>> steps, found = single_sweep(np.square, np.array([3.0]), np.array([1.0]))
    >>> (steps / 3).round(5).tolist()
    [1.0, 0.31623, 0.1, 0.03162, 0.01, 0.00316, 0.001, 0.00032, 0.0001]
    >>> found.middle[0].tolist(), (found.noise[0] * 2**27).tolist()
    ([6.0], [24.0])
    """
    steps = unit_step(at, direction) * 10.0 ** np.arange(0, -4.5, -0.5)
    return steps, difference(f, f(at), at, direction, steps, LAST_OF_SINGLE)


def difference(
    f: Function,
    here: Array,
    at: Array,
    direction: Array,
    h: float | Array,
    digit: float = LAST_DIGIT,
) -> OneSided:
    """Return the derivative of f along a direction over one step, or over each of several.

    Parameters
    ----------
    f : callable
        A function of one array that returns an array.
    here : ndarray
        The value `f(at)`.
    at, direction : ndarray
        The point, and the direction.
    h : float or ndarray
        The step; of several, the axis is the first of the result.
    digit : float, optional
        By how much a value that changes may be off, relative to it.

    Returns
    -------
    OneSided
        Its noise is the last digit of the values, divided by the step.

    Examples
    --------
    >>> at, along = np.array([2.0]), np.array([2.0])
    >>> found = difference(lambda x: x**3, at**3, at, along, 0.5, digit=0.125)
    >>> [part.tolist() for part in (*found, found.middle)]
    [[38.0], [14.0], [13.5], [26.0]]
    >>> difference(np.square, at**2, at, along, np.array([1.0, 0.5])).right.tolist()
    [[12.0], [10.0]]

    The noise of a constant, and of a function with a kink; one that is defined on one side only:

    >>> for f in (np.ones_like, lambda x: np.maximum(x, 2)):
    ...     float(difference(f, f(at), at, along, 0.5, digit=0.125).noise[0])
    8.881784197001252e-16
    1.5
    >>> steps = np.array([1.0, 0.25])
    >>> difference(np.round, at, at, along, steps, digit=0.125).noise.tolist()
    [[1.0], [2.0]]
    >>> found = difference(lambda x: np.where(x < 2, np.nan, x), at, at, along, 0.5)
    >>> found.right.tolist(), found.left.tolist()
    ([2.0], [2.0])
    """
    steps, shape = np.ravel(h), (*np.shape(h), *here.shape)
    ahead, behind = (
        np.reshape([f(at + sign * step * direction) for step in steps], shape) for sign in (1, -1)
    )
    # The last digit of a value is noise in the difference, and the larger for a small step. A
    # value of float32 that does not change over a small step, but over a larger one, has it, too.
    stays = (ahead == here) & (behind == here)
    stays = stays.all(axis=tuple(range(np.ndim(h))), keepdims=True)
    h = np.reshape(h, (*np.shape(h), *(1,) * here.ndim))
    noise = 2 * np.where(stays, LAST_DIGIT, digit) * np.fmax(abs(ahead), abs(behind)) / h
    right, left = (ahead - here) / h, (here - behind) / h
    # At the end of a domain only one side is defined.
    right, left = (np.where(np.isnan(a), b, a) for a, b in ((right, left), (left, right)))
    return OneSided(right, left, noise)


def unit_step(at: Array, direction: Array) -> float:
    """Return the step that moves some entry by the largest magnitude in `at`.

    >>> unit_step(np.array([2, -3]), np.array([0, -0.5])), unit_step(np.zeros(2), np.array([0, 2]))
    (6.0, 0.5)
    """
    return (float(np.max(np.abs(at))) or 1.0) / float(np.max(np.abs(direction)))


def own_step(at: Array, direction: Array) -> float:
    """Return the step that moves some entry by the largest magnitude of those that move.

    >>> own_step(np.array([2, -3]), np.array([1, 0])), own_step(np.array([0, -3]), np.array([1, 0]))
    (2.0, 3.0)
    """
    moving = np.where(direction, at, 0)
    return unit_step(moving if moving.any() else at, direction)


def moved(at: Array, direction: Array, share: float) -> Array:
    """Return the point at this share of the unit step along a direction.

    >>> moved(np.array([2.0, -8.0]), np.array([1.0, -2.0]), 0.5).tolist()
    [4.0, -12.0]
    """
    return np.asarray(at + share * unit_step(at, direction) * direction)


def central_difference(f: Function, at: Array, direction: Array) -> OneSided:
    """Return the derivative of f along a direction from differences, by the best step.

    Parameters
    ----------
    f : callable
        A function of one array that returns an array.
    at, direction : ndarray
        The point, and the direction.

    Returns
    -------
    OneSided
        Its noise is the change from the step before, and the rounding that the smaller steps
        show, whether f computes in float64 or in float32.

    Examples
    --------
    >>> central_difference(lambda x: x**3, np.array([2.0]), np.array([1.0])).middle.round(6)
    array([12.])

    An output that is constant over the steps has no slope, but noise. If its value is large, it
    is computed at longer steps as well:

    >>> for constant in (1e5, 1e6):
    ...     f = lambda x: np.append(10 * x, constant)
    ...     found = central_difference(f, np.array([1.0]), np.array([1.0]))
    ...     found.middle.round(6).tolist(), round(float(found.noise[1] / LAST_DIGIT))
    ([10.0, 0.0], 20000000)
    ([10.0, 0.0], 200)

    A function that computes in float32 requires longer steps, here as far as it is defined:

    >>> f = lambda x: np.where(abs(x - 1) < 0.9, 1e4 + x, np.nan).astype(np.float32)
    >>> bool(abs(central_difference(f, np.array([1.0]), np.array([1.0])).middle[0] - 1) < 5e-3)
    True

    Small steps end before a kink at a distance of a thousandth, and have one slope. The slopes
    of a nearer kink differ:

    >>> def right_and_left(f, at):
    ...     found = central_difference(f, np.array([at]), np.array([1.0]))
    ...     return np.array([found.right[0], found.left[0]])
    >>> for kink in (2.002, 2.0005):
    ...     right_and_left(lambda x: 0.1 + np.maximum(x - kink, 0), 2.0).round(3).tolist()
    [0.0, 0.0]
    [0.921, 0.0]

    So do those of a curve, by a difference that shows how short the step is:

    >>> for dtype in (np.float64, np.float32):
    ...     right, left = right_and_left(lambda x: np.square(x, dtype=dtype), 1.0)
    ...     bool(1e-6 < right - left < 1e-4), bool(4e-3 < right - left < 0.02)
    (True, False)
    (False, True)
    """
    here, ahead = f(at), f(moved(at, direction, 1e-3))
    in_single = is_single(here, ahead)
    steps, found = (single_sweep if in_single else step_sweep)(f, at, direction)
    # A value of float32 changes by its last digit, and an integer by one, also without a kink.
    tiny = np.inf if fits(ahead, np.float32) else 1e-3 * own_step(at, direction)
    part = evidence(steps, found, tiny)
    steps, found = steps[part], OneSided(*(np.asarray(each)[part] for each in found))
    best = best_step(steps, found, 1e-3 if in_single else 1e-5)
    # An output that is constant over the longest step has no slope, to the last digit over it.
    constant = np.asarray(found.noise)[0]
    if (constant[found.stays] > 1e-9 * np.max(np.abs(found.middle))).any():
        constant = noise_of_constants(f, at, direction, steps[0])
    return best._replace(noise=np.where(found.stays, constant, best.noise))


def evidence(steps: Array, found: OneSided, tiny: float) -> slice:
    """Return the range of the steps that show a slope: at least three.

    A step that leaves the domain of f is not evidence. Steps that are too small to change any
    output agree on a slope of zero. They show nothing, unless the last change was a large one:
    then they end before a kink, except if the last change is at a step below `tiny`.

    >>> def used(*slopes, tiny=0.0, noise=0.25):
    ...     each = np.array(slopes)[:, None]
    ...     steps = 0.5 ** np.arange(len(slopes))
    ...     found = OneSided(each, each, np.full(each.shape, noise))
    ...     return steps[evidence(steps, found, tiny)].tolist()

    >>> used(np.nan, np.nan, 3, 3, 3, np.nan), used(np.nan, np.nan, np.nan, np.nan, 3)
    ([0.25, 0.125, 0.0625, 0.03125], [0.25, 0.125, 0.0625])
    >>> used(2, 2, 2, 2, 0, 0), used(np.nan, 2, 0, 0, 0, 0), used(0, 0, 0, 0)
    ([1.0, 0.5, 0.25, 0.125], [0.5, 0.25, 0.125], [1.0, 0.5, 0.25, 0.125])

    A last change of ten times the noise is not large yet:

    >>> [len(used(2, slope, 0, 0, 0)) for slope in (2.5, -2.6)]
    [3, 5]
    >>> [len(used(9, 9, 9, 0, 0, tiny=tiny)) for tiny in (0.25, 0.26)]
    [5, 3]
    """
    slopes = found.middle.reshape(len(steps), -1)
    noise = np.reshape(found.noise, slopes.shape)
    outside = np.isnan(slopes).all(axis=1)
    first = min(int(np.cumprod(outside).sum()), len(steps) - 3)
    changing = np.flatnonzero(slopes[first:].any(axis=1))
    if changing.size:
        last = first + int(changing[-1])
        is_large = (np.abs(slopes[last]) > 10 * noise[last]).any()
        if not is_large or steps[last] < tiny:
            return slice(first, max(last + 1, first + 3))
    return slice(first, len(steps))


def best_step(steps: Array, found: OneSided, per_gap: float) -> OneSided:
    """Return the derivative by the step in doubt by least, and its noise for each output.

    The doubt of a step is the change from the step before, the rounding, and this fraction of the
    gap between both sides: where they differ, there may be a kink near by, and a shorter step is
    the better one. The doubts of all outputs are added.

    >>> def best(right, left, noise, per_gap=0.0):
    ...     found = OneSided(*(np.array(each)[:, None] for each in (right, left, noise)))
    ...     steps = 0.5 ** np.arange(len(right))
    ...     return [float(each[0]) for each in best_step(steps, found, per_gap)]

    The change from the step before is the least at the fourth step, and at the third if the last
    digit is counted; a rounding that the smaller steps show counts as well:

    >>> slopes = [1.0, 2.0, 2.5, 2.75, 3.0, 3.5]
    >>> best(slopes, slopes, [0.0] * 6), best(slopes, slopes, [0, 0, 0.125, 0.5, 1, 2])
    ([2.75, 2.75, 0.375], [2.5, 2.5, 0.625])

    The last digit of an output that is constant is left out:

    >>> best([0.0] * 4, [0.0] * 4, [0.5] * 4)
    [0.0, 0.0, 0.0]

    A curve, whose gap between both sides shrinks with the step:

    >>> right, left = [5.0, 4.0, 3.5, 3.25, 3.25], [1.0, 2.0, 2.5, 3.0, 3.25]
    >>> [best(right, left, [0.0] * 5, per_gap) for per_gap in (0, 1)]
    [[4.0, 2.0, 0.03125], [3.25, 3.0, 0.1875]]
    """
    right, left, middle, last_digit = *found[:2], found.middle, np.asarray(found.noise)
    steps = np.reshape(steps, (*steps.shape, *(1,) * (right.ndim - 1)))
    changes, gaps = np.abs(np.diff(middle, axis=0)), np.abs(right - left)
    # The changes at smaller steps, times the step, show the rounding of the function, as does a
    # gap between both sides that grows as the step shrinks.
    rough = np.maximum(changes, np.diff(gaps, axis=0)) * steps[1:]
    shown = np.maximum.accumulate(rough[::-1])[::-1] / steps[:-1]
    noise = np.where(found.stays, 0, np.maximum(last_digit[:-1], shown))
    doubts = changes[:-1] + noise[1:] + per_gap * gaps[1:-1]
    doubt = np.nan_to_num(doubts.reshape(len(doubts), -1).sum(axis=1), nan=np.inf)
    best = int(np.argmin(doubt)) + 1
    return OneSided(right[best], left[best], noise[best] + changes[best - 1])


def noise_of_constants(f: Function, at: Array, direction: Array, step: float) -> Array:
    """Return the noise in the slope of each output that is constant over this step.

    A longer step over which it is constant shows the slope to more digits.

    >>> def noise(edge):
    ...     step_function = lambda x: np.where(x < edge, 1.0, 0.0)
    ...     found = noise_of_constants(step_function, np.zeros(1), np.ones(1), 0.01)
    ...     return float(found[0] / LAST_DIGIT)
    >>> noise(0.5), noise(50), noise(5e3), noise(5e5)
    (200.0, 2.0, 0.02, 0.0002)
    """
    here = f(at)
    noise: Array = np.asarray(difference(f, here, at, direction, step).noise)
    for h in step * np.array([1e2, 1e4, 1e6]):
        longer = difference(f, here, at, direction, h)
        is_constant = (longer.right == 0) & (longer.left == 0)
        noise = np.where(is_constant, longer.noise, noise)
    return noise


def fits(values: Array, dtype: DTypeLike) -> bool:
    """Return True if every value is a number of this type of floats.

    >>> x = np.array([0.1, 0.7])
    >>> fits(np.tanh(x), np.float32), fits(np.tanh(x.astype(np.float32)), np.float32)
    (False, True)
    """
    with np.errstate(over="ignore"):
        return bool((values == values.astype(dtype)).all())


def is_single(here: Array, ahead: Array) -> bool:
    """Return True if every output that changes is a number of float32, and not of float16.

    Small steps then show the steps of a staircase, its rounding, and not the slope. Integers and
    halves are numbers of float16 too, and show nothing.

    >>> [is_single(np.zeros(2), np.array([0.1, y])) for y in (0, 0.1)]
    [False, False]
    >>> [is_single(np.zeros(2), np.array([0.5, y])) for y in (0, np.float32(0.1))]
    [False, True]
    """
    changed = ahead[ahead != here]
    return fits(changed, np.float32) and not fits(changed, np.float16)


# The complex step
# ----------------
# The subtraction loses the digits, and it can be avoided. Step off the real axis: for a
# smooth function the Taylor series is
#
# $$f(x + ih) = f(x) + i h f'(x) - \tfrac{1}{2} h^2 f''(x) - \dots$$
#
# The value is in the real part and the derivative in the imaginary part, and they are never
# subtracted from each other. So `h` can be `1e-30`: the terms that the formula leaves out
# are then far below the last digit of the first, and the result is as exact as `f` itself,
# to the last digit or two.
#
# Such a small step does not cross a kink. NumPy compares complex numbers by their real
# parts, and only if these are equal by the imaginary ones. `maximum` keeps its branch, and
# at an exact tie the steps `+h` and `-h` take the two different branches.
#
# The function `f` must accept complex numbers and be smooth in them: without `abs`, `.real`
# or `conj`, and without a cast to float.
#
# Source: W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real
# functions", SIAM Review 40 (1998).

STEPS = 1e-30, -1e-32
"""To the right and to the left, of other lengths: an infinite slope, as that of a root at zero, is
not the same for both."""


def complex_step(f: Function, at: Array, direction: Array) -> OneSided:
    """Return the derivative of f along a direction from the imaginary part, exact to rounding.

    Parameters
    ----------
    f : callable
        A function of one array that returns an array.
    at, direction : ndarray
        The point, and the direction.

    Returns
    -------
    OneSided
        Without noise.

    Raises
    ------
    TypeError
        If f returns real numbers for complex ones.

    Examples
    --------
    >>> complex_step(lambda x: x**3, np.array([2.0]), np.array([1.0])).middle
    array([12.])
    >>> complex_step(lambda x: np.maximum(x, 0), np.array([0.0]), np.array([1.0]))  # a kink
    OneSided(right=array([1.]), left=array([-0.]), noise=0.0)
    """
    right, left = (one_complex_step(f, at, direction, h) for h in STEPS)
    return OneSided(right, left)


def one_complex_step(f: Function, at: Array, direction: Array, h: float) -> Array:
    """Return the derivative to the right or, by a negative step, to the left.

    Raises `TypeError` if f returns real numbers for complex ones.

    >>> at, along = np.array([1.0]), np.array([2.0])
    >>> one_complex_step(np.square, at, along, 1e-30).tolist()
    [4.0]

    Of a function that gives real numbers, the slope is known only if it is constant nearby:

    >>> one_complex_step(lambda x: np.where(x.real > 1.1, 1.0, 0.0), at, along, 1e-30).tolist()
    [0.0]
    >>> one_complex_step(lambda x: np.where(x.real > 1.005, 1.0, 0.0), at, along, 1e-30)
    Traceback (most recent call last):
    TypeError: the function gives real numbers for complex ones: abs, .real or a cast?
    """
    near = at.astype(complex)
    near.imag = h * direction
    y = f(near)
    if np.iscomplexobj(y):
        return np.asarray(np.imag(y) / h)
    farthest = moved(at, direction, 1e-2)  # of all that are taken here
    if np.array_equal(y, f(farthest)):  # it does not depend on `at`
        return np.zeros_like(y)
    raise TypeError("the function gives real numbers for complex ones: abs, .real or a cast?")


DERIVATIVES: dict[Method, Callable[[Function, Array, Array], OneSided]] = {
    "complex": complex_step,
    "central": central_difference,
}


# The dot-product test
# --------------------
# Geophysicists know this test from migration. A linear layer is a matrix `A`: forward
# multiplies by `A`, backward by its transpose. For every `A`,
#
# $$\langle A x, y \rangle = \langle x, A^T y \rangle$$
#
# so draw any `x` and any `y` and compare two numbers. No derivative is computed, so there is
# no step, and no error except rounding. A bias makes a layer affine; it is subtracted first.


def dot_product_test(
    forward: Function, backward: Function, x_shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[float, float]:
    """Return <A x, y> and <x, Aᵀ y> for random x and y: equal if backward is the transpose.

    Parameters
    ----------
    forward : callable
        A linear function of one array. It may add a constant, which is subtracted.
    backward : callable
        The function to test.
    x_shape : tuple of int
        Shape of the argument of `forward`.
    rng : numpy.random.Generator
        Draws x and y.

    Returns
    -------
    tuple of float
        The two products.

    Examples
    --------
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> rng = np.random.default_rng(0)
    >>> right = dot_product_test(lambda x: A @ x + 1, lambda y: A.T @ y, (2,), rng)
    >>> wrong = dot_product_test(lambda x: A @ x, lambda y: A @ y, (2,), rng)
    >>> bool(np.isclose(*right)), bool(np.isclose(*wrong))
    (True, False)
    """
    x = rng.standard_normal(x_shape)
    image = forward(x) - forward(np.zeros(x_shape))
    y = rng.standard_normal(image.shape)
    return float((image * y).sum()), float((x * backward(y)).sum())
