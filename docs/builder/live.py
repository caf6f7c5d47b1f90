"""Live: a Sphinx extension that lets pages run Python in the browser.

It marks each block of Python that a browser can run, writes the package as a zip, and copies the
scripts of `docs/live` and the runtime, which `runtime` fetches. Without a runtime the site is built
as it is, without Run buttons. The environment variable `NUMPYCNN_LIVE` changes that: with
"required" a missing runtime is an error, with "off" none is looked for.
"""

import ast
import base64
import gzip
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

from docs.builder import runtime
from docs.builder.docstrings import code_of

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).parent.parent / "live"
SCRIPTS = ["kernel", "sizes", "editor", "blocks"]
"""The scripts of every page with code to run; `sizes.js` is written by the build."""

# Is there a runtime?
# -------------------


def find_runtime(app: Sphinx, config: Config) -> None:
    """Set `live_runtime` to the folder of the runtime, or to "" if there is none."""
    wish = os.environ.get("NUMPYCNN_LIVE", "")
    if wish not in ("", "off", "required"):
        raise ExtensionError(f"live: NUMPYCNN_LIVE must be 'off' or 'required', got {wish!r}.")
    if wish == "off":
        return
    try:
        config.live_runtime = str(runtime.runtime())
    except runtime.RuntimeMissingError as error:
        if wish == "required":
            raise ExtensionError(
                f"{error} NUMPYCNN_LIVE=required forbids a site without it."
            ) from None
        logger.info("live: pages without Run buttons, because there is no runtime. %s", error)


# Which blocks run?
# -----------------
# Those that import nothing a browser has not, and use no name of a block that does not run.

AVAILABLE = {"numpy", "matplotlib", "numpycnn", "docs", "examples", *sys.stdlib_module_names}


def mark(app: Sphinx, document: nodes.document) -> None:
    """Give each block of Python on a page its number, or the reason why it does not run."""
    page = app.env.docname
    is_text = page.startswith("docs/") or page == "README"
    if not is_text and not page.startswith("numpycnn/"):
        return
    number, lacking = 0, dict[str, str]()
    module = page.removesuffix("/__init__").replace("/", ".")
    boxes: list[nodes.Node] = []
    unmet = "" if is_text else needs_of_module(Path(app.env.doc2path(page)))
    for block in document.findall(nodes.literal_block):
        language, words = block.get("language"), block.get("words", {})
        if language != ("python" if is_text else "pycon"):
            continue
        code = block.astext() if is_text else code_of(block.astext())
        if reason := missing(code, unmet or words.get("needs"), lacking):
            block["live"] = {"why": reason}
            continue
        number += 1
        block["live"] = {"data-live": str(number)}
        block["live"] |= {f"data-{word}": "" for word in ("raises", "varies") if word in words}
        if not is_text:
            if "\nTraceback" in block.astext():
                block["live"]["data-raises"] = ""
            if block.parent not in boxes:
                boxes.append(block.parent)
            block["live"]["data-within"] = f"{module}#{boxes.index(block.parent)}"
            block["live"]["data-prompts"] = ""


def needs_of_module(path: Path) -> str:
    """Return what a module imports that a browser has not, "" if nothing."""
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    own = ast.Module([node for node in imports if not getattr(node, "level", 0)], [])
    return next((name for name in _imported(own) if name not in AVAILABLE), "")


def missing(code: str, needs: str | None, lacking: dict[str, str]) -> str:
    """Return what a block needs that a browser has not, "" if it runs.

    `lacking` maps the names that the blocks above would have defined, had they run, to what they
    need. The names of this block are added, or deleted if it runs.

    >>> lacking = {}
    >>> missing("import torch", None, lacking), missing("torch.ones(2)", None, lacking)
    ('torch', 'torch')
    >>> missing("torch = 3", None, lacking), missing("print(torch)", None, lacking)
    ('', '')
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""  # the page shows it as an error
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, _DEFINITIONS)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    imported = [name for name in _imported(tree) if name not in AVAILABLE]
    used = [lacking[name.id] for name in names if name.id in lacking and name.id not in bound]
    reason = next(iter([*([needs] if needs else []), *imported, *used]), "")
    for name in bound:
        if reason:
            lacking[name] = reason
        else:
            lacking.pop(name, None)
    return reason


_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        yield from (module.partition(".")[0] for module in modules)


def wrapped(block: nodes.Element, markup: str, runtime_is_there: bool) -> str:
    """Return the HTML of a block in the element that the scripts look for."""
    live = block.get("live")
    if not live or not runtime_is_there:
        return markup
    if why := live.get("why"):
        return f'{markup}<p class="live-note">Does not run in the browser: needs {why}.</p>\n'
    attributes = " ".join(f'{name}="{value}"' for name, value in live.items())
    return f'<div class="live" data-state="idle" {attributes}>{markup}</div>\n'


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Load the scripts on pages with a block that runs."""
    if not app.config.live_runtime or not document:
        return
    if any("data-live" in block.get("live", ()) for block in document.findall(nodes.literal_block)):
        use(app, SCRIPTS)


def use(app: Sphinx, scripts: list[str]) -> None:
    """Load scripts of `docs/live` on this page, in this order."""
    app.add_css_file("live/live.css")
    for priority, name in enumerate(scripts, start=610):
        app.add_js_file(f"live/{name}.js", loading_method="defer", priority=priority)


# Additional files of the site
# ----------------------------


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write scripts, package and runtime."""
    if error or app.builder.format != "html" or not app.config.live_runtime:
        return
    target = Path(app.outdir, "_static", "live")
    sizes = runtime.place(Path(app.config.live_runtime), target / "python")
    for path in FOLDER.iterdir():
        if path.suffix in (".js", ".css"):
            shutil.copyfile(path, target / path.name)
    write_package(Path(app.srcdir), target / "package.zip")
    write_packed(target)
    (target / "sizes.js").write_text(f"live.sizes = {json.dumps(sizes)};\n", encoding="utf-8")


PARTS = [
    "numpycnn/**/*.py",
    "docs/__init__.py",
    "docs/live/*.py",
    "examples/*.py",
]


def write_package(root: Path, target: Path) -> None:
    """Write the package and the modules that chapters import; same files, same bytes."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for part in PARTS for path in root.glob(part)):
            runtime.write(archive, path.relative_to(root).as_posix(), path.read_bytes())


def write_packed(folder: Path) -> None:
    """Write what Python needs as scripts as well, for pages that are opened from a disk."""
    plots = {runtime.LOCK["packages"][name]["file_name"] for name in runtime.WITH_PLOTS}
    files = [path for path in (folder / "python").iterdir() if path.suffix != ".txt"]
    parts = {
        "python": [folder / "worker.js", folder / "package.zip", *files],
        "plots": [path for path in files if path.name in plots],
    }
    (folder / "packed").mkdir(exist_ok=True)
    for part, paths in parts.items():
        packed = {
            path.name: base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()
            for path in paths
            if part == "plots" or path.name not in plots
        }
        text = f"live.packed.{part} = {json.dumps(packed)};\n"
        (folder / "packed" / f"{part}.js").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("live_runtime", "", "html")
    app.connect("config-inited", find_runtime)
    app.connect("doctree-read", mark)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
