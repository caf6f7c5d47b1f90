"""Custom gradients of JAX, checked by check_vjp. (PyTorch's are in test_frameworks_torch.)"""

import numpy as np
import pytest

from numpycnn import check_vjp
from numpycnn.checks.frameworks import from_jax

jax = pytest.importorskip("jax", reason="JAX is needed: python -m pip install jax")
jnp = pytest.importorskip("jax.numpy")

from corpora.jax_functions import CASES, W, X, custom, matmul  # noqa: E402


@pytest.mark.parametrize("name", CASES)
def test_a_custom_vjp(name):
    function, arrays, expected = CASES[name]
    report = check_vjp(*from_jax(function), *arrays, rng=0)
    assert {result.name: result.status for result in report.results} == expected


def test_float64_is_switched_on_for_the_check_alone():
    assert check_vjp(*from_jax(CASES["correct"][0]), X.astype(np.float32), W, rng=0).ok
    assert jnp.zeros(1).dtype == "float32"


def test_a_forward_with_another_output_is_refused():
    function = custom(
        matmul, lambda x, w: (2 * x @ w, (x, w)), lambda c, dy: (dy @ c[1].T, c[0].T @ dy)
    )
    with pytest.raises(ValueError, match=r"from_jax: .*matmul"):
        check_vjp(*from_jax(function), X, W)


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match=r"from_jax: function must .*int"):
        from_jax(3)
