"""The core imports no companion, imports run one way, files are short, old names are gone."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import numpycnn

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "numpycnn"
COMMON = {path.stem for path in PACKAGE.glob("_[a-z]*.py")} | {"system"}
MAY_IMPORT = dict.fromkeys(COMMON, COMMON) | {
    "layers": COMMON | {"layers"},
    "training": COMMON | {"layers", "training"},
    "traces": COMMON,
    "checks": COMMON | {"layers", "training", "traces", "checks"},
}
COMPANIONS = "architectures", "inspection", "interop", "plots", "puzzles", "seismology"


def imported(node):
    """The parts of the package that the code below this node imports when it runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        names = [
            alias.name for alias in getattr(child, "names", []) if isinstance(alias, ast.alias)
        ]
        if isinstance(child, ast.ImportFrom):
            names = [f"{child.module}.{name}" for name in names]
        yield from (part_of(name) for name in names if name.startswith("numpycnn."))
        yield from imported(child)


def part_of(name):
    """The part of the package in which a name such as "numpycnn.Dense" is defined."""
    part = name.split(".")[1]
    return getattr(getattr(numpycnn, part, None), "__module__", name).split(".")[1]


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_the_core_imports_no_companion_and_imports_run_one_way(part):
    files = [*PACKAGE.glob(f"{part}.py"), *PACKAGE.glob(f"{part}/**/*.py")]
    assert files
    for path in files:
        wrong = set(imported(ast.parse(path.read_text(encoding="utf-8")))) - MAY_IMPORT[part]
        assert not wrong, path


def test_importing_the_package_loads_neither_matplotlib_nor_a_companion():
    code = "import sys, numpycnn; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    loaded = set(ran.stdout.decode().split())
    assert "numpycnn.layers.conv1d" in loaded
    assert not loaded & {"matplotlib", *(f"numpycnn.{name}" for name in COMPANIONS)}


def test_the_class_of_the_chapter_is_the_one_that_runs():
    assert numpycnn.Conv1D.forward.__module__ == "numpycnn.layers.conv1d"
    assert numpycnn.Conv1D.backward.__module__ == "numpycnn.layers.conv1d"


# Lengths
# -------
# A line of code is a line that holds neither only a comment nor a part of a docstring.


def code_lines(path):
    source = path.read_text(encoding="utf-8")
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for statement in node.body
        if isinstance(statement, ast.Expr)
        and isinstance(getattr(statement.value, "value", None), str)
        for line in range(statement.lineno, statement.end_lineno + 1)
    }
    no_code = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {
        line
        for token in tokens
        if token.type not in no_code and token.type != tokenize.ENDMARKER
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstrings)


NETWORK = [path for part in ("layers", "training") for path in PACKAGE.glob(f"{part}/*.py")]
CLASSIFIER = """
    layers/layer layers/sequential layers/conv1d layers/relu layers/max_pool1d layers/flatten
    layers/dense layers/softmax training/losses training/adam training/fit
"""


def test_a_reader_of_the_network_has_few_lines_to_read():
    assert sum(map(code_lines, NETWORK)) <= 1450
    assert sum(code_lines(PACKAGE / f"{name}.py") for name in CLASSIFIER.split()) <= 800
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in NETWORK}
    assert max(lengths.values()) <= 300
    assert lengths[PACKAGE / "layers" / "layer.py"] < 150


def test_no_file_is_long():
    long = {path.name for path in PACKAGE.rglob("*.py") if code_lines(path) > 260}
    assert long <= {"bugs.py", "suspects.py"}  # corpora of incorrect code


def test_few_modules_are_at_the_top_level():
    names = {path.stem for path in PACKAGE.glob("*.py")}
    assert len(names - {"__init__", "typing", "_types", "_validation"}) <= 4


# Names of version 0.1.0, whose files are read by two tables.

OLD = r"""
    (?-i:\bBeside\b)(?!\ [a-z]) | \bdoctor | \.training\( | \.remember\( | zeros_around
    | Window\.under | \bstages\( | keep_freed_memory | \bin_threads | bug_in_beside | steps_told
    | layers[./](around|phases|maxpool1d|averagepool1d|batchnorm|initialisation)\b
    | training[./]progress\b
    | numpycnn[./](records|picking|storage|validation|types|doctor|long_records|reductions)\b
"""
EXEMPT = "CHANGELOG.md", "test_layout.py", "test_puzzles_runner.py"
TEXTS = [
    path
    for pattern in ("*.*", "numpycnn/**/*.*", "docs/**/*.*", "examples/**/*.*", "tests/**/*.*")
    for path in ROOT.glob(pattern)
    if path.suffix in {".py", ".md", ".js", ".css", ".html", ".cfg", ".toml", ".cff"}
    and not {"_build", *EXEMPT} & set(path.parts)
]


def test_no_text_mentions_an_old_name():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(OLD, line, re.VERBOSE | re.IGNORECASE) and not line.startswith("RETIRED = ")
    ]
    assert len(TEXTS) > 150
    assert found == []
