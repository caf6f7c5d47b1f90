"""Memory that is kept, and batches on all cores: the same numbers as without."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from threadpoolctl import threadpool_info, threadpool_limits

import numpycnn as nn


def network(dtype=np.float64):
    layers = nn.Conv1D(2, 3, 3, padding="same", rng=0), nn.ReLU(), nn.MaxPool1D(2, stride=1)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dense(15, 2, rng=1)).astype(dtype)


def batch(n, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal((n, 6, 2)).astype(dtype)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 99), st.sampled_from("fd"))
def test_forward_and_backward_are_those_of_the_model(n_traces, n, seed, dtype):
    model, x = network(dtype), batch(n_traces, seed, dtype)
    y, cache = model.forward(x)
    dx, grads = model.backward(np.ones_like(y) / 3, cache)
    with nn.in_threads(model, n) as parallel:
        y2, cache2 = parallel.forward(x)
        dx2, grads2 = parallel.backward(np.ones_like(y) / 3, cache2)
    near = {"rtol": 0, "atol": 1e-12 if dtype == "d" else 1e-5}
    np.testing.assert_allclose(y2, y, **near)
    np.testing.assert_allclose(dx2, dx, **near)
    assert list(grads2) == list(grads)
    for name, grad in grads.items():
        np.testing.assert_allclose(grads2[name], grad, **near)
        assert grads2[name].dtype == grad.dtype


def test_every_core_has_its_part(monkeypatch):
    seen = []
    model = nn.Dense(2, 2)
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda x: (seen.append(len(x)), forward(x))[1])
    with nn.in_threads(model, 3) as parallel:
        parallel(np.ones((7, 2)))
        assert sorted(seen) == [2, 2, 3]
        parallel(np.ones((1, 2)))
        assert seen[3:] == [1]
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    with nn.in_threads(model) as parallel:
        parallel(np.ones((5, 2)))
    assert seen[4:] == [1] * 5


def test_it_keeps_the_contract_of_a_layer():
    with nn.in_threads(network(), 2) as parallel:
        nn.assert_gradients(parallel, batch(5))
        assert parallel.window(6) == network().window(6)


def test_it_trains_the_model_itself_and_the_same_way_each_time():
    x, labels = batch(20, dtype=np.float32), np.arange(20) % 2
    alone, *models = (network(np.float32) for _ in range(3))
    apart = nn.fit(alone, x, labels, epochs=5, batch_size=7, rng=3)
    histories = []
    for model in models:
        with nn.in_threads(model, 2) as parallel:
            histories.append(nn.fit(parallel, x, labels, epochs=5, batch_size=7, rng=3))
    np.testing.assert_allclose(histories[0].loss, apart.loss, rtol=1e-5)
    assert histories[0] == histories[1]
    for name, array in models[0].params.items():
        assert (array == models[1].params[name]).all()
        assert (array != network(np.float32).params[name]).any()


def test_overflow_is_handled_in_the_parts_as_around_them():
    model = nn.Dense(1, 1)
    model.params["w"][...] = 1e30
    x = np.full((4, 1), 1e30, np.float32)
    with nn.in_threads(model, 2) as parallel:
        with np.errstate(all="ignore"):
            assert np.isinf(parallel(x)).all()
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            parallel(x)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_keep_to_one_thread_and_get_their_own_back():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        with nn.in_threads(nn.ReLU(), 2):
            assert set(blas_threads()) <= {1}
        assert blas_threads() == before
        with pytest.raises(TypeError), nn.in_threads(nn.ReLU(), 2) as parallel:
            parallel(None)
        assert blas_threads() == before


def test_a_wrong_batch_is_named_by_the_layer_that_got_it():
    with nn.in_threads(network(), 2) as parallel:
        with refused(ValueError, "Conv1D", "x", "C=2", (2, 6, 3)):
            parallel(np.ones((4, 6, 3)))
        with refused(TypeError, "in_threads", "x", "list"):
            parallel([[1.0]])
        _, cache = parallel.forward(batch(4))
        with refused(ValueError, "Dense", "dy", "D_out=2"):
            parallel.backward(np.ones((8, 2)), cache)


def test_arguments_that_do_not_fit():
    with refused(TypeError, "in_threads", "model", "'model'"), nn.in_threads("model"):
        pass
    with refused(ValueError, "in_threads", "n", 0), nn.in_threads(network(), 0):
        pass


@pytest.mark.parametrize("layer", [nn.BatchNorm(2), nn.Dropout(0.5)])
def test_what_looks_at_a_whole_batch_is_for_use_only(layer):
    model = nn.Sequential(layer, nn.Flatten(), nn.Dense(12, 2))
    with nn.in_threads(model, 2) as parallel:
        np.testing.assert_allclose(parallel(batch(4)), model(batch(4)))
        with pytest.raises(ValueError, match="BatchNorm and Dropout look at a whole batch"):
            nn.fit(parallel, batch(4), [0, 1, 0, 1], epochs=1)


def test_what_has_to_be_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    says = "python -m pip install threadpoolctl"
    with pytest.raises(ModuleNotFoundError, match=says), nn.in_threads(network()):
        pass


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept():
    # Counted are the pages that the system hands out while arrays are made and dropped.
    code = (
        "import resource, sys, numpy as np, numpycnn as nn\n"
        "if sys.argv[1:]: nn.keep_freed_memory()\n"
        "def step(): [np.ones(1 << 17) for _ in range(4)]\n"
        "step()\n"
        "pages = -resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): step()\n"
        "print(pages + resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    )
    run = [sys.executable, "-c", code]
    fresh, kept = (
        int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        for command in (run, [*run, "keep"])
    )
    assert kept < fresh / 10, (kept, fresh)
