"""The chain of layers: its parameters, its predictions, its table, and chains in chains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from refusals import refused
from task import task_network

import numpycnn
from numpycnn import (
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool1D,
    ReLU,
    Sequential,
    assert_gradients,
)
from numpycnn.checks.strategies import generators, networks


def nested_twin(model, split):
    """The same layers, those from `split` on in a chain of their own."""
    return Sequential(*model.layers[:split], Sequential(*model.layers[split:]))


# Parameters
# ----------


def test_params_are_the_arrays_of_the_layers_themselves():
    inner = Sequential(ReLU(), Dense(3, 2))
    model = Sequential(Dense(4, 3), inner)
    assert list(model.params) == ["0.w", "0.b", "1.1.w", "1.1.b"]
    assert model.params["0.w"] is model.layers[0].params["w"]
    assert model.params["1.1.b"] is inner.layers[1].params["b"]


def test_a_replaced_array_is_found_at_once():
    model = Sequential(ReLU(), Sequential(Dense(2, 1)))
    dense = model.layers[1].layers[0]
    model.predict(np.ones((1, 2)))
    new = np.array([[3.0], [4.0]])
    dense.params["w"] = new
    assert model.params["1.0.w"] is new
    assert model.predict(np.ones((1, 2))) == 7.0


def test_changing_a_parameter_in_place_changes_the_model():
    model = Sequential(Dense(2, 2))
    model.params["0.b"][:] = [5.0, 6.0]
    assert_array_equal(model.predict(np.zeros((1, 2))), [[5.0, 6.0]])


# Forward and backward
# --------------------


@given(networks(), generators)
def test_a_chain_runs_its_layers_forward_in_order_and_backward_in_reverse(case, rng):
    model, x = case
    y, caches = x, []
    for layer in model.layers:
        y, cache = layer.forward(y)
        caches.append(cache)
    dy = rng.standard_normal(y.shape)
    dx, by_layer = dy, []
    for layer, cache in zip(reversed(model.layers), reversed(caches), strict=True):
        dx, grads = layer.backward(dx, cache)
        by_layer.insert(0, grads)

    chain_y, cache = model.forward(x)
    chain_dx, chain_grads = model.backward(dy, cache)
    assert_array_equal(chain_y, y)
    assert_array_equal(chain_dx, dx)
    assert chain_grads.keys() == model.params.keys()
    for name, grad in chain_grads.items():
        place, _, own = name.partition(".")
        assert_array_equal(grad, by_layer[int(place)][own])


@given(networks(), generators, st.data())
def test_a_chain_in_a_chain_computes_the_same_numbers(case, rng, data):
    flat, x = case
    split = data.draw(st.integers(1, len(flat.layers) - 1))
    nested = nested_twin(flat, split)
    y, cache = flat.forward(x)
    nested_y, nested_cache = nested.forward(x)
    assert_array_equal(nested_y, y)

    dy = rng.standard_normal(y.shape)
    dx, grads = flat.backward(dy, cache)
    nested_dx, nested_grads = nested.backward(dy, nested_cache)
    assert_array_equal(nested_dx, dx)
    for name, grad in grads.items():
        place, _, own = name.partition(".")
        if int(place) >= split:
            name = f"{split}.{int(place) - split}.{own}"
        assert_array_equal(nested_grads[name], grad)
    assert len(nested_grads) == len(grads)


def test_the_gradients_of_a_nested_chain_are_right():
    model = nested_twin(task_network(), 3)
    x = np.random.default_rng(0).standard_normal((3, 64, 1))
    assert_gradients(model, x, rng=0)


@given(networks(), generators)
def test_two_forwards_before_a_backward_do_not_get_mixed_up(case, rng):
    model, x = case
    y, cache = model.forward(x)
    dy = rng.standard_normal(y.shape)
    alone = model.backward(dy, cache)

    _, cache = model.forward(x)
    model.forward(rng.standard_normal((2, *x.shape[1:])))  # validation, say
    dx, grads = model.backward(dy, cache)
    assert_array_equal(dx, alone[0])
    for name, grad in alone[1].items():
        assert_array_equal(grads[name], grad)


# Prediction
# ----------


@given(networks())
def test_predict_gives_what_forward_gives(case):
    model, x = case
    assert_array_equal(model.predict(x), model.forward(x)[0])


@given(st.integers(1, 12), st.integers(1, 15), generators)
def test_predict_gives_the_same_in_batches_of_any_size(n_traces, batch_size, rng):
    model = task_network(rng)
    x = rng.standard_normal((n_traces, 64, 1), dtype=np.float32)
    in_batches = model.predict(x, batch_size)
    assert in_batches.shape == (n_traces, 3)
    assert in_batches.dtype == np.float32
    assert_allclose(in_batches, model.predict(x), rtol=1e-4, atol=1e-5)
    assert_array_equal(model.classify(x, batch_size), in_batches.argmax(axis=1))


def test_labels_are_the_classes_with_the_highest_scores():
    model = Sequential(Dense(1, 3))
    model[0].params["w"][:] = [[1.0, 0.0, -1.0]]
    x = np.array([[[2.0], [-2.0]], [[-1.0], [1.0]]])
    assert model.classify(x).tolist() == [[0, 2], [2, 0]]
    assert Dense(2, 4).classify(np.zeros((5, 2))).tolist() == [0] * 5


# The table
# ---------


def test_the_summary_of_the_tasks_network_counts_4211_parameters():
    assert task_network().summary((64, 1)).splitlines() == [
        "     layer                            output shape  parameters",
        "  0  Conv1D(1, 8, 5, padding='same')  (N, 64, 8)            48",
        "  1  ReLU()                           (N, 64, 8)             0",
        "  2  MaxPool1D(2, stride=2)           (N, 32, 8)             0",
        "  3  Flatten()                        (N, 256)               0",
        "  4  Dense(256, 16)                   (N, 16)            4,112",
        "  5  ReLU()                           (N, 16)                0",
        "  6  Dense(16, 3)                     (N, 3)                51",
        "     total                                               4,211",
    ]


def test_the_summary_of_a_nested_chain_lists_the_layers_inside():
    lines = nested_twin(task_network(), 3).summary((64, 1)).splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["0", "1", "2", "3.0", "3.1", "3.2", "3.3"]
    assert lines[5].split("  ")[-1].strip() == "4,112"
    assert lines[-1].split() == ["total", "4,211"]


@given(networks())
def test_the_summary_shows_the_shapes_that_come_out_and_adds_up(case):
    model, x = case
    *lines, total = model.summary(x.shape[1:]).splitlines()[1:]
    y = x
    for line, layer in zip(lines, model.layers, strict=True):
        y = layer.forward(y)[0]
        assert f"(N, {', '.join(map(str, y.shape[1:]))})" in line
    counts = [int(line.split()[-1].replace(",", "")) for line in (*lines, total)]
    assert sum(counts[:-1]) == counts[-1] == sum(array.size for array in model.params.values())


def test_the_rows_of_a_summary_are_equally_long():
    assert len({len(line) for line in task_network().summary((64, 1)).splitlines()}) == 1


def test_the_head_with_global_pooling_has_243_parameters():
    model = Sequential(
        Conv1D(1, 8, 5, padding="same"),
        ReLU(),
        GlobalMaxPool1D(),
        Dense(8, 16),
        ReLU(),
        Dense(16, 3),
    )
    assert model.summary((64, 1)).splitlines()[-1].split() == ["total", "243"]


def test_the_summary_of_a_network_without_parameters_counts_none():
    *_, total = Sequential(ReLU(), Flatten()).summary((3, 2)).splitlines()
    assert total.split() == ["total", "0"]


def test_a_summary_for_traces_of_another_kind_says_what_is_wrong():
    with refused(ValueError, "Conv1D", "x", "C=1", (1, 64)):
        task_network().summary((64,))


# Copies of another type
# ----------------------


@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float16])
def test_astype_gives_a_copy_of_another_type_and_leaves_the_original(dtype):
    model = nested_twin(task_network(), 3)
    before = {name: array.copy() for name, array in model.params.items()}
    twin = model.astype(dtype)

    assert list(twin.params) == list(model.params)
    for name, array in twin.params.items():
        assert array.dtype == dtype
        assert_allclose(array, before[name], rtol=1e-3, atol=1e-4)
        array += 1
    for name, array in model.params.items():
        assert array.dtype == np.float32
        assert_array_equal(array, before[name])


def test_astype_of_the_same_type_is_still_a_copy():
    model = Sequential(Dense(2, 2))
    model.astype(np.float32).params["0.w"][:] = 9
    assert 9 not in model.params["0.w"]


def test_in_double_precision_the_network_computes_in_double_precision():
    model = task_network().astype(np.float64)
    x = np.random.default_rng(0).standard_normal((3, 64, 1))
    y, cache = model.forward(x)
    dx, grads = model.backward(y, cache)
    assert {array.dtype for array in (y, dx, *grads.values())} == {np.dtype(np.float64)}
    assert_allclose(y, task_network().predict(x.astype(np.float32)), rtol=1e-3, atol=1e-4)


def test_the_repr_of_a_chain_builds_it_again():
    model = nested_twin(task_network(), 3)
    again = eval(repr(model), vars(numpycnn))
    assert repr(again) == repr(model)
    assert {n: a.shape for n, a in again.params.items()} == {
        n: a.shape for n, a in model.params.items()
    }
