"""Kernels: run the package on the reader's own convolution.

The plain kernels of `layers/conv1d.py` are functions of a few lines, and one line below them
selects the fast ones. Here the file is written again with the reader's functions and without that
line, and the package is imported again.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import Any

from docs.live import desk

NAMES = "output", "input_gradient", "weight_gradient"
FILE = Path(next(iter(importlib.import_module("numpycnn").__path__)), "layers", "conv1d.py")
ORIGINAL = FILE.read_text(encoding="utf-8")

TRAIN = """
from docs.live import playground

print("The line that selects the fast kernels was removed. Training with yours:")
exec(playground.build_of(playground.SETTINGS))
nn.fit(
    model, x_train, y_train, epochs=60, optimizer=optimizer,
    on_epoch=lambda epoch, history: epoch in (1, 15, 30, 45, 60)
    and print(f"epoch {epoch:2}: loss {history.loss[-1]:.4f}"),
)
print(f"accuracy on the test set: {nn.evaluate(model, x_test, y_test)[1]:.2f}")
"""
CHECK = """
import numpy as np

import numpycnn as nn

print("The line that selects the fast kernels was removed. Checking yours:")
x = np.random.default_rng(0).standard_normal((2, 12, 2))
for options in {}, {"padding": "same", "stride": 2}, {"padding": "causal", "dilation": 2}:
    print(f"\\n{options or 'no padding'}")
    print(nn.check_gradients(nn.Conv1D(2, 3, 3, rng=0, **options), x, rng=0))
"""


def plain(source: str = ORIGINAL) -> str:
    """Return the plain kernels, as the page shows them."""
    found = {node.name: node for node in _functions(source)}
    return "\n\n\n".join(ast.get_source_segment(source, found[name]) or "" for name in NAMES)


def without(source: str = ORIGINAL) -> str:
    """Return the file without the plain kernels and without the line that selects the fast ones.

    >>> "_conv1d_kernels import" in without() or "def output" in without()
    False
    """
    lines = source.splitlines()
    selecting = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} == set(NAMES)
    ]
    for node in [*_functions(source), *selecting]:
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return "\n".join(lines).rstrip() + "\n"


def _functions(source: str) -> list[ast.FunctionDef]:
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return [node for node in functions if node.name in NAMES]


def use(code: str | None) -> None:
    """Import the package with these kernels, or with its own for None."""
    above = "" if code is None else without() + "\n\n"
    FILE.write_text(ORIGINAL if code is None else above + code, encoding="utf-8")
    desk.OWN.clear()
    if code is not None:
        desk.OWN[str(FILE)] = above.count("\n")
    keep = "docs.live.desk", __name__
    for name in list(sys.modules):
        if name.startswith(("numpycnn", "docs.live.", "examples")) and name not in keep:
            del sys.modules[name]
    desk.SPACES.clear()
    importlib.invalidate_caches()
    importlib.import_module("numpycnn")


def train(code: str, send: desk.Send, **_: Any) -> dict[str, Any]:
    """Train the network of the tutorial with these kernels."""
    return _run(code, TRAIN, send)


def check(code: str, send: desk.Send, **_: Any) -> dict[str, Any]:
    """Check the gradients of a convolution with these kernels."""
    return _run(code, CHECK, send)


def reset(send: Any = None) -> dict[str, Any]:
    """Use the package's own kernels again."""
    use(None)
    return {}


def _run(code: str, program: str, send: desk.Send) -> dict[str, Any]:
    try:
        compile(code, "your code", "exec")  # so that a syntax error counts the reader's lines
        use(code)
    except Exception as raised:
        error = desk.explained(raised)
        use(None)
        return {"error": error, "seconds": 0, "figures": []}
    return desk.run("block 0", program, "#kernels", False, send)
