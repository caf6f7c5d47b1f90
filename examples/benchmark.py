"""Measure the speed compared with PyTorch and JAX, for the same work in alternating turns.

The script times the training of the trace classifier, the forward and backward passes of small and
large convolutions, and the other layers. Each convolution is also compared with the matrix products
of the same shape, which a direct computation must contain. 100 % means that the layer takes as long
as these products.

PyTorch and JAX are optional. A full run takes about ten minutes, mostly waiting until the machine
is idle. `--quick` takes seconds; its results are not meaningful.

    python -m pip install torch jax
    python examples/benchmark.py
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import numpycnn as nn
from _shared.options import Parser, at_least

try:
    import torch
except ModuleNotFoundError:
    torch = None
try:
    import jax
except ModuleNotFoundError:
    jax = None

# The work
# --------
# A convolution has five sizes: `N` traces of `L` samples in `C` channels, `F` filters of `K` taps.
# The first case is that of the trace classifier. The others take from a millisecond to a tenth of
# a second, and contain from many short traces to a single long one.
#
# `y`, `dx` and `dw` each require one multiplication and one addition for every output, tap, channel
# and filter.


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
        """The options of the convolution, the same in all libraries."""
        padding = self.dilation * (self.K // 2)  # keeps the length at stride 1; K is odd here
        return {"stride": self.stride, "padding": padding, "dilation": self.dilation}

    @property
    def n_outputs(self) -> int:
        """M: with this padding a window begins at every S-th sample."""
        return (self.L - 1) // self.stride + 1


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
TRAINING = f"training, {EPOCHS} epochs"
SIZES = (144, 64, 8), (64, 256, 32), (32, 1024, 64)  # of the other layers: N, L, C
QUICK_SIZES = ((4, 8, 2),)

# The same work in each library
# -----------------------------
# A job contains one function per library, which returns arrays. All libraries receive the same
# numbers. PyTorch stores channels before samples and weights as `(F, C, K)`; the axes are
# transposed outside the measured time.

ORDERS = {1: (0,), 2: (1, 0), 3: (0, 2, 1)}  # indices of the axes in PyTorch
WEIGHTS = (2, 1, 0)


class Job(NamedTuple):
    """One computation, to run in each library."""

    runs: dict[str, Callable[[], tuple[Any, ...]]]
    axes: tuple[tuple[int, ...], ...] = ()  # the order of PyTorch's axes in ours, for each result
    tolerance: float = 1e-5  # difference allowed, as a part of the largest entry
    products: Callable[[], Any] | None = None  # the matrix products of the same shape


def tensor(array: np.ndarray, *axes: int) -> Any:
    """Return a copy for PyTorch, with its axes in this order."""
    return torch.tensor(np.ascontiguousarray(array.transpose(axes)))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Return the same random numbers at each call."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def convolution(case: Case) -> Job:
    """Return one convolution forward and backward: y, dx, dw and db."""
    layer = nn.Conv1D(case.C, case.F, case.K, **case.options, rng=0)
    x, dy = normal(case.N, case.L, case.C), normal(case.N, case.n_outputs, case.F, seed=1)
    w, b = layer.params["w"], layer.params["b"]

    def in_numpy() -> tuple[Any, ...]:
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        return y, dx, grads["w"], grads["b"]

    rows, columns, length = normal(case.N * case.n_outputs, case.F), w.reshape(-1, case.F), len(w)
    windows = normal(len(rows), length * case.C)

    def products() -> None:
        windows @ columns, rows @ columns.T, windows.T @ rows

    axes = (0, 2, 1), (0, 2, 1), WEIGHTS, (0,)  # the same permutation in both directions
    job = Job({"NumPy": in_numpy}, axes, products=products)
    if torch:
        torch_dy, *inputs = (
            tensor(array, *to) for array, to in zip((dy, x, w, b), axes, strict=True)
        )
        inputs = [each.requires_grad_() for each in inputs]

        def in_torch() -> tuple[Any, ...]:
            y = torch.nn.functional.conv1d(*inputs, **case.options)
            return y.detach(), *torch.autograd.grad(y, inputs, torch_dy)

        job.runs["PyTorch"] = in_torch
    if jax:
        job.runs["JAX"] = compiled(conv_in_jax(case.options), x, w, b, dy)
    return job


def conv_in_jax(options: dict[str, int]) -> Callable[..., Any]:
    """Return a convolution forward and backward, of x, w, b and dy."""
    padding = (options["padding"], options["padding"])

    def conv(x: Any, w: Any, b: Any) -> Any:
        return b + jax.lax.conv_general_dilated(
            x,
            w,
            window_strides=(options["stride"],),
            padding=[padding],
            rhs_dilation=(options["dilation"],),
            dimension_numbers=("NWC", "WIO", "NWC"),
        )

    def both(x: Any, w: Any, b: Any, dy: Any) -> tuple[Any, ...]:
        y, backward = jax.vjp(conv, x, w, b)
        return y, *backward(dy)

    return both


def compiled(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    """Return a function that calls `function` on these arrays, compiled at its first call."""
    fast, inputs = jax.jit(function), [jax.numpy.asarray(array) for array in arrays]
    return lambda: jax.block_until_ready(fast(*inputs))


def training() -> Job:
    """Return the training of the trace classifier, from the same initial weights: its losses."""
    x, labels = nn.make_traces(144, rng=0)
    conv = nn.Conv1D(1, 8, 5, padding="same", rng=0)
    head = nn.Flatten(), nn.Dense(256, 16, rng=1), nn.ReLU(), nn.Dense(16, 3, rng=2)
    model = nn.Sequential(conv, nn.ReLU(), nn.MaxPool1D(2), *head)

    def in_numpy() -> tuple[list[float]]:
        return (nn.fit(model.astype(np.float32), x, labels, epochs=EPOCHS, lr=5e-3).loss,)

    # Each step starts from the rounding errors of all steps before, so the losses drift apart.
    job = Job({"NumPy": in_numpy}, axes=((0,),), tolerance=1e-3)
    if torch:
        job.runs["PyTorch"] = training_in_torch(model, x, labels)
    if jax:
        job.runs["JAX"] = training_in_jax(model, x, labels)
    return job


def training_in_torch(model: nn.Layer, x: np.ndarray, labels: np.ndarray) -> Callable[[], Any]:
    """Return the same training in PyTorch."""
    from torch.nn import Conv1d, Flatten, Linear, MaxPool1d, ReLU, Sequential

    conv, pool = Conv1d(1, 8, 5, padding="same"), MaxPool1d(2)
    network = Sequential(conv, ReLU(), pool, Flatten(), Linear(256, 16), ReLU(), Linear(16, 3))
    weights = dict(model.params)
    # Flatten reads sample by sample here and channel by channel there.
    weights["4.w"] = weights["4.w"].reshape(32, 8, 16).swapaxes(0, 1).reshape(256, 16)
    turned = [tensor(array, *range(array.ndim)[::-1]) for array in weights.values()]
    start = dict(zip(network.state_dict(), turned, strict=True))
    torch_x, torch_labels = tensor(x, 0, 2, 1), tensor(labels, 0)

    def run() -> tuple[list[float]]:
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

    return run


def training_in_jax(model: nn.Layer, x: np.ndarray, labels: np.ndarray) -> Callable[[], Any]:
    """Return the same training in JAX: one compiled function for a step, with its own Adam."""
    jnp = jax.numpy
    start = {name: jnp.asarray(array) for name, array in model.params.items()}
    jax_x, jax_labels = jnp.asarray(x, jnp.float32), jnp.asarray(labels)

    def loss(p: Any, x: Any, labels: Any) -> Any:
        maps = jax.lax.conv_general_dilated(
            x, p["0.w"], (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")
        )
        maps = jnp.maximum(maps + p["0.b"], 0).reshape(len(x), 32, 2, 8).max(axis=2)
        hidden = jnp.maximum(maps.reshape(len(x), -1) @ p["4.w"] + p["4.b"], 0)
        logs = jax.nn.log_softmax(hidden @ p["6.w"] + p["6.b"])
        return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

    def step(p: Any, m: Any, v: Any, t: Any, x: Any, labels: Any) -> tuple[Any, ...]:
        value, g = jax.value_and_grad(loss)(p, x, labels)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)

        def moved(p: Any, m: Any, v: Any) -> Any:
            return p - 5e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)

        return jax.tree.map(moved, p, m, v), m, v, value

    fast = jax.jit(step)

    def run() -> tuple[list[float]]:
        p, m, v = start, jax.tree.map(jnp.zeros_like, start), jax.tree.map(jnp.zeros_like, start)
        losses = []
        for t in range(1, EPOCHS + 1):
            p, m, v, value = fast(p, m, v, float(t), jax_x, jax_labels)
            losses.append(float(value))
        return (losses,)

    return run


# The other layers
# ----------------


def other_layers(n: int, length: int, n_channels: int) -> dict[str, Job]:
    """Return a job for each of the other layers, forward and backward, and for a step of Adam."""
    size = f"({n}, {length}, {n_channels})"
    x, inner = normal(n, length, n_channels), length * n_channels // 8
    flat = x.reshape(n * 8, inner)
    layers = {
        "ReLU": (nn.ReLU(), x),
        "MaxPool1D(2)": (nn.MaxPool1D(2), x),
        "BatchNorm": (nn.BatchNorm(n_channels).for_training(), x),
        "Dense": (nn.Dense(inner, 64, rng=0), flat),
    }
    jobs = {f"{name} {size}": layer_job(*both) for name, both in layers.items()}
    return jobs | {f"Adam {size}": adam_job({"w": normal(inner, 64), "b": normal(64)})}


def layer_job(layer: nn.Layer, x: np.ndarray) -> Job:
    """Return one layer forward and backward: y, dx and the gradients of the parameters."""
    dy = normal(*layer(x).shape, seed=1)

    def in_numpy() -> tuple[Any, ...]:
        y, cache = layer.forward(x)
        dx, grads = layer.backward(dy, cache)
        return y, dx, *grads.values()

    job = Job({"NumPy": in_numpy}, tolerance=1e-4)
    if torch:
        order = (0, 2, 1) if x.ndim == 3 else (0, 1)
        module = {
            "ReLU": torch.nn.ReLU,
            "MaxPool1D": lambda: torch.nn.MaxPool1d(2),
            "BatchNorm": lambda: torch.nn.BatchNorm1d(x.shape[-1]),
            "Dense": lambda: torch.nn.Linear(x.shape[-1], 64),
        }[next(kind.__name__ for kind in type(layer).__mro__ if hasattr(nn, kind.__name__))]()
        for parameter, array in zip(module.parameters(), layer.params.values(), strict=True):
            parameter.data = tensor(array, *range(array.ndim)[::-1])
        torch_x, torch_dy = tensor(x, *order).requires_grad_(), tensor(dy, *order)

        def in_torch() -> tuple[Any, ...]:
            y = module(torch_x)
            inputs = torch_x, *module.parameters()
            return y.detach(), *torch.autograd.grad(y, inputs, torch_dy)

        job.runs["PyTorch"] = in_torch
        weights = [tuple(range(array.ndim)[::-1]) for array in layer.params.values()]
        job = job._replace(axes=(order, order, *weights))
    return job


def adam_job(params: dict[str, np.ndarray]) -> Job:
    """Return a hundred steps of Adam: the parameters after them."""
    grads = {name: 2 * array for name, array in params.items()}

    def in_numpy() -> tuple[Any, ...]:
        own = {name: array.copy() for name, array in params.items()}
        optimizer = nn.Adam(own)
        for _ in range(100):
            optimizer.step(grads)
        return tuple(own.values())

    job = Job({"NumPy": in_numpy}, axes=((0, 1), (0,)))
    if torch:

        def in_torch() -> tuple[Any, ...]:
            own = [torch.tensor(array) for array in params.values()]
            for each, grad in zip(own, grads.values(), strict=True):
                each.grad = torch.tensor(grad)
            optimizer = torch.optim.Adam(own)
            for _ in range(100):
                optimizer.step()
            return tuple(own)

        job.runs["PyTorch"] = in_torch
    return job


# Comparing the results before timing
# -----------------------------------
# The libraries add in different orders. The rounding errors of a sum are proportional to its
# *largest* terms, so differences are measured relative to the largest entry.


def check_same(name: str, job: Job) -> None:
    """Raise unless all libraries return the same, up to the job's tolerance."""
    expected = job.runs["NumPy"]()
    for library, run in job.runs.items():
        for ours, theirs, axes in zip(expected, run(), job.axes or [()] * 9, strict=False):
            theirs = np.asarray(theirs)
            if library == "PyTorch":
                theirs = theirs.transpose(axes)
            difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
            if not difference <= job.tolerance:
                raise AssertionError(
                    f"{name} is not the same in NumPy and {library}: they differ by "
                    f"{difference:.1e} of the largest number, allowed are {job.tolerance:.0e}"
                )


