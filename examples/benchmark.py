"""How fast is it? The same work in NumPy and in PyTorch, side by side.

A library that can be read in an evening need not be slow. This script times the
training of the trace classifier, the whole example from a cold start, and
convolutions from small to large; it asks how close each comes to the fastest
thing the machine can do with numbers of this kind, a large matrix product; how time
and memory grow with each size; and how much memory a step takes.

It needs matplotlib. PyTorch is optional: where it is missing, NumPy's own numbers
are shown. A full run takes a few minutes, and the machine should have nothing
else to do; `--quick` takes seconds, and its numbers are worth as little.

    python -m pip install torch
    python examples/benchmark.py
"""

import argparse
import inspect
import math
import os
import platform
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import numpycnn as nn

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
    """The sizes of one convolution, forward and backward."""

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
    def padding(self) -> int:
        """Zeros on each side, as many as keep the length at stride 1; K is odd here."""
        return self.dilation * (self.K // 2)

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
)
VARIANTS = (
    CASES[2]._replace(stride=2),
    CASES[2]._replace(stride=4),
    CASES[2]._replace(dilation=2),
)
QUICK_CASES = CASES[:2]
QUICK_VARIANTS = (CASES[1]._replace(stride=2), CASES[1]._replace(dilation=2))

EPOCHS = 60
PRODUCT = 2048  # rows and columns of the matrices whose product sets the limit

# The same thing twice
# --------------------
# Each library gets the same numbers. PyTorch keeps channels before samples and the
# weights as `(F, C, K)`, so arrays change the order of their axes on the way there and
# back, before the clock starts. It is imported inside the functions that use it: that takes
# seconds and 200 MB, and nothing else should pay for them.


def libraries() -> list[str]:
    """Those that are installed."""
    return ["NumPy", "PyTorch"] if find_spec("torch") else ["NumPy"]


def convolution(case: Case, library: str) -> Callable[[], tuple[Any, ...]]:
    """A function that runs one convolution forward and backward, giving y, dx, dw and db."""
    rng = np.random.default_rng(0)
    options = {"stride": case.stride, "padding": case.padding, "dilation": case.dilation}
    layer = nn.Conv1D(case.C, case.F, case.K, **options, rng=rng)
    x = rng.standard_normal((case.N, case.L, case.C), dtype=np.float32)
    dy = rng.standard_normal((case.N, case.n_outputs, case.F), dtype=np.float32)

    def in_numpy() -> tuple[Any, ...]:
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        return y, dx, grads["w"], grads["b"]

    if library == "NumPy":
        return in_numpy

    import torch

    inputs = [as_tensor(x, 0, 2, 1), as_tensor(layer.params["w"], 2, 1, 0)]
    inputs = [tensor.requires_grad_() for tensor in (*inputs, as_tensor(layer.params["b"], 0))]
    torch_dy = as_tensor(dy, 0, 2, 1)

    def in_torch() -> tuple[Any, ...]:
        y = torch.nn.functional.conv1d(*inputs, **options)
        return y.detach(), *torch.autograd.grad(y, inputs, torch_dy)

    return in_torch


def as_tensor(array: nn.layers.Array, *axes: int) -> Any:
    """A copy for PyTorch, with its axes in this order."""
    import torch

    return torch.tensor(np.ascontiguousarray(array.transpose(axes)))


def training(library: str) -> Callable[[], list[float]]:
    """A function that trains the trace classifier from the same start, giving its losses."""
    rng = np.random.default_rng(0)
    x, labels = nn.make_traces(180, rng=rng)
    x, _, labels, _ = nn.train_test_split(x, labels, rng=rng)
    conv = nn.Conv1D(1, 8, 5, padding="same", rng=rng)
    wide, narrow = nn.Dense(256, 16, rng=rng), nn.Dense(16, 3, rng=rng)
    model = nn.Sequential(conv, nn.ReLU(), nn.MaxPool1D(2), nn.Flatten(), wide, nn.ReLU(), narrow)

    def in_numpy() -> list[float]:
        return nn.fit(model.astype(np.float32), x, labels, epochs=EPOCHS, lr=5e-3).loss

    if library == "NumPy":
        return in_numpy

    import torch

    network = torch_network()
    # Flatten reads sample by sample here and channel by channel there.
    by_channel = wide.params["w"].reshape(32, 8, 16).swapaxes(0, 1).reshape(256, 16)
    start = {
        "0.weight": as_tensor(conv.params["w"], 2, 1, 0),
        "4.weight": as_tensor(by_channel, 1, 0),
        "6.weight": as_tensor(narrow.params["w"], 1, 0),
    }
    for place, layer in {"0": conv, "4": wide, "6": narrow}.items():
        start[f"{place}.bias"] = as_tensor(layer.params["b"], 0)
    torch_x, torch_labels = as_tensor(x, 0, 2, 1), as_tensor(labels, 0)

    def in_torch() -> list[float]:
        network.load_state_dict(start)
        optimizer = torch.optim.Adam(network.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-8)
        losses = []
        for _ in range(EPOCHS):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(torch_x), torch_labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return in_torch


