"""How fast is it? The same work in NumPy and in PyTorch, side by side.

A library that can be read in an evening need not be slow. This script times the training of
the trace classifier and convolutions from small to large, forward and backward. And it asks
how close each comes to the fastest thing the machine can do with numbers of this kind,
a large matrix product.

PyTorch is optional: where it is missing, NumPy's own numbers are shown. More than one thread
wants threadpoolctl. A full run takes some two minutes, and the machine should have nothing
else to do. `--quick` takes seconds, and its numbers are worth as little.

    python -m pip install torch threadpoolctl
    python examples/benchmark.py
"""

import argparse
import os
import platform
import re
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import numpycnn as nn
from options import at_least

try:
    import torch
except ModuleNotFoundError:
    torch = None

# The work
# --------
# A convolution is told by its sizes: `N` traces of `L` samples in `C` channels, `F`
# filters of `K` taps. The first is that of the trace classifier. The others go from one
# that is over in a millisecond to one that fills the memory next to the processor
# many times over, from many short traces to a single long one.
#
# Forward and backward are three sums over the same products: `y`, `dx` and `dw` each
# multiply and add once for every output, tap, channel and filter. So the work is known,
# whoever does it.


class Case(NamedTuple):
    """The sizes of one convolution."""

    N: int
    C: int
    F: int
    L: int
    K: int
    stride: int = 1
    dilation: int = 1

    def __str__(self) -> str:
        options = zip(("stride", "dilation"), self[5:], strict=True)
        return f"{tuple(self[:5])}" + "".join(f" {name} {n}" for name, n in options if n > 1)

    @property
    def options(self) -> dict[str, int]:
        """What both libraries are told beside the sizes."""
        padding = self.dilation * (self.K // 2)  # keeps the length at stride 1; K is odd here
        return {"stride": self.stride, "padding": padding, "dilation": self.dilation}

    @property
    def n_outputs(self) -> int:
        """M: with that padding a window can begin at every sample that the stride visits."""
        return (self.L - 1) // self.stride + 1

    @property
    def work(self) -> int:
        """Floating-point operations: a product and a sum, for each of y, dx and dw."""
        return 3 * 2 * self.N * self.n_outputs * self.F * self.K * self.C


CASES = (
    Case(144, 1, 8, 64, 5),
    Case(144, 8, 16, 64, 5),
    Case(64, 16, 32, 256, 5),
    Case(32, 64, 64, 1024, 5),
    Case(8, 64, 64, 4096, 9),
    Case(1, 16, 16, 65536, 15),
    Case(256, 32, 32, 128, 3),
    Case(64, 16, 32, 256, 5, stride=2),
    Case(64, 16, 32, 256, 5, stride=4),
    Case(64, 16, 32, 256, 5, dilation=2),
)
QUICK_CASES = CASES[0], CASES[0]._replace(stride=2), CASES[0]._replace(dilation=2)
EPOCHS = 60
SIDE = 2048  # rows and columns of the matrices whose product sets the limit
TRAINING, PRODUCT = f"training, {EPOCHS} epochs", f"product {SIDE} x {SIDE}"

# The same thing twice
# --------------------
# A job is one piece of work, as a function for each library that returns arrays. Both get the
# same numbers. PyTorch keeps channels before samples and the weights as `(F, C, K)`, so
# arrays change the order of their axes on the way there and back, outside what is timed.


class Job(NamedTuple):
    """Something to run, by library, and what is known about it."""

    runs: dict[str, Callable[[], tuple[Any, ...]]]
    axes: tuple[tuple[int, ...], ...]  # the order of PyTorch's axes that is ours, for each result
    tolerance: float = 1e-5  # how far the results may differ
    work: float = np.nan  # floating-point operations


def tensor(array: np.ndarray, *axes: int) -> Any:
    """A copy for PyTorch, with its axes in this order."""
    return torch.tensor(np.ascontiguousarray(array.transpose(axes)))


def convolution(case: Case, layer: nn.Layer) -> Job:
    """One convolution forward and backward: y, dx, dw and db."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.N, case.L, case.C), dtype=np.float32)
    dy = rng.standard_normal((case.N, case.n_outputs, case.F), dtype=np.float32)

    def in_numpy() -> tuple[Any, ...]:
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        return y, dx, grads["w"], grads["b"]

    axes = (0, 2, 1), (0, 2, 1), (2, 1, 0), (0,)  # there and back, as they undo themselves
    job = Job({"NumPy": in_numpy}, axes, work=case.work)
    if torch:
        arrays = zip((dy, x, *layer.params.values()), axes, strict=True)
        torch_dy, *inputs = (tensor(array, *to) for array, to in arrays)
        inputs = [each.requires_grad_() for each in inputs]

        def in_torch() -> tuple[Any, ...]:
            y = torch.nn.functional.conv1d(*inputs, **case.options)
            return y.detach(), *torch.autograd.grad(y, inputs, torch_dy)

        job.runs["PyTorch"] = in_torch
    return job


def training() -> Job:
    """The training of the trace classifier, from the same first weights: its losses."""
    x, labels = nn.make_traces(144, rng=0)
    conv = nn.Conv1D(1, 8, 5, padding="same", rng=0)
    head = nn.Flatten(), nn.Dense(256, 16, rng=1), nn.ReLU(), nn.Dense(16, 3, rng=2)
    model = nn.Sequential(conv, nn.ReLU(), nn.MaxPool1D(2), *head)

    def in_numpy() -> tuple[list[float]]:
        return (nn.fit(model.astype(np.float32), x, labels, epochs=EPOCHS, lr=5e-3).loss,)

    # Each step starts from the roundings of all steps before, so the losses drift apart.
    job = Job({"NumPy": in_numpy}, axes=((0,),), tolerance=1e-3)
    if torch:
        from torch.nn import Conv1d, Flatten, Linear, MaxPool1d, ReLU, Sequential

        conv, pool = Conv1d(1, 8, 5, padding="same"), MaxPool1d(2)
        head = Flatten(), Linear(256, 16), ReLU(), Linear(16, 3)
        network = Sequential(conv, ReLU(), pool, *head)
        weights = dict(model.params)
        # Flatten reads sample by sample here and channel by channel there.
        weights["4.w"] = weights["4.w"].reshape(32, 8, 16).swapaxes(0, 1).reshape(256, 16)
        turned = [tensor(array, *range(array.ndim)[::-1]) for array in weights.values()]
        start = dict(zip(network.state_dict(), turned, strict=True))
        torch_x, torch_labels = tensor(x, 0, 2, 1), tensor(labels, 0)

        def in_torch() -> tuple[list[float]]:
            network.load_state_dict(start)
            optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
            losses = []
            for _ in range(EPOCHS):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(network(torch_x), torch_labels)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return (losses,)

        job.runs["PyTorch"] = in_torch
    return job


def product() -> Job:
    """The product of two large float32 matrices, which sets the limit."""
    a, b = np.random.default_rng(0).standard_normal((2, SIDE, SIDE), dtype=np.float32)
    job = Job({"NumPy": lambda: (a @ b,)}, axes=((0, 1),), work=2 * SIDE**3)
    if torch:
        torch_a, torch_b = tensor(a, 0, 1), tensor(b, 0, 1)
        job.runs["PyTorch"] = lambda: (torch_a @ torch_b,)
    return job


# Equal first, fast second
# ------------------------
# A wrong result can be had in no time. So before anything is timed, the results are
# compared. Both round to 24 bits, in different orders, and a sum of many numbers keeps
# about that much of its *largest*, so differences are measured against it.


def check_same(name: str, job: Job) -> None:
    """Raise unless both libraries return the same, up to the job's tolerance."""
    results = (run() for run in job.runs.values())
    for ours, theirs, axes in zip(*results, job.axes, strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs).transpose(axes)
        difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        if not difference <= job.tolerance:
            raise AssertionError(
                f"{name} is not the same in NumPy and PyTorch: they differ by {difference:.1e} "
                f"of the largest number, allowed are {job.tolerance:.0e}"
            )


# Taking turns
# ------------
# What else goes on in a machine comes and goes in minutes, so the two libraries take turns
# many times over, and each number shown is a median. A turn begins with a short pause, in
# which the threads of the other library fall asleep (they wait for more work in a
# loop that keeps the processor busy), and with one run that is not timed.

PAUSE = 0.03  # seconds
TURN = 0.05  # seconds in which a short run is repeated


def take_turns(job: Job, rounds: int) -> dict[str, float]:
    """Time each library's run in turn, many times over; return the median seconds of each."""
    seconds: dict[str, list[float]] = {library: [] for library in job.runs}
    for _ in range(rounds):
        for library, run in job.runs.items():
            time.sleep(PAUSE)
            run()
            begin = now = time.perf_counter()
            while now == begin or now < begin + TURN:
                start = time.perf_counter()
                run()
                now = time.perf_counter()
                seconds[library].append(now - start)
    return {library: float(np.median(several)) for library, several in seconds.items()}


def timed(name: str, job: Job, quick: bool) -> tuple[float, float, float]:
    """Check and time it: seconds in NumPy, seconds in PyTorch or NaN, operations."""
    if torch:
        check_same(name, job)
    seconds = take_turns(job, rounds=1 if quick else 12)
    return seconds["NumPy"], seconds.get("PyTorch", np.nan), job.work


# With several threads, the larger convolutions share out their batches among them, by
# `in_threads`. In the smaller ones the threads would wait for each other, and a single
# trace cannot be shared: they leave it to the matrix product to use its own.

WORTH_SHARING = 200_000_000  # operations


def measure(threads: int, quick: bool) -> dict[str, tuple[float, float, float]]:
    """Check and time everything, and return what `timed` does by name."""
    rows = {TRAINING: timed(TRAINING, training(), quick), PRODUCT: timed(PRODUCT, product(), quick)}
    for case in QUICK_CASES if quick else CASES:
        layer = nn.Conv1D(case.C, case.F, case.K, **case.options, rng=0)
        share = threads > 1 and case.N > 1 and case.work > WORTH_SHARING
        with nn.in_threads(layer, threads) if share else nullcontext(layer) as ours:
            rows[str(case)] = timed(str(case), convolution(case, ours), quick)
    return rows


# How many threads NumPy's matrix product uses is settled when NumPy is imported, by a
# variable of the environment; which one depends on the library it was built with. So
# whatever is measured is measured in a new process.

THREAD_VARIABLES = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def measure_with(threads: int, quick: bool) -> dict[str, tuple[float, float, float]]:
    """Measure in a process that has so many threads."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, threads, quick).result()


# The table
# ---------
# A ratio above 1 means that NumPy is faster. The *limit* is the rate at which NumPy
# multiplies two large matrices with as many threads in the same run: 100 % would mean that
# all the time goes into multiplying and adding. How ratios of several cases average is
# told by the geometric mean, in which twice as fast and half as fast cancel.


def table(threads: int, rows: dict[str, tuple[float, float, float]]) -> str:
    """The rows under each other, and below them the ratios in short; a dash for what is unknown."""
    head = "{:30}{:>10}{:>10}{:>10}{:>10}{:>10}"
    lines = [
        head.format(f"threads: {threads}", "ms", "ms", "", "of limit", "of limit"),
        head.format("", "NumPy", "PyTorch", "ratio", "NumPy", "PyTorch"),
    ]
    limit = rows[PRODUCT][2] / rows[PRODUCT][0]
    for name, (ours, theirs, work) in rows.items():
        line = f"{name:30}{1e3 * ours:10.2f}{1e3 * theirs:10.2f}{theirs / ours:10.2f}"
        line += f"{work / ours / limit:10.0%}{work / theirs / limit:10.0%}"
        lines.append(line.replace("nan%", "   -").replace("nan", "  -"))
    if torch:
        ratios = [theirs / ours for name, (ours, theirs, _) in rows.items() if name[-1] == ")"]
        mean = np.exp(np.mean(np.log(ratios)))
        lines += ["", f"ratios at stride 1: geometric mean {mean:.2f}, worst {min(ratios):.2f}"]
    return "\n".join(lines)


def machine() -> str:
    """The processor and the versions, which the numbers mean nothing without."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else ["unknown"]
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return (
        f"{names[0]}, {os.cpu_count()} cores, {platform.system()}\n"
        f"Python {platform.python_version()}, NumPy {np.__version__} with {blas['name']} "
        f"{blas['version']}, " + (f"PyTorch {torch.__version__}" if torch else "without PyTorch")
    )


# This file is read anew by each process that measures, and only the first does what follows.

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time numpycnn, and PyTorch beside it.")
    parser.add_argument("--quick", action="store_true", help="small cases and few repeats: seconds")
    each = {"nargs": "+", "type": at_least(1), "default": sorted({1, os.cpu_count() or 1})}
    parser.add_argument("--threads", **each, help="to try in turn (default: 1 and all)")
    args = parser.parse_args()
    print(machine())
    for threads in args.threads:
        print(f"\n{table(threads, measure_with(threads, args.quick))}", flush=True)