# Alternating turns
# -----------------
# The load of a machine changes within minutes. The libraries therefore alternate many times, and
# each printed number is a median. A turn begins with a pause, because idle threads of the other
# library keep a processor busy for some time, and with one run that is not measured.
#
# A turn during which other programs used the processors is repeated, up to a time limit.

PAUSE = 0.1  # seconds
TURN = 0.05  # seconds in which a short run is repeated
OTHERS = 0.06  # processors that other programs may use
PATIENCE = 20  # seconds in which disturbed turns of one job are measured again


def used_by_others() -> float:
    """Return the processor time, in seconds, that other programs have used; 0 if unknown."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    times = [int(each) for each in path.read_text().split("\n", 1)[0].split()[1:9]]
    idle = times[3] + times[4]
    return (sum(times) - idle) / os.sysconf("SC_CLK_TCK") - time.process_time()


def a_turn(run: Callable[[], Any]) -> tuple[list[float], bool]:
    """Return the seconds of some runs, and whether the machine was idle otherwise."""
    time.sleep(PAUSE)
    run()
    seconds: list[float] = []
    before, begin = used_by_others(), time.perf_counter()
    now = begin
    while now == begin or now < begin + TURN:
        start = time.perf_counter()
        run()
        now = time.perf_counter()
        seconds.append(now - start)
    allowed = max(0.011, OTHERS * (now - begin))  # the system counts in steps of 10 ms
    return seconds, used_by_others() - before <= allowed


class Row(NamedTuple):
    """The measurements of a job."""

    seconds: dict[str, float]  # by library, and of the products alone
    first_call: float = np.nan  # of JAX, which compiles then
    quiet: bool = True


def take_turns(job: Job, rounds: int, patience: float = 0) -> Row:
    """Measure each library in turn, many times; return the median seconds of each.

    Disturbed turns are measured again for `patience` seconds.
    """
    runs = dict(job.runs)
    if job.products:
        runs["products"] = job.products
    kept: dict[str, list[float]] = {name: [] for name in runs}
    disturbed: dict[str, list[float]] = {name: [] for name in runs}
    n_quiet, end = dict.fromkeys(runs, 0), time.perf_counter() + patience
    n_turns = 0
    while n_turns < rounds or (min(n_quiet.values()) < rounds and time.perf_counter() < end):
        n_turns += 1
        for name, run in runs.items():
            seconds, quiet = a_turn(run)
            (kept if quiet else disturbed)[name] += seconds
            n_quiet[name] += quiet
    medians = {name: float(np.median(kept[name] or disturbed[name])) for name in runs}
    return Row(medians, quiet=min(n_quiet.values()) >= min(rounds, 3))


def timed(name: str, job: Job, quick: bool) -> Row:
    """Compare the results, and measure the time."""
    first_call = np.nan
    if "JAX" in job.runs:
        start = time.perf_counter()
        job.runs["JAX"]()
        first_call = time.perf_counter() - start
    check_same(name, job)
    row = take_turns(job, 1) if quick else take_turns(job, 9, PATIENCE)
    return row._replace(first_call=first_call)


def measure(quick: bool) -> dict[str, Row]:
    """Compare and measure everything, by name."""
    jobs = {TRAINING: training}
    for case in QUICK_CASES if quick else CASES:
        jobs[str(case)] = lambda case=case: convolution(case)
    rows = {name: timed(name, job(), quick) for name, job in jobs.items()}
    for size in QUICK_SIZES if quick else SIZES:
        rows |= {name: timed(name, job, quick) for name, job in other_layers(*size).items()}
    return rows


# An environment variable sets the number of threads of NumPy's matrix product when NumPy is
# imported. Each measurement therefore runs in a new process. On Linux, the process is also limited
# to this number of cores, because JAX has no such variable.

THREAD_VARIABLES = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def measure_with(threads: int, quick: bool) -> dict[str, Row]:
    """Measure in a process that has this number of threads."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    if cores:
        os.sched_setaffinity(0, sorted(cores)[-threads:])
    try:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            return pool.submit(measure, quick).result()
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


