"""Running an answer on a case, and the record of what it returned, printed and changed."""

from __future__ import annotations

import io
import linecache
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn.layers.storage import RETIRED
from numpycnn.puzzles.cases import Case, Failure, Kind, Outcome, plain


class Text(io.StringIO):
    """Printed text up to a limit, so that an endless loop does not fill the memory."""

    limit = 2000

    def write(self, text: str) -> int:
        """Keep the text while there is room."""
        super().write(text[: max(0, self.limit - self.tell())])
        return len(text)


@contextmanager
def kept_output() -> Iterator[Text]:
    """Collect what the reader's code prints; hide its warnings."""
    text = Text()
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        redirect_stdout(text),
        redirect_stderr(text),
    ):
        warnings.simplefilter("ignore")
        yield text


def load(source: str, filename: str) -> tuple[SimpleNamespace | None, Outcome]:
    """Run a reader's file as if it were imported; return its names, and the outcome of that."""
    names: dict[str, Any] = {"__name__": "answer", "__file__": filename}
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    with kept_output() as text:
        try:
            exec(compile(source, filename, "exec"), names)
        except (Exception, SystemExit) as error:
            return None, Outcome({}, _failure(error, filename), printed=text.getvalue())
    # A file of version 0.1.0 may define a class under its old name.
    names = {new: names[old] for old, new in RETIRED.items() if old in names} | names
    return SimpleNamespace(**names), Outcome({}, printed=text.getvalue())


def observe(part: Any, case: Case, filename: str = "") -> Outcome:
    """Run one case on the names that a reader's file defines.

    Parameters
    ----------
    part : object
        Its attributes are the names.
    case : Case
        The case; it is not changed.
    filename : str, optional
        The file's name, to find the line of an error.

    Returns
    -------
    Outcome
        The results, or the error.

    Examples
    --------
    >>> from numpycnn.puzzles.cases import function
    >>> observe(SimpleNamespace(double=lambda x: 2 * x), function("double", {"x": 3})).results
    {'the result': 6}
    """
    if not hasattr(part, case.name):
        return Outcome({}, Failure("missing", case.name))
    results: dict[str, Any] = {}
    given = deepcopy({**case.arguments, **case.more})
    before = deepcopy(given)
    failure = None
    with kept_output() as text:
        try:
            RUN[case.kind](getattr(part, case.name), case, given, results)
        except (Exception, SystemExit) as error:
            failure = _failure(error, filename or _file_of(getattr(part, case.name)))
        changed = tuple(name for name in before if not _same(given[name], before[name]))
    changed += tuple(results.pop("changed", ()))
    data = {name: plain(result) for name, result in results.items()}
    return Outcome(data, failure, changed, text.getvalue())


def _file_of(what: Any) -> str:
    """Return the file that defines a function or the methods of a class."""
    functions = [what, *vars(what).values()] if isinstance(what, type) else [what]
    return next((f.__code__.co_filename for f in functions if hasattr(f, "__code__")), "")


