"""Strategies: random layers and inputs for property-based tests.

A test with one chosen input checks one input. Hypothesis draws hundreds, prefers unusual
ones, and reduces one that fails to the smallest that still fails. The tests of numpycnn use
these strategies, and you can use them for your layers:

    from hypothesis import given
    from numpycnn import assert_gradients
    from numpycnn.checks.strategies import inputs

    @given(inputs())
    def test_my_layer(x):
        assert_gradients(MyLayer(), x)

This module needs Hypothesis, which nothing else in the package does.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from numpycnn import (
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
from numpycnn._types import Array
from numpycnn.layers.layer import Kind

Pool = TypeVar("Pool", MaxPool1D, AveragePool1D)

generators: SearchStrategy[np.random.Generator] = st.integers(0, 2**32 - 1).map(
    np.random.default_rng
)
"""NumPy generators of any seed."""


def sizes(at_least: int = 1, at_most: int = 4) -> SearchStrategy[int]:
    """Draw the size of an axis.

    Parameters
    ----------
    at_least, at_most : int
        The limits. A size of 1 shows errors of broadcasting.

    Returns
    -------
    SearchStrategy of int
    """
    return st.integers(at_least, at_most)


@st.composite
def distinct(draw: DrawFn, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Draw a float64 array without ties and without zeros.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    shape : tuple of int
        The shape.
    scale : float
        The values are between -scale and scale.

    Returns
    -------
    ndarray
        The values of a regular grid in random order, each moved a little. Any two of n values
        differ by at least `scale / (n + 1)`, and each differs from zero by half of this, so
        that no derivative is computed at the kink of a ReLU or at the tie of a maximum.
    """
    n = int(np.prod(shape))
    rng = draw(generators)
    rungs = np.arange(n) - n // 2 + 0.5 + rng.uniform(-0.25, 0.25, n)
    return 2 * scale / (n + 1) * rng.permutation(rungs).reshape(shape)


MAX_LENGTH = {3: 12, 4: 6}  # a picture of 12 by 12 has many entries


@st.composite
def inputs(
    draw: DrawFn,
    n_channels: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    *,
    ndim: int = 3,
    positive: bool = False,
) -> Array:
    """Draw a batch of distinct values, without zeros.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    n_channels : int, optional
        Size of the last axis; by default 1 to 4.
    min_length, max_length : int, optional
        Limits of the axes between the first and the last; by default 1 and 12, or 6 if
        there are two of them.
    ndim : {2, 3, 4}
        Number of axes: rows of features (N, C), traces (N, L, C) or pictures (N, H, W, C).
    positive : bool
        Draw values above 0, as the logarithm and the square root require.

    Returns
    -------
    ndarray
        float64, between -1 and 1, or 0 and 1 if positive.

    Examples
    --------
    >>> from hypothesis import find
    >>> x = find(inputs(ndim=4, n_channels=3), lambda x: True)
    >>> x.ndim, x.shape[-1]
    (4, 3)
    """
    if ndim not in (2, 3, 4):
        raise ValueError(f"inputs: ndim must be 2, 3 or 4, got {ndim}. Use distinct(shape).")
    if ndim == 2 and not min_length is max_length is None:
        raise ValueError(
            f"inputs: min_length and max_length must be omitted for ndim=2, got {min_length} and "
            f"{max_length}. n_channels is the number of features."
        )
    low = 1 if min_length is None else min_length
    high = max(low, MAX_LENGTH.get(ndim, 1)) if max_length is None else max_length
    axes = [sizes(1, 3), *[sizes(low, high)] * (ndim - 2)]
    x: Array = draw(distinct((*map(draw, axes), n_channels or draw(sizes()))))
    return (1 + x) / 2 if positive else x


@st.composite
def ids(draw: DrawFn, n: int, ndim: int = 2) -> Array:
    """Draw integers from 0 to n - 1, as an embedding takes them or as labels.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    n : int
        Number of different ids.
    ndim : int
        Number of axes: 1 for a label for each trace, 2 for a row of ids (N, L).

    Returns
    -------
    ndarray of int64
        Repeated ids are common.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(ids(5), lambda x: x.max() == 4)
    array([[4]])
    """
    if n < 1:
        raise ValueError(f"ids: n must be 1 or more, got {n}. It is the number of different ids.")
    shape = tuple(draw(sizes(1, 3 if axis == 0 else 6)) for axis in range(ndim))
    size = int(np.prod(shape))
    drawn = draw(st.lists(st.integers(0, n - 1), min_size=size, max_size=size))
    return np.array(drawn, np.int64).reshape(shape)


