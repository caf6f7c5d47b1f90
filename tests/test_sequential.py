"""The chain of layers: its parameters, its predictions, its table, and chains in chains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from task import task_network

from numpycnn import Dense, ReLU, Residual, Sequential
from numpycnn.checks.strategies import generators, networks


def nested_from(model, split):
    """The same layers, those from `split` on in a chain inside the chain."""
    return Sequential(*model.layers[:split], Sequential(*model.layers[split:]))


@given(networks(), generators, st.data())
def test_a_chain_flat_or_nested_runs_its_layers_forward_and_then_backward_in_reverse(
    case, rng, data
):
    model, x = case
    y, caches = x, []
    for layer in model.layers:
        y, cache = layer.forward(y)
        caches.append(cache)
    dy = rng.standard_normal(y.shape)
    dx, expected = dy, {}
    split = data.draw(st.integers(1, len(model.layers) - 1))
    for place, (layer, cache) in reversed(list(enumerate(zip(model.layers, caches, strict=True)))):
        dx, grads = layer.backward(dx, cache)
        expected |= {(place, name): grad for name, grad in grads.items()}

    for chain in model, nested_from(model, split):
        chain_y, cache = chain.forward(x)
        chain.forward(rng.standard_normal((2, *x.shape[1:])))  # validation, for example
        chain_dx, grads = chain.backward(dy, cache)
        assert_array_equal(chain_y, y)
        assert_array_equal(chain.predict(x), y)
        assert_array_equal(chain_dx, dx)
        assert grads.keys() == chain.params.keys()
        assert len(grads) == len(expected)
        for name, grad in grads.items():
            *places, own = name.split(".")
            assert_array_equal(grad, expected[sum(map(int, places)), own])


# The table
# ---------


def test_the_summary_has_a_row_for_each_layer_and_the_number_of_parameters():
    nested = nested_from(task_network(), 3).summary((64, 1)).splitlines()
    assert [line.split()[0] for line in nested[1:-1]] == ["0", "1", "2", "3.0", "3.1", "3.2", "3.3"]
    assert "Conv1D(1, 8, 5, padding='same')" in nested[1]
    assert nested[-1].split() == ["total", "4,211"]
    assert len({len(line) for line in nested}) == 1
    around = Sequential(Residual(Dense(2, 2), ReLU()), Dense(2, 1)).summary((9, 2)).splitlines()
    assert [line.split()[0] for line in around[1:-1]] == ["0.0", "0.1", "0", "1"]
    assert [line.split()[-1] for line in around[1:]] == ["6", "0", "0", "3", "9"]


@given(networks())
def test_the_summary_shows_the_shapes_and_counts_of_the_layers(case):
    model, x = case
    *lines, total = model.summary(x.shape[1:]).splitlines()[1:]
    y = x
    for line, layer in zip(lines, model.layers, strict=True):
        y = layer.forward(y)[0]
        assert f"(N, {', '.join(map(str, y.shape[1:]))})" in line
    counts = [int(line.split()[-1].replace(",", "")) for line in (*lines, total)]
    assert sum(counts[:-1]) == counts[-1] == sum(array.size for array in model.params.values())


# Copies of another type
# ----------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.float16])
def test_astype_returns_a_copy_of_another_type_and_leaves_the_original(dtype):
    model = nested_from(task_network(), 3)
    before = {name: array.copy() for name, array in model.params.items()}
    copy, x = model.astype(dtype), np.random.default_rng(0).standard_normal((3, 64, 1))
    assert_allclose(copy(x.astype(dtype)), model(x.astype(np.float32)), rtol=0.02, atol=0.02)
    assert list(copy.params) == list(model.params)
    for name, array in copy.params.items():
        assert array.dtype == dtype
        assert_allclose(array, before[name], rtol=1e-3, atol=1e-4)
        array += 1
    for name, array in model.params.items():
        assert array.dtype == np.float32
        assert_array_equal(array, before[name])
