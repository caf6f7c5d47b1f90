"""Derivatives without backward: three ways to know what is right.

A gradient is a claim anyone can test: it says by how much the output changes
when the input changes by a little. So change the input by a little and look.
The three methods of this chapter differ in how they look. None of them knows
anything about `backward`, which is why they can judge it.

Each one moves an array along a direction `v` and watches the whole output `y`.
If `v` is zero but for a single 1, the result is a column of the layer's matrix
of derivatives, `d y / d x[i]`; if `v` is random, it is a random mixture of all
columns, and one look checks them all.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from numpycnn.types import Array

Method = Literal["complex", "central"]
Function = Callable[[Array], Array]


class OneSided(NamedTuple):
    """The derivative of each output along a direction, to the right and to the left.

    Where a function has a kink, as ReLU has at zero, the two differ, and it has
    no derivative at all: anything between them is as good as any other.
    """

    right: Array
    left: Array
    noise: Array | float = 0.0  # how far off each may be, beyond its last digits

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
# How small should `h` be? Two errors pull at it. The formula itself is wrong by
# something like `h²`, the part of the function's bend that it leaves out. But as `h`
# shrinks the two values agree in more and more digits, the subtraction cancels
# those, and what is left is rounding, of the size `1e-16 / h`. Plotted against `h` on
# logarithmic axes, the error falls along one straight line and rises along the other:
# a V, with its tip near `h = 6e-6`, where some ten of sixteen digits are right.
#
# The tip is not always there: it depends on how large the numbers are and how bent
# the function is. So try many steps, and trust the one where the answer changes least
# from one step to the next.


def step_sweep(f: Function, at: Array, direction: Array) -> tuple[Array, list[OneSided]]:
    """Return steps from large to small, and the derivative that each of them finds.

    The first is a hundredth of the largest number in `at`, the last a hundred-billionth of the
    largest that moves.

    >>> steps, found = step_sweep(np.exp, np.array([1.0]), np.array([1.0]))
    >>> errors = [abs(one.middle[0] - np.e) for one in found]
    >>> bool(errors[0] > 1e-5 and errors[-1] > 1e-8), bool(min(errors) < 1e-9)
    (True, True)
    """
    unit = unit_step(at, direction)
    share = max(own_step(at, direction) / unit, 1e-12)
    steps = unit * 10.0 ** np.arange(-2, -11.5 + np.log10(share), -0.5)
    here = f(at)
    return steps, [difference(f, here, at, direction, h) for h in steps]


def difference(f: Function, here: Array, at: Array, direction: Array, h: float) -> OneSided:
    """Return the derivative of f along `direction` over one step h; `here` is f(at)."""
    ahead, behind = f(at + h * direction), f(at - h * direction)
    # The last digit of a value is noise in the difference, and the larger for a small step.
    noise = float(np.finfo(np.float64).eps) * (abs(ahead) + abs(behind)) / h
    return OneSided((ahead - here) / h, (here - behind) / h, noise)


def unit_step(at: Array, direction: Array) -> float:
    """The step that moves some entry by as much as the largest number in `at`."""
    return (float(np.max(np.abs(at))) or 1.0) / float(np.max(np.abs(direction)))


def own_step(at: Array, direction: Array) -> float:
    """The step that moves some entry by as much as the largest of those that move, if not zero."""
    moved = np.where(direction, at, 0)
    return unit_step(moved if moved.any() else at, direction)


def central_difference(f: Function, at: Array, direction: Array) -> OneSided:
    """Return the derivative of f along `direction` from differences, by the steadiest step.

    Its `noise` is what it still changed by from the steps before and after, and what the smaller
    steps show of the function's last digits, be they those of a float64 or of a float32.

    >>> central_difference(lambda x: x**3, np.array([2.0]), np.array([1.0])).middle.round(6)
    array([12.])
    """
    steps, found = step_sweep(f, at, direction)
    # A step that leaves the domain of f is not evidence.
    while len(found) > 3 and np.isnan(found[0].middle).all():
        steps, found = steps[1:], found[1:]
    # Steps that are too small to change any output agree on a slope of zero. They say nothing.
    while len(found) > 3 and not found[-1].middle.any() and found[0].middle.any():
        found.pop()
    right, left, last_digit = (np.stack(each) for each in zip(*found, strict=True))
    middle = (right + left) / 2
    steps = steps[: len(found)].reshape(-1, *(1,) * (middle.ndim - 1))
    changes = np.abs(np.diff(middle, axis=0))
    # What a small step changes the result by, times the step, is rounding of the two values.
    shown = (changes * steps[1:])[len(found) // 2 :].max(axis=0, initial=0)
    noise = np.maximum(last_digit * steps, shown) / steps
    # Where both sides differ, a shorter step is the better one: there may be a kink near by.
    doubts = (changes + noise[1:] + 1e-5 * np.abs(right - left)[1:])[:-1]
    doubt = np.nan_to_num(doubts.reshape(len(doubts), -1).sum(axis=1), nan=np.inf)
    best = int(np.argmin(doubt)) + 1
    # What stays where it is over the longest step has no slope, to the last digit over that step.
    stays = np.all((right == 0) & (left == 0), axis=0)
    noise = np.where(stays, last_digit[0], noise[best] + changes[best - 1])
    return OneSided(right[best], left[best], noise)


# The complex step
# ----------------
# The subtraction is what costs the digits, and it can be avoided. Step off the
# real axis: for a smooth function the Taylor series says
#
# $$f(x + ih) = f(x) + i h f'(x) - \tfrac{1}{2} h^2 f''(x) - \dots$$
#
# The value is in the real part and the derivative in the imaginary part, side by side
# and never subtracted from each other. So `h` can be `1e-30`: the terms that the
# formula leaves out are then below anything a float can hold beside the first, and
# the result is as exact as `f` itself, to the last digit or two.
#
# So small a step crosses no kink either. NumPy compares complex numbers by their
# real parts, and only if those are equal by the imaginary ones. `maximum` keeps its
# branch, and at an exact tie the steps `+h` and `-h` take the two different branches.
#
# It asks that `f` take complex numbers and be smooth in them: no `abs`, `.real` or
# `conj`, and no cast to float on the way.
#
# Source: W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real
# functions", SIAM Review 40 (1998).

STEP = 1e-30


def complex_step(f: Function, at: Array, direction: Array) -> OneSided:
    """Return the derivative of f along `direction` from the imaginary part, exact to rounding.

    >>> complex_step(lambda x: x**3, np.array([2.0]), np.array([1.0])).middle
    array([12.])
    >>> complex_step(lambda x: np.maximum(x, 0), np.array([0.0]), np.array([1.0]))  # a kink
    OneSided(right=array([1.]), left=array([-0.]), noise=0.0)

    Raises `TypeError` if f cannot take complex numbers or loses their imaginary part.
    """
    # Two steps of another length: an infinite slope, as that of a root at zero, is not the same.
    right, left = (f(at + 1j * h * direction) for h in (STEP, -STEP / 100))
    if not np.iscomplexobj(right):
        largest_step = 1e-2 * unit_step(at, direction)  # of all that are taken here
        if np.array_equal(right, f(at + largest_step * direction)):  # it does not depend on `at`
            return OneSided(np.zeros_like(right), np.zeros_like(right))
        raise TypeError("the function gives real numbers for complex ones: abs, .real or a cast?")
    return OneSided(np.imag(right) / STEP, np.imag(left) / (-STEP / 100))


DERIVATIVES: dict[Method, Callable[[Function, Array, Array], OneSided]] = {
    "complex": complex_step,
    "central": central_difference,
}


# The dot-product test
# --------------------
# Geophysicists know this one from migration. A linear layer is a matrix `A`: forward
# multiplies with `A`, backward with its transpose. Whatever `A` is,
#
# $$\langle A x, y \rangle = \langle x, A^T y \rangle$$
#
# so draw any `x` and any `y` and compare two numbers. No derivative is taken, hence no
# step and no error but rounding. A bias makes a layer affine; it is subtracted first.


def dot_product_test(
    forward: Function, backward: Function, x_shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[float, float]:
    """Return <A x, y> and <x, Aᵀ y> for random x and y: equal if backward is the transpose.

    `forward` may add a constant, which is taken off; otherwise it has to be linear.

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
