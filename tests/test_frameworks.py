"""Custom gradients of JAX, checked by check_vjp. (PyTorch's are in test_frameworks_torch.)"""

import numpy as np
import pytest

from numpycnn import check_vjp
from numpycnn.checks.frameworks import from_jax

jax = pytest.importorskip("jax", reason="JAX is needed: python -m pip install jax")
jnp = pytest.importorskip("jax.numpy")

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2))
IDS = np.array([0, 2, 1, 2])


def custom(function, forward, backward, **options):
    wrapped = jax.custom_vjp(function, **options)
    wrapped.defvjp(forward, backward)
    return wrapped


def matmul(x, w):
    return x @ w


def matmul_forward(x, w):
    return x @ w, (x, w)


def embed(numbers, table):
    return table[numbers]


def embed_forward(numbers, table):
    return table[numbers], (numbers, table)


def two(x):
    return x**2, x.max(axis=1), x.argmax(axis=1)


CASES = {
    "correct": (
        custom(matmul, matmul_forward, lambda c, dy: (dy @ c[1].T, c[0].T @ dy)),
        [X, W],
        {"x": "correct", "w": "correct"},
    ),
    "half": (
        custom(matmul, matmul_forward, lambda c, dy: (dy @ c[1].T, c[0].T @ dy / 2)),
        [X, W],
        {"x": "correct", "w": "incorrect"},
    ),
    "float32": (
        custom(
            matmul,
            matmul_forward,
            lambda c, dy: (dy @ c[1].T, (c[0].astype("float32").T @ dy).astype("float64")),
        ),
        [X, W],
        {"x": "correct", "w": "incorrect"},
    ),
    "relu": (
        custom(
            lambda x: jnp.maximum(x, 0),
            lambda x: (jnp.maximum(x, 0), x),
            lambda x, dy: (dy * (x > 0),),
        ),
        [X],
        {"x": "correct"},
    ),
    "relu without mask": (
        custom(lambda x: jnp.maximum(x, 0), lambda x: (jnp.maximum(x, 0), x), lambda x, dy: (dy,)),
        [X],
        {"x": "incorrect"},
    ),
    "embedding": (
        custom(embed, embed_forward, lambda c, dy: (None, jnp.zeros_like(c[1]).at[c[0]].add(dy))),
        [IDS, X],
        {"table": "correct"},
    ),
    "embedding, repeated ids once": (
        custom(embed, embed_forward, lambda c, dy: (None, jnp.zeros_like(c[1]).at[c[0]].set(dy))),
        [IDS, X],
        {"table": "incorrect"},
    ),
    "several outputs": (
        custom(
            two,
            lambda x: (two(x), x),
            lambda x, dy: (2 * x * dy[0] + dy[1][:, None] * (x == x.max(axis=1, keepdims=True)),),
        ),
        [X],
        {"x": "correct"},
    ),
    "several outputs, one forgotten": (
        custom(two, lambda x: (two(x), x), lambda x, dy: (2 * x * dy[0],)),
        [X],
        {"x": "incorrect"},
    ),
    "an argument that is no array": (
        custom(
            lambda n, x: n * x,
            lambda n, x: (n * x, None),
            lambda n, _, dy: (n * dy,),
            nondiff_argnums=(0,),
        ),
        [3, X],
        {"x": "correct"},
    ),
    "no custom gradient": (lambda x: jnp.tanh(x) * jnp.abs(x), [X], {"x": "correct"}),
}


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


def test_a_gradient_of_the_broadcast_shape_is_refused():
    function = custom(lambda x, b: x + b, lambda x, b: (x + b, None), lambda _, dy: (dy, dy))
    with pytest.raises(ValueError, match=r"4,\s?3"):
        check_vjp(*from_jax(function), X, X[0])


def test_skip():
    report = check_vjp(*from_jax(CASES["half"][0]), X, W, skip="w", rng=0)
    assert {result.name: result.status for result in report.results} == {"x": "correct"}


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match=r"from_jax: function must .*int"):
        from_jax(3)
