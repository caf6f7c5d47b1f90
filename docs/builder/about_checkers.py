"""About checkers: which of four gradient checkers detects which planted bug.

    python -m docs.builder.about_checkers

checks each planted bug with this package, `torch.autograd.gradcheck`, `jax.test_util.check_grads`
and `autograd.test_util.check_grads`, and writes the table of `docs/how-to/check-your-layer.md`.
It requires PyTorch, JAX and autograd. Run it when a bug was added; tests compare the page with
the column of this package.

Each checker receives the same NumPy code, in the form that its library has for custom gradients,
in float64, with the checker's own settings. A checker that raises an error has detected the bug.
It then also receives the correct part with the same input: a checker that raises an error there,
too, has not told the two apart.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from docs.builder.about_bugs import described
from numpycnn import Adam, Layer, check_gradients
from numpycnn.checks.bugs import PLANTED_BUGS, TWO_MODES, Bug, typical_case

PAGE = Path(__file__).parents[1] / "how-to" / "check-your-layer.md"
BEGIN, END = "<!-- computed by about_checkers.py -->", "<!-- end of what is computed -->"
SOURCE = "<!-- source: docs/builder/about_checkers.py -->"
LIBRARIES = {"numpycnn": "numpycnn", "PyTorch": "torch", "JAX": "jax", "autograd": "autograd"}
DETECTED, MISSED, BOTH = "detected", "missed", "both"
UNDECIDED, LEFT_OUT = "undecided", "left out"

# What a function of JAX cannot do, because JAX requires that functions are pure.
IMPURE = (
    "argument changed",
    "random",
    "cache changed",
    "accumulated",
    "output overwritten",
    "cache overwritten",
    "state",
)

Functions = tuple[Callable[..., Any], Callable[..., Any], list[Any]]


# A planted bug as a pair of functions
# ------------------------------------


def subjects(bug: Bug) -> Iterator[tuple[Any, Any]]:
    """Yield the layer or loss, in each of its modes, with an input."""
    subject, x = typical_case(bug, np.random.default_rng(0))
    yield subject, x
    if bug.part in TWO_MODES:
        yield subject.for_training(np.random.default_rng(0)), x


def as_functions(subject: Any, x: Any) -> Functions:
    """Return forward, backward and the arrays of a layer or loss.

    All calls go to one layer, as in a training, so that a bug in what it keeps can show.
    """
    if not isinstance(subject, Layer):
        return subject, lambda dy, cache: (dy * cache,), [x]
    names = [*subject.params]
    arrays = [x, *(np.array(array, np.float64) for array in subject.params.values())]
    layer = subject.with_params(
        {name: array.copy() for name, array in zip(names, arrays[1:], strict=True)}
    )

    def forward(x: Any, *params: Any) -> Any:
        for name, array in zip(names, params, strict=True):
            layer.params[name][...] = array
        return layer.forward(x)

    def backward(dy: Any, cache: Any) -> tuple[Any, ...]:
        dx, grads = layer.backward(dy, cache)
        return dx, *(grads[name] for name in names)

    return forward, backward, arrays


# The checkers
# ------------


def by_torch(forward: Any, backward: Any, arrays: list[Any]) -> None:
    """Raise if PyTorch's checker rejects the functions."""
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            y, ctx.cache = forward(*(tensor.detach().numpy() for tensor in tensors))
            return torch.from_numpy(np.asarray(y))

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return tuple(
                torch.from_numpy(np.ascontiguousarray(grad))
                for grad in backward(dy.numpy(), ctx.cache)
            )

    tensors = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    torch.autograd.gradcheck(Wrapped.apply, tensors)


def by_jax(forward: Any, backward: Any, arrays: list[Any]) -> None:
    """Raise if JAX's checker rejects the functions."""
    import jax
    from jax.test_util import check_grads

    shape = jax.ShapeDtypeStruct(np.shape(forward(*map(np.array, arrays))[0]), np.float64)
    shapes = tuple(jax.ShapeDtypeStruct(array.shape, np.float64) for array in arrays)

    @jax.custom_vjp
    def wrapped(*args: Any) -> Any:
        return jax.pure_callback(
            lambda *args: np.asarray(forward(*map(np.array, args))[0]), shape, *args
        )

    def both(dy: Any, *args: Any) -> Any:
        _, cache = forward(*map(np.array, args))
        return tuple(map(np.asarray, backward(np.array(dy), cache)))

    wrapped.defvjp(
        lambda *args: (wrapped(*args), args),
        lambda args, dy: jax.pure_callback(both, shapes, dy, *args),
    )
    with jax.enable_x64(True):
        check_grads(wrapped, tuple(arrays), order=1, modes=("rev",))


