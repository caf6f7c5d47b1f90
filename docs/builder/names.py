"""Names: resolve names in code from the syntax tree.

Every name in code that refers to an object of the package becomes a link to its definition. Every
function and class has an anchor, such as `def-Conv1D.forward`.

Nothing is imported. The files are parsed, and imports are followed, also through the `__init__` of
a package, to the file with the definition. A name that a function binds as an argument or by an
assignment is local to the function and does not become a link.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Bindings = dict[str, str]
"""Full names by short name: `{"nn": "numpycnn", "Conv1D": "numpycnn.layers.conv1d.Conv1D"}`."""


class Place(NamedTuple):
    """A name in a text, at a line (from 1) and a column (from 0)."""

    line: int
    column: int
    length: int
    dotted: str  # the full name
    defines: bool  # True for a definition, False for a use


class Library:
    """All files below some folders, with their definitions and imports.

    Raises `SyntaxError` for a file that is not valid Python.
    """

    def __init__(self, root: Path, folders: tuple[str, ...] = ("numpycnn", "examples")) -> None:
        self.pages: dict[str, str] = {}  # of modules: "numpycnn.training.adam" -> its page
        self.defined: set[str] = set()
        self.imported: Bindings = {}
        for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
            page = path.relative_to(root).with_suffix("").as_posix()
            is_course = page.startswith("numpycnn/puzzles/course/")
            if is_course or page.endswith(("__main__", "_shared/__init__")):
                continue  # no pages are made of these: they contain solutions, or nothing
            module = self.module_of(page)
            self.pages[module] = page
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for _, name in definitions(tree, constants=page.startswith("numpycnn/")):
                self.defined.add(f"{module}.{name}")
            for name, dotted in imports(tree).items():
                self.imported[f"{module}.{name}"] = dotted

    @staticmethod
    def module_of(page: str) -> str:
        """Return the module of a page: "numpycnn" for `numpycnn/__init__`."""
        dotted = page.replace("/", ".").removesuffix(".__init__")
        return dotted.removeprefix("examples.")  # these import each other as scripts do

    def find(self, dotted: str) -> str | None:
        """Return the definition that a dotted name leads to, or the module; None for others."""
        for _ in range(9):  # imports may be circular
            if dotted in self.defined:
                return dotted
            if dotted in self.imported:  # before the modules, because there is also a module `fit`
                dotted = self.imported[dotted]
            elif dotted in self.pages:
                return dotted
            else:
                caller, _, name = dotted.rpartition(".")
                found = self.find(caller) if caller and caller not in self.pages else None
                if found is None:
                    return None
                dotted = f"{found}.{name}"
        return None

    def address(self, dotted: str) -> tuple[str, str]:
        """Return the page and the anchor of something that `find` has found."""
        if dotted in self.pages:
            return self.pages[dotted], ""
        module = max((one for one in self.pages if dotted.startswith(one + ".")), key=len)
        return self.pages[module], anchor(dotted.removeprefix(module + "."))

    def places(self, code: str, bindings: Bindings, module: str = "") -> list[Place]:
        """Return the names in `code` that lead somewhere, and those it defines if it is a module.

        Imports and assignments in the code change `bindings`, for the next block of a chapter.
        Code that is not valid Python has no names.
        """
        try:
            tree = ast.parse(code)
        except SyntaxError:
            return []
        found, lines = [], code.split("\n")
        if module:
            for node, name in definitions(tree, constants=module.startswith("numpycnn")):
                bindings.setdefault(name, f"{module}.{name}")
                last = name.rpartition(".")[2]
                column = re.search(rf"\b{last}\b", lines[node.lineno - 1]).start()  # type: ignore[union-attr]
                if all(other.dotted != f"{module}.{name}" for other in found):  # its first place
                    found.append(Place(node.lineno, column, len(last), f"{module}.{name}", True))
        for name, dotted in imports(tree).items():
            bindings[name] = dotted
        for line, column, text, dotted in _uses(tree, bindings, at_top=not module):
            if target := self.find(dotted):
                before = lines[line - 1].encode()[:column].decode()  # Python counts bytes
                found.append(Place(line, len(before), len(text), target, False))
        return found


def anchor(name: str) -> str:
    """Return the anchor of a definition: "def-Conv1D.forward"."""
    return f"def-{name}"


def definitions(
    tree: ast.AST, within: str = "", constants: bool = False
) -> Iterator[tuple[ast.stmt, str]]:
    """Yield classes and functions, and the methods of classes, each with its dotted name.

    With `constants` also names that the module assigns, such as types and tables.
    """
    for node in getattr(tree, "body", []):
        if constants and isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((node, one.id) for one in targets if isinstance(one, ast.Name))
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node, within + node.name
            if isinstance(node, ast.ClassDef):
                yield from definitions(node, f"{within}{node.name}.")


def imports(tree: ast.AST) -> Bindings:
    """Return the full name of each imported name.

    >>> imports(ast.parse("import numpycnn as nn; from numpycnn import Dense as D"))
    {'nn': 'numpycnn', 'D': 'numpycnn.Dense'}
    """
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                found[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _uses(tree: ast.AST, bindings: Bindings, at_top: bool) -> Iterator[tuple[int, int, str, str]]:
    """Yield line, column, text and meaning of each name that is bound, from the top down."""
    if isinstance(tree, ast.FunctionDef | ast.Lambda):
        own = _bound_in(tree)
        bindings = {name: dotted for name, dotted in bindings.items() if name not in own}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.col_offset + len("from "), node.module, node.module
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield alias.lineno, alias.col_offset, alias.name, dotted
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.lineno, alias.col_offset, alias.name, alias.name
        elif isinstance(node, ast.Attribute) and (dotted := _dotted(node, bindings)):
            line, end = node.end_lineno or 0, node.end_col_offset or 0
            yield line, end - len(node.attr), node.attr, dotted
        elif isinstance(node, ast.Name) and node.id in bindings and _is_read(node):
            yield node.lineno, node.col_offset, node.id, bindings[node.id]
        yield from _uses(node, bindings, at_top=False)
        if at_top:
            for name in _stored(node):
                bindings.pop(name, None)


def _dotted(node: ast.expr, bindings: Bindings) -> str | None:
    if isinstance(node, ast.Name):
        return bindings.get(node.id)
    if isinstance(node, ast.Attribute) and (caller := _dotted(node.value, bindings)):
        return f"{caller}.{node.attr}"
    return None


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _stored(tree: ast.AST) -> set[str]:
    """Return the names that a statement assigns to at its own level."""
    if isinstance(tree, ast.ClassDef | ast.FunctionDef):
        return {tree.name}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _bound_in(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    """Return the arguments of a function, and what it assigns to or defines within."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [one for one in (arguments.vararg, arguments.kwarg) if one]
    body = function.body if isinstance(function.body, list) else []
    return {one.arg for one in named}.union(*(_stored(statement) for statement in body))
