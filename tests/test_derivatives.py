"""Central differences, their error over the step, and the complex step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpycnn.checks.derivatives import central_difference, complex_step, step_sweep

along = np.array([1.0])


def f(x):
    return np.exp(x) * np.sin(3 * x)


def derivative_of_f(x):
    return np.exp(x) * (np.sin(3 * x) + 3 * np.cos(3 * x))


def test_the_error_of_central_differences_over_the_step_is_a_v():
    at = np.array([1.0])
    steps, found = step_sweep(f, at, along)
    errors = np.abs(found.middle - derivative_of_f(at))[:, 0]
    tip = errors.argmin()
    assert 1e-7 < steps[tip] < 1e-4
    assert errors[tip] < 1e-9 < 1e-4 < errors[0]
    assert errors[-1] > 100 * errors[tip]
    # On its right side the error falls with the square of the step.
    slope = np.polyfit(np.log(steps[:6]), np.log(errors[:6]), 1)[0]
    assert slope == pytest.approx(2, abs=0.1)


@given(st.floats(-2, 2))
def test_the_complex_step_is_exact_to_rounding(at):
    exact = derivative_of_f(np.array([at]))
    found = complex_step(f, np.array([at]), along).middle
    assert found == pytest.approx(exact, rel=1e-14, abs=1e-14)


@given(st.floats(1e-6, 1e6))
def test_the_step_of_central_differences_follows_the_scale_of_x(scale):
    at = np.array([scale])
    found = central_difference(lambda x: (x / scale) ** 3, at, along).middle
    assert found * scale == pytest.approx(3, rel=1e-7)


@pytest.mark.parametrize("unit", [1, 1e-3, 1e-6, 1e-9])
def test_the_step_follows_the_scale_of_the_moved_entries(unit):
    at, moves = np.array([1, unit]), np.array([0, 1.0])
    found = central_difference(lambda x: np.sin(x / [1, unit]), at, moves).middle
    assert found * unit == pytest.approx([0, np.cos(1)], rel=1e-6)


@given(st.floats(0.02, 1))
def test_a_curve_is_not_a_kink(at):
    # For |x| x a long step is as exact as a short one, up to the kink at zero.
    (right,), (left,), _ = central_difference(lambda x: abs(x) * x, np.array([at]), along)
    assert right == pytest.approx(left, rel=1e-3)
    (right,), (left,), _ = central_difference(lambda x: abs(x - at), np.array([at]), along)
    assert (left, right) == pytest.approx((-1, 1), rel=1e-3)