# The table
# ---------
# A ratio above 1 means that NumPy is faster. The last column compares with the three matrix
# products of the same shape; above 100 %, the small products of the layer are faster than the large
# ones. Ratios are averaged by the geometric mean, in which the ratios 2 and 1/2 cancel.
#
# All jobs are measured several times, minutes apart. A row is marked if the ratios of two
# measurements differ by more than 10 %.

UNSTABLE = 1.1
HEAD = "{:31}{:>8}{:>9}{:>9}{:>10}{:>8}{:>10}"


def combined(rows: Iterable[Row]) -> tuple[Row, bool]:
    """Return the medians of several measurements, and whether they agree."""
    rows = list(rows)
    names = rows[0].seconds
    medians = {name: float(np.median([row.seconds[name] for row in rows])) for name in names}
    ratios = [
        [row.seconds[name] / row.seconds["NumPy"] for row in rows]
        for name in names
        if name in ("PyTorch", "JAX")
    ]
    agree = all(max(each) <= UNSTABLE * min(each) for each in ratios)
    quiet = all(row.quiet for row in rows)
    return Row(medians, rows[0].first_call, quiet), agree


def table(threads: int, measured: list[dict[str, Row]]) -> str:
    """Return a line for each job and the mean ratios; a dash marks unknown values."""
    lines = [
        HEAD.format(f"threads: {threads}", "ms", "ms", "ms", "ratio to", "ratio", "products"),
        HEAD.format("", "NumPy", "PyTorch", "JAX", "PyTorch", "JAX", "/ NumPy"),
    ]
    ratios: dict[str, list[float]] = {"PyTorch": [], "JAX": []}
    unstable, disturbed = [], []
    for name in measured[0]:
        row, agree = combined(rows[name] for rows in measured)
        ours = row.seconds["NumPy"]
        theirs = [row.seconds.get(library, np.nan) for library in ("PyTorch", "JAX", "products")]
        line = f"{name:30}{' ' if agree else '?'}{1e3 * ours:8.2f}"
        line += "".join(f"{1e3 * each:9.2f}" for each in theirs[:2])
        line += f"{theirs[0] / ours:10.2f}{theirs[1] / ours:8.2f}{theirs[2] / ours:10.0%}"
        lines.append(line.replace("nan%", "   -").replace("nan", "  -"))
        if name.startswith("(") and name.endswith(")"):
            for library, each in zip(ratios, theirs, strict=False):
                ratios[library].append(each / ours)
        unstable += [] if agree else [name]
        disturbed += [] if row.quiet else [name]
    lines.append("")
    for library, each in ratios.items():
        if each and np.isfinite(each).all():
            mean = np.exp(np.mean(np.log(each)))
            lines.append(
                f"convolutions of stride 1, {library}: mean ratio {mean:.2f}, worst {min(each):.2f}"
            )
    first = [row.first_call for row in measured[0].values() if np.isfinite(row.first_call)]
    if first:
        lines.append(
            f"JAX compiled the training in {first[0]:.1f} s, and each convolution in "
            f"{min(first[1:]):.1f} to {max(first[1:]):.1f} s; this is not in its times"
        )
    if len(measured) > 1:
        marked = f"{len(unstable)} of {len(measured[0])} rows" if unstable else "none"
        lines.append(f"not stable, marked ?, ratios differ by more than 10 %: {marked}")
    if disturbed:
        lines.append(f"disturbed by other programs: {len(disturbed)} of {len(measured[0])} rows")
    return "\n".join(lines)


