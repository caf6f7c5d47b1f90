"""The core of the package imports no companion, imports run one way, and old names are gone."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpycnn

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "numpycnn"
PRIVATE = {path.stem for path in PACKAGE.glob("_[a-z]*.py")}
MAY_IMPORT = dict.fromkeys(PRIVATE, PRIVATE) | {
    "layers": PRIVATE | {"layers"},
    "training": PRIVATE | {"layers", "training"},
    "traces": PRIVATE,
    "checks": PRIVATE | {"layers", "training", "traces", "checks"},
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
        yield from (name.split(".")[1] for name in names if name.startswith("numpycnn."))
        yield from imported(child)


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


# Names of version 0.1.0, whose files are read by two tables.

OLD = r"""
    (?-i:\bBeside\b)(?!\ [a-z]) | \bdoctor | \.training\( | \.remember\( | zeros_around
    | Window\.under | \bstages\( | keep_freed_memory | \bin_threads | bug_in_beside | steps_told
    | layers[./](around|phases|maxpool1d|averagepool1d|batchnorm|initialisation)\b
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
