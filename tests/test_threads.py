"""Threads of the convolution: the same results wherever it runs, and nothing left behind."""

import _thread
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

import numpycnn as nn
from numpycnn.system import threads

N_THREADS = 3


@pytest.fixture(autouse=True)
def several_threads():
    nn.set_threads(N_THREADS)
    yield
    nn.set_threads(None)


def large():
    """A convolution of enough work to be shared, its input and its results on one thread."""
    layer = nn.Conv1D(16, 16, 9, padding="same", rng=0)
    x = np.random.default_rng(0).standard_normal((12, 2048, 16), dtype=np.float32)
    nn.set_threads(1)
    expected = results(layer, x)
    nn.set_threads(N_THREADS)
    return layer, x, expected


def results(layer, x):
    y, cache = layer.forward(x)
    dx, grads = layer.backward(y, cache)
    return y, dx, *grads.values()


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


def names_of_threads():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("numpycnn")}


def test_threads_compute_what_one_computes_and_the_same_bits_each_time():
    layer, x, expected = large()
    first = results(layer, x)
    assert 1 <= len(names_of_threads()) < N_THREADS  # one that has finished is used again
    assert_close(first, expected)
    for again in results(layer, x), results(layer, x):
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


# The number of threads
# ---------------------


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_a_number_that_does_not_fit_is_named_and_changes_nothing(n, error):
    with pytest.raises(error, match=f"set_threads.*n.*{n}"):
        nn.set_threads(n)
    assert threads.n_threads == N_THREADS


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OMP_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "5", "OPENBLAS_NUM_THREADS": "7"}, 7),
        ({"MKL_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": ""}, 4),
        ({"OMP_NUM_THREADS": "4,2"}, None),
        ({"OMP_NUM_THREADS": "0"}, None),
        ({}, None),
    ],
)
def test_the_default_is_that_of_the_environment_or_the_number_of_cores(
    monkeypatch, variables, expected
):
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    nn.set_threads(None)
    assert threads.n_threads == (expected or 3)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    nn.set_threads()
    assert threads.n_threads == (expected or 6)


# In other threads and processes
# ------------------------------


def test_it_may_be_called_from_many_threads_at_once():
    layer, x, expected = large()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: results(layer, x), range(8)):
            assert_close(found, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_computes():
    code = (
        "import os, threading, numpy as np, numpycnn as nn\n"
        "nn.set_threads(3)\n"
        "layer, x = nn.Conv1D(16, 16, 9, rng=0), np.ones((12, 2048, 16), np.float32)\n"
        "before = layer(x)\n"  # so that the parent has threads, which the child does not have
        "child = os.fork()\n"
        "same = np.array_equal(layer(x), before) and threading.active_count() > 1\n"
        "if child == 0: os._exit(0 if same else 1)\n"
        "print(same, os.waitpid(child, 0)[1])\n"
    )
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr) == ("True 0\n", "")


def test_it_computes_when_no_thread_can_be_started(monkeypatch):
    layer, x, expected = large()

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert_close(results(layer, x), expected)


# Errors
# ------


def test_overflow_is_handled_in_the_threads_as_around_them():
    layer, x, _ = large()
    x[-1, :, :] = 3e38  # in the part of the last thread
    with np.errstate(all="ignore"):
        assert np.isinf(layer(x)[-1]).any()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        layer(x)
    seen = []
    with np.errstate(over="call", invalid="ignore", call=lambda kind, _: seen.append(kind)):
        layer(x)
    assert "overflow" in seen
    layer, x, expected = large()
    assert_close(results(layer, x), expected)


@pytest.fixture
def interrupts():
    """Interrupts raise, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_after_an_interrupt_everything_works_as_before():
    layer, x, expected = large()
    before = blas_threads()

    def run_until_interrupted(timer):
        timer.start()
        while True:
            results(layer, x)

    for delay in np.linspace(0.001, 0.03, 12):
        timer = threading.Timer(delay, _thread.interrupt_main)
        with pytest.raises(KeyboardInterrupt):
            run_until_interrupted(timer)
        timer.join()
        assert_close(results(layer, x), expected)
    assert blas_threads() == before


# The threads of BLAS
# -------------------


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_keep_to_one_thread_meanwhile_and_get_their_own_back(monkeypatch):
    layer, x, _ = large()
    seen, matmul = [], np.matmul
    monkeypatch.setattr(
        np, "matmul", lambda *a, **o: (seen.append(max(blas_threads())), matmul(*a, **o))[1]
    )
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        results(layer, x)
        assert set(seen) == {1}
        assert blas_threads() == before
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            layer(np.full_like(x, 3e38))
        assert blas_threads() == before


def test_without_a_way_to_limit_blas_nothing_is_shared(monkeypatch):
    layer, x, expected = large()
    monkeypatch.setattr(threads.one_blas_thread, "controls", [])
    monkeypatch.setattr(ThreadPoolExecutor, "submit", None)
    assert_close(results(layer, x), expected)


def test_other_libraries_are_limited_by_threadpoolctl(monkeypatch):
    monkeypatch.setattr(threads, "openblas", lambda _: None)
    controls = threads.blas_controls()
    assert controls
    with threadpool_limits(2, "blas"):
        monkeypatch.setattr(threads.one_blas_thread, "controls", controls)
        with threads.one_blas_thread:
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {2}
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert threads.blas_controls() == []
