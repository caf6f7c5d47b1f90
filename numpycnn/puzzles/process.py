"""Run an answer in a separate process: it may loop forever, print without end or crash.

The child process receives the text of the answer and the cases, as data, and returns the results.
It contains neither the solution nor the expected results; the parent compares them. The child may
use 10 seconds of wall time and, where the system can limit it, 1 GB of memory. Output other than by
`print` is discarded. The child ends in time even if the runner is killed.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from numpycnn.puzzles.cases import Case, Failure, Outcome, decoded, encoded
from numpycnn.puzzles.grader import Result, assess, at_sight
from numpycnn.puzzles.observe import load, observe
from numpycnn.puzzles.prepared import prepared
from numpycnn.puzzles.puzzle import Puzzle
from numpycnn.puzzles.shown import table

TIME_LIMIT = 10.0
"""Seconds of wall time for an answer."""

START_LIMIT = 60.0
"""Seconds that Python may take to start and to import NumPy."""

MEMORY_LIMIT = 2**30
"""Bytes that an answer may use beyond what Python and NumPy use."""

OUTPUT_LIMIT = 2**26
"""Bytes that an answer may return, and write to any file."""


class Stopped(Exception):  # noqa: N818  (requested by the reader, not an error)
    """The reader stopped the answer."""


class _Ended(Exception):  # noqa: N818
    """The process ended before all cases were run."""

    def __init__(self, n_done: int, text: str, mistake: str) -> None:
        super().__init__(text)
        self.n_done, self.text, self.mistake = n_done, text, mistake


# In this process
# ---------------


def judge_file(
    puzzle: Puzzle,
    path: Path,
    time_limit: float = TIME_LIMIT,
    keep_going: Callable[[], bool] = lambda: True,
) -> Result:
    """Judge a reader's file in a separate process.

    Parameters
    ----------
    puzzle : Puzzle
        The puzzle.
    path : Path
        The reader's file.
    time_limit : float
        Seconds of wall time for the answer.
    keep_going : function
        Called several times per second; the process is stopped when it returns False.

    Returns
    -------
    Result
        The result.

    Raises
    ------
    Stopped
        If `keep_going` returned False.
    """
    try:
        source = read_source(path)
    except FileNotFoundError:
        return Result("open", f"The file {path} is missing. Reset the puzzle to create it again.")
    except IsADirectoryError:
        return Result("open", f"{path} is a folder. Remove it, then reset the puzzle.")
    except (UnicodeError, SyntaxError, OSError) as error:
        words = f"{path.name} cannot be read: {error}. Save it as UTF-8 text."
        return Result("incorrect", words, ("encoding",))
    if (result := at_sight(puzzle, source)) is not None:
        return result

    def run(cases: Sequence[Case]) -> tuple[Outcome, list[Outcome]]:
        return observe_apart(source, puzzle.filename, cases, time_limit, keep_going)

    try:
        return assess(puzzle, run)
    except _Ended as ended:
        cases = prepared(puzzle)[0]
        shown = table(cases[ended.n_done], []) if 0 <= ended.n_done < len(cases) else ""
        return Result("incorrect", ended.text, (ended.mistake,), shown)


def read_source(path: Path) -> str:
    """Read a Python file, with or without a byte order mark or an encoding declaration."""
    if path.is_dir():
        raise IsADirectoryError(path)
    data = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return io.TextIOWrapper(io.BytesIO(data), encoding, newline=None).read()


def observe_apart(
    source: str,
    filename: str,
    cases: Sequence[Case],
    time_limit: float = TIME_LIMIT,
    keep_going: Callable[[], bool] = lambda: True,
) -> tuple[Outcome, list[Outcome]]:
    """Run an answer on cases in a separate process; return the outcomes."""
    with tempfile.TemporaryFile() as task, tempfile.TemporaryFile() as answers:
        pickle.dump((source, filename, list(cases), time_limit), task)
        task.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-c", "from numpycnn.puzzles.process import child; child()"],
            stdin=task,
            stdout=answers,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        try:
            in_time = _wait(process, answers, time_limit, keep_going)
        finally:
            _kill(process)
        answers.seek(0)
        lines = answers.read(OUTPUT_LIMIT).splitlines()[1:]
    outcomes = [outcome for line in lines if (outcome := _outcome(line)) is not None]
    n_done = len(outcomes) - 1
    if not in_time:
        text = f"It was stopped after {time_limit:g} seconds. Does a loop never end?"
        raise _Ended(n_done, text, "endless")
    if n_done < len(cases) and not (outcomes and outcomes[0].failure):
        code = process.returncode
        text = f"The process of the answer ended with exit code {code} before it returned a result."
        raise _Ended(n_done, text, "ended")
    return outcomes[0], outcomes[1:]


def _environment() -> dict[str, str]:
    """Return the environment: one thread, to save memory, and the path of this package."""
    home = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _wait(
    process: subprocess.Popen[bytes], answers: Any, limit: float, keep_going: Callable[[], bool]
) -> bool:
    """Wait for the process; return True if it ended in time."""
    begin = time.monotonic()
    end = begin + START_LIMIT
    is_started = False
    while process.poll() is None:
        if not is_started and os.fstat(answers.fileno()).st_size:
            is_started, end = True, time.monotonic() + limit
        if time.monotonic() > end:
            return False
        if not keep_going():
            raise Stopped
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and the processes that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _outcome(line: bytes) -> Outcome | None:
    try:
        results, failure, changed, printed = json.loads(line)
        return Outcome(
            decoded(results),
            Failure(*failure) if failure else None,
            tuple(map(str, changed)),
            str(printed),
        )
    except (ValueError, TypeError, KeyError, LookupError):
        return None  # the process was stopped in the middle of a line


# In the child process
# --------------------


def child() -> None:
    """Run the answer on the cases and write one outcome per line; runs in the child process."""
    channel = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    source, filename, cases, time_limit = pickle.load(sys.stdin.buffer)
    for stream in (0, 1, 2):  # only text that the answer prints through Python is kept
        os.dup2(nowhere, stream)
    sys.meta_path.insert(0, _NoSolutions())
    _limit_memory()
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, time_limit + 1)  # if the runner no longer waits

    def write(outcome: Outcome) -> None:
        results, failure, changed, printed = outcome
        line = [encoded(results), failure and list(failure), list(changed), printed]
        channel.write(json.dumps(line).encode() + b"\n")
        channel.flush()

    channel.write(b"ready\n")
    channel.flush()
    part, loaded = load(source, filename)
    write(loaded)
    if part is not None:
        for case in cases:
            write(observe(part, case, filename))
    os._exit(0)


class _NoSolutions(MetaPathFinder):
    """Prevents imports of the puzzles, which contain the solutions."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        """Raise for a module of the course."""
        if name.startswith("numpycnn.puzzles.course."):
            raise ImportError("an answer cannot import the puzzles")


def _limit_memory() -> None:
    """Limit memory and file sizes from now on, where the system supports it."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, used + MEMORY_LIMIT)
    with suppress(OSError, ValueError):
        _lower(resource.RLIMIT_FSIZE, OUTPUT_LIMIT)
    with suppress(OSError, ValueError):
        _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, limit: int) -> None:
    import resource

    _, hard = resource.getrlimit(what)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(what, (limit, hard))