def by_autograd(forward: Any, backward: Any, arrays: list[Any]) -> None:
    """Raise if autograd's checker rejects the functions."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    caches = {}  # with each output, so that its id stays its own

    @primitive
    def wrapped(*args: Any) -> Any:
        y, cache = forward(*args)
        caches[id(y)] = y, cache
        return y

    def vjp(position: int) -> Any:
        def make(y: Any, *args: Any) -> Any:
            _, cache = caches[id(y)]
            return lambda dy: backward(dy, cache)[position]

        return make

    defvjp(wrapped, *map(vjp, range(len(arrays))))
    everything = tuple(range(len(arrays)))  # by default only the first argument is checked
    check_grads(wrapped, everything, modes=["rev"], order=1)(*arrays)


OTHERS = {"PyTorch": by_torch, "JAX": by_jax, "autograd": by_autograd}


def is_rejected(tool: str, bug: Bug) -> bool:
    """Return True if a checker rejects the part in one of its modes."""
    for subject, x in subjects(bug):
        if tool == "numpycnn":
            if check_gradients(subject, x, rng=0).status == "incorrect":
                return True
            continue
        np.random.seed(0)  # noqa: NPY002  (JAX and autograd draw from it)
        functions = as_functions(subject, np.array(x, np.float64))
        try:
            OTHERS[tool](*functions)
        except Exception:
            return True
    return False


def is_correct(bug: Bug) -> bool:
    """Return True if this package finds the part correct in each of its modes."""
    return all(check_gradients(subject, x, rng=0).ok for subject, x in subjects(bug))


def is_impure(bug: Bug) -> bool:
    """Return True if the bug is a breach of the contract that JAX does not allow."""
    reports = [check_gradients(subject, x, rng=0) for subject, x in subjects(bug)]
    return any(report.breach and report.breach.name in IMPURE for report in reports)


def found(tool: str, bug: Bug) -> str:
    """Return the cell of the table."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if tool == "JAX" and is_impure(bug):
            return LEFT_OUT
        if not is_rejected(tool, bug):
            return UNDECIDED if tool == "numpycnn" and not is_correct(bug) else MISSED
        return BOTH if is_rejected(tool, bug._replace(broken=bug.part)) else DETECTED


# The page
# --------


def is_listed(bug: Bug) -> bool:
    """Return True unless it takes another check: of the optimizer, or of two modes together."""
    with np.errstate(all="ignore"):
        return bug.part is not Adam and not is_correct(bug)


def rows_of(page: str) -> dict[str, dict[str, str]]:
    """Return the cells of each row, by the name of the bug and of the checker."""
    rows = re.findall(r"^\| (.*)<br>`(\w+)` \| (.*) \|$", page, re.MULTILINE)
    return {name: dict(zip(LIBRARIES, cells.split(" | "), strict=True)) for _, name, cells in rows}


def summary(rows: dict[str, dict[str, str]]) -> list[str]:
    """Return a row for each count."""
    columns = [[row[tool] for row in rows.values()] for tool in LIBRARIES]
    return [
        f"| {kind} | {' | '.join(str(cells.count(kind)) for cells in columns)} |"
        for kind in (DETECTED, MISSED, BOTH, UNDECIDED, LEFT_OUT)
        if any(kind in cells for cells in columns)
    ]


def tolerances() -> list[str]:
    """Return the largest relative error that each checker accepts in float64."""
    import torch
    from autograd.test_util import RTOL
    from jax._src.public_test_util import default_gradient_tolerance

    from numpycnn.checks.derivatives import TOLERANCE

    torch_own = inspect.signature(torch.autograd.gradcheck).parameters["rtol"].default
    jax_own = default_gradient_tolerance[np.dtype(np.float64)]
    return [f"{one:.0e}" for one in (TOLERANCE["complex"], torch_own, jax_own, RTOL)]


def computed() -> str:
    """Return the part of the page that this script writes."""
    rows = {}
    for name, bug in PLANTED_BUGS.items():
        if is_listed(bug):
            rows[name] = {tool: found(tool, bug) for tool in LIBRARIES}
            print(name, *rows[name].values(), flush=True)
    versions = ", ".join(f"{label} {version(name)}" for label, name in LIBRARIES.items())
    tools = " | ".join(LIBRARIES)
    head = f"| {tools} |\n| --- | {' | '.join([':---:'] * len(LIBRARIES))} |"
    lines = [
        f"| {described(PLANTED_BUGS[name])} | {' | '.join(cells.values())} |"
        for name, cells in rows.items()
    ]
    return "\n".join(
        [
            f"Computed on {date.today().isoformat()} with {versions} and NumPy {np.__version__}, "
            f"for the {len(rows)} planted bugs of a layer or a loss.",
            "",
            SOURCE,
            "",
            f"| bugs {head}",
            *summary(rows),
            f"| relative tolerance | {' | '.join(tolerances())} |",
            "",
            SOURCE,
            "",
            f"| bug {head}",
            *lines,
        ]
    )


def write() -> None:
    """Bring the table on the page up to date."""
    table = computed()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
