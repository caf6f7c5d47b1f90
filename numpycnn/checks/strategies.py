"""Strategies: random layers and inputs for property-based tests.

A test with one chosen input checks one input. Hypothesis draws hundreds,
prefers the awkward ones, and when one fails, shrinks it to the smallest that
still does. These are the strategies behind numpycnn's own tests, for tests of
your own layers:

    from hypothesis import given
    from numpycnn import assert_gradients
    from numpycnn.checks.strategies import inputs

    @given(inputs())
    def test_my_layer(x):
        assert_gradients(MyLayer(), x)

This module needs Hypothesis, which nothing else in the package does.
"""

from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from numpycnn.layers import (
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    Layer,
    MaxPool1D,
    ReLU,
    Sequential,
    Softmax,
    Upsample1D,
)
from numpycnn.layers.layer import Kind
from numpycnn.types import Array

Pool = TypeVar("Pool", MaxPool1D, AveragePool1D)

generators: SearchStrategy[np.random.Generator] = st.integers(0, 2**32 - 1).map(
    np.random.default_rng
)
"""NumPy generators of any seed."""


def sizes(at_least: int = 1, at_most: int = 4) -> SearchStrategy[int]:
    """Sizes of an axis; one is where bugs with broadcasting live, so it comes first."""
    return st.integers(at_least, at_most)


@st.composite
def distinct(draw: DrawFn, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """A float64 array of this shape without ties and without zeros, between ±scale.

    The numbers stand on the rungs of a ladder, in random order and each a little off
    its rung. With n of them, any two are at least `scale / (n + 1)` apart, and zero from all of
    them by half that: no derivative is taken at the corner of a ReLU or at the tie
    of a maximum.
    """
    n = int(np.prod(shape))
    rng = draw(generators)
    rungs = np.arange(n) - n // 2 + 0.5 + rng.uniform(-0.25, 0.25, n)
    return 2 * scale / (n + 1) * rng.permutation(rungs).reshape(shape)


@st.composite
def inputs(
    draw: DrawFn,
    n_channels: int | None = None,
    min_length: int = 1,
    max_length: int = 12,
) -> Array:
    """A batch of traces (N, L, C), distinct numbers."""
    shape = draw(sizes(1, 3)), draw(sizes(min_length, max_length)), n_channels or draw(sizes())
    return draw(distinct(shape))


paddings: SearchStrategy[str | int | tuple[int, int]] = st.one_of(
    st.sampled_from(["valid", "same", "causal"]),
    st.integers(0, 4),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
"""Every kind of padding that Conv1D knows."""


@st.composite
def convolutions(
    draw: DrawFn,
    max_stride: int = 7,
    paddings: SearchStrategy[str | int | tuple[int, int]] = paddings,
) -> tuple[Conv1D, Array]:
    """A convolution in float64 and an input that is long enough for it.

    Strides from 1 to beyond the kernel, dilations from 1 to 3, lengths that the windows do
    not fit evenly, and the length that leaves room for just one window.
    """
    layer = Conv1D(
        draw(sizes(1, 3)),
        draw(sizes(1, 3)),
        kernel_size=draw(sizes(1, 5)),
        stride=draw(sizes(1, max_stride)),
        padding=draw(paddings),
        dilation=draw(sizes(1, 3)),
    )
    min_length = max(1, layer.reach - sum(layer.zeros_around(1)))
    x = draw(inputs(layer.in_channels, min_length, min_length + 12))
    return draw(with_random_params(layer)), x


@st.composite
def pools(draw: DrawFn, kind: type[Pool]) -> tuple[Pool, Array]:
    """A pooling of this kind, overlapping or not, and an input of at least one window."""
    layer = kind(draw(sizes(1, 5)), stride=draw(st.none() | sizes(1, 7)))
    x = draw(inputs(min_length=layer.pool_size, max_length=layer.pool_size + 12))
    return layer, x


@st.composite
def denses(draw: DrawFn) -> tuple[Dense, Array]:
    """A dense layer in float64 and an input with one to three axes."""
    leading = tuple(draw(st.lists(sizes(1, 3), max_size=2)))
    layer = Dense(draw(sizes()), draw(sizes()))
    return draw(with_random_params(layer)), draw(distinct((*leading, layer.in_features)))


@st.composite
def two_modes(draw: DrawFn) -> tuple[Layer, Array]:
    """A layer with two modes or its twin for training, in float64, and an input for it."""
    x = draw(inputs(min_length=2))
    if draw(st.booleans()):
        layer: Layer = Dropout(draw(st.floats(0, 0.9)))
    else:
        layer = draw(with_random_params(BatchNorm(x.shape[-1])))
        layer.state["mean"] += 0.5
        layer.state["var"] *= 2
    return (layer.training(draw(generators)) if draw(st.booleans()) else layer), x


def with_random_params(layer: Kind) -> SearchStrategy[Kind]:
    """The same layer in float64 with distinct numbers for parameters: no zero biases."""
    params = {name: distinct(array.shape) for name, array in layer.params.items()}
    return st.fixed_dictionaries(params).map(layer.with_params)


def layers_and_inputs() -> SearchStrategy[tuple[Layer, Array]]:
    """Any layer of the package, in float64, with an input for it."""
    plain = [ReLU(), Flatten(), Softmax(), GlobalMaxPool1D(), GlobalAveragePool1D()]
    return st.one_of(
        convolutions(),
        pools(MaxPool1D),
        pools(AveragePool1D),
        denses(),
        two_modes(),
        st.tuples(st.sampled_from(plain) | sizes().map(Upsample1D), inputs()),
        networks(),
    )


@st.composite
def networks(draw: DrawFn) -> tuple[Sequential, Array]:
    """Two stacked convolutions with a head, small enough to check quickly."""
    first, x = draw(convolutions())
    length = first.forward(x)[0].shape[1]
    second = Conv1D(first.out_channels, draw(sizes()), draw(sizes()), padding="same")
    head = draw(st.sampled_from(["flatten", "global"]))
    if head == "flatten":
        pool = MaxPool1D(draw(sizes(1, min(length, 3))))
        n_features = pool.window(length).n_outputs * second.out_channels
        rest = [pool, Flatten(), Dense(n_features, 3)]
    else:
        rest = [GlobalMaxPool1D(), Dense(second.out_channels, 3)]
    model = Sequential(first, ReLU(), second, *rest)
    return draw(with_random_params(model)), x
