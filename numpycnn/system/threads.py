"""Threads: the parts of a batch at the same time, one on each processor core.

The gradient of a sum over traces is the sum of their gradients. A batch can therefore be cut
into parts that are computed independently, and the parts of `dw` are added:

    x = [x1, x2]     y = [f(x1), f(x2)]     dx = [dx1, dx2]     dw = dw1 + dw2

NumPy releases Python's global lock while it computes, so two threads do use two cores. The
convolution kernels share their work in this way where it takes longer than waking a thread.

The sums are added in the order of the parts, whichever part is finished first. The same number
of threads therefore returns the same bits every time.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import RLock
from typing import Any

import numpy as np

from numpycnn._validation import check_int

# The number of threads
# ---------------------

VARIABLES = "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"


def default_threads() -> int:
    """Return the number of threads set in the environment, or else the number of cores."""
    for value in map(os.environ.get, VARIABLES):
        if value and value.isdecimal() and int(value) > 0:
            return int(value)
    if hasattr(os, "sched_getaffinity"):  # on Linux: the cores that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(n: int | None = None) -> None:
    """Set the number of threads on which a convolution may run.

    Parameters
    ----------
    n : int or None
        Number of threads, 1 or more; 1 computes everything on the calling thread. None
        restores the default: the first of the environment variables `OPENBLAS_NUM_THREADS`,
        `MKL_NUM_THREADS` and `OMP_NUM_THREADS` that is set, or else the number of cores.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer of 1 or more.

    Notes
    -----
    Small convolutions always run on one thread, because waking a second one takes longer than
    the work. Where the number of threads of NumPy's matrix product cannot be set (neither by
    NumPy's own OpenBLAS nor by the package `threadpoolctl`), all convolutions do.

    Another number of threads may change the last bits of the results.

    Examples
    --------
    >>> import numpycnn as nn
    >>> nn.set_threads(1)     # for example where several processes share the machine
    >>> nn.set_threads(None)
    """
    global n_threads, _pool
    n = default_threads() if n is None else check_int("set_threads", "n", n)
    with _lock:
        n_threads, old, _pool = n, _pool, None
    if old:
        old.shutdown(wait=False)  # parts that it has already received are computed


n_threads = default_threads()
_pool: ThreadPoolExecutor | None = None
_lock = RLock()

# One thread for each matrix product
# ----------------------------------
# The library behind NumPy's matrix product (BLAS) has threads too. They divide a single product,
# and most products here are too small for that. Worse, its threads keep a core busy for some
# time after each product, waiting for the next one, and the threads below would wait for
# that core. So BLAS is limited to one thread while a convolution is computed. OpenBLAS, which
# comes with NumPy, has a function for it that takes 0.2 µs, under one of four names.


def openblas(name: str) -> Any:
    """Return this function of the OpenBLAS library that NumPy uses, or None."""
    with suppress(OSError):
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
        for form in "scipy_openblas_{}64_", "openblas_{}64_", "scipy_openblas_{}", "openblas_{}":
            if hasattr(library, form.format(name)):
                return getattr(library, form.format(name))
    return None


def openblas_version() -> str:
    """Return the kind of processor for which OpenBLAS computes, or an empty string."""
    core = openblas("get_corename")
    if core is None:
        return ""
    core.restype = ctypes.c_char_p
    return str(core(), "ascii")


def blas_controls() -> list[tuple[Callable[[], int], Callable[[int], Any]]]:
    """Return the functions that get and set the number of threads of BLAS, or an empty list."""
    get, limit = openblas("get_num_threads"), openblas("set_num_threads")
    if get and limit:
        return [(get, limit)]
    try:
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:
        return []
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [(blas.get_num_threads, blas.set_num_threads) for blas in found]


class OneBlasThread:
    """Limit BLAS to one thread inside `with`, and restore its threads after the last exit."""

    def __init__(self) -> None:
        self.controls, self.before = blas_controls(), list[int]()
        self.lock, self.n_inside = RLock(), 0

    def __enter__(self) -> None:
        with self.lock:
            if self.n_inside == 0:
                self.before = [get() for get, _ in self.controls]
                for _, limit in self.controls:
                    limit(1)
            self.n_inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                for (_, limit), n in zip(self.controls, self.before, strict=True):
                    limit(n)


one_blas_thread = OneBlasThread()


def _after_fork() -> None:
    """Start again in a forked process, which has none of its parent's threads."""
    global _pool, _lock
    _pool, _lock, one_blas_thread.lock = None, RLock(), RLock()
    if one_blas_thread.n_inside:  # another thread of the parent was computing
        one_blas_thread.n_inside = 1
        one_blas_thread.__exit__()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)


# Sharing the parts
# -----------------
# The parts are in a queue, from which each thread takes the next one when it is free. A thread
# that wakes late, or on a slower core, takes fewer. The results are kept by the
# number of the part, so that it does not matter which thread computed it.


def in_order(act: Callable[[Any], Any], parts: Sequence[Any], n: int) -> list[Any]:
    """Return `act(part)` for each part, computed on at most `n` threads.

    The calling thread takes part after part, and so does each other thread as soon as it is
    awake. `np.errstate` is the same in all threads, and an exception in one is raised here. With
    `n = 0`, the calling thread computes all parts, and BLAS may use its own threads.
    """
    if n == 0:
        return list(map(act, parts))
    results: list[Any] = [None] * len(parts)
    todo = deque(range(len(parts)))
    handling, handler = np.geterr(), np.geterrcall()

    def work() -> None:
        with np.errstate(call=handler, **handling):  # type: ignore[arg-type]
            while True:
                try:
                    i = todo.popleft()
                except IndexError:  # nothing is left
                    return
                results[i] = act(parts[i])

    with one_blas_thread:
        others = start(work, min(n, len(parts)) - 1 if one_blas_thread.controls else 0)
        try:
            work()
        finally:
            todo.clear()  # after an error
        for other in others:
            if not other.cancel():  # a thread that is still asleep is not waited for
                other.result()
    return results


# Threads are started at the first call that needs them and then wait for the next one. Where none
# can be started, the calling thread computes everything itself.


def start(work: Callable[[], None], n: int) -> list[Future[None]]:
    """Start `work` on `n` other threads, or on fewer where the system has no more."""
    global _pool
    started: list[Future[None]] = []
    with suppress(RuntimeError), _lock:  # the interpreter is ending, or runs in a browser
        if n > 0 and n_threads > 1:
            _pool = _pool or ThreadPoolExecutor(n_threads - 1, "numpycnn")
            started.extend(_pool.submit(work) for _ in range(n))
    return started