def machine() -> str:
    """Return the processor and the versions of the libraries."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else ["unknown"]
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    others = [f"PyTorch {torch.__version__}" if torch else "without PyTorch"]
    others += [f"JAX {jax.__version__}" if jax else "without JAX"]
    return (
        f"{names[0]}, {os.cpu_count()} cores, {platform.system()}\n"
        f"Python {platform.python_version()}, NumPy {np.__version__} with {blas['name']} "
        f"{blas['version']}, {', '.join(others)}"
    )


# This file is read again by each process that measures; only the first one runs the following.

if __name__ == "__main__":
    parser = Parser("Compare numpycnn with PyTorch and JAX.")
    parser.add_argument("--quick", action="store_true", help="small cases and few repeats: seconds")
    each = {"nargs": "+", "type": at_least(1), "default": sorted({1, os.cpu_count() or 1})}
    parser.add_argument("--threads", **each, help="to try in turn (default: 1 and all)")
    parser.add_argument(
        "--repeats", type=at_least(1), default=2, help="measurements of everything (default: 2)"
    )
    args = parser.parse_args()
    print(machine(), flush=True)
    repeats = 1 if args.quick else args.repeats
    passes = [
        {threads: measure_with(threads, args.quick) for threads in args.threads}
        for _ in range(repeats)
    ]
    for threads in args.threads:
        print(f"\n{table(threads, [each[threads] for each in passes])}", flush=True)
