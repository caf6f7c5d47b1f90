"""Custom gradients of JAX, correct and incorrect: `CASES` holds the status of each array."""

import jax
import jax.numpy as jnp
import numpy as np

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
