"""Forbidden imports and functions: what an answer may use, from its text alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from numpycnn.puzzles.puzzle import Puzzle, without_ending

# the puzzle is about writing the layer. A puzzle that forbids a function states that in its text.


def taken_from_the_package(tree: ast.Module, puzzle: Puzzle) -> str:
    """Return a sentence on imports from the package that the unchanged file does not contain."""
    given = ast.parse(puzzle.stub)
    allowed = {name for _, name in _imports(without_ending(given))}
    allowed |= {f"numpycnn.{name}" for name in getattr(puzzle.module, "ALLOWED", ())}
    for line, name in _imports(without_ending(tree)):
        if name not in allowed:
            what = name.rpartition(".")[2] if name.rpartition(".")[2] != "*" else "everything"
            return (
                f"Line {line} imports {what} from the package, but in this puzzle you write it "
                "yourself. You may read the package, then write the code here."
            )
    return ""


IMPORTERS = {"__import__", "import_module"}


def _imports(tree: ast.Module) -> list[tuple[int, str]]:
    """Return the line and full name of each import from numpycnn, also by `import_module("…")`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.Call) and _name(node.func) in IMPORTERS:
            found += [(node.lineno, text) for text in _texts(node.args)]
        elif isinstance(node, ast.Subscript) and _name(node.value) == "modules":
            found += [(node.lineno, text) for text in _texts([node.slice])]
    return [(line, name) for line, name in found if re.fullmatch(r"numpycnn(\.[\w*]+)*", name)]


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _texts(nodes: Sequence[ast.AST]) -> list[str]:
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


LOOPS = {"map", "vectorize", "apply_along_axis", "frompyfunc", "fromiter"}


def forbidden(puzzle: Puzzle, source: str) -> str:
    """Return a sentence on a function that the text of the puzzle forbids, if it is used."""
    names = dict(getattr(puzzle.module, "FORBIDDEN", {}))
    if hasattr(puzzle.module, "LOOPS"):
        names |= dict.fromkeys(LOOPS, "that is a loop over Python calls too")
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if (name := _name(node)) in names:
            return f"Line {node.lineno} uses `{name}`, and {names[name]}."  # type: ignore[attr-defined]
    return ""