def torch_network() -> Any:
    """The network of the trace classifier in PyTorch."""
    from torch.nn import Conv1d, Flatten, Linear, MaxPool1d, ReLU, Sequential

    return Sequential(
        Conv1d(1, 8, 5, padding="same"),
        ReLU(),
        MaxPool1d(2),
        Flatten(),
        Linear(256, 16),
        ReLU(),
        Linear(16, 3),
    )


def product(library: str) -> Callable[[], Any]:
    """A function that multiplies two large float32 matrices."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, PRODUCT, PRODUCT), dtype=np.float32)
    if library == "PyTorch":
        a, b = as_tensor(a, 0, 1), as_tensor(b, 0, 1)
    return lambda: a @ b


# Equal first, fast second
# ------------------------
# A wrong result can be had in no time. So before anything is timed, the results are
# compared. Both round to 24 bits, in different orders, and a sum of many numbers keeps
# about that much of its *largest*, so differences are measured against it. In the
# training each step starts from the roundings of all steps before, so that its losses
# may drift further apart.

SAME_CONVOLUTION = 1e-5
SAME_LOSSES = 1e-3


def check_same(what: str, ours: Any, theirs: Any, tolerance: float) -> None:
    """Raise unless two arrays differ by at most `tolerance` times the largest number in them."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    if not difference <= tolerance:
        raise AssertionError(
            f"{what} is not the same in NumPy and PyTorch: they differ by {difference:.1e} "
            f"of the largest number, allowed are {tolerance:.0e}"
        )


def check_same_convolution(case: Case, runs: dict[str, Callable[[], tuple[Any, ...]]]) -> None:
    """Raise unless y, dx, dw and db of one convolution are the same in both libraries."""
    ours, theirs = (run() for run in runs.values())
    back = ((0, 2, 1), (0, 2, 1), (2, 1, 0), (0,))
    for name, a, b, axes in zip(("y", "dx", "dw", "db"), ours, theirs, back, strict=True):
        check_same(f"{name} of {case}", a, b.numpy().transpose(axes), SAME_CONVOLUTION)


# Taking turns
# ------------
# What else goes on in a machine comes and goes in minutes, so the two libraries take turns
# many times over, and each number shown is a median. A turn begins with a short pause, in
# which the threads of the other library fall asleep (they wait for more work in a
# loop that keeps the processor busy), and with one run that is not timed.
#
# Beside the time stands the number of *page faults*. Memory that is fresh from the
# operating system is not there until it is touched, 4 kB at a time, each with a trip into
# the system that costs about as much as filling them. Arrays that are made where others
# have just been dropped cost none. Which it is, the C library decides, by what the process
# has made and dropped before, the other library's doings included. So the training is
# timed once more in processes where each is alone, several of them, as they differ too.

PAUSE = 0.03  # seconds
TURN = 0.05  # seconds in which a short run is repeated


class Timing(NamedTuple):
    """Medians over all runs: the time of one, and the page faults in it (NaN if unknown)."""

    seconds: float
    faults: float


Row = dict[str, Timing]  # by library


def page_faults() -> float:
    """How many this process has had that needed no disk; NaN where the system does not say."""
    try:
        import resource
    except ModuleNotFoundError:  # on Windows
        return math.nan
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def clock(run: Callable[[], Any]) -> Timing:
    """Time one run."""
    faults, start = page_faults(), time.perf_counter()
    run()
    return Timing(time.perf_counter() - start, page_faults() - faults)