@st.composite
def with_ties(draw: DrawFn, arrays: SearchStrategy[Array]) -> Array:
    """Draw an array with equal values, as the maximum of a pooling window meets them.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    arrays : SearchStrategy
        Such as `inputs()`. An array of one value has no tie.

    Returns
    -------
    ndarray
        The array with values that replace others: neighbors along one axis, or any.
    """
    x = draw(arrays).copy()
    flat, rng = x.reshape(-1), draw(generators)
    axes = [axis for axis in range(x.ndim) if x.shape[axis] > 1]
    if axes:
        axis = draw(st.sampled_from(axes))
        first = np.take(x, [0], axis=axis)
        x[(slice(None),) * axis + (slice(1, 2),)] = first
    n_copies = draw(st.integers(0, flat.size // 2))
    flat[rng.integers(flat.size, size=n_copies)] = flat[rng.integers(flat.size, size=n_copies)]
    return x


@st.composite
def with_zeros(draw: DrawFn, arrays: SearchStrategy[Array]) -> Array:
    """Draw an array in which at least one value is exactly 0, where a ReLU has its kink.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    arrays : SearchStrategy
        Such as `inputs()`.

    Returns
    -------
    ndarray
        The array with some values replaced by zeros, all of them sometimes.
    """
    x = draw(arrays).copy()
    flat, rng = x.reshape(-1), draw(generators)
    flat[rng.permutation(flat.size)[: draw(st.integers(1, flat.size))]] = 0
    return x


paddings: SearchStrategy[str | int | tuple[int, int]] = st.one_of(
    st.sampled_from(["valid", "same", "causal"]),
    st.integers(0, 4),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
"""Every kind of padding that Conv1D accepts."""


@st.composite
def convolutions(
    draw: DrawFn,
    max_stride: int = 7,
    paddings: SearchStrategy[str | int | tuple[int, int]] = paddings,
) -> tuple[Conv1D, Array]:
    """Draw a convolution in float64 and an input.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    max_stride : int
        The largest stride; it may exceed the kernel.
    paddings : SearchStrategy
        The paddings.

    Returns
    -------
    layer : Conv1D
        With a dilation from 1 to 3.
    x : ndarray, shape (N, L, C)
        With at least one window; the windows need not cover all samples.
    """
    layer = Conv1D(
        draw(sizes(1, 3)),
        draw(sizes(1, 3)),
        kernel_size=draw(sizes(1, 5)),
        stride=draw(sizes(1, max_stride)),
        padding=draw(paddings),
        dilation=draw(sizes(1, 3)),
    )
    min_length = max(1, layer.effective_kernel_size - sum(layer.pad_widths(1)))
    x = draw(inputs(layer.in_channels, min_length, min_length + 12))
    return draw(with_random_params(layer)), x


@st.composite
def pools(draw: DrawFn, kind: type[Pool]) -> tuple[Pool, Array]:
    """Draw a pooling layer and an input.

    Parameters
    ----------
    draw
        Passed by Hypothesis.
    kind : type
        `MaxPool1D` or `AveragePool1D`.

    Returns
    -------
    layer : MaxPool1D or AveragePool1D
        With windows that overlap or not.
    x : ndarray, shape (N, L, C)
        With at least one window.
    """
    layer = kind(draw(sizes(1, 5)), stride=draw(st.none() | sizes(1, 7)))
    x = draw(inputs(min_length=layer.pool_size, max_length=layer.pool_size + 12))
    return layer, x


@st.composite
def denses(draw: DrawFn) -> tuple[Dense, Array]:
    """Draw a dense layer in float64 and an input.

    Parameters
    ----------
    draw
        Passed by Hypothesis.

    Returns
    -------
    layer : Dense
        The layer.
    x : ndarray, shape (..., D)
        With one to three axes.
    """
    leading = tuple(draw(st.lists(sizes(1, 3), max_size=2)))
    layer = Dense(draw(sizes()), draw(sizes()))
    return draw(with_random_params(layer)), draw(distinct((*leading, layer.in_features)))


@st.composite
def two_modes(draw: DrawFn) -> tuple[Layer, Array]:
    """Draw a layer with two modes, or its copy for training, and an input.

    Parameters
    ----------
    draw
        Passed by Hypothesis.

    Returns
    -------
    layer : Layer
        `BatchNorm` or `Dropout` in float64.
    x : ndarray, shape (N, L, C)
        The input.
    """
    x = draw(inputs(min_length=2))
    if draw(st.booleans()):
        layer: Layer = Dropout(draw(st.floats(0, 0.9)))
    else:
        layer = draw(with_random_params(BatchNorm(x.shape[-1])))
        layer.state["mean"] += 0.5
        layer.state["var"] *= 2
    return (layer.for_training(draw(generators)) if draw(st.booleans()) else layer), x


def with_random_params(layer: Kind) -> SearchStrategy[Kind]:
    """Draw distinct parameters for a layer, without zeros.

    Parameters
    ----------
    layer : Layer
        The layer, which is not changed.

    Returns
    -------
    SearchStrategy
        Copies of the layer in float64.
    """
    params = {name: distinct(array.shape) for name, array in layer.params.items()}
    return st.fixed_dictionaries(params).map(layer.with_params)


def layers_and_inputs() -> SearchStrategy[tuple[Layer, Array]]:
    """Draw any layer of the package, in float64, and an input.

    Returns
    -------
    SearchStrategy
        Pairs of a layer and an input.
    """
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
    """Draw a small network of two convolutions with a head, and an input.

    Parameters
    ----------
    draw
        Passed by Hypothesis.

    Returns
    -------
    model : Sequential
        The network, in float64.
    x : ndarray, shape (N, L, C)
        The input.
    """
    first, x = draw(convolutions())
    length = first.forward(x)[0].shape[1]
    second = Conv1D(first.out_channels, draw(sizes()), draw(sizes()), padding="same")
    head = draw(st.sampled_from(["flatten", "global"]))
    if head == "flatten":
        pool = MaxPool1D(draw(sizes(1, min(length, 3))))
        n_features = pool.receptive_field(length).n_outputs * second.out_channels
        rest = [pool, Flatten(), Dense(n_features, 3)]
    else:
        rest = [GlobalMaxPool1D(), Dense(second.out_channels, 3)]
    model = Sequential(first, ReLU(), second, *rest)
    return draw(with_random_params(model)), x
