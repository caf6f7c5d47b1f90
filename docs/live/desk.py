"""Desk: runs the reader's code in the worker, and sends what it prints while it runs.

The page calls `call` with the name of a function of a module in this folder and its arguments as
JSON. A function receives `send(kind, value)`, which posts a message to the page, and returns
something that JSON can express.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import linecache
import logging
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from types import ModuleType
from typing import Any

Send = Callable[[str, Any], None]

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def call(name: str, arguments: str, post: Callable[[str, str], None], disarm: Any) -> str:
    """Call a function, such as `"desk.run"`, and return its result as JSON."""
    module, _, function = name.partition(".")
    try:
        run = getattr(import_module(f"docs.live.{module}"), function)
        result = run(**json.loads(arguments), send=lambda kind, v: post(kind, json.dumps(v)))
        return json.dumps(result)
    except KeyboardInterrupt:
        return json.dumps({"stopped": True})
    finally:
        disarm()  # an interrupt that comes later would end the next call


def no_input(prompt: str = "") -> str:
    """Take the place of `input`, which has no keyboard in a page."""
    raise RuntimeError("input: there is no keyboard in a page. Assign the value in the code.")


def show_value(value: object) -> None:
    """Print a value as at a prompt, the beginning of a long one, and no part of a figure."""
    if value is None or "<matplotlib." in (text := repr(value)) or text.startswith("[Text("):
        return
    print(text if len(text) < 1000 else f"{text[:300]} …")


builtins.input = no_input  # type: ignore[assignment]

# Output
# ------


class Sent(io.TextIOBase):
    """Sends text to the page at most every 50 ms, and no more than `limit` characters."""

    limit = 60_000

    def __init__(self, send: Send) -> None:
        self.send, self.kept, self.total, self.last = send, [""], 0, time.perf_counter()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep the text, and send it if the last time was long enough ago."""
        room = self.limit - self.total
        if room > 0:
            self.kept.append(text[:room])
            self.total += len(text)
            if self.total >= self.limit:
                self.kept.append(f"\n… only the first {self.limit:,} characters are shown.\n")
        if time.perf_counter() - self.last > 0.05:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what was kept."""
        text, self.kept = "".join(self.kept), []
        if text:
            self.send("text", text)
        self.last = time.perf_counter()


# Blocks
# ------
# All blocks of a chapter share one namespace, that of the main program. The examples of a
# docstring share the names of their module, as in doctest.

SPACES: dict[str, ModuleType] = {}


def space(name: str) -> dict[str, Any]:
    """Return the namespace for a chapter, "", or for a docstring, "numpycnn.traces#1"."""
    if name not in SPACES:
        SPACES[name] = ModuleType("__main__")
        if module := name.partition("#")[0]:
            vars(SPACES[name]).update(vars(import_module(module)))
    sys.modules["__main__"] = SPACES[name]
    return vars(SPACES[name])


def run(block: str, code: str, within: str, prompts: bool, send: Send) -> dict[str, Any]:
    """Run a block and print the value of its last line, with `prompts` that of every line."""
    try:
        names = space(within)
    except ImportError as raised:  # of the module whose docstring it is
        return {"error": explained(raised), "seconds": 0, "figures": []}
    filename, out = f"<{block}>", Sent(send)
    linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
    known, begin, error = figures(names), time.perf_counter(), None
    hook, sys.displayhook = sys.displayhook, show_value
    try:
        with redirect_stdout(out), redirect_stderr(out), warnings.catch_warnings():
            body = ast.parse(code, filename).body
            for at, node in enumerate(body):
                shown = prompts or (isinstance(node, ast.Expr) and at == len(body) - 1)
                tree = ast.Interactive([node]) if shown else ast.Module([node], [])
                exec(compile(tree, filename, "single" if shown else "exec"), names)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        error = explained(raised)
    finally:
        sys.displayhook = hook
        out.flush()
    seconds = time.perf_counter() - begin
    drawn = [svg(new) for new in figures(names) if not any(new is old for old in known)]
    return {"error": error, "seconds": seconds, "figures": drawn}


def explained(error: BaseException) -> dict[str, Any]:
    """Return the reader's own lines of a traceback, where the package raised, and the message."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame)]
    where = []
    for frame in own:
        label = "your code" if frame.filename in OWN else frame.filename.strip("<>")
        line = (frame.lineno or 0) - OWN.get(frame.filename, 0)
        where.append(f"{label}, line {line}: {frame.line}")
    if own and frames[-1] is not own[-1]:
        last = frames[-1]
        file = last.filename.partition("site-packages/")[2] or last.filename
        where.append(f"raised in {file}, line {last.lineno}, in {last.name}")
    return {"where": where, "what": "".join(traceback.format_exception_only(error)).strip()}


OWN: dict[str, int] = {}
"""Files with the reader's code at their end, and how many lines are above it."""


def _is_own(frame: traceback.FrameSummary) -> bool:
    if frame.filename in OWN:
        return (frame.lineno or 0) > OWN[frame.filename]
    return bool(re.fullmatch("<block [1-9].*>", frame.filename))


# Figures
# -------

DARK = "@media (prefers-color-scheme: dark) { #figure_1 { filter: invert(1) hue-rotate(180deg) } }"


def figures(names: dict[str, Any]) -> list[Any]:
    """Return the figures that are bound to a name, and those that pyplot has open."""
    module = sys.modules.get("matplotlib.figure")
    if not module:
        return []
    found = [value for value in names.values() if isinstance(value, module.Figure)]
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        found += [pyplot.figure(number) for number in pyplot.get_fignums()]
    return [new for at, new in enumerate(found) if not any(new is old for old in found[:at])]


def svg(figure: Any) -> str:
    """Return a figure as SVG for both themes."""
    import matplotlib
    from matplotlib.collections import QuadMesh
    from matplotlib.image import AxesImage

    for mesh in figure.findobj(lambda artist: isinstance(artist, QuadMesh | AxesImage)):
        mesh.set_rasterized(True)
    file = io.StringIO()
    fonts = {"svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans", "Verdana"]}
    with matplotlib.rc_context(fonts):
        figure.savefig(file, format="svg", transparent=True)
    return file.getvalue().replace("<defs>", f"<style>{DARK}</style>\n<defs>", 1)