def _failure(error: BaseException, filename: str) -> Failure:
    """Return the exception, and the last line of the reader's file in its traceback."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == filename
    ]
    line = lines[-1] if lines else None
    if isinstance(error, SyntaxError):
        line = error.lineno
    source = linecache.getline(filename, line).strip() if line else ""
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
    return Failure(kind, str(error)[:500], line, source)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b) if isinstance(a, int | float | str) else True


def _value(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    results[case.name] = what


def _function(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    result = what(*(given[name] for name in case.arguments))
    n = len(case.returns)
    if n == 1:
        results[case.returns[0]] = result
    elif isinstance(result, tuple | list) and len(result) == n:
        results.update(zip(case.returns, result, strict=True))
    else:
        results["the results"] = result


def _layer(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    """Run forward, and backward if there is a dy, with all arrays in the dtype of x."""
    made = what(*(given[name] for name in case.arguments))
    x, dy, params = given["x"], given.get("dy"), given.get("params") or {}
    if params and not hasattr(made, "astype"):
        raise TypeError(f"{case.name} must be a subclass of numpycnn.Layer, got {type(made)}.")
    if params:
        made = made.astype(x.dtype)
        for name, array in params.items():
            made.params[name][...] = array
    if given.get("between") is not None:  # before and after the forward on x
        made.forward(given["between"])
    both = made.forward(x)
    if not (isinstance(both, tuple) and len(both) == 2):
        results["forward"] = both
        return
    y, cache = both
    results["y"] = np.array(y)
    if given.get("between") is not None:
        made.forward(given["between"])
    if dy is None:
        return
    both = made.backward(dy, cache)
    if not (isinstance(both, tuple) and len(both) == 2 and isinstance(both[1], dict)):
        results["backward"] = both
        return
    results["dx"] = both[0]
    results.update({_gradient(name): grad for name, grad in both[1].items()})
    changed = [name for name, array in params.items() if not _same(made.params[name], array)]
    if isinstance(y, np.ndarray) and not _same(y, results["y"]):
        changed.append("y")
    if given.get("between") is not None:  # backward may be called again with the same cache
        results["dx of a second backward"] = np.array(made.backward(dy, cache)[0])
    results["changed"] = changed


def _gradient(name: str) -> str:
    """`w` → `dw`, `0.w` → `grads["0.w"]`."""
    return f"d{name}" if str(name).isidentifier() else f'grads["{name}"]'


def _optimizer(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    """Run several steps. The caller's arrays must change, not the entries of a dict."""
    arrays = given["params"]
    params = dict(arrays)
    optimizer = what(params, **given["options"])
    for step, grads in enumerate(given["gradients"], 1):
        optimizer.step(grads)
        for name, array in arrays.items():
            results[f"{name} after step {step}"] = array.copy()
    results["replaced"] = [n for n, array in arrays.items() if params.get(n) is not array]
    given["params"] = deepcopy(case.more["params"])  # the parameters may change
    for kind in ("m", "v"):
        held = getattr(optimizer, kind, None)
        if isinstance(held, dict):
            results[kind] = [np.array(array, dtype=float) for array in held.values()]


def _network(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    """Record the output shape, the number of weights, and the samples that an output depends on.

    All weights and inputs are positive, so that no ReLU hides a dependence. A maximum depends on
    one sample per input, so inputs are tried until five in a row add no sample.
    """
    model = what().astype(np.float64)
    for array in model.params.values():
        array[...] = 1 / max(1, array.size)
    y = model(given["x"][:1])
    results["shape"] = y.shape
    results["n_weights"] = int(sum(array.size for array in model.params.values()))
    if y.shape[:2] != (1, given["x"].shape[1]) or results["n_weights"] > given["at_most"]:
        return
    sees = [_dependence(model, given["x"], y.shape, at) for at in given["at"]]
    results["sees"] = [int(depends.sum()) for depends in sees]


def _dependence(model: Any, inputs: Array, shape: tuple[int, ...], at: int) -> Array:
    """Return a mask of the samples that output `at` depends on."""
    dy = np.zeros(shape)
    dy[:, at] = 1
    depends, n_without = np.zeros(inputs.shape[1], bool), 0
    for x in inputs:
        _, cache = model.forward(x[None])
        more = (model.backward(dy, cache)[0] != 0).any(axis=(0, 2)) & ~depends
        depends |= more
        n_without = 0 if more.any() else n_without + 1
        if n_without == 5:
            break
    return depends


def _lines(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    """Count the lines of Python that are run in the answer and in the functions it calls.

    The source text does not show whether the answer contains a loop: the loop may be in a
    comprehension, in a function, or in a NumPy function such as `np.split`.
    """
    results["lines"] = [_lines_of(what, given[size]) for size in ("small", "large")]


def _lines_of(call: Callable[..., Any], arguments: Sequence[Any]) -> int:
    n_lines = 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal n_lines
        n_lines += event == "line"
        return count

    call(*deepcopy(arguments))  # imports and caching in the first call are not counted
    before = sys.gettrace()
    given = deepcopy(arguments)
    sys.settrace(count)
    try:
        call(*given)
    finally:
        sys.settrace(before)
    return n_lines


def _test(what: Any, case: Case, given: dict[str, Any], results: dict[str, Any]) -> None:
    """Run a reader's test on a suspect and record whether it passes."""
    from numpycnn.puzzles.suspects import SUSPECTS

    suspect = SUSPECTS[given["group"]][given["place"]]()
    try:
        what(suspect)
    except AssertionError as error:
        results.update(passes=False, says=str(error)[:200])
    except Exception as error:
        results.update(passes=False, stopped=_failure(error, _file_of(what)))
    else:
        results["passes"] = True


RUN: dict[Kind, Callable[[Any, Case, dict[str, Any], dict[str, Any]], None]] = {
    "value": _value,
    "function": _function,
    "layer": _layer,
    "optimizer": _optimizer,
    "network": _network,
    "lines": _lines,
    "test": _test,
}