def take_turns(runs: dict[str, Callable[[], Any]], rounds: int, warm_up: bool = True) -> Row:
    """Time each of the runs in turn, many times over."""
    timings: dict[str, list[Timing]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(PAUSE)
            if warm_up:
                run()
            end = time.perf_counter() + TURN
            timings[name].append(clock(run))
            while time.perf_counter() < end:
                timings[name].append(clock(run))
    return medians(timings)


def medians(timings: dict[str, list[Timing]]) -> Row:
    """The median time and the median number of faults of each library."""
    return {name: Timing(*np.median(several, axis=0)) for name, several in timings.items()}


TRAINING = f"training, {EPOCHS} epochs"
TRAINING_ALONE = "the same, each alone"
LARGE_PRODUCT = f"product {PRODUCT} x {PRODUCT}"


def time_all(quick: bool) -> dict[str, Row]:
    """Check and time the training, the large product and every convolution."""
    rounds = 1 if quick else 12

    runs = {library: training(library) for library in libraries()}
    if len(runs) == 2:
        check_same(TRAINING, *(run() for run in runs.values()), SAME_LOSSES)
    rows = {TRAINING: take_turns(runs, rounds)}

    runs = {library: product(library) for library in libraries()}
    rows[LARGE_PRODUCT] = take_turns(runs, rounds)

    for case in QUICK_CASES + QUICK_VARIANTS if quick else CASES + VARIANTS:
        runs = {library: convolution(case, library) for library in libraries()}
        if len(runs) == 2:
            check_same_convolution(case, runs)
        rows[str(case)] = take_turns(runs, rounds)
    return rows


# Growth
# ------
# Twice as many traces should take twice the time, and no more. A convolution's work is
# proportional to each of its sizes, so one size is doubled again and again, and a
# straight line is put through the logarithms of size and time. Its slope is the
# power with which time grows: 1 is proportional, below 1 is less than that, because
# what each call costs however small it is, is shared by more.
#
# Memory is asked of `tracemalloc`, which NumPy tells of every array it makes. It
# should grow with the data and the maps, hence like `N` and `L`; like the *root* of `C·F`, as
# `C` and `F` grow together here; and with `K` not at all, where windows that are copied
# would take `K` times the data.

BASE = Case(16, 32, 32, 512, 5)
GROWTH = {
    "N": [BASE._replace(N=n) for n in (4, 8, 16, 32, 64)],
    "L": [BASE._replace(L=n) for n in (128, 256, 512, 1024, 2048)],
    "C·F": [BASE._replace(C=n, F=n) for n in (8, 16, 32, 64, 128)],
    "K": [BASE._replace(K=n) for n in (3, 5, 9, 17, 33)],
}


class Growth(NamedTuple):
    """How one size was varied, and what that did."""

    sizes: list[int]
    times: list[Row]
    peaks: list[int]  # bytes, in NumPy


def slope(sizes: Iterable[float], values: Iterable[float]) -> float:
    """The power p of the best values = constant · sizes^p: least squares of the logarithms."""
    return float(np.polyfit(np.log(list(sizes)), np.log(list(values)), 1)[0])


def measure_growth(quick: bool) -> dict[str, Growth]:
    """Vary each size of the convolution in turn."""
    if quick:
        return {axis: grow(axis, cases[:3], rounds=1) for axis, cases in GROWTH.items()}
    return {axis: grow(axis, cases, rounds=5) for axis, cases in GROWTH.items()}


def grow(axis: str, cases: list[Case], rounds: int) -> Growth:
    """Measure time and memory of cases that differ in one size."""
    sizes = [case.C * case.F if axis == "C·F" else getattr(case, axis) for case in cases]
    times, peaks = [], []
    for case in cases:
        runs = {library: convolution(case, library) for library in libraries()}
        times.append(take_turns(runs, rounds))
        tracemalloc.start()
        runs["NumPy"]()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return Growth(sizes, times, peaks)


# Memory of a step
# ----------------
# PyTorch does not tell `tracemalloc` what it takes, so to compare the two, ask the
# operating system: by how much does the largest amount of memory the process ever had
# exceed what it had before the step? A fresh process is asked, one for each number, so
# no earlier peak hides this one and hardly any memory is left over from earlier arrays. An
# eighth of the traces goes through first, on which the libraries set up what they set
# up once: for PyTorch that is 8 MB or more, and says nothing about a step.


def peak_memory(case: Case, library: str) -> int:
    """Bytes of memory that forward and backward add at their peak, results included."""
    convolution(case._replace(N=max(1, case.N // 8)), library)()
    run = convolution(case, library)
    before = process_memory("VmRSS")
    results = run()
    after = process_memory("VmHWM")
    del results  # they had to live until here
    return after - before


def process_memory(field: str) -> int:
    """Bytes this process has (`VmRSS`) or had at most (`VmHWM`), as Linux counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no line {field}")


# One thread or all
# -----------------
# How many threads NumPy's matrix product uses is settled when NumPy is imported, by
# variables of the environment (which one depends on the library it was built with). So
# whatever is measured here is measured in a new process.

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def set_threads(threads: int) -> None:
    """Tell the processes that are started from now on how many threads to use."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))


def in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `function(*arguments)` returns in a process of its own."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def time_training_alone(quick: bool) -> Row:
    """Time the training in processes in which the other library does nothing."""
    timings: dict[str, list[Timing]] = {library: [] for library in libraries()}
    for _ in range(1 if quick else 5):
        for library in libraries():
            timings[library].append(in_process(time_training, library))
    return medians(timings)


def time_training(library: str) -> Timing:
    """Time the training in one library."""
    return take_turns({library: training(library)}, rounds=3)[library]


def all_threads() -> int:
    """As many as this process has processors."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# From a cold start
# -----------------
# What a reader waits for who types the command: starting Python, importing everything,
# making the traces, training, the examination, drawing two figures and saving them. (The
# files have been read before, so the disk plays no part.)
#
# The script in PyTorch differs in the network and its training only. It takes traces
# and figures from numpycnn, which costs it a few hundredths of a second of some seconds. It
# starts from PyTorch's own first weights, so its digits differ; that it learns
# the same is checked by the accuracy it prints.

TORCH_SCRIPT = """
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from numpycnn import CLASS_NAMES, History, confusion_matrix, make_traces, train_test_split
from numpycnn.plots import plot_learning_curves, plot_traces

# the network

rng = np.random.default_rng(0)
torch.manual_seed(0)
x, labels = make_traces(180, rng=rng)
x_train, x_test, y_train, y_test = train_test_split(x, labels, rng=rng)
traces, held_out = (torch.tensor(part).transpose(1, 2) for part in (x_train, x_test))
targets, held_out_targets = torch.tensor(y_train), torch.tensor(y_test)

model = torch_network()
print(model)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def score(scores, targets):
    accuracy = (scores.argmax(dim=1) == targets).float().mean()
    return cross_entropy(scores, targets).item(), accuracy.item()


history = History()
for epoch in range(1, 61):
    optimizer.zero_grad()
    scores = model(traces)
    loss = cross_entropy(scores, targets)
    loss.backward()
    optimizer.step()
    history.loss.append(loss.item())
    history.accuracy.append((scores.argmax(dim=1) == targets).float().mean().item())
    with torch.no_grad():
        val_loss, val_accuracy = score(model(held_out), held_out_targets)
    history.val_loss.append(val_loss)
    history.val_accuracy.append(val_accuracy)
    if epoch == 1 or epoch % 15 == 0:
        print(f"epoch {epoch:4}   cross-entropy {history.loss[-1]:.4f}")

with torch.no_grad():
    scores = model(held_out)
loss, accuracy = score(scores, held_out_targets)
predicted = scores.argmax(dim=1).numpy()
print(f"held out: {len(x_test)} traces, cross-entropy {loss:.4f}, accuracy {accuracy:.3f}")
print(CLASS_NAMES, confusion_matrix(y_test, predicted, len(CLASS_NAMES)))

folder = Path(sys.argv[2])
_, first = np.unique(y_test, return_index=True)
plot_traces(x_test[first], y_test[first], predicted[first]).savefig(folder / "traces.png")
plot_learning_curves(history).savefig(folder / "learning_curves.png")
"""


def torch_script() -> str:
    """The whole script in PyTorch, with the same network as in the training above."""
    return TORCH_SCRIPT.replace("# the network", inspect.getsource(torch_network))


def cold_starts(folder: Path, rounds: int) -> Row:
    """Check and time the example and its like in PyTorch, as processes; write to `folder`."""
    scripts = {"NumPy": Path(__file__).with_name("trace_classifier.py")}
    if "PyTorch" in libraries():
        scripts["PyTorch"] = folder / "trace_classifier_in_torch.py"
        scripts["PyTorch"].write_text(torch_script())
    runs = {name: partial(run_script, script, folder) for name, script in scripts.items()}
    for library, run in runs.items():
        check_learned(library, run(), folder)
    return take_turns(runs, rounds, warm_up=False)


def run_script(script: Path, folder: Path) -> str:
    """Run a script that saves its figures in `folder`; return what it prints."""
    command = [sys.executable, script, "--output", folder]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def check_learned(library: str, printed: str, folder: Path) -> None:
    """Raise unless the script printed a good accuracy and saved both figures; remove them."""
    found = re.search(r"accuracy (\d\.\d+)", printed)
    if not found or float(found[1]) < 0.9:
        raise AssertionError(f"the example in {library} did not learn: {printed}")
    for name in ("traces.png", "learning_curves.png"):
        (folder / name).unlink()


# Tables
# ------
# A ratio above 1 means that NumPy is faster. The *limit* is the rate at which NumPy
# multiplies two large matrices with as many threads in the same run: 100 % would mean that
# all the time goes into multiplying and adding. How ratios of several cases average is
# told by the geometric mean, in which twice as fast and half as fast cancel.


WORK = {LARGE_PRODUCT: 2 * PRODUCT**3, **{str(case): case.work for case in CASES + VARIANTS}}
WORK |= {str(case): case.work for case in QUICK_VARIANTS}


def ratio(row: Row) -> float:
    """How many times as long as NumPy PyTorch takes; NaN without PyTorch."""
    return row["PyTorch"].seconds / row["NumPy"].seconds if "PyTorch" in row else math.nan


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean of several factors."""
    return math.exp(np.mean(np.log(list(ratios))))


def share_of_limit(rows: dict[str, Row], name: str, library: str) -> float:
    """The rate of one row against that of the large product in NumPy; NaN if it has none."""
    limit = WORK[LARGE_PRODUCT] / rows[LARGE_PRODUCT]["NumPy"].seconds
    return WORK.get(name, math.nan) / rows[name][library].seconds / limit


def cell(pattern: str, value: float) -> str:
    """A number in a table; a dash for one that is not known."""
    return "-" if math.isnan(value) else pattern.format(value)


Head = tuple[str, str]  # what stands above a column: a unit, say, and under it the library


def table(heads: list[Head], lines: list[list[str]]) -> str:
    """Lines of cells under each other, without the columns in which nothing is known."""
    columns = [
        (*head, *column)
        for head, column in zip(heads, zip(*lines, strict=True), strict=True)
        if set(column) != {"-"}
    ]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in zip(*columns, strict=True)
    )


def by_library(unit: str) -> list[Head]:
    """Column heads: one for each library."""
    return [(unit, library) for library in libraries()]


def table_of_times(threads: int, rows: dict[str, Row]) -> str:
    """Everything that `time_all` measured, and the ratios in short."""
    lines = []
    for name, row in rows.items():
        steps = EPOCHS if name in (TRAINING, TRAINING_ALONE) else 1
        lines.append(
            [
                name,
                *(cell("{:.2f}", 1e3 * timing.seconds) for timing in row.values()),
                cell("{:.2f}", ratio(row)),
                *(cell("{:.0%}", share_of_limit(rows, name, library)) for library in row),
                *(cell("{:.0f}", timing.faults / steps) for timing in row.values()),
            ]
        )
    heads = [(count(threads, "thread"), ""), *by_library("ms"), ("", "ratio")]
    shown = table([*heads, *by_library("of limit"), *by_library("faults")], lines)

    rate = WORK[LARGE_PRODUCT] / rows[LARGE_PRODUCT]["NumPy"].seconds
    shown += f"\n\nThe limit is {rate / 1e9:.0f} GFLOP/s."
    ratios = [ratio(rows[str(case)]) for case in CASES if str(case) in rows]
    if "PyTorch" in libraries():
        shown += (
            f" Training: {ratio(rows[TRAINING]):.2f}. The {len(ratios)} convolutions of stride 1: "
            f"geometric mean {geometric_mean(ratios):.2f}, worst {min(ratios):.2f}."
        )
    return shown


def count(number: int, thing: str) -> str:
    """1 thread, 2 threads."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def table_of_growth(growths: dict[str, Growth]) -> str:
    """The slopes, a line for each size."""
    lines = []
    for axis, (sizes, times, peaks) in growths.items():
        seconds = [[row[library].seconds for row in times] for library in libraries()]
        slopes = [f"{slope(sizes, values):.2f}" for values in (*seconds, peaks)]
        lines.append([axis, f"{sizes[0]} … {sizes[-1]}", *slopes])
    heads = [("slopes", ""), ("", "from … to"), *by_library("time")]
    return table([*heads, ("memory", "NumPy")], lines)


def table_of_memory(peaks: dict[Case, dict[str, int]]) -> str:
    """Peak memory of a step, beside the two large arrays that are its result."""
    lines = []
    for case, row in peaks.items():
        results = 4 * case.N * (case.L * case.C + case.n_outputs * case.F)  # 4 bytes a float32
        ours_to_theirs = row["NumPy"] / row["PyTorch"] if "PyTorch" in row else math.nan
        megabytes = [f"{size / 1e6:.1f}" for size in (results, *row.values())]
        lines.append([str(case), *megabytes, cell("{:.2f}", ours_to_theirs)])
    heads = [("peak memory of a step", ""), ("MB", "y and dx"), *by_library("MB")]
    return table([*heads, ("NumPy /", "PyTorch")], lines)


def table_of_cold_starts(row: Row) -> str:
    """The time of the whole example."""
    seconds = [f"{timing.seconds:.2f}" for timing in row.values()]
    lines = [["the whole example", *seconds, cell("{:.2f}", ratio(row))]]
    return table([("from a cold start", ""), *by_library("s"), ("", "ratio")], lines)


# The figure
# ----------
# The four questions in four panels. Colours are from the palette by M. Okabe and K. Ito,
# which colour-blind readers can tell apart too, and the markers differ as well.

STYLES = {"NumPy": ("#0072B2", "o"), "PyTorch": ("#D55E00", "^")}
GROWTH_STYLES = {
    "N": ("#0072B2", "o"),
    "L": ("#D55E00", "^"),
    "C·F": ("#009E73", "s"),
    "K": ("#CC79A7", "D"),
}


def draw(times: dict[int, dict[str, Row]], growths: dict[str, Growth], cold: Row) -> Any:
    """Draw everything but the memory of a step as a matplotlib `Figure`."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(10, 8), dpi=100, layout="constrained")
    (jobs, convolutions), (time_grows, memory_grows) = figure.subplots(2, 2)

    whole = {
        f"training\n{count(threads, 'thread')}": {name: t.seconds for name, t in row.items()}
        for threads, rows in times.items()
        for row in [rows[TRAINING]]
    }
    whole["the whole script\nfrom a cold start"] = {name: t.seconds for name, t in cold.items()}
    draw_dots(jobs, whole)
    jobs.set(title="The trace classifier", xlabel="time (s)", xscale="log")
    jobs.legend(frameon=False)

    threads, rows = next(iter(times.items()))
    shares = {
        name: {library: 100 * share_of_limit(rows, name, library) for library in row}
        for name, row in rows.items()
        if name in WORK and name != LARGE_PRODUCT
    }
    draw_dots(convolutions, shares)
    title = f"Convolutions (N, C, F, L, K), {count(threads, 'thread')}"
    convolutions.set(title=title, xlabel="rate (% of a large matrix product)", xlim=(0, None))

    for axis, (sizes, row_of_size, peaks) in growths.items():
        multiples = np.divide(sizes, sizes[0])
        milliseconds = [1e3 * row["NumPy"].seconds for row in row_of_size]
        for panel, values in ((time_grows, milliseconds), (memory_grows, np.divide(peaks, 1e6))):
            color, marker = GROWTH_STYLES[axis]
            label = f"{axis} from {sizes[0]}"
            panel.loglog(multiples, values, color=color, marker=marker, label=label)
            panel.set_xscale("log", base=2)
    time_grows.set(title="Growth of the time, NumPy", ylabel="forward and backward (ms)")
    memory_grows.set(title="Growth of the memory, NumPy", ylabel="peak of a step (MB)")
    for panel in (time_grows, memory_grows):
        panel.set_xlabel("size (multiple of the smallest)")
        panel.legend(frameon=False)
    for panel in figure.axes:
        panel.grid(color="0.88")
        panel.set_axisbelow(True)
        for axis in (panel.xaxis, panel.yaxis):
            if axis.get_scale() == "log":  # 0.05 and 20 rather than powers of ten
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter(NullFormatter())
    for axis in (jobs.xaxis, time_grows.yaxis, memory_grows.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    return figure


def draw_dots(panel: Any, rows: dict[str, dict[str, float]]) -> None:
    """A line for each row, from the top, and on it a dot for each library."""
    for library in next(iter(rows.values())):
        color, marker = STYLES[library]
        values = [row[library] for row in rows.values()]
        panel.plot(values, range(len(rows)), marker, color=color, markersize=8, label=library)
    panel.set_yticks(range(len(rows)), rows)
    panel.set_ylim(len(rows) - 0.5, -0.5)


# Everything in order
# -------------------


def machine() -> str:
    """The processor and the versions, which the numbers mean nothing without."""
    models = []
    if Path("/proc/cpuinfo").exists():
        models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    with_torch = f", PyTorch {version('torch')}" if "PyTorch" in libraries() else ""
    return (
        f"{models[0] if models else platform.processor()}, {count(all_threads(), 'core')}, "
        f"{platform.system()}\nPython {platform.python_version()}, NumPy {np.__version__} with "
        f"{blas['name']} {blas['version']}{with_torch}"
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time numpycnn, and PyTorch beside it.")
    parser.add_argument("--quick", action="store_true", help="small cases and few repeats: seconds")
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=sorted({1, all_threads()}),
        metavar="N",
        help="numbers of threads to try in turn (default: 1 and all)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default="figures",
        metavar="DIR",
        help="for the figure (default: figures)",
    )
    args = parser.parse_args()
    if min(args.threads) < 1:
        parser.error(f"--threads must be 1 or more, got {min(args.threads)}")
    if not find_spec("matplotlib"):
        parser.error("matplotlib is missing: python -m pip install -e '.[plots]'")
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output must be a folder, or a path where one can be made: {error}")
    return args


def main() -> None:
    """Measure, print and draw everything."""
    args = arguments()
    print(machine())
    if "PyTorch" in libraries():
        print(
            f"\nBoth give the same: in each convolution up to {SAME_CONVOLUTION:.0e} of the "
            f"largest number, in the losses of the training up to {SAME_LOSSES:.0e}.\n"
            "Ratios above 1: NumPy is faster. Faults: page faults in one step."
        )
    else:
        print(
            "\nPyTorch is not installed, so there is nothing to compare with. To install it:\n"
            "python -m pip install torch"
        )

    times = {}
    for threads in args.threads:
        set_threads(threads)
        rows = in_process(time_all, args.quick)
        alone = time_training_alone(args.quick)
        times[threads] = {TRAINING: rows.pop(TRAINING), TRAINING_ALONE: alone, **rows}
        print(f"\n{table_of_times(threads, times[threads])}", flush=True)

    with TemporaryDirectory() as folder:
        cold = cold_starts(Path(folder), rounds=1 if args.quick else 7)
    print(f"\n{table_of_cold_starts(cold)}", flush=True)

    set_threads(args.threads[0])
    growths = in_process(measure_growth, args.quick)
    print(f"\n{table_of_growth(growths)}", flush=True)

    if Path("/proc/self/status").exists():
        peaks = {
            case: {library: in_process(peak_memory, case, library) for library in libraries()}
            for case in (QUICK_CASES if args.quick else CASES)
            if args.quick or case.C >= 32
        }
        print(f"\n{table_of_memory(peaks)}")
    else:
        print("\nThe peak memory of a step is measured on Linux only.")

    figure = args.output / "benchmark.png"
    draw(times, growths, cold).savefig(figure)
    print(f"\nsaved {figure}")


if __name__ == "__main__":
    main()
