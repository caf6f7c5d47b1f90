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
    >>> errors = abs(found.middle[:, 0] - np.e)
    >>> bool(errors[0] > 1e-5 and errors[-1] > 1e-8), bool(min(errors) < 1e-9)
    (True, True)
    """
    unit = unit_step(at, direction)
    share = max(own_step(at, direction) / unit, 1e-12)
    steps = unit * 10.0 ** np.arange(-2, -11.5 + np.log10(share), -0.5)
    return steps, difference(f, f(at), at, direction, steps)


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
    >>> at, along = np.array([2.0]), np.array([1.0])
    >>> found = difference(lambda x: x**3, at**3, at, along, 0.5, digit=0.125)
    >>> [part.tolist() for part in (*found, found.middle)]
    [[15.25], [9.25], [7.8125], [12.25]]
    >>> difference(np.square, at**2, at, along, np.array([1.0, 0.5])).right.tolist()
    [[5.0], [4.5]]

    A constant, and a function that is defined on one side only:

    >>> found = difference(np.ones_like, np.ones(1), at, along, 0.5, digit=0.125)
    >>> float(found.noise[0]) == 4 * LAST_DIGIT
    True
    >>> found = difference(lambda x: np.where(x < 2, np.nan, x), at, at, along, 0.5)
    >>> found.right.tolist(), found.left.tolist()
    ([1.0], [1.0])
    """
    steps, shape = np.ravel(h), (*np.shape(h), *here.shape)
    ahead, behind = (
        np.reshape([f(at + sign * step * direction) for step in steps], shape) for sign in (1, -1)
    )
    h = np.reshape(h, (*np.shape(h), *(1,) * here.ndim))
    # The last digit of a value is noise in the difference, and the larger for a small step.
    stays = (ahead == here) & (behind == here)
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
    moved = np.where(direction, at, 0)
    return unit_step(moved if moved.any() else at, direction)


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
    """
    here, unit = f(at), unit_step(at, direction)
    ahead = f(at + 1e-3 * unit * direction)
    if in_single := is_single(here, ahead):
        steps = unit * 10.0 ** np.arange(0, -4.5, -0.5)
        found = difference(f, here, at, direction, steps, LAST_OF_SINGLE)
    else:
        steps, found = step_sweep(f, at, direction)
    middle, last_digit = found.middle, np.asarray(found.noise)
    # A step that leaves the domain of f is not evidence.
    flat = middle.reshape(len(steps), -1)
    outside = np.isnan(flat).all(axis=1)
    first, end = min(int(np.cumprod(outside).sum()), len(steps) - 3), len(steps)
    # Steps that are too small to change any output agree on a slope of zero. They say nothing,
    # unless the last change was a large one: then they end before a kink.
    if (changing := np.flatnonzero(flat[first:].any(axis=1))).size:
        last = first + changing[-1]
        is_large = (np.abs(middle[last]) > 10 * last_digit[last]).any()
        is_kink = is_large and not fits(ahead, np.float32)
        if not is_kink or steps[last] < 1e-3 * own_step(at, direction):
            end = max(last + 1, first + 3)
    right, left, last_digit, middle, steps = (
        each[first:end] for each in (found.right, found.left, last_digit, middle, steps)
    )
    steps = steps.reshape(-1, *(1,) * here.ndim)
    changes, gaps = np.abs(np.diff(middle, axis=0)), np.abs(right - left)
    # An output that is constant over the longest step has no slope, to the last digit over it.
    stays = np.all((right == 0) & (left == 0), axis=0)
    constant = np.where(stays, last_digit[0], 0)
    if np.max(constant) > 1e-9 * np.max(np.abs(middle)):  # a longer step shows more
        for h in steps.flat[0] * 10.0 ** np.arange(2, 7, 2):
            longer = difference(f, here, at, direction, h)
            is_constant = stays & (longer.right == 0) & (longer.left == 0)
            constant = np.where(is_constant, longer.noise, constant)
    # The changes at smaller steps, times the step, show the rounding of the function, as does a
    # gap between both sides that grows as the step shrinks.
    rough = np.maximum(changes, np.diff(gaps, axis=0)) * steps[1:]
    shown = np.maximum.accumulate(rough[::-1])[::-1] / steps[:-1]
    noise = np.where(stays, 0, np.maximum(last_digit[:-1], shown))
    # Where both sides differ, a shorter step is the better one: there may be a kink near by.
    doubts = changes[:-1] + noise[1:] + (1e-3 if in_single else 1e-5) * gaps[1:-1]
    doubt = np.nan_to_num(doubts.reshape(len(doubts), -1).sum(axis=1), nan=np.inf)
    best = int(np.argmin(doubt)) + 1
    noise = np.where(stays, constant, noise[best] + changes[best - 1])
    return OneSided(right[best], left[best], noise)


def fits(moved: Array, dtype: DTypeLike) -> bool:
    """Return True if every value is a number of this type of floats.

    >>> x = np.array([0.1, 0.7])
    >>> fits(np.tanh(x), np.float32), fits(np.tanh(x.astype(np.float32)), np.float32)
    (False, True)
    """
    with np.errstate(over="ignore"):
        return bool((moved == moved.astype(dtype)).all())


def is_single(here: Array, ahead: Array) -> bool:
    """Return True if every output that changes is a number of float32, and not of float16.

    Small steps then show the steps of a staircase, its rounding, and not the slope. Integers and
    halves are numbers of float16 too, and show nothing.

    >>> [is_single(np.zeros(2), np.array([0.1, y])) for y in (0, 0.1)]
    [False, False]
    >>> [is_single(np.zeros(2), np.array([0.5, y])) for y in (0, np.float32(0.1))]
    [False, True]
    """
    moved = ahead[ahead != here]
    return fits(moved, np.float32) and not fits(moved, np.float16)


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

    >>> float(one_complex_step(lambda x: np.maximum(x, 0), np.zeros(1), np.ones(1), 1e-30)[0])
    1.0
    """
    moved = at.astype(complex)
    moved.imag = h * direction
    y = f(moved)
    if np.iscomplexobj(y):
        return np.asarray(np.imag(y) / h)
    largest_step = 1e-2 * unit_step(at, direction)  # of all that are taken here
    if np.array_equal(y, f(at + largest_step * direction)):  # it does not depend on `at`
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
    >>> right = dot_product_test(lambda x: A @ x, lambda y: A.T @ y, (2,), rng)
    >>> wrong = dot_product_test(lambda x: A @ x, lambda y: A @ y, (2,), rng)
    >>> bool(np.isclose(*right)), bool(np.isclose(*wrong))
    (True, False)
    """
    x = rng.standard_normal(x_shape)
    image = forward(x) - forward(np.zeros(x_shape))
    y = rng.standard_normal(image.shape)
    return float((image * y).sum()), float((x * backward(y)).sum())
