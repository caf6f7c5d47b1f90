"""How the site is built: `sphinx-build -W -n -c docs . docs/_build`, from the root.

The source folder is the root of the repository, so that a link between two files is right
on a code host and on the site alike. Pages are made of the files as they are; `source_pages`
explains how.
"""

import os
import re
import sys
from pathlib import Path, PurePosixPath

# Before NumPy is imported: the matrices of the chapters are small, and on a busy machine threads
# that wait for each other take many times as long as one. `-j auto` gives each processor pages.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

project = "numpycnn"
extensions = ["source_pages", "mathml", "living", "network_map", "navigation", "search"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "numpycnn/**.py",
    "examples/*.py",
]
exclude_patterns = [  # a reader of the site is not to stumble over the solutions
    "numpycnn/puzzles/course/**",
    "numpycnn/puzzles/__main__.py",
]
scripts_not_run = {
    "examples/benchmark": "not run when this page was made: it takes minutes, and wants the "
    "machine to itself",
    "examples/find_the_fault": "not run when this page was made: it trains for ten seconds or "
    "more; chapter 13 shows what it prints and draws, in small",
    "examples/landmarks": "not run when this page was made: it trains five networks",
    "examples/pick_arrivals": "not run when this page was made: it trains for half a minute",
    "examples/many_records": "not run when this page was made: it wants a saved model, and Dask",
    "examples/sklearn_estimator": "not run when this page was made: it wants scikit-learn",
    "examples/to_onnx": "not run when this page was made: it wants a saved model, and onnx",
}

# The reading order
# -----------------
# Chapters come in the order of their numbers, source files in that of the table in files.md,
# with the `__init__` of a package before the first of its modules.


def _with_packages(modules: list[str]) -> list[str]:
    pages: list[str] = []
    for module in modules:
        folders = list(PurePosixPath(module).parents)[-2::-1]  # without "."
        packages = [f"{folder}/__init__" for folder in folders]
        pages += [package for package in packages if package not in pages]
        pages.append(module)
    return pages


_files = (HERE / "files.md").read_text(encoding="utf-8")
_table = re.findall(r"^\| \[`.*?`\]\(\.\./(.*?)\.py\)", _files, re.MULTILINE)
reading_order = {
    "Tutorial": [
        *sorted(f"docs/{path.stem}" for path in HERE.glob("[0-9]*.md")),
        "docs/puzzles",
    ],
    "Source": _with_packages([page for page in _table if page.startswith("numpycnn/")]),
    "Examples": [page for page in _table if page.startswith("examples/")],
    "Reference": [
        "docs/files",
        "docs/notation",
        "docs/glossary",
        "docs/questions",
        "CHANGELOG",
        "CONTRIBUTING",
    ],
}

# Markdown and code
# -----------------

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_update_mathjax = False  # there is none
highlight_language = "none"  # an indented block in prose is a drawing or an equation

# The look
# --------
# Everything the browser needs is in the folder: no request goes to another host, and the
# site works when it is opened from a disk.

html_theme = "furo"
html_title = "numpycnn"
pygments_dark_style = "a11y-dark"  # the theme's own underlines the names of modules
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_favicon = "_static/favicon.svg"
templates_path = ["_templates"]
html_additional_pages = {"index": "front.html", "search": "search.html"}
living_pages = {"index": ["drag_the_arrival"]}
html_math_renderer = "mathml"
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False
html_show_copyright = False
