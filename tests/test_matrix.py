"""A linear layer's matrix, its structure, and that backward is its transpose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from numpycnn import Conv1D, Flatten, MaxPool1D, ReLU, Sequential, Softmax
from numpycnn.checks.derivatives import dot_product_test
from numpycnn.checks.matrix import as_matrix, backward_as_matrix
from numpycnn.checks.strategies import convolutions, denses, generators


@given(st.one_of(convolutions(), denses()))
def test_backward_is_the_transpose_of_forward(case):
    layer, x = case
    assert_allclose(
        backward_as_matrix(layer, x.shape), as_matrix(layer, x.shape).T, rtol=1e-12, atol=1e-14
    )


@given(st.one_of(convolutions(), denses()), generators)
def test_the_dot_products_agree(case, rng):
    layer, x = case
    _, cache = layer.forward(x)
    one, other = dot_product_test(
        lambda x: layer.forward(x)[0], lambda dy: layer.backward(dy, cache)[0], x.shape, rng
    )
    assert one == pytest.approx(other, rel=1e-9, abs=1e-11)


@given(convolutions())
def test_the_matrix_gives_what_the_layer_gives(case):
    layer, x = case
    y, bias = layer.forward(x)[0], layer.forward(np.zeros_like(x))[0]
    assert_allclose(as_matrix(layer, x.shape) @ x.ravel(), (y - bias).ravel(), atol=1e-12)


def test_a_chain_of_linear_layers_is_the_product_of_their_matrices():
    first, second = Conv1D(1, 2, 3, rng=0).astype(float), Conv1D(2, 1, 2, rng=1).astype(float)
    chain = Sequential(first, second, Flatten())
    product = as_matrix(second, (1, 5, 2)) @ as_matrix(first, (1, 7, 1))
    assert_allclose(as_matrix(chain, (1, 7, 1)), product, rtol=1e-12)


@pytest.mark.parametrize("layer", [ReLU(), Softmax(), MaxPool1D(2)])
def test_what_is_not_linear_has_no_matrix(layer):
    with pytest.raises(ValueError, match="expected a linear layer, got"):
        as_matrix(layer, (1, 4, 2))
